"""When tickets are due, as pages show it: what is left or over in business time, in words, with colour and icon."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from taktura.core.business import Hours
from taktura.customers.models import Seller
from taktura.desk.levels import ANSWER, Standing, hours_of, next_standing, standings
from taktura.desk.models import Ticket
from taktura.office import show
from taktura.office.lists import Column, Filter
from taktura.office.templatetags.office import icon

SOON = timedelta(hours=1)  # of business time: then it is shown as pressing
DAY = timedelta(days=1)
OVER, NEXT_DAY = "over", "day"
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # where it is sorted that nothing is due
LOOKS = {"kept": ("green", "circle-check"), "missed": ("red", "circle-x"), "stopped": ("secondary", "player-pause"),
         "over": ("red", "alert-circle")}  # fmt: skip


def due_column(seller: Seller, now: datetime) -> Column:
    """The column of what staff has to keep next; business hours are asked for only where something is due."""
    hours: Callable[[], Hours] = cache(lambda: hours_of(seller))

    def cell(ticket: Ticket) -> SafeString | str:
        shown = next_standing(ticket, hours(), now) if ticket.due_at and ticket.status == "open" else None
        return badge(shown) if shown else show.NONE

    return Column(
        name="due", label=_("Due"), value=cell, raw=lambda t: t.due_at, sort="due_at", empty=NEVER, narrow=True
    )


def due_filter(now: datetime) -> Filter:
    """Tickets that are overdue, or will be within a day."""

    def apply(rows: QuerySet[Ticket], value: str) -> QuerySet[Ticket]:
        waiting = rows.filter(status="open")
        return (
            waiting.filter(due_at__lt=now) if value == OVER else waiting.filter(due_at__gte=now, due_at__lt=now + DAY)
        )

    return Filter(
        name="due", label=_("Due"), choices=[(OVER, _("Overdue")), (NEXT_DAY, _("Due within a day"))], apply=apply
    )


def shown_standings(ticket: Ticket, now: datetime) -> list[tuple[str, datetime | None, SafeString]]:
    """The clocks of a ticket: what for, when due, how it stands."""
    if ticket.answer_due_at is None and ticket.solve_due_at is None and ticket.solve_left is None:
        return []
    names = {True: _("First answer due"), False: _("Solution due")}
    found = standings(ticket, hours_of(ticket.customer.seller), now)
    return [(names[s.kind == ANSWER], s.due, badge(s, named=False)) for s in found]


def badge(one: Standing, *, named: bool = True) -> SafeString:
    """How a clock stands, as a badge; `named`: with what is to be done."""
    soon = one.state == "runs" and one.left is not None and one.left <= SOON
    colour, drawing = ("yellow", "hourglass") if soon else LOOKS.get(one.state, ("secondary", "clock"))
    text = (_named(one) if named else "") or _plain(one)
    return format_html('<span class="badge bg-{}-lt state">{} {}</span>', colour, icon(drawing), text)


def _named(one: Standing) -> str:
    time = {"time": show.hours(one.minutes)}
    if one.kind == ANSWER:
        return {"runs": _("Answer in %(time)s h"), "over": _("Answer %(time)s h over")}.get(one.state, "") % time
    return {"runs": _("Solve in %(time)s h"), "over": _("Solution %(time)s h over")}.get(one.state, "") % time


def _plain(one: Standing) -> str:
    time = {"time": show.hours(one.minutes)}
    return {
        "runs": _("%(time)s h left"), "over": _("%(time)s h over"), "kept": _("in time"),
        "missed": _("late by %(time)s h"), "stopped": _("stands still, %(time)s h left"),
    }[one.state] % time  # fmt: skip
