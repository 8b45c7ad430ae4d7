"""Suppliers: their files, customers, subscriptions and products, and what ties them to contracts."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Currency, Day, Flag, Id, In, Key, Number, Out, Text50, Text100, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import language_of
from taktura.api.v1.contract_bodies import ContractOut
from taktura.api.v1.contract_bodies import one as one_contract
from taktura.billing import services as billing
from taktura.catalog.queries import article_by_key
from taktura.contracts.queries import by_key, line_for
from taktura.customers.queries import customer_by_key
from taktura.kit.language import translate
from taktura.usage import services
from taktura.usage.models import FileProblem, ProductReference, Supplier, UsageFile
from taktura.usage.queries import (
    customers_of,
    file_by_id,
    subscription_shown,
    subscriptions_of,
    supplier_by_key,
    supplier_customer_shown,
)
from taktura.usage.reader import Problem
from taktura.usage.services import Received

router = Router()
MOST_FILE_BYTES = 100 * 1024**2
MOST_PROBLEMS = 100
FILES = ("text/csv", "text/plain", "application/octet-stream")
Cell = str | int | Number | None
MappingBody = Annotated[
    dict[Text100, Text200 | int | list[Text100] | dict[Text100, Text200] | None],
    Field(max_length=50, description="our column to the file's heading, and how the file is written"),
]  # fmt: skip


class SupplierIn(In):
    """A new supplier."""

    supplier: Key
    name: Text200 | None = None
    create_customers: Flag = False
    create_subscriptions: Flag = False
    unit_price_from_import: Flag = False
    currency: Currency | None = Field(None, description="null: the seller's")
    time_zone: Text50 | None = Field(None, description="null: the seller's")
    mapping: MappingBody = {}


class SupplierOut(Out):
    """A supplier."""

    supplier: str
    name: str
    create_customers: bool
    create_subscriptions: bool
    unit_price_from_import: bool
    currency: str
    time_zone: str
    mapping: dict[str, Any]


class Suppliers(Out):
    """A page of suppliers."""

    items: list[SupplierOut]
    next: str | None


class SupplierCustomerOut(Out):
    """A customer as the supplier knows it."""

    reference: str
    status: str = Field(description="unlinked, linked")
    name: str
    customer: str | None


class SupplierCustomers(Out):
    """A page of supplier customers."""

    items: list[SupplierCustomerOut]
    next: str | None


class SubscriptionOut(Out):
    """A supplier subscription, and the contract line that it is tied to. `end` is the last day."""

    subscription: str
    status: str = Field(description="unlinked, linked")
    contract: str | None
    article: str | None
    customer_id: str
    name: str
    description: str
    start: date | None
    end: date | None
    product: str
    product_name: str
    unit: str
    quantity: Number | None


class Subscriptions(Out):
    """A page of supplier subscriptions."""

    items: list[SubscriptionOut]
    next: str | None


class Link(In):
    """A supplier subscription and the contract line that gets its usage."""

    subscription: Text200 = Field(min_length=1)
    contract: Key
    article: Key
    line: Text100 | None = None


class CustomerLink(In):
    """A supplier customer and the customer that it is."""

    reference: Text200 = Field(min_length=1)
    customer: Key


class Extension(In):
    """A contract line to be booked from a supplier subscription; what is left out comes from the subscription."""

    subscription: Text200 = Field(min_length=1)
    contract: Key
    article: Key | None = None
    quantity: Number | None = None
    from_: Day | None = Field(None, validation_alias="from", serialization_alias="from")


class ProductReferenceBody(In):
    """The article that a supplier's product stands for."""

    product: Text200 = Field(min_length=1)
    article: Key


class ProductReferenceOut(Out):
    """The article that a supplier's product stands for."""

    product: str
    article: str


class ProductReferences(Out):
    """A page of product references."""

    items: list[ProductReferenceOut]
    next: str | None


class Reprocessed(Out):
    """What became of the records that waited: how many found their line, why others wait still, interim bills made."""

    recorded: int
    waiting: dict[str, int] = Field(description="by reason")
    documents: list[int]


class ProblemOut(Out):
    """A row that could not be read, or that conflicts with a stored one."""

    line: int | None
    code: str
    column: str
    value: str
    detail: str


class Imported(Out):
    """What became of rows; `problems` are at most 100, `more_problems` says how many more there are."""

    file: int | None
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: dict[str, int] = Field(description="by reason")
    problems: list[ProblemOut]
    more_problems: int
    documents: list[int] = Field(description="ids of interim bills by threshold")


class RowsIn(In):
    """Rows of a supplier import, under our columns or the headings of the mapping."""

    rows: list[dict[Text100, Cell]] = Field(min_length=1, max_length=10_000)
    mapping: MappingBody | None = None


class FileOut(Out):
    """A file as it was received."""

    id: int
    name: str
    sha256: str
    received_at: datetime
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: int


class Files(Out):
    """A page of files."""

    items: list[FileOut]
    next: str | None


class Problems(Out):
    """A page of a file's problems."""

    items: list[ProblemOut]
    next: str | None


