"""How often somebody may guess, or have mails written: the counters of the office's sign-in, by address and by whence
it is asked."""

from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest

APP = "allauth.account"
GUESS, MAIL, NOTICE, TICKET, INVITE = "login_failed", "request_login_code", "reset_password", "ticket", "invite"


def take(request: HttpRequest, action: str, email: str) -> Any:
    """Count a try; gives what can be rolled back where it was none, or nothing where there were too many."""
    return ratelimit.consume(request, app=APP, action=action, key=email.strip().casefold())
