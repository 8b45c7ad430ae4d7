"""Price lists: what a module offers on a day, as values, in words, and as PDF."""

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Key, Out, Text40, Told
from taktura.api.v1.offer import StepOut, TierOut
from taktura.catalog.modules import module_by_key
from taktura.catalog.price_list import ListedLine, ListedTariff, PriceList, price_list
from taktura.invoices.price_lists import Offer, Row, pdf_of, sheet_of

router = Router()
Language = Literal["de", "sv", "en"]
Basis = Annotated[Literal["net", "gross"] | None, Field(description="left out: as the company's prices are")]
On = Annotated[Day | None, Field(description="left out: today")]
Number = Annotated[Text40, Field(description="adds the tariff that it opens, in the version that it pins")]


class Words(Out):
    """What stands on the list: the price, what it is for, what holds besides."""

    price: str
    per: str
    notes: list[str]


class ListedLineOut(Out):
    """A line of a price list. Prices are in the list's basis; `vat` is the rate in percent."""

    article: str
    title: str
    heading: str
    highlight: bool
    charge: str
    booking: str
    vat: Told
    price: Told
    price_quantity: Told
    package: str
    unit: str
    price_per: str
    interval: str
    flat_price: bool
    included: Told
    tiers: list[TierOut]
    tier_mode: str
    discount_scale: list[StepOut]
    words: Words


class ListedTariffOut(Out):
    """A tariff of a price list; `notes`: what holds for all its lines, in words."""

    tariff: str
    title: str
    currency: str
    interval: str
    minimum_sales: Told | None
    cost_cap: Told | None
    from_: date | None = Field(validation_alias="from", serialization_alias="from")
    offer_number: str | None
    lines: list[ListedLineOut]
    notes: list[str]


class PriceListOut(Out):
    """The price list of a module."""

    module: str
    title: str
    language: str
    on: date
    prices: str
    tariffs: list[ListedTariffOut]
    notes: list[str]


def _asked(
    request: HttpRequest, module: str, language: str, prices: str | None, on: date | None, offer_number: str
) -> PriceList:
    call = call_of(request)
    return price_list(
        module_by_key(call.seller.pk, module), language=language, on=on or call.today, basis=prices or "",
        offer_number=offer_number, today=call.today,
    )  # fmt: skip


@endpoint(
    router, "GET", "/price_lists/{module}", "tariffs.view", answer=PriceListOut, etag=True,
    codes=("unknown_offer_number",),
)  # fmt: skip
def get_price_list(
    request: HttpRequest,
    module: Key,
    language: Language = "en",
    prices: Basis = None,
    on: On = None,
    offer_number: Number = "",
) -> PriceListOut:
    """The public tariffs of a module in their order, in the versions that hold on a day, as values and in words."""
    values = _asked(request, module, language, prices, on, offer_number)
    sheet = sheet_of(values)
    return PriceListOut(
        module=values.module, title=values.title, language=values.language, on=values.on, prices=values.basis,
        tariffs=[_tariff(t, o) for t, o in zip(values.tariffs, sheet.offers, strict=True)], notes=list(sheet.notes),
    )  # fmt: skip


@endpoint(
    router, "GET", "/price_lists/{module}/pdf", "tariffs.view", answer=None, media="application/pdf",
    codes=("unknown_offer_number",),
)  # fmt: skip
def get_price_list_pdf(
    request: HttpRequest,
    module: Key,
    language: Language = "en",
    prices: Basis = None,
    on: On = None,
    offer_number: Number = "",
) -> HttpResponse:
    """The price list as PDF, on A4."""
    values = _asked(request, module, language, prices, on, offer_number)
    headers = {"Content-Disposition": 'attachment; filename="price-list.pdf"', "Cache-Control": "private, no-cache"}
    return HttpResponse(pdf_of(values), content_type="application/pdf", headers=headers)


def _tariff(tariff: ListedTariff, offer: Offer) -> ListedTariffOut:
    return ListedTariffOut(
        tariff=tariff.key, title=tariff.title, currency=tariff.currency, interval=str(tariff.terms.interval),
        minimum_sales=tariff.terms.minimum, cost_cap=tariff.terms.cap, from_=tariff.valid_from,
        offer_number=tariff.offer_number or None, notes=list(offer.notes),
        lines=[_line(line, row) for line, row in zip(tariff.lines, offer.rows, strict=True)],
    )  # fmt: skip


def _line(line: ListedLine, row: Row) -> ListedLineOut:
    terms = line.terms
    return ListedLineOut(
        article=line.article, title=line.title, heading=line.heading, highlight=line.highlight, charge=terms.charge,
        booking=terms.booking, vat=line.rate, price=terms.price, price_quantity=terms.price_quantity,
        package=terms.package, unit=terms.unit, price_per=str(terms.price_per), interval=str(terms.interval),
        flat_price=terms.flat_price, included=terms.included, tier_mode=terms.tier_mode,
        tiers=[TierOut(up_to=t.up_to, price=t.price, flat=t.flat) for t in terms.tiers],
        discount_scale=[StepOut(above=above, percent=percent) for above, percent in terms.discount_scale],
        words=Words(price=row.price, per=row.per, notes=list(row.notes)),
    )  # fmt: skip
