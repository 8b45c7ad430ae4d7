"""Who guesses is stopped: by account and by address, for a while, in all processes; and learns nothing from it."""

import os
import subprocess
import sys

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from django.test import Client

from taktura.kit.mail.models import OutgoingMail
from tests.pages.conftest import PASSWORD
from tests.pages.doors import (
    EMAIL,
    LOGIN,
    Clock,
    browser,
    is_in,
    mailed_code,
    make_user,
    said,
    set_clock,
    set_up_app,
    sign_in,
)  # fmt: skip
from tests.totp import code_of

TOO_MANY = "Too many failed login attempts. Try again later."
AUTHENTICATE = "/account/2fa/authenticate/"
GUESS = """
import sys
from taktura.kit.database import setup
setup()
from django.test import Client
client = Client(SERVER_NAME="localhost", REMOTE_ADDR=sys.argv[1])
for _ in range(3):
    client.post("/account/login/", {"login": sys.argv[2], "password": "a wrong guess"})
"""
pytestmark = pytest.mark.usefixtures("seller")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be put forward."""
    return set_clock(monkeypatch)


def test_an_account_is_shut_for_a_while_whoever_guesses(clock: Clock) -> None:
    make_user()
    for n in range(5):
        assert TOO_MANY not in said(sign_in(browser(f"192.0.2.{n}"), password="wrong"))
    owner = browser("198.51.100.1")
    assert TOO_MANY in said(sign_in(owner))
    assert not is_in(owner)
    clock.later += 295
    assert TOO_MANY in said(sign_in(owner))
    clock.later += 6
    assert sign_in(owner).status_code == 302
    assert is_in(owner)


def test_another_name_of_the_same_host_is_no_new_beginning(clock: Clock) -> None:
    make_user()
    for n in range(5):
        client = Client(HTTP_HOST=f"localhost:{8000 + n}", REMOTE_ADDR=f"192.0.2.{n}")
        client.post(LOGIN, {"login": EMAIL.upper(), "password": "wrong"})
    assert TOO_MANY in said(sign_in(browser("198.51.100.1")))


def test_a_right_password_in_between_forgets_no_guess(clock: Clock) -> None:
    make_user()
    for password in ("wrong 1", "wrong 2", "wrong 3", "wrong 4", PASSWORD, "wrong 5"):
        client = browser()
        sign_in(client, password=password)
        assert is_in(client) == (password == PASSWORD)
    assert TOO_MANY in said(sign_in(browser()))


@pytest.mark.parametrize("machine", ["192.0.2.7", "2001:db8:1:2::{n}"])
def test_a_machine_is_shut_out_whatever_it_tries_and_calls_itself(clock: Clock, machine: str) -> None:
    """Of an address of IPv6 the network counts: a machine has as many addresses as it likes."""
    make_user()
    for n in range(20):
        client = browser(machine.format(n=n + 1))
        client.post(LOGIN, {"login": f"{n}@x.example", "password": "wrong"}, headers={"X-Forwarded-For": f"10.0.0.{n}"})
    client = browser(machine.format(n=99))
    assert sign_in(client).status_code != 302
    assert not is_in(client)
    assert sign_in(browser("198.51.100.1")).status_code == 302
    clock.later += 61
    assert sign_in(browser(machine.format(n=99))).status_code == 302


def test_what_is_said_does_not_tell_whether_there_is_an_account(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the time: for either a password is hashed once."""
    make_user()
    make_user("gone@firm.example").__class__.objects.filter(email="gone@firm.example").update(is_active=False)
    hashed: list[str] = []
    encode = PBKDF2PasswordHasher.encode
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", lambda *a: hashed.append(a[1]) or encode(*a))
    answers = {}
    for email in (EMAIL, "nobody@firm.example", "gone@firm.example"):
        before = len(hashed)
        found = [sign_in(browser(), email, "wrong") for _ in range(6)]
        answers[email] = [(r.status_code, said(r)) for r in found], len(hashed) - before
    assert TOO_MANY in answers[EMAIL][0][5][1]
    assert answers[EMAIL] == answers["nobody@firm.example"] == answers["gone@firm.example"]
    assert answers[EMAIL][1] == 5


