"""How a seller's desk works: its activities, who may approve time."""

from typing import Any

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import Activity, DeskSettings
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json

FIELDS = ("name", "billable", "active")


@transaction.atomic
def add_activity(actor: Actor, *, seller: Seller, name: str, billable: bool = True) -> Activity:
    """Add something that is done in time. Raises `Refused` (`invalid`, `conflict`)."""
    made = Activity(seller=seller, name=name.strip(), billable=billable)
    _check(made)
    made.save(force_insert=True)
    content = {"activity": made.pk, "name": made.name, "billable": billable}
    record(actor, "add_activity", f"seller:{seller.pk}", content)
    return made


@transaction.atomic
def change_activity(actor: Actor, *, activity: Activity, **fields: Any) -> Activity:
    """Write the fields named (`name billable active`) of an activity; time that was logged stays as it is. Raises
    `Refused` (`invalid`, `conflict`)."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "An activity has no field “%(field)s”.", field=sorted(unknown)[0])
    activity = Activity.objects.select_for_update().get(pk=activity.pk)
    before = {name: getattr(activity, name) for name in fields}
    for name, value in fields.items():
        setattr(activity, name, value.strip() if name == "name" else value)
    _check(activity)
    activity.save()
    changed = {name: [was, getattr(activity, name)] for name, was in before.items() if was != getattr(activity, name)}
    if changed:
        record(actor, "change_activity", f"seller:{activity.seller_id}", {"activity": activity.pk, **to_json(changed)})
    return activity


@transaction.atomic
def set_own_approval(actor: Actor, *, seller: Seller, allowed: bool) -> None:
    """Say whether who worked may approve the time."""
    made, _ = DeskSettings.objects.get_or_create(seller=seller)
    if made.own_approval != allowed:
        made.own_approval = allowed
        made.save(update_fields=["own_approval"])
        record(actor, "set_own_approval", f"seller:{seller.pk}", {"allowed": allowed})


def _check(activity: Activity) -> None:
    if not activity.name:
        raise Refused("invalid", "An activity needs a name.", field="name")
    if len(activity.name) > 100:
        raise Refused("invalid", "A name has at most 100 characters.", field="name")
    others = Activity.objects.filter(seller=activity.seller_id, name=activity.name).exclude(pk=activity.pk)
    if others.exists():
        raise Refused("conflict", "There is an activity “%(name)s” already.", name=activity.name, field="name")
