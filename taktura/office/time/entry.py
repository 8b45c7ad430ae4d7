"""Time logged, corrected and removed by hand."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import TimeEntry
from taktura.desk.queries import ticket_by_number, time_of
from taktura.invoices.models import Document
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, next_of, page, seller_of, today_of, user_of
from taktura.office.time.forms import PlaceForm, TimeForm


def find(request: HttpRequest, pk: int) -> TimeEntry:
    """The seller's worked time, or 404."""
    return get_object_or_404(time_of(seller_of(request).pk), pk=pk)


@page("desk.change")
def new(request: HttpRequest) -> HttpResponse:
    """Log time; `?ticket=` or `?customer=` (numbers) say where it belongs."""
    seller, today = seller_of(request), today_of(request)
    initial: dict[str, Any] = {
        "ticket": request.GET.get("ticket", ""), "customer": request.GET.get("customer", ""), "worked_on": today,
        "user": str(user_of(request).pk),
    }  # fmt: skip
    form = PlaceForm(request.POST or None, initial=initial, seller=seller, today=today)
    back = next_of(request) or reverse("time")
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            ticket = ticket_by_number(seller.pk, data["ticket"]) if data["ticket"] else None
            made = services.log_time(actor_of(request), ticket=ticket, customer=data["customer"], **form.values())
        except Refused as refused:
            add_refusal(form, refused, {"": "ticket"} if refused.code == "not_found" else {})
        else:
            messages.success(request, _("%(time)s are logged.") % {"time": show.hours(made.minutes)})
            return redirect(back)
    context = {"form": form, "title": _("Log time"), "parent": _("Time"), "back": back}
    return render(request, "sales/choose.html", context, status=422 if form.errors else 200)


@page("desk.view")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """One piece of work: what it is; corrected until it is approved."""
    entry, today = find(request, pk), today_of(request)
    open_ = entry.status == "submitted" and user_of(request).may("desk.change")
    if not open_:
        return render(request, "time/entry.html", {"entry": entry, "document": _document_of(entry)})
    initial = {
        "minutes": entry.minutes, "worked_on": entry.worked_on, "note": entry.note,
        "activity": str(entry.activity_id or ""), "billable": "yes" if entry.billable else "no",
        "user": str(entry.user_id or ""),
    }  # fmt: skip
    form = TimeForm(request.POST or None, initial=initial, seller=seller_of(request), today=today, kept=entry.activity)
    shown = seen.guard(request, form)
    back = next_of(request) or reverse("time")
    if request.method == "POST" and form.is_valid():
        try:
            services.correct_time(actor_of(request), entry=entry, **form.values())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect(back)
    context = {
        "form": form, "title": _("Correct time"), "parent": _("Time"), "back": back, "seen": shown, "entry": entry,
    }  # fmt: skip
    return render(request, "time/correct.html", context, status=422 if form.errors else 200)


def _document_of(entry: TimeEntry) -> Document | None:
    """Where billed time stands."""
    if entry.status != "billed":
        return None
    return Document.objects.filter(time_charges__works__entry=entry).first()


@page("time.approve")
@require_POST
def open_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the approval of one piece of time back, until it is billed."""
    entry = find(request, pk)
    try:
        services.unapprove_time(actor_of(request), entries=[entry.pk], seller=seller_of(request).pk)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The time is open again: it can be corrected."))
    return redirect("time_change", pk)


@page("desk.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove time that is not approved."""
    entry = find(request, pk)
    try:
        services.remove_time(actor_of(request), entry=entry)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The time is removed; the log keeps what it was."))
    return redirect("time")
