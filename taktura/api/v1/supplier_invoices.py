"""Suppliers' own invoices: what a supplier charges for a period, held against the rows imported for it."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Currency, Day, Id, In, Key, Number, Out, Text100, Text200, Text1000, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.suppliers import supplier_of
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.usage import services
from taktura.usage.models import SupplierInvoice
from taktura.usage.queries import invoice_by_id, invoices_of, supplier_by_key

router = Router()
KINDS = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "application/xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/plain",
    "text/csv",
    "application/octet-stream",
)
Total = Annotated[Number, Field(description="net, in units of the currency; below zero for a credit note")]
LastDay = Annotated[Day, Field(description="the last day")]


class SupplierInvoiceIn(In):
    """A supplier's own invoice."""

    number: Annotated[Text100, Field(min_length=1)]
    day: Day = Field(description="of the invoice")
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: LastDay
    net: Total
    currency: Currency | None = Field(None, description="null: the supplier's")
    note: Text1000 = ""


class SupplierInvoiceChange(In):
    """What is corrected of a supplier's own invoice; fields left out stay as they are."""

    number: Annotated[Text100, Field(min_length=1)] | None = None
    day: Day | None = None
    from_: Day | None = Field(None, validation_alias="from", serialization_alias="from")
    until: LastDay | None = None
    net: Total | None = None
    currency: Currency | None = None
    note: Text1000 | None = None


class SupplierInvoiceOut(Out):
    """A supplier's own invoice. `file` is what its file is called; empty where none is kept."""

    id: int
    number: str
    day: date
    from_: date = Field(alias="from")
    until: date = Field(description="the last day")
    net: Told
    currency: str
    note: str
    file: str
    file_type: str


class SupplierInvoices(Out):
    """A page of a supplier's own invoices."""

    items: list[SupplierInvoiceOut]
    next: str | None


def shown(invoice: SupplierInvoice) -> SupplierInvoiceOut:
    """An invoice as it is told."""
    return SupplierInvoiceOut.model_validate(
        {
            "id": invoice.pk, "number": invoice.number, "day": invoice.day, "from": invoice.first,
            "until": invoice.end - DAY, "net": invoice.net, "currency": invoice.currency, "note": invoice.note,
            "file": invoice.file_name, "file_type": invoice.file_type,
        }
    )  # fmt: skip


def one(call: Call, supplier: str, invoice: int) -> SupplierInvoiceOut:
    """The supplier's own invoice of an id; raises `Refused` (`not_found`)."""
    return shown(invoice_by_id(supplier_by_key(call.seller.pk, supplier), invoice))


@endpoint(router, "GET", "/suppliers/{supplier}/invoices", "usage.view", answer=SupplierInvoices)
def list_supplier_invoices(
    request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = ""
) -> SupplierInvoices:
    """The supplier's own invoices, the one entered last first. What they say against the rows imported tells
    `get_reconciliation`."""
    items, following = page_of(invoices_of(supplier_of(request, supplier)), limit, after, newest_first=True)
    return SupplierInvoices(items=[shown(i) for i in items], next=following)


@endpoint(
    router, "POST", "/suppliers/{supplier}/invoices", "usage.change", answer=SupplierInvoiceOut, status=201, etag=True,
    codes=("conflict",),
)  # fmt: skip
def enter_supplier_invoice(request: HttpRequest, supplier: Key, body: SupplierInvoiceIn) -> Answer:
    """Enter what the supplier charges for a period by its own invoice. It bills nobody; it is for reconciliation."""
    call = call_of(request)
    made = services.enter_supplier_invoice(
        call.actor, supplier=supplier_of(request, supplier), number=body.number, day=body.day, first=body.from_,
        end=body.until + DAY, net=body.net, currency=body.currency, note=body.note,
    )  # fmt: skip
    where = location("suppliers", supplier)["Location"]
    return Answer(one(call, supplier, made.pk), {"Location": f"{where}/invoices/{made.pk}"})


