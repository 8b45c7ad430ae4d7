"""Whether everything has arrived: counters, suppliers with their last file, how many records came for which day."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from taktura.usage.models import (
    FileProblem,
    ProductReference,
    RefusedFile,
    SubscriptionLink,
    Supplier,
    SupplierCustomer,
    SupplierProduct,
    SupplierSubscription,
    UsageException,
    UsageFile,
    UsageRecord,
)
from taktura.usage.queries import fold
from taktura.usage.reading import is_read, works_of

PERIODS = ("day", "month")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Work that waits, besides the records: how many are unlinked, files since a day with rows not taken in, and files
    that were not loaded."""

    subscriptions: int
    customers: int
    files: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """How many records lie on a day or in a month, and how many of them found their line."""

    start: date
    records: int
    recorded: int


def counters(seller: int, since: datetime) -> Counters:
    """The counters of a seller; four queries."""
    return Counters(
        subscriptions=unlinked(SupplierSubscription.objects.filter(supplier__seller=seller)).count(),
        customers=SupplierCustomer.objects.filter(supplier__seller=seller, customer__isnull=True).count(),
        files=with_problems(UsageFile.objects.filter(supplier__seller=seller, received_at__gte=since)).count(),
        refused=RefusedFile.objects.filter(supplier__seller=seller, settled_at__isnull=True).count(),
    )


def unlinked(rows: QuerySet[SupplierSubscription]) -> QuerySet[SupplierSubscription]:
    """Those that are tied to no contract line."""
    return rows.filter(~Exists(SubscriptionLink.objects.filter(subscription=OuterRef("pk"))))


def with_problems(rows: QuerySet[UsageFile]) -> QuerySet[UsageFile]:
    """Files of which a row could not be taken in."""
    return rows.filter(Exists(FileProblem.objects.filter(file=OuterRef("pk"))))


def suppliers_overview(seller: int) -> list[Any]:
    """The suppliers with their last file (`last`), how many records wait and how many subscriptions are unlinked."""
    suppliers = list(Supplier.objects.filter(seller=seller).order_by("name", "pk"))
    files = UsageFile.objects.filter(supplier__in=suppliers).order_by("supplier", "-received_at", "-pk")
    last = {f.supplier_id: f for f in files.distinct("supplier").defer("content")}
    waiting = waiting_by_supplier(seller)
    free = unlinked(SupplierSubscription.objects.filter(supplier__in=suppliers)).order_by()
    counts = dict(free.values_list("supplier").annotate(number=Count("pk")))
    found: list[Any] = suppliers
    for supplier in found:
        supplier.last = last.get(supplier.pk)
        supplier.waiting, supplier.unlinked = waiting.get(supplier.pk, 0), counts.get(supplier.pk, 0)
    return found


def state_of(file: Any) -> str:
    """How a file (with `problem_count`) stands: all taken in (`good`), some of it `waits`, with `problems` (rows that
    could not be read or conflict), `undone`, or `empty`: nothing of it could be read. One that is kept and not read
    is `unread`, `reading` while the background does it, and `failed` where that failed (its last `work`)."""
    if is_read(file):
        return "reading"
    if file.read_at is None:
        return "failed" if file.work is not None and file.work.state == "failed" else "unread"
    if file.undone_at is not None:
        return "undone"
    if not file.recorded + file.duplicates + file.conflicts + file.waiting:
        return "empty"
    if file.problem_count or file.conflicts:
        return "problems"
    return "waits" if file.waiting else "good"


def count_problems(files: list[Any]) -> None:
    """Say of each file (with its supplier, all of one seller) how many problems it has, in `problem_count`, and which
    `work` read it last in the background, if any; two queries."""
    rows = FileProblem.objects.filter(file__in=[f.pk for f in files]).order_by().values_list("file")
    counts = dict(rows.annotate(number=Count("pk")))
    works = works_of(files[0].supplier.seller_id, [f.pk for f in files]) if files else {}
    for file in files:
        file.problem_count, file.work = counts.get(file.pk, 0), works.get(file.pk)


def known_file(supplier: Supplier, content: bytes) -> UsageFile | None:
    """The file of a supplier with this content, when it was received before."""
    sha = hashlib.sha256(content).hexdigest()
    return UsageFile.objects.defer("content").filter(supplier=supplier, sha256=sha).first()


