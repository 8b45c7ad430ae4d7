"""Worked time: what approval asks for, what it costs, what it keeps, and that it opens again until it is billed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.accounts.services import create_user
from taktura.billing.services import bill, preview_approval
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.desk import services as desk
from taktura.desk.models import Ticket, TimeEntry
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor

NOW = datetime(2026, 3, 10, 11, tzinfo=UTC)
ACTOR = Actor("test", NOW)
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


def shop(**settings: Any) -> Seller:
    fields = {"name": "Klartext", "currency": "EUR", "time_zone": "Europe/Berlin", "vat": [[None, "19"]], **ADDRESS}
    made = customers.create_seller(ACTOR, **{**fields, **settings})
    for kind in ("invoice", "credit_note"):
        confirm_numbering(ACTOR, seller=made, kind=kind, format=f"{kind[:1].upper()}{{number}}", next=1)
    return made


def customer(seller: Seller, key: str = "acme", *, billed: bool = True, **fields: Any) -> Customer:
    made = customers.create_customer(
        ACTOR, seller=seller, key=key, name=key, language="en", **{"hourly_rate": Decimal(90), **fields}
    )
    if billed:
        customers.set_billing_information(ACTOR, customer=made, name=key, **ADDRESS)
    return Customer.objects.select_related("seller", "billing_information").get(pk=made.pk)


def ticket(of: Customer, subject: str = "Printer") -> Ticket:
    return desk.open_ticket(ACTOR, customer=of, subject=subject)


def log(of: Ticket | Customer, minutes: int, **more: Any) -> int:
    place = {"ticket": of} if isinstance(of, Ticket) else {"customer": of}
    return desk.log_time(ACTOR, minutes=minutes, worked_on=date(2026, 3, 9), **{**place, **more}).pk


def refused(code: str, call: Any, **values: Any) -> Refused:
    with pytest.raises(Refused) as found:
        call(ACTOR, **values)
    assert found.value.code == code
    return found.value


@pytest.mark.usefixtures("database")
def test_approval_waits_for_billing_information_and_for_a_rate_and_is_all_or_none() -> None:
    seller = shop()
    bare, unrated, good = (
        customer(seller, "bare", billed=False),
        customer(seller, "new", hourly_rate=None),
        customer(seller),
    )
    of_bare, of_new, of_good = log(bare, 7), log(unrated, 7), log(good, 7)
    assert "bare" in str(refused("billing_information_missing", desk.approve_time, entries=[of_good, of_bare]).values)
    assert "new" in str(refused("invalid", desk.approve_time, entries=[of_good, of_new]).values)
    assert not TimeEntry.objects.exclude(status="submitted").exists()
    foreseen = preview_approval(ACTOR, seller=seller.pk, entries=[of_bare, of_new, of_good])
    assert {c.customer.key: c.lacks for c in foreseen.customers} == {
        "acme": "", "bare": "billing_information", "new": "hourly_rate"
    }  # fmt: skip
    assert not foreseen.possible
    free = log(unrated, 30, billable=False)  # costs nothing: no rate is asked for
    desk.approve_time(ACTOR, entries=[free, of_good])
    customers.set_billing_information(ACTOR, customer=bare, name="bare", **ADDRESS)
    desk.approve_time(ACTOR, entries=[of_bare])


@pytest.mark.usefixtures("database")
def test_nobody_approves_ones_own_time_unless_the_settings_allow_it() -> None:
    seller = shop()
    lead = create_user(ACTOR, email="lead@k.example", name="Lea", role="lead", password=None)
    me = Actor("user:lead@k.example", NOW)
    own = log(customer(seller), 20, user=lead)
    with pytest.raises(Refused, match="Somebody else"):
        desk.approve_time(me, entries=[own])
    assert [e.pk for e in preview_approval(me, seller=seller.pk, entries=[own]).own] == [own]
    desk.set_own_approval(ACTOR, seller=seller, allowed=True)
    assert preview_approval(me, seller=seller.pk, entries=[own]).possible
    assert [e.status for e in desk.approve_time(me, entries=[own])] == ["approved"]


@pytest.mark.usefixtures("database")
def test_time_of_another_seller_is_not_there() -> None:
    first, second = shop(), shop(name="Other")
    theirs = log(customer(second), 10)
    refused("not_found", desk.approve_time, entries=[theirs], seller=first.pk)
    assert preview_approval(ACTOR, seller=first.pk, entries=[theirs]).customers == []


@pytest.mark.usefixtures("database")
def test_the_preview_costs_what_the_invoice_costs() -> None:
    """Rounding of the ticket's sum, included hours, what was approved before: the difference is what is billed more."""
    seller = shop()
    acme = customer(seller, round_up_minutes=15)
    one, two = ticket(acme), ticket(acme, "Router")
    desk.include_hours(ACTOR, customer=acme, title="Hours", kind="monthly", minutes=30, start=date(2026, 3, 1))
    before = log(one, 21)
    desk.approve_time(ACTOR, entries=[before])
    chosen = [log(one, 36), log(one, 7), log(two, 8), log(acme, 61, note="Visit"), log(two, 50, billable=False)]
    (foreseen,) = preview_approval(ACTOR, seller=seller.pk, entries=chosen).customers
    # 21 → 30 drawn whole before. 64 → 75: 45 more; 8 → 15; 61 → 75.
    assert (foreseen.logged, foreseen.counted, foreseen.drawn, foreseen.minutes) == (162, 135, 0, 135)
    assert foreseen.amount == 20250
    assert [(g.number is not None, g.counted) for g in foreseen.groups] == [(True, 45), (True, 15), (False, 75)]
    desk.approve_time(ACTOR, entries=chosen)
    bill(ACTOR, seller=seller, on=date(2026, 3, 10), processes=1)
    assert Document.objects.get().net == 20250


