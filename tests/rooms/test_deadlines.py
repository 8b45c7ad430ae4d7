"""Deadlines of notice of many contracts at once: those of each contract alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.deadlines import SHORT, deadlines, with_deadlines
from taktura.contracts.models import Contract
from taktura.contracts.queries import state
from taktura.core.periods import DAY
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor

OWN = {"initial_term": "6 months", "renewal_term": "6 months", "notice": "1 month"}
TERMS: tuple[Any, ...] = ("none", "monthly", "yearly", OWN)


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with contracts of all terms, begun in each month of a year, with businesses and consumers."""
    made = customers.create_seller(
        actor, name="S", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]], consumer_rules="DE"
    )
    lines = {"base": {"title": "Base", "price": "1"}}
    tariffs = [
        catalog.define_tariff(actor, seller=made, key=f"t{i}", title="T", lines=lines, notice=terms)
        for i, terms in enumerate(TERMS)
    ]
    for kind in ("business", "consumer"):
        customer = customers.create_customer(actor, seller=made, key=kind, name=kind, kind=kind)
        for month in range(1, 13):
            for tariff in tariffs:
                key = f"{kind}-{month}-{tariff.key}"
                begun = date(2025, month, 7)
                contracts.sign(actor, key=key, customer=customer, tariff=tariff, start=begun)
    return made


@pytest.mark.parametrize("today", [date(2026, 2, 1), date(2026, 5, 31), date(2026, 12, 24)])
def test_they_are_those_of_each_contract(seller: Seller, today: date) -> None:
    found = deadlines(seller, today)
    rows = {c.pk: c for c in with_deadlines(seller, found)}
    assert sum(d.number for d in found) == len(rows) > 0
    for contract in Contract.objects.select_related("customer__seller"):
        own = state(contract, today).notice_deadline
        if contract.pk in rows:
            assert rows[contract.pk].deadline == own and today <= own <= today + timedelta(days=30)
            assert rows[contract.pk].later - rows[contract.pk].ends > SHORT
        elif own is not None and own <= today + timedelta(days=30):
            assert contract.tariff.key in ("t0", "t1") or contract.customer.kind == "consumer", "binds for no longer"


def test_who_has_given_notice_is_left_out(seller: Seller, actor: Actor) -> None:
    today = date(2026, 2, 1)
    before = {c.pk: c for c in with_deadlines(seller, deadlines(seller, today))}
    contract = next(iter(before.values()))
    at = actor.at(datetime(2026, 2, 1, 9, tzinfo=UTC))
    contracts.give_notice(at, contract=Contract.objects.get(pk=contract.pk), received=today)
    after = {c.pk for c in with_deadlines(seller, deadlines(seller, today))}
    assert set(before) - after == {contract.pk}
    ended = Contract.objects.get(pk=contract.pk)
    assert ended.end == contract.ends, "what the list promises is what notice gives"
    late = before.keys() - {contract.pk}
    other = Contract.objects.get(pk=min(late))
    missed = before[other.pk]
    received = missed.deadline + DAY
    contracts.give_notice(at.at(at.now + (received - today)), contract=other, received=received)
    assert Contract.objects.get(pk=other.pk).end == missed.later


def test_one_query_however_many_contracts(seller: Seller) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = deadlines(seller, date(2026, 2, 1))
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        assert list(with_deadlines(seller, found))
    assert len(captured) == 1
    assert not list(with_deadlines(seller, []))
