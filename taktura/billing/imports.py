"""Imports in the background: kept files that are read, and what waits of a supplier that is matched again.

A file is kept in a step of its own; then its rows are read, processed, matched and stored in one (0023). Broken off at
any point, by whatever, the file is there and nothing of its rows: reading begins again, by itself where the worker or
the database died, else by a button.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections, transaction
from procrastinate.contrib.django import app

from taktura.billing.services import match_parts, read_file
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.services import Tell, carry_out, file_of, start
from taktura.usage.models import Supplier, UsageFile
from taktura.usage.reading import FILE, MATCH
from taktura.usage.services import find_contracts, keep_file, note_refusal, waiting_parts

PERCENT = {"read": 0, "process": 60, "match": 70, "ready": 85}  # how far an import is when a step begins
MATCHED_AT_ONCE = 250_000  # records of a part
LANES = 2  # parts of one act: more would wait for each other
IN_BACKGROUND = 50_000  # records that wait: for more of them nobody waits


@transaction.atomic
def start_reading(actor: Actor, *, supplier: Supplier, name: str, content: bytes, origin: str = "office") -> Work:
    """Keep a supplier's file and start to read it in the background. Raises `Refused`: `conflict` while another file of
    the seller is read, or where it is loaded already; `invalid` where it is too large or no text."""
    file = keep_file(actor, supplier=supplier, name=name, content=content)
    return _start(actor, file, supplier, origin)


def read_again(actor: Actor, *, file: UsageFile, origin: str = "office") -> Work:
    """Start to read a kept file in the background. Raises `Refused` (`conflict`) while another of the seller is."""
    return _start(actor, file, file.supplier, origin)


def _start(actor: Actor, file: UsageFile, supplier: Supplier, origin: str) -> Work:
    parameters = {"supplier": supplier.pk, "file": file.pk, "origin": origin}
    return start(actor, kind=FILE, subject=f"seller:{supplier.seller_id}", parameters=parameters, task=read_kept_file)


@app.task(name="read_file", queue="usage", retry=AGAIN)
def read_kept_file(work: int) -> None:
    """A supplier's file that is kept. It is taken in whole or not at all: done again, nothing is twice."""
    carry_out(work, utc_now, _read)


def _read(work: Work, tell: Tell) -> dict[str, Any]:
    actor = Actor(work.actor, utc_now())
    file = _file(work, actor)
    was_last = work.result.get("step") == "ready"  # a try of before got so far
    if was_last and file.read_at is not None and file.read_at >= work.created_at:
        # It took the file in, and died before it could say so; what it issued stands among the documents.
        return _outcome(file, file.problems.count(), [])
    lines = bytes(file.content).count(b"\n")  # of what is packed less than it has

    def told(step: str, rows: int) -> None:
        share = 60 * rows // max(lines, rows * 2 if rows > lines else 1) if step == "read" else 0
        # From another connection: this one is taking rows in, and shows nothing before it has all.
        if not beside.submit(_tell_beside, work.pk, tell, step, rows, PERCENT[step] + min(share, 59)).result():
            raise _Stopped

    try:
        with ThreadPoolExecutor(1) as beside:
            received, issued = read_file(actor, file=file, tell=told)
    except _Stopped:
        return {}
    except Refused as refused:
        origin = work.parameters.get("origin", "office")
        note_refusal(
            actor, supplier=file.supplier, name=file.name, size=len(file.content), origin=origin, refused=refused,
            file=file,
        )  # fmt: skip
        raise
    assert received.file is not None
    return _outcome(received.file, len(received.problems), [document.id for document in issued])


def _outcome(file: UsageFile, problems: int, documents: list[int]) -> dict[str, Any]:
    """What became of a file, as it is kept with it."""
    return {
        "file": file.pk,
        "rows": file.rows,
        "recorded": file.recorded,
        "duplicates": file.duplicates,
        "conflicts": file.conflicts,
        "waiting": file.waiting,
        "problems": problems,
        "documents": documents,
    }


def _file(work: Work, actor: Actor) -> UsageFile:
    """The file to be read. Work that was begun by an earlier version has its file beside it: it is kept first."""
    files = UsageFile.objects.select_related("supplier__seller")
    if "file" in work.parameters:
        return files.get(pk=work.parameters["file"])
    supplier = Supplier.objects.select_related("seller").get(pk=work.parameters["supplier"])
    name, content = file_of(work)
    return files.get(pk=keep_file(actor, supplier=supplier, name=name, content=content).pk)


class _Stopped(Exception):
    """Somebody asked for the import to be stopped: nothing of it stays but the file."""


def _tell_beside(work: int, tell: Tell, step: str, rows: int, percent: int) -> bool:
    try:
        Work.objects.filter(pk=work).update(result={"step": step, "rows": rows})
        return tell(percent, 100)
    finally:
        connections.close_all()  # those of this thread


def start_matching(actor: Actor, *, seller: Seller, supplier: Supplier | None = None) -> Work:
    """Start to match all that waits of a seller, or of one of its suppliers, again, in the background. Raises `Refused`
    (`conflict`) while that is done for the seller."""
    subject, of = f"seller:{seller.pk}", supplier.pk if supplier else None
    return start(actor, kind=MATCH, subject=subject, parameters={"supplier": of, "seller": seller.pk}, task=match_again)


@app.task(name="match_again", queue="usage", retry=AGAIN)
def match_again(work: int) -> None:
    """What waits of a supplier or a seller. It goes by parts, some of them at once: stopped or broken off, those that
    are matched stay so, and done again the rest is."""
    carry_out(work, utc_now, _match)


def _match(work: Work, tell: Tell) -> dict[str, Any]:
    actor, of = Actor(work.actor, utc_now()), work.parameters["supplier"]
    supplier = Supplier.objects.select_related("seller").get(pk=of) if of else None
    seller = supplier.seller if supplier else Seller.objects.get(pk=work.parameters["seller"])
    if supplier is None:
        find_contracts(actor, seller=seller)
    parts, done = waiting_parts(seller, supplier, MATCHED_AT_ONCE, LANES), 0
    total = sum(part.records for part in parts)
    recorded, documents, waiting = 0, list[int](), Counter[str]()
    for begin in range(0, len(parts), LANES):
        chosen = parts[begin : begin + LANES]
        tied = match_parts(actor, seller=seller, supplier=supplier, parts=chosen)
        recorded += tied.recorded
        waiting.update(tied.waiting)
        documents += [document.id for document in tied.issued]
        done += sum(part.records for part in chosen)
        if not tell(done, total):
            break
    counted = {"recorded": recorded, "waiting": waiting.total(), "reasons": dict(sorted(waiting.items()))}
    return {"supplier": of, **counted, "documents": documents}
