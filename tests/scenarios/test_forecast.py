"""The forecast on a real database: after each story the next bills of all contracts are those of each one, and beside
the last they add up to what changes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.bills import Issued, last_issued
from taktura.billing.forecast import Forecast, Foreseen, compared, forecast_all
from taktura.cli.scenarios.load import Scenario, load
from taktura.cli.scenarios.report import render
from taktura.cli.scenarios.run import run
from taktura.contracts.models import Contract
from taktura.core.comparison import Comparison
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database

ROOT = Path(__file__).resolve().parents[2]
STORIES = [
    p
    for area in ("changes", "contracts", "interim", "billing", "documents")
    for p in sorted((ROOT / "scenarios" / area).rglob("*.yaml"))
]
FAR = date(2040, 12, 31)

STORY = """
scenario: a year of a small company
tariffs:
  talk:
    title: Talk
    lines:
      base: {title: Base, price: 10}
      seat: {title: Seat, price: 5, booking: add_on}
      call: {title: Calls, charge: usage, price: 0.10}
  year:
    title: Hosting
    interval: 1 year
    lines:
      space: {title: Space, price: 120, price_per: 1 year, interval: 1 year}
  plain:
    title: Plain
    lines: {base: {title: Base, price: 7}}
  kronor:
    title: Prata
    currency: SEK
    lines: {bas: {title: Bas, price: 100}}
customers:
  acme: {name: Acme GmbH, documents_per: customer}
  beta: {name: Beta AG}
contracts:
  A1: {customer: acme, tariff: talk, start: 2026-01-01, quantities: {seat: 2}}
  A2: {customer: acme, tariff: talk, start: 2026-01-01}
  B1: {customer: beta, tariff: year, start: 2026-01-10}
  B2: {customer: beta, tariff: talk, start: 2026-01-01}
  B3: {customer: beta, tariff: talk, start: 2026-03-20}
  P1: {customer: beta, tariff: plain, start: 2026-01-01}
  S1: {customer: beta, tariff: kronor, start: 2026-01-01}
timeline:
  - on: 2026-01-20
    bill: {}
  - on: 2026-02-01
    bill: {}
  - on: 2026-02-05
    usage:
      - {contract: A1, article: call, quantity: 100}
  - on: 2026-02-05
    sales_item: {customer: beta, lines: [{title: Help, quantity: 1, price: 50}]}
  - on: 2026-02-10
    change_quantity: {contract: A1, article: seat, quantity: 5, from: 2026-03-01}
  - on: 2026-02-11
    give_notice: {contract: A2}
  - on: 2026-02-11
    give_notice: {contract: P1}
"""


def at_noon(day: date) -> Actor:
    """Somebody at noon of a day."""
    return Actor("test", datetime.combine(day, time(12), UTC))


def told(day: date, **options: Any) -> Forecast:
    """A forecast that cannot write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        return forecast_all(at_noon(day), **{"seller": Seller.objects.get(), "until": FAR, **options})


def alone(day: date, contract: Contract) -> tuple[billing.Bill | None, tuple[Comparison, Issued] | None]:
    """The next bill of one contract, and that beside its last."""
    stands = billing.standing(at_noon(day), contract=contract, bills=1)
    return (stands.bills or [None])[0], compared(stands.contract, stands.bills)


def happen(scenario: Scenario) -> date:
    """Let a story happen; its last day."""
    result = run(scenario)
    assert not result.error and not result.differences, render(result)
    return scenario.timeline[-1].on


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_all_contracts_are_foreseen_as_each_one(path: Path) -> None:
    """Whatever a story tells. Sales items stand on the first bill of their customer; one contract's own page shows them
    with whichever is looked at."""
    with scratch_database():
        day = happen(load(path))
        for seller in Seller.objects.all():
            found = told(day, seller=seller)
            assert not found.failed
            rows = {row.contract: row for row in found.rows}
            contracts = Contract.objects.filter(seller=seller).select_related(
                "customer__seller", "customer__billing_information"
            )
            for contract in contracts.exclude(customer__sales_items__document=None):
                beside(day, contract, rows.get(contract.pk))
            for one in found.sums():
                assert sum(amount for _, amount in one.causes) == one.difference


def beside(day: date, contract: Contract, row: Foreseen | None) -> None:
    """Hold a row against what the contract's own page shows."""
    bill, found = alone(day, contract)
    if bill is None:
        assert row is None or row.on is None
        return
    assert row is not None and row.on == bill.on
    net = sum(r.draft.net if r.draft.kind == "invoice" else -r.draft.net for r in bill.documents)
    assert row.new == net
    if found is None:
        assert row.is_first and not row.causes
        return
    comparison, last = found
    assert (row.old, row.last_on, dict(row.causes)) == (last.bill.net, last.bill.on, comparison.by_cause)
    assert sum(amount for _, amount in row.causes) == row.difference
    documents = Document.objects.filter(pk__in=[pk for pk, _, _ in last.documents])
    if all(d.contract_id == contract.pk for d in documents):
        signed = [d.gross if d.kind == "invoice" else -d.gross for d in documents]
        assert last.bill.gross == sum(signed)


