"""Pages of worked time: logged, corrected, and approved after a look at what it costs."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from taktura.billing.services import bill
from taktura.customers.models import Customer, Seller
from taktura.customers.services import change_customer, set_billing_information
from taktura.desk import services as desk
from taktura.desk.models import Activity, DeskSettings, TimeEntry
from taktura.kit.actor import Actor
from tests.pages.conftest import ADDRESS


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def seen_in(answer: Any) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', text_of(answer))
    assert found
    return found[1]


def possible(answer: Any) -> bool:
    """Whether the button of approval can be pressed."""
    return "disabled>" not in text_of(answer)


def log(actor: Actor, seller: Seller, key: str = "acme", minutes: int = 21) -> int:
    customer = Customer.objects.select_related("seller").get(key=key, seller=seller)
    return desk.log_time(actor, customer=customer, minutes=minutes, note="Router", worked_on=date(2026, 2, 28)).pk


def rate(actor: Actor, seller: Seller, key: str) -> None:
    change_customer(actor, customer=Customer.objects.get(key=key, seller=seller), hourly_rate=Decimal(90))


def test_a_technician_logs_corrects_and_removes_and_sees_no_money(
    seller: Seller, client_as: Callable[..., Client]
) -> None:
    client = client_as("technician")
    typed = {"customer": "acme", "minutes": "1:30", "worked_on": "2026-02-28", "note": "Router"}
    user = client.user.pk  # type: ignore[attr-defined]
    assert client.post("/time/new/", {**typed, "user": user}).status_code == 302
    entry = TimeEntry.objects.get()
    assert (entry.minutes, entry.billable, entry.user is not None) == (90, True, True)
    page = client.get(f"/time/{entry.pk}/")
    assert 'value="1:30"' in text_of(page)
    client.post(f"/time/{entry.pk}/", {**typed, "minutes": "45", "billable": "no", "user": user})
    entry.refresh_from_db()
    assert (entry.minutes, entry.billable) == (45, False)
    assert client.get("/time/approval/").status_code == 403
    assert "€" not in client.get("/time/").content.decode()
    client.post(f"/time/{entry.pk}/remove/")
    assert not TimeEntry.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"minutes": "long", "customer": "acme"}, "“long” is no time"),
        ({"minutes": "10"}, "Say for which ticket or which customer"),
        ({"minutes": "10", "customer": "nobody"}, "Choose one of the customers suggested, or type the number."),
        ({"minutes": "10", "ticket": "77"}, "There is no ticket 77"),
        ({"minutes": "0", "customer": "acme"}, "Worked time is 1 to 1440 whole minutes"),
    ],
)
def test_what_cannot_be_logged_is_said(
    seller: Seller, client_as: Callable[..., Client], typed: dict[str, str], said: str
) -> None:
    answer = client_as("technician").post("/time/new/", {"worked_on": "2026-02-28", **typed})
    assert answer.status_code == 422
    assert said in text_of(answer)


def test_a_customer_is_found_by_name_as_everywhere(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("technician")
    assert 'list="customers"' in text_of(client.get("/time/new/")) and "Acme" in text_of(
        client.get("/desk/tickets/customers/?customer=acm")
    )
    for typed in ("Acme GmbH", "Acme GmbH (acme)"):
        sent = {"customer": typed, "minutes": "10", "worked_on": "2026-02-28"}
        assert client.post("/time/new/", sent).status_code == 302
    assert TimeEntry.objects.filter(customer__key="acme").count() == 2


def test_the_list_sums_what_the_filter_finds(actor: Actor, seller: Seller, client_as: Callable[..., Client]) -> None:
    for key, minutes in (("acme", 21), ("acme", 70), ("bare", 500)):
        log(actor, seller, key, minutes)
    client = client_as("viewer")
    assert "<div>1:31</div>" in text_of(client.get("/time/?customer=acme"))
    assert "<div>8:20</div>" in text_of(client.get("/time/?q=ohne"))
    assert "<tfoot>" not in text_of(client.get("/time/?until=2026-02-27"))


def test_the_gate_leads_to_the_form_and_the_step_goes_on(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    client, ids = client_as("billing"), [log(actor, seller, "bare"), log(actor, seller)]
    answer = client.post("/time/approval/", {"chosen": ids}, follow=True)
    text = text_of(answer)
    assert "Ohne Angaben KG lacks billing information" in text and "Acme GmbH has no hourly rate" in text
    assert not possible(answer)
    blocked = client.post("/time/approval/preview/", {"chosen": ids})
    assert blocked.status_code == 422
    assert not TimeEntry.objects.filter(status="approved").exists()
    bare, acme = (Customer.objects.get(key=key) for key in ("bare", "acme"))
    back = "?next=%2Ftime%2Fapproval%2Fpreview%2F"
    assert f"/customers/{bare.pk}/billing/{back}" in text
    rated = f"/customers/{acme.pk}/change/{back}"
    assert rated in text
    typed = {"name": "Acme GmbH", "kind": "business", "language": "de", "documents_per": "contract"}
    went = client.post(rated, {**typed, "round_up_minutes": "10", "hourly_rate": "90"})
    assert went.headers["Location"] == "/time/approval/preview/"
    rate(actor, seller, "bare")
    set_billing_information(actor, customer=bare, name="Ohne", **ADDRESS)
    page = client.get("/time/approval/preview/")  # what was chosen is still chosen
    assert possible(page)
    assert "€45.00" in text_of(page)  # 21 minutes are 30
    done = client.post("/time/approval/preview/", {"chosen": ids, "seen": seen_in(page)})
    assert done.status_code == 302
    assert TimeEntry.objects.filter(status="approved").count() == 2


def test_what_has_changed_since_the_look_is_shown_again(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    rate(actor, seller, "acme")
    client, ids = client_as("billing"), [log(actor, seller)]
    page = client.post("/time/approval/", {"chosen": ids}, follow=True)
    change_customer(actor, customer=Customer.objects.get(key="acme"), hourly_rate=Decimal(120))
    again = client.post("/time/approval/preview/", {"chosen": ids, "seen": seen_in(page)})
    assert again.status_code == 422 and "€60.00" in text_of(again)


def test_a_selection_of_the_list_is_approved_and_opened_again(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    rate(actor, seller, "acme")
    client, ids = client_as("lead"), [log(actor, seller), log(actor, seller)]
    page = client.post("/time/", {"action": "approve", "all": "1"}, follow=True)
    client.post("/time/approval/preview/", {"chosen": ids, "seen": seen_in(page)})
    assert TimeEntry.objects.filter(status="approved").count() == 2
    assert "0:42 of approved time are billed with them." in text_of(client.get("/billing/"))
    client.post("/time/?status=approved", {"action": "open", "chosen": ids[:1]})
    assert list(TimeEntry.objects.filter(status="submitted").values_list("pk", flat=True)) == ids[:1]


def test_one_piece_is_opened_again_from_its_page(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    rate(actor, seller, "acme")
    pk = log(actor, seller)
    desk.approve_time(actor, entries=[pk])
    assert "Open again" not in text_of(client_as("technician").get(f"/time/{pk}/"))
    assert client_as("technician").post(f"/time/{pk}/open/").status_code == 403
    client = client_as("lead")
    assert "Open again" in text_of(client.get(f"/time/{pk}/"))
    assert "it can be corrected" in text_of(client.post(f"/time/{pk}/open/", follow=True))
    assert TimeEntry.objects.get(pk=pk).status == "submitted"
    assert "is not approved" in text_of(client.post(f"/time/{pk}/open/", follow=True))


def test_billed_time_leads_to_its_document(actor: Actor, seller: Seller, client_as: Callable[..., Client]) -> None:
    rate(actor, seller, "acme")
    pk = log(actor, seller)
    desk.approve_time(actor, entries=[pk])
    bill(actor, seller=seller, on=date(2026, 3, 1), processes=1)
    document = TimeEntry.objects.get(pk=pk).billed.charge.document
    page = text_of(client_as("billing").get(f"/time/{pk}/"))
    assert f'<a href="/documents/{document.pk}/">{document.number}</a>' in page and "Open again" not in page
    technician = text_of(client_as("technician").get(f"/time/{pk}/"))
    assert document.number in technician and "/documents/" not in technician


def test_what_cannot_be_approved_is_left_out_by_one_press(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    client = client_as("lead")  # who may approve, and may not complete billing information
    good, bare, own = log(actor, seller), log(actor, seller, "bare"), log(actor, seller, minutes=9)
    list_page = text_of(client.get("/time/approval/"))
    assert list_page.count("No hourly rate") == 2 and "Enter the hourly rate" not in list_page
    rate(actor, seller, "acme")
    TimeEntry.objects.filter(pk=own).update(user=client.user.pk)  # type: ignore[attr-defined]
    page = client.post("/time/approval/", {"chosen": [good, bare, own]}, follow=True)
    assert not possible(page) and "Go on with the other piece of time" in text_of(page)
    page = client.post("/time/approval/preview/", {"chosen": [good, bare, own], "without": "1"}, follow=True)
    assert possible(page) and "Go on with" not in text_of(page) and "€45.00" in text_of(page)
    client.post("/time/approval/preview/", {"chosen": [good], "seen": seen_in(page)})
    assert list(TimeEntry.objects.filter(status="approved").values_list("pk", flat=True)) == [good]
    page = client.post("/time/approval/", {"chosen": [bare]}, follow=True)
    assert not possible(page) and "Go on with" not in text_of(page)


def test_ones_own_time_is_refused_unless_the_settings_allow_it(
    actor: Actor, seller: Seller, client_as: Callable[..., Client]
) -> None:
    rate(actor, seller, "acme")
    client = client_as("admin")
    user = client.user.pk  # type: ignore[attr-defined]
    client.post("/time/new/", {"customer": "acme", "minutes": "21", "worked_on": "2026-02-28", "user": user})
    page = client.post("/time/approval/", {"chosen": [TimeEntry.objects.get().pk]}, follow=True)
    assert "Time of your own is among it" in text_of(page) and not possible(page)
    client.post("/time/settings/own/", {"on": "1"})
    assert DeskSettings.objects.get().own_approval
    assert possible(client.get("/time/approval/preview/"))


def test_activities_are_kept_in_the_settings(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("admin")
    client.post("/time/settings/new/", {"name": "Vor Ort", "billable": "on"})
    made = Activity.objects.get()
    assert client.post("/time/settings/new/", {"name": "Vor Ort"}).status_code == 422
    client.post(f"/time/settings/{made.pk}/", {"name": "Anfahrt", "active": "on"})
    made.refresh_from_db()
    assert (made.name, made.billable, made.active) == ("Anfahrt", False, True)
