"""Reading usage files: from bytes to typed rows and problems. Pure Python, nothing is stored here."""

from taktura.usage.reader.mapping import COLUMNS, Mapping
from taktura.usage.reader.propose import propose
from taktura.usage.reader.read import Table, read, read_rows, table
from taktura.usage.reader.rows import Problem, Row

__all__ = ["COLUMNS", "Mapping", "Problem", "Row", "Table", "propose", "read", "read_rows", "table"]
