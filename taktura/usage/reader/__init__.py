"""Reading usage files: from bytes to typed rows and problems. Pure Python, nothing is stored here."""

from taktura.usage.reader.kinds import ENDINGS, check_content
from taktura.usage.reader.mapping import COLUMNS, NUMBERS_OF_CALLS, Mapping
from taktura.usage.reader.propose import as_ready, propose
from taktura.usage.reader.read import Table, beginning, read, read_rows, table
from taktura.usage.reader.ready import IN_UTC, READY, fitting, named
from taktura.usage.reader.rows import Counts, Problem, Row

__all__ = [
    "COLUMNS",
    "Counts",
    "ENDINGS",
    "IN_UTC",
    "Mapping",
    "NUMBERS_OF_CALLS",
    "Problem",
    "READY",
    "Row",
    "Table",
    "as_ready",
    "beginning",
    "check_content",
    "fitting",
    "named",
    "propose",
    "read",
    "read_rows",
    "table",
]
