"""Reports over a period: time that waits, hours worked, what customers bring. Each is a fixed number of queries.

Nothing is estimated: worked hours have no cost, since nobody has said one, and amounts of different currencies are
never added.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from taktura.core.errors import Refused
from taktura.core.money import Money, half_up, money, places

AGES = (7, 30, 90)  # days; the last group is older
HOURS_BY = ("customer", "user", "activity")
MOST_DAYS = 3 * 366  # of a period
ZERO = Fraction(0)

# Submitted time waits for approval; approved time of a customer whose billing information lacks waits for a bill.
_WAITING = """
SELECT k.id, k.key, k.name, k.hourly_rate, t.status, t.rate, count(*),
    sum(t.minutes), COALESCE(sum(t.minutes) FILTER (WHERE t.billable), 0), min(t.worked_on)
FROM desk_timeentry t JOIN customers_customer k ON k.id = t.customer_id
WHERE k.seller_id = %(seller)s AND NOT k.complete
    AND (t.status = 'submitted' OR (t.status = 'approved' AND t.billable))
    AND t.worked_on >= %(first)s AND t.worked_on < %(end)s
GROUP BY k.id, t.status, t.rate
"""
_UNAPPROVED = """
SELECT k.id, k.key, k.name, k.complete, count(*), min(t.worked_on), sum(t.minutes),
    COALESCE(sum(t.minutes) FILTER (WHERE t.worked_on > %(week)s), 0),
    COALESCE(sum(t.minutes) FILTER (WHERE t.worked_on <= %(week)s AND t.worked_on > %(month)s), 0),
    COALESCE(sum(t.minutes) FILTER (WHERE t.worked_on <= %(month)s AND t.worked_on > %(quarter)s), 0),
    COALESCE(sum(t.minutes) FILTER (WHERE t.worked_on <= %(quarter)s), 0)
FROM desk_timeentry t JOIN customers_customer k ON k.id = t.customer_id
WHERE k.seller_id = %(seller)s AND t.status = 'submitted' AND t.worked_on >= %(first)s AND t.worked_on < %(end)s
GROUP BY k.id ORDER BY min(t.worked_on), k.folded, k.id
"""
_NAMES = {
    "customer": ("t.customer_id", "customers_customer", "n.name", "n.key"),
    "user": ("t.user_id", "accounts_user", "COALESCE(NULLIF(n.name, ''), n.email)", "n.email"),
    "activity": ("t.activity_id", "desk_activity", "n.name", "n.name"),
}
_HOURS = """
SELECT x.id, {name}, {key}, x.month, x.minutes, x.billable FROM (
    SELECT {of} AS id, date_trunc('month', t.worked_on)::date AS month, sum(t.minutes) AS minutes,
        COALESCE(sum(t.minutes) FILTER (WHERE t.billable), 0) AS billable
    FROM desk_timeentry t JOIN customers_customer k ON k.id = t.customer_id
    WHERE k.seller_id = %(seller)s AND t.worked_on >= %(first)s AND t.worked_on < %(end)s GROUP BY 1, 2
) x LEFT JOIN {table} n ON n.id = x.id
"""
_REVENUE = """
SELECT customer_id, currency, sum(CASE WHEN kind = 'credit_note' THEN -net ELSE net END), count(*)
FROM invoices_documentstate WHERE seller_id = %(seller)s AND issued_on >= %(first)s AND issued_on < %(end)s
GROUP BY 1, 2
"""
# Cost stands on the customer of the contract line, else on that of the supplier customer; a row with a span counts by
# its days in the period. Converted amounts count in the currency that they were converted to.
_COST = """
SELECT COALESCE(c.customer_id, p.customer_id), COALESCE(r.rate_to, r.currency), r.rate_over, r.rate_under,
    CASE WHEN r.is_span THEN r.end_day - r.day ELSE 1 END AS total,
    sum(COALESCE(r.cost_amount, r.amount, 0) * CASE WHEN r.is_span
        THEN LEAST(r.end_day, %(end)s) - GREATEST(r.day, %(first)s) ELSE 1 END)
