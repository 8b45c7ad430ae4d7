"""What a supplier charged against what is billed, by the API."""

from decimal import Decimal

import pytest

from tests.api.helpers import Api, refusal

ROWS = [
    {"id": f"r{n}", "subscription_id": sub, "customer_id": "A", "product_id": "disk", "quantity": quantity,
     "period_start": "2026-02-03", "cost": "0.1"}
    for n, (sub, quantity) in enumerate([("SUB-1", "3"), ("SUB-2", "7"), ("SUB-1", "2.5")])
]  # fmt: skip
PATH = "/suppliers/nimbus/reconciliation"
FEBRUARY = "from=2026-02-01&until=2026-02-28"


@pytest.fixture
def nimbus(api: Api) -> Api:
    """A supplier with three rows of two subscriptions, tied to nothing."""
    made = api.post("/suppliers", {"supplier": "nimbus", "name": "Nimbus", "create_subscriptions": True})
    assert made.status_code == 201
    answer = api.post("/suppliers/nimbus/import_usage", {"rows": ROWS})
    assert answer.data["problems"] == [] and answer.data["waiting"] == {"no_subscription": 3}
    return api


def test_all_that_was_imported_is_accounted_for(nimbus: Api) -> None:
    found = nimbus.get(f"{PATH}?{FEBRUARY}").data
    assert (found["holds"], found["from"], found["until"]) == (True, "2026-02-01", "2026-02-28")
    (total,) = found["totals"]
    assert (total["charged"], total["rows"], total["currency"]) == ("1.25", 3, "EUR")
    assert total["account"]["waiting"] == {"no_subscription": {"quantity": "12.5", "cost": "1.25"}}
    rows = {row["reference"]: row for row in found["subscriptions"]}
    assert {name: Decimal(row["charged"]) for name, row in rows.items()} == {
        "SUB-1": Decimal("0.55"), "SUB-2": Decimal("0.7")
    }  # fmt: skip
    assert all(row["causes"] == ["unlinked"] for row in rows.values())
    assert (found["contracts"], found["more_subscriptions"], found["more_contracts"]) == ([], 0, 0)
    assert nimbus.get(f"{PATH}?from=2026-03-01&until=2026-03-31").data["totals"] == []


def test_rows_of_one_cause(nimbus: Api) -> None:
    assert len(nimbus.get(f"{PATH}?{FEBRUARY}&cause=unlinked").data["subscriptions"]) == 2
    assert nimbus.get(f"{PATH}?{FEBRUARY}&cause=late").data["subscriptions"] == []
    assert refusal(nimbus.get(f"{PATH}?{FEBRUARY}&cause=bad")) == (422, "invalid")


def test_a_period_has_two_days_in_order(nimbus: Api) -> None:
    assert refusal(nimbus.get(f"{PATH}?from=2026-02-01")) == (422, "invalid")
    assert refusal(nimbus.get(f"{PATH}?from=2026-02-28&until=2026-02-01")) == (422, "invalid")
    assert nimbus.get(f"{PATH}?from=2026-02-03&until=2026-02-03").data["totals"][0]["rows"] == 3
    assert refusal(nimbus.get(f"/suppliers/none/reconciliation?{FEBRUARY}")) == (404, "not_found")
