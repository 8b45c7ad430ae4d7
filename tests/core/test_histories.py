"""Random histories of a contract (settlement.md, “The test worth most”).

A history is an offer and a row of steps, all plain values, driven through settlement as billing does it. However it
went, the documents made along the way add up to what one bill at the end would have been, to the minor unit and for
each line and period, and a second run is empty. `TAKTURA_HISTORIES` says how many histories are tried.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taktura.core.expected import rated_periods
from taktura.core.facts import Conditions, Coupon, LineTerms, TariffTerms, Tax, Tier
from taktura.core.periods import FOREVER, Span
from taktura.core.settle import Scope

HISTORIES = int(os.environ.get("TAKTURA_HISTORIES", "2000"))
MONTH, QUARTER, YEAR = Span(1, "month"), Span(3, "month"), Span(1, "year")
INTERVALS = [MONTH, MONTH, MONTH, QUARTER, YEAR]
PRICES = [Decimal(p) for p in ("0", "0.01", "0.0333", "1", "9.99", "10", "29.90", "100", "1200")]
RATES = [None, None, ((date.min, Decimal(7)),), ((date.min, Decimal(0)),)]
SELLER = ((date.min, Decimal(19)),)
SELLER_CHANGES = ((date.min, Decimal(19)), (date(2027, 7, 1), Decimal(16)), (date(2028, 1, 1), Decimal(19)))


def some(share: float) -> Callable[[int], settings]:
    """Settings of a test that takes a share of all histories."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=max(1, int(HISTORIES * share)), deadline=None, suppress_health_check=checks)


def recurring(pick: Random, article: str, tariff: TariffTerms, whole: bool) -> LineTerms:
    """A recurring line."""
    interval = pick.choice(INTERVALS)
    flags = interval == tariff.interval
    return LineTerms(
        article=article,
        booking="included" if article == "base" else "add_on",
        when=pick.choice(["advance", "advance", "arrears"]),
        interval=interval,
        price_per=pick.choice([interval, MONTH, YEAR]),
        price=pick.choice(PRICES),
        proration="none" if whole and pick.random() < 0.5 else "daily",
        vat=pick.choice(RATES),
        included=pick.choice([Decimal(0), Decimal(0), Decimal(1)]) if article == "seat" else Decimal(0),
        discount_scale=pick.choice([(), ((Decimal(3), Decimal(10)),)]),
        in_minimum=flags and tariff.minimum is not None,
        in_cap=flags and tariff.cap is not None,
    )


def metered(pick: Random, article: str, tariff: TariffTerms) -> LineTerms:
    """A usage line; flagged in minimum and cap wherever there is one."""
    tiers = (
        Tier(up_to=Decimal(10), price=Decimal("0.5"), flat=Decimal(1)),
        Tier(price=Decimal("0.3"), flat=Decimal(2)),
    )
    flat = article == "data" and pick.random() < 0.5
    return LineTerms(
        article=article,
        charge="usage",
        price=pick.choice(PRICES),
        price_quantity=pick.choice([Decimal(1), Decimal(1), Decimal(7)]),
        package=pick.choice(["proportional", "started"]),
        tiers=() if flat else pick.choice([(), (), tiers]),
        tier_mode=pick.choice(["graduated", "volume"]),
        included=pick.choice([Decimal(0), Decimal(5)]),
        included_proration=pick.choice(["none", "daily"]),
        flat_price=flat,
        interim=pick.choice([True, True, False]),
        vat=pick.choice(RATES),
        in_minimum=tariff.minimum is not None,
        in_cap=tariff.cap is not None,
    )


