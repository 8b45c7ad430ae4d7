"""The command `taktura`."""

from pathlib import Path

import click


@click.group()
def main() -> None:
    """Taktura turns agreements and usage into correct invoices."""


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def simulate(paths: tuple[Path, ...], as_json: bool) -> None:
    """Run scenarios."""
    from taktura.kit.database import scratch_database, setup

    setup()
    from taktura.cli.scenarios import report
    from taktura.cli.scenarios.load import find, load
    from taktura.cli.scenarios.run import run

    results = []
    for path in find(paths):
        scenario = load(path)
        with scratch_database():
            results.append(run(scenario))
        print(report.render(results[-1]))
    print(report.summary(results))
