"""Suppliers: their files, customers, subscriptions and products, and what ties them to contracts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Currency, Day, Flag, In, Key, Out, Text50, Text100, Text200, Text1000, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.contract_bodies import ContractOut
from taktura.api.v1.contract_bodies import one as one_contract
from taktura.billing import services as billing
from taktura.catalog.queries import article_by_key
from taktura.contracts.models import ContractLine
from taktura.contracts.queries import by_key, line_for
from taktura.core.errors import Refused
from taktura.customers.queries import customer_by_key
from taktura.usage import services
from taktura.usage.models import ProductReference, Supplier
from taktura.usage.queries import (
    changes_of,
    customer_of,
    customers_of,
    reference_of,
    subscription_shown,
    subscriptions_by_reference,
    subscriptions_of,
    supplier_by_key,
    supplier_customer_shown,
)

router = Router()
MappingBody = Annotated[
    dict[Text100, Flag | Text1000 | int | list[Text1000] | dict[Text100, Text1000] | None],
    Field(max_length=50, description="our column to the file's heading, and how the file is written"),
]  # fmt: skip


FOLDER = "a folder below that of the operator, which is watched for its files; empty: none"
CONTACT = "whom one asks about its files and invoices"


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
    folder: Text100 = Field("", description=FOLDER)
    contact: Text200 = Field("", description=CONTACT)
    email: Text200 = ""
    phone: Text50 = ""


class SupplierChange(In):
    """What can be changed of a supplier; fields left out stay as they are."""

    name: Text200 | None = Field(None, min_length=1)
    create_customers: Flag | None = None
    create_subscriptions: Flag | None = None
    unit_price_from_import: Flag | None = None
    currency: Currency | None = None
    time_zone: Text50 | None = None
    mapping: MappingBody | None = None
    folder: Text100 | None = Field(None, description=FOLDER)
    contact: Text200 | None = Field(None, description=CONTACT)
    email: Text200 | None = None
    phone: Text50 | None = None


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
    folder: str
    contact: str
    email: str
    phone: str


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
    quantity: Told | None


class Subscriptions(Out):
    """A page of supplier subscriptions."""

    items: list[SubscriptionOut]
    next: str | None


class ReferenceChangeOut(Out):
    """What an import changed of a supplier's customer or subscription."""

    reference: str = Field(description="without regard to case")
    at: datetime
    by: str
    file: int | None = Field(description="null: rows that came by the API")
    made: bool = Field(description="whether it was not known before")
    changes: dict[str, list[str | None]] = Field(description="field to its values before and after, as text")
    day: date | None = Field(description="of which day it told")
    kept: dict[str, list[str | None]] = Field(
        description="what it told of an earlier day than is known: field to what stays, and what it told"
    )


class ReferenceChanges(Out):
    """A page of changes."""

    items: list[ReferenceChangeOut]
    next: str | None


class Link(In):
    """A supplier subscription and the contract line that gets its usage."""

    subscription: Text200 = Field(min_length=1)
    contract: Key
    article: Key
    line: Text100 | None = None


class LinkOrMove(Link):
    """A supplier subscription, the contract line that gets its usage, and whether it moves there from another line."""

    move: Flag = Field(False, description="it leaves the lines that it is tied to, from a day on")
    from_: Day | None = Field(
        None, validation_alias="from", serialization_alias="from",
        description="with `move`: from which day on; null: the day after what was billed of the line that it leaves",
    )  # fmt: skip


class Links(In):
    """Supplier subscriptions, and the contract lines that get their usage."""

    links: list[Link] = Field(min_length=1, max_length=1000)


class SubscriptionIn(In):
    """A supplier subscription."""

    subscription: Text200 = Field(min_length=1)


class CustomerLink(In):
    """A supplier customer and the customer that it is."""

    reference: Text200 = Field(min_length=1)
    customer: Key


class CustomerUnlink(In):
    """A supplier customer."""

    reference: Text200 = Field(min_length=1)


