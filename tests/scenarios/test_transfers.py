"""Transfer of a contract to another customer, over made-up histories: from a day that begins a billing period the
documents of both contracts come to what the one contract would have billed, line by line; on any day the preview shows
what the transfer then does, to both customers, and refuses alike. A coupon counts by the beginning of a line's period:
so here all lines have periods that begin with the contract's.

`TAKTURA_TRANSFER_HISTORIES` says how many histories are tried.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from taktura.billing import services as billing
from taktura.billing.models import Charge
from taktura.billing.proof import verify
from taktura.billing.services import TransferForeseen
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.run import run
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.invoices.models import Document
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from tests.scenarios.test_previews import OFFER, as_bills, as_shown, places, read_only

HISTORIES = int(os.environ.get("TAKTURA_TRANSFER_HISTORIES", "5"))
AHEAD = 3
START = date(2026, 1, 15)
DAY = timedelta(days=1)


def history(seed: int, *, transferred: bool, anywhere: bool = False) -> str:
    """A history of one contract up to a day, and after it: of the contract that goes on, or of the same one. Commands
    before the day hold before it, later ones after it; usage of before comes late, too. `anywhere`: the day may lie
    within a period, and in the past."""
    random = Random(seed)
    coupon = random.choice(["", ", coupon: TEN", ", coupon: FIVE"])
    offer = OFFER.replace("  acme: {name: Acme GmbH}", "  acme: {name: Acme GmbH}\n  other: {name: Other GmbH}")
    offer = offer.replace("interval: 3 months, price_per: 1 month", "interval: 1 month")
    offer = offer.replace("2026-01-15, quantities", f"2026-01-15{coupon}, quantities")
    cut = date(2026, random.choice([3, 4, 5]), 15)
    decided = cut - timedelta(days=random.randint(1, 20))
    if anywhere:
        decided, cut = cut, cut + timedelta(days=random.randint(-30, 20))
    steps = _steps(random, "C1", START, min(decided, cut) - DAY, START)
    if transferred:
        steps.append((decided, f"transfer: {{contract: C1, customer: other, from: {cut}, as: C2}}"))
    after = "C2" if transferred else "C1"
    late = f"usage: {{contract: C1, article: scan, at: {cut - DAY}, quantity: {random.randint(1, 9)}}}"
    steps.append((max(decided, cut), late))
    sent = f"usage: {{contract: C1, article: call, at: {cut}, duration: {random.randint(1, 900)}}}"
    steps.append((max(decided, cut), sent))  # the one is sent what is the other's
    steps += _steps(random, after, max(decided, cut), cut + timedelta(days=120), cut)
    end = steps[-1][0] + timedelta(days=200)
    steps += [(steps[-1][0], f"give_notice: {{contract: {after}}}"), (end, "bill: {}")]
    return offer + "".join(f"  - on: {day}\n    {text}\n" for day, text in steps)


def _steps(random: Random, contract: str, day: date, until: date, first: date) -> list[tuple[date, str]]:
    """Commands on a contract, bills between them; what they do holds from `first` on, and up to `until`."""
    found: list[tuple[date, str]] = []
    while True:
        day += timedelta(days=random.randint(1, 7))
        if day > until:
            return found
        when = min(until, max(first, day + timedelta(days=random.randint(-5, 25))))
        used = random.choice(["call", "scan", "peak", "last"])
        amount = f"duration: {random.randint(1, 900)}" if used == "call" else f"quantity: {random.randint(1, 30)}"
        at = max(first, day - timedelta(days=random.randint(0, 5)))
        text = random.choice([
            "bill: {}",
            "bill: {}",
            f"book: {{contract: {contract}, article: desk, quantity: 2, from: {when}, price: 4, discount: 5}}",
            f"book: {{contract: {contract}, article: set_up, from: {when}}}",
            f"book: {{contract: {contract}, article: key, from: {when}}}",
            f"change_quantity: {{contract: {contract}, article: desk, quantity: {random.randint(0, 9)}, from: {when}}}",
            f"change_quantity: {{contract: {contract}, article: late, quantity: {random.randint(0, 9)}, from: {when}}}",
            f"change_conditions: {{contract: {contract}, article: {used}, from: {when}, price: 4, discount: 50}}",
            f"change_conditions: {{contract: {contract}, article: late, from: {when}, minimum_quantity: 7}}",
            f"pause: {{contract: {contract}, from: {when}, until: {when + timedelta(days=random.randint(1, 60))}}}",
            f"interim_bill: {{contract: {contract}}}",
            f"change_tariff: {{contract: {contract}, tariff: large, from: {when}, keep: [late]}}",
            f"usage: {{contract: {contract}, article: {used}, at: {at}, {amount}}}",
            f"usage: {{contract: {contract}, article: {used}, at: {at}, {amount}}}",
        ])  # fmt: skip
        found.append((day, text))


def ran(text: str, path: Path) -> None:
    path.write_text(text, "utf-8")
    result = run(load(path))
    assert not result.error, result.error


def sums() -> dict[tuple[str, str], int]:
    """What was billed of each article, by kind, of all contracts; what came to nothing is left out."""
    found: dict[tuple[str, str], int] = {}
    for article, kind, amount in Charge.objects.values_list("line__article__key", "kind", "amount"):
        key = article or "", kind
        found[key] = found.get(key, 0) + amount
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_both_contracts_bill_what_the_one_would_have(seed: int, tmp_path: Path) -> None:
    with scratch_database():
        ran(history(seed, transferred=False), tmp_path / "one.yaml")
        one = sums()
    with scratch_database():
        ran(history(seed, transferred=True), tmp_path / "both.yaml")
        other = Contract.objects.filter(key="C2").first()
        assert other is not None, "the transfer was refused"
        assert Charge.objects.filter(contract=other).exists()
        assert (
            not Charge.objects.filter(contract__key="C1", first__gte=other.start, credits=None)
            .exclude(pk__in=Charge.objects.filter(credits__isnull=False).values("credits"))
            .exists()
        ), "the one pays for a day of the other"
        assert sums() == one, f"seed {seed}"
        assert not Document.objects.filter(gross__lt=0).exists()
        assert verify() == []


BY_DAYS = """
scenario: made up
tariffs:
  plain:
    title: Plain
    notice: monthly
    lines:
      base: {title: Base, price: 19.90}
      late: {title: Late, booking: add_on, price: 7.77, when: arrears}
      year: {title: Year, booking: add_on, interval: 1 year, price_per: 1 year, price: 365.37}
      set_up: {title: Set-up, booking: add_on, charge: once, price: 99.00}
