"""Pages of documents: the list, a document with its proof, credits, payments, mails."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from taktura.billing import services as billing
from taktura.billing.explain import Price
from taktura.billing.models import Charge
from taktura.billing.proof import verify
from taktura.contracts.models import Contract
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, DocumentLine, DocumentState, Payment
from taktura.invoices.services import mail_document, pay
from taktura.invoices.tasks import send_documents
from taktura.kit.actor import Actor
from taktura.kit.jobs.models import Work
from taktura.kit.mail.models import OutgoingMail
from taktura.office.documents.proof import shown

pytestmark = pytest.mark.usefixtures("march")
Open = Callable[..., Client]
TABS = ("", "printed/", "payments/", "mails/", "history/", "credit/", "payments/new/", "mails/new/", "lines/1/")


@pytest.fixture
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for on 5 March 2026."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: datetime(2026, 3, 5, 9, tzinfo=UTC))


def acme() -> Document:
    """Acme's invoice of February: base, numbers, calls and searches."""
    return Document.objects.get(kind="invoice", customer__key="acme", issued_on=date(2026, 2, 1))


def numbers(response: HttpResponse) -> list[str]:
    """The numbers of the documents in a list."""
    return re.findall(r'class="row-link"><span class="nowrap">([^<]+)<', response.content.decode())


@pytest.mark.parametrize("tab", TABS)
def test_a_document_in_three_languages(seller: Seller, page_ok: Callable[..., dict[str, str]], tab: str) -> None:
    texts = page_ok(f"/documents/{acme().pk}/{tab}")
    assert len(set(texts.values())) == 3
    assert all(acme().number in text for text in texts.values())


def test_the_list_in_three_languages(seller: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    texts = page_ok("/documents/")
    assert all(acme().number in text and "Acme GmbH" in text for text in texts.values())
    assert "Überfällig" in texts["de"] and "Overdue" in texts["en"] and "Förfallen" in texts["sv"]


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    pk = acme().pk
    for path in ("/documents/", f"/documents/{pk}/", f"/documents/{pk}/pdf/", f"/documents/{pk}/lines/1/"):
        assert forbidden_to(path) == {"technician"}
    assert forbidden_to(f"/documents/{pk}/credit/") == {"sales", "lead", "technician", "viewer"}
    assert forbidden_to(f"/documents/{pk}/payments/new/") == {"sales", "lead", "technician", "viewer"}
    assert forbidden_to(f"/documents/{pk}/mails/new/") == {"lead", "technician", "viewer"}


def test_actions_are_not_offered_to_those_who_may_not(seller: Seller, client_as: Open) -> None:
    text = client_as("viewer").get(f"/documents/{acme().pk}/").content.decode()
    assert not re.search(r"/credit/|/payments/new/|/mails/new/", text)


def test_documents_of_another_seller_are_not_there(seller: Seller, client_as: Open, actor: Actor) -> None:
    other = customers.create_seller(
        actor, name="Other", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]]
    )
    client = client_as()
    session = client.session
    session["seller"] = other.pk
    session.save()
    assert numbers(client.get("/documents/")) == []
    for tab in (*TABS, "pdf/"):
        assert client.get(f"/documents/{acme().pk}/{tab}").status_code == 404
    for tab in ("credit/", "credit/preview/", "payments/new/", "payments/preview/", "mails/new/", "mails/1/again/"):
        assert client.post(f"/documents/{acme().pk}/{tab}").status_code == 404


