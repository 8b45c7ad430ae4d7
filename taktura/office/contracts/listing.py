"""The list of contracts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.catalog.models import Module, Tariff
from taktura.catalog.queries import titles
from taktura.contracts.models import Contract, ContractPhase
from taktura.contracts.queries import STATES, in_status, with_status
from taktura.kit.fold import fold
from taktura.office import show
from taktura.office.contracts.onboarding import banner, lasting_link
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import page, seller_of, today_of
from taktura.office.templatetags.office import day, last_day, state, titled

LATEST = date.max
MOST_DIGITS = 10  # of the id of a row
KEPT = ("customer", "had")  # of a customer, by number; of those who have or had a tariff: from where all are shown


@page("contracts.view")
def contract_list(request: HttpRequest) -> HttpResponseBase:
    """All contracts of the seller."""
    shown, more = listing(request), banner(request)
    return list_page(request, replace(shown, more=more, links=[*lasting_link(more), *shown.links]))


def listing(request: HttpRequest) -> Listing:
    """What the list shows."""
    seller, today = seller_of(request), today_of(request)
    named = titles(seller.pk, today)
    rows = _kept(Contract.objects.filter(seller=seller), request.GET).select_related("customer").defer("terms")
    rows = rows.annotate(open=Coalesce(F("balance__open"), 0))
    return Listing(
        slug="contracts",
        title=_("Contracts"),
        rows=with_status(rows, today),
        columns=_columns(named),
        order="key",
        filters=_filters(seller.pk, today, named),
        search=_search,
        kept=KEPT,
        search_label=_("Number or customer"),
        link=lambda c: reverse("contract", args=[c.pk]),
        menu=_menu,
        primary=Link(label=_("Sign a contract"), url=reverse("sign_contract"), permission="contracts.change"),
        links=[
            Link(
                label=_("Take over from a file"), url=reverse("take_over"), permission="contracts.change", icon="upload"
            )
        ],
        template="contracts/list.html",
        empty_title=_("No contract yet"),
        empty_text=_("A contract binds a customer to a tariff from a day on. Sign the first one."),
    )


def _kept(rows: Rows, wanted: Mapping[str, str]) -> Rows:
    if customer := wanted.get("customer"):
        rows = rows.filter(customer__key=customer)
    tariff = wanted.get("had", "")
    if tariff.isdecimal() and len(tariff) < MOST_DIGITS:
        rows = rows.filter(pk__in=ContractPhase.objects.filter(tariff=int(tariff)).values("contract"))
    return rows


def _columns(named: dict[int, str]) -> list[Column]:
    return [
        Column(name="key", label=_("Number"), value=lambda c: c.key, sort="key"),
        Column(name="customer", label=_("Customer"), value=lambda c: c.customer.name, sort="customer__folded"),
        Column(name="tariff", label=_("Tariff"), value=lambda c: named.get(c.tariff_id, ""), narrow=True),
        Column(
            name="state",
            label=_("State"),
            value=lambda c: state("contract", c.status),
            raw=lambda c: show.word("contract", c.status),
        ),
        Column(name="start", label=_("Start"), value=_day("start"), raw=lambda c: c.start, sort="start", narrow=True),
        Column(
            name="end",
            label=_("Last day"),
            value=lambda c: last_day(c.end),
            raw=lambda c: date.fromordinal(c.end.toordinal() - 1) if c.end else None,
            sort="end",
            empty=LATEST,
            narrow=True,
        ),
        Column(
            name="next",
            label=_("Next billing"),
            value=_day("next_due"),
            raw=lambda c: c.next_due,
            sort="next_due",
            empty=LATEST,
            narrow=True,
        ),
        Column(name="currency", label=_("Currency"), value=lambda c: c.currency, shown=False),
        Column(
            name="open",
            label=_("Open amount"),
            value=lambda c: show.minor(c.open, c.currency) if c.open else show.NONE,
            raw=lambda c: show.exact(c.open, c.currency),
            sort="open",
            sums="open",
            numeric=True,
        ),
    ]


def _day(name: str) -> Any:
    return lambda c: day(getattr(c, name))


def _filters(seller: int, today: date, named: dict[int, str]) -> list[Filter]:
    tariffs = Tariff.objects.filter(seller=seller).order_by("key").values_list("pk", flat=True)
    known = [(str(pk), named.get(pk, "")) for pk in tariffs]
    modules = Module.objects.filter(seller=seller)
    return [
        Filter(
            name="state",
            label=_("State"),
            apply=lambda found, value: in_status(found, value, today),
            choices=[(s, show.word("contract", s)) for s in STATES],
        ),
        Filter(
            name="tariff",
            label=_("Tariff"),
            apply=lambda found, value: found.filter(tariff=int(value)),
            choices=sorted(known, key=lambda t: t[1]),
        ),
        Filter(
            name="module",
            label=_("Module"),
            apply=lambda found, value: found.filter(
                tariff__in=Tariff.objects.filter(seller=seller, module__key=value).values("pk")
            ),
            choices=[(m.key, titled(m)) for m in modules],
        ),
        Filter(
            name="due",
            label=_("Next billing until"),
            apply=lambda found, value: found.filter(next_due__lte=value),
            is_day=True,
        ),
    ]


def _search(found: Rows, text: str) -> Rows:
    for word in fold(text).split():
        found = found.filter(Q(key__icontains=word) | Q(customer__folded__contains=word))
    return found


def _menu(contract: Contract) -> list[Link]:
    at = partial(reverse, args=[contract.pk])
    change = "contracts.change"
    return [
        Link(label=_("Change quantity"), url=at("change_quantity"), permission=change, icon="arrows-sort"),
        Link(label=_("Bill now"), url=at("interim_bill"), permission="billing.run", icon="receipt"),
        Link(label=_("Give notice"), url=at("give_notice"), permission=change, icon="calendar-x", danger=True),
    ]
