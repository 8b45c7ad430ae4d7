"""Coupons: which are there, which can be redeemed, who has one, by which codes?"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.catalog import coupons as services
from taktura.catalog.models import Article, Coupon
from taktura.contracts.models import ContractCoupon
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.fold import matching
from taktura.office import show
from taktura.office.customers.detail import SHOWN
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.seen import guard
from taktura.office.templatetags.office import state

KINDS = ("percent", "amount")


class CouponForm(forms.Form):
    """A coupon; its code only when it is new, what it takes off only until it was redeemed."""

    key = forms.CharField(
        label=lazy("Code"), max_length=services.MOST_CHARACTERS,
        help_text=lazy("Whoever knows it can redeem the coupon, until you draw codes. Case and hyphens do not count."),
    )  # fmt: skip
    title = forms.CharField(label=lazy("Title"), max_length=200, required=False, help_text=lazy("Only staff sees it."))
    percent = ExactNumberField(label=lazy("Percent off"), required=False)
    amount = ExactNumberField(
        label=lazy("Or an amount off"), required=False,
        help_text=lazy("Once each billing period, in the currency of the contract."),
    )  # fmt: skip
    periods = forms.IntegerField(
        label=lazy("Billing periods"), required=False, min_value=1, max_value=1000,
        help_text=lazy("For how many it counts. Left empty: for good."),
    )  # fmt: skip
    lines = forms.MultipleChoiceField(
        label=lazy("Articles"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=lazy("None chosen: all lines of the contract."),
    )  # fmt: skip
    first_day = DayField(
        label=lazy("First day"), required=False, help_text=lazy("On which it can be redeemed. Left empty: at once.")
    )
    last_day = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: it never expires."))
    most_uses = forms.IntegerField(
        label=lazy("Uses at most"), required=False, min_value=1, max_value=services.MOST_USES,
        help_text=lazy("How many contracts may redeem it. Left empty: any number."),
    )  # fmt: skip

    def __init__(self, *args: Any, seller: Seller, today: date, coupon: Coupon | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        articles = Article.objects.filter(seller=seller).order_by("title", "key")
        fields["lines"].choices = [(a.key, a.title or a.key) for a in articles]
        for name in ("first_day", "last_day"):
            fields[name].today = today
        if coupon is not None:
            del self.fields["key"]
        if coupon is not None and coupon.uses:
            for name in ("percent", "amount", "periods", "lines"):
                fields[name].disabled = True
                fields[name].help_text = lazy("Fixed: it has been redeemed.")


def find(request: HttpRequest, pk: int) -> Coupon:
    """The seller's coupon, or 404."""
    return get_object_or_404(Coupon.objects.select_related("seller").filter(seller=seller_of(request)), pk=pk)


def off_of(coupon: Coupon, currency: str) -> str:
    """What a coupon takes off."""
    if coupon.percent is not None:
        return show.rate(coupon.percent)
    return show.price(coupon.amount or Decimal(0), currency)


def periods_of(coupon: Coupon) -> str:
    """For how many billing periods it counts."""
    if coupon.periods is None:
        return _("for good")
    text = ngettext("%(count)s billing period", "%(count)s billing periods", coupon.periods)
    return text % {"count": show.count(coupon.periods)}


def uses_of(coupon: Coupon) -> str:
    """How often it was redeemed, of how often it can be."""
    if coupon.most_uses is None:
        return show.count(coupon.uses)
    return _("%(uses)s of %(most)s") % {"uses": show.count(coupon.uses), "most": show.count(coupon.most_uses)}


@page("tariffs.view")
def coupons(request: HttpRequest) -> HttpResponseBase:
    """All coupons of the seller."""
    seller, today = seller_of(request), today_of(request)
    return list_page(
        request,
        Listing(
            slug="coupons",
            title=_("Coupons"),
            rows=Coupon.objects.filter(seller=seller),
            columns=list(_columns(seller, today)),
            order="key",
            filters=[
                Filter(
                    name="state", label=_("State"),
                    choices=[(s, show.word("coupon_state", s)) for s in services.STATES],
                    apply=lambda rows, value: services.in_state(rows, value, today),
                ),
                Filter(
                    name="off", label=_("Takes off"), choices=[(k, show.word("coupon_off", k)) for k in KINDS],
                    apply=lambda rows, value: rows.filter(**{f"{value}__isnull": False}),
                ),
            ],
            search=_search,
            link=lambda c: reverse("coupon", args=[c.pk]),
            primary=Link(label=_("New coupon"), url=reverse("coupon_new"), permission="tariffs.change"),
            empty_title=_("No coupons yet"),
            empty_text=_("A coupon takes a percentage or an amount off, for some billing periods or for good."),
        ),
    )  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    return matching(rows, text, "key", "title")


