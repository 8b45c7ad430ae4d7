"""Handing one mail to an SMTP server, and knowing as well as can be known what became of it."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from typing import Any

from taktura.core.errors import Refused
from taktura.kit.mail.models import MailAttachment, MailServer, OutgoingMail
from taktura.kit.secret import unseal

TIMEOUT = 30  # seconds
CONTENT_TIMEOUT = 300  # seconds to send the content, and again for the answer: servers look into mails before it
GO_ON, TEMPORARY, PERMANENT = 354, 400, 500


@dataclass(slots=True)
class Outcome:
    """What became of a mail: `sent`, `waiting` (try later), `failed`, `unknown`; and what the server said."""

    state: str
    error: str = ""


class _Connection(smtplib.SMTP):
    """Remembers whether the whole mail was handed over: from then on nobody knows before the server answers."""

    handed_over = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the content after `DATA`."""
        self.putcmd("data")
        code, said = self.getreply()
        if code != GO_ON:
            raise smtplib.SMTPDataError(code, said)
        content = msg if isinstance(msg, bytes) else msg.encode("ascii")
        lines = content.replace(b"\r\n.", b"\r\n..")
        lines = (b"." + lines) if lines.startswith(b".") else lines
        self.handed_over = True
        if self.sock is not None:
            self.sock.settimeout(CONTENT_TIMEOUT)
        self.send(lines + (b"" if lines.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.getreply()


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    """The same over TLS from the beginning."""


def send(server: MailServer, mail: OutgoingMail, attachments: Sequence[MailAttachment]) -> Outcome:
    """Send a mail. Never raises: whatever goes wrong is the outcome."""
    connection: _Connection | None = None
    try:
        content = message_of(server, mail, attachments).as_bytes(policy=POLICY)
        connection = connect(server)
        refused = connection.sendmail(plain(server.from_address), [plain(mail.recipient)], content)
        assert not refused, "one recipient: either taken or an exception"
        return Outcome("sent")
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _answered(code, said)
    except smtplib.SMTPResponseException as error:
        return _answered(error.smtp_code, error.smtp_error)
    except (Refused, ValueError, UnicodeError) as error:
        return Outcome("failed", str(error))
    except (OSError, smtplib.SMTPException) as error:
        state = "unknown" if connection is not None and connection.handed_over else "waiting"
        return Outcome(state, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - a mail that no program can send must not be tried for ever
        state = "unknown" if connection is not None and connection.handed_over else "failed"
        return Outcome(state, f"{type(error).__name__}: {error}")
    finally:
        if connection is not None:
            _leave(connection)


def connect(server: MailServer) -> _Connection:
    """A connection that is signed in. Raises what smtplib raises; `Refused` where the password cannot be unsealed."""
    password = unseal(server.password)
    context = ssl.create_default_context()
    if server.security == "tls":
        connection: _Connection = _TlsConnection(server.host, server.port, timeout=TIMEOUT, context=context)
    else:
        connection = _Connection(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, password)
    except BaseException:
        _leave(connection)
        raise
    return connection


def message_of(server: MailServer, mail: OutgoingMail, attachments: Sequence[MailAttachment]) -> EmailMessage:
    """The mail as it is sent. Raises `ValueError` for a header of more than one line."""
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(server.from_name, addr_spec=plain(server.from_address))
    message["To"] = Address(addr_spec=plain(mail.recipient))
    message["Subject"] = mail.subject
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.created_at)
    if mail.automatic:
        message["Auto-Submitted"] = mail.automatic
    if mail.reply_to:
        message["Reply-To"] = Address(addr_spec=plain(mail.reply_to))
    if mail.thread:
        message["In-Reply-To"] = mail.thread[-1]
        message["References"] = " ".join(mail.thread)
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for one in attachments:
        main, _, sub = one.content_type.partition("/")
        message.add_attachment(bytes(one.content), maintype=main, subtype=sub or "octet-stream", filename=one.name)
    message["Content-Language"] = mail.language  # last: what sets the content takes such headers away
    return message


def plain(address: str) -> str:
    """An address with its domain as servers know it: of `bücher.example` it is `xn--bcher-kva.example`."""
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"


def _answered(code: int, said: bytes | str) -> Outcome:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    temporary = not code or TEMPORARY <= code < PERMANENT or code < 0
    return Outcome("waiting" if temporary else "failed", f"{code} {text}")


def _leave(connection: _Connection) -> None:
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
