"""Writes of users, invitations and keys. They are no facts of billing: a run does not wait for them."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from taktura.accounts.models import ApiKey, Invitation, User
from taktura.accounts.permissions import PERMISSIONS, ROLES
from taktura.accounts.queries import open_invitations, usable_keys_of
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.secret import hash_of

INVITED_FOR = timedelta(days=7)
KEY = "tk_"
PREFIX = 10  # characters of a key that are shown


@transaction.atomic
def create_user(
    actor: Actor, *, email: str, name: str, role: str, password: str | None = None, language: str = "en"
) -> User:
    """Make a user. Raises `Refused`: `conflict` (the address is taken), `invalid` (address, role, weak password)."""
    email = _email(email)
    _check_role(role)
    if User.objects.filter(email__iexact=email).exists():
        raise Refused("conflict", "There is a user “%(email)s” already.", email=email)
    user = User(email=email, name=name.strip() or email, role=role, language=language, created_at=actor.now)
    set_password(user, password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:  # somebody else was quicker
        raise Refused("conflict", "There is a user “%(email)s” already.", email=email) from error
    record(actor, "create_user", f"user:{user.pk}", {"email": email, "role": role})
    return user


def set_password(user: User, password: str | None) -> None:
    """Give a user a password that is strong enough, or none (sign-in by mailed code). Raises `Refused` (`invalid`)."""
    if password is None:
        user.set_unusable_password()
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("invalid", "Choose another password: %(why)s", why=" ".join(error.messages)) from error
    user.set_password(password)


@transaction.atomic
def change_user(
    actor: Actor, *, user: User, role: str, name: str, active: bool, revoke_keys: bool = False
) -> None:  # fmt: skip
    """Write a user's role and name, and whether the user may sign in.

    Whoever is switched off is signed out for good (no old session comes back with the user), and the invitations that
    the user sent end. The keys that the user made belong to other systems: they go on, unless `revoke_keys`.
    Raises `Refused` (`invalid`) where no active admin would be left.
    """
    _check_role(role)
    admins = list(User.objects.select_for_update().filter(role="admin", is_active=True).values_list("pk", flat=True))
    if admins == [user.pk] and (role != "admin" or not active):
        raise Refused("invalid", "One active admin must be left: make somebody else admin first.")
    before = {"role": user.role, "name": user.name, "active": user.is_active}
    user.role, user.name, user.is_active = role, name.strip() or user.email, active
    user.save(update_fields=["role", "name", "is_active"])
    after = {"role": user.role, "name": user.name, "active": user.is_active}
    record(actor, "change_user", f"user:{user.pk}", {"before": before, "after": after})
    if active != before["active"]:
        _end_sessions(user)  # switched on again too: a sign-in that was under way may have made one
    for invitation in () if active else open_invitations(actor.now).filter(invited_by=user):
        withdraw_invitation(actor, invitation=invitation)
    for key in usable_keys_of(user, actor.now) if revoke_keys else ():
        revoke_key(actor, key=key)


def _end_sessions(user: User) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()


@transaction.atomic
def reset_second_factor(actor: Actor, *, user: User) -> None:
    """Forget the app, the passkeys and the recovery codes of somebody who has lost them, and sign out everywhere."""
    forgotten = list(Authenticator.objects.filter(user=user).order_by("pk").values_list("type", flat=True))
    Authenticator.objects.filter(user=user).delete()
    _end_sessions(user)
    record(actor, "reset_second_factor", f"user:{user.pk}", {"email": user.email, "forgotten": forgotten})


@transaction.atomic
def invite(
    actor: Actor, *, email: str, role: str, name: str = "", language: str = "en", by: User | None = None
) -> tuple[Invitation, str]:
    """Invite an address; gives the invitation and the secret of its link, which is kept nowhere.

    An earlier invitation of the address ends. Raises `Refused`: `conflict`, `invalid`.
    """
    email = _email(email)
    _check_role(role)
    if User.objects.filter(email__iexact=email).exists():
        raise Refused("conflict", "There is a user “%(email)s” already.", email=email)
    Invitation.objects.filter(email__iexact=email, accepted_at=None, withdrawn_at=None).update(withdrawn_at=actor.now)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email, name=name.strip(), role=role, language=language, hash=hash_of(secret), invited_by=by,
        invited_at=actor.now, expires_at=actor.now + INVITED_FOR,
    )  # fmt: skip
    record(actor, "invite", f"invitation:{invitation.pk}", {"email": email, "role": role})
    return invitation, secret


@transaction.atomic
def withdraw_invitation(actor: Actor, *, invitation: Invitation) -> None:
    """Make an invitation's link useless."""
    invitation.withdrawn_at = actor.now
    invitation.save(update_fields=["withdrawn_at"])
    record(actor, "withdraw_invitation", f"invitation:{invitation.pk}", {"email": invitation.email})


@transaction.atomic
def accept_invitation(actor: Actor, *, secret: str, name: str, password: str) -> User:
    """Make the invited user. Raises `Refused`: `not_found` (used, withdrawn, expired), `conflict`, `invalid`."""
    invitation = open_invitation(secret, actor.now, lock=True)
    user = create_user(
        actor, email=invitation.email, name=name, role=invitation.role, password=password, language=invitation.language
    )
    invitation.accepted_at = actor.now
    invitation.save(update_fields=["accepted_at"])
    return user


def open_invitation(secret: str, now: datetime, *, lock: bool = False) -> Invitation:
    """The invitation of a link's secret while it can be used; raises `Refused` (`not_found`)."""
    rows = Invitation.objects.select_for_update() if lock else Invitation.objects
    found = rows.filter(hash=hash_of(secret), accepted_at=None, withdrawn_at=None, expires_at__gt=now).first()
    if found is None:
        raise Refused("not_found", "This invitation is used, withdrawn or too old: ask for another one.")
    return found


@transaction.atomic
def create_key(
    actor: Actor, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None, by: User | None = None
) -> tuple[ApiKey, str]:
    """Make a key; gives it and its secret, which is shown once and kept nowhere. Raises `Refused` (`invalid`)."""
    wanted = sorted(set(scopes))
    unknown = [s for s in wanted if s not in PERMISSIONS]
    if unknown:
        raise Refused("invalid", "There is no scope “%(scope)s”.", scope=unknown[0])
    if not name.strip() or not wanted:
        raise Refused("invalid", "A key has a name and at least one scope.")
    if expires_at is not None and expires_at <= actor.now:
        raise Refused("invalid", "The key would have expired already: choose a later day.")
    beyond = [s for s in wanted if by is not None and not by.may(s)]
    if beyond:
        raise Refused("invalid", "You may not give the scope “%(scope)s”: you do not have it.", scope=beyond[0])
    secret = KEY + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name.strip(), prefix=secret[:PREFIX], hash=hash_of(secret), scopes=wanted, created_by=by,
        created_at=actor.now, expires_at=expires_at,
    )  # fmt: skip
    record(actor, "create_key", f"key:{key.pk}", {"name": key.name, "scopes": wanted, "expires_at": expires_at})
    return key, secret


@transaction.atomic
def revoke_key(actor: Actor, *, key: ApiKey) -> None:
    """Make a key useless from now on."""
    if key.revoked_at is None:
        key.revoked_at = actor.now
        key.save(update_fields=["revoked_at"])
        record(actor, "revoke_key", f"key:{key.pk}", {"name": key.name})


def _email(text: str) -> str:
    email = text.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=email) from error
    return email


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused("invalid", "There is no role “%(role)s”.", role=role)
