"""The core imports only the standard library, and itself."""

import ast
import sys
from pathlib import Path

import pytest

import taktura.core

FILES = sorted(Path(taktura.core.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_core_imports_only_the_standard_library(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
        for name in names:
            own = name == "taktura.core" or name.startswith("taktura.core.")
            assert own or name.split(".")[0] in sys.stdlib_module_names, f"{file.name} imports {name}"


def test_the_core_is_there() -> None:
    assert {"settle", "money", "periods", "documents"} <= {f.stem for f in FILES}
