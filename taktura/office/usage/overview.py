"""Usage at a glance: what waits, what is unlinked, what came last, how much came when."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from taktura.office import show
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage.parts import MEANS, tabs
from taktura.usage.groups import REASONS
from taktura.usage.models import UsageFile
from taktura.usage.overview import PERIODS, arrived, counters, suppliers_overview, waiting_by_supplier
from taktura.usage.queries import waiting_by_reason

FILES_SHOWN = 6
DAYS, MONTHS = 31, 12  # that the picture shows
RECENT = timedelta(days=31)


@page("usage.view")
def usage(request: HttpRequest) -> HttpResponse:
    """Has everything arrived, what does not match, why?"""
    seller = seller_of(request)
    counts = waiting_by_reason(seller.pk)
    files = UsageFile.objects.filter(supplier__seller=seller).select_related("supplier").defer("content")
    context = {
        "usage_tabs": tabs("usage"),
        "waiting": [(reason, counts[reason], *MEANS[reason]) for reason in REASONS if counts.get(reason)],
        "records": sum(waiting_by_supplier(seller.pk).values()),
        "counters": counters(seller.pk, actor_of(request).now - RECENT),
        "suppliers": suppliers_overview(seller.pk),
        "files": files.order_by("-received_at", "-pk")[:FILES_SHOWN],
    }
    return render(request, "usage/overview.html", context)


@page("usage.view")
def chart(request: HttpRequest) -> HttpResponse:
    """The picture of records by day or month with its table; asked for by the overview once that is there, since it
    counts many rows."""
    by = request.GET.get("by", "day")
    by = by if by in PERIODS else "day"
    end = today_of(request) + timedelta(days=1)
    if by == "day":
        first = end - timedelta(days=DAYS)
    else:
        number = end.year * 12 + end.month - MONTHS
        first = end.replace(year=number // 12, month=number % 12 + 1, day=1)
    rows = arrived(seller_of(request).pk, by, first, end)
    labels = [show.day(r.start) if by == "day" else show.month(r.start) for r in rows]
    data: dict[str, Any] = {
        "labels": labels,
        "stacked": True,
        "datasets": [
            {"label": _("Recorded"), "data": [r.recorded for r in rows]},
            {"label": _("Waiting"), "data": [r.records - r.recorded for r in rows], "backgroundColor": "#f59f00"},
        ],
    }
    table = [(label, r.recorded, r.records - r.recorded) for label, r in zip(labels, rows, strict=True) if r.records]
    return render(request, "usage/chart.html", {"by": by, "data": data, "table": table})
