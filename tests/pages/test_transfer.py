"""A contract goes over to another customer, in the office: what the page shows for both is what stands there after."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from taktura.billing import services as billing
from taktura.contracts.models import Contract
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.office import page
from taktura.usage.models import UsageRecord

TODAY = datetime(2026, 2, 16, 10, tzinfo=UTC)
ClientAs = Callable[..., Client]
PageOk = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def february(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """It is a day in the middle of what was billed last."""
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)
    return Actor("test", TODAY)


@pytest.fixture
def contract(seller: Seller) -> Contract:
    """The contract of Acme: two numbers, calls, searches; billed to the end of February."""
    return Contract.objects.select_related("customer__seller", "customer__billing_information").get(key="V-acme")


@pytest.fixture
def other(seller: Seller) -> Customer:
    """Another customer, to whom documents can be issued."""
    return Customer.objects.get(seller=seller, key="oztuerk")


def text_of(response: HttpResponse) -> str:
    """What a page shows, in one line."""
    html = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").split())


def amounts(response: HttpResponse) -> list[str]:
    """The amounts of the documents at once on a page, in order."""
    html = re.sub(r'<h3 class="h4 mt-3">.*?</section>\s*</details>', "", response.content.decode(), flags=re.DOTALL)
    slips = re.findall(r'<section class="slip">.*?</section>', html, re.DOTALL)
    return [text for slip in slips for text in re.findall(r'<td class="number">(?:<span.*?</span>)?(.*?)</td>', slip)]


def test_the_form_proposes_the_next_day_that_splits_no_period(
    contract: Contract, client_as: ClientAs, page_ok: PageOk
) -> None:
    page_ok(reverse("transfer_contract", args=[contract.pk]), "sales")
    shown = client_as("sales").get(reverse("transfer_contract", args=[contract.pk])).content.decode()
    assert re.search(r'name="start" value="1 Mar 2026"', shown) or 'value="1 Mar 2026"' in shown
    assert "pays until the day before and is credited what was paid beyond it" in shown
    assert client_as("viewer").get(reverse("transfer_contract", args=[contract.pk])).status_code == 403


def test_what_it_does_to_both_is_shown_and_then_done(contract: Contract, other: Customer, client_as: ClientAs) -> None:
    client = client_as("billing")
    fields: dict[str, Any] = {"customer": f"{other.name} ({other.key})", "start": "16.2.", "key": "V-NEW"}
    foreseen = client.post(reverse("transfer_contract_preview", args=[contract.pk]), fields)
    shown = text_of(foreseen)
    assert "V-acme ends with 15 Feb 2026." in shown and "splits the period" in shown
    assert "The next day that splits none is 1 Mar 2026." in shown
    assert f"{other.name} V-NEW" in shown and not Contract.objects.filter(key="V-NEW").exists()
    seen = re.search(r'name="seen" id="seen" value="([^"]+)"', foreseen.content.decode())
    assert seen is not None
    done = client.post(reverse("transfer_contract", args=[contract.pk]), {**fields, "seen": seen[1]}, follow=True)
    assert done.status_code == 200, text_of(done)
    assert amounts(done) == amounts(foreseen) and len(amounts(done)) > 5
    assert f"to {other.name}" in text_of(done) and "to Acme GmbH" in text_of(done)
    made = Contract.objects.get(key="V-NEW")
    credited, charged = Document.objects.order_by("-pk")[:2][::-1]
    assert (credited.kind, credited.customer, charged.kind, charged.customer) == (
        "credit_note", contract.customer, "invoice", other,
    )  # fmt: skip
    assert credited.net == charged.net
    # Each page names the other.
    old = text_of(client.get(reverse("contract", args=[contract.pk])))
    assert f"From 16 Feb 2026 on it is that of another customer: {other.name} , V-NEW" in old
    new = text_of(client.get(reverse("contract", args=[made.pk])))
    assert "Transferred from Acme GmbH , V-acme" in new
    assert "as contract V-NEW" in text_of(client.get(reverse("contract_history", args=[contract.pk])))
    told = text_of(client.get(reverse("contract_history", args=[made.pk])))
    assert "Taken over from 16 Feb 2026: it was contract V-acme of another customer." in told
    # What the one is sent for days of the other has gone over; the line of each knows of what it goes on with.
    lines = made.lines.values_list("transferred_from__contract", flat=True)
    assert set(lines) == {contract.pk}
    assert not UsageRecord.objects.filter(line__contract=contract, day__gte=made.start).exists()


def test_a_day_that_begins_a_period_splits_nothing(contract: Contract, other: Customer, client_as: ClientAs) -> None:
    fields = {"customer": other.key, "start": "1.3.", "key": "V-NEW"}
    shown = text_of(client_as("sales").post(reverse("transfer_contract_preview", args=[contract.pk]), fields))
    assert "Before VAT, both together pay what one customer would have paid." in shown


def test_what_nobody_has_looked_at_is_not_issued(
    contract: Contract, other: Customer, client_as: ClientAs, february: Actor
) -> None:
    client = client_as("sales")
    fields = {"customer": other.key, "start": "16.2.", "key": "V-NEW"}
    foreseen = client.post(reverse("transfer_contract_preview", args=[contract.pk]), fields).content.decode()
    seen = re.findall(r'name="seen" id="seen" value="([^"]+)"', foreseen)[0]
    billing.pause(february, contract=contract, start=date(2026, 2, 20), end=date(2026, 2, 22))
    late = client.post(reverse("transfer_contract", args=[contract.pk]), {**fields, "seen": seen})
    assert late.status_code == 422 and "is not what you looked at" in text_of(late)
    assert not Contract.objects.filter(key="V-NEW").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"customer": "acme"}, "The contract is this customer's already"),
        ({"customer": "nobody"}, "Choose one of the customers suggested"),
        ({"start": "1.1.2020"}, "transfer it from then on"),
        ({"key": "V-acme"}, "There is a contract “V-acme” already"),
    ],
)
def test_what_is_refused_is_said_beside_the_form(
    contract: Contract, other: Customer, client_as: ClientAs, changes: dict[str, str], said: str
) -> None:
    fields = {"customer": other.key, "start": "1.3.", "key": "V-NEW"} | changes
    response = client_as("sales").post(reverse("transfer_contract", args=[contract.pk]), fields)
    assert response.status_code == 422 and said in text_of(response)
    beside = client_as("sales").post(reverse("transfer_contract_preview", args=[contract.pk]), fields)
    assert said in text_of(beside)


def test_a_planned_transfer_is_said_on_the_page_of_the_one(
    contract: Contract, other: Customer, client_as: ClientAs, february: Actor
) -> None:
    billing.transfer(february, contract=contract, customer=other, start=date(2026, 4, 1), key="V-NEW")
    client = client_as("sales")
    shown = text_of(client.get(reverse("contract", args=[contract.pk])))
    assert "What is changed here until then does not go along: change it there, too." in shown
    assert "Give notice" not in shown and "Transfer to another customer" not in shown
    refused = client.post(reverse("give_notice", args=[contract.pk]), {"line": "0", "received": "16.2.", "wish": ""})
    assert refused.status_code == 422 and "give notice of that one" in text_of(refused)
