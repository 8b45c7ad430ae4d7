"""All that waits of a supplier or a seller, matched again in parts: several at once, each in a connection of its own.

What takes the time is the writing of records, which the database does on one processor for each connection. Parts are
runs of ids, since records that came together lie together.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connection, connections, transaction
from django.db.models import Exists, OuterRef

from taktura.audit.acts import act
from taktura.contracts.services import read_again
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, UsageException, UsageRecord
from taktura.usage.services.links import match_waiting

# As many parts as it takes, and a multiple of those done at once: they end together.
_PARTS = """
WITH waits AS MATERIALIZED (
    SELECT id FROM usage_usagerecord r
    WHERE {of} AND EXISTS (SELECT FROM usage_usageexception e WHERE e.record_id = r.id)
), many AS (
    SELECT ceil(count(*) / (%(size)s * %(lanes)s)::numeric)::integer * %(lanes)s AS parts FROM waits
)
SELECT min(id), max(id), count(*) FROM (
    SELECT id, ntile(parts) OVER (ORDER BY id) AS part FROM waits, many WHERE parts > 0
) x GROUP BY part ORDER BY part
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The records that wait with ids from `lowest` to `highest`; how many there were when it was made."""

    lowest: int
    highest: int
    records: int


def waiting_parts(seller: Seller, supplier: Supplier | None, size: int, lanes: int) -> list[Part]:
    """What waits of a seller, or of one of its suppliers, wholly or in part: in parts of at most `size` records, for
    `lanes` of them at once."""
    of = "supplier_id = %(of)s" if supplier else "seller_id = %(of)s"
    with connection.cursor() as cursor:
        cursor.execute(_PARTS.format(of=of), {"of": (supplier or seller).pk, "size": size, "lanes": lanes})
        return [Part(*row) for row in cursor.fetchall()]


@act
def reprocess_parts(
    actor: Actor, *, seller: Seller, supplier: Supplier | None, parts: Sequence[Part]
) -> list[tuple[int, list[str], set[int]]]:
    """Process parts of what waits of a seller, or of one of its suppliers, again, all at once; gives of each the same
    as `reprocess`.

    This act keeps all others away while they are at work. Each part is a transaction of its own: what is done stays,
    whatever becomes of the others, and an error of one is raised when all have ended.
    """
    read_again(seller)
    with ThreadPoolExecutor(len(parts)) as lanes:
        return list(lanes.map(lambda part: _apart(actor, seller, supplier, part), parts))


def _apart(actor: Actor, seller: Seller, supplier: Supplier | None, part: Part) -> tuple[int, list[str], set[int]]:
    ids = (part.lowest, part.highest)
    waits = Exists(UsageException.objects.filter(record=OuterRef("pk"), record__pk__range=ids))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Whatever says that it is done is written after it; lost in a crash both, it waits as before.
            cursor.execute("SET LOCAL synchronous_commit = off")
            return match_waiting(actor, seller, supplier, UsageRecord.objects.filter(waits, pk__range=ids))
    finally:
        connections.close_all()  # those of this thread
