"""The usage store: its sums are those of a plain loop over the records, however these came (R6, R12.2, R17.1)."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from taktura.catalog import services as catalog
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.facts import LineTerms, Usage
from taktura.core.metering import billed_seconds
from taktura.core.money import EXACT
from taktura.core.schedule import Window
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import UsageHistory, UsageRecord
from taktura.usage.services.records import digest
from taktura.usage.store import Behind, Outcome, mark, rows_behind, sums, take_in, totals_behind, withdraw

START, YEAR_END = date(2026, 1, 1), date(2027, 1, 1)
SEEDS = range(6)
ZERO = Decimal(0)
LARGE = Decimal("12345678901234567890.123456789012")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it is sent for a line."""

    line: int
    id: str
    at: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    days: int = 1
    is_span: bool = False
    quantity: Decimal | None = None
    seconds: int | None = None
    cost_amount: Decimal | None = None
    amount: Decimal | None = None
    priced: bool = False
    attributes: dict[str, str] | None = None
    revision: int | None = None

    @property
    def day(self) -> date:
        """Its first day."""
        return self.at.date()

    @property
    def end_day(self) -> date:
        """The day after its last."""
        return self.day + timedelta(days=self.days)


@pytest.fixture
def lines(database: str, actor: Actor) -> list[ContractLine]:
    """The usage lines of three contracts that run from the beginning of 2026."""
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19)
    )
    tariff = catalog.define_tariff(
        actor, seller=seller, key="t", title="T", interval="1 month", lines={"gb": {"charge": "usage", "price": 1}}
    )
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    for number in range(3):
        contracts.sign(actor, key=f"C{number}", customer=customer, tariff=tariff, start=START)
    return list(ContractLine.objects.select_related("contract").order_by("id"))


