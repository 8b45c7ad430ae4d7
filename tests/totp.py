"""The codes that an app shows (RFC 6238), reckoned here once more."""

import base64
import hashlib
import hmac
import struct
import time


def code_of(secret: str, later: int = 0, at: float | None = None) -> str:
    """The code of a secret now (or at an instant, in seconds), or so many half minutes later: no code counts twice."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    now = time.time() if at is None else at
    digest = hmac.new(key, struct.pack(">Q", int(now // 30) + later), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
