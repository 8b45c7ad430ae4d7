"""What the process of a benchmark does."""

import importlib

WITHOUT_DATABASE = ("core_kernel",)


def work(module: str, wanted: frozenset[str], small: bool) -> None:
    """Run the benchmarks of a module and print what they gave, each as soon as it is there."""
    if module not in WITHOUT_DATABASE:
        from taktura.kit.database import setup

        setup()
    for result in importlib.import_module(f"bench.{module}").run(wanted, small=small):
        print(result.line(), flush=True)
        for note in result.notes:
            print(f"  {note}", flush=True)
