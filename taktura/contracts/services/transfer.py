"""Transfer of a contract to another customer: the one ends, the other goes on with all that was agreed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import F, Q, QuerySet

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import (
    Contract,
    ContractCoupon,
    ContractLine,
    ContractPhase,
    LineConditions,
    LineQuantity,
    LineStretch,
    Pause,
    PhaseVersion,
)
from taktura.contracts.queries import heir_of, phase_on
from taktura.contracts.services.schedule import changed
from taktura.contracts.services.signing import PlannedPhase, check_key
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.kit.actor import Actor

Row = TypeVar("Row", LineStretch, LineConditions, LineQuantity, PhaseVersion)


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line that goes on with another, by its id; with its quantities, its conditions and what it costs from when, not
    written."""

    source: int
    line: ContractLine
    quantities: list[LineQuantity]
    stretches: list[LineStretch]
    conditions: list[LineConditions]


@dataclass(frozen=True, slots=True)
class PlannedCoupon:
    """A coupon that goes along, by the id of what was given to the contract before; not written."""

    source: int
    given: ContractCoupon


@dataclass(frozen=True, slots=True)
class PlannedTransfer:
    """A transfer that is not written: the contract that ends on a day, and the other one with all that goes along."""

    old: Contract
    contract: Contract
    opening: PlannedPhase
    lines: list[PlannedLine]
    pauses: list[Pause]
    coupons: list[PlannedCoupon]


@act
def transfer(
    actor: Actor, *, contract: Contract, customer: Customer, start: date, key: str, settled: Collection[int] = ()
) -> tuple[Contract, dict[int, int]]:
    """Let another customer have a contract from a day on; gives the other contract, and its lines by those of the one.

    The one ends the day before. The other has the number `key` and goes on with its lines (quantities, own conditions,
    notes, what is planned), pauses, coupons (no use more is counted), billing dates, term and notice. `settled`: lines
    charged once that are billed already. See `plan_transfer` for what is refused.
    """
    planned = plan_transfer(actor, contract=contract, customer=customer, start=start, key=key, settled=settled)
    other = planned.contract
    other.save(force_insert=True)
    planned.opening.write()
    given = _write_coupons(planned)
    for moved in planned.lines:
        moved.line.order_coupon = given.get(moved.line.order_coupon or 0)
    ContractLine.objects.bulk_create(moved.line for moved in planned.lines)
    LineQuantity.objects.bulk_create(row for moved in planned.lines for row in moved.quantities)
    LineStretch.objects.bulk_create(row for moved in planned.lines for row in moved.stretches)
    LineConditions.objects.bulk_create(row for moved in planned.lines for row in moved.conditions)
    Pause.objects.bulk_create(planned.pauses)
    contract.end, contract.notice_received = start, None
    contract.save(update_fields=["end", "notice_received"])
    changed(contract, start)
    changed(other, start)
    told = {"from": start, "to_contract": key, "to_customer": customer.key, "to": other.pk}
    record(actor, "transfer", f"contract:{contract.pk}", told)
    record(
        actor,
        "take_over",
        f"contract:{other.pk}",
        {
            "contract": key,
            "customer": customer.key,
            "tariff": other.tariff.key,
            "start": start,
            "from_contract": contract.key,
            "of": contract.pk,
        },
    )
    return other, {moved.source: moved.line.pk for moved in planned.lines}


def plan_transfer(
    actor: Actor, *, contract: Contract, customer: Customer, start: date, key: str, settled: Collection[int] = ()
) -> PlannedTransfer:
    """What `transfer` would write. Raises `Refused`: `contract_ended`; `conflict` (the number is taken, a transfer or a
    later change of tariff is planned); `invalid` (the same customer, one of another seller, a day before the start)."""
    check_transfer(contract, customer, start, key)
    phase = phase_on(contract, start)
    other = Contract(
        seller=contract.seller,
        customer=customer,
        key=key,
        tariff=phase.tariff,
        offer_number=contract.offer_number,
        currency=contract.currency,
        start=start,
        end=contract.end,
        term_end=contract.term_end,
        billed_until=_still(contract.billed_until, start),
        trial_end=_still(contract.trial_end, start),
        anchor=contract.anchor,
        terms=contract.terms,
        terms_from=contract.terms_from,
        notice_received=contract.notice_received,
        signed_at=actor.now,
        threshold=contract.threshold,
        conversion=contract.conversion,
        transferred_from=contract,
    )
    opening = ContractPhase(
        contract=other,
        start=start,
        tariff=phase.tariff,
        anchor_kind=phase.anchor_kind,
        anchor_origin=phase.anchor_origin,
        anchor_day=phase.anchor_day,
    )
    known = PhaseVersion.objects.filter(phase=phase).select_related("version").order_by("effective_from", "id")
    versions = [
        PhaseVersion(phase=opening, version=row.version, effective_from=row.effective_from)
        for row in _from(known, "effective_from", start)
    ]
    pauses = _running(Pause.objects.filter(contract=contract), start).exclude(start=F("end"))
    return PlannedTransfer(
        old=contract,
        contract=other,
        opening=PlannedPhase(opening, versions),
        lines=list(_lines(contract, other, start, settled)),
        pauses=[Pause(contract=other, start=max(row.start, start), end=row.end) for row in pauses],
        coupons=[_coupon(row, other) for row in _running(contract.coupons.select_related("coupon"), start)],
    )


