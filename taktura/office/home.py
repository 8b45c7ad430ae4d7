"""The home page: what must I do today? Work that waits, each with the list where it is done; revenue by month."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from taktura.accounts.models import User
from taktura.billing.todo import MOST, to_do
from taktura.contracts.deadlines import deadlines
from taktura.control.queries import alerts_of, in_state
from taktura.core.money import Money, places
from taktura.core.periods import Span, add
from taktura.customers.models import Seller
from taktura.invoices.queries import revenue_by_day
from taktura.invoices.rendering.formats import LOCALES
from taktura.kit.mailbox.queries import out_of_reach, untaken, waiting
from taktura.office import show
from taktura.office.first_steps import first_steps
from taktura.office.page import STAFF, page, seller_of, today_of, user_of
from taktura.usage.onboarding import without_contract
from taktura.webhooks.queries import in_trouble

MONTHS = 12
CHARTS = 3  # currencies with a picture of their own; the table has all


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done: what it is, why it matters, how much of it, and where it is done."""

    label: str
    text: str
    icon: str
    permission: str
    number: int
    url: str

    @property
    def shown(self) -> str:
        """The number as people write it; more than is counted as “more than”."""
        if self.number >= MOST:
            return _("more than %(number)s") % {"number": show.count(MOST - 1)}
        return show.count(self.number)


@page(STAFF)
def home(request: HttpRequest) -> HttpResponse:
    """What is to be done, as far as a user may see it."""
    if getattr(request, "seller", None) is None:
        return render(request, "office/home.html", {"no_company": True})
    seller, user, today = seller_of(request), user_of(request), today_of(request)
    tasks = [task for task in _tasks(seller, user, today) if user.may(task.permission)]
    context: dict[str, Any] = {
        "steps": first_steps(seller, user),
        "tasks": [task for task in tasks if task.number],
        "nothing": [task for task in tasks if not task.number],
    }
    if user.may("documents.view"):
        context |= _revenue(seller, today)
    return render(request, "office/home.html", context)


