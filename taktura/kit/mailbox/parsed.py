"""What a mail says: plain values, however it was written. Broken mails, odd alphabets and hostile ones never raise."""

import codecs
import email
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parseaddr, parsedate_to_datetime

from taktura.kit.mailbox.attached import Attachment, Sentence, check
from taktura.kit.mailbox.automatic import automatic_of
from taktura.kit.mailbox.html import text_of_html

MOST_ATTACHMENTS = 20
MOST_TEXT = 200_000  # characters; of a longer text its beginning is kept
MOST_HEADER = 50_000  # characters of one header that are looked at
MOST_REFERENCES = 50
MOST_PARTS = 500
MOST_DEPTH = 50  # parts within parts
MOST_RAW = 20_000  # characters that are kept of a mail of which nothing better can be read
_ID = re.compile(r"<[^<>\s]{1,900}>")
_FORGED = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
# Alphabets that decode, but are none: they are slow, or make something else of plain text. By the names that Python
# gives them: a mail may use any of their others.
_NO_ALPHABETS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}
_QUOTED = re.compile(r'"[^"]*"')
_BRACKETED = re.compile(r"<([^<>\s]{1,254}@[^<>\s]{1,254})>")
_BARE = re.compile(r"[^\s<>\"(),;:\[\]]{1,254}@[^\s<>\"(),;:\[\]]{1,254}")

