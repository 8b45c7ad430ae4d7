"""Exchange rates by day: the seller's register, by hand or from a file, and converting what is recorded again."""

from datetime import date, datetime, timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Currency, Day, Id, In, Number, Out, Text100, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.suppliers import counted
from taktura.billing import services as billing
from taktura.billing.services import Tied
from taktura.core.errors import Refused
from taktura.core.exchange import Rate
from taktura.usage import services
from taktura.usage.models import ExchangeRate
from taktura.usage.reader.rates import MOST_BYTES, read_rates
from taktura.usage.store import Taken

router = Router()
FILES = ("application/xml", "text/xml", "text/csv", "text/plain", "application/octet-stream")


class RateOfDay(In):
    """One unit of `from` is worth `rate` units of `to` from a day on."""

    from_: Currency = Field(validation_alias="from", serialization_alias="from")
    to: Currency
    day: Day
    rate: Number


class RatesIn(In):
    """Rates; one that is there for its day is corrected."""

    rates: list[RateOfDay] = Field(min_length=1, max_length=10_000)
    source: Annotated[Text100, Field(min_length=1)] = services.BY_HAND


class RateTold(Out):
    """A rate of the register: one unit of `from` is worth `rate` units of `to` from a day on."""

    id: int
    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    day: date
    rate: Told
    source: str
    changed_at: datetime
    by: str


class RatesTold(Out):
    """A page of rates."""

    items: list[RateTold]
    next: str | None


class RatesSet(Out):
    """What became of rates, and of the records that waited for one; `documents`: ids of interim bills by threshold."""

    new: int
    changed: int
    same: int = Field(description="were there as they are")
    recorded: int = Field(description="how many records found their line")
    waiting: dict[str, int] = Field(description="why others wait still, by reason")
    documents: list[int]


class AgainIn(In):
    """Which usage is to be converted again: amounts in `source` of contracts in `target`, of the days until `last`."""

    source: Currency
    target: Currency
    first: Day
    last: Day


class AgainOut(Out):
    """How many records have another rate now; `documents`: ids of interim bills by threshold."""

    records: int
    contracts: int = Field(description="whose next bills have the differences")
    documents: list[int]


def shown(row: ExchangeRate) -> RateTold:
    """A rate as it is told."""
    return RateTold(
        id=row.pk, from_=row.base, to=row.quote, day=row.day, rate=row.rate, source=row.source,
        changed_at=row.changed_at, by=row.by,
    )  # fmt: skip


def _row(call: Call, rate: int) -> ExchangeRate:
    found = ExchangeRate.objects.filter(seller=call.seller, pk=rate).first()
    if found is None:
        raise Refused("not_found", "There is no exchange rate %(id)s.", id=rate)
    return found


def one(call: Call, rate: int) -> RateTold:
    """A rate by id as it is told; raises `Refused` (`not_found`)."""
    return shown(_row(call, rate))


@endpoint(router, "GET", "/exchange_rates", "usage.view", answer=RatesTold)
def list_exchange_rates(
    request: HttpRequest,
    currency: Annotated[str, Field(max_length=3)] = "",
    first: Day | None = None,
    last: Day | None = None,
    limit: Limit = LIMIT,
    after: After = "",
) -> RatesTold:
    """The register of exchange rates, what was entered last before the others; of a currency, of days."""
    rows = ExchangeRate.objects.filter(seller=call_of(request).seller)
    if currency:
        rows = rows.filter(base=currency.upper()) | rows.filter(quote=currency.upper())
    if first:
        rows = rows.filter(day__gte=first)
    if last:
        rows = rows.filter(day__lte=last)
    items, following = page_of(rows, limit, after, newest_first=True)
    return RatesTold(items=[shown(row) for row in items], next=following)


@endpoint(router, "POST", "/exchange_rates", "usage.change", answer=RatesSet, codes=("conflict",))
def set_exchange_rates(request: HttpRequest, body: RatesIn) -> RatesSet:
    """Enter rates. Records that waited for one are processed again; what is recorded keeps its rate."""
    call = call_of(request)
    rates = [Rate(r.from_, r.to, r.day, r.rate) for r in body.rates]
    return _set(*billing.set_rates(call.actor, seller=call.seller, rates=rates, source=body.source))


@endpoint(
    router, "POST", "/exchange_rates/file", "usage.change", answer=RatesSet, raw=FILES, most_bytes=MOST_BYTES,
    codes=("conflict",),
)  # fmt: skip
def load_exchange_rates(request: HttpRequest) -> RatesSet:
    """Load a file of rates, the body: the European Central Bank's XML (of a day or all of them), or CSV with the
    headings from, to, day, rate. Of a file with an error nothing is taken."""
    call = call_of(request)
    rates, source = read_rates(request.body)
    return _set(*billing.set_rates(call.actor, seller=call.seller, rates=rates, source=source))


def _set(taken: Taken, tied: Tied) -> RatesSet:
    return RatesSet(
        new=taken.new, changed=taken.changed, same=taken.same, recorded=tied.recorded, waiting=counted(tied.waiting),
        documents=[d.id for d in tied.issued],
    )  # fmt: skip


@endpoint(router, "POST", "/exchange_rates/convert_again", "usage.change", answer=AgainOut, codes=("conflict",))
def convert_again(request: HttpRequest, body: AgainIn) -> AgainOut:
    """Give converted usage of some days the rates that the register names now.

    The differences to what is billed come with the next bills. Closed periods stay as they are, and so does usage of
    contracts that allow no conversion any more.
    """
    call = call_of(request)
    found, issued = billing.convert_again(
        call.actor, seller=call.seller, source=body.source, target=body.target, first=body.first,
        end=body.last + timedelta(days=1),
    )  # fmt: skip
    return AgainOut(records=found.records, contracts=len(found.contracts), documents=[d.id for d in issued])


@endpoint(router, "GET", "/exchange_rates/{int:rate}", "usage.view", answer=RateTold, etag=True)
def get_exchange_rate(request: HttpRequest, rate: Id) -> RateTold:
    """A rate."""
    return one(call_of(request), rate)


@endpoint(router, "DELETE", "/exchange_rates/{int:rate}", "usage.change", answer=None, status=204, of=one)
def remove_exchange_rate(request: HttpRequest, rate: Id) -> Answer:
    """Take a rate out of the register. Records that have it keep it."""
    call = call_of(request)
    row = _row(call, rate)
    services.remove_rate(call.actor, seller=call.seller, base=row.base, quote=row.quote, day=row.day)
    return Answer(None)
