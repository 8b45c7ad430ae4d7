"""What a customer does in the portal: shown before, done as it was shown, told in the office's history."""

import re
from datetime import UTC, date, datetime
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse

from taktura.audit.models import LogEntry
from taktura.billing.services import give_notice, transfer
from taktura.contracts.models import Contract, ContractLine, LineQuantity, NoticeRequest
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.invoices.confirmations import confirmation_of
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from tests.pages.test_portal import ALL, let_in, seen_in

NOW = datetime(2026, 2, 10, 9, tzinfo=UTC)
MONEY = re.compile(r"€[\d,.]+")


@pytest.fixture(autouse=True)
def february() -> Any:
    with (
        mock.patch("taktura.portal.page.utc_now", lambda: NOW),
        mock.patch("taktura.portal.account.frame.utc_now", lambda: NOW),
        mock.patch("taktura.portal.account.ending.utc_now", lambda: NOW),
        mock.patch("tests.pages.test_portal.utc_now", lambda: NOW),
    ):
        yield


@pytest.fixture
def acme(seller: Seller) -> Customer:
    Seller.objects.filter(pk=seller.pk).update(portal_allows=ALL)
    return Customer.objects.get(key="acme", seller=seller)


@pytest.fixture
def contract(acme: Customer) -> Contract:
    return Contract.objects.get(key="V-acme")


def take(client: Client, path: str, **typed: str) -> tuple[str, Any]:
    """Look, then do what was shown; gives what was shown and the answer."""
    shown = client.post(path, typed | {"action": "look"})
    assert shown.status_code == 200, shown.content.decode()
    text = shown.content.decode()
    return text, client.post(path, typed | {"action": "do", "seen": seen_in(text)})


