"""Users and invitations. Nobody gives more than they have: a key reaches only roles whose permissions it has, too."""

from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router
from pydantic import Field

from taktura.accounts import services
from taktura.accounts.inviting import mail_invitation
from taktura.accounts.models import Invitation, User
from taktura.accounts.permissions import ROLES
from taktura.accounts.queries import open_invitations, second_factors
from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Flag, Id, In, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import Fault
from taktura.core.errors import Refused
from taktura.customers.models import Seller

router = Router()
VIEW, CHANGE = "settings.view", "accounts.change"
Role = Literal["admin", "billing", "sales", "lead", "technician", "viewer"]
Language = Literal["en", "de", "sv"]
NONE: list[str] = []


class UserOut(Out):
    """A user. `second_factors`: what the user has besides the password: `totp`, `webauthn`."""

    id: int
    email: str
    name: str
    role: str
    active: bool
    language: str
    second_factors: list[str]
    created_at: datetime
    last_login: datetime | None


class Users(Out):
    """A page of users."""

    items: list[UserOut]
    next: str | None


class UserChange(In):
    """What others decide of a user; fields left out stay as they are."""

    name: Text200 | None = Field(None, min_length=1)
    role: Role | None = None
    active: Flag | None = Field(None, description="who is not is signed out everywhere")
    revoke_keys: Flag = Field(False, description="also revoke the keys that the user has made")


class InvitationIn(In):
    """Who is invited, as what."""

    email: Text200 = Field(min_length=3)
    role: Role
    name: Text200 = ""
    language: Language = "en"


class InvitationOut(Out):
    """An invitation that can still be accepted."""

    id: int
    email: str
    name: str
    role: str
    language: str
    invited_by: str | None
    invited_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    """A new invitation with its link, which is told this once; `mailed`: there is a server that sends it, too."""

    link: str
    mailed: bool


class Invitations(Out):
    """A page of invitations."""

    items: list[InvitationOut]
    next: str | None


def shown(user: User, factors: list[str]) -> UserOut:
    """A user as it is told."""
    return UserOut(
        id=user.pk, email=user.email, name=user.name, role=user.role, active=user.is_active, language=user.language,
        second_factors=factors, created_at=user.created_at, last_login=user.last_login,
    )  # fmt: skip


def user_of(user: int) -> User:
    """A user by id; raises `Refused` (`not_found`)."""
    found = User.objects.filter(pk=user).first()
    if found is None:
        raise Refused("not_found", "There is no user %(id)s.", id=user)
    return found


def one(call: Call, user: int) -> UserOut:
    """A user by id as it is told; raises `Refused` (`not_found`)."""
    found = user_of(user)
    return shown(found, second_factors([found.pk]).get(found.pk, NONE))


def check_reach(call: Call, role: str) -> None:
    """Raise `Fault` (`forbidden`) where a role may do something that the key may not."""
    for permission in sorted(ROLES[role]):
        if not call.key.may(permission):
            raise Fault("forbidden", scope=permission)


@endpoint(router, "GET", "/users", VIEW, answer=Users)
def list_users(
    request: HttpRequest, role: Role | None = None, active: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> Users:
    """Users, in the order in which they were made. They work for all sellers."""
    wanted = {"role": role, "is_active": active}
    found = User.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    items, following = page_of(found, limit, after)
    factors = second_factors([u.pk for u in items])
    return Users(items=[shown(u, factors.get(u.pk, NONE)) for u in items], next=following)


@endpoint(router, "GET", "/users/{int:user}", VIEW, answer=UserOut, etag=True)
def get_user(request: HttpRequest, user: Id) -> UserOut:
    """A user."""
    return one(call_of(request), user)


@endpoint(router, "PATCH", "/users/{int:user}", CHANGE, answer=UserOut, etag=True, of=one)
def change_user(request: HttpRequest, user: Id, body: UserChange) -> UserOut:
    """Change a user: the fields that are given. One active admin is always left.

    A key reaches only users, and gives only roles, whose permissions it has itself.
    """
    call, found = call_of(request), user_of(user)
    role = body.role or found.role
    for reached in (found.role, role):
        check_reach(call, reached)
    active = found.is_active if body.active is None else body.active
    services.change_user(
        call.actor, user=found, role=role, name=body.name or found.name, active=active, revoke_keys=body.revoke_keys
    )
    return one(call, user)


@endpoint(router, "POST", "/users/{int:user}/reset_second_factor", CHANGE, answer=UserOut, of=one)
def reset_second_factor(request: HttpRequest, user: Id) -> UserOut:
    """Forget the app, the passkeys and the recovery codes of a user who has lost them, and sign out everywhere."""
    call, found = call_of(request), user_of(user)
    check_reach(call, found.role)
    services.reset_second_factor(call.actor, user=found)
    return one(call, user)


@endpoint(router, "GET", "/invitations", VIEW, answer=Invitations)
def list_invitations(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Invitations:
    """The invitations that can still be accepted, the newest first."""
    items, following = page_of(open_invitations(call_of(request).actor.now), limit, after, newest_first=True)
    return Invitations(items=[InvitationOut(**_fields(i)) for i in items], next=following)


def _fields(invitation: Invitation) -> dict[str, Any]:
    names = [name for name in InvitationOut.model_fields if name != "invited_by"]
    by = invitation.invited_by
    return {name: getattr(invitation, name) for name in names} | {"invited_by": by.email if by else None}


@endpoint(
    router, "POST", "/invitations", CHANGE, answer=InvitationMade, status=201, secret="link", codes=("conflict",)
)  # fmt: skip
def invite_user(request: HttpRequest, body: InvitationIn) -> InvitationMade:
    """Invite somebody by mail. The link makes the user, once, within seven days; it is told this once.

    An earlier invitation of the address ends. A key gives only roles whose permissions it has itself.
    """
    call = call_of(request)
    check_reach(call, body.role)
    invitation, secret = services.invite(call.actor, **body.model_dump())
    path = reverse("accept_invitation", args=[secret])
    link = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
    seller = Seller.objects.order_by("id").first()
    mailed = mail_invitation(
        call.actor, invitation=invitation, link=link, by=call.key.name, company=seller.name if seller else "Taktura",
        time_zone=seller.time_zone if seller else "UTC",
    )  # fmt: skip
    return InvitationMade(**_fields(invitation), link=link, mailed=mailed)


@endpoint(router, "DELETE", "/invitations/{int:invitation}", CHANGE, answer=None, status=204)
def withdraw_invitation(request: HttpRequest, invitation: Id) -> Answer:
    """Make an invitation's link useless."""
    call = call_of(request)
    found = open_invitations(call.actor.now).filter(pk=invitation).first()
    if found is None:
        raise Refused("not_found", "There is no open invitation %(id)s.", id=invitation)
    services.withdraw_invitation(call.actor, invitation=found)
    return Answer(None)
