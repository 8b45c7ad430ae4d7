"""Reads of the outbox."""

from collections.abc import Iterable

from django.db.models import Count, QuerySet

from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.kit.mail.services import ACCOUNT, TROUBLE


def mails(senders: Iterable[str], *, state: str = "", kind: str = "") -> QuerySet[OutgoingMail]:
    """The mails of senders ("seller:1"; "" for those of sign-in), the newest first, without their content."""
    found = OutgoingMail.objects.filter(sender__in=list(senders)).defer("text", "html")
    if state:
        found = found.filter(state=state)
    return found.filter(kind=kind) if kind else found


def in_trouble(senders: Iterable[str]) -> QuerySet[OutgoingMail]:
    """The mails of senders that somebody must look at: refused for good, or perhaps lost."""
    return mails(senders).filter(state__in=TROUBLE)


def is_secret(mail: OutgoingMail) -> bool:
    """Whether what a mail says opens the office (a code, a link): to be shown only to who may change accounts.

    Its text is gone once it was sent.
    """
    return mail.kind == ACCOUNT


def own_server(sender: str) -> MailServer | None:
    """A sender's own mail server ("": the one for all); None where it has none. Over which its mails go says
    `services.server_of`."""
    return MailServer.objects.filter(key=sender).first()


def mails_by_state() -> list[tuple[str, int]]:
    """How many mails there are of each state."""
    rows = OutgoingMail.objects.order_by().values_list("state").annotate(number=Count("pk"))
    return [(state, number) for state, number in rows]
