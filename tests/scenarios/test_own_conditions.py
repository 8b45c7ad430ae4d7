"""Own conditions over random histories, held against a reading of the rules day by day that shares nothing with the
core (R3.2, R4.2, R7, R8.1, decision 0025): whatever was agreed when, and however it was cut into runs, each line came
to what its days and its usage cost by what held in the end.

`TAKTURA_CONDITION_HISTORIES` says how many histories are tried.
"""

import os
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from taktura.billing.models import Charge
from taktura.billing.proof import verify
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.run import run
from taktura.kit.database import scratch_database

HISTORIES = int(os.environ.get("TAKTURA_CONDITION_HISTORIES", "6"))
DAY = timedelta(days=1)
START, LAST = date(2026, 1, 31), date(2026, 9, 30)  # the last day that is billed; periods begin on clamped days
OFFER = """
scenario: made up
seller: {{prices_are: {basis}, change_documents: {documents}, vat: [{{rate: 19}}, {{from: 2026-03-17, rate: 16}}]}}
tariffs:
  t:
    title: T
    notice: none
    lines:
      base: {{title: Base, price: 19.90}}
      desk: {{title: Desk, booking: add_on, price: 10.00, discount_scale: [{{above: 5, percent: 10}}]}}
      tier: {{title: Tier, booking: add_on, tiers: [{{up_to: 3, price: 7, flat: 2}}, {{price: 5.55, flat: 4}}]}}
      quart: {{title: Quarter, booking: add_on, price: 11.11, interval: 3 months, price_per: 1 month}}
      twelfth: {{title: Twelfth, booking: add_on, price: 1234.56, interval: 1 month, price_per: 1 year}}
      late: {{title: Late, booking: add_on, price: 7.77, when: arrears}}
      call: {{title: Calls, charge: usage, price: 0.19, included: 3}}
      flat: {{title: Flat, charge: usage, price: 15.55, flat_price: true}}
customers:
  acme: {{name: Acme}}
contracts:
  C1: {{customer: acme, tariff: t, start: 2026-01-31, quantities: {{desk: 5, tier: 4, quart: 2, twelfth: 1, late: 3}}}}
timeline:
"""
BOOKED = {"desk": 5, "tier": 4, "quart": 2, "twelfth": 1, "late": 3}


@dataclass
class Own:
    """What holds of a line's own conditions."""

    price: Fraction | None = None
    discount: Fraction = Fraction(0)
    minimum: Fraction = Fraction(0)


@dataclass
class Facts:
    """What was agreed of a line, and what was used on it; of one day the last holds."""

    conditions: dict[date, Own] = field(default_factory=lambda: {date.min: Own()})
    quantities: dict[date, int] = field(default_factory=dict)
    usage: list[tuple[date, int]] = field(default_factory=list)
    end: date = LAST + DAY

    def own(self, day: date) -> Own:
        return self.conditions[max(d for d in self.conditions if d <= day)]

    def booked(self, day: date) -> int:
        return self.quantities[max(d for d in self.quantities if d <= day)]


def history(seed: int) -> tuple[str, list[tuple[str, str, date, Own | int]]]:
    """A scenario, and its steps: verb, article, day, what is agreed or used."""
    random, today = Random(seed), START
    text = OFFER.format(basis=random.choice(["net", "gross"]), documents=random.choice(["separate", "netted"]))
    steps: list[tuple[str, str, date, Own | int]] = []
    for _ in range(28):
        today += timedelta(days=random.choice([0, 0, 1, 3, 7, 12]))
        day = max(
            START, random.choice([today + timedelta(days=random.randint(-50, 30)), _begins(random.randint(0, 5))])
        )
        verb = random.choice(["bill", "bill", "conditions", "conditions", "conditions", "quantity", "usage", "end"])
        article, what = random.choice(list(BOOKED)), random.randint(0, 9)
        if verb == "bill":
            line = "bill: {}"
            steps.append((verb, "", day, 0))
        elif verb == "conditions":
            article = random.choice([*BOOKED, "base", "call", "flat"])
            own = Own(
                random.choice([None, Fraction(0), Fraction("6.6667"), Fraction(25)]),
                random.choice([Fraction(0), Fraction("33.333"), Fraction(100)]),
                Fraction(0 if article == "flat" else random.choice([0, 0, 4, 12])),
            )
            price = "" if own.price is None else f", price: {float(own.price)}"
            least = f", minimum_quantity: {own.minimum}" if own.minimum else ""
            line = (
                f"change_conditions: {{contract: C1, article: {article}, from: {day}, discount: {float(own.discount)}"
            )
            steps.append((verb, article, day, own))
            line += f"{price}{least}}}"
        elif verb == "quantity":
            line = f"change_quantity: {{contract: C1, article: {article}, quantity: {what}, from: {day}}}"
            steps.append((verb, article, day, what))
        elif verb == "usage":
            day = min(day, today)
            line = f"usage: {{contract: C1, article: call, at: {day}, quantity: {what}}}"
            steps.append((verb, "call", day, what))
        else:
            article = random.choice(["tier", "twelfth"])
            line = f"end_line: {{contract: C1, article: {article}, until: {day}}}"
            steps.append((verb, article, day, 0))
        text += f"  - on: {today}\n    {line}\n"
    text += f"  - on: {today}\n    give_notice: {{contract: C1, end: {LAST}}}\n"
    return text + f"  - on: {LAST + DAY}\n    bill: {{}}\n", steps