def test_filters_and_search(seller: Seller, client_as: Open, actor: Actor) -> None:
    client = client_as()
    everything = set(Document.objects.values_list("number", flat=True))
    acmes = set(Document.objects.filter(customer__key="acme").values_list("number", flat=True))
    pay(actor, document=acme(), amount=Decimal("1.00"), on=date(2026, 3, 1))
    mail_document(actor, document=acme())
    one = acme().number
    for query, expected in {
        "": everything,
        "?customer=acme": acmes,
        "?customer=ACME GmbH": acmes,
        "?customer=nobody": set(),
        "?q=öztürk": everything - acmes,
        f"?q={one}": {one},
        f"?q={one[-5:]}": {one},
        "?q=%25": set(),
        "?kind=credit_note": set(),
        "?payment=partly_paid": {one},
        "?payment=paid": set(),
        "?payment=overdue": everything,
        "?payment=open": everything,
        "?sent=yes": {one},
        "?sent=no": everything - {one},
        "?from=2026-02-01": set(Document.objects.filter(issued_on__gte="2026-02-01").values_list("number", flat=True)),
        "?until=1.1.2026": set(Document.objects.filter(issued_on="2026-01-01").values_list("number", flat=True)),
        "?currency=EUR&language=de": everything,
        "?language=sv": set(),
    }.items():
        assert set(numbers(client.get(f"/documents/{query}"))) == expected, query


def test_what_is_credited_counts_below_zero(seller: Seller, client_as: Open, actor: Actor) -> None:
    billing.credit(actor, document=acme(), lines=[{"line": 1, "net": "10.00"}])
    text = client_as("admin", "de").get("/documents/?columns=number&columns=gross&columns=open").content.decode()
    total = sum(-d.gross if d.kind == "credit_note" else d.gross for d in Document.objects.all())
    rest = sum(DocumentState.objects.values_list("open", flat=True))
    assert "−11,90" in text
    for amount in (total, rest):
        assert f"<div>{amount // 100},{amount % 100:02}\u00a0€</div>" in text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_export(seller: Seller, client_as: Open, form: str) -> None:
    response = client_as().get(f"/documents/?export={form}")
    assert response.status_code == 200
    if form == "csv":
        row = next(x for x in response.content.decode("utf-8-sig").splitlines() if acme().number in x)
        assert "2026-02-01" in row and f"{acme().gross / 100}" in row and "Acme GmbH" in row
        assert row.endswith(",EUR"), "a plain number says what it is an amount of"


def test_a_mail_without_a_server_says_that_it_is_not_sent(seller: Seller, client_as: Open) -> None:
    path, client = f"/documents/{acme().pk}/mails/new/", client_as()
    letter = {"to": "acme@x.example", "subject": "Invoice", "text": "Here it is."}
    assert "It is not sent, because no mail server is set." in client.post(path, letter, follow=True).content.decode()


def test_the_number_of_queries_does_not_grow(seller: Seller, client_as: Open, actor: Actor) -> None:
    client = client_as()
    counts = []
    for month in (3, 12):
        with CaptureQueriesContext(connection) as captured:
            found = client.get("/documents/")
        counts.append((len(numbers(found)), len(captured)))
        on = date(2026, month, 1)
        billing.bill(actor.at(datetime(2026, month, 1, 11, tzinfo=UTC)), seller=seller, on=on)
        for document in Document.objects.filter(issued_on=on):
            mail_document(actor, document=document)
    with CaptureQueriesContext(connection) as captured:
        found = client.get("/documents/")
    counts.append((len(numbers(found)), len(captured)))
    assert counts[0][0] < counts[1][0] < counts[2][0]
    assert counts[1][1] == counts[2][1] <= counts[0][1] + 1 < 20, "one more for what became of mails"
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/documents/{acme().pk}/")
    assert len(captured) < 30


def test_the_pdf(seller: Seller, client_as: Open) -> None:
    response = client_as().get(f"/documents/{acme().pk}/pdf/")
    assert response.content.startswith(b"%PDF") and response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{acme().number}.pdf"'
    kept = client_as().get(f"/documents/{acme().pk}/pdf/?download")
    assert kept["Content-Disposition"].startswith("attachment")


