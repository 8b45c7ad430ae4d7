"""Usage files of suppliers: bytes in, rows in, what became of them."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Router
from pydantic import Field, StrictInt

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Id, In, Key, Number, Out, Text100, Text200, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import language_of
from taktura.api.v1.suppliers import MappingBody, counted, supplier_of
from taktura.billing import services as billing
from taktura.billing.imports import read_again, start_reading
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.services import stop
from taktura.kit.language import translate
from taktura.usage.looking import Look, look
from taktura.usage.models import FileProblem, RefusedFile, UsageFile
from taktura.usage.overview import count_problems, repeating, state_of
from taktura.usage.queries import file_by_id
from taktura.usage.reader import Problem
from taktura.usage.reading import works_of
from taktura.usage.services import Received, settle_refusals
from taktura.usage.trace import content_of, problem_text
from taktura.usage.unpriced import unpriced_of_file

router = Router()
MOST_FILE_BYTES = 100 * 1024**2
MOST_PROBLEMS = 100
MOST_REPEATING = 100
FILES = (
    "text/csv",
    "text/plain",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/gzip",
    "application/zip",
)
Cell = str | StrictInt | Number | None


class ProblemOut(Out):
    """A row that could not be read, or that conflicts with a stored one."""

    line: int | None
    code: str
    column: str
    value: str
    detail: str


class RowRead(Out):
    """A row as it would be read; days are local days, `end_day` is exclusive."""

    line: int
    id: str
    customer_id: str
    subscription_id: str
    product_id: str
    first_day: date
    end_day: date
    quantity: Told | None
    seconds: int | None
    cost_amount: Told | None
    amount: Told | None
    currency: str
    attributes: dict[str, str] | None


class LookOut(Out):
    """A file's beginning as it would be read: at most the first 1,000 rows are counted, the first 20 shown."""

    headings: list[str]
    proposed: dict[str, Any] = Field(description="a mapping by its headings and contents")
    ready: str = Field(description="the name of the ready mapping that this is; empty: none")
    used: dict[str, Any] = Field(description="the mapping that the rows are read by: the supplier's, else the proposed")
    rows: list[RowRead]
    good: int
    bad: int
    skipped: int = Field(description="rows that a condition leaves out")
    merged: int = Field(description="further legs of calls")


class Imported(Out):
    """What became of rows; `problems` are at most 100, `more_problems` says how many more there are. With
    `?preview=true` nothing did, and `preview` says how the file would be read."""

    file: int | None
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: dict[str, int] = Field(description="by reason")
    problems: list[ProblemOut]
    more_problems: int
    skipped: int = Field(description="rows that a condition of the mapping leaves out")
    merged: int = Field(description="further legs of calls")
    unpriced: int | None = Field(
        description="rows that lack the price or cost that their line is billed by, and are billed at 0; null: rows of"
        " no file, or nothing is read yet"
    )
    documents: list[int] = Field(description="ids of interim bills by threshold")
    preview: LookOut | None = None


class RowsIn(In):
    """Rows of a supplier import, under our columns or the headings of the mapping."""

    rows: list[dict[Text100, Cell]] = Field(min_length=1, max_length=10_000)
    mapping: MappingBody | None = None


class Progress(Out):
    """How far the background is with a file, or how it ended."""

    state: str = Field(description="waiting, running, done, failed, stopped")
    step: str | None = Field(description="that is under way: read, process, match, ready; null: none")
    rows: int = Field(description="that are read so far")
    percent: int
    stop_requested: bool
    error: str = Field(description="why it failed, in the language asked for; empty: it did not")


class FileOut(Out):
    """A file as it was received."""

    id: int
    name: str
    sha256: str
    received_at: datetime
    state: str = Field(
        description="good (all taken in), waits (some of it), problems (rows could not be read or conflict), empty"
        " (nothing could be read), undone, reading (in the background), unread (kept, and not read), failed"
    )
    read_at: datetime | None = Field(description="when its rows were taken in; null: they were not yet")
    background: Progress | None = Field(description="what reads it in the background, or did so last")
    rows: int
    recorded: int
    duplicates: int
    conflicts: int
    waiting: int
    skipped: int = Field(description="rows that a condition of the mapping left out")
    merged: int = Field(description="further legs of calls")
    undone_at: datetime | None
    emptied_at: datetime | None = Field(description="its content was removed, for the telephone numbers in it")
    mapping: dict[str, Any] = Field(description="what it was read by")


