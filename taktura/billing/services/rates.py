"""Currencies: the register of rates, contracts that convert by it, and converting again what is recorded.

Contracts that reach their threshold by it get an interim bill (R11.3); all else shows with the next bill.
"""

from collections.abc import Collection
from datetime import date

from taktura.audit.acts import act
from taktura.billing.services.interim import threshold_bills
from taktura.billing.services.previews import Consequence, standing
from taktura.billing.services.waiting import Tied
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.exchange import Rate
from taktura.customers.models import Seller
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.store import Again, Taken


@act
def set_rates(
    actor: Actor, *, seller: Seller, rates: Collection[Rate], source: str = usage.BY_HAND
) -> tuple[Taken, Tied]:
    """Take exchange rates into the register (`usage.set_rates`); what waited for one is looked at again."""
    taken, (recorded, reasons, touched) = usage.set_rates(actor, seller=seller, rates=rates, source=source)
    return taken, Tied(recorded, reasons, threshold_bills(actor, touched))


@act
def convert_again(
    actor: Actor, *, seller: Seller, source: str, target: str, first: date, end: date
) -> tuple[Again, list[Issued]]:
    """Give converted usage of some days the rates of now (`usage.convert_again`)."""
    found = usage.convert_again(actor, seller=seller, source=source, target=target, first=first, end=end)
    return found, threshold_bills(actor, found.contracts)


@act
def allow_conversion(actor: Actor, *, contract: Contract, rule: str) -> list[Issued]:
    """Say whether and by which rate a contract takes suppliers' amounts in another currency; its usage that waits is
    looked at again. Raises `Refused` (`invalid`)."""
    contracts.read_again(contract)
    contracts.allow_conversion(actor, contract=contract, rule=rule)
    closed = contract.seller.closed_until
    return threshold_bills(actor, usage.rematch(actor, contracts=[contract.pk], closed_until=closed))


def preview_conversion(actor: Actor, *, contract: Contract, rule: str, bills: int = 0) -> Consequence:
    """What `allow_conversion` would do: nothing at once. Usage that waits and would find its line is not foreseen."""
    contracts.check_conversion(rule)
    now = standing(actor, contract=contract, bills=bills)
    return Consequence(documents=[], before=now.bills, bills=now.bills, contract=now.contract)
