"""Reading environment variables: each is checked, and a wrong one is refused with a sentence that names it.

All raise `Refused` (`invalid`); the command line then ends with exit code 2.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import overload
from urllib.parse import SplitResult, urlsplit

from taktura.core.errors import Refused

SECRET_CHARACTERS = 32
TOKEN_CHARACTERS = 16


def text(name: str) -> str:
    """As it is, without spaces around it; empty where it is not set."""
    return os.environ.get(name, "").strip()


def choice(name: str, known: Sequence[str], usual: str) -> str:
    """One of some words."""
    value = text(name) or usual
    if value not in known:
        raise Refused(
            "invalid", "%(name)s is “%(value)s”: write one of %(known)s.",
            name=name, value=value, known=", ".join(known),
        )  # fmt: skip
    return value


def whole(name: str, usual: int, least: int, most: int) -> int:
    """A whole number."""
    value = text(name)
    if not value:
        return usual
    if not (value.isascii() and value.isdigit() and least <= int(value[:10]) <= most):
        raise Refused(
            "invalid", "%(name)s is “%(value)s”: write a whole number from %(least)s to %(most)s.",
            name=name, value=value, least=least, most=most,
        )  # fmt: skip
    return int(value)


def yes(name: str) -> bool:
    """1 for yes; 0 or nothing for no."""
    return choice(name, ("0", "1"), "0") == "1"


def secret(name: str, least: int) -> str:
    """A secret that is long enough to be one; never shown. Empty where it is not set."""
    value = text(name)
    if value and (len(value) < least or len(set(value)) < least // 4):
        raise Refused(
            "invalid", "%(name)s is too easy to guess: draw at least %(least)s characters at random.",
            name=name, least=least,
        )  # fmt: skip
    return value


@overload
def folder(name: str, usual: Path) -> Path: ...
@overload
def folder(name: str, usual: None) -> Path | None: ...
def folder(name: str, usual: Path | None) -> Path | None:
    """A folder, which need not be there yet."""
    given = text(name)
    if not given and usual is None:
        return None
    path = Path(given or usual or "")
    if path.exists() and not path.is_dir():
        raise Refused("invalid", "%(name)s is %(path)s, which is no folder.", name=name, path=path)
    return path


def public_address(name: str) -> str:
    """The address of a site, `https://host` with a port perhaps, without the slash at its end."""
    value = text(name).rstrip("/")
    if not value:
        return ""
    parts = _split(value)
    sound = parts is not None and parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    if not sound or parts is None or parts.path or parts.query or parts.fragment:
        raise Refused(
            "invalid", "%(name)s is “%(value)s”: write the address of the office as in https://billing.example.com.",
            name=name, value=value,
        )  # fmt: skip
    return value


_SITE = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


def sites(name: str) -> list[str]:
    """Sites with blanks between: `https://www.example.com`, `https://*.example.com`; `*` alone for all."""
    found = text(name).lower().split()
    for one in found:
        if one != "*" and not _SITE.fullmatch(one):
            raise Refused(
                "invalid", "%(name)s has “%(value)s”: write sites as in https://www.example.com, with blanks between.",
                name=name, value=one,
            )  # fmt: skip
    return found


def database_address(name: str) -> str:
    """The address of a database; it may hold a password, so it is never shown."""
    value = text(name)
    if not value:
        return ""
    parts = _split(value)
    if parts is None or parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise Refused(
            "invalid", "%(name)s is no address of a database: write it as in %(example)s.",
            name=name, example="postgresql://user:password@host:5432/taktura",
        )  # fmt: skip
    return value


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port, parts.hostname  # read when asked
    except ValueError:
        return None
    return parts