@pytest.mark.parametrize("way", ["/account/login/code/", "/account/password/reset/"])
def test_asking_for_a_code_does_not_tell_whether_there_is_an_account(clock: Clock, way: str) -> None:
    make_user()
    answers = []
    for email in (EMAIL, "nobody@firm.example"):
        client = browser()
        found = [client.post(way, {"email": email}, follow=True) for _ in range(2)]
        answers.append([(r.status_code, r.redirect_chain, said(r)) for r in found])
    assert answers[0] == answers[1]
    assert {m.recipient for m in OutgoingMail.objects.all()} == {EMAIL}


def test_three_guesses_end_a_mailed_code(clock: Clock) -> None:
    make_user()
    client = browser()
    client.post("/account/login/code/", {"email": EMAIL})
    code = mailed_code()
    for _ in range(3):
        client.post("/account/login/code/confirm/", {"code": "WRNG-CDXZ"})
    client.post("/account/login/code/confirm/", {"code": code})
    assert not is_in(client)


def test_only_so_many_codes_are_mailed(clock: Clock) -> None:
    make_user()
    for n in range(6):
        browser(f"192.0.2.{n}").post("/account/login/code/", {"email": EMAIL})
    assert OutgoingMail.objects.count() == 3
    for n in range(8):
        browser(f"192.0.2.{n}").post("/account/password/reset/", {"email": EMAIL})
    assert OutgoingMail.objects.count() == 3 + 5


def test_a_machine_that_asks_too_often_gets_a_page_that_says_so(clock: Clock) -> None:
    client = browser()
    found = [client.post("/account/password/reset/", {"email": f"{n}@x.example"}) for n in range(21)]
    assert [r.status_code for r in found[:20]] == [302] * 20
    assert found[20].status_code == 429
    assert "Wait a minute" in said(found[20]) and "<html lang=" in found[20].content.decode()


def test_codes_of_an_app_and_recovery_codes_are_not_guessed(clock: Clock) -> None:
    make_user()
    owner = browser()
    sign_in(owner)
    secret = set_up_app(owner, clock)
    recovery = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()  # type: ignore[no-untyped-call]
    for n, guess in enumerate(("000000", "00000001", "111111", "22222222", "333333")):
        client = browser(f"192.0.2.{n}")
        assert sign_in(client).headers["Location"] == AUTHENTICATE
        assert "Incorrect code." in said(client.post(AUTHENTICATE, {"code": guess}))
    for right in (code_of(secret, at=clock.time()), recovery[0]):
        client = browser("198.51.100.1")
        sign_in(client)
        assert TOO_MANY in said(client.post(AUTHENTICATE, {"code": right}))
        assert not is_in(client)
    clock.later += 301
    client.post(AUTHENTICATE, {"code": code_of(secret, at=clock.time())})
    assert is_in(client)


def test_several_processes_count_together(clock: Clock, database: str) -> None:
    make_user()
    address = {}
    for name, alias in (("DATABASE_URL", "default"), ("DATABASE_OWNER_URL", "owner")):
        known = connections[alias].settings_dict
        port = f":{known['PORT']}" if known["PORT"] else ""
        address[name] = f"postgresql://{known['USER']}:{known['PASSWORD']}@{port}/{known['NAME']}?host={known['HOST']}"
    both = [
        subprocess.Popen([sys.executable, "-c", GUESS, machine, EMAIL], env=os.environ | address)
        for machine in ("192.0.2.1", "192.0.2.2")
    ]
    assert [one.wait(120) for one in both] == [0, 0]
    assert TOO_MANY in said(sign_in(browser()))
