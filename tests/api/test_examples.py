"""The examples in OpenAPI are true: the story is played again, and every answer fits what the document says of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from taktura.api.openapi import endpoints, examples_by_operation
from taktura.api.reference import openapi_text
from taktura.api.v1.api import api
from tools import api_examples

DOCUMENT = json.loads(openapi_text())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and content of each operation of the document."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What does not fit; references go into the document."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{e.instance_path}: {e.message}"[:300] for e in validator.iter_errors(value)]


@pytest.mark.usefixtures("database")
def test_the_story_is_as_it_is_told() -> None:
    """`python -m tools.api_examples` writes it anew."""
    assert api_examples.written(api_examples.play()) == api_examples.PLACE.read_text("utf-8")


def test_every_operation_has_an_example() -> None:
    assert set(examples_by_operation()) == set(endpoints(api)) == {o["operationId"] for _, _, o in operations()}


@pytest.mark.parametrize("step", json.loads(api_examples.PLACE.read_text("utf-8")), ids=lambda s: s["operation"])
def test_examples_fit_their_schemas(step: dict[str, Any]) -> None:
    operation = next(o for _, _, o in operations() if o["operationId"] == step["operation"])
    if step["body"] is not None:
        for content in operation["requestBody"]["content"].values():
            if content["schema"].get("format") != "binary":
                assert faults(content["schema"], step["body"]) == [] or step["operation"] == "record_usage"
    if "answer" in step:
        answer = operation["responses"][str(step["status"])]["content"]["application/json"]["schema"]
        assert faults(answer, step["answer"]) == []
        assert set(step["answer"]) <= set(_properties(answer)), "nothing is told that is not documented"


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema["$ref"].rsplit("/", 1)[-1]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]["properties"]
    return found


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert meta.is_valid(schema), name
    for method, path, operation in operations():
        assert operation["security"] and operation["summary"], path
        names = [p["name"] for p in operation["parameters"]]
        assert len(names) == len(set(names)), (method, path)
        assert ("Idempotency-Key" in names) == (method == "POST"), (method, path)
        for part in path.split("{")[1:]:
            assert part.split("}")[0] in names, path