class Reprocessed(Out):
    """What became of the records that waited: how many found their line, why others wait still, interim bills made."""

    recorded: int
    waiting: dict[str, int] = Field(description="by reason")
    documents: list[int]


class Linked(ContractOut):
    """The contract as it stands then, and what became of the usage of the subscription that waited."""

    recorded: int = Field(description="records that waited and found their line")
    waiting: dict[str, int] = Field(description="what waits of the subscription still, by reason")
    documents: list[int] = Field(description="interim bills and credit notes made")
    from_: date | None = Field(None, serialization_alias="from", description="with `move`: from which day on")
    ended: list[str] = Field([], description="with `move`: contracts whose line ended then, since nothing needs it")


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


def shown(supplier: Supplier) -> SupplierOut:
    """A supplier as it is told."""
    names = [name for name in SupplierOut.model_fields if name != "supplier"]
    return SupplierOut(supplier=supplier.key, **{name: getattr(supplier, name) for name in names})


def one(call: Call, supplier: str) -> SupplierOut:
    """The supplier of a key; raises `Refused` (`not_found`)."""
    return shown(supplier_by_key(call.seller.pk, supplier))


def supplier_of(request: HttpRequest, key: str) -> Supplier:
    """The supplier of a key; raises `Refused` (`not_found`)."""
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
    return Answer(one(call, body.supplier), location("suppliers", body.supplier))


@endpoint(router, "GET", "/suppliers/{supplier}", "usage.view", answer=SupplierOut, etag=True)
def get_supplier(request: HttpRequest, supplier: Key) -> SupplierOut:
    """A supplier."""
    return one(call_of(request), supplier)


@endpoint(router, "PATCH", "/suppliers/{supplier}", "usage.change", answer=SupplierOut, etag=True, of=one)
def change_supplier(request: HttpRequest, supplier: Key, body: SupplierChange) -> SupplierOut:
    """Change a supplier: the fields that are given. They hold for what comes from now on."""
    call = call_of(request)
    fields = body.model_dump(exclude_none=True)
    services.change_supplier(call.actor, supplier=supplier_of(request, supplier), **fields)
    return one(call, supplier)


