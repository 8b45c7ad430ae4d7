"""What people say to alerts, and who is told of them."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.accounts.permissions import ROLES
from taktura.control import services
from taktura.control.models import Alert, AlertRecipients
from taktura.core.errors import Refused
from taktura.office import seen, show
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of

MOST_AT_ONCE = 1_000


class IgnoreForm(forms.Form):
    """Until when alerts rest."""

    alerts = forms.CharField(widget=forms.HiddenInput, required=False)
    until = DayField(
        label=lazy("Ignore until"), required=False,
        help_text=lazy("On this day they are open again. Left empty, they rest for good."),
    )  # fmt: skip

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["until"].today = today  # type: ignore[attr-defined]


class RecipientsForm(forms.Form):
    """Who gets mails about new alerts."""

    addresses = forms.CharField(
        label=lazy("Addresses"), required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("One on each line."),
    )  # fmt: skip
    roles = forms.MultipleChoiceField(
        label=lazy("Users with the role"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["roles"].choices = [(r, show.word("role", r)) for r in ROLES]  # type: ignore[attr-defined]


@page("control.change")
def ignore(request: HttpRequest) -> HttpResponse:
    """Let alerts rest until a day: those named by the form, or one of the address."""
    if request.method != "POST":
        given = request.GET.get("alert", "")
        return ignore_page(request, [int(given)] if given.isdecimal() and len(given) < 18 else [])
    form = IgnoreForm(request.POST, today=today_of(request))
    if form.is_valid():
        ids = [int(pk) for pk in form.cleaned_data["alerts"].split(",") if pk.isdecimal() and len(pk) < 18]
        until = form.cleaned_data["until"]
        try:
            number = services.ignore(
                actor_of(request), seller=seller_of(request), alerts=ids[:MOST_AT_ONCE], until=until
            )
        except Refused as refused:
            add_refusal(form, refused, {"": "until"})
        else:
            text = ngettext("%(count)s alert is ignored.", "%(count)s alerts are ignored.", number)
            messages.success(request, text % {"count": show.count(number)})
            return redirect(reverse("alert", args=ids) if len(ids) == 1 else reverse("control"))
    return _page(request, form)


@page("control.change")
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open an ignored alert again."""
    get_object_or_404(Alert, seller=seller_of(request), pk=pk)
    if services.reopen(actor_of(request), seller=seller_of(request), alerts=[pk]):
        messages.success(request, _("The alert is open again."))
    return redirect("alert", pk)


@page("settings.change")
def recipients(request: HttpRequest) -> HttpResponse:
    """Choose who gets mails about new alerts."""
    seller = seller_of(request)
    known = AlertRecipients.objects.filter(seller=seller).first()
    initial = {"addresses": "\n".join(known.addresses), "roles": known.roles} if known else {}
    form = RecipientsForm(request.POST or None, initial=initial)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.set_alert_recipients(
                actor_of(request), seller=seller, addresses=data["addresses"].split(), roles=data["roles"]
            )
        except Refused as refused:
            add_refusal(form, refused, {"": "addresses"})
        else:
            messages.success(request, _("Saved."))
            return redirect("control")
    context = {
        "form": form, "title": _("Who is told of new alerts"), "back": reverse("control"), "parent": _("Alerts"),
        "seen": shown,
    }  # fmt: skip
    return render(request, "control/recipients.html", context, status=422 if form.errors else 200)


def ignore_page(request: HttpRequest, ids: list[int]) -> HttpResponse:
    """The form that asks until when alerts rest."""
    return _page(request, IgnoreForm(initial={"alerts": ",".join(map(str, ids))}, today=today_of(request)))


def _page(request: HttpRequest, form: IgnoreForm) -> HttpResponse:
    given = form["alerts"].value() or ""
    number = len(given.split(",")) if given else 0
    title = ngettext("Ignore %(count)s alert", "Ignore %(count)s alerts", number) % {"count": show.count(number)}
    context = {
        "form": form, "title": title, "back": reverse("control"), "parent": _("Alerts"), "action": _("Ignore"),
        "ignore_url": reverse("ignore_alerts"),
    }  # fmt: skip
    return render(request, "control/ignore.html", context, status=422 if form.errors else 200)
