"""Contract lines: booking, quantities, ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import TariffLine
from taktura.catalog.queries import lines_of, tariff_line_terms
from taktura.contracts.models import Contract, ContractLine, ContractPhase, LineQuantity, LineStretch, PhaseVersion
from taktura.contracts.services.bookable import Bookable, bookable
from taktura.contracts.services.schedule import changed
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.offer import check_conditions
from taktura.core.periods import Anchor
from taktura.kit.actor import Actor
from taktura.kit.exact import number

LONGEST_REASON = 200


@act
def book(
    actor: Actor,
    *,
    contract: Contract,
    article: str,
    start: date,
    quantity: Decimal = Decimal(1),
    end: date | None = None,
    memo: str = "",
    price: Decimal | None = None,
    discount: Decimal = Decimal(0),
    reason: str = "",
    minimum_quantity: Decimal | None = None,
    name: str = "",
    order_coupon: int | None = None,
) -> ContractLine:
    """Book a line of the contract's tariff; `end` is exclusive. Money is billing's matter (R5.6).

    Raises `Refused`: `contract_ended`, `not_found` (no such article in the tariff), `invalid`.
    """
    planned = plan_booking(
        contract=contract,
        article=article,
        start=start,
        quantity=quantity,
        end=end,
        memo=memo,
        name=name,
        order_coupon=order_coupon,
        price=price,
        discount=discount,
        reason=reason,
        minimum_quantity=minimum_quantity,
    )
    line = write_lines([planned])[0]
    changed(contract, start)
    record(
        actor,
        "book",
        f"contract:{contract.pk}",
        {
            "article": article,
            "quantity": quantity,
            "from": start,
            "until": end,
            "memo": memo,
            "price": price,
            "discount": discount,
            "reason": reason,
            "minimum_quantity": minimum_quantity,
            "line": line.pk,
        },
    )
    return line


@dataclass(frozen=True, slots=True)
class Planned:
    """A line that is not written yet: its first quantity, and what it costs from when."""

    line: ContractLine
    quantity: Decimal
    stretches: list[LineStretch]


def plan_booking(
    *,
    contract: Contract,
    price: Decimal | None = None,
    discount: Decimal = Decimal(0),
    reason: str = "",
    minimum_quantity: Decimal | None = None,
    **fields: Any,
) -> Planned:
    """The line that `book` would write. Refuses alike."""
    own = {"price": price, "discount": discount, "reason": reason, "minimum_quantity": minimum_quantity}
    return plan_line(contract=contract, **fields, **conditions_of(own))


def plan_line(
    *,
    contract: Contract,
    article: str,
    start: date,
    quantity: Decimal = Decimal(1),
    end: date | None = None,
    offer: Bookable | None = None,
    **fields: Any,
) -> Planned:
    """A line with its terms, not written; see `book` for what is refused. `offer`: loaded before, for many lines."""
    if contract.end is not None and start >= contract.end:
        raise Refused(
            "contract_ended", "The contract ends before %(day)s: book until its last day.", day=start.isoformat()
        )
    if start < contract.start:
        raise Refused("invalid", "The contract begins on %(day)s: book from then on.", day=contract.start.isoformat())
    if end is not None and end <= start:
        raise Refused("invalid", "A line must end after it begins.")
    if quantity < 0:
        raise Refused("invalid", "A quantity cannot be less than 0.")
    offer = offer or bookable([contract.pk])
    phase = offer.phase_on(contract.pk, start)
    tariff_line = offer.line_of_tariff(phase, article, start)
    if tariff_line.booking == "included":
        raise Refused("invalid", "“%(article)s” is part of the tariff and already booked.", article=article)
    if tariff_line.booking == "on_off" and (quantity not in (0, 1) or offer.taken(contract.pk, article, start, end)):
        raise Refused("invalid", "“%(article)s” can be booked once or not at all.", article=article)
    planned = new_line(contract, tariff_line, start=start, end=end, quantity=quantity, **fields)
    planned.stretches.extend(stretches_for(planned.line, phase, tariff_line, start, list(phase.versions.all())))
    for later in offer.after(contract.pk, start):
        try:
            other = offer.line_of_tariff(later, article, later.start)
        except Refused:
            planned.line.end = min(planned.line.end or later.start, later.start)
            break
        planned.stretches.extend(stretches_for(planned.line, later, other, later.start, list(later.versions.all())))
    return planned


@act
def end_line(actor: Actor, *, line: ContractLine, until: date) -> facts.Contract:
    """End a line; `until` is exclusive. See `check_end` for what is refused. Gives the contract as it is then."""
    check_end(line, until)
    set_end(line, until)
    found = changed(line.contract, until)
    record(
        actor,
        "end_line",
        f"contract:{line.contract_id}",
        {"line": line.pk, "article": line.article.key, "until": until},
    )
    return found


def check_end(line: ContractLine, until: date) -> None:
    """Raise `Refused` (`invalid`) when a line is over already before a day, or begins after it."""
    if until < line.start or (line.end is not None and line.end < until):
        raise Refused(
            "invalid", "The line does not run until %(day)s: choose a day of its life.", day=until.isoformat()
        )


def check_runs(line: ContractLine, day: date) -> None:
    """Raise `Refused` (`contract_ended`, `invalid`) unless a line runs on a day, or will."""
    contract = line.contract
    if contract.end is not None and day >= contract.end:
        raise Refused("contract_ended", "The contract ends before %(day)s.", day=day.isoformat())
    if day < line.start or (line.end is not None and day >= line.end):
        raise Refused("invalid", "The line does not run on %(day)s: choose a day of its life.", day=day.isoformat())


def set_end(
    line: ContractLine, until: date | None, *, received: date | None = None, agreed: date | None = None
) -> None:
    """Write a line's end; `received`: the day of the notice that ends it, `agreed` the end that stood before."""
    line.end, line.ended_by_notice = until, received is not None
    line.notice_received, line.agreed_end = received, agreed
    line.save(update_fields=["end", "ended_by_notice", "notice_received", "agreed_end"])


