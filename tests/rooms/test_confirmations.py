"""Confirmations of a notice and of its withdrawal: what they say, in the customer's language, on paper and by mail."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract
from taktura.contracts.queries import by_key, line_for
from taktura.contracts.services import sign
from taktura.core.errors import Refused
from taktura.customers.services import create_customer, create_seller, set_billing_information
from taktura.invoices.confirmations import confirmation_of, confirmation_pdf, entry_of_notice, mail_confirmation
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail

LINES: dict[str, Any] = {
    "room": {"title": "Room", "titles": {"de": "Büro", "sv": "Rum"}, "price": "90"},
    "desk": {"title": "Desk", "titles": {"de": "Tisch"}, "price": "30", "booking": "add_on", "notice": "none"},
    "call": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "1"},
}


def at(day: int, hour: int = 9) -> Actor:
    """Somebody on a day in May 2026."""
    return Actor("test", datetime(2026, 5, day, hour, tzinfo=UTC))


@pytest.fixture
def contract(database: str, request: pytest.FixtureRequest) -> Contract:
    """Billed for May to July; `request.param`: the customer's language."""
    first = at(1, 8)
    seller = create_seller(
        first, name="Büro AG", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        street="Lindenallee 1", postcode="10115", city="Berlin",
    )  # fmt: skip
    for kind in ("invoice", "credit_note"):
        confirm_numbering(first, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    customer = create_customer(
        first, seller=seller, key="K", name="Acme", language=getattr(request, "param", "de")
    )  # fmt: skip
    address = {"street": "Weg 2", "postcode": "20095", "city": "Hamburg", "country": "DE", "email": "a@acme.example"}
    set_billing_information(first, customer=customer, name="Acme GmbH", **address)
    tariff = define_tariff(
        first, seller=seller, key="office", title="Office", notice="monthly", interval="3 months", lines=LINES
    )
    sign(first, key="V-1", customer=customer, tariff=tariff, start=date(2026, 5, 1), quantities={"desk": Decimal(1)})
    billing.bill(first, seller=seller, on=date(2026, 5, 1))
    return by_key(seller.pk, "V-1")


def entry(contract: Contract, actor: Actor) -> LogEntry:
    """What an actor has just written of a notice."""
    found = entry_of_notice(contract, actor.now)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("contract", "says"),
    [
        ("de", ["Bestätigung Ihrer Kündigung, Vertrag V-1", "am 10.05.2026 bei uns eingegangen", "der 30.06.2026",
                "gutgeschrieben: C-1 (", "Nutzung bis zum letzten Tag"]),
        ("en", ["Confirmation of your notice, contract V-1", "contract V-1 on 10 May 2026",
                "The last day is 30 Jun 2026", "is credited: C-1 (", "tell us by 30 Jun 2026"]),
        ("sv", ["Bekräftelse på din uppsägning, avtal V-1", "Sista dagen är den", "krediterats: C-1 ("]),
    ],
    indirect=["contract"],
)  # fmt: skip
def test_a_notice_is_confirmed_in_the_customers_language(contract: Contract, says: list[str]) -> None:
    actor = at(10)
    billing.give_notice(actor, contract=contract, received=date(2026, 5, 10))
    letter = confirmation_of(contract, entry(contract, actor))
    assert letter.to == "a@acme.example"
    for text in says[1:]:
        assert text in letter.text, letter.text
    assert letter.subject == says[0]
    pdf = confirmation_pdf(letter)
    printed = " ".join("".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())
    assert "Acme GmbH" in printed and "20095 Hamburg" in printed and "V-1" in printed and "Büro AG" in printed
    assert pdf == confirmation_pdf(confirmation_of(contract, entry(contract, actor)))


def test_the_notice_of_a_line_names_it_and_not_the_usage_of_others(contract: Contract) -> None:
    actor = at(10)
    billing.give_notice(actor, contract=contract, received=date(2026, 5, 10), line=line_for(contract, "desk"))
    text = confirmation_of(contract, entry(contract, actor)).text
    assert "Kündigung von „Tisch“ im Vertrag V-1" in text and "10.05.2026" in text
    assert "Nutzung" not in text and "C-1 (" in text


def test_a_withdrawal_is_confirmed(contract: Contract) -> None:
    billing.give_notice(at(10), contract=contract, received=date(2026, 5, 10))
    actor = at(20)
    contract.refresh_from_db()
    billing.withdraw_notice(actor, contract=contract)
    letter = confirmation_of(contract, entry(contract, actor))
    assert letter.subject == "Bestätigung: Kündigung zurückgenommen, Vertrag V-1"
    assert "seit 20.05.2026 zurückgenommen" in letter.text and "30.06.2026 gewesen" in letter.text
    assert confirmation_pdf(letter).startswith(b"%PDF")


def test_a_confirmation_says_the_same_later(contract: Contract) -> None:
    """It tells of the entry, not of how the contract stands."""
    actor = at(10)
    billing.give_notice(actor, contract=contract, received=date(2026, 5, 10))
    written = entry(contract, actor)
    before = confirmation_of(contract, written).text
    billing.withdraw_notice(at(11), contract=contract)
    contract.refresh_from_db()
    billing.give_notice(at(12), contract=contract, received=date(2026, 5, 12), wish=date(2026, 8, 31))
    assert confirmation_of(contract, written).text == before


def test_the_mail_goes_out_with_the_letter(contract: Contract) -> None:
    actor = at(10)
    billing.give_notice(actor, contract=contract, received=date(2026, 5, 10))
    mail = mail_confirmation(actor, contract=contract, entry=entry(contract, actor))
    assert (mail.recipient, mail.kind, mail.language) == ("a@acme.example", "notice", "de")
    attachment = mail.attachments.get()
    assert attachment.content_type == "application/pdf" and bytes(attachment.content).startswith(b"%PDF")
    assert LogEntry.objects.get(action="send_confirmation").data["to"] == "a@acme.example"


def test_without_an_address_no_mail_is_written(contract: Contract) -> None:
    actor = at(10)
    billing.give_notice(actor, contract=contract, received=date(2026, 5, 10))
    contract.customer.billing_information.email = ""
    with pytest.raises(Refused) as refused:
        mail_confirmation(actor, contract=contract, entry=entry(contract, actor))
    assert refused.value.code == "billing_information_missing"
    assert not OutgoingMail.objects.exists()
