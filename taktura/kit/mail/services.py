"""Putting mails into the outbox, and sending them: once, as far as SMTP allows.

A mail is written in the transaction of what it tells of. Before it is handed to a server it is marked `sending`, in a
transaction of its own. If the process dies between that mark and the server's answer, or the answer is lost, nobody can
know whether the server took it: the mail becomes `unknown` and is not repeated unless somebody says so.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import make_msgid

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet

from taktura.core.errors import Refused
from taktura.kit.mail import smtp
from taktura.kit.mail.models import MailAttachment, MailServer, OutgoingMail
from taktura.kit.mail.tasks import send_mail

DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360))  # then the last again
GIVEN_UP = timedelta(days=2)
LOST = timedelta(minutes=15)  # marked as sending for so long: whoever sent it is gone
MOST_BYTES = 20 * 1024**2  # of all attachments; larger mails are refused by most servers

Attachment = tuple[str, str, bytes]  # name, type, content


@transaction.atomic
def post(
    now: datetime,
    *,
    to: str,
    subject: str,
    text: str,
    html: str = "",
    sender: str = "",
    kind: str = "",
    about: str = "",
    language: str = "en",
    attachments: Sequence[Attachment] = (),
) -> OutgoingMail:
    """Put a mail into the outbox; it is sent after the transaction, if that succeeds.

    Raises `Refused` (`invalid`): the address, a subject of more than one line, attachments of more than 20 MB.
    """
    recipient = _address(to)
    title = subject.strip()
    if not title or any(sign in title for sign in "\r\n\0"):
        raise Refused("invalid", "A subject has one line.")
    if sum(len(content) for _name, _type, content in attachments) > MOST_BYTES:
        raise Refused("invalid", "The attachments are larger than 20 MB together: send fewer of them.")
    mail = OutgoingMail.objects.create(
        message_id=make_msgid(domain=_domain(sender)), sender=sender, recipient=recipient, subject=title[:300],
        text=text.replace("\0", ""), html=html, kind=kind, about=about, language=language, created_at=now, next_at=now,
    )  # fmt: skip
    MailAttachment.objects.bulk_create(
        MailAttachment(mail=mail, name=_file_name(name), content_type=kind_of_file, content=content)
        for name, kind_of_file, content in attachments
    )
    send_mail.defer(mail=mail.pk)
    return mail


def deliver(mail_id: int, now: datetime) -> str:
    """Send one mail if it is due; gives its state afterwards (empty: it was not due)."""
    with transaction.atomic():
        due = OutgoingMail.objects.select_for_update(skip_locked=True, of=("self",))
        mail = due.filter(pk=mail_id, state="waiting", next_at__lte=now).first()
        if mail is None:
            return ""
        server = server_of(mail.sender)
        if server is None:
            _become(mail, "caught")
            return mail.state
        mail.attempts, mail.tried_at = mail.attempts + 1, now
        _become(mail, "sending")
    outcome = smtp.send(server, mail, list(mail.attachments.all()))
    with transaction.atomic():
        mail.last_error = outcome.error[:2000]
        if outcome.state == "waiting":
            mail.next_at = now + DELAYS[min(mail.attempts, len(DELAYS)) - 1]
            if mail.next_at > mail.created_at + GIVEN_UP:
                outcome.state = "failed"
        if outcome.state == "sent":
            mail.sent_at = now
        _become(mail, outcome.state)
    return mail.state


def due(now: datetime) -> QuerySet[OutgoingMail]:
    """The mails that are to be tried now, oldest first."""
    return OutgoingMail.objects.filter(state="waiting", next_at__lte=now).order_by("next_at", "pk")


def give_up_lost(now: datetime) -> int:
    """Mark the mails whose sender died as `unknown`; gives how many."""
    lost = OutgoingMail.objects.filter(state="sending", tried_at__lt=now - LOST)
    return lost.update(state="unknown", last_error="The process that sent it ended before the server had answered.")


@transaction.atomic
def send_again(now: datetime, *, mail: OutgoingMail) -> None:
    """Try a mail again that failed, was caught, or may have got lost. It keeps its message id.

    Raises `Refused` (`invalid`) for one that was sent or is on its way.
    """
    tried = OutgoingMail.objects.filter(pk=mail.pk, state__in=["failed", "unknown", "caught"])
    if not tried.update(state="waiting", next_at=now, created_at=now, attempts=0, last_error=""):
        raise Refused("invalid", "The mail was sent, or is on its way.")
    send_mail.defer(mail=mail.pk)


def server_of(sender: str) -> MailServer | None:
    """The server over which a sender's mails go."""
    return MailServer.objects.filter(key__in=[sender, ""]).order_by(F("key").desc()).first()


def _domain(sender: str) -> str:
    server = server_of(sender)
    return server.from_address.rpartition("@")[2] if server else "taktura.invalid"


def _become(mail: OutgoingMail, state: str) -> None:
    mail.state = state
    mail.save(update_fields=["state", "attempts", "tried_at", "sent_at", "last_error", "next_at"])


def _address(text: str) -> str:
    address = text.strip()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=address) from error
    return address


def _file_name(name: str) -> str:
    """A name without folders and signs that mail programs stumble over."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable() and c not in '"<>|:*?')[:200] or "file"
