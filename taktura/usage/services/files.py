"""Files of suppliers: kept unchanged, read row by row, stored once (house.md, “a usage file”)."""

import hashlib
import io
import json
from collections.abc import Callable, Container, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.bulk import write_bytes
from taktura.usage.models import FileProblem, RefusedFile, Supplier, UsageFile
from taktura.usage.queries import lacks_undone
from taktura.usage.reader import Counts, Mapping, Problem, Row, check_content, read, read_rows
from taktura.usage.services.former import find_former
from taktura.usage.services.identity import Repeats, id_of
from taktura.usage.services.records import digest, numbers_of
from taktura.usage.services.told import Told, keep_told
from taktura.usage.store import Outcome, refused_lines, take_in
from taktura.usage.store.undo import keep_undone

MAX_PROBLEMS_KEPT = 10_000
TELL_ROWS = 20_000
STEPS = ("read", "process", "match", "ready")
Tell = Callable[[str, int], None]  # the step, and how many rows are read
WRITTEN = (
    "rows", "recorded", "duplicates", "conflicts", "waiting", "skipped", "merged", "mapping", "undone_at", "first_day",
    "end_day", "has_calls", "read_at", "ids_as_written",
)  # fmt: skip


@dataclass(slots=True)
class Received:
    """What became of a file or of rows: what was taken in, the rows that could not be read, and the days (`end_day`
    exclusive) that those cover which could."""

    outcome: Outcome
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    file: UsageFile | None = None
    counts: Counts = field(default_factory=Counts)
    first_day: date | None = None
    end_day: date | None = None
    has_calls: bool = False


def keep_file(actor: Actor, *, supplier: Supplier, name: str, content: bytes) -> UsageFile:
    """Keep a supplier's file, unchanged; nothing of it is read yet (`read_file`). The same content again is refused
    (`conflict`), unless nothing of it was taken in before (not read yet, not readable, duplicates or conflicts of
    others, undone): then it is the file that is there. `invalid`: see `check_content`.
    """
    check_content(content)
    sha = hashlib.sha256(content).hexdigest()
    fields = {
        "name": name[:300], "content": b"", "received_at": actor.now,
        "has_calls": Mapping.from_dict(supplier.mapping).is_of_calls,
    }  # fmt: skip
    with transaction.atomic():
        file, made = UsageFile.objects.get_or_create(supplier=supplier, sha256=sha, defaults=fields)
        if not made:
            _refuse_again(file)
        if file.emptied_at is not None:
            file.emptied_at = None
            file.save(update_fields=["emptied_at"])
            made = True
        if made:
            write_bytes(UsageFile._meta.db_table, "content", file.pk, content)
            file.content = content
    return file


def _refuse_again(file: UsageFile) -> None:
    if file.recorded + file.waiting:
        raise Refused("conflict", "This file was loaded already, as “%(name)s”: its usage is there.", name=file.name)


