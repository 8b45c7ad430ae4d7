"""Many contracts at once that another system has billed so far: planned from what is loaded once, written in sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.audit.services import record_all
from taktura.catalog.queries import Offered, lines_of
from taktura.contracts.models import Contract, ContractLine, ContractPhase, LineQuantity, LineStretch, PhaseVersion
from taktura.contracts.services.lines import Planned, conditions_of, new_line, stretches_for
from taktura.contracts.services.schedule import reschedule
from taktura.contracts.services.signing import PlannedContract, check_billed_until, plan_of
from taktura.core.errors import Refused
from taktura.core.terms import fixed_end, parse_terms
from taktura.customers.models import Customer
from taktura.kit.actor import Actor

BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLine:
    """A line of a contract that moves in. `quantity` None: as the tariff includes it. `start`: where it begins later
    than the contract; not for what the tariff includes."""

    article: str
    quantity: Decimal | None = None
    conditions: dict[str, Any] = field(default_factory=dict)  # as `conditions_of` takes them
    memo: str = ""
    start: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A contract that moves in. `billed_until` and `end` are exclusive; `terms_from`: from where its term counts."""

    key: str
    customer: Customer
    offered: Offered
    start: date
    billed_until: date | None = None
    end: date | None = None
    terms_from: date | None = None
    lines: Sequence[MovedLine] = ()


def plan_moved(actor: Actor, moved: Moved) -> PlannedContract:
    """The contract as `sign` would write it, with an agreed end and the beginning of its term; without a query.

    Raises `Refused`: `tariff_retired`, `not_found` (an article that the tariff does not have), `invalid`. Whether its
    key is taken is the caller's question.
    """
    tariff = moved.offered.tariff
    if tariff.retired:
        raise Refused("tariff_retired", "“%(key)s” is retired: it cannot be ordered any more.", key=tariff.key)
    if moved.start < moved.offered.versions[0].valid_from:
        raise Refused("invalid", "The tariff “%(key)s” is not offered on that day yet.", key=tariff.key)
    version = moved.offered.in_force(moved.start)
    first: dict[str, MovedLine] = {}
    more = []
    for line in moved.lines:
        more.append(line) if line.article in first else first.setdefault(line.article, line)
    planned = plan_of(
        actor,
        key=moved.key,
        customer=moved.customer,
        tariff=tariff,
        start=moved.start,
        version=version,
        later=moved.offered.later(version.valid_from),
        quantities={k: x.quantity for k, x in first.items() if x.quantity is not None},
        conditions={k: x.conditions for k, x in first.items()},
        billed_until=moved.billed_until,
    )
    _bound(planned.contract, moved)
    for one in planned.lines:
        known = first.get(one.line.article.key)
        one.line.memo = known.memo if known else ""
        if known is not None and known.start is not None and one.line.booking != "included":
            _begin(planned, one, known.start)
    _add(planned, version_lines={x.article.key: x for x in lines_of(version)}, more=more)
    booked = {one.line.article.key for one in planned.lines}
    for line in moved.lines:
        if line.article not in booked:
            raise Refused("invalid", "Say how many of “%(article)s” there are.", article=line.article, field="quantity")
    return planned


def _bound(contract: Contract, moved: Moved) -> None:
    """Its end and where its term counts from."""
    if moved.terms_from is not None:
        if moved.terms_from > contract.start:
            raise Refused("invalid", "The term cannot count from a day after the start.", field="terms_from")
        contract.terms_from = moved.terms_from
        contract.end = contract.term_end = fixed_end(parse_terms(contract.terms), moved.terms_from)
    if moved.end is not None:
        contract.end = contract.term_end = moved.end if contract.end is None else min(moved.end, contract.end)
    if contract.end is not None and contract.end <= contract.start:
        raise Refused("invalid", "A contract must end after it begins.", field="end")
    check_billed_until(contract)


def _add(planned: PlannedContract, version_lines: dict[str, Any], more: Sequence[MovedLine]) -> None:
    """Further lines of an article that has one already."""
    contract, opening = planned.contract, planned.opening
    for line in more:
        tariff_line = version_lines[line.article]
        if tariff_line.booking != "add_on":
            raise Refused("invalid", "“%(article)s” can be booked once or not at all.", article=line.article)
        if line.quantity is None:
            raise Refused("invalid", "Say how many of “%(article)s” there are.", article=line.article, field="quantity")
        added = new_line(
            contract, tariff_line, start=contract.start, end=None, quantity=line.quantity, memo=line.memo,
            **conditions_of(line.conditions),
        )  # fmt: skip
        added.stretches.extend(stretches_for(added.line, opening.phase, tariff_line, contract.start, opening.versions))
        planned.lines.append(added)
        if line.start is not None:
            _begin(planned, added, line.start)


def _begin(planned: PlannedContract, one: Planned, start: date) -> None:
    """Let a line begin later than its contract, at what the version costs that holds then."""
    if start <= planned.contract.start:
        return
    if planned.contract.end is not None and start >= planned.contract.end:
        raise Refused("contract_ended", "The contract ends before %(day)s: book until its last day.",
                      day=start.isoformat())  # fmt: skip
    opening = planned.opening
    version = [v for v in opening.versions if v.effective_from <= start][-1].version
    tariff_line = next((x for x in lines_of(version) if x.article_id == one.line.article_id), None)
    if tariff_line is None:
        raise Refused("not_found", "The tariff has no line for the article “%(article)s”.",
                      article=one.line.article.key)  # fmt: skip
    one.line.start = start
    one.stretches[:] = stretches_for(one.line, opening.phase, tariff_line, start, opening.versions)


def write_moved(actor: Actor, planned: Sequence[PlannedContract], *, from_file: bool = True) -> list[int]:
    """Write planned contracts with their lines, in the caller's act; gives their ids. The queries do not grow with the
    contracts of a batch. `from_file`: what the log says of where they come from."""
    ids = []
    for at in range(0, len(planned), BATCH):
        ids += _write(actor, planned[at : at + BATCH], from_file)
    return ids


def _write(actor: Actor, planned: Sequence[PlannedContract], from_file: bool) -> list[int]:
    for one in planned:
        one.contract.changed_from = one.contract.start
    Contract.objects.bulk_create([one.contract for one in planned])
    ContractPhase.objects.bulk_create([one.opening.phase for one in planned])
    PhaseVersion.objects.bulk_create([row for one in planned for row in one.opening.versions])
    lines = [line for one in planned for line in one.lines]
    ContractLine.objects.bulk_create([line.line for line in lines])
    LineQuantity.objects.bulk_create([
        LineQuantity(line=line.line, start=line.line.start, quantity=line.quantity) for line in lines
    ])  # fmt: skip
    LineStretch.objects.bulk_create([row for line in lines for row in line.stretches])
    ids = [one.contract.pk for one in planned]
    reschedule(ids)
    record_all(actor, [("sign", f"contract:{one.contract.pk}", _told(one, from_file)) for one in planned])
    return ids


def _told(planned: PlannedContract, from_file: bool) -> dict[str, Any]:
    contract = planned.contract
    return {
        "contract": contract.key,
        "customer": contract.customer.key,
        "tariff": contract.tariff.key,
        "version": planned.opening.versions[0].version_id,
        "start": contract.start,
        "quantities": {x.line.article.key: x.quantity for x in planned.lines if x.line.booking != "included"},
        "conditions": {},
        "billed_until": contract.billed_until,
        "coupon": None,
        **({"from_file": True} if from_file else {}),
    }