def conditions_of(fields: dict[str, Any]) -> dict[str, Any]:
    """A contract's own conditions as columns (R7.5), checked."""
    unknown = set(fields) - {"price", "discount", "reason", "minimum_quantity"}
    if unknown:
        raise Refused("invalid", "Conditions have no field “%(field)s”.", field=sorted(unknown)[0])
    values = {k: number(v, k) for k, v in fields.items() if v is not None and k != "reason"}
    check_conditions(values.get("price"), values.get("discount", Decimal(0)), values.get("minimum_quantity"))
    reason = fields.get("reason") or ""
    if len(reason) > LONGEST_REASON:
        raise Refused("invalid", "A reason has at most %(most)s characters.", most=LONGEST_REASON, field="reason")
    return {**values, "reason": reason}


def new_line(
    contract: Contract, tariff_line: TariffLine, *, start: date, end: date | None, quantity: Decimal, **fields: Any
) -> Planned:
    """A line of a tariff's line, not written; nothing says yet what it costs."""
    quantity = number(quantity, "quantity")
    line = ContractLine(
        contract=contract,
        article=tariff_line.article,
        charge=tariff_line.charge,
        booking=tariff_line.booking,
        start=start,
        end=end,
        **fields,
    )
    return Planned(line, quantity, [])


def write_lines(planned: Sequence[Planned]) -> list[ContractLine]:
    """Write lines with their first quantities and their terms."""
    lines = [p.line for p in planned]
    ContractLine.objects.bulk_create(lines)
    LineQuantity.objects.bulk_create(
        LineQuantity(line=p.line, start=p.line.start, quantity=p.quantity) for p in planned
    )
    write_stretches(row for p in planned for row in p.stretches)
    return lines


def stretches_for(
    line: ContractLine, phase: ContractPhase, tariff_line: TariffLine, start: date, versions: Sequence[PhaseVersion]
) -> list[LineStretch]:
    """From when which version's line holds for a contract line in a phase: the one at its start, then later ones from
    the line's next period on, counted by its own interval (R16.3). `versions`: of the phase, in order."""
    rows = [LineStretch(line=line, tariff_line=tariff_line, effective_from=start)]
    for entry in versions:
        if entry.effective_from <= start:
            continue
        other = next((x for x in lines_of(entry.version) if x.article_id == line.article_id), None)
        if other is not None:
            rows.append(
                LineStretch(
                    line=line,
                    tariff_line=other,
                    effective_from=next_period(line, phase, tariff_line, entry.version.valid_from),
                )
            )
    return rows


def next_period(line: ContractLine, phase: ContractPhase, tariff_line: TariffLine, day: date) -> date:
    """The first start of a period of a line on or after a day."""
    terms = tariff_line_terms([tariff_line.pk])[tariff_line.pk]
    grid = Anchor(phase.anchor_kind, phase.anchor_origin, phase.anchor_day).grid(terms.interval)
    period = grid.of(day)
    return period.start if period.start == day else period.end


def write_stretches(rows: Iterable[LineStretch]) -> None:
    """Write them at once."""
    LineStretch.objects.bulk_create(rows)


def lines_without_end(contract: Contract, day: date) -> list[ContractLine]:
    """The lines that run on or begin after a day."""
    found = ContractLine.objects.filter(contract=contract).filter(Q(end__isnull=True) | Q(end__gt=day))
    return list(found.select_related("article").order_by("id"))
