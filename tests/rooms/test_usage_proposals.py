"""What is proposed for usage that waits, and how what waits is told: groups, counters, mappings."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.groups import groups, records_of
from taktura.usage.models import FileProblem, Supplier, SupplierSubscription, UsageFile, UsageRecord
from taktura.usage.overview import arrived, counters, suppliers_overview, waiting_of_subscriptions
from taktura.usage.proposals import (
    articles_of,
    likeness,
    propose_contracts,
    propose_customers,
    propose_lines,
    search_lines,
    words_of,
)
from taktura.usage.reader import propose
from taktura.usage.trace import problem_text, revisions, row_of

NAMES = ("Öztürk Praxis GmbH", "Nordwind Logistik AG", "Nordwind Handel KG", "Acme AB")
HEAD = "id,customer_id,customer_name,subscription_id,subscription_name,product_id,product_name,quantity,period_start"
ROWS = (
    "1,K1,Praxis Ozturk,S-1,,SKU-D,Object storage,1,2026-01-05",
    "2,K1,Praxis Ozturk,S-1,,SKU-D,Object storage,2,2026-01-06",
    "3,K1,Praxis Ozturk,S-1,,SKU-D,Object storage,3,2026-01-07",
    "4,K2,NORDWIND,S-2,,SKU-S,Seat,3,2026-02-07",
    "5,K3,Nobody Knows,S-3,,SKU-X,Thing,3,2026-02-08",
    "6,K3,Nobody Knows,S-3,,SKU-X,Thing,3,2026-02-09",
    "7,K3,Nobody Knows,S-3,,SKU-X,Thing,none,2026-02-09",
)


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """Four customers with a contract each, and a file of seven rows of three unknown subscriptions."""
    made = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
    lines = {
        "disk": {"title": "Object storage", "charge": "usage", "price": 1},
        "seat": {"title": "Seat", "charge": "usage", "price": 1, "booking": "add_on"},
    }
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines)
    for number, name in enumerate(NAMES):
        customer = customers.create_customer(actor, seller=made, key=f"c{number}", name=name)
        contracts.sign(actor, key=f"V{number}", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    supplier = usage.create_supplier(
        actor, seller=made, key="sun", create_customers=True, create_subscriptions=True, mapping={"id": "id"}
    )
    usage.receive_file(actor, supplier=supplier, name="a.csv", content="\n".join((HEAD, *ROWS)).encode())
    return made


def row(reference: str) -> SupplierSubscription:
    """A subscription of the supplier."""
    return SupplierSubscription.objects.get(reference=reference)


def test_seven_rows_of_three_subscriptions_are_three_groups(seller: Seller, actor: Actor) -> None:
    found = groups(seller.pk)
    assert [(g.key.subscription, g.records) for g in found] == [("s-1", 3), ("s-3", 2), ("s-2", 1)]
    assert (found[0].first, found[0].end, found[0].since) == (date(2026, 1, 5), date(2026, 1, 8), actor.now)
    assert groups(seller.pk, text="S-2") == [found[2]] and groups(seller.pk, limit=1, offset=1) == [found[1]]
    assert groups(seller.pk, reason="paused") == [] and groups(seller.pk + 1) == []
    wanted = UsageRecord.objects.filter(subscription__in=["s-1", "s-2"]).values_list("pk", flat=True)
    assert set(records_of(seller.pk, [found[0].key, found[2].key])) == set(wanted)


def test_groups_of_usage_that_was_sent(seller: Seller, actor: Actor) -> None:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    entries = [
        {"contract": "V0", "key": "dial", "quantity": 1, "at": at},
        {"contract": "V0", "key": "dial", "quantity": 2, "at": at},
        {"contract": "V1", "key": "dial", "quantity": 2, "at": at},
        {"contract": "none", "article": "disk", "quantity": 2, "at": at},
        {"contract": "V0", "article": "disk", "quantity": 2, "at": "2025-12-01"},
    ]
    usage.record_usage(actor, seller=seller, entries=entries)
    found = {(g.key.reason, g.key.contract, g.key.article, g.key.sent_to): g for g in groups(seller.pk)}
    one, two = Contract.objects.get(key="V0").pk, Contract.objects.get(key="V1").pk
    assert found["unknown_key", one, "dial", ""].records == 2 and found["unknown_key", one, "dial", ""].key.by_key
    assert found["unknown_key", two, "dial", ""].records == 1
    assert found["no_contract", None, "disk", "none"].records == 1
    assert found["before_start", one, "disk", ""].records == 1
    for group in found.values():
        assert len(records_of(seller.pk, [group.key])) == group.records


@pytest.mark.parametrize(
    ("one", "other", "percent"),
    [
        ("Öztürk Praxis GmbH", "praxis ozturk", 100),
        ("Nordwind", "Nordwind Logistik AG", 50),
        ("GmbH & Co. KG", "Acme", 0),
        ("Hospiz und Seelsorge gGmbH", "Seelsorge Hospiz e. V.", 100),
        ("", "Acme", 0),
    ],
)
def test_names_are_alike_by_their_words(one: str, other: str, percent: int) -> None:
    assert likeness(words_of(one), words_of(other)) == percent


def test_customers_are_proposed_by_name(seller: Seller) -> None:
    found = propose_customers(seller.pk, ["Praxis Ozturk", "NORDWIND", "Nobody Knows", "", "A(B)*.+ [x"])
    said = {name: [(p.customer.key, p.score) for p in some] for name, some in found.items()}
    assert said["Praxis Ozturk"] == [("c0", 100)] and said["NORDWIND"] == [("c2", 50), ("c1", 50)]
    assert said["Nobody Knows"] == [] and "" not in said
    assert propose_customers(seller.pk + 1, ["NORDWIND"]) == {"NORDWIND": []}


def test_lines_are_proposed_by_customer_and_product(seller: Seller, actor: Actor) -> None:
    found = propose_lines(seller.pk, [row("S-1"), row("S-2"), row("S-3")])
    best = found[row("S-1").pk][0]
    assert (best.line.contract.key, best.line.article.key, best.grade) == ("V0", "disk", "good")
    assert best.why == ("name", "product", "free") and best.title == "Object storage"
    assert {p.line.contract.key for p in found[row("S-2").pk]} == {"V1", "V2"}
    assert {p.grade for p in found[row("S-2").pk]} == {"possible"} and found[row("S-3").pk] == []


def test_a_linked_customer_and_a_product_reference_say_more_than_names(seller: Seller, actor: Actor) -> None:
    supplier, acme = Supplier.objects.get(), Customer.objects.get(key="c3")
    usage.link_customer(actor, supplier=supplier, reference="K3", customer=acme)
    disk = Article.objects.get(key="disk")
    usage.set_product_reference(actor, supplier=supplier, product="SKU-X", article=disk)
    (best,) = propose_lines(seller.pk, [row("S-3")])[row("S-3").pk]
    assert (best.line.contract.key, best.score, best.why) == ("V3", 100, ("customer", "product", "free"))
    billing.tie(actor, supplier=supplier, ties=[("S-3", best.line)])
    (again,) = propose_lines(seller.pk, [row("S-3")])[row("S-3").pk]
    assert again.score == 90 and "free" not in again.why
    assert [c.key for c in propose_contracts(seller.pk, [row("S-3")])[row("S-3").pk]] == ["V3"]
    assert {c.key for c in propose_contracts(seller.pk, [row("S-2")])[row("S-2").pk]} == {"V1", "V2"}


def test_where_one_subscription_of_a_customer_goes_the_others_are_proposed_to_go(seller: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get()
    more = HEAD + "\n8,K3,Nobody Knows,S-4,,SKU-X,Thing,3,2026-02-09\n9,,,S-5,,SKU-X,Thing,3,2026-02-09\n"
    usage.receive_file(actor, supplier=supplier, name="b.csv", content=more.encode())
    assert propose_contracts(seller.pk, [row("S-4")])[row("S-4").pk] == []
    line = ContractLine.objects.get(contract__key="V3", article__key="disk")
    billing.tie(actor, supplier=supplier, ties=[("S-3", line), ("S-5", line)])
    assert [c.key for c in propose_contracts(seller.pk, [row("S-4")])[row("S-4").pk]] == ["V3"]
    (best,) = propose_lines(seller.pk, [row("S-4")])[row("S-4").pk]
    assert (best.line, best.score, best.why) == (line, 60, ("beside",))
    assert {c.key for c in propose_contracts(seller.pk, [row("S-2")])[row("S-2").pk]} == {"V1", "V2"}, (
        "another customer"
    )


def test_proposals_ask_a_fixed_number_of_queries(seller: Seller) -> None:
    rows = list(SupplierSubscription.objects.all())
    numbers = []
    for some in (rows[:1], rows):
        with CaptureQueriesContext(connection) as asked:
            propose_lines(seller.pk, some)
        numbers.append(len(asked))
    assert numbers[0] == numbers[1] <= 8


def test_lines_are_searched(seller: Seller) -> None:
    assert [p.line.contract.key for p in search_lines(seller.pk, "nordwind disk", 9)] == ["V1", "V2"]
    assert [p.line.contract.key for p in search_lines(seller.pk, "v3", 9)] == ["V3"]
    assert len(search_lines(seller.pk, "", 2)) == 2 and search_lines(seller.pk + 1, "", 9) == []


def test_what_a_contract_can_be_extended_by(seller: Seller, actor: Actor) -> None:
    contract = Contract.objects.get(key="V0")
    assert [a.key for a in articles_of([contract.pk]).on(contract.pk, date(2026, 2, 1))] == ["disk", "seat"]
    line = ContractLine.objects.get(contract=contract, article__key="disk")
    billing.tie(actor, supplier=Supplier.objects.get(), ties=[("S-1", line)])
    assert [a.title for a in articles_of([contract.pk]).on(contract.pk, date(2026, 2, 1))] == ["Seat"]


def test_counters_and_suppliers(seller: Seller, actor: Actor) -> None:
    found = counters(seller.pk, actor.now)
    assert (found.subscriptions, found.customers, found.files) == (3, 3, 1)
    (supplier,) = suppliers_overview(seller.pk)
    assert (supplier.waiting, supplier.unlinked, supplier.last.name) == (6, 3, "a.csv")
    assert waiting_of_subscriptions([row("S-1"), row("S-2")]) == {row("S-1").pk: 3, row("S-2").pk: 1}
    assert waiting_of_subscriptions([]) == {}


def test_what_arrived_by_day_and_month(seller: Seller) -> None:
    days = arrived(seller.pk, "day", date(2026, 1, 4), date(2026, 1, 7))
    assert [(d.start.day, d.records, d.recorded) for d in days] == [(4, 0, 0), (5, 1, 0), (6, 1, 0)]
    months = arrived(seller.pk, "month", date(2025, 12, 1), date(2026, 3, 1))
    assert [(m.start.month, m.records) for m in months] == [(12, 0), (1, 3), (2, 3)]


def test_a_record_leads_to_its_row(seller: Seller, actor: Actor) -> None:
    record = UsageRecord.objects.get(external_id="4")
    file = UsageFile.objects.get()
    found = row_of(file, record.row or 0)
    assert found is not None and ("customer_name", "NORDWIND") in found.cells and found.line == 5
    assert row_of(file, 99) is None
    billing.correct_usage(actor, seller=seller, record=record, changes={"quantity": 1})
    (old,) = revisions(seller.pk, record.source, "4")
    assert (old.revision, old.record["quantity"]) == (1, 3)


def test_a_problem_is_told_in_words(seller: Seller) -> None:
    problem = FileProblem.objects.get()
    assert problem.code == "bad_number" and "none" in problem_text(problem, "en")
    assert problem_text(problem, "de").startswith("„none“ in quantity ist keine Zahl")


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (
            "Kundennummer;Abonnement-ID;Artikelnummer;Menge;Von;Bis;EK-Preis\n1;a;b;3,5;01.06.2026;30.06.2026;1,20\n",
            {"customer_id": "Kundennummer", "subscription_id": "Abonnement-ID", "product_id": "Artikelnummer",
             "quantity": "Menge", "period_start": "Von", "period_end": "Bis", "cost": "EK-Preis", "decimal": ",",
             "date_format": "%d.%m.%Y"},
        ),
        (
            "SubAccountId,SubAccountName,SkuId,BilledCost,ChargePeriodStart\nA,Acme,X,1.5,2026-01-01 10:00:00\n",
            {"customer_id": "SubAccountId", "customer_name": "SubAccountName", "subscription_id": "SubAccountId",
             "subscription_name": "SubAccountName", "product_id": "SkuId", "cost_amount": "BilledCost",
             "period_start": "ChargePeriodStart"},
        ),
        (
            "Export vom 02.11.2026;;;\n\nAbo;Produktnr;Menge;Von\nA;X;1,5;31.10.2026\n",
            {"subscription_id": "Abo", "product_id": "Produktnr", "quantity": "Menge", "period_start": "Von",
             "decimal": ",", "date_format": "%d.%m.%Y", "skip_lines": 1},
        ),
        (
            "Usage of May\nSubAccountId,SkuId,BilledCost,ChargePeriodStart\nA,X,1.5,2026-01-01\n",
            {"customer_id": "SubAccountId", "subscription_id": "SubAccountId", "product_id": "SkuId",
             "cost_amount": "BilledCost", "period_start": "ChargePeriodStart", "skip_lines": 1},
        ),
        ("Customer,Note\nA,subscription_id\n", {"customer_name": "Customer"}),  # one cell makes no headings
        ("subscription_id,quantity,period_start\nA,1,01/02/2026\n", {}),  # day or month first: not guessed
        ("", {}),
        (
            "subscription_id;quantity;cost;period_start\nA;1.250,5;3,1;2026-06-01\n",
            {"decimal": ","},  # a point before the comma parts thousands: that row is refused, the sign is sure
        ),
        ("subscription_id;quantity;period_start\nA;1,250;2026-06-01\n", {}),  # a comma of decimals or of thousands
        ("subscription_id;quantity;cost;period_start\nA;2,5;1.250;2026-06-01\n", {}),
    ],
)  # fmt: skip
def test_a_mapping_is_proposed_from_a_file(text: str, mapping: dict[str, str | int]) -> None:
    found, _ = propose(text.encode())
    assert found == mapping
