"""What stored values of the service desk are called, by kind; see `words`."""

DESK = {
    "ticket_state": {"open": "Open", "waiting": "Waits for the customer", "solved": "Solved", "closed": "Closed"},
    "priority": {"urgent": "Urgent", "high": "High", "normal": "Normal", "low": "Low"},
    "channel": {"office": "Staff", "portal": "Customer portal", "api": "API", "mail": "E-mail"},
    "message": {"customer": "Customer", "staff": "Answer to the customer", "note": "Note, for staff only"},
}
ACTIONS = {
    "open_ticket": "Ticket opened",
    "answer_ticket": "Message written",
    "change_ticket": "Ticket changed",
    "add_queue": "Queue made",
    "change_queue": "Queue changed",
    "log_time": "Time logged",
    "correct_time": "Time corrected",
    "remove_time": "Time removed",
    "drop_timer": "Timer thrown away",
    "approve_time": "Time approved",
    "unapprove_time": "Approval of time taken back",
    "include_hours": "Included hours agreed",
    "end_hours": "End of included hours set",
    "take_back_hours": "Included hours taken back",
    "add_activity": "Activity made",
    "change_activity": "Activity changed",
    "set_own_approval": "Approval of one's own time set",
    "set_service_levels": "Service levels set",
}
DESK_FIELDS = {
    "hours": "Business hours",
    "holidays": "Holidays",
    "targets": "Targets",
    "subject": "Subject",
    "priority": "Priority",
    "queue": "Queue",
    "assignee": "Assignee",
    "line": "Contract line",
    "message": "Message",
}
