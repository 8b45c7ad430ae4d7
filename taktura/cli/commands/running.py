"""Starting and stopping: the demo company, the database."""

import os
import subprocess
import sys
from datetime import date, datetime

import click

from taktura.cli.commands.context import DAY, actor_now, as_date, open_database
from taktura.cli.commands.serving import (
    MAIN,
    Worker,
    check_port,
    host_option,
    metrics_folder,
    port_option,
    say_address,
    serve_until_stopped,
)  # fmt: skip
from taktura.cli.show import _, console, errors, progress, show_documents
from taktura.core.errors import Refused
from taktura.kit import database
from taktura.kit.postgres import APP, OWNER

COMMAND = ".venv/bin/taktura"


@click.command(short_help="Serve everything, with the demo company where there is none yet.")
@host_option
@port_option
@click.option("--prepare", is_flag=True, help="Only make the demo company and say what to try; serve nothing.")
def run(host: str, port: int, prepare: bool) -> None:
    """Start the database, make the demo company where there is no seller yet, and serve the office with a worker.

    Prints the address and the logins. Ctrl-C stops all of it, the embedded database too if this call has started it
    and nothing else uses it.
    """
    if not prepare:
        check_port(host, port)
    was_running = database.is_running()
    open_database()
    if prepare:
        _prepare()
        _show()
        return
    if not was_running:
        database.stop_when_last()
    try:
        _prepare_aside()
        logins = _logins()

        def say() -> None:
            say_address(host, port)
            for line in logins:
                console.print(line, soft_wrap=True)

        with metrics_folder(), Worker():
            serve_until_stopped(host, port, processes=2, threads=4, level="WARNING", ready=say)
    finally:
        database.leave()
    console.print(_("Stopped. The data stays; the same command starts it again."))


def _prepare() -> None:
    from taktura.cli.demo.company import exists

    if not exists():
        _make(None)


def _prepare_aside() -> None:
    """Make the demo company in a process of its own: it sets pages, and typst, once begun, does not go on in the
    children that the server forks from here. Raises `SystemExit` where it fails, which has said why."""
    from taktura.cli.demo.company import exists

    if exists():
        return
    code = subprocess.run([sys.executable, "-c", MAIN, "demo"], stdout=subprocess.DEVNULL, check=False).returncode
    if code and not exists():  # one made meanwhile by another is as good
        raise SystemExit(code)


@click.command(short_help="Make the demo company in an empty database.")
@click.option("--on", "on", type=DAY, metavar="DATE", help="The day on which its year ends; today, without it.")
def demo(on: datetime | None) -> None:
    """Make the demo company in an empty database, with a year of its own data.

    A database that has a seller already is left as it is.
    """
    open_database()
    from taktura.customers.models import Seller

    if Seller.objects.exists():
        raise Refused("conflict", "The database has a seller already; the demo company is made in an empty one.")
    _make(as_date(on) if on else None)
    _show()


def _make(today: date | None) -> None:
    from taktura.cli.demo.company import TIME_ZONE, make

    with progress(_("The demo company")) as told:
        make(told, today=today or actor_now().today(TIME_ZONE))


def _logins() -> list[str]:
    """What a newcomer is told of the logins, line by line."""
    from taktura.cli.demo.users import PASSWORD, logins, portal_login

    lines = []
    if found := logins():
        lines.append(_("Sign in with the password %(password)s as:", password=f"[bold]{PASSWORD}[/bold]"))
        lines.extend(f"  {login.email:<32}  {login.name}, {login.role}" for login in found)
    if portal := portal_login():
        lines += [_("And to the customer portal, at /portal/, as:"), f"  {portal}"]
    return lines


def _show() -> None:
    from django.db.models import Count

    from taktura.cli.demo.company import left_to_load
    from taktura.customers.models import Seller
    from taktura.invoices.models import Document

    seller = Seller.objects.order_by("id").first()
    if seller is None:
        raise Refused("not_found", "There is no seller yet: `taktura demo` makes a demo company.")
    documents = Document.objects.filter(seller=seller).order_by("-id")
    show_documents(documents, _("%(name)s: documents, the newest first", name=seller.name))
    example = documents.filter(kind="invoice").annotate(size=Count("lines")).filter(size__gt=1).first()
    number = example.number if example else "RE-2024-00001"
    file, due = left_to_load() or ("FILE", date(2024, 10, 1))
    console.print("\n" + _("What to try (%(command)s lists all):", command=f"[bold]{COMMAND} --help[/bold]"))
    for command, what in (
        (f"explain {number} 1", _("why this amount")),
        (f"pdf {number}", _("the document as PDF")),
        (f"import-usage --supplier sunbird {file}", _("load another month of usage")),
        (f"bill --on {due} --preview", _("what a run would issue; without --preview it does")),
        ("simulate scenarios", _("stories of tariffs and what they must bill")),
        ("verify", _("recompute all that was issued")),
        ("stop", _("stop the database")),
    ):
        console.print(f"  {COMMAND} {command:<32}  {what}", soft_wrap=True)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to date. All commands do so by themselves."""
    open_database()
    console.print(_("The schema is up to date."))


@click.command("setup-database", short_help="Prepare a PostgreSQL server of your own.")
@click.argument("admin_url")
def setup_database(admin_url: str) -> None:
    """Prepare a PostgreSQL server of your own (15 or newer).

    ADMIN_URL is an administrator's address, as in postgresql://postgres:secret@localhost/postgres. Makes the database
    `taktura`, its owner, who migrates, and the application's login, which owns nothing. Their passwords are read from
    TAKTURA_OWNER_PASSWORD and TAKTURA_APP_PASSWORD.
    """
    names = {OWNER: "TAKTURA_OWNER_PASSWORD", APP: "TAKTURA_APP_PASSWORD"}
    passwords = {role: os.environ.get(name, "") for role, name in names.items()}
    missing = [names[role] for role, password in passwords.items() if not password]
    if missing:
        raise Refused("invalid", "Set %(names)s to the passwords that the logins get.", names=", ".join(missing))
    database.setup_database(admin_url, passwords)
    console.print(
        _(
            "The database is ready. Set DATABASE_URL (login taktura_app) and DATABASE_OWNER_URL (login taktura_owner),"
            " then call `taktura migrate`."
        )
    )


@click.command()
@click.pass_context
def stop(ctx: click.Context) -> None:
    """Stop the embedded database. The data stays; the next command starts it again."""
    if not database.stop():
        errors.print(_("No embedded database is running."))
        ctx.exit(0)
    console.print(_("The embedded database is stopped."))
