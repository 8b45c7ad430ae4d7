"""Histories of commands through the services and the database: signed, booked, changed and taken back, ended, paused,
under another tariff, with coupons, interim bills, usage, late usage and runs between them.

However it went, all that was billed of the contract is what one bill at the end would have been; each credit takes back
a charge of its own line and never more than is left of it; no document is negative; what was issued can be worked out
again. That a preview equals its command, step by step, is held by `test_previews`, over histories made by the same
hand. Named exceptions, which keep what one bill at the end cannot know: lines charged whole (`proration: none`), and
coupons of an amount or given on the way, since the shares of a coupon are fixed with a period's first bill, which may
come before its day (R10.2). Here the coupon is there from the start; `tests/core/test_histories.py` gives it later.

`TAKTURA_SERVICE_HISTORIES` says how many histories are tried.
"""

import os
import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from taktura.billing.models import Charge
from taktura.billing.proof import verify
from taktura.billing.queries import Facts, due_of, gather
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.run import run
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.settle import Scope
from taktura.invoices.models import Document
from taktura.kit.database import scratch_database
from tests.scenarios.test_previews import made_up

HISTORIES = int(os.environ.get("TAKTURA_SERVICE_HISTORIES", "12"))
FIRST = 1000  # other histories than those of the previews
REDEEM = re.compile(r"  - on: \S+\n    redeem: .*coupon: (\w+)\}\n")
JOINT = ("usage", "minimum_sales", "cost_cap")  # the differences of a period are summed before they are signed (R12.1)
LONG = timedelta(days=200)  # by then the contract has ended, whatever its terms


def history(seed: int) -> tuple[str, date]:
    """A history that ends with notice and a last run, and the day of that run."""
    text = made_up(seed).replace(", proration: none", "").replace("{amount: 5.00,", "{percent: 5,")
    found = REDEEM.findall(text)
    text = REDEEM.sub("", text)
    if found:
        text = text.replace("start: 2026-01-15,", f"start: 2026-01-15, coupon: {found[0]},")
    last = date.fromisoformat(text.rpartition("  - on: ")[2][:10])
    end = last + LONG
    closing = f"  - on: {last}\n    give_notice: {{contract: C1}}\n  - on: {end}\n    bill: {{}}\n"
    return text + closing, end


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_a_history_adds_up_to_one_bill(seed: int, tmp_path: Path) -> None:
    text, end = history(seed)
    path = tmp_path / "history.yaml"
    path.write_text(text, "utf-8")
    with scratch_database():
        result = run(load(path))
        assert not result.error, f"seed {seed}: {result.error}"
        contract = Contract.objects.get(key="C1")
        charges = list(Charge.objects.filter(contract=contract).order_by("id"))
        rest = what_cancels_out(contract, end)
        assert sums(charges, rest) == sums_of_one_bill(contract, end), f"seed {seed}"
        _credits_refer_to_what_they_credit(charges)
        assert not Document.objects.filter(gross__lt=0).exists()
        assert not Document.objects.filter(net__lt=0).exists()
        assert verify() == []


def what_cancels_out(contract: Contract, end: date) -> list[facts.Charge]:
    """What is due and makes no document, since it cancels out: a line more in a period whose cap is reached, say. In
    all it is nothing."""
    rest = due_of(gather([contract.pk], end, whole=True), contract.pk, Scope(on=end))
    assert not sum(charge.amount for charge in rest)
    return rest


def sums(charges: list[Charge], rest: list[facts.Charge]) -> dict[tuple[int | None, str], int]:
    """What was billed of each line, by kind, with what cancels out; what came to nothing is left out."""
    return _summed(
        [*((c.line_id, c.kind, c.amount) for c in charges), *((c.key.line, c.key.kind, c.amount) for c in rest)]
    )


def _summed(rows: Iterable[tuple[int | None, str, int]]) -> dict[tuple[int | None, str], int]:
    """Sums by line and kind. Usage, top-up and relief are one: where their differences cancel there is no document
    (R12.1), so that usage which a cap takes off again is billed by neither."""
    found: dict[tuple[int | None, str], int] = {}
    for line, kind, amount in rows:
        key = (None, "joint") if kind in JOINT else (line, kind)
        found[key] = found.get(key, 0) + amount
    return {key: amount for key, amount in found.items() if amount}


def sums_of_one_bill(contract: Contract, end: date) -> dict[tuple[int | None, str], int]:
    """The same of a run on the last day, if it were the first."""
    known = gather([contract.pk], end, whole=True)
    nothing = Facts(known.contracts, {contract.pk: []}, known.floors)
    return _summed((c.key.line, c.key.kind, c.amount) for c in due_of(nothing, contract.pk, Scope(on=end)))


def _credits_refer_to_what_they_credit(charges: list[Charge]) -> None:
    known, left = {c.pk: c for c in charges}, {c.pk: c.amount for c in charges if c.credits is None}
    for charge in charges:
        if charge.credits is None:
            continue
        credited = known[charge.credits]
        assert charge.vat_rate == credited.vat_rate
        assert credited.document_id < charge.document_id
        if charge.kind in JOINT:
            continue
        assert charge.amount <= 0 <= credited.amount
        assert (charge.line_id, charge.kind) == (credited.line_id, credited.kind)
        left[credited.pk] += charge.amount
        assert left[credited.pk] >= 0
