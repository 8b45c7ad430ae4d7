"""The reports: hours worked, time that waits, what customers bring."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.billing import reports
from taktura.billing.reports import HOURS_BY, CustomerResult, Hours
from taktura.office import show
from taktura.office.page import page, seller_of, today_of
from taktura.office.reports.frame import (
    DRAWN,
    Chart,
    Head,
    Line,
    Period,
    Report,
    answer,
    hours_exact,
    in_hours,
    months_of,
    period_of,
    short,
)

STACKED = 7  # parts of a bar with a name of their own; the rest together
ALL = 36  # months in which what waits is looked for
CHARTS = 3  # currencies with a picture of their own; the table has all
REVENUE, COST = "#0b6e4f", "#f59f00"


@page("desk.view")
def hours(request: HttpRequest) -> HttpResponse:
    """Hours worked by month, of each customer, user, or activity."""
    by = request.GET.get("by", "")
    by = by if by in HOURS_BY else "customer"
    period = period_of(request)
    rows = reports.hours_worked(seller_of(request).pk, period.first, period.end, by)
    words = {"customer": _("Customer"), "user": _("Worked by"), "activity": _("Activity")}
    query = f"from={period.first}&until={period.last}"
    minutes, billable = sum(r.minutes for r in rows), sum(r.billable for r in rows)
    report = Report(
        slug="hours", title=_("Hours worked"),
        text=_("Time as it was logged, by the day on which it was worked; approved or not."),
        heads=[
            Head(label=words[by]), Head(label=_("Hours"), numeric=True), Head(label=_("Billable"), numeric=True),
            *(Head(label=show.month(month), numeric=True, narrow=True) for month in months_of(period)[-12:]),
        ],
        lines=[_hours_line(row, by, period) for row in rows],
        names=[_("Month"), words[by], _("Number"), _("Hours"), _("Billable")],
        rows=[
            [month, _called(row), row.key, hours_exact(number), hours_exact(row.billable_months[month])]
            for row in rows for month, number in sorted(row.months.items())
        ],
        figures=[(_("Hours"), show.hours(minutes)), (_("Billable"), show.hours(billable))],
        charts=[Chart(label=_("Hours worked by month"), data=_by_month(rows, period))] if rows else [],
        choices=[{"label": words[name], "url": f"?by={name}&{query}", "here": name == by} for name in HOURS_BY],
        note=_("The columns show the last twelve months of the period; the file has all.")
        if len(months_of(period)) > 12 else "",
        kept={"by": by},
    )  # fmt: skip
    return answer(request, report, period)


def _called(row: Hours) -> str:
    return row.name or _("None given")


def _hours_line(row: Hours, by: str, period: Period) -> Line:
    months = (row.months.get(month) for month in months_of(period)[-12:])
    cells = [_called(row), show.hours(row.minutes), show.hours(row.billable)]
    url = reverse("customer", args=[row.pk]) if by == "customer" and row.pk is not None else ""
    return Line(cells=[*cells, *(show.hours(n) if n else show.NONE for n in months)], url=url)


def _by_month(rows: Sequence[Hours], period: Period) -> dict[str, Any]:
    months = months_of(period)
    sets = [
        {"label": short(_called(row)), "data": [in_hours(row.months.get(m, 0)) for m in months]}
        for row in rows[:STACKED]
    ]
    if rest := rows[STACKED:]:
        sums = [in_hours(sum(row.months.get(m, 0) for row in rest)) for m in months]
        sets.append({"label": _("All others"), "data": sums})
    return {"stacked": True, "labels": [show.month(m) for m in months], "datasets": sets}


@page("desk.view")
def unapproved(request: HttpRequest) -> HttpResponse:
    """Time that waits for approval, by customer and age."""
    period, today = period_of(request, ALL), today_of(request)
    rows = reports.unapproved_time(seller_of(request).pk, today, period.first, period.end)
    ages = _ages()
    drawn = sorted(rows, key=lambda r: -r.minutes)[:DRAWN]
    sets = [{"label": age, "data": [in_hours(row.ages[n]) for row in drawn]} for n, age in enumerate(ages)]
    total = sum(r.minutes for r in rows)
    report = Report(
        slug="unapproved", title=_("Unapproved time"),
        text=_("Time that waits for approval, by how many days ago it was worked; the oldest first."),
        heads=[
            Head(label=_("Customer")), Head(label=_("Oldest"), narrow=True), Head(label=_("Hours"), numeric=True),
            *(Head(label=age, numeric=True, narrow=True) for age in ages),
            Head(label=_("Billing information"), narrow=True),
        ],
        lines=[
            Line(
                url=reverse("customer", args=[row.pk]),
                cells=[
                    row.name, show.day(row.oldest), show.hours(row.minutes),
                    *(show.hours(n) if n else show.NONE for n in row.ages),
                    _("Complete") if row.complete else _("Missing"),
                ],
            )
            for row in rows
        ],
        names=[_("Number"), _("Customer"), _("Oldest"), _("Hours"), *ages, _("Pieces of time")],
        rows=[
            [row.key, row.name, row.oldest, hours_exact(row.minutes), *map(hours_exact, row.ages), row.pieces]
            for row in rows
        ],
        figures=[(_("Hours"), show.hours(total)), *_of_ages(ages, rows)],
        charts=[Chart(label=_("Unapproved time by customer and age"), data={
            "stacked": True, "horizontal": True, "labels": [short(row.name) for row in drawn],
            "datasets": sets,
        })] if rows else [],
    )  # fmt: skip
    return answer(request, report, period)


def _ages() -> list[str]:
    bounds = reports.AGES
    first = _("Up to %(days)s days") % {"days": bounds[0]}
    middle = [_("%(first)s to %(last)s days") % {"first": a + 1, "last": b} for a, b in pairwise(bounds)]
    return [first, *middle, _("Over %(days)s days") % {"days": bounds[-1]}]


def _of_ages(ages: Sequence[str], rows: Sequence[reports.UnapprovedTime]) -> list[tuple[str, str]]:
    return [(ages[-1], show.hours(sum(row.ages[-1] for row in rows)))]


@page("control.view")
def waiting(request: HttpRequest) -> HttpResponse:
    """Time that cannot be billed, since billing information lacks; what it is worth."""
    seller, period = seller_of(request), period_of(request, ALL)
    currency = seller.currency
    rows = reports.time_without_billing_information(seller.pk, currency, period.first, period.end)
    worth = sum((row.worth for row in rows if row.worth is not None), Decimal(0))
    unknown = sum(1 for row in rows if row.worth is None)
    note = ngettext(
        "%(shown)s customer has no hourly rate: its time has no worth here.",
        "%(shown)s customers have no hourly rate: their time has no worth here.", unknown,
    ) % {"shown": show.count(unknown)} if unknown else ""  # fmt: skip
    drawn = rows[:DRAWN]
    report = Report(
        slug="waiting", title=_("Time that waits for billing information"),
        text=_(
            "Time of customers whose billing information lacks something: it cannot be approved or billed before. Its"
            " worth is the billable time at the hourly rate as it was logged, before it is rounded up and included"
            " hours are drawn."
        ),
        heads=[
            Head(label=_("Customer")), Head(label=_("Oldest"), narrow=True), Head(label=_("Hours"), numeric=True),
            Head(label=_("Billable"), numeric=True, narrow=True), Head(label=_("Worth"), numeric=True),
        ],
        lines=[
            Line(
                url=reverse("customer_billing", args=[row.pk]),
                cells=[
                    row.name, show.day(row.oldest), show.hours(row.minutes), show.hours(row.billable),
                    show.NONE if row.worth is None else show.money(row.worth, currency),
                ],
            )
            for row in rows
        ],
        names=[_("Number"), _("Customer"), _("Oldest"), _("Hours"), _("Billable"), _("Worth"), _("Currency")],
        rows=[
            [row.key, row.name, row.oldest, hours_exact(row.minutes), hours_exact(row.billable), row.worth, currency]
            for row in rows
        ],
        figures=[(_("Hours"), show.hours(sum(row.minutes for row in rows))), (_("Worth"), show.money(worth, currency))],
        charts=[Chart(label=_("Hours that wait, by customer"), data={
            "horizontal": True, "labels": [short(row.name) for row in drawn],
            "datasets": [{"label": _("Hours"), "data": [in_hours(row.minutes) for row in drawn]}],
        })] if rows else [],
        note=note,
    )  # fmt: skip
    return answer(request, report, period)


@page("control.view")
def results(request: HttpRequest) -> HttpResponse:
    """What customers bring: revenue, cost of suppliers, and the hours worked."""
    seller, period = seller_of(request), period_of(request)
    rows = reports.customer_results(seller.pk, period.first, period.end)
    currencies = list(dict.fromkeys(row.currency for row in rows))
    figures = []
    for currency in currencies:
        mine = [row for row in rows if row.currency == currency]
        for label, value in (
            (_("Revenue"), sum((r.revenue for r in mine), Decimal(0))),
            (_("Cost of suppliers"), sum((r.cost for r in mine), Decimal(0))),
            (_("Difference"), sum((r.margin for r in mine), Decimal(0))),
        ):
            figures.append((label, show.money(value, currency)))
    figures.append((_("Hours"), show.hours(sum(row.minutes for row in rows))))
    report = Report(
        slug="customers", title=_("Profitability of customers"),
        text=_(
            "Revenue is the net of the documents issued in the period, less credit notes. Cost is what suppliers"
            " delivered on its days for the customer; hours worked stand beside it, without a cost. The least"
            " difference comes first; currencies are not added."
        ),
        heads=[
            Head(label=_("Customer")), Head(label=_("Revenue"), numeric=True, narrow=True),
            Head(label=_("Cost of suppliers"), numeric=True, narrow=True), Head(label=_("Difference"), numeric=True),
            Head(label=_("Hours"), numeric=True),
        ],
        lines=[
            Line(
                url=reverse("customer", args=[row.pk]),
                cells=[
                    row.name, *(show.money(n, row.currency) for n in (row.revenue, row.cost, row.margin)),
                    show.hours(row.minutes) if row.minutes else show.NONE,
                ],
            )
            for row in rows
        ],
        names=[
            _("Number"), _("Customer"), _("Currency"), _("Documents"), _("Revenue"), _("Cost of suppliers"),
            _("Difference"), _("Hours"),
        ],
        rows=[
            [r.key, r.name, r.currency, r.documents, r.revenue, r.cost, r.margin, hours_exact(r.minutes)] for r in rows
        ],
        figures=figures,
        charts=[_results_chart(c, [row for row in rows if row.currency == c]) for c in currencies[:CHARTS]],
    )  # fmt: skip
    return answer(request, report, period)


def _results_chart(currency: str, rows: Sequence[CustomerResult]) -> Chart:
    drawn = sorted(rows, key=lambda r: (-max(r.revenue, r.cost), r.name))[:DRAWN]
    return Chart(
        label=_("Revenue and cost of suppliers by customer (%(currency)s)") % {"currency": currency},
        data={
            "horizontal": True, "currency": currency, "labels": [short(row.name) for row in drawn],
            "datasets": [
                {"label": _("Revenue"), "backgroundColor": REVENUE, "data": [f"{row.revenue:f}" for row in drawn]},
                {"label": _("Cost of suppliers"), "backgroundColor": COST, "data": [f"{row.cost:f}" for row in drawn]},
            ],
        },
    )  # fmt: skip