@endpoint(
    router, "GET", "/suppliers/{supplier}/invoices/{int:invoice}", "usage.view", answer=SupplierInvoiceOut, etag=True
)
def get_supplier_invoice(request: HttpRequest, supplier: Key, invoice: Id) -> SupplierInvoiceOut:
    """A supplier's own invoice."""
    return one(call_of(request), supplier, invoice)


@endpoint(
    router, "PATCH", "/suppliers/{supplier}/invoices/{int:invoice}", "usage.change", answer=SupplierInvoiceOut,
    etag=True, of=one, codes=("conflict",),
)  # fmt: skip
def correct_supplier_invoice(
    request: HttpRequest, supplier: Key, invoice: Id, body: SupplierInvoiceChange
) -> SupplierInvoiceOut:
    """Correct a supplier's own invoice: the fields that are given. The log keeps what it said before."""
    call = call_of(request)
    fields = body.model_dump(exclude_none=True, exclude={"from_", "until"})
    fields |= {"first": body.from_} if body.from_ else {}
    fields |= {"end": body.until + DAY} if body.until else {}
    found = invoice_by_id(supplier_of(request, supplier), invoice)
    services.correct_supplier_invoice(call.actor, invoice=found, **fields)
    return one(call, supplier, invoice)


@endpoint(
    router, "DELETE", "/suppliers/{supplier}/invoices/{int:invoice}", "usage.change", answer=None, status=204, of=one
)
def remove_supplier_invoice(request: HttpRequest, supplier: Key, invoice: Id) -> Answer:
    """Take a supplier's own invoice out, with its file; the log keeps what it said."""
    found = invoice_by_id(supplier_of(request, supplier), invoice)
    services.remove_supplier_invoice(call_of(request).actor, invoice=found)
    return Answer(None)


@endpoint(
    router, "PUT", "/suppliers/{supplier}/invoices/{int:invoice}/file", "usage.change", answer=SupplierInvoiceOut,
    raw=KINDS, most_bytes=services.MOST_INVOICE_BYTES, of=one,
)  # fmt: skip
def keep_invoice_file(
    request: HttpRequest, supplier: Key, invoice: Id, name: Annotated[Text200, Field(min_length=1)]
) -> SupplierInvoiceOut:
    """Keep a file with a supplier's own invoice, in the place of the one of before: its bytes are the body.

    PDF, a picture (PNG, JPEG), XML, a workbook (XLSX) or a text of at most 10 MB; which of them is seen by its bytes.
    It is kept unchanged.
    """
    call = call_of(request)
    found = invoice_by_id(supplier_of(request, supplier), invoice)
    services.keep_invoice_file(call.actor, invoice=found, name=name, content=request.body)
    return one(call, supplier, invoice)


@endpoint(
    router, "GET", "/suppliers/{supplier}/invoices/{int:invoice}/file", "usage.view", answer=None,
    media="application/octet-stream",
)  # fmt: skip
def get_invoice_file(request: HttpRequest, supplier: Key, invoice: Id) -> HttpResponse:
    """The file of a supplier's own invoice as it was received, byte by byte."""
    found = invoice_by_id(supplier_of(request, supplier), invoice)
    if found.content is None:
        raise Refused("not_found", "No file is kept with this invoice.")
    answer = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, found.file_name) or "attachment"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@endpoint(
    router, "DELETE", "/suppliers/{supplier}/invoices/{int:invoice}/file", "usage.change", answer=None, status=204,
    of=one,
)  # fmt: skip
def drop_invoice_file(request: HttpRequest, supplier: Key, invoice: Id) -> Answer:
    """Take the file of a supplier's own invoice out; the invoice stays."""
    found = invoice_by_id(supplier_of(request, supplier), invoice)
    services.drop_invoice_file(call_of(request).actor, invoice=found)
    return Answer(None)
