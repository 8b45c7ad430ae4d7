"""Django's mails (those of sign-in) go through the outbox like all others."""

from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import get_language

from taktura.kit.clock import utc_now
from taktura.kit.mail.services import ACCOUNT, post


class OutboxBackend(BaseEmailBackend):
    """Writes each mail into the outbox, once for each recipient."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Put mails into the outbox; gives how many."""
        written = 0
        for message in email_messages:
            for recipient in message.recipients():
                post(
                    utc_now(), to=recipient, subject=" ".join(str(message.subject).split()), text=str(message.body),
                    html=_html(message), kind=ACCOUNT, language=(get_language() or "en")[:2],
                )  # fmt: skip
            written += 1
        return written


def _html(message: EmailMessage) -> str:
    if isinstance(message, EmailMultiAlternatives):
        found: list[Any] = [content for content, kind in message.alternatives if kind == "text/html"]
        return str(found[0]) if found else ""
    return ""