def _columns(seller: Seller, today: date) -> Iterator[Column]:
    yield Column(name="key", label=_("Code"), value=lambda c: c.key, sort="key")
    yield Column(name="title", label=_("Title"), value=lambda c: c.title or show.NONE, sort="title", narrow=True)
    yield Column(
        name="state", label=_("State"), value=lambda c: state("coupon_state", services.state_of(c, today)),
        raw=lambda c: show.word("coupon_state", services.state_of(c, today)),
    )  # fmt: skip
    yield Column(name="takes", label=_("Takes off"), value=lambda c: off_of(c, seller.currency), numeric=True)
    yield Column(name="periods", label=_("For"), value=periods_of, sort="periods", empty=2_000_000_000, narrow=True)
    yield Column(
        name="first_day", label=_("First day"), value=lambda c: show.day(c.first_day), raw=lambda c: c.first_day,
        sort="first_day", empty=date.min, narrow=True,
    )  # fmt: skip
    yield Column(
        name="last_day", label=_("Last day"), value=lambda c: show.day(c.last_day), raw=lambda c: c.last_day,
        sort="last_day", empty=date.max, narrow=True,
    )  # fmt: skip
    yield Column(
        name="uses", label=_("Uses"), value=uses_of, raw=lambda c: c.uses, sort="uses", numeric=True, narrow=True
    )


@page("tariffs.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a coupon."""
    seller = seller_of(request)
    form = CouponForm(request.POST or None, seller=seller, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.define_coupon(actor_of(request), seller=seller, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"coupon": "key"})
        else:
            messages.success(request, _("The coupon is made: it can be redeemed by its code, or draw codes for it."))
            return redirect("coupon", made.pk)
    context = {
        "form": form, "title": _("New coupon"), "parent": _("Coupons"), "back": reverse("coupons"),
        "action": _("Make a coupon"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a coupon; what it takes off stays once it was redeemed."""
    found = find(request, pk)
    form = CouponForm(
        request.POST or None, seller=found.seller, today=today_of(request), coupon=found,
        initial=services.stored(found),
    )  # fmt: skip
    shown = guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_coupon(actor_of(request), coupon=found, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("coupon", pk)
    context = {
        "form": form, "title": _("Change the coupon"), "parent": found.key, "back": reverse("coupon", args=[pk]),
        "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.view")
def coupon(request: HttpRequest, pk: int) -> HttpResponse:
    """One coupon: what it takes off, whether it can be redeemed, who has it."""
    found, today = find(request, pk), today_of(request)
    free, used, revoked = Q(used_at=None, revoked_at=None), Q(used_at__isnull=False), Q(revoked_at__isnull=False)
    codes = found.codes.aggregate(
        all=Count("pk"), free=Count("pk", filter=free), used=Count("pk", filter=used),
        revoked=Count("pk", filter=revoked),
    )  # fmt: skip
    rows = ContractCoupon.objects.filter(coupon=found).select_related("contract__customer", "code").order_by("-id")
    titles = dict(Article.objects.filter(seller=found.seller, key__in=found.articles).values_list("key", "title"))
    context = {
        "coupon": found, "state": services.state_of(found, today), "off": off_of(found, found.seller.currency),
        "periods": periods_of(found), "uses": uses_of(found), "codes": codes, "rows": rows[:SHOWN],
        "in_all": rows.count(), "most_entries": SHOWN, "articles": [titles.get(a) or a for a in found.articles],
    }  # fmt: skip
    return render(request, "tariffs/coupon.html", context)


@page("tariffs.change")
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a coupon off, or on again."""
    off = request.POST.get("off") == "1"
    services.switch_coupon(actor_of(request), coupon=find(request, pk), off=off)
    if off:
        messages.success(request, _("The coupon is switched off: nobody can redeem it any more."))
    else:
        messages.success(request, _("The coupon is switched on again."))
    return redirect("coupon", pk)
