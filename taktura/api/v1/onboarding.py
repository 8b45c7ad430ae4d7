"""Onboarding of existing customers: who lacks billing information, who has services but no contract."""

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Out
from taktura.customers.queries import missing_billing_information, without_billing_information
from taktura.usage.onboarding import services_of, without_contract

router = Router()
MOST = 500


class Incomplete(Out):
    """A customer to whom no document can be issued, and the fields that lack."""

    customer: str
    name: str
    missing_billing_information: list[str]


class Unbound(Out):
    """A customer who has services but no contract. `complete`: documents could be issued."""

    customer: str
    name: str
    complete: bool
    subscriptions: int = Field(description="supplier subscriptions in use")


class Onboarding(Out):
    """Existing customers with whom something is to be done, by name; of each kind at most 500 are listed."""

    without_billing_information: list[Incomplete]
    without_billing_information_in_all: int
    without_contract: list[Unbound]
    without_contract_in_all: int


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
            Unbound(customer=c.key, name=c.name, complete=c.complete, subscriptions=len(services.get(c.pk, ())))
            for c in shown
        ],
        without_contract_in_all=unbound.count(),
    )