def check_transfer(contract: Contract, customer: Customer, start: date, key: str) -> None:
    """Refuse what `plan_transfer` refuses."""
    if customer.seller_id != contract.seller_id:
        raise Refused("invalid", "The other customer must be one of the same company.", field="customer")
    if customer.pk == contract.customer_id:
        raise Refused("invalid", "The contract is this customer's already: choose another one.", field="customer")
    heir = heir_of(contract)
    if heir is not None:
        raise Refused(
            "conflict", "It goes over on %(day)s already, as the contract “%(key)s”: transfer that one.",
            day=heir.start.isoformat(), key=heir.key,
        )  # fmt: skip
    if contract.end is not None and start >= contract.end:
        raise Refused("contract_ended", "The contract ends before %(day)s.", day=start.isoformat())
    if start < contract.start:
        raise Refused(
            "invalid", "The contract begins on %(day)s: transfer it from then on.", day=contract.start.isoformat(),
            field="from",
        )  # fmt: skip
    later = ContractPhase.objects.filter(contract=contract, start__gt=start).order_by("start").first()
    if later is not None:
        raise Refused(
            "conflict", "A change of tariff is planned for %(day)s: transfer the contract from that day on, or later.",
            day=later.start.isoformat(), field="from",
        )  # fmt: skip
    check_key(contract.seller_id, key)


def _lines(contract: Contract, other: Contract, start: date, settled: Collection[int]) -> Iterator[PlannedLine]:
    """What runs on the day or is to come. What is charged once was the one's matter, unless its day is to come."""
    rows = _running(ContractLine.objects.filter(contract=contract), start).select_related("article")
    for old in rows.prefetch_related("quantities", "conditions", "stretches__tariff_line").order_by("id"):
        if old.charge == "once" and (old.start < start or old.pk in settled):
            continue
        begins = max(old.start, start)
        line = ContractLine(
            contract=other,
            article=old.article,
            name=old.name,
            charge=old.charge,
            booking=old.booking,
            start=begins,
            end=old.end,
            price=old.price,
            discount=old.discount,
            reason=old.reason,
            minimum_quantity=old.minimum_quantity,
            memo=old.memo,
            kept_from=old.kept_from,
            ended_by_notice=old.ended_by_notice,
            notice_received=old.notice_received,
            agreed_end=old.agreed_end,
            order_coupon=old.order_coupon,
            transferred_from=old,
            terms_from=(old.terms_from or old.start) if old.start < start else old.terms_from,
        )
        held = [row for row in old.quantities.all() if row.taken_back_at is None]
        yield PlannedLine(
            old.pk,
            line,
            [
                LineQuantity(line=line, start=row.start, quantity=row.quantity, memo=row.memo)
                for row in _from(held, "start", begins)
            ],
            [
                LineStretch(line=line, tariff_line=row.tariff_line, effective_from=row.effective_from)
                for row in _from(old.stretches.all(), "effective_from", begins)
            ],
            [
                LineConditions(
                    line=line,
                    start=row.start,
                    price=row.price,
                    discount=row.discount,
                    reason=row.reason,
                    minimum_quantity=row.minimum_quantity,
                    memo=row.memo,
                )
                for row in _from(old.conditions.all(), "start", begins)
            ],
        )


def _from(rows: "QuerySet[Row] | list[Row]", name: str, start: date) -> Iterator[Row]:
    """Of a timeline what holds on a day, as if from then on, and what comes after it. The rows are not to be saved."""
    before: Row | None = None
    later = []
    for row in rows:
        if getattr(row, name) <= start:
            before = row
        else:
            later.append(row)
    if before is not None:
        setattr(before, name, start)
        yield before
    yield from later


def _running(rows: "QuerySet", start: date) -> "QuerySet":  # type: ignore[type-arg]
    """Those that have days from one on."""
    return rows.filter(Q(end__isnull=True) | Q(end__gt=start))


def _still(day: date | None, start: date) -> date | None:
    return day if day is not None and day > start else None


def _coupon(row: ContractCoupon, other: Contract) -> PlannedCoupon:
    return PlannedCoupon(
        row.pk, ContractCoupon(contract=other, coupon=row.coupon, given=row.given, first=row.first, end=row.end)
    )


def _write_coupons(planned: PlannedTransfer) -> dict[int, int]:
    """Write what was given; its ids by those of before. A code stays with the contract that redeemed it."""
    ContractCoupon.objects.bulk_create(one.given for one in planned.coupons)
    return {one.source: one.given.pk for one in planned.coupons}