def test_pdfs_as_one_file(seller: Seller, client_as: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_as()
    response = client.post("/documents/", {"action": "zip", "all": "1"})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert len(archive.namelist()) == Document.objects.count()
        assert archive.read(f"{acme().number}.pdf").startswith(b"%PDF")
    monkeypatch.setattr("taktura.office.documents.bulk.MOST_IN_ZIP", 1)
    for data, word in (({"all": "1"}, "At most 1"), ({"chosen": "999"}, "Nothing was chosen")):
        answer = client.post("/documents/", {"action": "zip", **data}, follow=True)
        assert word in answer.content.decode()


# Proof


def test_every_amount_leads_to_its_proof(seller: Seller, client_as: Open) -> None:
    client, document = client_as("viewer", "de"), acme()
    text = client.get(f"/documents/{document.pk}/").content.decode()
    for line in document.lines.all():
        assert f'class="proof" href="/documents/{document.pk}/lines/{line.position}/"' in text
        proof = client.get(f"/documents/{document.pk}/lines/{line.position}/").content.decode()
        assert f"{line.net // 100},{line.net % 100:02}" in proof and "Regel" in proof
    assert client.get(f"/documents/{document.pk}/lines/99/").status_code == 404


def test_usage_is_shown_down_to_the_record(seller: Seller, client_as: Open) -> None:
    line = DocumentLine.objects.get(document=acme(), article="calls")
    text = client_as("viewer", "en").get(f"/documents/{acme().pk}/lines/{line.position}/").content.decode()
    assert "c1" in text and "754" in text and "1 record" in text
    # 754 seconds by the minute are 13 minutes, 10 of them included.
    assert re.search(r"Priced quantity</th>\s*<td[^>]*>3<", text)
    # How they come about: the tick, and what each record and all of them count by it.
    assert re.search(r"Tick</th>\s*<td[^>]*>each begun 60 s of a record<", text)
    assert re.search(r"Billed seconds</th>\s*<td[^>]*>780<", text)
    assert len(re.findall(r">754</td><td[^>]*>780<", text)) == 2  # the record, and the sum


def test_prices_in_a_proof_have_their_currency_and_its_decimals(seller: Seller, client_as: Open) -> None:
    line = DocumentLine.objects.filter(document=acme(), article="base").first()
    assert line is not None
    text = client_as("viewer", "de").get(f"/documents/{acme().pk}/lines/{line.position}/").content.decode()
    assert re.search(r"Preis</th>\s*<td[^>]*>19,90\u00a0€<", text)
    assert re.search(r"Preis des ganzen Zeitraums</th>\s*<td[^>]*>19,90\u00a0€ ", text)
    with translation.override("de"):
        assert [shown(Price(x), "EUR") for x in ("59", "0.0750", "9.9")] == [
            "59,00\u00a0€", "0,075\u00a0€", "9,90\u00a0€"
        ]  # fmt: skip
        assert shown(Price("100/3"), "EUR").startswith("100/3 ≈ 33,333")
        assert shown(Fraction("59"), "EUR") == "59", "a quantity has no currency"


def test_records_in_a_proof_are_blocks_with_names_on_a_phone(seller: Seller, client_as: Open) -> None:
    line = DocumentLine.objects.get(document=acme(), article="calls")
    text = client_as("viewer", "de").get(f"/documents/{acme().pk}/lines/{line.position}/").content.decode()
    assert "list-cards no-menu" in text
    for name, number in (("Sekunden", "754"), ("Abgerechnete Sekunden", "780")):
        assert len(re.findall(f'data-label="{name}">{number}<', text)) == 2


def test_much_usage_is_shown_page_by_page(seller: Seller, client_as: Open, actor: Actor) -> None:
    at = datetime(2026, 2, 10, 9, tzinfo=UTC)
    entries = [
        {"contract": "V-acme", "article": "search", "quantity": "2", "at": at, "id": f"m{i}"} for i in range(120)
    ]
    billing.record_usage(actor, seller=seller, entries=entries)
    outcome = billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    line = DocumentLine.objects.get(document__in=outcome.issued, article="search", first=date(2026, 2, 1))
    client, seen, query = client_as(), list[str](), ""
    while True:
        text = client.get(f"/documents/{line.document_id}/lines/{line.position}/{query}").content.decode()
        assert "120 records" in text and ">240<" in text
        seen += re.findall(r">(m\d+)<", text)
        following = re.search(r'href="(\?after=[^"]+)"', text)
        if not following:
            break
        query = following[1]
    assert len(seen) == len(set(seen)) == 120
    assert client.get(f"/documents/{line.document_id}/lines/{line.position}/?after=nonsense").status_code == 200


def test_a_credit_leads_to_what_it_takes_back(seller: Seller, client_as: Open, actor: Actor) -> None:
    (issued,) = billing.credit(actor, document=acme(), lines=[{"line": 1, "net": "10.00"}], reason="Kulanz")
    client = client_as()
    note = client.get(f"/documents/{issued.id}/").content.decode()
    assert f"/documents/{acme().pk}/lines/1/" in note and "Kulanz" in note
    assert issued.number in client.get(f"/documents/{acme().pk}/").content.decode()
    assert acme().number in client.get(f"/documents/{issued.id}/lines/1/").content.decode()
    assert client.get(f"/documents/{issued.id}/payments/").status_code == 404
    assert client.get(f"/documents/{issued.id}/credit/").status_code == 404


def test_a_document_that_was_changed_says_so(seller: Seller, client_as: Open) -> None:
    from django.db import connections

    assert "Its hash and its sums hold" in client_as().get(f"/documents/{acme().pk}/").content.decode()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_documentline DISABLE TRIGGER USER")
        cursor.execute("UPDATE invoices_documentline SET title = 'other' WHERE document_id = %s", [acme().pk])
    assert "does not show what was issued" in client_as().get(f"/documents/{acme().pk}/").content.decode()


# Credits


def test_a_credit_in_full_is_what_its_preview_showed(seller: Seller, client_as: Open) -> None:
    client, document = client_as("billing", "de"), acme()
    data = {"what": "everything", "reason": "Falsch berechnet"}
    preview = client.post(f"/documents/{document.pk}/credit/preview/", data).content.decode()
    shown = f"{document.gross // 100},{document.gross % 100:02}"
    assert shown in preview and "Falsch berechnet" in preview and document.number in preview
    assert Document.objects.filter(kind="credit_note").count() == 0
    response = client.post(f"/documents/{document.pk}/credit/", data)
    note = Document.objects.get(kind="credit_note")
    assert response["Location"] == f"/documents/{note.pk}/"
    assert (note.gross, note.reason, DocumentState.objects.get(pk=document.pk).payment) == (
        document.gross, "Falsch berechnet", "credited"
    )  # fmt: skip
    again = client.post(f"/documents/{document.pk}/credit/", data)
    assert again.status_code == 422 and "nichts" in again.content.decode().lower()
    assert verify() == []


def test_a_credit_line_by_line(seller: Seller, client_as: Open) -> None:
    client, document = client_as("billing", "de"), acme()
    base, number = (document.lines.get(article=a) for a in ("base", "number"))
    data = {"what": "lines", f"amount_{base.position}": "1,50", f"quantity_{number.position}": "1"}
    client.post(f"/documents/{document.pk}/credit/", data)
    note = Document.objects.get(kind="credit_note")
    assert {line.article: (line.net, line.quantity, line.unit_price) for line in note.lines.all()} == {
        "base": (150, 1, None), "number": (450, 1, Decimal("4.5")),
    }, "a part by quantity has its price, a mere amount is one of itself"  # fmt: skip
    client.post(f"/documents/{document.pk}/credit/", {"what": "everything"})
    rest = Document.objects.filter(kind="credit_note").latest("pk")
    shown = {line.article: (line.net, line.quantity, line.unit) for line in rest.lines.all()}
    assert shown["number"] == (450, 1, "") and shown["base"] == (1840, 1, "") and shown["calls"][1:] == (13, "minute")
    assert verify() == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "at least one line"),
        ({"amount_1": "abc"}, "is no number"),
        ({"amount_1": "1", "quantity_1": "1"}, "either the quantity or the amount"),
        ({"amount_1": "99999"}, "is left to credit"),
        ({"amount_1": "1.005"}, "more decimals"),
        ({"quantity_1": "50"}, "has no quantity"),
        ({"amount_1": "1", "rebill": "on"}, "Only whole lines"),
    ],
)
def test_a_credit_that_is_refused_says_why(seller: Seller, client_as: Open, fields: dict[str, str], word: str) -> None:
    client, data = client_as(), {"what": "lines", **fields}
    assert word in client.post(f"/documents/{acme().pk}/credit/preview/", data).content.decode()
    response = client.post(f"/documents/{acme().pk}/credit/", data)
    assert response.status_code == 422 and word in response.content.decode()
    assert all(f'value="{v}"' in response.content.decode() for k, v in fields.items() if k != "rebill"), "nothing lost"
    assert not Document.objects.filter(kind="credit_note").exists()