FROM usage_usagerecord r
LEFT JOIN contracts_contractline l ON l.id = r.line_id
LEFT JOIN contracts_contract c ON c.id = l.contract_id
LEFT JOIN usage_suppliersubscription s
    ON r.line_id IS NULL AND s.supplier_id = r.supplier_id AND s.folded = r.subscription AND s.customer_folded <> ''
LEFT JOIN usage_suppliercustomer p ON p.supplier_id = s.supplier_id AND p.folded = s.customer_folded
WHERE r.seller_id = %(seller)s AND r.supplier_id IS NOT NULL AND r.day < %(end)s AND r.end_day > %(first)s
    AND (r.day >= %(first)s OR r.is_span) AND COALESCE(c.customer_id, p.customer_id) IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""
_WORKED = """
SELECT t.customer_id, sum(t.minutes) FROM desk_timeentry t JOIN customers_customer k ON k.id = t.customer_id
WHERE k.seller_id = %(seller)s AND t.worked_on >= %(first)s AND t.worked_on < %(end)s GROUP BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTime:
    """A customer's time that waits for billing information. `worth`: the billable minutes at the hourly rate, as they
    were logged (before they are rounded up and included hours are drawn); None: there is no rate."""

    pk: int
    key: str
    name: str
    pieces: int
    minutes: int
    billable: int
    worth: Decimal | None
    oldest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UnapprovedTime:
    """A customer's time that waits for approval: minutes in all, and by age (`AGES`, in days, then older)."""

    pk: int
    key: str
    name: str
    complete: bool
    pieces: int
    oldest: date
    minutes: int
    ages: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Hours:
    """Minutes of a customer, a user or an activity (`pk` None: of none), by the first day of the month."""

    pk: int | None
    key: str
    name: str
    minutes: int = 0
    billable: int = 0
    months: dict[date, int] = field(default_factory=dict)
    billable_months: dict[date, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerResult:
    """What a customer brought in a currency: net of the documents issued, cost of what suppliers delivered, and the
    minutes worked (with its first currency alone). `margin` is revenue less cost."""

    pk: int
    key: str
    name: str
    currency: str
    documents: int
    revenue: Decimal
    cost: Decimal
    minutes: int

    @property
    def margin(self) -> Decimal:
        """Revenue less cost of suppliers."""
        return self.revenue - self.cost


def check_period(first: date, end: date) -> None:
    """Raise `Refused` (`invalid`) for `[first, end)` the wrong way round, or longer than three years."""
    if end <= first:
        raise Refused("invalid", "The period ends before it begins.", field="until")
    if (end - first).days > MOST_DAYS:
        raise Refused("invalid", "A report covers at most three years: choose a shorter period.", field="until")


def time_without_billing_information(seller: int, currency: str, first: date, end: date) -> list[WaitingTime]:
    """Time worked in a period for customers who cannot be billed, the most minutes first; one query."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in _rows(_WAITING, seller, first, end):
        found[row[0]].append(row)
    size, listed = places(currency), []
    for pk, rows in found.items():
        worth: Fraction | None = ZERO
        for _pk, _key, _name, hourly, status, kept, _pieces, _minutes, billable, _oldest in rows:
            rate = hourly if status == "submitted" else kept
            if billable and rate is None:
                worth = None
            elif billable and worth is not None:
                worth += Fraction(rate) * billable / 60
        listed.append(
            WaitingTime(
                pk=pk, key=rows[0][1], name=rows[0][2], pieces=sum(r[6] for r in rows),
                minutes=sum(int(r[7]) for r in rows), billable=sum(int(r[8]) for r in rows),
                worth=None if worth is None else money(worth, size).exact, oldest=min(r[9] for r in rows),
            )
        )  # fmt: skip
    return sorted(listed, key=lambda r: (-r.minutes, r.name, r.pk))


def unapproved_time(seller: int, today: date, first: date, end: date) -> list[UnapprovedTime]:
    """Time worked in a period that waits for approval, by customer, the oldest first; one query."""
    week, month, quarter = (today - timedelta(days=age) for age in AGES)
    more = {"week": week, "month": month, "quarter": quarter}
    return [
        UnapprovedTime(
            pk=pk, key=key, name=name, complete=complete, pieces=pieces, oldest=oldest, minutes=int(minutes),
            ages=tuple(int(n) for n in ages),
        )
        for pk, key, name, complete, pieces, oldest, minutes, *ages in _rows(_UNAPPROVED, seller, first, end, **more)
    ]  # fmt: skip


def hours_worked(seller: int, first: date, end: date, by: str) -> list[Hours]:
    """Minutes worked in a period by customer, user or activity, and by month; the most first; one query."""
    assert by in HOURS_BY
    of, table, name, key = _NAMES[by]
    found: dict[int | None, Hours] = {}
    query = _HOURS.format(of=of, table=table, name=name, key=key)
    for pk, called, known, month, minutes, billable in _rows(query, seller, first, end):
        one = found.setdefault(pk, Hours(pk=pk, key=known or "", name=called or ""))
        one.minutes += int(minutes)
        one.billable += int(billable)
        one.months[month], one.billable_months[month] = int(minutes), int(billable)
    return sorted(found.values(), key=lambda h: (-h.minutes, h.name, h.pk or 0))


def customer_results(seller: int, first: date, end: date) -> list[CustomerResult]:
    """What customers brought in a period, by customer and currency, the least margin first; four queries."""
    revenue = {(pk, currency): (int(net), n) for pk, currency, net, n in _rows(_REVENUE, seller, first, end)}
    cost: dict[tuple[int, str], Fraction] = defaultdict(Fraction)
    for pk, currency, over, under, total, amount in _rows(_COST, seller, first, end):
        rate = Fraction(over) / Fraction(under) if over is not None else Fraction(1)
        cost[pk, currency] += Fraction(amount) * rate / total
    worked = {pk: int(minutes) for pk, minutes in _rows(_WORKED, seller, first, end)}
    own = _currency_of(seller)
    keys = {key for key in {*revenue, *cost} if revenue.get(key, (0, 0))[1] or cost.get(key)}
    seen = {pk for pk, _currency in keys}
    keys |= {(pk, own) for pk in worked if pk not in seen}
    names = _names({pk for pk, _currency in keys})
    listed = []
    for pk, currency in sorted(keys, key=lambda k: (k[0], k[1] != own, k[1])):
        size, (net, documents) = places(currency), revenue.get((pk, currency), (0, 0))
        listed.append(CustomerResult(
            pk=pk, key=names[pk][0], name=names[pk][1], currency=currency, documents=documents,
            revenue=Money(net, size).exact, cost=Money(half_up(cost[pk, currency] * 10**size), size).exact,
            minutes=worked.pop(pk, 0),
        ))  # fmt: skip
    return sorted(listed, key=lambda r: (r.currency != own, r.currency, r.margin, r.name, r.pk))


def _currency_of(seller: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency FROM customers_seller WHERE id = %s", [seller])
        return str(cursor.fetchone()[0])


def _names(customers: Iterable[int]) -> dict[int, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, key, name FROM customers_customer WHERE id = ANY(%s)", [list(customers)])
        return {pk: (key, name) for pk, key, name in cursor.fetchall()}


def _rows(query: str, seller: int, first: date, end: date, **more: Any) -> list[Any]:
    check_period(first, end)
    with connection.cursor() as cursor:
        cursor.execute(query, {"seller": seller, "first": first, "end": end, **more})
        return list(cursor.fetchall())
