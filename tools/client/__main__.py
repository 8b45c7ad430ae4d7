"""`python -m tools.client [--check]`: write the Python client from the OpenAPI document, or see that it is so."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.client.kinds import answer_class, refs, request_class
from tools.client.operations import method, operations

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "clients" / "python" / "taktura_client.py"
CORE = Path(__file__).with_name("core.py")
MARK = "# --- from here on it is a part of the client ---\n"
HEAD = '''"""A client of Taktura's API, version {version}. One file; it needs Python 3.11 and httpx.

Made from the OpenAPI document by `python -m tools.client`: change that, not this. How it is used: docs/client.md.

    with Taktura("https://billing.example.com", "tk_…") as taktura:
        taktura.record_usage([{{"contract": "C-1001", "article": "call", "duration": 61, "id": "call-1"}}])
        for document in taktura.list_documents(customer="K-1"):
            print(document.number, document.gross)
"""

'''
CLASS = '''

class Taktura(Caller):
    """All operations of the API, by the names that they have there.

    What an operation changes is given by name; what is left out stays as it is. Numbers come back as Decimal, days as
    date, moments as datetime. Where an operation takes `preview`, nothing is written with it.
    """

'''


def client(document: Mapping[str, Any]) -> str:
    """The client of a document."""
    return _formatted("\n".join(_parts(document)))


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    imports, _, core = CORE.read_text("utf-8").partition(MARK)
    yield HEAD.format(version=document["info"]["version"])
    yield _imports(imports)
    yield core
    schemas, known = document["components"]["schemas"], operations(document)
    asked: set[str] = set()
    told: set[str] = set()
    marked = {one.gives for one in known if one.marked}
    direct = set()
    for one in known:
        refs(one.content.get("requestBody", {}), schemas, asked)
        refs(one.answer, schemas, told)
        direct |= _whole_body(one.body)
    assert not asked & told, "a schema is both asked and told"
    for name in sorted(asked - (direct - _within(asked, schemas))):
        yield from request_class(name, schemas[name])
    for name in sorted(told):
        yield from answer_class(name, schemas[name], marked=name in marked)
    yield CLASS
    for one in known:
        yield from method(one)


def _whole_body(schema: Mapping[str, Any] | None) -> set[str]:
    """The schema that is all of a body: its fields are parameters, it needs no type of its own."""
    return {str(schema["$ref"]).rsplit("/", 1)[-1]} if schema and "$ref" in schema else set()


def _within(asked: set[str], schemas: Mapping[str, Any]) -> set[str]:
    """Schemas that stand within others."""
    found: set[str] = set()
    for name in asked:
        refs(schemas[name], schemas, found)
    return found


def _imports(text: str) -> str:
    """The core's imports, and `TypedDict`."""
    lines = text[text.index("from __future__") :]
    return lines.replace("Literal, Protocol", "Literal, NotRequired, Protocol").replace(
        "TypeVar, Union", "TypedDict, TypeVar, Union"
    )


def _formatted(source: str) -> str:
    """As ruff writes it."""
    for command in (["check", "--select", "F401,I", "--fix", "--quiet"], ["format"]):
        place = ["--stdin-filename", str(PLACE), "-"]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *place], input=source, capture_output=True, text=True, cwd=ROOT
        )
        if done.returncode:
            raise SystemExit(done.stdout[-3000:] + done.stderr)
        source = done.stdout
    return source


def document() -> dict[str, Any]:
    """The OpenAPI document of this product."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    django.setup()
    from taktura.api.reference import openapi_text

    found: dict[str, Any] = json.loads(openapi_text())
    return found


def main() -> int:
    """Write the client; with `--check` tell whether it is as it should be."""
    text = client(document())
    if "--check" in sys.argv[1:]:
        same = PLACE.exists() and PLACE.read_text("utf-8") == text
        if not same:
            print(f"{PLACE.relative_to(ROOT)} is not what OpenAPI gives: run python -m tools.client", file=sys.stderr)
        return 0 if same else 1
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(text, "utf-8")
    print(f"{PLACE.relative_to(ROOT)}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
