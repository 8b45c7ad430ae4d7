"""Included hours by the API."""

from typing import Any

import pytest

from taktura.desk.models import Allowance
from tests.api.helpers import Api, refusal

MONTHLY: dict[str, Any] = {"title": "Support", "kind": "monthly", "minutes": 120, "start": "2026-01-01"}


@pytest.fixture
def acme(api: Api) -> Api:
    """A customer who can be billed."""
    made = {"customer": "acme", "name": "Acme", "hourly_rate": "90"}
    assert api.post("/customers", made).status_code == 201
    info = {"name": "Acme", "street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    assert api.patch("/customers/acme/billing_information", info).status_code == 200
    return api


def test_from_the_agreement_to_its_end(acme: Api) -> None:
    activity = acme.post("/activities", {"name": "On site"}).data["id"]
    made = acme.post("/customers/acme/included_hours", {**MONTHLY, "kept": True, "activities": [activity]})
    place = f"/included_hours/{made.data['id']}"
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1{place}"
    today = acme.get(place).data
    assert (today["left"], today["activities"], today["end"]) == (3 * 120, [activity], None)
    for minutes, which in ((30, activity), (45, None)):
        body = {"customer": "acme", "minutes": minutes, "worked_on": "2026-02-10", "activity": which}
        pk = acme.post("/time", body).data["id"]
        preview = acme.post("/time/approve?preview=true", {"time": [pk]}).data["preview"][0]["rests"]
        assert [(r["first"], r["left"]) for r in preview] == [("2026-02-01", 210), ("2026-03-01", 330)]
        acme.post("/time/approve", {"time": [pk]})
    told = acme.get(f"{place}/statement").data
    assert [(m["carried"], m["drawn"], m["waiting"], m["left"]) for m in told["months"]] == [
        (0, 0, 0, 120), (120, 30, 30, 210), (210, 0, 0, 330)
    ]  # fmt: skip
    assert [(d["worked_on"], d["minutes"], d["document"]) for d in told["draws"]] == [("2026-02-10", 30, None)]
    assert refusal(acme.call("DELETE", place)) == (422, "invalid")
    assert refusal(acme.post(f"{place}/change", {"start": "2026-03-15", "minutes": 60})) == (422, "invalid")
    assert refusal(acme.patch(place, {"end": "2026-02-10"})) == (422, "invalid")
    later = acme.post(f"{place}/change", {"start": "2026-04-01", "minutes": 60}).data
    assert (later["title"], later["kept"], later["activities"], later["left"]) == ("Support", True, [activity], None)
    assert acme.get(place).data["end"] == "2026-04-01"
    assert [h["id"] for h in acme.get("/customers/acme/included_hours").data["items"]] == [later["id"], made.data["id"]]
    ended = acme.patch(f"/included_hours/{later['id']}", {"end": "2026-07-01"})
    assert ended.data["end"] == "2026-07-01"
    assert acme.call("DELETE", f"/included_hours/{later['id']}").status_code == 204
    assert Allowance.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"minutes": 0}, (422, "invalid")), ({"minutes": "60"}, (422, "invalid")), ({"title": ""}, (422, "invalid")),
        ({"kind": "weekly"}, (422, "invalid")), ({"kind": "block", "kept": True}, (422, "invalid")),
        ({"end": "2026-01-01"}, (422, "invalid")), ({"activities": [99]}, (404, "not_found")),
        ({"hours": 2}, (422, "invalid")),
    ],
)  # fmt: skip
def test_refused(acme: Api, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(acme.post("/customers/acme/included_hours", {**MONTHLY, **body})) == expected
    assert not Allowance.objects.exists()
    assert refusal(acme.get("/included_hours/1")) == (404, "not_found")
    assert refusal(acme.get("/customers/other/included_hours")) == (404, "not_found")
