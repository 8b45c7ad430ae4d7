"""Sellers: who bills, with their settings and numbers; closing a period."""

from datetime import date
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Country, Currency, Day, Flag, In, Out, Text20, Text40, Text50, Text100, Text200, Whole
from taktura.api.v1.offer import RateIn, RateOut
from taktura.billing import services as billing
from taktura.billing.services import change_seller
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.customers.queries import rates
from taktura.invoices.queries import series_of
from taktura.invoices.services import confirm_numbering

router = Router()
MOST = 10**12


class SellerOut(Out):
    """Who bills, with the settings that are defaults of the rules."""

    id: int
    name: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    phone: str
    vat_id: str
    tax_number: str
    registration: str
    bank_name: str
    iban: str
    bic: str
    creditor_id: str = Field(description="by which SEPA direct debits are collected")
    currency: str
    time_zone: str
    vat: list[RateOut]
    prices_are: str
    change_documents: str
    stacking: str
    coupon_and_scale: str
    consumer_rules: str
    rate_change: str
    closed_until: date | None = Field(description="usage dated before it waits")
    payment_days: int
    unattended_runs: bool
    rate_days: int = Field(description="how many days old an exchange rate may be")
    call_number_months: int = Field(description="how long telephone numbers of calls are kept in full; 0: for ever")
    portal_allows: list[str] = Field(description="what customers may do in the portal")
    order_page: bool = Field(description="anybody may order on the order page")
    order_approval: bool = Field(description="an order takes effect when staff approve it")
    vies: bool = Field(description="VIES is asked whether VAT ids of customers are confirmed")
    terms_url: str
    privacy_url: str
    withdrawal: str = Field(description="what consumers are told of their right of withdrawal")
    electronic_address: str = Field(description="`scheme:id` by the EAS list; empty: the e-mail address")
    einvoice: str = Field(description="the profile for businesses that have none of their own; empty: PDF alone")


class Sellers(Out):
    """All sellers."""

    items: list[SellerOut]


class Series(Out):
    """The numbers of one kind of document. `next` is the number that comes, this year where they begin anew yearly."""

    kind: str
    format: str
    confirmed: bool
    next: int


class Numbering(Out):
    """All series."""

    items: list[Series]


class SellerChange(In):
    """What can be changed of a seller; fields left out stay as they are.

    Currency, prices, stacking, coupon and scale, and the change of rates stay once a document is issued.
    """

    name: Text200 | None = Field(None, min_length=1)
    street: Text200 | None = None
    postcode: Text20 | None = None
    city: Text100 | None = None
    country: Country | None = None
    email: Text200 | None = None
    phone: Text50 | None = None
    vat_id: Text20 | None = None
    tax_number: Text40 | None = None
    registration: Text200 | None = None
    bank_name: Text100 | None = None
    iban: Text50 | None = Field(None, max_length=42)
    bic: Text20 | None = None
    creditor_id: Text50 | None = Field(None, description="by which SEPA direct debits are collected")
    currency: Currency | None = None
    time_zone: Text50 | None = None
    vat: list[RateIn] | None = Field(None, min_length=1, max_length=50)
    prices_are: Literal["net", "gross"] | None = None
    change_documents: Literal["separate", "netted"] | None = None
    stacking: Literal["best", "add", "sequence"] | None = None
    coupon_and_scale: Literal["coupon", "best", "both"] | None = None
    consumer_rules: Literal["DE", "none"] | None = None
    rate_change: Literal["end", "split"] | None = None
    payment_days: Whole | None = Field(None, le=365)
    unattended_runs: Flag | None = None
    rate_days: Whole | None = Field(None, ge=1, le=60, description="how many days old an exchange rate may be")
    call_number_months: Whole | None = Field(
        None, le=120, description="how long telephone numbers of calls are kept in full; 0: for ever"
    )
    portal_allows: list[Literal["tickets", "book", "quantity", "notice", "data"]] | None = None
    order_page: Flag | None = None
    order_approval: Flag | None = None
    vies: Flag | None = None
    terms_url: str | None = Field(None, max_length=500)
    privacy_url: str | None = Field(None, max_length=500)
    withdrawal: str | None = Field(None, max_length=10_000)
    electronic_address: Text200 | None = Field(
        None, max_length=105, description="`scheme:id` by the EAS list; empty: the e-mail address"
    )
    einvoice: Literal["", "zugferd"] | None = Field(
        None, description="the profile for businesses that have none of their own; empty: PDF alone"
    )


