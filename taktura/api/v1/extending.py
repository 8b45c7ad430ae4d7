"""Contracts extended from suppliers' subscriptions, one or many at once."""

from datetime import date

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Flag, In, Key, Number, Out, Text200, Told
from taktura.api.v1.contract_bodies import BILLS, Done, RefusalOut, done, would
from taktura.api.v1.suppliers import Reprocessed, counted, supplier_of
from taktura.billing import services as billing
from taktura.contracts.queries import by_keys
from taktura.core.money import Money, places
from taktura.kit.language import text_of
from taktura.usage import services
from taktura.usage.models import Supplier
from taktura.usage.queries import subscriptions_by_reference

router = Router()


class Extension(In):
    """A contract line to be booked from a supplier subscription; what is left out comes from the subscription."""

    subscription: Text200 = Field(min_length=1)
    contract: Key
    article: Key | None = None
    quantity: Number | None = None
    from_: Day | None = Field(None, validation_alias="from", serialization_alias="from")
    remember: Flag = Field(False, description="the subscription's product stands for the article from now on")
    move: Flag = Field(
        False, description="it leaves the lines that it is tied to where the new one begins; without `from`: on the day"
        " after what was billed of them",
    )  # fmt: skip


class Extensions(In):
    """Contract lines to be booked from supplier subscriptions."""

    extensions: list[Extension] = Field(min_length=1, max_length=100)


class ExtensionOut(Out):
    """A contract line as it is booked from a supplier subscription, or as it would be."""

    subscription: str
    contract: str
    article: str | None
    quantity: Told
    from_: date = Field(serialization_alias="from")
    booked: bool = Field(description="false: a line of the tariff gets the usage, none is booked")
    month: Told | None = Field(description="what it brings in a whole month, net; null where it cannot be done")
    currency: str
    without: list[str] = Field(
        description="what the contract has and `month` leaves out: coupons, minimum_sales, cost_cap, or currency (the"
        " supplier's amounts are in another)"
    )
    refused: RefusalOut | None = Field(description="why it cannot be done (with `preview`)")


class MonthOut(Out):
    """What lines bring in a whole month together, net, in one currency."""

    currency: str
    month: Told


class ExtensionsOut(Out):
    """What was booked, or would be (with `preview`), and what became of the usage that waited."""

    items: list[ExtensionOut]
    together: list[MonthOut]
    processed: Reprocessed | None = Field(description="null: a preview")


@endpoint(
    router, "POST", "/suppliers/{supplier}/extend_contract", "contracts.change", answer=Done,
    codes=("conflict", "contract_ended"),
)  # fmt: skip
def extend_contract(request: HttpRequest, supplier: Key, body: Extension, preview: bool = False) -> Done:
    """Book a contract line from a supplier subscription, tie it to it, and process what waits of it at once (R17.3)."""
    call = call_of(request)
    (wish,) = wishes(call, supplier_of(request, supplier), [body])
    if preview:
        return would(call, billing.preview_extension(call.actor, wish=wish, bills=BILLS))
    _, tied = billing.extend_contracts(call.actor, seller=call.seller, wishes=[wish])
    return done(call, body.contract, tied.issued)


@endpoint(
    router, "POST", "/suppliers/{supplier}/extend_contracts", "contracts.change", answer=ExtensionsOut,
    codes=("conflict", "contract_ended"),
)  # fmt: skip
def extend_contracts(request: HttpRequest, supplier: Key, body: Extensions, preview: bool = False) -> ExtensionsOut:
    """Book contract lines from up to 100 supplier subscriptions, all or none, and process what waits of them at once.

    With `preview` it says of each what would become of it, and the money of a month.
    """
    call = call_of(request)
    wanted = wishes(call, supplier_of(request, supplier), body.extensions)
    foreseen = billing.preview_extensions(call.actor, seller=call.seller, wishes=wanted)
    processed = None
    if not preview:
        _, tied = billing.extend_contracts(call.actor, seller=call.seller, wishes=wanted)
        processed = Reprocessed(
            recorded=tied.recorded, waiting=counted(tied.waiting), documents=[d.id for d in tied.issued]
        )
    sums: dict[str, int] = {}
    for one in foreseen:
        currency = one.extending.wish.contract.currency
        sums[currency] = sums.get(currency, 0) + (one.month or 0)
    return ExtensionsOut(
        items=[extension_out(call, one) for one in foreseen],
        together=[MonthOut(currency=c, month=Money(a, places(c)).exact) for c, a in sorted(sums.items())],
        processed=processed,
    )


def wishes(call: Call, supplier: Supplier, bodies: list[Extension]) -> list[services.Wish]:
    """What is wished; the queries do not grow with the bodies. Raises `Refused` (`not_found`)."""
    contracts = by_keys(call.seller.pk, {x.contract for x in bodies})
    rows = subscriptions_by_reference(supplier, [x.subscription for x in bodies])
    return [
        services.Wish(
            subscription=rows[services.fold(x.subscription)], contract=contracts[x.contract], article=x.article,
            quantity=x.quantity, start=x.from_, stands_for=x.remember, moves=x.move,
        )
        for x in bodies
    ]  # fmt: skip


def extension_out(call: Call, one: billing.ExtensionForeseen) -> ExtensionOut:
    """A line that is booked from a subscription, as it is told."""
    wish, given, refused = one.extending.wish, one.extending.given, one.extending.refused
    currency = wish.contract.currency
    return ExtensionOut(
        subscription=wish.subscription.reference, contract=wish.contract.key, article=given.article,
        quantity=given.quantity, from_=given.start, booked=one.extending.planned is not None,
        month=None if one.month is None else Money(one.month, places(currency)).exact, currency=currency,
        without=list(one.without),
        refused=RefusalOut(code=refused.code, detail=text_of(refused, call.language)) if refused else None,
    )  # fmt: skip
