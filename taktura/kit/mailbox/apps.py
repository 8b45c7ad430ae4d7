"""Mailboxes as a Django app: its label is `mailbox`."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    """`taktura.kit.mailbox`, whose tables begin with `mailbox_`."""

    name = "taktura.kit.mailbox"
    label = "mailbox"
