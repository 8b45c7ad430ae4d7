"""A folder on an IMAP server: what lies in it, and moving it away. Whatever goes wrong is told in words (`Refused`)."""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from taktura.core.errors import Refused
from taktura.kit.mailbox.models import Mailbox
from taktura.kit.secret import unseal

TIMEOUT = 60  # seconds for each answer of the server
MOST_SAID = 300  # characters of what a server says that are kept


@dataclass(frozen=True, slots=True)
class Seen:
    """A mail as the server lists it: its number, its bytes, when it came."""

    uid: int
    size: int
    came_at: datetime


class Folder:
    """A selected folder. `validity`: numbers of mails hold as long as it is the same."""

    def __init__(self, client: IMAPClient, mailbox: Mailbox) -> None:
        self._client, self._mailbox = client, mailbox
        self.validity = int(client.select_folder(mailbox.folder)[b"UIDVALIDITY"])

    def since(self, day: date) -> list[int]:
        """The numbers of the mails that came on a day or later, in the order in which they came. Servers take days by
        clocks of their own: some of the day before may be among them."""
        found = self._client.search(["UNDELETED", "SINCE", day - timedelta(days=1)])
        return sorted(int(uid) for uid in found)

    def look(self, uids: Sequence[int]) -> list[Seen]:
        """The size and age of mails; those that are gone meanwhile are not among them."""
        if not uids:
            return []
        answer: dict[int, dict[bytes, Any]] = self._client.fetch(list(uids), ["RFC822.SIZE", "INTERNALDATE"])
        return [
            Seen(uid, int(answer[uid][b"RFC822.SIZE"]), _aware(answer[uid][b"INTERNALDATE"]))
            for uid in uids
            if b"RFC822.SIZE" in answer.get(uid, {})
        ]

    def content(self, uid: int) -> bytes | None:
        """The bytes of a mail, which stays as unread as it is; None for one that is gone."""
        return self._part(uid, "BODY.PEEK[]", b"BODY[]")

    def headers(self, uid: int) -> bytes | None:
        """The headers of a mail alone."""
        return self._part(uid, "BODY.PEEK[HEADER]", b"BODY[HEADER]")

    def _part(self, uid: int, wanted: str, given: bytes) -> bytes | None:
        found = self._client.fetch([uid], [wanted]).get(uid, {}).get(given)
        return bytes(found) if found is not None else None

    def move(self, uids: Sequence[int]) -> None:
        """Move mails to the archive folder, which is made where it is not there.

        A server that cannot move gets them copied and then removed; one that cannot remove just them either
        (no UIDPLUS) keeps them, marked as deleted, so that nothing else that is marked so gets lost.
        """
        if not uids:
            return
        client, archive = self._client, self._mailbox.archive
        if not client.folder_exists(archive):
            client.create_folder(archive)
            with suppress(imaplib.IMAP4.error):
                client.subscribe_folder(archive)
        if client.has_capability("MOVE"):
            client.move(list(uids), archive)
            return
        client.copy(list(uids), archive)
        client.delete_messages(list(uids), silent=True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge(list(uids))


@contextmanager
def opened(mailbox: Mailbox) -> Iterator[Folder]:
    """The mailbox's folder, signed in. Raises `Refused` (`invalid`) where the settings are at fault, the server is
    away, or it says something odd, at any time within."""
    host = mailbox.host
    password = unseal(mailbox.password)
    client: IMAPClient | None = None
    try:
        client = _connected(mailbox)
        if (mailbox.user + password).isascii():
            client.login(mailbox.user, password)
        else:
            client.plain_login(mailbox.user, password)
        yield Folder(client, mailbox)
    except LoginError as error:
        raise Refused("invalid", "%(host)s does not let %(user)s in: look at the user and the password."
                      " It says: %(why)s", host=host, user=mailbox.user, why=_said(error)) from error  # fmt: skip
    except ssl.SSLCertVerificationError as error:
        raise Refused(
            "invalid", "The certificate of %(host)s is not trusted: %(why)s. Give the server a certificate for this"
            " name from a known authority, or add its own authority to those of this machine.",
            host=host, why=error.verify_message or _said(error),
        ) from error  # fmt: skip
    except ssl.SSLError as error:
        raise Refused("invalid", "%(host)s, port %(port)s, speaks no TLS that can be used: choose another kind of"
                      " security or port. It says: %(why)s",
                      host=host, port=mailbox.port, why=_said(error)) from error  # fmt: skip
    except socket.gaierror as error:
        raise Refused("invalid", "There is no server %(host)s, or its name cannot be looked up now.",
                      host=host) from error  # fmt: skip
    except imaplib.IMAP4.error as error:
        if client is not None and _no_folder(error):
            raise Refused("invalid", "%(host)s has no folder “%(folder)s”. It says: %(why)s",
                          host=host, folder=mailbox.folder, why=_said(error)) from error  # fmt: skip
        raise Refused("invalid", "%(host)s did not do what it was asked to. It says: %(why)s",
                      host=host, why=_said(error)) from error  # fmt: skip
    except OSError as error:
        raise Refused("invalid", "%(host)s, port %(port)s, does not answer: %(why)s",
                      host=host, port=mailbox.port, why=_said(error)) from error  # fmt: skip
    finally:
        if client is not None:
            _leave(client)


def _connected(mailbox: Mailbox) -> IMAPClient:
    context = ssl.create_default_context()
    tls = mailbox.security == "tls"
    client = IMAPClient(
        mailbox.host, mailbox.port, ssl=tls, ssl_context=context if tls else None, use_uid=True, timeout=TIMEOUT
    )
    client.normalise_times = False
    if mailbox.security == "starttls":
        try:
            client.starttls(context)
        except BaseException:
            _leave(client)
            raise
    return client


def _leave(client: IMAPClient) -> None:
    try:
        client.logout()
    except (OSError, imaplib.IMAP4.error, ssl.SSLError):
        with suppress(OSError):
            client.shutdown()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _no_folder(error: Exception) -> bool:
    return "select failed" in str(error).lower()


def _said(error: BaseException) -> str:
    """What a server or the system says, in one line."""
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
    quoted = re.fullmatch(r"b(['\"])(.*)\1", text)  # as exceptions of imaplib show what they got
    text = quoted[2] if quoted else text
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:MOST_SAID] or type(error).__name__
