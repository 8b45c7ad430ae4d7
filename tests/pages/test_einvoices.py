"""Pages of e-invoices: the settings of company and customer, a document's files, the customer portal."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pikepdf
import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from taktura.billing import services as billing
from taktura.customers import services as customers
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.einvoice import PROFILES
from taktura.invoices.electronic import sent_pdf, xml_file
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from tests.pages.conftest import ADDRESS
from tests.pages.test_portal import let_in

Open = Callable[..., Client]
ADDRESS_OF_ACME = "0204:02000000000-AB12-34"


@pytest.fixture(autouse=True)
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for on 5 March 2026."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: datetime(2026, 3, 5, 9, tzinfo=UTC))


@pytest.fixture
def complete(seller: Seller, actor: Actor) -> Seller:
    """The seller with all that the profiles ask for."""
    return billing.change_seller(
        actor, seller=seller, phone="+49 30 1", email="a@b.example", vat_id="DE136695976",
        electronic_address="9930:DE136695976",
    )  # fmt: skip


def acme() -> Customer:
    return Customer.objects.select_related("seller", "billing_information").get(key="acme")


def text_of(response: HttpResponse) -> str:
    """A page's text in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def bill(actor: Actor, seller: Seller) -> Document:
    """Acme's invoice of March."""
    billing.bill(actor.at(datetime(2026, 3, 1, 9, tzinfo=UTC)), seller=seller, on=date(2026, 3, 1))
    return Document.objects.filter(customer__key="acme", kind="invoice").latest("pk")


