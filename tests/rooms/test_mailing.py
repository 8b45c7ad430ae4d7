"""Documents by mail, and runs in the background: from the service to what arrives."""

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing import tasks
from taktura.billing.models import BillingRun
from taktura.billing.proof import verify
from taktura.billing.services import run as running
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering, letter_of, mail_document
from taktura.invoices.tasks import send_documents, start_sending
from taktura.kit.actor import Actor
from taktura.kit.jobs import services as jobs
from taktura.kit.jobs.models import Work
from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.kit.secret import unseal

BILLING = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
WORDS = {"de": ("Rechnung", "Bitte bezahlen"), "sv": ("Faktura", "Vänligen betala"), "en": ("Invoice", "Please pay")}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with four contracts, due at the first of January."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=kind[0].upper() + "/{number}", next=1)
    lines = {"base": {"title": "Base", "charge": "recurring", "price": "10"}}
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines)
    for key in ("de", "sv", "en", "none"):
        language = key if key in WORDS else "en"
        customer = customers.create_customer(actor, seller=made, key=key, name=f"Kund {key}", language=language)
        email = "" if key == "none" else f"{key}@c.example"
        customers.set_billing_information(actor, customer=customer, name=customer.name, email=email, **BILLING)
        contracts.sign(actor, key=f"V-{key}", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    return made


@pytest.mark.parametrize("language", WORDS)
def test_a_document_goes_out_in_its_language_with_its_pdf(seller: Seller, actor: Actor, language: str) -> None:
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    document = Document.objects.get(customer__key=language)
    mail = mail_document(actor, document=document)
    word, pay = WORDS[language]
    assert (mail.recipient, mail.subject) == (f"{language}@c.example", f"{word} {document.number}")
    assert pay in mail.text and "Seller GmbH" in mail.text and document.number in mail.text
    attachment = mail.attachments.get()
    assert attachment.name == f"{document.number.replace('/', '-')}.pdf"
    assert document.number in PdfReader(io.BytesIO(attachment.content)).pages[0].extract_text()
    entry = LogEntry.objects.get(action="send_document")
    assert entry.subject == f"document:{document.pk}" and entry.data["to"] == mail.recipient


def test_without_an_address_nothing_goes_out(seller: Seller, actor: Actor) -> None:
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    document = Document.objects.get(customer__key="none")
    assert letter_of(document).to == ""
    with pytest.raises(Refused) as refused:
        mail_document(actor, document=document)
    assert refused.value.code == "billing_information_missing"
    assert not OutgoingMail.objects.exists() and not LogEntry.objects.filter(action="send_document").exists()
    assert mail_document(actor, document=document, to="x@y.example", subject="S", text="T").subject == "S"


def test_a_credit_note_asks_for_no_payment(seller: Seller, actor: Actor) -> None:
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    billing.credit(actor, document=Document.objects.get(customer__key="de"))
    letter = letter_of(Document.objects.get(kind="credit_note"))
    assert "Gutschrift" in letter.subject and "bezahlen" not in letter.text


def test_settings_of_the_mail_server(seller: Seller, actor: Actor) -> None:
    fields: dict[str, Any] = {
        "host": "mail.firm.example", "port": 465, "security": "tls", "from_address": "a@firm.example"
    }  # fmt: skip
    server = customers.set_mail_server(actor, seller=seller, password="secret", **fields)
    assert unseal(server.password) == "secret" and server.key == f"seller:{seller.pk}"
    customers.set_mail_server(actor, seller=seller, port=587)
    server.refresh_from_db()
    assert (server.port, unseal(server.password), server.host) == (587, "secret", "mail.firm.example")
    assert "secret" not in str(list(LogEntry.objects.values()))
    with pytest.raises(Refused):
        customers.set_mail_server(actor, seller=seller, host="mail.eve.example")  # would get the password
    customers.set_mail_server(actor, seller=seller, host="mail.firm.example", password="")
    for wrong in (
        {"host": "a b"}, {"host": ""}, {"from_address": "x"}, {"security": "maybe"}, {"port": -1},
        {"from_name": "a\nb"}, {"user": "a\rb"},
    ):  # fmt: skip
        with pytest.raises(Refused):
            customers.set_mail_server(actor, seller=seller, **wrong)  # type: ignore[arg-type]
    assert MailServer.objects.count() == 1
    customers.remove_mail_server(actor, server=MailServer.objects.get())
    assert not MailServer.objects.exists()
    assert LogEntry.objects.get(action="remove_mail_server").subject == f"seller:{seller.pk}"


def run_work(work: Work) -> Work:
    tasks.run_billing(work=work.pk)
    work.refresh_from_db()
    return work


def test_a_run_in_the_background_leaves_contracts_out(seller: Seller, actor: Actor) -> None:
    left = Contract.objects.get(key="V-sv").pk
    work = run_work(tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[left]))
    assert (work.state, work.done, work.total) == ("done", 3, 3)
    assert work.result == {
        "run": BillingRun.objects.get().pk, "contracts": 3, "invoices": 3, "credit_notes": 0, "problems": 0
    }  # fmt: skip
    assert not Document.objects.filter(contract=left).exists()
    again = run_work(tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[]))
    assert again.result["invoices"] == 1 and Document.objects.filter(contract=left).count() == 1
    assert verify() == []


