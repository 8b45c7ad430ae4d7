"""The read model of billing on a contract: `next_due` and `changed_from` (house.md, “A run”)."""

from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Least

from taktura.contracts.facts import load
from taktura.contracts.models import Contract
from taktura.core.schedule import next_due

_OWN = tuple(f.attname for f in Contract._meta.concrete_fields if not f.is_relation and not f.primary_key)


def hold(ids: Iterable[int]) -> None:
    """Keep contracts from being changed, billed or given usage by others, until the transaction ends.

    First of all that a transaction does: whoever locks several does it in the order of `threshold IS NULL, id`, before
    the log (`audit.services.hold_log`) and the counters of numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM contracts_contract WHERE id = ANY(%s) ORDER BY threshold IS NULL, id FOR UPDATE", [list(ids)]
        )


def hold_one(contract: Contract) -> None:
    """The same of one contract; its columns are as they are now, whatever was read before."""
    contract.refresh_from_db(fields=_OWN, from_queryset=Contract.objects.select_for_update())


def touch(ids: Iterable[int], day: date) -> None:
    """Facts of these contracts have changed from a day on: the next run looks at them again from there."""
    Contract.objects.filter(pk__in=list(ids)).update(
        changed_from=Least(Coalesce(F("changed_from"), Value(day)), Value(day))
    )


def reschedule(ids: Iterable[int]) -> None:
    """Work out again when these contracts fall due next."""
    wanted = list(ids)
    settled = dict(Contract.objects.filter(pk__in=wanted).values_list("pk", "settled_until"))
    rows = [Contract(pk=pk, next_due=next_due(c, settled[pk])) for pk, c in load(wanted).items()]
    Contract.objects.bulk_update(rows, ["next_due"], batch_size=1000)


def changed(contract: Contract, day: date) -> None:
    """Both, after a change of one contract; refreshes its columns."""
    touch([contract.pk], day)
    reschedule([contract.pk])
    contract.refresh_from_db()