class FileWithRows(FileOut):
    """A file as it was received, with what its rows lack."""

    unpriced: int = Field(
        description="rows that lack the price (imported_price) or cost (cost_plus) that their line is billed by, and"
        " are billed at 0"
    )


class RefusedFileOut(Out):
    """A file that came by a watched folder, by mail or to the background, and was not loaded."""

    id: int
    name: str
    size: int = Field(description="bytes")
    origin: str = Field(description="folder, mail, office, api")
    at: datetime
    code: str
    detail: str = Field(description="why, and what to do, in the language asked for")
    file: int | None = Field(description="the file that is kept: itself, or the one that it repeats")
    settled_at: datetime | None = Field(description="when somebody looked at it, or a file of its name was loaded")


class RefusedFiles(Out):
    """A page of files that were not loaded."""

    items: list[RefusedFileOut]
    next: str | None


class Settled(Out):
    """How many of the files were still open."""

    files: int


class SettleIn(In):
    """Files that were not loaded, and were looked at."""

    ids: list[Id] = Field(min_length=1, max_length=1000)


class Repeating(Out):
    """A file that counted duplicates, perhaps of rows that were taken out now: it does not bring them by itself."""

    file: int
    name: str
    duplicates: int


class Undone(Out):
    """What became of an import that was undone."""

    records: int = Field(description="how many were taken out")
    repeating: list[Repeating] = Field(
        description="later files of the supplier that counted duplicates, the earliest first, at most 100: read again"
        " they bring what they lack now"
    )


class Files(Out):
    """A page of files."""

    items: list[FileOut]
    next: str | None


class Problems(Out):
    """A page of a file's problems."""

    items: list[ProblemOut]
    next: str | None


@endpoint(
    router, "POST", "/suppliers/{supplier}/import_usage", "usage.change", answer=Imported, most_bytes=16 * 1024**2,
    codes=("conflict",),
)  # fmt: skip
def import_usage(request: HttpRequest, supplier: Key, body: RowsIn) -> Imported:
    """Take in rows of the supplier that are parsed already; a bad row stops no other."""
    call = call_of(request)
    received, issued = billing.import_rows(
        call.actor, supplier=supplier_of(request, supplier), rows=body.rows, mapping=body.mapping
    )
    return _imported(call, received, [d.id for d in issued])


@endpoint(
    router, "POST", "/suppliers/{supplier}/files", "usage.change", answer=Imported, status=201, raw=FILES,
    most_bytes=MOST_FILE_BYTES, codes=("conflict",),
)  # fmt: skip
def upload_file(
    request: HttpRequest,
    supplier: Key,
    name: Annotated[Text200, Field(min_length=1)],
    preview: bool = False,
    background: bool = False,
) -> Imported:
    """Load a usage file of the supplier: its bytes are the body, `name` is what it is called.

    Text with a delimiter, XLSX or Parquet, also packed as gzip or zip; which of them is seen by its bytes. It is kept
    unchanged. The same content again is refused (`conflict`). Delimiter and encoding are found out; a bad row becomes
    a problem with its line and reason and stops no other.

    `background`: it is kept at once and read by the worker; the answer names the file, which tells how far it is.
    """
    call = call_of(request)
    if preview:
        return _looked_at(call, look(supplier_of(request, supplier), request.body))
    if background:
        work = start_reading(
            call.actor, supplier=supplier_of(request, supplier), name=name, content=request.body, origin="api"
        )
        return _nothing(file=work.parameters["file"])
    received, issued = billing.receive_file(
        call.actor, supplier=supplier_of(request, supplier), name=name, content=request.body
    )
    return _imported(call, received, [d.id for d in issued])


