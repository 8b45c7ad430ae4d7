"""What-if on a real database: stories are told by the services, then their months are rated against drafts."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from taktura.billing import what_if as service
from taktura.billing.what_if import Outcome, what_if, what_if_for_contract
from taktura.catalog import services as catalog
from taktura.catalog.drafts import fields_of_version
from taktura.catalog.models import Tariff, TariffVersion
from taktura.cli.scenarios.load import Scenario, load
from taktura.cli.scenarios.report import render
from taktura.cli.scenarios.run import run
from taktura.cli.scenarios.view import fingerprints
from taktura.contracts.models import Contract, ContractPhase, PhaseVersion
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
STORIES = [p for area in ("rating", "tariffs") for p in sorted((SCENARIOS / area).rglob("*.yaml"))]
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 31)
NOW = Actor("test", datetime(2026, 4, 15, 8, tzinfo=UTC))

STORY = """
scenario: three months of calls
tariffs:
  talk:
    title: Talk
    minimum_sales: 20
    lines:
      base: {title: Base, price: 9.90, when: arrears}
      call: {title: Calls, key: tel, charge: usage, unit: minute, price: 0.10, included: 10, in_minimum: true}
      letter: {title: Letters, charge: usage, price: 1.00}
customers:
  acme: {name: Acme GmbH}
  beta: {name: Beta AG}
contracts:
  A1: {customer: acme, tariff: talk, start: 2026-01-01}
  A2: {customer: acme, tariff: talk, start: 2026-01-01}
  B1: {customer: beta, tariff: talk, start: 2026-02-10}
timeline:
  - on: 2026-01-20
    usage:
      - {contract: A1, article: call, duration: 6061, id: one}
      - {contract: A1, article: call, duration: 30000, id: two}
      - {contract: A2, article: letter, quantity: 3}
  - on: 2026-02-01
    bill: {}
  - on: 2026-02-20
    usage:
      - {contract: A1, article: call, duration: 120}
      - {contract: B1, article: call, duration: 65}
  - on: 2026-03-01
    bill: {}
  - on: 2026-03-10
    bill: {}
  - on: 2026-04-01
    bill: {}
"""


@pytest.fixture
def tell(read: Callable[[str], Scenario]) -> Iterator[Callable[[str], None]]:
    """Lets a story happen in a database of the test's own."""

    def happen(text: str) -> None:
        result = run(read(text))
        assert not result.error and not result.differences, render(result)

    with scratch_database():
        yield happen


def told(fields: dict[str, Any], first: date = JANUARY, last: date = MARCH, **options: Any) -> Outcome:
    """A what-if that cannot write, of the one seller."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        return what_if(
            NOW, seller=Seller.objects.get(), fields=fields, first_month=first, last_month=last, **options
        )  # fmt: skip


def own(key: str = "talk") -> dict[str, Any]:
    """The fields of a stored tariff's first version."""
    version = TariffVersion.objects.select_related("tariff").filter(tariff__key=key).first()
    assert version is not None
    return fields_of_version(version)


def by_contract(outcome: Outcome) -> dict[str, tuple[Decimal, Decimal]]:
    """Old and new by the contract's key."""
    keys = dict(Contract.objects.values_list("pk", "key"))
    return {keys[r.contract]: (outcome.money(r.old), outcome.money(r.new)) for r in outcome.rows}


def with_line(article: str, **changes: Any) -> dict[str, Any]:
    """The stored tariff with a line changed; no changes: without the line."""
    fields = own()
    line = fields["lines"].pop(article)
    if changes:
        fields["lines"][article] = line | changes
    return fields


def money(*amounts: str) -> tuple[Decimal, ...]:
    """Amounts as decimals."""
    return tuple(Decimal(a) for a in amounts)


def test_its_own_tariff_gives_what_was_billed(tell: Callable[[str], None]) -> None:
    """Old is what the bills of the months come to; new the same, since nothing is changed."""
    tell(STORY)
    found = told(own())
    billed = sum((d.net for d in Document.objects.all()), start=0)
    assert found.old == found.new == billed
    assert all(row.difference == 0 and not row.parts and not row.running for row in found.rows)
    # A1: 9.90 + 592 minutes at 0.10, then twice 9.90 + 20.00. A2: 3 letters. B1: 10 February to 9 March.
    assert by_contract(found) == {
        "A1": money("128.90", "128.90"), "A2": money("92.70", "92.70"), "B1": money("29.90", "29.90"),
    }  # fmt: skip
    assert not found.lost and not found.failed and not found.without_period and not found.other_currency
    lines = {(line.article, line.kind): (line.old, line.new) for line in found.lines}
    assert lines["", "minimum_sales"] == (12000, 12000)
    assert lines["call", "usage"] == (5920, 5920)


