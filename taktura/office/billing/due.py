"""The list of what is due on a day: contract, last bill, what a run would bill, what strikes."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Case, F, Q, When
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.accounts.models import User
from taktura.billing import services as billing
from taktura.billing.queries import due_list, standing
from taktura.billing.unattended import RUN
from taktura.core.money import Money, places
from taktura.customers.models import Seller
from taktura.kit.fold import fold
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, may_open, page, seller_of, today_of, user_of
from taktura.office.templatetags.office import state
from taktura.office.typed import read_day

MOST_LEFT_OUT = 2_000  # contracts that wait for another run; they are kept with the session
MOST_EXPORTED = 1_000  # each is worked out
YEARS_AHEAD = 100  # a later day is a slip, and periods end where the calendar does


@page("billing.view")
def billing_page(request: HttpRequest) -> HttpResponseBase:
    """What is due, what is odd, is it safe to issue?"""
    seller, on = seller_of(request), day_of(request)
    left_out, stands = left_out_of(request, seller), standing(seller.pk, on)
    listing = Listing(
        slug="billing",
        title=_("Billing"),
        rows=_rows(seller, on),
        columns=_columns(on, user_of(request)),
        order="due",
        filters=_filters({seller.currency, *stands.currencies}, left_out),
        search=_search,
        search_label=_("Contract or customer"),
        prepare=lambda rows: _prepare(request, seller, on, left_out, rows),
        link=lambda row: preview_address(on, row.customer_id),
        menu=lambda row: _menu(row, on),
        actions=_actions(seller),
        links=[
            Link(label=_("Runs"), url=reverse("billing_runs"), permission="billing.view", icon="history"),
            Link(label=_("Preview"), url=preview_address(on), permission="billing.view", icon="eye"),
            Link(label=_("Forecast"), url=reverse("forecast"), permission="billing.view", icon="chart-bar"),
        ],
        primary=Link(
            label=_("Bill"), url=f"{reverse('start_run')}?on={on.isoformat()}", permission="billing.run", icon="receipt"
        ),
        empty_title=_("Nothing is due"),
        empty_text=_("All that is due until this day is billed. Choose a later day to look ahead."),
        most=MOST_EXPORTED,
        worked_out=True,
        template="billing/due.html",
        more={"on": on, "left_out": len(left_out), "stands": stands, "run_kind": RUN},
    )
    return list_page(request, listing)


def day_of(request: HttpRequest) -> date:
    """The day until which is billed: the one in the address, where it makes sense, else today."""
    today = today_of(request)
    given = request.POST.get("on") or request.GET.get("on", "")
    found: date = read_day(given, show.language(), today) or today
    return found if found.year <= today.year + YEARS_AHEAD else today


def preview_address(on: date, customer: int | None = None) -> str:
    """The preview of a run on a day, or of one customer's part of it."""
    part = f"&customer={customer}" if customer is not None else ""
    return f"{reverse('preview_run')}?on={on.isoformat()}{part}"


def left_out_of(request: HttpRequest, seller: Seller) -> list[int]:
    """The contracts that somebody at this browser has left out of the next run."""
    found: list[int] = request.session.get(f"left_out:{seller.pk}", [])
    return found


def leave_out(request: HttpRequest, seller: Seller, contracts: Iterable[int]) -> None:
    """Remember which contracts are left out of the next run."""
    request.session[f"left_out:{seller.pk}"] = sorted(set(contracts))


def _rows(seller: Seller, on: date) -> Rows:
    """Those that are due, by the day since when; of a change the day from which it counts."""
    since = Case(When(next_due__lte=on, then=F("next_due")), default=F("changed_from"))
    return due_list(seller.pk, on).select_related("customer").annotate(since=since)


def _columns(on: date, user: User) -> Sequence[Column]:
    return [
        Column(name="customer", label=_("Customer"), value=_customer, raw=lambda r: r.customer.name,
               sort="customer__folded"),
        Column(name="contract", label=_("Contract"), value=lambda r: r.key, sort="key", shown=False),
        Column(name="due", label=_("Due since"), value=lambda r: show.day(r.since), raw=lambda r: r.since,
               sort="since", empty=date.min, numeric=True, narrow=True),
        Column(name="last", label=_("Last bill"), value=_last, raw=lambda r: _exact(r, r.expected.last), numeric=True,
               narrow=True),
        Column(name="expected", label=_("Expected net"), value=lambda r: _expected(r, on),
               raw=lambda r: Money(r.expected.net, places(r.currency)).exact, numeric=True),
        Column(name="currency", label=_("Currency"), value=lambda r: r.currency, shown=False),
        Column(name="strikes", label=_("What strikes"), value=lambda r: _strikes(r, user)),
    ]  # fmt: skip


def _customer(row: Any) -> SafeString:
    return format_html('{}<span class="under">{}</span>', row.customer.name, row.key)


