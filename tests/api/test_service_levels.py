"""Service levels by the API."""

from typing import Any

import pytest

from taktura.desk.models import OpeningHours
from tests.api.helpers import Api, refusal

LEVELS: dict[str, Any] = {
    "hours": [
        {"weekday": "monday", "start": "08:00", "end": "12:00"}, {"weekday": "sunday", "start": "20:00", "end": "24:00"}
    ],
    "holidays": [{"day": "2026-12-25", "name": "Christmas"}],
    "targets": [{"priority": "urgent", "answer": 30, "solve": 240}],
}  # fmt: skip


@pytest.fixture
def acme(api: Api) -> Api:
    """A customer."""
    assert api.post("/customers", {"customer": "acme", "name": "Acme"}).status_code == 201
    return api


def test_levels_are_set_in_parts(acme: Api) -> None:
    made = acme.patch("/service_levels", LEVELS)
    assert made.status_code == 200 and {n: made.data[n] for n in LEVELS} == LEVELS
    assert acme.patch("/service_levels", {"holidays": []}).data["hours"] == LEVELS["hours"]
    found = acme.get("/service_levels").data
    assert found["holidays"] == [] and found["targets"] == LEVELS["targets"]
    rehearsed = acme.patch("/service_levels?preview=true", {"hours": []})
    assert rehearsed.data["hours"] == [] and OpeningHours.objects.count() == 2


def test_a_ticket_says_when_it_is_due(acme: Api) -> None:
    acme.patch("/service_levels", {"targets": [{"priority": "urgent", "answer": 30, "solve": 240}]})
    made = acme.post("/tickets", {"customer": "acme", "subject": "Printer", "priority": "urgent"}).data
    assert made["due_at"] == made["answer_due_at"] and made["solve_due_at"] > made["answer_due_at"]
    said = acme.post("/tickets/1001/messages", {"text": "Switch it off"}).data
    assert (said["due_at"], said["solve_due_at"]) == (None, None) and 14_300 < said["solve_left"] <= 14_400
    assert acme.get("/tickets?overdue=true").data["items"] == []
    day = made["opened_at"][:10]
    kept = acme.get(f"/service_levels/kept?start={day[:4]}-01-01&end={int(day[:4]) + 1}-01-02").data["items"]
    assert [k["priority"] for k in kept] == ["urgent", "high", "normal", "low"]
    assert (kept[0]["tickets"], kept[0]["answered_in_time"], kept[0]["solved_in_time"]) == (1, 1, 0)


@pytest.mark.parametrize(
    "body",
    [
        {"hours": [{"weekday": "moonday", "start": "08:00", "end": "12:00"}]},
        {"hours": [{"weekday": "monday", "start": "8:00", "end": "12:00"}]},
        {"hours": [{"weekday": "monday", "start": "12:00", "end": "08:00"}]},
        {"hours": [{"weekday": "monday", "start": "08:00", "end": "24:30"}]},
        {"hours": [{"weekday": "monday", "start": "08:00", "end": "12:00"}] * 2},
        {"holidays": [{"day": "2026-02-30"}]},
        {"targets": [{"priority": "urgent", "answer": 0}]},
        {"targets": [{"priority": "urgent", "answer": 60_001}]},
        {"zone": "UTC"},
    ],
)
def test_refused(acme: Api, body: dict[str, Any]) -> None:
    assert refusal(acme.patch("/service_levels", body)) == (422, "invalid")
    assert not OpeningHours.objects.exists()
