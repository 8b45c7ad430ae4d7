"""What is done in time, and who may approve it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import Activity
from taktura.desk.queries import settings_of
from taktura.office import seen
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of


class ActivityForm(forms.Form):
    """An activity."""

    name = forms.CharField(label=lazy("Name"), max_length=100)
    billable = forms.BooleanField(label=lazy("Billable, unless it is said otherwise"), required=False)


class ChangeForm(ActivityForm):
    """An activity that is there."""

    active = forms.BooleanField(label=lazy("Offered when time is logged"), required=False)


@page("settings.view")
def settings(request: HttpRequest) -> HttpResponse:
    """All activities, and whether who worked may approve."""
    seller = seller_of(request).pk
    activities = Activity.objects.filter(seller=seller).order_by("name")
    context = {"activities": activities, "own": settings_of(seller).own_approval}
    return render(request, "time/settings.html", context)


@page("settings.change")
@require_POST
def own(request: HttpRequest) -> HttpResponse:
    """Let who worked approve the time, or no more."""
    allowed = request.POST.get("on") == "1"
    services.set_own_approval(actor_of(request), seller=seller_of(request), allowed=allowed)
    messages.success(
        request, _("Who worked may approve the time.") if allowed else _("Somebody else approves than who worked.")
    )
    return redirect("time_settings")


@page("settings.change")
def new(request: HttpRequest) -> HttpResponse:
    """Add an activity."""
    form = ActivityForm(request.POST if request.method == "POST" else None, initial={"billable": True})
    if request.method == "POST" and form.is_valid():
        try:
            services.add_activity(actor_of(request), seller=seller_of(request), **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("time_settings")
    return _form(request, form, _("New activity"))


@page("settings.change")
def change(request: HttpRequest, activity: int) -> HttpResponse:
    """Change an activity."""
    found = get_object_or_404(Activity, pk=activity, seller=seller_of(request))
    initial = {name: getattr(found, name) for name in ("name", "billable", "active")}
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=initial)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_activity(actor_of(request), activity=found, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("time_settings")
    return _form(request, form, _("Change activity"), seen=shown)


def _form(request: HttpRequest, form: forms.Form, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "parent": _("Activities"), "back": reverse("time_settings"), **more}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