def test_a_tick_is_taken_of_each_record(tell: Callable[[str], None]) -> None:
    """By the second the records of January are 6061 + 30000 seconds, not 102 + 500 minutes."""
    tell(STORY)
    found = told(with_line("call", tick="second"), JANUARY, JANUARY)
    # (36061 / 60 − 10) × 0.10 = 59.1016…
    assert by_contract(found)["A1"] == money("69.10", "69.00")
    period = told(with_line("call", tick="second", tick_scope="period"), JANUARY, JANUARY)
    assert by_contract(period)["A1"] == money("69.10", "69.00")


def test_minimum_cap_tiers_and_included(tell: Callable[[str], None]) -> None:
    tell(STORY)
    fields = own() | {"minimum_sales": None, "cost_cap": "40"}
    fields["lines"]["call"] |= {"in_minimum": False, "in_cap": True, "included": "0", "price": None}
    fields["lines"]["call"]["tiers"] = [{"up_to": "100", "price": "0.20"}, {"price": "0.10"}]
    found = told(fields, JANUARY, JANUARY, detail=True)
    # 602 minutes: 20.00 + 50.20, the cap takes 30.20 off.
    assert by_contract(found) == {"A1": money("69.10", "49.90"), "A2": money("32.90", "12.90")}
    (row,) = [r for r in found.rows if r.old == 6910]
    assert [(line.kind, line.old, line.new) for line in row.lines] == [
        ("recurring", 990, 990), ("usage", 5920, 7020), ("cost_cap", 0, -3020),
    ]  # fmt: skip
    assert [r.difference for r in found.rows] == [-2000, -1920]  # what differs most first


def test_usage_without_a_line_is_told(tell: Callable[[str], None]) -> None:
    """Nothing is dropped in silence: how many records, how much, what it came to."""
    tell(STORY)
    found = told(with_line("letter") | {"minimum_sales": None})
    (lost,) = found.lost
    assert (lost.article, lost.records, lost.contracts, lost.quantity, lost.old) == ("letter", 1, 1, 3, 300)
    assert found.new == found.old - 300 - 12000
    moved = with_line("call")
    moved["lines"]["phone"] = {"key": "tel", "charge": "usage", "price": "0.10", "included": "10", "in_minimum": True}
    again = told(moved)
    assert not again.lost and again.new == again.old
    recurring = told(with_line("letter", charge="recurring", price="2"))
    assert [x.article for x in recurring.lost] == ["letter"]


def test_whose_months_are_looked_at(tell: Callable[[str], None]) -> None:
    tell(STORY)
    fields = with_line("base", price="19.90")
    acme, beta = Customer.objects.get(key="acme"), Customer.objects.get(key="beta")
    a2 = Contract.objects.get(key="A2")
    assert set(by_contract(told(fields, customers=[acme.pk]))) == {"A1", "A2"}
    assert by_contract(told(fields, contracts=[a2.pk])) == {"A2": money("92.70", "122.70")}
    assert not told(fields, customers=[]).rows
    assert told(fields, customers=[beta.pk], first=JANUARY, last=JANUARY).without_period == 0  # not yet a customer
    assert told(fields, customers=[beta.pk], first=date(2026, 2, 1), last=date(2026, 2, 1)).without_period == 1
    running = told(fields, contracts=[a2.pk], first=date(2026, 4, 1), last=date(2026, 4, 1))
    assert [r.running for r in running.rows] == [True]
    foreign = told(fields | {"currency": "SEK"})
    assert (foreign.rows, foreign.other_currency, foreign.currency) == ([], 3, "SEK")


