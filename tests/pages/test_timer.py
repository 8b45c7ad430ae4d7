"""The timer in the office: in the head of each page, paused there, and logged after a look."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client

from taktura.customers.models import Customer, Seller
from taktura.desk import services as desk
from taktura.desk.models import RunningTime, TimeEntry
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def day_in(form: Any) -> str:
    """The day of work that a form offers."""
    found = re.search(r'name="worked_on" value="([^"]*)"', text_of(form))
    assert found
    return found[1]


def test_from_the_ticket_to_the_time(actor: Actor, seller: Seller, client_as: Callable[..., Client]) -> None:
    acme = Customer.objects.select_related("seller").get(key="acme", seller=seller)
    ticket = desk.open_ticket(actor, customer=acme, subject="Printer")
    client = client_as("technician")
    place = f"/desk/tickets/{ticket.pk}/"
    assert "Start the timer" in text_of(client.get(place)) and "data-clock" not in text_of(client.get(place))
    assert client.post("/time/timer/start/", {"ticket": ticket.number, "next": place}).headers["Location"] == place
    page = text_of(client.get("/customers/"))
    assert 'data-clock="' in page and "Pause the timer" in page
    assert "Start the timer" not in text_of(client.get(place)), "one at a time"
    again = client.post("/time/timer/start/", {"ticket": ticket.number}, follow=True)
    assert "has a timer already, for Acme GmbH" in text_of(again)
    assert client.post("/time/timer/pause/", {"next": "/customers/"}).headers["Location"] == "/customers/"
    RunningTime.objects.update(seconds=5399)
    page = text_of(client.get("/customers/"))
    assert "1:29:59" in page and "data-clock" not in page and "Let the timer run again" in page
    client.post("/time/timer/pause/", {"on": "1"})
    assert RunningTime.objects.get().runs
    client.post("/time/timer/pause/", {"next": "https://evil.example/"})
    form = client.get("/time/timer/")
    assert re.search(r'name="minutes" value="1:(30|31)"', text_of(form)), "each minute begun"
    typed = {"minutes": "1:15", "worked_on": day_in(form), "note": "Paper", "billable": ""}
    assert client.post("/time/timer/", typed).headers["Location"] == place
    made = TimeEntry.objects.get()
    user = client.user  # type: ignore[attr-defined]
    assert (made.minutes, made.ticket, made.user, made.note) == (75, ticket, user, "Paper")
    assert not RunningTime.objects.exists() and "Start the timer" in text_of(client.get("/time/timer/"))


def test_a_forgotten_one_is_asked_about(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("technician")
    assert client.post("/time/timer/", {"customer": "nobody"}).status_code == 422
    assert client.post("/time/timer/", {"customer": "acme", "note": "Router"}).status_code == 302
    before = utc_now() - timedelta(days=1)
    RunningTime.objects.update(started_at=before, since=before)
    form = client.get("/time/timer/")
    assert "The timer ran over midnight" in text_of(form)
    day = day_in(form)
    unsaid = client.post("/time/timer/", {"minutes": "", "worked_on": day, "billable": ""})
    assert unsaid.status_code == 422 and not TimeEntry.objects.exists()
    client.post("/time/timer/", {"minutes": "40", "worked_on": day, "billable": ""})
    assert TimeEntry.objects.get().minutes == 40


def test_thrown_away_and_gone(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("lead")
    client.post("/time/timer/", {"customer": "acme"})
    client.post("/time/timer/drop/")
    assert not RunningTime.objects.exists() and not TimeEntry.objects.exists()
    assert "stopped already" in text_of(client.post("/time/timer/pause/", follow=True))
    assert client_as("viewer").get("/time/timer/").status_code == 403
