"""Changes of a contract with the money they make due at once (R5.3, R5.6, R16)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from taktura.audit.acts import act
from taktura.billing.models import Charge
from taktura.billing.services.interim import threshold_bills
from taktura.billing.services.settling import settle_now
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff, TariffVersion
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine, LineQuantity
from taktura.core import facts
from taktura.core.settle import Scope
from taktura.customers.queries import check_complete
from taktura.invoices.services import Issued
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier


def _today(actor: Actor, contract: Contract) -> date:
    return actor.today(contract.customer.seller.time_zone)


def _rematch(actor: Actor, contract: Contract) -> None:
    usage.rematch(actor, contracts=[contract.pk], closed_until=contract.customer.seller.closed_until)


@act
def book(actor: Actor, *, contract: Contract, now: bool = False, **fields: Any) -> tuple[ContractLine, list[Issued]]:
    """Book a line; with `now` its first period is billed at once, else with the next billing (R5.6)."""
    contracts.read_again(contract)
    if now:
        check_complete(contract.customer)
    line = contracts.book(actor, contract=contract, **fields)
    _rematch(actor, contract)
    if not now:
        return line, []
    scope = Scope(on=_today(actor, contract), lines=frozenset([line.pk]), now=frozenset([line.pk]))
    return line, settle_now(actor, contract, scope, action="bill_booking")


@act
def change_quantity(
    actor: Actor, *, line: ContractLine, quantity: Decimal, start: date, memo: str = ""
) -> list[Issued]:
    """Change a quantity from a date on; what is billed beyond it is credited and billed anew (R5.3)."""
    contracts.read_again(line.contract, line)
    values = contracts.change_quantity(actor, line=line, quantity=quantity, start=start, memo=memo)
    return settle_lines(actor, line.contract, [line.pk], "bill_change", values=values)


@act
def change_conditions(actor: Actor, *, line: ContractLine, start: date, **fields: Any) -> list[Issued]:
    """Agree other own conditions of a line from a day on; what is billed beyond it is credited and billed anew."""
    contracts.read_again(line.contract, line)
    values = contracts.change_conditions(actor, line=line, start=start, **fields)
    return settle_lines(actor, line.contract, [line.pk], "bill_change", values=values)


@act
def take_back_quantity(actor: Actor, *, change: LineQuantity, memo: str = "") -> list[Issued]:
    """Take a change of quantity back; what it had credited is billed again, what it had billed is credited (R5.2)."""
    change.refresh_from_db(fields=["taken_back_at"])
    line = change.line
    contracts.read_again(line.contract, line)
    values = contracts.take_back_quantity(actor, change=change, memo=memo)
    return settle_lines(actor, line.contract, [line.pk], "bill_change", values=values)


@act
def end_line(actor: Actor, *, line: ContractLine, until: date) -> list[Issued]:
    """End a line; what was billed beyond is credited at once (R5.6)."""
    contracts.read_again(line.contract, line)
    values = contracts.end_line(actor, line=line, until=until)
    _rematch(actor, line.contract)
    return settle_lines(actor, line.contract, [line.pk], "bill_end", values=values)


@act
def give_notice(
    actor: Actor, *, contract: Contract, received: date, wish: date | None = None, line: ContractLine | None = None
) -> list[Issued]:
    """Give notice; what was billed beyond the end is credited at once (R15.5)."""
    contracts.read_again(contract, line)
    contracts.give_notice(actor, contract=contract, received=received, wish=wish, line=line)
    _rematch(actor, contract)
    return settle_lines(actor, contract, [line.pk] if line else None, "bill_notice")


@act
def withdraw_notice(actor: Actor, *, contract: Contract, line: ContractLine | None = None) -> None:
    """Take a notice of the contract, or of one line, back; what was credited is billed with the next billing (R5.9)."""
    contracts.read_again(contract, line)
    contracts.withdraw_notice(actor, contract=contract, line=line)
    _rematch(actor, contract)


@act
def pause(actor: Actor, *, contract: Contract, start: date, end: date | None = None) -> list[Issued]:
    """Pause a contract; what was paid for the span is credited at once (R16.2)."""
    contracts.read_again(contract)
    contracts.pause(actor, contract=contract, start=start, end=end)
    _rematch(actor, contract)
    return settle_lines(actor, contract, None, "bill_pause")


@act
def resume(actor: Actor, *, contract: Contract, start: date) -> None:
    """End a pause; what was credited of the days after is billed with the next billing (R5.9)."""
    contracts.read_again(contract)
    contracts.resume(actor, contract=contract, start=start)
    _rematch(actor, contract)


@act
def change_tariff(actor: Actor, *, contract: Contract, tariff: Tariff, start: date, **settings: Any) -> list[Issued]:
    """Put a contract under another tariff and settle old and new lines from the date on (R16.1)."""
    contracts.read_again(contract)
    through = billed_beyond(contract, start)
    contracts.change_tariff(actor, contract=contract, tariff=tariff, start=start, **settings)
    _rematch(actor, contract)
    return settle_lines(actor, contract, None, "bill_change_of_tariff", through=through)


def billed_beyond(contract: Contract, day: date) -> date | None:
    """The day, when something is billed by days beyond it: then a change of tariff bills anew what begins up to it."""
    found = Charge.objects.filter(contract=contract, end__gt=day, amount__gt=0, rate_start__isnull=False)
    return day if found.exists() else None


@act
def publish_version(
    actor: Actor, *, tariff: Tariff, valid_from: date, applies_to: str, changes: dict[str, Any], whole: bool = False
) -> TariffVersion:
    """Make a version of a tariff; one for all holds from each contract's next period after what is billed (R16.3).

    `whole`: `changes` is all that the version says; contracts go on with a line that it lacks, as they have it.
    """
    version = catalog.add_version(
        actor, tariff=tariff, valid_from=valid_from, applies_to=applies_to, changes=changes, whole=whole
    )
    if applies_to != "all":
        return version
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.line_id, max(c."end") FROM billing_charge c
               JOIN contracts_contractphase p ON p.contract_id = c.contract_id
               WHERE p.tariff_id = %s AND c.line_id IS NOT NULL GROUP BY 1""",
            [tariff.pk],
        )
        billed = dict(cursor.fetchall())
        cursor.execute(
            """SELECT c.contract_id, max(c."end") FROM billing_charge c
               JOIN contracts_contractphase p ON p.contract_id = c.contract_id
               WHERE p.tariff_id = %s AND c.kind IN ('usage', 'minimum_sales', 'cost_cap') GROUP BY 1""",
            [tariff.pk],
        )
        unit_billed = dict(cursor.fetchall())
    contracts.apply_version(version, billed, unit_billed)
    return version


@act
def reprocess(actor: Actor, *, supplier: Supplier) -> tuple[tuple[int, list[str]], list[Issued]]:
    """Process what waits of a supplier again; contracts that reach their threshold get an interim bill (R11.3)."""
    found, reasons, touched = usage.reprocess(actor, supplier=supplier)
    return (found, reasons), threshold_bills(actor, touched)


def settle_lines(
    actor: Actor,
    contract: Contract,
    lines: Iterable[int] | None,
    action: str,
    *,
    through: date | None = None,
    values: facts.Contract | None = None,
) -> list[Issued]:
    """Settle lines of a contract (None: all) at once; `values`: it, if loaded already."""
    chosen = lines if lines is not None else ContractLine.objects.filter(contract=contract).values_list("pk", flat=True)
    scope = Scope(on=_today(actor, contract), lines=frozenset(chosen), through=through)
    return settle_now(actor, contract, scope, action=action, values=values)