customers: {acme: {name: Acme GmbH}, other: {name: Other GmbH}}
contracts:
  C1: {customer: acme, tariff: plain, start: 2026-01-15, quantities: {late: 2, year: 1, set_up: 1}}
timeline:
"""


def by_days(seed: int, *, transferred: bool) -> str:
    """A contract that goes to another customer and back, each on any day, the first one's too, and in the past."""
    random = Random(seed)
    key, first, day, steps = "C1", START, START, [(START, "bill: {}")]
    for number, customer in ((2, "other"), (3, "acme")):
        day += timedelta(days=random.randint(10, 45))
        cut = max(first, day + timedelta(days=random.randint(-40, 20)))
        steps.append((day, f"change_quantity: {{contract: {key}, article: late, quantity: {number}, from: {first}}}"))
        if transferred:
            steps.append((day, f"transfer: {{contract: {key}, customer: {customer}, from: {cut}, as: C{number}}}"))
            key = f"C{number}"
        first, day = cut, max(day, cut)
        steps.append((day, random.choice(["bill: {}", f"pause: {{contract: {key}, from: {cut}, until: {cut + DAY}}}"])))
    steps += [(day, f"give_notice: {{contract: {key}}}"), (day + timedelta(days=100), "bill: {}")]
    return BY_DAYS + "".join(f"  - on: {on}\n    {text}\n" for on, text in steps)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_what_counts_by_days_is_equal_to_the_cent_on_any_day(seed: int, tmp_path: Path) -> None:
    found = []
    for transferred in (False, True):
        with scratch_database():
            ran(by_days(seed, transferred=transferred), tmp_path / "both.yaml")
            assert Contract.objects.count() == (3 if transferred else 1)
            found.append(sums())
    assert found[0] == found[1]


def _held(actor: Actor, **fields: Any) -> tuple[Contract, list[Issued]]:
    """The transfer, held against its preview."""
    foreseen: Any = read_only(lambda: billing.preview_transfer(actor, **fields, bills=AHEAD))  # type: ignore[arg-type, return-value]
    before = places()
    try:
        other, issued = transfer(actor, **fields)
    except Refused as refused:
        expected = (foreseen.old.refused or foreseen.new.refused) if _looked(foreseen) else foreseen
        assert expected is not None and (expected.code, str(expected)) == (refused.code, str(refused))
        raise
    assert _looked(foreseen), f"the preview of the transfer was refused: {foreseen}"
    shown = [as_shown(r) for side in (foreseen.old, foreseen.new) for r in side.documents]
    assert shown == [as_shown(d.ready) for d in issued]
    assert foreseen.old.ends == fields["start"] and foreseen.new.ends == other.end
    new = [d.id for d in issued]
    for side, key in ((foreseen.old, fields["contract"].key), (foreseen.new, other.key)):
        contract = Contract.objects.select_related("customer__seller", "customer__billing_information").get(key=key)
        bills = billing.forecast(actor, contract=contract, bills=AHEAD)
        if key == other.key or places() == before:  # late usage of the one stays; what goes over is looked for there
            assert as_bills(side.bills) == as_bills(bills, new), f"the bills after it of {key}"
    return other, issued


def _looked(found: Any) -> bool:
    return isinstance(found, TransferForeseen)


transfer = billing.transfer


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(billing, "transfer", _held)
    yield


def test_the_preview_shows_what_a_transfer_does(watched: None, tmp_path: Path) -> None:
    done = 0
    for seed in range(100, 100 + HISTORIES):
        with scratch_database():
            ran(history(seed, transferred=True, anywhere=True), tmp_path / f"{seed}.yaml")
            done += Contract.objects.filter(transferred_from__isnull=False).count()
    assert done > HISTORIES / 2


@pytest.mark.parametrize("name", ["transfer.yaml", "transfer-refused.yaml", "transfer-dated-back.yaml"])
def test_the_preview_of_a_scenario(name: str, watched: None) -> None:
    with scratch_database():
        result = run(load(Path(__file__).resolve().parents[2] / "scenarios" / "changes" / name))
        assert not result.error and not result.differences
