"""The forecast: the next bill of a contract, or of all, beside the last one, and why it differs. Nothing is written."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Out, Told
from taktura.api.problems import language_of
from taktura.billing.bills import Issued
from taktura.billing.forecast import Foreseen, Sum, check_days, forecast_all, number_of_contracts
from taktura.contracts.models import Contract
from taktura.core.comparison import Comparison, Difference
from taktura.core.errors import Refused
from taktura.core.facts import Contract as Facts
from taktura.core.money import Money, places
from taktura.core.reasons import CAUSES
from taktura.invoices.words import title_of
from taktura.kit.bulk import among
from taktura.kit.language import translate

router = Router()
MOST_CONTRACTS = 20_000  # in one request
OF_CAUSES = ", ".join(CAUSES)


class ReasonOut(Out):
    """A cause of a difference and what it comes to, net; `old` and `new`: what it was and is (quantities, prices,
    percentages), where there is one of each."""

    cause: str = Field(description=OF_CAUSES)
    amount: Told
    old: str | None
    new: str | None


class ComparedLineOut(Out):
    """A line on both bills, net; its reasons add up to the difference. Top-up, relief and sales items have no
    article."""

    article: str | None
    title: str
    kind: str
    old: Told
    new: Told
    difference: Told
    reasons: list[ReasonOut]


class ComparisonOut(Out):
    """The next bill beside the last that a run issued: what is new less what was; lines that do not differ are there,
    too. `vat_rate`: what of the VAT's difference comes from other rates."""

    last_on: date
    documents: list[str] = Field(description="numbers of the last bill's documents")
    old: Told = Field(description="net of the last bill")
    new: Told = Field(description="net of the next bill")
    net: Told
    tax: Told
    gross: Told
    vat_rate: Told
    lines: list[ComparedLineOut]


class CauseOut(Out):
    """What a cause comes to, net."""

    cause: str = Field(description=OF_CAUSES)
    amount: Told


class ForecastSum(Out):
    """All bills of a currency, net. `first`: contracts without a last bill, whose next ones come to `first_new`; they
    are in no other figure."""

    currency: str
    contracts: int
    old: Told
    new: Told
    difference: Told
    causes: list[CauseOut]
    first: int
    first_new: Told


class ForeseenBill(Out):
    """The next bill of a contract beside its last, net. `on`: null where none comes any more; `last_on`: null where
    there was none."""

    contract: str
    customer: str
    currency: str
    on: date | None
    last_on: date | None
    old: Told
    new: Told
    difference: Told
    causes: list[CauseOut]


class NotSettled(Out):
    """A contract that could not be settled, and why."""

    contract: str
    code: str
    detail: str


class ForecastOut(Out):
    """The next bills on the days, both counted; `items`: those that change most, at most `limit`."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date
    sums: list[ForecastSum]
    items: list[ForeseenBill]
    failed: list[NotSettled]


@endpoint(router, "GET", "/forecast", "billing.view", answer=ForecastOut)
def forecast_of_all(
    request: HttpRequest,
    until: Day,
    from_: Annotated[Day | None, Query(alias="from", description="today, if left out")] = None,
    limit: Annotated[int, Query(ge=0, le=500, description="rows in the answer")] = 100,
) -> ForecastOut:
    """The next bill of each contract that has it on these days, beside its last one, and why it differs.

    As a billing run on its day would make it, usage as far as it is known by now. A contract counts once. At most
    20,000 contracts at once; a forecast of more is started in the office.
    """
    call = call_of(request)
    first = max(from_ or call.today, call.today)
    check_days(call.today, first, until)
    number = number_of_contracts(call.seller, call.today, first, until)
    if number > MOST_CONTRACTS:
        raise Refused("invalid", "%(number)s contracts are too many at once: choose fewer days.", number=number)
    found = forecast_all(call.actor, seller=call.seller, first=first, until=until, processes=1)
    rows = found.rows[:limit]
    ids = {row.contract for row in rows} | {failed.contract for failed in found.failed}
    named = Contract.objects.filter(pk__in=among(ids)).values_list("pk", "key", "customer__key")
    keys = {pk: (key, customer) for pk, key, customer in named}
    return ForecastOut.model_validate(
        {
            "from": found.first,
            "until": found.until,
            "sums": [_sum(one) for one in found.sums()],
            "items": [_row(row, *keys[row.contract]) for row in rows],
            "failed": [
                {"contract": keys[f.contract][0], "code": f.code,
                 "detail": translate(f.text, dict(f.values), language_of(request))}
                for f in found.failed
            ],
        }
    )  # fmt: skip


def _sum(one: Sum) -> ForecastSum:
    return ForecastSum(
        currency=one.currency, contracts=one.contracts, old=_told(one.old, one.currency),
        new=_told(one.new, one.currency), difference=_told(one.difference, one.currency),
        causes=_causes(one.causes, one.currency), first=one.first, first_new=_told(one.first_new, one.currency),
    )  # fmt: skip


def _row(row: Foreseen, contract: str, customer: str) -> ForeseenBill:
    return ForeseenBill(
        contract=contract, customer=customer, currency=row.currency, on=row.on, last_on=row.last_on,
        old=_told(row.old, row.currency), new=_told(row.new, row.currency),
        difference=_told(row.difference, row.currency), causes=_causes(row.causes, row.currency),
    )  # fmt: skip


def _causes(causes: tuple[tuple[str, int], ...], currency: str) -> list[CauseOut]:
    return [CauseOut(cause=cause, amount=_told(amount, currency)) for cause, amount in causes]


def _told(amount: int, currency: str) -> Told:
    return Money(amount, places(currency)).exact


def comparison_out(found: tuple[Comparison, Issued] | None, contract: Facts, language: str) -> ComparisonOut | None:
    """A comparison as it is told."""
    if found is None:
        return None
    comparison, last = found

    def told(amount: int) -> Told:
        return Money(amount, contract.digits).exact

    articles = {line.id: line.article for line in contract.lines}

    def line(row: Difference) -> ComparedLineOut:
        return ComparedLineOut(
            article=articles.get(row.line or 0),
            title=dict(row.titles).get(language) or row.title or title_of(row.kind, language),
            kind=row.kind,
            old=told(row.old),
            new=told(row.new),
            difference=told(row.amount),
            reasons=[
                ReasonOut(cause=r.cause, amount=told(r.amount), old=r.values.get("old"), new=r.values.get("new"))
                for r in row.reasons
            ],
        )

    return ComparisonOut(
        last_on=last.bill.on,
        documents=[number for _, number, _ in last.documents],
        old=told(comparison.old.net),
        new=told(comparison.new.net),
        net=told(comparison.difference),
        tax=told(comparison.vat_follows + comparison.vat_rate),
        gross=told(comparison.new.gross - comparison.old.gross),
        vat_rate=told(comparison.vat_rate),
        lines=[line(row) for row in comparison.rows],
    )
