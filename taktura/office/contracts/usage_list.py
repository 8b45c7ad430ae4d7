"""The itemised list of a contract's usage, as a file for the customer: each call with its numbers and its time."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.billing.running import Running
from taktura.office.contracts.frame import find
from taktura.office.exports import CSV, as_csv, as_xlsx
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.show import language
from taktura.office.typed import read_day
from taktura.usage.models import UsageRecord
from taktura.usage.queries import records_of

MOST = 100_000  # rows of a period


@page("usage.view")
def usage_list(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """All records of the period in which a day lies, the oldest first. Numbers of calls stand as they are kept: masked,
    once their time is over."""
    found, today = find(request, pk), today_of(request)
    day = read_day(request.GET.get("day", ""), language(), today)
    if day is not None and not found.start <= day <= today:
        day = None
    period = billing.standing(actor_of(request), contract=found, day=day).running
    if period is None:
        raise Http404
    rows = list(records_of(found.pk, period.start, period.end).order_by("at", "id").select_related("line")[:MOST])
    calls = any(row.seconds is not None for row in rows)
    name = f"{found.key}-{period.start.isoformat()}"
    write = as_csv if form == CSV else as_xlsx
    return write(name, _heads(calls), _cells(rows, period, calls), seller_of(request).time_zone)


def _heads(calls: bool) -> list[str]:
    ends = [_("Caller"), _("Called"), _("Duration in seconds")] if calls else []
    return [_("When"), _("First day"), _("Last day"), _("What"), *ends, _("Quantity")]


def _cells(rows: list[UsageRecord], period: Running, calls: bool) -> Iterator[list[Any]]:
    titles = {line.line: line.terms.title for line in period.lines}
    for row in rows:
        told = row.attributes or {}
        numbers = [told.get("caller"), told.get("called"), row.seconds] if calls else []
        last = row.end_day.fromordinal(row.end_day.toordinal() - 1)
        yield [row.at, row.day, last, titles.get(row.line_id or 0, row.article), *numbers, row.quantity]
