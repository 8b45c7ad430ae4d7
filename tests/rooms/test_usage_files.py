"""Files of suppliers: kept unchanged, taken in once, each bad row with its line and reason (R6, R12, R17)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.audit.models import LogEntry
from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import (
    FileProblem,
    Supplier,
    SupplierCustomer,
    SupplierSubscription,
    UsageException,
    UsageFile,
    UsageHistory,
    UsageRecord,
)
from taktura.usage.overview import write_products
from taktura.usage.queries import waiting
from taktura.usage.services import Received
from taktura.usage.services.records import digest

HEADINGS = "id,subscription_id,quantity,period_start,revision"
START, JUNE = date(2026, 1, 1), date(2026, 6, 1)
JUNE_IN_BERLIN = datetime(2026, 6, 1, tzinfo=ZoneInfo("Europe/Berlin"))
TABLES = (UsageFile, FileProblem, UsageRecord, UsageHistory, UsageException, SupplierSubscription, SupplierCustomer)


@dataclass(slots=True)
class World:
    """A seller with a supplier, two contracts with a usage line each: S-1 is tied to the first, S-2 to the second."""

    actor: Actor
    seller: Seller
    supplier: Supplier
    lines: list[ContractLine]

    def receive(self, *lines: str, headings: str = HEADINGS, **options: Any) -> Received:
        """Receive a file of these lines."""
        content = "\n".join([headings, *lines]).encode()
        return usage.receive_file(self.actor, supplier=self.supplier, name="june.csv", content=content, **options)

    def quantities(self) -> dict[str, Decimal]:
        """The quantity of each record by its id."""
        return dict(UsageRecord.objects.order_by("external_id").values_list("external_id", "quantity"))


def _world(actor: Actor, supplier: str = "cloud", **fields: Any) -> World:
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    tariff = catalog.define_tariff(
        actor,
        seller=seller,
        key="cloud",
        title="Cloud",
        interval="1 month",
        lines={"gb": {"charge": "usage", "price": 1}},
    )
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    made = usage.create_supplier(actor, seller=seller, key=supplier, **({"create_subscriptions": True} | fields))
    lines = []
    for number in (1, 2):
        contract = contracts.sign(actor, key=f"C{number}", customer=customer, tariff=tariff, start=START)
        line = ContractLine.objects.get(contract=contract)
        usage.link(actor, supplier=made, reference=f"S-{number}", line=line)
        lines.append(line)
    return World(actor, seller, made, lines)


@pytest.fixture
def world(database: str, actor: Actor) -> World:
    """A supplier with two tied subscriptions."""
    return _world(actor)


def _counts(received: Received) -> dict[str, int]:
    assert received.file is not None
    file = UsageFile.objects.get(pk=received.file.pk)
    return {k: getattr(file, k) for k in ("rows", "recorded", "duplicates", "conflicts", "waiting")}


def _problems(received: Received) -> list[tuple[int | None, str, str, str]]:
    found = FileProblem.objects.filter(file=received.file).order_by("id")
    return list(found.values_list("line", "code", "column", "value"))


def test_the_bytes_are_kept(world: World) -> None:
    content = f"{HEADINGS}\r\n1,S-1,2,2026-06-01,\r\n\r\n".encode("utf-16")
    received = usage.receive_file(world.actor, supplier=world.supplier, name="n" * 400, content=content)
    file = UsageFile.objects.get()
    assert (bytes(file.content), file.name, file.received_at) == (content, "n" * 300, world.actor.now)
    assert _counts(received) == {"rows": 1, "recorded": 1, "duplicates": 0, "conflicts": 0, "waiting": 0}
    record = UsageRecord.objects.get()
    assert (record.file_id, record.row, record.line_id, record.source) == (
        file.pk,
        2,
        world.lines[0].pk,
        "supplier:cloud",
    )
    assert LogEntry.objects.filter(action="receive_file", data__sha256=file.sha256).count() == 1


def test_the_same_content_twice_is_refused(world: World) -> None:
    world.receive("1,S-1,2,2026-06-01,")
    with pytest.raises(Refused, match="june.csv") as error:
        world.receive("1,S-1,2,2026-06-01,")
    assert error.value.code == "conflict"
    assert (UsageFile.objects.count(), UsageRecord.objects.count()) == (1, 1)
    other = usage.create_supplier(world.actor, seller=world.seller, key="other")
    content = bytes(UsageFile.objects.get().content)
    assert usage.receive_file(world.actor, supplier=other, name="june.csv", content=content).outcome.exceptions == [
        "no_subscription"
    ]
    assert UsageRecord.objects.count() == 2


def test_bad_rows_are_kept_with_line_and_reason_and_stop_no_other(world: World) -> None:
    received = world.receive(
        "1,S-1,2,2026-06-01,",
        "2,S-1,two,2026-06-01,",
        "3,S-1,2,30.06.2026,",
        "4,S-2,1",
        "",
        "5,,1,2026-06-01,",
        "6,S-2,3,2026-06-02,",
    )
    assert _problems(received) == [
        (3, "bad_number", "quantity", "two"),
        (4, "bad_date", "period_start", "30.06.2026"),
        (5, "bad_line", "", "3 / 5"),
        (7, "no_subscription_id", "subscription_id", ""),
    ]
    assert "“two” in quantity is no number" in FileProblem.objects.order_by("id")[0].text
    assert world.quantities() == {"1": 2, "6": 3}
    assert _counts(received) == {"rows": 6, "recorded": 2, "duplicates": 0, "conflicts": 0, "waiting": 0}
    assert received.outcome.contracts == {line.contract_id for line in world.lines}


def test_a_file_where_all_is_bad_is_kept_with_its_problems(world: World) -> None:
    received = world.receive(*(f"{n},S-1,x,2026-06-01," for n in range(3)))
    assert [p[:2] for p in _problems(received)] == [(2, "bad_number"), (3, "bad_number"), (4, "bad_number")]
    assert _counts(received) == {"rows": 3, "recorded": 0, "duplicates": 0, "conflicts": 0, "waiting": 0}
    assert received.outcome.contracts == set()
    headless = world.receive("1,S-1,1,2026-06-01", headings="id,sub,quantity,date")
    assert [p[:3] for p in _problems(headless)] == [
        (1, "missing_column", "subscription_id"),
        (1, "missing_column", "period_start"),
    ]
    assert not UsageRecord.objects.exists()


def test_a_file_of_which_nothing_could_be_read_may_come_again(world: World) -> None:
    content = {"headings": "id;Abo;quantity;period_start"}
    first = world.receive("1;S-1;2;2026-06-01", "2;S-1;x;2026-06-01", **content)
    assert [p[1] for p in _problems(first)] == ["missing_column"]
    second = world.receive("1;S-1;2;2026-06-01", "2;S-1;x;2026-06-01", mapping={"subscription_id": "Abo"}, **content)
    assert (second.file, UsageFile.objects.count()) == (first.file, 1)
    assert [p[:2] for p in _problems(second)] == [(3, "bad_number")]
    assert _counts(second) == {"rows": 2, "recorded": 1, "duplicates": 0, "conflicts": 0, "waiting": 0}
    with pytest.raises(Refused):
        world.receive("1;S-1;2;2026-06-01", "2;S-1;x;2026-06-01", **content)


def test_no_more_problems_are_kept_than_the_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.usage.services.files.MAX_PROBLEMS_KEPT", 2)
    received = world.receive(*(f"{n},S-1,x,2026-06-01," for n in range(5)), "9,S-1,1,2026-06-01,")
    assert (len(_problems(received)), len(received.problems)) == (2, 5)
    assert _counts(received)["recorded"] == 1


def test_a_problem_of_the_whole_file_is_no_row(world: World) -> None:
    received = world.receive()
    assert _problems(received) == [(None, "no_rows", "", "")]
    assert _counts(received)["rows"] == 0


def test_an_id_twice_in_one_file(world: World) -> None:
    received = world.receive(
        "same,S-1,2,2026-06-01,",
        "same,S-1,2.0,2026-06-01,",  # the same content
        "same,S-1,3,2026-06-01,",  # other content
        "higher,S-1,5,2026-06-01,1",
        "higher,S-1,6,2026-06-01,3",
        "higher,S-1,7,2026-06-01,2",
    )
    assert world.quantities() == {"same": 2, "higher": 6}
    assert _counts(received) == {"rows": 6, "recorded": 3, "duplicates": 2, "conflicts": 1, "waiting": 0}
    assert _problems(received) == [(4, "conflict", "id", "same")]
    assert list(UsageHistory.objects.values_list("external_id", "revision", "withdrawn")) == [("higher", 1, False)]


def test_contracts_of_rows_before_a_repeated_id_are_told(world: World) -> None:
    received = world.receive("1,S-1,2,2026-06-01,", "2,S-2,2,2026-06-01,", "2,S-2,2,2026-06-01,")
    assert received.outcome.contracts == {line.contract_id for line in world.lines}


MONEY = "id,subscription_id,quantity,period_start,currency,cost_amount"


def test_the_case_of_a_currency_makes_no_conflict(world: World) -> None:
    world.receive("1,S-1,2,2026-06-01,EUR,4", "2,S-1,2,2026-06-01,eur,4", "2,S-1,2,2026-06-01,Eur,4", headings=MONEY)
    again = world.receive("1,S-1,2,2026-06-01,eur,4", "2,S-1,2,2026-06-01,EUR,4", headings=MONEY)
    assert _counts(again) | {"recorded": 0} == {
        "rows": 2, "recorded": 0, "duplicates": 2, "conflicts": 0, "waiting": 0,
    }  # fmt: skip
    assert UsageFile.objects.order_by("id").values_list("duplicates", "conflicts")[0] == (1, 0)
    other = world.receive("1,S-1,2,2026-06-01,usd,4", "2,S-1,2,2026-06-01,EUR,5", headings=MONEY)
    assert (other.outcome.duplicates, other.outcome.conflicts) == (0, 2)


@pytest.mark.parametrize("attributes", [None, {"room": "7"}])
def test_rows_that_were_stored_by_the_case_of_their_currency_are_known_again(
    world: World, attributes: dict[str, str] | None
) -> None:
    """Rows of before have a digest with the currency as the file had it: those in capitals by the same one as today."""
    mapping = {"attributes": {"room": "room"}} if attributes else {}
    usage.change_supplier(world.actor, supplier=world.supplier, mapping=mapping)
    headings, rest = f"{MONEY},room", "2,2026-06-01,{},4,7"
    rows = [f"{number},S-1,{rest.format(currency)}" for number, currency in enumerate(("EUR", "eur", ""), 1)]
    world.receive(*rows, headings=headings)
    content = ["s-1", "", JUNE_IN_BERLIN, JUNE, date(2026, 6, 2), Decimal(2), Decimal(4), None]
    more = [None, attributes] if attributes else []
    before = [digest([*content, currency, *more]) for currency in ("EUR", "eur", "")]
    stored = list(UsageRecord.objects.order_by("external_id").values_list("digest", flat=True))
    assert [stored[0], stored[2]] == [before[0], before[2]]
    UsageRecord.objects.filter(external_id="2").update(digest=before[1])
    again = world.receive(*reversed(rows), headings=headings)
    assert (again.outcome.duplicates, again.outcome.conflicts) == (3, 0)


def test_conflict_duplicate_and_revision_over_files(world: World) -> None:
    world.receive("1,S-1,2,2026-06-01,")
    again = world.receive("1,S-1,2.00,2026-06-01,", "2,S-1,1,2026-06-01,")
    assert (again.outcome.duplicates, again.outcome.recorded) == (1, 1)
    conflict = world.receive("1,S-1,3,2026-06-01,", "3,S-1,1,2026-06-01,")
    assert (conflict.outcome.conflicts, conflict.outcome.recorded) == (1, 1)
    assert _problems(conflict) == [(2, "conflict", "id", "1")]
    old = world.receive("1,S-1,4,2026-06-01,1")
    assert (old.outcome.duplicates, world.quantities()["1"]) == (1, 2)
    higher = world.receive("1,S-2,5,2026-06-02,7")
    assert (higher.outcome.recorded, world.quantities()["1"]) == (1, 5)
    record = UsageRecord.objects.get(external_id="1")
    assert (record.revision, record.line_id, record.day) == (7, world.lines[1].pk, date(2026, 6, 2))
    history = UsageHistory.objects.get()
    assert (history.revision, history.line, history.replaced_at) == (1, world.lines[0].pk, world.actor.now)


def test_rows_without_an_id_are_known_by_subscription_product_and_period(world: World) -> None:
    headings = "subscription_id,product_id,quantity,period_start,period_end"
    first = world.receive("S-1,P,1,2026-06-01,2026-06-30", "S-1,P,1,2026-07-01,2026-07-31", headings=headings)
    assert first.outcome.recorded == 2
    again = world.receive(
        "s-1,p,1,2026-06-01,2026-06-30",  # references do not regard case
        "S-1,P,2,2026-07-01,2026-07-31",
        "S-1,Q,1,2026-06-01,2026-06-30",
        "S-1,P,1,2026-06-01,2026-06-29",
        headings=headings,
    )
    assert (again.outcome.duplicates, again.outcome.conflicts, again.outcome.recorded) == (1, 1, 2)


def test_a_withdrawn_record_may_come_again(world: World) -> None:
    world.receive("1,S-1,2,2026-06-01,", "2,S-3,1,2026-06-01,")
    for external_id, contract in (("1", {world.lines[0].contract_id}), ("2", set())):
        assert (
            usage.withdraw_usage(world.actor, seller=world.seller, external_id=external_id, source="supplier:cloud")
            == contract
        )
    assert not UsageRecord.objects.exists() and not UsageException.objects.exists()
    assert list(UsageHistory.objects.order_by("id").values_list("external_id", "withdrawn")) == [
        ("1", True),
        ("2", True),
    ]
    with pytest.raises(Refused) as error:
        usage.withdraw_usage(world.actor, seller=world.seller, external_id="1", source="supplier:cloud")
    assert error.value.code == "not_found"
    assert world.receive("1,S-1,3,2026-06-01,").outcome.recorded == 1


def test_usage_of_a_closed_period_waits_and_is_not_corrected(world: World) -> None:
    world.receive("1,S-1,2,2026-05-31,", "2,S-1,2,2026-06-01,")
    customers.close_period(world.actor, seller=world.seller, until=JUNE)
    late = world.receive("3,S-1,1,2026-05-31,", "4,S-1,1,2026-06-01,")
    assert (late.outcome.recorded, late.outcome.exceptions) == (1, ["closed_period"])
    moved = world.receive("1,S-1,9,2026-06-03,2", "2,S-1,9,2026-05-31,2", "4,S-1,9,2026-06-02,2")
    assert (moved.outcome.recorded, moved.outcome.conflicts) == (1, 2)
    assert [p[0] for p in _problems(moved)] == [2, 3]
    assert world.quantities() == {"1": 2, "2": 2, "3": 1, "4": 9}
    for external_id in ("1", "3"):
        with pytest.raises(Refused) as error:
            usage.withdraw_usage(world.actor, seller=world.seller, external_id=external_id, source="supplier:cloud")
        assert error.value.code == "closed_period"
    assert usage.reprocess(world.actor, supplier=world.supplier) == (0, ["closed_period"], set())


def test_what_is_not_tied_waits_until_it_is_processed_again(world: World) -> None:
    received = world.receive("1,S-3,2,2026-06-01,", "2,S-1,2,2026-06-01,", "3,S-4,1,2026-06-01,")
    assert received.outcome.exceptions == ["no_subscription", "no_subscription"]
    assert _counts(received) == {"rows": 3, "recorded": 1, "duplicates": 0, "conflicts": 0, "waiting": 2}
    waits = UsageException.objects.get(record__external_id="1")
    assert (waits.reason, waits.first, waits.end, waits.since) == (
        "no_subscription",
        JUNE,
        date(2026, 6, 2),
        world.actor.now,
    )
    usage.link(world.actor, supplier=world.supplier, reference=" s-3 ", line=world.lines[0])
    assert UsageException.objects.count() == 2
    assert usage.reprocess(world.actor, supplier=world.supplier) == (
        1,
        ["no_subscription"],
        {world.lines[0].contract_id},
    )
    assert UsageRecord.objects.get(external_id="1").line_id == world.lines[0].pk
    assert usage.reprocess(world.actor, supplier=world.supplier) == (0, ["no_subscription"], set())


def test_rows_partly_outside_the_life_of_their_line(world: World) -> None:
    contracts.end_line(world.actor, line=world.lines[0], until=JUNE)
    received = world.receive(
        "1,S-1,1,2025-12-30,2026-01-02", "2,S-1,1,2026-05-31,2026-06-02", "3,S-1,1,2026-06-01,2026-06-30",
        "4,S-1,1,2025-12-01,2025-12-31", headings="id,subscription_id,quantity,period_start,period_end"
    )  # fmt: skip
    assert received.outcome.recorded == 2
    waits = UsageException.objects.order_by("record__external_id").values_list("reason", "first", "end")
    assert list(waits) == [
        ("before_start", date(2025, 12, 30), START),
        ("after_end", JUNE, date(2026, 6, 3)),
        ("after_end", JUNE, date(2026, 7, 1)),
        ("before_start", date(2025, 12, 1), START),
    ]


def test_the_product_tells_lines_of_one_subscription_apart(world: World) -> None:
    usage.link(world.actor, supplier=world.supplier, reference="S-1", line=world.lines[1])
    headings = "id,subscription_id,product_id,quantity,period_start"
    unknown = world.receive("1,S-1,P,1,2026-06-01", headings=headings)
    assert unknown.outcome.exceptions == ["unknown_key"]
    article = Article.objects.get(seller=world.seller, key="gb")
    usage.set_product_reference(world.actor, supplier=world.supplier, product="P", article=article)
    assert usage.reprocess(world.actor, supplier=world.supplier)[0] == 1


def test_products_stand_as_the_supplier_writes_them(world: World) -> None:
    """Also those that are not the one its subscription has now; of two ways of writing one the later."""
    headings = "id,subscription_id,product_id,quantity,period_start"
    rows = ["1,S-1,SKU-Ä/One,1,2026-06-01", "2,S-1,Sku-Two,1,2026-06-02", "3,S-1,SKU-TWO,1,2026-06-03"]
    world.receive(*rows, headings=headings)
    records = list(UsageRecord.objects.order_by("external_id"))
    assert [r.product for r in records] == ["sku-ä/one", "sku-two", "sku-two"], "compared so"
    write_products(records)
    assert [r.written for r in records] == ["SKU-Ä/One", "SKU-TWO", "SKU-TWO"]
    world.receive("4,S-1,sku-Two,1,2026-06-04", headings=headings)
    write_products(records)
    assert [r.written for r in records] == ["SKU-Ä/One", "sku-Two", "sku-Two"]


def test_the_same_currency_or_none(world: World) -> None:
    received = world.receive(
        "1,S-1,1,2026-06-01,USD", "2,S-1,1,2026-06-01,EUR", "3,S-1,1,2026-06-01,",
        headings="id,subscription_id,quantity,period_start,currency",
    )  # fmt: skip
    assert (received.outcome.recorded, received.outcome.exceptions) == (2, ["currency"])


@pytest.mark.parametrize("create", [True, False])
def test_what_a_file_says_of_subscriptions_and_customers(database: str, actor: Actor, create: bool) -> None:
    world = _world(actor, create_subscriptions=create, create_customers=create)
    headings = "subscription_id,subscription_name,customer_id,customer_name,quantity,period_start"
    world.receive(
        "S-1,old,K-1,Old,1,2026-06-01",
        "s-1,new,k-1,New,2,2026-06-02",
        "S-9,nine,K-2,Two,1,2026-06-01",
        headings=headings,
    )
    assert dict(SupplierSubscription.objects.values_list("reference", "name")) == {"S-1": "new", "S-2": ""} | (
        {"S-9": "nine"} if create else {}
    )
    assert dict(SupplierCustomer.objects.values_list("folded", "name")) == (
        {"k-1": "New", "k-2": "Two"} if create else {}
    )


def test_a_mapping_given_with_the_file_goes_before_the_suppliers(database: str, actor: Actor) -> None:
    world = _world(actor, mapping={"subscription_id": "Abo", "quantity": "Menge", "period_start": "Tag"})
    plain = world.receive("1;S-1;2;2026-06-01", headings="id;Abo;Menge;Tag")
    assert plain.outcome.recorded == 1
    german = world.receive(
        "2;S-1;1,5;02.06.2026",
        headings="id;Vertrag;Menge;Tag",
        mapping={
            "columns": {"subscription_id": "Vertrag", "quantity": "Menge", "period_start": "Tag"},
            "decimal": ",",
            "date_format": "%d.%m.%Y",
        },
    )
    assert german.outcome.recorded == 1
    assert world.quantities() == {"1": 2, "2": Decimal("1.5")}


def test_a_failing_import_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [table.objects.count() for table in (*TABLES, LogEntry)]

    def fail(*args: Any) -> None:
        assert UsageRecord.objects.exists()
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as broken:
        broken.setattr("taktura.usage.services.files.keep_told", fail)
        with pytest.raises(RuntimeError):
            world.receive("1,S-1,2,2026-06-01,", "2,S-5,2,2026-06-01,", "3,S-1,x,2026-06-01,")
    with pytest.raises(Refused):
        world.receive("1,S-1,2,2026-06-01,", "2,S-5,2,2026-06-01,", "3,S-1,x,2026-06-01,", mapping={"quantitiy": "x"})
    assert [table.objects.count() for table in (*TABLES, LogEntry)] == before
    assert world.receive("1,S-1,2,2026-06-01,", "2,S-5,2,2026-06-01,", "3,S-1,x,2026-06-01,").outcome.recorded == 1


def test_late_usage_asks_its_contract_to_be_settled_again(world: World) -> None:
    Contract.objects.update(settled_until=date(2026, 7, 1), changed_from=None)
    world.receive("1,S-1,2,2026-06-15,", "2,S-1,2,2026-06-10,", "3,S-2,2,2026-07-01,", "4,S-3,1,2026-06-01,")
    changed = dict(Contract.objects.values_list("key", "changed_from"))
    assert changed == {"C1": date(2026, 6, 10), "C2": None}


def test_fifty_thousand_lines_in_as_many_queries_as_five_hundred_and_fifty_in_fewer(world: World) -> None:
    queries = []
    for first, count in ((0, 50), (1_000, 500), (100_000, 50_000)):
        numbers = range(first, first + count)
        lines = [f"{n},S-{n % 3 + 1},{n}.25,2026-06-{n % 30 + 1:02}," for n in numbers]
        repeated = [lines[0], f"{first + 1},S-1,77,2026-06-01,"]
        with CaptureQueriesContext(connection) as captured:
            received = world.receive(*lines, *repeated, "x,S-1,?,2026-06-01,")
        queries.append(len(captured))
        third = sum(n % 3 == 2 for n in numbers)
        assert _counts(received) == {
            "rows": count + 3,
            "recorded": count - third,
            "duplicates": 1,
            "conflicts": 1,
            "waiting": third,
        }
        assert _problems(received) == [
            (count + 4, "bad_number", "quantity", "?"),
            (count + 3, "conflict", "id", str(first + 1)),
        ]
    assert queries[0] < queries[1] == queries[2]


def test_what_waits_is_counted_by_seller(world: World, actor: Actor) -> None:
    other = _world(actor, supplier="elsewhere")
    world.receive("1,S-8,1,2026-06-01,", "2,S-9,1,2026-06-01,", "3,S-1,1,2026-06-01,")
    other.receive("1,S-9,1,2026-06-01,")
    usage.record_usage(actor, seller=other.seller, entries=[{"contract": "C1", "article": "none", "quantity": 1}])
    assert [waiting(w.seller.pk) for w in (world, other)] == [2, 2]
    usage.record_usage(actor, seller=world.seller, entries=[{"contract": "C9", "article": "gb", "quantity": 1}])
    assert [waiting(w.seller.pk) for w in (world, other)] == [3, 2]  # of a contract that nobody has


def test_a_record_that_waits_in_parts_is_counted_once(world: World) -> None:
    contracts.end_line(world.actor, line=world.lines[0], until=JUNE)
    world.receive("1,S-1,1,2025-12-30,2026-06-30", headings="id,subscription_id,quantity,period_start,period_end")
    assert (UsageException.objects.count(), waiting(world.seller.pk)) == (2, 1)


def test_suppliers_of_two_sellers_may_have_the_same_key(world: World, actor: Actor) -> None:
    other = _world(actor)
    world.receive("1,S-1,1,2026-06-01,")
    assert other.receive("1,S-1,2,2026-06-01,").outcome.recorded == 1


def test_two_sellers_may_send_the_same_ids(world: World, actor: Actor) -> None:
    """The identity of a record is its seller's: (source, id) of one says nothing of the other's."""
    other = _world(actor)
    for seller in (world.seller, other.seller):
        outcome = usage.record_usage(
            actor, seller=seller, entries=[{"contract": "none", "article": "gb", "quantity": 1, "id": "same"}]
        )
        assert (outcome.duplicates, outcome.exceptions) == (0, ["no_contract"])
    usage.withdraw_usage(actor, seller=other.seller, external_id="same")
    assert [waiting(s.pk) for s in (world.seller, other.seller)] == [1, 0]
