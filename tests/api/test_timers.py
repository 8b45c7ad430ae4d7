"""Timers by the API."""

import pytest

from taktura.accounts.services import create_user
from taktura.desk.models import RunningTime, TimeEntry
from taktura.kit.actor import Actor
from tests.api.helpers import Api, refusal

WHO = "tom@k.example"


@pytest.fixture
def acme(api: Api, actor: Actor) -> Api:
    """A customer with a ticket, and somebody who works."""
    create_user(actor, email=WHO, name="Tom", role="technician", password=None)
    assert api.post("/customers", {"customer": "acme", "name": "Acme"}).status_code == 201
    assert api.post("/tickets", {"customer": "acme", "subject": "Printer"}).status_code == 201
    return api


def test_started_paused_and_stopped(acme: Api) -> None:
    made = acme.post("/timers", {"user": WHO, "ticket": 1001, "note": "Paper"})
    place = f"/timers/{made.data['id']}"
    assert made.status_code == 201 and made.headers["Location"] == f"/api/v1{place}"
    assert (made.data["running"], made.data["customer"], made.data["seconds"]) == (True, "acme", 0)
    assert refusal(acme.post("/timers", {"user": WHO, "customer": "acme"})) == (409, "conflict")
    assert acme.post(f"{place}/pause").data["running"] is False
    RunningTime.objects.update(seconds=601)
    assert acme.get(place).data["seconds"] == 601
    assert acme.post(f"{place}/go_on").data["running"] is True
    assert [t["id"] for t in acme.get(f"/timers?user={WHO}").data["items"]] == [made.data["id"]]
    stopped = acme.post(f"{place}/stop", {"note": "Paper tray", "billable": False})
    assert (stopped.status_code, stopped.data["minutes"], stopped.data["note"]) == (201, 11, "Paper tray")
    assert (stopped.data["user"], stopped.data["billable"], stopped.data["ticket"]) == (WHO, False, 1001)
    assert refusal(acme.post(f"{place}/stop", {})) == (404, "not_found")
    assert acme.get("/timers").data == {"items": [], "next": None}


def test_what_ran_over_midnight_is_asked_about(acme: Api) -> None:
    place = f"/timers/{acme.post('/timers', {'user': WHO, 'customer': 'acme'}).data['id']}"
    RunningTime.objects.update(overnight=True, since=None, seconds=50_000)
    assert acme.get(place).data["overnight"] is True
    answer = acme.post(f"{place}/stop", {})
    assert refusal(answer) == (422, "invalid") and "over midnight" in answer.data["detail"]
    assert acme.post(f"{place}/stop", {"minutes": 90}).data["minutes"] == 90


def test_thrown_away(acme: Api) -> None:
    place = f"/timers/{acme.post('/timers', {'user': WHO, 'customer': 'acme'}).data['id']}"
    assert acme.call("DELETE", place).status_code == 204
    assert not RunningTime.objects.exists() and not TimeEntry.objects.exists()
    for body in ({}, {"user": WHO}, {"user": WHO, "minutes": 5}):
        assert refusal(acme.post("/timers", body)) == (422, "invalid")
    assert refusal(acme.post("/timers", {"user": "nobody@k.example", "customer": "acme"})) == (404, "not_found")
