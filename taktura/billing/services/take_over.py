"""Contracts of another system, taken over from a table: a row for each contract line. Every row has its verdict before
anything is written; then all contracts are written, or those whose rows are right."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, BinaryIO

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.reach import monthly
from taktura.catalog.queries import Offered, offered, tariff_line_terms
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.contracts.services import Moved, MovedLine
from taktura.contracts.services.signing import PlannedContract
from taktura.core.errors import Refused
from taktura.core.money import minor, places
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import number
from taktura.usage.reader import Mapping as Reading
from taktura.usage.reader import table
from taktura.usage.reader.kinds import Broken, opened, typed_rows
from taktura.usage.services import check_content

OF_CONTRACT = ("contract", "customer", "tariff", "start", "billed_until", "end", "terms_from")
OF_LINE = ("article", "quantity", "price", "discount", "reason", "minimum_quantity", "note")
COLUMNS = (*OF_CONTRACT, *OF_LINE)
NEEDED = ("contract", "customer", "tariff", "start")
DAYS = ("start", "billed_until", "end", "terms_from")
CONDITIONS = ("price", "discount", "minimum_quantity")
MOST_ROWS = 20_000
MOST_BYTES = 4_000_000
MOST_CHARACTERS = {"contract": 100, "reason": 200}
FIRST_YEAR, LAST_YEAR = 1900, 2199
Headings = Callable[[Sequence[str]], list[str]]
BAD_LINE = Refused("invalid", "The line cannot be read: check quotes and the number of its cells.")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: its line, its cells by column; `broken`: why it cannot be read."""

    line: int
    cells: Mapping[str, Any] = field(default_factory=dict)
    broken: Refused | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a row. `refused`: what is wrong with it; `of_contract`: another row of its contract is wrong."""

    line: int
    contract: str
    article: str
    refused: Refused | None = None
    of_contract: bool = False

    @property
    def good(self) -> bool:
        """Whether it is taken over."""
        return self.refused is None and not self.of_contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """What a table brings: every row's verdict, how many contracts are right and how many are not, and what the right
    ones bring each month by currency (net as prices are, in minor units, without usage). `written`: it is done."""

    rows: list[Verdict]
    contracts: int
    wrong: int
    monthly: dict[str, int]
    written: bool = False


def rows_of(content: bytes, columns_of: Headings | None = None) -> list[Row]:
    """The rows of a file. Raises `Refused` (`invalid`) for what is no table, too large, or has other columns.

    `columns_of` gives the columns that a file's headings stand for; left out: those of contracts.
    """
    columns_of = columns_of or _headings
    if len(content) > MOST_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB: split it.", most=MOST_BYTES // 1_000_000)
    check_content(content)
    try:
        kind, stream, damaged = opened(content)
        if damaged:
            raise Broken(damaged)
        if kind == "text":
            return _text_rows(stream.read(), columns_of)
        return _typed_rows(kind, stream, columns_of)
    except Broken:
        raise Refused("invalid", "The file is damaged: send it again.") from None


def _text_rows(content: bytes, columns_of: Headings) -> list[Row]:
    found = table(content, Reading.from_dict({}), MOST_ROWS + 1)
    headings = columns_of(found.headings)
    rows = [Row(line, dict(zip(headings, cells, strict=True))) for line, cells in found.rows]
    return _checked(sorted([*rows, *_lost(content, found.rows)], key=lambda r: r.line))


def _typed_rows(kind: str, stream: BinaryIO, columns_of: Headings) -> list[Row]:
    """The rows of the first sheet with any; cells beyond the headings must be empty."""
    headings: list[str] = []
    rows = []
    for line, typed in typed_rows(kind, stream, None):
        cells = ["" if cell is None else str(cell).strip() for cell in typed]
        if not any(cells):
            continue
        if not headings:
            headings = columns_of(cells)
        elif any(cells[len(headings) :]):
            rows.append(Row(line, broken=BAD_LINE))
        else:
            rows.append(Row(line, dict(zip(headings, cells, strict=False))))
        if len(rows) > MOST_ROWS:
            break
    if not headings:
        columns_of(headings)
    return _checked(rows)


def _headings(names: Iterable[str]) -> list[str]:
    headings = [name.strip().casefold().replace(" ", "_") for name in names]
    check_columns(headings)
    return headings


def _checked(rows: list[Row]) -> list[Row]:
    if not rows:
        raise Refused("invalid", "The file has no rows: export it again.")
    if len(rows) > MOST_ROWS:
        raise Refused("invalid", "The file has more than %(most)s rows: split it.", most=MOST_ROWS)
    return rows


def _lost(content: bytes, rows: Sequence[tuple[int, list[str]]]) -> Iterable[Row]:
    """The lines of a text that are no row: with too many or too few cells, or a quote that is never closed."""
    read = {line + i for line, cells in rows for i in range(1 + sum(cell.count("\n") for cell in cells))}
    for line, text in enumerate(content.splitlines()[1:], 2):
        if line not in read and text.strip(b" \t,;|\0\r"):
            yield Row(line, broken=BAD_LINE)


def check_columns(headings: Iterable[str]) -> None:
    """Raise `Refused` (`invalid`) for a column that is missing, unknown, or there twice."""
    known = Counter(headings)
    for name in NEEDED:
        if not known[name]:
            raise Refused("invalid", "The file has no column “%(column)s”.", column=name)
    for name, count in known.items():
        if name not in COLUMNS:
            raise Refused(
                "invalid", "The file has a column “%(column)s” that nobody knows; known are: %(known)s.",
                column=name[:100], known=", ".join(COLUMNS),
            )  # fmt: skip
        if count > 1:
            raise Refused("invalid", "The file has the column “%(column)s” more than once.", column=name)


def look_at_takeover(actor: Actor, *, seller: Seller, rows: Sequence[Row]) -> Takeover:
    """What taking a table over would do; writes nothing. In a fixed number of queries."""
    return _planned(actor, seller, rows)[0]


@act
def take_over(actor: Actor, *, seller: Seller, rows: Sequence[Row], leave_out: bool = False) -> Takeover:
    """Sign the contracts of a table, all in one transaction. `leave_out`: those with wrong rows are left out; else they
    keep all from being written (`invalid`). A contract whose number is taken is wrong: the same table twice signs
    nothing the second time."""
    found, planned = _planned(actor, seller, rows)
    if any(row.broken for row in rows):
        raise Refused("invalid", "Some lines cannot be read, and nobody knows whose contract they belong to: correct"
                                 " them first.")  # fmt: skip
    if found.wrong and not leave_out:
        raise Refused("invalid", "Rows of %(count)s contracts are wrong: correct them, or leave these contracts out.",
                      count=found.wrong)  # fmt: skip
    if not planned:
        raise Refused("invalid", "There is no contract to take over.")
    contracts.write_moved(actor, planned)
    record(actor, "take_over_contracts", f"seller:{seller.pk}", {"contracts": len(planned), "left_out": found.wrong})
    return Takeover(rows=found.rows, contracts=found.contracts, wrong=found.wrong, monthly=found.monthly, written=True)


def _planned(actor: Actor, seller: Seller, rows: Sequence[Row]) -> tuple[Takeover, list[PlannedContract]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(text_of(row, "contract"), []).append(row)
    known = _Known.load(seller, rows, groups)
    verdicts: list[Verdict] = []
    planned: list[PlannedContract] = []
    wrong = 0
    for key, group in groups.items():
        told: dict[int, Refused] = {row.line: row.broken for row in group if row.broken is not None}
        if not told:
            try:
                planned.append(_plan(actor, key, group, known, told))
            except Refused as refused:
                if not told:
                    told[group[0].line] = refused
        wrong += bool(told)
        verdicts += [
            Verdict(row.line, key, text_of(row, "article"), told.get(row.line), bool(told) and row.line not in told)
            for row in group
        ]
    verdicts.sort(key=lambda v: v.line)
    return Takeover(rows=verdicts, contracts=len(planned), wrong=wrong, monthly=_monthly(planned)), planned


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows name, loaded at once."""

    customers: dict[str, Customer]
    tariffs: dict[str, Offered]
    taken: set[str]

    @classmethod
    def load(cls, seller: Seller, rows: Sequence[Row], groups: Iterable[str]) -> "_Known":
        named = {text_of(row, "customer") for row in rows}
        found = Customer.objects.select_related("seller", "billing_information").filter(seller=seller, key__in=named)
        taken = Contract.objects.filter(seller=seller, key__in=list(groups)).values_list("key", flat=True)
        return cls({c.key: c for c in found}, offered(seller.pk, {text_of(row, "tariff") for row in rows}), set(taken))


