"""Signing a contract, and giving it coupons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog import coupons
from taktura.catalog.models import Coupon, Tariff, TariffVersion
from taktura.catalog.offer_numbers import usable, use
from taktura.catalog.queries import check_offered, later_versions, lines_of, tariff_line_terms, version_in_force
from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractCoupon, ContractPhase, PhaseVersion
from taktura.contracts.services.lines import Planned, conditions_of, new_line, stretches_for, write_lines
from taktura.contracts.services.schedule import changed
from taktura.core import facts as core
from taktura.core.errors import Refused
from taktura.core.expected import unit_of
from taktura.core.periods import DAY, Anchor, add, anchor, check_anchor
from taktura.core.terms import fixed_end, parse_terms
from taktura.customers.models import Customer
from taktura.kit.actor import Actor
from taktura.kit.fields import stored_end


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A phase that is not written yet, with the versions that hold in it."""

    phase: ContractPhase
    versions: list[PhaseVersion]

    def write(self) -> None:
        """Write both."""
        self.phase.save(force_insert=True)
        PhaseVersion.objects.bulk_create(self.versions)


@dataclass(frozen=True, slots=True)
class PlannedContract:
    """A contract that is not written yet, its first phase and its lines."""

    contract: Contract
    opening: PlannedPhase
    lines: list[Planned]


@act
def sign(
    actor: Actor,
    *,
    key: str,
    customer: Customer,
    tariff: Tariff,
    start: date,
    offer_number: str | None = None,
    quantities: dict[str, Decimal] | None = None,
    coupon: Coupon | None = None,
    code: str = "",
    anchor_kind: str | None = None,
    conditions: dict[str, dict[str, Any]] | None = None,
    billed_until: date | None = None,
) -> Contract:
    """Sign a contract: its included lines, the add-ons in `quantities`, own `conditions` by article.

    `billed_until` (exclusive): another system has billed it so far. An `offer_number` pins the version, and is used
    once more. A coupon is chosen, or redeemed by a typed `code`. Raises `Refused`: `conflict` when the key is taken,
    `unknown_offer_number` (with the reason: for staff), `tariff_retired`, `not_found` (an article that the tariff does
    not have, an unknown code), `invalid`.
    """
    planned = plan_contract(
        actor,
        key=key,
        customer=customer,
        tariff=tariff,
        start=start,
        offer_number=offer_number,
        quantities=quantities,
        anchor_kind=anchor_kind,
        conditions=conditions,
        billed_until=billed_until,
    )
    contract, today = planned.contract, actor.today(customer.seller.time_zone)
    wanted = coupons.wanted(customer.seller, coupon, code, today)
    if contract.offer_number is not None:
        use(contract.offer_number, tariff, today)
    contract.save(force_insert=True)
    planned.opening.write()
    write_lines(planned.lines)
    if wanted is not None:
        _redeem(actor, contract, wanted, start)
    changed(contract, start)
    record(
        actor,
        "sign",
        f"contract:{contract.pk}",
        {
            "contract": key,
            "customer": customer.key,
            "tariff": tariff.key,
            "version": planned.opening.versions[0].version_id,
            "start": start,
            "quantities": quantities or {},
            "conditions": conditions or {},
            "billed_until": billed_until,
            "coupon": wanted.coupon.key if wanted else None,
            **({"code": wanted.code.code} if wanted and wanted.code else {}),
            **({"offer_number": contract.offer_number.number} if contract.offer_number else {}),
        },
    )
    return contract


