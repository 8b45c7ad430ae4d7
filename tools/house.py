"""The house's own rules (`docs/decisions/0002-the-house.md`), checked on the syntax tree: `python -m tools.house`.

Money is rounded in one place, the time is asked in one place, functions and files stay small, nothing happens behind
a writer's back.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FUNCTION = 70
MAX_FILE = 500
MAX_TEST_FILE = 650  # read case by case
ROUNDS = Path("taktura/core/money.py")
CLOCK = Path("taktura/kit/clock.py")
ENVIRONMENT = Path("taktura/config")
# A test's clock and environment are its own; benchmarks and tools are no part of the product.
STRICT = ("taktura",)
SIZED = ("taktura", "tests", "tools", "bench")

Finding = tuple[int, str]


def findings(path: Path, source: str) -> list[Finding]:
    """What is wrong in a file (its path from the root): line and sentence, in the order of lines."""
    tree = ast.parse(source)
    found: list[Finding] = []
    if path.parts[0] in STRICT:
        for node in ast.walk(tree):
            found += _rounding(node, path)
            found += _clock(node, path)
            found += _environment(node, path)
            found += _hidden(node)
    found += _sizes(tree, path, source)
    return sorted(found)


def _rounding(node: ast.AST, path: Path) -> Iterator[Finding]:
    if path == ROUNDS or not isinstance(node, ast.Call):
        return
    name = _called(node)
    if name in ("round", "float") and isinstance(node.func, ast.Name) or name == "quantize":
        yield node.lineno, f"{name}(): amounts are exact, and rounded by core.money alone"


def _clock(node: ast.AST, path: Path) -> Iterator[Finding]:
    if path == CLOCK or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    whose = node.func.value
    owner = whose.id if isinstance(whose, ast.Name) else whose.attr if isinstance(whose, ast.Attribute) else ""
    if (owner, node.func.attr) in {
        ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("timezone", "now"),
        ("time", "time"),
    }:  # fmt: skip
        yield node.lineno, f"{owner}.{node.func.attr}(): the time is an argument; only kit.clock asks for it"


def _environment(node: ast.AST, path: Path) -> Iterator[Finding]:
    if not isinstance(node, ast.Attribute) or node.attr not in ("environ", "getenv"):
        return
    if ENVIRONMENT not in path.parents and path.parts[:2] != ("taktura", "cli"):
        yield node.lineno, "the environment is read in config (and by the command line) alone"


def _hidden(node: ast.AST) -> Iterator[Finding]:
    """Nothing happens behind a writer's back: no signals, no `save()` of a model's own."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.dispatch"):
        yield node.lineno, "no signals: the service that writes says what follows"
    if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("db.models.signals"):
        yield node.lineno, "no signals: the service that writes says what follows"
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "save" and _is_model(node):
                yield item.lineno, "no save() of a model's own: a service writes"


def _is_model(node: ast.ClassDef) -> bool:
    return any("Model" in ast.unparse(base) for base in node.bases)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _sizes(tree: ast.Module, path: Path, source: str) -> Iterator[Finding]:
    lines = source.count("\n")
    most = MAX_TEST_FILE if path.parts[0] == "tests" else MAX_FILE
    if lines > most:
        yield 1, f"{lines} lines: a file has at most {most}, a longer one becomes a folder"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION:
                yield node.lineno, f"{node.name}: {length} lines, a function has at most {MAX_FUNCTION}"


def main() -> int:
    """Check all files; print what is wrong. Exit code 1 when something is."""
    wrong = 0
    for folder in SIZED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for line, text in findings(path.relative_to(ROOT), path.read_text("utf-8")):
                print(f"{path.relative_to(ROOT)}:{line}: {text}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
