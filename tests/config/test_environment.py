"""Settings are checked at the start: what is wrong is said in a sentence, with exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from taktura.config import environment
from taktura.core.errors import Refused

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("taktura")
LONG = "k3Jd92mLq0Zx81VbN57TyRw46PsGh3Ea"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAKTURA_LOG_FORMAT", "xml"),
        ("TAKTURA_LOG_LEVEL", "LOUD"),
        ("TAKTURA_SECRET_KEY", "short"),
        ("TAKTURA_SECRET_KEY", "a" * 60),
        ("TAKTURA_METRICS_TOKEN", "123"),
        ("TAKTURA_PUBLIC_URL", "billing.example.com"),
        ("TAKTURA_PUBLIC_URL", "https://billing.example.com/office"),
        ("TAKTURA_PUBLIC_URL", "https://someone:secret@billing.example.com"),
        ("TAKTURA_PUBLIC_URL", "https://billing.example.com:99999"),
        ("TAKTURA_PROXIES", "many"),
        ("TAKTURA_API_RATE", "0"),
        ("TAKTURA_PRIVATE_WEBHOOKS", "perhaps"),
        ("TAKTURA_DATA", str(ROOT / "README.md")),
        ("DATABASE_URL", "mysql://user:topsecret@host/taktura"),
        ("DATABASE_URL", "postgresql://user:topsecret@host"),
        ("DATABASE_OWNER_URL", "postgresql://owner:topsecret@host/taktura"),
    ],
)
def test_a_wrong_setting_ends_the_command(name: str, value: str) -> None:
    done = subprocess.run(
        [COMMAND, "stop"], env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", name: value}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "topsecret" not in done.stderr
    assert done.stdout == ""


def test_the_sentence_is_in_the_terminals_language() -> None:
    done = subprocess.run(
        [COMMAND, "stop"], env={"PATH": "/usr/bin:/bin", "LANG": "de_DE.UTF-8", "TAKTURA_LOG_FORMAT": "xml"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "schreiben Sie" in done.stderr


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("", ""),
        ("https://billing.example.com/", "https://billing.example.com"),
        (" http://10.0.0.7:8000 ", "http://10.0.0.7:8000"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_public_address(value: str, read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)
    assert environment.public_address("X") == read


def test_what_is_not_set_is_what_is_usual(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("X", raising=False)
    assert environment.text("X") == environment.secret("X", 32) == environment.database_address("X") == ""
    assert environment.choice("X", ("a", "b"), "b") == "b"
    assert environment.whole("X", 7, 0, 9) == 7
    assert environment.yes("X") is False
    assert environment.folder("X", tmp_path) == tmp_path


def test_what_is_set_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X", LONG)
    assert environment.secret("X", 32) == LONG
    monkeypatch.setenv("X", "1")
    assert environment.yes("X") is True
    assert environment.whole("X", 7, 0, 9) == 1
    monkeypatch.setenv("X", str(tmp_path / "new"))
    assert environment.folder("X", tmp_path) == tmp_path / "new"
    monkeypatch.setenv("X", "postgres://u:p%40@h/db?sslmode=require")
    assert environment.database_address("X") == "postgres://u:p%40@h/db?sslmode=require"
    monkeypatch.setenv("X", "٣")
    with pytest.raises(Refused):
        environment.whole("X", 7, 0, 9)
