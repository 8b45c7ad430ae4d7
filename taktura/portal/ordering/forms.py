"""The form of an order: add-ons by quantity or by a tick, a coupon, and who orders."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as lazy

from taktura.billing.services import Wish
from taktura.catalog.models import Tariff, TariffVersion
from taktura.catalog.offer_numbers import folded, usable
from taktura.catalog.price_list import terms_in
from taktura.catalog.queries import tariff_line_terms, version_in_force
from taktura.catalog.titles import in_language
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.office.customers.changes import countries
from taktura.office.forms import ExactNumberField
from taktura.office.terms import conditions_of, price_of

QUANTITY = "quantity_"
PERSON = ("kind", "name", "street", "postcode", "city", "country", "email", "vat_id")
KINDS = {"consumer": lazy("For myself, as a consumer"), "business": lazy("For a company")}


class OrderForm(forms.Form):
    """An order. The quantities of add-ons are fields of their own, by the tariff."""

    code = forms.CharField(label=lazy("Coupon"), max_length=50, required=False)
    kind = forms.ChoiceField(label=lazy("You order"), widget=forms.RadioSelect, choices=list(KINDS.items()))
    name = forms.CharField(label=lazy("Name, or name of the company"), max_length=200)
    street = forms.CharField(label=lazy("Street and number"), max_length=200)
    postcode = forms.CharField(label=lazy("Postcode"), max_length=20)
    city = forms.CharField(label=lazy("City"), max_length=100)
    country = forms.ChoiceField(label=lazy("Country"))
    email = forms.EmailField(
        label=lazy("E-mail"), max_length=254, help_text=lazy("There we send the link by which you confirm the order.")
    )
    vat_id = forms.CharField(
        label=lazy("VAT id"), max_length=20, required=False, help_text=lazy("Of companies in the European Union.")
    )
    terms = forms.BooleanField(label=lazy("I accept the terms."))

    def __init__(self, data: Any, *, seller: Seller, offer: list["Choice"], kind: str) -> None:
        super().__init__(data, initial={"kind": kind, "country": seller.country})
        self.offer = offer
        self.says_what_is_missing = True
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        for name, word in (("name", "name"), ("street", "street-address"), ("postcode", "postal-code"),
                           ("city", "address-level2"), ("country", "country"), ("email", "email")):  # fmt: skip
            self.fields[name].widget.attrs["autocomplete"] = word
        if not seller.terms_url:
            del self.fields["terms"]
        for choice in offer:
            self.fields[choice.name] = choice.field()

    def rows(self) -> list[tuple["Choice", forms.BoundField]]:
        """The add-ons, for the template."""
        return [(choice, self[choice.name]) for choice in self.offer]

    def person(self) -> list[forms.BoundField]:
        """The fields of who orders."""
        return [self[name] for name in PERSON]

    def wish(self, tariff: Tariff, offer_number: str) -> Wish:
        """What is wanted, as far as it is filled in rightly."""
        given = self.cleaned_data
        articles = {c.terms.article: Decimal(given[c.name]) for c in self.offer if given.get(c.name)}
        return Wish(
            tariff=tariff, articles=articles, code=given.get("code", ""), offer_number=offer_number or None,
            language=(get_language() or "en")[:2], **{name: given.get(name, "") for name in PERSON if name in given},
        )  # fmt: skip


class Choice:
    """A line that a customer may add: the name of its field, what it costs."""

    def __init__(self, pk: int, terms: LineTerms, title: str, currency: str) -> None:
        self.pk, self.name, self.terms, self.title = pk, f"{QUANTITY}{pk}", terms, title
        self.price, self.conditions = price_of(terms, currency), conditions_of(terms)

    def field(self) -> forms.Field:
        """A tick for what is there once or not at all, else a quantity."""
        if self.terms.booking == "on_off":
            return forms.BooleanField(label=self.title, required=False)
        return ExactNumberField(label=self.title, required=False, at_least=Decimal(0))


def offered(actor: Actor, seller: Seller, key: str, offer_number: str) -> tuple[Tariff, TariffVersion]:
    """A tariff that can be ordered, and its version: a public one, or the one that an offer number opens; or 404."""
    rows = Tariff.objects.select_related("seller", "module").filter(seller=seller, retired=False)
    today = actor.today(seller.time_zone)
    if not offer_number:
        tariff = rows.filter(key=key, public=True).first()
        if tariff is None or not tariff.versions.filter(valid_from__lte=today).exists():
            raise Http404
        return tariff, version_in_force(tariff, today)
    plain = folded(offer_number)
    tariff = rows.filter(offer_numbers__folded=plain).first() if plain else None
    if tariff is None:
        raise Http404
    try:
        return tariff, usable(offer_number, tariff, today).version
    except Refused as refused:
        raise Http404 from refused


@dataclass(frozen=True, slots=True)
class Lines:
    """What a version offers to a customer: what it has without being chosen, and what may be added; in their order."""

    included: list[Choice]
    choices: list[Choice]


def lines_of(tariff: Tariff, version: TariffVersion, basis: str, today: date) -> Lines:
    """The lines of a version that are shown, with prices net or gross."""
    rows = list(version.lines.select_related("article", "version"))
    terms = tariff_line_terms(row.pk for row in rows)
    priced = terms_in(basis, seller=tariff.seller, version=version, lines=terms, on=today, currency=tariff.currency)
    language = (get_language() or "en")[:2]
    found = Lines([], [])
    for row in rows:
        if row.terms.get("show", True) is False or (
            row.booking != "included" and row.terms.get("bookable_by") == "staff"
        ):
            continue
        title = in_language(row.title or row.article.title or row.article.key, row.terms.get("titles"), language)
        one = Choice(row.pk, priced[row.pk], title, tariff.currency)
        (found.included if row.booking == "included" else found.choices).append(one)
    return found


def basis_of(kind: str) -> str:
    """Consumers are told what they pay, with VAT (price indication directive, PAngV); companies reckon without it."""
    return "net" if kind == "business" else "gross"
