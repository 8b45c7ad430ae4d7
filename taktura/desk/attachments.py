"""Files of tickets: which are taken, and of which kind they are."""

import mimetypes
from collections.abc import Sequence

from taktura.core.errors import Refused
from taktura.kit.mailbox.attached import MEGABYTE, Attachment, fault

MOST_FILES = 10  # of one message; a mail that comes may have more
MOST_BYTES = 14 * MEGABYTE  # together: as a mail a third more, which most servers take
UNKNOWN = "application/octet-stream"


def type_of(name: str) -> str:
    """What a file is, told by its name alone; a mail within a mail is none that can be sent as such."""
    found, packed = mimetypes.guess_type(name)
    return UNKNOWN if found is None or packed or found.startswith(("message/", "multipart/")) else found


def checked(files: Sequence[tuple[str, bytes]]) -> list[Attachment]:
    """Files, each a name and its content, that somebody adds to a message.

    Raises `Refused` (`invalid`): too many, too large (together they go into one mail), without a name or content,
    a program, or something else than its name says.
    """
    check_sizes([len(content) for _name, content in files])
    return [_one(name, content) for name, content in files]


def check_sizes(sizes: Sequence[int]) -> None:
    """Raise `Refused` (`invalid`) for too many files, or too large ones, of so many bytes."""
    if len(sizes) > MOST_FILES:
        raise Refused("invalid", "A message has at most %(most)s files: send the others with another one.",
                      most=MOST_FILES, field="files")  # fmt: skip
    if sum(sizes) > MOST_BYTES:
        raise Refused("invalid", "The files are larger than %(most)s MB together: send fewer or smaller ones.",
                      most=MOST_BYTES // MEGABYTE, field="files")  # fmt: skip


def _one(given: str, content: bytes) -> Attachment:
    last = given.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?').strip(". ")[:200]
    if not name:
        raise Refused("invalid", "A file needs a name.", field="files")
    if not content:
        raise Refused("invalid", "“%(name)s” is empty: choose another file.", name=name, field="files")
    one = Attachment(name=name, kind=type_of(name), content=content)
    wrong = fault(one)
    if wrong == "program":
        raise Refused("invalid", "“%(name)s” is a program: programs are not taken.", name=name, field="files")
    if wrong:
        raise Refused("invalid", "The content of “%(name)s” is not what its name says: choose another file.",
                      name=name, field="files")  # fmt: skip
    return one
