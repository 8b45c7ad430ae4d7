"""What the terminal shows, in its language: tables of documents, problems and exceptions; progress bars."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from taktura.core.money import Money, places
from taktura.kit.language import LANGUAGES, translate

if TYPE_CHECKING:
    from taktura.invoices.models import Document
    from taktura.invoices.services import Ready

FILE_WIDTH = 120  # characters of a line where the output is no terminal


def _console(**options: Any) -> Console:
    """A console as wide as the terminal, or as `FILE_WIDTH`."""
    plain = Console(highlight=False, emoji=False, **options)
    return plain if plain.is_terminal else Console(highlight=False, emoji=False, width=FILE_WIDTH, **options)


console = _console()
errors = _console(stderr=True, soft_wrap=True)
DOCUMENTS_SHOWN = 30
PROBLEMS_SHOWN = 20
KINDS = {"invoice": "invoice", "credit_note": "credit note"}
SUMS = {
    "invoice": "invoices: %(count)s, net %(net)s, gross %(gross)s %(currency)s",
    "credit_note": "credit notes: %(count)s, net %(net)s, gross %(gross)s %(currency)s",
}

# number, kind, contract, customer; net, VAT, gross in minor units; currency
Row = tuple[str, str, str, str, int, int, int, str]
Sums = tuple[str, str, int, int, int]  # kind, currency, how many documents, net and gross in minor units


def terminal_language() -> str:
    """The language that the terminal is set to (`de`, `sv`, else `en`), as programs of the system read it."""
    chosen = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    language = re.split("[._@]", chosen)[0].lower()
    return language if language in LANGUAGES else "en"


def _(message: str, **values: object) -> str:
    """A message in the terminal's language, its places filled."""
    return translate(message, values, terminal_language())


def amount(minor: int, digits: int) -> str:
    """An amount of minor units, with the currency's decimals: 1,234.50."""
    return f"{Money(minor, digits).exact:,}"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for as long as the block runs; what is given is told (done, in all). Nothing where no person looks on."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_documents(documents: "models.QuerySet[Document]", title: str) -> None:
    """Show issued documents: the first `DOCUMENTS_SHOWN` rows, and the sums of all by kind and currency."""
    first = documents.select_related("customer", "contract")[:DOCUMENTS_SHOWN]
    rows: list[Row] = [
        (d.number, d.kind, d.contract.key if d.contract else "", d.customer.name, d.net, d.tax, d.gross, d.currency)
        for d in first
    ]
    sums = documents.values_list("kind", "currency").annotate(
        models.Count("id"), models.Sum("net"), models.Sum("gross")
    )
    _documents(rows, list(sums.order_by("kind", "currency")), title)


def show_ready(ready: Iterable["Ready"], contracts: dict[int, str], title: str) -> None:
    """Show documents that would be issued."""
    rows: list[Row] = [
        (
            "–",
            r.draft.kind,
            contracts.get(r.contract, "") if r.contract else "",
            r.customer.name,
            r.draft.net,
            r.draft.tax,
            r.draft.net + r.draft.tax,
            r.currency,
        )
        for r in ready
    ]
    sums: list[Sums] = []
    for kind, currency in sorted({(row[1], row[7]) for row in rows}):
        same = [row for row in rows if (row[1], row[7]) == (kind, currency)]
        sums.append((kind, currency, len(same), sum(row[4] for row in same), sum(row[6] for row in same)))
    _documents(rows[:DOCUMENTS_SHOWN], sums, title)


def _documents(rows: list[Row], sums: list[Sums], title: str) -> None:
    if not rows:
        console.print(_("%(title)s: none.", title=escape(title)))
        return
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(_("number"), no_wrap=True)
    table.add_column(_("kind"), no_wrap=True)
    table.add_column(_("contract"))
    table.add_column(_("customer"))
    for heading in (_("net"), _("VAT"), _("gross")):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for number, kind, contract, customer, net, tax, gross, currency in rows:
        cells = [amount(minor, places(currency)) for minor in (net, tax, gross)]
        names = (_(KINDS[kind]), escape(_cut(contract, 16)), escape(_cut(customer, 32)))
        table.add_row(number, *names, *cells, currency)
    more = sum(count for _kind, _currency, count, _net, _gross in sums) - len(rows)
    if more:
        table.caption = _("and %(count)s more", count=more)
    console.print(table)
    for kind, currency, count, net, gross in sums:
        digits = places(currency)
        shown = {"net": amount(net, digits), "gross": amount(gross, digits), "currency": currency}
        console.print(_(SUMS[kind], count=count, **shown))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def show_problems(texts: list[str], title: str) -> None:
    """Show what was left out or could not be read: at most `PROBLEMS_SHOWN`, and how many there are."""
    if not texts:
        return
    console.print(f"[yellow]{title}: {len(texts)}[/yellow]")
    for text in texts[:PROBLEMS_SHOWN]:
        console.print(f"  {escape(text)}")
    if len(texts) > PROBLEMS_SHOWN:
        console.print("  " + _("and %(count)s more", count=len(texts) - PROBLEMS_SHOWN))


def show_table(headings: list[str], rows: Iterable[list[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Show a plain table; the columns in `right` are aligned to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def days(first: date | None, end: date | None) -> str:
    """A span as people read it: the last day included."""
    if first is None or end is None:
        return ""
    last = date.fromordinal(end.toordinal() - 1)
    return f"{first}" if first == last else f"{first} – {last}"


def number(value: Decimal | None) -> str:
    """An exact number without an exponent; empty for none."""
    return "" if value is None else f"{value:f}"
