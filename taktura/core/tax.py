"""VAT (R13): which rate, and what a document's sums make of it. Amounts are whole minor units."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from taktura.core.facts import LineTerms, Rates, TariffTerms, Tax, at
from taktura.core.money import half_up, split
from taktura.core.periods import DAY

Vat = tuple[str, Decimal]


def rates_of(tax: Tax, tariff: TariffTerms, line: LineTerms | None) -> Rates:
    """The rates of a line: its own before the tariff's before the seller's (R13.1)."""
    if line is not None and line.vat is not None:
        return line.vat
    return tariff.vat if tariff.vat is not None else tax.seller_rates


def vat_on(tax: Tax, rates: Rates, day: date) -> Vat:
    """Category of EN 16931 and rate on a day; the customer's tax status comes first (R13.1)."""
    if tax.category != "S":
        return tax.category, Decimal(0)
    rate = at(rates, day)
    return ("S", rate) if rate else ("Z", Decimal(0))


def basis(tax: Tax, rates: Rates, day: date) -> Fraction:
    """The factor that takes the home rate out of a gross price where no VAT is charged (R13.3)."""
    if tax.gross and tax.category != "S":
        return Fraction(100) / (100 + Fraction(at(rates, day)))
    return Fraction(1)


def in_basis(amount: Fraction, tax: Tax, rates: Rates, day: date) -> Fraction:
    """An unrounded amount by the price list in the contract's own basis: times `basis`."""
    return amount * basis(tax, rates, day) if tax.gross and tax.category != "S" else amount


def is_gross(tax: Tax) -> bool:
    """Whether the contract's charges are gross amounts."""
    return tax.gross and tax.category == "S"


def service_spans(tax: Tax, rates: Rates, first: date, end: date) -> list[tuple[date, date, Vat]]:
    """Cut a service span where the rate changes (`split`), or tax it at its last day's rate (`end`, R13.3)."""
    cuts = [first]
    if tax.split and tax.category == "S":
        cuts += [start for start, _ in rates if first < start < end]
    spans = list(zip(cuts, [*cuts[1:], end], strict=True))
    return [(a, b, vat_on(tax, rates, max(a, b - DAY))) for a, b in spans]


def tax_of_net(net: int, rate: Decimal) -> int:
    """VAT on a document's net sum of one rate, rounded once (R13.2)."""
    return half_up(Fraction(rate) * net / 100)


def tax_in_gross(gross: int, rate: Decimal) -> int:
    """VAT contained in a document's gross sum of one rate, rounded once (R13.3)."""
    return half_up(Fraction(rate) * gross / (100 + Fraction(rate)))


def spread_net(gross_lines: Sequence[int], net: int) -> list[int]:
    """Spread the net sum of one rate over its gross lines (R1.4)."""
    return split(net, list(gross_lines))