def test_what_is_billed_again(seller: Seller, client_as: Open) -> None:
    position = acme().lines.get(article="base").position
    contract = Contract.objects.get(key="V-acme")
    assert contract.changed_from is None
    data = {"what": "lines", f"quantity_{position}": "1", "rebill": "on"}
    assert client_as().post(f"/documents/{acme().pk}/credit/", data).status_code == 302
    contract.refresh_from_db()
    assert contract.changed_from is not None and Charge.objects.get(by_hand=True).rebill


# Payments


def test_a_payment_as_people_type_it(seller: Seller, client_as: Open) -> None:
    client, document = client_as("billing", "de"), acme()
    page = client.get(f"/documents/{document.pk}/payments/new/").content.decode()
    assert f'value="{document.gross // 100},{document.gross % 100:02}"'.replace(",00", "") in page.replace(",00", "")
    data = {"amount": "1.000,5", "on": "gestern"}
    preview = client.post(f"/documents/{document.pk}/payments/preview/", data).content.decode()
    rest = 100050 - document.gross
    assert f"−{rest // 100},{rest % 100:02}" in preview and "Guthaben" in preview
    assert not Payment.objects.exists()
    client.post(f"/documents/{document.pk}/payments/new/", data | {"amount": "10"})
    client.post(f"/documents/{document.pk}/payments/new/", data | {"amount": "-4,00", "on": "1.3."})
    assert list(Payment.objects.order_by("pk").values_list("amount", "paid_on")) == [
        (1000, date(2026, 3, 4)), (-400, date(2026, 3, 1)),
    ]  # fmt: skip
    text = client.get(f"/documents/{document.pk}/payments/").content.decode()
    assert "10,00" in text and "−4,00" in text and "6,00" in text
    for bad in ({"amount": "0", "on": "1.3."}, {"amount": "0,001", "on": "1.3."}, {"amount": "1", "on": "never"}):
        assert client.post(f"/documents/{document.pk}/payments/new/", bad).status_code == 422


