"""Signing in as a browser does, from one machine or another, at a time that goes on as a test says."""

import re
import time
from dataclasses import dataclass, field

import pytest
from allauth.account.internal.flows import code_verification, reauthentication
from allauth.account.internal.flows import login as login_flow
from allauth.core.internal import ratelimit
from allauth.mfa.totp.internal import auth as totp
from django.http import HttpResponse
from django.test import Client

from taktura.accounts.models import User
from taktura.accounts.services import create_user
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from tests.pages.conftest import PASSWORD
from tests.totp import code_of

LOGIN = "/account/login/"
EMAIL = "eve@firm.example"
CODE = r"\b[B-Z]{4}-[B-Z]{4}\b"


@dataclass
class Clock:
    """The time that sign-in sees: it stands still but for a tick with each look, until it is put forward.

    Codes of apps and counters of guesses follow it, cookies do not.
    """

    later: float = 0
    start: float = field(default_factory=time.time)

    def time(self) -> float:
        """Now, in seconds."""
        self.later += 0.001
        return self.start + self.later

    def monotonic(self) -> float:
        """For waiting."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def set_clock(patch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be put forward."""
    clock = Clock()
    for module in (ratelimit, code_verification, totp, login_flow, reauthentication):
        patch.setattr(module, "time", clock)
    return clock


def browser(machine: str = "192.0.2.1") -> Client:
    """A browser on a machine of that address."""
    return Client(SERVER_NAME="localhost", REMOTE_ADDR=machine)


def make_user(email: str = EMAIL, role: str = "sales", password: str | None = PASSWORD) -> User:
    """Somebody who may sign in."""
    return create_user(Actor("test", utc_now()), email=email, name="Eve", role=role, password=password)


def sign_in(client: Client, email: str = EMAIL, password: str = PASSWORD, **more: str) -> HttpResponse:
    """Send the form of sign-in; gives the answer."""
    response: HttpResponse = client.post(LOGIN, {"login": email, "password": password, **more})  # type: ignore[assignment]
    return response


def is_in(client: Client) -> bool:
    """Whether the office opens."""
    return client.get("/").status_code == 200


def said(response: HttpResponse) -> str:
    """What a page says, without marks, addresses of mail, and what is new with each answer."""
    text = re.sub(r"<(script|head).*?</\1>|<[^>]*>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"\S+@\S+", "…", text)).strip()


def mailed_code(email: str = EMAIL) -> str:
    """The code in the last mail to an address."""
    mail = OutgoingMail.objects.filter(recipient=email).latest("id")
    found = re.search(CODE, mail.text)
    assert found, mail.text
    return found[0]


def set_up_app(client: Client, clock: Clock) -> str:
    """Set up codes of an app in a browser that is signed in; gives the secret. A code of now is not used yet."""
    path = "/account/2fa/totp/activate/"
    assert client.get(path).headers["Location"].startswith("/account/reauthenticate/")  # whoever sits there now
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": path})
    found = re.search(r'value="([A-Z2-7]{32})"', client.get(path).content.decode())
    assert found
    secret = found[1]
    assert client.post(path, {"code": code_of(secret, at=clock.time())}).status_code == 302
    clock.later += 90  # a code that was shown counts no more
    return secret
