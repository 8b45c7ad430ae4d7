"""Gapless numbers, per seller and kind (R14.2, R14.3)."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.models import KINDS, NumberCounter, NumberSeries
from taktura.kit.actor import Actor

MAX_LENGTH = 60
_PLACE = re.compile(r"\{(year|number)(:0?\d+)?\}")
_DIGITS = {"year": 4, "number": 9}  # as many as they may come to have
# What is proposed where nobody has said otherwise, by the seller's country.
_GERMAN = {"invoice": "RE-{year}-{number:05}", "credit_note": "RK-{year}-{number:05}"}
PROPOSED = {
    "DE": _GERMAN,
    "AT": _GERMAN,
    "SE": {"invoice": "F-{year}-{number:05}", "credit_note": "K-{year}-{number:05}"},
    "": {"invoice": "INV-{year}-{number:05}", "credit_note": "CN-{year}-{number:05}"},
}


class Numbering(NamedTuple):
    """The format of a kind of document, the number that comes next, and whether somebody has confirmed them."""

    format: str
    next: int
    confirmed: bool


def check_numbering(kind: str, format: str, next: int) -> None:  # noqa: A002
    """Raise `Refused` (`invalid`) for a kind that is none, or a format that makes no numbers."""
    if kind not in KINDS:
        raise Refused("invalid", "“%(kind)s” is no kind of document: write invoice or credit_note.", kind=kind)
    fields = [match.group(1) for match in _PLACE.finditer(format)]
    if fields.count("number") != 1 or re.search(r"[{}]", _PLACE.sub("", format)) or next < 1:
        raise Refused("invalid", "A number format holds {number} once, and {year} if the series restarts yearly.")
    if any(width and not width.startswith(":0") for _name, width in _PLACE.findall(format)):
        raise Refused("invalid", "A width begins with 0, as in {number:05}: else numbers would have blanks in them.")
    longest = sum(max(int((width or ":0")[1:]), _DIGITS[name]) for name, width in _PLACE.findall(format))
    if longest + len(_PLACE.sub("", format)) > MAX_LENGTH:
        raise Refused("invalid", "A number has at most %(most)s characters: shorten the format.", most=MAX_LENGTH)


@act
def confirm_numbering(actor: Actor, *, seller: Seller, kind: str, format: str, next: int) -> NumberSeries:  # noqa: A002
    """Confirm the format of a kind of document, and the number that comes next.

    `format` is as in `RE-{year}-{number:05}`. Raises `Refused`: `invalid`, `number_already_used` when `next` is at or
    below the highest used (within the year, if the series restarts yearly).
    """
    check_numbering(kind, format, next)
    series, _ = NumberSeries.objects.select_for_update().get_or_create(
        seller=seller, kind=kind, defaults={"format": format}
    )
    year = _year(format, actor.today(seller.time_zone))
    counter, _ = NumberCounter.objects.get_or_create(series=series, year=year)
    used = counter.used
    if not year:  # a series that goes on over the years goes on after all that was used
        used = NumberCounter.objects.filter(series=series).aggregate(most=Max("used"))["most"]
    if next <= used:
        raise Refused("number_already_used", "The number %(used)s is used already: choose a higher one.", used=used)
    series.format, series.confirmed = format, True
    series.save(update_fields=["format", "confirmed"])
    counter.next = next
    counter.save(update_fields=["next"])
    record(actor, "confirm_numbering", f"seller:{seller.pk}", {"kind": kind, "format": format, "next": next})
    return series


def numbers_of(seller: Seller, on: date) -> dict[str, Numbering]:
    """How each kind of document is numbered, or would be by the proposal for the seller's country."""
    found = {s.kind: s for s in NumberSeries.objects.filter(seller=seller).prefetch_related("counters")}
    result = {}
    for kind in KINDS:
        series = found.get(kind)
        form = series.format if series else PROPOSED.get(seller.country, PROPOSED[""])[kind]
        counters = {c.year: c for c in series.counters.all()} if series else {}
        counter = counters.get(_year(form, on))
        following = counter.next if counter else 1
        result[kind] = Numbering(form, following, series is not None and series.confirmed)
    return result


def check_confirmed(seller_id: int, kinds: Iterable[str]) -> None:
    """Raise `Refused` (`numbering_unconfirmed`) unless the numbers of all these kinds are confirmed."""
    confirmed = set(NumberSeries.objects.filter(seller=seller_id, confirmed=True).values_list("kind", flat=True))
    lacking = set(kinds) - confirmed
    if "credit_note" in lacking:
        raise Refused("numbering_unconfirmed", "Confirm the numbers of credit notes before the first is issued.")
    if lacking:
        raise Refused("numbering_unconfirmed", "Confirm the numbers of invoices before the first is issued.")


def take_numbers(seller_id: int, wanted: Mapping[str, int], on: date) -> dict[str, list[str]]:
    """Take the next numbers of each kind, so many as wanted, in the caller's transaction; the series stay locked until
    it ends. Raises `Refused` (`numbering_unconfirmed`)."""
    rows = NumberSeries.objects.select_for_update().filter(seller=seller_id, kind__in=wanted, confirmed=True)
    series = {s.kind: s for s in rows.order_by("id")}
    if len(series) < len(wanted):
        check_confirmed(seller_id, wanted)
    kinds = sorted(series)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO invoices_numbercounter AS c (series_id, year, next, used)
               SELECT series, year, count + 1, count FROM unnest(%s::bigint[], %s::int[], %s::bigint[])
                   AS x(series, year, count)
               ON CONFLICT (series_id, year) DO UPDATE
                   SET next = c.next + excluded.used, used = c.next + excluded.used - 1
               RETURNING series_id, next""",
            [
                [series[kind].pk for kind in kinds],
                [_year(series[kind].format, on) for kind in kinds],
                [wanted[kind] for kind in kinds],
            ],
        )
        following = dict(cursor.fetchall())
    return {
        kind: numbers_from(series[kind].format, following[series[kind].pk] - wanted[kind], on, wanted[kind])
        for kind in kinds
    }


def numbers_from(format: str, next: int, on: date, count: int) -> list[str]:  # noqa: A002
    """The `count` numbers that a format makes on a day, from `next` on. Nothing is taken."""
    return [format.format(year=on.year, number=n) for n in range(next, next + count)]


def restarts(format: str) -> bool:  # noqa: A002
    """Whether a format counts each year from 1."""
    return bool(_year(format, date.max))


def _year(format: str, day: date) -> int:  # noqa: A002
    return day.year if "{year" in format else 0
