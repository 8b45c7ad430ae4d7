"""The timer of whoever is signed in: started, paused, and stopped, which logs the time after a look at it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.desk import clocked_minutes
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.models import Activity, RunningTime
from taktura.desk.queries import ticket_by_number, timer_of
from taktura.office import show
from taktura.office.contracts.customer_field import CustomerField
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, back_of, next_of, page, seller_of, user_of
from taktura.office.time.forms import TimeForm


class StartForm(forms.Form):
    """What is worked on from now on."""

    ticket = forms.IntegerField(
        label=lazy("Number of the ticket"), required=False, min_value=1, max_value=2**31 - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    customer = CustomerField(
        label=lazy("Customer"), required=False, help_text=lazy("Where the time belongs to no ticket.")
    )
    activity = forms.ChoiceField(label=lazy("Activity"), required=False)
    note = forms.CharField(label=lazy("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        of_customer: Any = self.fields["customer"]
        of_customer.of(seller)
        of_customer.widget.attrs["hx-get"] = reverse("ticket_customers")
        self.activities = {a.pk: a for a in Activity.objects.filter(seller=seller, active=True).order_by("name")}
        choices = [("", _("Without")), *((str(a.pk), a.name) for a in self.activities.values())]
        self.fields["activity"].choices = choices  # type: ignore[attr-defined]


class StopForm(TimeForm):
    """What the timer counted, to be corrected before it is logged. It is the time of whose timer it is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["user"]

    def values(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        self.cleaned_data["user"] = ""
        return {name: value for name, value in super().values().items() if name != "user"}


@page("desk.change")
def timer(request: HttpRequest) -> HttpResponse:
    """The timer with what it counted, to be logged; or the form that starts one."""
    found = timer_of(user_of(request).pk)
    return _start(request) if found is None else _stop(request, found)


def _start(request: HttpRequest) -> HttpResponse:
    seller = seller_of(request)
    initial = {"ticket": request.GET.get("ticket", ""), "customer": request.GET.get("customer", "")}
    form = StartForm(request.POST or None, initial=initial, seller=seller)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            ticket = ticket_by_number(seller.pk, data["ticket"]) if data["ticket"] else None
            services.start_timer(
                actor_of(request), ticket=ticket, customer=data["customer"], note=" ".join(data["note"].split()),
                activity=form.activities[int(data["activity"])] if data["activity"] else None,
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, {"": "ticket"} if refused.code == "not_found" else {})
        else:
            messages.success(request, _("The timer runs."))
            return redirect(next_of(request) or "timer")
    context = {
        "form": form, "title": _("Start the timer"), "parent": _("Time"), "back": reverse("time"),
        "action": _("Start"),
    }  # fmt: skip
    return render(request, "sales/choose.html", context, status=422 if form.errors else 200)


def _stop(request: HttpRequest, found: RunningTime) -> HttpResponse:
    actor, seller = actor_of(request), found.customer.seller
    asked = services.ran_overnight(actor, found)
    counted = services.seconds_of(actor, found)
    initial: dict[str, Any] = {
        "worked_on": services.started_on(found), "note": found.note, "activity": str(found.activity_id or "")
    }  # fmt: skip
    if not asked and counted <= services.MOST_MINUTES * 60:
        initial["minutes"] = clocked_minutes(counted)
    form = StopForm(
        request.POST or None, initial=initial, seller=seller, today=actor.today(seller.time_zone), kept=None
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.stop_timer(actor, timer=found, **form.values())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("%(time)s are logged.") % {"time": show.hours(made.minutes)})
            return redirect("ticket", made.ticket_id) if made.ticket_id else redirect("time")
    context = {
        "form": form, "title": _("Stop the timer"), "parent": _("Time"), "back": reverse("time"), "running": found,
        "asked": asked, "long": counted > services.MOST_MINUTES * 60, "counted": counted,
        "action": _("Log time"),
    }  # fmt: skip
    return render(request, "time/timer.html", context, status=422 if form.errors else 200)


@page("desk.change")
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Start the timer on a ticket, from its page; where another runs, that is shown."""
    number = request.POST.get("ticket", "")
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise Refused("not_found", "There is no ticket %(number)s.", number=number)
        services.start_timer(actor_of(request), ticket=ticket_by_number(seller_of(request).pk, int(number)))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("timer")
    messages.success(request, _("The timer runs."))
    return redirect(back_of(request))


@page("desk.change")
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Let the timer rest, or with `on=1` run again."""
    found = timer_of(user_of(request).pk)
    try:
        if found is None:
            raise Refused("not_found", "The timer was stopped already.")
        act = services.go_on_with_timer if request.POST.get("on") == "1" else services.pause_timer
        act(actor_of(request), timer=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    return redirect(back_of(request))


@page("desk.change")
@require_POST
def drop(request: HttpRequest) -> HttpResponse:
    """Take the timer away and log nothing."""
    found = timer_of(user_of(request).pk)
    if found is not None:
        try:
            services.drop_timer(actor_of(request), timer=found)
        except Refused as refused:
            messages.error(request, show.refusal(refused))
        else:
            messages.success(request, _("The timer is thrown away: nothing was logged."))
    return redirect("time")
