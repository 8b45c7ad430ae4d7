"""The list of customers."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from taktura.billing.queries import due_list
from taktura.contracts.models import Contract
from taktura.customers.models import Customer
from taktura.customers.queries import search, without_billing_information
from taktura.invoices.queries import open_by_customer
from taktura.office import show
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import page, seller_of, today_of
from taktura.office.templatetags.office import state


@page("customers.view")
def customers(request: HttpRequest) -> HttpResponseBase:
    """All customers of the seller."""
    seller, today = seller_of(request), today_of(request)

    def prepare(rows: list[Any]) -> None:
        ids = [row.pk for row in rows]
        opened = open_by_customer(ids)
        running = Contract.objects.filter(customer__in=ids, start__lte=today)
        running = running.filter(Q(end__isnull=True) | Q(end__gt=today))
        counts = dict(running.order_by().values_list("customer_id").annotate(number=Count("pk")))
        for row in rows:
            row.opened, row.running = opened.get(row.pk, {}), counts.get(row.pk, 0)

    return list_page(
        request,
        Listing(
            slug="customers",
            title=_("Customers"),
            rows=Customer.objects.filter(seller=seller).select_related("billing_information"),
            columns=list(_columns()),
            order="name",
            filters=_filters(seller.pk, today),
            search=search,
            prepare=prepare,
            link=lambda c: reverse("customer", args=[c.pk]),
            menu=_menu,
            template="customers/list.html",
            more={"incomplete": without_billing_information(seller.pk).count()},
            primary=Link(label=_("New customer"), url=reverse("customer_new"), permission="customers.change"),
            links=[
                Link(
                    label=_("Bring in from a file"),
                    url=reverse("customers_bring_in"),
                    permission="customers.change",
                    icon="upload",
                ),
                Link(label=_("Sales items"), url=reverse("sales"), permission="billing.view", icon="basket"),
            ],  # fmt: skip
            empty_title=_("No customers yet"),
            empty_text=_("Make the first one here, or send them by the API."),
        ),
    )


def _columns() -> Iterator[Column]:
    yield Column(name="name", label=_("Name"), value=lambda c: c.name, sort="folded")
    yield Column(name="key", label=_("Number"), value=lambda c: c.key, sort="key", narrow=True)
    yield Column(
        name="complete", label=_("Billing information"), value=lambda c: state("complete", str(c.complete)),
        raw=lambda c: show.word("complete", str(c.complete)), sort="complete",
    )  # fmt: skip
    yield Column(
        name="country", label=_("Country"), value=lambda c: _info(c, "country"),
        sort="billing_information__country", empty="", narrow=True,
    )  # fmt: skip
    yield Column(name="running", label=_("Contracts"), value=lambda c: show.count(c.running), numeric=True, narrow=True)
    yield Column(name="open", label=_("Open"), value=_opened, raw=_opened_plain, numeric=True)
    yield Column(
        name="email", label=_("E-mail"), value=lambda c: _info(c, "email"), shown=False,
        sort="billing_information__email", empty="",
    )  # fmt: skip
    yield Column(
        name="kind", label=_("Kind"), value=lambda c: show.word("customer", c.kind), sort="kind", shown=False
    )  # fmt: skip
    yield Column(
        name="language", label=_("Language"), value=lambda c: show.word("language", c.language), sort="language",
        shown=False,
    )  # fmt: skip


def _filters(seller: int, today: date) -> list[Filter]:
    due = Exists(due_list(seller, today).filter(customer=OuterRef("pk")))
    return [
        Filter(
            name="complete", label=_("Billing information"), choices=[("1", _("Complete")), ("0", _("Missing"))],
            apply=lambda rows, value: rows.filter(complete=value == "1"),
        ),
        Filter(
            name="due", label=_("Contracts due"), choices=[("1", _("Something is due")), ("0", _("Nothing is due"))],
            apply=lambda rows, value: rows.filter(due if value == "1" else ~due),
        ),
        Filter(
            name="kind", label=_("Kind"), choices=[("business", _("Business")), ("consumer", _("Consumer"))],
            apply=lambda rows, value: rows.filter(kind=value),
        ),
        Filter(
            name="language", label=_("Language"),
            choices=[("de", _("German")), ("sv", _("Swedish")), ("en", _("English"))],
            apply=lambda rows, value: rows.filter(language=value),
        ),
    ]  # fmt: skip


def _menu(customer: Customer) -> Iterator[Link]:
    pk = customer.pk
    yield Link(
        label=_("Billing information") if customer.complete else _("Add billing information"),
        url=reverse("customer_billing", args=[pk]), permission="customers.change", icon="receipt",
    )  # fmt: skip
    yield Link(
        label=_("Change"), url=reverse("customer_change", args=[pk]), permission="customers.change", icon="pencil"
    )


def _info(customer: Customer, name: str) -> str:
    info = getattr(customer, "billing_information", None)
    return str(getattr(info, name)) if info else ""


def _opened(customer: Any) -> Any:
    lines = ((show.minor(amount, currency),) for currency, amount in customer.opened.items())
    return format_html_join("", "<div>{}</div>", lines) or show.NONE


def _opened_plain(customer: Any) -> str:
    return "; ".join(f"{show.minor(amount, currency)}" for currency, amount in customer.opened.items())
