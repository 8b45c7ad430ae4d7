"""The read models of lists of documents and contracts: written by whoever issues, credits or takes a payment, in its
transaction."""

from collections.abc import Iterable

from django.db import connection

COLUMNS = (
    "seller_id", "kind", "number", "customer_id", "contract_id", "issued_on", "issued_at", "due_on", "language",
    "currency", "net", "gross",
)  # fmt: skip

# What is open is the gross less payments and the credit notes that correct only this invoice (as `queries.rests`).
RIGHT = f"""
SELECT x.id AS document_id, {", ".join(f"x.{c}" for c in COLUMNS)}, x.open,
    CASE WHEN x.kind <> 'invoice' THEN '' WHEN x.open <= 0 AND x.payments = 0 AND x.gross > 0 THEN 'credited'
        WHEN x.open <= 0 THEN 'paid' WHEN x.payments > 0 THEN 'partly_paid' ELSE 'open' END AS payment
FROM (
    SELECT d.*, p.payments, CASE WHEN d.kind = 'invoice' THEN d.gross - p.paid - n.credited ELSE 0 END AS open
    FROM invoices_document d
    CROSS JOIN LATERAL (
        SELECT count(*) AS payments, COALESCE(sum(amount), 0) AS paid FROM invoices_payment WHERE document_id = d.id
    ) p
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(note.gross), 0) AS credited FROM invoices_documentreference r
        JOIN invoices_document note ON note.id = r.document_id AND note.kind = 'credit_note'
        WHERE r.corrects_id = d.id AND NOT EXISTS (
            SELECT 1 FROM invoices_documentreference o WHERE o.document_id = note.id AND o.corrects_id <> d.id
        )
    ) n
) x
"""  # noqa: S608

# What is open of a contract: its invoices less its credit notes and what has been paid (as `queries.balance`).
BALANCES = """
SELECT d.contract_id, sum(CASE d.kind WHEN 'invoice' THEN d.gross ELSE -d.gross END - p.paid) AS open
FROM invoices_document d
CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS paid FROM invoices_payment WHERE document_id = d.id) p
WHERE d.contract_id IS NOT NULL {only} GROUP BY d.contract_id
"""
ONLY = "AND d.contract_id IN (SELECT contract_id FROM invoices_document WHERE id = ANY(%s))"


def write_states(documents: Iterable[int]) -> None:
    """Write the rows of documents anew (new ones, and those whose open amount has changed), and what is open of their
    contracts."""
    ids = sorted(set(documents))
    if not ids:
        return
    names = ", ".join(("document_id", *COLUMNS, "open", "payment"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO invoices_documentstate ({names}) {RIGHT} WHERE x.id = ANY(%s)
                ON CONFLICT (document_id) DO UPDATE SET open = EXCLUDED.open, payment = EXCLUDED.payment""",
            [ids],
        )
        cursor.execute(
            f"""INSERT INTO invoices_contractbalance (contract_id, open) {BALANCES.format(only=ONLY)}
                ON CONFLICT (contract_id) DO UPDATE SET open = EXCLUDED.open""",
            [ids],
        )


def wrong_states() -> list[str]:
    """The numbers of documents whose row is missing or does not say what their payments and credit notes say."""
    named = ", ".join(f"s.{c}" for c in (*COLUMNS, "open", "payment"))
    right = ", ".join(f"r.{c}" for c in (*COLUMNS, "open", "payment"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT r.number FROM ({RIGHT}) r LEFT JOIN invoices_documentstate s ON s.document_id = r.document_id
                WHERE ({named}) IS DISTINCT FROM ({right}) ORDER BY r.document_id"""
        )
        return [number for (number,) in cursor.fetchall()]


def wrong_balances() -> list[str]:
    """The keys of contracts of which lists show another open amount than their documents and payments say."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.key FROM ({BALANCES.format(only="")}) r
                FULL JOIN invoices_contractbalance b ON b.contract_id = r.contract_id
                JOIN contracts_contract c ON c.id = COALESCE(r.contract_id, b.contract_id)
                WHERE r.open IS DISTINCT FROM b.open ORDER BY c.id"""
        )
        return [key for (key,) in cursor.fetchall()]
