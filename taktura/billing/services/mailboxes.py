"""Setting mailboxes up, trying them, and looking into them out of turn. Settings are no facts of billing."""

import re
from contextlib import suppress
from datetime import date
from types import EllipsisType
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import Queue
from taktura.kit.actor import Actor
from taktura.kit.mail.services import one_line
from taktura.kit.mailbox import polling
from taktura.kit.mailbox.models import SECURITY, STRANGERS, IncomingMail, Mailbox
from taktura.kit.secret import seal
from taktura.usage.models import Supplier

PURPOSES = ("usage", "tickets")
FIELDS = (
    "host", "port", "security", "user", "folder", "archive", "not_before", "senders", "strangers", "active"
)  # fmt: skip
TEXTS = {"user": 200, "folder": 200, "archive": 200}  # and how long they may be
MOST_SENDERS = 100
MOST_MAILBOXES = 50  # of a seller
LOOKING = "look_into_mailboxes"  # the job that does it
QUEUE = "mailboxes"


@transaction.atomic
def create_mailbox(
    actor: Actor, *, seller: Seller, purpose: str, supplier: Supplier | None = None, queue: Queue | None = None,
    password: str, **fields: Any,
) -> Mailbox:  # fmt: skip
    """Look into a folder of an IMAP account from now on; the fields are `FIELDS`.

    `purpose` "usage": each attachment is a usage file of the supplier, if it comes from one of `senders`; "tickets":
    each mail is a ticket of the customer to whom its sender belongs, and of others it does as `strangers` says (they
    are collected where nothing is said); new ones are put in the `queue`. `not_before` is today where it is not given.
    Raises `Refused`: `invalid`, `conflict` (another mailbox looks into this folder).
    """
    Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
    owner = f"seller:{seller.pk}"
    if Mailbox.objects.filter(owner=owner).count() >= MOST_MAILBOXES:
        raise Refused("invalid", "A company has at most %(most)s mailboxes: remove one first.", most=MOST_MAILBOXES)
    mailbox = Mailbox(
        owner=owner, purpose=purpose, created_at=actor.now, next_at=actor.now,
        not_before=actor.today(seller.time_zone), password=seal(password),
        strangers="collect" if purpose == "tickets" else "ignore",
    )  # fmt: skip
    if not password:
        raise Refused("invalid", "Enter the password of the account.", field="password")
    _write(mailbox, seller, supplier, queue, fields)
    mailbox.save(force_insert=True)
    record(actor, "create_mailbox", owner, _told(mailbox))
    return mailbox


@transaction.atomic
def change_mailbox(
    actor: Actor, *, mailbox: Mailbox, supplier: Supplier | None = None, queue: Queue | None | EllipsisType = ...,
    password: str | None = None, **fields: Any,
) -> Mailbox:  # fmt: skip
    """Write what is given of a mailbox; the rest stays (`queue`: `...`), and what it is for.

    `password`: None keeps the one that is there; another server or user asks for it anew, so that nobody has it sent to
    a server of one's own. Raises `Refused`: `invalid`, `conflict`.
    """
    mailbox = _again(mailbox)
    before = _told(mailbox)
    moved = any(name in fields and fields[name] != getattr(mailbox, name) for name in ("host", "user"))
    if password is None and moved:
        raise Refused("invalid", "Enter the password again: it belongs to another account.", field="password")
    if password is not None:
        if not password:
            raise Refused("invalid", "Enter the password of the account.", field="password")
        mailbox.password = seal(password)
    seller = Seller.objects.get(pk=int(mailbox.owner.partition(":")[2]))
    _write(mailbox, seller, supplier, queue, fields)
    mailbox.next_at, mailbox.failures, mailbox.error = actor.now, 0, []
    mailbox.save()
    record(actor, "change_mailbox", mailbox.owner, {"before": before, "after": _told(mailbox)})
    return mailbox


@transaction.atomic
def remove_mailbox(actor: Actor, *, mailbox: Mailbox) -> None:
    """Look into a mailbox no more, and forget what is written of its mails. What they brought stays, and so do they on
    the server. Raises `Refused` (`invalid`) while a mail of it waits for a person."""
    mailbox = _again(mailbox)
    if mailbox.mails.filter(state="waiting").exists():
        raise Refused("invalid", "Mails of this mailbox wait for somebody to say what becomes of them: do that first.")
    told = _told(mailbox)
    mailbox.delete()
    record(actor, "remove_mailbox", mailbox.owner, told)


def try_mailbox(*, mailbox: Mailbox) -> tuple[Refused | None, int | None]:
    """Sign in and look, to see whether it works; nothing is taken. Gives what is wrong, or how many mails lie there."""
    try:
        return None, polling.check(mailbox)
    except Refused as refused:
        return refused, None


@transaction.atomic
def look_now(actor: Actor, *, mailbox: Mailbox) -> None:
    """Let the worker look into a mailbox at once. Raises `Refused` (`invalid`) when it is off."""
    mailbox = _again(mailbox)
    if not mailbox.active:
        raise Refused("invalid", "The mailbox is off: switch it on first.")
    Mailbox.objects.filter(pk=mailbox.pk).update(next_at=actor.now, failures=0)
    _wake()


@transaction.atomic
def take_again(actor: Actor, *, mail: IncomingMail) -> None:
    """Try a mail again that failed. Raises `Refused` (`invalid`) for any other."""
    if not IncomingMail.objects.filter(pk=mail.pk, state="failed").update(attempts=0):
        raise Refused("invalid", "Only a mail that failed is tried again. Another one is taken again when it is moved"
                      " from the archive folder back into the folder that is looked into.")  # fmt: skip
    Mailbox.objects.filter(pk=mail.mailbox_id).update(next_at=actor.now, failures=0)
    _wake()