@endpoint(router, "GET", "/suppliers/{supplier}/files", "usage.view", answer=Files)
def list_files(request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = "") -> Files:
    """The supplier's files, the newest first."""
    rows = UsageFile.objects.filter(supplier=supplier_of(request, supplier)).defer("content")
    items, following = page_of(rows.select_related("supplier"), limit, after, newest_first=True)
    count_problems(items)
    return Files(items=[FileOut(**_told(request, f)) for f in items], next=following)


@endpoint(router, "GET", "/suppliers/{supplier}/files/{int:file}", "usage.view", answer=FileWithRows, etag=True)
def get_file(request: HttpRequest, supplier: Key, file: Id) -> FileWithRows:
    """A file, and what became of its rows."""
    return _one(request, supplier, file)


@endpoint(
    router, "POST", "/suppliers/{supplier}/files/{int:file}/read", "usage.change", answer=Imported, codes=("conflict",)
)  # fmt: skip
def read_file(request: HttpRequest, supplier: Key, file: Id, background: bool = False) -> Imported:
    """Read a kept file by the supplier's present mapping: one that is not read yet, that was undone, or of which
    nothing could be read. Of one that brought something, those rows that it lacks since another import was undone.
    `background`: by the worker; the file tells how far it is."""
    call, found = call_of(request), file_by_id(supplier_of(request, supplier), file)
    if background:
        return _nothing(file=read_again(call.actor, file=found, origin="api").parameters["file"])
    received, issued = billing.read_file(call.actor, file=found)
    return _imported(call, received, [d.id for d in issued])


@endpoint(router, "POST", "/suppliers/{supplier}/files/{int:file}/stop", "usage.change", answer=FileWithRows)
def stop_reading(request: HttpRequest, supplier: Key, file: Id) -> FileWithRows:
    """Stop what reads the file in the background: the file stays, and none of its rows is taken in. Where nothing reads
    it, nothing happens."""
    found = file_by_id(supplier_of(request, supplier), file)
    work = works_of(found.supplier.seller_id, [found.pk]).get(found.pk)
    if work is not None and work.is_open:
        stop(work=work)
    return _one(request, supplier, file)


@endpoint(router, "GET", "/suppliers/{supplier}/refused_files", "usage.view", answer=RefusedFiles)
def list_refused_files(
    request: HttpRequest, supplier: Key, settled: bool | None = None, limit: Limit = LIMIT, after: After = ""
) -> RefusedFiles:
    """The supplier's files that were not loaded, and why, the newest first. `settled`: those that somebody has looked
    at, or those that are still to be."""
    rows = RefusedFile.objects.filter(supplier=supplier_of(request, supplier))
    if settled is not None:
        rows = rows.filter(settled_at__isnull=not settled)
    items, following = page_of(rows, limit, after, newest_first=True)
    language = language_of(request)
    told = [
        RefusedFileOut(
            id=r.pk, name=r.name, size=r.size, origin=r.origin, at=r.at, code=r.code, file=r.file_id,
            settled_at=r.settled_at, detail=translate(r.text, r.values, language),
        )
        for r in items
    ]  # fmt: skip
    return RefusedFiles(items=told, next=following)


@endpoint(router, "POST", "/suppliers/{supplier}/refused_files/settle", "usage.change", answer=Settled)
def settle_refused_files(request: HttpRequest, supplier: Key, body: SettleIn) -> Settled:
    """Say that files that were not loaded were looked at: they are not counted any more. Others' ids are passed
    over."""
    call, of = call_of(request), supplier_of(request, supplier)
    mine = RefusedFile.objects.filter(supplier=of, pk__in=body.ids).values_list("pk", flat=True)
    return Settled(files=settle_refusals(call.actor, seller=call.seller, refusals=mine))


@endpoint(
    router, "POST", "/suppliers/{supplier}/files/{int:file}/undo", "usage.change", answer=Undone,
    codes=("conflict", "closed_period"),
)  # fmt: skip
def undo_import(request: HttpRequest, supplier: Key, file: Id) -> Undone:
    """Undo an import of which nothing is billed: its records are taken out, and the file may be loaded again."""
    found = file_by_id(supplier_of(request, supplier), file)
    count = billing.undo_file(call_of(request).actor, file=found)
    rows = repeating(found)[:MOST_REPEATING]
    return Undone(records=count, repeating=[Repeating(file=f.pk, name=f.name, duplicates=f.duplicates) for f in rows])


