"""The form of a what-if: which contracts, which months, against which tariff."""

import re
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.catalog.drafts import fields_of_version, written
from taktura.catalog.models import Tariff, TariffDraft
from taktura.catalog.queries import newest_versions
from taktura.core.periods import Span, add
from taktura.customers.models import Customer
from taktura.office import show
from taktura.office.page import seller_of, today_of

MONTH = Span(1, "month")
MONTHS_OFFERED = 36
USUAL = 3  # full months, at first
MOST_CUSTOMERS = 1_000  # that are typed
DRAFT = "draft-"  # before the id of a draft among the tariffs to try
NUMBER = re.compile(r"\(([^()]+)\)\s*$")


class WhatIfForm(forms.Form):
    """Which contracts and months are compared with which tariff."""

    against = forms.ChoiceField(
        label=lazy("Tariff to try"), help_text=lazy("A tariff in its newest version, or a draft.")
    )
    of = forms.ChoiceField(label=lazy("Contracts"), required=False)
    customers = forms.CharField(
        label=lazy("Customers"),
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("Their numbers or names, one in a line. Left empty: all."),
    )
    first = forms.TypedChoiceField(label=lazy("From"), coerce=date.fromisoformat)
    last = forms.TypedChoiceField(label=lazy("Until"), coerce=date.fromisoformat)
    own_conditions = forms.BooleanField(
        label=lazy("Keep agreed prices, discounts and coupons"),
        required=False,
        initial=True,
        help_text=lazy("Otherwise everybody pays the list price of the tariff to try."),
    )

    def __init__(self, request: HttpRequest, data: Any = None, **options: Any) -> None:
        self.seller, today = seller_of(request), today_of(request)
        this = today.replace(day=1)
        initial = {"first": add(this, MONTH, -USUAL).isoformat(), "last": add(this, MONTH, -1).isoformat()}
        super().__init__(data, initial=initial | options.pop("initial", {}), **options)
        versions = newest_versions(self.seller.pk)
        named = [(v.tariff, f"{v.title} ({v.tariff.key})") for v in versions]
        months = [add(this, MONTH, -i) for i in range(MONTHS_OFFERED)]
        fields: Any = self.fields
        drafts = TariffDraft.objects.filter(seller=self.seller).order_by("key", "pk")
        fields["against"].choices = [
            (_("Tariffs"), [(str(t.pk), name) for t, name in named]),
            (_("Drafts"), [(f"{DRAFT}{d.pk}", _draft_name(d)) for d in drafts]),
        ]
        fields["of"].choices = [("", _("All contracts"))] + [(str(t.pk), name) for t, name in named]
        for name in ("first", "last"):
            fields[name].choices = [(m.isoformat(), show.month(m)) for m in months]

    def clean_customers(self) -> list[int] | None:
        """The customers named, by id; None: all."""
        lines = [line.strip() for line in self.cleaned_data["customers"].splitlines()]
        names = list(dict.fromkeys(line for line in lines if line))
        if not names:
            return None
        if len(names) > MOST_CUSTOMERS:
            raise forms.ValidationError(_("At most %(most)s customers can be named.") % {"most": MOST_CUSTOMERS})
        known = customers_named(self.seller.pk, names)
        for name in names:
            if name not in known:
                raise forms.ValidationError(
                    _("There is no customer “%(name)s”, or there are several: type the number.") % {"name": name}
                )
        return sorted(set(known.values()))

    def clean(self) -> dict[str, Any]:
        """The months must be in order."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("first") and given.get("last") and given["last"] < given["first"]:
            self.add_error("last", _("The last month lies before the first."))
        return given

    def arguments(self) -> dict[str, Any]:
        """What a what-if takes, beside the actor and the seller."""
        given = self.cleaned_data
        tariffs = Tariff.objects.filter(seller=self.seller)
        return {
            "fields": self._fields(given["against"]),
            "first_month": given["first"],
            "last_month": given["last"],
            "customers": given["customers"],
            "tariff": tariffs.get(pk=given["of"]) if given["of"] else None,
            "own_conditions": given["own_conditions"],
        }

    def _fields(self, against: str) -> dict[str, Any]:
        """The fields of the tariff to try: of a stored one in its newest version, or of a draft."""
        if against.startswith(DRAFT):
            draft = TariffDraft.objects.get(seller=self.seller, pk=int(against.removeprefix(DRAFT)))
            return written(draft)
        (version,) = newest_versions(self.seller.pk, int(against))
        return fields_of_version(version)


def _draft_name(draft: TariffDraft) -> str:
    """A draft by its title and its tariff's name."""
    title = draft.fields.get("title")
    return _("%(title)s (draft of %(key)s)") % {"title": title or draft.key, "key": draft.key}


def customers_named(seller_id: int, names: list[str]) -> dict[str, int]:
    """Customers by what was typed of them: the number, the name, or both as suggested ("name (number)"). Who is not
    known, or has the name of another, is left out."""
    keys = {name: number[1] if (number := NUMBER.search(name)) else name for name in names}
    rows = Customer.objects.filter(Q(key__in=[*keys, *keys.values()]) | Q(name__in=names), seller=seller_id)
    by_key: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    for pk, key, name in rows.values_list("pk", "key", "name"):
        by_key[key] = pk
        by_name.setdefault(name, []).append(pk)
    found: dict[str, int] = {}
    for name in names:
        same = by_name.get(name, [])
        one = by_key.get(name, by_key.get(keys[name], same[0] if len(same) == 1 else None))
        if one is not None:
            found[name] = one
    return found
