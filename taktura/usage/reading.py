"""Files that are read, and what waits of a supplier that is matched, in the background: the long work that does it."""

from collections.abc import Iterable
from typing import Any

from taktura.kit.jobs.models import OPEN, Work

FILE, MATCH = "usage_file", "usage_match"  # kinds of long work


def works_of(seller: int, files: Iterable[int]) -> dict[int, Work]:
    """The last work that read each of some files of a seller in the background, by file; one query."""
    rows = Work.objects.filter(kind=FILE, subject=f"seller:{seller}", parameters__file__in=list(files))
    return {work.parameters["file"]: work for work in rows.order_by("pk")}


def is_read(file: Any) -> bool:
    """Whether a file (with its last `work`) is being read just now, or waits for its turn."""
    return file.work is not None and file.work.state in OPEN
