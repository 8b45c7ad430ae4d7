"""A contract's life without a database, for the tests over random histories.

`World` keeps the facts of one contract and the charges on its issued documents as plain values. It writes facts,
settles and issues as the services of contracts, usage and billing do: the floors, the days due and the marks of the
read model are kept here by the same words.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from taktura.core.documents import Draft, Entry, Rests, compose
from taktura.core.expected import unit_of
from taktura.core.facts import (
    Charge,
    Conditions,
    Contract,
    Coupon,
    Line,
    LineTerms,
    Phase,
    TariffTerms,
    Tax,
    Usage,
    UsageKey,
    at,
)
from taktura.core.metering import billed_seconds
from taktura.core.periods import DAY, FOREVER, Anchor, anchor
from taktura.core.schedule import floor, next_due, windows
from taktura.core.settle import Scope, settle
from taktura.core.tax import Vat, is_gross, tax_in_gross, tax_of_net

JOINT = ("usage", "minimum_sales", "cost_cap")  # summed before they are signed (R12.1)
Place = tuple[object, ...]


@dataclass(frozen=True)
class Offer:
    """What a history starts from: up to two tariffs (terms of the whole, terms by article), and the frame."""

    start: date
    anchor: str
    tariffs: tuple[tuple[TariffTerms, Mapping[str, LineTerms]], ...]
    tax: Tax = field(default_factory=Tax)
    trial: int = 0  # days
    digits: int = 2
    stacking: str = "best"
    netted: bool = False


@dataclass
class Record:
    """One usage record of the store; `quantity` None once it is withdrawn."""

    line: int
    day: date
    quantity: Decimal | None
    seconds: int = 0


class World:
    """One contract: its facts, its usage, what was issued of it, and the read model that runs go by."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        trial_end = offer.start + timedelta(days=offer.trial) if offer.trial else None
        counted = anchor(offer.anchor, trial_end if trial_end and offer.anchor == "contract" else offer.start)
        terms, lines = offer.tariffs[0]
        booked = [
            Line(id=i, start=offer.start, terms=((offer.start, line),), quantities=((offer.start, Decimal(1)),))
            for i, line in enumerate(lines.values(), 1)
        ]
        self.contract = Contract(
            id=1,
            start=offer.start,
            trial_end=trial_end,
            phases=(Phase(start=offer.start, anchor=counted, versions=((date.min, terms),)),),
            lines=tuple(booked),
            tax=offer.tax,
            digits=offer.digits,
            stacking=offer.stacking,
        )
        self.today = offer.start
        self.records: list[Record] = []
        self.billed: list[Charge] = []
        self.documents: dict[int, Draft] = {}
        self.settled_until: date | None = None
        self.changed_from: date | None = None
        self.next_due: date | None = None
        self.waived: dict[Place, int] = defaultdict(int)
        self.changed(offer.start)

    # ---- facts -----------------------------------------------------------------------------------------------------

    def changed(self, day: date) -> None:
        """Facts from a day on have changed."""
        self.changed_from = min(day, self.changed_from or day)
        self.next_due = next_due(self.contract, self.settled_until)

    def line(self, number: int) -> Line:
        """A contract line by its id."""
        return next(x for x in self.contract.lines if x.id == number)

    def put(self, line: Line) -> None:
        """Write a line, new or changed."""
        kept = {x.id: x for x in self.contract.lines} | {line.id: line}
        self.contract = replace(self.contract, lines=tuple(kept.values()))

    def book(self, terms: LineTerms, start: date, quantity: Decimal, end: date = FOREVER) -> Line:
        """Book a line (R5.6)."""
        line = Line(
            id=max(x.id for x in self.contract.lines) + 1,
            start=start,
            end=end,
            terms=((start, terms),),
            quantities=((start, quantity),),
        )
        self.put(line)
        self.changed(start)
        return line

    def change_quantity(self, number: int, day: date, quantity: Decimal) -> None:
        """Append to the timeline of a line (R5.3)."""
        line = self.line(number)
        self.put(replace(line, quantities=tuple(sorted({**dict(line.quantities), day: quantity}.items()))))
        self.changed(day)

    def change_conditions(self, number: int, day: date, own: Conditions) -> None:
        """Agree other conditions of a line from a day on (R7.5)."""
        line = self.line(number)
        self.put(replace(line, conditions=tuple(sorted({**dict(line.conditions), day: own}.items()))))
        self.changed(day)

    def end_line(self, number: int, day: date) -> None:
        """End a line; the day is exclusive."""
        self.put(replace(self.line(number), end=day))
        self.changed(day)

    def end_contract(self, day: date) -> None:
        """Set the contract's end, or take a notice back with `FOREVER`."""
        before, self.contract = self.contract.end, replace(self.contract, end=day)
        self.changed(min(day, before))

    def pause(self, first: date, end: date) -> None:
        """Pause the contract (R16.2)."""
        self.contract = replace(self.contract, pauses=tuple(sorted([*self.contract.pauses, (first, end)])))
        self.changed(first)

    def resume(self, day: date) -> bool:
        """End the pause that runs on a day."""
        running = [p for p in self.contract.pauses if p[0] <= day < p[1]]
        if running:
            left = [p for p in self.contract.pauses if p != running[0]] + [(running[0][0], day)]
            self.contract = replace(self.contract, pauses=tuple(sorted(p for p in left if p[0] < p[1])))
            self.changed(day)
        return bool(running)

    def change_tariff(self, number: int, day: date, *, keep_dates: bool, keep: Iterable[str] = ()) -> None:
        """Put the contract under another of the offer's tariffs (R16.1)."""
        terms, lines = self.offer.tariffs[number]
        last = self.contract.phases[-1]
        counted = last.anchor if keep_dates else Anchor("contract", day, day.day)
        opened = Phase(start=day, anchor=counted, versions=((date.min, terms),))
        self.contract = replace(self.contract, phases=(*self.contract.phases[:-1], replace(last, end=day), opened))
        going_on = set()
        for line in self.contract.lines:
            other = lines.get(line.article)
            if line.end <= day or line.terms[0][1].charge == "once":
                continue
            begin = max(day, line.start)
            if other is not None and other.charge == line.terms[0][1].charge:
                self.put(replace(line, terms=(*line.terms, (begin, other))))
                going_on.add(line.article)
            elif line.article in keep:
                self.put(replace(line, kept=day))
                going_on.add(line.article)
            else:
                self.put(replace(line, end=begin))
        for article, new in lines.items():
            if new.booking == "included" and new.charge != "once" and article not in going_on:
                self.book(new, day, Decimal(1))
        self.changed(day)

    def give(self, coupon: Coupon) -> None:
        """Give a coupon that counts from the period of the day it is given on (R10.2)."""
        first = unit_of(self.contract, max(coupon.given, self.contract.start)).start
        self.contract = replace(self.contract, coupons=(*self.contract.coupons, replace(coupon, first=first)))
        self.changed(max(coupon.given, self.contract.start))

    def use(self, record: Record, quantity: Decimal | None) -> None:
        """Record, correct or withdraw usage (R12)."""
        if record not in self.records:
            self.records.append(record)
        record.quantity = quantity
        if self.settled_until is not None and record.day < self.settled_until:
            self.changed_from = min(record.day, self.changed_from or record.day)

    # ---- settlement ------------------------------------------------------------------------------------------------

    def facts(self, until: date, since: date = date.min) -> Contract:
        """The contract with the sums of its usage, as the store gives them."""
        sums: dict[UsageKey, Usage] = {}
        for window in windows(self.contract, until + DAY, since):
            rows = [
                r
                for r in self.records
                if r.line == window.line and r.quantity is not None and any(a <= r.day < b for a, b in window.ranges)
            ]
            if rows:
                quantities = [r.quantity for r in rows if r.quantity is not None]
                tick = window.terms.tick if window.terms.tick_scope == "record" else (1, 1)
                sums[window.line, window.start] = Usage(
                    parts=((1, sum(quantities, Decimal(0)), Decimal(0), Decimal(0)),),
                    seconds=sum(billed_seconds(r.seconds, tick) for r in rows),
                    count=len(rows),
                    peak=max(quantities),
                    last=quantities[-1],
                    raw_quantity=sum(quantities, Decimal(0)),
                )
        return replace(self.contract, usage=sums)

    def due(self, scope: Scope, since: date = date.min) -> list[Charge]:
        """What is due in a scope; settlement is pure: twice the same, and nothing that went in has changed."""
        until = max(scope.on, scope.through or scope.on)
        contract, billed = self.facts(until, since), tuple(c for c in self.billed if c.key.start >= since)
        due = settle(contract, billed, scope, since)
        assert billed == tuple(c for c in self.billed if c.key.start >= since)
        return due

    def drafts(self, due: Iterable[Charge], *, netted: bool = False) -> list[Draft]:
        """The documents that charges make."""
        order = {line.id: i for i, line in enumerate(self.contract.lines)}
        entries = [
            Entry(contract=1, kind=c.key.kind, order=(0, order.get(c.key.line or 0, 0), c.key.line or 0), charge=c)
            for c in due
        ]
        documents = {c.id: c.document for c in self.billed}
        return compose(entries, documents, self.rests(), gross=is_gross(self.contract.tax), netted=netted)

    def moving(self, due: Iterable[Charge]) -> list[Charge]:
        """Charges without what makes no document by itself, which a floor may leave out: what costs nothing, a line
        that a cap takes off again, and a cent of a unit that goes from one VAT rate to another, too little for any
        VAT."""
        found = [c for c in due if c.amount]
        units: dict[tuple[date, date], list[Charge]] = {}
        for charge in found:
            units.setdefault(self.place_in(charge), []).append(charge)
        still = {place for place, rows in units.items() if not sum(c.amount for c in rows) and not self.drafts(rows)}
        return [c for c in found if self.place_in(c) not in still]

    def place_in(self, charge: Charge) -> tuple[date, date]:
        """The starts of phase and period of the unit that a charge is in; what is charged by days may begin before."""
        if charge.key.phase is not None:
            return charge.key.phase, charge.key.start
        unit = unit_of(self.contract, charge.first)
        return unit.phase.start, unit.start

    def rests(self) -> Rests:
        """What is left of each document by VAT, less the credit notes that correct only it (R14.4)."""
        found: dict[int, dict[Vat, tuple[int, int]]] = {}
        for pk, draft in self.documents.items():
            if draft.kind == "invoice":
                found[pk] = {row.vat: (row.net, row.tax) for row in draft.taxes}
            elif len(draft.references) == 1 and draft.references[0] in found:
                rest = found[draft.references[0]]
                for row in draft.taxes:
                    net, tax = rest.get(row.vat, (0, 0))
                    rest[row.vat] = (net - row.net, tax - row.tax)
        return found

    def issue(self, drafts: Iterable[Draft]) -> None:
        """Issue documents: their charges are billed from now on."""
        rests = self.rests()
        for draft in drafts:
            check_document(draft, rests, is_gross(self.contract.tax))
            number = len(self.documents) + 1
            self.documents[number] = draft
            for row in draft.lines:
                assert row.entry.charge is not None
                self.billed.append(replace(row.entry.charge, id=len(self.billed) + 1, document=number))
        for charge in self.billed:
            if charge.credits is None and charge.amount > 0 and charge.key.kind not in JOINT:
                assert self.left(charge) >= 0, f"more is credited than was billed of {charge}"

    def left(self, charge: Charge) -> int:
        """What is left of a charge (R5.4)."""
        back = [c for c in self.billed if c.credits == charge.id]
        # A relief that names another line of its unit goes back by its own key.
        return charge.amount + sum(c.amount for c in back if c.by_hand or c.key == charge.key)

    def settle_now(self, scope: Scope, *, netted: bool = False) -> list[Draft]:
        """What a change or an interim bill makes due at once."""
        due = self.due(scope)
        drafts = self.drafts(due, netted=netted)
        if not drafts:
            return []
        everything = due == self.due(Scope(on=scope.on))
        self.issue(drafts)
        if everything:
            self.mark(scope.on)
        assert not self.drafts(self.due(scope), netted=netted), "the same again makes documents"
        return drafts

    def change(self, lines: Iterable[int], through: date | None = None) -> list[Draft]:
        """Settle the lines that a change has touched (R5.3)."""
        scope = Scope(on=self.today, lines=frozenset(lines), through=through)
        return self.settle_now(scope, netted=self.offer.netted)

    def run(self, day: date) -> list[Draft]:
        """A billing run: only if the read model says so, and only from its floor on; checked against everything."""
        self.today = day
        scope = Scope(on=day)
        everything = self.due(scope)
        found = self.next_due is not None and self.next_due <= day
        if not (found or self.changed_from is not None and self.contract.start <= day):
            assert not self.drafts(everything), "a run would not find what is due"
            return []
        if self.settled_until is not None:
            known = (self.next_due, self.changed_from, self.settled_until + DAY)
            since = floor(self.contract, min(d for d in known if d is not None))
            seen = self.due(scope, since) if since > date.min else everything
            assert self.moving(seen) == self.moving(everything), f"not all is due from {since} on"
        drafts = self.drafts(everything)
        self.issue(drafts)
        self.mark(day)
        if drafts:
            assert not self.drafts(self.due(scope)), "a second run makes documents"
        return drafts

    def mark(self, day: date) -> None:
        """Everything due up to a day is settled."""
        self.settled_until = max(day, self.settled_until or day)
        self.changed_from = None
        self.next_due = next_due(self.contract, day)

    def credit(self, charge: Charge, amount: int, *, rebill: bool) -> None:
        """Credit by hand (R5.4, R14.4): minor units of what is left of a billed charge."""
        taken = replace(
            charge,
            amount=-amount,
            credits=charge.id,
            by_hand=True,
            rebill=rebill,
            id=0,
            document=0,
            shares=(),
            quantity=charge.quantity if charge.rate is not None else -charge.quantity,
            proof={},
        )
        self.issue([replace(d, references=(charge.document,)) for d in self.drafts([taken])])
        if rebill:
            self.changed(min(charge.first, charge.key.start))
        else:
            self.waived[place_of(charge)] += amount

    # ---- what came of it -------------------------------------------------------------------------------------------

    def sums(self) -> dict[Place, int]:
        """What was billed, by what identifies it."""
        return sums_of(self.billed)

    def settled(self, day: date) -> dict[Place, int]:
        """The same once all until a day is billed; what cancels out on a document makes none, but counts here."""
        rest = self.due(Scope(on=day))
        assert not self.drafts(rest), "not all is billed"
        return sums_of([*self.billed, *rest])

    def expected(self, day: date) -> dict[Place, int]:
        """What one bill for all of it would have been: the same facts, settled from nothing."""
        return sums_of(settle(self.facts(day), [], Scope(on=day)))


