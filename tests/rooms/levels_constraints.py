"""Rows of service levels, and what their constraints refuse; for `test_constraints`."""

from datetime import date
from typing import Any

from taktura.kit.actor import Actor

Attempts = dict[str, tuple[str, dict[str, Any]]]
# What makes a copy of a good row a good row again.
FRESH: dict[str, dict[str, Any]] = {
    "desk_holiday": {"day": "2027-01-01"},
    "desk_openinghours": {"start": 800, "end": 900},
    "desk_servicetarget": {"priority": "high"},
    "desk_ticketpause": {"until": "2099-01-01"},
}
ATTEMPTS: Attempts = {
    "holiday_once": ("desk_holiday", {"day": "$same"}),
    "opening_once": ("desk_openinghours", {"start": "$same"}),
    "opening_weekday": ("desk_openinghours", {"weekday": 7}),
    "opening_span": ("desk_openinghours", {"end": 480}),
    "service_target_once": ("desk_servicetarget", {"priority": "$same"}),
    "service_target_priority": ("desk_servicetarget", {"priority": "extreme"}),
    "service_target_answer": ("desk_servicetarget", {"answer": 0}),
    "service_target_solve": ("desk_servicetarget", {"solve": 0}),
    "ticket_clock_runs_or_stands": ("desk_ticket", {"solve_due_at": "2099-01-01", "solve_left": "1 hour"}),
    "ticket_pause_open_once": ("desk_ticketpause", {"until": None}),
    "ticket_pause_span": ("desk_ticketpause", {"until": "1999-01-01"}),
    "desk_openinghours_weekday_check": ("desk_openinghours", {"weekday": -1}),
    "desk_openinghours_start_check": ("desk_openinghours", {"start": -1}),
    "desk_openinghours_end_check": ("desk_openinghours", {"end": -1}),
    "desk_servicetarget_answer_check": ("desk_servicetarget", {"answer": -1}),
    "desk_servicetarget_solve_check": ("desk_servicetarget", {"solve": -1}),
}


def promise(actor: Actor, seller: Any) -> None:
    """A row in each table of service levels."""
    from taktura.desk import services as desk

    levels: dict[str, Any] = {"holidays": {date(2026, 5, 1): ""}, "targets": {"low": (60, 480)}}
    desk.set_service_levels(actor, seller=seller, hours={0: [(480, 1020)]}, **levels)
