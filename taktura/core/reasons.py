"""Why one line costs more or less in one period than in another: a ladder of what it would cost, one change after the
other, from the older charge to the newer. The proofs of both say what they were priced from (R5.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from taktura.core.expected import cost_until
from taktura.core.facts import Charge, Contract, Line, LineTerms, Tier
from taktura.core.money import half_up, less_percent, minor, plain
from taktura.core.periods import subtract
from taktura.core.pricing import cost

PRICED = ("price", "price_quantity", "package", "tiers", "tier_mode")  # what a proof says of the price


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause and what it comes to, net in minor units; `values` are what it was and what it is, as texts."""

    cause: str  # one of CAUSES
    amount: int
    values: Mapping[str, str] = field(default_factory=dict)


CAUSES = (
    "new",  # billed for the first time
    "ended",  # the line or the contract has ended
    "due",  # its interval is longer than that between the bills: it falls due now
    "not_due",  # and it does not fall due now
    "quantity",  # what is booked
    "usage",  # what was used
    "price",  # a version of the tariff, another tariff, a price of the contract's own
    "discount",  # a discount of the contract's own, or the discount scale
    "coupon",  # begins, ends, or takes another share
    "part_period",  # one of the bills has a part of a period: it begins, ends or pauses
    "interim",  # an interim bill had billed a part of it
    "other_periods",  # earlier periods: missed ones, late usage
    "correction",  # what is taken back of issued lines
    "minimum",
    "cap",
    "once",  # charged once, sales items
    "vat_rate",  # with gross prices the net depends on the rate
    "rounding",  # net amounts of gross prices share what is rounded
)


@dataclass(slots=True)
class _State:
    """A line's newest period on one bill: what all of it costs, what the days billed cost at what held last, and what
    was billed."""

    charge: Charge
    charges: Sequence[Charge]
    full: Fraction
    standing: Fraction
    actual: Fraction

    @property
    def by_days(self) -> bool:
        return self.charge.rate is not None

    @property
    def proof(self) -> Mapping[str, Any]:
        return self.charge.proof


def reasons(
    contract: Contract, line: Line, old: Sequence[Charge], new: Sequence[Charge], old_net: int, new_net: int, on: date
) -> list[Reason]:
    """Why a line's newest period costs another amount than that of the bill before, which was made `on` a day."""
    before, after = _state(old, contract.digits), _state(new, contract.digits)
    if old_net == new_net and _same(before, after):
        return []
    unit = Fraction(10**contract.digits)
    steps = _steps(contract, line, before, after, on)
    # Gross prices: the nets of both bills are the lines' own, what is between them follows the older.
    net, billed = next(
        ((n, b) for n, b in ((old_net, _billed(old)), (new_net, _billed(new))) if b), (1, 1)
    )  # fmt: skip
    part = Fraction(net, billed)
    found, reached = [], old_net
    for cause, value, values in steps:
        amount = half_up(value * unit * part) - reached
        reached += amount
        found.append(Reason(cause, amount, values))
    if rest := new_net - reached:
        rate = "vat_rate" if before.charge.vat != after.charge.vat else "rounding"
        found.append(Reason(rate, rest))
    return _joined(found)


def _billed(charges: Sequence[Charge]) -> int:
    return sum(c.amount for c in charges)


def _joined(rows: Sequence[Reason]) -> list[Reason]:
    """One row for each cause; what comes to nothing is left out."""
    found: dict[str, Reason] = {}
    for row in rows:
        known = found.get(row.cause)
        found[row.cause] = (
            Reason(row.cause, known.amount + row.amount, {**row.values, **known.values}) if known else row
        )
    return [row for row in found.values() if row.amount]


