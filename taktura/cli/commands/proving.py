"""Why an amount is what it is, the document itself, and the proof of all."""

from fractions import Fraction
from pathlib import Path

import click
from rich.markup import escape

from taktura.cli.commands.context import find_seller, open_database, seller_option
from taktura.cli.show import _, console, days, errors, number, show_table, terminal_language
from taktura.core.errors import Refused
from taktura.einvoice import PROFILES, ZUGFERD

ROWS_SHOWN = 50
# What `verify` says that it checks.
PARTS = ("log", "usage", "documents", "charges", "time", "contracts", "suppliers", "flat prices")


@click.command(short_help="Why a line has its amount, down to the usage.")
@click.argument("invoice")
@click.argument("line", type=click.IntRange(1))
@click.option("--all", "show_all", is_flag=True, help=f"Show all rows of usage, not only the first {ROWS_SHOWN}.")
@seller_option
def explain(invoice: str, line: int, show_all: bool, seller_name: str | None) -> None:
    """Show why a LINE (counted from 1) of an INVOICE or credit note has its amount, down to the rows of usage."""
    open_database()
    from taktura.billing.explain import explain as explained
    from taktura.billing.explain import plainly
    from taktura.invoices.queries import by_number
    from taktura.usage.store import rows_behind, totals_behind

    found = explained(by_number(find_seller(seller_name).pk, invoice), line)
    values = {"document": found.document, "line": found.position, "title": found.title}
    console.print(f"[bold]{escape(_('%(document)s, line %(line)s: %(title)s', **values))}[/bold]")
    if found.first:
        console.print(f"{days(found.first, found.end)}")
    if found.credited_document:
        console.print(_("takes back from %(document)s", document=found.credited_document))
    for what, how_much in found.texts(terminal_language(), plainly):
        console.print(f"  {escape(what):<26} {escape(how_much)}")
    count, totals = totals_behind(found.behind) if found.behind else (0, {})
    if not count or found.behind is None:
        return
    shown = rows_behind(found.behind, most=None if show_all else ROWS_SHOWN)
    show_table(
        [_("from"), _("until"), "id", _("quantity"), _("seconds"), _("cost"), _("price"), _("file"), _("line")],
        [
            [
                str(r["day"]),
                days(r["day"], r["end_day"])[-10:],
                r["id"],
                number(r["quantity"]),
                "" if r["seconds"] is None else str(r["seconds"]),
                number(r["cost_amount"]),
                number(r["amount"]) + (f" (−{r['discount']})" if r["discount"] else ""),
                r["file"] or r["source"],
                str(r["row"] or ""),
            ]
            for r in shown
        ],
        right=frozenset({3, 4, 5, 6, 8}),
    )
    left = count - len(shown)
    hidden = ", " + _("%(count)s not shown (--all)", count=left) if left else ""
    console.print(_("%(count)s rows of usage", count=count) + hidden)
    sums = {"quantity": _("quantity"), "seconds": _("seconds"), "cost_amount": _("cost"), "amount": _("price")}
    for name, what in sums.items():
        total = totals[name]
        if total is not None:
            console.print("  " + _("%(what)s of all rows: %(total)s", what=what, total=plainly(Fraction(total))))


@click.command(short_help="Write a document as PDF.")
@click.argument("invoice")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write it; INVOICE.pdf here if not given.",
)
@seller_option
def pdf(invoice: str, output: Path | None, seller_name: str | None) -> None:
    """Write an INVOICE or credit note as PDF, in the customer's language."""
    open_database()
    from taktura.invoices.electronic import sent_pdf
    from taktura.invoices.queries import by_number

    document = by_number(find_seller(seller_name).pk, invoice)
    _write(output or Path(f"{invoice.replace('/', '-')}.pdf"), sent_pdf(document))


@click.command(short_help="Write a document as e-invoice.")
@click.argument("invoice")
@click.option(
    "--profile", type=click.Choice(PROFILES), help="In which; that of its customer if not given, else zugferd."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to write it; INVOICE.xml here if not given.",
)
@seller_option
def einvoice(invoice: str, profile: str | None, output: Path | None, seller_name: str | None) -> None:
    """Write an INVOICE or credit note as EN 16931 XML: UBL for xrechnung and peppol, CII for xrechnung_cii and
    zugferd. What the profile asks for and the document does not say is named."""
    open_database()
    from taktura.invoices.electronic import profile_kept, xml_file
    from taktura.invoices.queries import by_number

    document = by_number(find_seller(seller_name).pk, invoice)
    content = xml_file(document, profile or profile_kept(document) or ZUGFERD)
    _write(output or Path(f"{invoice.replace('/', '-')}.xml"), content)


def _write(path: Path, content: bytes) -> None:
    """Write a file, and say so."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Refused(
            "invalid",
            "%(path)s cannot be written (%(why)s): choose another place with -o.",
            path=path,
            why=error.strerror,
        ) from error
    console.print(_("%(path)s (%(size)s bytes)", path=path, size=f"{len(content):,}"))


@click.command(short_help="Recompute and prove all that was issued.")
@click.pass_context
def verify(ctx: click.Context) -> None:
    """Recompute everything issued, and prove that documents and the log are unchanged.

    Each charge is worked out again from its proof, each contract settled again in full, each document's sums, hash and
    number checked, the chain of the log, what became of all usage of each supplier and month, and the sums of flat
    prices. Exit code 1 when something is wrong.
    """
    open_database()
    from taktura.billing.models import Charge
    from taktura.billing.proof import verify as prove
    from taktura.control.proof import check_flat_prices
    from taktura.invoices.models import Document

    def tell(part: str) -> None:
        errors.print(f"[dim]{_('checking: %(part)s', part=_(part))}[/dim]")

    found = prove(tell)
    tell("flat prices")
    found += check_flat_prices()
    for text in found:
        console.print(f"[red]{escape(text)}[/red]")
    if found:
        console.print(_("Things that are wrong: %(count)s", count=len(found)))
        ctx.exit(1)
    counts = {"documents": f"{Document.objects.count():,}", "charges": f"{Charge.objects.count():,}"}
    console.print(_("All is proven: %(documents)s documents, %(charges)s charges, and the log.", **counts))
