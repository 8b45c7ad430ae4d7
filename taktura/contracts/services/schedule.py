"""The read model of billing on a contract: `next_due` and `changed_from` (house.md, “A run”)."""

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import connection
from django.db.models import F, Model, Value
from django.db.models.functions import Coalesce, Least

from taktura.contracts.facts import load
from taktura.contracts.models import Contract
from taktura.core import facts
from taktura.core.schedule import next_due
from taktura.customers.queries import with_billing


def read_again(*rows: Model | None) -> None:
    """Read the own columns of rows again that were read before the act began."""
    for row in rows:
        if row is not None:
            row.refresh_from_db(fields=[f.attname for f in row._meta.concrete_fields if not f.is_relation])


def touch(ids: Iterable[int], day: date) -> None:
    """Facts of these contracts have changed from a day on: the next run looks at them again from there."""
    Contract.objects.filter(pk__in=list(ids)).update(
        changed_from=Least(Coalesce(F("changed_from"), Value(day)), Value(day))
    )


def touch_each(days: Mapping[int, date]) -> None:
    """As `touch`, of many contracts each from a day of its own; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE contracts_contract c SET changed_from = LEAST(COALESCE(c.changed_from, d.day), d.day)
               FROM unnest(%s::bigint[], %s::date[]) AS d(id, day) WHERE c.id = d.id""",
            [list(days), list(days.values())],
        )


def reschedule(ids: Iterable[int]) -> None:
    """Work out again when these contracts fall due next."""
    wanted = list(ids)
    settled = dict(Contract.objects.filter(pk__in=wanted).values_list("pk", "settled_until"))
    rows = [Contract(pk=pk, next_due=next_due(c, settled[pk])) for pk, c in load(wanted).items()]
    Contract.objects.bulk_update(rows, ["next_due"], batch_size=1000)


def changed(contract: Contract, day: date) -> facts.Contract:
    """Both, after a change of one contract; its columns and its customer are read again. Gives it as it is now."""
    read_again(contract)
    customers = with_billing([contract.customer_id])
    contract.customer = customers[contract.customer_id]
    found = load([contract.pk], customers)[contract.pk]
    contract.changed_from = min(day, contract.changed_from or day)
    contract.next_due = next_due(found, contract.settled_until)
    contract.save(update_fields=["changed_from", "next_due"])
    return found
