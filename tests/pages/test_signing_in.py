"""The ways into the office: password, mailed code, app, passkey, invitation, reset; each opens once and to one."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.utils import translation

from taktura.accounts.models import Invitation, User
from taktura.accounts.services import change_user, create_user, invite
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.office.accounts.adapter import IN_OUR_WORDS
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
from tests.passkey import Passkey
from tests.totp import code_of

AUTHENTICATE = "/account/2fa/authenticate/"
CODE, CONFIRM = "/account/login/code/", "/account/login/code/confirm/"
RESET = "/account/password/reset/"
ELSEWHERE = (
    "https://evil.example/", "//evil.example/", "/\\evil.example", "///evil.example", "http:evil.example",
    "javascript:alert(1)", "https://localhost@evil.example/", "http://127.0.0.1/", "\thttps://evil.example",
)  # fmt: skip
pytestmark = pytest.mark.usefixtures("seller")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be put forward."""
    return set_clock(monkeypatch)


# ---- a mailed code -------------------------------------------------------------------------------------------------


def ask_for_code(client: Client, email: str = EMAIL) -> str:
    """Have a code mailed; gives it."""
    assert client.post(CODE, {"email": email}).headers["Location"] == CONFIRM
    return mailed_code(email)


def test_a_mailed_code_opens_once(clock: Clock) -> None:
    make_user()
    client = browser()
    code = ask_for_code(client)
    assert client.post(CONFIRM, {"code": "WRNG-CDXZ"}).status_code == 200
    assert not is_in(client)
    client.post(CONFIRM, {"code": code.lower().replace("-", " ")})  # as people type
    assert is_in(client)
    client.post("/account/logout/")
    client.post(CONFIRM, {"code": code})
    assert not is_in(client)
    again = ask_for_code(client)
    assert again != code
    client.post(CONFIRM, {"code": code})
    assert not is_in(client)


def test_a_mailed_code_is_of_no_use_in_another_browser(clock: Clock) -> None:
    """Whoever reads the mail on another machine, or asked for a code of their own, does not come in by it."""
    make_user()
    make_user("mallory@firm.example")
    code = ask_for_code(browser())
    other = browser()
    assert other.post(CONFIRM, {"code": code}).status_code == 302
    ask_for_code(other, "mallory@firm.example")
    other.post(CONFIRM, {"code": code})
    assert not is_in(other)


def test_a_mailed_code_lives_for_three_minutes(clock: Clock) -> None:
    make_user()
    client = browser()
    code = ask_for_code(client)
    clock.later += 181
    client.post(CONFIRM, {"code": code})
    assert not is_in(client)


def test_a_mailed_code_does_not_replace_the_second_factor(clock: Clock) -> None:
    make_user()
    owner = browser()
    sign_in(owner)
    secret = set_up_app(owner, clock)
    client = browser()
    response = client.post(CONFIRM, {"code": ask_for_code(client)})
    assert response.headers["Location"] == AUTHENTICATE
    assert not is_in(client)
    client.post(AUTHENTICATE, {"code": code_of(secret, at=clock.time())})
    assert is_in(client)


# ---- an app --------------------------------------------------------------------------------------------------------


def test_a_code_of_an_app_opens_once(clock: Clock) -> None:
    make_user()
    owner = browser()
    sign_in(owner)
    secret = set_up_app(owner, clock)
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    code = code_of(secret, at=clock.time())
    for expected in (True, False):
        client = browser()
        assert sign_in(client).headers["Location"] == AUTHENTICATE
        assert client.get("/customers/").status_code == 302
        client.post(AUTHENTICATE, {"code": code})
        assert is_in(client) == expected
    client.post(AUTHENTICATE, {"code": code_of(secret, later=1, at=clock.time())})  # the clock of a telephone is ahead
    assert is_in(client)


def test_an_old_code_of_an_app_opens_nothing(clock: Clock) -> None:
    make_user()
    owner = browser()
    sign_in(owner)
    secret = set_up_app(owner, clock)
    client = browser()
    sign_in(client)
    for halves in (-3, -2, 2, 3):
        client.post(AUTHENTICATE, {"code": code_of(secret, later=halves, at=clock.time())})
        assert not is_in(client)


