"""What the pages of usage share: the tabs above them, reasons in words, groups in addresses."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.billing.imports import IN_BACKGROUND, start_matching
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.office import show
from taktura.office.lists import Filter, can_be_kept
from taktura.office.page import actor_of, seller_of
from taktura.usage.groups import REASONS, Key
from taktura.usage.models import Supplier, SupplierCustomer, SupplierSubscription
from taktura.usage.overview import waiting_by_supplier

# What each reason means, and what to do about it.
MEANS = {
    "no_subscription": (
        lazy("The supplier subscription is not tied to a contract line."),
        lazy("Tie it to the line that it stands for, or extend a contract by a line for it."),
    ),
    "unknown_key": (
        lazy("The contract has no line for this article or key."),
        lazy("Book the article, send the usage to another article, or say which article the product stands for."),
    ),
    "no_contract": (
        lazy("There is no contract with this number."),
        lazy("Send the usage to the right contract. When the contract comes later, process it again."),
    ),
    "before_start": (
        lazy("The usage lies before its line begins."),
        lazy(
            "Book a line with an earlier start, or correct the day. What shall not be billed may stay, or be withdrawn."
        ),
    ),
    "after_end": (
        lazy("The usage lies after its line or contract has ended."),
        lazy("Book a line for these days, or correct the day. What shall not be billed may stay, or be withdrawn."),
    ),
    "paused": (
        lazy("The contract is paused on these days."),
        lazy("Resume the contract earlier, or leave it: usage in a pause is not billed."),
    ),
    "closed_period": (
        lazy("The days lie in a period that is closed."),
        lazy(
            "Open the period in the settings of the company and process it again, or enter the usage with a later day."
        ),
    ),
    "currency": (
        lazy("The usage is in another currency than the contract."),
        lazy(
            "Allow the contract to convert it by dated rates, tie the supplier subscription to a contract in that"
            " currency, or correct the currency of the supplier."
        ),
    ),
    "no_rate": (
        lazy("The contract converts this currency, but there is no exchange rate for the day, nor a recent one."),
        lazy("Enter the rate, or load a file of rates: what waits for it is processed again by that."),
    ),
    "invalid": (
        lazy(
            "The record cannot be billed: its line takes no usage, or all usage of its supplier is billed at the price"
            " in the files, and the row has none."
        ),
        lazy(
            "Send the usage to another article, or correct the record. Where many rows have no price, name its column"
            " in the mapping, undo the import, and read it again."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the usage pages."""

    label: str
    url: str
    count: int | None
    active: bool


def tabs(active: str) -> list[Tab]:
    """The tabs above the pages of usage."""
    known = [
        ("usage", _("Overview")), ("usage_waiting", _("Waiting")), ("usage_records", _("Records")),
        ("usage_files", _("Files")), ("usage_reconciliation", _("Reconciliation")),
        ("supplier_subscriptions", _("Supplier subscriptions")),
        ("supplier_customers", _("Supplier customers")), ("suppliers", _("Suppliers")),
        ("exchange_rates", _("Exchange rates")),
    ]  # fmt: skip
    return [Tab(label, reverse(name), None, name == active) for name, label in known]


def supplier_of(seller: Seller, pk: int) -> Supplier:
    """The seller's supplier, or 404."""
    return get_object_or_404(Supplier.objects.select_related("seller").filter(seller=seller), pk=pk)


def supplier_filter(seller: Seller, name: str = "supplier") -> Filter:
    """A filter of rows that have a supplier."""
    choices = [(str(pk), label) for pk, label in seller.suppliers.order_by("name").values_list("pk", "name")]
    return Filter(
        name="supplier", label=_("Supplier"), choices=choices, apply=lambda rows, value: rows.filter(**{name: value})
    )


def reasons() -> list[tuple[str, str]]:
    """The reasons why usage waits, with their words."""
    return [(reason, show.word("waiting", reason)) for reason in REASONS]


def as_text(key: Key) -> str:
    """A group as it stands in an address."""
    return base64.urlsafe_b64encode(json.dumps(asdict(key)).encode()).decode()


def from_text(text: str) -> Key | None:
    """The group that an address names; None for what somebody made up."""
    kinds: dict[str, Any] = {
        "reason": str, "supplier": int | None, "subscription": str, "product": str, "contract": int | None,
        "article": str, "by_key": bool, "sent_to": str,
    }  # fmt: skip
    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != set(kinds):
        return None
    usable = all(isinstance(found[n], kind) and can_be_kept(str(found[n])) for n, kind in kinds.items())
    return Key(**found) if usable else None


def discount(text: str) -> str:
    """What was taken off in a record's amounts, as the reader writes it: a rate, or money."""
    if not text:
        return ""
    return show.rate(Decimal(text[:-1])) if text.endswith("%") else show.quantity(Decimal(text))


def rate_of(row: Mapping[str, Any]) -> str:
    """By what a record's amounts are converted: the rate and its day; empty where they are not."""
    if row["rate_day"] is None:
        return ""
    over, under = row["rate_over"], row["rate_under"]
    factors = [f"× {show.quantity(over)}"] if over != 1 or under == 1 else []
    factors += [f"÷ {show.quantity(under)}"] if under != 1 else []
    return _("%(factors)s of %(day)s") % {"factors": " ".join(factors), "day": show.day(row["rate_day"])}


def page_number(request: HttpRequest) -> int:
    """Which page of a long list an address asks for, from 1."""
    given = request.GET.get("page", "1")
    return max(1, int(given)) if given.isdecimal() and len(given) < 6 else 1


def pager(request: HttpRequest, number: int, *, more: bool) -> dict[str, str]:
    """The addresses of the page before and, where there is `more`, of that after, for `usage/pager.html`."""
    query = request.GET.copy()
    found = {"before": "", "after": ""}
    for name, to, there in (("before", number - 1, number > 1), ("after", number + 1, more)):
        query["page"] = str(to)
        found[name] = f"?{query.urlencode()}" if there else ""
    return found


def match_in_background(request: HttpRequest, supplier: Supplier | None, back: HttpResponse) -> HttpResponse | None:
    """Begin to match what waits of a supplier, or of all, in the background, where it is so much that nobody should
    wait for it; gives where that is seen, or, with a message, `back` where it is being done already."""
    seller = seller_of(request)
    counts = waiting_by_supplier(seller.pk)
    if (counts.get(supplier.pk, 0) if supplier else sum(counts.values())) <= IN_BACKGROUND:
        return None
    try:
        return redirect("work", start_matching(actor_of(request), seller=seller, supplier=supplier).pk)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return back


def customer_names(rows: Iterable[SupplierSubscription]) -> dict[int, str]:
    """What suppliers call the customers of subscriptions, by the subscription's id; one query."""
    known = list(rows)
    found = SupplierCustomer.objects.filter(
        supplier__in={r.supplier_id for r in known}, folded__in={r.customer_folded for r in known}
    )
    names = {(c.supplier_id, c.folded): c.name for c in found if c.name}
    places = {r.pk: (r.supplier_id, r.customer_folded) for r in known}
    return {pk: names[place] for pk, place in places.items() if place in names}
