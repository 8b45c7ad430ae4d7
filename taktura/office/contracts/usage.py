"""The usage of a contract: the running period against what is included and the cap, and the records behind it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.billing.running import Bound, LineUsage, Running
from taktura.contracts.models import Contract
from taktura.core.periods import DAY
from taktura.office import show
from taktura.office.contracts.frame import answer, find
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.terms import amount_of, price_of
from taktura.office.typed import read_day
from taktura.usage.models import UsageRecord
from taktura.usage.queries import records_of

RECORDS = 50
CLOSE = 80  # percent, from which a bar warns


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar with its words: `share` of the width, `level` as colour, `text` what it says."""

    title: str
    text: str
    share: str | None
    percent: str
    level: str
    amount: str
    price: str = ""


@page("usage.view")
def usage(request: HttpRequest, pk: int) -> HttpResponse:
    """The usage of the running period, line by line."""
    found, today = find(request, pk), today_of(request)
    day = read_day(request.GET.get("day", ""), show.language(), today)
    if day is not None and not found.start <= day <= today:
        day = None
    stands = billing.standing(actor_of(request), contract=found, day=day)
    period = stands.running
    rows, after = _records(request, found, period) if period else ([], None)
    return answer(
        request,
        found,
        "contract_usage",
        "contracts/usage.html",
        stands,
        period=period,
        bars=[usage_bar(x, found.currency) for x in period.lines] if period else [],
        bounds=bounds_of(period, found.currency) if period else [],
        earlier=period.start - DAY if period and period.start > found.start else None,
        later=period.end if period and period.end <= min(today, (found.end or date.max) - DAY) else None,
        rows=rows,
        after=after,
        before=request.GET.get("after"),
        calls=any(row["called"] for row in rows),
    )


def usage_bar(line: LineUsage, currency: str) -> Bar:
    """What was used of a line, against what is included."""
    unit = line.terms.unit
    text = used = amount_of(line.quantity, unit)
    named = {"used": used, "included": amount_of(line.included, unit), "beyond": amount_of(line.beyond, unit)}
    if line.included and line.beyond:
        text = _("%(used)s: %(included)s included, %(beyond)s beyond") % named
    elif line.included:
        text = _("%(used)s of %(included)s included") % named
    return Bar(
        title=line.terms.title,
        text=text,
        share=str(line.share) if line.share is not None else None,
        percent=show.rate(line.share * 100) if line.share is not None and not line.beyond else "",
        level="primary",
        amount=show.minor(line.amount.minor, currency),
        price=price_of(line.terms, currency),
    )


def bounds_of(period: Running, currency: str) -> list[Bar]:
    """How far the minimum and the cap of a period are reached."""
    found = []
    for title, bound, is_cap in ((_("Minimum sales"), period.minimum, False), (_("Cost cap"), period.cap, True)):
        if bound is not None:
            found.append(_bound(title, bound, currency, is_cap=is_cap))
    return found


def _bound(title: str, bound: Bound, currency: str, *, is_cap: bool) -> Bar:
    named = {"reached": show.minor(bound.reached.minor, currency), "amount": show.minor(bound.amount.minor, currency)}
    reached = bound.share >= 1
    text = _("%(reached)s of %(amount)s") % named
    if reached:
        text = (_("%(reached)s: the cap of %(amount)s holds") if is_cap else _("%(reached)s: above %(amount)s")) % named
    return Bar(
        title=title,
        text=text,
        share=str(bound.share),
        percent="" if reached else show.rate(bound.share * 100),
        level="warning" if is_cap and bound.share * 100 >= CLOSE else "primary",
        amount="",
    )


def _records(request: HttpRequest, contract: Contract, period: Running) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the records of the period, and where the next begins."""
    rows = records_of(contract.pk, period.start, period.end).select_related("file")
    day, _sign, pk = request.GET.get("after", "").partition(":")
    with suppress(ValueError):  # a place that somebody made up
        rows = _beyond(rows, date.fromisoformat(day), int(pk)) if pk.isdecimal() else rows
    found = list(rows.defer("digest")[: RECORDS + 1])
    named = {x.line: x.terms for x in period.lines}
    shown = [
        {
            "record": r,
            "title": named[r.line_id].title if r.line_id in named else r.article,
            "quantity": _quantity(r, named[r.line_id].unit if r.line_id in named else "piece"),
            "called": (r.attributes or {}).get("called", "") if r.seconds is not None else "",
            "at": show.moment(r.at, seller_of(request).time_zone) if not r.is_span else show.period(r.day, r.end_day),
        }
        for r in found[:RECORDS]
    ]
    last = found[RECORDS - 1] if len(found) > RECORDS else None
    return shown, f"{last.day.isoformat()}:{last.pk}" if last else None


def _beyond(rows: Any, day: date, pk: int) -> Any:
    return rows.filter(Q(day__lt=day) | Q(day=day, pk__lt=pk))


def _quantity(record: UsageRecord, unit: str) -> str:
    if record.seconds is not None:
        return duration(record.seconds)
    return amount_of(record.quantity, unit) if record.quantity is not None else show.NONE


def duration(seconds: int) -> str:
    """Seconds as h:mm:ss."""
    return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