def test_nothing_is_received_on_a_day_to_come(seller: Seller, client_as: Open) -> None:
    client, document = client_as("billing", "de"), acme()
    data = {"amount": "10,00", "on": "1.3.2027"}
    preview = client.post(f"/documents/{document.pk}/payments/preview/", data).content.decode()
    answer = client.post(f"/documents/{document.pk}/payments/new/", data)
    for text in (preview, answer.content.decode()):
        assert "Am 01.03.2027 kann noch nichts eingegangen sein." in text
    assert answer.status_code == 422
    many = {"action": "save", "chosen": [document.pk], "on": "2027-03-01", f"amount_{document.pk}": "5"}
    assert client.post("/documents/payments/", many).status_code == 422
    assert not Payment.objects.exists()


def test_numbers_in_a_refusal_are_those_of_the_reader(seller: Seller, client_as: Open) -> None:
    document, preview = acme(), f"/documents/{acme().pk}/payments/preview/"
    text = client_as("billing", "de").post(preview, {"amount": "10,999", "on": "1.3."}).content.decode()
    assert "„10,999“ ist kein Betrag in EUR." in text
    line = document.lines.get(position=1)
    left = f"{line.net // 100},{line.net % 100:02}"
    data = {"what": "lines", "amount_1": "99999"}
    text = client_as("billing", "de").post(f"/documents/{document.pk}/credit/preview/", data).content.decode()
    assert f"lassen sich nur noch {left} gutschreiben" in text


