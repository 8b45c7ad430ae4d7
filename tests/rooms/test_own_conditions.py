"""A contract's own conditions of a line through the services (R7.5, decision 0025)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine, LineConditions
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.kit.actor import Actor

JANUARY = Actor("test", datetime(2026, 1, 10, 9, tzinfo=UTC))
START = date(2026, 1, 1)


@pytest.fixture
def contract(database: str) -> Contract:
    """A contract of five desks."""
    seller = customers.create_seller(
        JANUARY, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    lines = {"desk": {"title": "Desk", "booking": "add_on", "price": "10"}}
    tariff = catalog.define_tariff(JANUARY, seller=seller, key="office", title="Office", lines=lines)
    customer = customers.create_customer(JANUARY, seller=seller, key="c", name="Customer")
    return contracts.sign(
        JANUARY, key="C-1", customer=customer, tariff=tariff, start=START, quantities={"desk": Decimal(5)}
    )


def desk() -> ContractLine:
    """The desks, as a form reads them."""
    return ContractLine.objects.select_related("article", "contract__customer__seller").get()


@pytest.mark.parametrize(
    "deed",
    [
        lambda c, r: billing.change_conditions(JANUARY, line=desk(), start=START, discount=Decimal(5), reason=r),
        lambda c, r: billing.preview_conditions(JANUARY, line=desk(), start=START, discount=Decimal(5), reason=r),
        lambda c, r: billing.book(JANUARY, contract=c, article="desk", start=START, reason=r),
    ],
    ids=["change", "preview", "book"],
)
def test_a_reason_too_long_for_a_document_is_refused(contract: Contract, deed: Callable[..., object]) -> None:
    with pytest.raises(Refused, match="at most 200") as refused:
        deed(contract, "x" * 201)
    assert (refused.value.code, LineConditions.objects.count()) == ("invalid", 0)
    deed(contract, "x" * 200)