def plan_contract(
    actor: Actor,
    *,
    key: str,
    customer: Customer,
    tariff: Tariff,
    start: date,
    offer_number: str | None = None,
    quantities: dict[str, Decimal] | None = None,
    anchor_kind: str | None = None,
    conditions: dict[str, dict[str, Any]] | None = None,
    billed_until: date | None = None,
) -> PlannedContract:
    """The contract that `sign` would write, without its coupon. Refuses alike."""
    check_key(customer.seller_id, key)
    today = actor.today(customer.seller.time_zone)
    offer = usable(offer_number, tariff, today) if offer_number is not None else None
    check_offered(tariff)
    version = offer.version if offer is not None else version_in_force(tariff, start)
    later = later_versions(tariff, version.valid_from)
    planned = plan_of(
        actor, key=key, customer=customer, tariff=tariff, start=start, version=version, later=later,
        quantities=quantities, anchor_kind=anchor_kind, conditions=conditions, billed_until=billed_until,
    )  # fmt: skip
    planned.contract.offer_number = offer
    return planned


def plan_of(
    actor: Actor,
    *,
    key: str,
    customer: Customer,
    tariff: Tariff,
    start: date,
    version: TariffVersion,
    later: Sequence[TariffVersion],
    quantities: dict[str, Decimal] | None = None,
    anchor_kind: str | None = None,
    conditions: dict[str, dict[str, Any]] | None = None,
    billed_until: date | None = None,
) -> PlannedContract:
    """A contract under a version, which later ones follow, as `plan_contract` gives it; what it needs is loaded. Raises
    `Refused`: `not_found`, `invalid`."""
    kind = anchor_kind or version.anchor
    trial_end = add(start, version.trial) if version.trial else None
    check_anchor(kind, version.interval)
    counted = anchor(kind, trial_end if trial_end and kind == "contract" else start)
    terms = parse_terms(version.notice)
    end = fixed_end(terms, start)
    contract = Contract(
        seller=customer.seller,
        customer=customer,
        key=key,
        tariff=tariff,
        currency=tariff.currency,
        start=start,
        end=end,
        term_end=end,
        billed_until=billed_until,
        trial_end=trial_end,
        anchor=kind,
        terms=version.notice,
        terms_from=start,
        signed_at=actor.now,
        threshold=version.interim_threshold,
    )
    check_billed_until(contract)
    opening = plan_phase(contract, tariff, version, start, counted, later)
    return PlannedContract(contract, opening, _first_lines(contract, opening, quantities or {}, conditions or {}))


def check_billed_until(contract: Contract) -> None:
    """Raise `Refused` (`invalid`) unless a contract can have been billed elsewhere until its `billed_until`."""
    until = contract.billed_until
    if until is not None and until < contract.start:
        raise Refused(
            "invalid", "It cannot have been billed elsewhere only until %(until)s: it begins on %(day)s.",
            until=(until - DAY).isoformat(), day=contract.start.isoformat(), field="billed_until",
        )  # fmt: skip
    if until is not None and contract.end is not None and until > contract.end:
        raise Refused(
            "invalid", "It cannot have been billed elsewhere until %(until)s: its last day is %(day)s.",
            until=(until - DAY).isoformat(), day=(contract.end - DAY).isoformat(), field="billed_until",
        )  # fmt: skip


def check_key(seller: int, key: str) -> None:
    """Raise `Refused` (`conflict`) when a seller has a contract of that key."""
    if Contract.objects.filter(key=key, seller=seller).exists():
        raise Refused("conflict", "There is a contract “%(key)s” already: choose another key.", key=key)


@act
def give_coupon(actor: Actor, *, contract: Contract, coupon: Coupon | None = None, code: str = "") -> None:
    """Give a contract a coupon from the day of the act on; the periods in which it counts are fixed now (R10.2).

    It is chosen, or redeemed by a typed `code`. Raises `Refused`: `not_found`, `invalid` with the reason.
    """
    day = actor.today(contract.customer.seller.time_zone)
    given = _redeem(actor, contract, coupon_wanted(contract, coupon, code, day), day)
    changed(contract, max(day, contract.start))
    record(
        actor, "redeem", f"contract:{contract.pk}",
        {"coupon": given.coupon.key, "given": day, **({"code": given.code.code} if given.code else {})},
    )  # fmt: skip


