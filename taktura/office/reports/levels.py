"""The report of service levels: how first answers and solutions kept what was promised."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from taktura.core.money import money
from taktura.desk.levels import Level, service_levels
from taktura.office import show
from taktura.office.page import actor_of, page, seller_of
from taktura.office.reports.frame import Chart, Head, Line, Report, answer, period_of

IN_TIME, LATE = "#0b6e4f", "#d63939"


@page("desk.view")
def levels(request: HttpRequest) -> HttpResponse:
    """Answers and solutions of the tickets opened in a period: in time, late, still overdue; by priority."""
    period = period_of(request)
    found = service_levels(seller_of(request), period.first, period.end, actor_of(request).now)
    rows = [row for row in found if row.tickets]
    answered, solved = sum(r.answered_in_time for r in rows), sum(r.solved_in_time for r in rows)
    report = Report(
        slug="levels", title=_("Service levels"),
        text=_(
            "Tickets opened in the period, by priority; each by what was promised for it, in business hours. Without a"
            " target a ticket is neither in time nor late."
        ),
        heads=[
            Head(label=_("Priority")), Head(label=_("Tickets"), numeric=True),
            Head(label=_("Answered in time"), numeric=True, narrow=True), Head(label=_("Answers kept"), numeric=True),
            Head(label=_("Solved in time"), numeric=True, narrow=True), Head(label=_("Solutions kept"), numeric=True),
            Head(label=_("Overdue"), numeric=True),
        ],
        lines=[
            Line(cells=[
                show.word("priority", row.priority), show.count(row.tickets),
                _of(row.answered_in_time, row.answered_late), _kept(row.answered_in_time, row.answered_late),
                _of(row.solved_in_time, row.solved_late), _kept(row.solved_in_time, row.solved_late),
                show.count(row.overdue),
            ])
            for row in rows
        ],
        names=[
            _("Priority"), _("Tickets"), _("Answered in time"), _("Answered late"), _("Solved in time"),
            _("Solved late"), _("Overdue"),
        ],
        rows=[
            [show.word("priority", r.priority), r.tickets, r.answered_in_time, r.answered_late, r.solved_in_time,
             r.solved_late, r.overdue]
            for r in rows
        ],
        figures=[
            (_("Tickets"), show.count(sum(r.tickets for r in rows))),
            (_("Answers kept"), _kept(answered, sum(r.answered_late for r in rows))),
            (_("Solutions kept"), _kept(solved, sum(r.solved_late for r in rows))),
            (_("Overdue"), show.count(sum(r.overdue for r in rows))),
        ],
        charts=[
            Chart(label=label, data=_drawn(rows, in_time, late))
            for label, in_time, late in (
                (_("First answers by priority"), [r.answered_in_time for r in rows], [r.answered_late for r in rows]),
                (_("Solutions by priority"), [r.solved_in_time for r in rows], [r.solved_late for r in rows]),
            )
            if any(in_time) or any(late)
        ],
    )  # fmt: skip
    return answer(request, report, period)


def _of(in_time: int, late: int) -> str:
    """How many of those that had a target were in time."""
    return f"{show.count(in_time)} / {show.count(in_time + late)}" if in_time + late else show.NONE


def _kept(in_time: int, late: int) -> str:
    """The share that was in time, in percent with one decimal; nothing where nothing was promised."""
    if not in_time + late:
        return show.NONE
    return show.rate(percent_kept(in_time, late))


def percent_kept(in_time: int, late: int) -> Decimal:
    """100 x in time / all, rounded HALF_UP to one decimal."""
    return money(Fraction(100 * in_time, in_time + late), 1).exact


def _drawn(rows: Sequence[Level], in_time: Sequence[int], late: Sequence[int]) -> dict[str, Any]:
    return {
        "stacked": True, "horizontal": True, "labels": [show.word("priority", row.priority) for row in rows],
        "datasets": [
            {"label": _("In time"), "backgroundColor": IN_TIME, "data": [str(n) for n in in_time]},
            {"label": _("Late"), "backgroundColor": LATE, "data": [str(n) for n in late]},
        ],
    }  # fmt: skip
