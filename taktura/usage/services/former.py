"""A row that an earlier version stored is known again, however the file that brings it once more is written (0024).

Its id was made of the dates as they stood in the file. The file is kept: when another one of the same days comes, it is
read once more, and of each row both ids are noted. Files of other days are never read again.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

from django.db.models import Q

from taktura.usage.models import Supplier, UsageFile
from taktura.usage.reader import Mapping, Problem, read
from taktura.usage.services.identity import Repeats, id_of
from taktura.usage.store.former import days_staged, known_as_before, note


def find_former(supplier: Supplier, present: int | None) -> None:
    """Give the staged rows of a supplier the ids by which earlier versions stored them. `present`: the file that they
    stand in, which is not read for it."""
    days = days_staged()
    if days is None:
        return
    of_these_days = Q(first_day=None) | Q(first_day__lt=days[1], end_day__gt=days[0])
    older = UsageFile.objects.filter(of_these_days, supplier=supplier, ids_as_written=True, emptied_at=None)
    older = older.exclude(pk=present or 0)
    for pk in older.order_by("pk").values_list("pk", flat=True):
        file = UsageFile.objects.get(pk=pk)  # one at a time: its content may be large
        note(supplier.pk, _both(file, ZoneInfo(supplier.time_zone)))
        UsageFile.objects.filter(pk=pk).update(ids_as_written=False)
    known_as_before()


def _both(file: UsageFile, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Of each row of a file the id that it has now, and the one that it was stored by, where this is another."""
    mapping = replace(Mapping.from_dict(file.mapping), tells_former=True)
    now, before = Repeats(mapping.number_repeats), Repeats(mapping.number_repeats)
    for row in read(io.BytesIO(file.content), mapping, zone):
        if isinstance(row, Problem):
            continue
        current, stored = now.told_apart(id_of(row)), before.told_apart(row.former_id or id_of(row))
        if current != stored:
            yield current, stored