def test_a_recovery_code_opens_once(clock: Clock) -> None:
    make_user()
    owner = browser()
    sign_in(owner)
    set_up_app(owner, clock)
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()  # type: ignore[no-untyped-call]
    assert len(set(codes)) == 10
    for code, expected in ((codes[0], True), (codes[0], False), (codes[1], True)):
        client = browser()
        sign_in(client)
        client.post(AUTHENTICATE, {"code": code})
        assert is_in(client) == expected


def test_recovery_codes_alone_are_no_second_factor(seller: Seller) -> None:
    Seller.objects.filter(pk=seller.pk).update(second_factor=True)
    user = make_user(role="billing")
    Authenticator.objects.create(user=user, type="recovery_codes", data={"seed": "", "used_mask": 0})
    client = browser()
    sign_in(client)
    assert client.get("/").headers["Location"] == "/account/second-factor-needed/"
    Authenticator.objects.create(user=user, type="totp", data={"secret": ""})
    assert is_in(client)


# ---- a passkey -----------------------------------------------------------------------------------------------------


def options_on(client: Client, path: str, name: str) -> dict[str, Any]:
    """The question that a page asks of an authenticator."""
    found = re.search(r'<script id="js_data"[^>]*>(.*?)</script>', client.get(path).content.decode(), re.DOTALL)
    assert found
    options: dict[str, Any] = json.loads(found[1])[name]
    return options


def add_passkey(client: Client, passkey: Passkey, **more: str) -> HttpResponse:
    """Add a passkey in a browser that is signed in."""
    path = "/account/2fa/webauthn/add/"
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": path})
    answer = passkey.register(options_on(client, path, "creation_options"))
    response: HttpResponse = client.post(path, {"name": "Phone", "credential": json.dumps(answer), **more})  # type: ignore[assignment]
    return response


def use_passkey(client: Client, passkey: Passkey, answer: dict[str, Any] | None = None) -> dict[str, Any]:
    """Sign in by a passkey alone; gives what was sent."""
    path = "/account/2fa/webauthn/login/"
    options = client.get(path, headers={"X-Requested-With": "XMLHttpRequest"}).json()["request_options"]
    answer = answer or passkey.sign(options)
    client.post(path, {"credential": json.dumps(answer)})
    return answer


def test_a_passkey_is_added_and_opens_alone(clock: Clock) -> None:
    make_user()
    owner, passkey = browser(), Passkey()
    sign_in(owner)
    assert add_passkey(owner, passkey, passwordless="on").status_code == 302
    client = browser()
    answer = use_passkey(client, passkey)
    assert is_in(client)
    thief = browser()
    use_passkey(thief, passkey, answer)  # what was sent once, to a new question
    assert not is_in(thief)
    use_passkey(thief, Passkey())
    assert not is_in(thief)


def test_a_passkey_of_another_site_or_key_opens_nothing(clock: Clock) -> None:
    make_user()
    owner, passkey = browser(), Passkey()
    sign_in(owner)
    add_passkey(owner, passkey, passwordless="on")
    forged = Passkey()
    forged.id, forged.user = passkey.id, passkey.user
    phished = Passkey("evil.example")
    phished.id, phished.user, phished.key = passkey.id, passkey.user, passkey.key
    careless = Passkey(verifies=False)
    careless.id, careless.user, careless.key = passkey.id, passkey.user, passkey.key
    for wrong in (forged, phished, careless):
        client = browser()
        use_passkey(client, wrong)
        assert not is_in(client)


def test_a_passkey_is_a_second_factor(clock: Clock, seller: Seller) -> None:
    Seller.objects.filter(pk=seller.pk).update(second_factor=True)
    make_user(role="billing")
    owner, passkey = browser(), Passkey(verifies=False)
    sign_in(owner)
    assert not is_in(owner)
    add_passkey(owner, passkey)
    assert is_in(owner)
    client = browser()
    assert sign_in(client).headers["Location"] == AUTHENTICATE
    options = options_on(client, AUTHENTICATE, "request_options")
    assert client.post(AUTHENTICATE, {"credential": json.dumps(passkey.sign(options))}).headers["Location"] == "/"
    assert is_in(client)