@pytest.mark.usefixtures("database")
def test_approval_keeps_step_and_rate_of_its_day_and_opens_until_it_is_billed() -> None:
    seller = shop()
    acme = customer(seller)
    worked = log(acme, 7)
    desk.approve_time(ACTOR, entries=[worked])
    customers.change_customer(ACTOR, customer=acme, round_up_minutes=60, hourly_rate=Decimal(200))
    entry = TimeEntry.objects.get(pk=worked)
    assert (entry.step, entry.rate) == (10, 90)
    refused("invalid", desk.correct_time, entry=entry, minutes=8)
    refused("invalid", desk.remove_time, entry=entry)
    desk.unapprove_time(ACTOR, entries=[worked])
    entry.refresh_from_db()
    assert (entry.status, entry.step, entry.rate, entry.approved_by) == ("submitted", None, None, "")
    customers.change_customer(ACTOR, customer=acme, round_up_minutes=10, hourly_rate=Decimal(90))
    desk.approve_time(ACTOR, entries=[worked])
    bill(ACTOR, seller=seller, on=date(2026, 3, 10), processes=1)
    assert Document.objects.get().net == 1500
    refused("invalid", desk.unapprove_time, entries=[worked])
    bill(ACTOR, seller=seller, on=date(2026, 3, 10), processes=1)  # once
    assert Document.objects.count() == 1


@pytest.mark.usefixtures("database")
def test_gross_prices_and_reverse_charge_in_the_preview() -> None:
    gross = shop(prices_are="gross")
    (foreseen,) = preview_approval(ACTOR, seller=gross.pk, entries=[log(customer(gross), 60)]).customers
    assert (foreseen.gross, foreseen.amount) == (True, 9000)
    abroad = customer(gross, "oy", billed=False)
    customers.set_billing_information(
        ACTOR,
        customer=abroad,
        name="oy",
        tax_status="reverse_charge",
        vat_id="ATU13585627",
        **{**ADDRESS, "country": "AT"},
    )
    worked = log(abroad, 60)
    (foreseen,) = preview_approval(ACTOR, seller=gross.pk, entries=[worked]).customers
    desk.approve_time(ACTOR, entries=[worked])
    bill(ACTOR, seller=gross, on=date(2026, 3, 10), processes=1)
    assert foreseen.amount == Document.objects.get().net


@pytest.mark.usefixtures("database")
def test_activities_have_one_name_and_belong_to_their_seller() -> None:
    seller, other = shop(), shop(name="Other")
    visit = desk.add_activity(ACTOR, seller=seller, name=" On site ", billable=False)
    assert (visit.name, TimeEntry.objects.get(pk=log(customer(seller), 5, activity=visit)).billable) == (
        "On site",
        False,
    )
    refused("conflict", desk.add_activity, seller=seller, name="On site")
    refused("invalid", desk.add_activity, seller=seller, name=" ")
    refused("invalid", desk.change_activity, activity=visit, colour="red")
    desk.add_activity(ACTOR, seller=other, name="On site")
    with pytest.raises(Refused):
        log(customer(other), 5, activity=visit)
    assert not desk.change_activity(ACTOR, activity=visit, active=False).active
