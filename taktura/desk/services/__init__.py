"""Writes of tickets and time."""

from taktura.desk.services.given import give_mail, throw_mail_away
from taktura.desk.services.included import MOST_INCLUDED, end_hours, include_hours
from taktura.desk.services.levels import clock_of, keep_clocks, set_service_levels
from taktura.desk.services.merging import Merge, check_merge, merge_tickets
from taktura.desk.services.portal import answer_ticket_in_portal, open_ticket_in_portal, solve_ticket, told, told_files
from taktura.desk.services.queues import add_queue, change_queue, move_tickets
from taktura.desk.services.settings import add_activity, change_activity, set_desk_mail, set_own_approval
from taktura.desk.services.templates import add_answer_template, change_answer_template, remove_answer_template
from taktura.desk.services.tickets import answer_ticket, change_ticket, open_ticket
from taktura.desk.services.time import (
    MOST_MINUTES,
    approve_time,
    check_approval,
    correct_time,
    log_time,
    own_of,
    remove_time,
    unapprove_time,
)
from taktura.desk.services.timer import (
    drop_timer,
    go_on_with_timer,
    pause_timer,
    ran_overnight,
    seconds_of,
    start_timer,
    started_on,
    stop_timer,
)

__all__ = [
    "MOST_INCLUDED",
    "MOST_MINUTES",
    "add_activity",
    "change_activity",
    "set_desk_mail",
    "set_own_approval",
    "set_service_levels",
    "add_answer_template",
    "add_queue",
    "change_answer_template",
    "remove_answer_template",
    "answer_ticket",
    "answer_ticket_in_portal",
    "approve_time",
    "change_queue",
    "change_ticket",
    "Merge",
    "check_approval",
    "check_merge",
    "merge_tickets",
    "move_tickets",
    "clock_of",
    "correct_time",
    "end_hours",
    "give_mail",
    "include_hours",
    "keep_clocks",
    "log_time",
    "open_ticket",
    "open_ticket_in_portal",
    "own_of",
    "solve_ticket",
    "told",
    "told_files",
    "remove_time",
    "throw_mail_away",
    "unapprove_time",
    "drop_timer",
    "go_on_with_timer",
    "pause_timer",
    "ran_overnight",
    "seconds_of",
    "start_timer",
    "started_on",
    "stop_timer",
]
