"""The next bill of a contract beside its last, in the reader's language: which lines differ, by how much, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from taktura.billing.bills import Issued
from taktura.core.comparison import Comparison, Difference, Reason
from taktura.core.facts import Contract
from taktura.invoices.words import title_of
from taktura.office import show
from taktura.office.terms import amount_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A line that differs: what it came to, what it comes to, and why. A sentence of `why` with what it comes to."""

    title: str
    old: str
    new: str
    amount: str
    why: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownComparison:
    """Two bills beside each other. `same`: how many lines do not differ. `vat`: by how much the VAT differs, empty if
    it does not; `rates`: what of it comes from other rates."""

    on: date
    documents: list[tuple[int, str]]
    rows: list[ShownRow]
    same: int
    net: str
    vat: str
    rates: str
    total: str
    differs: bool


def shown_comparison(found: tuple[Comparison, Issued], contract: Contract, currency: str) -> ShownComparison:
    """A comparison, ready to be shown."""
    comparison, last = found
    units = {line.id: line.terms[-1][1].unit for line in contract.lines}
    rows = [row for row in comparison.rows if row.reasons]
    vat = comparison.vat_follows + comparison.vat_rate
    total = comparison.new.gross - comparison.old.gross
    return ShownComparison(
        on=last.bill.on,
        documents=[(pk, number) for pk, number, _ in last.documents],
        rows=[_row(row, currency, units) for row in rows],
        same=len(comparison.rows) - len(rows),
        net=signed(comparison.difference, currency),
        vat=signed(vat, currency) if vat else "",
        rates=signed(comparison.vat_rate, currency) if comparison.vat_rate else "",
        total=signed(total, currency),
        differs=bool(rows or total),
    )


def signed(amount: int, currency: str) -> str:
    """An amount with its sign, a plus too."""
    text = show.minor(amount, currency)
    return f"+{text}" if amount > 0 else text


def _row(row: Difference, currency: str, units: Mapping[int, str]) -> ShownRow:
    titles = dict(row.titles)
    unit = units.get(row.line or 0, "piece")
    return ShownRow(
        title=titles.get(show.language()) or row.title or title_of(row.kind, show.language()),
        old=show.minor(row.old, currency),
        new=show.minor(row.new, currency),
        amount=signed(row.amount, currency),
        why=[(sentence(reason, currency, unit), signed(reason.amount, currency)) for reason in row.reasons],
    )


def sentence(reason: Reason, currency: str, unit: str = "piece") -> str:
    """Why, in words."""
    values = reason.values
    if "old" in values and "new" in values and reason.cause in ("quantity", "usage"):
        old, new = (amount_of(Decimal(values[side]), unit) for side in ("old", "new"))
        if reason.cause == "usage":
            return _("%(new)s used instead of %(old)s") % {"old": old, "new": new}
        return _("Quantity %(new)s instead of %(old)s") % {"old": old, "new": new}
    if reason.cause == "price":
        return _price(values, currency)
    if reason.cause == "discount" and "new" in values:
        rates = {side: show.rate(Decimal(values[side])) for side in ("old", "new")}
        return _("Discount %(new)s instead of %(old)s") % rates
    if reason.cause == "part_period" and values:
        return " ".join(_parts(values))
    return _PLAIN.get(reason.cause, lambda: show.word("cause", reason.cause))()


def _price(values: Mapping[str, str], currency: str) -> str:
    known = {side: show.price(Decimal(values[side]), currency) for side in ("old", "new") if side in values}
    why = values.get("why", "")
    if len(known) < 2 or known["old"] == known["new"]:
        return {"own": _("Own price of the contract"), "tariff": _("Prices of another tariff")}.get(
            why, _("Prices of a new version of the tariff")
        )
    if why == "own":
        return _("Own price of the contract: %(new)s instead of %(old)s") % known
    if why == "tariff":
        return _("Another tariff: %(new)s instead of %(old)s") % known
    return _("New version of the tariff: %(new)s instead of %(old)s") % known


def _parts(values: Mapping[str, str]) -> Iterator[str]:
    if "old" in values:
        given = {"days": values["old"], "all": values["old_of"]}
        yield {
            "begins": _("The last bill began with %(days)s of %(all)s days."),
            "ends": _("The last bill ended after %(days)s of %(all)s days."),
            "pause": _("The last bill had a pause: %(days)s of %(all)s days."),
        }[values["old_why"]] % given
    if "new" in values:
        given = {"days": values["new"], "all": values["new_of"]}
        yield {
            "begins": _("This bill begins with %(days)s of %(all)s days."),
            "ends": _("This bill ends after %(days)s of %(all)s days."),
            "pause": _("This bill has a pause: %(days)s of %(all)s days."),
        }[values["new_why"]] % given


_PLAIN = {
    "ended": lambda: _("It has ended"),
    "due": lambda: _("Falls due this time"),
    "not_due": lambda: _("Does not fall due this time"),
    "coupon": lambda: _("A coupon begins, ends or takes another share"),
    "interim": lambda: _("An interim bill had billed a part"),
    "other_periods": lambda: _("Earlier periods, billed late"),
    "correction": lambda: _("Corrections of what was issued"),
    "part_period": lambda: _("A pause begins or ends"),
}
