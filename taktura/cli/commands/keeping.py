"""Keeping a copy, and bringing it back."""

from pathlib import Path

import click

from taktura.cli.commands.context import open_database
from taktura.cli.show import _, console, errors
from taktura.core.errors import Refused
from taktura.kit.clock import utc_now

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Write a backup of everything to a file.")
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Write a backup of the whole database to a new FILE, while work goes on.

    It holds the secret key too, where the installation has drawn it itself. Whoever has the file has everything.
    """
    open_database()
    from taktura.kit.backup import back_up

    kept = back_up(file, utc_now())
    console.print(
        _(
            "%(path)s (%(size)s bytes): %(rows)s rows of %(tables)s tables.",
            path=file, size=f"{kept.size:,}", rows=f"{sum(kept.tables.values()):,}", tables=len(kept.tables),
        )
    )  # fmt: skip
    if not kept.has_secret:
        errors.print(_("TAKTURA_SECRET_KEY is not in it: keep it elsewhere, stored passwords are sealed with it."))


@click.command(short_help="Bring a backup back.")
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Put it in the place of a database that holds data; asks before.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, replace: bool, yes: bool) -> None:
    """Make the database what it was when the backup FILE was made, and bring its schema up to date.

    The server and the worker must be stopped. The old database stays as it is until the new one is complete.
    """
    from taktura.kit.database import setup

    setup()
    from django.conf import settings

    from taktura.kit.backup import bring_back, fingerprint, holds_something, look

    kept = look(file)
    if replace and not yes and holds_something():
        click.confirm(
            _("This drops all data of the database “%(name)s”. Go on?", name=settings.DATABASES["owner"]["NAME"]),
            abort=True,
        )
    kept = bring_back(file, replace=replace)
    console.print(
        _(
            "The database is what it was at %(at)s: %(rows)s rows of %(tables)s tables. `taktura verify` proves it.",
            at=kept.made_at[:19].replace("T", " "), rows=f"{sum(kept.tables.values()):,}", tables=len(kept.tables),
        )
    )  # fmt: skip
    if settings.SECRET_KEY_GIVEN and kept.secret != fingerprint(settings.SECRET_KEY):
        raise Refused(
            "invalid",
            "The data is there, but TAKTURA_SECRET_KEY is another than at the backup: set that one, else stored"
            " passwords and second factors must be entered again.",
        )
    if not settings.SECRET_KEY_GIVEN and not kept.has_secret:
        raise Refused(
            "invalid",
            "The data is there, but the backup does not hold the secret key: set TAKTURA_SECRET_KEY to the one of the"
            " backup, else stored passwords and second factors must be entered again.",
        )
