"""Queues: where tickets wait for somebody."""

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import Queue
from taktura.kit.actor import Actor


@transaction.atomic
def add_queue(actor: Actor, *, seller: Seller, name: str) -> Queue:
    """Make a queue. Raises `Refused`: `invalid` without a name, `conflict` where the seller has one of that name."""
    queue = Queue(seller=seller, name=_name(seller.pk, name, None))
    queue.save(force_insert=True)
    record(actor, "add_queue", f"seller:{seller.pk}", {"queue": queue.name})
    return queue


@transaction.atomic
def change_queue(actor: Actor, *, queue: Queue, name: str | None = None, active: bool | None = None) -> Queue:
    """Rename a queue, or put it out of use: its tickets stay in it, no others come. Raises `Refused` as `add_queue`."""
    queue = Queue.objects.select_for_update().get(pk=queue.pk)
    before = {"queue": queue.name, "active": queue.active}
    if name is not None:
        queue.name = _name(queue.seller_id, name, queue.pk)
    if active is not None:
        queue.active = active
    after = {"queue": queue.name, "active": queue.active}
    if after != before:
        queue.save()
        record(actor, "change_queue", f"seller:{queue.seller_id}", {"before": before, "after": after})
    return queue


def _name(seller: int, text: str, but: int | None) -> str:
    name = text.strip()
    if not name:
        raise Refused("invalid", "A queue needs a name.", field="name")
    if len(name) > 100:
        raise Refused("invalid", "The name of a queue has at most 100 characters.", field="name")
    if Queue.objects.filter(seller=seller, name=name).exclude(pk=but or 0).exists():
        raise Refused("conflict", "There is a queue “%(name)s” already.", name=name, field="name")
    return name
