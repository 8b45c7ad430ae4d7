"""Telephone calls: the legs of one call are one row, and each second of it counts once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from taktura.usage.reader.rows import Counts, Problem, Row


def of_calls(rows: Iterator[Row | Problem], counts: Counts) -> Iterator[Row | Problem]:
    """Rows with a `call_id` and seconds are legs: those of one subscription and call become one row.

    Its seconds are those during which any leg was answered: legs one after the other add up, legs at the same time
    count once. It begins with its first leg, and is known by the call. What has no call id is left as it is.
    """
    legs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if isinstance(row, Problem) or not row.call_id or row.seconds is None:
            yield row
            continue
        legs.setdefault((row.subscription_id.casefold(), row.call_id), []).append(row)
    for found in sorted(legs.values(), key=lambda some: some[0].line):
        counts.merged += len(found) - 1
        yield _call(found)


def _call(legs: list[Row]) -> Row:
    first = min(legs, key=lambda leg: (leg.at, leg.line)) if len(legs) > 1 else legs[0]
    seconds = answered([(leg.at, leg.seconds or 0) for leg in legs]) if len(legs) > 1 else first.seconds
    former = f"{first.former_id}|{first.subscription_id}"[:300] if first.former_id else ""
    known_by = f"{first.call_id}|{first.subscription_id}"[:300]
    return first._replace(line=legs[0].line, seconds=seconds, id=known_by, former_id=former)


def answered(spans: list[tuple[datetime, int]]) -> int:
    """How many seconds of spans (begin, seconds) lie in at least one of them."""
    total, until = 0, None
    for begin, seconds in sorted((b.astimezone(UTC), s) for b, s in spans):
        end = begin + timedelta(seconds=seconds)
        since = begin if until is None else max(begin, until)
        total += max((end - since) // timedelta(seconds=1), 0)
        until = end if until is None else max(until, end)
    return total
