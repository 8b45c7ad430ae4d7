"""Users of the portal: their links, passwords and sessions. Which customers they see is `customers.access`' matter."""

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from taktura.accounts.models import PortalLink, PortalSession, PortalUser
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.secret import hash_of

SIGN_IN, PASSWORD = "sign_in", "password"
LINK_FOR = timedelta(minutes=15)
INVITED_FOR = timedelta(days=7)
SESSION_FOR = timedelta(days=14)
SEEN_AGAIN = timedelta(minutes=5)  # how exactly it is known when a session was seen
MOST_OPEN = 3  # links of a user that can be used at once: older ones end


def actor_of(user: PortalUser, now: datetime) -> Actor:
    """A user of the portal as the log names it."""
    return Actor(f"portal:{user.email}", now)


def user_of(email: str) -> PortalUser | None:
    """The user of an address who may sign in, without regard to case."""
    return PortalUser.objects.filter(email__iexact=email.strip(), is_active=True).first()


@transaction.atomic
def make_link(now: datetime, *, user: PortalUser, purpose: str, lasts: timedelta = LINK_FOR) -> tuple[PortalLink, str]:
    """Make a link; gives it and its secret, which is kept nowhere. Of a user's open links the oldest end."""
    secret = secrets.token_urlsafe(32)
    link = PortalLink.objects.create(
        user=user, purpose=purpose, hash=hash_of(secret), created_at=now, expires_at=now + lasts
    )
    kept = PortalLink.objects.filter(user=user, used_at=None).order_by("-id").values_list("pk", flat=True)[:MOST_OPEN]
    PortalLink.objects.filter(user=user, used_at=None).exclude(pk__in=list(kept)).update(used_at=now)
    return link, secret


def open_link(secret: str, purpose: str, now: datetime, *, lock: bool = False) -> PortalLink:
    """The link of a secret while it can be used; raises `Refused` (`not_found`)."""
    rows = PortalLink.objects.select_for_update(of=("self",)) if lock else PortalLink.objects
    found = rows.select_related("user").filter(hash=hash_of(secret), purpose=purpose, used_at=None).first()
    if found is None or found.expires_at <= now or not found.user.is_active:
        raise Refused("not_found", "This link is used or too old: ask for another one.")
    return found


@transaction.atomic
def sign_in_by_link(now: datetime, *, secret: str) -> tuple[PortalUser, str]:
    """Use a link; gives the user and the secret of a new session. Raises `Refused` (`not_found`)."""
    link = open_link(secret, SIGN_IN, now, lock=True)
    _use(link, now)
    return link.user, _begin_session(link.user, now)


@transaction.atomic
def set_password_by_link(now: datetime, *, secret: str, password: str) -> tuple[PortalUser, str]:
    """Use a link to set a password: other sessions end; gives the user and the secret of a new session.

    Raises `Refused`: `not_found`, `invalid` (weak password; the link can be used again).
    """
    link = open_link(secret, PASSWORD, now, lock=True)
    user = link.user
    try:
        validate_password(password, user)  # type: ignore[arg-type]  # it asks for name and e-mail alone
    except ValidationError as error:
        raise Refused("invalid", "Choose another password: %(why)s", why=" ".join(error.messages)) from error
    _use(link, now)
    user.password = make_password(password)
    user.save(update_fields=["password"])
    PortalLink.objects.filter(user=user, used_at=None).update(used_at=now)
    end_sessions(user)
    record(actor_of(user, now), "set_portal_password", f"portal_user:{user.pk}")
    return user, _begin_session(user, now)


def sign_in_by_password(now: datetime, *, email: str, password: str) -> tuple[PortalUser, str] | None:
    """The user and the secret of a new session; None where address and password do not fit, which takes as long."""
    user = user_of(email)
    if user is None or not user.password:
        make_password(password)  # an address that is not known is answered no sooner
        return None
    if not check_password(password, user.password):
        return None
    with transaction.atomic():
        return user, _begin_session(user, now)


def session_of(secret: str, now: datetime) -> PortalSession | None:
    """The session of a cookie while it lasts and its user may sign in; notes that it was seen."""
    if not secret:
        return None
    rows = PortalSession.objects.select_related("user")
    found = rows.filter(hash=hash_of(secret), expires_at__gt=now, user__is_active=True).first()
    if found is not None and found.seen_at < now - SEEN_AGAIN:
        PortalSession.objects.filter(pk=found.pk).update(seen_at=now)
    return found


def sign_out(session: PortalSession) -> None:
    """End a session."""
    session.delete()


def end_sessions(user: PortalUser) -> int:
    """End all sessions of a user; gives how many."""
    count, _ = PortalSession.objects.filter(user=user).delete()
    return count


def end_links(user: PortalUser, now: datetime) -> None:
    """Make all links of a user useless."""
    PortalLink.objects.filter(user=user, used_at=None).update(used_at=now)


def _use(link: PortalLink, now: datetime) -> None:
    link.used_at = now
    link.save(update_fields=["used_at"])


def _begin_session(user: PortalUser, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    PortalSession.objects.create(
        user=user, hash=hash_of(secret), created_at=now, seen_at=now, expires_at=now + SESSION_FOR
    )
    user.last_sign_in_at = now
    user.save(update_fields=["last_sign_in_at"])
    return secret
