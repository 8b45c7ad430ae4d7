"""Users, invitations and keys on pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from taktura.accounts.models import ApiKey, Invitation, User
from taktura.accounts.permissions import PERMISSIONS
from taktura.accounts.queries import open_invitations, usable_key
from taktura.accounts.services import create_key, create_user, invite
from taktura.audit.models import LogEntry
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import MailServer, OutgoingMail
from tests.pages.forms import form_of

Pages = Callable[..., dict[str, str]]
SignIn = Callable[..., Client]
PASSWORD = "another-long-word-3"  # noqa: S105


def secret_in(text: str) -> str:
    """What is shown once."""
    found = re.search(r'id="secret"[^>]*>([^<]+)<', text)
    assert found
    return found[1]


def test_pages_open_in_three_languages_to_those_who_may_see_them(
    seller: Seller, client_as: SignIn, page_ok: Pages, forbidden_to: Callable[[str], set[str]]
) -> None:
    person = client_as("viewer").user  # type: ignore[attr-defined]
    key, _secret = create_key(Actor("t", utc_now()), name="Shop", scopes=["usage.change"])
    for path in ("/settings/users/", "/settings/keys/", f"/settings/keys/{key.pk}/"):
        assert len(set(page_ok(path).values())) == 3
        assert forbidden_to(path) == {"sales", "lead", "technician", "viewer"}
    for path in ("/settings/users/invite/", f"/settings/users/{person.pk}/", "/settings/keys/new/"):
        page_ok(path)
        assert forbidden_to(path) == {"billing", "sales", "lead", "technician", "viewer"}


def test_who_may_only_look_sees_no_way_to_change(seller: Seller, client_as: SignIn) -> None:
    key, _secret = create_key(Actor("t", utc_now()), name="Shop", scopes=["usage.change"])
    client = client_as("billing")
    assert "/settings/users/invite/" not in client.get("/settings/users/").content.decode()
    assert "/settings/keys/new/" not in client.get("/settings/keys/").content.decode()
    assert "revoke" not in client.get(f"/settings/keys/{key.pk}/").content.decode()
    assert client.post(f"/settings/keys/{key.pk}/revoke/").status_code == 403


def test_a_user_gets_another_role_and_is_switched_off(seller: Seller, client_as: SignIn) -> None:
    theirs = client_as("viewer")
    person = theirs.user  # type: ignore[attr-defined]
    client, path = client_as(), f"/settings/users/{person.pk}/"
    assert client.post(path, form_of(client, path) | {"role": "sales", "name": "Svea"}).status_code == 302
    person.refresh_from_db()
    assert (person.role, person.name, person.is_active) == ("sales", "Svea", True)
    assert theirs.get("/customers/new/").status_code == 200
    client.post(path, {"role": "sales", "name": "Svea"})
    assert theirs.get("/").status_code == 302  # signed out at once
    assert "Switched off" in client.get("/settings/users/").content.decode()
    assert "Svea" not in client.get("/settings/users/?active=1").content.decode()


def test_no_old_session_comes_back_with_a_user(seller: Seller, client_as: SignIn) -> None:
    theirs = client_as("sales")
    theirs.get("/")
    person = theirs.user  # type: ignore[attr-defined]
    client, path = client_as(), f"/settings/users/{person.pk}/"
    client.post(path, {"role": "sales", "name": "Svea"})
    assert theirs.get("/").status_code == 302
    client.post(path, {"role": "sales", "name": "Svea", "active": "on"})
    assert client_as("sales").get("/").status_code == 200
    assert theirs.get("/").headers["Location"].startswith("/account/login/")


def test_what_somebody_leaves_behind_is_shown_and_ended(seller: Seller, client_as: SignIn) -> None:
    person = create_user(Actor("t", utc_now()), email="bob@firm.example", name="Bob", role="admin")
    invite(Actor("t", utc_now()), email="friend@x.example", role="admin", by=person)
    _key, secret = create_key(Actor("t", utc_now()), name="Shop", scopes=["usage.view"], by=person)
    client, path = client_as(), f"/settings/users/{person.pk}/"
    assert "revoke_keys" in client.get(path).content.decode()
    shown = client.post(path, {"role": "admin", "name": "Bob"}, follow=True).content.decode()
    assert "1 API key that Bob made can still be used." in shown
    assert not open_invitations(utc_now()).exists()
    assert usable_key(secret, utc_now())
    client.post(path, {"role": "admin", "name": "Bob", "revoke_keys": "on"})
    assert usable_key(secret, utc_now()) is None
    assert "revoke_keys" not in client.get(path).content.decode()


def test_the_last_admin_stays(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    response = client.post(f"/settings/users/{client.user.pk}/", {"role": "viewer", "name": "A", "active": "on"})  # type: ignore[attr-defined]
    assert response.status_code == 422
    assert "One active admin must be left" in response.content.decode()
    assert User.objects.get(role="admin").is_active


def test_a_lost_second_factor_is_taken_away(seller: Seller, client_as: SignIn) -> None:
    theirs = client_as("billing")
    person = theirs.user  # type: ignore[attr-defined]
    for kind in ("totp", "recovery_codes"):
        Authenticator.objects.create(user=person, type=kind, data={})
    theirs.get("/")
    client = client_as()
    assert "App" in client.get(f"/settings/users/{person.pk}/").content.decode()
    assert client.post(f"/settings/users/{person.pk}/reset/").status_code == 302
    assert not Authenticator.objects.filter(user=person).exists()
    assert theirs.get("/").status_code == 302
    entry = LogEntry.objects.latest("id")
    assert (entry.action, entry.data["forgotten"]) == ("reset_second_factor", ["totp", "recovery_codes"])


# ---- invitations ---------------------------------------------------------------------------------------------------


def invited(client: Client, **typed: str) -> str:
    """The link that is shown once."""
    fields = {"email": "new@firm.example", "name": "Neu", "role": "sales", "language": "sv"} | typed
    response = client.post("/settings/users/invite/", fields)
    assert response.status_code == 200
    return secret_in(response.content.decode())


def test_an_invitation_is_mailed_and_accepted_once(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    link = invited(client)
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.language, mail.kind) == ("new@firm.example", "sv", "account")
    assert link in mail.text and mail.text.startswith("Hej")
    assert "new@firm.example" in client.get("/settings/users/").content.decode()

    path = link.partition("localhost")[2]
    stranger = Client(SERVER_NAME="localhost")
    assert 'lang="sv"' in stranger.get(path).content.decode()
    weak = stranger.post(path, {"name": "Nina", "password": "12345"})
    assert weak.status_code == 422
    assert stranger.post(path, {"name": "Nina", "password": PASSWORD}).status_code == 302
    assert stranger.get("/").status_code == 200
    person = User.objects.get(email="new@firm.example")
    assert (person.name, person.role, person.language) == ("Nina", "sales", "sv")
    assert Client(SERVER_NAME="localhost").get(path).status_code == 404
    assert "invitations/" not in client.get("/settings/users/").content.decode()


def test_whoever_invites_is_told_whether_the_mail_goes_out(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    typed = {"email": "a@firm.example", "name": "", "role": "viewer", "language": "en"}
    assert "yourself" in client.post("/settings/users/invite/", typed).content.decode()
    MailServer.objects.create(key="", host="mail.example", from_address="taktura@firm.example")
    assert "was sent to" in client.post("/settings/users/invite/", typed).content.decode()
    assert Invitation.objects.filter(withdrawn_at=None).count() == 1  # the first one ended


def test_an_invitation_that_cannot_be_is_refused_and_nothing_is_sent(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    for wrong in ({"email": "admin@firm.example"}, {"email": "nobody"}, {"role": "king"}):
        fields = {"email": "x@firm.example", "name": "", "role": "viewer", "language": "en"} | wrong
        assert client.post("/settings/users/invite/", fields).status_code == 422
    assert not OutgoingMail.objects.exists()


def test_an_invitation_is_withdrawn(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    link = invited(client)
    pk = Invitation.objects.get().pk
    assert client.post(f"/settings/invitations/{pk}/withdraw/").status_code == 302
    assert Client(SERVER_NAME="localhost").get(link.partition("localhost")[2]).status_code == 404
    assert client.post(f"/settings/invitations/{pk}/withdraw/").status_code == 404


# ---- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    typed = {"name": "Shop", "last_day": "2099-12-31", "scopes": ["usage.change", "customers.view"]}
    secret = secret_in(client.post("/settings/keys/new/", typed).content.decode())
    key = ApiKey.objects.get()
    assert usable_key(secret, utc_now()) == key
    assert key.scopes == ["customers.view", "usage.change"]
    assert key.expires_at is not None and key.expires_at.isoformat() == "2099-12-31T23:00:00+00:00"  # Berlin's midnight
    for path in ("/settings/keys/", f"/settings/keys/{key.pk}/"):
        assert secret not in client.get(path).content.decode()
    assert client.post(f"/settings/keys/{key.pk}/revoke/", follow=True).status_code == 200
    assert usable_key(secret, utc_now()) is None
    assert "Shop" not in client.get("/settings/keys/?state=usable").content.decode()
    assert "Shop" in client.get("/settings/keys/?state=revoked").content.decode()


def test_a_key_without_an_end_and_one_that_has_ended(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    client.post("/settings/keys/new/", {"name": "Ever", "last_day": "", "scopes": ["usage.view"]})
    assert ApiKey.objects.get().expires_at is None
    create_key(
        Actor("t", utc_now() - timedelta(days=9)), name="Old", scopes=["usage.view"],
        expires_at=utc_now() - timedelta(days=8),
    )  # fmt: skip
    assert "Old" in client.get("/settings/keys/?state=expired").content.decode()
    assert "Ever" not in client.get("/settings/keys/?state=expired").content.decode()
    assert "Old" not in client.get("/settings/keys/?state=usable").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"last_day": "2020-01-01"}, {"last_day": "x"}]
)
def test_a_key_that_cannot_be_is_refused(seller: Seller, client_as: SignIn, wrong: dict[str, Any]) -> None:
    typed = {"name": "Shop", "last_day": "", "scopes": ["usage.view"]} | wrong
    response = client_as().post("/settings/keys/new/", typed)
    assert response.status_code == 422
    assert not ApiKey.objects.exists()
    if "last_day" in wrong:
        assert re.search(r'value="usage.view" checked', response.content.decode())


def test_every_permission_can_be_given_and_has_its_word(seller: Seller, page_ok: Pages) -> None:
    for language, text in page_ok("/settings/keys/new/").items():
        for permission in PERMISSIONS:
            found = re.search(rf'value="{re.escape(permission)}"[^>]*><span[^>]*>([^<]+)<', text)
            assert found and found[1] != permission, (language, permission)


def test_names_of_others_are_shown_as_text(seller: Seller, client_as: SignIn) -> None:
    evil = "<script>alert(1)</script>"
    create_user(Actor("t", utc_now()), email="evil@firm.example", name=evil, role="viewer")
    create_key(Actor("t", utc_now()), name=evil, scopes=["usage.view"])
    client = client_as()
    for path in ("/settings/users/", "/settings/keys/", f"/settings/keys/{ApiKey.objects.get().pk}/"):
        assert evil not in client.get(path).content.decode()
