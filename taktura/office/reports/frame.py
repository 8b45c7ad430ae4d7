"""What all reports share: the period in the address, tabs, a picture with the same figures as a table, a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.billing.reports import MOST_DAYS
from taktura.core.money import money
from taktura.core.periods import DAY, Span, add
from taktura.office import show
from taktura.office.exports import CSV, XLSX, as_csv, as_xlsx
from taktura.office.page import may_open, today_of, user_of, zone_of
from taktura.office.typed import read_day

MONTH, YEAR = Span(1, "month"), Span(1, "year")
SHOWN = 300  # rows on the page; the file has all
DRAWN = 10  # bars of a picture


@dataclass(frozen=True, slots=True)
class Period:
    """`[first, end)`; `wrong`: what was typed cannot be, and the usual period is shown."""

    first: date
    end: date
    wrong: str = ""

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's heading. `narrow`: on a phone it is left out."""

    label: str
    numeric: bool = False
    narrow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row as a page shows it; its first cell leads to `url`."""

    cells: Sequence[Any]
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture: what it shows, in words, and its data as the script reads it."""

    label: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report's page shows, and what its file holds (`rows` under `names`, exact)."""

    slug: str
    title: str
    text: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    figures: Sequence[tuple[str, str]] = ()
    charts: Sequence[Chart] = ()
    choices: Sequence[Mapping[str, Any]] = ()
    note: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)


def period_of(request: HttpRequest, months: int = 12) -> Period:
    """The period that was asked for (`from` and `until`, its last day), else so many months, the running one the
    last."""
    today = today_of(request)
    first, end = add(today.replace(day=1), MONTH, 1 - months), add(today.replace(day=1), MONTH)
    usual = Period(first, end)
    given = [request.GET.get(name, "").strip().replace("\0", "") for name in ("from", "until")]
    days = [read_day(text, show.language(), today) if text else None for text in given]
    for text, found in zip(given, days, strict=True):
        if text and found is None:
            return Period(first, end, _("“%(text)s” is no day: write 16.6.2026, or pick one.") % {"text": text[:40]})
    asked = Period(days[0] or first, days[1] + DAY if days[1] else end)
    if asked.end <= asked.first:
        return Period(usual.first, usual.end, _("The period ends before it begins."))
    if (asked.end - asked.first).days > MOST_DAYS:
        return Period(
            usual.first, usual.end, _("A report covers at most three years: choose a shorter period.")
        )  # fmt: skip
    return asked


def answer(request: HttpRequest, report: Report, period: Period) -> HttpResponse:
    """The page of a report, or its file."""
    form = request.GET.get("export")
    if form in (CSV, XLSX):
        write = as_csv if form == CSV else as_xlsx
        return write(report.slug, report.names, report.rows, zone_of(request))
    query = request.GET.copy()
    query.pop("export", None)
    files = []
    for kind in (CSV, XLSX):
        query["export"] = kind
        files.append({"label": kind.upper(), "url": f"?{query.urlencode()}"})
    context = {
        "report": report, "period": period, "tabs": _tabs(request, report.slug), "files": files,
        "shortcuts": _shortcuts(today_of(request), period, report.kept), "lines": _shown(request, report),
        "number": len(report.lines),
        "charts": [{"id": f"chart-{n}", "chart": c} for n, c in enumerate(report.charts)],
    }  # fmt: skip
    return render(request, "reports/report.html", context)


def _shown(request: HttpRequest, report: Report) -> list[dict[str, Any]]:
    """The rows as the template needs them. All lead to the same kind of page: the first tells whether it is open."""
    lines = report.lines[:SHOWN]
    address = next((line.url for line in lines if line.url), "")
    linked = bool(address) and may_open(user_of(request), address)
    return [
        {"url": line.url if linked else "", "cells": list(zip(report.heads, line.cells, strict=True))} for line in lines
    ]


def _tabs(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    known = [
        ("reports", "hours", _("Hours")), ("report_unapproved", "unapproved", _("Unapproved time")),
        ("report_waiting", "waiting", _("Billing information")), ("report_levels", "levels", _("Service levels")),
        ("report_customers", "customers", _("Customers")),
    ]  # fmt: skip
    tabs = [{"label": label, "url": reverse(name), "active": slug == active} for name, slug, label in known]
    return [tab for tab in tabs if may_open(user_of(request), str(tab["url"]))]


def _shortcuts(today: date, period: Period, kept: Mapping[str, str]) -> list[dict[str, Any]]:
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    spans = [
        (_("This month"), month, add(month, MONTH)), (_("Last month"), add(month, MONTH, -1), month),
        (_("12 months"), add(month, MONTH, -11), add(month, MONTH)), (_("This year"), year, add(year, YEAR)),
        (_("Last year"), add(year, YEAR, -1), year),
    ]  # fmt: skip
    more = "".join(f"&{name}={value}" for name, value in kept.items())
    return [
        {"label": label, "url": f"?from={first}&until={end - DAY}{more}",
         "here": (first, end) == (period.first, period.end)}
        for label, first, end in spans
    ]  # fmt: skip


def months_of(period: Period) -> list[date]:
    """The months that a period touches, by their first days."""
    found, month = [], period.first.replace(day=1)
    while month < period.end:
        found.append(month)
        month = add(month, MONTH)
    return found


def in_hours(minutes: int) -> str:
    """Minutes as hours, as the script of pictures reads them."""
    return f"{hours_exact(minutes):f}"


def hours_exact(minutes: int) -> Decimal:
    """Minutes as hours with two decimals, for a file."""
    return money(Fraction(minutes, 60), 2).exact


def short(name: str) -> str:
    """A name as a picture has room for it; the table has all of it."""
    return name if len(name) <= 28 else f"{name[:27]}…"
