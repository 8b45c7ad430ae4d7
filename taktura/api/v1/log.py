"""The log: who changed what and when."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Key, Out, Text100, Text200
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.api.v1.documents import Order
from taktura.audit.models import LogEntry
from taktura.audit.services import prove
from taktura.catalog.queries import tariff_by_key
from taktura.contracts.queries import by_key as contract_by_key
from taktura.customers.queries import customer_by_key
from taktura.usage.queries import supplier_by_key

router = Router()
FIND: dict[str, Any] = {
    "contract": contract_by_key, "customer": customer_by_key, "tariff": tariff_by_key, "supplier": supplier_by_key,
}  # fmt: skip


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


class ProofOut(Out):
    """Whether the log is as it was written: how many entries, the last one with its hash, which ones are broken."""

    entries: int
    last: int
    hash: str
    broken: list[int]


class Log(Out):
    """A page of the log."""

    items: list[LogEntryOut]
    next: str | None


@endpoint(router, "GET", "/log", "log.view", answer=Log)
def list_log(
    request: HttpRequest,
    subject: Text200 | None = None,
    contract: Key | None = None,
    customer: Key | None = None,
    tariff: Key | None = None,
    supplier: Key | None = None,
    action: Text100 | None = None,
    actor: Text200 | None = None,
    order: Order = "oldest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Log:
    """The log of all sellers. It is only ever appended to, and each entry is chained to the one before by its hash.

    `contract`, `customer`, `tariff`, `supplier`: the history of one of the seller's, instead of a `subject`.
    """
    call = call_of(request)
    named = {"contract": contract, "customer": customer, "tariff": tariff, "supplier": supplier}
    found = LogEntry.objects.all()
    for kind, key in named.items():
        if key is not None:
            found = found.filter(subject=f"{kind}:{FIND[kind](call.seller.pk, key).pk}")
    wanted = {"subject": subject, "action": action, "actor": actor}
    found = narrowed(found, wanted)
    items, following = page_of(found, limit, after, newest_first=order == "newest_first")
    names = LogEntryOut.model_fields
    return Log(items=[LogEntryOut(**{n: getattr(e, n) for n in names}) for e in items], next=following)


@endpoint(router, "GET", "/log/proof", "log.view", answer=ProofOut)
def prove_log(request: HttpRequest) -> ProofOut:
    """Work out the hash of every entry again, and its link to the one before.

    It reads the whole log: some seconds for a hundred thousand entries. `hash` is that of the last entry: kept
    elsewhere, it shows later that nothing before it was changed.
    """
    return ProofOut(**asdict(prove()))
