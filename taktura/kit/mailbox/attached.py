"""Attachments of incoming mails: how large they may be, and that they are what they say they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_BYTES = 25 * 1024**2  # of one attachment
MOST_TOGETHER = 40 * 1024**2
MEGABYTE = 1024**2
# What a machine would run, by its first bytes, and by its name.
_PROGRAMS = (
    b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"#!/", b"L\0\0\0\x01\x14\x02\0",
)  # fmt: skip
_RUN = frozenset((
    "ade", "adp", "app", "apk", "bat", "chm", "cmd", "com", "cpl", "dll", "dmg", "exe", "gadget", "hta", "inf",
    "ins", "iso", "jar", "js", "jse", "lnk", "msc", "msi", "msp", "mst", "pif", "pkg", "ps1", "reg", "scf", "scr",
    "sct", "sh", "sys", "vb", "vbe", "vbs", "vhd", "ws", "wsc", "wsf", "wsh", "xll"
))  # fmt: skip
# What files of a kind begin with: one that is named so and begins otherwise is something else.
_BEGINNINGS = {
    "pdf": (b"%PDF",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "xlsx": (b"PK\x03\x04",),
    "docx": (b"PK\x03\x04",),
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "gz": (b"\x1f\x8b",),
    "parquet": (b"PAR1",),
}
_LOOKED_AT = 1024  # PDF allows something before its beginning


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a verdict: a message with named places, and what fills them."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a mail. `kind` is the type that the mail gives, which nobody has to believe."""

    name: str
    kind: str
    content: bytes


def fault(one: Attachment) -> str:
    """What is wrong with a file, whatever its size: it is a `program`, or its content is not what its name says
    (`other`); empty for a good one."""
    ending = one.name.rpartition(".")[2].lower()
    dos = one.content.startswith(b"MZ") and b"\0" in one.content[:64]
    if ending in _RUN or dos or one.content.startswith(_PROGRAMS):
        return "program"
    begins = _BEGINNINGS.get(ending)
    start = one.content[: _LOOKED_AT if ending == "pdf" else 16]
    if begins and not any(b in start if ending == "pdf" else start.startswith(b) for b in begins):
        return "other"
    return ""


def check(one: Attachment, before: int) -> Sentence | None:
    """Why an attachment is left out; None for one that is good. `before`: the bytes of those before it."""
    named = {"name": one.name}
    if len(one.content) > MOST_BYTES or before + len(one.content) > MOST_TOGETHER:
        return Sentence(
            "“%(name)s” was left out: it is too large (at most %(most)s MB each, %(together)s MB together).",
            named | {"most": MOST_BYTES // MEGABYTE, "together": MOST_TOGETHER // MEGABYTE},
        )
    wrong = fault(one)
    if wrong == "program":
        return Sentence("“%(name)s” was left out: it is a program.", named)
    if wrong:
        return Sentence("“%(name)s” was left out: its content is not what its name says.", named)
    return None
