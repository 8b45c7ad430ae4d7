"""From a price list's values to what stands on it: finished texts in its language, for pages and print alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from taktura.catalog.price_list import ListedLine, ListedTariff, PriceList
from taktura.core.facts import LineTerms
from taktura.core.listed import GROSS
from taktura.invoices.agreed import amount_of, every, language, notice_of, per, price_text
from taktura.invoices.price_lists.notes import notes_of
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.words import unit_word

ADD_ON = ("add_on", "on_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A small table below a line: tiers, or a discount scale."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line: its price, what the price is for (`per`), what holds besides."""

    heading: str
    title: str
    highlight: bool
    price: str
    per: str
    notes: tuple[str, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tariff: its lines, and what holds for all of them."""

    key: str
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole price list."""

    language: str
    heading: str
    title: str
    seller: str
    basis: str
    as_of: str
    offers: tuple[Offer, ...]
    notes: tuple[str, ...]
    empty: str


def sheet_of(values: PriceList) -> Sheet:
    """The texts of a price list, in its language whatever the reader's is."""
    with translation.override(values.language):
        currencies = {tariff.currency for tariff in values.tariffs}
        formats = formats_of(values.language, values.seller.currency)
        one = currencies.pop() if len(currencies) == 1 else ""
        return Sheet(
            language=values.language,
            heading=_("Price list"),
            title=values.title,
            seller=values.seller.name,
            basis=_("Prices with VAT") if values.basis == GROSS else _("Prices without VAT"),
            as_of=_("As of %(day)s") % {"day": formats.day(values.on)},
            offers=tuple(_offer(tariff, values, not one) for tariff in values.tariffs),
            notes=(_("All prices in %(currency)s.") % {"currency": one},) if one else (),
            empty="" if values.tariffs else _("Nothing is offered here at present."),
        )


def _offer(tariff: ListedTariff, values: PriceList, name_currency: bool) -> Offer:
    formats = formats_of(values.language, tariff.currency)
    rates = {line.rate for line in tariff.lines}
    return Offer(
        key=tariff.key,
        title=tariff.title,
        rows=tuple(_row(line, formats, several_rates=len(rates) > 1) for line in tariff.lines),
        notes=tuple(notes_of(tariff, values, formats, name_currency=name_currency)),
    )


def _row(line: ListedLine, formats: Formats, *, several_rates: bool) -> Row:
    terms = line.terms
    price, unit = _price_of(terms, formats)
    return Row(
        heading=line.heading,
        title=line.title,
        highlight=line.highlight,
        price=price,
        per=unit,
        notes=tuple(_notes_of(line, formats, several_rates)),
        tables=tuple(_tables_of(terms, formats)),
    )


def _price_of(terms: LineTerms, formats: Formats) -> tuple[str, str]:
    """The price of a line, and what it is for; of one with tiers a table says both."""
    if terms.usage_pricing == "cost_plus":
        return "", _("the supplier's cost and %(rate)s on it") % {"rate": formats.rate(terms.markup)}
    if terms.usage_pricing == "imported_price":
        return "", _("at the supplier's price")
    price = price_text(terms.price, formats)
    if terms.flat_price:
        return price, _("flat %(per)s") % {"per": per(terms.interval)}
    if terms.tiers:
        return "", ""
    if terms.charge == "once":
        return price, _("once")
    if terms.charge == "usage":
        return price, _quantity_of(terms)
    return price, _fee_of(terms)


def _fee_of(terms: LineTerms) -> str:
    """What the price of a recurring line is for."""
    if terms.price_quantity != 1:
        return _("%(quantity)s %(per)s") % {"quantity": _quantity_of(terms), "per": per(terms.price_per)}
    return per(terms.price_per)


def _quantity_of(terms: LineTerms) -> str:
    """How much a price is for: "per 10", "per min", "each"."""
    if terms.price_quantity != 1:
        many = {"quantity": amount_of(terms.price_quantity, terms.unit)}
        return _("for each %(quantity)s begun") % many if terms.package == "started" else _("per %(quantity)s") % many
    word = unit_word(terms.unit, Decimal(1), language())
    return _("per %(quantity)s") % {"quantity": word} if word else _("each")


def _notes_of(line: ListedLine, formats: Formats, several_rates: bool) -> Iterator[str]:
    """What a line says besides its price."""
    terms = line.terms
    if terms.booking in ADD_ON and terms.charge != "usage":
        yield _("Optional, any number of them") if terms.booking == "add_on" else _("Optional")
    if terms.included:
        yield _("%(quantity)s included") % {"quantity": amount_of(terms.included, terms.unit)}
    if terms.charge == "recurring":
        if terms.interval != terms.price_per:
            yield _("billed %(every)s") % {"every": every(terms.interval)}
        if terms.when == "arrears":
            yield _("in arrears")
        if terms.proration == "none":
            yield _("a period begun counts whole")
    if several_rates:
        yield _("%(rate)s VAT") % {"rate": formats.rate(line.rate)}
    if terms.charge == "usage" and (counted := _counted(terms.aggregate)):
        yield counted
    if line.notice is not None:
        yield _("Can be given up by itself: %(terms)s") % {"terms": " ".join(notice_of(line.notice))}


def _counted(aggregate: str) -> str:
    """What of the usage of a period counts, where it is not its sum (R6.4)."""
    found: dict[str, str] = {
        "count": _("each use counts once"),
        "max": _("the highest quantity of a period counts"),
        "last": _("the last quantity of a period counts"),
        "unique": _("each different one counts once"),
    }
    return found.get(aggregate, "")


def _tables_of(terms: LineTerms, formats: Formats) -> Iterator[Table]:
    if terms.tiers and not terms.flat_price and terms.usage_pricing not in ("cost_plus", "imported_price"):
        yield _tiers_of(terms, formats)
    if terms.discount_scale:
        yield Table(
            caption=_("Discount on the whole quantity"),
            head=(_("Quantity"), _("Discount")),
            rows=tuple(
                (_("above %(quantity)s") % {"quantity": amount_of(above, terms.unit)}, formats.rate(percent))
                for above, percent in terms.discount_scale
            ),
        )


def _tiers_of(terms: LineTerms, formats: Formats) -> Table:
    flats = any(tier.flat for tier in terms.tiers)
    rows, low = [], None
    for tier in terms.tiers:
        row = [_span_of(low, tier.up_to, terms.unit), price_text(tier.price, formats)]
        rows.append((*row, price_text(tier.flat, formats) if tier.flat else "–") if flats else tuple(row))
        low = tier.up_to
    unit = _fee_of(terms) if terms.charge == "recurring" else _quantity_of(terms)
    volume = terms.tier_mode == "volume"
    said = _("The tier of the whole quantity holds for all of it") if volume else _("Each part at its tier's price")
    return Table(
        caption=said,
        head=(_("Quantity"), _("Price %(unit)s") % {"unit": unit}, *([_("At once")] if flats else [])),
        rows=tuple(rows),
    )  # fmt: skip


def _span_of(low: Decimal | None, high: Decimal | None, unit: str) -> str:
    """Which quantities a tier holds for."""
    if low is None:
        return _("up to %(quantity)s") % {"quantity": amount_of(high, unit)} if high is not None else _("any quantity")
    if high is None:
        return _("above %(quantity)s") % {"quantity": amount_of(low, unit)}
    bounds: dict[str, Any] = {"low": amount_of(low, ""), "high": amount_of(high, unit)}
    return _("above %(low)s up to %(high)s") % bounds
