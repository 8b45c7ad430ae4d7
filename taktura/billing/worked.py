"""Approved time between the database and the core: what is due of customers, and its lines on documents (R18)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from taktura.billing.models import BilledTime, TimeCharge, TimeDraw
from taktura.core.desk import Allowance, Before, Place, TimeDue, Worked, time_amount, time_due
from taktura.core.documents import Entry
from taktura.core.facts import LineTerms, Rates, TariffTerms, Tax
from taktura.core.money import fraction_text, places, plain
from taktura.core.periods import DAY, FOREVER
from taktura.core.tax import basis, is_gross, rates_of, vat_on
from taktura.customers.models import Customer
from taktura.customers.queries import tax_of
from taktura.desk.models import Allowance as IncludedHours
from taktura.desk.models import TimeEntry
from taktura.kit.bulk import among, copy_rows, take_ids

Waiting = Mapping[tuple[int, str], "list[TimeBill]"]  # by customer and currency

_WORKS = """
SELECT t.id, t.customer_id, t.ticket_id, k.number, COALESCE(k.subject, ''), t.worked_on, t.minutes, t.step, t.rate,
    t.activity_id, t.note
FROM desk_timeentry t LEFT JOIN desk_ticket k ON k.id = t.ticket_id
WHERE t.customer_id = ANY(%s) AND t.status = 'approved' AND t.billable AND t.worked_on <= %s ORDER BY t.id
"""
_ALSO = """
SELECT t.id, t.customer_id, t.ticket_id, k.number, COALESCE(k.subject, ''), t.worked_on, t.minutes,
    c.round_up_minutes, c.hourly_rate, t.activity_id, t.note
FROM desk_timeentry t JOIN customers_customer c ON c.id = t.customer_id LEFT JOIN desk_ticket k ON k.id = t.ticket_id
WHERE t.customer_id = ANY(%s) AND t.worked_on <= %s AND t.id = ANY(%s) AND t.status = 'submitted' AND t.billable
    AND c.hourly_rate IS NOT NULL ORDER BY t.id
"""
_BEFORE = """
SELECT t.ticket_id, sum(t.minutes)::bigint, sum(b.minutes)::bigint
FROM desk_timeentry t JOIN billing_billedtime b ON b.entry_id = t.id WHERE t.ticket_id = ANY(%s) GROUP BY 1
"""
_BILLED = """
SELECT ticket_id, price, vat_category, vat_rate, sum(minutes)::bigint, sum(amount)::bigint
FROM billing_timecharge WHERE ticket_id = ANY(%s) GROUP BY 1, 2, 3, 4
"""
_USED = """
SELECT d.allowance_id, d.month, sum(d.minutes)::bigint FROM billing_timedraw d
JOIN desk_allowance a ON a.id = d.allowance_id WHERE a.customer_id = ANY(%s) GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBill:
    """What is due of a ticket at one price, or of work without a ticket, with what a document says of it."""

    due: TimeDue
    ticket: int | None
    number: int | None
    title: str
    logged: int
    rate: Decimal
    gross: bool

    @property
    def order(self) -> tuple[int, ...]:
        """Its place among the time on a document: tickets by their number, then what has none."""
        first = self.due.works[0][0]
        return (0, self.number or 0, first) if self.ticket is not None else (1, first, first)

    def entry(self) -> Entry:
        """Its line on a document: rounded minutes at the price of one."""
        _, price, vat = self.due.place
        note: dict[str, object] = {"logged": self.logged, "hourly_rate": str(self.rate)}
        if self.due.drawn:
            note["included_hours"] = self.due.drawn
        return Entry(
            contract=None, title=self.title, kind="time", unit="minute", order=self.order, amount=self.due.amount,
            quantity=Decimal(self.due.minutes), unit_price=plain(price / 60), vat=vat, first=self.due.first,
            end=self.due.last + DAY, note=note,
        )  # fmt: skip


