"""The page of reconciliation: three columns, what became of what was imported, causes with their ways, export."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierSubscription

SignIn = Callable[..., Client]
PAGE = "/usage/reconciliation/"
ASKED = f"{PAGE}?month=2026-02"
MARCH = Actor("test", datetime(2026, 3, 2, 9, tzinfo=UTC))
ROWS = [
    {"id": "n1", "subscription_id": "<b>N-1</b>", "product_id": "P", "quantity": "3", "cost_amount": "15.00",
     "period_start": "2026-02-03"},
    {"id": "n2", "subscription_id": "N-2", "product_id": "P", "quantity": "1", "cost_amount": "8.00",
     "period_start": "2026-02-04"},
    {"id": "n3", "subscription_id": "N-3", "product_id": "P", "quantity": "1", "cost_amount": "2.00",
     "period_start": "2026-02-04"},
]  # fmt: skip


@pytest.fixture
def february(seller: Seller) -> Seller:
    """A supplier's February: one subscription billed with a margin, one not billed yet, one unlinked."""
    supplier = Supplier.objects.get()
    lines = {"cloud": {"title": "Cloud", "charge": "usage", "usage_pricing": "cost_plus", "markup": 20}}
    tariff = catalog.define_tariff(MARCH, seller=seller, key="cloud", title="Cloud", lines=lines)
    for key in ("acme", "oztuerk"):
        contracts.sign(
            MARCH, key=f"N-{key}", customer=Customer.objects.get(key=key), tariff=tariff, start=date(2026, 2, 1)
        )
    billing.import_rows(MARCH, supplier=supplier, rows=ROWS)
    line = {key: ContractLine.objects.get(contract__key=f"N-{key}") for key in ("acme", "oztuerk")}
    billing.tie(MARCH, supplier=supplier, ties=[("<b>N-1</b>", line["acme"]), ("N-2", line["oztuerk"])])
    billing.bill(MARCH, seller=seller, on=date(2026, 3, 1), contract=line["acme"].contract_id, processes=1)
    return seller


