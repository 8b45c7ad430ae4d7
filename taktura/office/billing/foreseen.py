"""The contracts of a forecast as a table: which of them, in which order, as they are shown and saved."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from taktura.billing.forecast import Forecast, Foreseen
from taktura.contracts.models import Contract
from taktura.kit.bulk import among
from taktura.kit.fold import fold
from taktura.office import show
from taktura.office.exports import CSV, as_csv, as_xlsx

CAUSES_SHOWN = 3
KINDS = ("more", "less", "same", "first", "gone")  # parts of the table

Names = Mapping[int, tuple[str, str, str]]  # contract -> its number, the customer's number and name

SORTS: dict[str, Callable[[Foreseen], Any]] = {
    "on": lambda row: row.on or date.max,
    "old": lambda row: row.old,
    "new": lambda row: row.new,
    "difference": lambda row: row.difference,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row as the page has it; `why`: the causes that come to most, with what each comes to."""

    row: Foreseen
    contract: str
    customer: str
    why: list[tuple[str, int]]
    others: int

    @classmethod
    def of(cls, row: Foreseen, names: Names) -> "Shown":
        """The row of a contract."""
        contract, _number, customer = names.get(row.contract, ("", "", ""))
        causes = sorted(row.causes, key=lambda one: -abs(one[1]))
        return cls(
            row=row, contract=contract, customer=customer, why=causes[:CAUSES_SHOWN],
            others=max(0, len(causes) - CAUSES_SHOWN),
        )  # fmt: skip


def rows_of(found: Forecast, currency: str, part: str, cause: str, text: str, sort: str) -> list[Foreseen]:
    """The rows asked for, in the order asked for, else what changes most first. Bills without one before them stand
    apart (`part` first)."""
    rows = [row for row in found.rows if row.currency == currency and _in(row, part)]
    if cause:
        rows = [row for row in rows if cause in dict(row.causes)]
    by, down = sort.removeprefix("-"), sort.startswith("-")
    if text or by == "name":
        names = names_of(rows)
        wanted = fold(text)
        rows = [row for row in rows if any(wanted in fold(word) for word in names.get(row.contract, ()))]
        if by == "name":
            return sorted(rows, key=lambda row: fold(names.get(row.contract, ("", "", ""))[2]), reverse=down)
    return sorted(rows, key=SORTS[by], reverse=down) if by in SORTS else rows


def _in(row: Foreseen, part: str) -> bool:
    if part == "first" or row.is_first:
        return part == "first" and row.is_first
    return {
        "more": row.difference > 0, "less": row.difference < 0, "same": row.difference == 0, "gone": row.on is None
    }.get(part, True)  # fmt: skip


def names_of(rows: Iterable[Foreseen]) -> Names:
    """Numbers and names of contracts and their customers, in one query."""
    found = Contract.objects.filter(pk__in=among({row.contract for row in rows}))
    return {
        pk: (key, number, name)
        for pk, key, number, name in found.values_list("pk", "key", "customer__key", "customer__name")
    }


def export(rows: Iterable[Foreseen], form: str, zone: str) -> HttpResponse:
    """The rows as a file, with all causes of each."""
    rows = list(rows)
    names = names_of(rows)
    heads = [
        _("Contract"), _("Number"), _("Customer"), _("Billed last on"), _("Last bill"), _("Due on"), _("Next bill"),
        _("Difference"), _("Currency"), _("Why"),
    ]  # fmt: skip
    cells = (
        [
            *names.get(row.contract, ("", "", "")), row.last_on, _exact(row.old, row) if row.last_on else None, row.on,
            _exact(row.new, row), _exact(row.difference, row), row.currency,
            "; ".join(f"{show.word('cause', cause)}: {_exact(amount, row)}" for cause, amount in row.causes),
        ]
        for row in rows
    )  # fmt: skip
    return (as_csv if form == CSV else as_xlsx)("forecast", heads, cells, zone)


def _exact(amount: int, row: Foreseen) -> Any:
    return show.exact(amount, row.currency)