@pytest.fixture
def story(read: Callable[[str], Scenario]) -> Any:
    """The company of `STORY`, on 11 February."""
    with scratch_database():
        assert happen(read(STORY)) == date(2026, 2, 11)
        yield date(2026, 2, 11)


def by_key(found: Forecast) -> dict[str, Foreseen]:
    """The rows by the contract's key."""
    keys = dict(Contract.objects.values_list("pk", "key"))
    return {keys[row.contract]: row for row in found.rows}


def test_a_month(story: date) -> None:
    """March: 3 seats more at 5.00 and 100 calls at 0.10; A2 has ended with March; B3 begins; the sale goes with B2."""
    found = told(story, first=date(2026, 3, 1), until=date(2026, 3, 31))
    rows = by_key(found)
    assert list(rows) == ["B2", "A1", "B3", "P1", "S1"]
    a1, b2, b3, s1 = (rows[key] for key in ("A1", "B2", "B3", "S1"))
    assert (a1.old, a1.new, dict(a1.causes)) == (2000, 4500, {"quantity": 1500, "usage": 1000})
    assert (b2.old, b2.new, dict(b2.causes)) == (1000, 6000, {"once": 5000})
    assert (b3.is_first, b3.on, b3.new) == (True, date(2026, 3, 20), 1000)
    assert (s1.currency, s1.difference, s1.causes) == ("SEK", 0, ())
    euro, kronor = found.sums()
    assert (euro.currency, euro.first, euro.first_new) == ("EUR", 1, 1000)
    assert (kronor.currency, kronor.contracts, kronor.old, kronor.new) == ("SEK", 1, 10000, 10000)
    assert sum(amount for _, amount in euro.causes) == euro.difference


def test_what_ends_falls_away(story: date) -> None:
    """Both end on 11 February. A2 has a usage line that is still to be billed; of P1 nothing comes, not even on
    1 March."""
    a2 = by_key(told(story, until=date(2026, 2, 28)))["A2"]
    assert (a2.on, a2.old, a2.new, dict(a2.causes)) == (date(2026, 2, 12), 1000, 0, {"ended": -1000})
    for day, is_there in ((date(2026, 2, 28), False), (date(2026, 3, 1), True)):
        rows = by_key(told(story, until=day))
        assert ("P1" in rows) is is_there
    p1 = rows["P1"]
    assert (p1.on, p1.old, p1.new, dict(p1.causes)) == (None, 700, 0, {"ended": -700})


def test_a_joint_document_counts_by_its_contracts(story: date) -> None:
    """Acme has one invoice of 20.00 + 10.00; each contract has its own part with its VAT."""
    keys = ("A1", "A2")
    pks = dict(Contract.objects.filter(key__in=keys).values_list("key", "pk"))
    found = last_issued(pks.values())
    assert {k: (found[pks[k]].bill.net, found[pks[k]].bill.tax) for k in keys} == {"A1": (2000, 380), "A2": (1000, 190)}
    assert len({found[pks[k]].documents for k in keys}) == 1


def test_the_year_stands_apart_from_the_months(story: date) -> None:
    """The yearly contract's next bill is that of January; it is beside that of this year."""
    found = by_key(told(story, first=date(2027, 1, 1), until=date(2027, 1, 31)))
    assert set(found) == {"B1"}
    assert (found["B1"].on, found["B1"].old, found["B1"].difference) == (date(2027, 1, 10), 12000, 0)


def test_as_many_queries_however_many_contracts(story: date) -> None:
    with CaptureQueriesContext(connection) as few:
        told(story, until=date(2026, 2, 28))
    everything = Customer.objects.count()
    with CaptureQueriesContext(connection) as all_of_them:
        assert len(told(story).rows) > everything
    assert len(all_of_them) <= 30 and len(few) <= len(all_of_them)


def test_it_can_be_called_off_and_says_so(story: date) -> None:
    from unittest.mock import patch

    seen: list[tuple[int, int]] = []

    def stop(done: int, whole: int) -> bool:
        seen.append((done, whole))
        return False

    with patch("taktura.billing.forecast.BATCH", 2):
        found = told(story, progress=stop)
    assert found.stopped and seen == [(2, 7)] and len(found.rows) == 2


@pytest.mark.parametrize(
    ("first", "until"), [(None, date(2026, 2, 10)), (date(2026, 4, 1), date(2026, 3, 1)), (None, date(2300, 1, 1))]
)
def test_days_that_cannot_be(story: date, first: date | None, until: date) -> None:
    with pytest.raises(Refused) as refused:
        told(story, first=first, until=until)
    assert refused.value.code == "invalid"
