"""How a seller's desk works: its activities, who may approve time."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
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


@transaction.atomic
def set_desk_mail(actor: Actor, *, seller: Seller, receipts: bool, reply_to: str) -> None:
    """Say whether who opens a ticket by mail is told that it arrived, and where customers answer to; empty: to the
    mailbox for tickets, where there is one. Raises `Refused` (`invalid`)."""
    address = reply_to.strip()
    if address:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Refused("invalid", "“%(email)s” is no e-mail address.", email=address, field="reply_to") from error
    made, _ = DeskSettings.objects.get_or_create(seller=seller)
    if (made.receipts, made.reply_to) != (receipts, address):
        made.receipts, made.reply_to = receipts, address
        made.save(update_fields=["receipts", "reply_to"])
        record(actor, "set_desk_mail", f"seller:{seller.pk}", {"receipts": receipts, "reply_to": address})


def _check(activity: Activity) -> None:
    if not activity.name:
        raise Refused("invalid", "An activity needs a name.", field="name")
    if len(activity.name) > 100:
        raise Refused("invalid", "A name has at most 100 characters.", field="name")
    others = Activity.objects.filter(seller=activity.seller_id, name=activity.name).exclude(pk=activity.pk)
    if others.exists():
        raise Refused("conflict", "There is an activity “%(name)s” already.", name=activity.name, field="name")