@transaction.atomic
def read_file(
    actor: Actor, *, file: UsageFile, mapping: AbstractMapping[str, Any] | None = None, tell: Tell | None = None
) -> Received:
    """Take the rows of a kept file in, in one step: all that can be read, or, where it is broken off, none. Again only
    while nothing of it is taken in (`conflict`), by a mapping that was corrected meanwhile, or after it was undone.

    A file of which something is taken in, and that repeated rows of an import which was undone since, takes in these
    rows alone. A bad row becomes a problem with its line and reason; it stops no other. `tell` is told the step
    (`STEPS`) and how many rows are read; what it raises stops the import, and nothing of it stays but the file.
    """
    supplier = file.supplier
    # The same file twice at once: one after the other. Others go on while it is read: the act begins in `take_in`.
    Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    file.refresh_from_db(fields=["recorded", "waiting", "duplicates", "emptied_at", "undone_at", "ids_as_written"])
    if file.recorded + file.waiting and lacks_undone(file):
        return _read_missing(actor, file)
    _refuse_again(file)
    if file.emptied_at is not None:
        raise Refused("not_found", "The file is not kept any more: load it again.")
    file.problems.all().delete()
    file.mapping = dict(mapping or supplier.mapping)
    chosen = _chosen(supplier, file.mapping)
    counts, zone = Counts(), ZoneInfo(supplier.time_zone)

    def rows(counts: Counts) -> Iterator[Row | Problem]:
        return read(io.BytesIO(file.content), chosen, zone, counts)

    received = _take(actor, supplier, chosen, rows, file, counts, tell)
    outcome = received.outcome
    file.rows, file.recorded, file.duplicates = received.rows, outcome.recorded, outcome.duplicates
    file.conflicts, file.waiting = outcome.conflicts, len(outcome.exceptions)
    file.skipped, file.merged = counts.skipped, counts.merged
    file.first_day, file.end_day, file.undone_at = received.first_day, received.end_day, None
    file.has_calls, file.read_at = chosen.is_of_calls or received.has_calls, actor.now
    file.ids_as_written = False
    file.save(update_fields=WRITTEN)
    received.file = file
    if file.recorded + file.waiting + file.duplicates:
        of_this_name = RefusedFile.objects.filter(supplier=supplier, name=file.name, settled_at=None)
        of_this_name.update(settled_at=actor.now, settled_by=actor.name)
    record(
        actor,
        "receive_file",
        f"supplier:{supplier.pk}",
        {
            "file": file.name, "sha256": file.sha256, "rows": received.rows, "recorded": outcome.recorded,
            "waiting": file.waiting,
        },
    )  # fmt: skip
    return received


def _read_missing(actor: Actor, file: UsageFile) -> Received:
    """Take those rows of a file in, by the mapping that it was read by, that counted as duplicates of an import which
    was undone since. What it brought itself, and what was withdrawn by hand, stays as it is. Raises `Refused`
    (`conflict`) where there are none."""
    supplier, brought = file.supplier, 0
    chosen = replace(Mapping.from_dict(file.mapping), tells_former=file.ids_as_written)
    counts = Counts()
    received = Received(Outcome(), counts=counts)
    rows = read(io.BytesIO(file.content), chosen, ZoneInfo(supplier.time_zone), counts)

    def alone() -> None:
        nonlocal brought
        brought = keep_undone(file.pk)
        if not brought:
            _refuse_again(file)

    records = _records(supplier, chosen, rows, file, Told(), received)
    outcome = received.outcome = take_in(actor, records, seller=supplier.seller_id, strict=False, staged=alone)
    received.problems, received.file = [], file
    file.recorded, file.waiting = file.recorded + outcome.recorded, file.waiting + len(outcome.exceptions)
    file.duplicates -= brought
    file.save(update_fields=["recorded", "waiting", "duplicates"])
    record(
        actor, "receive_file", f"supplier:{supplier.pk}",
        {"file": file.name, "sha256": file.sha256, "rows": brought, "recorded": outcome.recorded,
         "waiting": len(outcome.exceptions)},
    )  # fmt: skip
    return received


@transaction.atomic
def receive_file(
    actor: Actor, *, supplier: Supplier, name: str, content: bytes, mapping: AbstractMapping[str, Any] | None = None
) -> Received:
    """Keep a supplier's file and take its rows in, at once (`keep_file`, `read_file`)."""
    file = keep_file(actor, supplier=supplier, name=name, content=content)
    file.supplier = supplier
    return read_file(actor, file=file, mapping=mapping)


def _counted(rows: Iterator[Row | Problem], tell: Tell) -> Iterator[Row | Problem]:
    number = 0
    for number, row in enumerate(rows, 1):
        if number % TELL_ROWS == 0:
            tell("read", number)
        yield row
    tell("process", number)


@transaction.atomic
def import_rows(
    actor: Actor,
    *,
    supplier: Supplier,
    rows: Sequence[AbstractMapping[str, Any]],
    mapping: AbstractMapping[str, Any] | None = None,
) -> Received:
    """Take in rows that are parsed already, under the supplier's headings."""
    chosen = _chosen(supplier, mapping or supplier.mapping)
    counts, zone = Counts(), ZoneInfo(supplier.time_zone)
    received = _take(actor, supplier, chosen, lambda counts: read_rows(rows, chosen, zone, counts), None, counts)
    record(
        actor, "import_rows", f"supplier:{supplier.pk}", {"rows": received.rows, "recorded": received.outcome.recorded}
    )
    return received


