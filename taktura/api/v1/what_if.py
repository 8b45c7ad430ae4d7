"""What-if: what past months would have brought under another tariff. Nothing is written."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import AfterValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import FIRST_DAY, LAST_DAY, Flag, In, Key, Out, Told
from taktura.api.problems import Fault, language_of
from taktura.api.v1.offer import DraftIn, written
from taktura.billing.what_if import LineSum, Outcome, number_of_contracts, what_if
from taktura.catalog.drafts import fields_of_version
from taktura.catalog.queries import newest_versions, tariff_by_key
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.queries import customer_by_key
from taktura.kit.bulk import among
from taktura.kit.language import translate

router = Router()
MOST_CONTRACTS = 20_000  # in one request
MONTH = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
CODES = ("no_flagged_line", "minimum_above_cap", "overlapping_flags")


def _month(value: str) -> date:
    try:
        found = date.fromisoformat(f"{value}-01")
    except ValueError:
        found = date.max
    if not FIRST_DAY <= found <= LAST_DAY:
        raise PydanticCustomError("day", "no day")
    return found


Month = Annotated[
    str, Strict(), Field(pattern=MONTH, description="a month; both are counted", examples=["2026-01"]),
    AfterValidator(_month),
]  # fmt: skip


class WhatIfIn(In):
    """Whole months, and the tariff to try: one that is there in its newest version (`against`), or a `draft`."""

    against: Key | None = Field(None, description="a tariff's key")
    draft: DraftIn | None = None
    first_month: Month
    last_month: Month
    tariff: Key | None = Field(None, description="only contracts under this tariff, for as long as they were")
    customers: list[Key] | None = Field(None, max_length=1000, description="only these; null: all")
    own_conditions: Flag = Field(True, description="contracts keep their own prices, discounts and coupons")
    lines: Flag = Field(False, description="each row with its lines")
    limit: Annotated[int, Strict(), Field(ge=0, le=500)] = Field(100, description="rows in the answer")

    @model_validator(mode="after")
    def _one_of_both(self) -> "WhatIfIn":
        if (self.against is None) == (self.draft is None):
            raise PydanticCustomError("one_of", "one of both", {"names": "against, draft"})
        return self


class ComparedLine(Out):
    """What a line came to: net until now, and under the tariff to try. Top-up and relief have no article."""

    article: str | None
    title: str
    kind: str = Field(description="recurring, flat, usage, once, minimum_sales, cost_cap")
    old: Told
    new: Told


class ComparedContract(Out):
    """A contract on both sides, net. `parts`: parts of billing periods are compared, by days; `running`: its last
    period is not over."""

    contract: str
    customer: str
    old: Told
    new: Told
    difference: Told
    parts: bool
    running: bool
    lines: list[ComparedLine] | None


class LostUsageOut(Out):
    """Usage for which the tariff to try has no line: quantity (minutes for times), and what it came to until now."""

    article: str
    title: str
    records: int
    contracts: int
    quantity: Told
    old: Told


class FailedOut(Out):
    """A contract that could not be rated, and why."""

    contract: str
    code: str
    detail: str


class WhatIfOut(Out):
    """Net sums of all contracts that were looked at; `items`: those for which most would change, at most `limit`."""

    from_: date = Field(validation_alias="from", serialization_alias="from")
    until: date
    currency: str
    old: Told
    new: Told
    difference: Told
    contracts: int
    other_currency: int = Field(description="contracts left out: they have another currency than the tariff")
    without_period: int = Field(description="contracts left out: none of their billing periods ended in the months")
    lines: list[ComparedLine]
    lost: list[LostUsageOut]
    failed: list[FailedOut]
    items: list[ComparedContract]


@endpoint(router, "POST", "/what_if", "billing.view", answer=WhatIfOut, codes=CODES, looks=True)
def compare_what_if(request: HttpRequest, body: WhatIfIn) -> WhatIfOut:
    """What past months would have brought under another tariff: same contracts, quantities and usage. Nothing is kept.

    Of a contract its billing periods that ended in the months are compared, whole; usage that waits is not looked at.
    At most 20,000 contracts at once; a comparison of more is started in the office or with `taktura what-if`.
    """
    call = call_of(request)
    if not call.key.may("tariffs.view"):
        raise Fault("forbidden", scope="tariffs.view")
    seller = call.seller.pk
    scope: dict[str, Any] = {
        "seller": call.seller, "first_month": body.first_month, "last_month": body.last_month,
        "customers": [customer_by_key(seller, key).pk for key in body.customers] if body.customers else None,
        "tariff": tariff_by_key(seller, body.tariff) if body.tariff else None,
    }  # fmt: skip
    number = number_of_contracts(**scope)
    if number > MOST_CONTRACTS:
        raise Refused(
            "invalid", "%(number)s contracts are too many at once: name a tariff or customers.", number=number
        )
    found = what_if(
        call.actor, fields=_fields(call, body), own_conditions=body.own_conditions, detail=body.lines, processes=1,
        **scope,
    )  # fmt: skip
    return _told(request, found, body)


def _fields(call: Call, body: WhatIfIn) -> dict[str, Any]:
    if body.draft is not None:
        return written(body.draft)
    assert body.against is not None
    (version,) = newest_versions(call.seller.pk, tariff_by_key(call.seller.pk, body.against).pk)
    return fields_of_version(version)


def _told(request: HttpRequest, found: Outcome, body: WhatIfIn) -> WhatIfOut:
    rows = found.rows[: body.limit]
    ids = {row.contract for row in rows} | {failed.contract for failed in found.failed}
    keys = {
        pk: (key, customer)
        for pk, key, customer in Contract.objects.filter(pk__in=among(ids)).values_list("pk", "key", "customer__key")
    }
    return WhatIfOut.model_validate(
        {
            "from": found.first,
            "until": found.end,
            "currency": found.currency,
            "old": found.money(found.old),
            "new": found.money(found.new),
            "difference": found.money(found.new - found.old),
            "contracts": len(found.rows),
            "other_currency": found.other_currency,
            "without_period": found.without_period,
            "lines": _lines(found, found.lines),
            "lost": [asdict(lost) | {"old": found.money(lost.old)} for lost in found.lost],
            "failed": [
                {"contract": keys[f.contract][0], "code": f.code,
                 "detail": translate(f.text, dict(f.values), language_of(request))}
                for f in found.failed
            ],
            "items": [
                ComparedContract(
                    contract=keys[row.contract][0], customer=keys[row.contract][1], old=found.money(row.old),
                    new=found.money(row.new), difference=found.money(row.difference), parts=row.parts,
                    running=row.running, lines=_lines(found, row.lines) if body.lines else None,
                )
                for row in rows
            ],
        }
    )  # fmt: skip


def _lines(found: Outcome, lines: Any) -> list[ComparedLine]:
    def told(line: LineSum) -> ComparedLine:
        return ComparedLine(
            article=line.article or None, title=line.title, kind=line.kind, old=found.money(line.old),
            new=found.money(line.new),
        )  # fmt: skip

    return [told(line) for line in lines]
