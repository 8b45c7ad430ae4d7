"""Usage in, documents out."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from taktura.cli.commands.context import DAY, actor_now, as_date, find_seller, open_database, seller_option
from taktura.cli.show import (
    _,
    console,
    progress,
    show_documents,
    show_problems,
    show_ready,
    show_table,
    terminal_language,
)

if TYPE_CHECKING:
    from taktura.billing.services.run import Problem as RunProblem
    from taktura.usage.models import Supplier
    from taktura.usage.reader import Problem

REASONS = {
    "unknown_key": "no line has this key",
    "no_contract": "no such contract, or it has no line for this article",
    "no_subscription": "the supplier subscription is not tied to a contract line",
    "before_start": "before the contract line begins",
    "after_end": "after the contract line ends",
    "closed_period": "in a closed period",
    "currency": "in another currency than the contract's",
    "no_rate": "no exchange rate for the day, nor a recent one",
    "paused": "while the contract is paused",
    "invalid": "not readable as usage of the line",
}


LOADED, REFUSED = "loaded", "refused"  # where the files of a folder go
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload")


@click.command("import-usage")
@click.option("--supplier", "supplier_key", required=True, metavar="KEY", help="Whose file it is; its mapping is used.")
@click.argument("file", type=click.Path(exists=True, readable=True, path_type=Path))
@seller_option
@click.pass_context
def import_usage(ctx: click.Context, supplier_key: str, file: Path, seller_name: str | None) -> None:
    """Load a supplier's usage FILE (CSV, text, XLSX or Parquet, also as gzip or zip), or all files of a folder.

    Delimiter and encoding are found out. Good rows are kept, each bad one is named with line and reason. The same file
    again is refused; the same rows in another file count as duplicates. Files of a folder are moved into its folders
    “loaded” and “refused”.
    """
    open_database()
    from taktura.core.errors import Refused
    from taktura.kit.language import text_of
    from taktura.usage.queries import supplier_by_key

    seller = find_seller(seller_name)
    supplier = supplier_by_key(seller.pk, supplier_key)
    if not file.is_dir():
        _load(supplier, file)
        return
    refusals = 0
    for one in sorted(f for f in file.iterdir() if f.is_file() and _is_finished(f.name)):
        console.print(one.name)
        try:
            _load(supplier, one)
            _move(one, file / LOADED)
        except Refused as refused:
            refusals += 1
            console.print(text_of(refused, terminal_language()))
            _move(one, file / REFUSED)
    ctx.exit(1 if refusals else 0)


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(UNFINISHED)


def _move(file: Path, folder: Path) -> None:
    """Into a folder, under a name that is free there."""
    folder.mkdir(exist_ok=True)
    free = folder / file.name
    number = 1
    while free.exists():
        number += 1
        free = folder / f"{file.stem}-{number}{file.suffix}"
    file.rename(free)


def _load(supplier: "Supplier", file: Path) -> None:
    """Load a file and show what became of it."""
    from taktura.billing.services import receive_file
    from taktura.invoices.queries import documents_of
    from taktura.usage.queries import waiting_by_reason
    from taktura.usage.unpriced import unpriced_of_file

    with progress(file.name):
        received, interim_bills = receive_file(
            actor_now(), supplier=supplier, name=file.name, content=file.read_bytes()
        )
    outcome = received.outcome
    show_table(
        [_("rows"), _("recorded"), _("duplicates"), _("conflicts"), _("waiting"), _("not readable")],
        [
            [
                f"{n:,}"
                for n in (
                    received.rows,
                    outcome.recorded,
                    outcome.duplicates,
                    outcome.conflicts,
                    len(outcome.exceptions),
                    len(received.problems) - outcome.conflicts,
                )
            ]
        ],
        right=frozenset(range(6)),
    )
    show_problems([_problem_text(p) for p in received.problems], _("problems"))
    if received.file is not None and (number := unpriced_of_file(received.file)):
        text = _(
            "%(count)s rows lack the price or cost that their line is billed by, and are billed at 0: name its column"
            " in the mapping, undo the import and read the file again.",
            count=f"{number:,}",
        )  # fmt: skip
        console.print(f"[yellow]{escape(text)}[/yellow]")
    reasons = waiting_by_reason(supplier.seller_id)
    if reasons:
        console.print(_("Waiting in the exceptions, of all files:"))
        show_table(
            [_("reason"), "", _("records")],
            [[reason, _(REASONS.get(reason, "")), f"{n:,}"] for reason, n in reasons.items()],
            right=frozenset({2}),
        )
    if interim_bills:
        show_documents(documents_of(d.id for d in interim_bills), _("Interim bills by threshold"))


def _problem_text(problem: "Problem") -> str:
    text = _(problem.message, **problem.values)
    return _("line %(line)s: %(text)s", line=problem.line, text=text) if problem.line else text


@click.command(short_help="Invoices and credit notes for all that is due.")
@click.option("--on", "on", type=DAY, required=True, metavar="DATE", help="Bill all that is due on or before this day.")
@click.option("--preview", is_flag=True, help="Show what would be issued; change nothing.")
@click.option("--contract", "contract_key", metavar="KEY", help="Only this contract.")
@click.option("--customer", "customer_key", metavar="KEY", help="Only this customer.")
@seller_option
@click.pass_context
def bill(
    ctx: click.Context,
    on: datetime,
    preview: bool,
    contract_key: str | None,
    customer_key: str | None,
    seller_name: str | None,
) -> None:
    """Run the billing: invoices and credit notes for all that is due and was not billed.

    Stopped or called twice it bills nothing twice. What is left out is named with its reason, and the exit code is 1.
    The documents bear the day as their date; one that is not today's is warned of.
    """
    open_database()
    from taktura.billing.services.run import DATES, dated
    from taktura.billing.services.run import bill as run_billing
    from taktura.contracts.models import Contract
    from taktura.contracts.queries import by_key
    from taktura.customers.queries import customer_by_key
    from taktura.invoices.queries import documents_of
    from taktura.kit.bulk import among

    seller = find_seller(seller_name)
    contract = by_key(seller.pk, contract_key).pk if contract_key else None
    customer = customer_by_key(seller.pk, customer_key).pk if customer_key else None
    with progress(_("contracts")) as told:
        outcome = run_billing(
            actor_now(),
            seller=seller,
            on=as_date(on),
            contract=contract,
            customer=customer,
            preview=preview,
            progress=told,
        )
    day = as_date(on)
    if preview:
        shown = Contract.objects.filter(pk__in=among({r.contract for r in outcome.ready if r.contract}))
        keys = dict(shown.values_list("pk", "key"))
        show_ready(outcome.ready, keys, _("Preview for %(day)s, nothing was changed", day=day))
    else:
        show_documents(documents_of(outcome.issued), _("Issued on %(day)s", day=day))
    if (outcome.ready or outcome.issued) and (warning := dated(day, actor_now().today(seller.time_zone))):
        console.print(f"[yellow]{escape(_(DATES[warning]))}[/yellow]")
    failed = Contract.objects.filter(pk__in=among(p.contract for p in outcome.problems if p.contract))
    names = dict(failed.values_list("pk", "key"))
    show_problems([_left_out(p, names) for p in outcome.problems], _("left out"))
    ctx.exit(1 if outcome.problems else 0)


def _left_out(problem: "RunProblem", names: dict[int, str]) -> str:
    text = _(problem.message, **problem.values)
    return f"{names[problem.contract]}: {text}" if problem.contract else text


@click.command(short_help="Bill a contract now, with its usage so far.")
@click.argument("contract_key", metavar="CONTRACT")
@click.option(
    "--leave-out",
    multiple=True,
    type=click.Choice(["usage", "time", "sales_items"]),
    help="Leave this out; may be given several times.",
)
@seller_option
def interim(contract_key: str, leave_out: tuple[str, ...], seller_name: str | None) -> None:
    """Bill a CONTRACT now: all that is due, and its usage so far. The regular bill later shows the rest."""
    open_database()
    from taktura.billing.services.interim import interim_bill
    from taktura.contracts.queries import by_key
    from taktura.invoices.queries import documents_of

    seller = find_seller(seller_name)
    issued = interim_bill(actor_now(), contract=by_key(seller.pk, contract_key), leave_out=leave_out)
    show_documents(documents_of(d.id for d in issued), _("Interim bill of %(contract)s", contract=contract_key))
