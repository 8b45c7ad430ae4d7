"""Making tariffs, copying them, moving their prices, deleting what nobody ordered."""

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
from taktura.core.periods import parse_span
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.lines import TypedLines, adds_a_line, lines_alone, lines_of
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.tariffs.detail import find
from taktura.office.terms import every

ROWS = 3  # empty lines of a new tariff
INTERVALS = ("1 month", "3 months", "6 months", "1 year", "1 week")
NOTICES = ("none", "monthly", "yearly")


class TariffForm(forms.Form):
    """A tariff without its lines."""

    title = forms.CharField(label=lazy("Title"), max_length=200, help_text=lazy("Stands on documents and price lists."))
    key = forms.SlugField(
        label=lazy("Name"), max_length=100, help_text=lazy("Other systems know it by this: letters, digits, - and _.")
    )
    module = forms.CharField(label=lazy("Module"), max_length=100, required=False)
    interval = forms.ChoiceField(label=lazy("Billing interval"))
    anchor = forms.ChoiceField(label=lazy("Periods begin"))
    notice = forms.ChoiceField(label=lazy("Notice"))
    currency = forms.CharField(label=lazy("Currency"), min_length=3, max_length=3)
    vat = ExactNumberField(label=lazy("VAT in percent"), required=False, help_text=lazy("Left empty: the company's."))
    minimum_sales = ExactNumberField(label=lazy("Minimum sales"), required=False, at_least=Decimal(0))
    cost_cap = ExactNumberField(label=lazy("Cost cap"), required=False, at_least=Decimal(0))
    tick = forms.ChoiceField(label=lazy("Tick"))
    public = forms.BooleanField(label=lazy("Public"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["interval"].choices = [(text, every(parse_span(text))) for text in INTERVALS]
        fields["anchor"].choices = [(n, show.word("anchor", n)) for n in ("contract", "calendar")]
        fields["notice"].choices = [(n, show.word("notice", n)) for n in NOTICES]
        fields["tick"].choices = [(n, show.word("tick", n)) for n in ("minute", "second")]


class LineForm(forms.Form):
    """A line of a new tariff."""

    WIDE, COLUMN = frozenset[str](), "col-md-6 col-xl-3"

    key = forms.SlugField(label=lazy("Article"), max_length=100)
    title = forms.CharField(label=lazy("Title"), max_length=200)
    charge = forms.ChoiceField(label=lazy("Billed as"), initial="recurring")
    booking = forms.ChoiceField(label=lazy("Booked"), initial="included")
    unit = forms.ChoiceField(label=lazy("Unit"), initial="piece")
    price = ExactNumberField(label=lazy("Price"), at_least=Decimal(0))
    included = ExactNumberField(label=lazy("Included quantity"), required=False, at_least=Decimal(0))
    in_minimum = forms.BooleanField(label=lazy("Counts for the minimum sales"), required=False)
    in_cap = forms.BooleanField(label=lazy("Counts for the cost cap"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["charge"].choices = [(n, show.word("line", n)) for n in ("recurring", "usage", "once")]
        fields["booking"].choices = [(n, show.word("booking", n)) for n in ("included", "add_on", "on_off")]
        fields["unit"].choices = [(n, show.word("unit", n)) for n in ("piece", "minute")]

    def terms(self) -> dict[str, Any]:
        """The line in the words of the scenario format."""
        values = {n: v for n, v in self.cleaned_data.items() if n != "key" and v not in (None, "", False)}
        if values["charge"] == "usage":
            values.pop("booking")
        return values


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
def new(request: HttpRequest) -> HttpResponse:
    """Make a tariff with its lines."""
    seller = seller_of(request)
    form = TariffForm(request.POST or None, initial={"currency": seller.currency, "interval": "1 month"})
    lines = lines_of(request, LineForm, ROWS)
    if adds_a_line(request):
        form, lines = TariffForm(initial=request.POST.dict()), lines.with_one_more()
    elif request.method == "POST" and form.is_valid() & lines.is_valid():
        fields = {n: v for n, v in form.cleaned_data.items() if v not in (None, "")}
        try:
            made = catalog.define_tariff(
                actor_of(request),
                seller=seller,
                lines=_lines_of(lines),
                **fields | {"currency": fields["currency"].upper()},
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The tariff is made."))
            return redirect("tariff", made.pk)
    return _edited(request, form, lines)


def _lines_of(lines: TypedLines) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in lines.typed():
        key = one.cleaned_data["key"]
        if key in found:
            raise Refused("invalid", "Two lines have the article “%(article)s”: give each its own.", article=key)
        found[key] = one.terms()
    return found


def _edited(request: HttpRequest, form: TariffForm, lines: TypedLines) -> HttpResponse:
    wrong = bool(form.errors or lines.total_error_count())
    context = {
        "form": form, "lines": lines, "title": _("New tariff"), "parent": _("Tariffs"), "back": reverse("tariffs"),
    }  # fmt: skip
    alone = lines_alone(request, context)
    return alone or render(request, "tariffs/new.html", context, status=422 if wrong else 200)


@page("tariffs.change")
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Make another tariff with the same lines, under another name."""
    found = find(request, pk)

    class CopyForm(forms.Form):
        key = TariffForm.base_fields["key"]
        title = TariffForm.base_fields["title"]

    version = version_in_force(found, today_of(request))
    form = CopyForm(request.POST or None, initial={"key": f"{found.key}-2", "title": version.title})
    if request.method == "POST" and form.is_valid():
        fields = catalog.described(version) | {
            "module": found.module, "anchor": found.anchor, "notice": found.notice, "currency": found.currency,
            "trial": str(found.trial) if found.trial else None,
        }  # fmt: skip
        try:
            made = catalog.define_tariff(
                actor_of(request), seller=found.seller, key=form.cleaned_data["key"],
                **fields | {"title": form.cleaned_data["title"]},
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The tariff is copied."))
            return redirect("tariff", made.pk)
    context = {
        "form": form, "title": _("Copy tariff"), "parent": version.title, "back": reverse("tariff", args=[pk]),
        "action": _("Copy"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


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
        "going_on": having.count(), "leaving": leaving,
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