def _plan(actor: Actor, key: str, group: Sequence[Row], known: _Known, told: dict[int, Refused]) -> PlannedContract:
    """The contract of a group of rows; what is wrong with a row stands in `told`, the first of it is raised."""
    if not key:
        told |= {row.line: Refused("invalid", "The row names no contract: fill “contract”.") for row in group}
        raise next(iter(told.values()))
    if "/" in key or not key.isprintable():
        raise Refused("invalid", "The number “%(key)s” has signs that no address can hold.", key=key)
    if key in known.taken:
        raise Refused("conflict", "There is a contract “%(key)s” already: choose another key.", key=key)
    lines = []
    for row in group:
        try:
            line = _line(row)
        except Refused as refused:
            told[row.line] = refused
            continue
        if line is not None:
            lines.append(line)
    if told:
        raise next(iter(told.values()))
    shared = {name: _shared(group, name, told) for name in OF_CONTRACT}
    days = {name: day_of(shared[name], name) for name in DAYS}
    customer, tariff = known.customers.get(shared["customer"]), known.tariffs.get(shared["tariff"])
    if customer is None:
        raise Refused("not_found", "There is no customer “%(key)s”.", key=shared["customer"])
    if tariff is None:
        raise Refused("not_found", "There is no tariff “%(key)s”.", key=shared["tariff"])
    if days["start"] is None:
        raise Refused("invalid", "The row has no start: fill “start”.")
    return contracts.plan_moved(
        actor,
        Moved(
            key=key, customer=customer, offered=tariff, start=days["start"], billed_until=days["billed_until"],
            end=days["end"], terms_from=days["terms_from"], lines=lines,
        ),
    )  # fmt: skip


