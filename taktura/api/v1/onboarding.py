"""Onboarding: who lacks billing information, who has services but no contract; contracts for them."""

from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Amount, Day, Flag, In, Key, Out, Text200, Told, Whole
from taktura.api.v1.contract_bodies import BILLS, ContractOut, Foreseen, RefusalOut, foreseen, one
from taktura.billing import services as billing
from taktura.billing.services import Looked, ServiceLine, Wanted
from taktura.catalog.queries import offered
from taktura.contracts.queries import next_keys
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.queries import missing_billing_information, without_billing_information
from taktura.kit.language import text_of
from taktura.usage.models import SupplierSubscription
from taktura.usage.onboarding import services_of, without_contract
from taktura.usage.queries import fold

router = Router()
MOST = 500
MOST_CONTRACTS = 200
MOST_LINES = 200


class Incomplete(Out):
    """A customer to whom no document can be issued, and the fields that lack."""

    customer: str
    name: str
    missing_billing_information: list[str]


class InUse(Out):
    """A supplier subscription in use, with what the supplier says of it."""

    supplier: str
    subscription: str
    product: str
    product_name: str
    quantity: Told | None


class Unbound(Out):
    """A customer who has services but no contract. `complete`: documents could be issued."""

    customer: str
    name: str
    complete: bool
    subscriptions: list[InUse] = Field(description="supplier subscriptions in use")


class Onboarding(Out):
    """Existing customers with whom something is to be done, by name; of each kind at most 500 are listed."""

    without_billing_information: list[Incomplete]
    without_billing_information_in_all: int
    without_contract: list[Unbound]
    without_contract_in_all: int


class SuggestedLineIn(In):
    """A contract line for a service. Fields left out are as suggested: the article that the supplier's product stands
    for, the supplier's quantity, the tariff's price."""

    supplier: Key
    subscription: Text200 = Field(min_length=1)
    article: Key | None = None
    quantity: Amount | None = None
    price: Amount | None = Field(None, description="null: the tariff's")
    free: Flag = Field(False, description="confirms that it costs nothing")


class NewContract(In):
    """A contract for a customer. `lines` null: all services whose product stands for an article of the tariff."""

    customer: Key
    tariff: Key
    start: Day
    contract: Key | None = Field(None, description="its number; null: the next one")
    until: Day | None = Field(None, description="its end, exclusive; null: by the tariff's terms")
    billed_until: Day | None = Field(None, description="exclusive; billed elsewhere before")
    payment_days: Whole | None = Field(None, le=365, description="of the customer; null: as they are")
    lines: list[SuggestedLineIn] | None = Field(None, max_length=MOST_LINES)


class OnboardIn(In):
    """Contracts to be signed at once, all or none."""

    contracts: list[NewContract] = Field(min_length=1, max_length=MOST_CONTRACTS)


class LookedAt(Out):
    """What would become of one: its first bill with services as they are, or why it cannot be signed."""

    contract: str
    customer: str
    lines: int
    preview: Foreseen | None
    refused: RefusalOut | None


class OnboardOut(Out):
    """The contracts that were signed; `recorded`: waiting usage that found its line. A preview signs nothing and looks
    at each (`looked_at`)."""

    contracts: list[ContractOut]
    recorded: int
    waiting: int
    looked_at: list[LookedAt]


@endpoint(router, "GET", "/onboarding", "customers.view", answer=Onboarding)
def get_onboarding(request: HttpRequest) -> Onboarding:
    """Who of the customers lacks billing information, and who has services but no contract that runs or is to come.

    Services are supplier subscriptions that have not ended, of supplier customers linked to the customer.
    """
    call = call_of(request)
    incomplete, unbound = without_billing_information(call.seller.pk), without_contract(call.seller.pk, call.today)
    shown = list(unbound[:MOST])
    services = services_of([c.pk for c in shown], call.today)
    return Onboarding(
        without_billing_information=[
            Incomplete(customer=c.key, name=c.name, missing_billing_information=missing_billing_information(c))
            for c in incomplete.select_related("billing_information", "seller")[:MOST]
        ],
        without_billing_information_in_all=incomplete.count(),
        without_contract=[
            Unbound(
                customer=c.key, name=c.name, complete=c.complete,
                subscriptions=[_in_use(row) for row in services.get(c.pk, ())],
            )
            for c in shown
        ],
        without_contract_in_all=unbound.count(),
    )  # fmt: skip


