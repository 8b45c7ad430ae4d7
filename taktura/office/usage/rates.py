"""Exchange rates: the register by day, entering and loading them, and converting what is recorded again."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.core.errors import Refused
from taktura.core.exchange import Rate
from taktura.customers.models import Seller
from taktura.office import show
from taktura.office.forms import CurrencyField, DayField, ExactNumberField, add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage.key_ties import say
from taktura.office.usage.parts import from_text, tabs
from taktura.usage import services as usage
from taktura.usage.groups import parts_of
from taktura.usage.models import ExchangeRate, SubscriptionLink
from taktura.usage.reader.rates import HEADINGS, read_rates

PLACES = {"base": "base", "quote": "quote", "source": "base", "target": "quote"}


class RateForm(forms.Form):
    """A rate of a day."""

    base = CurrencyField(label=lazy("One unit of"))
    quote = CurrencyField(label=lazy("in"))
    day = DayField(label=lazy("Day"), help_text=lazy("It holds from this day until the next rate."))
    rate = ExactNumberField(label=lazy("is worth"), at_least=Decimal(0), help_text=lazy("As in 1 EUR = 1.0823 USD."))

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["day"].today = today  # type: ignore[attr-defined]


class RatesFileForm(forms.Form):
    """A file of rates."""

    file = forms.FileField(
        label=lazy("File"), widget=forms.ClearableFileInput(attrs={"accept": ".xml,.csv,.txt"}),
        help_text=lazy(
            "The European Central Bank's reference rates as XML, of a day or all of them, or CSV with the headings"
            " from, to, day, rate."
        ),
    )  # fmt: skip


class AgainForm(forms.Form):
    """Which usage is to be converted again."""

    source = CurrencyField(label=lazy("Amounts in"))
    target = CurrencyField(label=lazy("of contracts in"))
    first = DayField(label=lazy("First day"))
    last = DayField(label=lazy("Last day"))

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("first", "last"):
            self.fields[name].today = today  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """What the service takes beside actor and seller."""
        given = self.cleaned_data
        return {
            "source": given["source"], "target": given["target"], "first": given["first"],
            "end": given["last"] + timedelta(days=1),
        }  # fmt: skip


@page("usage.view")
def rates(request: HttpRequest) -> HttpResponseBase:
    """The register, the last day first."""
    seller = seller_of(request)
    rows = ExchangeRate.objects.filter(seller=seller)
    return list_page(
        request,
        Listing(
            slug="exchange_rates", title=_("Exchange rates"), rows=rows, columns=list(_columns(seller)), order="-day",
            filters=[
                Filter(
                    name="currency", label=_("Currency"), is_text=True,
                    apply=lambda found, value: found.filter(Q(base=value.upper()) | Q(quote=value.upper())),
                ),
                Filter(name="on", label=_("On"), is_day=True, apply=lambda found, value: found.filter(day=value)),
            ],
            link=lambda r: reverse("exchange_rate", args=[r.pk]),
            primary=Link(
                label=_("Load rates"), url=reverse("exchange_rates_load"), permission="usage.change", icon="upload"
            ),
            links=[
                Link(label=_("Enter a rate"), url=reverse("exchange_rate_new"), permission="usage.change", icon="plus"),
                Link(label=_("Convert again"), url=reverse("convert_again"), permission="usage.change",
                     icon="refresh"),
            ],
            empty_title=_("No exchange rates yet"),
            empty_text=_(
                "They are needed for suppliers' amounts in another currency than the contract's, where the contract"
                " allows it."
            ),
            template="usage/list.html", more={"usage_tabs": tabs("exchange_rates")},
        ),
    )  # fmt: skip


def _columns(seller: Seller) -> Iterator[Column]:
    yield Column(name="day", label=_("Day"), value=lambda r: show.day(r.day), raw=lambda r: r.day, sort="day")
    yield Column(name="base", label=_("One unit of"), value=lambda r: r.base, sort="base")
    yield Column(
        name="rate", label=_("is worth"), value=lambda r: show.quantity(r.rate), raw=lambda r: r.rate, numeric=True
    )
    yield Column(name="quote", label=_("in"), value=lambda r: r.quote, sort="quote")
    yield Column(
        name="source",
        label=_("Source"),
        value=lambda r: _("by hand") if r.source == usage.BY_HAND else r.source,
        narrow=True,
    )
    yield Column(
        name="changed", label=_("Entered"), value=lambda r: show.moment(r.changed_at, seller.time_zone),
        raw=lambda r: r.changed_at, narrow=True,
    )  # fmt: skip
    yield Column(name="by", label=_("By"), value=lambda r: r.by, shown=False)


@page("usage.change")
def new(request: HttpRequest) -> HttpResponse:
    """Enter a rate."""
    initial = {"day": today_of(request), **_wanted(request)}
    form = RateForm(request.POST or None, today=today_of(request), initial=initial)
    if request.method == "POST" and form.is_valid() and _entered(request, form):
        return redirect("exchange_rates")
    context = {
        "form": form, "title": _("Enter a rate"), "back": reverse("exchange_rates"), "parent": _("Exchange rates"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("usage.change")
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a rate, or take it out."""
    known = get_object_or_404(ExchangeRate, pk=pk, seller=seller_of(request))
    initial = {name: getattr(known, name) for name in ("base", "quote", "day", "rate")}
    form = RateForm(request.POST or None, today=today_of(request), initial=initial)
    for name in ("base", "quote", "day"):
        form.fields[name].disabled = True
    if request.method == "POST" and form.is_valid() and _entered(request, form):
        return redirect("exchange_rates")
    context = {
        "form": form, "known": known, "back": reverse("exchange_rates"), "parent": _("Exchange rates"),
        "title": _("%(base)s in %(quote)s of %(day)s")
        % {"base": known.base, "quote": known.quote, "day": show.day(known.day)},
    }  # fmt: skip
    return render(request, "usage/rate.html", context, status=422 if form.errors else 200)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """The rate that a group of waiting usage lacks: from which currency to which, on its first day."""
    key = from_text(request.GET.get("group", "")) if request.GET.get("group") else None
    part = parts_of(seller_of(request).pk, key).select_related("record").order_by("first").first() if key else None
    if part is None:
        return {}
    tied = SubscriptionLink.objects.filter(
        subscription__supplier=part.record.supplier_id, subscription__folded=part.record.subscription
    )
    tie = tied.select_related("line__contract").order_by("-pk").first()
    quote = tie.line.contract.currency if tie else ""
    return {"base": part.record.currency, "quote": quote, "day": part.record.day}


