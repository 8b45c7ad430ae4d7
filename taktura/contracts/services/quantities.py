"""Quantities of contract lines over time: changes, and changes taken back."""

from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.models import ContractLine, LineQuantity, LineStretch
from taktura.contracts.services.lines import check_runs
from taktura.contracts.services.schedule import changed
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.exact import number


@act
def change_quantity(
    actor: Actor, *, line: ContractLine, quantity: Decimal, start: date, memo: str = ""
) -> facts.Contract:
    """Append a quantity from a date on (R5.3); see `check_quantity` for what is refused. Gives the contract as it is
    then."""
    quantity = check_quantity(line, quantity, start)
    row = LineQuantity.objects.create(line=line, start=start, quantity=quantity, memo=memo)
    found = changed(line.contract, start)
    record(
        actor,
        "change_quantity",
        f"contract:{line.contract_id}",
        {
            "line": line.pk,
            "article": line.article.key,
            "quantity": quantity,
            "from": start,
            "memo": memo,
            "change": row.pk,
        },
    )
    return found


def check_quantity(line: ContractLine, quantity: Decimal, start: date) -> Decimal:
    """The quantity, if a line can have it from a day on. Usage lines have none to change, but for `fixed_quantity`
    (R5.7).

    Raises `Refused`: `quantity_not_changeable`, `contract_ended`, `invalid`.
    """
    if line.charge == "usage" and not _fixed_quantity(line):
        raise Refused(
            "quantity_not_changeable", "The quantity of a usage line comes from its usage: add usage instead."
        )
    if line.charge == "once":
        raise Refused(
            "quantity_not_changeable", "What is billed once has no quantity to change: credit it and book anew."
        )
    check_runs(line, start)
    quantity = number(quantity, "quantity")
    if quantity < 0 or (line.booking == "on_off" and quantity not in (0, 1)):
        raise Refused(
            "invalid", "“%(article)s” cannot be booked %(quantity)s times.", article=line.article.key, quantity=quantity
        )
    return quantity


def _fixed_quantity(line: ContractLine) -> bool:
    terms = LineStretch.objects.filter(line=line).select_related("tariff_line").last()
    return terms is not None and terms.tariff_line.terms.get("usage_pricing") == "fixed_quantity"


@act
def take_back_quantity(actor: Actor, *, change: LineQuantity, memo: str = "") -> facts.Contract:
    """Take a change of quantity back, of whatever day: what held before it holds again. The row stays for the history.
    See `check_take_back` for what is refused. Gives the contract as it is then."""
    check_take_back(change)
    change.taken_back_at = actor.now
    change.save(update_fields=["taken_back_at"])
    line = change.line
    found = changed(line.contract, change.start)
    record(
        actor,
        "take_back_quantity",
        f"contract:{line.contract_id}",
        {
            "line": line.pk,
            "article": line.article.key,
            "quantity": change.quantity,
            "from": change.start,
            "memo": memo,
            "change": change.pk,
        },
    )
    return found


def check_take_back(change: LineQuantity) -> None:
    """Raise `Refused` unless a change can be taken back: `conflict` when it was before, `invalid` for the quantity with
    which the line was booked."""
    if change.taken_back_at is not None:
        raise Refused("conflict", "This change of quantity was taken back before.")
    first = LineQuantity.objects.filter(line=change.line_id).order_by("id").values_list("pk", flat=True).first()
    if change.pk == first:
        raise Refused("invalid", "The quantity with which a line was booked cannot be taken back: end the line.")


def quantities_without(change: LineQuantity) -> tuple[tuple[date, Decimal], ...]:
    """The quantities that a line has over time when a change is taken back."""
    rows = LineQuantity.objects.filter(line=change.line_id, taken_back_at__isnull=True).exclude(pk=change.pk)
    return tuple(dict(rows.order_by("start", "id").values_list("start", "quantity")).items())
