"""All that waits of a supplier or a seller, matched again in parts: several at once, each in a connection of its own.

What takes the time is the writing of records, which the database does on one processor for each connection. Parts are
runs of ids, since records that came together lie together.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate

from django.db import connection, connections, transaction
from django.db.models import Exists, OuterRef

from taktura.audit.acts import act
from taktura.contracts.services import read_again
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, UsageException, UsageRecord
from taktura.usage.services.links import match_waiting
from taktura.usage.store import draw_marks

MEMORY = "192MB"  # of each part, at most: what triggers look at of 250,000 records, before and after, fits into it

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

    @property
    def most(self) -> int:
        """More than so many records cannot lie in it."""
        return self.highest - self.lowest + 1


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
    # Each part has marks of its own, in the order of parts, whichever ends first.
    marks = accumulate((part.most for part in parts), initial=draw_marks(sum(part.most for part in parts)))
    with ThreadPoolExecutor(len(parts)) as lanes:
        return list(lanes.map(lambda part, mark: _apart(actor, seller, supplier, part, mark), parts, marks))


def _apart(
    actor: Actor, seller: Seller, supplier: Supplier | None, part: Part, mark: int
) -> tuple[int, list[str], set[int]]:
    ids = (part.lowest, part.highest)
    waits = Exists(UsageException.objects.filter(record=OuterRef("pk"), record__pk__range=ids))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Whatever says that it is done is written after it; lost in a crash both, it waits as before.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(f"SET LOCAL work_mem = '{MEMORY}'")
            return match_waiting(actor, seller, supplier, UsageRecord.objects.filter(waits, pk__range=ids), mark)
    finally:
        connections.close_all()  # those of this thread