def tariff_of(pick: Random, whole: bool, interval: Span) -> tuple[TariffTerms, dict[str, LineTerms]]:
    """A tariff of up to five lines."""
    bounds = pick.choice([(None, None), (None, None), (20, None), (None, 30), (20, 30), (10, 10)])
    minimum, cap = (Decimal(b) if b is not None else None for b in bounds)
    terms = TariffTerms(
        interval=interval,
        minimum=minimum,
        cap=cap,
        minimum_proration=pick.choice(["daily", "none"]) if cap is None else "daily",
        cap_proration=pick.choice(["none", "daily"]) if minimum is None else "none",
    )
    names = [name for name in ("base", "data", "seat", "setup") if pick.random() < 0.5]
    lines: dict[str, LineTerms] = {}
    for name in names:
        if name == "setup":
            lines[name] = LineTerms(article=name, charge="once", price=pick.choice(PRICES))
        elif name == "data":
            lines[name] = metered(pick, name, terms)
        else:
            lines[name] = recurring(pick, name, terms, whole)
    if bounds != (None, None) or not names:
        lines["calls"] = metered(pick, "calls", terms)
    return terms, lines


def offers(whole: bool = False, changing_rates: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Offers: each is made from one number, so that most of the choices of a history are left to its steps."""
    return st.integers(0, 1 << 32).map(lambda seed: offer_from(Random(seed), whole, changing_rates))


def offer_from(pick: Random, whole: bool, changing_rates: bool) -> dict[str, Any]:
    """The fields of an offer."""
    interval = pick.choice(INTERVALS)
    rates = pick.choice([SELLER, SELLER_CHANGES]) if changing_rates else SELLER
    start, trial = date(2027, 1, 1) + timedelta(days=pick.randrange(430)), pick.choice([0, 0, 0, 14, 30])
    anchor = pick.choice(["contract", "contract", "calendar", "day 31", "day 15"])
    return {
        "start": start,
        "anchor": anchor,
        "tariffs": tuple(tariff_of(pick, whole, interval) for _ in range(2)),
        "tax": Tax(
            category=pick.choice(["S", "S", "S", "AE"]),
            seller_rates=rates,
            gross=pick.random() < 0.5,
            split=pick.random() < 0.5,
        ),
        "trial": trial,
        "stacking": pick.choice(["best", "add", "sequence"]),
        "netted": pick.random() < 0.5,
    }


QUIET = ["run", "run", "interim", "use", "use", "correct", "withdraw"]
CHANGES = [
    "quantity", "quantity", "conditions", "book", "end_line", "pause", "resume", "notice", "no_notice", "tariff",
    "coupon",
]  # fmt: skip
OWN = [
    Conditions(),
    Conditions(discount=Decimal(10)),
    Conditions(price=Decimal("7.77")),
    Conditions(price=Decimal(0), minimum_quantity=Decimal(3)),
    Conditions(price=Decimal(12), discount=Decimal("33.3"), minimum_quantity=Decimal(2)),
    Conditions(discount=Decimal(100)),
    Conditions(minimum_quantity=Decimal(4)),
]


def steps(names: list[str], least: int = 4, most: int = 12) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """Steps: a name, a number of days, and a number to choose by."""
    return st.lists(
        st.tuples(st.sampled_from(names), st.integers(0, 100), st.integers(0, 100)), min_size=least, max_size=most
    )


def act(world: Any, record_of: Any, name: str, days: int, choice: int) -> None:
    """Take one step; what a service would refuse is left out."""
    contract, today = world.contract, world.today
    day = max(today + timedelta(days=days - 50), contract.start)
    if name == "run":
        world.run(today + timedelta(days=days * 2 // 3))
    elif name == "interim":
        world.settle_now(Scope(on=today, interim=True))
    elif name in ("use", "correct", "withdraw"):
        _usage(world, record_of, name, min(day, today + timedelta(days=5)), choice)
    elif name == "quantity":
        lines = [x for x in contract.lines if x.start <= day < min(x.end, contract.end)]
        lines = [x for x in lines if x.terms[0][1].charge == "recurring"]
        if lines:
            line = lines[choice % len(lines)]
            world.change_quantity(line.id, day, Decimal(choice % 6))
            world.change([line.id])
    elif name == "conditions":
        lines = [x for x in contract.lines if x.start <= day < min(x.end, contract.end)]
        lines = [x for x in lines if x.terms[0][1].charge != "once"]
        if lines:
            line = lines[choice % len(lines)]
            world.change_conditions(line.id, day, OWN[choice % len(OWN)])
            world.change([line.id])
    elif name == "book":
        _, lines = world.offer.tariffs[1 if len(contract.phases) > 1 and day >= contract.phases[-1].start else 0]
        if "seat" in lines and day < contract.end and (len(contract.phases) == 1 or day >= contract.phases[-1].start):
            line = world.book(lines["seat"], day, Decimal(1 + choice % 4))
            if choice % 2:
                world.settle_now(Scope(on=today, lines=frozenset([line.id]), now=frozenset([line.id])))
    elif name == "end_line":
        lines = [x for x in contract.lines if x.start <= day <= x.end and x.terms[0][1].charge != "once"]
        if lines:
            line = lines[choice % len(lines)]
            world.end_line(line.id, day)
            world.change([line.id])
    else:
        _whole_contract(world, name, day, days, choice)


def _usage(world: Any, record_of: Any, name: str, day: date, choice: int) -> None:
    lines = [x for x in world.contract.lines if x.terms[0][1].charge == "usage"]
    alive = [r for r in world.records if r.quantity is not None]
    if name == "use" and lines:
        world.use(record_of(lines[choice % len(lines)].id, day, None), Decimal(choice))
    elif name == "correct" and alive:
        world.use(alive[choice % len(alive)], Decimal(choice) / 4)
    elif name == "withdraw" and alive:
        world.use(alive[choice % len(alive)], None)


def _whole_contract(world: Any, name: str, day: date, days: int, choice: int) -> None:
    contract = world.contract
    everything = [x.id for x in contract.lines]
    if name == "pause":
        end = day + timedelta(days=1 + choice)
        if day < contract.end and not any(a < end and day < b for a, b in contract.pauses):
            world.pause(day, end)
            world.change(everything)
    elif name == "resume":
        world.resume(day)
    elif name == "notice":
        if contract.end > world.today and day > contract.start:
            world.end_contract(min(day, contract.end))
            world.change(everything)
    elif name == "no_notice":
        if contract.end < FOREVER:
            world.end_contract(FOREVER)
    elif name == "tariff":
        if contract.start < day < contract.end and contract.phases[-1].start < day and len(contract.phases) < 3:
            number = len(contract.phases) % 2
            beyond = any(c.end > day and c.amount > 0 and c.rate is not None for c in world.billed)
            world.change_tariff(number, day, keep_dates=choice % 3 != 0, keep=["seat"] if choice % 5 == 0 else [])
            world.change([x.id for x in world.contract.lines], through=day if beyond else None)
    elif name == "coupon":
        end = day + timedelta(days=days * 3) if choice % 2 else FOREVER
        world.give(Coupon(id=1 + len(contract.coupons), given=day, first=day, end=end, percent=Decimal(choice)))
    elif name == "credit":
        _credit(world, days, choice)


def _credit(world: Any, days: int, choice: int) -> None:
    invoices = {n for n, d in world.documents.items() if d.kind == "invoice"}
    charges = [c for c in world.billed if c.document in invoices and c.amount > 0 and c.credits is None]
    charges = [c for c in charges if world.left(c) > 0]
    if charges:
        charge = charges[choice % len(charges)]
        untouched = not any(c.credits == charge.id for c in world.billed)
        if days % 3 == 0 and untouched:
            world.credit(charge, charge.amount, rebill=True)
        else:
            world.credit(charge, max(1, world.left(charge) * days // 100), rebill=False)


def at_end(world: Any, days: int = 120) -> tuple[dict[Any, int], dict[Any, int]]:
    """End the contract some time on and run, so that all is due and no usage counts only because of an interim bill;
    give what was billed and what should have been."""
    world.run(world.today + timedelta(days=days // 2))
    day = world.today + timedelta(days=days - days // 2)
    world.end_contract(min(world.contract.end, day))
    world.run(day)
    return world.settled(day), world.expected(day)


@some(0.5)
@given(offer=offers(), taken=steps(QUIET + CHANGES))
def test_a_history_adds_up_to_one_bill(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """R5.1, R5.2: whatever happened, billed is expected, line by line and period by period; nothing needs a tolerance,
    because by days both round cumulatively (R4.2) and by amount the difference is taken of rounded amounts."""
    world = world_of(offer_of(**offer))
    for step in taken:
        act(world, record_of, *step)
    billed, expected = at_end(world)
    once = {k: v for k, v in billed.items() if k[0] == "once"}  # never goes down, whatever ends before it
    assert {k: v for k, v in billed.items() if k not in once} == {k: v for k, v in expected.items() if k[0] != "once"}
    assert all(once.get(k, 0) >= v for k, v in expected.items() if k[0] == "once")


@some(0.15)
@given(offer=offers(), taken=steps(QUIET + CHANGES + ["credit"] * 6, 6, 14))
def test_credits_by_hand_lower_what_is_billed(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """R5.4: with `rebill` a credit changes nothing in the end; without, it lowers what is expected of its line and
    period (of usage: of its unit), never below zero."""
    world = world_of(offer_of(**offer))
    for step in taken:
        act(world, record_of, *step)
    billed, expected = at_end(world)
    for place in {*billed, *expected}:
        if place[0] == "once":
            continue
        wanted = expected.get(place, 0)
        waived = world.waived.get(place, 0)
        got = billed.get(place, 0)
        if place[0] == "unit" and wanted - waived < 0:  # a line was credited that its unit's relief had lowered
            assert wanted - waived <= got <= max(wanted, 0), place
        elif waived and lines_of(world, place) > 1:  # never more is credited than is left of each line
            assert max(0, wanted - waived) <= got <= wanted, place
        else:
            assert got == max(0, wanted - waived), place


def lines_of(world: Any, place: Any) -> int:
    """On how many document lines what came to a place was charged."""
    return sum(c.credits is None and c.amount > 0 for c in world.billed if place_of(c) == place)


def place_of(charge: Any) -> Any:
    """As in conftest: the key; of usage, top-up and relief the unit."""
    joint = charge.key.kind in ("usage", "minimum_sales", "cost_cap")
    key = charge.key
    return ("unit", key.phase, key.start) if joint else (key.kind, key.line, key.start)


@some(0.1)
@given(offer=offers(whole=True), taken=steps(QUIET + CHANGES))
def test_a_started_period_is_charged_whole_and_never_credited(
    offer: dict[str, Any], taken: list[tuple[str, int, int]], world_of: Any, offer_of: Any, record_of: Any
) -> None:
    """R4.1: what is billed of a line without proration only rises, and is never less than what is expected."""
    world = world_of(offer_of(**offer))
    before: dict[Any, int] = {}
    for step in taken:
        act(world, record_of, *step)
        after: dict[Any, int] = {}
        for charge in world.billed:
            if charge.key.kind == "recurring" and charge.rate is None:
                after[charge.key] = after.get(charge.key, 0) + charge.amount
        assert all(after.get(k, 0) >= v for k, v in before.items())
        before = after
    billed, expected = at_end(world)
    assert all(billed.get(k, 0) >= v for k, v in expected.items() if k[0] == "recurring" and k[1] in whole_lines(world))


def whole_lines(world: Any) -> set[int]:
    """The lines whose terms were without proration all through."""
    return {x.id for x in world.contract.lines if all(t.proration == "none" for _, t in x.terms)}


@some(0.1)
@given(
    offer=offers(),
    taken=steps(["use", "use", "quantity", "book"], 1, 6),
    days=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    interim=st.booleans(),
)
def test_runs_on_any_days_add_up_to_one(
    offer: dict[str, Any],
    taken: list[tuple[str, int, int]],
    days: list[int],
    interim: bool,
    world_of: Any,
    offer_of: Any,
    record_of: Any,
) -> None:
    """R3.2, R4.2, R11.2: a span billed in several runs and interim bills costs what it costs undivided; net of VAT at
    each rate too."""
    worlds = [world_of(offer_of(**offer)) for _ in range(2)]
    for world in worlds:
        for name, step_days, choice in taken:
            if name in ("use", "book"):
                act(world, record_of, name, step_days + 50, choice & ~1)
    one, several = worlds
    for number in sorted(days):
        several.run(several.offer.start + timedelta(days=number))
        if interim:
            several.settle_now(Scope(on=several.today, interim=True))
    one.today = several.today
    first, second = at_end(one)[0], at_end(several)[0]
    assert first == second
    if not interim:
        assert by_vat(one) == by_vat(several)


def by_vat(world: Any) -> dict[Any, int]:
    """What was billed at each VAT."""
    found: dict[Any, int] = {}
    for charge in world.billed:
        found[charge.vat] = found.get(charge.vat, 0) + charge.amount
    return {k: v for k, v in found.items() if v}


@some(0.1)
@given(
    offer=offers(),
    taken=steps([*QUIET, "book"], 1, 6),
    days=st.integers(0, 100),
    choice=st.integers(0, 100),
    kind=st.sampled_from(["quantity", "end_line", "pause", "notice"]),
)
def test_a_change_and_its_reversal_cancel(
    offer: dict[str, Any],
    taken: list[tuple[str, int, int]],
    days: int,
    choice: int,
    kind: str,
    world_of: Any,
    offer_of: Any,
    record_of: Any,
) -> None:
    """R5.2, R5.9: once the facts are again what they were, all that was billed since sums to what was due without the
    change."""
    world = world_of(offer_of(**offer))
    for step in taken:
        act(world, record_of, *step)
    world.run(world.today)
    before, contract = world.settled(world.today), world.contract
    act(world, record_of, kind, days, choice)
    world.contract = replace(contract)
    world.changed(contract.start)
    world.run(world.today)
    # What was billed ahead of its time (an interim bill, a booking at once) is due again only when its time has come.
    if all(name not in ("interim", "book") for name, _, _ in taken):
        assert world.settled(world.today) == before
    billed, expected = at_end(world)
    assert {k: v for k, v in billed.items() if k[0] != "once"} == {k: v for k, v in expected.items() if k[0] != "once"}


@some(0.05)
@given(
    offer=offers(changing_rates=False),
    taken=steps(QUIET, 2, 8),
    amount=st.sampled_from(["0.01", "5", "33.33", "500"]).map(Decimal),
    articles=st.sampled_from([frozenset(), frozenset({"base"}), frozenset({"calls", "data"})]),
    percent=st.none() | st.integers(1, 100).map(Decimal),
)
def test_an_amount_coupon_takes_its_amount_once_a_period(
    offer: dict[str, Any],
    taken: list[tuple[str, int, int]],
    amount: Decimal,
    articles: frozenset[str],
    percent: Decimal | None,
    world_of: Any,
    offer_of: Any,
    record_of: Any,
) -> None:
    """R10.2, R10.4: in all bills of a period together an amount coupon takes no more than its amount, and no line below
    zero; with runs, interim bills and late usage only, the bills add up to one."""
    worlds = [world_of(offer_of(**offer)) for _ in range(2)]
    world, plain = worlds
    start = world.offer.start
    world.give(Coupon(id=1, given=start, first=start, amount=amount, articles=articles))
    if percent is not None:
        for each in worlds:
            each.give(Coupon(id=2, given=start, first=start, percent=percent))
    for step in taken:
        act(world, record_of, *step)
    plain.records = world.records
    billed, expected = at_end(world)
    names = [name for name, _, _ in taken]
    bills = [i for i, name in enumerate(names) if name in ("run", "interim")]
    if not any(name in ("use", "correct", "withdraw") for name in names[min(bills, default=0) :]):
        assert billed == expected  # else its shares stay as the first bill has fixed them
    plain.end_contract(world.contract.end)
    full = plain.expected(world.today)
    assert all(v >= 0 for k, v in billed.items() if k[0] != "unit")
    if all(t.cap is None and t.minimum is None for t, _ in world.offer.tariffs) and world.offer.stacking != "best":
        periods = len(list(rated_periods(world.contract, world.today)))
        off = sum(full.values()) - sum(billed.values())
        # A part of a period costs the difference of two rounded costs (R4.2). A lower price can move the first of them
        # down by a cent and not the second, so that a part seems to cost a cent more with a coupon than without.
        cents = sum(k[0] == "recurring" for k in billed)
        assert -cents <= off <= int(amount * 100) * periods
