"""The job on a real file: a month of cloud charges, imported, billed and explained to the last decimal.

What the program bills is compared with a plain reading of the file by the `csv` and `decimal` modules.
"""

import csv
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from taktura.billing import services as billing
from taktura.billing.explain import explain
from taktura.billing.proof import verify
from taktura.cli.demo.world import accounts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.usage.models import UsageException, UsageRecord
from taktura.usage.queries import supplier_by_key, waiting_by_reason
from taktura.usage.services import receive_file

ACTOR = Actor("clerk", datetime(2024, 10, 15, 12, tzinfo=UTC))
ON = date(2024, 10, 1)
FOCUS_NAME = "focus-2024-09.csv"
MARKUP = Decimal("1.15")


@pytest.fixture
def seller(demo_database: str) -> Seller:
    """The demo company, when the run is done that was due: what a file brings is all that there is to bill then."""
    found = Seller.objects.get()
    billing.bill(ACTOR, seller=found, on=ON)
    return found


def left_out(outcome: billing.Outcome) -> list[str]:
    """The customers that a run left out."""
    return [Customer.objects.get(pk=p.customer).key for p in outcome.problems]


def plain_reading(path: Path) -> dict[str, list[Decimal]]:
    """The costs of each sub-account, by the standard library alone."""
    costs = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            costs[row["SubAccountId"]].append(Decimal(row["BilledCost"]))
    return costs


def contract_of(seller: Seller) -> dict[str, str]:
    """The contract's key for each reference."""
    return {reference: f"C-{number:02}" for number, (reference, _) in enumerate(accounts(), 1)}


def rounded(exact: Decimal) -> Decimal:
    """To cents, commercially."""
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def nets(documents: list[Document]) -> dict[str, Decimal]:
    """The net of each contract's invoice."""
    found = {d.contract.key: Decimal(d.net).scaleb(-2) for d in documents if d.contract}
    assert len(found) == len(documents)
    return found


def test_the_real_file_is_billed_exactly(seller: Seller, samples: Path) -> None:
    path = samples / "focus-1.0-sample.csv"
    costs = plain_reading(path)
    assert sum(len(rows) for rows in costs.values()) == 1000
    supplier = supplier_by_key(seller.pk, "sunbird")
    before = set(UsageRecord.objects.values_list("pk", flat=True))
    waited = waiting_by_reason(seller.pk)

    received, _ = billing.receive_file(ACTOR, supplier=supplier, name=path.name, content=path.read_bytes())
    known, unknown = contract_of(seller), set(costs) - {reference for reference, _ in accounts()}
    assert len(unknown) == 3
    assert not received.problems
    assert received.outcome.recorded == sum(len(costs[r]) for r in known if r in costs)
    waiting = sum(len(costs[r]) for r in unknown)
    assert received.outcome.exceptions == ["no_subscription"] * waiting
    assert waiting_by_reason(seller.pk) == waited | {"no_subscription": waited["no_subscription"] + waiting}

    expected = {known[r]: rounded(sum(rows) * MARKUP) for r, rows in costs.items() if r in known}
    expected = {contract: net for contract, net in expected.items() if net}
    preview = billing.bill(ACTOR, seller=seller, on=ON, preview=True)
    documents = Document.objects.count()
    keys = dict(Contract.objects.values_list("pk", "key"))
    assert {keys[r.contract]: Decimal(r.draft.net).scaleb(-2) for r in preview.ready if r.contract} == expected

    outcome = billing.bill(ACTOR, seller=seller, on=ON)
    issued = list(Document.objects.filter(pk__in=outcome.issued).select_related("contract"))
    assert left_out(outcome) == ["petersen"]
    assert Document.objects.count() == documents + len(expected)
    assert nets(issued) == expected
    assert all(d.kind == "invoice" and d.currency == "USD" for d in issued)

    # What was imported is billed or waits, to the last decimal.
    new = UsageRecord.objects.exclude(pk__in=before)
    waits = set(UsageException.objects.values_list("record_id", flat=True))
    billed = sum(r.cost_amount for r in new if r.pk not in waits)
    rest = sum(r.cost_amount for r in new if r.pk in waits)
    assert billed + rest == sum(sum(rows) for rows in costs.values()) == Decimal("20.52022672899")
    assert rest == sum(sum(costs[r]) for r in unknown)
    by_contract = {contract: sum(costs[r]) for r, contract in known.items() if r in costs}
    for document in issued:
        assert document.contract is not None
        found = explain(document, 1)
        assert sum(row["cost_amount"] for row in found.rows()) == by_contract[document.contract.key]
        assert {row["file"] for row in found.rows()} == {path.name}
    assert verify() == []


def test_all_of_it_twice_changes_nothing(seller: Seller, samples: Path) -> None:
    content = (samples / "focus-1.0-sample.csv").read_bytes()
    supplier = supplier_by_key(seller.pk, "sunbird")
    receive_file(ACTOR, supplier=supplier, name="first.csv", content=content)
    billing.bill(ACTOR, seller=seller, on=ON)
    state = (Document.objects.count(), UsageRecord.objects.count(), waiting_by_reason(seller.pk))

    with pytest.raises(Refused) as refused:
        receive_file(ACTOR, supplier=supplier, name="second.csv", content=content)
    assert refused.value.code == "conflict"
    # The same rows in a file that differs in its bytes alone.
    again = receive_file(ACTOR, supplier=supplier, name="third.csv", content=content.replace(b"\r\n", b"\n") + b"\n")
    assert (again.outcome.recorded, again.outcome.duplicates, again.outcome.conflicts) == (0, 1000, 0)
    outcome = billing.bill(ACTOR, seller=seller, on=ON)
    assert (outcome.issued, left_out(outcome)) == ([], ["petersen"])
    assert (Document.objects.count(), UsageRecord.objects.count(), waiting_by_reason(seller.pk)) == state


def test_the_demos_own_file_is_billed_exactly(seller: Seller, demo_folder: Path) -> None:
    path = demo_folder / FOCUS_NAME
    costs, known = plain_reading(path), contract_of(seller)
    supplier = supplier_by_key(seller.pk, "sunbird")
    received, _ = billing.receive_file(ACTOR, supplier=supplier, name=path.name, content=path.read_bytes())
    assert received.outcome.recorded == sum(len(rows) for rows in costs.values())
    outcome = billing.bill(ACTOR, seller=seller, on=ON)
    issued = list(Document.objects.filter(pk__in=outcome.issued).select_related("contract"))
    assert nets(issued) == {known[r]: rounded(sum(rows) * MARKUP) for r, rows in costs.items()}
