"""Scenarios from the command line."""

import json
from pathlib import Path

import click

from taktura.cli.show import errors
from taktura.kit.database import scratch_database, setup


@click.command(short_help="Run scenarios against a throw-away database.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_context
def simulate(ctx: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Run scenarios against a throw-away database, with the clock set to each step.

    A PATH is a file or a folder (all *.yaml below it). Prints PASS or FAIL for each scenario, below a failure what
    differs; of a file without expectations what each step produced. Exit code 0: all passed, 1: one failed, 2: a file
    cannot be read.
    """
    setup(throw_away=True)
    from taktura.cli.scenarios import report
    from taktura.cli.scenarios.load import ScenarioFileError, find, load
    from taktura.cli.scenarios.run import run

    try:
        scenarios = [load(path) for path in find(paths)]
    except ScenarioFileError as error:
        errors.print(str(error), markup=False)
        ctx.exit(2)
    results = []
    for scenario in scenarios:
        with scratch_database():
            results.append(run(scenario))
        if not as_json:
            click.echo(report.render(results[-1]))
    click.echo(json.dumps(report.as_json(results), indent=2) if as_json else report.summary(results))
    ctx.exit(0 if all(result.passed for result in results) else 1)
