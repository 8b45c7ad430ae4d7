"""The contract's own conditions of its lines over time (R7.5)."""

from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.queries import tariff_line_terms
from taktura.contracts.models import ContractLine, LineConditions
from taktura.contracts.services.lines import check_runs, conditions_of
from taktura.contracts.services.schedule import changed
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.kit.actor import Actor


@act
def change_conditions(
    actor: Actor,
    *,
    line: ContractLine,
    start: date,
    price: Decimal | None = None,
    discount: Decimal | None = None,
    reason: str = "",
    minimum_quantity: Decimal | None = None,
    memo: str = "",
) -> facts.Contract:
    """Agree all own conditions of a line from a day on; what is left out is the tariff's from then on.

    By days they hold from the day, of usage and of what is charged whole from the first period that begins on or after
    it (decision 0025). `discount` in percent. Gives the contract as it is then. See `planned_conditions` for what is
    refused.
    """
    own = planned_conditions(
        line, start, price=price, discount=discount, reason=reason, minimum_quantity=minimum_quantity
    )
    row = LineConditions.objects.create(line=line, start=start, memo=memo, **own._asdict())
    found = changed(line.contract, start)
    record(
        actor,
        "change_conditions",
        f"contract:{line.contract_id}",
        {"line": line.pk, "article": line.article.key, "from": start, "memo": memo, "change": row.pk, **own._asdict()},
    )
    return found


def planned_conditions(
    line: ContractLine,
    start: date,
    *,
    price: Decimal | None = None,
    discount: Decimal | None = None,
    reason: str = "",
    minimum_quantity: Decimal | None = None,
) -> facts.Conditions:
    """The conditions that a line would have from a day on.

    Raises `Refused`: `contract_ended`, `invalid` (a line charged once, a day on which it does not run, a number out of
    its bounds, or one that would have no effect on what is billed).
    """
    if line.charge == "once":
        raise Refused("invalid", "What is billed once keeps its price: credit it and book anew.", field="line")
    check_runs(line, start)
    fields = {"price": price, "discount": discount, "reason": reason, "minimum_quantity": minimum_quantity}
    own = facts.Conditions(**conditions_of(fields))
    if line.charge == "usage" and (own.price is not None or own.minimum_quantity is not None):
        _check_effect(line, start, own)
    return own


def _check_effect(line: ContractLine, start: date, own: facts.Conditions) -> None:
    """Refuse (`invalid`) what usage would not be billed by, from a day on or later: nobody may think that it holds."""
    rows = list(line.stretches.order_by("effective_from", "id").values_list("effective_from", "tariff_line"))
    known = tariff_line_terms(pk for _, pk in rows)
    held = [known[pk] for day, pk in rows if day <= start][-1:] + [known[pk] for day, pk in rows if day > start]
    if own.price is not None and all(x.usage_pricing in ("cost_plus", "imported_price") for x in held):
        raise Refused("invalid", "The supplier's prices hold for this line: agree a discount instead.", field="price")
    if own.minimum_quantity is not None and all(x.flat_price or x.usage_pricing != "tariff" for x in held):
        raise Refused(
            "invalid", "A minimum quantity has no effect on this line: its usage is not counted at the tariff's price.",
            field="minimum_quantity",
        )  # fmt: skip
