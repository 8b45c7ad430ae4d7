"""What comes of a contract: all that is written already and holds from a later day on, in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from taktura.catalog.queries import titles
from taktura.contracts.models import Contract
from taktura.contracts.queries import phases_after, quantity_changes, renewal_of
from taktura.core import facts
from taktura.core.facts import Line, at
from taktura.core.periods import DAY, FOREVER
from taktura.core.schedule import own_over_time
from taktura.office import show
from taktura.office.contracts.called import called
from taktura.office.contracts.own import told
from taktura.office.terms import price_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Something that comes on a day; `change`: the change of quantity that can be taken back."""

    day: date
    text: str
    change: int | None = None


def coming(contract: Contract, values: facts.Contract, today: date, names: Mapping[int, str]) -> list[Coming]:
    """What comes after a day, the next first. `names`: those of lines, where they have one."""
    found = [*_of_contract(contract, values, today), *_of_tariffs(contract, values, today)]
    changes: dict[tuple[int, date], int] = {}
    if any(start > today for line in values.lines for start, _quantity in line.quantities):
        changes = {(q.line_id, q.start): q.pk for q in reversed(quantity_changes(contract).filter(start__gt=today))}
    for line in values.lines:
        if min(line.end, values.end) > max(today, line.start):
            title = called(at(line.terms, max(today, line.start)).title, names.get(line.id, ""))
            found += _of_line(line, title, contract, values, today, changes)
    return sorted(found, key=lambda c: c.day)


def _of_line(
    line: Line,
    title: str,
    contract: Contract,
    values: facts.Contract,
    today: date,
    changes: Mapping[tuple[int, date], int],
) -> Iterator[Coming]:
    named = {"title": title}
    if line.start > today:
        yield Coming(
            day=line.start,
            text=_("%(quantity)s × %(title)s begins")
            % {**named, "quantity": show.quantity(at(line.quantities, line.start))},
        )
    end = min(line.end, values.end)
    for start, quantity in line.quantities:
        if max(today, line.start) < start < end:
            text = _("%(title)s: the quantity becomes %(quantity)s") % {**named, "quantity": show.quantity(quantity)}
            yield Coming(day=start, text=text, change=changes.get((line.id, start)))
    for start, agreed in own_over_time(values, line):
        if max(today, line.start) < start < end:
            own = told(agreed, contract.currency)
            text = _("%(title)s: own conditions become %(conditions)s") % {**named, "conditions": own}
            yield Coming(day=start, text=text)
    for start, terms in line.terms:
        if max(today, line.start) < start < end and line.on(start).price is None:
            text = _("%(title)s: another version of the tariff holds, %(price)s") % {
                **named, "price": price_of(terms, contract.currency)
            }  # fmt: skip
            yield Coming(day=start, text=text)
    if today < line.end < values.end:
        yield Coming(day=line.end - DAY, text=_("%(title)s ends: its last day") % named)


def _of_contract(contract: Contract, values: facts.Contract, today: date) -> Iterator[Coming]:
    if values.start > today:
        yield Coming(day=values.start, text=_("The contract begins"))
    if values.trial_end and values.trial_end > today:
        yield Coming(day=values.trial_end, text=_("The trial is over"))
    for start, end in values.pauses:
        if today < start < values.end:
            yield Coming(day=start, text=_("A pause begins"))
        if today < end < min(values.end, FOREVER):
            yield Coming(day=end, text=_("The pause is over"))
    for given in values.coupons:
        if today < given.end < FOREVER:
            yield Coming(day=given.end - DAY, text=_("A coupon ends: its last day"))
    if values.end > today and values.end != FOREVER:
        yield Coming(day=values.end - DAY, text=_("The contract ends: its last day"))
    renewal = renewal_of(contract, today)
    if renewal is not None:
        yield Coming(
            day=renewal.on,
            text=_("The contract renews itself until %(last)s, unless notice is received by %(day)s")
            % {"last": show.last_day(renewal.until), "day": show.day(renewal.deadline)}
            if renewal.deadline >= today
            else _("The contract renews itself until %(last)s; the time for notice is over")
            % {"last": show.last_day(renewal.until)},
        )


def _of_tariffs(contract: Contract, values: facts.Contract, today: date) -> Iterator[Coming]:
    if not any(p.start > max(today, values.start) for p in values.phases):
        return
    named = titles(contract.seller_id, today)
    for phase in phases_after(contract, max(today, values.start)):
        tariff = named.get(phase.tariff_id, phase.tariff.key)
        yield Coming(day=phase.start, text=_("The tariff becomes “%(tariff)s”") % {"tariff": tariff})
