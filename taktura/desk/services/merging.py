"""Two tickets about the same thing become one."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.desk.models import RunningTime, Ticket, TicketAttachment, TicketMessage, TimeEntry
from taktura.desk.services.levels import keep_clocks
from taktura.desk.services.tickets import folded
from taktura.kit.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What a merge takes along, and how the ticket that goes on stands afterwards. `minutes` are not approved."""

    into: Ticket
    messages: int
    files: int
    minutes: int
    opens: bool


def check_merge(*, ticket: Ticket, into: Ticket) -> Merge:
    """What `merge_tickets` would do. Raises `Refused` as it does."""
    if ticket.pk == into.pk:
        raise Refused("invalid", "A ticket cannot be merged into itself: name another one.", field="into")
    for one in (ticket, into):
        if one.merged_into_id is not None:
            raise Refused("invalid", "Ticket %(number)s was merged into another: change that one.",
                          number=one.number, field="into")  # fmt: skip
    if ticket.customer_id != into.customer_id:
        raise Refused("invalid", "Ticket %(number)s is another customer's: only tickets of one customer are merged.",
                      number=into.number, field="into")  # fmt: skip
    if into.status == "closed":
        raise Refused("invalid", "Ticket %(number)s is closed: open it again first, or merge the other way round.",
                      number=into.number, field="into")  # fmt: skip
    if ticket.time.exclude(status="submitted").exists():
        raise Refused("invalid", "Time of ticket %(number)s is approved: it is summed and billed by ticket, and stays"
                      " there. Take the approval back first, or merge the other way round.",
                      number=ticket.number, field="into")  # fmt: skip
    return Merge(
        into=into, messages=ticket.messages.count(), opens=ticket.status == "open" and into.status != "open",
        files=TicketAttachment.objects.filter(message__ticket=ticket).count(),
        minutes=ticket.time.aggregate(sum=Sum("minutes"))["sum"] or 0,
    )  # fmt: skip


@transaction.atomic
def merge_tickets(actor: Actor, *, ticket: Ticket, into: Ticket) -> Ticket:
    """Let a ticket go on in another of the same customer; gives that one.

    All that was said, the files, and time that is not approved go there, in the order in which they came; mails that
    answer the old one find the new one. The old one is closed and names it; that cannot be undone. Was it open, the
    other one is, too. Raises `Refused` (`invalid`): another customer's, one of them was merged already, the other one
    is closed, time of the old one is approved.
    """
    rows = Ticket.objects.select_for_update(of=("self",)).select_related("customer").order_by("pk")
    found = {one.pk: one for one in rows.filter(pk__in=[ticket.pk, into.pk])}
    old, new = found[ticket.pk], found[into.pk]
    list(TimeEntry.objects.select_for_update().filter(ticket=old).values_list("pk", flat=True))  # nobody approves now
    plan = check_merge(ticket=old, into=new)
    TicketMessage.objects.filter(ticket=old).update(ticket=new)
    TimeEntry.objects.filter(ticket=old).update(ticket=new)
    RunningTime.objects.filter(ticket=old).update(ticket=new)
    was, before = new.status, old.status
    if plan.opens:
        new.status, new.solved_at = "open", None
    if not new.requester_email:
        new.requester_email = old.requester_email
        new.requester_name = new.requester_name or old.requester_name
    answered = [one.answered_at for one in (old, new) if one.answered_at is not None]
    new.answered_at = min(answered, default=None)
    new.changed_at, new.folded = actor.now, folded(new)
    keep_clocks(actor, new, was=was)
    new.save()
    old.status, old.merged_into, old.changed_at = "closed", new, actor.now
    old.solved_at, old.closed_at = old.solved_at or actor.now, old.closed_at or actor.now
    keep_clocks(actor, old, was=before)
    old.save()
    content = {"number": old.number, "into": new.number, "messages": plan.messages, "minutes": plan.minutes}
    for one in (old, new):
        record(actor, "merge_tickets", f"ticket:{one.pk}", content)
    return new
