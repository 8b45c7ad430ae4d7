"""What a preview shows is what the command does: before each command of each scenario its preview is asked, in a
transaction that cannot write; then the documents that it makes, the bills that come after it, and its refusals are held
against what was foreseen."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction

from taktura.billing import services as billing
from taktura.billing.services import Bill, Consequence
from taktura.cli.scenarios.load import load
from taktura.cli.scenarios.report import render
from taktura.cli.scenarios.run import run
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.contracts.overlay import NEW
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.services import Ready
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.usage.models import UsageRecord

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
VERBS = (
    "book:", "change_quantity:", "end_line:", "give_notice:", "withdraw_notice:", "pause:", "resume:",
    "change_tariff:", "redeem:", "interim_bill:", "usage:", "sign:", "take_back_quantity:",
    "change_conditions:",
)  # fmt: skip
FILES = {
    path.relative_to(SCENARIOS).as_posix(): path
    for path in sorted(SCENARIOS.rglob("*.yaml"))
    if any(f" {verb}" in path.read_text("utf-8") for verb in VERBS)
}
AHEAD = 2
HISTORIES = int(os.environ.get("PREVIEW_HISTORIES", "6"))
seen: dict[str, int] = {}


def as_shown(ready: Ready, new: frozenset[int] = frozenset()) -> tuple[Any, ...]:
    """A document as far as a page shows it. `new`: the documents that the command has just made; in a preview they have
    no number yet, but a bill after it may correct them."""
    draft = ready.draft
    lines = [
        (x.entry.article, x.entry.kind, x.quantity, x.amount, x.net, x.entry.charge and x.entry.charge.unit_price,
         x.entry.charge and (x.entry.charge.first, x.entry.charge.end))
        for x in draft.lines
    ]  # fmt: skip
    references = ["new" if r in new or r >= NEW else r for r in draft.references]
    return draft.kind, references, lines, [(*t.vat, t.net, t.tax) for t in draft.taxes]


def as_bills(bills: list[Bill], new: Iterable[int] = ()) -> list[Any]:
    """Bills as far as a page shows them."""
    return [(b.on, [as_shown(r, frozenset(new)) for r in b.documents]) for b in bills]


def read_only(look: Callable[[], Consequence]) -> Consequence | Refused:
    """Look in a transaction that cannot write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try:
            return look()
        except Refused as refused:
            return refused


def places() -> list[tuple[int, int | None]]:
    """Which line each usage record has found."""
    return list(UsageRecord.objects.order_by("id").values_list("id", "line_id"))


