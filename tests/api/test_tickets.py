"""Tickets by the API."""

from typing import Any

import pytest

from taktura.desk.models import Ticket
from tests.api.helpers import Api, refusal


@pytest.fixture
def acme(api: Api) -> Api:
    """A customer."""
    assert api.post("/customers", {"customer": "acme", "name": "Acme"}).status_code == 201
    return api


def test_a_ticket_from_beginning_to_end(acme: Api) -> None:
    queue = acme.post("/queues", {"name": "First line"}).data
    made = acme.post("/tickets", {"customer": "acme", "subject": "Printer", "text": "Smokes", "queue": queue["id"]})
    assert made.status_code == 201 and made.headers["Location"] == "/api/v1/tickets/1001"
    assert (made.data["status"], made.data["priority"], made.data["channel"]) == ("open", "normal", "api")
    assert [(m["kind"], m["text"]) for m in made.data["messages"]] == [("customer", "Smokes")]
    said = acme.post("/tickets/1001/messages", {"text": "Switch it off"})
    assert said.status_code == 201 and said.data["status"] == "waiting"
    assert acme.get("/tickets?status=waiting").data["items"][0]["ticket"] == 1001
    changed = acme.patch("/tickets/1001", {"status": "solved", "queue": None})
    assert (changed.data["status"], changed.data["queue"]) == ("solved", None)
    again = acme.post("/tickets/1001/messages", {"text": "Smokes again", "kind": "customer"})
    assert again.data["status"] == "open" and again.data["solved_at"] is None
    assert acme.get("/tickets/1001").data == again.data


def test_filters(acme: Api) -> None:
    for subject, priority in (("Printer", "low"), ("Router", "urgent")):
        acme.post("/tickets", {"customer": "acme", "subject": subject, "priority": priority})

    def subjects(query: str) -> list[str]:
        return [t["subject"] for t in acme.get(f"/tickets?{query}").data["items"]]

    assert subjects("") == ["Printer", "Router"] and subjects("priority=urgent") == ["Router"]
    assert subjects("search_for=PRINT") == ["Printer"] and subjects("unassigned=true") == ["Printer", "Router"]
    assert subjects("assignee=nobody@x.example") == [] and subjects("customer=other") == []
    first = acme.get("/tickets?limit=1").data
    assert subjects(f"limit=1&after={first['next']}") == ["Router"]


def test_only_if_nobody_was_quicker(acme: Api) -> None:
    made = acme.post("/tickets", {"customer": "acme", "subject": "Printer"})
    assert acme.patch("/tickets/1001", {"priority": "high"}).status_code == 200
    late = acme.call("PATCH", "/tickets/1001", {"priority": "low"}, If_Match=made.headers["ETag"])
    assert refusal(late) == (412, "precondition_failed") and Ticket.objects.get().priority == "high"