CHANGING = """
scenario: what happens to contracts
tariffs:
  small: {title: Small, lines: {call: {charge: usage, unit: minute, price: 0.10}, desk: {price: 10, booking: add_on}}}
  large: {title: Large, lines: {call: {charge: usage, unit: minute, price: 0.05}, fee: {price: 30}}}
customers:
  acme: {name: Acme GmbH}
contracts:
  MOVED: {customer: acme, tariff: small, start: 2026-01-01}
  PAUSED: {customer: acme, tariff: small, start: 2026-01-01, quantities: {desk: 2}}
  OWN:
    customer: acme
    tariff: small
    start: 2026-01-16
    anchor: calendar
    quantities: {desk: 1}
    conditions: {call: {price: 0.08}, desk: {discount: 50, reason: loyal}}
timeline:
  - on: 2026-01-20
    usage:
      - {contract: MOVED, article: call, duration: 6000, id: kept, source: pbx}
      - {contract: MOVED, article: call, duration: 60, id: wrong, source: pbx}
      - {contract: MOVED, article: call, duration: 60, id: gone, source: pbx}
      - {contract: OWN, article: call, duration: 6000}
  - on: 2026-01-21
    usage: {contract: MOVED, article: call, duration: 600, id: wrong, source: pbx, revision: 2}
  - on: 2026-01-22
    withdraw_usage: {id: gone, source: pbx}
  - on: 2026-02-01
    change_tariff: {contract: MOVED, tariff: large, from: 2026-02-01}
  - on: 2026-02-01
    pause: {contract: PAUSED, from: 2026-02-15, until: 2026-03-01}
  - on: 2026-02-05
    usage: {contract: MOVED, article: call, duration: 6000}
"""


def test_what_happened_to_contracts_is_on_both_sides(tell: Callable[[str], None]) -> None:
    """Corrections, withdrawn usage, a pause, a partial first period, own conditions, a change of tariff."""
    tell(CHANGING)
    fields = own("small")
    fields["lines"]["call"]["price"] = "0.20"
    fields["lines"]["desk"]["price"] = "20"
    last = date(2026, 2, 1)
    found = by_contract(told(fields, JANUARY, last))
    # MOVED: 110 minutes, then 100 at 0.05 and 30.00; the draft has no fee.
    assert found["MOVED"] == money("46.00", "42.00")
    # Two desks for January and half of February.
    assert found["PAUSED"] == money("30.00", "60.00")
    # 16 of 31 days, then February: 5.16 · 10.00, half off; 100 minutes at its own 0.08 on both sides.
    assert found["OWN"] == money("15.58", "23.16")
    listed = by_contract(told(fields, JANUARY, last, own_conditions=False))
    assert listed["OWN"] == money("15.58", "50.32")
    small, large = Tariff.objects.get(key="small"), Tariff.objects.get(key="large")
    assert by_contract(told(fields, JANUARY, last, tariff=small))["MOVED"] == money("11.00", "22.00")
    assert by_contract(told(fields, JANUARY, last, tariff=large)) == {"MOVED": money("35.00", "20.00")}


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_nothing_differs_under_the_own_version(path: Path) -> None:
    """After each story of rating and tariffs: contracts that had one version all the time differ from it by nothing;
    nothing is written."""
    with scratch_database():
        run(load(path))
        seller = Seller.objects.first()
        if seller is None:
            return
        before = fingerprints()
        actor = Actor("test", datetime(2030, 1, 1, 12, tzinfo=UTC))
        for contract in Contract.objects.filter(seller=seller):
            phases = ContractPhase.objects.filter(contract=contract)
            versions = PhaseVersion.objects.filter(phase__in=phases).select_related("version__tariff")
            if len(phases) != 1 or len(versions) != 1:
                continue
            end = min(contract.end or date(2029, 1, 1), date(2029, 1, 1))
            first = max(contract.start, date(end.year - 2, end.month, 1))
            found = what_if(
                actor, seller=seller, fields=fields_of_version(versions[0].version), first_month=first,
                last_month=max(first, end), contracts=[contract.pk],
            )  # fmt: skip
            assert [(r.old, r.new) for r in found.rows] == [(r.old, r.old) for r in found.rows]
            assert not found.lost and not found.failed
        assert fingerprints() == before