@endpoint(router, "GET", "/suppliers/{supplier}/customers", "usage.view", answer=SupplierCustomers)
def list_supplier_customers(
    request: HttpRequest, supplier: Key, linked: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> SupplierCustomers:
    """The supplier's customers, in the order in which they appeared."""
    items, following = page_of(customers_of(supplier_of(request, supplier), linked=linked), limit, after)
    return SupplierCustomers(
        items=[SupplierCustomerOut(reference=c.reference, **supplier_customer_shown(c)) for c in items], next=following
    )


@endpoint(router, "GET", "/suppliers/{supplier}/subscriptions", "usage.view", answer=Subscriptions)
def list_subscriptions(
    request: HttpRequest, supplier: Key, linked: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> Subscriptions:
    """The supplier's subscriptions, in the order in which they appeared."""
    items, following = page_of(subscriptions_of(supplier_of(request, supplier), linked=linked), limit, after)
    return Subscriptions(
        items=[SubscriptionOut(subscription=s.reference, **subscription_shown(s)) for s in items], next=following
    )


@endpoint(router, "GET", "/suppliers/{supplier}/changes", "usage.view", answer=ReferenceChanges)
def list_reference_changes(
    request: HttpRequest,
    supplier: Key,
    kind: Literal["customer", "subscription"] = "subscription",
    reference: Text200 = "",
    limit: Limit = LIMIT,
    after: After = "",
) -> ReferenceChanges:
    """What imports changed of the supplier's customers or subscriptions, of one or of all; the newest first."""
    rows = changes_of(supplier_of(request, supplier), kind, reference)
    items, following = page_of(rows, limit, after, newest_first=True)
    return ReferenceChanges(
        items=[
            ReferenceChangeOut(
                reference=c.folded, at=c.at, by=c.by, file=c.file_id, made=c.made,
                changes=told_of(c.changes), day=c.day, kept=told_of(c.kept),
            )
            for c in items
        ],
        next=following,
    )  # fmt: skip


def told_of(fields: dict[str, list[Any]]) -> dict[str, list[str | None]]:
    """Fields with their two values each, as they are told."""
    return {name: [told(one) for one in pair] for name, pair in sorted(fields.items())}


def told(value: Any) -> str | None:
    """A value of a change as it is told: numbers as text, exactly."""
    return None if value is None else str(value)


@endpoint(
    router, "POST", "/suppliers/{supplier}/link", "usage.change", answer=Linked, codes=("conflict",)
)  # fmt: skip
def link(request: HttpRequest, supplier: Key, body: LinkOrMove) -> Linked:
    """Tie a supplier subscription to a contract line, and process what waits of it at once; it is recorded first where
    no import has. With `move` usage from a day on goes to this line, and what was billed stays with the other."""
    call = call_of(request)
    line = line_for(by_key(call.seller.pk, body.contract), body.article, body.line, call.today)
    if body.from_ is not None and not body.move:
        raise Refused("invalid", "A day is for a subscription that moves: add “move”.", field="from")
    if body.move:
        return _moved(call, supplier_of(request, supplier), body, line)
    tied = billing.tie(call.actor, supplier=supplier_of(request, supplier), ties=[(body.subscription, line)])
    return Linked(
        **one_contract(call, body.contract).model_dump(), recorded=tied.recorded, waiting=counted(tied.waiting),
        documents=[d.id for d in tied.issued],
    )  # fmt: skip


def _moved(call: Call, supplier: Supplier, body: LinkOrMove, line: ContractLine) -> Linked:
    rows = subscriptions_by_reference(supplier, [body.subscription])
    moved = billing.move(call.actor, subscription=rows[services.fold(body.subscription)], line=line, first=body.from_)
    return Linked(
        **one_contract(call, body.contract).model_dump(), recorded=moved.tied.recorded,
        waiting=counted(moved.tied.waiting), documents=[d.id for d in moved.tied.issued], from_=moved.day,
        ended=[x.contract.key for x in moved.ended],
    )  # fmt: skip


@endpoint(
    router, "POST", "/suppliers/{supplier}/link_many", "usage.change", answer=Reprocessed, codes=("conflict",)
)  # fmt: skip
def link_many(request: HttpRequest, supplier: Key, body: Links) -> Reprocessed:
    """Tie many supplier subscriptions to contract lines, all or none, and process what waits of them at once."""
    call = call_of(request)
    lines = [line_for(by_key(call.seller.pk, x.contract), x.article, x.line, call.today) for x in body.links]
    ties = [(x.subscription, line) for x, line in zip(body.links, lines, strict=True)]
    tied = billing.tie(call.actor, supplier=supplier_of(request, supplier), ties=ties)
    return Reprocessed(recorded=tied.recorded, waiting=counted(tied.waiting), documents=[d.id for d in tied.issued])


@endpoint(
    router, "POST", "/suppliers/{supplier}/subscriptions", "usage.change", answer=SubscriptionOut, status=201,
    codes=("conflict",),
)  # fmt: skip
def note_subscription(request: HttpRequest, supplier: Key, body: SubscriptionIn) -> SubscriptionOut:
    """Note a supplier subscription that waiting usage names, but no import has made; a noted one stays as it is."""
    row = services.note_subscription(
        call_of(request).actor, supplier=supplier_of(request, supplier), reference=body.subscription
    )
    return SubscriptionOut(subscription=row.reference, **subscription_shown(row))


@endpoint(
    router, "POST", "/suppliers/{supplier}/link_customer", "usage.change", answer=SupplierCustomerOut,
    codes=("conflict",),
)  # fmt: skip
def link_customer(request: HttpRequest, supplier: Key, body: CustomerLink) -> SupplierCustomerOut:
    """Tie a supplier customer to a customer, for overview."""
    call = call_of(request)
    customer = customer_by_key(call.seller.pk, body.customer)
    row = services.link_customer(
        call.actor, supplier=supplier_of(request, supplier), reference=body.reference, customer=customer
    )
    return SupplierCustomerOut(reference=row.reference, **supplier_customer_shown(row))


@endpoint(
    router, "POST", "/suppliers/{supplier}/unlink", "usage.change", answer=ContractOut, codes=("conflict",)
)  # fmt: skip
def unlink(request: HttpRequest, supplier: Key, body: Link) -> ContractOut:
    """Untie a supplier subscription from a contract line.

    Its usage on the line waits again, and what was billed of it is credited with the next bill.
    """
    call = call_of(request)
    line = line_for(by_key(call.seller.pk, body.contract), body.article, body.line, call.today)
    billing.untie(call.actor, supplier=supplier_of(request, supplier), reference=body.subscription, line=line)
    return one_contract(call, body.contract)


@endpoint(
    router, "POST", "/suppliers/{supplier}/unlink_customer", "usage.change", answer=SupplierCustomerOut,
    codes=("conflict",),
)  # fmt: skip
def unlink_customer(request: HttpRequest, supplier: Key, body: CustomerUnlink) -> SupplierCustomerOut:
    """Untie a supplier customer from its customer."""
    row = customer_of(supplier_of(request, supplier), body.reference)
    services.unlink_customer(call_of(request).actor, row=row)
    return SupplierCustomerOut(reference=row.reference, **supplier_customer_shown(row))


@endpoint(router, "GET", "/suppliers/{supplier}/product_references", "usage.view", answer=ProductReferences)
def list_product_references(
    request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = ""
) -> ProductReferences:
    """Which articles the supplier's products stand for."""
    rows = ProductReference.objects.filter(supplier=supplier_of(request, supplier)).select_related("article")
    items, following = page_of(rows, limit, after)
    shown_rows = [ProductReferenceOut(product=r.product, article=r.article.key) for r in items]
    return ProductReferences(items=shown_rows, next=following)


@endpoint(router, "PUT", "/suppliers/{supplier}/product_references", "usage.change", answer=ProductReferenceOut)
def set_product_reference(request: HttpRequest, supplier: Key, body: ProductReferenceBody) -> ProductReferenceOut:
    """Say which article a product stands for."""
    call = call_of(request)
    row = services.set_product_reference(
        call.actor, supplier=supplier_of(request, supplier), product=body.product,
        article=article_by_key(call.seller.pk, body.article),
    )  # fmt: skip
    return ProductReferenceOut(product=row.product, article=row.article.key)


@endpoint(router, "DELETE", "/suppliers/{supplier}/product_references", "usage.change", answer=None, status=204)
def remove_product_reference(
    request: HttpRequest, supplier: Key, product: Annotated[Text200, Field(min_length=1)]
) -> Answer:
    """A product stands for no article any more; lines that were extended by it stay."""
    row = reference_of(supplier_of(request, supplier), product)
    services.remove_product_reference(call_of(request).actor, reference=row)
    return Answer(None)


@endpoint(
    router, "POST", "/suppliers/{supplier}/reprocess", "usage.change", answer=Reprocessed, codes=("conflict",)
)  # fmt: skip
def reprocess(request: HttpRequest, supplier: Key) -> Reprocessed:
    """Process again what waits of the supplier."""
    call = call_of(request)
    (recorded, reasons), issued = billing.reprocess(call.actor, supplier=supplier_of(request, supplier))
    return Reprocessed(recorded=recorded, waiting=counted(reasons), documents=[d.id for d in issued])


def counted(reasons: list[str]) -> dict[str, int]:
    """Reasons, with how often each is there."""
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}
