"""Mailboxes and the mails that came, on pages."""

from collections.abc import Callable

import pytest
from django.test import Client

from taktura.audit.models import LogEntry
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mailbox import polling
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from taktura.kit.secret import unseal
from taktura.usage.services import create_supplier
from tests.pages.forms import form_of

SignIn = Callable[..., Client]
LIST, NEW = "/settings/mailboxes/", "/settings/mailboxes/new/"


@pytest.fixture
def fields(seller: Seller) -> dict[str, str]:
    """A form that is filled in."""
    supplier = create_supplier(Actor("t", utc_now()), seller=seller, key="sunfiles", name="Sun Files")
    return {
        "supplier": str(supplier.pk), "senders": "Files@Sun.example\n@moon.example", "host": "IMAP.firm.example",
        "port": "993", "security": "tls", "user": "usage@firm.example", "password": "very-secret", "folder": "INBOX",
        "archive": "Taken", "not_before": "2026-01-01",
    }  # fmt: skip


def test_a_mailbox_is_set_up_tried_switched_off_and_removed(
    fields: dict[str, str], client_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(language="en")
    assert client.post(NEW, fields | {"password": ""}).status_code == 422
    assert client.post(NEW, fields | {"senders": "sun"}).status_code == 422
    assert client.post(NEW, fields).status_code == 302
    box = Mailbox.objects.latest("id")
    assert (box.host, box.senders, unseal(box.password)) == (
        "imap.firm.example", ["files@sun.example", "@moon.example"], "very-secret"
    )  # fmt: skip
    page = f"{LIST}{box.pk}/"
    for path in (LIST, page, f"{page}change/"):
        text = client.get(path).content.decode()
        assert "Sun Files" in text and "very-secret" not in text and box.password not in text

    monkeypatch.setattr(polling, "check", lambda mailbox: 3)
    assert "It works. 3 mails lie there." in client.post(f"{page}test/", follow=True).content.decode()

    changed = form_of(client, f"{page}change/") | {"password": ""}
    assert client.post(f"{page}change/", changed | {"host": "imap.eve.example"}).status_code == 422, (
        "needs the password"
    )
    changed.pop("active")
    assert client.post(f"{page}change/", changed).status_code == 302
    box.refresh_from_db()
    assert not box.active and unseal(box.password) == "very-secret"
    assert "is off" in client.post(f"{page}look/", follow=True).content.decode()

    assert client.post(f"{page}remove/").status_code == 302 and not Mailbox.objects.filter(pk=box.pk).exists()
    assert "very-secret" not in str(list(LogEntry.objects.values_list("data")))


def test_what_came_is_listed_with_its_verdict_and_tried_again(fields: dict[str, str], client_as: SignIn) -> None:
    client = client_as(language="en")
    client.post(NEW, fields)
    box = Mailbox.objects.latest("id")
    why = ["There is no supplier “%(key)s”.", {"key": "<b>sun</b>"}]
    mail = IncomingMail.objects.create(
        mailbox=box, validity=1, uid=1, identity="<1@x>", sender="files@sun.example", subject="<i>May</i>", size=9,
        state="failed", attempts=5, looked_at=utc_now(), stays=True,
        said=[["“%(name)s” was not loaded: %(why)s", {"name": "may.csv", "why": why}]],
    )  # fmt: skip
    for path in (f"{LIST}mails/?state=look_at", f"{LIST}mails/{mail.pk}/", f"{LIST}{box.pk}/"):
        text = client.get(path).content.decode()
        assert "“may.csv” was not loaded: There is no supplier “&lt;b&gt;sun&lt;/b&gt;”." in text, path
        assert "&lt;i&gt;May&lt;/i&gt;" in text and "<i>May" not in text
    assert client.post(f"{LIST}mails/{mail.pk}/again/").status_code == 302
    mail.refresh_from_db()
    assert mail.attempts == 0
    viewer = client_as("viewer")
    assert viewer.get(f"{LIST}mails/").status_code == 403 and viewer.get(LIST).status_code == 403