def test_notice_is_given_to_the_day_shown_and_confirmed(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    path = reverse("portal_notice", args=[acme.pk, contract.pk])
    assert "31 Mar 2026" in client.get(path).content.decode()  # one month, to a month's end
    text, answer = take(client, path, wish="")
    assert "its last day is 31 Mar 2026" in text and answer.status_code == 302
    contract.refresh_from_db()
    assert (contract.end, contract.notice_received) == (date(2026, 4, 1), date(2026, 2, 10))
    assert "10.02.2026, 10:00 CET" in OutgoingMail.objects.get(kind="notice").text  # with the hour: BGB § 312k
    assert "31.03.2026" in OutgoingMail.objects.get(kind="notice").text
    page = client.get(answer.headers["Location"]).content.decode()
    assert "has been received" in page and "31 Mar 2026" in page
    assert client.get(path).status_code == 404  # it is given
    _text, answer = take(client, reverse("portal_withdraw", args=[acme.pk, contract.pk]))
    contract.refresh_from_db()
    assert contract.end is None and contract.notice_received is None and answer.status_code == 302


def test_the_confirmation_is_the_letter_that_the_office_sends(acme: Customer, contract: Contract) -> None:
    _text, _answer = take(let_in(acme), reverse("portal_notice", args=[acme.pk, contract.pk]), wish="")
    contract.refresh_from_db()
    entry = LogEntry.objects.get(subject=f"contract:{contract.pk}", action="give_notice")
    letter = confirmation_of(contract, entry)
    mail = OutgoingMail.objects.get(kind="notice")
    assert (mail.recipient, mail.subject, mail.text) == ("anna@acme.example", letter.subject, letter.text)
    (kept,) = mail.attachments.all()
    assert kept.name == letter.file_name and bytes(kept.content).startswith(b"%PDF")


def test_notice_of_one_line_is_given_confirmed_and_withdrawn(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    line = ContractLine.objects.get(contract=contract, article__key="number")
    base = ContractLine.objects.get(contract=contract, article__key="base")
    path = reverse("portal_line_notice", args=[acme.pk, contract.pk, line.pk])
    page = reverse("portal_contract", args=[acme.pk, contract.pk])
    assert path in client.get(page).content.decode()
    assert client.get(reverse("portal_line_notice", args=[acme.pk, contract.pk, base.pk])).status_code == 404
    assert "alone; the rest of the contract runs on" in client.get(path).content.decode()
    text, answer = take(client, path, wish="")
    assert "Its last day is 31 Mar 2026" in text and answer.headers["Location"].endswith("?done=line_notice")
    line.refresh_from_db()
    contract.refresh_from_db()
    assert (line.end, contract.end, contract.notice_received) == (date(2026, 4, 1), None, None)
    mail = OutgoingMail.objects.get(kind="notice")
    assert mail.recipient == "anna@acme.example" and "„Number“" in mail.text and "31.03.2026" in mail.text
    assert client.get(path).status_code == 404  # it is given
    back = reverse("portal_line_withdraw", args=[acme.pk, contract.pk, line.pk])
    assert back in client.get(page).content.decode()
    text, answer = take(client, back)
    line.refresh_from_db()
    assert "runs on as before" in text and answer.status_code == 302
    assert (line.end, line.notice_received) == (None, None)
    assert client.get(back).status_code == 404


def test_a_contract_that_goes_over_is_the_other_customer_s_to_end(acme: Customer, contract: Contract) -> None:
    """Neither of both learns of the other; the one sees its last day and its documents, the other what runs from then
    on."""
    client = let_in(acme)
    number = ContractLine.objects.get(contract=contract, article__key="number")
    line_path = reverse("portal_line_notice", args=[acme.pk, contract.pk, number.pk])
    take(client, line_path, wish="")
    line_back = reverse("portal_line_withdraw", args=[acme.pk, contract.pk, number.pk])
    assert client.get(line_back).status_code == 200
    other = Customer.objects.select_related("seller", "billing_information").get(key="oztuerk")
    contract = Contract.objects.select_related("customer__seller", "customer__billing_information").get(pk=contract.pk)
    made, _issued = transfer(
        Actor("test", NOW), contract=contract, customer=other, start=date(2026, 3, 1), key="V-SECRET"
    )
    page = client.get(reverse("portal_contract", args=[acme.pk, contract.pk])).content.decode()
    path = reverse("portal_notice", args=[acme.pk, contract.pk])
    assert "28 Feb 2026" in page and not {path, line_path, line_back} & set(re.findall(r'href="([^"]+)"', page))
    for way in (path, line_path, line_back):
        answer = client.post(way, {"wish": "", "action": "look"})
        assert answer.status_code == 404 and "V-SECRET" not in answer.content.decode()
    assert "V-SECRET" not in page and other.name not in page
    assert client.get(reverse("portal_contract", args=[acme.pk, made.pk])).status_code == 404
    theirs = let_in(other, "eva@other.example")
    shown = theirs.get(reverse("portal_contract", args=[other.pk, made.pk])).content.decode()
    assert "V-SECRET" in shown and acme.name not in shown and contract.key not in shown
    assert theirs.get(reverse("portal_contract", args=[other.pk, contract.pk])).status_code == 404
    for document in Document.objects.filter(customer=acme):
        assert client.get(reverse("portal_document_pdf", args=[acme.pk, document.pk])).status_code == 200
        assert theirs.get(reverse("portal_document_pdf", args=[other.pk, document.pk])).status_code == 404


def test_notice_of_a_line_is_for_what_customers_may_end(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path = reverse("portal_line_notice", args=[acme.pk, contract.pk, line.pk])
    Seller.objects.update(portal_allows=[])
    assert (
        client.get(path).status_code == 404
        and path not in client.get(reverse("portal_contract", args=[acme.pk, contract.pk])).content.decode()
    )
    Seller.objects.update(portal_allows=ALL)
    give_notice(Actor("user:clerk@firm.example", NOW), contract=contract, received=NOW.date(), line=line)
    assert client.get(path).status_code == 404
    assert client.get(reverse("portal_line_withdraw", args=[acme.pk, contract.pk, line.pk])).status_code == 404


def test_what_is_not_looked_at_is_not_done(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    path = reverse("portal_notice", args=[acme.pk, contract.pk])
    for typed in ({"action": "do"}, {"action": "do", "seen": "x"}):
        assert client.post(path, typed | {"wish": ""}).status_code == 200
    text = client.post(path, {"action": "look", "wish": ""}).content.decode()
    assert client.post(path, {"action": "do", "wish": "31.12.2026", "seen": seen_in(text)}).status_code == 200
    contract.refresh_from_db()
    assert contract.end is None


def test_a_notice_given_by_staff_is_not_taken_back_here(acme: Customer, contract: Contract) -> None:
    give_notice(Actor("user:clerk@firm.example", NOW), contract=contract, received=NOW.date())
    client = let_in(acme)
    assert client.get(reverse("portal_withdraw", args=[acme.pk, contract.pk])).status_code == 404


def test_a_notice_that_cannot_be_credited_is_kept(acme: Customer, contract: Contract) -> None:
    """In the middle of the month something is paid beyond the end; without an address no credit note is issued."""
    Contract.objects.filter(pk=contract.pk).update(terms={"notice": "1 day", "to": "day"})
    BillingInformation.objects.filter(customer=acme).update(street="")
    client = let_in(acme)
    _text, answer = take(client, reverse("portal_notice", args=[acme.pk, contract.pk]), wish="")
    assert answer.headers["Location"].endswith("?done=received")
    kept = NoticeRequest.objects.get()
    assert (kept.state, kept.number, kept.email) == ("open", "V-acme", "anna@acme.example")
    contract.refresh_from_db()
    assert contract.end is None


def test_more_are_billed_at_once_as_it_was_shown(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path = reverse("portal_quantity", args=[acme.pk, contract.pk, line.pk])
    before = Document.objects.count()
    text, answer = take(client, path, quantity="5", start="2026-02-15")
    assert answer.status_code == 302, answer.content.decode()
    made = list(Document.objects.order_by("id")[before:])
    assert {d.kind for d in made} == {"credit_note", "invoice"}
    at_once = text.partition("At once")[2].partition("The next bill")[0]
    assert {f"€{d.gross / 100:.2f}" for d in made} <= set(MONEY.findall(at_once))
    assert LineQuantity.objects.filter(line=line).latest("id").quantity == 5


def test_fewer_are_possible_from_the_next_bill_on(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path = reverse("portal_quantity", args=[acme.pk, contract.pk, line.pk])
    contract.refresh_from_db()
    assert contract.next_due == date(2026, 3, 1)
    for typed in (
        {"quantity": "1", "start": "2026-02-15"},
        {"quantity": "1", "start": "2026-01-15"},
        {"quantity": "0", "start": "2026-03-01"},
        {"quantity": "1.5", "start": "2026-03-01"},
        {"quantity": "1000000", "start": "2026-03-01"},
    ):
        assert client.post(path, typed | {"action": "look"}).status_code == 422, typed
    documents = Document.objects.count()
    _text, answer = take(client, path, quantity="1", start="2026-03-01")
    assert answer.status_code == 302 and Document.objects.count() == documents


def test_lines_that_are_not_the_customers_to_change(acme: Customer, contract: Contract) -> None:
    client = let_in(acme)
    for article in ("base", "calls"):
        line = ContractLine.objects.get(contract=contract, article__key=article)
        path = reverse("portal_quantity", args=[acme.pk, contract.pk, line.pk])
        assert client.get(path).status_code == 404, article


def test_an_add_on_is_booked_and_told_in_the_office(acme: Customer, contract: Contract, client_as: Any) -> None:
    client = let_in(acme)
    path = reverse("portal_book", args=[acme.pk, contract.pk])
    assert (
        client.post(path, {"article": "base", "quantity": "1", "start": "2026-02-20", "action": "look"}).status_code
        == 422
    )
    text, answer = take(client, path, article="number", quantity="1", start="2026-02-20")
    assert answer.status_code == 302 and "The next bill" in text
    booked = ContractLine.objects.filter(contract=contract, article__key="number").latest("id")
    assert booked.start == date(2026, 2, 20)
    assert LogEntry.objects.filter(action="book").latest("id").actor == "portal:anna@acme.example"
    history = client_as().get(f"/contracts/{contract.pk}/history/").content.decode()
    assert "anna@acme.example (customer portal)" in history


def test_own_data_is_changed_with_a_trace(acme: Customer) -> None:
    client = let_in(acme)
    path = reverse("portal_data_change", args=[acme.pk])
    assert client.get(path).status_code == 200
    info = BillingInformation.objects.get(customer=acme)
    typed = {n: getattr(info, n) for n in ("name", "street", "postcode", "city", "country", "email")}
    assert client.post(path, typed | {"street": "", "language": "de"}).status_code == 422
    answer = client.post(path, typed | {"street": "Nebenstraße 2", "language": "sv", "vat_id": "DE1", "iban": "x"})
    assert answer.status_code == 302
    info.refresh_from_db()
    acme.refresh_from_db()
    assert (info.street, info.vat_id, info.iban, acme.language) == ("Nebenstraße 2", "", "", "sv")
    entry = LogEntry.objects.get(action="set_billing_information", actor="portal:anna@acme.example")
    assert entry.data == {"street": "Nebenstraße 2"}


def test_a_contract_is_ended_without_sign_in(acme: Customer, contract: Contract) -> None:
    client = Client(SERVER_NAME="localhost")
    path = reverse("portal_end_contract", args=[acme.seller_id])
    german = client.get(path, HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert "Jetzt kündigen" in german
    typed = {"name": "Acme GmbH", "number": "V-acme", "kind": "ordinary", "reason": "", "wish": "",
             "email": "acme@c.example"}  # fmt: skip
    assert client.post(path, typed | {"name": ""}).status_code == 422
    answer = client.post(path, typed).content.decode()
    assert "10 Feb 2026 10:00" in answer and "V-acme" in answer
    assert "31 Mar" not in answer  # whether the contract is known is told to the address alone
    contract.refresh_from_db()
    assert contract.end == date(2026, 4, 1)
    Seller.objects.update(consumer_rules="none")
    assert client.get(path).status_code == 404


def test_what_is_in_doubt_is_work_for_the_office(acme: Customer, contract: Contract, client_as: Any) -> None:
    typed = {"name": "Fremd", "number": "V-acme", "kind": "ordinary", "reason": "", "wish": "", "email": "x@y.example"}
    Client(SERVER_NAME="localhost").post(reverse("portal_end_contract", args=[acme.seller_id]), typed)
    kept = NoticeRequest.objects.get()
    contract.refresh_from_db()
    assert kept.state == "open" and contract.end is None
    office = client_as()
    assert "Notices to be looked at" in office.get("/").content.decode()
    page = office.get(f"/contracts/notices/{kept.pk}/").content.decode()
    assert f"/contracts/{contract.pk}/notice/" in page and "Fremd" in page
    assert client_as("viewer").post(f"/contracts/notices/{kept.pk}/close/").status_code == 403
    assert office.post(f"/contracts/notices/{kept.pk}/close/").status_code == 302
    kept.refresh_from_db()
    assert kept.state == "closed"
