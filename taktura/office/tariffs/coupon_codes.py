"""The codes of a coupon: which are free, which contract used which? Drawn in bulk, saved as a file, revoked."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.catalog import coupons as services
from taktura.catalog.models import Coupon, CouponCode
from taktura.catalog.offer_numbers import folded
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, may_open, page, user_of
from taktura.office.tariffs.coupons import find
from taktura.office.templatetags.office import state

STATES: dict[str, dict[str, Any]] = {
    "free": {"used_at": None, "revoked_at": None},
    "used": {"used_at__isnull": False},
    "revoked": {"revoked_at__isnull": False},
}


class DrawForm(forms.Form):
    """How many codes."""

    count = forms.IntegerField(
        label=lazy("How many"), min_value=1, max_value=services.MOST_CODES,
        help_text=lazy("Each is for one contract, and cannot be guessed."),
    )  # fmt: skip
    memo = forms.CharField(
        label=lazy("For whom"), max_length=200, required=False,
        help_text=lazy("Only staff sees it: by it you find these codes again."),
    )  # fmt: skip


@page("tariffs.view")
def codes(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All codes of a coupon."""
    found, user = find(request, pk), user_of(request)
    linked = may_open(user, reverse("contract", args=[1]))

    def menu(code: CouponCode) -> list[Link]:
        if services.code_state(code) != "free":
            return []
        url = reverse("coupon_code_revoke", args=[pk, code.pk])
        return [Link(label=_("Revoke"), url=url, permission="tariffs.change", icon="ban", danger=True)]

    return list_page(
        request,
        Listing(
            slug="coupon_codes",
            title=_("Codes of “%(coupon)s”") % {"coupon": found.key},
            rows=CouponCode.objects.filter(coupon=found).select_related("contractcoupon__contract"),
            columns=list(_columns(linked, found.seller.time_zone)),
            order="-made",
            filters=[
                Filter(
                    name="state", label=_("State"), choices=[(s, show.word("coupon_code", s)) for s in STATES],
                    apply=lambda rows, value: rows.filter(**STATES[value]),
                ),
                Filter(
                    name="memo", label=_("For whom"), is_text=True,
                    apply=lambda rows, value: rows.filter(memo__icontains=value),
                ),
            ],
            search=_search,
            search_label=_("Code"),
            menu=menu,
            primary=Link(
                label=_("Draw codes"), url=reverse("coupon_codes_draw", args=[pk]), permission="tariffs.change"
            ),
            links=[Link(label=_("Coupon"), url=reverse("coupon", args=[pk]), icon="ticket")],
            empty_title=_("No codes yet"),
            empty_text=_("Without codes the coupon is redeemed by its own code, which many may know."),
        ),
    )  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    return rows.filter(folded__startswith=folded(text))


def _columns(linked: bool, zone: str) -> Iterator[Column]:
    yield Column(name="code", label=_("Code"), value=lambda c: c.code, sort="code")
    yield Column(
        name="state", label=_("State"), value=lambda c: state("coupon_code", services.code_state(c)),
        raw=lambda c: show.word("coupon_code", services.code_state(c)),
    )  # fmt: skip
    yield Column(name="memo", label=_("For whom"), value=lambda c: c.memo or show.NONE, sort="memo", narrow=True)
    yield Column(
        name="contract", label=_("Contract"), value=lambda c: _contract(c, linked), raw=lambda c: _contract(c, False)
    )
    yield Column(
        name="made", label=_("Drawn"), value=lambda c: show.moment(c.made_at, zone), raw=lambda c: c.made_at,
        sort="made_at", narrow=True,
    )  # fmt: skip


def _contract(code: CouponCode, linked: bool) -> str:
    given = getattr(code, "contractcoupon", None)
    if given is None:
        return show.NONE
    if not linked:
        return str(given.contract.key)
    return format_html('<a href="{}">{}</a>', reverse("contract", args=[given.contract_id]), given.contract.key)


@page("tariffs.change")
def draw(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw codes."""
    found, form = find(request, pk), DrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.draw_codes(actor_of(request), coupon=found, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            text = ngettext("%(count)s code is drawn.", "%(count)s codes are drawn.", len(made))
            messages.success(request, text % {"count": show.count(len(made))})
            return redirect("coupon_codes", pk)
    context: dict[str, Any] = {
        "form": form, "title": _("Draw codes"), "parent": found.key, "back": reverse("coupon", args=[pk]),
        "action": _("Draw"), "coupon": found, "first": not found.codes.exists(),
    }  # fmt: skip
    return render(request, "tariffs/coupon_draw.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
def revoke(request: HttpRequest, pk: int, code: int) -> HttpResponse:
    """Revoke one code, after asking."""
    found = get_object_or_404(CouponCode.objects.select_related("coupon"), coupon=find(request, pk), pk=code)
    if request.method == "POST":
        try:
            services.revoke_code(actor_of(request), code=found)
        except Refused as refused:
            messages.error(request, show.refusal(refused))
        else:
            messages.success(request, _("The code is revoked: nobody can redeem it any more."))
        return redirect("coupon_codes", pk)
    context = {
        "form": forms.Form(), "title": _("Revoke the code %(code)s") % {"code": found.code}, "parent": found.coupon.key,
        "back": reverse("coupon_codes", args=[pk]), "action": _("Revoke"),
    }  # fmt: skip
    return render(request, "office/form.html", context)


@page("tariffs.change")
@require_POST
def revoke_free(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke all codes that nobody has used."""
    coupon: Coupon = find(request, pk)
    number = services.revoke_free_codes(actor_of(request), coupon=coupon)
    text = ngettext("%(count)s code is revoked.", "%(count)s codes are revoked.", number)
    messages.success(request, text % {"count": show.count(number)})
    return redirect("coupon", pk)
