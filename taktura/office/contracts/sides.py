"""A change of tariff side by side: each component as it is until then, and as it is from then."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from taktura.billing.services import Consequence
from taktura.catalog.queries import version_in_force
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract
from taktura.contracts.queries import line_names, lines_on
from taktura.core.facts import LineTerms
from taktura.core.periods import DAY
from taktura.core.terms import parse_terms
from taktura.office import show
from taktura.office.contracts.called import called
from taktura.office.terms import amount_of, notice_of, price_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A contract line before and after; before it empty: it begins."""

    title: str
    before: str
    after: str


def of_tariffs(contract: Contract, given: dict[str, Any], found: Consequence) -> dict[str, Any]:
    """What the preview of a change of tariff shows besides documents."""
    start: date = given["start"]
    before = lines_on(load_one(contract), start - DAY)
    after = lines_on(found.contract, start)
    rows = []
    lines, names = {x.id: x for x in found.contract.lines}, line_names(contract)
    own = {pk: line.on(start).price for pk, line in lines.items()}
    for pk in {**before, **after}:
        old, new = before.get(pk), after.get(pk)
        shown = new or old
        if shown is None or shown[0].charge == "once":
            continue
        after_it = _text(new, contract.currency, own.get(pk)) or _("ends")
        if new and lines[pk].kept == start:
            after_it = _("%(price)s (at its old terms)") % {"price": after_it}
        title = called(shown[0].title, names.get(pk, ""))
        rows.append(Side(title=title, before=_text(old, contract.currency, own.get(pk)), after=after_it))
    return {"side": rows}


def _text(line: tuple[LineTerms, Decimal] | None, currency: str, own: Decimal | None) -> str:
    if line is None:
        return ""
    terms, quantity = line
    price = price_of(terms, currency, own)
    if terms.included:
        price = _("%(price)s, %(included)s included") % {
            "price": price, "included": amount_of(terms.included, terms.unit)
        }  # fmt: skip
    return price if terms.charge == "usage" or quantity == 1 else f"{show.quantity(quantity)} × {price}"


def of_terms(contract: Contract, given: dict[str, Any], found: Consequence) -> list[str]:
    """What becomes of term and notice."""
    if given["keep_terms"]:
        return [_("Term and notice stay as they are.")]
    return [_("Term and notice become those of the new tariff, counted from its first day:"),
            *notice_of(parse_terms(version_in_force(given["tariff"], given["start"]).notice))]  # fmt: skip
