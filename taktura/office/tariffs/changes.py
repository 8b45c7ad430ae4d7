"""Moving the prices of a tariff, retiring it, deleting what nobody ordered."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.catalog.queries import version_in_force
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.page import actor_of, page, today_of
from taktura.office.tariffs.detail import find


class PricesForm(forms.Form):
    """A change of all prices from a day on."""

    percent = ExactNumberField(label=lazy("Change in percent"), help_text=lazy("3 raises all prices by 3 percent."))
    start = DayField(label=lazy("From"))
    applies_to = forms.ChoiceField(label=lazy("Holds for"), widget=forms.RadioSelect, initial="all")

    def __init__(self, *args: Any, today: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["start"].today = today
        fields["applies_to"].choices = [(n, show.word("applies_to", n)) for n in ("all", "new")]


@page("tariffs.change")
def prices(request: HttpRequest, pk: int) -> HttpResponse:
    """Move all prices of a tariff from a day on."""
    found = find(request, pk)
    form = PricesForm(request.POST or None, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        start = form.cleaned_data["start"]
        try:
            changes = catalog.moved_prices(version_in_force(found, start), form.cleaned_data["percent"], None)
            billing.publish_version(
                actor_of(request), tariff=found, valid_from=start, applies_to=form.cleaned_data["applies_to"],
                changes=changes,
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The new prices hold from %(day)s.") % {"day": show.day(start)})
            return redirect("tariff_versions", pk)
    context = {
        "form": form, "title": _("Change prices"), "parent": version_in_force(found, today_of(request)).title,
        "back": reverse("tariff", args=[pk]), "preview_url": reverse("tariff_prices_consequence", args=[pk]),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
@require_POST
def prices_consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """What a change of prices would do: each price before and after, and how many contracts it reaches."""
    found = find(request, pk)
    form = PricesForm(request.POST, today=today_of(request))
    if not form.is_valid():
        return render(request, "tariffs/prices_consequence.html", {"incomplete": True})
    start = form.cleaned_data["start"]
    version = version_in_force(found, start)
    try:
        moved = catalog.moved_prices(version, form.cleaned_data["percent"], None)["lines"]
    except Refused as refused:
        return render(request, "tariffs/prices_consequence.html", {"refused": refused})
    rows = [
        (line.title or line.article.title or line.article.key, before, after)
        for line in version.lines.select_related("article").order_by("position")
        for before, after in _moves(line.terms, moved[line.article.key], found)
    ]
    reached = Contract.objects.filter(tariff=found).filter(Q(end__isnull=True) | Q(end__gt=start)).count()
    for_all = form.cleaned_data["applies_to"] == "all"
    context = {"rows": rows, "reached": reached if for_all else 0, "for_all": for_all, "start": start}
    return render(request, "tariffs/prices_consequence.html", context)


def _moves(terms: dict[str, Any], moved: dict[str, Any], tariff: Tariff) -> list[tuple[str, str]]:
    """Each price of a line, before and after."""
    pairs = [(terms["price"], moved["price"])] if "price" in moved else []
    for before, after in zip(terms.get("tiers") or [], moved.get("tiers") or [], strict=True):
        pairs += [(before[n], after[n]) for n in ("price", "flat") if before.get(n) is not None]
    return [(show.price(Decimal(str(a)), tariff.currency), show.price(b, tariff.currency)) for a, b in pairs]


@page("tariffs.change")
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Let nobody order a tariff any more; beside it stands who has it and goes on."""
    found, today = find(request, pk), today_of(request)
    if request.method == "POST":
        catalog.retire_tariff(actor_of(request), tariff=found)
        messages.success(request, _("The tariff is retired: it cannot be ordered any more."))
        return redirect("tariff", pk)
    having = Contract.objects.filter(tariff=found).filter(Q(end__isnull=True) | Q(end__gt=today))
    leaving = having.filter(end__isnull=False).count()
    context = {
        "form": forms.Form(), "title": _("Retire the tariff"), "parent": version_in_force(found, today).title,
        "back": reverse("tariff", args=[pk]), "action": _("Retire"), "tariff": found,
        "going_on": having.count(), "leaving": leaving, "offer_numbers": found.offer_numbers.exists(),
    }  # fmt: skip
    return render(request, "tariffs/retire.html", context)


@page("tariffs.change")
@require_POST
def offer_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a retired tariff be ordered again."""
    catalog.offer_tariff_again(actor_of(request), tariff=find(request, pk))
    messages.success(request, _("The tariff can be ordered again."))
    return redirect("tariff", pk)


@page("tariffs.change")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a tariff that nobody ordered."""
    found = find(request, pk)
    try:
        catalog.delete_tariff(actor_of(request), tariff=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("tariff", pk)
    messages.success(request, _("The tariff is deleted."))
    return redirect("tariffs")