def _shared(group: Sequence[Row], name: str, told: dict[int, Refused]) -> str:
    """What all rows of a contract say; one that says nothing says the same."""
    first = ""
    for row in group:
        value = text_of(row, name)
        if first and value and value != first:
            told[row.line] = Refused(
                "invalid", "The rows of the contract differ in “%(column)s”: “%(first)s” and “%(value)s”.",
                column=name, first=first, value=value,
            )  # fmt: skip
            raise told[row.line]
        first = first or value
    return first


def _line(row: Row) -> MovedLine | None:
    """The line that a row speaks of; None: only of the contract."""
    article = text_of(row, "article")
    quantity = number_of(row, "quantity")
    own = {name: number_of(row, name) for name in CONDITIONS}
    conditions: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    for name, most in MOST_CHARACTERS.items():
        if len(text_of(row, name)) > most:
            raise Refused("invalid", "“%(column)s” has more than %(most)s characters.", column=name, most=most)
    if text_of(row, "reason"):
        conditions["reason"] = text_of(row, "reason")
    if not article:
        if quantity is not None or conditions or text_of(row, "note"):
            raise Refused("invalid", "The row names no article: fill “article”.")
        return None
    if quantity is not None and quantity <= 0:
        raise Refused("invalid", "“%(column)s” must be more than 0.", column="quantity")
    return MovedLine(article=article, quantity=quantity, conditions=conditions, memo=text_of(row, "note"))


def text_of(row: Row, name: str) -> str:
    """A cell of a row, without blanks around it."""
    value = row.cells.get(name)
    return "" if value is None else str(value).strip()


def number_of(row: Row, name: str) -> Decimal | None:
    """A cell of a row as a number, with a decimal point or comma; raises `Refused` (`invalid`)."""
    text = text_of(row, name)
    if not text:
        return None
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    try:
        return number(plain, name)
    except Refused:
        raise Refused("invalid", "“%(value)s” in %(column)s is no number: write it as in 1234.50.",
                      value=text[:100], column=name) from None  # fmt: skip


def day_of(text: str, name: str) -> date | None:
    """A text as a day, as in 2026-01-31 or 31.1.2026; raises `Refused` (`invalid`)."""
    if not text:
        return None
    german = _GERMAN.fullmatch(text)
    try:
        found = date(int(german[3]), int(german[2]), int(german[1])) if german else date.fromisoformat(text[:10])
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Refused("invalid", "“%(value)s” in %(column)s is no day: write it as in 2026-01-31.",
                      value=text[:100], column=name) from None  # fmt: skip
    return found


def _monthly(planned: Iterable[PlannedContract]) -> dict[str, int]:
    """What contracts bring each month, by currency, each sum rounded once."""
    sums: dict[str, Fraction] = {}
    for one in planned:
        known = tariff_line_terms(line.stretches[0].tariff_line_id for line in one.lines)
        for line in one.lines:
            terms, row = known[line.stretches[0].tariff_line_id], line.line
            each = monthly(terms, line.quantity, Decimal(row.discount), row.price)
            sums[one.contract.currency] = sums.get(one.contract.currency, Fraction(0)) + each
    return {currency: minor(value, places(currency)) for currency, value in sorted(sums.items())}
