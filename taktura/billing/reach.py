"""Whom a version of a tariff reaches, from when on, and what it moves each month (R16.3): looked at before it is made.

Set-based: a fixed number of queries, however many contracts there are.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from taktura.catalog.models import Tariff
from taktura.catalog.queries import tariff_line_terms
from taktura.catalog.services import Offer
from taktura.core.facts import LineTerms
from taktura.core.money import less_percent, minor, places, plain
from taktura.core.monthly import per_month
from taktura.core.periods import Anchor, Span
from taktura.core.pricing import cost, scale_percent


@dataclass(frozen=True, slots=True)
class Move:
    """What a line's price moves: of so many contract lines with a quantity in all, each month, in minor units."""

    article: str
    title: str
    lines: int
    quantity: Decimal
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Reach:
    """The contracts that take a version, the first day of the period from which they do (in order), and what moves.

    `monthly`: the change of what recurs, net per month in minor units, rounded once.
    """

    contracts: int
    starts: tuple[tuple[date, int], ...]
    moves: tuple[Move, ...]
    monthly: int


def reach(tariff: Tariff, offer: Offer, valid_from: date) -> Reach:
    """What a version for all contracts, from a day on, would do to the contracts that have a tariff."""
    starts = _starts(tariff, offer.version.interval, valid_from)
    moves, monthly = _moves(tariff, offer, valid_from)
    return Reach(sum(starts.values()), tuple(sorted(starts.items())), tuple(moves), monthly)


def _starts(tariff: Tariff, interval: Span, valid_from: date) -> Counter[date]:
    """From which period on contracts take it: the next after the day and after what is billed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.anchor_kind, p.anchor_origin, p.anchor_day, greatest(p.start, %(day)s, b.until), count(*)
               FROM contracts_contractphase p
               LEFT JOIN (
                   SELECT c.contract_id, max(c."end") AS until FROM billing_charge c
                   WHERE c.kind IN ('usage', 'minimum_sales', 'cost_cap') AND c."end" > %(day)s
                   AND c.contract_id IN (SELECT contract_id FROM contracts_contractphase WHERE tariff_id = %(tariff)s)
                   GROUP BY 1
               ) b ON b.contract_id = p.contract_id
               WHERE p.tariff_id = %(tariff)s AND (p."end" IS NULL OR p."end" > %(day)s)
               GROUP BY 1, 2, 3, 4""",
            {"tariff": tariff.pk, "day": valid_from},
        )
        rows = cursor.fetchall()
    found: Counter[date] = Counter()
    for kind, origin, on, day, number in rows:
        period = Anchor(kind, origin, on).grid(interval).of(day)
        found[day if day == period.start else period.end] += number
    return found


def _moves(tariff: Tariff, offer: Offer, valid_from: date) -> tuple[list[Move], int]:
    rows = _booked(tariff, valid_from)
    known = tariff_line_terms({row[0] for row in rows})
    sums: dict[str, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
    for tariff_line, quantity, discount, number in rows:
        before = known[tariff_line]
        after = offer.terms.get(before.article)
        if after is None or after.charge != before.charge:
            continue  # contracts go on with it as they have it
        entry = sums[before.article]
        entry[0] += number
        entry[1] += number * Fraction(quantity)
        entry[2] += number * monthly(before, quantity, discount)
        entry[3] += number * monthly(after, quantity, discount)
    digits = places(tariff.currency)
    moves = [
        Move(article, offer.terms[article].title, int(n), plain(q), minor(a, digits), minor(b, digits))
        for article, (n, q, a, b) in sums.items()
        if a != b
    ]
    return moves, minor(sum((b - a for _n, _q, a, b in sums.values()), Fraction(0)), digits)


def _booked(tariff: Tariff, day: date) -> list[tuple[int, Decimal, Decimal, int]]:
    """What recurs of the contracts that have a tariff: tariff line, quantity, discount, number of contract lines. A
    contract's own price stays as it is, and what it kept of another tariff. What comes to the tariff later counts as it
    will be then."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH all_lines AS (
                 SELECT l.id, l.price, l.discount, greatest(p.start, %(day)s) AS day FROM contracts_contractline l
                 JOIN contracts_contractphase p ON p.contract_id = l.contract_id
                 WHERE p.tariff_id = %(tariff)s AND (p."end" IS NULL OR p."end" > %(day)s)
                 AND l.charge <> 'once' AND l.kept_from IS NULL
                 AND l.article_id IN (
                     SELECT o.article_id FROM catalog_tariffline o JOIN catalog_tariffversion v ON v.id = o.version_id
                     WHERE v.tariff_id = %(tariff)s AND (o.charge = 'recurring' OR o.terms @> '{"flat_price": true}')
                 )
                 AND (l."end" IS NULL OR l."end" > %(day)s)
               ), conditions AS (
                 SELECT DISTINCT ON (c.line_id) c.line_id, c.price, c.discount FROM contracts_lineconditions c
                 JOIN all_lines l ON l.id = c.line_id WHERE c.start <= l.day
                 ORDER BY c.line_id, c.start DESC, c.id DESC
               ), lines AS (
                 SELECT l.id, l.day, coalesce(c.discount, l.discount) AS discount
                 FROM all_lines l LEFT JOIN conditions c ON c.line_id = l.id
                 WHERE CASE WHEN c.line_id IS NULL THEN l.price IS NULL ELSE c.price IS NULL END
               ), terms AS (
                 SELECT DISTINCT ON (s.line_id) s.line_id, s.tariff_line_id FROM contracts_linestretch s
                 JOIN lines ON lines.id = s.line_id WHERE s.effective_from <= lines.day
                 ORDER BY s.line_id, s.effective_from DESC, s.id DESC
               ), quantities AS (
                 SELECT DISTINCT ON (q.line_id) q.line_id, q.quantity FROM contracts_linequantity q
                 JOIN lines ON lines.id = q.line_id WHERE q.start <= lines.day AND q.taken_back_at IS NULL
                 ORDER BY q.line_id, q.start DESC, q.id DESC
               )
               SELECT terms.tariff_line_id, coalesce(quantities.quantity, 1), lines.discount, count(*)
               FROM lines JOIN terms ON terms.line_id = lines.id
               LEFT JOIN quantities ON quantities.line_id = lines.id GROUP BY 1, 2, 3""",
            {"tariff": tariff.pk, "day": day},
        )
        rows: list[tuple[int, Decimal, Decimal, int]] = cursor.fetchall()
        return rows


def monthly(terms: LineTerms, quantity: Decimal, discount: Decimal, own: Decimal | None = None) -> Fraction:
    """What recurs of a line each month, net as its price is: a flat fee, or the price (`own`: the contract's) of the
    booked quantity. Nothing for usage and for what is charged once."""
    if terms.charge == "once":
        return Fraction(0)
    if terms.charge == "usage":
        if not terms.flat_price:
            return Fraction(0)
        fee = Fraction(terms.price if own is None else own)
        return less_percent(fee * Fraction(quantity), discount) * per_month(terms.interval)
    priced = max(Fraction(quantity) - Fraction(terms.included) * Fraction(quantity), Fraction(0))
    price = less_percent(less_percent(cost(terms, priced, own), scale_percent(terms, priced)), discount)
    return price * per_month(terms.price_per)
