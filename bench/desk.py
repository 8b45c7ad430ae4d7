"""A desk of several years for the benchmark of pages: tickets with their first message, and worked time."""

from typing import Any

from django.db import connection, transaction

from bench.company import START, Company, on, settle_statistics
from taktura.accounts.services import create_user
from taktura.desk.services import add_activity, add_queue

TICKETS, TIMES = 100_000, 1_000_000
USERS = 12

# Of a hundred tickets eight are not solved yet; of a hundred pieces of time the last two wait for approval.
_TICKETS = """
INSERT INTO desk_ticket (seller_id, number, customer_id, subject, status, priority, queue_id, assignee_id, channel,
    requester_name, requester_email, opened_at, changed_at, folded)
SELECT %(seller)s, 1000 + i, k.ids[1 + i %% cardinality(k.ids)], 'Printer ' || i,
    CASE WHEN i %% 100 < 5 THEN 'open' WHEN i %% 100 < 8 THEN 'waiting' WHEN i %% 100 < 12 THEN 'solved'
        ELSE 'closed' END,
    (ARRAY['low', 'normal', 'normal', 'high', 'urgent'])[1 + i %% 5], q.ids[1 + i %% cardinality(q.ids)],
    u.ids[1 + i %% cardinality(u.ids)], 'office', 'Anna ' || i, 'a' || i || '@c.example',
    %(now)s - make_interval(mins => (%(tickets)s - i) * 15), %(now)s - make_interval(mins => (%(tickets)s - i) * 14),
    1000 + i || ' printer ' || i || ' anna ' || i
FROM generate_series(1, %(tickets)s) i,
    (SELECT array_agg(id ORDER BY id) AS ids FROM customers_customer WHERE seller_id = %(seller)s) k,
    (SELECT array_agg(id ORDER BY id) AS ids FROM desk_queue) q,
    (SELECT array_agg(id ORDER BY id) AS ids FROM accounts_user) u
"""
_MESSAGES = """
INSERT INTO desk_ticketmessage (ticket_id, at, kind, author, text, reference, left_out)
SELECT id, opened_at, 'customer', requester_name, 'It does not print.', '', '[]' FROM desk_ticket
"""
_TIMES = """
INSERT INTO desk_timeentry (customer_id, ticket_id, user_id, worked_on, minutes, billable, activity_id, note, status,
    logged_at, logged_by, approved_at, approved_by, step, rate)
SELECT t.customer_id, t.id, u.ids[1 + i %% cardinality(u.ids)],
    %(today)s::date - ((%(times)s - i) / (%(times)s / 1000 + 1)), 5 + i %% 115, i %% 10 <> 0,
    a.ids[1 + i %% cardinality(a.ids)], '', x.status, %(now)s, 'bench',
    CASE WHEN x.status <> 'submitted' THEN %(now)s END, '', CASE WHEN x.status <> 'submitted' THEN 10 END,
    CASE WHEN x.status <> 'submitted' THEN 90 END
FROM generate_series(1, %(times)s) i
CROSS JOIN LATERAL (SELECT CASE WHEN i > %(times)s - %(times)s / 50 THEN 'submitted'
    WHEN i %% 10 = 0 THEN 'approved' ELSE 'billed' END AS status) x
JOIN desk_ticket t ON t.number = 1000 + 1 + i %% %(tickets)s,
    (SELECT array_agg(id ORDER BY id) AS ids FROM accounts_user) u,
    (SELECT array_agg(id ORDER BY id) AS ids FROM desk_activity) a
"""


def add_desk(company: Company, tickets: int = TICKETS, times: int = TIMES) -> None:
    """Give a company so many tickets and so much worked time, of its customers, spread over nearly three years."""
    actor = on(START)
    for name in ("First level", "On site"):
        add_queue(actor, seller=company.seller, name=name)
    for name in ("Telephone", "On site", "Travel"):
        add_activity(actor, seller=company.seller, name=name, billable=True)
    for number in range(USERS):
        create_user(
            actor, email=f"t{number}@example.com", name=f"Technician {number}", role="technician",
            password="a-fine-long-word-7",
        )  # fmt: skip
    values: dict[str, Any] = {
        "seller": company.seller.pk, "tickets": tickets, "times": times, "now": actor.now, "today": actor.now.date(),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TICKETS, values)
        cursor.execute(_MESSAGES)
        cursor.execute(_TIMES, values)
    settle_statistics()