def waiting_time(
    customers: Mapping[int, Customer], on: date, also: Iterable[int] = ()
) -> dict[tuple[int, str], list[TimeBill]]:
    """What is due on a day of the approved time of customers, in a fixed number of queries. `also`: as if that time
    were approved now."""
    ids, more = list(customers), list(also)
    with connection.cursor() as cursor:
        cursor.execute(_WORKS, [ids, on])
        rows = cursor.fetchall()
        if more:
            cursor.execute(_ALSO, [ids, on, more])
            rows += cursor.fetchall()
    if not rows:
        return {}
    tickets = list({row[2] for row in rows if row[2] is not None})
    before, billed = _billed(tickets)
    allowances = allowances_of({row[1] for row in rows})
    of: dict[int, list[tuple[Worked, tuple[int | None, int | None, str], Decimal]]] = {}
    sides: dict[int, tuple[Tax, Rates]] = {}
    for pk, customer, ticket, number, subject, day, minutes, step, rate, activity, note in rows:
        if customer not in sides:
            tax = tax_of(customers[customer])
            sides[customer] = (tax, rates_of(tax, TariffTerms(), LineTerms(article="")))
        tax, rates = sides[customer]
        work = Worked(
            id=pk, group=("ticket", ticket) if ticket is not None else ("work", pk), worked_on=day, minutes=minutes,
            step=step, price=Fraction(rate) * basis(tax, rates, day), vat=vat_on(tax, rates, day), activity=activity,
        )  # fmt: skip
        of.setdefault(customer, []).append((work, (ticket, number, subject or note), rate))
    found = {}
    for customer, works in of.items():
        currency = customers[customer].seller.currency
        digits, gross = places(currency), is_gross(sides[customer][0])
        by_id = {work.id: (work, about, rate) for work, about, rate in works}
        dues = time_due([w for w, _, _ in works], before, billed, allowances.get(customer, ()), digits)
        found[customer, currency] = sorted(
            (_bill(due, by_id, gross=gross) for due in dues), key=lambda bill: bill.order
        )
    return found


def _bill(
    due: TimeDue, works: Mapping[int, tuple[Worked, tuple[int | None, int | None, str], Decimal]], *, gross: bool
) -> TimeBill:
    _, (ticket, number, title), rate = works[due.works[0][0]]
    logged = sum(works[pk][0].minutes for pk, _ in due.works)
    return TimeBill(due=due, ticket=ticket, number=number, title=title, logged=logged, rate=rate, gross=gross)


def _billed(tickets: list[int]) -> tuple[dict[tuple[str, int], Before], dict[Place, tuple[int, int]]]:
    """What of tickets stands on documents: minutes by ticket; minutes and amount by place."""
    if not tickets:
        return {}, {}
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [tickets])
        before = {("ticket", pk): Before(logged, counted) for pk, logged, counted in cursor.fetchall()}
        cursor.execute(_BILLED, [tickets])
        billed = {
            (("ticket", pk), Fraction(price), (category, rate)): (minutes, amount)
            for pk, price, category, rate, minutes, amount in cursor.fetchall()
        }
    return before, billed