def _state(charges: Sequence[Charge], digits: int) -> _State:
    ordered = sorted(charges, key=lambda c: (c.first, c.end))
    newest = ordered[-1]
    actual = Fraction(sum(c.amount for c in ordered), 10**digits)
    if newest.rate is None:
        # A line that an interim bill has billed a part of says in its proof what the whole came to.
        whole, exact = newest.proof.get("expected"), newest.proof.get("cost")
        full = Fraction(int(str(whole)), 10**digits) if whole is not None else actual
        if exact is not None and minor(Fraction(str(exact)), digits) == minor(full, digits):
            full = Fraction(str(exact))
        return _State(newest, ordered, full, actual, actual)
    rate = newest.rate
    standing = sum((cost_until(rate, c.end) - cost_until(rate, max(c.first, rate.start)) for c in ordered), Fraction(0))
    return _State(newest, ordered, rate.price, standing, actual)


def _same(old: _State, new: _State) -> bool:
    """Whether both were priced alike, over a whole period or none."""
    keys = (*PRICED, "priced", "discount", "discount_scale", "coupons")
    return (
        old.by_days == new.by_days
        and len(old.charges) == len(new.charges) == 1
        and old.full == new.full
        and old.charge.vat == new.charge.vat
        and all(old.proof.get(key) == new.proof.get(key) for key in keys)
    )


Step = tuple[str, Fraction, dict[str, str]]


def _steps(contract: Contract, line: Line, old: _State, new: _State, on: date) -> list[Step]:
    """The rungs of the ladder: a cause, and what the line would cost once it has worked."""
    if old.by_days != new.by_days:
        return [("price", new.actual, _prices(line, contract, old, new, on))]
    cause = _cause_within(old)
    rungs: list[Step] = [(cause, old.standing, _changed_within(old) if cause == "discount" else {})]
    rungs.append((_part_cause(old), old.full, _days(contract, old, "old")))
    rungs += _priced(contract, line, old, new, on)
    rungs.append((_part_cause(new), new.standing if new.by_days else new.actual, _days(contract, new, "new")))
    rungs.append((_cause_within(new), new.actual, _changed_within(new)))
    return rungs


def _quantities(state: _State) -> bool:
    """Whether a period was billed with several quantities."""
    return len({c.quantity for c in state.charges}) > 1


def _cause_within(state: _State) -> str:
    """What changed within a period that was billed in parts; `price` too where nothing did."""
    if _quantities(state):
        return "quantity"
    alike = len({c.proof.get("price") for c in state.charges}) == 1
    return "discount" if alike and len({_percent(c.proof) for c in state.charges}) > 1 else "price"


def _changed_within(state: _State) -> dict[str, str]:
    if _cause_within(state) == "discount":
        return {"old": _percent(state.charges[0].proof), "new": _percent(state.charge.proof)}
    if not _quantities(state):
        return {}
    return {"old": _plain(state.charges[0].quantity), "new": _plain(state.charge.quantity)}


def _part_cause(state: _State) -> str:
    return "part_period" if state.by_days else "interim"


def _days(contract: Contract, state: _State, side: str) -> dict[str, str]:
    """How many days of its period a bill has, and why not all: `begins`, `ends` or `pause`."""
    rate = state.charge.rate
    if rate is None:
        return {}
    holes = subtract([(rate.start, rate.end)], [(c.first, c.end) for c in state.charges])
    if not holes:
        return {}
    paused = any(a < hole[1] and hole[0] < b for hole in holes for a, b in contract.pauses)
    why = "pause" if paused else "begins" if holes[0][0] == rate.start else "ends"
    whole = (rate.end - rate.start).days
    return {side: str(whole - sum((b - a).days for a, b in holes)), f"{side}_of": str(whole), f"{side}_why": why}


