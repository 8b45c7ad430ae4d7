"""Notice, pause, change of tariff, and versions for running contracts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Tariff, TariffLine, TariffVersion
from taktura.catalog.queries import check_offered, version_in_force
from taktura.contracts.models import Contract, ContractLine, ContractPhase, LineStretch, Pause, PhaseVersion
from taktura.contracts.queries import heir_of, phase_on
from taktura.contracts.services.lines import (
    Planned,
    lines_without_end,
    new_line,
    next_period,
    set_end,
    stretches_for,
    write_lines,
    write_stretches,
)
from taktura.contracts.services.schedule import changed, reschedule, touch
from taktura.contracts.services.signing import PlannedPhase, plan_phase
from taktura.core.errors import Refused
from taktura.core.facts import ONE
from taktura.core.periods import Anchor
from taktura.core.terms import earliest_end, parse_terms
from taktura.customers.queries import is_german_consumer
from taktura.kit.actor import Actor


@act
def give_notice(
    actor: Actor, *, contract: Contract, received: date, wish: date | None = None, line: ContractLine | None = None
) -> date:
    """Give notice of a contract, or of one line with terms of its own; gives the end (exclusive) (R15).

    A wished last day moves to the next permitted one. Raises `Refused` (`contract_ended`, `invalid`).
    """
    check_received(actor, contract, received)
    end = notice_end(contract, received, wish, line)
    before = contract.end if line is None else line.end
    if line is None:
        contract.end, contract.notice_received = end, received
        contract.save(update_fields=["end", "notice_received"])
    else:
        set_end(line, end, received=received, agreed=line.agreed_end if line.ended_by_notice else line.end)
    changed(contract, end if before is None else min(end, before))
    record(
        actor,
        "give_notice",
        f"contract:{contract.pk}",
        {"received": received, "wish": wish, "ends": end, "line": line.pk if line else None},
    )
    return end


def check_received(actor: Actor, contract: Contract, received: date) -> None:
    """Refuse (`invalid`) a notice of a day that is still to come where the seller is: nobody can have received it."""
    today = actor.today(contract.customer.seller.time_zone)
    if received > today:
        raise Refused(
            "invalid",
            "%(day)s is still to come: enter the day on which the notice was received, %(today)s at the latest. "
            "A later end is the wished last day.",
            day=received.isoformat(), today=today.isoformat(), field="received",
        )  # fmt: skip


def notice_end(contract: Contract, received: date, wish: date | None = None, line: ContractLine | None = None) -> date:
    """The end (exclusive) to which a notice received on a day would lead (R15). Refuses as `give_notice`."""
    if contract.end is not None and contract.end <= received:
        raise Refused("contract_ended", "The contract has ended: there is nothing left to give notice of.")
    signed = contract.signed_at.astimezone(ZoneInfo(contract.customer.seller.time_zone)).date()
    first = min(signed, contract.start, contract.terms_from)
    if received < first:  # a slip in the year would end it in the past, and credit all of it
        raise Refused(
            "invalid", "There was no contract on %(day)s: a notice of it is received on %(first)s at the earliest.",
            day=received.isoformat(), first=first.isoformat(), field="received",
        )  # fmt: skip
    heir = heir_of(contract)
    if heir is not None:
        raise Refused(
            "conflict", "It goes over on %(day)s, as the contract “%(key)s”: give notice of that one.",
            day=heir.start.isoformat(), key=heir.key,
        )  # fmt: skip
    consumer = is_german_consumer(contract.customer)
    terms, start = parse_terms(contract.terms), contract.terms_from
    if line is not None:
        stretch = LineStretch.objects.filter(line=line).select_related("tariff_line").last()
        own = stretch.tariff_line.terms.get("notice") if stretch else None
        if own:
            terms, start = parse_terms(own), line.terms_from or line.start
    end = earliest_end(terms, start, received, consumer=consumer, wish=wish)
    if contract.end is not None:
        end = min(end, contract.end)
    return min(end, line.end) if line is not None and line.end else end


@act
def withdraw_notice(actor: Actor, *, contract: Contract, line: ContractLine | None = None) -> None:
    """Take a notice of a contract, or of one line, back: it runs on. What was credited is billed with the next billing
    (R5.9). Refuses as `check_notice`."""
    check_notice(contract, line)
    ended = contract.end if line is None else line.end
    if line is None:
        contract.end, contract.notice_received = contract.term_end, None
        contract.save(update_fields=["end", "notice_received"])
    else:
        set_end(line, line.agreed_end)
    changed(contract, ended or contract.start)
    data = {"ended": ended} if line is None else {"ended": ended, "line": line.pk}
    record(actor, "withdraw_notice", f"contract:{contract.pk}", data)


def check_notice(contract: Contract, line: ContractLine | None = None) -> None:
    """Raise `Refused` unless there is a notice to be taken back: `invalid`; `conflict` where the tariff has changed
    since the line ended, so that nothing says what it costs."""
    if line is None:
        if contract.notice_received is None:
            raise Refused("invalid", "No notice of this contract has been given.")
        return
    if line.notice_received is None or line.end is None:
        raise Refused("invalid", "No notice of this contract line has been given.")
    if PhaseVersion.objects.filter(phase__contract=contract, effective_from__gte=line.end).exists():
        raise Refused("conflict", "The tariff has changed since the line's end: book the line anew.")
    if ContractPhase.objects.filter(contract=contract, start__gte=line.end).exists():
        raise Refused("conflict", "The tariff has changed since the line's end: book the line anew.")


@act
def pause(actor: Actor, *, contract: Contract, start: date, end: date | None = None) -> Pause:
    """Pause a contract in `[start, end)`; raises `Refused`: `conflict` (another pause), `contract_ended`, `invalid`."""
    check_pause(contract, start, end)
    row = Pause.objects.create(contract=contract, start=start, end=end)
    changed(contract, start)
    record(actor, "pause", f"contract:{contract.pk}", {"from": start, "until": end})
    return row


def check_pause(contract: Contract, start: date, end: date | None) -> None:
    """Refuse what `pause` refuses."""
    if contract.end is not None and start >= contract.end:
        raise Refused("contract_ended", "The contract ends before %(day)s.", day=start.isoformat())
    if end is not None and end <= start:
        raise Refused("invalid", "A pause must end after it begins.")
    others = contract.pauses.filter(Q(end__isnull=True) | Q(end__gt=start)).exclude(start=F("end"))
    if others.filter(start__lt=end).exists() if end is not None else others.exists():
        raise Refused("conflict", "The contract is paused already in that span: resume it first.")


@act
def resume(actor: Actor, *, contract: Contract, start: date) -> None:
    """End the pause that runs on a day, on that day; raises `Refused` (`invalid`) when none does."""
    row = pause_on(contract, start)
    row.end = start
    row.save(update_fields=["end"])
    changed(contract, start)
    record(actor, "resume", f"contract:{contract.pk}", {"from": start})


def pause_on(contract: Contract, day: date) -> Pause:
    """The pause that runs on a day; raises `Refused` (`invalid`) when none does."""
    row = contract.pauses.filter(start__lte=day).filter(Q(end__isnull=True) | Q(end__gt=day)).last()
    if row is None:
        raise Refused("invalid", "The contract is not paused on %(day)s.", day=day.isoformat())
    return row


@dataclass(frozen=True, slots=True)
class PlannedTariff:
    """A change of tariff that is not written yet: the phase that ends, the one that begins, and what becomes of the
    lines (`kept` at their old terms, `ended` on a day, `stretches` of those that go on, `new`)."""

    old: ContractPhase
    opening: PlannedPhase
    stretches: list[LineStretch]
    kept: list[ContractLine]
    ended: list[tuple[ContractLine, date]]
    new: list[Planned]


@act
def change_tariff(
    actor: Actor,
    *,
    contract: Contract,
    tariff: Tariff,
    start: date,
    keep_billing_dates: bool = True,
    keep_terms: bool = True,
    keep: Iterable[str] = (),
) -> None:
    """Put a contract under another tariff from a date on (R16.1).

    Lines for an article that both tariffs have go on with their quantity, those named in `keep` at their old terms;
    the rest end. A once line of the new tariff is not charged. Raises `Refused`: `contract_ended`, `conflict` (a later
    change is planned), `not_found` (an article in `keep` that is not booked), `tariff_retired`, `invalid`.
    """
    kept = sorted(keep)
    planned = plan_tariff(contract, tariff, start, keep_billing_dates=keep_billing_dates, keep=kept)
    planned.old.save(update_fields=["end"])
    planned.opening.write()
    for line in planned.kept:
        line.save(update_fields=["kept_from"])
    for line, end in planned.ended:
        set_end(line, end)
    write_lines(planned.new)
    write_stretches(planned.stretches)
    contract.tariff, contract.threshold = tariff, planned.opening.versions[0].version.interim_threshold
    if not keep_terms:
        contract.terms, contract.terms_from = planned.opening.versions[0].version.notice, start
    contract.save(update_fields=["tariff", "terms", "terms_from", "threshold"])
    changed(contract, start)
    record(
        actor,
        "change_tariff",
        f"contract:{contract.pk}",
        {
            "tariff": tariff.key,
            "from": start,
            "keep_billing_dates": keep_billing_dates,
            "keep_terms": keep_terms,
            "keep": kept,
        },
    )


def plan_tariff(
    contract: Contract, tariff: Tariff, start: date, *, keep_billing_dates: bool = True, keep: Iterable[str] = ()
) -> PlannedTariff:
    """What `change_tariff` would write. Refuses alike."""
    if contract.end is not None and start >= contract.end:
        raise Refused("contract_ended", "The contract ends before %(day)s.", day=start.isoformat())
    if start <= contract.start:
        raise Refused("invalid", "A change of tariff begins after the contract's first day.")
    if tariff.currency != contract.currency:
        raise Refused("invalid", "The new tariff is in another currency: sign a new contract.")
    check_offered(tariff)
    if ContractPhase.objects.filter(contract=contract, start__gte=start).exists():
        raise Refused("conflict", "A change of tariff on or after %(day)s is planned already.", day=start.isoformat())
    old = phase_on(contract, start)
    counted = Anchor(old.anchor_kind, old.anchor_origin, old.anchor_day)
    if not keep_billing_dates:
        counted = Anchor("contract", start, start.day)
    old.end = start
    opening = plan_phase(contract, tariff, version_in_force(tariff, start), start, counted)
    planned = PlannedTariff(old, opening, [], [], [], [])
    _carry_lines(contract, planned, start, set(keep))
    return planned


def lines_left(contract: Contract, tariff: Tariff, start: date) -> list[ContractLine]:
    """The lines that a change of tariff would end, since the other tariff has none for their article: those to decide
    about (`keep`). Refuses as `change_tariff` does."""
    return [line for line, _day in plan_tariff(contract, tariff, start).ended]


def _carry_lines(contract: Contract, planned: PlannedTariff, start: date, keep: set[str]) -> None:
    phase, versions = planned.opening.phase, planned.opening.versions
    new = {line.article.key: line for line in versions[0].version.lines.select_related("article", "version")}
    running = lines_without_end(contract, start)
    unknown = keep - {line.article.key for line in running}
    if unknown:
        raise Refused(
            "not_found", "The contract has no line for the article “%(article)s”.", article=sorted(unknown)[0]
        )
    going_on = set()
    for line in running:
        other: TariffLine | None = new.get(line.article.key)
        ends = line.end
        if line.charge == "once":
            pass
        elif other is not None and other.charge == line.charge:
            planned.stretches.extend(stretches_for(line, phase, other, max(start, line.start), versions))
        elif line.article.key in keep:
            line.kept_from = start
            planned.kept.append(line)
        else:
            ends = max(start, line.start)
            planned.ended.append((line, ends))
        if ends is None or ends > start:
            going_on.add(line.article.key)
    for article, tariff_line in new.items():
        if tariff_line.booking == "included" and tariff_line.charge != "once" and article not in going_on:
            added = new_line(contract, tariff_line, start=start, end=None, quantity=ONE)
            added.stretches.extend(stretches_for(added.line, phase, tariff_line, start, versions))
            planned.new.append(added)


def apply_version(version: TariffVersion, billed: Mapping[int, date], unit_billed: Mapping[int, date]) -> list[int]:
    """Fix for each running contract from which period on a version for all holds (R16.3); gives the contracts.

    `billed`: to which day (exclusive) each contract line is billed, `unit_billed` each contract's usage and minimum; a
    version dated back begins after that.
    """
    phases = list(
        ContractPhase.objects.filter(tariff=version.tariff_id)
        .filter(Q(end__isnull=True) | Q(end__gt=version.valid_from))
        .select_related("contract")
    )
    lines: dict[int, list[ContractLine]] = {}
    found = ContractLine.objects.filter(contract__in=[p.contract_id for p in phases], kept_from__isnull=True)
    for line in found.filter(Q(end__isnull=True) | Q(end__gt=version.valid_from)).select_related("article"):
        lines.setdefault(line.contract_id, []).append(line)
    new = {line.article_id: line for line in version.lines.select_related("article", "version")}
    versions, rows = [], []
    for phase in phases:
        anchor = Anchor(phase.anchor_kind, phase.anchor_origin, phase.anchor_day)
        day = max(version.valid_from, phase.start, unit_billed.get(phase.contract_id, date.min))
        period = anchor.grid(version.interval).of(day)
        begins = day if day == period.start else period.end
        versions.append(PhaseVersion(phase=phase, version=version, effective_from=begins))
        for line in lines.get(phase.contract_id, ()):
            tariff_line = new.get(line.article_id)
            if tariff_line is not None and tariff_line.charge == line.charge and line.charge != "once":
                after = max(version.valid_from, phase.start, billed.get(line.pk, date.min))
                rows.append(
                    LineStretch(
                        line=line, tariff_line=tariff_line, effective_from=next_period(line, phase, tariff_line, after)
                    )
                )
    PhaseVersion.objects.bulk_create(versions, batch_size=2000)
    LineStretch.objects.bulk_create(rows, batch_size=2000)
    ids = [phase.contract_id for phase in phases]
    touch(ids, version.valid_from)
    reschedule(ids)
    return ids