@contextmanager
def undone() -> Iterator[None]:
    """What is done within is undone at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def take(actor: Actor, lines: list[ContractLine], records: list[Record]) -> Outcome:
    """Take records in, as one batch."""
    contract = {line.pk: line.contract_id for line in lines}
    rows = [
        (
            "test", r.id, r.revision or 1, r.revision is not None, digest([r.line, r.quantity, r.seconds, r.at]),
            contract[r.line], "gb", False, None, "", "", r.at, r.day, r.end_day, r.is_span, r.quantity, r.seconds,
            r.cost_amount, r.amount, "", "", r.priced, json.dumps(r.attributes) if r.attributes else None,
            None, None, None, "", False, None, None,
        )
        for r in records
    ]  # fmt: skip
    seller = Seller.objects.get().pk
    return take_in(actor, rows, seller=seller, strict=False)


def _number(chance: random.Random) -> Decimal | None:
    if chance.random() < 0.2:
        return None
    return Decimal(chance.randint(-(10**9), 10**10)).scaleb(-chance.choice([0, 2, 12]))


def _record(chance: random.Random, lines: list[ContractLine], number: int) -> Record:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(120 * 24), microseconds=number)
    record = Record(line=chance.choice(lines).pk, id=f"r{number}", at=at)
    if chance.random() < 0.2:
        return replace(
            record, seconds=chance.choice([0, 1, 59, 60, 61, 90, 91, 119, 120, 121, chance.randrange(10**7)])
        )
    is_span = chance.random() < 0.5
    return replace(
        record,
        is_span=is_span,
        days=chance.choice([1, 2, 7, 30, 31, 90]) if is_span else 1,
        quantity=_number(chance),
        cost_amount=_number(chance),
        amount=_number(chance),
        priced=chance.random() < 0.3,
        attributes={"user": chance.choice("abcde")} if chance.random() < 0.5 else None,
    )


def _expected(window: Window, records: list[Record]) -> Usage | None:
    """The sums of a window, by a loop over all records, without the mark."""
    terms, found = window.terms, Usage()
    parts: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    imported: dict[int, Decimal] = {}
    covered: set[tuple[date, date]] = set()
    inside, seen = [], False
    for r in (r for r in records if r.line == window.line):
        overlap = sum(max((min(r.end_day, b) - max(r.day, a)).days, 0) for a, b in window.ranges)
        first_inside = any(a <= r.day < b for a, b in window.ranges)
        if overlap and terms.usage_pricing == "fixed_quantity":
            covered |= set() if r.priced else {(r.day, r.end_day)}
        if first_inside:
            inside.append(r)
        if terms.aggregate != "sum" or not (overlap if r.is_span else first_inside):
            continue
        seen = True
        days, total = (overlap, r.days) if r.is_span else (1, 1)
        quantity, cost, amount = (EXACT.multiply(n or ZERO, days) for n in (r.quantity, r.cost_amount, r.amount))
        found = replace(found, count=found.count + 1)
        if r.priced:
            imported[total] = EXACT.add(imported.get(total, ZERO), amount)
            found = replace(found, imported_quantity=EXACT.add(found.imported_quantity, r.quantity or ZERO))
            continue
        before = parts.get(total, (ZERO, ZERO, ZERO))
        parts[total] = (EXACT.add(before[0], quantity), EXACT.add(before[1], cost), EXACT.add(before[2], amount))
        tick = terms.tick if terms.tick_scope == "record" else (1, 1)
        column = "days_parts" if r.is_span else "whole_parts"
        found = replace(
            found,
            raw_quantity=EXACT.add(found.raw_quantity, r.quantity or ZERO),
            seconds=found.seconds + billed_seconds(r.seconds or 0, tick),
            **{column: EXACT.add(getattr(found, column), quantity)},
        )
    if terms.aggregate == "sum":
        rest = {"parts": tuple((k, *parts[k]) for k in sorted(parts)), "imported": tuple(sorted(imported.items()))}
        return replace(found, covered=tuple(sorted(covered)), **rest) if seen or covered else None
    if not inside:
        return None
    quantities = [r.quantity for r in inside if r.quantity is not None]
    latest = max(inside, key=lambda r: r.at)
    names = {r.attributes[terms.aggregate_of] for r in inside if r.attributes and terms.aggregate_of}
    return Usage(count=len(inside), peak=max(quantities, default=ZERO), last=latest.quantity or ZERO, unique=len(names))


SUM = LineTerms(article="gb", charge="usage")
TERMS = [
    SUM,
    replace(SUM, tick=(1, 1)),
    replace(SUM, tick=(90, 30)),
    replace(SUM, tick_scope="period"),
    replace(SUM, usage_pricing="fixed_quantity"),
    replace(SUM, aggregate="count"),
    replace(SUM, aggregate="max"),
    replace(SUM, aggregate="last"),
    replace(SUM, aggregate="unique", aggregate_of="user"),
]


def _windows(chance: random.Random, lines: list[ContractLine], terms: LineTerms) -> list[Window]:
    """Windows of random borders that follow one another, for each line."""
    windows = []
    for line in lines:
        days = sorted(chance.sample(range(130), 6))
        borders = [START + timedelta(days=n) for n in days]
        windows += [
            Window(line.pk, a, ((a, b),), terms)
            for a, b in zip(borders, borders[1:], strict=False)
            if chance.random() < 0.9
        ]
    return windows


def _unmarked(found: dict[Any, Usage]) -> dict[Any, Usage]:
    return {key: replace(value, mark=0) for key, value in found.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_are_those_of_a_plain_loop(lines: list[ContractLine], actor: Actor, seed: int) -> None:
    chance = random.Random(seed)
    records = [_record(chance, lines, n) for n in range(150)]
    with transaction.atomic():
        assert take(actor, lines, records).recorded == len(records)
        for terms in TERMS:
            windows = _windows(chance, lines, terms)
            expected = {(w.line, w.start): _expected(w, records) for w in windows}
            found = sums(windows)
            assert {u.mark for u in found.values()} == {mark()}
            assert _unmarked(found) == {key: value for key, value in expected.items() if value is not None}


@pytest.mark.parametrize("seed", SEEDS)
def test_windows_in_two_ranges(lines: list[ContractLine], actor: Actor, seed: int) -> None:
    chance = random.Random(seed)
    records = [_record(chance, lines, n) for n in range(60)]
    terms = replace(SUM, usage_pricing="fixed_quantity")
    ranges = ((START, date(2026, 1, 20)), (date(2026, 2, 3), date(2026, 3, 1)))
    windows = [Window(line.pk, START, ranges, terms) for line in lines]
    with undone():
        take(actor, lines, records)
        found = sums(windows)
        for w in windows:
            expected = _expected(w, records)
            assert expected is not None
            # A span over both ranges: how often its whole quantity counts is asked below.
            ignored = {"count": 0, "raw_quantity": ZERO, "imported_quantity": ZERO, "mark": 0}
            assert replace(found[w.line, w.start], **ignored) == replace(expected, **ignored)


def test_a_span_over_two_ranges_counts_once(lines: list[ContractLine], actor: Actor) -> None:
    record = Record(
        line=lines[0].pk, id="1", at=datetime(2026, 1, 10, tzinfo=UTC), days=31, is_span=True, quantity=Decimal(7)
    )
    window = Window(lines[0].pk, START, ((START, date(2026, 1, 20)), (date(2026, 2, 3), date(2026, 3, 1))), SUM)
    with undone():
        take(actor, lines, [record])
        (found,) = sums([window]).values()
        assert (found.count, found.raw_quantity) == (1, 7)


def test_windows_without_records_are_left_out_and_queries_are_few(lines: list[ContractLine], actor: Actor) -> None:
    windows = [Window(line.pk, START, ((START, YEAR_END),), terms) for line in lines for terms in TERMS]
    assert sums([]) == {}
    assert sums(windows) == {}
    with undone():
        take(actor, lines, [_record(random.Random(1), lines[:1], n) for n in range(20)])
        with CaptureQueriesContext(connection) as queries:
            assert {line for line, _ in sums(windows)} == {lines[0].pk}
    assert len(queries) <= 6


def test_of_equal_instants_the_later_arrival_is_the_last(lines: list[ContractLine], actor: Actor) -> None:
    window = Window(lines[0].pk, START, ((START, YEAR_END),), replace(SUM, aggregate="last"))
    first, second = (Record(line=lines[0].pk, id=i, quantity=Decimal(q)) for i, q in (("b", 5), ("a", 3)))
    with undone():
        for record, last in ((first, 5), (second, 3), (replace(first, quantity=Decimal(8), revision=2), 8)):
            take(actor, lines, [record])
            (found,) = sums([window]).values()
            assert found.last == last


def test_sums_of_long_numbers_are_exact(lines: list[ContractLine], actor: Actor) -> None:
    window = Window(lines[0].pk, START, ((START, YEAR_END),), SUM)
    with undone():
        take(actor, lines, [Record(line=lines[0].pk, id=str(n), quantity=LARGE) for n in range(2)])
        (found,) = sums([window]).values()
        assert found.whole_parts == EXACT.multiply(LARGE, 2)


def test_of_equal_instants_in_one_batch_the_last_is_the_last(lines: list[ContractLine], actor: Actor) -> None:
    window = Window(lines[0].pk, START, ((START, YEAR_END),), replace(SUM, aggregate="last"))
    records = [Record(line=lines[0].pk, id=f"{n * 7919 % 300}", quantity=Decimal(n)) for n in range(300)]
    with undone():
        take(actor, lines, records)
        (found,) = sums([window]).values()
        assert found.last == 299


# Taking in


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_and_any_batches_end_the_same(lines: list[ContractLine], actor: Actor, seed: int) -> None:
    chance = random.Random(seed)
    latest, deliveries = {}, []
    for n in range(40):
        plain = _record(chance, lines, n)
        revisions = [None] if chance.random() < 0.4 else sorted(chance.sample(range(2, 9), chance.randint(1, 4)))
        for revision in revisions:
            latest[plain.id] = replace(_record(chance, lines, n), revision=revision)
            deliveries += [latest[plain.id]] * chance.randint(1, 3)
    windows = [Window(line.pk, START, ((START, YEAR_END),), terms) for line in lines for terms in TERMS[:1]]
    expected = {(w.line, w.start): _expected(w, list(latest.values())) for w in windows}
    for _ in range(4):
        chance.shuffle(deliveries)
        with undone():
            rest, counts = list(deliveries), [0, 0]
            while rest:
                size = chance.choice([1, 3, 20, 500])
                outcome = take(actor, lines, rest[:size])
                counts = [counts[0] + outcome.recorded, counts[1] + outcome.duplicates]
                assert outcome.conflicts == 0
                del rest[:size]
            assert sum(counts) == len(deliveries)
            assert counts[0] == UsageRecord.objects.count() + UsageHistory.objects.count()
            assert _unmarked(sums(windows)) == expected
            stored = UsageRecord.objects.values_list("external_id", "revision", "quantity", "line_id", "day")
            assert set(stored) == {(r.id, r.revision or 1, r.quantity, r.line, r.day) for r in latest.values()}
            before = mark()
            again = take(actor, lines, deliveries)
            assert (again.recorded, again.duplicates, mark()) == (0, len(deliveries), before)


def test_of_two_contents_without_a_revision_the_first_stays(lines: list[ContractLine], actor: Actor) -> None:
    one, two = (Record(line=lines[0].pk, id="same", quantity=Decimal(q)) for q in (1, 2))
    for batches in ([[one, two]], [[one], [two]], [[one, two, one, two]]):
        with undone():
            outcomes = [take(actor, lines, batch) for batch in batches]
            sent = sum(len(batch) for batch in batches)
            assert sum(o.conflicts for o in outcomes) == sent // 2
            assert sum(o.recorded + o.duplicates for o in outcomes) == sent // 2
            assert UsageRecord.objects.get().quantity == 1


# What a charge was made from


def _behind(line: int, at_mark: int) -> list[tuple[Any, ...]]:
    rows = rows_behind(Behind(line, START, YEAR_END, at_mark))
    return sorted((r["id"], r["revision"], r["day"], r["end_day"], r["quantity"], r["seconds"], r["at"]) for r in rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rows_behind_an_older_mark_are_those_of_then(lines: list[ContractLine], actor: Actor, seed: int) -> None:
    chance = random.Random(seed)
    stored: dict[str, Record] = {}
    seen: list[tuple[int, dict[str, Record]]] = []
    with undone():
        for step in range(40):
            if stored and chance.random() < 0.25:
                gone = chance.choice(sorted(stored))
                withdraw(actor, seller=Seller.objects.get().pk, source="test", external_id=gone, closed_until=None)
                del stored[gone]
            else:
                batch = {
                    f"r{n}": replace(_record(chance, lines, n), revision=step + 1) for n in chance.sample(range(12), 3)
                }
                assert take(actor, lines, list(batch.values())).recorded == 3
                stored |= batch
            seen.append((mark(), dict(stored)))
        for at_mark, then in seen:
            for line in lines:
                assert _behind(line.pk, at_mark) == sorted(
                    (r.id, r.revision, r.day, r.end_day, r.quantity, r.seconds, r.at)
                    for r in then.values()
                    if r.line == line.pk
                )


def test_the_rows_behind_are_those_of_their_days(lines: list[ContractLine], actor: Actor) -> None:
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    records = [Record(line=lines[0].pk, id=str(d), at=datetime(d.year, d.month, d.day, tzinfo=UTC)) for d in days]
    span = replace(records[0], id="span", at=datetime(2026, 1, 15, tzinfo=UTC), days=18, is_span=True, quantity=LARGE)
    with undone():
        take(actor, lines, [*records, span])
        then = mark()
        asked = Behind(lines[0].pk, date(2026, 2, 1), date(2026, 3, 1), then)
        february = [str(r["id"]) for r in rows_behind(asked)]
        assert february == ["span", "2026-02-01", "2026-02-28"]
        count, totals = totals_behind(asked)
        assert (count, totals["quantity"]) == (3, LARGE)
        withdraw(actor, seller=Seller.objects.get().pk, source="test", external_id="span", closed_until=None)
        (first, *rest) = rows_behind(asked, most=2)
        assert (first["id"], first["quantity"]) == ("span", LARGE)
        others = rows_behind(asked, after=(first["day"], first["revised"]), most=50)
        assert [str(r["id"]) for r in others] == february[1:] == [str(rest[0]["id"]), "2026-02-28"]
        assert totals_behind(asked) == (count, totals)
        assert rows_behind(asked._replace(mark=0)) == []
        assert totals_behind(asked._replace(mark=0))[0] == 0


# The content of a record


def test_equal_contents_have_one_digest() -> None:
    assert digest([Decimal("1.50"), None, date(2026, 6, 1)]) == digest([Decimal("1.5"), None, date(2026, 6, 1)])
    assert digest([Decimal("1.5")]) != digest([Decimal("1.51")])
    assert digest(["1", None]) != digest([None, "1"])


def test_long_numbers_that_differ_have_different_digests() -> None:
    assert digest([LARGE]) != digest([LARGE.next_plus(EXACT)])
    assert digest([LARGE]) != digest([EXACT.add(LARGE, Decimal("0.000000000001"))])


def test_minus_zero_is_zero() -> None:
    assert digest([Decimal("-0")]) == digest([Decimal(0)])


def test_a_cost_amount_of_long_numbers_is_exact(lines: list[ContractLine], actor: Actor) -> None:
    quantity, cost = Decimal("123456789012.123456789012"), Decimal("0.123456789012")
    entry = {"contract": "C0", "article": "gb", "quantity": quantity, "cost": cost}
    usage.record_usage(actor, seller=Seller.objects.get(), entries=[entry])
    assert UsageRecord.objects.get().cost_amount == EXACT.multiply(quantity, cost)
