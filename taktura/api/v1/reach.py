"""Whom a version of a tariff reaches, and what it moves, as it is told."""

from datetime import date

from pydantic import Field

from taktura.api.fields import Out, Told
from taktura.billing.reach import Reach
from taktura.core.money import Money, places


class StartOut(Out):
    """So many contracts take the version with the period that begins on a day."""

    from_: date = Field(validation_alias="from", serialization_alias="from")
    contracts: int


class MoveOut(Out):
    """What moves of a line's price: of so many contract lines, with a quantity in all; net by month."""

    article: str
    title: str
    lines: int
    quantity: Told
    before: Told
    after: Told


class ReachOut(Out):
    """Whom a version reaches: nobody, if it is for new contracts alone. `monthly`: what recurs changes by it, net."""

    contracts: int
    starts: list[StartOut]
    moves: list[MoveOut]
    monthly: Told
    currency: str


def reach_out(reach: Reach, currency: str) -> ReachOut:
    """A reach as it is told."""
    digits = places(currency)
    return ReachOut(
        contracts=reach.contracts,
        starts=[StartOut.model_validate({"from": day, "contracts": number}) for day, number in reach.starts],
        moves=[
            MoveOut(
                article=m.article, title=m.title, lines=m.lines, quantity=m.quantity,
                before=Money(m.before, digits).exact, after=Money(m.after, digits).exact,
            )
            for m in reach.moves
        ],
        monthly=Money(reach.monthly, digits).exact,
        currency=currency,
    )  # fmt: skip
