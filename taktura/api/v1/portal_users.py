"""Who of a customer's people signs in to the customer portal."""

from datetime import datetime
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Id, In, Key, Out, Text200
from taktura.core.errors import Refused
from taktura.customers import access as portal
from taktura.customers.models import PortalAccess
from taktura.customers.queries import customer_by_key

router = Router()
PORTAL = "/portal"
CHANGE = "customers.change"
Role = Literal["administrator", "user"]


class PortalUserIn(In):
    """Who is invited."""

    email: Text200 = Field(min_length=3)
    name: Text200 = ""
    language: Literal["en", "de", "sv"] | None = Field(None, description="null: the customer's")
    role: Role | None = Field(None, description="null: `administrator` where the customer has none, else `user`")


class PortalUserChange(In):
    """What is changed of somebody's access."""

    role: Role


class PortalUserOut(Out):
    """Somebody who has, or had, access to a customer in the portal. `id` is that of the access. An `administrator` sees
    and does everything there and manages the customer's people, a `user` sees contracts and usage without amounts and
    the own tickets. `phone` to `company_contact` they keep where the customer's profile is `self_managed`."""

    id: int
    email: str
    name: str
    language: str
    role: Role
    active: bool
    invited_at: datetime
    ended_at: datetime | None
    last_sign_in: datetime | None
    phone: str
    mobile: str
    job_title: str
    company_contact: bool


class PortalUsers(Out):
    """All of a customer."""

    items: list[PortalUserOut]


def shown(access: PortalAccess) -> PortalUserOut:
    """An access as it is told."""
    user = access.user
    return PortalUserOut(
        id=access.pk, email=user.email, name=user.name, language=user.language,
        role="administrator" if access.administers else "user", active=access.ended_at is None,
        invited_at=access.invited_at, ended_at=access.ended_at, last_sign_in=user.last_sign_in_at,
        **{name: getattr(access, name) for name in portal.PROFILE},
    )  # fmt: skip


@endpoint(router, "GET", "/customers/{customer}/portal_users", "customers.view", answer=PortalUsers)
def list_portal_users(request: HttpRequest, customer: Key) -> PortalUsers:
    """Who has access to a customer in the portal, and who had."""
    found = customer_by_key(call_of(request).seller.pk, customer)
    return PortalUsers(items=[shown(a) for a in portal.users_of(found)])


@endpoint(
    router, "POST", "/customers/{customer}/portal_users", CHANGE, answer=PortalUserOut, status=201,
    codes=("conflict",),
)  # fmt: skip
def invite_portal_user(request: HttpRequest, customer: Key, body: PortalUserIn) -> PortalUserOut:
    """Give somebody access to a customer in the portal: a link to sign in goes there by mail, for seven days.

    Whoever was switched off gets access anew. The first of a customer administers it, unless `role` says otherwise.
    """
    call = call_of(request)
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    access = portal.invite(
        call.actor, customer=customer_by_key(call.seller.pk, customer), email=body.email, name=body.name,
        language=body.language or "", role=body.role or "", portal=base + PORTAL,
    )  # fmt: skip
    return shown(access)


def one(call: Call, customer: str, user: int) -> PortalUserOut:
    """An access as it stands."""
    return shown(_access(call, customer, user))


@endpoint(
    router, "GET", "/customers/{customer}/portal_users/{int:user}", "customers.view", answer=PortalUserOut, etag=True
)
def get_portal_user(request: HttpRequest, customer: Key, user: Id) -> PortalUserOut:
    """Somebody who has, or had, access to a customer in the portal."""
    return one(call_of(request), customer, user)


@endpoint(
    router, "PATCH", "/customers/{customer}/portal_users/{int:user}", CHANGE, answer=PortalUserOut, codes=("conflict",),
    etag=True, of=one,
)  # fmt: skip
def change_portal_user(request: HttpRequest, customer: Key, user: Id, body: PortalUserChange) -> PortalUserOut:
    """Make somebody an administrator or a user. Unlike customers themselves, this may leave a customer without an
    administrator."""
    call = call_of(request)
    portal.change_role(call.actor, access=_access(call, customer, user), role=body.role)
    return one(call, customer, user)


@endpoint(router, "DELETE", "/customers/{customer}/portal_users/{int:user}", CHANGE, answer=None, status=204)
def switch_off_portal_user(request: HttpRequest, customer: Key, user: Id) -> Answer:
    """Take somebody's access to a customer away; whoever has no other is signed out everywhere."""
    call = call_of(request)
    portal.switch_off(call.actor, access=_access(call, customer, user))
    return Answer(None)


def _access(call: Call, customer: str, user: int) -> PortalAccess:
    access = portal.users_of(customer_by_key(call.seller.pk, customer)).filter(pk=user).first()
    if access is None:
        raise Refused("not_found", "There is no user %(id)s.", id=user)
    return access