def held(name: str, look: Callable[..., Consequence], command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, held against its preview."""

    def act(actor: Actor, **fields: Any) -> Any:
        contract: Contract = fields.get("contract") or (fields.get("line") or fields["change"].line).contract
        foreseen = read_only(lambda: look(actor, **fields, bills=AHEAD))
        lines = places()
        try:
            done = command(actor, **fields)
        except Refused as refused:
            expected = foreseen.refused if isinstance(foreseen, Consequence) else foreseen
            assert expected is not None, f"{name} was refused, its preview was not"
            assert (expected.code, str(expected)) == (refused.code, str(refused))
            raise
        assert isinstance(foreseen, Consequence), f"the preview of {name} was refused: {foreseen}"
        issued = done[1] if isinstance(done, tuple) else done if isinstance(done, list) else []
        assert [as_shown(r) for r in foreseen.documents] == [as_shown(d.ready) for d in issued], name
        again = Contract.objects.select_related("customer__seller", "customer__billing_information").get(pk=contract.pk)
        if places() == lines:  # usage that finds another line by the change is not foreseen
            bills = billing.forecast(actor, contract=again, bills=AHEAD)
            assert as_bills(foreseen.bills) == as_bills(bills, [d.id for d in issued]), f"the bills after {name}"
        seen[name] = seen.get(name, 0) + 1
        return done

    return act


def held_signing(command: Callable[..., Contract]) -> Callable[..., Contract]:
    """`sign`, held against its preview."""

    def act(actor: Actor, **fields: Any) -> Contract:
        foreseen = read_only(lambda: billing.preview_signing(actor, **fields, bills=AHEAD))
        try:
            contract = command(actor, **fields)
        except Refused as refused:
            assert isinstance(foreseen, Refused) and str(foreseen) == str(refused)
            raise
        assert isinstance(foreseen, Consequence), f"the preview of sign was refused: {foreseen}"
        assert (foreseen.ends, foreseen.contract.start) == (contract.end, contract.start)
        again = Contract.objects.select_related("customer__seller", "customer__billing_information").get(pk=contract.pk)
        assert as_bills(foreseen.bills) == as_bills(billing.forecast(actor, contract=again, bills=AHEAD))
        seen["sign"] = seen.get("sign", 0) + 1
        return contract

    return act


def held_usage(command: Callable[..., Any]) -> Callable[..., Any]:
    """`record_usage` of single records, held against its preview."""

    def act(actor: Actor, *, seller: Seller, entries: Any) -> Any:
        if len(entries) != 1 or not _plain(entries[0]):
            return command(actor, seller=seller, entries=entries)
        entry = entries[0]
        contract = Contract.objects.select_related("customer__seller", "customer__billing_information").get(
            customer__seller=seller, key=entry["contract"]
        )
        foreseen = read_only(lambda: billing.preview_usage(actor, contract=contract, entry=entry, bills=AHEAD))
        assert isinstance(foreseen, Consequence)
        outcome, issued = command(actor, seller=seller, entries=entries)
        assert [foreseen.waits] * bool(foreseen.waits) == list(outcome.exceptions)
        assert [as_shown(r) for r in foreseen.documents] == [as_shown(d.ready) for d in issued]
        contract.refresh_from_db()
        bills = billing.forecast(actor, contract=contract, bills=AHEAD)
        assert as_bills(foreseen.bills) == as_bills(bills, [d.id for d in issued])
        seen["record_usage"] = seen.get("record_usage", 0) + 1
        return outcome, issued

    return act


def _plain(entry: dict[str, Any]) -> bool:
    """A record of an instant for an article, the first of its id."""
    return not {"key", "until", "id", "revision", "attributes"} & entry.keys() and "contract" in entry


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All commands that have a preview are held against it."""
    for name, look in (
        ("book", billing.preview_book),
        ("change_quantity", lambda actor, memo="", **f: billing.preview_quantity(actor, **f)),
        ("take_back_quantity", lambda actor, memo="", **f: billing.preview_take_back(actor, **f)),
        ("change_conditions", lambda actor, memo="", **f: billing.preview_conditions(actor, **f)),
        ("end_line", billing.preview_end),
        ("give_notice", billing.preview_notice),
        ("withdraw_notice", billing.preview_withdrawal),
        ("pause", billing.preview_pause),
        ("resume", billing.preview_resume),
        ("change_tariff", billing.preview_tariff),
        ("interim_bill", billing.preview_interim),
    ):
        monkeypatch.setattr(billing, name, held(name, look, getattr(billing, name)))
    monkeypatch.setattr(contracts, "give_coupon", held("redeem", billing.preview_coupon, contracts.give_coupon))
    monkeypatch.setattr(contracts, "sign", held_signing(contracts.sign))
    monkeypatch.setattr(billing, "record_usage", held_usage(billing.record_usage))
    yield


@pytest.mark.parametrize("name", FILES)
def test_previews_of_a_scenario(name: str, watched: None) -> None:
    with scratch_database():
        result = run(load(FILES[name]))
    assert not result.error, render(result)


OFFER = """
scenario: made up
tariffs:
  small:
    title: Small
    notice: monthly
    minimum_sales: 40
    cost_cap: 90
    lines:
      base: {title: Base, price: 19.90, in_minimum: true, in_cap: true}
      desk: {title: Desk, booking: add_on, price: 10.00, discount_scale: [{above: 5, percent: 10}]}
      late: {title: Late, booking: add_on, price: 7.77, when: arrears}
      key: {title: Key, booking: on_off, price: 3.33, proration: none}
      set_up: {title: Set-up, booking: add_on, charge: once, price: 99.00}
      call: {title: Calls, charge: usage, unit: minute, price: 0.19, included: 3, in_minimum: true, in_cap: true}
      scan: {title: Scans, charge: usage, tiers: [{up_to: 5, price: 1}, {price: 0.5}], in_minimum: true, in_cap: true}
      peak: {title: Peak, charge: usage, aggregate: max, price: 2}
      last: {title: Last, charge: usage, aggregate: last, price: 3}
  large:
    title: Large
    notice: {initial_term: 3 months, renewal_term: 1 month, notice: 1 month}
    interim_threshold: 60
    lines:
      base: {title: Base, price: 49.00}
      desk: {title: Desk, booking: add_on, price: 8.00}
      call: {title: Calls, charge: usage, unit: minute, price: 0.09}
      scan: {title: Scans, charge: usage, flat_price: true, price: 12}
      extra: {title: Extra, price: 5, interval: 3 months, price_per: 1 month}
coupons:
  TEN: {percent: 10, periods: 2}
  FIVE: {amount: 5.00, lines: [base, desk]}
customers:
  acme: {name: Acme GmbH}
contracts:
  C1: {customer: acme, tariff: small, start: 2026-01-15, quantities: {desk: 4, late: 1}}
timeline:
"""


def made_up(seed: int) -> str:
    """A history of one contract: a command on most days, bills between. Many are refused."""
    random, day, steps, changed = Random(seed), date(2026, 1, 15), [], [date(2026, 3, 1)]
    for _ in range(24):
        day += timedelta(days=random.randint(0, 9))
        when = day + timedelta(days=random.randint(-5, 25))
        after = when + timedelta(days=random.randint(1, 40))
        article = random.choice(["desk", "desk", "late", "key", "set_up"])
        used = random.choice(["call", "call", "scan", "peak", "last"])
        own = random.choice(["base", "late", "key", used])
        amount = f"duration: {random.randint(1, 900)}" if used == "call" else f"quantity: {random.randint(1, 30)}"
        steps.append(random.choice([
            "bill: {}",
            "bill: {}",
            f"book: {{contract: C1, article: {article}, from: {when}, bill: {random.choice(['now', 'next'])}}}",
            f"book: {{contract: C1, article: desk, quantity: 2, from: {when}, price: 4, discount: 5, until: {after}}}",
            f"change_quantity: {{contract: C1, article: desk, quantity: {random.randint(0, 9)}, from: {when}}}",
            f"change_quantity: {{contract: C1, article: late, quantity: {random.randint(0, 9)}, from: {when}}}",
            f"change_conditions: {{contract: C1, article: desk, from: {when}, discount: {random.randint(0, 100)}}}",
            f"change_conditions: {{contract: C1, article: {own}, from: {when}, price: {random.randint(0, 9)},"
            f" minimum_quantity: {random.randint(0, 20)}}}",
            f"end_line: {{contract: C1, article: {article}, until: {when}}}",
            f"give_notice: {{contract: C1, received: {when}}}",
            f"give_notice: {{contract: C1, article: desk, end: {after}}}",
            "withdraw_notice: {contract: C1}",
            "withdraw_notice: {contract: C1, article: desk}",
            f"take_back_quantity: {{contract: C1, article: desk, from: {random.choice(changed)}}}",
            f"pause: {{contract: C1, from: {when}, until: {after}}}",
            f"pause: {{contract: C1, from: {when}}}",
            f"resume: {{contract: C1, from: {when}}}",
            f"change_tariff: {{contract: C1, tariff: {random.choice(['small', 'large'])}, from: {when},"
            f" keep: [{random.choice(['', 'late', 'peak'])}], keep_billing_dates: {random.choice(['true', 'false'])}}}",
            f"redeem: {{contract: C1, coupon: {random.choice(['TEN', 'FIVE'])}}}",
            "interim_bill: {contract: C1}",
            "interim_bill: {contract: C1, leave_out: [usage]}",
            f"usage: {{contract: C1, article: {used}, at: {day}, {amount}}}",
            f"usage: {{contract: C1, article: {used}, at: {when}, {amount}}}",
            "sales_item: {customer: acme, lines: [{title: Visit, quantity: 1, price: 80.00}]}",
        ]))  # fmt: skip
        if steps[-1].startswith("change_quantity"):
            changed.append(when)
        steps[-1] = f"  - on: {day}\n    {steps[-1]}\n"
    return OFFER + "".join(steps)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_previews_of_a_made_up_history(seed: int, watched: None, tmp_path: Path) -> None:
    path = tmp_path / "made-up.yaml"
    path.write_text(made_up(seed), "utf-8")
    with scratch_database():
        result = run(load(path))
    assert not result.error, f"seed {seed}: {result.error}"


def test_every_command_was_held_against_its_preview() -> None:
    """In a whole run of this file: no command is left out."""
    if len(seen) > 3:
        assert seen.keys() >= {"book", "change_quantity", "end_line", "give_notice", "withdraw_notice", "pause"}
        assert seen.keys() >= {
            "resume",
            "change_conditions",
            "change_tariff",
            "redeem",
            "interim_bill",
            "record_usage",
            "sign",
        }