def test_a_run_stops_at_a_border_and_another_does_the_rest(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    work = tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[])
    jobs.stop(work=work)
    assert run_work(work).state == "stopped" and not Document.objects.exists()

    work = tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[])
    right = running.issue_documents
    monkeypatch.setattr(running, "issue_documents", lambda *a: (jobs.stop(work=work), right(*a))[1])
    work = run_work(work)
    assert (work.state, work.done, work.total, work.result["invoices"]) == ("stopped", 1, 4, 1)
    assert Document.objects.count() == 1 and BillingRun.objects.get().documents == 1
    monkeypatch.setattr(running, "issue_documents", right)
    work = run_work(tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[]))
    assert (work.state, work.result["invoices"]) == ("done", 3)
    assert verify() == []


def test_a_run_that_is_refused_keeps_why(seller: Seller, actor: Actor) -> None:
    from taktura.invoices.models import NumberSeries

    NumberSeries.objects.update(confirmed=False)
    work = run_work(tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[]))
    assert (work.state, work.result["refused"]["code"]) == ("failed", "numbering_unconfirmed")


def test_two_runs_at_once_are_refused(seller: Seller, actor: Actor) -> None:
    tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[])
    with pytest.raises(Refused) as refused:
        tasks.start_run(actor, seller=seller, on=date(2026, 1, 1), exclude=[])
    assert refused.value.code == "conflict"


@pytest.mark.parametrize(("hour", "begun"), [(3, 0), (4, 1), (9, 1)])
def test_unattended_runs_begin_once_a_day_from_the_sellers_morning_on(
    seller: Seller, monkeypatch: pytest.MonkeyPatch, hour: int, begun: int
) -> None:
    """Six o'clock in Berlin's summer is four o'clock UTC. Where no worker was there at six, a later hour does it."""
    monkeypatch.setattr(tasks, "utc_now", lambda: datetime(2026, 7, 1, hour, 5, tzinfo=UTC))
    assert tasks.bill_unattended(timestamp=0) == []
    Seller.objects.update(unattended_runs=True)
    found = tasks.bill_unattended(timestamp=0)
    assert len(found) == begun and tasks.bill_unattended(timestamp=0) == []
    for pk in found:
        run_work(Work.objects.get(pk=pk))
    assert tasks.bill_unattended(timestamp=0) == [], "once a day"
    assert Work.objects.filter(parameters__on="2026-07-01").count() == begun
    monkeypatch.setattr(tasks, "utc_now", lambda: datetime(2026, 7, 2, 4, 5, tzinfo=UTC))
    assert len(tasks.bill_unattended(timestamp=0)) == 1, "and again on the next"


def test_a_run_by_hand_does_not_take_the_unattended_one_away(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "utc_now", lambda: datetime(2026, 7, 1, 4, 5, tzinfo=UTC))
    Seller.objects.update(unattended_runs=True)
    mine = tasks.start_run(actor.at(tasks.utc_now()), seller=seller, on=date(2026, 1, 1), exclude=[])
    assert tasks.bill_unattended(timestamp=0) == [], "it waits for the end of mine"
    run_work(mine)
    monkeypatch.setattr(tasks, "utc_now", lambda: datetime(2026, 7, 1, 5, 5, tzinfo=UTC))
    assert len(tasks.bill_unattended(timestamp=0)) == 1


