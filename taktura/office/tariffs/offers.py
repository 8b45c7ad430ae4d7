"""Offer numbers of a tariff: who was offered it, who came by it?"""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.catalog import offer_numbers as services
from taktura.catalog.models import OfferNumber, Tariff, TariffVersion
from taktura.catalog.queries import title_on
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.customers.detail import SHOWN
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import actor_of, page, today_of
from taktura.office.tariffs.detail import answer, find


class OfferForm(forms.Form):
    """A new offer number."""

    memo = forms.CharField(
        label=lazy("For whom"), max_length=200, required=False, help_text=lazy("Only staff sees it.")
    )
    version = forms.ModelChoiceField(
        label=lazy("Version"), queryset=TariffVersion.objects.none(), empty_label=None,
        help_text=lazy("Who orders by the number gets this version, even when a later one holds by then."),
    )  # fmt: skip
    last_day = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: it never expires."))
    most_uses = forms.IntegerField(
        label=lazy("Uses at most"), required=False, min_value=1, max_value=services.MOST_USES,
        help_text=lazy("How many contracts may come by it. Left empty: any number."),
    )  # fmt: skip

    def __init__(self, *args: Any, tariff: Tariff, today: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = TariffVersion.objects.filter(tariff=tariff).order_by("-valid_from", "-id")
        fields: Any = self.fields
        fields["last_day"].today = today
        fields["version"].queryset = rows
        fields["version"].label_from_instance = version_name
        fields["version"].initial = next((v.pk for v in rows if v.valid_from <= today), None)


def version_name(version: TariffVersion) -> str:
    """What a version is called: by the day from which it holds."""
    since = _("from the beginning") if version.valid_from.year == 1 else _("from %(day)s") % {
        "day": show.day(version.valid_from)}  # fmt: skip
    return f"{version.title}, {since}"


def _states(rows: list[OfferNumber], tariff: Tariff, today: Any) -> list[tuple[OfferNumber, str]]:
    """Numbers with their states; those of a retired tariff open nothing."""
    found = []
    for row in rows:
        state = services.state_of(row, today)
        found.append((row, "retired" if tariff.retired and state == "usable" else state))
    return found


@page("tariffs.view")
def offers(request: HttpRequest, pk: int) -> HttpResponse:
    """All offer numbers of a tariff, the newest first."""
    found = find(request, pk)
    rows = OfferNumber.objects.filter(tariff=pk).select_related("version").annotate(signed=Count("contracts"))
    shown = _states(list(rows.order_by("-id")[:SHOWN]), found, today_of(request))
    return answer(request, found, "tariff_offers", "tariffs/offers.html", rows=shown)


@page("tariffs.change")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an offer number."""
    found = find(request, pk)
    form = OfferForm(request.POST or None, tariff=found, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_offer_number(actor_of(request), tariff=found, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The offer number is made: copy it and give it to whom it is for."))
            return redirect("tariff_offer", pk, made.pk)
    context = {
        "form": form, "title": _("New offer number"), "parent": show_title(found, request),
        "back": reverse("tariff_offers", args=[pk]), "action": _("Make an offer number"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


def show_title(tariff: Tariff, request: HttpRequest) -> str:
    """The title that a tariff has today."""
    return title_on(tariff, today_of(request))


@page("tariffs.view")
def offer(request: HttpRequest, pk: int, offer: int) -> HttpResponse:
    """One offer number: what it opens, whether it can be used, which contracts came by it."""
    tariff = find(request, pk)
    found = get_object_or_404(OfferNumber.objects.select_related("version"), tariff=tariff, pk=offer)
    ((_number, state),) = _states([found], tariff, today_of(request))
    rows = Contract.objects.filter(offer_number=found).select_related("customer").order_by("-id")
    context = {
        "tariff": tariff, "offer": found, "state": state, "version": version_name(found.version),
        "contracts": rows[:SHOWN], "title": show_title(tariff, request),
    }  # fmt: skip
    return render(request, "tariffs/offer.html", context)


@page("tariffs.change")
@require_POST
def revoke(request: HttpRequest, pk: int, offer: int) -> HttpResponse:
    """Let nobody order by a number any more."""
    tariff = find(request, pk)
    services.revoke_offer_number(actor_of(request), number=get_object_or_404(OfferNumber, tariff=tariff, pk=offer))
    messages.success(request, _("The offer number is revoked: nobody can order by it any more."))
    return redirect("tariff_offer", pk, offer)