BAD: list[dict[str, Any]] = [
    {"minimum_sales": "5", "lines": {"a": {"price": "1"}}},
    {"minimum_sales": "5", "cost_cap": "4", "lines": {"a": {"price": "1", "in_minimum": True, "in_cap": True}}},
    {"minimum_sales": "5", "cost_cap": "9", "lines": {
        "a": {"in_minimum": True, "in_cap": True}, "b": {"in_minimum": True}, "c": {"in_cap": True}}},
    {"lines": {"a": {"price": "1", "price_quantity": "0"}}},
    {"lines": {"a": {"price": "0.1234567890123"}}},
    {"lines": {"a": {"tiers": [{"up_to": "5", "price": "1"}, {"up_to": "3"}, {"price": "1"}]}}},
    {"lines": {"a": {"prize": "1"}}},
    {"colour": "red"},
    {"notice": {"notice": "a while"}},
    {"anchor": "calendar", "interval": "5 months"},
    {"interval": "often"},
    {"trial": "soon"},
]  # fmt: skip


@pytest.mark.parametrize("fields", BAD)
def test_refused_as_a_tariff_would_be(fields: dict[str, Any], tell: Callable[[str], None]) -> None:
    """The same code and the same sentence as when it is defined."""
    tell(STORY)
    with pytest.raises(Refused) as by_definition:
        catalog.define_tariff(NOW, seller=Seller.objects.get(), key="new", **fields)
    before = fingerprints()
    with pytest.raises(Refused) as by_what_if:
        told(fields)
    assert (by_what_if.value.code, str(by_what_if.value)) == (by_definition.value.code, str(by_definition.value))
    assert fingerprints() == before


@pytest.mark.parametrize(
    ("first", "last"),
    [(MARCH, JANUARY), (JANUARY, date(2026, 5, 1)), (date(2022, 1, 1), date(2025, 1, 1))],
    ids=["the wrong way round", "to come", "too many"],
)
def test_months_that_cannot_be_looked_at(first: date, last: date, tell: Callable[[str], None]) -> None:
    tell(STORY)
    with pytest.raises(Refused) as refused:
        told(own(), first, last)
    assert refused.value.code == "invalid"
    with pytest.raises(Refused):
        told(own() | {"versions": [{"from": JANUARY, "title": "Later"}]})


def test_of_one_contract(tell: Callable[[str], None]) -> None:
    """What an alert says of another tariff."""
    tell(STORY + "  - on: 2026-04-11\n    define_tariff: {tariff: flat, lines: {call: {charge: usage, price: 0.20}}}\n")
    contract = Contract.objects.select_related("seller").get(key="A1")
    version = TariffVersion.objects.select_related("tariff").get(tariff__key="flat")
    found = what_if_for_contract(NOW, contract=contract, version=version, first_month=JANUARY, last_month=JANUARY)
    assert (found.money(found.old), found.money(found.new)) == (Decimal("69.10"), Decimal("120.40"))
    Tariff.objects.filter(key="flat").update(currency="SEK")
    version = TariffVersion.objects.select_related("tariff").get(tariff__key="flat")
    with pytest.raises(Refused):
        what_if_for_contract(NOW, contract=contract, version=version, first_month=JANUARY, last_month=JANUARY)


def test_queries_do_not_grow_with_contracts(tell: Callable[[str], None]) -> None:
    tell(STORY)
    fields = with_line("call", tick="second")
    one = [Contract.objects.get(key="A1").pk]
    told(fields)  # what is kept of versions is loaded
    with CaptureQueriesContext(connection) as few:
        told(fields, contracts=one)
    with CaptureQueriesContext(connection) as many:
        told(fields)
    assert len(few) == len(many)


def test_batches_processes_and_progress(tell: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches and by several processes it is the same; it can be called off between batches."""
    tell(STORY)
    whole = told(with_line("call", price="0.30"))
    monkeypatch.setattr(service, "BATCH", 1)
    settings: dict[str, Any] = {
        "seller": Seller.objects.get(), "fields": with_line("call", price="0.30"), "first_month": JANUARY,
        "last_month": MARCH,
    }  # fmt: skip
    seen: list[tuple[int, int]] = []
    parts = what_if(NOW, **settings, processes=2, progress=lambda done, total: seen.append((done, total)))
    assert parts == whole
    assert seen == [(1, 3), (2, 3), (3, 3)]
    stopped = what_if(NOW, **settings, processes=1, progress=lambda done, total: done < 2)
    assert stopped.stopped and len(stopped.rows) == 2 and not parts.stopped