def at_hour(monkeypatch: pytest.MonkeyPatch, hour: int, day: int = 1) -> list[Work]:
    """What the schedule begins at five past an hour (UTC) of a day in July; in Berlin it is two hours later."""
    monkeypatch.setattr(tasks, "utc_now", lambda: datetime(2026, 7, day, hour, 5, tzinfo=UTC))
    return [Work.objects.get(pk=pk) for pk in tasks.bill_unattended(timestamp=0)]


def test_an_unattended_run_that_failed_is_tried_again_and_bills_nothing_twice(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    Seller.objects.update(unattended_runs=True)
    monkeypatch.setattr(running, "BATCH", 1)
    right, issued = running.issue_documents, list[int]()

    def breaks_at_the_second(*args: Any) -> Any:
        issued.append(1)
        if len(issued) % 2 == 0:
            raise ValueError("the disk is full")
        return right(*args)

    monkeypatch.setattr(running, "issue_documents", breaks_at_the_second)
    begun = []
    for hour in range(3, 8):
        for work in at_hour(monkeypatch, hour):
            begun.append(hour)
            if hour == 7:
                monkeypatch.setattr(running, "issue_documents", right)
                assert run_work(work).state == "done"
                continue
            with pytest.raises(ValueError, match="disk"):
                tasks.run_billing(work=work.pk)
            work.refresh_from_db()
            assert (work.state, work.error) == ("failed", "ValueError: the disk is full")
    assert begun == [4, 5, 7], "an hour after the first, two after the second"
    assert at_hour(monkeypatch, 8) == [] and at_hour(monkeypatch, 20) == [], "it went well in the end"
    first = Document.objects.filter(contract__isnull=False).values_list("contract", flat=True)
    assert sorted(first) == sorted(Contract.objects.values_list("pk", flat=True)), "each contract has one invoice"
    assert verify() == []


def test_a_day_s_tries_come_to_an_end(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    from taktura.invoices.models import NumberSeries

    Seller.objects.update(unattended_runs=True)
    NumberSeries.objects.update(confirmed=False)
    begun = []
    for hour in range(22):
        for work in at_hour(monkeypatch, hour):
            assert run_work(work).result["refused"]["code"] == "numbering_unconfirmed"
            begun.append(hour)
    assert begun == [4, 5, 7, 11, 19], "after 1, 2, 4 and 8 hours"
    NumberSeries.objects.update(confirmed=True)
    (work,) = at_hour(monkeypatch, 4, day=2)
    assert run_work(work).result["invoices"] == 4 and verify() == []


def test_a_run_that_somebody_stopped_is_not_begun_again(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    Seller.objects.update(unattended_runs=True)
    (work,) = at_hour(monkeypatch, 4)
    jobs.stop(work=work)
    assert run_work(work).state == "stopped" and at_hour(monkeypatch, 12) == []


def test_a_mail_says_that_the_amount_is_debited(seller: Seller, actor: Actor) -> None:
    customer = Customer.objects.get(key="de")
    customers.set_billing_information(
        actor, customer=customer, direct_debit=True, iban="DE89370400440532013000", mandate_reference="M-7",
        mandate_date=date(2026, 1, 1),
    )  # fmt: skip
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    text = letter_of(Document.objects.get(customer=customer)).text
    assert "15.01.2026 von der IBAN DE89 … 3000" in text and "Bitte bezahlen" not in text


def test_without_an_address_of_its_own_a_document_goes_to_the_head_office(seller: Seller, actor: Actor) -> None:
    customers.change_customer(
        actor, customer=Customer.objects.get(key="none"), head_office=Customer.objects.get(key="en")
    )
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    assert letter_of(Document.objects.get(customer__key="none")).to == "en@c.example"


def test_many_documents_go_by_mail_only_to_those_who_want_that(seller: Seller, actor: Actor) -> None:
    for key, way in (("de", "post"), ("sv", "portal")):
        customers.set_billing_information(actor, customer=Customer.objects.get(key=key), delivery=way)
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    ids = list(Document.objects.exclude(customer__key="none").values_list("pk", flat=True))
    work = start_sending(actor, seller=seller, documents=ids)
    send_documents.func(work.pk)
    work.refresh_from_db()
    assert work.result["sent"] == 1 and work.result["left_out"] == 2
    assert {p["text"] % p["values"] for p in work.result["problems"]} == {
        "Kund de gets documents by post: print it, or send it by mail from its own page.",
        "Kund sv gets documents in the customer portal: nothing is to be sent.",
    }
    assert [mail.recipient for mail in OutgoingMail.objects.all()] == ["en@c.example"]
