"""`taktura backup` and `taktura restore`: the demo company in another data folder, row by row the same."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.cli.test_commands import ok, refused

PROGRAM = """
from taktura.config.main import main
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "taktura.config.settings"
from taktura.kit.database import connection_of_owner, setup
from taktura.kit.backup import PASSING
import hashlib
setup()
with connection_of_owner() as c:
    for (name,) in c.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall():
        if name not in PASSING:
            rows = sorted(str(r) for r in c.execute(f'SELECT * FROM "{name}"').fetchall())
            print(name, len(rows), hashlib.sha256("|".join(rows).encode()).hexdigest())
"""


def rows(python: str, data: Path) -> str:
    """Each table with the number and the hash of its rows."""
    environment = {"PATH": os.environ["PATH"], "TAKTURA_DATA": str(data)}
    return subprocess.run([python, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True).stdout


def test_the_demo_company_moves_to_another_folder(own_demo: Path, taktura: Any, tmp_path: Path) -> None:
    import sys

    assert re.search(r"[\d,]{5,} rows of \d+ tables", ok(taktura("backup", "all.taktura")))
    refused(taktura("backup", "all.taktura"), "conflict")
    there = {"TAKTURA_DATA": str(tmp_path / "other")}
    try:
        assert "rows of" in ok(taktura("restore", "all.taktura", **there))
        before, after = rows(sys.executable, tmp_path / "var"), rows(sys.executable, tmp_path / "other")
        assert len(before.splitlines()) > 40
        assert re.search(r"^invoices_document \d\d", before, re.MULTILINE)
        assert after == before
        assert "All is proven" in ok(taktura("verify", **there))
        refused(taktura("restore", "all.taktura", **there), "conflict")
        asked = taktura("restore", "all.taktura", "--replace", **there)
        assert (asked.returncode, "Go on?" in asked.stdout) == (1, True)
        ok(taktura("restore", "all.taktura", "--replace", "--yes", **there))
        assert rows(sys.executable, tmp_path / "other") == before
        key = {"TAKTURA_SECRET_KEY": "another-key-0123456789-abcdefghijklm"}
        done = taktura("restore", "all.taktura", "--replace", "--yes", **there, **key)
        assert "another than at the backup" in refused(done, "invalid").replace("\n", " ")
    finally:
        taktura("stop", **there)
    assert (tmp_path / "other" / "secret-key").read_text() == (tmp_path / "var" / "secret-key").read_text()
