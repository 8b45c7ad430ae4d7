"""Contracts of another system, taken over from a file."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Out, Told
from taktura.billing import services as billing
from taktura.billing.services.take_over import MOST_BYTES, rows_of
from taktura.core.money import Money, places
from taktura.kit.language import text_of

router = Router()
FILES = (
    "text/csv", "text/plain", "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)  # fmt: skip


class MonthlyOut(Out):
    """What contracts bring each month: net (gross where prices are), without usage."""

    currency: str
    amount: Told


class WrongRow(Out):
    """A row that keeps its contract from being taken over: its line in the file, and what to do."""

    line: int
    contract: str
    code: str
    detail: str


class TakeoverOut(Out):
    """What a file brings. `written`: its contracts are there now; with `?preview=true` they are not."""

    written: bool
    contracts: int = Field(description="that are taken over")
    wrong: int = Field(description="that have wrong rows")
    monthly: list[MonthlyOut]
    problems: list[WrongRow] = Field(description="at most 500")


MOST_PROBLEMS = 500
Flagged = Annotated[bool, Field(description="sign the others where contracts have wrong rows")]


@endpoint(
    router, "POST", "/contract_files", "contracts.change", answer=TakeoverOut, raw=FILES, most_bytes=MOST_BYTES,
)  # fmt: skip
def take_over_contracts(request: HttpRequest, leave_out: Flagged = False, preview: bool = False) -> TakeoverOut:
    """Sign contracts that another system has billed so far, from a file: its bytes are the body, CSV or XLSX with a row
    for each contract line.

    A preview says what becomes of each row. Wrong rows keep all from being signed, unless their contracts are left out;
    a contract whose number is taken is wrong, so that the same file signs nothing twice.
    """
    call = call_of(request)
    rows = rows_of(request.body)
    if preview:
        found = billing.look_at_takeover(call.actor, seller=call.seller, rows=rows)
    else:
        found = billing.take_over(call.actor, seller=call.seller, rows=rows, leave_out=leave_out)
    problems = [
        WrongRow(line=v.line, contract=v.contract, code=v.refused.code, detail=text_of(v.refused, call.language))
        for v in found.rows
        if v.refused is not None
    ]
    return TakeoverOut(
        written=found.written, contracts=found.contracts, wrong=found.wrong, problems=problems[:MOST_PROBLEMS],
        monthly=[MonthlyOut(currency=c, amount=Money(a, places(c)).exact) for c, a in found.monthly.items()],
    )  # fmt: skip
