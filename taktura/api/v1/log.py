"""The log: who changed what and when."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.endpoint import endpoint
from taktura.api.fields import Out, Text100, Text200
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.api.v1.documents import Order
from taktura.audit.models import LogEntry

router = Router()


class LogEntryOut(Out):
    """An entry: `hash` covers its content and the hash of the entry before it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str = Field(examples=["contract:17"])
    data: dict[str, Any]
    previous: str
    hash: str


class Log(Out):
    """A page of the log."""

    items: list[LogEntryOut]
    next: str | None


@endpoint(router, "GET", "/log", "log.view", answer=Log)
def list_log(
    request: HttpRequest,
    subject: Text200 | None = None,
    action: Text100 | None = None,
    actor: Text200 | None = None,
    order: Order = "oldest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Log:
    """The log of all sellers. It is only ever appended to, and each entry is chained to the one before by its hash."""
    found = LogEntry.objects.all()
    wanted = {"subject": subject, "action": action, "actor": actor}
    found = narrowed(found, wanted)
    items, following = page_of(found, limit, after, newest_first=order == "newest_first")
    names = LogEntryOut.model_fields
    return Log(items=[LogEntryOut(**{n: getattr(e, n) for n in names}) for e in items], next=following)
