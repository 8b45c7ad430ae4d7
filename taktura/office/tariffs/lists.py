"""A module's price list in the office: for a day, in a language, net or gross; to print, to send, to embed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from taktura.catalog import price_list as catalog
from taktura.catalog.models import Module
from taktura.core.errors import Refused
from taktura.invoices.price_lists import pdf_of, sheet_of
from taktura.kit.language import LANGUAGES
from taktura.office import show
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import page, today_of
from taktura.office.tariffs.modules import find

BASES = ("net", "gross")


class ListForm(forms.Form):
    """Which price list."""

    language = forms.ChoiceField(label=lazy("Language"))
    prices = forms.ChoiceField(label=lazy("Prices"))
    on = DayField(label=lazy("Day"), required=False)
    offer_number = forms.CharField(
        label=lazy("Offer number"), max_length=40, required=False,
        help_text=lazy("Adds the tariff that it opens, in the version that it pins."),
    )  # fmt: skip

    def __init__(self, data: Any, *, module: Module, today: Any) -> None:
        usual = {"language": show.language(), "prices": module.seller.prices_are, "on": show.day(today)}
        super().__init__(usual | {n: data[n] for n in ("language", "prices", "on", "offer_number") if data.get(n)})
        fields: Any = self.fields
        fields["on"].today = today
        fields["language"].choices = [(n, show.word("language", n)) for n in LANGUAGES]
        fields["prices"].choices = [(n, show.word("basis", n)) for n in BASES]
        self.today = today

    def chosen(self) -> dict[str, Any]:
        """What `price_list` takes, beside the module."""
        given = self.cleaned_data
        return {
            "language": given["language"], "basis": given["prices"], "on": given["on"] or self.today,
            "offer_number": given["offer_number"], "today": self.today,
        }  # fmt: skip


def _asked(request: HttpRequest, module: Module) -> tuple[ListForm, catalog.PriceList | None]:
    """The form, and the price list that it asks for; none where it cannot be."""
    form = ListForm(request.GET, module=module, today=today_of(request))
    if not form.is_valid():
        return form, None
    try:
        return form, catalog.price_list(module, **form.chosen())
    except Refused as refused:
        add_refusal(form, refused)
        return form, None


@page("tariffs.view")
@require_safe
def price_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The price list, and how it comes onto a site."""
    module = find(request, pk)
    form, values = _asked(request, module)
    context: dict[str, Any] = {"module": module, "form": form}
    if values is not None:
        asked = {"language": values.language, "prices": values.basis}
        public = reverse("public_price_list", args=[module.seller_id, module.key])
        address = f"{_site(request)}{public}?{urlencode(asked)}"
        more = asked | {"on": values.on.isoformat(), "offer_number": form.cleaned_data["offer_number"]}
        context |= {
            "sheet": sheet_of(values), "address": address, "sites": settings.PRICE_LIST_SITES,
            "pdf_url": f"{reverse('module_price_list_pdf', args=[pk])}?{urlencode(more)}",
        }  # fmt: skip
    return render(request, "tariffs/price_list.html", context, status=422 if values is None else 200)


def _site(request: HttpRequest) -> str:
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


@page("tariffs.view")
@require_safe
def pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The price list as PDF; what cannot be is said by the page."""
    module = find(request, pk)
    _form, values = _asked(request, module)
    if values is None:
        return price_list(request, pk)
    return pdf_response(values)


def pdf_response(values: catalog.PriceList) -> HttpResponse:
    """A price list as a file to be looked at."""
    headers: Mapping[str, str] = {
        "Content-Disposition": f'inline; filename="{slugify(values.title) or "price-list"}-{values.on.isoformat()}.pdf"'
    }
    return HttpResponse(pdf_of(values), content_type="application/pdf", headers=dict(headers))
