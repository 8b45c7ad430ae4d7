"""The command `taktura`: its commands, and what it says when something is refused.

Exit codes: 0 all is well, 1 refused or something is wrong (the sentence says what), 2 the command or a file cannot be
read.
"""

from typing import Any

import click
from rich.markup import escape

from taktura.cli.commands import billing, keeping, people, proving, running, serving, simulating, trying
from taktura.cli.show import _, errors, terminal_language
from taktura.core.errors import Refused
from taktura.kit.language import text_of
from taktura.kit.postgres import ServerError


class Commands(click.Group):
    """A group whose commands end with a sentence and exit code 1 where the rules or the server refuse."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except Refused as refusal:
            text = text_of(refusal, terminal_language())
            errors.print(f"[red]{escape(text)}[/red] [dim]({refusal.code})[/dim]")
        except ServerError as error:
            errors.print(f"[red]{escape(str(error))}[/red]")
        except KeyboardInterrupt:
            errors.print(_("Stopped. What was finished is kept; the same command goes on with the rest."))
        raise click.exceptions.Exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="taktura", prog_name="taktura")
def main() -> None:
    """Taktura turns agreements and usage into correct invoices.

    Begin with `taktura run`: it starts the database and a demo company, bills it, and says what to try next. Each
    command explains itself with --help.
    """


for command in (
    running.run,
    running.demo,
    serving.serve,
    serving.worker,
    billing.import_usage,
    billing.bill,
    billing.interim,
    proving.explain,
    proving.pdf,
    proving.einvoice,
    proving.verify,
    simulating.simulate,
    trying.what_if,
    people.create_user,
    keeping.backup,
    keeping.restore,
    running.migrate,
    running.setup_database,
    running.stop,
):
    main.add_command(command)
