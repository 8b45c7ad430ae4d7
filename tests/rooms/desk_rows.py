"""Rows of the desk for the attempts at constraints."""

from typing import Any

from tests.rooms import levels_constraints


def work_at_the_desk(actor: Any, seller: Any) -> None:
    """A row in each table of the desk, and billed time of which included hours bear a part."""
    from datetime import date

    from taktura.accounts.models import User
    from taktura.billing import services as billing
    from taktura.desk import services as desk
    from taktura.desk.models import Activity, DeskSettings, Queue, RunningTime, Ticket, TicketAttachment

    ticket = Ticket.objects.select_related("customer__seller").get()
    user = User.objects.create(email="a@b.example", name="A", role="technician", created_at=actor.now)
    activity = Activity.objects.create(seller=seller, name="On site")
    DeskSettings.objects.create(seller=seller)
    Queue.objects.create(seller=seller, name="First level")
    RunningTime.objects.create(user=user, customer=ticket.customer, started_at=actor.now, since=actor.now)
    desk.add_answer_template(actor, seller=seller, name="Thanks", language="en", text="Thank you")
    levels_constraints.promise(actor, seller)
    message = desk.answer_ticket(actor, ticket=ticket, text="Seen")
    TicketAttachment.objects.create(message=message, name="a.txt", type="text/plain", content=b"a")
    hours = {"title": "Each month", "kind": "monthly", "minutes": 30, "start": date(2026, 1, 1), "kept": True}
    desk.include_hours(actor, customer=ticket.customer, activities=[activity], **hours)
    worked = desk.log_time(actor, ticket=ticket, minutes=90, activity=activity)
    desk.approve_time(actor, entries=[*ticket.time.filter(status="submitted").values_list("pk", flat=True)])
    assert worked.pk
    billing.bill(actor, seller=seller, on=date(2026, 2, 4))