_CONTROLS = {n: None for n in range(32) if chr(n) not in "\n\t"} | {127: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail. `sender` is an address in lower case, empty where there is none that can be read; `message_id` and
    `references` (the oldest first, that of In-Reply-To the last) with their angle brackets; `date` is the sender's.

    `automatic`: why it was sent by a machine, as `automatic_of` says; empty for a person's. `forged`: our mail server
    found that the sender's domain does not know it (DMARC). `left_out`: attachments that are not among `attachments`,
    and why. `readable`: not, where the mail is too broken to be taken apart; `text` is its beginning as it was sent
    then. `whole`: not, where only the headers were looked at.
    """

    identity: str
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    date: datetime | None = None
    automatic: str = ""
    forged: bool = False
    attachments: tuple[Attachment, ...] = ()
    left_out: tuple[Sentence, ...] = ()
    size: int = 0
    readable: bool = True
    whole: bool = True

    @property
    def is_automatic(self) -> bool:
        """Whether a machine sent it."""
        return bool(self.automatic)


@dataclass(slots=True)
class _Body:
    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    left_out: list[Sentence] = field(default_factory=list)


def read_mail(content: bytes, *, headers_only: bool = False) -> Mail:
    """A mail from its bytes. Never raises: what cannot be read is left out; `readable` says whether anything could."""
    given = content.lstrip(b"\r\n")
    try:
        message = email.message_from_bytes(given, policy=compat32)
        body = _Body() if headers_only else _body(message)
        readable = True
    except (Exception, RecursionError):  # noqa: BLE001 - a mail may be anything: it is told in the verdict
        head, _, rest = given.replace(b"\r\n", b"\n").partition(b"\n\n")
        message = email.message_from_bytes(head[:MOST_HEADER] + b"\n\n", policy=compat32)
        body, readable = _Body(text=_raw(rest)), False
    sender_name, sender = _sender(message)
    message_id = next(iter(_ids(message, "Message-ID")), "")
    in_reply_to = next(iter(_ids(message, "In-Reply-To")), "")
    references = [r for r in _ids(message, "References")[-MOST_REFERENCES:] if r != in_reply_to]
    return Mail(
        identity=message_id or digest_of(content),
        sender=sender,
        sender_name=sender_name[:200],
        recipients=_recipients(message),
        subject=" ".join(_decoded(_header(message, "Subject")).split())[:500],
        text=body.text.strip()[:MOST_TEXT],
        message_id=message_id,
        in_reply_to=in_reply_to,
        references=(*references, *([in_reply_to] if in_reply_to else [])),
        date=_date(_header(message, "Date")),
        automatic=automatic_of(_all_headers(message), sender),
        forged=any(_FORGED.search(value) for value in _headers(message, "Authentication-Results")),
        attachments=tuple(body.attachments),
        left_out=tuple(body.left_out),
        size=len(content),
        readable=readable,
        whole=not headers_only,
    )


def digest_of(content: bytes) -> str:
    """By what a mail is known that has no message id of its own."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _headers(message: Message, name: str) -> list[str]:
    """The values of a header as they were sent, in one line each."""
    wanted = name.lower()
    found = [value for key, value in message.raw_items() if key.lower() == wanted]
    return [" ".join(_plain(value)[:MOST_HEADER].split()) for value in found]


def _all_headers(message: Message) -> dict[str, list[str]]:
    """All headers by their names in lower case: the beginning of each value, which is enough to know a machine by."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.lower(), []).append(" ".join(_plain(value)[:1000].split()))
    return found


def _header(message: Message, name: str) -> str:
    return next(iter(_headers(message, name)), "")


def _plain(value: object) -> str:
    """A text that PostgreSQL takes; bytes that are no ASCII are guessed."""
    try:
        return _guessed(str(value).encode("utf-8", "surrogateescape")).translate(_CONTROLS)
    except UnicodeEncodeError:  # halves of signs, of which a file's name in UTF-16 may consist
        return _without_halves(str(value)).translate(_CONTROLS)


def _without_halves(text: str) -> str:
    """Text without halves of signs (surrogates), which no database takes."""
    return text.encode("utf-8", "replace").decode()


def _guessed(content: bytes) -> str:
    """Bytes as UTF-8, some broken ones replaced; where most are broken, as Western European."""
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if broken and broken >= sum(not sign.isascii() for sign in text) / 2:
        return content.decode("cp1252", "replace")
    return text


def _decoded(value: str) -> str:
    """A header with its encoded words (`=?utf-8?q?…?=`) read."""
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return value
    return "".join(
        part if isinstance(part, str) else _text(part, alphabet or "ascii") for part, alphabet in parts
    ).translate(_CONTROLS)


def _text(content: bytes, alphabet: str) -> str:
    """Bytes in an alphabet; where there is none of that name, or they are not in it, what they most likely are."""
    try:
        found = codecs.lookup(alphabet)
        known = found._is_text_encoding and found.name.lower().replace("_", "-") not in _NO_ALPHABETS
        text = content.decode(alphabet) if known else _guessed(content)
    except (LookupError, UnicodeError, ValueError):
        text = _guessed(content)
    return _without_halves(text.replace("\r\n", "\n").translate(_CONTROLS))


def _sender(message: Message) -> tuple[str, str]:
    """Name and address of who sent it. An address in brackets, if there is just one, is it whatever stands around it:
    many programs write names with commas and the like as they are (`Ada, Bo <ada@c.example>`)."""
    given = _header(message, "From")
    for text in (given, _decoded(given)):
        bracketed = _BRACKETED.findall(_QUOTED.sub('""', text)) or _BRACKETED.findall(text)
        if len(bracketed) == 1 and (address := _address(bracketed[0])):
            name = text.partition(f"<{bracketed[0]}>")[0].strip().strip("\"'").replace('\\"', '"')
            return " ".join(_decoded(name).split()), address
        name, address = parseaddr(text)
        if address := _address(address):
            return " ".join(_decoded(name).split()), address
    bare = set(_BARE.findall(given))
    return "", _address(bare.pop()) if len(bare) == 1 else ""


def _address(text: str) -> str:
    address = _decoded(text).strip().lower()
    local, at, domain = address.rpartition("@")
    good = at and local and domain and len(address) <= 254 and not re.search(r"[\s<>\"]", address)
    return address if good else ""


def _recipients(message: Message) -> tuple[str, ...]:
    raw = [value for name in ("To", "Cc", "Delivered-To", "X-Original-To") for value in _headers(message, name)]
    found = (_address(address) for _name, address in getaddresses(raw))
    return tuple(dict.fromkeys(a for a in found if a))[:100]


def _ids(message: Message, name: str) -> list[str]:
    return [one for value in _headers(message, name) for one in _ID.findall(value)]


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return aware.astimezone(UTC) if 1970 <= aware.year <= 9000 else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _parts(message: Message) -> list[Message] | None:
    """What a part consists of; None for one that holds something itself. A mail within a mail is one part."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        return None
    parts = message.get_payload()
    return [p for p in parts if isinstance(p, Message)] if isinstance(parts, list) else None


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order. Raises `ValueError` for too many, or too deep ones."""
    waiting, seen = [(message, 0)], 0
    while waiting:
        seen += 1
        part, depth = waiting.pop()
        if seen > MOST_PARTS or depth > MOST_DEPTH:
            raise ValueError("too many parts")
        parts = _parts(part)
        if parts is None:
            yield part
        else:
            waiting.extend((p, depth + 1) for p in reversed(parts))


def _body(message: Message) -> _Body:
    body, total, broken = _Body(), 0, False
    for part in _leaves(message):
        kind = part.get_content_type()
        if _is_text(part) or kind.startswith("multipart/"):
            continue
        if kind in ("application/pgp-signature", "application/pkcs7-signature"):
            continue
        total += 1
        if total > MOST_ATTACHMENTS:
            continue
        name = _file_name(part)
        try:
            content = _payload(part)
        except Exception:  # noqa: BLE001 - one broken part takes nothing else along
            broken = True
            continue
        one = Attachment(
            name=name or ("message.eml" if kind == "message/rfc822" else f"part-{total}"), kind=kind, content=content
        )
        wrong = check(one, sum(len(a.content) for a in body.attachments))
        if wrong is None:
            body.attachments.append(one)
        else:
            body.left_out.append(wrong)
    if total > MOST_ATTACHMENTS:
        most = Sentence("Attachments beyond the first %(most)s were left out.", {"most": MOST_ATTACHMENTS})
        body.left_out.append(most)
    if broken:
        body.left_out.append(Sentence("A part of the mail was left out: it cannot be read."))
    body.text = _words(message)
    if not body.text and not body.attachments:
        # Its boundaries are wrong, say: what stands there is better than nothing.
        body.text = "\n\n".join(_raw(_payload(p)) for p in _leaves(message) if p.get_content_type() != "message/rfc822")
    return body


def _is_text(part: Message) -> bool:
    """Whether a part is what the mail says, and no file."""
    said = part.get_content_type() in ("text/plain", "text/html")
    return said and not _file_name(part) and part.get_content_disposition() != "attachment"


def _words(part: Message) -> str:
    """What a mail says: of alternatives the plain one where it says something, of everything else one after the other.
    What is said twice (as plain text and as HTML, without being called alternatives) is kept once."""
    parts = _parts(part)
    if parts is None:
        if not _is_text(part):
            return ""
        text = _text(_payload(part), part.get_content_charset("utf-8"))
        return (text if part.get_content_type() == "text/plain" else text_of_html(text)).strip()
    found = [(p, words) for p in parts if (words := _words(p))]
    if part.get_content_type() == "multipart/alternative" and found:
        return next((words for p, words in found if p.get_content_type() == "text/plain"), found[-1][1])
    kept: list[str] = []
    length = 0
    for _part, words in found:
        if length < MOST_TEXT and not any(_same(words, one) for one in kept):
            kept.append(words)
            length += len(words)
    return "\n\n".join(kept)


def _same(one: str, other: str) -> bool:
    return abs(len(one) - len(other)) < MOST_RAW and one.split() == other.split()


def _raw(content: bytes) -> str:
    """The beginning of something as it was sent."""
    return _guessed(content[:MOST_RAW]).replace("\r\n", "\n").translate(_CONTROLS).strip()


def _payload(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        return inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], Message) else b""
    try:
        content = part.get_payload(decode=True)
    except (LookupError, ValueError):  # an alphabet with a name that is none
        content = str(part.get_payload()).encode("utf-8", "surrogateescape")
    return content if isinstance(content, bytes) else b""


def _file_name(part: Message) -> str:
    """The last part of a name, without what no name holds."""
    try:
        given = part.get_filename("") or ""
    except (LookupError, ValueError):  # an alphabet with a name that is none
        given = "file"
    last = _decoded(_plain(given)).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable() and c not in '"<>|:*?').strip(". ")[:200]
