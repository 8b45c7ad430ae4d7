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
from taktura.kit.language import translate
from taktura.usage.looking import Look, look
from taktura.usage.models import FileProblem, UsageFile
from taktura.usage.queries import file_by_id
from taktura.usage.reader import Problem
from taktura.usage.services import Received
from taktura.usage.trace import content_of

router = Router()
MOST_FILE_BYTES = 100 * 1024**2
MOST_PROBLEMS = 100
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
    documents: list[int] = Field(description="ids of interim bills by threshold")
    preview: LookOut | None = None


class RowsIn(In):
    """Rows of a supplier import, under our columns or the headings of the mapping."""

    rows: list[dict[Text100, Cell]] = Field(min_length=1, max_length=10_000)
    mapping: MappingBody | None = None


class FileOut(Out):
    """A file as it was received."""

    id: int
    name: str
    sha256: str
    received_at: datetime
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


class Undone(Out):
    """What became of an import that was undone."""

    records: int = Field(description="how many were taken out")


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
    request: HttpRequest, supplier: Key, name: Annotated[Text200, Field(min_length=1)], preview: bool = False
) -> Imported:
    """Load a usage file of the supplier: its bytes are the body, `name` is what it is called.

    Text with a delimiter, XLSX or Parquet, also packed as gzip or zip; which of them is seen by its bytes. It is kept
    unchanged. The same content again is refused (`conflict`). Delimiter and encoding are found out; a bad row becomes
    a problem with its line and reason and stops no other.
    """
    call = call_of(request)
    if preview:
        return _looked_at(call, look(supplier_of(request, supplier), request.body))
    received, issued = billing.receive_file(
        call.actor, supplier=supplier_of(request, supplier), name=name, content=request.body
    )
    return _imported(call, received, [d.id for d in issued])


@endpoint(router, "GET", "/suppliers/{supplier}/files", "usage.view", answer=Files)
def list_files(request: HttpRequest, supplier: Key, limit: Limit = LIMIT, after: After = "") -> Files:
    """The supplier's files, the newest first."""
    rows = UsageFile.objects.filter(supplier=supplier_of(request, supplier)).defer("content")
    items, following = page_of(rows, limit, after, newest_first=True)
    return Files(items=[_file(f) for f in items], next=following)


@endpoint(router, "GET", "/suppliers/{supplier}/files/{int:file}", "usage.view", answer=FileOut, etag=True)
def get_file(request: HttpRequest, supplier: Key, file: Id) -> FileOut:
    """A file, and what became of its rows."""
    return _file(file_by_id(supplier_of(request, supplier), file))


@endpoint(
    router, "POST", "/suppliers/{supplier}/files/{int:file}/undo", "usage.change", answer=Undone,
    codes=("conflict", "closed_period"),
)  # fmt: skip
def undo_import(request: HttpRequest, supplier: Key, file: Id) -> Undone:
    """Undo an import of which nothing is billed: its records are taken out, and the file may be loaded again."""
    found = file_by_id(supplier_of(request, supplier), file)
    return Undone(records=billing.undo_file(call_of(request).actor, file=found))


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
    shown_rows = [ProblemOut(line=p.line, code=p.code, column=p.column, value=p.value, detail=p.text) for p in items]
    return Problems(items=shown_rows, next=following)


def _file(file: UsageFile) -> FileOut:
    return FileOut(**{name: getattr(file, name) for name in FileOut.model_fields})


def _problem(call: Call, problem: Problem) -> ProblemOut:
    detail = translate(problem.message, problem.values, language_of(call.request))
    return ProblemOut(line=problem.line, code=problem.code, column=problem.column, value=problem.value, detail=detail)


def _looked_at(call: Call, found: Look) -> Imported:
    shown = {name: getattr(found, name) for name in LookOut.model_fields if name != "rows"}
    rows = [RowRead(**{name: getattr(row, name) for name in RowRead.model_fields}) for row in found.rows]
    return Imported(
        file=None, rows=0, recorded=0, duplicates=0, conflicts=0, waiting={}, skipped=0, merged=0, documents=[],
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
    )  # fmt: skip
