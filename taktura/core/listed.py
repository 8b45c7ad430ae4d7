"""Prices as a price list shows them, with VAT or without it (R13); nothing is billed by them.

What is billed as a whole (a fee, a flat amount, a minimum) is shown as a bill would round it. The price of a piece of
usage is shown as it is, since many of them are rounded once (R1.2): 0.05 with 19 % is 0.0595, not 0.06.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from taktura.core.facts import LineTerms, TariffTerms, Tier
from taktura.core.money import DECIMALS, EXACT, plain

NET, GROSS = "net", "gross"
MORE = 2  # decimals that a price of usage gets where VAT is taken out of it


def listed(price: Decimal, rate: Decimal, *, given: str, wanted: str, digits: int, whole: bool) -> Decimal:
    """A price that is `given` net or gross, as `wanted`. `rate`: of the VAT, in percent; `digits`: the currency's.

    `whole`: it is billed as a whole, and keeps the decimals that it has, the currency's at least.
    """
    if given == wanted:
        return price
    factor = (100 + Fraction(rate)) / 100
    exact = Fraction(price) * factor if wanted == GROSS else Fraction(price) / factor
    own = max(digits, -int(price.normalize(EXACT).as_tuple().exponent))
    if whole:
        return plain(exact, own)
    return plain(exact, DECIMALS if wanted == GROSS else min(own + MORE, DECIMALS))


def listed_line(terms: LineTerms, rate: Decimal, *, given: str, wanted: str, digits: int) -> LineTerms:
    """A line's terms with its prices as they are wanted."""
    usage = terms.charge == "usage" and not terms.flat_price

    def shown(price: Decimal, whole: bool) -> Decimal:
        return listed(price, rate, given=given, wanted=wanted, digits=digits, whole=whole)

    tiers = tuple(
        Tier(up_to=t.up_to, price=shown(t.price, not usage), flat=shown(t.flat, True)) for t in terms.tiers
    )  # fmt: skip
    return replace(terms, price=shown(terms.price, not usage), tiers=tiers)


def listed_tariff(terms: TariffTerms, rate: Decimal, *, given: str, wanted: str, digits: int) -> TariffTerms:
    """A tariff's terms with minimum sales and cost cap as they are wanted."""

    def shown(amount: Decimal | None) -> Decimal | None:
        if amount is None:
            return None
        return listed(amount, rate, given=given, wanted=wanted, digits=digits, whole=True)

    return replace(terms, minimum=shown(terms.minimum), cap=shown(terms.cap))
