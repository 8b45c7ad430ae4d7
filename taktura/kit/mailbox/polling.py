"""Looking into a mailbox: each mail is handled once, and lies in the archive afterwards.

A mail is handled in one transaction, in which it is written down, too: by its number on the server and by its message
id. It is moved after that. Whoever dies in between leaves a mail that is known and only has to be moved; where the
server has given new numbers meanwhile, its message id says that it is known. So nothing is done twice, and nothing is
lost. What a handler raises takes back what it did, and stops no other mail.
"""

import imaplib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, transaction

from taktura.core.errors import Refused
from taktura.kit.mailbox.attached import Sentence
from taktura.kit.mailbox.imap import Folder, Seen, opened
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from taktura.kit.mailbox.parsed import Mail, digest_of, read_mail

MOST_AT_ONCE = 200  # mails in one look; the next goes on
MOST_BYTES = 60 * 1024**2  # of a mail, as it is sent: what is packed for mail is a third longer
MEGABYTE = 1024**2
MOST_TRIES = 5
EVERY = timedelta(minutes=1)
DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))  # then the last again
DONE = ("taken", "waiting")

AUTOMATIC = {
    "bounce": "It tells of another mail (not delivered, or read): nobody wrote it.",
    "reply": "It is an automatic reply: nobody wrote it.",
    "generated": "A program wrote it: its headers say so.",
    "list": "It was sent to many (a list, a newsletter): its headers say so.",
}
SAID = {
    "broken": "Its content cannot be read: have it sent again, with the files as plain attachments.",
    "too_large": "It is larger than %(most)s MB: have it sent in parts.",
    "too_old": "It was sent on %(day)s, before the day from which on mails are taken.",
    "known": "It was taken already.",
    "stranger": "Mails of %(sender)s are not taken here.",
    "nobody": "It has no sender that can be read.",
    "forged": "Its sender is forged: the mail server could not confirm it.",
    "failed": "It could not be handled: %(why)s",
    "nobody_handles": "Nothing handles mails of this mailbox.",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mail (`models.STATES`), in words, and what it caused ("usage_file:12"). `stays`: it is left in
    its folder."""

    state: str
    said: Sequence[Sentence] = ()
    about: Sequence[str] = ()
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who handles the mails of a purpose, within the transaction in which they are written down. `takes`: mails of
    machines that it wants all the same (`automatic.automatic_of`). `all`: also mails without a sender, too broken to
    be read, or too large to be fetched, so that a person may decide about them. `zone`: the time zone of a mailbox's
    owner."""

    handle: Callable[[Mailbox, Mail, datetime], Verdict]
    takes: frozenset[str] = frozenset()
    all: bool = False
    zone: Callable[[Mailbox], str] = lambda mailbox: "UTC"


@dataclass(slots=True)
class Look:
    """What a look into a mailbox found: how many mails of each state; `refused`: why it came to no end."""

    found: dict[str, int] = field(default_factory=dict)
    refused: Refused | None = None

    @property
    def mails(self) -> int:
        """How many mails are new."""
        return sum(self.found.values())


def due(now: datetime) -> list[Mailbox]:
    """The mailboxes that are to be looked into now."""
    return list(Mailbox.objects.filter(active=True, next_at__lte=now).order_by("next_at", "pk"))


def poll(mailbox: Mailbox, routes: Mapping[str, Route], now: datetime) -> Look:
    """Look into a mailbox, and note how that went. Never raises `Refused`: where it failed the look says so, and the
    next one comes later and later."""
    look = Look()
    try:
        with opened(mailbox) as folder:
            _poll(mailbox, folder, routes.get(mailbox.purpose), now, look)
    except Refused as refused:
        look.refused = refused
    changed: dict[str, object] = {"looked_at": now, "failures": 0, "error": [], "next_at": now + EVERY}
    if look.refused is None:
        changed["succeeded_at"] = now
    else:
        changed["failures"] = failures = mailbox.failures + 1
        changed["error"] = [look.refused.text, dict(look.refused.values)]
        changed["next_at"] = now + DELAYS[min(failures, len(DELAYS)) - 1]
    Mailbox.objects.filter(pk=mailbox.pk).update(**changed)
    return look


def check(mailbox: Mailbox) -> int:
    """Sign in and look, to see whether it works; gives how many mails would be looked at. Raises `Refused`."""
    with opened(mailbox) as folder:
        return len(folder.since(mailbox.not_before))


def _poll(mailbox: Mailbox, folder: Folder, route: Route | None, now: datetime, look: Look) -> None:
    _move(mailbox, folder, now)  # what an earlier look left
    first = datetime.combine(mailbox.not_before, datetime.min.time(), ZoneInfo(route.zone(mailbox) if route else "UTC"))
    for seen in _seen(folder, _new(mailbox, folder), first):
        state = _take(mailbox, folder, seen, route, first, now)
        if state:
            look.found[state] = look.found.get(state, 0) + 1
            _move(mailbox, folder, now)
        if look.mails >= MOST_AT_ONCE:
            return


def _seen(folder: Folder, uids: Sequence[int], first: datetime) -> Iterator[Seen]:
    """Mails with their sizes, without those of before: servers give some of the day before."""
    for start in range(0, len(uids), MOST_AT_ONCE):
        for seen in folder.look(uids[start : start + MOST_AT_ONCE]):
            if seen.came_at >= first:
                yield seen


def _new(mailbox: Mailbox, folder: Folder) -> list[int]:
    """The numbers of mails that are not written down, or failed and are to be tried again."""
    uids = folder.since(mailbox.not_before)
    known = IncomingMail.objects.filter(mailbox=mailbox, validity=folder.validity, uid__in=uids)
    done = set(known.exclude(state="failed", attempts__lt=MOST_TRIES).values_list("uid", flat=True))
    return [uid for uid in uids if uid not in done]


def _take(
    mailbox: Mailbox, folder: Folder, seen: Seen, route: Route | None, first: datetime, now: datetime
) -> str:  # fmt: skip
    """Handle one mail and write it down; gives its state, empty where somebody else was quicker, or it is gone."""
    too_large = seen.size > MOST_BYTES
    try:
        content = folder.headers(seen.uid) if too_large else folder.content(seen.uid)
    except (imaplib.IMAP4.error, OSError) as error:
        # Noted before the connection is given up: a mail at which a server stumbles must not stop those behind it.
        _failed(mailbox, folder, seen, Mail(identity=f"uid {seen.uid}"), _why(error), now)
        raise
    if content is None:
        return ""
    mail = read_mail(content, headers_only=too_large)
    try:
        with transaction.atomic():
            before = _alone(mailbox, folder, seen)
            if before is not None and (before.state != "failed" or before.attempts >= MOST_TRIES):
                return ""
            row = before or IncomingMail(mailbox=mailbox, validity=folder.validity, uid=seen.uid, attempts=0)
            mail = _as_its_own(mailbox, mail, content)
            verdict = _verdict(mailbox, mail, seen, route, first, now)
            _write(row, mail, seen, verdict, now)
            row.content = content if verdict.state == "waiting" else None
            row.save()
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: nothing is written, the next look does it
    except Exception as error:
        log.exception("mail of mailbox %s failed", mailbox.pk)
        _failed(mailbox, folder, seen, mail, _why(error), now)
        return "failed"
    return verdict.state


def _as_its_own(mailbox: Mailbox, mail: Mail, content: bytes) -> Mail:
    """A mail with an identity that is not another's: some machines and forms give all of theirs one message id. One of
    another sender or of another moment is another mail, and known by its bytes instead."""
    same = IncomingMail.objects.filter(mailbox=mailbox, identity=mail.identity, state__in=DONE).first()
    if same is None or not mail.message_id:
        return mail
    later = same.sent_at is not None and mail.date is not None and same.sent_at != mail.date
    if not later and same.sender == mail.sender:
        return mail
    return replace(mail, identity=digest_of(content), message_id="")


def _alone(mailbox: Mailbox, folder: Folder, seen: Seen) -> IncomingMail | None:
    """Let nobody else take mails of this mailbox until the transaction ends; gives what is known of this one."""
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    return IncomingMail.objects.filter(mailbox=mailbox, validity=folder.validity, uid=seen.uid).first()


def _why(error: Exception) -> Sentence:
    return Sentence(SAID["failed"], {"why": f"{type(error).__name__}: {error}"[:300]})


def _failed(mailbox: Mailbox, folder: Folder, seen: Seen, mail: Mail, why: Sentence, now: datetime) -> None:
    with transaction.atomic():
        row = _alone(mailbox, folder, seen) or IncomingMail(
            mailbox=mailbox, validity=folder.validity, uid=seen.uid, attempts=0
        )
        _write(row, mail, seen, Verdict(state="failed", said=[why]), now)
        row.save()


def _write(row: IncomingMail, mail: Mail, seen: Seen, verdict: Verdict, now: datetime) -> None:
    row.identity, row.sender, row.subject, row.sent_at = mail.identity, mail.sender[:320], mail.subject, mail.date
    row.size, row.looked_at, row.attempts = seen.size, now, row.attempts + 1
    row.state, row.about = verdict.state, list(verdict.about)
    row.said = [[said.text, dict(said.values)] for said in verdict.said]
    row.stays = verdict.stays or verdict.state == "failed" or any(said.text == SAID["too_old"] for said in verdict.said)


def _verdict(
    mailbox: Mailbox, mail: Mail, seen: Seen, route: Route | None, first: datetime, now: datetime
) -> Verdict:  # fmt: skip
    """What becomes of a mail: what holds for all purposes first, then its handler."""
    if seen.size > MOST_BYTES and not (route is not None and route.all):
        return Verdict(state="refused", said=[too_large()])
    if mail.date is not None and mail.date < first:
        return _said("ignored", "too_old", day=mail.date.astimezone(first.tzinfo).date().isoformat())
    if IncomingMail.objects.filter(mailbox=mailbox, identity=mail.identity, state__in=DONE).exists():
        return _said("ignored", "known")
    if route is None:
        return _said("refused", "nobody_handles")
    if mail.automatic and mail.automatic not in route.takes:
        return Verdict(state="ignored", said=[Sentence(AUTOMATIC[mail.automatic])])
    if not mail.sender and not route.all:
        return _said("ignored", "nobody")
    if mail.forged:
        return _said("ignored", "forged")
    if not is_wanted(mailbox, mail.sender):
        return _said("ignored", "stranger", sender=mail.sender) if mail.sender else _said("ignored", "nobody")
    if not mail.readable and not route.all:
        return _said("refused", "broken")
    return route.handle(mailbox, mail, now)


def is_wanted(mailbox: Mailbox, sender: str) -> bool:
    """Whether mails of an address are taken: where nobody is named, those of everybody."""
    senders = mailbox.senders
    return not senders or sender in senders or f"@{sender.rpartition('@')[2]}" in senders


def read_kept(row: IncomingMail) -> Mail:
    """A mail that waits, from what is kept of it: of one that is too large its headers."""
    assert row.content is not None
    return read_mail(bytes(row.content), headers_only=row.size > MOST_BYTES)


def too_large() -> Sentence:
    """That a mail is too large to be fetched."""
    return Sentence(SAID["too_large"], {"most": MOST_BYTES // MEGABYTE})


def _said(state: str, word: str, **values: object) -> Verdict:
    return Verdict(state=state, said=[Sentence(SAID[word], values)])


def _move(mailbox: Mailbox, folder: Folder, now: datetime) -> None:
    """Move what is written down, and note it. What is gone from the folder was moved before, or by a person."""
    rows = IncomingMail.objects.filter(mailbox=mailbox, archived_at__isnull=True, stays=False)
    rows.exclude(validity=folder.validity).update(archived_at=now)  # numbers that hold no more: known by message id
    uids = list(rows.filter(validity=folder.validity).values_list("uid", flat=True)[:MOST_AT_ONCE])
    if uids:
        folder.move(uids)
        rows.filter(validity=folder.validity, uid__in=uids).update(archived_at=now)