def _tasks(seller: Seller, user: User, today: date) -> list[Task]:
    found = to_do(seller.pk, today)
    soon = sum(d.number for d in deadlines(seller, today)) if user.may("contracts.view") else 0
    return [
        Task(_("Billing information missing"), _("Customers who have something due and cannot be billed."), "lock",
             "billing.view", found.blocked, _at("customers", "?complete=0&due=1")),
        Task(_("Contracts due"), _("They are billed by the next run."), "receipt", "billing.view", found.due,
             _at("billing")),
        Task(_("Customers with services but no contract"), _("Nothing of what they use is billed."), "users",
             "contracts.change",
             without_contract(seller.pk, today)[:MOST].count() if user.may("contracts.change") else 0,
             _at("onboarding")),
        Task(_("Usage that waits"), _("Records that found no contract line, or lie outside of it."), "hourglass",
             "usage.view", found.waiting, _at("usage_waiting")),
        Task(_("Usage files that were not loaded"), _("They came by a folder, by mail or in the background."), "files",
             "usage.view", found.refused_files, _at("refused_files", "?state=open")),
        Task(_("Unlinked supplier subscriptions"), _("Their usage is billed once they are linked."), "unlink",
             "usage.view", found.unlinked, _at("supplier_subscriptions", "?link=unlinked")),
        Task(_("Unlinked supplier customers"), _("Contracts are proposed for what they use once they are linked."),
             "users", "usage.view", found.unlinked_customers, _at("supplier_customers", "?link=unlinked")),
        Task(_("Alerts"), _("Usage has crossed a bound, or will."), "bell", "control.view",
             in_state(alerts_of(seller.pk), "open", today)[:MOST].count() if user.may("control.view") else 0,
             _at("control", "?state=open")),
        Task(_("Invoices overdue"), _("Their due date is over, and something is open."), "alert-triangle",
             "documents.view", found.overdue, _at("documents", "?payment=overdue")),
        Task(_("Deadlines of notice"), _("Within 30 days; afterwards the contract binds for longer."), "calendar-due",
             "contracts.view", soon, _at("deadlines")),
        Task(_("Orders to be decided"), _("Confirmed by mail; they become contracts when they are approved."), "basket",
             "contracts.view", found.orders, _at("orders", "?state=open")),
        Task(_("Notices to be looked at"), _("Sent without sign-in; the contract is not known beyond doubt."),
             "calendar-x", "contracts.view", found.notices, _at("notices")),
        Task(_("Sales items to be billed"), _("They go on the customer's next invoice."), "shopping-cart",
             "billing.view", found.sales_items, _at("sales", "?state=pending")),
        Task(_("Time to be approved"), _("It is billed once it is approved."), "clock", "time.approve", found.time,
             _at("time_approval")),
        Task(_("Time of customers without billing information"), _("It cannot be approved before."), "lock",
             "time.approve", found.time_blocked, _at("time_approval", "?lacking=1")),
        Task(_("Mails not delivered"), _("Refused, or nobody knows whether they arrived."), "mail-x", "jobs.view",
             found.mails, _at("outbox", "?state=undelivered")),
        Task(_("Mails that came and were not taken"), _("They failed, and lie in their folder."),
             "inbox", "jobs.view", untaken(f"seller:{seller.pk}").count() if user.may("jobs.view") else 0,
             _at("incoming_mails", "?state=failed")),
        Task(_("Mails that wait for a customer"), _("Their senders are unknown: give them to a customer, or throw them"
             " away."), "question-mark", "desk.change",
             waiting(f"seller:{seller.pk}").count() if user.may("desk.change") else 0, _at("waiting_mails")),
        Task(_("Mailboxes that cannot be reached"), _("What comes to them stays on the server until they can."),
             "plug-connected-x", "settings.view",
             out_of_reach(f"seller:{seller.pk}").count() if user.may("settings.view") else 0, _at("mailboxes")),
        Task(_("Jobs that failed"), _("Background work that gave up."), "alert-circle", "jobs.view", found.jobs,
             _at("jobs", "?state=failed")),
        Task(_("Webhooks that do not arrive"), _("Switched off, or what was tried last failed."), "webhook",
             "settings.view", in_trouble(seller.pk).count() if user.may("settings.view") else 0,
             _at("webhooks", "?state=trouble")),
    ]  # fmt: skip


def _at(name: str, query: str = "") -> str:
    """The address of a page; empty where it is not there."""
    try:
        return f"{reverse(name)}{query}"
    except NoReverseMatch:
        return ""


def _revenue(seller: Seller, today: date) -> dict[str, Any]:
    """The net of documents by month and currency, as pictures and as a table; the largest currency first."""
    first = add(today.replace(day=1), Span(MONTHS - 1, "month"), -1)
    months = [add(first, Span(1, "month"), n) for n in range(MONTHS)]
    sums: dict[str, dict[date, int]] = {}
    for day, currency, net in revenue_by_day(seller.pk, first):
        of_currency = sums.setdefault(currency, dict.fromkeys(months, 0))
        month = day.replace(day=1)
        of_currency[month] = of_currency.get(month, 0) + net
    ordered = sorted(sums, key=lambda c: (c != seller.currency, c))
    labels = [format_date(month, "LLL yy", locale=LOCALES[show.language()]) for month in months]
    charts = [
        {
            "id": f"revenue-{currency}",
            "currency": currency,
            "data": {
                "type": "bar",
                "currency": currency,
                "labels": labels,
                "datasets": [{"label": currency, "data": [_exact(sums[currency][m], currency) for m in months]}],
            },
        }
        for currency in ordered[:CHARTS]
    ]
    rows = [
        {"label": label, "amounts": [show.minor(sums[currency][month], currency) for currency in ordered]}
        for label, month in zip(labels, months, strict=True)
    ]
    return {"charts": charts, "months": rows, "currencies": ordered}


def _exact(minor: int, currency: str) -> str:
    """An amount as the picture's script reads it."""
    return f"{Money(minor, places(currency)).exact:f}"
