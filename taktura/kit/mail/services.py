"""Putting mails into the outbox, and sending them: once, as far as SMTP allows.

A mail is written in the transaction of what it tells of. Before it is handed to a server it is marked `sending`, in a
transaction of its own. If the process dies between that mark and the server's answer, or the answer is lost, nobody can
know whether the server took it: the mail becomes `unknown` and is not repeated unless somebody says so.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import make_msgid

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet

from taktura.core.errors import Refused
from taktura.kit.clock import utc_now
from taktura.kit.language import translate
from taktura.kit.mail import smtp
from taktura.kit.mail.models import MailAttachment, MailServer, OutgoingMail
from taktura.kit.mail.tasks import send_mail

DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360))  # then the last again
GIVEN_UP = timedelta(days=2)
LOST = timedelta(minutes=15)  # marked as sending for so long: whoever sent it is gone
KEPT_FOR = timedelta(days=90)  # attachments of mails that were sent, and mails of sign-in
TROUBLE = ("failed", "unknown")  # a person must look at them
AGAIN = (*TROUBLE, "caught", "given_up")  # what can be tried again
ACCOUNT = "account"  # mails of sign-in: codes and links that open the office
TEST = ("The mail server works", "This mail was sent to see whether the mail server works.")
MOST_THREAD = 20  # message ids that a mail names
_ID = re.compile(r"<[!-;=?-~]{1,250}>")  # a message id that fits into one line
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
    automatic: str = "auto-generated",
    reply_to: str = "",
    thread: Sequence[str] = (),
) -> OutgoingMail:
    """Put a mail into the outbox; it is sent after the transaction, if that succeeds.

    `automatic` is empty for what a person wrote, "auto-replied" for what answers a mail by itself; `thread`: the
    message ids of the mails that it answers, the last one last.

    Raises `Refused` (`invalid`): the address, a subject of more than one line, attachments of more than 20 MB.
    """
    recipient = _address(to)
    title = subject.strip()
    if not title or not one_line(title):
        raise Refused("invalid", "A subject has one line.")
    if sum(len(content) for _name, _type, content in attachments) > MOST_BYTES:
        raise Refused("invalid", "The attachments are larger than 20 MB together: send fewer of them.")
    mail = OutgoingMail.objects.create(
        message_id=make_msgid(domain=_domain(sender)), sender=sender, recipient=recipient, subject=title[:300],
        text=text.replace("\0", ""), html=html, kind=kind, about=about, language=language, created_at=now, next_at=now,
        automatic=automatic, reply_to=_address(reply_to) if reply_to else "",
        thread=[one for one in thread if _ID.fullmatch(one)][-MOST_THREAD:],
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
            mail.next_at = now + _delay(mail.attempts)
            if sum((_delay(n) for n in range(1, mail.attempts + 1)), timedelta()) > GIVEN_UP:
                outcome.state = "failed"  # by its tries, not by its age: the worker may have been away
        if outcome.state == "sent":
            mail.sent_at = now
            if mail.kind == ACCOUNT:
                mail.text = mail.html = ""  # nobody but its recipient may read it
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
    """Try a mail again that failed, was caught, was given up, or may have got lost. It keeps its message id.

    Raises `Refused` (`invalid`) for one that was sent or is on its way.
    """
    tried = OutgoingMail.objects.filter(pk=mail.pk, state__in=AGAIN)
    if not tried.update(state="waiting", next_at=now, created_at=now, attempts=0, last_error=""):
        raise Refused("invalid", "The mail was sent, or is on its way.")
    send_mail.defer(mail=mail.pk)


def give_up(*, mail: OutgoingMail) -> None:
    """Let a mail rest that was not delivered: nobody needs to look at it any more. Raises `Refused` (`invalid`)."""
    if not OutgoingMail.objects.filter(pk=mail.pk, state__in=TROUBLE).update(state="given_up"):
        raise Refused("invalid", "Only a mail that was not delivered is given up.")


def send_test(*, server: MailServer, to: str, language: str = "en") -> smtp.Outcome:
    """Send a mail over a server now, to see whether it works; it does not stand in the outbox.

    Gives what became of it, with what the server said. Raises `Refused` (`invalid`): the address.
    """
    now = utc_now()
    mail = OutgoingMail(
        message_id=make_msgid(domain=_domain_of(server)), recipient=_address(to), created_at=now, language=language,
        subject=translate(TEST[0], {}, language), text=translate(TEST[1], {}, language) + "\n",
    )  # fmt: skip
    return smtp.send(server, mail, [])


def forget_old(now: datetime) -> int:
    """Forget what is not needed any more: attachments of mails that were sent long ago, old mails of sign-in."""
    before = now - KEPT_FOR
    attachments, _ = MailAttachment.objects.filter(mail__state="sent", mail__sent_at__lt=before).delete()
    mails, _ = OutgoingMail.objects.filter(kind=ACCOUNT, created_at__lt=before).exclude(state="sending").delete()
    return attachments + mails


def server_of(sender: str) -> MailServer | None:
    """The server over which a sender's mails go: its own, else the one for all. Mails of nobody in particular (those of
    sign-in) also go over a seller's, where it is the only one."""
    found = MailServer.objects.filter(key__in=[sender, ""]).order_by(F("key").desc()).first()
    if found is None and not sender:
        servers = list(MailServer.objects.all()[:2])
        return servers[0] if len(servers) == 1 else None
    return found


def one_line(text: str) -> bool:
    """Whether a text has no signs that end a line or control a terminal."""
    return not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text)


def _domain(sender: str) -> str:
    server = server_of(sender)
    return _domain_of(server) if server else "taktura.invalid"


def _domain_of(server: MailServer) -> str:
    return smtp.plain(server.from_address).rpartition("@")[2]


def _delay(attempts: int) -> timedelta:
    """How long to wait after so many tries."""
    return DELAYS[min(attempts, len(DELAYS)) - 1]


def _become(mail: OutgoingMail, state: str) -> None:
    mail.state = state
    mail.save(update_fields=["state", "attempts", "tried_at", "sent_at", "last_error", "next_at", "text", "html"])


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
