"""Matching again gives what matching afresh gives, whatever was matched before, and writes only what changes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction

from taktura.catalog import services as catalog
from taktura.catalog.models import Article
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine, Pause
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.days import check_days
from taktura.usage.models import (
    ExchangeRate,
    ProductReference,
    SubscriptionLink,
    Supplier,
    SupplierSubscription,
    UsageException,
    UsageMark,
    UsageRecord,
)
from taktura.usage.services import parts
from taktura.usage.store import match, match_records

START = date(2026, 1, 1)
DAYS = 90
ROWS, SENT = 120, 60
SUBSCRIPTIONS, CONTRACTS = 6, 4
SEEDS, ROUNDS = range(6), 4
LATER = Actor("tests", datetime(2027, 1, 1, 9, tzinfo=UTC))
RATE = ("rate_day", "rate_over", "rate_under", "rate_to")


def _day(chance: Random) -> date:
    return START + timedelta(days=chance.randrange(DAYS))


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """Contracts of two articles each, and a supplier in another currency whose subscriptions are tied to nothing."""
    made = customers.create_seller(actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19))
    lines = {
        "disk": {"charge": "usage", "price": 1, "included": "1", "booking": "add_on", "key": "disks"},
        "mail": {"charge": "usage", "usage_pricing": "cost_plus"},
        "seat": {"charge": "recurring", "price": 3},
    }
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", lines=lines)
    customer = customers.create_customer(actor, seller=made, key="acme", name="Acme")
    for number in range(CONTRACTS):
        start = START + timedelta(days=number * 5)
        contracts.sign(actor, key=f"C{number}", customer=customer, tariff=tariff, start=start)
    usage.create_supplier(actor, seller=made, key="sun", create_subscriptions=True, currency="USD")
    return made


@contextmanager
def _as_many() -> Iterator[None]:
    """What is matched is matched by tables, as large amounts are; else so few records are matched by one query."""
    with patch.object(match, "FEW", 0):
        yield


def _take_in(actor: Actor, seller: Seller, chance: Random) -> None:
    """A file of a supplier, and usage that is sent for contracts."""
    text = ["id,subscription_id,product_id,quantity,period_start,period_end,cost,currency"]
    for number in range(ROWS):
        first = _day(chance)
        end = first + timedelta(days=chance.randrange(40)) if chance.random() < 0.5 else ""
        text.append(
            f"{number},S-{chance.randrange(SUBSCRIPTIONS)},P-{chance.randrange(3)},2,{first},{end},1.50,"
            f"{chance.choice(['EUR', 'USD', 'SEK'])}"
        )
    usage.receive_file(actor, supplier=Supplier.objects.get(), name="a.csv", content="\n".join(text).encode())
    entries: list[dict[str, Any]] = []
    for number in range(SENT):
        named = {"key": "disks"} if chance.random() < 0.3 else {"article": chance.choice(["disk", "mail", "none"])}
        at = _day(chance)
        until = {"until": at + timedelta(days=20)} if chance.random() < 0.4 else {}
        contract = f"C{chance.randrange(CONTRACTS + 1)}"
        entries.append({"contract": contract, "id": f"r{number}", "at": at, "quantity": 1, **until, **named})
    usage.record_usage(actor, seller=seller, entries=entries)


def _change(chance: Random) -> None:
    """Ties, references, pauses, ends, rates and rules become others, as if many had been busy."""
    supplier, lines = Supplier.objects.get(), list(ContractLine.objects.all())
    SubscriptionLink.objects.all().delete()
    for subscription in SupplierSubscription.objects.all():
        for line in chance.sample(lines, chance.choice([0, 1, 1, 2, 3])):
            first = _day(chance) if chance.random() < 0.3 else None
            end = (first or START) + timedelta(days=chance.randrange(1, 60)) if chance.random() < 0.3 else None
            SubscriptionLink.objects.create(subscription=subscription, line=line, first=first, end=end)
    ProductReference.objects.all().delete()
    for number in range(3):
        article = chance.choice(list(Article.objects.all()))
        ProductReference.objects.create(supplier=supplier, product=f"P-{number}", folded=f"p-{number}", article=article)
    Pause.objects.all().delete()
    for contract in Contract.objects.all():
        contract.end = START + timedelta(days=chance.randrange(30, DAYS)) if chance.random() < 0.4 else None
        contract.conversion = chance.choice(["", "day", "month"])
        contract.save()
        if chance.random() < 0.5:
            paused = _day(chance)
            Pause.objects.create(contract=contract, start=paused, end=paused + timedelta(days=chance.randrange(30)))
    ExchangeRate.objects.all().delete()
    for number in range(0, DAYS, chance.choice([1, 3, 10])):
        ExchangeRate.objects.create(
            seller=supplier.seller, base="EUR", quote="USD", day=START + timedelta(days=number),
            rate=Decimal(1) + Decimal(number).scaleb(-3), source="test", changed_at=LATER.now, by="test",
        )  # fmt: skip


def _matched() -> dict[str, Any]:
    """What is known of each record: its line and contract, its rate, and what of it waits."""
    fields = ("source", "external_id", "line_id", "contract_id", *RATE)
    found: dict[str, Any] = {str(pk): (*values, []) for pk, *values in UsageRecord.objects.values_list("id", *fields)}
    parts = UsageException.objects.order_by("record_id", "first", "reason").values_list(
        "record_id", "reason", "first", "end"
    )
    for pk, *part in parts:
        found[str(pk)][-1].append(part)
    return found


def _match(actor: Actor, seller: Seller) -> tuple[int, list[str], set[int]]:
    with transaction.atomic():
        return match_records(actor, UsageRecord.objects.filter(seller=seller), None)


def _afresh(seller: Seller) -> dict[str, Any]:
    """What matching says where nothing was matched before; a rate that a record has is kept."""
    with transaction.atomic(), _as_many():
        UsageException.objects.all().delete()
        UsageRecord.objects.update(line=None)
        _match(LATER, seller)
        found = _matched()
        transaction.set_rollback(True)
    return found


@pytest.fixture(params=SEEDS)
def chance(request: pytest.FixtureRequest) -> Iterator[Random]:
    """A source of chance for each seed."""
    yield Random(request.param)


def test_matching_again_is_matching_afresh(seller: Seller, actor: Actor, chance: Random) -> None:
    """Each round the world changes and all is matched again: the same comes out as where nothing was matched before."""
    with _as_many() if chance.random() < 0.5 else nullcontext():
        _take_in(actor, seller, chance)
    lines, reasons = set(), set()
    for number in range(ROUNDS):
        _change(chance)
        wanted = _afresh(seller)
        before = {record.pk: record for record in UsageRecord.objects.all()}
        waited = dict(UsageException.objects.values_list("pk", "since"))
        now = Actor("tests", LATER.now + timedelta(days=number))
        found, waiting, touched = _match(now, seller)
        assert _matched() == wanted
        assert list(check_days()) == []
        records = list(UsageRecord.objects.select_related("line"))
        came = [r for r in records if r.line_id is not None and r.line_id != before[r.pk].line_id]
        left = [r for r in records if before[r.pk].line_id not in (None, r.line_id)]
        assert found == sum(before[r.pk].line_id is None for r in came)
        assert touched == {r.line.contract_id for r in came} | {
            ContractLine.objects.get(pk=before[r.pk].line_id).contract_id for r in left
        }
        newest = max(r.revised for r in before.values())
        assert {r.pk for r in records if r.revised > newest} == {r.pk for r in came}, "new to its line: a new mark"
        assert all(r.revised == before[r.pk].revised for r in records if r not in came)
        assert _in_order(came), "the later arrival has the later mark"
        parts = list(UsageException.objects.order_by("record_id", "first", "reason"))
        assert waiting == [part.reason for part in parts]
        assert all(part.since == waited.get(part.pk, now.now) for part in parts), "what waits still waits since then"
        lines |= {record.line_id for record in records}
        reasons |= set(waiting)
    assert len(lines) > CONTRACTS and len(reasons) > 4, "chance must bring about most of what there is"


def test_matching_again_writes_nothing_where_nothing_changes(seller: Seller, actor: Actor, chance: Random) -> None:
    _take_in(actor, seller, chance)
    _change(chance)
    _match(actor, seller)
    parts, marks = list(UsageException.objects.values()), dict(UsageRecord.objects.values_list("pk", "revised"))
    found, waiting, touched = _match(LATER, seller)
    assert (found, touched, len(waiting)) == (0, set(), len(parts))
    assert list(UsageException.objects.values()) == parts
    assert dict(UsageRecord.objects.values_list("pk", "revised")) == marks


def test_a_file_that_comes_after_its_ties_is_matched_like_one_that_came_before(seller: Seller, actor: Actor) -> None:
    """Usage that found its line at once, and usage that waited, differ in nothing."""
    supplier, line = Supplier.objects.get(), ContractLine.objects.get(contract__key="C0", article__key="mail")
    head, row = "id,subscription_id,quantity,period_start,cost,currency", "S-1,1,2026-01-05,2,EUR"
    usage.receive_file(actor, supplier=supplier, name="a.csv", content=f"{head}\n1,{row}".encode())
    usage.link(actor, supplier=supplier, reference="S-1", line=line)
    assert usage.reprocess(actor, supplier=supplier)[0] == 1
    usage.receive_file(actor, supplier=supplier, name="b.csv", content=f"{head}\n2,{row}".encode())
    own = ("id", "external_id", "revised", "file_id", "row")
    waited, came = ({k: v for k, v in r.items() if k not in own} for r in UsageRecord.objects.order_by("pk").values())
    assert waited == came
    assert came["line_id"] == line.pk


def test_parts_at_once_give_what_one_gives(seller: Seller, actor: Actor, chance: Random) -> None:
    """Parts come to the same contracts, days and marks: they wait for each other, and block each other never."""
    _take_in(actor, seller, chance)
    supplier = Supplier.objects.select_related("seller").get()
    for number in range(ROUNDS):
        _change(chance)
        Contract.objects.update(settled_until=START + timedelta(days=DAYS), changed_from=None)
        UsageMark.objects.all().delete()
        with transaction.atomic():
            found, reasons, touched = usage.reprocess(LATER, supplier=supplier)
            wanted, told = _matched(), _told()
            transaction.set_rollback(True)
        chosen = usage.waiting_parts(seller, supplier, chance.choice([7, 15, 40]), 2)
        assert sum(part.records for part in chosen) == len(_waiting(supplier)) and len(chosen) % 2 == 0
        newest = max(UsageRecord.objects.values_list("revised", flat=True))
        done = usage.reprocess_parts(LATER, seller=seller, supplier=supplier, parts=chosen)
        assert (_matched(), _told()) == (wanted, told), number
        assert sum(part[0] for part in done) == found
        assert _in_order(UsageRecord.objects.filter(revised__gt=newest)), "the later arrival has the later mark"
        assert [reason for part in done for reason in part[1]] == reasons
        assert set[int]().union(*(part[2] for part in done)) == touched
        assert list(check_days()) == []


def _in_order(records: Iterable[UsageRecord]) -> bool:
    """Whether records have marks of their own in the order of their ids."""
    marks = [record.revised for record in sorted(records, key=lambda record: record.pk)]
    return marks == sorted(set(marks))


def _told() -> list[Any]:
    """What contracts were told of their usage."""
    contracts = Contract.objects.order_by("pk").values_list("pk", "changed_from")
    return [*contracts, *UsageMark.objects.order_by("contract_id").values_list("contract_id", "first", "end", "at")]


def _waiting(supplier: Supplier) -> set[int]:
    return set(UsageException.objects.filter(record__supplier=supplier).values_list("record_id", flat=True))


def test_a_part_that_fails_leaves_the_others_done(
    seller: Seller, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier, line = Supplier.objects.get(), ContractLine.objects.get(contract__key="C0", article__key="mail")
    rows = "\n".join(f"{n},S-1,1,2026-01-05,2,EUR" for n in range(4))
    head = "id,subscription_id,quantity,period_start,cost,currency"
    usage.receive_file(actor, supplier=supplier, name="a.csv", content=f"{head}\n{rows}".encode())
    usage.link(actor, supplier=supplier, reference="S-1", line=line)
    chosen, match = usage.waiting_parts(seller, supplier, 2, 2), parts.match_waiting

    def fails(actor: Actor, seller: Seller, supplier: Supplier, rows: Any, mark: int) -> Any:
        outcome = match(actor, seller, supplier, rows, mark)
        if UsageRecord.objects.get(pk=chosen[0].lowest).line_id:  # of this transaction alone
            raise ValueError("of its own making")
        return outcome

    monkeypatch.setattr(parts, "match_waiting", fails)
    with pytest.raises(ValueError, match="of its own making"):
        usage.reprocess_parts(actor, seller=seller, supplier=supplier, parts=chosen)
    matched = UsageRecord.objects.filter(line=line)
    assert {record.pk for record in matched} == set(range(chosen[1].lowest, chosen[1].highest + 1))
    monkeypatch.undo()
    (again,) = usage.reprocess_parts(
        actor, seller=seller, supplier=supplier, parts=usage.waiting_parts(seller, supplier, 2, 1)
    )
    assert matched.all().count() == 4


def test_where_nothing_waits_there_is_no_part(seller: Seller) -> None:
    assert usage.waiting_parts(seller, Supplier.objects.get(), 10, 2) == []
