"""Mails: over which servers they go, and what became of each."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Flag, Id, In, Out, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.core.errors import Refused
from taktura.customers.services import remove_mail_server, set_mail_server
from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.kit.mail.queries import is_secret, mails, own_server
from taktura.kit.mail.services import send_again

router = Router()
Security = Literal["none", "starttls", "tls"]
State = Literal["waiting", "sending", "sent", "failed", "unknown", "caught"]
ForAll = Annotated[bool, Field(description="true: the server of all sellers that have none of their own")]


class MailServerIn(In):
    """A mail server (SMTP)."""

    host: Text200 = Field(min_length=1)
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 587
    security: Security = "starttls"
    user: Text200 = ""
    password: Text200 | None = Field(None, description="null: the one that is kept stays; it is never told")
    from_address: Text200 = Field(min_length=3)
    from_name: Text200 = ""
    for_all: Flag = Field(False, description="of all sellers that have none of their own")


class MailServerOut(Out):
    """A mail server, without its password."""

    host: str
    port: int
    security: str
    user: str
    has_password: bool
    from_address: str
    from_name: str
    for_all: bool


class OutboxMail(Out):
    """A mail of the outbox: `waiting`, `sending`, `sent`, `failed`, `caught` (there is no server), or `unknown` where
    it cannot be known. `about` names what it brings: `document:12`."""

    id: int
    kind: str
    about: str
    to: str
    subject: str
    language: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None


class OutboxMailDetail(OutboxMail):
    """A mail with its text; null where it opens the office, and the key may not change accounts."""

    text: str | None
    attachments: list[str]


class Outbox(Out):
    """A page of the outbox."""

    items: list[OutboxMail]
    next: str | None


def _server_key(call: Call, for_all: bool) -> str:
    return "" if for_all else f"seller:{call.seller.pk}"


def _shown(server: MailServer | None) -> MailServerOut:
    if server is None:
        raise Refused("not_found", "There is no mail server.")
    names = ("host", "port", "security", "user", "from_address", "from_name")
    return MailServerOut(
        **{name: getattr(server, name) for name in names}, has_password=bool(server.password), for_all=not server.key
    )


@endpoint(router, "GET", "/mail_server", "settings.view", answer=MailServerOut, etag=True)
def get_mail_server(request: HttpRequest, for_all: ForAll = False) -> MailServerOut:
    """The seller's own mail server, or the one for all."""
    return _shown(own_server(_server_key(call_of(request), for_all)))


@endpoint(router, "PUT", "/mail_server", "settings.change", answer=MailServerOut)
def put_mail_server(request: HttpRequest, body: MailServerIn) -> MailServerOut:
    """Set the seller's mail server, or the one for all. A password is asked for anew where the host changes."""
    call = call_of(request)
    fields = body.model_dump(exclude={"for_all", "password"})
    seller = None if body.for_all else call.seller
    return _shown(set_mail_server(call.actor, seller=seller, password=body.password, **fields))


@endpoint(router, "DELETE", "/mail_server", "settings.change", answer=None, status=204)
def delete_mail_server(request: HttpRequest, for_all: ForAll = False) -> Answer:
    """Remove a mail server. Mails go over the one for all then, or are caught where there is none."""
    call = call_of(request)
    server = own_server(_server_key(call, for_all))
    if server is None:
        raise Refused("not_found", "There is no mail server.")
    remove_mail_server(call.actor, server=server)
    return Answer(None)


def _all(call: Call, state: str = "") -> QuerySet[OutgoingMail]:
    return mails([f"seller:{call.seller.pk}", ""], state=state)


def _of(call: Call, mail: int) -> OutgoingMail:
    found = _all(call).filter(pk=mail).first()
    if found is None:
        raise Refused("not_found", "There is no mail %(id)s.", id=mail)
    return found


def _fields(mail: OutgoingMail) -> dict[str, Any]:
    names = [name for name in OutboxMail.model_fields if name not in ("to", "next_at")]
    next_at = mail.next_at if mail.state == "waiting" else None
    return {name: getattr(mail, name) for name in names} | {"to": mail.recipient, "next_at": next_at}


@endpoint(router, "GET", "/mails", "jobs.view", answer=Outbox)
def list_outbox(
    request: HttpRequest, state: State | None = None, limit: Limit = LIMIT, after: After = ""
) -> Outbox:  # fmt: skip
    """The seller's mails and those of sign-in, the newest first."""
    items, following = page_of(_all(call_of(request), state or ""), limit, after, newest_first=True)
    return Outbox(items=[OutboxMail(**_fields(m)) for m in items], next=following)


@endpoint(router, "GET", "/mails/{int:mail}", "jobs.view", answer=OutboxMailDetail)
def get_mail(request: HttpRequest, mail: Id) -> OutboxMailDetail:
    """A mail with its text. What opens the office is told only to keys that may change accounts."""
    call = call_of(request)
    found = _of(call, mail)
    hidden = is_secret(found) and not call.key.may("accounts.change")
    names = list(found.attachments.order_by("id").values_list("name", flat=True))
    text = None if hidden else found.text
    return OutboxMailDetail(**_fields(found), text=text, attachments=names)


@endpoint(router, "POST", "/mails/{int:mail}/send_again", "jobs.retry", answer=OutboxMail)
def send_mail_again(request: HttpRequest, mail: Id) -> OutboxMail:
    """Try a mail again that failed, was caught, or may have got lost."""
    call = call_of(request)
    send_again(call.actor.now, mail=_of(call, mail))
    return OutboxMail(**_fields(_of(call, mail)))
