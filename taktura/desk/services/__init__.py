"""Writes of tickets and time."""

from taktura.desk.services.included import end_hours, include_hours
from taktura.desk.services.tickets import answer_ticket, change_ticket, open_ticket
from taktura.desk.services.time import approve_time, correct_time, log_time, remove_time, unapprove_time

__all__ = [
    "answer_ticket",
    "approve_time",
    "change_ticket",
    "correct_time",
    "end_hours",
    "include_hours",
    "log_time",
    "open_ticket",
    "remove_time",
    "unapprove_time",
]
