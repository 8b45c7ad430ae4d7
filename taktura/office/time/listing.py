"""The list of worked time."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.accounts.models import User
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import search as customers_like
from taktura.desk.models import Activity, Ticket, TimeEntry
from taktura.desk.queries import search as tickets_like
from taktura.desk.services import unapprove_time
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page, yes_no
from taktura.office.page import actor_of, page, seller_of
from taktura.office.templatetags.office import state
from taktura.office.time.approval import choose
from taktura.office.words import WORDS

MOST = 1000  # approved or opened at once
COUNTED = 10_000  # of more time than that the list says so, and gives no sum


@page("desk.view")
def times(request: HttpRequest) -> HttpResponseBase:
    """All worked time of the seller's customers, the latest first."""
    seller = seller_of(request).pk
    rows = TimeEntry.objects.filter(customer__seller=seller).select_related("customer", "ticket", "user", "activity")

    if key := request.GET.get("customer", "").replace("\0", ""):
        rows = rows.filter(customer__key=key)
    if (number := request.GET.get("ticket", "")).isascii() and number.isdigit() and len(number) < 10:
        rows = rows.filter(ticket__number=int(number))

    def like(rows: Rows, text: str) -> Rows:
        known = customers_like(Customer.objects.filter(seller=seller), text).values("pk")
        tickets = tickets_like(Ticket.objects.filter(seller=seller), text).values("pk")
        return rows.filter(Q(customer__in=known) | Q(ticket__in=tickets))

    return list_page(
        request,
        Listing(
            slug="time",
            title=_("Time"),
            rows=rows,
            columns=list(_columns()),
            order="-worked_on",
            filters=list(_filters(seller)),
            search=like,
            search_label=_("Customer or ticket"),
            link=lambda e: reverse("time_change", args=[e.pk]),
            most_counted=COUNTED,
            totals=_total,
            kept=("customer", "ticket"),
            actions=[
                Action(name="approve", label=_("Approve …"), permission="time.approve", run=_approve, icon="check"),
                Action(name="open", label=_("Open again"), permission="time.approve", run=_open, icon="lock-open"),
            ],
            primary=Link(label=_("Log time"), url=reverse("time_new"), permission="desk.change"),
            links=[
                Link(label=_("Timer"), url=reverse("timer"), permission="desk.change", icon="player-play"),
                Link(label=_("Approval"), url=reverse("time_approval"), permission="time.approve", icon="check"),
                Link(label=_("Activities"), url=reverse("time_settings"), permission="settings.view", icon="settings"),
            ],
            empty_title=_("No time yet"),
            empty_text=_("Log it here, on a ticket, or send it by the API."),
        ),
    )


def _columns() -> Iterator[Column]:
    yield Column(
        name="worked_on", label=_("Worked on"), value=lambda e: show.day(e.worked_on), raw=lambda e: e.worked_on,
        sort="worked_on",
    )  # fmt: skip
    yield Column(name="customer", label=_("Customer"), value=lambda e: e.customer.name)
    yield Column(
        name="ticket",
        label=_("Ticket"),
        value=lambda e: str(e.ticket) if e.ticket else e.note or show.NONE,
        narrow=True,
    )
    yield Column(name="user", label=_("Worked by"), value=lambda e: who(e.user), narrow=True)
    yield Column(
        name="activity", label=_("Activity"), value=lambda e: e.activity.name if e.activity else show.NONE, narrow=True
    )
    yield Column(name="note", label=_("Note"), value=lambda e: e.note or show.NONE, shown=False, narrow=True)
    yield Column(name="billable", label=_("Billable"), value=lambda e: yes_no(e.billable), narrow=True)
    yield Column(
        name="minutes", label=_("Time"), value=lambda e: show.hours(e.minutes), raw=lambda e: e.minutes, numeric=True
    )
    yield Column(
        name="status", label=_("State"), value=lambda e: state("time", e.status),
        raw=lambda e: show.word("time", e.status),
    )  # fmt: skip


def who(user: User | None) -> str:
    """Somebody's name."""
    return (user.name or user.email) if user else show.NONE


def _filters(seller: int) -> Iterator[Filter]:
    yield Filter(
        name="status", label=_("State"), choices=[(value, show.word("time", value)) for value in WORDS["time"]],
        apply=lambda rows, value: rows.filter(status=value),
    )  # fmt: skip
    users = User.objects.order_by("name", "pk")
    yield Filter(
        name="user", label=_("Worked by"), choices=[(str(u.pk), who(u)) for u in users],
        apply=lambda rows, value: rows.filter(user=int(value)),
    )  # fmt: skip
    activities = Activity.objects.filter(seller=seller).order_by("name")
    yield Filter(
        name="activity", label=_("Activity"), choices=[(str(a.pk), a.name) for a in activities],
        apply=lambda rows, value: rows.filter(activity=int(value)),
    )  # fmt: skip
    yield Filter(
        name="billable", label=_("Billable"), choices=[("yes", _("Yes")), ("no", _("No"))],
        apply=lambda rows, value: rows.filter(billable=value == "yes"),
    )  # fmt: skip
    yield Filter(name="from", label=_("From"), is_day=True, apply=lambda rows, day: rows.filter(worked_on__gte=day))
    yield Filter(name="until", label=_("Until"), is_day=True, apply=lambda rows, day: rows.filter(worked_on__lte=day))


def _total(rows: Rows) -> dict[str, str]:
    found: dict[str, Any] = rows.order_by().aggregate(minutes=Sum("minutes"))
    return {"minutes": show.hours(found["minutes"] or 0)}


def _chosen(request: HttpRequest, rows: Rows) -> list[int]:
    """The ids of what was chosen; nothing where it is too much, which is said."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if not ids:
        messages.warning(request, _("Nothing was chosen."))
    elif len(ids) > MOST:
        text = _("At most %(most)s pieces of time are taken at once: choose fewer.") % {"most": show.count(MOST)}
        messages.warning(request, text)
        return []
    return ids


def _approve(request: HttpRequest, rows: Rows) -> HttpResponse:
    """What approval of the chosen time would do."""
    ids = _chosen(request, rows.filter(status="submitted"))
    if not ids:
        return redirect(request.get_full_path())
    choose(request, ids)
    return redirect("time_preview")


def _open(request: HttpRequest, rows: Rows) -> HttpResponse:
    """Approved time is open again, all that was chosen or none."""
    ids = _chosen(request, rows)
    if ids:
        try:
            opened = unapprove_time(actor_of(request), entries=ids, seller=seller_of(request).pk)
        except Refused as refused:
            messages.error(request, show.refusal(refused))
        else:
            text = ngettext("%(number)s piece of time is open again.", "%(number)s pieces of time are open again.",
                            len(opened))  # fmt: skip
            messages.success(request, text % {"number": show.count(len(opened))})
    return redirect(request.get_full_path())
