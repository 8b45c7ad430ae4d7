"""Today is the day where the seller is: at 23:30 UTC it is already tomorrow in Berlin, and still today in New York."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import openpyxl
import pytest
from django.test import Client

from taktura.audit.models import LogEntry
from taktura.audit.services import record
from taktura.billing.models import SalesItem
from taktura.contracts.models import Contract
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.mail.services import post
from taktura.office import page

LATE = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
WORDS = {"en": "today", "de": "heute", "sv": "idag"}
ZONES = [("Europe/Berlin", date(2026, 4, 1)), ("America/New_York", date(2026, 3, 31))]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands at half past eleven in the night, UTC."""
    monkeypatch.setattr(page, "utc_now", lambda: LATE)


def at(seller: Seller, zone: str) -> None:
    Seller.objects.filter(pk=seller.pk).update(time_zone=zone)


@pytest.mark.parametrize(("zone", "today"), ZONES)
def test_lists_and_exports_are_filtered_by_the_seller_s_today(
    seller: Seller, client_as: SignIn, zone: str, today: date
) -> None:
    at(seller, zone)
    Contract.objects.filter(key="V-acme").update(next_due=date(2026, 4, 1))
    Contract.objects.exclude(key="V-acme").update(next_due=date(2026, 4, 2))
    for language, word in WORDS.items():
        client = client_as(language=language)
        for query in (f"?due={word}", "?due=%2B0d", f"?due={word}&export=csv"):
            found = client.get(f"/contracts/{query}").content.decode()
            assert ("V-acme" in found) is (today == date(2026, 4, 1)), (language, query)
            assert "V-oztuerk" not in found
    assert f"?on={today}" in client_as().get("/billing/start/?on=today").content.decode()


@pytest.mark.parametrize(("zone", "today"), ZONES)
def test_the_log_s_days_are_the_seller_s(seller: Seller, client_as: SignIn, zone: str, today: date) -> None:
    at(seller, zone)
    record(Actor("night", LATE), "sell", f"seller:{seller.pk}", {})
    record(Actor("noon", LATE.replace(hour=12)), "sell", f"seller:{seller.pk}", {})
    text = client_as().get("/settings/log/?first=today&last=today").content.decode()
    assert "night" in text and ("noon" in text) is (today == date(2026, 3, 31))


@pytest.mark.parametrize(("zone", "today"), ZONES)
def test_what_is_made_late_has_the_seller_s_day(seller: Seller, client_as: SignIn, zone: str, today: date) -> None:
    at(seller, zone)
    pk = Customer.objects.get(key="acme").pk
    data = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-title": "Router", "lines-0-price": "5"}
    assert client_as().post(f"/sales/new/{pk}/", data).status_code == 302
    assert SalesItem.objects.get().sold_on == today


def test_instants_in_exports_are_those_of_the_page(seller: Seller, client_as: SignIn) -> None:
    post(LATE, to="a@c.example", subject="Late", text="T", sender=f"seller:{seller.pk}")
    client = client_as()
    assert "1 Apr 2026 01:30" in client.get("/settings/outbox/").content.decode()
    assert "2026-04-01 01:30:00+02:00" in client.get("/settings/outbox/?export=csv").content.decode()
    book = openpyxl.load_workbook(io.BytesIO(client.get("/settings/outbox/?export=xlsx").content))
    cells = [c for row in book.worksheets[0].iter_rows() for c in row if isinstance(c.value, datetime)]
    assert "2026-04-01T01:30:00" in [c.value.isoformat() for c in cells]
    assert {c.number_format for c in cells} == {"yyyy-mm-dd hh:mm"}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize("name", ["first", "last"])
def test_the_log_knows_days_at_the_ends_of_time(seller: Seller, client_as: SignIn, name: str, day: str) -> None:
    text = client_as().get(f"/settings/log/?{name}={day}&export=csv").content.decode()
    whole = (name, day) in {("first", "0001-01-01"), ("last", "9999-12-31")}
    assert len(text.splitlines()) == (1 + LogEntry.objects.count() if whole else 1)


@pytest.mark.parametrize("path", ["users", "keys", "jobs", "log", "outbox", "mail", "texts", ""])
def test_settings_open_before_there_is_a_company(database: str, client_as: SignIn, path: str) -> None:
    response = client_as().get(f"/settings/{path}/?first=today".replace("//", "/"))
    assert response.status_code in (200, 302)
