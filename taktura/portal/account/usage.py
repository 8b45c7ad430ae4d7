"""Single usage records in the portal: those of a contract's period, for all of its people; those behind a line of a
document, for administrators. What a supplier charges for them is never told."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.billing import services as billing
from taktura.billing.explain import Explanation, explain
from taktura.billing.running import Running
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.customers.models import PortalAccess
from taktura.invoices.models import Document
from taktura.office import show
from taktura.office.contracts.usage import duration
from taktura.office.exports import stream_csv
from taktura.office.terms import amount_of
from taktura.portal.account.frame import answer, find, today_of
from taktura.portal.page import ADMINISTRATORS, CUSTOMER, actor_of, portal_page
from taktura.usage.calls import Place, Sums, Used, all_used, sums_behind, sums_of, used_behind, used_of

PAGE = 50
DIGITS = 18  # of an id
Titles = dict[int, tuple[str, str]]  # what a line is called, and its unit


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as the page shows it."""

    at: str
    title: str
    caller: str
    called: str
    quantity: str


@portal_page(CUSTOMER)
@require_safe
def usage(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """The records of the running period, or of that in which `day` lies, the newest first; of one `line`, or of all."""
    contract, today = find(access, pk), today_of(access)
    period = _period(request, access, contract)
    titles, chosen = _lines(request, period)
    rows = used_of(
        contract.pk, chosen, period.start, period.end, masked=not access.administers, newest_first=True,
        after=_place(request), most=PAGE + 1,
    )  # fmt: skip
    until = min(today, (contract.end or date.max) - DAY)
    return answer(
        request, access, "portal_customer", "portal/usage.html",
        title=_("Itemised list"), above=(reverse("portal_contract", args=[access.customer_id, pk]), contract.key),
        days=show.period(period.start, period.end),
        **_page(request, access, rows, titles, sums_of(contract.pk, chosen, period.start, period.end)),
        lines=sorted(((pk, title) for pk, (title, _unit) in titles.items()), key=itemgetter(1, 0)),
        chosen=chosen[0] if len(chosen) == 1 < len(titles) else None,
        earlier=period.start - DAY if period.start > contract.start else None,
        later=period.end if period.end <= until else None,
        file=reverse("portal_usage_csv", args=[access.customer_id, pk]), masks=not access.administers,
    )  # fmt: skip


@portal_page(CUSTOMER)
@require_safe
def usage_csv(request: HttpRequest, access: PortalAccess, pk: int) -> StreamingHttpResponse:
    """The same records as a file, all of them, the oldest first."""
    contract = find(access, pk)
    period = _period(request, access, contract)
    titles, chosen = _lines(request, period)
    span, masked = (period.start, period.end), not access.administers
    rows = all_used(lambda after, most: used_of(contract.pk, chosen, *span, masked=masked, after=after, most=most))
    calls = sums_of(contract.pk, chosen, *span).calls > 0
    return _file(access, f"{contract.key}-{period.start.isoformat()}", rows, titles, calls)


@portal_page(ADMINISTRATORS)
@require_safe
def line_usage(request: HttpRequest, access: PortalAccess, pk: int, position: int) -> HttpResponse:
    """The records that were billed by a line of a document, as they were then."""
    document, found = _explained(access, pk, position)
    assert found.behind is not None
    rows = used_behind(found.behind, after=_place(request), most=PAGE + 1)
    return answer(
        request, access, "portal_documents", "portal/usage.html",
        title=_("Itemised list: %(what)s") % {"what": found.title},
        above=(reverse("portal_document", args=[access.customer_id, pk]), document.number),
        days=show.period(found.first, found.end) if found.first else "",
        **_page(request, access, rows, {found.behind.line: (found.title, found.line.unit)}, sums_behind(found.behind)),
        file=reverse("portal_document_usage_csv", args=[access.customer_id, pk, position]),
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_safe
def line_usage_csv(request: HttpRequest, access: PortalAccess, pk: int, position: int) -> StreamingHttpResponse:
    """The same records as a file, all of them."""
    document, found = _explained(access, pk, position)
    assert found.behind is not None
    behind, titles = found.behind, {found.behind.line: (found.title, found.line.unit)}
    rows = all_used(lambda after, most: used_behind(behind, after=after, most=most))
    return _file(access, f"{document.number}-{position}", rows, titles, sums_behind(behind).calls > 0)


def _period(request: HttpRequest, access: PortalAccess, contract: Contract) -> Running:
    """The period in which `day` lies, else the running one; 404 before the first."""
    today, day = today_of(access), None
    with suppress(ValueError):  # none, or one that somebody made up
        day = date.fromisoformat(request.GET.get("day", ""))
    if day is not None and not contract.start <= day <= today:
        day = None
    period = billing.standing(actor_of(request), contract=contract, day=day).running
    if period is None:
        raise Http404
    return period


def _lines(request: HttpRequest, period: Running) -> tuple[Titles, list[int]]:
    """The usage lines of a period by their titles, and those whose records are looked at: of `line`, or of all."""
    titles = {line.line: (line.terms.title, line.terms.unit) for line in period.lines}
    asked = request.GET.get("line", "")
    chosen = int(asked) if asked.isdecimal() and len(asked) <= DIGITS else 0
    return titles, [chosen] if chosen in titles else list(titles)


def _explained(access: PortalAccess, pk: int, position: int) -> tuple[Document, Explanation]:
    """A line of the customer's documents that was made from usage, or 404."""
    document = get_object_or_404(Document.objects.filter(customer=access.customer_id), pk=pk)
    try:
        found = explain(document, position)
    except Refused as refused:
        raise Http404 from refused
    if found.behind is None:
        raise Http404
    return document, found


def _page(request: HttpRequest, access: PortalAccess, rows: list[Used], titles: Titles, sums: Sums) -> dict[str, Any]:
    """A page of records, with what all of them come to, and where the next page begins."""
    zone, last = access.customer.seller.time_zone, rows[PAGE - 1] if len(rows) > PAGE else None
    return {
        "rows": list(_shown(rows[:PAGE], titles, zone)), "records": sums.records, "calls": sums.calls > 0,
        "duration": duration(sums.seconds), "after": _cursor(last) if last else "",
        "begun": "after" in request.GET, "several": len(titles) > 1,
    }  # fmt: skip


def _shown(rows: Iterable[Used], titles: Titles, zone: str) -> Iterator[Shown]:
    for row in rows:
        title, unit = titles.get(row.line_id, ("", "piece"))
        quantity = amount_of(row.quantity, unit) if row.quantity is not None else show.NONE
        yield Shown(
            at=show.period(row.day, row.end_day) if row.is_span else show.moment(row.at, zone),
            title=title, caller=row.caller or "", called=row.called or "",
            quantity=duration(row.seconds) if row.seconds is not None else quantity,
        )  # fmt: skip


def _file(access: PortalAccess, name: str, rows: Iterable[Used], titles: Titles, calls: bool) -> StreamingHttpResponse:
    heads = [_("Caller"), _("Called"), _("Duration in seconds")] if calls else []
    cells = (
        [row.at, row.day, row.end_day - DAY, titles.get(row.line_id, ("", ""))[0],
         *([row.caller, row.called, row.seconds] if calls else []), row.quantity]
        for row in rows
    )  # fmt: skip
    return stream_csv(
        name, [_("When"), _("First day"), _("Last day"), _("What"), *heads, _("Quantity")], cells,
        access.customer.seller.time_zone,
    )  # fmt: skip


def _cursor(row: Used) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.at.isoformat(), row.place]).encode()).decode()


def _place(request: HttpRequest) -> Place | None:
    """Where a page begins; what somebody made up counts as the beginning."""
    try:
        at, place = json.loads(base64.urlsafe_b64decode(request.GET.get("after", "")))
        told = datetime.fromisoformat(at)
        return (told, int(place)) if told.tzinfo and 0 <= int(place) < 10**DIGITS else None
    except (ValueError, TypeError):
        return None