def _entered(request: HttpRequest, form: RateForm) -> bool:
    given = form.cleaned_data
    one = Rate(given["base"], given["quote"], given["day"], given["rate"])
    return _set(request, form, [one], usage.BY_HAND, "rate")


def _set(request: HttpRequest, form: forms.Form, found: list[Rate], source: str, place: str) -> bool:
    """Take rates in and say what became of them; a refusal stands in the form."""
    try:
        taken, tied = billing.set_rates(actor_of(request), seller=seller_of(request), rates=found, source=source)
    except Refused as refused:
        add_refusal(form, refused, {"": place, "currency": place})
        return False
    numbers = {"new": show.count(taken.new), "changed": show.count(taken.changed), "same": show.count(taken.same)}
    messages.success(
        request, _("Rates: %(new)s new, %(changed)s corrected, %(same)s were there as they are.") % numbers
    )
    if taken.changed:
        messages.info(request, _("What is recorded keeps the rate that it has. “Convert again” changes that."))
    if tied.recorded or tied.waiting:
        say(request, tied)
    return True


@page("usage.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rate out of the register."""
    known = get_object_or_404(ExchangeRate, pk=pk, seller=seller_of(request))
    usage.remove_rate(
        actor_of(request), seller=known.seller, base=known.base, quote=known.quote, day=known.day
    )  # fmt: skip
    messages.success(request, _("The rate is taken out. Records that have it keep it."))
    return redirect("exchange_rates")


@page("usage.change")
def load(request: HttpRequest) -> HttpResponse:
    """Load a file of rates."""
    form = RatesFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            found, source = read_rates(form.cleaned_data["file"].read())
        except Refused as refused:
            add_refusal(form, refused, {"": "file"})
        else:
            if _set(request, form, found, source, "file"):
                return redirect("exchange_rates")
    context = {
        "form": form, "title": _("Load rates"), "back": reverse("exchange_rates"), "parent": _("Exchange rates"),
        "action": _("Load"), "headings": ", ".join(HEADINGS),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("usage.change")
def again(request: HttpRequest) -> HttpResponse:
    """Give converted usage of some days the rates of now."""
    form = AgainForm(request.POST or None, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            found, issued = billing.convert_again(actor_of(request), seller=seller_of(request), **form.arguments())
        except Refused as refused:
            add_refusal(form, refused, {"currency": "source"})
        else:
            text = ngettext(
                "%(count)s record has another rate now.", "%(count)s records have another rate now.", found.records
            )
            messages.success(request, text % {"count": show.count(found.records)})
            if issued:
                text = ngettext(
                    "%(count)s interim bill was issued.", "%(count)s interim bills were issued.", len(issued)
                )
                messages.info(request, text % {"count": show.count(len(issued))})
            return redirect("exchange_rates")
    context = {
        "form": form, "title": _("Convert again"), "back": reverse("exchange_rates"), "parent": _("Exchange rates"),
        "action": _("Convert again"), "preview_url": reverse("convert_again_preview"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("usage.change")
@require_POST
def again_preview(request: HttpRequest) -> HttpResponse:
    """What converting again would change."""
    form = AgainForm(request.POST, today=today_of(request))
    context: dict[str, Any] = {"problems": [], "found": None}
    if form.is_valid():
        try:
            with transaction.atomic():  # what it finds stays in a table until then
                context["found"] = usage.foresee_conversion(seller=seller_of(request), **form.arguments())
        except Refused as refused:
            context["problems"] = [show.refusal(refused)]
    return render(request, "usage/convert_again.html", context)
