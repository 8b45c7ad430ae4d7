"""Customers with their billing information."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import (
    Country,
    Day,
    Flag,
    In,
    Key,
    Number,
    Out,
    Text20,
    Text40,
    Text50,
    Text100,
    Text200,
    Told,
    Whole,
)
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.customers import services
from taktura.customers.languages import language_of
from taktura.customers.models import BillingInformation, Customer
from taktura.customers.queries import customer_by_key, missing_billing_information, search

router = Router()
Kind = Literal["business", "consumer"]
Language = Literal["en", "de", "sv"]
DocumentsPer = Literal["contract", "customer"]
Delivery = Literal["email", "post", "portal"]
EInvoice = Literal["", "none", "zugferd", "xrechnung", "xrechnung_cii", "peppol"]
TaxStatus = Literal["domestic", "reverse_charge", "export", "exempt"]


class BillingInformationIn(In):
    """What a document needs to know of its recipient; fields left out stay as they are."""

    name: Text200 | None = None
    legal_form: Text50 | None = None
    street: Text200 | None = None
    postcode: Text20 | None = None
    city: Text100 | None = None
    country: Country | None = None
    email: Text200 | None = None
    delivery: Delivery | None = Field(None, description="how documents reach the customer")
    debtor_number: Text20 | None = Field(None, description="the customer's in bookkeeping")
    tax_status: TaxStatus | None = None
    vat_id: Text20 | None = None
    payment_days: Whole | None = Field(None, le=3650, description="null: the seller's")
    direct_debit: Flag | None = Field(None, description="needs `iban`, `mandate_reference`, `mandate_date`")
    iban: Text50 | None = Field(None, max_length=34)
    mandate_reference: Text40 | None = Field(None, max_length=35)
    mandate_date: Day | None = None
    einvoice: EInvoice | None = Field(None, description="the profile of e-invoices; empty: as the seller has it")
    electronic_address: Text200 | None = Field(
        None, max_length=105, description="`scheme:id` by the EAS list; empty: the e-mail address"
    )
    buyer_reference: Text100 | None = Field(None, description="the customer's own sign (BT-10), as a Leitweg-ID")


class BillingInformationOut(Out):
    """Billing information; `complete`: documents may be issued."""

    name: str
    legal_form: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    delivery: str
    debtor_number: str
    tax_status: str
    vat_id: str
    payment_days: int | None
    direct_debit: bool
    iban: str
    mandate_reference: str
    mandate_date: Day | None
    einvoice: str
    electronic_address: str
    buyer_reference: str


class CustomerChange(In):
    """What can be changed of a customer; fields left out stay as they are."""

    name: Text200 | None = Field(None, min_length=1)
    kind: Kind | None = None
    language: Language | None = None
    documents_per: DocumentsPer | None = None
    round_up_minutes: Whole | None = Field(None, ge=1, le=1440)
    hourly_rate: Number | None = Field(None, description="for time; null: none")
    head_office: Key | None = Field(None, description="the customer whose branch it is; null: none")
    self_managed: Flag | None = Field(None, description="its people keep their own data in the portal")


class CustomerIn(CustomerChange):
    """A new customer."""

    customer: Key = Field(description="the key that other systems know it by")
    name: Text200 = Field(min_length=1)
    language: Language | None = Field(None, description="null: that of its country, else of the seller's")
    billing_information: BillingInformationIn | None = None


class CustomerOut(Out):
    """A customer."""

    customer: str
    name: str
    kind: str
    language: str
    documents_per: str
    round_up_minutes: int
    hourly_rate: Told | None
    head_office: str | None
    self_managed: bool
    created_at: datetime
    billing_information: BillingInformationOut | None
    missing_billing_information: list[str] = Field(description="without these no document is issued")


class Customers(Out):
    """A page of customers."""

    items: list[CustomerOut]
    next: str | None


def shown(customer: Customer) -> CustomerOut:
    """A customer as it is told."""
    info: BillingInformation | None = getattr(customer, "billing_information", None)
    names = BillingInformationOut.model_fields
    return CustomerOut(
        customer=customer.key, name=customer.name, kind=customer.kind, language=customer.language,
        documents_per=customer.documents_per, round_up_minutes=customer.round_up_minutes,
        hourly_rate=customer.hourly_rate, head_office=customer.head_office.key if customer.head_office else None,
        self_managed=customer.self_managed, created_at=customer.created_at,
        billing_information=BillingInformationOut(**{n: getattr(info, n) for n in names}) if info else None,
        missing_billing_information=missing_billing_information(customer),
    )  # fmt: skip


def one(call: Call, customer: str) -> CustomerOut:
    """The customer of a key as it is told; raises `Refused` (`not_found`)."""
    return shown(customer_by_key(call.seller.pk, customer))


@endpoint(router, "GET", "/customers", "customers.view", answer=Customers)
def list_customers(
    request: HttpRequest,
    name: Text200 = "",
    kind: Kind | None = None,
    complete: bool | None = None,
    limit: Limit = LIMIT,
    after: After = "",
) -> Customers:
    """Customers, in the order in which they were made.

    `name`: those whose name or key holds each of these words. `complete`: whether documents can be issued to them.
    """
    call = call_of(request)
    found = Customer.objects.filter(seller=call.seller)
    found = found.select_related("billing_information", "seller", "head_office")
    if name:
        found = search(found, name)
    if complete is not None:
        found = found.filter(complete=complete)
    if kind:
        found = found.filter(kind=kind)
    items, following = page_of(found, limit, after)
    return Customers(items=[shown(c) for c in items], next=following)


@endpoint(router, "POST", "/customers", "customers.change", answer=CustomerOut, status=201, etag=True)
def create_customer(request: HttpRequest, body: CustomerIn) -> Answer:
    """A new customer, with billing information where it is given."""
    call = call_of(request)
    fields = body.model_dump(exclude_unset=True, exclude={"customer", "name", "billing_information"})
    given = _with_head_office(call, {name: value for name, value in fields.items() if value is not None})
    country = (body.billing_information.country if body.billing_information else None) or ""
    given.setdefault("language", language_of(country, call.seller.country))
    customer = services.create_customer(call.actor, seller=call.seller, key=body.customer, name=body.name, **given)
    if body.billing_information is not None:
        _write(call, customer, body.billing_information)
    return Answer(one(call, body.customer), location("customers", customer.key))


@endpoint(router, "GET", "/customers/{customer}", "customers.view", answer=CustomerOut, etag=True)
def get_customer(request: HttpRequest, customer: Key) -> CustomerOut:
    """A customer."""
    return one(call_of(request), customer)


@endpoint(router, "PATCH", "/customers/{customer}", "customers.change", answer=CustomerOut, etag=True, of=one)
def change_customer(request: HttpRequest, customer: Key, body: CustomerChange) -> CustomerOut:
    """Change a customer: the fields that are given."""
    call = call_of(request)
    fields = body.model_dump(exclude_unset=True)
    services.change_customer(
        call.actor, customer=customer_by_key(call.seller.pk, customer), **_with_head_office(call, fields)
    )
    return one(call, customer)


@endpoint(
    router, "PATCH", "/customers/{customer}/billing_information", "customers.change", answer=CustomerOut, etag=True,
    of=one,
)  # fmt: skip
def set_billing_information(request: HttpRequest, customer: Key, body: BillingInformationIn) -> CustomerOut:
    """Write a customer's billing information: the fields that are given."""
    call = call_of(request)
    _write(call, customer_by_key(call.seller.pk, customer), body)
    return one(call, customer)


def _with_head_office(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """The head office as a customer instead of its key."""
    key = fields.get("head_office")
    return fields | {"head_office": customer_by_key(call.seller.pk, key)} if key else fields


def _write(call: Call, customer: Customer, info: BillingInformationIn) -> None:
    fields = info.model_dump(exclude_unset=True)
    empty: dict[str, Any] = {"tax_status": "domestic", "delivery": "email", "direct_debit": False}
    texts = {n: empty.get(n, "") if value is None else value for n, value in fields.items() if n not in _NULLABLE}
    services.set_billing_information(
        call.actor, customer=customer, **texts, **{n: fields[n] for n in _NULLABLE if n in fields}
    )


_NULLABLE = ("payment_days", "mandate_date")