@endpoint(
    router, "GET", "/suppliers/{supplier}/files/{int:file}/content", "usage.view", answer=None,
    media="application/octet-stream",
)  # fmt: skip
def get_file_content(request: HttpRequest, supplier: Key, file: Id) -> HttpResponse:
    """A file as it was received, byte by byte; `not_found` once it was emptied (`emptied_at`)."""
    found = file_by_id(supplier_of(request, supplier), file)
    answer = HttpResponse(content_of(found), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@endpoint(router, "GET", "/suppliers/{supplier}/files/{int:file}/problems", "usage.view", answer=Problems)
def list_problems(request: HttpRequest, supplier: Key, file: Id, limit: Limit = LIMIT, after: After = "") -> Problems:
    """The rows of a file that could not be read, or that conflict with stored ones; at most 10,000 are kept."""
    rows = FileProblem.objects.filter(file=file_by_id(supplier_of(request, supplier), file))
    items, following = page_of(rows, limit, after)
    language = language_of(request)
    shown_rows = [
        ProblemOut(line=p.line, code=p.code, column=p.column, value=p.value, detail=problem_text(p, language))
        for p in items
    ]
    return Problems(items=shown_rows, next=following)


def _one(request: HttpRequest, supplier: str, file: int) -> FileWithRows:
    found = file_by_id(supplier_of(request, supplier), file)
    count_problems([found])
    return FileWithRows(**_told(request, found), unpriced=unpriced_of_file(found))


def _told(request: HttpRequest, file: UsageFile) -> dict[str, Any]:
    stored = {name: getattr(file, name) for name in FileOut.model_fields if name not in ("state", "background")}
    work = file.work  # type: ignore[attr-defined]  # of `count_problems`
    return {**stored, "state": state_of(file), "background": _progress(request, work) if work else None}


def _progress(request: HttpRequest, work: Work) -> Progress:
    refused, is_open = work.result.get("refused"), work.is_open
    error = translate(refused["text"], refused["values"], language_of(request)) if refused else work.error
    return Progress(
        state=work.state, step=work.result.get("step") if is_open else None, rows=work.result.get("rows", 0),
        percent=100 if work.state == "done" else work.done, stop_requested=work.stop_requested,
        error=error if work.state == "failed" else "",
    )  # fmt: skip


def _nothing(*, file: int | None = None, **more: Any) -> Imported:
    """What became of a file of which nothing is read yet."""
    return Imported(
        file=file, rows=0, recorded=0, duplicates=0, conflicts=0, waiting={}, skipped=0, merged=0, unpriced=None,
        documents=[],
        **{"problems": [], "more_problems": 0, **more},
    )  # fmt: skip


def _problem(call: Call, problem: Problem) -> ProblemOut:
    detail = translate(problem.message, problem.values, language_of(call.request))
    return ProblemOut(line=problem.line, code=problem.code, column=problem.column, value=problem.value, detail=detail)


def _looked_at(call: Call, found: Look) -> Imported:
    shown = {name: getattr(found, name) for name in LookOut.model_fields if name != "rows"}
    rows = [RowRead(**{name: getattr(row, name) for name in RowRead.model_fields}) for row in found.rows]
    return _nothing(
        problems=[_problem(call, p) for p in found.problems], more_problems=max(0, found.bad - len(found.problems)),
        preview=LookOut(rows=rows, **shown),
    )  # fmt: skip


def _imported(call: Call, received: Received, documents: list[int]) -> Imported:
    outcome = received.outcome
    return Imported(
        file=received.file.pk if received.file else None, rows=received.rows, recorded=outcome.recorded,
        duplicates=outcome.duplicates, conflicts=outcome.conflicts, waiting=counted(outcome.exceptions),
        problems=[_problem(call, p) for p in received.problems[:MOST_PROBLEMS]],
        more_problems=max(0, len(received.problems) - MOST_PROBLEMS), documents=documents,
        skipped=received.counts.skipped, merged=received.counts.merged,
        unpriced=unpriced_of_file(received.file) if received.file else None,
    )  # fmt: skip
