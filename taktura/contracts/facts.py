"""Contracts from the database as the core's frozen values, a batch in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from taktura.catalog.queries import tariff_line_terms, version_terms
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.money import places
from taktura.core.periods import Anchor
from taktura.customers.models import Customer
from taktura.customers.queries import tax_of, with_billing
from taktura.kit.fields import end_of

# In SQL, since these are asked for with each change of a contract: building the queries would take longer than they do.
_CONTRACTS = """SELECT id, customer_id, currency, start, "end", coalesce(billed_until, '0001-01-01'), trial_end
    FROM contracts_contract WHERE id = ANY(%s)"""
_PHASES = """SELECT contract_id, id, start, "end", anchor_kind, anchor_origin, anchor_day
    FROM contracts_contractphase WHERE contract_id = ANY(%s) ORDER BY contract_id, start"""
_VERSIONS = """SELECT v.phase_id, v.effective_from, v.version_id
    FROM contracts_phaseversion v JOIN contracts_contractphase p ON p.id = v.phase_id
    WHERE p.contract_id = ANY(%s) ORDER BY v.effective_from, v.id"""
_LINES = """SELECT contract_id, id, start, "end", price, discount, reason, minimum_quantity, kept_from, ended_by_notice,
        order_coupon, name
    FROM contracts_contractline WHERE contract_id = ANY(%s) ORDER BY id"""
_STRETCHES = """SELECT s.line_id, s.effective_from, s.tariff_line_id
    FROM contracts_linestretch s JOIN contracts_contractline l ON l.id = s.line_id
    WHERE l.contract_id = ANY(%s) ORDER BY s.effective_from, s.id"""
_QUANTITIES = """SELECT q.line_id, q.start, q.quantity
    FROM contracts_linequantity q JOIN contracts_contractline l ON l.id = q.line_id
    WHERE l.contract_id = ANY(%s) AND q.taken_back_at IS NULL ORDER BY q.start, q.id"""
_CONDITIONS = """SELECT c.line_id, c.start, c.price, c.discount, c.reason, c.minimum_quantity
    FROM contracts_lineconditions c JOIN contracts_contractline l ON l.id = c.line_id
    WHERE l.contract_id = ANY(%s) ORDER BY c.start, c.id"""
_PAUSES = """SELECT contract_id, start, "end" FROM contracts_pause WHERE contract_id = ANY(%s) ORDER BY start"""
_COUPONS = """SELECT g.contract_id, g.id, g.given, g.first, g."end", c.percent, c.amount,
        ARRAY(SELECT jsonb_array_elements_text(c.articles))
    FROM contracts_contractcoupon g JOIN catalog_coupon c ON c.id = g.coupon_id
    WHERE g.contract_id = ANY(%s) ORDER BY g.id"""


def load_one(contract: Contract) -> facts.Contract:
    """The core value of one contract, whose customer is loaded with seller and billing information."""
    return load([contract.pk], {contract.customer_id: contract.customer})[contract.pk]


def load(ids: Iterable[int], customers: Mapping[int, Customer] | None = None) -> dict[int, facts.Contract]:
    """The core values of contracts, without their usage. `customers`: those known already."""
    wanted = list(ids)
    rows = _rows(_CONTRACTS, wanted)
    if customers is None:
        customers = with_billing(row[1] for row in rows)
    phases, lines = _phases(wanted), _lines(wanted)
    pauses, coupons = _grouped(_rows(_PAUSES, wanted)), _coupons(wanted)
    found = {}
    for pk, customer_id, currency, start, end, billed_until, trial_end in rows:
        customer = customers[customer_id]
        found[pk] = facts.Contract(
            id=pk,
            start=start,
            end=end_of(end),
            billed_until=billed_until,
            trial_end=trial_end,
            phases=tuple(phases[pk]),
            lines=tuple(lines[pk]),
            pauses=tuple((a, end_of(b)) for a, b in pauses[pk]),
            coupons=tuple(coupons[pk]),
            tax=tax_of(customer),
            digits=places(currency),
            stacking=customer.seller.stacking,
            coupon_and_scale=customer.seller.coupon_and_scale,
        )
    return found


def _rows(query: str, ids: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [ids])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _grouped(rows: Iterable[tuple[Any, ...]]) -> defaultdict[int, list[tuple[Any, ...]]]:
    """Rows by their first column, which is left out."""
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for first, *rest in rows:
        found[first].append(tuple(rest))
    return found


def _phases(ids: list[int]) -> defaultdict[int, list[facts.Phase]]:
    rows, versions = _rows(_PHASES, ids), _grouped(_rows(_VERSIONS, ids))
    terms = version_terms(v for rows_of in versions.values() for _, v in rows_of)
    found: defaultdict[int, list[facts.Phase]] = defaultdict(list)
    for contract, pk, start, end, kind, origin, day in rows:
        found[contract].append(
            facts.Phase(
                start=start,
                end=end_of(end),
                anchor=Anchor(kind, origin, day),
                versions=tuple((start_of, terms[v]) for start_of, v in versions[pk]),
            )
        )
    return found


def _lines(ids: list[int]) -> defaultdict[int, list[facts.Line]]:
    rows = _rows(_LINES, ids)
    stretches, quantities = _grouped(_rows(_STRETCHES, ids)), _grouped(_rows(_QUANTITIES, ids))
    conditions = _grouped(_rows(_CONDITIONS, ids))
    terms = tariff_line_terms(t for rows_of in stretches.values() for _, t in rows_of)
    found: defaultdict[int, list[facts.Line]] = defaultdict(list)
    for contract, pk, start, end, price, discount, reason, minimum, kept, noticed, coupon, name in rows:
        found[contract].append(
            facts.Line(
                id=pk,
                start=start,
                end=end_of(end),
                terms=tuple((s, terms[t]) for s, t in stretches[pk]),
                quantities=tuple(dict(quantities[pk]).items()),
                price=price,
                discount=discount,
                reason=reason,
                minimum_quantity=minimum,
                kept=kept,
                ended_by_notice=noticed,
                order_coupon=coupon,
                name=name,
                conditions=tuple({start: facts.Conditions(*own) for start, *own in conditions[pk]}.items()),
            )
        )
    return found


def _coupons(ids: list[int]) -> defaultdict[int, list[facts.Coupon]]:
    found: defaultdict[int, list[facts.Coupon]] = defaultdict(list)
    for contract, pk, given, first, end, percent, amount, articles in _rows(_COUPONS, ids):
        found[contract].append(
            facts.Coupon(
                id=pk,
                given=given,
                first=first,
                end=end_of(end),
                percent=percent,
                amount=amount,
                articles=frozenset(articles),
            )
        )
    return found
