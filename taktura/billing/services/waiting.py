"""What to do with usage that waits: tie it, send it elsewhere; then it is processed again.

Contracts that reach their threshold by it get an interim bill (R11.3); all else shows with the next bill.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taktura.audit.acts import act
from taktura.billing.services.interim import threshold_bills
from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Seller
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageRecord
from taktura.usage.services import Part
from taktura.usage.store import Outcome


@dataclass(frozen=True, slots=True)
class Tied:
    """What became of waiting usage: how many records found their line, why the rest waits still, documents made."""

    recorded: int
    waiting: list[str]
    issued: list[Issued]


@act
def tie(actor: Actor, *, supplier: Supplier, ties: Sequence[tuple[str, ContractLine]]) -> Tied:
    """Tie supplier subscriptions (by reference) to contract lines and process what waits of them at once; without any,
    all that waits of the supplier.

    Raises `Refused` (`invalid`) for a line that takes no usage; then none is tied.
    """
    if not ties:
        return _again(actor, supplier)
    tied = usage.link_all(actor, supplier=supplier, ties=ties)
    recorded, reasons, touched = usage.process_subscriptions(actor, seller=supplier.seller, subscriptions=tied)
    return Tied(recorded, reasons, threshold_bills(actor, touched))


@act
def untie(actor: Actor, *, supplier: Supplier, reference: str, line: ContractLine) -> None:
    """Untie a supplier subscription: its usage on the line waits again, the next bill credits what was billed of it."""
    usage.unlink(actor, supplier=supplier, reference=reference, line=line)


@act
def send_to(
    actor: Actor, *, seller: Seller, records: Iterable[int], contract: Contract | None = None, article: str = ""
) -> Tied:
    """Send waiting records to another contract or for another article (`usage.send_to`)."""
    outcome = usage.send_to(actor, seller=seller, records=records, contract=contract, article=article)
    return Tied(outcome.recorded, outcome.exceptions, threshold_bills(actor, outcome.contracts))


@act
def correct_usage(
    actor: Actor, *, seller: Seller, record: UsageRecord, changes: Mapping[str, Any]
) -> tuple[Outcome, list[Issued]]:
    """Correct a usage record (`usage.correct_usage`, R12.2)."""
    outcome = usage.correct_usage(actor, seller=seller, record=record, changes=changes)
    return outcome, threshold_bills(actor, outcome.contracts)


@act
def tie_key(actor: Actor, *, seller: Seller, key: str, article: Article) -> Tied:
    """Say which article a key stands for, and look again at the usage that came with it (`usage.tie_key`)."""
    recorded, reasons, touched = usage.tie_key(actor, seller=seller, key=key, article=article)
    return Tied(recorded, reasons, threshold_bills(actor, touched))


@act
def untie_key(actor: Actor, *, seller: Seller, key: str) -> None:
    """Let a key stand for no article: usage that found its line by that waits again, the next bill credits what was
    billed of it. Raises `Refused` (`not_found`)."""
    usage.untie_key(actor, seller=seller, key=key)


@act
def process_again(actor: Actor, *, seller: Seller) -> Tied:
    """Process all that waits of a seller again."""
    recorded, reasons, touched = usage.process_again(actor, seller=seller)
    return Tied(recorded, reasons, threshold_bills(actor, touched))


@act
def match_parts(actor: Actor, *, seller: Seller, supplier: Supplier | None, parts: Sequence[Part]) -> Tied:
    """Match parts of what waits again, at once (`usage.reprocess_parts`)."""
    done = usage.reprocess_parts(actor, seller=seller, supplier=supplier, parts=parts)
    recorded, reasons, touched = together(done)
    return Tied(recorded, reasons, threshold_bills(actor, touched))


def together(parts: Iterable[tuple[int, list[str], set[int]]]) -> tuple[int, list[str], set[int]]:
    """What became of records that were processed again, in parts: found their line, why others wait, contracts."""
    recorded, reasons, touched = 0, list[str](), set[int]()
    for found, why, contracts in parts:
        recorded, reasons, touched = recorded + found, reasons + why, touched | contracts
    return recorded, reasons, touched


def _again(actor: Actor, supplier: Supplier) -> Tied:
    recorded, reasons, touched = usage.reprocess(actor, supplier=supplier)
    return Tied(recorded, reasons, threshold_bills(actor, touched))