def allowances_of(customers: Iterable[int]) -> dict[int, list[Allowance]]:
    """The included hours of customers, with what is used of them."""
    ids = list(customers)
    rows = list(IncludedHours.objects.filter(customer__in=among(ids)).prefetch_related("activities").order_by("id"))
    used: dict[int, dict[int, int]] = {}
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_USED, [ids])
            for pk, month, minutes in cursor.fetchall():
                used.setdefault(pk, {})[month] = minutes
    found: dict[int, list[Allowance]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(
            Allowance(
                id=row.pk, kind=row.kind, minutes=row.minutes, first=row.start, end=row.end or FOREVER, kept=row.kept,
                activities=frozenset(a.pk for a in row.activities.all()), used=used.get(row.pk, {}),
            )
        )  # fmt: skip
    return found


def write_time(rows: Sequence[tuple[int, TimeBill, int, int]]) -> None:
    """Write what was billed: (customer, bill, document, document line) each. Its work is billed with it."""
    if not rows:
        return
    ids = take_ids(TimeCharge._meta.db_table, len(rows))
    copy_rows(
        TimeCharge._meta.db_table,
        ("id", "customer_id", "ticket_id", "price", "vat_category", "vat_rate", "minutes", "amount", "first", "end",
         "document_id", "document_line_id"),
        (
            (pk, customer, bill.ticket, fraction_text(bill.due.place[1]), *bill.due.place[2], bill.due.minutes,
             bill.due.amount, bill.due.first, bill.due.last + DAY, document, line)
            for pk, (customer, bill, document, line) in zip(ids, rows, strict=True)
        ),
    )  # fmt: skip
    works = [(work, pk, minutes) for pk, row in zip(ids, rows, strict=True) for work, minutes in row[1].due.works]
    draws = [
        (pk, d.work, d.allowance, d.month, d.minutes)
        for pk, row in zip(ids, rows, strict=True)
        for d in row[1].due.draws
    ]
    copy_rows(BilledTime._meta.db_table, ("entry_id", "charge_id", "minutes"), works)
    copy_rows(TimeDraw._meta.db_table, ("charge_id", "entry_id", "allowance_id", "month", "minutes"), draws)
    written = TimeEntry.objects.filter(pk__in=among(work for work, _, _ in works), status="approved")
    assert written.update(status="billed") == len(works), "the time is billed already"


def proof_of(charge: TimeCharge) -> dict[str, Any]:
    """How a line of worked time came to its amount; numbers as in other proofs (R18)."""
    works = list(charge.works.values_list("minutes", "entry__minutes"))
    drawn = sum(charge.draws.values_list("minutes", flat=True))
    before, billed = 0, 0
    ticket: dict[str, Any] = {}
    if charge.ticket_id is not None:
        earlier = TimeCharge.objects.filter(
            ticket=charge.ticket_id, price=charge.price, vat_category=charge.vat_category, vat_rate=charge.vat_rate,
            pk__lt=charge.pk,
        )  # fmt: skip
        for minutes, amount in earlier.values_list("minutes", "amount"):
            before, billed = before + minutes, billed + amount
        all_works = BilledTime.objects.filter(charge__ticket=charge.ticket_id, charge__lte=charge.pk)
        sums = list(all_works.values_list("minutes", "entry__minutes"))
        ticket = {"ticket_logged": sum(logged for _, logged in sums), "ticket_rounded": sum(m for m, _ in sums)}
    return {
        "rule": "R18", "logged": sum(logged for _, logged in works), "counted": sum(m for m, _ in works), **ticket,
        "included_hours": drawn, "minutes": charge.minutes, "minutes_before": before, "hour": charge.price,
        "cost": fraction_text(Fraction(before + charge.minutes, 60) * Fraction(charge.price)),
        "expected": charge.amount + billed, "billed_before": billed,
    }  # fmt: skip


def check_time() -> Iterator[str]:
    """What is wrong with billed time, a sentence each: each amount worked out again, each minute accounted for."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id FROM desk_timeentry t LEFT JOIN billing_billedtime b ON b.entry_id = t.id
            WHERE (t.status = 'billed') <> (b.id IS NOT NULL) ORDER BY t.id
            """
        )
        for (pk,) in cursor.fetchall():
            yield f"Worked time {pk}: its state is not what its documents say."
        cursor.execute(
            """
            SELECT c.id, c.ticket_id, c.price, c.vat_category, c.vat_rate, c.minutes, c.amount, d.digits, d.number,
                (SELECT COALESCE(sum(minutes), 0) FROM billing_billedtime b WHERE b.charge_id = c.id)
                - (SELECT COALESCE(sum(minutes), 0) FROM billing_timedraw w WHERE w.charge_id = c.id), l.amount
            FROM billing_timecharge c JOIN invoices_document d ON d.id = c.document_id
            JOIN invoices_documentline l ON l.id = c.document_line_id ORDER BY c.id
            """
        )
        sums: dict[tuple[object, ...], tuple[int, int]] = {}
        for pk, ticket, price, category, rate, minutes, amount, digits, number, counted, shown in cursor.fetchall():
            place = (ticket, price, category, rate) if ticket is not None else (pk,)
            before, billed = sums.get(place, (0, 0))
            sums[place] = (before + minutes, billed + amount)
            right = time_amount(before + minutes, Fraction(price), digits).minor - billed if minutes else 0
            if (amount, minutes) != (right, int(counted)) or abs(shown) != amount:
                yield f"Time on {number}: {amount} does not follow from its minutes and its price."
        cursor.execute(
            """
            SELECT k.number, sum(t.minutes), sum(b.minutes), max(t.step)
            FROM billing_billedtime b
            JOIN desk_timeentry t ON t.id = b.entry_id JOIN desk_ticket k ON k.id = t.ticket_id
            GROUP BY k.id, k.number ORDER BY k.number
            """
        )
        for number, logged, rounded, step in cursor.fetchall():
            if not logged <= rounded < logged + step:
                yield f"Ticket {number}: {logged} minutes are billed as {rounded}."
    customers = IncludedHours.objects.filter(draws__isnull=False).values_list("customer_id", flat=True).distinct()
    for grants in allowances_of(customers).values():
        for grant in grants:
            if grant.overdrawn:
                yield f"Included hours {grant.id}: more was drawn than they hold."
