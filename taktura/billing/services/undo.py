"""Undoing an import of which nothing is billed yet."""

from django.db import connection

from taktura.audit.acts import act
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import UsageFile

# A charge of a record's line and days that had seen this revision of it.
_BILLED = """
SELECT d.number FROM usage_usagerecord r JOIN contracts_contractline l ON l.id = r.line_id
JOIN billing_charge c ON c.contract_id = l.contract_id AND c.line_id = r.line_id AND c.first < r.end_day
    AND c."end" > r.day AND (c.proof #>> '{usage,mark}')::bigint >= r.revised
JOIN invoices_document d ON d.id = c.document_id
WHERE r.file_id = %s LIMIT 1
"""


def billed_on(file: UsageFile) -> str:
    """The number of a document on which something of a file is billed; empty where nothing is."""
    with connection.cursor() as cursor:
        cursor.execute(_BILLED, [file.pk])
        found = cursor.fetchone()
    return str(found[0]) if found else ""


@act
def undo_file(actor: Actor, *, file: UsageFile) -> int:
    """Undo an import (`usage.services.undo_file`); gives how many records were taken out.

    Raises `Refused`: `conflict` (something of it is billed, it is undone already, or it replaced records of before),
    `closed_period`.
    """
    number = billed_on(file)
    if number:
        raise Refused(
            "conflict", "Usage of this import is billed on %(number)s: correct it by a file with higher revisions.",
            number=number,
        )  # fmt: skip
    return usage.undo_file(actor, file=file)