def _chosen(supplier: Supplier, mapping: AbstractMapping[str, Any]) -> Mapping:
    return replace(Mapping.from_dict(mapping), tells_former=supplier.ids_as_written)


def _take(
    actor: Actor,
    supplier: Supplier,
    mapping: Mapping,
    rows: Callable[[Counts], Iterator[Row | Problem]],
    file: UsageFile | None,
    counts: Counts,
    tell: Tell | None = None,
) -> Received:
    told, received, seller = Told(), Received(Outcome(), counts=counts), supplier.seller
    found = _counted(rows(counts), tell) if tell else rows(counts)
    received.outcome = take_in(
        actor, _records(supplier, mapping, found, file, told, received), seller=seller.pk, strict=False,
        tell=(lambda step: tell(step, received.rows)) if tell else None,
        staged=(lambda: find_former(supplier, file.pk if file else None)) if supplier.ids_as_written else None,
    )  # fmt: skip
    outcome = received.outcome
    for line, external_id in outcome.conflict_rows:
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
    if (outcome.conflicts or outcome.duplicates) and told.is_by(refused := refused_lines()):
        told = _told_without(refused, rows(Counts()))
    keep_told(actor, supplier, told, file)
    return received


def _told_without(refused: Container[int], rows: Iterator[Row | Problem]) -> Told:
    """What the rows but those that were refused say. They are read once more: what stands in all of them may be too
    much to be kept until it is known which are refused."""
    told = Told()
    for row in rows:
        if not isinstance(row, Problem) and row.line not in refused:
            told.listen(row)
    return told


def _records(
    supplier: Supplier,
    mapping: Mapping,
    rows: Iterator[Row | Problem],
    file: UsageFile | None,
    told: Told,
    received: Received,
) -> Iterator[tuple[Any, ...]]:
    """Rows as the store takes them; problems and references are kept beside."""
    source, file_id, supplier_id = f"supplier:{supplier.key}", file.pk if file else None, supplier.pk
    priced, currency, folded = supplier.unit_price_from_import, supplier.currency, told.folded
    repeats, former_repeats = Repeats(mapping.number_repeats), Repeats(mapping.number_repeats)
    first, end, numbers = date.max, date.min, mapping.numbers
    for row in rows:
        if isinstance(row, Problem):
            received.problems.append(row)
            received.rows += not row.of_file
            continue
        received.rows += 1
        received.has_calls = received.has_calls or row.seconds is not None
        first, end = min(first, row.first_day), max(end, row.end_day)
        subscription, product = folded[row.subscription_id], folded[row.product_id]
        told.listen(row)
        money = row.currency.upper()
        known_by = _digest_of(row, subscription, product, money)
        external_id = repeats.told_apart(id_of(row, subscription, product))
        yield (
            source,
            external_id,
            row.revision or 1,
            row.revision is not None,
            known_by,
            None,
            "",
            False,
            supplier_id,
            subscription,
            product,
            row.at,
            row.first_day,
            row.end_day,
            row.is_span and row.seconds is None,
            row.quantity,
            row.seconds,
            row.cost_amount,
            row.amount,
            row.discount,
            money or currency,
            priced,
            json.dumps(row.attributes) if row.attributes else None,
            numbers_of(row.attributes, numbers),
            file_id,
            row.line,
            "",
            priced and row.amount is None,  # nothing says what it would be billed at
            # Before, the case of the currency counted.
            None if money == row.currency else _digest_of(row, subscription, product, row.currency),
            former_repeats.told_apart(row.former_id) if row.former_id else None,
        )
    if end > first:
        received.first_day, received.end_day = first, end


def _digest_of(row: Row, subscription: str, product: str, currency: str) -> str:
    """What a row is known again by. The currency is in capitals, as it is stored."""
    content: tuple[Any, ...] = (
        subscription, product, row.at, row.first_day, row.end_day, row.quantity, row.cost_amount, row.amount, currency,
    )  # fmt: skip
    if row.seconds is not None or row.attributes is not None:
        content += (row.seconds, row.attributes)  # rows without them are known by a digest without them
    return digest(content)