def coupon_wanted(contract: Contract, coupon: Coupon | None, code: str, day: date) -> coupons.Usable:
    """What a contract is to be given on a day. Raises `Refused` as `give_coupon` does."""
    found = coupons.wanted(contract.customer.seller, coupon, code, day)
    if found is None:
        raise Refused("invalid", "Choose a coupon, or type a code.", field="coupon")
    return found


def _redeem(actor: Actor, contract: Contract, wanted: coupons.Usable, day: date) -> ContractCoupon:
    """Count the use, and write what is given on a day."""
    used = coupons.use(actor, wanted)
    row = coupon_row(load([contract.pk])[contract.pk], contract, used.coupon, day)
    row.code = used.code
    row.save(force_insert=True)
    return row


def plan_phase(
    contract: Contract,
    tariff: Tariff,
    version: TariffVersion,
    start: date,
    counted: Anchor,
    later: Sequence[TariffVersion] | None = None,
) -> PlannedPhase:
    """A phase under a tariff, with the later versions that apply to all (`later`, if they are loaded); not written."""
    phase = ContractPhase(
        contract=contract,
        start=start,
        tariff=tariff,
        anchor_kind=counted.kind,
        anchor_origin=counted.origin,
        anchor_day=counted.day,
    )
    rows = [PhaseVersion(phase=phase, version=version, effective_from=date.min)]
    for one in later_versions(tariff, version.valid_from) if later is None else later:
        if one.valid_from > start:
            grid = counted.grid(version.interval)
            period = grid.of(one.valid_from)
            begins = period.start if period.start == one.valid_from else period.end
            rows.append(PhaseVersion(phase=phase, version=one, effective_from=begins))
    return PlannedPhase(phase, rows)


def _first_lines(
    contract: Contract, opening: PlannedPhase, quantities: dict[str, Decimal], conditions: dict[str, dict[str, Any]]
) -> list[Planned]:
    phase, version, start = opening.phase, opening.versions[0].version, contract.start
    tariff_lines = {line.article.key: line for line in lines_of(version)}
    for named in [*quantities, *conditions]:
        if named not in tariff_lines:
            raise Refused("not_found", "The tariff has no line for the article “%(article)s”.", article=named)
    tariff_line_terms(line.pk for line in tariff_lines.values())
    lines = []
    for article, line in tariff_lines.items():
        quantity = quantities.get(article)
        if line.booking == "included" and quantity is None:
            quantity = Decimal(1)
        if not quantity:
            continue
        if line.booking == "on_off" and quantity != 1:
            raise Refused("invalid", "“%(article)s” can be booked once or not at all.", article=article)
        planned = new_line(
            contract, line, start=start, end=None, quantity=quantity, **conditions_of(conditions.get(article, {}))
        )
        planned.stretches.extend(stretches_for(planned.line, phase, line, start, opening.versions))
        lines.append(planned)
    return lines


def coupon_row(facts: core.Contract, contract: Contract, coupon: Coupon, day: date) -> ContractCoupon:
    """A coupon given on a day, with the periods in which it counts, not written. `facts`: the contract's (R10.2)."""
    wanted = [line for line in facts.lines if not coupon.articles or line.article in coupon.articles]
    day = max(day, facts.start)
    unit = unit_of(facts, day)
    late = [t for line in wanted for _, t in line.terms if t.charge == "usage" or t.when == "arrears"]
    once = [line for line in wanted if line.terms[0][1].charge == "once" and line.start >= day]
    first_bill = max(unit.start, facts.trial_end or unit.start)
    if not late and not once and first_bill < day:
        unit = unit_of(facts, unit.end)
    elif unit.trial and not late and not once:
        unit = unit_of(facts, facts.trial_end or unit.end)
    end = None
    if coupon.periods is not None:
        phase = unit.phase
        grid = phase.anchor.grid(phase.terms(unit.start).interval)
        periods = coupon.periods - (1 if unit.trial else 0)
        end = grid.start(grid.index(unit.end if unit.trial else unit.start) + periods)
    return ContractCoupon(contract=contract, coupon=coupon, given=day, first=unit.start, end=end and stored_end(end))
