"""What came of a what-if: totals, a picture, who gains and who pays more, and a table with an export."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.billing.what_if_result import Kept, OfCustomer
from taktura.catalog.models import Tariff
from taktura.customers.models import Customer
from taktura.kit.bulk import among
from taktura.kit.fold import fold
from taktura.office import show
from taktura.office.exports import CSV, XLSX, as_csv, as_xlsx
from taktura.office.page import page, zone_of
from taktura.office.tariffs.what_if import check_sees, kept_or_404

PAGE = 50
DRAWN = 12  # customers in the picture
SHORT = 26  # characters of a name in it
FAILED_SHOWN = 50
Names = dict[int, tuple[str, str]]  # number and name of customers

SORTS: dict[str, Callable[[OfCustomer], Any]] = {
    "contracts": lambda row: row.contracts,
    "old": lambda row: row.old,
    "new": lambda row: row.new,
    "difference": lambda row: row.difference,
}


@page("billing.view")
@require_safe
def result(request: HttpRequest, what_if: int) -> HttpResponse:
    """What came of it; `sort`, `q` and `page` say which customers, `export` makes a file of them."""
    check_sees(request)
    work, kept = kept_or_404(request, what_if)
    outcome = kept.outcome
    everyone = kept.customers()
    text, sort = request.GET.get("q", "").strip(), request.GET.get("sort", "")
    form = request.GET.get("export", "")
    names = _names(everyone) if text or form or sort.removeprefix("-") == "name" else None
    rows = _ordered(_found(everyone, text, names or {}), sort, names or {})
    if form in (CSV, XLSX):
        return _export(kept, rows, names or {}, form, zone_of(request))
    number = _page(request, len(rows))
    shown = rows[number * PAGE : (number + 1) * PAGE]
    drawn = everyone[:DRAWN]
    names = names or _names([*shown, *drawn])
    more, less = [r for r in everyone if r.difference > 0], [r for r in everyone if r.difference < 0]
    context = {
        "work": work, "kept": kept, "outcome": outcome,
        "of": Tariff.objects.filter(pk=kept.tariff).first() if kept.tariff else None,
        "difference": outcome.new - outcome.old,
        "more": len(more), "more_by": sum(r.difference for r in more),
        "less": len(less), "less_by": sum(r.difference for r in less),
        "same": len(everyone) - len(more) - len(less), "customers": len(everyone),
        "chart": _chart(kept, drawn, names), "drawn": len(drawn),
        "rows": [(row, *names.get(row.customer, ("", ""))) for row in shown],
        "found": len(rows), "q": text, "sort": sort,
        "sums": (sum(r.old for r in rows), sum(r.new for r in rows), sum(r.difference for r in rows)),
        "before": number if number > 0 else None, "after": number + 2 if (number + 1) * PAGE < len(rows) else None,
        "columns": [
            ("name", _("Customer"), False), ("contracts", _("Contracts"), True), ("old", _("Until now"), True),
            ("new", _("With this tariff"), True), ("difference", _("Difference"), True),
        ],
        "failed": outcome.failed[:FAILED_SHOWN],
    }  # fmt: skip
    return render(request, "tariffs/what_if_result.html", context)


def _names(rows: list[OfCustomer]) -> Names:
    found = Customer.objects.filter(pk__in=among({row.customer for row in rows}))
    return {pk: (key, name) for pk, key, name in found.values_list("pk", "key", "name")}


def _found(rows: list[OfCustomer], text: str, names: Names) -> list[OfCustomer]:
    """Those whose number or name holds a text."""
    if not text:
        return rows
    wanted = fold(text)
    return [row for row in rows if any(wanted in fold(word) for word in names.get(row.customer, ()))]


def _ordered(rows: list[OfCustomer], sort: str, names: Names) -> list[OfCustomer]:
    """In the order asked for; else what differs most first."""
    by, down = sort.removeprefix("-"), sort.startswith("-")
    if by == "name":
        return sorted(rows, key=lambda row: fold(names.get(row.customer, ("", ""))[1]), reverse=down)
    return sorted(rows, key=SORTS[by], reverse=down) if by in SORTS else rows


def _page(request: HttpRequest, number: int) -> int:
    """The page asked for, counted from 0, within what there is."""
    asked = request.GET.get("page", "")
    wanted = int(asked) - 1 if asked.isdecimal() and len(asked) < 9 else 0
    return max(0, min(wanted, (number - 1) // PAGE))


def _chart(kept: Kept, rows: list[OfCustomer], names: Names) -> dict[str, Any]:
    """Old against new of the customers for whom most changes."""
    currency = kept.outcome.currency
    return {
        "type": "bar",
        "horizontal": True,
        "currency": currency,
        "labels": [_short(names.get(row.customer, ("", ""))[1]) for row in rows],
        "datasets": [
            {"label": _("Until now"), "data": [str(show.exact(row.old, currency)) for row in rows],
             "backgroundColor": "#667382"},
            {"label": _("With this tariff"), "data": [str(show.exact(row.new, currency)) for row in rows]},
        ],
    }  # fmt: skip


def _short(name: str) -> str:
    """A name as it fits beside a bar; the table has it whole."""
    return name if len(name) <= SHORT else f"{name[: SHORT - 1]}…"


def _export(kept: Kept, rows: list[OfCustomer], names: Names, form: str, zone: str) -> HttpResponse:
    currency = kept.outcome.currency
    heads = [
        _("Number"), _("Customer"), _("Contracts"), _("Until now"), _("With this tariff"), _("Difference"),
        _("Currency"),
    ]  # fmt: skip
    cells = (
        [
            *names.get(row.customer, ("", "")), row.contracts, show.exact(row.old, currency),
            show.exact(row.new, currency), show.exact(row.difference, currency), currency,
        ]
        for row in rows
    )  # fmt: skip
    return (as_csv if form == CSV else as_xlsx)("what-if", heads, cells, zone)
