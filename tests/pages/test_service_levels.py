"""Service levels in the office: set in three languages, shown with tickets, by which tickets are sorted and found."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.customers.models import Customer, Seller
from taktura.desk import services
from taktura.desk.models import Holiday, OpeningHours, ServiceTarget, Ticket
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from tests.pages.conftest import LANGUAGES

CHANGE = "/settings/service-levels/change/"
HOLIDAYS = {
    "en": "24 Dec 2026 Christmas Eve\n\n2027-01-01",
    "de": "24.12.2026 Heiligabend\n1.1.2027",
    "sv": "2026-12-24 Julafton\n2027-01-01",
}
TYPED = {
    "day_0": "8–12, 13:00-17.30",
    "day_4": "8:00–24",
    "answer_urgent": "0:30",
    "solve_urgent": "240",
    "solve_low": "80:00",
}  # noqa: RUF001


@pytest.mark.parametrize("language", LANGUAGES)
def test_levels_are_typed_shown_and_kept(seller: Seller, client_as: Callable[..., Client], language: str) -> None:
    client = client_as(language=language)
    assert client.post(CHANGE, TYPED | {"holidays": HOLIDAYS[language]}).status_code == 302
    assert list(OpeningHours.objects.values_list("weekday", "start", "end")) == [
        (0, 480, 720), (0, 780, 1050), (4, 480, 1440)
    ]  # fmt: skip
    assert [(h.day, bool(h.name)) for h in Holiday.objects.all()] == [
        (date(2026, 12, 24), True), (date(2027, 1, 1), False)
    ]  # fmt: skip
    found = {t.priority: (t.answer, t.solve) for t in ServiceTarget.objects.all()}
    assert found == {"urgent": (30, 240), "low": (None, 4800)}
    page = client.get("/settings/service-levels/").content.decode()
    assert "8:00–12:00, 13:00–17:30" in page and "0:30" in page and "80:00" in page  # noqa: RUF001
    form = client.get(CHANGE).content.decode()
    fields = dict(re.findall(r'name="((?:day|answer|solve)_\w+)" value="([^"]*)"', form))
    text = re.search(r"<textarea[^>]*>\s*([^<]*)</textarea>", form)
    assert text is not None
    client.post(CHANGE, fields | {"holidays": text[1]})
    assert OpeningHours.objects.count() == 3 and Holiday.objects.count() == 2, "what is shown is what is typed"
    assert {t.priority: (t.answer, t.solve) for t in ServiceTarget.objects.all()} == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("day_1", "8-25"), ("day_1", "17-8"), ("day_1", "8"), ("day_1", "8-12-17"), ("day_1", "8-12, 11-13"),
        ("day_1", "8:60-9"), ("answer_high", "soon"), ("answer_high", "0"), ("solve_high", "60001"),
        ("holidays", "Christmas"), ("holidays", "24 Dec"), ("holidays", "31 Feb 2027 x"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_it(
    seller: Seller, client_as: Callable[..., Client], name: str, text: str
) -> None:
    answer = client_as().post(CHANGE, {"day_0": "9-17", name: text})
    assert answer.status_code == 422 and text.replace("\n", "") in answer.content.decode()
    assert not OpeningHours.objects.exists()


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/settings/service-levels/") == {"sales", "lead", "technician", "viewer"}
    assert forbidden_to(CHANGE) == {"billing", "sales", "lead", "technician", "viewer"}


def a_ticket(actor: Actor, subject: str, priority: str = "high", **fields: Any) -> Ticket:
    return services.open_ticket(
        actor, customer=Customer.objects.get(key="acme"), subject=subject, priority=priority, **fields
    )


@pytest.fixture
def promised(seller: Seller, actor: Actor) -> Seller:
    """Around the clock; what is high is answered within an hour, and solved within a day."""
    services.set_service_levels(actor, seller=seller, targets={"high": (60, 24 * 60)})
    return seller


def test_what_is_over_due_is_found_and_comes_first(promised: Seller, client_as: Callable[..., Client]) -> None:
    now, client = Actor("test", utc_now()), client_as("technician")
    a_ticket(now, "No hurry", "low")
    a_ticket(now.at(now.now - timedelta(minutes=30)), "Router")
    a_ticket(now.at(now.now - timedelta(minutes=150, seconds=5)), "Printer")
    asked = a_ticket(now.at(now.now - timedelta(hours=3)), "Phone")
    services.answer_ticket(now.at(now.now - timedelta(hours=3)), ticket=asked, text="Which one?")
    text = client.get("/desk/?sort=due").content.decode()
    assert re.findall("Printer|Router|Phone|No hurry", text)[:2] == ["Printer", "Router"]
    assert "Answer 1:30 h over" in text and re.search("Answer in 0:(29|30) h", text)
    assert set(re.findall("Printer|Router|Phone", client.get("/desk/?due=over").content.decode())) == {"Printer"}
    assert set(re.findall("Printer|Router|Phone", client.get("/desk/?due=day").content.decode())) == {"Router"}
    page = client.get(f"/desk/tickets/{asked.pk}/").content.decode()
    assert "First answer due" in page and "in time" in page and "stands still, 24:00 h left" in page


def test_the_clock_costs_a_list_no_more_for_many(promised: Seller, client_as: Callable[..., Client]) -> None:
    now, client = Actor("test", utc_now()), client_as("technician")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/desk/").status_code == 200
        return len(queries)

    client.get("/desk/")
    a_ticket(now, "One")
    one = cost()
    for number in range(20):
        a_ticket(now, f"Ticket {number}")
    assert cost() == one