def _begins(k: int) -> date:
    """When the kth month of a contract of the 31st begins, or what comes after it."""
    year, month = START.year + (START.month - 1 + k) // 12, (START.month - 1 + k) % 12 + 1
    return date(year, month, min(31, monthrange(year, month)[1]))


def _cents(amount: Fraction) -> int:
    return int(amount * 100 + Fraction(1, 2))  # nothing here is below zero


def _each_day(facts: Facts, months: int) -> Iterator[tuple[date, date, date]]:
    """Each day of a line, with its period."""
    for k in range(0, 12, months):
        a, b = _begins(k), _begins(k + months)
        for n in range((b - a).days):
            if a + n * DAY < facts.end:
                yield a + n * DAY, a, b


def _cost(article: str, quantity: Fraction, own: Own) -> Fraction:
    """What a quantity costs for the span of its price."""
    if article == "tier" and own.price is None:
        cost = min(quantity, Fraction(3)) * 7 + 2 * (quantity > 0)
        cost += (quantity - 3) * Fraction("5.55") + 4 if quantity > 3 else 0
    else:
        of_tariff = {"base": "19.90", "desk": "10", "tier": "0", "quart": "11.11", "twelfth": "1234.56", "late": "7.77",
                     "call": "0.19", "flat": "15.55"}  # fmt: skip
        cost = quantity * (Fraction(of_tariff[article]) if own.price is None else own.price)
    if article == "desk" and quantity > 5:
        cost *= Fraction(9, 10)
    return cost * (100 - own.discount) / 100


def _so_far(article: str, price: Fraction, a: date, b: date, day: date) -> Fraction:
    """What a period costs up to a day: by days, of a quarter whole months whole (R4.2)."""
    if article != "quart" or day >= b:
        return price * (day - a).days / (b - a).days
    months = [_begins(k) for k in range(13) if a <= _begins(k) <= b]
    k = max(i for i, start in enumerate(months) if start <= day)
    return price / 3 * (k + Fraction((day - months[k]).days, (months[k + 1] - months[k]).days))


def expected(article: str, facts: Facts) -> int:
    """What a line comes to in all, in cents."""
    whole = 0
    if article == "call":
        for k in range(12):
            a, b = _begins(k), _begins(k + 1)
            if a < facts.end:
                own = facts.own(a)
                used = sum(n for day, n in facts.usage if a <= day < b)
                whole += _cents(_cost(article, max(Fraction(used), own.minimum, Fraction(3)) - 3, own))
        return whole
    factor = {"quart": Fraction(3), "twelfth": Fraction(1, 12)}.get(article, Fraction(1))
    for day, a, b in _each_day(facts, 3 if article == "quart" else 1):
        quantity, own = Fraction(facts.booked(day)), facts.own(day)
        price = _cost(article, max(quantity, own.minimum), own) * factor
        whole += _cents(_so_far(article, price, a, b, day + DAY)) - _cents(_so_far(article, price, a, b, day))
    return whole


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_each_line_comes_to_what_its_days_cost_in_the_end(seed: int, tmp_path: Path) -> None:
    text, steps = history(seed)
    path = tmp_path / "history.yaml"
    path.write_text(text, "utf-8")
    with scratch_database():
        result = run(load(path))
        assert not result.error, f"seed {seed}: {result.error}"
        facts = {
            article: Facts(quantities={START: BOOKED.get(article, 1)}) for article in [*BOOKED, "base", "call", "flat"]
        }
        for (verb, article, day, what), done in zip(steps, result.steps, strict=False):
            if done.found["error"] or verb == "bill":
                continue
            if isinstance(what, Own):
                facts[article].conditions[day] = what
            elif verb == "quantity":
                facts[article].quantities[day] = what
            elif verb == "usage":
                facts[article].usage.append((day, what))
            else:
                facts[article].end = day
        billed = dict.fromkeys(facts, 0)
        for article, amount in Charge.objects.values_list("line__article__key", "amount"):
            billed[article] += amount
        assert billed == {article: expected(article, facts[article]) for article in facts}, f"seed {seed}"
        assert verify() == []
