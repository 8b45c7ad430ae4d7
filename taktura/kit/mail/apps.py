"""The outbox as a Django app: its label is `mail`."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """`taktura.kit.mail`, whose tables begin with `mail_`."""

    name = "taktura.kit.mail"
    label = "mail"
