"""What states of mailboxes and of their mails are called: a part of the table in `office.words`."""

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
