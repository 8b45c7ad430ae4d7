"""Approval of time: what waits, what approving it would cost, and the step itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.billing.hours import Rest, rests_on
from taktura.billing.services import Approval, preview_approval
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import billing_information_complete
from taktura.desk.models import Ticket, TimeEntry
from taktura.desk.queries import waiting_time_of
from taktura.desk.services import approve_time
from taktura.office import seen, show
from taktura.office.customers.gate import gates_of
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of

SHOWN = 500  # pieces of time on the page
MOST = 1000  # approved at once
KEPT = "time_chosen"  # in the session: what is chosen outlasts the form that a gate opens


@dataclass(slots=True)
class OfTicket:
    """The time of a ticket (of none) that waits."""

    ticket: Ticket | None
    entries: list[TimeEntry] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """Their sum, as logged."""
        return sum(e.minutes for e in self.entries)


@dataclass(slots=True)
class OfCustomer:
    """The time of a customer that waits; `complete`: billing information lacks nothing; `rests`: what is
    left of the included hours today."""

    customer: Customer
    complete: bool
    tickets: list[OfTicket] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """Their sum, as logged."""
        return sum(t.minutes for t in self.tickets)

    @property
    def unrated(self) -> bool:
        """Whether there is billable time among it, and no hourly rate."""
        return self.customer.hourly_rate is None and any(e.billable for t in self.tickets for e in t.entries)


class ChosenForm(forms.Form):
    """What is chosen stands in hidden fields."""


def choose(request: HttpRequest, ids: Iterable[int]) -> None:
    """Keep what is to be approved for the next page."""
    request.session[KEPT] = list(ids)[:MOST]


def _sent(request: HttpRequest) -> list[int]:
    given = request.POST.getlist("chosen")
    return [int(pk) for pk in given if pk.isascii() and pk.isdigit() and len(pk) < 19][:MOST]


@page("time.approve")
def waiting(request: HttpRequest) -> HttpResponse:
    """What waits for approval, by customer and ticket; what is chosen is looked at before it is approved."""
    if request.method == "POST":
        ids = _sent(request)
        if ids:
            choose(request, ids)
            return redirect("time_preview")
        messages.warning(request, _("Nothing was chosen."))
        return redirect(request.get_full_path())
    rows = waiting_time_of(seller_of(request).pk)
    key = request.GET.get("customer", "").replace("\0", "")
    if key:
        rows = rows.filter(customer__key=key)
    lacking = request.GET.get("lacking") == "1"
    if lacking:
        rows = rows.filter(customer__complete=False)
    found = list(rows[: SHOWN + 1])
    number = rows.count() if len(found) > SHOWN else len(found)
    grouped = _grouped(found[:SHOWN])
    rests = rests_on({one.customer.pk: one.customer for one in grouped}, today_of(request))
    for one in grouped:
        one.rests = rests.get(one.customer.pk, [])
    context = {
        "customers": grouped, "number": number, "more": len(found) > SHOWN,
        "shown": SHOWN, "filtered": key or lacking,
        "next": urlencode({"next": request.get_full_path()}),
    }  # fmt: skip
    return render(request, "time/approval.html", context)


def _grouped(rows: Iterable[TimeEntry]) -> list[OfCustomer]:
    found: list[OfCustomer] = []
    for row in rows:
        if not found or found[-1].customer.pk != row.customer_id:
            found.append(OfCustomer(row.customer, billing_information_complete(row.customer)))
        tickets = found[-1].tickets
        if not tickets or (tickets[-1].ticket.pk if tickets[-1].ticket else None) != row.ticket_id:
            tickets.append(OfTicket(row.ticket))
        tickets[-1].entries.append(row)
    return found


@page("time.approve")
def preview(request: HttpRequest) -> HttpResponse:
    """What approval of the chosen time costs; sent, it is approved."""
    seller, actor = seller_of(request).pk, actor_of(request)
    ids = _sent(request) if request.method == "POST" else request.session.get(KEPT, [])
    found = preview_approval(actor, seller=seller, entries=ids)
    others = found.others
    if "without" in request.POST:
        choose(request, others)
        return redirect("time_preview")
    form = ChosenForm(request.POST if request.method == "POST" else None)
    shown = seen.guard_facts(request, form, _facts(found))
    if request.method == "POST" and form.is_valid():
        try:
            approved = approve_time(actor, entries=ids, seller=seller)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            request.session.pop(KEPT, None)
            text = ngettext("%(number)s piece of time is approved.", "%(number)s pieces of time are approved.",
                            len(approved))  # fmt: skip
            messages.success(request, text % {"number": show.count(len(approved))})
            return redirect("time_approval")
    if not found.customers:
        messages.info(request, _("Nothing that was chosen waits for approval."))
        return redirect("time_approval")
    here = reverse("time_preview")
    unrated = [one for one in found.customers if one.lacks == "hourly_rate"]
    context: dict[str, Any] = {
        "form": form, "seen": shown, "approval": found, "others": 0 if found.possible else len(others),
        "chosen": [e.pk for one in found.customers for e in one.entries],
        "gates": gates_of([one.customer for one in found.customers], here),
        "why": _("Time cannot be approved before the customer can be billed."),
        "unrated": [(one, f"{reverse('customer_change', args=[one.customer.pk])}?{urlencode({'next': here})}")
                    for one in unrated],
    }  # fmt: skip
    return render(request, "time/preview.html", context, status=422 if form.errors else 200)


def _facts(found: Approval) -> object:
    """What the page shows of what approval does."""
    return [
        (one.customer.pk, one.lacks, one.customer.hourly_rate, one.customer.round_up_minutes, one.minutes, one.amount,
         one.drawn, [e.pk for e in one.entries])
        for one in found.customers
    ]  # fmt: skip
