"""What states of mailboxes, mails, users and webhooks are called: a part of the table in `office.words`."""

MAILBOXES = {
    "mailbox_purpose": {"usage": "Usage files of a supplier", "tickets": "Tickets"},
    "strangers": {
        "collect": "Wait until somebody gives them to a customer",
        "leave": "Stay in their folder",
        "ignore": "Are ignored, and moved to the archive",
    },
    "mailbox": {"works": "Works", "new": "Not looked into yet", "failing": "Cannot be reached", "off": "Off"},
    "incoming": {
        "taken": "Taken",
        "ignored": "Ignored",
        "refused": "Refused",
        "waiting": "Waits for you",
        "failed": "Failed",
    },
}
USERS = {
    "role": {
        "admin": "Administrator",
        "billing": "Billing",
        "sales": "Sales",
        "lead": "Team lead",
        "technician": "Technician",
        "viewer": "Viewer",
    },
    "may": {
        "admin": "Everything",
        "billing": "Customers, contracts, usage, sales items, tickets, approval of time, billing, credit notes, mails,"
        " payments; sees everything",
        "sales": "Customers, tariffs, contracts, sales items, mails; sees usage, billing and documents",
        "lead": "Usage, sales items, tickets, approval of time; sees all but the settings",
        "technician": "Tickets and worked time; sees customers, contracts and usage",
        "viewer": "Sees all but settings, jobs and the log",
    },
}
WEBHOOKS = {
    "webhook": {
        "on": "Active",
        "failing": "Does not arrive",
        "paused": "Paused",
        "gone": "Switched off (410)",
        "given_up": "Switched off",
    },
    "delivery": {"waiting": "Waiting", "delivered": "Delivered", "failed": "Failed"},
    "event": {
        "invoice.issued": "Invoice issued",
        "credit_note.issued": "Credit note issued",
        "payment.received": "Payment entered",
        "contract.signed": "Contract signed",
        "contract.changed": "Contract changed",
        "contract.notice_given": "Notice given",
        "contract.notice_withdrawn": "Notice withdrawn",
        "order.received": "Order received",
        "order.approved": "Order approved",
        "order.refused": "Order refused",
        "notice.received": "Notice received",
        "customer.created": "Customer made",
        "customer.changed": "Customer changed",
        "usage.recorded": "Usage recorded",
        "usage.withdrawn": "Usage withdrawn",
        "sales_item.created": "Sales item made",
        "alert.raised": "Alert raised",
        "alert.resolved": "Alert resolved",
        "ticket.opened": "Ticket opened",
        "ticket.answered": "Ticket answered",
        "ticket.changed": "Ticket changed",
        "ticket.solved": "Ticket solved",
        "ticket.merged": "Tickets merged",
        "time.approved": "Time approved",
        "webhook.test": "Test event",
    },
    "delivery_error": {"no answer in time": "No answer in time"},
}
