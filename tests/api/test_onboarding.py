"""Existing customers over HTTP: who lacks what, and contracts made from the services that they use."""

from typing import Any

import pytest

from taktura.contracts.models import Contract
from taktura.usage.models import SubscriptionLink
from tests.api.helpers import Api, refusal

ADDRESS = {"name": "Muster GmbH", "street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
LINES = {
    "mailbox": {"charge": "usage", "booking": "add_on", "price": "2.40", "usage_pricing": "fixed_quantity"},
    "gift": {"charge": "usage", "booking": "add_on", "price": "0"},
    "care": {"charge": "recurring", "price": "10.00"},
}
ROW = {"product_id": "P", "quantity": "12", "period_start": "2026-02-01", "period_end": "2026-02-28",
       "subscription_start": "2026-02-10"}  # fmt: skip


@pytest.fixture
def served(api: Api) -> Api:
    """Two customers with a service each, of whom one cannot be billed."""
    api.post("/tariffs", {"tariff": "cloud", "title": "Cloud", "lines": LINES})
    api.post("/suppliers", {"supplier": "haus", "name": "Haus", "create_customers": True, "create_subscriptions": True})
    api.call("PUT", "/suppliers/haus/product_references", {"product": "P", "article": "mailbox"})
    rows = [
        {**ROW, "customer_id": "A", "subscription_id": "S-1"}, {**ROW, "customer_id": "B", "subscription_id": "S-2"}
    ]  # fmt: skip
    assert api.post("/suppliers/haus/import_usage", {"rows": rows}).status_code < 300
    api.post("/customers", {"customer": "kraus", "name": "Kraus KG"})
    api.post("/customers", {"customer": "muster", "name": "Muster GmbH", "billing_information": ADDRESS})
    for reference, customer in (("a", "kraus"), ("B", "muster")):
        body = {"reference": reference, "customer": customer}
        assert api.post("/suppliers/haus/link_customer", body).status_code < 300
    return api


def wanted(customer: str, **more: Any) -> dict[str, Any]:
    return {"customer": customer, "tariff": "cloud", "start": "2026-02-01", **more}


def test_who_lacks_what(served: Api) -> None:
    data = served.get("/onboarding").data
    assert [c["customer"] for c in data["without_billing_information"]] == ["kraus"]
    assert data["without_billing_information"][0]["missing_billing_information"][0] == "name"
    assert [(c["customer"], c["complete"], [s["subscription"] for s in c["subscriptions"]])
            for c in data["without_contract"]] == [("kraus", False, ["S-1"]), ("muster", True, ["S-2"])]  # fmt: skip
    assert (data["without_billing_information_in_all"], data["without_contract_in_all"]) == (1, 2)


def test_from_a_look_to_the_contracts(served: Api) -> None:
    body = {"contracts": [wanted("kraus", contract="V-1"), wanted("muster", contract="V-2")]}
    looked = served.post("/onboarding?preview=true", body)
    assert looked.status_code == 201 and not Contract.objects.exists()
    first = looked.data["looked_at"][1]["preview"]["bills"][0]["documents"][0]
    assert first["net"] == "39.54", "19 of 28 days of 28.80, and two months of 10.00"
    assert looked.data["looked_at"][0]["preview"]["refused"]["code"] == "billing_information_missing"
    done = served.post("/onboarding", body)
    assert (done.status_code, done.data["recorded"]) == (201, 2)
    lines = {line["article"]: (line["quantity"], line["from"]) for line in done.data["contracts"][1]["lines"]}
    assert lines == {"care": ("1", "2026-02-01"), "mailbox": ("12", "2026-02-10")}
    assert SubscriptionLink.objects.count() == 2
    assert served.get("/onboarding").data["without_contract"] == []
    assert refusal(served.post("/onboarding", body)) == (409, "conflict"), "nothing is signed twice"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([{"supplier": "haus", "subscription": "S-2"}], (404, "not_found")),
        ([{"supplier": "haus", "subscription": "S-1", "article": "care"}], (404, "not_found")),
        ([{"supplier": "haus", "subscription": "S-1", "article": "gift"}], (422, "invalid")),
        ([{"supplier": "haus", "subscription": "S-1", "price": "0"}], (422, "invalid")),
        ([{"supplier": "haus", "subscription": "S-1", "quantity": "0"}], (422, "invalid")),
    ],
)
def test_what_is_refused(served: Api, lines: list[dict[str, Any]], expected: tuple[int, str]) -> None:
    answer = served.post("/onboarding", {"contracts": [wanted("muster"), wanted("kraus", lines=lines)]})
    assert refusal(answer) == expected and not Contract.objects.exists(), "all or none"


def test_customers_from_a_file(served: Api) -> None:
    content = (
        b"customer,name,email,supplier,subscription,quantity\nnew,New AG,a@new.example,haus,S-9,4\n"
        b"twin,Other AG,A@new.example,,,\nkraus,,,haus,S-8,1\n"
    )
    sent = {"Content_Type": "text/csv"}
    looked = served.call("POST", "/customer_files?preview=true", content, **sent)
    assert looked.status_code == 200, looked.content
    assert [(r["line"], r["does"], r["twin"]) for r in looked.data["rows"]] == [
        (3, "double", "new"), (2, "new", ""), (4, "added", "")
    ]  # fmt: skip
    assert (looked.data["written"], looked.data["customers"], looked.data["wrong"]) == (False, 1, 1)
    assert refusal(served.call("POST", "/customer_files", content, **sent)) == (422, "invalid")
    done = served.call("POST", "/customer_files?leave_out=true", content, **sent)
    assert (done.data["written"], done.data["customers"], done.data["services"]) == (True, 1, 2)
    assert served.get("/customers/new").data["billing_information"]["email"] == "a@new.example"
    assert "new" in [c["customer"] for c in served.get("/onboarding").data["without_contract"]]


def test_free_is_said(served: Api) -> None:
    lines = [{"supplier": "haus", "subscription": "s-1", "article": "gift", "free": True}]
    done = served.post("/onboarding", {"contracts": [wanted("kraus", lines=lines, payment_days=30)]})
    assert done.status_code == 201
    assert served.get("/customers/kraus").data["billing_information"]["payment_days"] == 30
