"""Files of suppliers: kept unchanged, read row by row, stored once (house.md, “a usage file”)."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.bulk import upsert_rows
from taktura.usage.models import FileProblem, Supplier, SupplierSubscription, UsageFile
from taktura.usage.queries import fold
from taktura.usage.reader import Mapping, Problem, Row, read, read_rows
from taktura.usage.services.records import digest
from taktura.usage.store import Outcome, take_in

KEY = ("supplier_id", "folded")
SUBSCRIPTION = (
    "customer_reference", "name", "description", "start", "end", "product", "product_name", "unit", "quantity",
)  # fmt: skip
MAX_PROBLEMS_KEPT = 10_000
MAX_FILE_BYTES = 400_000_000  # PostgreSQL keeps at most 1 GB in one value, and takes it as text of twice the length
# How files begin that hold others: zip (also XLSX and ODS), 7z, rar; tar says so further on.
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
TARS, TAR_AT = (b"ustar\x0000", b"ustar  \x00"), 257  # of POSIX, of GNU; no text holds them
# gzip, compress, bzip2, xz, Zstandard, LZ4
PACKED = (b"\x1f\x8b", b"\x1f\x9d", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")


@dataclass(slots=True)
class Received:
    """What became of a file or of rows: what was taken in, the rows that could not be read, and the days (`end_day`
    exclusive) that those cover which could."""

    outcome: Outcome
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    file: UsageFile | None = None
    first_day: date | None = None
    end_day: date | None = None


def check_content(content: bytes) -> None:
    """Raise `Refused` (`invalid`) for more than `MAX_FILE_BYTES`, and for what is no text. Nothing is unpacked here:
    a small file that unpacks to a huge one does no harm."""
    if len(content) > MAX_FILE_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB: split it.", most=MAX_FILE_BYTES // 1_000_000)
    if content.startswith(ARCHIVES) or content[TAR_AT : TAR_AT + 8] in TARS:
        raise Refused("invalid", "This is an archive or a workbook: unpack it, or save the sheet as CSV.")
    if content.startswith(PACKED):
        raise Refused("invalid", "This file is packed: unpack it first.")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused("invalid", "This is a workbook: save the sheet as CSV.")
    if content.startswith(b"%PDF-"):
        raise Refused("invalid", "This is a PDF: ask the supplier for the figures as CSV.")
    if content.startswith(b"PAR1"):
        raise Refused("invalid", "This is a Parquet file: ask the supplier for the figures as CSV.")


@transaction.atomic
def receive_file(
    actor: Actor, *, supplier: Supplier, name: str, content: bytes, mapping: AbstractMapping[str, Any] | None = None
) -> Received:
    """Keep a supplier's file and take its rows in. The same content again is refused (`conflict`), unless none of its
    rows could be taken in before: then it is read again, by a mapping that was corrected meanwhile.

    A bad row becomes a problem with its line and reason; it stops no other. `invalid`: see `check_content`.
    """
    check_content(content)
    # The same file twice at once: one after the other. Others go on while it is read: the act begins in `take_in`.
    Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    sha = hashlib.sha256(content).hexdigest()
    known = UsageFile.objects.filter(supplier=supplier, sha256=sha).first()
    if known is not None and known.recorded + known.duplicates + known.conflicts + known.waiting:
        raise Refused("conflict", "This file was loaded already, as “%(name)s”: its usage is there.", name=known.name)
    if known is not None:
        known.problems.all().delete()
    file = known or UsageFile.objects.create(
        supplier=supplier, name=name[:300], sha256=sha, content=content, received_at=actor.now
    )
    chosen = Mapping.from_dict(mapping or supplier.mapping)
    received = _take(actor, supplier, read(io.BytesIO(content), chosen, ZoneInfo(supplier.time_zone)), file)
    outcome = received.outcome
    file.rows, file.recorded, file.duplicates = received.rows, outcome.recorded, outcome.duplicates
    file.conflicts, file.waiting = outcome.conflicts, len(outcome.exceptions)
    file.first_day, file.end_day = received.first_day, received.end_day
    file.save(update_fields=["rows", "recorded", "duplicates", "conflicts", "waiting", "first_day", "end_day"])
    received.file = file
    record(
        actor,
        "receive_file",
        f"supplier:{supplier.pk}",
        {"file": name, "sha256": sha, "rows": received.rows, "recorded": outcome.recorded, "waiting": file.waiting},
    )
    return received


@transaction.atomic
def import_rows(
    actor: Actor,
    *,
    supplier: Supplier,
    rows: Iterable[AbstractMapping[str, Any]],
    mapping: AbstractMapping[str, Any] | None = None,
) -> Received:
    """Take in rows that are parsed already, under the supplier's headings."""
    chosen = Mapping.from_dict(mapping or supplier.mapping)
    received = _take(actor, supplier, read_rows(rows, chosen, ZoneInfo(supplier.time_zone)), None)
    record(
        actor, "import_rows", f"supplier:{supplier.pk}", {"rows": received.rows, "recorded": received.outcome.recorded}
    )
    return received


