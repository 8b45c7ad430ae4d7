"""Odd values in the query of every GET: no server error, and each answer is the one that the document tells of."""

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import pytest

from taktura.api import gate
from taktura.api.reference import openapi_text
from taktura.kit.limits import Buckets
from tests.api.helpers import Api

ODD = ["\x91Û", "\x85", "x\u3000", "\u2028", "\ufeff", "a\x00b", "\x1fa", "x" * 5000, "\U0010ffff", "%", "", "-1"]
BROKEN = ["%ED%A0%80", "%C2"]  # what is no UTF-8, or no escape


def queries() -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """Each parameter of each GET: the address, the parameter, and the others that it needs."""
    found = []
    for path, methods in json.loads(openapi_text())["paths"].items():
        parameters = [p for p in methods.get("get", {}).get("parameters", []) if p["in"] == "query"]
        needed = {
            p["name"]: "2026-01-01" if "date" in json.dumps(p["schema"]) else "1"
            for p in parameters
            if p.get("required")
        }
        found += [(re.sub(r"\{[^}]*\}", "1", path), p, needed) for p in parameters]
    return found


QUERIES = queries()


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is refused for the number of requests."""
    monkeypatch.setattr(gate, "buckets", lru_cache(lambda: Buckets(10**9, 10**9)))


def fits(schema: dict[str, Any], value: str) -> bool | None:
    """Whether a text fits a schema of texts; None where it is not of texts alone."""
    choices = [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]
    if any(s.get("type") != "string" or "format" in s for s in choices):
        return None
    return any(
        s.get("minLength", 0) <= len(value) <= s.get("maxLength", len(value))
        and re.search(s.get("pattern", "")[:-1] + r"\Z" if s.get("pattern") else "", value) is not None
        and value in s.get("enum", [s.get("const", value)])
        for s in choices
    )


def test_odd_values_are_refused_or_find_nothing(api: Api) -> None:
    assert len(QUERIES) > 100
    wrong = []
    for path, parameter, needed in QUERIES:
        for value in ODD:
            name = parameter["name"]
            query = "&".join(f"{key}={quote(text)}" for key, text in (needed | {name: value}).items())
            answer = api.get(f"{path}?{query}")
            at_fault = {e["field"] for e in answer.data["errors"]} if answer.status_code == 422 else set()
            expected = fits(parameter["schema"], value) if "\0" not in value else False
            right = answer.status_code in (200, 404, 422) and (
                expected is None or (f"query.{name}" not in at_fault if expected else answer.status_code != 200)
            )
            if not right:
                wrong.append((path, name, ascii(value[:20]), answer.status_code, answer.content[:200]))
    assert wrong == []


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_escapes_are_no_fault_of_the_server(api: Api, broken: str) -> None:
    for path, parameter, _ in QUERIES:
        assert api.get(f"{path}?{parameter['name']}={broken}").status_code in (200, 404, 422), path


@pytest.mark.parametrize("key", ["\x91Û", "\x85", "a\x9fb"])
def test_a_key_has_no_control_characters_of_any_kind(api: Api, key: str) -> None:
    answer = api.get(f"/usage/exceptions?contract={quote(key)}")
    assert answer.status_code == 422
    assert answer.data["errors"][0]["code"] == "key"