def test_a_passkey_of_somebody_switched_off_opens_nothing(clock: Clock) -> None:
    user = make_user()
    owner, passkey = browser(), Passkey()
    sign_in(owner)
    add_passkey(owner, passkey, passwordless="on")
    change_user(Actor("t", utc_now()), user=user, role=user.role, name=user.name, active=False)
    client = browser()
    use_passkey(client, passkey)
    assert not is_in(client)


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", "7", '"x"', '{"response": {"userHandle": "MQ"}}', "{" * 9999])
def test_what_is_no_answer_of_a_passkey_is_no_error(clock: Clock, sent: str) -> None:
    make_user()
    client = browser()
    client.get("/account/2fa/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})
    assert client.post("/account/2fa/webauthn/login/", {"credential": sent}).status_code == 302
    assert not is_in(client)


# ---- where one goes from there -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere_from_the_sign_in(clock: Clock, target: str) -> None:
    make_user()
    asked = f"?next={quote(target)}"
    client = browser()
    assert sign_in(client, next=target).headers["Location"] == "/"
    reauthenticated = client.post(f"/account/reauthenticate/{asked}", {"password": PASSWORD, "next": target})
    assert reauthenticated.headers["Location"] == "/"
    assert client.post(f"/account/logout/{asked}", {"next": target}).headers["Location"] == LOGIN
    assert client.post(f"{LOGIN}{asked}", {"login": EMAIL, "password": PASSWORD}).headers["Location"] == "/"
    assert client.get(f"{LOGIN}{asked}").headers["Location"] == "/"
    client.post("/account/logout/")
    client.post(f"{CODE}{asked}", {"email": EMAIL, "next": target})
    done = client.post(f"{CONFIRM}{asked}", {"code": mailed_code(), "next": target})
    assert is_in(client)
    assert done.headers["Location"] == "/"


def test_one_is_sent_on_to_the_page_that_one_wanted(clock: Clock) -> None:
    make_user()
    owner = browser()
    assert sign_in(owner, next="/customers/?q=a").headers["Location"] == "/customers/?q=a"
    secret = set_up_app(owner, clock)
    client = browser()
    sign_in(client, next="/customers/")
    done = client.post(AUTHENTICATE, {"code": code_of(secret, at=clock.time())})
    assert done.headers["Location"] == "/customers/"


def test_a_session_gets_another_key_by_the_sign_in(clock: Clock) -> None:
    """Whoever planted a session in somebody's browser does not share what becomes of it."""
    make_user()
    client = browser()
    code = ask_for_code(client)
    planted = client.cookies["taktura_session"].value
    client.post(CONFIRM, {"code": code})
    assert is_in(client)
    thief = browser()
    thief.cookies["taktura_session"] = planted
    assert not is_in(thief)


# ---- passwords, and those who may not ------------------------------------------------------------------------------


def test_a_password_is_set_anew_by_a_mailed_code(clock: Clock) -> None:
    make_user()
    elsewhere, client, new = browser(), browser(), "another-long-word-3"
    sign_in(elsewhere)
    assert client.post(RESET, {"email": EMAIL}).status_code == 302
    code = mailed_code()
    assert browser().post(f"{RESET}confirm/", {"code": code}).status_code == 302  # another browser: back to the start
    assert client.post(f"{RESET}complete/", {"password1": new, "password2": new}).status_code == 302
    assert User.objects.get(email=EMAIL).check_password(PASSWORD), "not without the code"
    client.post(f"{RESET}confirm/", {"code": code})
    weak = client.post(f"{RESET}complete/", {"password1": "12345", "password2": "12345"})
    assert weak.status_code == 200
    client.post(f"{RESET}complete/", {"password1": new, "password2": new})
    assert not is_in(elsewhere), "whoever used the old password is out"
    assert sign_in(browser()).status_code != 302
    assert sign_in(browser(), password=new).status_code == 302
    client.post(f"{RESET}confirm/", {"code": code})
    client.post(f"{RESET}complete/", {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get(email=EMAIL).check_password(new), "a code sets one password"


def test_a_new_password_does_not_replace_the_second_factor(clock: Clock) -> None:
    make_user()
    owner, client, new = browser(), browser(), "another-long-word-3"
    sign_in(owner)
    set_up_app(owner, clock)
    client.post(RESET, {"email": EMAIL})
    client.post(f"{RESET}confirm/", {"code": mailed_code()})
    client.post(f"{RESET}complete/", {"password1": new, "password2": new})
    assert not is_in(client)
    assert sign_in(client, password=new).headers["Location"] == AUTHENTICATE


def test_a_code_for_a_password_ends_too(clock: Clock) -> None:
    make_user()
    late, guessed = browser(), browser()
    for client in (late, guessed):
        client.post(RESET, {"email": EMAIL})
        code = mailed_code()
        if client is late:
            clock.later += 181
        else:
            for _ in range(3):
                client.post(f"{RESET}confirm/", {"code": "WRNG-CDXZ"})
        client.post(f"{RESET}confirm/", {"code": code})
        client.post(f"{RESET}complete/", {"password1": "another-long-word-3", "password2": "another-long-word-3"})
        assert User.objects.get(email=EMAIL).check_password(PASSWORD)


def test_a_changed_password_ends_the_other_sessions(clock: Clock) -> None:
    make_user()
    here, there, new = browser(), browser(), "another-long-word-3"
    sign_in(here)
    sign_in(there)
    typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/account/password/change/", typed | {"oldpassword": "wrong"}).status_code == 200
    assert is_in(there)
    assert here.post("/account/password/change/", typed).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_somebody_switched_off_comes_in_by_no_door(clock: Clock) -> None:
    user = make_user()
    client, waiting = browser(), browser()
    code = ask_for_code(waiting)
    change_user(Actor("t", utc_now()), user=user, role=user.role, name=user.name, active=False)
    mails = OutgoingMail.objects.count()
    sign_in(client)
    waiting.post(CONFIRM, {"code": code})
    for path in (CODE, RESET):
        client.post(path, {"email": EMAIL})
    assert not is_in(client)
    assert not is_in(waiting)
    assert OutgoingMail.objects.count() == mails


def test_an_invitation_opens_in_time_and_once(clock: Clock) -> None:
    actor = Actor("t", utc_now())
    late, secret = invite(actor, email="late@firm.example", role="viewer")
    Invitation.objects.filter(pk=late.pk).update(expires_at=actor.now - timedelta(seconds=1))
    typed = {"name": "Nina", "password": "another-long-word-3"}
    assert browser().post(f"/account/invitation/{secret}/", typed).status_code == 404
    _used, secret = invite(actor, email="nina@firm.example", role="viewer")
    client = browser()
    client.post(f"/account/invitation/{secret}/", typed)
    assert is_in(client)
    again = browser().post(f"/account/invitation/{secret}/", typed)
    assert again.status_code == 404 and "ask for another one" in said(again)
    assert not User.objects.filter(email="late@firm.example").exists()
    _taken, secret = invite(actor, email="olga@firm.example", role="admin")
    create_user(actor, email="Olga@firm.example", name="Olga", role="viewer", password=PASSWORD)
    assert browser().post(f"/account/invitation/{secret}/", typed).status_code == 422
    assert User.objects.get(email="Olga@firm.example").role == "viewer"


def test_german_is_not_on_first_name_terms(database: str, client_as: Callable[..., Client]) -> None:
    assert "Möchten Sie sich abmelden?" in client_as(language="de").get("/account/logout/").content.decode()
    assert (
        "Geben Sie Ihre E-Mail-Adresse ein"
        in Client(SERVER_NAME="localhost", headers={"accept-language": "de"})
        .get("/account/password/reset/")
        .content.decode()
    )
    with translation.override("de"):
        for text in IN_OUR_WORDS:
            assert translation.gettext(text) != text
            assert not re.search(r"\b(du|dein\w*|dir|dich)\b", translation.gettext(text), re.IGNORECASE), text