def test_once_per_key(acme: Api) -> None:
    for _ in range(2):
        acme.post("/tickets", {"customer": "acme", "subject": "Printer"}, Idempotency_Key="one")
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"customer": "other"}, (404, "not_found")),
        ({"subject": ""}, (422, "invalid")),
        ({"subject": None}, (422, "invalid")),
        ({"priority": "yesterday"}, (422, "invalid")),
        ({"queue": 99}, (404, "not_found")),
        ({"assignee": "nobody@x.example"}, (404, "not_found")),
        ({"line": {"contract": "C-1", "article": "a"}}, (404, "not_found")),
    ],
)
def test_refused(acme: Api, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(acme.post("/tickets", {"customer": "acme", "subject": "Printer", **body})) == expected
    assert not Ticket.objects.exists()


def test_the_requester_changes(acme: Api) -> None:
    acme.post("/tickets", {"customer": "acme", "subject": "Printer", "requester_name": "Ada"})
    new = {"requester_name": "Bo Lind", "requester_email": "bo@acme.example"}
    changed = acme.patch("/tickets/1001", new).data
    assert {name: changed[name] for name in new} == new
    assert refusal(acme.patch("/tickets/1001", {"requester_email": "bo"})) == (422, "invalid")
    assert refusal(acme.patch("/tickets/1001", {"requester_email": "b" * 190 + "@acme.example"})) == (422, "invalid")
    assert acme.patch("/tickets/1001", {"requester_email": ""}).data["requester_email"] == ""


def test_nothing_is_put_in_a_queue_out_of_use(acme: Api) -> None:
    old, other = (acme.post("/queues", {"name": name}).data["id"] for name in ("Old", "Other"))
    acme.post("/tickets", {"customer": "acme", "subject": "Printer", "queue": old})
    acme.patch(f"/queues/{old}", {"active": False})
    assert refusal(acme.post("/tickets", {"customer": "acme", "subject": "Router", "queue": old})) == (422, "invalid")
    assert acme.patch("/tickets/1001", {"queue": old, "priority": "high"}).data["queue"] == old, "it stays in it"
    assert acme.patch("/tickets/1001", {"queue": other}).data["queue"] == other
    assert refusal(acme.patch("/tickets/1001", {"queue": old})) == (422, "invalid")


def test_many_are_moved_at_once(acme: Api) -> None:
    queue = acme.post("/queues", {"name": "On site"}).data["id"]
    for subject in ("Printer", "Router", "Phone"):
        acme.post("/tickets", {"customer": "acme", "subject": subject})
    acme.patch("/tickets/1002", {"queue": queue})
    wanted = {"tickets": [1001, 1002], "queue": queue}
    assert acme.post("/tickets/move?preview=true", wanted).data["tickets"] == [1001]
    assert acme.get("/tickets/1001").data["queue"] is None, "a preview"
    assert acme.post("/tickets/move", wanted).data == {"tickets": [1001]}
    assert [t["queue"] for t in acme.get("/tickets").data["items"]] == [queue, queue, None]
    assert refusal(acme.post("/tickets/move", {"tickets": [1003, 1099], "queue": queue})) == (404, "not_found")
    assert refusal(acme.post("/tickets/move", {"tickets": [1003], "queue": 99})) == (404, "not_found")
    acme.post("/tickets/1001/merge", {"into": 1002})
    assert refusal(acme.post("/tickets/move", {"tickets": [1003, 1001], "queue": None})) == (422, "invalid")
    assert acme.get("/tickets/1003").data["queue"] is None, "all or nothing"
    assert acme.post("/tickets/move", {"tickets": [1002], "queue": None}).data == {"tickets": [1002]}


def test_a_mailbox_has_a_queue(acme: Api) -> None:
    queue = acme.post("/queues", {"name": "First line"}).data["id"]
    body = {"purpose": "tickets", "host": "imap.firm.example", "user": "help", "password": "x", "queue": queue}
    made = acme.post("/mailboxes", body).data
    place = f"/mailboxes/{made['id']}"
    assert made["queue"] == queue and made["supplier"] is None
    assert acme.patch(place, {"port": 143}).data["queue"] == queue
    assert acme.patch(place, {"queue": None}).data["queue"] is None
    assert refusal(acme.patch(place, {"queue": 99})) == (404, "not_found")


def test_queues(acme: Api) -> None:
    pk = acme.post("/queues", {"name": "First line"}).data["id"]
    assert refusal(acme.post("/queues", {"name": "First line"})) == (409, "conflict")
    assert acme.patch(f"/queues/{pk}", {"active": False}).data == {"id": pk, "name": "First line", "active": False}
    assert acme.get("/queues").data == {"items": [{"id": pk, "name": "First line", "active": False}]}


def test_time_of_nobody(acme: Api) -> None:
    assert refusal(acme.get("/time?user=")) == (404, "not_found")
    assert refusal(acme.get("/time?user=nobody@x.example")) == (404, "not_found")