def _wake() -> None:
    """Let the worker look now; where it is about to, that is soon enough."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(LOOKING, queue=QUEUE, lock=LOOKING, queueing_lock=LOOKING).defer(timestamp=0)


def _again(mailbox: Mailbox) -> Mailbox:
    """A mailbox as it stands, kept from others. Raises `Refused` (`not_found`) when it is gone."""
    found = Mailbox.objects.select_for_update(no_key=True).filter(pk=mailbox.pk).first()
    if found is None:
        raise Refused("not_found", "There is no mailbox %(id)s.", id=mailbox.pk)
    return found


def _write(
    mailbox: Mailbox, seller: Seller, supplier: Supplier | None, queue: Queue | None | EllipsisType,
    fields: dict[str, Any],
) -> None:  # fmt: skip
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise Refused("invalid", "A mailbox has no field “%(field)s”.", field=unknown[0])
    for name, value in fields.items():
        setattr(mailbox, name, value.strip() if isinstance(value, str) else value)
    if supplier is not None:
        mailbox.target = f"supplier:{supplier.pk}"
    _put_queue(mailbox, seller, queue)
    _check_server(mailbox)
    for name, most in TEXTS.items():
        text = getattr(mailbox, name)
        if not text or len(text) > most or not one_line(text):
            raise Refused("invalid", "This is one line of at most %(most)s characters.", most=most, field=name)
    if mailbox.folder == mailbox.archive:
        raise Refused("invalid", "The archive is another folder: mails are moved there once they are taken.",
                      field="archive")  # fmt: skip
    if not isinstance(mailbox.not_before, date):
        raise Refused("invalid", "“%(value)s” is no day.", value=mailbox.not_before, field="not_before")
    mailbox.senders = _senders(mailbox.senders)
    _check_purpose(mailbox, seller, supplier)
    others = Mailbox.objects.exclude(pk=mailbox.pk)
    if others.filter(host=mailbox.host, user=mailbox.user, folder=mailbox.folder).exists():
        raise Refused("conflict", "Another mailbox looks into this folder already.", field="folder")


def _put_queue(mailbox: Mailbox, seller: Seller, queue: Queue | None | EllipsisType) -> None:
    """Say where new tickets of a mailbox wait. Raises `Refused` (`invalid`)."""
    if isinstance(queue, EllipsisType) or (queue is None and mailbox.purpose != "tickets"):
        return
    target = f"queue:{queue.pk}" if queue is not None else ""
    if queue is not None and mailbox.purpose != "tickets":
        raise Refused("invalid", "Only a mailbox for tickets has a queue.", field="queue")
    if queue is not None and queue.seller_id != seller.pk:
        raise Refused("invalid", "The queue is another seller's.", field="queue")
    if queue is not None and target != mailbox.target:
        queue = Queue.objects.select_for_update().get(pk=queue.pk)  # nobody puts it out of use now
        if not queue.active:
            raise Refused("invalid", "The queue “%(name)s” is out of use: choose another one.", name=queue.name,
                          field="queue")  # fmt: skip
    mailbox.target = target


def _check_server(mailbox: Mailbox) -> None:
    mailbox.host = mailbox.host.lower()
    if not re.fullmatch(r"[a-z0-9.\-:]{1,200}", mailbox.host):
        raise Refused("invalid", "“%(host)s” is no name of a mail server.", host=mailbox.host[:200], field="host")
    if isinstance(mailbox.port, bool) or not isinstance(mailbox.port, int) or not 1 <= mailbox.port <= 65535:
        raise Refused("invalid", "A port is a whole number from 1 to 65535.", field="port")
    if mailbox.security not in SECURITY:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=mailbox.security,
                      known=", ".join(SECURITY), field="security")  # fmt: skip


def _check_purpose(mailbox: Mailbox, seller: Seller, supplier: Supplier | None) -> None:
    if mailbox.purpose not in PURPOSES:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=mailbox.purpose,
                      known=", ".join(PURPOSES), field="purpose")  # fmt: skip
    if mailbox.strangers not in STRANGERS:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=mailbox.strangers,
                      known=", ".join(STRANGERS), field="strangers")  # fmt: skip
    if mailbox.purpose != "usage":
        if supplier is not None:
            raise Refused("invalid", "Only a mailbox for usage files has a supplier.", field="supplier")
        return
    if mailbox.strangers != "ignore":
        raise Refused("invalid", "Usage files are taken from the senders named alone: others are ignored.",
                      field="strangers")  # fmt: skip
    if not mailbox.target or (supplier is not None and supplier.seller_id != seller.pk):
        raise Refused("invalid", "Say whose usage files come to this mailbox.", field="supplier")
    if not mailbox.senders:
        raise Refused("invalid", "Say from whom usage files are taken: else anybody could send some.", field="senders")


def _senders(given: Any) -> list[str]:
    """Addresses and domains ("@c.example") in lower case, each once."""
    found = dict.fromkeys(str(one).strip().lower() for one in given if str(one).strip())
    if len(found) > MOST_SENDERS:
        raise Refused("invalid", "There are at most %(most)s senders: name a domain, as in @example.com.",
                      most=MOST_SENDERS, field="senders")  # fmt: skip
    for one in found:
        try:
            validate_email(f"a{one}" if one.startswith("@") else one)
        except ValidationError as error:
            raise Refused("invalid", "“%(email)s” is no e-mail address, and no domain as in @example.com.",
                          email=one[:200], field="senders") from error  # fmt: skip
    return list(found)


def _told(mailbox: Mailbox) -> dict[str, Any]:
    """What the log keeps: all but the password."""
    return {name: getattr(mailbox, name) for name in ("id", "purpose", "target", *FIELDS)}
