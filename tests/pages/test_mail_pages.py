"""Mail servers, the outbox and the texts of mails on pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from taktura.audit.models import LogEntry
from taktura.customers.models import Seller
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import MailAttachment, MailServer, OutgoingMail
from taktura.kit.mail.services import post
from taktura.kit.mail.smtp import Outcome
from taktura.kit.secret import unseal
from taktura.office.settings.texts import KINDS
from tests.pages.forms import form_of

Pages = Callable[..., dict[str, str]]
SignIn = Callable[..., Client]
SERVER = {
    "host": "smtp.example.com", "port": "587", "security": "starttls", "user": "taktura", "password": "very-secret",
    "from_address": "invoices@firm.example", "from_name": "Sonnenruf",
}  # fmt: skip
OUTSIDE = {"sales", "technician", "viewer"}


@pytest.fixture
def mails(seller: Seller) -> dict[str, OutgoingMail]:
    """A document's mail that failed, one of sign-in that was caught, one of another seller."""
    other = create_seller(
        Actor("t", utc_now()), name="Andere", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]]
    )
    made = {
        "failed": post(
            utc_now(), to="kunde@c.example", subject="Rechnung 1", text="Guten Tag", sender=f"seller:{seller.pk}",
            kind="document", html="<p style='color:red'>Hallo</p><script>alert(1)</script>",
            attachments=[("RE 1.pdf", "application/pdf", b"%PDF-1.7")],
        ),
        "code": post(utc_now(), to="admin@firm.example", subject="Code", text="Your code: X4K-7QP", kind="account"),
        "other": post(utc_now(), to="a@c.example", subject="Fremd", text="x", sender=f"seller:{other.pk}"),
    }  # fmt: skip
    OutgoingMail.objects.filter(pk=made["failed"].pk).update(state="failed", last_error="550 <b>no such user</b>")
    OutgoingMail.objects.filter(pk=made["code"].pk).update(state="caught")
    return made


def test_pages_open_in_three_languages_to_those_who_may_see_them(
    mails: dict[str, OutgoingMail], page_ok: Pages, forbidden_to: Callable[[str], set[str]]
) -> None:
    for path in ("/settings/mail/", "/settings/texts/"):
        assert len(set(page_ok(path).values())) == 3
        assert forbidden_to(path) == {*OUTSIDE, "lead"}
    for path in ("/settings/outbox/", f"/settings/outbox/{mails['failed'].pk}/"):
        page_ok(path)
        assert forbidden_to(path) == OUTSIDE
    for which in ("all", "company"):
        page_ok(f"/settings/mail/{which}/")
        assert forbidden_to(f"/settings/mail/{which}/") == {*OUTSIDE, "lead", "billing"}


# ---- servers -------------------------------------------------------------------------------------------------------


def test_a_server_is_set_up_and_its_password_never_shown(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/mail/company/"
    assert "caught in the outbox" in client.get("/settings/mail/").content.decode()
    assert client.post(path, SERVER).status_code == 302
    server = MailServer.objects.get()
    assert (server.key, server.host, server.port) == (f"seller:{seller.pk}", "smtp.example.com", 587)
    assert unseal(server.password) == "very-secret"
    for shown in (path, "/settings/mail/"):
        text = client.get(shown).content.decode()
        assert "very-secret" not in text and server.password not in text
    assert "very-secret" not in str(LogEntry.objects.latest("id").data)

    assert (
        client.post(path, form_of(client, path) | {"port": "465", "security": "tls", "password": ""}).status_code == 302
    )
    server.refresh_from_db()
    assert (server.port, server.security, unseal(server.password)) == (465, "tls", "very-secret")
    moved = client.post(path, form_of(client, path) | {"host": "evil.example", "password": ""})
    assert moved.status_code == 422 and 'id="id_password_error"' in moved.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"host": "a b"}, {"host": ""}, {"port": "0"}, {"port": "99999"}, {"security": "some"},
              {"from_address": "x"}, {"from_name": "A\nBcc: b@example.com"}],
)  # fmt: skip
def test_a_server_that_cannot_be_is_refused(seller: Seller, client_as: SignIn, wrong: dict[str, str]) -> None:
    assert client_as().post("/settings/mail/all/", SERVER | wrong).status_code == 422
    assert not MailServer.objects.exists()


@pytest.mark.parametrize(
    ("outcome", "said"), [(Outcome("sent"), "has taken a mail to admin@firm.example"),
                          (Outcome("failed", "535 bad password"), "535 bad password")],
)  # fmt: skip
def test_a_server_is_tried(
    seller: Seller, client_as: SignIn, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, said: str
) -> None:
    client = client_as()
    client.post("/settings/mail/all/", SERVER)
    asked: list[Any] = []

    def send(**options: Any) -> Outcome:
        asked.append(options)
        return outcome

    monkeypatch.setattr("taktura.office.settings.mail.send_test", send)
    assert said in client.post("/settings/mail/all/test/", follow=True).content.decode()
    assert asked[0]["to"] == "admin@firm.example"


