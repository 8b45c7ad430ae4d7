"""Merging tickets, and answer templates."""

from datetime import date

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.catalog.terms import read_rates
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.models import AnswerTemplate, Ticket, TicketMessage
from taktura.desk.templates import filled
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.mailbox.attached import Attachment


@pytest.fixture
def tickets(database: str, actor: Actor) -> tuple[Ticket, Ticket]:
    """Two tickets of a customer who can be billed."""
    seller = customers.create_seller(
        actor, name="Helpful GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    acme = customers.create_customer(actor, seller=seller, key="acme", name="Acme", round_up_minutes=15, hourly_rate=60)
    address = {"name": "Acme", "street": "A 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    customers.set_billing_information(actor, customer=acme, **address)
    first = services.open_ticket(actor, customer=acme, subject="Printer", text="Smokes", by_customer=True)
    second = services.open_ticket(
        actor, customer=acme, subject="Printer again", text="Burns", by_customer=True,
        requester_name="Ada", requester_email="ada@acme.example",
        files=[Attachment(name="a.txt", kind="text/plain", content=b"1")],
    )  # fmt: skip
    return first, second


def test_all_goes_on_in_the_other_one(tickets: tuple[Ticket, Ticket], actor: Actor) -> None:
    first, second = tickets
    services.answer_ticket(actor, ticket=first, text="Switch it off")
    services.answer_ticket(actor, ticket=second, text="It is out", kind="customer")
    services.log_time(actor, ticket=second, minutes=7)
    first.refresh_from_db()
    plan = services.check_merge(ticket=second, into=first)
    assert (plan.messages, plan.files, plan.minutes, plan.opens) == (2, 1, 7, True)
    assert Ticket.objects.get(pk=second.pk).status == "open", "looking changes nothing"
    new = services.merge_tickets(actor, ticket=second, into=first)
    assert [m.text for m in new.messages.all()] == ["Smokes", "Burns", "Switch it off", "It is out"]
    assert (new.pk, new.status, new.requester_email) == (first.pk, "open", "ada@acme.example")
    assert new.time.get().minutes == 7 and new.messages.filter(attachments__name="a.txt").exists()
    second.refresh_from_db()
    assert (second.status, second.merged_into, second.closed_at) == ("closed", first, actor.now)
    assert not second.messages.exists() and LogEntry.objects.filter(action="merge_tickets").count() == 2
    with pytest.raises(Refused):
        services.merge_tickets(actor, ticket=second, into=first)
    with pytest.raises(Refused):
        services.merge_tickets(actor, ticket=first, into=second)


def test_a_solved_ticket_opens_no_other(tickets: tuple[Ticket, Ticket], actor: Actor) -> None:
    first, second = tickets
    for one in tickets:
        services.change_ticket(actor, ticket=one, status="solved")
    assert services.merge_tickets(actor, ticket=second, into=first).status == "solved"


def test_what_is_not_merged(tickets: tuple[Ticket, Ticket], actor: Actor) -> None:
    first, second = tickets
    other = services.open_ticket(
        actor, subject="Line", customer=customers.create_customer(actor, seller=first.seller, key="globex", name="G")
    )
    for into in (second, other):
        with pytest.raises(Refused) as refused:
            services.merge_tickets(actor, ticket=second, into=into)
        assert refused.value.code == "invalid"
    services.change_ticket(actor, ticket=first, status="closed")
    with pytest.raises(Refused, match="is closed"):
        services.merge_tickets(actor, ticket=second, into=first)
    assert TicketMessage.objects.filter(ticket=second).count() == 1


@pytest.mark.parametrize("billed", [False, True])
def test_approved_time_stays_with_its_ticket_and_the_bills_are_proven(
    tickets: tuple[Ticket, Ticket], actor: Actor, billed: bool
) -> None:
    first, second = tickets
    worked = services.log_time(actor, ticket=second, minutes=7, worked_on=date(2026, 2, 10))
    services.log_time(actor, ticket=first, minutes=20, worked_on=date(2026, 2, 11))
    services.approve_time(actor, entries=[worked.pk])
    if billed:
        billing.bill(actor, seller=Seller.objects.get(), on=date(2026, 3, 1))
    with pytest.raises(Refused, match="approved"):
        services.merge_tickets(actor, ticket=second, into=first)
    merged = services.merge_tickets(actor, ticket=first, into=second)  # its own time is not approved yet
    assert sorted(merged.time.values_list("minutes", "status")) == [
        (7, "billed" if billed else "approved"), (20, "submitted")
    ]  # fmt: skip
    services.approve_time(actor, entries=list(merged.time.filter(status="submitted").values_list("pk", flat=True)))
    billing.bill(actor, seller=Seller.objects.get(), on=date(2026, 3, 1))
    assert merged.time.filter(status="billed").count() == 2 and not list(verify())


def test_a_template_is_filled_for_each_ticket(tickets: tuple[Ticket, Ticket], actor: Actor) -> None:
    first, second = tickets
    text = "Dear {requester} of {customer},\n#{ticket} {subject}: {done}\n{name}, {company} {not a place}"
    with pytest.raises(Refused) as refused:
        services.add_answer_template(actor, seller=first.seller, name="Done", language="en", text=text)
    assert refused.value.values["place"] == "done"
    made = services.add_answer_template(
        actor, seller=first.seller, name="Done", language="en", text=text.replace("{done}", "done")
    )
    assert filled(made, ticket=second, name="Tom") == (
        "Dear Ada of Acme,\n#1002 Printer again: done\nTom, Helpful GmbH {not a place}"
    )
    services.change_ticket(actor, ticket=first, subject="{name}")
    assert filled(made, ticket=Ticket.objects.get(pk=first.pk), name="Tom").startswith(
        "Dear Acme of Acme,\n#1001 {name}:"
    )


def test_what_a_template_must_be(tickets: tuple[Ticket, Ticket], actor: Actor) -> None:
    seller = tickets[0].seller
    good = {"name": "Done", "language": "en", "text": "Done"}
    made = services.add_answer_template(actor, seller=seller, **good)
    services.add_answer_template(actor, seller=seller, **{**good, "language": "de"})
    wrong_ones = (
        ({}, "conflict"), ({"name": " "}, "invalid"), ({"name": "a\nb"}, "invalid"), ({"name": "n" * 101}, "invalid"),
        ({"name": "X", "language": "fr"}, "invalid"), ({"name": "X", "text": " "}, "invalid"),
        ({"name": "X", "text": "x" * 10_001}, "invalid"),
    )  # fmt: skip
    for wrong, code in wrong_ones:
        with pytest.raises(Refused) as refused:
            services.add_answer_template(actor, seller=seller, **{**good, **wrong})
        assert refused.value.code == code, wrong
    with pytest.raises(Refused):
        services.change_answer_template(actor, template=made, language="de")
    services.change_answer_template(actor, template=made, name="All done")
    services.remove_answer_template(actor, template=made)
    assert [t.language for t in AnswerTemplate.objects.all()] == ["de"]
    assert [e.action for e in LogEntry.objects.order_by("-id")[:2]] == [
        "remove_answer_template", "change_answer_template"
    ]  # fmt: skip
