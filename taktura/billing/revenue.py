"""What a tariff brought: the net of issued document lines, by the month of issue."""

from datetime import date

from django.db import connection

from taktura.catalog.models import Tariff


def revenue_by_month(tariff: Tariff, first: date) -> dict[tuple[date, str], int]:
    """The net of all that contracts were billed and credited while under a tariff, in minor units, by the first day of
    the month and the currency, from a day on. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT date_trunc('month', d.issued_on)::date, d.currency,
                      sum(CASE WHEN d.kind = 'credit_note' THEN -l.net ELSE l.net END)
               FROM contracts_contractphase p
               JOIN billing_charge c ON c.contract_id = p.contract_id
                    AND c.first >= p.start AND (p."end" IS NULL OR c.first < p."end")
               JOIN invoices_document d ON d.id = c.document_id
               JOIN invoices_documentline l ON l.id = c.document_line_id
               WHERE p.tariff_id = %s AND d.issued_on >= %s GROUP BY 1, 2""",
            [tariff.pk, first],
        )
        return {(month, currency): int(net) for month, currency, net in cursor.fetchall()}
