"""Who may see a customer in the portal, and as what: inviting, switching off, and the mails with links."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from taktura.accounts import portal_users
from taktura.accounts.models import PortalUser
from taktura.accounts.portal_users import INVITED_FOR, LINK_FOR, PASSWORD, SIGN_IN
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import ADMINISTRATOR, PORTAL_ROLES, USER, Customer, PortalAccess
from taktura.kit.actor import Actor
from taktura.kit.language import LANGUAGES, translate
from taktura.kit.mail.services import ACCOUNT, post

PROFILE = ("phone", "mobile", "job_title", "company_contact")
PHONE = re.compile(r"\+?[0-9][0-9 ()/.\-]{2,40}")
MOST_ACCESS = 50  # people of one customer
LETTERS = {
    ADMINISTRATOR: (
        "Your access to the customer portal of %(company)s",
        "Good day,\n\n%(company)s gives you access to its customer portal: contracts, usage and documents of "
        "%(customer)s. Sign in here:\n\n%(link)s\n\nThe link can be used once, until %(until)s. Later you can have "
        "another one sent at any time, here:\n\n%(portal)s\n\nIf you do not expect this mail, ignore it.",
    ),
    USER: (
        "Your access to the customer portal of %(company)s",
        "Good day,\n\n%(company)s gives you access to its customer portal: tickets, contracts and usage of "
        "%(customer)s. Sign in here:\n\n%(link)s\n\nThe link can be used once, until %(until)s. Later you can have "
        "another one sent at any time, here:\n\n%(portal)s\n\nIf you do not expect this mail, ignore it.",
    ),
    SIGN_IN: (
        "Sign in to the customer portal",
        "Good day,\n\nwith this link you sign in to the customer portal of %(company)s:\n\n%(link)s\n\nIt can be used "
        "once, until %(until)s.\n\nIf you did not ask for it, ignore this mail: nobody has signed in.",
    ),
    PASSWORD: (
        "A password for the customer portal",
        "Good day,\n\nchoose a password for the customer portal of %(company)s here:\n\n%(link)s\n\nThe link can be "
        "used once, until %(until)s.\n\nIf you did not ask for it, ignore this mail: nothing has changed.",
    ),
}  # fmt: skip


def access_of(user: PortalUser) -> QuerySet[PortalAccess]:
    """The customers whom a user sees now, with their sellers."""
    rows = PortalAccess.objects.filter(user=user, ended_at=None)
    return rows.select_related("customer__seller", "customer__billing_information").order_by("customer__folded", "id")


def users_of(customer: Customer) -> QuerySet[PortalAccess]:
    """Who has, or had, access to a customer: those who have first."""
    return PortalAccess.objects.filter(customer=customer).select_related("user").order_by("-ended_at", "id")


def contacts_of(customer: Customer) -> QuerySet[PortalAccess]:
    """Who speaks for a customer, where its profile is self-managed; with their users."""
    rows = PortalAccess.objects.filter(customer=customer, ended_at=None, company_contact=True)
    return (rows if customer.self_managed else rows.none()).select_related("user").order_by("id")


@transaction.atomic
def invite(
    actor: Actor, *, customer: Customer, email: str, name: str = "", language: str = "", role: str = "", portal: str
) -> PortalAccess:
    """Give somebody access to a customer, anew where it was switched off, and mail a link to sign in.

    `language`: empty means the customer's; of somebody who has access to another customer it stays. `role`: empty means
    `next_role`. `portal`: the portal's address, without a slash at its end. Raises `Refused`: `invalid` (the address,
    the language, the role, too many), `conflict` (has access).
    """
    customer = Customer.objects.select_for_update(of=("self",)).select_related("seller").get(pk=customer.pk)
    language = language or customer.language
    if language not in LANGUAGES:
        raise Refused("invalid", "There is no language “%(language)s”.", language=language)
    role = _role(role) if role else next_role(customer)
    user = _user(actor, _address(email), name.strip(), language)
    access = PortalAccess.objects.filter(customer=customer, user=user).first()
    if access is not None and access.ended_at is None:
        raise Refused("conflict", "“%(email)s” has access already.", email=user.email)
    if PortalAccess.objects.filter(customer=customer, ended_at=None).count() >= MOST_ACCESS:
        raise Refused("invalid", "At most %(most)s people have access to a customer.", most=MOST_ACCESS)
    access = access or PortalAccess(customer=customer, user=user)
    access.invited_at, access.ended_at, access.role = actor.now, None, role
    access.save()
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
    data = {"email": user.email, "name": user.name, "role": role}
    record(actor, "invite_to_portal", f"customer:{customer.pk}", data)
    _mail(actor, access, portal, role, INVITED_FOR)
    return access


def next_role(customer: Customer) -> str:
    """What whoever is invited becomes unless it is said: the first an administrator, everybody else a user."""
    return USER if administrators_of(customer).exists() else ADMINISTRATOR


def administrators_of(customer: Customer) -> QuerySet[PortalAccess]:
    """Who administers a customer in the portal now."""
    return PortalAccess.objects.filter(customer=customer, ended_at=None, role=ADMINISTRATOR)


@transaction.atomic
def change_role(actor: Actor, *, access: PortalAccess, role: str) -> None:
    """Make somebody an administrator or a user, from the next click on.

    Raises `Refused`: `invalid` (the role), `conflict` (the access is switched off).
    """
    _role(role)
    access = PortalAccess.objects.select_for_update(of=("self",)).select_related("user").get(pk=access.pk)
    if access.ended_at is not None:
        raise Refused("conflict", "“%(email)s” has no access any more: invite again.", email=access.user.email)
    if role == access.role:
        return
    access.role = role
    access.save(update_fields=["role"])
    data = {"email": access.user.email, "role": role}
    record(actor, "change_portal_role", f"customer:{access.customer_id}", data)


@transaction.atomic
def switch_off(actor: Actor, *, access: PortalAccess) -> None:
    """Take the access to a customer away. Whoever has no other is signed out everywhere; open links end."""
    access = PortalAccess.objects.select_for_update(of=("self",)).select_related("user").get(pk=access.pk)
    if access.ended_at is not None:
        return
    access.ended_at = actor.now
    access.save(update_fields=["ended_at"])
    user = PortalUser.objects.select_for_update().get(pk=access.user_id)
    if not PortalAccess.objects.filter(user=user, ended_at=None).exists():
        user.is_active = False
        user.save(update_fields=["is_active"])
        portal_users.end_links(user, actor.now)
        portal_users.end_sessions(user)
    record(actor, "end_portal_access", f"customer:{access.customer_id}", {"email": user.email})


@transaction.atomic
def sign_out_everywhere(actor: Actor, *, access: PortalAccess) -> int:
    """End all sessions and links of somebody who has access to a customer; gives how many sessions."""
    user = access.user
    count = portal_users.end_sessions(user)
    portal_users.end_links(user, actor.now)
    record(actor, "sign_out_of_portal", f"customer:{access.customer_id}", {"email": user.email, "sessions": count})
    return count


@transaction.atomic
def change_profile(actor: Actor, *, access: PortalAccess, **fields: Any) -> None:
    """Write what somebody says of oneself to a customer: `phone`, `mobile`, `job_title`, `company_contact`.

    Raises `Refused` (`invalid`) where the customer's profile is not self-managed, and for a number that is none.
    """
    access = PortalAccess.objects.select_for_update(of=("self",)).select_related("customer", "user").get(pk=access.pk)
    if not access.customer.self_managed:
        raise Refused("invalid", "The profile of this customer is not self-managed: switch it on first.")
    for name in ("phone", "mobile"):
        if fields.get(name) and not PHONE.fullmatch(fields[name]):
            raise Refused("invalid", "“%(value)s” is no phone number: write it as in +49 40 123456.",
                          value=fields[name], field=name)  # fmt: skip
    changed = {name: fields[name] for name in PROFILE if name in fields and fields[name] != getattr(access, name)}
    if not changed:
        return
    for name, value in changed.items():
        setattr(access, name, value)
    access.save(update_fields=list(changed))
    record(actor, "change_portal_profile", f"customer:{access.customer_id}", {"email": access.user.email, **changed})


@transaction.atomic
def change_language(actor: Actor, *, user: PortalUser, language: str) -> None:
    """Write the language in which a user reads the portal and its mails. Raises `Refused` (`invalid`)."""
    if language not in LANGUAGES:
        raise Refused("invalid", "There is no language “%(language)s”.", language=language)
    if language == user.language:
        return
    user.language = language
    user.save(update_fields=["language"])
    record(actor, "change_portal_user", f"portal_user:{user.pk}", {"language": language})


def mail_link(actor: Actor, *, email: str, purpose: str, portal: str) -> bool:
    """Mail a link to an address, if somebody with that address may sign in; gives whether that is so."""
    user = portal_users.user_of(email)
    access = access_of(user).first() if user is not None else None
    if access is None:
        return False
    with transaction.atomic():
        _mail(actor, access, portal, purpose, LINK_FOR)
    return True


def _mail(actor: Actor, access: PortalAccess, portal: str, kind: str, lasts: timedelta) -> None:
    user, seller = access.user, access.customer.seller
    purpose = PASSWORD if kind == PASSWORD else SIGN_IN
    link, secret = portal_users.make_link(actor.now, user=user, purpose=purpose, lasts=lasts)
    language = user.language
    until = format_datetime(
        link.expires_at.astimezone(ZoneInfo(seller.time_zone)),
        "short",
        locale=language if language != "en" else "en_GB",
    )
    path = "password" if purpose == PASSWORD else "sign-in"
    values = {
        "company": seller.name, "customer": access.customer.name, "until": until, "portal": f"{portal}/",
        "link": f"{portal}/{path}/{secret}/",
    }  # fmt: skip
    subject, text = LETTERS[kind]
    post(
        actor.now, to=user.email, subject=translate(subject, values, language), text=translate(text, values, language),
        sender=f"seller:{seller.pk}", kind=ACCOUNT, language=language, about=f"portal_user:{user.pk}",
    )  # fmt: skip


def _user(actor: Actor, email: str, name: str, language: str) -> PortalUser:
    """The user of an address; made where there is none. Another customer's people keep their name and language."""
    rows = PortalUser.objects.select_for_update().filter(email__iexact=email)
    found = rows.first()
    if found is None:
        try:
            with transaction.atomic():
                return PortalUser.objects.create(
                    email=email, name=name or email, language=language, created_at=actor.now
                )
        except IntegrityError:  # somebody else was quicker
            found = rows.get()
    return found


def _role(role: str) -> str:
    if role not in PORTAL_ROLES:
        raise Refused("invalid", "There is no role “%(role)s” in the portal.", role=role)
    return role


def _address(text: str) -> str:
    email = text.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=email) from error
    return email
