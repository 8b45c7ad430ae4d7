"""Signatures by the rules of Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
BYTES = 32  # the rules ask for 24 to 64


def new_secret() -> str:
    """A secret drawn at random, as the receiver's library takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def headers(event_id: str, at: datetime, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The headers that prove who sent an event, and when: one signature for each of the secrets that hold.

    Raises `ValueError` for what is no secret.
    """
    seconds = str(int(at.timestamp()))
    content = f"{event_id}.{seconds}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(content, key) for key in keys),
    }


def _signature(content: bytes, secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no secret of a webhook") from error
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
