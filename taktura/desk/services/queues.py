"""Queues: where tickets wait for somebody."""

from collections.abc import Iterable

from django.db import transaction

from taktura.audit.services import record, record_all
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import Queue, Ticket
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.mailbox.models import Mailbox


@transaction.atomic
def add_queue(actor: Actor, *, seller: Seller, name: str) -> Queue:
    """Make a queue. Raises `Refused`: `invalid` without a name, `conflict` where the seller has one of that name."""
    queue = Queue(seller=seller, name=_name(seller.pk, name, None))
    queue.save(force_insert=True)
    record(actor, "add_queue", f"seller:{seller.pk}", {"queue": queue.name})
    return queue


@transaction.atomic
def change_queue(actor: Actor, *, queue: Queue, name: str | None = None, active: bool | None = None) -> Queue:
    """Rename a queue, or put it out of use: its tickets stay in it, no others come. Raises `Refused` as `add_queue`,
    and `invalid` where a mailbox still puts tickets in it."""
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    before = {"queue": queue.name, "active": queue.active}
    if name is not None:
        queue.name = _name(queue.seller_id, name, queue.pk)
    if active is not None:
        queue.active = active
    if not queue.active and (box := Mailbox.objects.filter(target=f"queue:{queue.pk}").first()):
        raise Refused(
            "invalid", "The mailbox “%(name)s” puts tickets in this queue: choose another one there first.",
            name=box.user, field="active",
        )  # fmt: skip
    after = {"queue": queue.name, "active": queue.active}
    if after != before:
        queue.save()
        record(actor, "change_queue", f"seller:{queue.seller_id}", {"before": before, "after": after})
    return queue


@transaction.atomic
def move_tickets(actor: Actor, *, seller: Seller, tickets: Iterable[int], queue: Queue | None) -> list[Ticket]:
    """Put tickets (by their ids) in a queue, or in none: all or nothing. Gives those that were in another one.

    Raises `Refused`: `not_found` where one is not the seller's, `invalid` where one was merged, or the queue is out of
    use.
    """
    ids = set(tickets)
    if queue is not None:
        queue = Queue.objects.select_for_update(of=("self",), no_key=True).get(pk=queue.pk)
        if queue.seller_id != seller.pk:
            raise Refused("invalid", "The queue is another seller's.", field="queue")
        if not queue.active:
            raise Refused("invalid", "The queue “%(name)s” is out of use: choose another one.", name=queue.name,
                          field="queue")  # fmt: skip
    rows = Ticket.objects.select_for_update(of=("self",)).select_related("queue")
    found = list(rows.filter(seller=seller, pk__in=among(ids)).order_by("pk"))
    if len(found) < len(ids):
        raise Refused("not_found", "Not all of these tickets are there.")
    for one in found:
        if one.merged_into_id is not None:
            raise Refused("invalid", "Ticket %(number)s was merged into another: change that one.", number=one.number)
    moved = [one for one in found if one.queue_id != (queue.pk if queue else None)]
    entries, name = [], queue.name if queue else None
    for one in moved:
        told = {"before": {"queue": one.queue.name if one.queue else None}, "after": {"queue": name}}
        entries.append(("change_ticket", f"ticket:{one.pk}", told))
        one.queue, one.changed_at = queue, actor.now
    Ticket.objects.bulk_update(moved, ["queue", "changed_at"])
    if entries:
        record_all(actor, entries)
    return moved


def _name(seller: int, text: str, but: int | None) -> str:
    name = text.strip()
    if not name:
        raise Refused("invalid", "A queue needs a name.", field="name")
    if len(name) > 100:
        raise Refused("invalid", "The name of a queue has at most 100 characters.", field="name")
    if Queue.objects.filter(seller=seller, name=name).exclude(pk=but or 0).exists():
        raise Refused("conflict", "There is a queue “%(name)s” already.", name=name, field="name")
    return name