@endpoint(
    router, "POST", "/onboarding", "contracts.change", answer=OnboardOut, status=201,
    codes=("conflict", "not_found", "tariff_retired", "contract_ended"),
)  # fmt: skip
def onboard_customers(request: HttpRequest, body: OnboardIn, preview: bool = False) -> Answer:
    """Sign contracts for existing customers with a line for each service in use, and tie them: all or none. Waiting
    usage of the suppliers is processed again. A line that would cost nothing needs `free`."""
    call = call_of(request)
    wanted = _wanted(call, body)
    if preview:
        looked = billing.look_at_onboarding(call.actor, seller=call.seller, wanted=wanted, bills=BILLS)
        told = [_looked(call, found) for found in looked]
        return Answer(OnboardOut(contracts=[], recorded=0, waiting=0, looked_at=told))
    done = billing.onboard(call.actor, seller=call.seller, wanted=wanted)
    return Answer(OnboardOut(
        contracts=[one(call, c.key) for c in done.contracts], recorded=done.tied.recorded,
        waiting=len(done.tied.waiting), looked_at=[],
    ))  # fmt: skip


def _in_use(row: SupplierSubscription) -> InUse:
    return InUse(
        supplier=row.supplier.key, subscription=row.reference, product=row.product, product_name=row.product_name,
        quantity=row.quantity,
    )  # fmt: skip


def _looked(call: Call, found: Looked) -> LookedAt:
    refused = found.refused
    return LookedAt(
        contract=found.wanted.key, customer=found.wanted.customer.key, lines=len(found.wanted.lines),
        preview=foreseen(call, found.consequence) if found.consequence else None,
        refused=RefusalOut(code=refused.code, detail=text_of(refused, call.language)) if refused else None,
    )  # fmt: skip


def _wanted(call: Call, body: OnboardIn) -> list[Wanted]:
    """What is wanted, with what it names; in a number of queries that grows with the tariffs alone."""
    seller = call.seller.pk
    rows = Customer.objects.select_related("seller", "billing_information").filter(
        seller=seller, key__in={c.customer for c in body.contracts}
    )
    customers = {c.key: c for c in rows}
    tariffs = offered(seller, {c.tariff for c in body.contracts})
    services = services_of([c.pk for c in customers.values()], call.today)
    keys = iter(next_keys(seller, len(body.contracts)))
    suggestions: dict[tuple[str, Any], dict[int, list[billing.Suggestion]]] = {}
    found = []
    for asked in body.contracts:
        customer, tariff = customers.get(asked.customer), tariffs.get(asked.tariff)
        if customer is None:
            raise Refused("not_found", "There is no customer “%(key)s”.", key=asked.customer)
        if tariff is None:
            raise Refused("not_found", "There is no tariff “%(key)s”.", key=asked.tariff)
        place = (asked.tariff, asked.start)
        if place not in suggestions:
            suggestions[place] = billing.suggest(customers.values(), tariff, asked.start, call.today)
        suggested = {s.subscription.pk: s for s in suggestions[place].get(customer.pk, [])}
        known = {(s.supplier.key, s.folded): s for s in services.get(customer.pk, [])}
        found.append(Wanted(
            key=asked.contract or next(keys), customer=customer, offered=tariff, start=asked.start, end=asked.until,
            billed_until=asked.billed_until, payment_days=asked.payment_days,
            lines=[_line(line, customer, known, suggested) for line in asked.lines] if asked.lines is not None else
            [ServiceLine(subscription=s.subscription, article=s.article, quantity=s.quantity)
             for s in suggested.values() if s.article],
        ))  # fmt: skip
    return found


def _line(
    line: SuggestedLineIn,
    customer: Customer,
    known: dict[tuple[str, str], SupplierSubscription],
    suggested: dict[int, billing.Suggestion],
) -> ServiceLine:
    row = known.get((line.supplier, fold(line.subscription)))
    if row is None:
        raise Refused("not_found", "%(name)s has no supplier subscription “%(reference)s” in use.",
                      name=customer.name, reference=line.subscription)  # fmt: skip
    usual = suggested[row.pk]
    return ServiceLine(
        subscription=row, article=line.article or usual.article, price=line.price, free=line.free,
        quantity=usual.quantity if line.quantity is None else line.quantity,
    )  # fmt: skip