def _take(actor: Actor, supplier: Supplier, rows: Iterator[Row | Problem], file: UsageFile | None) -> Received:
    seen = _Seen()
    received = Received(Outcome())
    seller = supplier.seller
    received.outcome = take_in(actor, _records(supplier, rows, file, seen, received), seller=seller.pk, strict=False)
    for line, external_id in received.outcome.conflict_rows:
        received.problems.append(Problem(line=line, code="conflict", column="id", value=external_id))
    if file is not None:
        FileProblem.objects.bulk_create(
            (
                FileProblem(
                    file=file,
                    line=p.line,
                    code=p.code,
                    column=p.column[:100],
                    value=p.value,
                    text=p.text(),
                    places=p.places,
                )
                for p in received.problems[:MAX_PROBLEMS_KEPT]
            ),
            batch_size=2000,
        )
    _keep_references(supplier, seen)
    return received


@dataclass(slots=True)
class _Seen:
    """What a file says of the supplier's customers and subscriptions: the last row of each."""

    customers: dict[str, tuple[str, str]] = field(default_factory=dict)
    subscriptions: dict[str, Row] = field(default_factory=dict)


def _records(
    supplier: Supplier, rows: Iterator[Row | Problem], file: UsageFile | None, seen: _Seen, received: Received
) -> Iterator[tuple[Any, ...]]:
    """Rows as the store takes them; problems and references are kept beside."""
    source, file_id, supplier_id = f"supplier:{supplier.key}", file.pk if file else None, supplier.pk
    priced, currency, folded = supplier.unit_price_from_import, supplier.currency, _Folded()
    subscriptions = seen.subscriptions
    first, end = date.max, date.min
    for row in rows:
        if isinstance(row, Problem):
            received.problems.append(row)
            received.rows += not row.of_file
            continue
        received.rows += 1
        first, end = min(first, row.first_day), max(end, row.end_day)
        subscription, product = folded[row.subscription_id], folded[row.product_id]
        if row.customer_id:
            seen.customers[folded[row.customer_id]] = (row.customer_id, row.customer_name)
        subscriptions[subscription] = row
        content = (
            subscription,
            product,
            row.at,
            row.first_day,
            row.end_day,
            row.quantity,
            row.cost_amount,
            row.amount,
            row.currency,
        )
        external_id = row.id or f"{subscription}|{product}|{row.first_day}|{row.end_day}"
        yield (
            source,
            external_id,
            row.revision or 1,
            row.revision is not None,
            digest(content),
            None,
            "",
            False,
            supplier_id,
            subscription,
            product,
            row.at,
            row.first_day,
            row.end_day,
            row.is_span,
            row.quantity,
            None,
            row.cost_amount,
            row.amount,
            row.currency.upper() or currency,
            priced,
            None,
            file_id,
            row.line,
            "",
            priced and row.amount is None,  # nothing says what it would be billed at
        )
    if end > first:
        received.first_day, received.end_day = first, end


class _Folded(dict[str, str]):
    """References folded once each."""

    def __missing__(self, key: str) -> str:
        value = self[key] = fold(key)
        return value


def _keep_references(supplier: Supplier, seen: _Seen) -> None:
    """Make or update the supplier's customers and subscriptions, if the supplier says so."""
    if supplier.create_customers and seen.customers:
        customers = (
            (supplier.pk, folded, reference, name[:300]) for folded, (reference, name) in seen.customers.items()
        )
        columns = (*KEY, "reference", "name")
        upsert_rows("usage_suppliercustomer", columns, customers, key=KEY, update=["name"])
    known = set(seen.subscriptions)
    if not supplier.create_subscriptions:
        known &= set(SupplierSubscription.objects.filter(supplier=supplier).values_list("folded", flat=True))
    subscriptions = (_subscription(supplier, folded, seen.subscriptions[folded]) for folded in sorted(known))
    names = (*KEY, "reference", *SUBSCRIPTION)
    upsert_rows("usage_suppliersubscription", names, subscriptions, key=KEY, update=SUBSCRIPTION)


def _subscription(supplier: Supplier, folded: str, row: Row) -> tuple[Any, ...]:
    return (
        supplier.pk,
        folded,
        row.subscription_id,
        row.customer_id,
        row.subscription_name[:300],
        row.subscription_description,
        row.subscription_start,
        row.subscription_end,
        row.product_id,
        row.product_name[:300],
        row.unit[:100],
        row.quantity,
    )