def shown(supplier: Supplier) -> SupplierOut:
    """A supplier as it is told."""
    names = [name for name in SupplierOut.model_fields if name != "supplier"]
    return SupplierOut(supplier=supplier.key, **{name: getattr(supplier, name) for name in names})


def one(call: Call, supplier: str) -> SupplierOut:
    """The supplier of a key; raises `Refused` (`not_found`)."""
    return shown(supplier_by_key(call.seller.pk, supplier))


def _supplier(request: HttpRequest, key: str) -> Supplier:
    return supplier_by_key(call_of(request).seller.pk, key)


@endpoint(router, "GET", "/suppliers", "usage.view", answer=Suppliers)
def list_suppliers(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Suppliers:
    """Suppliers, in the order in which they were made."""
    items, following = page_of(Supplier.objects.filter(seller=call_of(request).seller), limit, after)
    return Suppliers(items=[shown(s) for s in items], next=following)


@endpoint(
    router, "POST", "/suppliers", "usage.change", answer=SupplierOut, status=201, etag=True, codes=("conflict",)
)  # fmt: skip
def create_supplier(request: HttpRequest, body: SupplierIn) -> Answer:
    """A new supplier."""
    call = call_of(request)
    fields = body.model_dump(exclude_none=True, exclude={"supplier", "name"})
    services.create_supplier(call.actor, seller=call.seller, key=body.supplier, name=body.name or "", **fields)
    return Answer(one(call, body.supplier), {"Location": f"/api/v1/suppliers/{body.supplier}"})


@endpoint(router, "GET", "/suppliers/{supplier}", "usage.view", answer=SupplierOut, etag=True)
def get_supplier(request: HttpRequest, supplier: Key) -> SupplierOut:
    """A supplier."""
    return one(call_of(request), supplier)


@endpoint(router, "GET", "/suppliers/{supplier}/customers", "usage.view", answer=SupplierCustomers)
def list_supplier_customers(
    request: HttpRequest, supplier: Key, linked: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> SupplierCustomers:
    """The supplier's customers, in the order in which they appeared."""
    items, following = page_of(customers_of(_supplier(request, supplier), linked=linked), limit, after)
    return SupplierCustomers(
        items=[SupplierCustomerOut(reference=c.reference, **supplier_customer_shown(c)) for c in items], next=following
    )


@endpoint(router, "GET", "/suppliers/{supplier}/subscriptions", "usage.view", answer=Subscriptions)
def list_subscriptions(
    request: HttpRequest, supplier: Key, linked: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> Subscriptions:
    """The supplier's subscriptions, in the order in which they appeared."""
    items, following = page_of(subscriptions_of(_supplier(request, supplier), linked=linked), limit, after)
    return Subscriptions(
        items=[SubscriptionOut(subscription=s.reference, **subscription_shown(s)) for s in items], next=following
    )


@endpoint(
    router, "POST", "/suppliers/{supplier}/link", "usage.change", answer=ContractOut, codes=("conflict",)
)  # fmt: skip
def link(request: HttpRequest, supplier: Key, body: Link) -> ContractOut:
    """Tie a supplier subscription to a contract line; it is recorded first where no import has.

    What waits stays until it is processed again (`reprocess`).
    """
    call = call_of(request)
    contract = by_key(call.seller.pk, body.contract)
    line = line_for(contract, body.article, body.line, call.today)
    services.link(call.actor, supplier=_supplier(request, supplier), reference=body.subscription, line=line)
    return one_contract(call, body.contract)


@endpoint(
    router, "POST", "/suppliers/{supplier}/link_customer", "usage.change", answer=SupplierCustomerOut,
    codes=("conflict",),
)  # fmt: skip
def link_customer(request: HttpRequest, supplier: Key, body: CustomerLink) -> SupplierCustomerOut:
    """Tie a supplier customer to a customer, for overview."""
    call = call_of(request)
    customer = customer_by_key(call.seller.pk, body.customer)
    row = services.link_customer(
        call.actor, supplier=_supplier(request, supplier), reference=body.reference, customer=customer
    )
    return SupplierCustomerOut(reference=row.reference, **supplier_customer_shown(row))


@endpoint(
    router, "POST", "/suppliers/{supplier}/extend_contract", "contracts.change", answer=ContractOut,
    codes=("conflict", "contract_ended"),
)  # fmt: skip
def extend_contract(request: HttpRequest, supplier: Key, body: Extension) -> ContractOut:
    """Book a contract line from a supplier subscription and tie it to it (R17.3)."""
    call = call_of(request)
    services.extend_contract(
        call.actor, supplier=_supplier(request, supplier), contract=by_key(call.seller.pk, body.contract),
        reference=body.subscription, article=body.article, quantity=body.quantity, start=body.from_,
    )  # fmt: skip
    return one_contract(call, body.contract)


@endpoint(router, "GET", "/suppliers/{supplier}/product_references", "usage.view", answer=ProductReferences)
def list_product_references(
    request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = ""
) -> ProductReferences:
    """Which articles the supplier's products stand for."""
    rows = ProductReference.objects.filter(supplier=_supplier(request, supplier)).select_related("article")
    items, following = page_of(rows, limit, after)
    shown_rows = [ProductReferenceOut(product=r.product, article=r.article.key) for r in items]
    return ProductReferences(items=shown_rows, next=following)


@endpoint(router, "PUT", "/suppliers/{supplier}/product_references", "usage.change", answer=ProductReferenceOut)
def set_product_reference(request: HttpRequest, supplier: Key, body: ProductReferenceBody) -> ProductReferenceOut:
    """Say which article a product stands for."""
    call = call_of(request)
    row = services.set_product_reference(
        call.actor, supplier=_supplier(request, supplier), product=body.product,
        article=article_by_key(call.seller.pk, body.article),
    )  # fmt: skip
    return ProductReferenceOut(product=row.product, article=row.article.key)


@endpoint(
    router, "POST", "/suppliers/{supplier}/reprocess", "usage.change", answer=Reprocessed, codes=("conflict",)
)  # fmt: skip
def reprocess(request: HttpRequest, supplier: Key) -> Reprocessed:
    """Process again what waits of the supplier."""
    call = call_of(request)
    (recorded, reasons), issued = billing.reprocess(call.actor, supplier=_supplier(request, supplier))
    return Reprocessed(recorded=recorded, waiting=_counted(reasons), documents=[d.id for d in issued])


@endpoint(
    router, "POST", "/suppliers/{supplier}/import_usage", "usage.change", answer=Imported, most_bytes=16 * 1024**2,
    codes=("conflict",),
)  # fmt: skip
def import_usage(request: HttpRequest, supplier: Key, body: RowsIn) -> Imported:
    """Take in rows of the supplier that are parsed already; a bad row stops no other."""
    call = call_of(request)
    received, issued = billing.import_rows(
        call.actor, supplier=_supplier(request, supplier), rows=body.rows, mapping=body.mapping
    )
    return _imported(call, received, [d.id for d in issued])


@endpoint(
    router, "POST", "/suppliers/{supplier}/files", "usage.change", answer=Imported, status=201, raw=FILES,
    most_bytes=MOST_FILE_BYTES, codes=("conflict",),
)  # fmt: skip
def upload_file(request: HttpRequest, supplier: Key, name: Annotated[Text200, Field(min_length=1)]) -> Imported:
    """Load a usage file of the supplier: its bytes are the body, `name` is what it is called.

    It is kept unchanged. The same content again is refused (`conflict`). Delimiter and encoding are found out; a bad
    row becomes a problem with its line and reason and stops no other.
    """
    call = call_of(request)
    received, issued = billing.receive_file(
        call.actor, supplier=_supplier(request, supplier), name=name, content=request.body
    )
    return _imported(call, received, [d.id for d in issued])


@endpoint(router, "GET", "/suppliers/{supplier}/files", "usage.view", answer=Files)
def list_files(request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = "") -> Files:
    """The supplier's files, the newest first."""
    rows = UsageFile.objects.filter(supplier=_supplier(request, supplier)).defer("content")
    items, following = page_of(rows, limit, after, newest_first=True)
    return Files(items=[_file(f) for f in items], next=following)


@endpoint(router, "GET", "/suppliers/{supplier}/files/{int:file}", "usage.view", answer=FileOut, etag=True)
def get_file(request: HttpRequest, supplier: Key, file: Id) -> FileOut:
    """A file, and what became of its rows."""
    return _file(file_by_id(_supplier(request, supplier), file))


@endpoint(router, "GET", "/suppliers/{supplier}/files/{int:file}/problems", "usage.view", answer=Problems)
def list_problems(request: HttpRequest, supplier: Key, file: Id, limit: Limit = LIMIT, after: After = "") -> Problems:
    """The rows of a file that could not be read, or that conflict with stored ones; at most 10,000 are kept."""
    rows = FileProblem.objects.filter(file=file_by_id(_supplier(request, supplier), file))
    items, following = page_of(rows, limit, after)
    shown_rows = [ProblemOut(line=p.line, code=p.code, column=p.column, value=p.value, detail=p.text) for p in items]
    return Problems(items=shown_rows, next=following)


def _file(file: UsageFile) -> FileOut:
    return FileOut(**{name: getattr(file, name) for name in FileOut.model_fields})


def _counted(reasons: list[str]) -> dict[str, int]:
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _imported(call: Call, received: Received, documents: list[int]) -> Imported:
    outcome, language = received.outcome, language_of(call.request)

    def told(problem: Problem) -> ProblemOut:
        detail = translate(problem.message, problem.values, language)
        return ProblemOut(
            line=problem.line, code=problem.code, column=problem.column, value=problem.value, detail=detail
        )  # fmt: skip

    return Imported(
        file=received.file.pk if received.file else None, rows=received.rows, recorded=outcome.recorded,
        duplicates=outcome.duplicates, conflicts=outcome.conflicts, waiting=_counted(outcome.exceptions),
        problems=[told(p) for p in received.problems[:MOST_PROBLEMS]],
        more_problems=max(0, len(received.problems) - MOST_PROBLEMS), documents=documents,
    )  # fmt: skip
