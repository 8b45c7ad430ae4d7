"""What states of mailboxes and of their mails are called: a part of the table in `office.words`."""

MAILBOXES = {
    "mailbox": {"works": "Works", "new": "Not looked into yet", "failing": "Cannot be reached", "off": "Off"},
    "incoming": {
        "taken": "Taken",
        "ignored": "Ignored",
        "refused": "Refused",
        "waiting": "Waits for you",
        "failed": "Failed",
    },
}
