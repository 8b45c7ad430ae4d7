"""`python -m bench [NAME …] [--small]`: run all benchmarks, or those named.

Each runs in a process of its own, so that its peak memory is its own, and in a migrated database of its own. Without
DATABASE_URL that is on a server with the product's usual, durable settings, made for the run and removed after it.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.work import WITHOUT_DATABASE, work

# Module of each, and the names of what it measures: they share what is made ready for them.
MODULES = {
    "core_kernel": ("core_kernel",),
    "usage_import": ("usage_import",),
    "usage_rematch": ("usage_rematch",),
    "usage_http": ("usage_http",),
    "billing_run": ("billing_run", "rerun", "billing_run_growth"),
    "change": ("change",),
    "what_if": ("what_if",),
    "reconciliation": ("reconciliation",),
    "documents": ("pdf", "einvoice"),
    "pages": ("pages",),
}
NAMES = tuple(name for names in MODULES.values() for name in names)
PASSABLE = 0o711  # root's server runs as another user, who must get to its data


def main() -> int:
    """Run the benchmarks; exit code 1 when one failed (a target that is missed is no failure)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed against limits.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; none: all")
    parser.add_argument("--small", action="store_true", help="a quick try of each; its figures say little")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark “{unknown[0]}”: choose from {', '.join(NAMES)}")
    wanted = frozenset(chosen.names or NAMES)
    with_server = any(wanted.intersection(names) for module, names in MODULES.items() if module not in WITHOUT_DATABASE)
    folder = Path(tempfile.mkdtemp(prefix="taktura-bench-"))
    folder.chmod(PASSABLE)
    os.environ["TAKTURA_DATA"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    try:
        failed = [module for module, names in MODULES.items() if not _apart(module, wanted.intersection(names), chosen)]
    finally:
        if with_server:
            _stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def _apart(module: str, wanted: frozenset[str], chosen: argparse.Namespace) -> bool:
    """Run a module's benchmarks in a process of their own; False when it failed."""
    if not wanted:
        return True
    process = multiprocessing.get_context("spawn").Process(target=work, args=(module, wanted, chosen.small))
    process.start()
    process.join()
    if process.exitcode:
        print(f"{module} failed", file=sys.stderr)
    return not process.exitcode


def _stop() -> None:
    """Stop the server that was made for the run."""
    from django.conf import settings

    from taktura.kit.database import stop

    if not settings.DATABASE_URL:
        stop()


if __name__ == "__main__":
    sys.exit(main())
