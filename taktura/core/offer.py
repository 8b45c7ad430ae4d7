"""What a tariff may say (R2.4, R2.5, R7.2, R7.5, R9.1, R9.4, R13.1): the refusals.

Each names in its values the `field` that it is about, and the `article` of the line unless it is the tariff's own.
"""

from collections.abc import Mapping
from decimal import Decimal

from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, Rates, TariffTerms
from taktura.core.periods import check_anchor, ratio


def check_tariff(terms: TariffTerms, anchor: str, lines: Mapping[str, LineTerms]) -> None:
    """Refuse what cannot be billed: raises `Refused` with the code of the rule that is broken."""
    _check_anchor(anchor, terms)
    if _beyond(terms.vat):
        raise Refused("invalid", "A VAT rate is 0 to 100 percent.", field="vat")
    for name, value in (("tolerance", terms.tolerance), ("interim_threshold", terms.interim_threshold)):
        if value is not None and value < 0:
            raise Refused("invalid", "“%(field)s” cannot be less than 0.", field=name)
    for line in lines.values():
        check_line(terms, anchor, line)
    _check_bounds(terms, lines)


def check_line(terms: TariffTerms, anchor: str, line: LineTerms) -> None:
    """Refuse (`invalid`) a line that cannot be billed in a tariff of these terms."""
    name = line.title or line.article

    def at(field: str) -> dict[str, str]:
        return {"line": name, "field": field, "article": line.article}

    if line.charge == "recurring":
        try:
            check_anchor(anchor, line.interval)
        except Refused as error:
            error.values.update(at("interval"))
            raise
        try:
            ratio(line.interval, line.price_per)
        except Refused as error:
            error.values.update(at("price_per"))
            raise
    if (line.in_minimum or line.in_cap) and line.charge == "recurring" and line.interval != terms.interval:
        raise Refused(
            "invalid", "“%(line)s” is flagged for minimum or cap: give it the tariff's interval.", **at("interval")
        )
    if line.price_quantity <= 0:
        raise Refused("invalid", "“%(line)s”: the quantity of a price must be more than 0.", **at("price_quantity"))
    for field, value in (
        ("price", line.price),
        ("included", line.included),
        ("markup", line.markup + 100),
        ("reference_price", line.reference_price or 0),
    ):
        if value < 0:
            raise Refused("invalid", "“%(line)s”: prices and quantities cannot be less than 0.", **at(field))
    if _beyond(line.vat):
        raise Refused("invalid", "“%(line)s”: a VAT rate is 0 to 100 percent.", **at("vat"))
    if line.aggregate == "unique" and not line.aggregate_of:
        raise Refused(
            "invalid", "“%(line)s” counts distinct values: say of which attribute (aggregate_of).", **at("aggregate_of")
        )
    if line.flat_price and line.charge != "usage":
        raise Refused("invalid", "“%(line)s”: only a usage line can have a flat price.", **at("flat_price"))
    _check_tiers(line, name)
    above = Decimal(-1)
    for start, percent in line.discount_scale:
        if start <= above or not 0 <= percent <= 100:
            raise Refused(
                "invalid", "“%(line)s”: a discount scale rises and takes 0 to 100 percent off.", **at("discount_scale")
            )
        above = start


def _check_anchor(anchor: str, terms: TariffTerms) -> None:
    try:
        check_anchor(anchor, terms.interval)
    except Refused as error:
        error.values["field"] = "anchor"
        raise


def _beyond(vat: Rates | None) -> bool:
    return any(not 0 <= rate <= 100 for _, rate in vat or ())


def _check_tiers(line: LineTerms, name: str) -> None:
    bound = Decimal(0)
    for i, tier in enumerate(line.tiers):
        where = {"line": name, "field": "tiers", "article": line.article, "tier": i + 1}
        last = i == len(line.tiers) - 1
        if (tier.up_to is None) != last:
            raise Refused("invalid", "“%(line)s”: every tier but the last has an upper bound (up_to).", **where)
        if tier.up_to is not None and tier.up_to <= bound:
            raise Refused("invalid", "“%(line)s”: the bounds of the tiers must rise.", **where)
        if tier.price < 0 or tier.flat < 0:
            raise Refused("invalid", "“%(line)s”: prices cannot be less than 0.", **where)
        bound = tier.up_to or bound


def _check_bounds(terms: TariffTerms, lines: Mapping[str, LineTerms]) -> None:
    minimum = {k for k, v in lines.items() if v.in_minimum}
    cap = {k for k, v in lines.items() if v.in_cap}
    for value, flagged, field, word in (
        (terms.minimum, minimum, "minimum_sales", "minimum sales"),
        (terms.cap, cap, "cost_cap", "cost cap"),
    ):
        if value is not None and value < 0:
            raise Refused("invalid", "The %(word)s cannot be less than 0.", word=word, field=field)
        if value is not None and not flagged:
            raise Refused(
                "no_flagged_line", "Flag at least one line for the %(word)s, or leave it out.", word=word, field=field
            )
    if terms.minimum is None or terms.cap is None or not minimum & cap:
        return
    if not minimum <= cap:
        raise Refused(
            "overlapping_flags",
            "The lines in the minimum and in the cap overlap: make them the same, the minimum's inside the cap's,"
            " or apart.",
            field="in_cap",
        )
    if terms.minimum > terms.cap:
        raise Refused(
            "minimum_above_cap",
            "The minimum is above the cap of the same lines: lower one or raise the other.",
            field="minimum_sales",
        )


def check_conditions(price: Decimal | None, discount: Decimal, quantity: Decimal | None) -> None:
    """Refuse (`invalid`) a discount outside 0 to 100, and a price or a quantity below zero (R7.5)."""
    if not 0 <= discount <= 100:
        raise Refused("invalid", "A discount is 0 to 100 percent.")
    if price is not None and price < 0 or quantity is not None and quantity < 0:
        raise Refused("invalid", "Prices and quantities cannot be less than 0.")
