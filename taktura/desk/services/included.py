"""Included hours: agreed, ended, taken back."""

from collections.abc import Iterable
from datetime import date

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.desk.models import Activity, Allowance
from taktura.kit.actor import Actor

MOST_INCLUDED = 600_000  # minutes of a block, or of a month


@act
def include_hours(
    actor: Actor,
    *,
    customer: Customer,
    title: str,
    kind: str,
    minutes: int,
    start: date,
    end: date | None = None,
    kept: bool = False,
    activities: Iterable[Activity] = (),
) -> Allowance:
    """Give a customer included hours: a `block` of minutes, or so many in each month (`monthly`), the rest of which is
    `kept` or dropped. `end` is exclusive. They bear what is not billed yet. Raises `Refused` (`invalid`)."""
    chosen = list(activities)
    if not title.strip():
        raise Refused("invalid", "Included hours need a title.", field="title")
    if len(title.strip()) > 200:
        raise Refused("invalid", "A title has at most 200 characters.", field="title")
    if kind not in ("block", "monthly"):
        raise Refused("invalid", "“%(value)s” is no kind of included hours: write block or monthly.", value=kind)
    if not 1 <= minutes <= MOST_INCLUDED:
        raise Refused(
            "invalid", "Included hours are one minute to %(most)s hours.", most=MOST_INCLUDED // 60, field="minutes"
        )
    if kept and kind == "block":
        raise Refused(
            "invalid", "Only the rest of a month can be kept: a block lasts until it is used up.", field="kept"
        )
    _check_end(start, end)
    if any(a.seller_id != customer.seller_id for a in chosen):
        raise Refused("invalid", "The activity is another seller's.")
    made = Allowance.objects.create(
        customer=customer, title=title.strip(), kind=kind, minutes=minutes, start=start, end=end, kept=kept
    )
    made.activities.set(chosen)
    content = {"hours": made.pk, "title": made.title, "kind": kind, "minutes": minutes, "start": start, "end": end}
    record(actor, "include_hours", f"customer:{customer.pk}", {**content, "activities": [a.name for a in chosen]})
    return made


@act
def end_hours(actor: Actor, *, allowance: Allowance, end: date | None) -> Allowance:
    """Let included hours end on a day (exclusive), or go on; what they have borne of billed work stays. Raises
    `Refused` (`invalid`)."""
    allowance = Allowance.objects.select_related("customer").get(pk=allowance.pk)
    _check_end(allowance.start, end)
    before, allowance.end = allowance.end, end
    allowance.save(update_fields=["end"])
    content = {"hours": allowance.pk, "end": [before, end]}
    record(actor, "end_hours", f"customer:{allowance.customer_id}", content)
    return allowance


def _check_end(start: date, end: date | None) -> None:
    if end is not None and end <= start:
        raise Refused("invalid", "Included hours end after they begin: choose a later day.", field="end")
