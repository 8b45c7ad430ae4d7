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
    """A contract of five desks, and of usage of each kind."""
    seller = customers.create_seller(
        JANUARY, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    lines = {
        "desk": {"title": "Desk", "booking": "add_on", "price": "10"},
        "call": {"title": "Calls", "charge": "usage", "price": "0.10"},
        "flat": {"title": "Flat", "charge": "usage", "price": "10", "flat_price": True},
        "seat": {"title": "Seats", "charge": "usage", "price": "10", "usage_pricing": "fixed_quantity"},
        "cloud": {"title": "Cloud", "charge": "usage", "usage_pricing": "cost_plus", "markup": "20"},
        "store": {"title": "Store", "charge": "usage", "usage_pricing": "imported_price"},
    }
    tariff = catalog.define_tariff(JANUARY, seller=seller, key="office", title="Office", lines=lines)
    customer = customers.create_customer(JANUARY, seller=seller, key="c", name="Customer")
    return contracts.sign(
        JANUARY, key="C-1", customer=customer, tariff=tariff, start=START, quantities={"desk": Decimal(5)}
    )


def line(article: str = "desk") -> ContractLine:
    """A line, as a form reads it."""
    return ContractLine.objects.select_related("article", "contract__customer__seller").get(article__key=article)


@pytest.mark.parametrize(
    "deed",
    [
        lambda c, r: billing.change_conditions(JANUARY, line=line(), start=START, discount=Decimal(5), reason=r),
        lambda c, r: billing.preview_conditions(JANUARY, line=line(), start=START, discount=Decimal(5), reason=r),
        lambda c, r: billing.book(JANUARY, contract=c, article="desk", start=START, reason=r),
    ],
    ids=["change", "preview", "book"],
)
def test_a_reason_too_long_for_a_document_is_refused(contract: Contract, deed: Callable[..., object]) -> None:
    with pytest.raises(Refused, match="at most 200") as refused:
        deed(contract, "x" * 201)
    assert (refused.value.code, LineConditions.objects.count()) == ("invalid", 0)
    deed(contract, "x" * 200)


@pytest.mark.parametrize(
    ("article", "price", "minimum"),
    [("call", True, True), ("flat", True, False), ("seat", True, False), ("cloud", False, False),
     ("store", False, False)],
)  # fmt: skip
def test_what_usage_would_not_be_billed_by_is_refused(
    contract: Contract, article: str, price: bool, minimum: bool
) -> None:
    """An own price that stands in the contract while the supplier's cost is billed would deceive who reads it."""
    for allowed, own in ((price, {"price": Decimal(4)}), (minimum, {"minimum_quantity": Decimal(4)})):
        for deed in (billing.preview_conditions, billing.change_conditions):
            if allowed:
                deed(JANUARY, line=line(article), start=START, **own)  # type: ignore[operator]
                continue
            with pytest.raises(Refused) as refused:
                deed(JANUARY, line=line(article), start=START, **own)  # type: ignore[operator]
            assert (refused.value.code, refused.value.values["field"]) == ("invalid", next(iter(own)))
    billing.change_conditions(JANUARY, line=line(article), start=START, discount=Decimal(10))
    assert LineConditions.objects.count() == 1 + price + minimum


def test_a_price_for_what_a_tariff_to_come_sets_is_agreed(contract: Contract) -> None:
    """From the change of tariff on the line has a price: it may be agreed before."""
    seller = contract.customer.seller
    lines = {"cloud": {"title": "Cloud", "charge": "usage", "price": "5"}}
    other = catalog.define_tariff(JANUARY, seller=seller, key="other", title="Other", lines=lines)
    billing.change_tariff(JANUARY, contract=contract, tariff=other, start=date(2026, 3, 1))
    billing.change_conditions(JANUARY, line=line("cloud"), start=date(2026, 2, 1), price=Decimal(4))
    assert LineConditions.objects.count() == 1
