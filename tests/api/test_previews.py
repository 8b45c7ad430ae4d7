"""`?preview=true`: which commands take it, and that it says what the command does and writes nothing."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from taktura.api.openapi import endpoints
from taktura.api.v1.api import api as the_api
from taktura.audit.models import LogEntry
from taktura.billing.models import SalesItem
from taktura.catalog.models import Tariff, TariffVersion
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.services import sign
from taktura.customers.services import create_customer, set_billing_information
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, SupplierSubscription
from taktura.usage.queries import fold
from tests.api.helpers import NOW, Api, refusal

ACTOR = Actor("test", NOW)
LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "10.00"},
    "cloud": {"title": "Cloud", "charge": "usage", "price": "1.00", "booking": "add_on"},
}
MANUAL = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
def contract(api: Api) -> Contract:
    """A contract of customer K under the tariff `talk`, nothing billed; customer L has all information too."""
    for key in ("K", "L"):
        customer = create_customer(ACTOR, seller=api.seller, key=key, name=f"Firma {key}")
        set_billing_information(
            ACTOR, customer=customer, name=customer.name, street="Weg 1", postcode="20095", city="Hamburg",
            country="DE", tax_status="domestic",
        )  # fmt: skip
    assert api.post("/tariffs", {"tariff": "talk", "title": "Talk", "lines": LINES}).status_code == 201
    tariff, customer = Tariff.objects.get(), api.seller.customers.get(key="K")
    return sign(ACTOR, key="C", customer=customer, tariff=tariff, start=date(2026, 1, 1))


@pytest.fixture
def nothing_written() -> Callable[[], None]:
    """Checks that nothing was written since the last check."""
    seen: list[Any] = []

    def check() -> None:
        rows = (LogEntry, TariffVersion, ContractLine, SalesItem)
        now = [model.objects.count() for model in rows]
        assert not seen or seen == now
        seen[:] = now

    return check


def test_the_manual_names_the_commands_that_have_one() -> None:
    table = MANUAL.read_text("utf-8").partition("| commands | what is shown |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall("`([a-z_]+)`", row.split("|")[1])]
    assert sorted(named) == sorted(e.name for e in endpoints(the_api).values() if e.preview)


def test_a_version_for_all_says_whom_it_reaches(
    api: Api, contract: Contract, nothing_written: Callable[[], None]
) -> None:
    body = {"from": "2026-04-10", "applies_to": "all", "lines": {"base": {"price": "12.50"}}}
    nothing_written()
    shown = api.post("/tariffs/talk/versions?preview=true", body)
    nothing_written()
    assert shown.status_code == 201 and shown.data["version"] is None
    assert shown.data["preview"] == {
        "contracts": 1, "starts": [{"from": "2026-05-01", "contracts": 1}], "monthly": "2.50", "currency": "EUR",
        "moves": [{"article": "base", "title": "Base", "lines": 1, "quantity": "1", "before": "10.00",
                   "after": "12.50"}],
    }  # fmt: skip
    for_new = api.post("/tariffs/talk/versions?preview=true", {**body, "applies_to": "new"}).data["preview"]
    assert (for_new["contracts"], for_new["starts"], for_new["monthly"]) == (0, [], "0.00")
    made = api.post("/tariffs/talk/versions", body).data
    assert made["preview"] is None and made["version"]["lines"]["base"]["price"] == "12.50"


def test_a_preview_of_a_version_refuses_as_the_version_does(
    api: Api, contract: Contract, nothing_written: Callable[[], None]
) -> None:
    nothing_written()
    for body in (
        {"from": "2026-04-01", "minimum_sales": "5.00"},
        {"from": "2026-04-01", "lines": {"base": {"charge": "recurring", "price": "-"}}},
    ):
        assert refusal(api.post("/tariffs/talk/versions?preview=true", body)) == refusal(
            api.post("/tariffs/talk/versions", body)
        )
    assert (
        refusal(api.post("/tariffs/none/price_update?preview=true", {"from": "2026-04-01", "percent": "1"}))[0] == 404
    )
    nothing_written()


def test_a_price_update_says_what_it_moves(api: Api, contract: Contract, nothing_written: Callable[[], None]) -> None:
    nothing_written()
    shown = api.post("/tariffs/talk/price_update?preview=true", {"from": "2026-05-01", "percent": "10"}).data["preview"]
    nothing_written()
    assert (shown["contracts"], shown["monthly"]) == (1, "1.00")
    assert [(m["article"], m["after"]) for m in shown["moves"]] == [("base", "11.00")]


def test_a_draft_says_whom_publishing_reaches(
    api: Api, contract: Contract, nothing_written: Callable[[], None]
) -> None:
    path = f"/tariff_drafts/{api.post('/tariff_drafts', {'tariff': 'talk'}).data['draft']}"
    lines = [{"article": article, **line} for article, line in LINES.items()]
    api.patch(path, {"lines": [{**lines[0], "price": "8.00"}, lines[1]]})
    nothing_written()
    body = {"from": "2026-05-01", "applies_to": "all"}
    shown = api.post(f"{path}/publish?preview=true", body).data
    assert shown["tariff"] is None and (shown["preview"]["contracts"], shown["preview"]["monthly"]) == (1, "-2.00")
    assert refusal(api.post(f"{path}/publish?preview=true", {})) == (422, "invalid"), "from which day?"
    nothing_written()
    new = f"/tariff_drafts/{api.post('/tariff_drafts', {'key': 'new'}).data['draft']}"
    assert refusal(api.post(f"{new}/publish?preview=true", {})) == (422, "invalid"), "it has no title yet"
    api.patch(new, {"title": "New", "lines": lines})
    assert api.post(f"{new}/publish?preview=true", {}).data["preview"]["contracts"] == 0
    api.post("/tariffs", {"tariff": "new", "title": "New", "lines": LINES})
    assert refusal(api.post(f"{new}/publish?preview=true", {})) == (409, "conflict"), "the name is taken meanwhile"
    assert api.post(f"{path}/publish", body).data["tariff"]["versions"][1]["lines"]["base"]["price"] == "8.00"


def test_a_sale_given_to_another_is_shown_as_theirs(
    api: Api, contract: Contract, nothing_written: Callable[[], None]
) -> None:
    body = {"customer": "K", "lines": [{"title": "Training", "price": "80.00"}]}
    item = api.post("/sales_items", body).data["item"]["id"]
    nothing_written()
    shown = api.post(f"/sales_items/{item}/move?preview=true", {"customer": "L"}).data
    (paper,) = shown["preview"]
    assert shown["item"] is None and (paper["customer"], paper["net"], paper["gross"]) == ("L", "80.00", "95.20")
    assert SalesItem.objects.get().customer.key == "K"
    nothing_written()
    api.post("/customers", {"customer": "M", "name": "M"})
    for query in ("?preview=true", ""):
        answer = api.post(f"/sales_items/{item}/move{query}", {"customer": "M"})
        assert refusal(answer) == (409, "billing_information_missing")
    assert api.post(f"/sales_items/{item}/move", {"customer": "L"}).data["item"]["customer"] == "L"


def test_an_extension_is_shown_with_the_next_bill(
    api: Api, contract: Contract, nothing_written: Callable[[], None]
) -> None:
    lines = {**LINES, "seats": {"title": "Seats", "charge": "recurring", "price": "3.00", "booking": "add_on"}}
    api.post("/tariffs", {"tariff": "more", "title": "More", "lines": lines})
    sign(ACTOR, key="D", customer=contract.customer, tariff=Tariff.objects.get(key="more"), start=date(2026, 1, 1))
    api.post("/suppliers", {"supplier": "nimbus", "name": "Nimbus"})
    supplier = Supplier.objects.get()
    SupplierSubscription.objects.create(supplier=supplier, reference="S-1", folded=fold("S-1"), quantity=4)
    nothing_written()
    path, body = "/suppliers/nimbus/extend_contract", {"subscription": "S-1", "contract": "D", "article": "seats"}
    shown = api.post(f"{path}?preview=true", {**body, "from": "2026-03-01"}).data
    assert (shown["contract"], shown["documents"]) == (None, [])

    def net(bills: list[Any]) -> Decimal:
        return sum((Decimal(d["net"]) for b in bills for d in b["documents"]), Decimal(0))

    assert net(shown["preview"]["bills"]) - net(shown["preview"]["before"]) == Decimal("12.00")
    nothing_written()
    for query in ("?preview=true", ""):
        assert refusal(api.post(path + query, {**body, "subscription": "none"})) == (404, "not_found")
        assert refusal(api.post(path + query, {"subscription": "S-1", "contract": "D"})) == (422, "invalid")
    done = api.post(path, {**body, "from": "2026-03-01"}).data
    assert [x["quantity"] for x in done["contract"]["lines"] if x["article"] == "seats"] == ["4"]


def test_a_line_to_come_is_told_as_it_will_begin(api: Api, contract: Contract) -> None:
    """Quantity and own conditions that were changed before its first day, for that day."""
    day = {"article": "cloud", "from": "2026-05-01"}
    assert api.post("/contracts/C/book", {**day, "price": "0.90"}).status_code in (200, 201)
    assert api.post("/contracts/C/change_conditions", {**day, "price": "0.80"}).status_code == 200
    (line,) = [x for x in api.get("/contracts/C").data["lines"] if x["article"] == "cloud"]
    assert (line["from"], line["price"]) == ("2026-05-01", "0.80")
