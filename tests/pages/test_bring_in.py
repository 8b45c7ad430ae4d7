"""Existing customers and their services from a file: looked at, mapped, brought in; by the page and by the API."""

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.services.bring_in import columns_of
from taktura.billing.services.take_over import rows_of
from taktura.core.errors import Refused
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.customers.services import set_billing_information
from taktura.kit.actor import Actor
from taktura.office.customers.bring_in import EXAMPLE
from taktura.usage import services as usage
from taktura.usage.models import SupplierCustomer, SupplierSubscription
from taktura.usage.onboarding import services_of, without_contract

ClientAs = Callable[..., Client]
FILE = """Kundennr.;Firma;Straße;PLZ;Ort;Land;E-Mail;USt-IdNr.;Lieferant;Abonnement;Produkt;Menge;Beginn;Notiz
20001;Kraus KG;Weg 1;20095;Hamburg;DE;r@kraus.example;DE136695976;haus;S-1;P;12;1.2.2026;x
20001;;;;;;;;haus;S-2;Q;2,5;;
;Muster & Söhne;Weg 2;10115;Berlin;Deutschland;;;;;;;;
;Muster & Söhne;Weg 2;10115;Berlin;DE;;;haus;S-3;P;1;;
;Öztürk;Weg 3;99999;Ort;DE;r@KRAUS.example;;;;;;;
20003;Falsch AG;Weg 4;1;Ort;DE;;DE136695977;;;;;;
20004;Ohne Lieferant;Weg 5;2;Ort;DE;;;niemand;S-9;P;1;;
"""


@pytest.fixture
def haus(seller: Seller, actor: Actor) -> Seller:
    usage.create_supplier(actor, seller=seller, key="haus", name="Haus")
    return seller


def read(text: str) -> Any:
    return rows_of(text.encode(), columns_of)


def test_every_row_has_its_verdict_and_nothing_is_written(haus: Seller, actor: Actor) -> None:
    before = Customer.objects.count()
    found = billing.look_at_customers(actor, seller=haus, rows=read(FILE))
    assert [(v.line, v.does, v.mark) for v in found.rows] == [
        (2, "new", ""), (3, "added", ""), (4, "new", ""), (5, "added", ""), (6, "double", "email"), (7, "wrong", ""),
        (8, "wrong", ""),
    ]  # fmt: skip
    assert (found.customers, found.services, found.wrong) == (2, 3, 3)
    assert found.rows[4].twin == "20001"
    assert Customer.objects.count() == before and not SupplierSubscription.objects.filter(supplier__key="haus").exists()


def test_what_is_brought_in(haus: Seller, actor: Actor) -> None:
    with pytest.raises(Refused, match="3 rows are wrong"):
        billing.bring_in(actor, seller=haus, rows=read(FILE))
    done = billing.bring_in(actor, seller=haus, rows=read(FILE), leave_out=True)
    assert done.written and (done.customers, done.services) == (2, 3)
    kraus = Customer.objects.select_related("billing_information").get(key="20001")
    assert kraus.complete and kraus.billing_information.vat_id == "DE136695976"
    today = actor.today(haus.time_zone)
    assert [(s.reference, str(s.quantity)) for s in services_of([kraus.pk], today)[kraus.pk]] == [
        ("S-1", "12"), ("S-2", "2.5")
    ]  # fmt: skip
    assert (haus.country, kraus.language) == ("DE", "de")  # the file says none
    named = Customer.objects.get(name="Muster & Söhne")
    assert named.complete and named.billing_information.country == "DE"
    assert SupplierCustomer.objects.get(customer=named).reference == named.key
    assert {c.key for c in without_contract(haus.pk, today)} == {"20001", named.key}
    with pytest.raises(Refused, match="nothing new"):
        billing.bring_in(actor, seller=haus, rows=read(FILE), leave_out=True)


