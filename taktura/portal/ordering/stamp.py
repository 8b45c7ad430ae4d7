"""Against floods, without anybody else's service: a form carries a signed stamp with the moment in which it was shown
and a token of its own, and a field that people do not see; an address may order so often an hour."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from allauth.core.internal import ratelimit
from django.core import signing
from django.http import HttpRequest

SALT: Final = "order-page"
TRAP: Final = "website"  # the field that people do not see
LEAST: Final = 2  # seconds; nobody fills in the form sooner
LASTS: Final = 24 * 60 * 60
ACTION: Final = "order"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A form that was shown: its token, its text, and whether it is good by now."""

    token: str
    text: str
    good: bool


def read(request: HttpRequest, now: float) -> Stamp:
    """The stamp of a form that was sent; a new one where there is none, or it is not ours, or too old."""
    text = request.POST.get("stamp", "")
    try:
        token, at = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return new(now)
    age = now - int(at)
    return Stamp(token, text, age >= LEAST) if age < LASTS else new(now)


def new(now: float) -> Stamp:
    """A stamp for a form that is shown now."""
    token = secrets.token_urlsafe(24)
    return Stamp(token, signing.dumps([token, int(now)], salt=SALT), False)


def take(request: HttpRequest, email: str) -> Any:
    """Count an order of a mail address and of whence it is asked; nothing where there were too many."""
    return ratelimit.consume(request, app="allauth.account", action=ACTION, key=email.strip().casefold())
