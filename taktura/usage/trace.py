"""Where a record came from and what it was before: the row of its file, its revisions."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Length

from taktura.core.errors import Refused
from taktura.kit.language import translate
from taktura.usage.models import FileProblem, UsageFile, UsageHistory
from taktura.usage.reader import Mapping, Problem, table

MOST_BYTES = 30_000_000  # of a file that is read for one row of it


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file as it stands there: (heading, cell)."""

    line: int
    cells: list[tuple[str, str]]


def content_of(file: UsageFile) -> bytes:
    """A file as it was received, byte by byte. Raises `Refused` (`not_found`) for one that was emptied."""
    if file.emptied_at is not None:
        raise Refused(
            "not_found", "The content of this file is not kept any more, for the sake of the telephone numbers in it."
        )
    return bytes(UsageFile.objects.values_list("content", flat=True).get(pk=file.pk))


def row_of(file: UsageFile, line: int) -> FileRow | None:
    """A row of a kept file by its line, under the file's headings, by the mapping that it was read by; None where the
    file is too large to look into or was emptied, or its headings are not found."""
    if file.emptied_at is not None:
        return None
    size = UsageFile.objects.filter(pk=file.pk).annotate(size=Length("content")).values_list("size", flat=True).get()
    if size > MOST_BYTES:
        return None
    found = table(content_of(file), Mapping.from_dict(file.mapping or file.supplier.mapping), line)
    cells = next((cells for number, cells in found.rows if number == line), None)
    return FileRow(line, list(zip(found.headings, cells, strict=True))) if cells is not None else None


def revisions(seller: int, source: str, external_id: str) -> QuerySet[UsageHistory]:
    """The revisions of a record that were replaced or withdrawn, the latest first."""
    rows = UsageHistory.objects.filter(seller=seller, source=source, external_id=external_id)
    return rows.order_by("-replaced")


def problem_text(problem: FileProblem, language: str) -> str:
    """A problem's sentence in a language."""
    told = Problem(line=problem.line, code=problem.code, column=problem.column, value=problem.value, **problem.places)
    return translate(told.message, told.values, language)
