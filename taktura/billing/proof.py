"""Proving what was billed: each charge from its proof, each contract settled again in full, documents, the log."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from django.db.models import Max, Min

from taktura.audit.services import broken_entries
from taktura.billing.accounted import accounted
from taktura.billing.models import Charge
from taktura.billing.queries import due_of, gather, gross_prices
from taktura.billing.services.prepare import Work, ready_documents
from taktura.billing.worked import check_time
from taktura.contracts.models import Contract
from taktura.core.money import half_up, places, plain
from taktura.core.periods import Span, add
from taktura.core.reconciling import account
from taktura.core.settle import Scope
from taktura.customers.queries import missing_billing_information, with_billing
from taktura.invoices.proof import check_documents
from taktura.usage.days import check_days
from taktura.usage.models import Supplier, UsageRecord

CHUNK = 1_000
MONTH = Span(1, "month")


def verify(progress: Callable[[str], None] | None = None) -> list[str]:
    """Recompute everything issued and prove the log; gives what is wrong, a sentence each."""
    found: list[str] = []
    parts: list[tuple[str, Callable[[], Iterator[str]]]] = [
        ("log", _check_log),
        ("usage", check_days),
        ("documents", check_documents),
        ("charges", _check_charges),
        ("time", check_time),
        ("contracts", _check_contracts),
        ("suppliers", _check_suppliers),
    ]
    for name, check in parts:
        if progress is not None:
            progress(name)
        found += check()
    return found


def _check_log() -> Iterator[str]:
    for pk in broken_entries():
        yield f"Entry {pk} of the log was changed, or one before it is missing."


def _check_charges() -> Iterator[str]:
    rows = Charge.objects.order_by("id").values_list(
        "id", "contract__currency", "amount", "credits", "by_hand", "proof", "document__number"
    )
    for pk, currency, amount, credits, by_hand, proof, number in rows.iterator(chunk_size=5000):
        if not by_hand and not _holds(amount, credits is not None, proof, 10 ** places(currency)):
            yield f"Charge {pk} on {number}: {amount} does not follow from its proof."


def _holds(amount: int, credit: bool, proof: dict[str, Any], unit: int) -> bool:
    """Whether an amount follows from its proof: the formula of its rule, worked out again."""
    if "cost_b" in proof:
        right = half_up(Fraction(proof["cost_b"]) * unit) - half_up(Fraction(proof["cost_a"]) * unit)
        right -= int(proof.get("waived", 0))
        return -amount <= right if credit else amount == right
    if "cost" in proof:
        expected = half_up(Fraction(proof["cost"]) * unit)
        return proof["expected"] in (expected, max(expected, proof["billed_before"])) or credit
    return True


def _check_contracts() -> Iterator[str]:
    """Settle each contract again in full, until where it was settled: what is due now, no run would find.

    Contracts that a run would take anyway (changed since), and those that no run bills, are left out.
    """
    rows = [
        (pk, settled, key, customer, currency)
        for pk, settled, key, customer, currency in Contract.objects.filter(
            settled_until__isnull=False, changed_from__isnull=True
        )
        .order_by("id")
        .values_list("pk", "settled_until", "key", "customer_id", "currency")
        if settled is not None
    ]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        known = gather([pk for pk, *_ in chunk], max(settled for _, settled, *_ in chunk), whole=True)
        customers = with_billing(row[3] for row in chunk)
        for pk, settled, key, customer, currency in chunk:
            if missing_billing_information(customers[customer]):
                continue
            due = due_of(known, pk, Scope(on=settled))
            work = Work(customers[customer], currency, [(pk, due)], [], gross_prices(known.contracts[pk]))
            if ready_documents(known, [work], settled):
                yield f"Contract {key}: settled again until {settled}, something is due that no run would find."


def _check_suppliers() -> Iterator[str]:
    """Of each supplier and month: what was imported is billed, to be billed, waits or is excluded, all of it."""
    spans = UsageRecord.objects.filter(supplier__isnull=False).order_by().values_list("supplier")
    known = {pk: (first, end) for pk, first, end in spans.annotate(first=Min("day"), end=Max("end_day"))}
    for supplier in Supplier.objects.filter(pk__in=known).select_related("seller").order_by("pk"):
        first, end = known[supplier.pk]
        month = first.replace(day=1)
        while month < end:
            following = add(month, MONTH)
            for (reference, _line, currency), rows in sorted(accounted(supplier, month, following).items(), key=str):
                known_of = account(rows.imported, rows.states)
                if not known_of.holds:
                    cost = plain(known_of.imported.cost)
                    yield (
                        f"Supplier {supplier.key}, {month:%Y-%m}: of {cost} {currency} imported for subscription"
                        f" {reference} not all is billed, waiting or excluded."
                    )
            month = following
