"""The itemised list of a contract's usage, as a file for the customer: each call with its numbers and its time."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.contracts.models import ContractLine
from taktura.core.periods import DAY
from taktura.office.contracts.frame import find
from taktura.office.exports import CSV, as_xlsx, stream_csv
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.show import language
from taktura.office.typed import read_day
from taktura.usage.calls import Used, all_used, sums_of, used_of

FEW = 100_000  # records of a workbook in memory, with columns that fit


@page("usage.view")
def usage_list(request: HttpRequest, pk: int, form: str) -> HttpResponseBase:
    """All records of the period in which a day lies, the oldest first. Numbers of calls stand as they are kept: masked,
    once their time is over."""
    found, today = find(request, pk), today_of(request)
    day = read_day(request.GET.get("day", ""), language(), today)
    if day is not None and not found.start <= day <= today:
        day = None
    period = billing.standing(actor_of(request), contract=found, day=day).running
    if period is None:
        raise Http404
    lines = ContractLine.objects.filter(contract=found).values_list("pk", "article__key")
    titles = dict(lines) | {line.line: line.terms.title for line in period.lines}
    place = (found.pk, list(titles), period.start, period.end)
    rows = all_used(lambda after, most: used_of(*place, masked=False, after=after, most=most))
    sums, name = sums_of(*place), f"{found.key}-{period.start.isoformat()}"
    heads, cells, zone = _heads(sums.calls > 0), _cells(rows, titles, sums.calls > 0), seller_of(request).time_zone
    if form == CSV:
        return stream_csv(name, heads, cells, zone)
    return as_xlsx(name, heads, cells, zone, many=sums.records > FEW)


def _heads(calls: bool) -> list[str]:
    ends = [_("Caller"), _("Called"), _("Duration in seconds")] if calls else []
    return [_("When"), _("First day"), _("Last day"), _("What"), *ends, _("Quantity")]


def _cells(rows: Iterable[Used], titles: dict[int, str], calls: bool) -> Iterator[list[Any]]:
    for row in rows:
        numbers = [row.caller, row.called, row.seconds] if calls else []
        yield [row.at, row.day, row.end_day - DAY, titles[row.line_id], *numbers, row.quantity]