def test_settings_in_three_languages(seller: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    texts = page_ok("/settings/company/einvoices/")
    assert len(set(texts.values())) == 3
    assert all("ZUGFeRD" in text for text in texts.values())


def test_the_company_chooses_zugferd_for_businesses(complete: Seller, client_as: Open) -> None:
    client, path = client_as(), "/settings/company/einvoices/"
    sent = {"einvoice": "zugferd", "electronic_address": "9930:DE136695976"}
    shown = text_of(client.post(path + "consequence/", sent))
    assert (
        "PDF alone" in shown
        and "ZUGFeRD: a PDF with the data in it" in shown
        and "New documents of businesses" in shown
    )
    assert client.post(path, sent).status_code == 302
    complete.refresh_from_db()
    assert complete.einvoice == "zugferd"
    assert "As the company has it: ZUGFeRD" in client.get(f"/customers/{acme().pk}/billing/").content.decode()


def test_what_the_company_lacks_is_said_before_and_when_saving(seller: Seller, actor: Actor, client_as: Open) -> None:
    client, path = client_as(language="de"), "/settings/company/einvoices/"
    billing.change_seller(actor, seller=seller, vat_id="", tax_number="")
    sent = {"einvoice": "zugferd", "electronic_address": ""}
    says = "ZUGFeRD braucht mehr Angaben Ihrer eigenen Firma, in deren Einstellungen: USt-ID."
    assert says in text_of(client.post(path + "consequence/", sent))
    response = client.post(path, sent)
    assert response.status_code == 422 and says in text_of(response)
    seller.refresh_from_db()
    assert seller.einvoice == ""


def test_a_customer_gets_a_profile_of_its_own(complete: Seller, client_as: Open) -> None:
    client, path = client_as(), f"/customers/{acme().pk}/billing/"
    before = {
        "name": "Acme GmbH", **ADDRESS, "tax_status": "domestic", "delivery": "email", "language": "de",
        "round_up_minutes": "10", "einvoice": "peppol",
    }  # fmt: skip
    shown = text_of(client.post(path + "consequence/", before))
    assert "No document can be issued yet" in shown and "Electronic address" in shown
    assert "is no electronic address" in text_of(
        client.post(path + "consequence/", before | {"electronic_address": "x"})
    )
    wrong = client.post(path, before | {"electronic_address": "0007:1"})
    assert wrong.status_code == 422 and "“0007:1” is no electronic address" in text_of(wrong)
    sent = before | {"electronic_address": ADDRESS_OF_ACME, "buyer_reference": "04011000-1234512345-06"}
    assert client.post(path, sent).status_code == 302
    info = BillingInformation.objects.get(customer__key="acme")
    assert (info.einvoice, info.electronic_address) == ("peppol", ADDRESS_OF_ACME)
    page = text_of(client.get(f"/customers/{acme().pk}/"))
    for part in ("Peppol BIS (UBL)", ADDRESS_OF_ACME, "04011000-1234512345-06"):
        assert part in page or part in text_of(client.get(f"/customers/{acme().pk}/configure/"))


def test_a_document_is_had_in_every_profile(complete: Seller, actor: Actor, client_as: Open) -> None:
    customers.set_billing_information(
        actor, customer=acme(), einvoice="xrechnung", electronic_address=ADDRESS_OF_ACME, email="a@acme.example"
    )
    document, client = bill(actor, complete), client_as()
    page = client.get(f"/documents/{document.pk}/").content.decode()
    assert "Not possible" not in page
    for profile in PROFILES:
        path = reverse("document_einvoice", args=[document.pk, profile])
        assert f'href="{path}"' in page
        file = client.get(path)
        assert file.status_code == 200 and document.number.replace("/", "-") in file.headers["Content-Disposition"]
        if profile == "zugferd":
            assert file.content == sent_pdf(document, "zugferd")
            with pikepdf.open(io.BytesIO(file.content)) as pdf:
                assert "factur-x.xml" in pdf.attachments
        else:
            assert (file.headers["Content-Type"], file.content) == ("application/xml", xml_file(document, profile))
    assert client.get(f"/documents/{document.pk}/einvoice/edifact/").status_code == 404
    packed = client.post("/documents/", {"action": "zip", "chosen": str(document.pk)})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == [f"{document.number}.pdf", f"{document.number}.xml"]
        assert archive.read(f"{document.number}.xml") == xml_file(document, "xrechnung")


def test_what_cannot_be_is_said_with_what_is_missing(seller: Seller, client_as: Open) -> None:
    """A document from before: it kept no electronic address, and its seller no phone."""
    document = Document.objects.filter(kind="invoice", customer__key="acme").earliest("pk")
    client = client_as(language="de")
    page = text_of(client.get(f"/documents/{document.pk}/"))
    assert "Es geht nur als PDF hinaus." in page and "Nicht möglich" in page
    assert "Peppol BIS (UBL): es fehlt: " in page and "Elektronische Adresse" in page and "Telefon (Ihre Firma)" in page
    refused = client.get(reverse("document_einvoice", args=[document.pk, "peppol"]), follow=True)
    assert "kann keine E-Rechnung im Format Peppol BIS sein" in text_of(refused)
    assert refused.redirect_chain == [(f"/documents/{document.pk}/", 302)]


def test_a_customer_finds_the_xml_in_the_portal(complete: Seller, actor: Actor) -> None:
    plain = Document.objects.filter(kind="invoice", customer__key="acme").earliest("pk")
    customers.set_billing_information(
        actor, customer=acme(), einvoice="xrechnung_cii", electronic_address=ADDRESS_OF_ACME
    )
    document, client = bill(actor, complete), let_in(acme())
    path = reverse("portal_document_xml", args=[acme().pk, document.pk])
    assert path in client.get(reverse("portal_document", args=[acme().pk, document.pk])).content.decode()
    assert client.get(path).content == xml_file(document, "xrechnung_cii")
    none = reverse("portal_document_xml", args=[acme().pk, plain.pk])
    assert none not in client.get(reverse("portal_document", args=[acme().pk, plain.pk])).content.decode()
    assert client.get(none).headers["Location"] == reverse("portal_document", args=[acme().pk, plain.pk])
    other = Customer.objects.select_related("seller").get(key="oztuerk")
    theirs = let_in(other, "eva@other.example")
    assert theirs.get(reverse("portal_document_xml", args=[other.pk, document.pk])).status_code == 404