class SellerNew(SellerChange):
    """A new seller. What is left out has its usual value."""

    name: Text200 = Field(min_length=1)
    country: Country
    currency: Currency
    time_zone: Text50 = Field(examples=["Europe/Berlin"])
    vat: list[RateIn] = Field(min_length=1, max_length=50)


class PeriodClose(In):
    """To which day the books are closed; exclusive."""

    until: Day


class NumberingConfirmed(In):
    """The format of a kind of document, and the number that comes next."""

    kind: Literal["invoice", "credit_note"]
    format: Text100 = Field(max_length=60, examples=["RE-{year}-{number:05}"])
    next: Annotated[int, Field(strict=True, ge=1, le=MOST)]


def shown(seller: Seller) -> SellerOut:
    """A seller as it is told."""
    names = [name for name in SellerOut.model_fields if name != "vat"]
    vat = [RateOut(from_=None if start == date.min else start, rate=rate) for start, rate in rates(seller.vat) or ()]
    return SellerOut(**{name: getattr(seller, name) for name in names}, vat=vat)


def one(call: Call) -> SellerOut:
    """The seller of the call."""
    return shown(call.seller)


def numbering(call: Call) -> Numbering:
    """The series of the call's seller."""
    return Numbering(
        items=[Series(kind=s.kind, format=s.format, confirmed=s.confirmed, next=following)
               for s, following in series_of(call.seller.pk, call.today)]
    )  # fmt: skip


@endpoint(router, "GET", "/sellers", "settings.view", answer=Sellers)
def list_sellers(request: HttpRequest) -> Sellers:
    """All sellers. Where there are several, name one in the header `Taktura-Seller`."""
    return Sellers(items=[shown(s) for s in Seller.objects.order_by("id")])


@endpoint(router, "POST", "/sellers", "settings.change", answer=SellerOut, status=201)
def create_seller(request: HttpRequest, body: SellerNew) -> SellerOut:
    """Make a seller. Its numbers are confirmed before its first document is issued."""
    return shown(billing.create_seller(call_of(request).actor, **_fields(body)))


@endpoint(router, "GET", "/seller", "settings.view", answer=SellerOut, etag=True)
def get_seller(request: HttpRequest) -> SellerOut:
    """The seller of this call."""
    return one(call_of(request))


@endpoint(router, "PATCH", "/seller", "settings.change", answer=SellerOut, etag=True, of=one, codes=("conflict",))
def change_the_seller(request: HttpRequest, body: SellerChange) -> SellerOut:
    """Change the seller: the fields that are given."""
    call = call_of(request)
    return shown(change_seller(call.actor, seller=call.seller, **_fields(body)))


def _fields(body: SellerChange) -> dict[str, Any]:
    fields = body.model_dump(exclude_none=True, exclude={"vat"})
    if body.vat is not None:
        fields["vat"] = [[rate.from_, rate.rate] for rate in body.vat]
    return fields


@endpoint(router, "POST", "/seller/close_period", "settings.change", answer=SellerOut, of=one, codes=("conflict",))
def close_a_period(request: HttpRequest, body: PeriodClose) -> SellerOut:
    """Close the books before a day: usage dated before it waits, and none there is corrected (R12.3)."""
    call = call_of(request)
    customers.close_period(call.actor, seller=call.seller, until=body.until)
    return one(call)


@endpoint(router, "GET", "/seller/numbering", "settings.view", answer=Numbering, etag=True)
def get_numbering(request: HttpRequest) -> Numbering:
    """The numbers of invoices and credit notes."""
    return numbering(call_of(request))


@endpoint(
    router, "POST", "/seller/confirm_numbering", "settings.change", answer=Numbering, of=numbering,
    codes=("number_already_used",),
)  # fmt: skip
def confirm_the_numbering(request: HttpRequest, body: NumberingConfirmed) -> Numbering:
    """Confirm the format of a kind of document, and the number that comes next (R14.3)."""
    call = call_of(request)
    confirm_numbering(call.actor, seller=call.seller, kind=body.kind, format=body.format, next=body.next)
    return numbering(call)