def _last(row: Any) -> SafeString | str:
    last = row.expected.last
    if last is None:
        return show.NONE
    return format_html(
        '<a class="proof" href="{}">{}</a><div class="text-secondary small">{}</div>',
        reverse("document", args=[last.document]), show.minor(last.net, row.currency), show.day(last.issued_on),
    )  # fmt: skip


def _exact(row: Any, last: Any) -> Any:
    return Money(last.net, places(row.currency)).exact if last else None


def _expected(row: Any, on: date) -> SafeString | str:
    if row.expected.problem:
        return show.NONE
    amount = show.minor(row.expected.net, row.currency)
    return format_html('<a class="proof" href="{}">{}</a>', preview_address(on, row.customer_id), amount)


def _strikes(row: Any, user: User) -> SafeString | str:
    found, expected = [], row.expected
    if row.is_left_out:
        found.append(state("strikes", "left_out"))
    if expected.problem:
        blocked = expected.code == "billing_information_missing"
        link = preview_address(row.on, row.customer_id)
        if blocked:
            link = f"{reverse('customer_billing', args=[row.customer_id])}?next={reverse('billing')}"
        text = '<a class="small d-block" href="{}">{}</a>' if may_open(user, link) else '<span class="small">{1}</span>'
        found += [state("strikes", "blocked" if blocked else "problem"), format_html(text, link, expected.problem)]
    elif expected.strikes:
        found.append(state("strikes", expected.strikes))
    return format_html("{}" * len(found), *found) if found else ""


def _prepare(request: HttpRequest, seller: Seller, on: date, left_out: Sequence[int], rows: list[Any]) -> None:
    """What a run would bill of the rows of this page; the others are not looked at."""
    wanted = [(row.customer_id, row.pk) for row in rows]
    found = billing.expected(actor_of(request), seller=seller, on=on, contracts=wanted, language=show.language())
    for row in rows:
        row.expected, row.is_left_out, row.on = found[row.pk], row.pk in left_out, on


def _menu(row: Any, on: date) -> Iterable[Link]:
    yield Link(label=_("Preview"), url=preview_address(on, row.customer_id), permission="billing.view", icon="eye")
    if not row.customer.complete:
        url = f"{reverse('customer_billing', args=[row.customer_id])}?next={reverse('billing')}"
        yield Link(label=_("Complete billing information"), url=url, permission="customers.change", icon="receipt")


def _search(rows: Rows, text: str) -> Rows:
    return rows.filter(Q(key__icontains=text) | Q(customer__folded__contains=fold(text)))


def _filters(currencies: Iterable[str], left_out: Sequence[int]) -> Sequence[Filter]:
    return [
        Filter(name="on", label=_("Due until (today if empty)"), is_day=True, apply=lambda rows, day: rows),
        Filter(name="blocked", label=_("Billing information"), choices=[("1", _("Missing")), ("0", _("Complete"))],
               apply=lambda rows, value: rows.filter(customer__complete=value == "0")),
        Filter(name="left_out", label=_("Left out"), choices=[("1", _("Left out")), ("0", _("Not left out"))],
               apply=lambda rows, value: (rows.filter if value == "1" else rows.exclude)(pk__in=list(left_out))),
        Filter(name="currency", label=_("Currency"), choices=[(c, c) for c in sorted(currencies)],
               apply=lambda rows, currency: rows.filter(currency=currency)),
    ]  # fmt: skip


def _actions(seller: Seller) -> Sequence[Action]:
    return [
        Action(name="leave_out", label=_("Leave out of the next run"), permission="billing.run", icon="minus",
               run=lambda request, rows: _leave_out(request, seller, rows)),
        Action(name="take_in", label=_("Take in again"), permission="billing.run", icon="plus",
               run=lambda request, rows: _take_in(request, seller, rows)),
    ]  # fmt: skip


def _leave_out(request: HttpRequest, seller: Seller, rows: Rows) -> HttpResponse:
    chosen = set(rows.order_by().values_list("pk", flat=True)[: MOST_LEFT_OUT + 1])
    both = chosen | set(left_out_of(request, seller))
    if len(both) > MOST_LEFT_OUT:
        text = _("At most %(most)s contracts can be left out of a run.") % {"most": show.count(MOST_LEFT_OUT)}
        messages.warning(request, text)
    else:
        leave_out(request, seller, both)
        text = ngettext("%(count)s contract is left out.", "%(count)s contracts are left out.", len(both))
        messages.success(request, text % {"count": show.count(len(both))})
    return redirect(request.get_full_path())


def _take_in(request: HttpRequest, seller: Seller, rows: Rows) -> HttpResponse:
    before = left_out_of(request, seller)
    again = set(rows.filter(pk__in=before).order_by().values_list("pk", flat=True))
    leave_out(request, seller, set(before) - again)
    text = ngettext("%(count)s contract is taken in again.", "%(count)s contracts are taken in again.", len(again))
    messages.success(request, text % {"count": show.count(len(again))})
    return redirect(request.get_full_path())
