"""Secrets: of those that need not be read again a hash is kept; others (a mail server's password) are sealed."""

import base64
import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from taktura.core.errors import Refused


def hash_of(secret: str) -> str:
    """What is kept of a secret that was drawn at random: long random text needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seal(text: str) -> str:
    """A text encrypted with the installation's key; empty stays empty."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """What `seal` was given. Raises `Refused` (`invalid`) when it was sealed with another key."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Refused(
            "invalid", "A stored password was sealed with another TAKTURA_SECRET_KEY: enter the password again."
        ) from error


def keep_key(secret: str) -> None:
    """Write the installation's key to its file, in place of the one there. Running programs keep the old one."""
    path: Path = settings.SECRET_KEY_FILE
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(secret, "utf-8")
    part.replace(path)


def _box() -> Fernet:
    key = hashlib.sha256(b"taktura sealed\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
