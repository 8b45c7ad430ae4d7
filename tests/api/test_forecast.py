"""The forecast through the API: a contract's next bill beside its last, and that of all; nothing is written."""

from datetime import date
from decimal import Decimal

import pytest

from taktura.billing.services import bill, change_quantity
from taktura.catalog.services import define_tariff
from taktura.cli.scenarios.view import fingerprints
from taktura.contracts.models import ContractLine
from taktura.contracts.services import sign
from taktura.customers.services import create_customer, set_billing_information
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, make_key, refusal

ACTOR = Actor("test", NOW)
TODAY = NOW.date()
NEXT = date(TODAY.year + TODAY.month // 12, TODAY.month % 12 + 1, 1)
ADDRESS = {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def company(api: Api) -> Api:
    """Two customers with a contract each, billed this month; one has two seats more from the next on, and a contract
    that begins then."""
    lines = {"base": {"title": "Base", "price": "10"}, "seat": {"title": "Seat", "price": "5", "booking": "add_on"}}
    tariff = define_tariff(ACTOR, seller=api.seller, key="desk", title="Desk", lines=lines)
    for kind, form in (("invoice", "R-{number}"), ("credit_note", "G-{number}")):
        confirm_numbering(ACTOR, seller=api.seller, kind=kind, format=form, next=1)
    first = TODAY.replace(day=1)
    for key in ("K-1", "K-2"):
        customer = create_customer(ACTOR, seller=api.seller, key=key, name=key)
        set_billing_information(ACTOR, customer=customer, name=key, email="a@b.example", **ADDRESS)
        sign(
            ACTOR, key=f"C-{key}", customer=customer, tariff=tariff, start=first, quantities={"seat": Decimal(1)}
        )  # fmt: skip
    bill(ACTOR, seller=api.seller, on=TODAY)
    line = ContractLine.objects.get(contract__key="C-K-1", article__key="seat")
    change_quantity(ACTOR, line=line, quantity=Decimal(3), start=NEXT)
    sign(ACTOR, key="C-new", customer=customer, tariff=tariff, start=NEXT)
    return api


def test_one_contract(company: Api) -> None:
    found = company.get("/contracts/C-K-1/forecast").data
    compared = found["comparison"]
    assert [b["on"] for b in found["bills"]] == [NEXT.isoformat()]
    assert (compared["old"], compared["new"], compared["net"], compared["tax"]) == ("15.00", "25.00", "10.00", "1.90")
    assert (compared["gross"], compared["vat_rate"], compared["documents"]) == ("11.90", "0.00", ["R-1"])
    base, seat = compared["lines"]
    assert (base["article"], base["difference"], base["reasons"]) == ("base", "0.00", [])
    (reason,) = seat["reasons"]
    assert reason == {"cause": "quantity", "amount": "10.00", "old": "1", "new": "3"}
    assert company.get("/contracts/C-new/forecast").data["comparison"] is None


def test_all_contracts(company: Api) -> None:
    before = fingerprints()
    found = company.get(f"/forecast?until={NEXT.isoformat()}").data
    unlike = {table for table, mark in fingerprints().items() if before[table] != mark}
    assert unlike <= {"accounts_apikey", "api_bucket"}  # when the key was used last, and how often
    (euro,) = found["sums"]
    assert (euro["old"], euro["new"], euro["difference"], euro["contracts"]) == ("30.00", "40.00", "10.00", 2)
    assert (euro["causes"], euro["first"], euro["first_new"]) == (
        [{"cause": "quantity", "amount": "10.00"}],
        1,
        "10.00",
    )
    assert {i["contract"] for i in found["items"]} == {"C-K-1", "C-K-2", "C-new"}
    assert (found["from"], found["failed"]) == (TODAY.isoformat(), [])
    new = next(i for i in found["items"] if i["contract"] == "C-new")
    assert (new["last_on"], new["on"], new["new"], new["causes"]) == (None, NEXT.isoformat(), "10.00", [])
    assert len(company.get(f"/forecast?until={NEXT.isoformat()}&limit=1").data["items"]) == 1


@pytest.mark.parametrize("query", ["", "?until=2020-01-01", "?until=2999-01-01", "?until=2030-01-01&from=2031-01-01"])
def test_days_that_cannot_be(company: Api, query: str) -> None:
    assert refusal(company.get(f"/forecast{query}")) == (422, "invalid")


def test_too_many_at_once(company: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.api.v1.forecast.MOST_CONTRACTS", 1)
    assert refusal(company.get(f"/forecast?until={NEXT.isoformat()}")) == (422, "invalid")


def test_who_may(company: Api) -> None:
    company.secret = make_key(["contracts.view"])
    assert refusal(company.get(f"/forecast?until={NEXT.isoformat()}")) == (403, "forbidden")
