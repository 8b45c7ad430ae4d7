"""Folders that are watched: files that another program puts there are loaded as uploads are.

The folders lie below one that the operator names (`TAKTURA_USAGE_FOLDER`); a supplier has the name of one. A file is
taken once it stood unchanged from one look to the next, and moved to `done` or, with the reason beside it, to `failed`.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from taktura.audit.services import record
from taktura.billing.services.interim import receive_file
from taktura.core.errors import Refused
from taktura.customers.languages import language_of
from taktura.kit.actor import Actor
from taktura.kit.language import text_of
from taktura.usage.models import Supplier, UsageFile, WatchedFile
from taktura.usage.overview import known_file
from taktura.usage.reader import ENDINGS
from taktura.usage.reader.kinds import MAX_FILE_BYTES
from taktura.usage.services import note_refusal
from taktura.usage.services.refusals import nothing_read

DONE, FAILED = "done", "failed"
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".filepart")
MOST_AT_ONCE = 100  # files of a supplier that a look takes; the next one goes on


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into the folders did: files that were loaded, and that could not be."""

    loaded: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it lies there."""

    path: Path
    size: int
    changed: int  # nanoseconds


def look_into_folders(now: datetime) -> Looked:
    """Look into the folder of each supplier that has one; a folder that cannot be read stops no other."""
    found = Looked()
    if settings.USAGE_FOLDER is None:
        return found
    for supplier in Supplier.objects.select_related("seller").exclude(folder="").order_by("pk"):
        found = _look(supplier, settings.USAGE_FOLDER / supplier.folder, now, found)
    return found


def _look(supplier: Supplier, folder: Path, now: datetime, found: Looked) -> Looked:
    there = {one.path.name: one for one in _files(folder)}
    known = {row.name: row for row in WatchedFile.objects.filter(supplier=supplier)}
    gone = [row.pk for name, row in known.items() if name not in there]
    WatchedFile.objects.filter(pk__in=gone).delete()
    for name, one in sorted(there.items())[:MOST_AT_ONCE]:
        row = known.get(name)
        if row is None or (row.size, row.changed) != (one.size, one.changed):
            WatchedFile.objects.update_or_create(
                supplier=supplier, name=name,
                defaults={"size": one.size, "changed": one.changed, "seen_at": now, "loaded": False, "why": ""},
            )  # fmt: skip
            continue
        if not row.loaded and not row.why:  # else it could not be moved before, which is all that is left to do
            _load(supplier, one, row, now)
            found = replace(found, failed=found.failed + bool(row.why), loaded=found.loaded + (not row.why))
        if _move(one.path, folder / (FAILED if row.why else DONE), row.why):
            row.delete()
    return found


def _files(folder: Path) -> Iterator[_Seen]:
    """The files of a folder that may be whole: no links, nothing hidden, none that says that it is not."""
    try:
        entries = list(os.scandir(folder))
    except OSError:  # not there yet, or not for us
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
            continue
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:  # gone meanwhile
            continue
        if stat.S_ISREG(about.st_mode):
            yield _Seen(Path(entry.path), about.st_size, about.st_mtime_ns)


def _load(supplier: Supplier, one: _Seen, row: WatchedFile, now: datetime) -> None:
    """Load a file, and note it in the same step: a worker that dies before the file is moved does not load it again.
    Why it cannot be loaded is kept in `why`, in the language of the company's country."""
    actor = Actor(f"folder:{supplier.folder}", now)
    name, content = "".join(c for c in one.path.name if c.isprintable())[:200], b""
    try:
        if not name.lower().endswith(ENDINGS):
            raise Refused("invalid", "Files that end in %(endings)s can be loaded.", endings=", ".join(ENDINGS))
        content = _content(one)
        with transaction.atomic():
            received, _issued = receive_file(actor, supplier=supplier, name=name, content=content)
            row.loaded = True
            file = received.file
            assert file is not None
            if not file.recorded + file.waiting + file.duplicates + file.conflicts:
                _refuse(actor, supplier, row, name, nothing_read(), file)
            row.save(update_fields=["loaded", "why"])
    except Refused as refused:
        known = known_file(supplier, content) if content else None
        with transaction.atomic():
            _refuse(actor, supplier, row, name, refused, known)
            row.save(update_fields=["loaded", "why"])


def _refuse(
    actor: Actor, supplier: Supplier, row: WatchedFile, name: str, refused: Refused, file: UsageFile | None
) -> None:
    """Say why a file is not loaded: in the log, in the lists of the office and the API, and beside it."""
    note_refusal(
        actor, supplier=supplier, name=name, size=row.size, origin="folder", refused=refused, file=file
    )  # fmt: skip
    record(actor, "refuse_folder_file", f"supplier:{supplier.pk}", {"file": name, "why": text_of(refused, "en")})
    row.why = text_of(refused, language_of(supplier.seller.country))


def _content(one: _Seen) -> bytes:
    """The bytes of a file. Raises `Refused` (`invalid`) where it is too large or cannot be read."""
    if one.size > MAX_FILE_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB: split it.", most=MAX_FILE_BYTES // 1_000_000)
    try:
        with os.fdopen(os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Refused(
            "invalid", "The file cannot be read: give the user that Taktura runs as the right to.", field="file"
        ) from error


def _move(file: Path, folder: Path, why: str) -> bool:
    """Into a folder, under a name that is free there, with the reason beside it; whether that went."""
    try:
        folder.mkdir(exist_ok=True)
        free, number = folder / file.name, 1
        while free.exists() or free.is_symlink():
            number += 1
            free = folder / f"{file.stem}-{number}{file.suffix}"
        if why:
            free.with_name(f"{free.name}.reason.txt").write_text(f"{why}\n", "utf-8")
        file.rename(free)
    except OSError:
        return False
    return True
