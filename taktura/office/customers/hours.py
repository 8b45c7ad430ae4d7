"""A customer's included hours: what was agreed, what drew them, and what can be done with them."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.billing.hours import HoursStatement, hours_of, hours_statement_of, rests_on
from taktura.billing.services import change_hours, end_hours, take_back_hours
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.desk.models import Allowance
from taktura.desk.queries import hours_by_id
from taktura.desk.services import include_hours
from taktura.office import show
from taktura.office.customers.detail import answer_customer, find
from taktura.office.customers.hours_forms import ChangeForm, EndForm, HoursForm
from taktura.office.exports import CSV, XLSX, as_csv, as_xlsx
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of, zone_of


def find_hours(request: HttpRequest, pk: int, hours: int) -> Allowance:
    """The customer's included hours, or 404."""
    try:
        found = hours_by_id(seller_of(request).pk, hours)
    except Refused as refused:
        raise Http404 from refused
    if found.customer_id != pk:
        raise Http404
    return found


def state_of(row: Allowance, today: date, left: int | None) -> str:
    """Where included hours stand on a day."""
    if row.start > today:
        return "coming"
    if row.end is not None and row.end <= today:
        return "ended"
    return "running" if left else "used_up"


@page("contracts.view")
def hours(request: HttpRequest, pk: int) -> HttpResponse:
    """A customer's included hours, those that began last first."""
    customer, today = find(request, pk), today_of(request)
    rests = {r.hours.pk: r.left for r in rests_on({pk: customer}, today).get(pk, [])}
    rows = [(row, rests.get(row.pk), state_of(row, today, rests.get(row.pk))) for row in hours_of([pk])]
    return answer_customer(request, pk, "customer_hours", "customers/hours.html", rows=rows)


@page("contracts.view")
def statement(request: HttpRequest, pk: int, hours: int) -> HttpResponse:
    """What was granted, what drew it, what is left; as a file too."""
    row, today = find_hours(request, pk, hours), today_of(request)
    found = hours_statement_of(row, today)
    form = request.GET.get("export")
    if form in (CSV, XLSX):
        return _export(request, found, form)
    context = {
        "customer": row.customer, "hours": row, "statement": found, "today": today,
        "months": [(m, found.waiting.get(m.month, 0)) for m in reversed(found.months)],
        "state": state_of(row, today, found.left), "activities": ", ".join(a.name for a in row.activities.all()),
    }  # fmt: skip
    return render(request, "customers/hours_statement.html", context)


def _export(request: HttpRequest, found: HoursStatement, form: str) -> HttpResponse:
    """The draws, or with `part=months` the months, as a file; times in minutes."""
    write = as_csv if form == CSV else as_xlsx
    name = f"{slug(found.hours.customer.key)}-{found.hours.pk}"
    if request.GET.get("part") == "months":
        heads = [
            _("From"), _("Last day"), _("Granted"), _("Carried over"), _("Time drawn"), _("Not billed yet"), _("Left"),
            _("Dropped"),
        ]  # fmt: skip
        rows: list[list[Any]] = [
            [m.first, None if m.end == date.max else m.end - DAY, m.granted, m.carried, m.drawn,
             found.waiting.get(m.month, 0), m.left, m.dropped]
            for m in found.months
        ]  # fmt: skip
        return write(f"hours-months-{name}", heads, rows, zone_of(request))
    heads = [
        _("Worked on"), _("Ticket"), _("Activity"), _("Worked by"), _("Note"), _("Time drawn"), _("Document"),
    ]  # fmt: skip
    rows = [
        [d.entry.worked_on, str(d.entry.ticket) if d.entry.ticket else "",
         d.entry.activity.name if d.entry.activity else "", str(d.entry.user) if d.entry.user else "", d.entry.note,
         d.minutes, d.document.number if d.document else ""]
        for d in found.draws
    ]  # fmt: skip
    return write(f"hours-{name}", heads, rows, zone_of(request))


def slug(text: str) -> str:
    """What of a text can stand in the name of a file."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)


@page("contracts.change")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a customer included hours."""
    customer, today = find(request, pk), today_of(request)
    initial = {"kind": "monthly", "start": today.replace(day=1)}
    form = HoursForm(request.POST or None, initial=initial, seller=customer.seller, today=today)
    if request.method == "POST" and form.is_valid():
        try:
            made = include_hours(actor_of(request), customer=customer, **form.values())
        except Refused as refused:
            add_refusal(form, refused, {"end": "last"})
        else:
            messages.success(request, _("The included hours are agreed."))
            return redirect("hours", pk, made.pk)
    return _form(request, form, _("New included hours"), customer.name, reverse("customer_hours", args=[pk]))


@page("contracts.change")
def change(request: HttpRequest, pk: int, hours: int) -> HttpResponse:
    """Let monthly hours be others from one of their months on."""
    row, today = find_hours(request, pk, hours), today_of(request)
    if row.kind == "block":
        messages.error(request, _("A block is used up as it is: let it end, and give another."))
        return redirect("hours", pk, hours)
    form = ChangeForm(request.POST or None, hours=row, today=today, left=hours_statement_of(row, today).left)
    if request.method == "POST" and form.is_valid():
        try:
            made = change_hours(actor_of(request), hours=row, **form.values())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The included hours are changed."))
            return redirect("hours", pk, made.pk)
    return _form(request, form, _("Change included hours"), row.title, reverse("hours", args=[pk, hours]))


@page("contracts.change")
def end(request: HttpRequest, pk: int, hours: int) -> HttpResponse:
    """Say on which day included hours end."""
    row, today = find_hours(request, pk, hours), today_of(request)
    initial = {"last": row.end - DAY if row.end else today}
    left = hours_statement_of(row, today).left
    form = EndForm(request.POST or None, initial=initial, today=today, left=left)
    if request.method == "POST" and form.is_valid():
        last = form.cleaned_data["last"]
        try:
            end_hours(actor_of(request), hours=row, end=last + DAY if last else None)
        except Refused as refused:
            add_refusal(form, refused, {"end": "last"})
        else:
            messages.success(request, _("Saved."))
            return redirect("hours", pk, hours)
    return _form(request, form, _("End of the included hours"), row.title, reverse("hours", args=[pk, hours]))


@page("contracts.change")
@require_POST
def take_back(request: HttpRequest, pk: int, hours: int) -> HttpResponse:
    """Take included hours back that no time has drawn."""
    row = find_hours(request, pk, hours)
    try:
        take_back_hours(actor_of(request), hours=row)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("hours", pk, hours)
    messages.success(request, _("The included hours are taken back; the log keeps what they were."))
    return redirect("customer_hours", pk)


def _form(request: HttpRequest, form: Any, title: str, parent: str, back: str) -> HttpResponse:
    context = {"form": form, "title": title, "parent": parent, "back": back}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
