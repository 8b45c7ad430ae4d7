"""tools/test_server.py: what it does without starting a server. That it does start one, `make test-server` shows."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).resolve().parents[2] / "tools" / "test_server.py"


@pytest.fixture
def tool() -> ModuleType:
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("test_server", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install(folder: Path, version: str, *programs: str) -> None:
    """Put programs where Debian puts those of a version."""
    place = folder / version / "bin"
    place.mkdir(parents=True)
    for name in programs:
        (place / name).touch()


def test_the_newest_that_is_whole_is_taken(tool: ModuleType, tmp_path: Path) -> None:
    assert tool.find_programs(tmp_path) is None
    install(tmp_path, "14", "initdb", "pg_ctl")
    install(tmp_path, "9.6", "initdb", "pg_ctl")
    assert tool.find_programs(tmp_path) is None
    for version in ("15", "17"):
        install(tmp_path, version, "initdb", "pg_ctl")
    install(tmp_path, "18", "initdb")
    assert tool.find_programs(tmp_path) == tmp_path / "17" / "bin"


def test_without_a_server_it_says_what_to_type(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "find_programs", lambda: None)
    monkeypatch.setattr(tool.os, "geteuid", lambda: 1000)
    assert tool.main([]) == 1
    assert "apt-get update && apt-get install -y postgresql" in capsys.readouterr().err


def test_paths_stand_for_the_usual_ones(tool: ModuleType) -> None:
    usual = tool.command(["-x"])
    assert "tests/rooms" in usual and "tests/kit" in usual and usual[-1] == "-x"
    assert "--ignore=tests/kit/test_postgres.py" in usual
    assert all((FILE.parents[1] / path).exists() for path in tool.IGNORED)
    named = tool.command(["tests/kit/test_bulk.py::test_nothing_to_write"])
    assert "--ignore=tests/rooms/test_reader.py" not in tool.command(["tests/rooms/test_reader.py::test_x"])
    assert "tests/rooms" not in named and named[-1] == "tests/kit/test_bulk.py::test_nothing_to_write"
