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
}
DESK_FIELDS = {
    "subject": "Subject",
    "priority": "Priority",
    "queue": "Queue",
    "assignee": "Assignee",
    "line": "Contract line",
    "message": "Message",
}
