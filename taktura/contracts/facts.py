"""Contracts from the database as the core's frozen values, a batch in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from taktura.catalog.queries import tariff_line_terms, version_terms
from taktura.contracts.models import (
    Contract,
    ContractCoupon,
    ContractLine,
    ContractPhase,
    LineQuantity,
    LineStretch,
    Pause,
    PhaseVersion,
)
from taktura.core import facts
from taktura.core.money import places
from taktura.core.periods import Anchor
from taktura.customers.models import Customer
from taktura.customers.queries import tax_of, with_billing
from taktura.kit.bulk import among
from taktura.kit.fields import end_of

T = TypeVar("T")


def load_one(contract: Contract) -> facts.Contract:
    """The core value of one contract, whose customer is loaded with seller and billing information."""
    return load([contract.pk], {contract.customer_id: contract.customer})[contract.pk]


def load(ids: Iterable[int], customers: Mapping[int, Customer] | None = None) -> dict[int, facts.Contract]:
    """The core values of contracts, without their usage. `customers`: those known already."""
    wanted = list(ids)
    rows = Contract.objects.filter(pk__in=among(wanted)).values_list(
        "id", "customer_id", "currency", "start", "end", "billed_until", "trial_end"
    )
    if customers is None:
        customers = with_billing(row[1] for row in rows)
    phases, lines = _phases(wanted), _lines(wanted)
    pauses = _grouped(
        Pause.objects.filter(contract__in=among(wanted)).order_by("start").values_list("contract_id", "start", "end")
    )
    coupons = _coupons(wanted)
    found = {}
    for pk, customer_id, currency, start, end, billed_until, trial_end in rows:
        customer = customers[customer_id]
        found[pk] = facts.Contract(
            id=pk,
            start=start,
            end=end_of(end),
            billed_until=billed_until or date.min,
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


def _grouped(rows: Iterable[tuple[Any, ...]]) -> defaultdict[int, list[tuple[Any, ...]]]:
    """Rows by their first column, which is left out."""
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for first, *rest in rows:
        found[first].append(tuple(rest))
    return found


def _phases(ids: list[int]) -> defaultdict[int, list[facts.Phase]]:
    rows = list(
        ContractPhase.objects.filter(contract__in=among(ids))
        .order_by("contract_id", "start")
        .values_list("contract_id", "id", "start", "end", "anchor_kind", "anchor_origin", "anchor_day")
    )
    versions = _grouped(
        PhaseVersion.objects.filter(phase__contract__in=among(ids))
        .order_by("effective_from", "id")
        .values_list("phase_id", "effective_from", "version_id")
    )
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
    rows = list(
        ContractLine.objects.filter(contract__in=among(ids))
        .order_by("id")
        .values_list(
            "contract_id",
            "id",
            "start",
            "end",
            "price",
            "discount",
            "reason",
            "minimum_quantity",
            "kept_from",
            "ended_by_notice",
            "order_coupon",
        )
    )
    stretches = _grouped(
        LineStretch.objects.filter(line__contract__in=among(ids))
        .order_by("effective_from", "id")
        .values_list("line_id", "effective_from", "tariff_line_id")
    )
    quantities = _grouped(
        LineQuantity.objects.filter(line__contract__in=among(ids))
        .order_by("start", "id")
        .values_list("line_id", "start", "quantity")
    )
    terms = tariff_line_terms(t for rows_of in stretches.values() for _, t in rows_of)
    found: defaultdict[int, list[facts.Line]] = defaultdict(list)
    for contract, pk, start, end, price, discount, reason, minimum, kept, noticed, coupon in rows:
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
            )
        )
    return found


def _coupons(ids: list[int]) -> defaultdict[int, list[facts.Coupon]]:
    found: defaultdict[int, list[facts.Coupon]] = defaultdict(list)
    for given in ContractCoupon.objects.filter(contract__in=among(ids)).select_related("coupon").order_by("id"):
        coupon = given.coupon
        found[given.contract_id].append(
            facts.Coupon(
                id=given.pk,
                given=given.given,
                first=given.first,
                end=end_of(given.end),
                percent=coupon.percent,
                amount=coupon.amount,
                articles=frozenset(coupon.articles),
            )
        )
    return found