def test_many_payments_at_once(seller: Seller, client_as: Open) -> None:
    client = client_as("billing", "en")
    ids = list(Document.objects.order_by("pk").values_list("pk", flat=True))
    page = client.post("/documents/", {"action": "pay", "chosen": ids}).content.decode()
    assert all(f'name="amount_{pk}"' in page for pk in ids)
    data = {"action": "save", "chosen": ids, "on": "2026-03-01"} | {f"amount_{pk}": "" for pk in ids}
    wrong = client.post("/documents/payments/", data | {f"amount_{ids[0]}": "5.00", f"amount_{ids[1]}": "0.001"})
    assert wrong.status_code == 422 and not Payment.objects.exists(), "all of them or none"
    client.post("/documents/payments/", data | {f"amount_{ids[0]}": "5.00", f"amount_{ids[1]}": "6.00"})
    assert dict(Payment.objects.values_list("document", "amount")) == {ids[0]: 500, ids[1]: 600}


# Mails


def test_a_mail_is_prefilled_in_the_documents_language_and_sent(seller: Seller, client_as: Open) -> None:
    client, document = client_as("sales", "en"), acme()
    page = client.get(f"/documents/{document.pk}/mails/new/").content.decode()
    assert f'value="Rechnung {document.number}"' in page and "acme@c.example" in page and "Bitte bezahlen" in page
    assert f"{document.number}.pdf" in page and "No mail server" in page
    data = {"to": "buch@acme.example", "subject": "Ihre Rechnung", "text": "Guten Tag"}
    assert client.post(f"/documents/{document.pk}/mails/new/", data).status_code == 302
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.subject, mail.text) == ("buch@acme.example", "Ihre Rechnung", "Guten Tag")
    assert mail.attachments.get().name == f"{document.number}.pdf"
    assert "buch@acme.example" in client.get(f"/documents/{document.pk}/mails/").content.decode()
    for bad in (data | {"to": "nobody"}, data | {"subject": ""}):
        assert client.post(f"/documents/{document.pk}/mails/new/", bad).status_code == 422


def test_a_mail_that_failed_is_tried_again(seller: Seller, client_as: Open, actor: Actor) -> None:
    client, mail = client_as("billing"), mail_document(actor, document=acme())
    path = f"/documents/{acme().pk}/mails/{mail.pk}/again/"
    assert "on its way" in client.post(path, follow=True).content.decode()
    OutgoingMail.objects.update(state="failed", last_error="550 no such user")
    assert "550 no such user" in client.get(f"/documents/{acme().pk}/mails/").content.decode()
    client.post(path)
    mail.refresh_from_db()
    assert mail.state == "waiting"
    other = Document.objects.exclude(pk=acme().pk).earliest("pk")
    assert client.post(f"/documents/{other.pk}/mails/{mail.pk}/again/").status_code == 404
    assert client_as("viewer").post(path).status_code == 403


def test_many_are_sent_in_the_background(seller: Seller, client_as: Open) -> None:
    client = client_as("billing", "de")
    customer = Customer.objects.get(key="oztuerk")
    customers.set_billing_information(
        Actor("test", datetime(2026, 3, 1, tzinfo=UTC)), customer=customer, name=customer.name, email="",
        street="Weg 1", postcode="20095", city="Hamburg", country="DE",
    )  # fmt: skip
    response = client.post("/documents/", {"action": "send", "all": "1"})
    work = Work.objects.get(kind="send_documents")
    assert response["Location"] == f"/work/{work.pk}/"
    assert "Wartet" in client.get(f"/work/{work.pk}/").content.decode()
    again = client.post("/documents/", {"action": "send", "all": "1"}, follow=True).content.decode()
    assert Work.objects.count() == 1 and "warten Sie" in again.lower().replace("warten sie", "warten Sie")
    send_documents(work=work.pk)
    acmes = Document.objects.filter(customer__key="acme")
    assert {m.about for m in OutgoingMail.objects.all()} == {f"document:{d.pk}" for d in acmes}
    text = client.get(f"/work/{work.pk}/").content.decode()
    assert f"{acmes.count()} E-Mails liegen im Postausgang" in text and "Gemeinschaftspraxis" in text
    send_documents(work=work.pk)
    Work.objects.update(state="running")
    send_documents(work=work.pk)
    assert OutgoingMail.objects.count() == acmes.count(), "done again it sends nothing twice"