def test_a_server_is_removed(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    client.post("/settings/mail/all/", SERVER)
    assert "these mails go over smtp.example.com" in client.get("/settings/mail/").content.decode()
    assert client.post("/settings/mail/all/remove/").status_code == 302
    assert not MailServer.objects.exists()
    for what in ("test", "remove"):
        assert client.post(f"/settings/mail/all/{what}/").status_code == 404
        assert client.post(f"/settings/mail/other/{what}/").status_code == 404
    assert client.get("/settings/mail/other/").status_code == 404


# ---- the outbox ----------------------------------------------------------------------------------------------------


def test_the_outbox_shows_the_mails_of_the_company_and_of_sign_in(
    mails: dict[str, OutgoingMail], client_as: SignIn
) -> None:
    client = client_as()
    text = client.get("/settings/outbox/").content.decode()
    assert "Rechnung 1" in text and "Code" in text and "Fremd" not in text
    assert "Rechnung 1" not in client.get("/settings/outbox/?state=caught").content.decode()
    assert "Rechnung 1" in client.get("/settings/outbox/?q=kunde@").content.decode()
    for path in ("", "html/"):
        assert client.get(f"/settings/outbox/{mails['other'].pk}/{path}").status_code == 404
    assert client.post(f"/settings/outbox/{mails['other'].pk}/again/").status_code == 404


def test_a_mail_is_shown_and_does_nothing(mails: dict[str, OutgoingMail], client_as: SignIn) -> None:
    client, path = client_as("billing"), f"/settings/outbox/{mails['failed'].pk}/"
    text = client.get(path).content.decode()
    assert "550 &lt;b&gt;no such user&lt;/b&gt;" in text and "<script>alert(1)" not in text
    assert '<iframe class="mail" sandbox ' in text
    html = client.get(f"{path}html/")
    policy = html.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'") and "script" not in policy
    assert html.headers["X-Frame-Options"] == "SAMEORIGIN"
    file = client.get(f"{path}files/{MailAttachment.objects.get().pk}/")
    assert file.content == b"%PDF-1.7"
    assert file.headers["Content-Disposition"] == 'attachment; filename="RE 1.pdf"'
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert client.get(f"/settings/outbox/{mails['code'].pk}/html/").status_code == 404
    assert client.get(f"{path}files/999999/").status_code == 404


def test_codes_of_sign_in_are_read_only_by_those_who_may_invite(
    mails: dict[str, OutgoingMail], client_as: SignIn
) -> None:
    path = f"/settings/outbox/{mails['code'].pk}/"
    assert "X4K-7QP" in client_as("admin").get(path).content.decode()
    for role in ("billing", "lead"):
        text = client_as(role).get(path).content.decode()
        assert "X4K-7QP" not in text and "Only who may invite" in text
    export = client_as("billing").get("/settings/outbox/?export=csv").content.decode()
    assert "Code" in export and "X4K-7QP" not in export


def test_a_mail_is_tried_again_alone_and_with_others(mails: dict[str, OutgoingMail], client_as: SignIn) -> None:
    client, failed = client_as("billing"), mails["failed"]
    assert client_as("lead").post(f"/settings/outbox/{failed.pk}/again/").status_code == 403
    assert client.post(f"/settings/outbox/{failed.pk}/again/").status_code == 302
    failed.refresh_from_db()
    assert failed.state == "waiting"
    refused = client.post(f"/settings/outbox/{failed.pk}/again/", follow=True).content.decode()
    assert "is on its way" in refused
    OutgoingMail.objects.update(state="failed")
    answer = client.post("/settings/outbox/", {"action": "again", "all": "1"}, follow=True).content.decode()
    assert "2 mails are tried again" in answer
    assert OutgoingMail.objects.get(pk=mails["other"].pk).state == "failed"
    assert client_as("lead").post("/settings/outbox/", {"action": "again", "all": "1"}).status_code == 403


# ---- texts ---------------------------------------------------------------------------------------------------------


def test_every_text_is_shown_in_each_language(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    for kind in KINDS:
        found = {}
        for language in ("en", "de", "sv"):
            response = client.get(f"/settings/texts/?kind={kind}&language={language}")
            found[language] = response.content.decode().partition('class="mail-text">')[2].partition("</div>")[0]
            assert "%(" not in found[language] and len(found[language]) > 50, (kind, language)
        assert len(set(found.values())) == 3, kind
    assert "1.190,00" in client.get("/settings/texts/?kind=invoice&language=de").content.decode()
    assert "Sonnenruf GmbH" in client.get("/settings/texts/?kind=invitation").content.decode()
    assert client.get("/settings/texts/?kind=nothing&language=xx").status_code == 200
