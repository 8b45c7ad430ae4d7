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

    setup(throw_away=True)
    from taktura.cli.scenarios import report
    from taktura.cli.scenarios.load import find, load
    from taktura.cli.scenarios.run import run

    results = []
    for path in find(paths):
        scenario = load(path)
        with scratch_database():
            try:
                results.append(run(scenario))
            except Exception as e:
                import traceback

                traceback.print_exc(limit=-4)
                results.append(report.Result(path=path, title=scenario.title, not_yet=str(e)))
        print(report.render(results[-1]))
    print(report.summary(results))
