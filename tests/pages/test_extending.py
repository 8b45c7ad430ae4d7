"""The pages that extend contracts from supplier subscriptions, many at once."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.office.usage.extending import MANY, as_text
from taktura.usage import services as usage
from taktura.usage.models import (
    ProductReference,
    SubscriptionLink,
    Supplier,
    SupplierCustomer,
    SupplierSubscription,
    UsageException,
    UsageRecord,
)

HEAD = "id,customer_id,customer_name,subscription_id,product_id,quantity,period_start,period_end\n"
ROWS = (
    "1,A1,ACME,acc-1,SEAT,2.5,2026-02-01,2026-02-28\n"
    "2,A1,ACME,acc-2,MAIL,10,2026-02-01,2026-02-28\n"
    "3,A2,Nobody <b>,acc-3,MAIL,1,2026-02-01,2026-02-28\n"
)
PATH = "/usage/subscriptions/extend/"


@pytest.fixture
def company(seller: Seller, actor: Actor) -> Seller:
    """The company with a contract whose tariff has articles to book, and a file whose rows wait."""
    lines = {
        "seat": {"title": "Seat", "charge": "usage", "booking": "add_on", "usage_pricing": "fixed_quantity",
                 "price": "8.00"},
        "mail": {"title": "Mailbox", "charge": "usage", "booking": "add_on", "usage_pricing": "usage_quantity",
                 "price": "2.40"},
    }  # fmt: skip
    tariff = catalog.define_tariff(actor, seller=seller, key="cloud", title="Cloud", lines=lines)
    acme = Customer.objects.get(key="acme")
    contracts.sign(actor, key="CLOUD", customer=acme, tariff=tariff, start=date(2026, 1, 1))
    supplier = Supplier.objects.get()
    usage.receive_file(actor, supplier=supplier, name="feb.csv", content=(HEAD + ROWS).encode())
    usage.link_customer(actor, supplier=supplier, reference="A1", customer=acme)
    article = catalog.declare_article(actor, seller=seller, key="seat")
    usage.set_product_reference(actor, supplier=supplier, product="seat", article=article)
    return seller


def pk_of(reference: str) -> int:
    """The id of a subscription."""
    return SupplierSubscription.objects.get(reference=reference).pk


def typed(reference: str, article: str, quantity: str = "3", **more: Any) -> dict[str, Any]:
    """A row as the form sends it."""
    pk = pk_of(reference)
    row = {"article": article, "quantity": quantity, "start": "1 Feb 2026", **more}
    return {f"contract-{pk}": "CLOUD"} | {f"{pk}-{name}": value for name, value in row.items()}


def test_what_is_known_is_filled_in_with_its_money(company: Seller, client_as: Callable[..., Client]) -> None:
    contract = Contract.objects.get(key="CLOUD").pk
    text = client_as().get(f"{PATH}?contract={contract}").content.decode()
    assert "acc-1" in text and "acc-2" in text and "acc-3" not in text, "those of the contract's customer"
    assert text.count(" checked") == 2, "what has an article is ticked, and an unknown product is remembered"
    assert re.search(r'id="extend-sum">€24.00<', text), "3 × 8.00; MAIL has no article yet"
    everything = client_as().get(PATH).content.decode()
    assert "acc-3" in everything and "Nobody &lt;b&gt;" in everything, "whose it is at the supplier"
    assert "No customer has a name like this one" in everything
    assert "acc-1" not in client_as().get(f"{PATH}?q=acc-3").content.decode()


def test_a_contract_is_filled_in_only_for_what_may_be_its_customers(
    company: Seller, client_as: Callable[..., Client]
) -> None:
    """No subscription of the contract's customer is linked, so that all stand there, everybody's."""
    SupplierCustomer.objects.update(customer=None)
    SupplierCustomer.objects.filter(reference="A1").update(name="Acme")
    contract = Contract.objects.get(key="CLOUD")
    text = client_as().get(f"{PATH}?contract={contract.pk}").content.decode()
    filled = {
        reference: re.findall(rf'name="contract-{pk_of(reference)}"[^>]* value="([^"]*)"', text)[0]
        for reference in ("acc-1", "acc-2", "acc-3")
    }
    acme = as_text(contract)
    assert filled == {"acc-1": acme, "acc-2": acme, "acc-3": ""}


def test_a_look_and_the_deed_have_the_same_figures(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    rows = typed("acc-1", "seat", "4") | typed("acc-2", "mail", stands_for="on")
    sent = {**rows, "chosen": [pk_of("acc-1"), pk_of("acc-2")]}
    look = client.post(f"{PATH}preview/", sent).content.decode()
    assert "€32.00" in look and "€24.00" in look and re.search(r'id="extend-sum">€56.00<', look)
    assert not SubscriptionLink.objects.exists()
    answer = client.post(PATH, sent, follow=True)
    text = answer.content.decode()
    assert "/usage/subscriptions/extended/?s=" in answer.redirect_chain[0][0]
    assert "2 contract lines are booked or tied." in text and "2 records found their line." in text
    assert "€32.00" in text and "€24.00" in text and "€56.00" in text
    assert ProductReference.objects.filter(folded="mail", article__key="mail").exists()
    waits = UsageException.objects.filter(record__file__name="feb.csv").values_list("record__external_id", flat=True)
    assert list(waits) == ["3"]


def test_nothing_is_saved_while_a_row_is_wrong(company: Seller, client_as: Callable[..., Client]) -> None:
    client, good = client_as(), typed("acc-1", "seat")
    chosen = [pk_of("acc-1"), pk_of("acc-2")]
    for wrong in (typed("acc-2", ""), typed("acc-2", "mail", "many"), typed("acc-2", "mail", start="someday")):
        answer = client.post(PATH, {**good, **wrong, "chosen": chosen})
        assert answer.status_code == 422 and "Nothing is saved yet" in answer.content.decode()
        assert not SubscriptionLink.objects.exists()
    early = {**good, **typed("acc-2", "mail", start="1 Feb 2025"), "chosen": chosen}
    assert client.post(PATH, early).status_code == 302, "it begins with the contract"
    assert ContractLine.objects.get(article__key="mail").start == date(2026, 1, 1)
    assert client.post(PATH, good).status_code == 422, "nothing is ticked"


def test_another_contract_brings_its_own_articles(company: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as(), pk_of("acc-1")
    sent = {**typed("acc-1", "seat"), f"contract-{pk}": "V-acme · ACME", "chosen": [pk]}
    look = client.post(f"{PATH}preview/", sent).content.decode()
    row = look.partition("acc-1")[2].partition("</tr>")[0]
    assert 'value="calls"' in row and 'value="seat"' not in row


def test_any_contract_is_found_by_what_is_typed(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    """Also one of a customer with many, of whom only some are proposed; and one of another customer."""
    client, acme = client_as(), Customer.objects.get(key="acme")
    tariff = Contract.objects.get(key="CLOUD").tariff
    for number in range(30):
        contracts.sign(actor, key=f"ZZ-{number:02}", customer=acme, tariff=tariff, start=date(2026, 1, 1))
    name, path = f"contract-{pk_of('acc-1')}", f"{PATH}contracts/"
    text = client.get(PATH).content.decode()
    assert 'list="contracts"' in text and f'name="{name}"' in text and '<datalist id="contracts">' in text

    def suggested(typed: str) -> list[str]:
        return re.findall(r'<option value="([^"]*)">', client.get(path, {name: typed}).content.decode())

    assert suggested("zz-29") == [f"ZZ-29 · {acme.name}"] == suggested(f"ZZ-29 · {acme.name}")
    assert len(suggested(acme.name)) == 12 and suggested("nothing like it") == []
    assert suggested("")[0].endswith(f" · {acme.name}"), "those of its customer come first"
    assert client.get(path, {"contract-x": "zz-07"}).content.decode().count("<option") == 1
    sent = {**typed("acc-1", "seat"), name: f"ZZ-29 · {acme.name}", "chosen": [pk_of("acc-1")]}
    assert client.post(PATH, sent).status_code == 302
    assert SubscriptionLink.objects.get().line.contract.key == "ZZ-29"


def test_a_contract_that_is_not_there_is_told(company: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as(), pk_of("acc-1")
    sent = {**typed("acc-1", "seat"), f"contract-{pk}": "CLOUDS <b>", "chosen": [pk]}
    for answer in (client.post(f"{PATH}preview/", sent), client.post(PATH, sent)):
        text = answer.content.decode()
        assert 'value="CLOUDS &lt;b&gt;"' in text, "what was typed stays"
        assert "Choose one of the contracts suggested, or type its number." in text
    assert answer.status_code == 422 and "Nothing is saved yet" in text
    empty = client.post(PATH, {**sent, f"contract-{pk}": ""}).content.decode()
    assert "Choose the contract first." in empty and "Choose one of the contracts suggested" not in empty


def test_a_product_is_said_once(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    sent = typed("acc-2", "mail", stands_for="on") | typed("acc-3", "", stands_for="on")
    look = client.post(f"{PATH}preview/", sent).content.decode()
    row = look.partition("acc-3")[2].partition("</tr>")[0]
    assert re.search(r'value="mail" selected', row)


def test_from_a_contract_those_come_that_its_customers_others_point_to(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client, contract, supplier = client_as(), Contract.objects.get(key="CLOUD"), Supplier.objects.get()
    line = contracts.book(actor, contract=contract, article="mail", start=date(2026, 2, 10))
    usage.link(actor, supplier=supplier, reference="acc-1", line=line)

    def shown(more: str = "") -> set[str]:
        text = client.get(f"{PATH}?contract={contract.pk}{more}").content.decode()
        return {r for r in ("acc-2", "acc-3") if f'value="{pk_of(r)}"' in text}

    assert shown() == {"acc-2"}, "its customer is linked"
    SupplierCustomer.objects.update(customer=None)
    assert shown() == {"acc-2"}, "another of this customer of the supplier is tied to it"
    assert shown("&all=1") == {"acc-2", "acc-3"}
    SupplierCustomer.objects.update(customer=Customer.objects.exclude(key="acme").first())
    assert shown() == {"acc-2", "acc-3"}, "linked to somebody else: none is this customer's, so all are shown"


def test_what_was_extended_leads_to_its_contract(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client, contract = client_as(), Contract.objects.get(key="CLOUD")
    line = contracts.book(actor, contract=contract, article="mail", start=date(2026, 2, 10))
    record = UsageRecord.objects.get(external_id="1")
    assert "Tie to a contract line" in client.get(f"/usage/records/{record.pk}/").content.decode()
    usage.link(actor, supplier=Supplier.objects.get(), reference="acc-1", line=line)
    text = client.get(f"/usage/subscriptions/extended/?s={pk_of('acc-1')}").content.decode()
    assert f'href="/contracts/{contract.pk}/"' in text.partition("<tbody>")[2]
    assert "Move to another line" in client.get(f"/usage/records/{record.pk}/").content.decode()
    form = client.get(f"/usage/subscriptions/{pk_of('acc-1')}/extend/?contract={contract.pk}").content.decode()
    assert "Product: SEAT" in form, "of what it is said that it stands for the article"


def test_the_ways_to_it(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    contract = Contract.objects.get(key="CLOUD").pk
    assert f"{PATH}?contract={contract}" in client.get(f"/contracts/{contract}/").content.decode()
    record = UsageRecord.objects.get(external_id="1")
    text = client.get(f"/usage/records/{record.pk}/").content.decode()
    key = re.search(r'name="key-0" value="([^"]+)"', text)
    assert key
    answer = client.post("/usage/waiting/", {"action": "extend:0", "key-0": key[1]})
    assert answer["Location"] == f"/usage/subscriptions/{pk_of('acc-1')}/extend/"
    listed = client.post("/usage/subscriptions/", {"action": "extend", "chosen": [pk_of("acc-2")]})
    assert listed["Location"] == f"{PATH}?s={pk_of('acc-2')}"
    assert client.get("/search/?q=extend contract")["Location"] == PATH


def test_who_may(company: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to(PATH) == {"lead", "technician", "viewer"}
    assert forbidden_to("/usage/subscriptions/extended/") == set()


def test_another_sellers_are_out_of_reach(company: Seller, client_as: Callable[..., Client]) -> None:
    other = Seller.objects.create(name="Other", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    client = client_as()
    sent = {**typed("acc-1", "seat"), "chosen": [pk_of("acc-1")]}
    session = client.session
    session["seller"] = other.pk
    session.save()
    contract = Contract.objects.get(key="CLOUD").pk
    assert client.get(f"{PATH}?contract={contract}").status_code == 404
    assert client.post(f"{PATH}?s={pk_of('acc-1')}", sent).status_code == 422
    assert "CLOUD" not in client.get(f"{PATH}contracts/", {f"contract-{pk_of('acc-1')}": ""}).content.decode()
    assert "acc-1" not in client.get(f"/usage/subscriptions/extended/?s={pk_of('acc-1')}").content.decode()
    assert not SubscriptionLink.objects.exists()


def test_a_hundred_are_shown_with_as_many_queries(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    client.get(PATH)
    counts = []
    for number in (10, MANY + 5):
        rows = "".join(f"{number}-{i},A1,ACME,{number}-{i},SEAT,1,2026-02-01,2026-02-28\n" for i in range(number))
        name = f"{number}.csv"
        usage.receive_file(actor, supplier=Supplier.objects.get(), name=name, content=(HEAD + rows).encode())
        with CaptureQueriesContext(connection) as asked:
            text = client.get(PATH).content.decode()
        counts.append(len(asked))
    assert counts[1] <= counts[0] and f"1 to {MANY} of 118" in text
    assert SupplierCustomer.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "module"),
    [(PATH, "taktura.office.usage.extending"), ("/usage/subscriptions/link/", "taktura.office.usage.links")],
)
def test_all_unlinked_ones_are_reached_by_pages_and_by_a_search(
    company: Seller, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, path: str, module: str
) -> None:
    """Those at the beginning, for which nothing is found, do not stand in the way of the others."""
    monkeypatch.setattr(f"{module}.MANY", 2)
    client = client_as()

    def there(query: str = "") -> list[str]:
        text = client.get(f"{path}{query}").content.decode()
        return [r for r in ("acc-1", "acc-2", "acc-3") if f'href="/usage/subscriptions/{pk_of(r)}/"' in text]

    assert (there(), there("?page=2"), there("?page=3")) == (["acc-1", "acc-2"], ["acc-3"], [])
    first, second = (client.get(f"{path}?page={n}").content.decode() for n in (1, 2))
    assert "1 to 2 of 3" in first and 'href="?page=2"' in first and 'rel="prev"' not in first
    assert "3 to 3 of 3" in second and 'href="?page=1"' in second and 'rel="next"' not in second
    assert there("?q=ACC-3") == ["acc-3"]
    assert "No unlinked supplier subscription is found by that" in client.get(f"{path}?q=zzz").content.decode()
