"""Contracts whose deadline of notice comes soon: who wants to end them, or to talk before they go on, acts by then."""

from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from taktura.contracts.deadlines import deadlines, with_deadlines
from taktura.kit.fold import fold
from taktura.office import show
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import page, seller_of, today_of


@page("contracts.view")
def deadline_list(request: HttpRequest) -> HttpResponseBase:
    """The contracts that can be ended until a day within the next month, and bind for longer afterwards."""
    seller, today = seller_of(request), today_of(request)
    found = deadlines(seller, today)
    listing = Listing(
        slug="deadlines",
        title=_("Deadlines of notice within 30 days"),
        rows=with_deadlines(seller, found),
        order="deadline",
        columns=[
            Column(name="customer", label=_("Customer"), raw=lambda c: c.customer.name, sort="customer__folded",
                   value=lambda c: format_html('{}<span class="under">{}</span>', c.customer.name, c.key)),
            Column(name="contract", label=_("Contract"), value=lambda c: c.key, sort="key", shown=False),
            Column(name="tariff", label=_("Tariff"), value=lambda c: c.tariff.key, sort="tariff__key", narrow=True),
            Column(name="deadline", label=_("Deadline of notice"), value=lambda c: show.day(c.deadline),
                   raw=lambda c: c.deadline, sort="deadline", empty=date.max, numeric=True),
            Column(name="ends", label=_("Then it ends on"), value=lambda c: show.last_day(c.ends),
                   raw=lambda c: c.ends, numeric=True, narrow=True),
            Column(name="later", label=_("Else it binds until"), value=lambda c: show.last_day(c.later),
                   raw=lambda c: c.later, numeric=True),
        ],
        filters=[
            Filter(name="until", label=_("Until"), is_day=True, apply=lambda rows, day: rows.filter(deadline__lte=day)),
        ],
        search_label=_("Contract or customer"),
        search=lambda rows, text: rows.filter(Q(key__icontains=text) | Q(customer__folded__contains=fold(text))),
        link=_link,
        menu=_menu,
        empty_title=_("No deadline within 30 days"),
        empty_text=_("Contracts stand here in the month before they bind for longer."),
    )  # fmt: skip
    return list_page(request, listing)


def _menu(contract: Any) -> list[Link]:
    url = reverse("give_notice", args=[contract.pk])
    return [Link(label=_("Give notice"), url=url, permission="contracts.change", icon="calendar-x", danger=True)]


def _link(contract: Any) -> str:
    try:
        return reverse("contract", args=[contract.pk])
    except NoReverseMatch:
        return ""