@pytest.mark.parametrize(
    ("row", "mark"),
    [("9;Neu;20095;;DE136695976", "vat_id"), ("9;Neu;20095;X@Acme.example;", "email"), ("9;ACME gmbh;12345;;", "name")],
)
def test_who_is_there_already_is_not_made_twice(haus: Seller, actor: Actor, row: str, mark: str) -> None:
    acme = Customer.objects.get(key="acme")
    set_billing_information(
        actor, customer=acme, vat_id="DE136695976", email="x@acme.example", postcode="12345", name="Acme GmbH"
    )
    found = billing.look_at_customers(actor, seller=haus, rows=read(f"customer;name;postcode;email;vat_id\n{row}\n"))
    assert [(v.does, v.mark, v.twin) for v in found.rows] == [("double", mark, "acme")]
    known = billing.look_at_customers(actor, seller=haus, rows=read("customer;name\nacme;Whatever\n"))
    assert [v.does for v in known.rows] == ["known"], "the same number is the same customer"


def test_queries_do_not_grow_with_the_rows(haus: Seller, actor: Actor) -> None:
    lines = "".join(f"{30000 + i};Kunde {i};{i:05};haus;T-{i}\n" for i in range(300))
    rows = read(f"customer;name;postcode;supplier;subscription\n{lines}")
    with CaptureQueriesContext(connection) as queries:
        done = billing.bring_in(actor, seller=haus, rows=rows)
    assert len(queries) < 50
    assert (done.customers, done.services) == (300, 300)


def test_a_customer_of_the_supplier_belongs_to_one(haus: Seller, actor: Actor) -> None:
    head = "customer;name;supplier;supplier_customer;subscription\n"
    billing.bring_in(actor, seller=haus, rows=read(f"{head}a1;Eins;haus;T;S\n"))
    found = billing.look_at_customers(actor, seller=haus, rows=read(f"{head}a2;Zwei;haus;T;S-neu\na3;Drei;haus;U;s\n"))
    assert [v.does for v in found.rows] == ["wrong", "wrong"] and found.customers == 0


def sent(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("kunden.csv", content.encode(), "text/csv")


def test_by_the_page(haus: Seller, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    assert "/customers/bring-in/" in client.get("/customers/").content.decode()
    assert client.get("/customers/bring-in/").status_code == 200
    text = client.post("/customers/bring-in/", {"file": sent(FILE)}).content.decode()
    assert "2 neue Kunden" in text and "Nicht verwendet: Notiz." in text and "derselbe Wert" in text
    content = re.search(r'name="content" value="([^"]+)"', text)
    assert content is not None and base64.b64decode(content[1]).decode() == FILE
    mapping = {"map_customer": "Kundennr.", "map_name": "Firma", "map_legal_form": "Notiz", "map_street": "Straße"}
    again = client.post("/customers/bring-in/", {"content": content[1], "action": "look", **mapping}).content.decode()
    assert "2 neue Kunden" not in again, "other headings bring other rows"
    lost = client.post("/customers/bring-in/", {"content": content[1], "action": "look", "map_city": "Ort"})
    assert lost.status_code == 422 and "keine Spalte „name“" in lost.content.decode()
    full = mapping | {"map_postcode": "PLZ", "map_city": "Ort", "map_country": "Land", "map_email": "E-Mail"}
    refused = client.post("/customers/bring-in/", {"content": content[1], "action": "save", **full})
    assert refused.status_code == 422 and not Customer.objects.filter(key="20001").exists()
    done = client.post("/customers/bring-in/", {"content": content[1], "action": "save", "leave_out": "on", **full})
    assert done.headers["Location"] == "/customers/"
    assert BillingInformation.objects.get(customer__key="20001").legal_form == "x"
    assert client_as("viewer").get("/customers/bring-in/").status_code == 403


def test_the_example_can_be_brought_in(seller: Seller, actor: Actor, client_as: ClientAs) -> None:
    usage.create_supplier(actor, seller=seller, key="cloudhaus", name="Cloudhaus")
    content = client_as("sales").get("/customers/bring-in/example/").content
    found = billing.look_at_customers(actor, seller=seller, rows=rows_of(content, columns_of))
    assert (found.customers, found.services, found.wrong) == (2, 2, 0) and len(found.rows) == len(EXAMPLE) - 1
    assert io.BytesIO(content).read()
