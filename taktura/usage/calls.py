"""Single usage records as their customer reads them: when, how much, and of calls who called whom; never what the
supplier charges."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.db.models import Case, Count, F, Func, JSONField, Q, Sum, When
from django.db.models.fields.json import KT

from taktura.usage.queries import records_of
from taktura.usage.store import Behind

NAMES = ("at", "day", "end_day", "is_span", "quantity", "seconds", "caller", "called", "line_id", "place")
READ = 5_000  # records at a time
NUMBERS = ("caller", "called")  # the attributes that say who called whom


class Used(NamedTuple):
    """A record. `[day, end_day)` are local days, of an instant its one day; `seconds`: of a call, raw; `caller` and
    `called` as they are kept, thus masked after their time. `line_id`: the contract line. `place`: with its
    instant what tells where a page goes on."""

    at: datetime
    day: date
    end_day: date
    is_span: bool
    quantity: Decimal | None
    seconds: int | None
    caller: str | None
    called: str | None
    line_id: int
    place: int


class Sums(NamedTuple):
    """How many records there are, how many of them are calls, and the seconds of these."""

    records: int
    calls: int
    seconds: int


Place = tuple[datetime, int]  # instant and place of the last record before a page

_AS_THEN = """
WITH r AS (
    SELECT at, day, end_day, is_span, quantity, seconds, attributes, line_id, revised
    FROM usage_usagerecord
    WHERE line_id = %(line)s AND day < %(end)s AND end_day > %(first)s AND revised <= %(mark)s
    UNION ALL
    SELECT (record ->> 'at')::timestamptz, (record ->> 'day')::date, (record ->> 'end_day')::date,
        (record ->> 'is_span')::boolean, (record ->> 'quantity')::numeric, (record ->> 'seconds')::bigint,
        record -> 'attributes', line, revised
    FROM usage_usagehistory
    WHERE line = %(line)s AND revised <= %(mark)s AND replaced > %(mark)s
        AND (record ->> 'day')::date < %(end)s AND (record ->> 'end_day')::date > %(first)s
)
"""
_PAGE = """
SELECT at, day, end_day, is_span, quantity, seconds, attributes ->> 'caller', attributes ->> 'called', line_id, revised
FROM r WHERE %(at)s::timestamptz IS NULL OR (at, revised) > (%(at)s, %(place)s) ORDER BY at, revised LIMIT %(most)s
"""


def used_behind(behind: Behind, *, after: Place | None = None, most: int | None = None) -> list[Used]:
    """The records that a charge was made from, as they were then, in the order of their time; `most` of them that come
    `after` a place. Telephone numbers stand as they are kept now."""
    at, place = after or (None, None)
    with connection.cursor() as cursor:
        cursor.execute(_AS_THEN + _PAGE, {**behind._asdict(), "at": at, "place": place, "most": most})
        return [Used(*row) for row in cursor.fetchall()]


def all_used(page: Callable[[Place | None, int], list[Used]]) -> Iterator[Used]:
    """All records, however many, page by page: `page` gives so many of them that come after a place. One query for
    each `READ` records."""
    after: Place | None = None
    while rows := page(after, READ):
        yield from rows
        if len(rows) < READ:
            return
        after = (rows[-1].at, rows[-1].place)


def sums_behind(behind: Behind) -> Sums:
    """What the records behind a charge come to."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_AS_THEN} SELECT count(*), count(seconds), COALESCE(sum(seconds), 0) FROM r", behind._asdict()
        )
        return Sums(*cursor.fetchone())


def used_of(
    contract: int, lines: Iterable[int], first: date, end: date, *, masked: bool, after: Place | None = None,
    most: int | None = None, newest_first: bool = False,
) -> list[Used]:  # fmt: skip
    """The records of a contract's lines that have a day in `[first, end)`, in the order of their time, or the newest
    first; `most` of them that come `after` a place. `masked`: telephone numbers lack their last three digits whether
    their time is over or not."""
    rows = records_of(contract, first, end).filter(line__in=list(lines))
    if after is not None:
        at, place = after
        later = Q(at__lt=at) | Q(at=at, pk__lt=place) if newest_first else Q(at__gt=at) | Q(at=at, pk__gt=place)
        rows = rows.filter(later)
    rows = rows.order_by("-at", "-pk") if newest_first else rows.order_by("at", "pk")
    told: F | Case = F("attributes")
    if masked:  # what is masked already is no number any more
        shorter = Func("attributes", "numbers", function="usage_masked", output_field=JSONField())
        told = Case(When(numbers__isnull=False, then=shorter), default=told)
    numbers = {name: KT(f"told__{name}") for name in NUMBERS}
    found = rows.annotate(told=told).annotate(**numbers, place=F("pk")).values_list(*NAMES)
    return [Used(*row) for row in found[:most]]


def sums_of(contract: int, lines: Iterable[int], first: date, end: date) -> Sums:
    """What those records come to."""
    rows = records_of(contract, first, end).filter(line__in=list(lines)).order_by()
    found = rows.aggregate(records=Count("pk"), calls=Count("seconds"), whole=Sum("seconds"))
    return Sums(found["records"], found["calls"], int(found["whole"] or 0))