def rows_of(text: str) -> list[str]:
    """The rows of the table of subscriptions, as text."""
    table = text.partition('id="subscriptions"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in table.split("<tr")[1:]]


def test_differences_come_first_each_with_its_cause_and_a_way(february: Seller, client_as: SignIn) -> None:
    text = client_as().get(ASKED).content.decode()
    rows = rows_of(text)
    assert ["N-3" in rows[0], "N-2" in rows[1], "N-1" in rows[2]] == [True] * 3
    assert "Unlinked" in rows[0] and "Not billed yet" in rows[1] and "No difference" in rows[2]
    assert "<b>N-1" not in text
    unlinked = SupplierSubscription.objects.get(reference="N-3")
    assert reverse("subscription_link", args=[unlinked.pk]) in text
    contract = ContractLine.objects.get(contract__key="N-oztuerk").contract_id
    assert f"{reverse('contract', args=[contract])}#next-bill" in text
    totals = text.partition("Supplier charged")[2].partition("</dl>")[0]
    figures = re.findall(r'<dd class="figure[^>]*>([^<]+)<', totals)
    assert figures == ["€25.00", "€27.60", "€18.00", "−€7.00"]
    account = text.partition('id="account-title"')[2].partition("</section>")[0]
    assert "All of it is accounted for" in account and "waiting/?supplier=" in account


def test_the_table_by_contract_has_pages(february: Seller, client_as: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.office.usage.reconciliation.PAGE", 1)
    client, seen = client_as(), []
    for number in ("1", "2", "9", "x"):
        text = client.get(f"{ASKED}&contracts={number}").content.decode()
        table = text.partition('id="contracts"')[2].partition("</details>")[0]
        seen.append([name for name in ("N-acme", "N-oztuerk") if f">{name}<" in table.partition("</table>")[0]])
        assert ("contracts=2" in table) is (number in "1x") and ("contracts=1" in table) is (number in "29")
        assert text.partition('id="contracts"')[2].startswith(" open")
    assert seen[0] != seen[1] == seen[2] and seen[3] == seen[0] and all(len(names) == 1 for names in seen)


def test_filters_and_a_period_of_ones_own(february: Seller, client_as: SignIn) -> None:
    client = client_as()
    assert len(rows_of(client.get(f"{ASKED}&cause=unlinked").content.decode())) == 1
    assert len(rows_of(client.get(f"{ASKED}&cause=none").content.decode())) == 1
    assert "N-2" in rows_of(client.get(f"{ASKED}&q=n-oztuerk").content.decode())[0]
    assert "Nothing matches the filter" in client.get(f"{ASKED}&q=nothing").content.decode()
    assert len(rows_of(client.get(f"{PAGE}?from=2026-02-04&until=4.2.2026").content.decode())) == 3  # N-1: its charge
    assert "Nothing in this period" in client.get(f"{PAGE}?month=2020-01").content.decode()
    for wrong, said in (("from=x&until=y", "Type the first"), ("from=2026-03-01&until=2026-02-01", "ends before")):
        answer = client.get(f"{PAGE}?{wrong}")
        assert answer.status_code == 422 and said in answer.content.decode()
    for odd in ("month=9999-13", "page=99", "page=x", "supplier=x", "cause=<i>", "month=0001-01", "q=%00"):
        assert client.get(f"{PAGE}?{odd}").status_code == 200, odd


def test_export(february: Seller, client_as: SignIn) -> None:
    client = client_as()
    text = client.get(f"{ASKED}&export=csv").content.decode("utf-8-sig")
    rows = {r["Reference"]: r for r in csv.DictReader(io.StringIO(text))}
    one = rows["<b>N-1</b>"]
    assert [one[n] for n in ("Rows", "Quantity", "Supplier charged", "Contracts say", "Customers were billed")] == [
        "1", "3", "15.00", "18.00", "18.00"
    ]  # fmt: skip
    assert (one["Margin"], one["Billed usage"], one["Why"]) == ("3.00", "15.00", "")
    assert (rows["N-3"]["Waiting"], rows["N-3"]["Why"], rows["N-2"]["To be billed"]) == ("2.00", "Unlinked", "8.00")
    assert client.get(f"{ASKED}&export=xlsx").content[:2] == b"PK"


def test_the_amounts_of_an_export_are_exact_so_that_their_parts_add_up(february: Seller, client_as: SignIn) -> None:
    supplier = Supplier.objects.get()
    more = [
        {"id": "f1", "subscription_id": "F-1", "product_id": "P", "quantity": "1", "cost_amount": "0.005",
         "period_start": "2026-01-31", "period_end": "2026-02-01"},
        {"id": "f2", "subscription_id": "F-1", "product_id": "P", "quantity": "1", "period_start": "2026-02-02",
         "cost_amount": "0.1234567890123456789"},
        {"id": "f3", "subscription_id": "F-3", "product_id": "P", "quantity": "1", "cost_amount": "100000000",
         "period_start": "2026-02-02", "period_end": "2026-03-01"},
        {"id": "f4", "subscription_id": "F-3", "product_id": "P", "quantity": "1", "cost_amount": "0.0000001",
         "period_start": "2026-02-02"},
        *({"id": f"n{n}", "subscription_id": "N-2", "product_id": "P", "quantity": "1", "cost_amount": "0.005",
           "period_start": "2026-02-02"} for n in (8, 9)),
    ]  # fmt: skip
    billing.import_rows(MARCH, supplier=supplier, rows=more)
    usage.withdraw_usage(MARCH, seller=february, source=f"supplier:{supplier.key}", external_id="n9")
    text = client_as().get(f"{ASKED}&export=csv").content.decode("utf-8-sig")
    rows = {r["Reference"]: r for r in csv.DictReader(io.StringIO(text))}
    assert rows["F-1"]["Supplier charged"] == rows["F-1"]["Waiting"] == "0.1259567890123456789"
    assert rows["F-3"]["Supplier charged"] == "96428571.428571528571"  # 27 of 28 days do not end
    assert [rows["N-2"][name] for name in ("To be billed", "Excluded", "Supplier charged")] == [
        "8.005",
        "0.005",
        "8.01",
    ]
    for row in rows.values():
        parts = sum(Decimal(row[name]) for name in ("Billed usage", "Waiting", "Excluded", "To be billed"))
        assert parts == Decimal(row["Supplier charged"])


def test_who_may_not_change_usage_gets_no_way_to_tie(february: Seller, client_as: SignIn) -> None:
    unlinked = SupplierSubscription.objects.get(reference="N-3")
    text = client_as("viewer").get(ASKED).content.decode()
    assert "Unlinked" in text and reverse("subscription_link", args=[unlinked.pk]) not in text


def test_without_a_supplier_it_says_what_to_do(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    Supplier.objects.all().delete()
    assert "No supplier yet" in client.get(PAGE).content.decode()
