"""Existing customers and their services, brought in from a file."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Out
from taktura.api.v1.take_over import FILES
from taktura.billing import services as billing
from taktura.billing.services.bring_in import columns_of
from taktura.billing.services.take_over import MOST_BYTES, rows_of
from taktura.kit.language import text_of

router = Router()
MOST_ROWS = 500


class RowOut(Out):
    """What becomes of a row. `new`: the customer is made; `added`: the service is noted; `known`: nothing is new;
    `double`: it seems to be the customer `twin`, by `mark`; `wrong`: see `detail`."""

    line: int
    customer: str
    does: str = Field(examples=["new", "added", "known", "double", "wrong"])
    twin: str
    mark: str
    code: str
    detail: str


class BroughtOut(Out):
    """What a file brings. `written`: it is there now; with `?preview=true` it is not."""

    written: bool
    customers: int = Field(description="that are new")
    services: int = Field(description="supplier subscriptions that are new")
    wrong: int = Field(description="rows that are wrong or double a customer")
    rows: list[RowOut] = Field(description="at most 500, those first that stay out")


Flagged = Annotated[bool, Field(description="take the others where rows are wrong or double a customer")]


@endpoint(router, "POST", "/customer_files", "customers.change", answer=BroughtOut, raw=FILES, most_bytes=MOST_BYTES)
def bring_in_customers(request: HttpRequest, leave_out: Flagged = False, preview: bool = False) -> BroughtOut:
    """Make existing customers and note the services that they have from suppliers, from a file: its bytes are the body,
    CSV or XLSX with a row for each customer or service.

    Columns are known by our names and by what others call them. A preview says what becomes of each row. Who is there
    already, by number, is not made again; who seems to be there by VAT id, e-mail, or name and postcode, is double.
    """
    call = call_of(request)
    rows = rows_of(request.body, columns_of)
    if preview:
        found = billing.look_at_customers(call.actor, seller=call.seller, rows=rows)
    else:
        found = billing.bring_in(call.actor, seller=call.seller, rows=rows, leave_out=leave_out)
    told = [
        RowOut(
            line=v.line, customer=v.customer, does=v.does, twin=v.twin, mark=v.mark,
            code=v.refused.code if v.refused else "", detail=text_of(v.refused, call.language) if v.refused else "",
        )
        for v in sorted(found.rows, key=lambda v: v.good)[:MOST_ROWS]
    ]  # fmt: skip
    return BroughtOut(
        written=found.written, customers=found.customers, services=found.services, wrong=found.wrong, rows=told
    )