def place_of(charge: Charge) -> Place:
    """What a charge counts to: its key; of usage, top-up and relief the unit (phase and period)."""
    key = charge.key
    return ("unit", key.phase, key.start) if key.kind in JOINT else (key.kind, key.line, key.start)


def sums_of(charges: Iterable[Charge]) -> dict[Place, int]:
    """Sums by place; what sums to nothing is left out."""
    found: dict[Place, int] = defaultdict(int)
    for charge in charges:
        found[place_of(charge)] += charge.amount
    return {k: v for k, v in found.items() if v}


def check_document(draft: Draft, rests: Rests, gross: bool) -> None:
    """What holds for every document: it is not negative, its lines and its VAT add up (R13.2, R14.4)."""
    assert draft.lines
    # With several VAT rates the net may be nothing or less, where there is VAT to be paid or given back.
    assert draft.gross >= 0 and (draft.gross or draft.net > 0), "a document over nothing or less"
    assert draft.net + draft.tax == draft.gross
    single = draft.references[0] if draft.kind == "credit_note" and len(draft.references) == 1 else None
    for row in draft.taxes:
        lines = [x for x in draft.lines if x.entry.charge is not None and x.entry.charge.vat == row.vat]
        amount = sum(x.amount for x in lines)
        assert sum(x.net for x in lines) == row.net
        assert amount == (row.net + row.tax if gross else row.net)
        usual = tax_in_gross(amount, row.vat[1]) if gross else tax_of_net(amount, row.vat[1])
        rest = rests.get(single, {}).get(row.vat) if single is not None else None
        assert row.tax == usual or (rest is not None and row.tax in (rest[1], min(usual, rest[1])))
    assert {x.entry.charge.vat for x in draft.lines if x.entry.charge} == {row.vat for row in draft.taxes}
    assert (draft.kind == "credit_note") >= bool(draft.references and single)


@pytest.fixture(scope="session")
def world_of() -> type[World]:
    """The class of worlds, made from an `Offer`."""
    return World


@pytest.fixture(scope="session")
def offer_of() -> type[Offer]:
    """The class of offers."""
    return Offer


@pytest.fixture(scope="session")
def record_of() -> type[Record]:
    """The class of usage records."""
    return Record


def running_lines(world: World, day: date) -> list[Line]:
    """The lines that run on a day."""
    return [x for x in world.contract.lines if x.start <= day < min(x.end, world.contract.end)]


def terms_on(line: Line, day: date) -> LineTerms:
    """A line's terms on a day."""
    return at(line.terms, day)