def repeating(file: UsageFile) -> QuerySet[UsageFile]:
    """The files of the same supplier that were loaded after one and counted duplicates, perhaps of its rows."""
    later = UsageFile.objects.defer("content").filter(supplier=file.supplier_id, received_at__gte=file.received_at)
    return later.filter(duplicates__gt=0, undone_at=None).exclude(pk=file.pk).order_by("pk")


def waiting_of_file(file: UsageFile) -> dict[str, int]:
    """How many records of a file wait now, by reason."""
    rows = UsageException.objects.filter(record__file=file).order_by().values_list("reason")
    return dict(rows.annotate(number=Count("record", distinct=True)))


def waiting_by_supplier(seller: int) -> dict[int | None, int]:
    """How many records wait, by supplier; None: those of no supplier."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT r.supplier_id, count(DISTINCT r.id) FROM usage_usageexception e
               JOIN usage_usagerecord r ON r.id = e.record_id WHERE r.seller_id = %s GROUP BY 1""",
            [seller],
        )
        return dict(cursor.fetchall())


def arrived(seller: int, period: str, first: date, end: date) -> list[Arrived]:
    """The records of each day or month of `[first, end)`, also where there are none."""
    assert period in PERIODS
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT date_trunc(%s, day)::date, sum(records), sum(recorded) FROM usage_usageday
               WHERE seller_id = %s AND day >= %s AND day < %s GROUP BY 1""",
            [period, seller, first, end],
        )
        known = {start: (int(records), int(recorded)) for start, records, recorded in cursor.fetchall()}
    found, at = [], first
    while at < end:
        records, recorded = known.get(at, (0, 0))
        found.append(Arrived(start=at, records=records, recorded=recorded))
        at = at + timedelta(days=1) if period == "day" else (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    return found


def waiting_of_subscriptions(rows: list[SupplierSubscription]) -> dict[int, int]:
    """How many records wait for each of some subscriptions without a line; one query, by an index."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.id, count(*) FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS s(id, supplier, folded)
               JOIN usage_usagerecord r ON r.supplier_id = s.supplier AND r.subscription = s.folded
               WHERE r.line_id IS NULL GROUP BY 1""",
            [[r.pk for r in rows], [r.supplier_id for r in rows], [r.folded for r in rows]],
        )
        return dict(cursor.fetchall())


def write_products(records: Iterable[UsageRecord]) -> None:
    """Say of records (with their product folded, as it is compared) how the supplier writes it, in `written`."""
    rows: list[Any] = [row for row in records if row.supplier_id is not None and row.product]
    known = products_as_written([(row.supplier_id, row.subscription, row.product) for row in rows])
    for row in rows:
        row.written = known.get((row.supplier_id, row.product), row.product)


def products_as_written(named: list[tuple[int, str, str]]) -> dict[tuple[int, str], str]:
    """How suppliers write products, of (supplier, subscription, product) folded: as their last import has it; those of
    earlier versions as their subscription has it, else as it was said for which article it stands. Three queries."""
    if not named:
        return {}
    suppliers, products = {of for of, _sub, _product in named}, {product for _of, _sub, product in named}
    references = ProductReference.objects.filter(supplier__in=suppliers, folded__in=products)
    known = {(of, folded): text for of, folded, text in references.values_list("supplier", "folded", "product")}
    its = SupplierSubscription.objects.filter(supplier__in=suppliers, folded__in={sub for _of, sub, _product in named})
    known |= {(of, fold(text)): text for of, text in its.order_by("pk").values_list("supplier", "product")}
    told = SupplierProduct.objects.filter(supplier__in=suppliers, folded__in=products)
    return known | {(of, folded): text for of, folded, text in told.values_list("supplier", "folded", "product")}


def sources(seller: int) -> list[str]:
    """Where a seller's records come from; by hops over the index of identities, however many records there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE hop AS (
                   (SELECT source FROM usage_usagerecord WHERE seller_id = %(seller)s ORDER BY source LIMIT 1)
                   UNION ALL
                   SELECT (SELECT r.source FROM usage_usagerecord r WHERE r.seller_id = %(seller)s
                       AND r.source > hop.source ORDER BY r.source LIMIT 1) FROM hop WHERE hop.source IS NOT NULL)
               SELECT source FROM hop WHERE source IS NOT NULL LIMIT 1000""",
            {"seller": seller},
        )
        return [row[0] for row in cursor.fetchall()]


def text_of(rows: QuerySet[Any], text: str, *names: str) -> QuerySet[Any]:
    """Rows of which one of the fields named holds a text, without regard to case."""
    asked = Q()
    for name in names:
        asked |= Q(**{f"{name}__icontains": text})
    return rows.filter(asked)