def _priced(contract: Contract, line: Line, old: _State, new: _State, on: date) -> list[Step]:
    """From the whole period as it was to that as it is: quantity, price, discounts, then what is left."""
    amount = "usage" if old.charge.key.kind == "usage" and old.proof.get("usage_pricing") != "fixed_quantity" else (
        "quantity"
    )  # fmt: skip
    counted = {"old": _counted(old), "new": _counted(new)}
    if "priced" not in old.proof or "priced" not in new.proof:
        return [(amount if counted["old"] != counted["new"] else "price", new.full, counted)]
    was, now = Fraction(str(old.proof["priced"])), Fraction(str(new.proof["priced"]))
    before, after = _booked(old.proof, was, old.proof), _booked(new.proof, now, new.proof)
    # What the booked cost does not say: longer intervals, coupons, and prices without VAT.
    rest = old.full / before if before else new.full / after if after else Fraction(1)
    more = _booked(old.proof, now, old.proof) * rest
    dearer = _booked(new.proof, now, old.proof) * rest
    less = after * rest
    same = counted["old"] == counted["new"]
    return [
        (amount, more, counted) if not same else ("price", more, {}),
        ("price", dearer, _prices(line, contract, old, new, on)),
        ("discount", less, {"old": _percent(old.proof), "new": _percent(new.proof)}),
        (_rest_cause(old, new), new.full, {}),
    ]


def _rest_cause(old: _State, new: _State) -> str:
    if old.proof.get("coupons") != new.proof.get("coupons"):
        return "coupon"
    return "vat_rate" if old.charge.vat != new.charge.vat else "price"


def _counted(state: _State) -> str:
    """The quantity that was counted, before what is included."""
    return _plain(state.proof.get("quantity") or state.charge.quantity)


def _plain(number: object) -> str:
    """A number of a proof, perhaps a fraction there, as a decimal."""
    return format(plain(Fraction(str(number))), "f")


def _percent(proof: Mapping[str, Any]) -> str:
    """The percentage off a price: that of the discount scale and the contract's own together."""
    left = less_percent(
        less_percent(Fraction(100), Decimal(str(proof.get("discount_scale", 0)))),
        Decimal(str(proof.get("discount", 0))),
    )
    return _plain(100 - left)


def _prices(line: Line, contract: Contract, old: _State, new: _State, on: date) -> dict[str, str]:
    """What a unit cost and costs, where it has one price, and why: `own`, `tariff` or `version`."""
    found: dict[str, str] = {}
    if "tiers" not in old.proof and "tiers" not in new.proof and "price" in old.proof and "price" in new.proof:
        found = {"old": str(old.proof["price"]), "new": str(new.proof["price"])}
    own = {str(price) for price in (line.price, *(c.price for _, c in line.conditions)) if price is not None}
    if own & {str(new.proof.get("price")), *({str(old.proof.get("price"))} if line.conditions else ())}:
        return found | {"why": "own"}
    changed = any(old.charge.key.start < phase.start <= new.charge.key.start for phase in contract.phases)
    return found | {"why": "tariff" if changed else "version"}


def _booked(price: Mapping[str, Any], quantity: Fraction, discounts: Mapping[str, Any]) -> Fraction:
    """What a priced quantity costs at the price of one proof with the discounts of another (R10.1)."""
    tiers = tuple(tuple(tier) for tier in price.get("tiers", ()))
    terms = _terms(
        tiers, str(price.get("tier_mode", "graduated")), str(price.get("price", 0)),
        str(price.get("price_quantity", 1)), str(price.get("package", "proportional")),
    )  # fmt: skip
    after = less_percent(cost(terms, quantity), Decimal(str(discounts.get("discount_scale", 0))))
    return less_percent(after, Decimal(str(discounts.get("discount", 0))))


@lru_cache(maxsize=4096)
def _terms(
    tiers: tuple[tuple[str | None, str, str], ...], mode: str, price: str, price_quantity: str, package: str
) -> LineTerms:
    """The price that a proof tells of, as the kernel takes it."""
    return LineTerms(
        article="",
        price=Decimal(price),
        price_quantity=Decimal(price_quantity),
        package=package,
        tiers=tuple(
            Tier(up_to=Decimal(bound) if bound is not None else None, price=Decimal(each), flat=Decimal(flat))
            for bound, each, flat in tiers
        ),
        tier_mode=mode,
    )
