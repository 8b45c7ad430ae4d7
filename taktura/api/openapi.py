"""The OpenAPI document: what ninja draws from the views, completed by what every endpoint shares."""

import json
from pathlib import Path
from typing import Any, get_type_hints

from ninja import NinjaAPI
from pydantic import BaseModel

from taktura.api.call import SELLER_HEADER
from taktura.api.endpoint import REHEARSAL, TAKEN_BACK, Endpoint
from taktura.api.gate import ANY_KEY, Gate
from taktura.api.idempotency.services import HEADER as IDEMPOTENCY
from taktura.api.parsing import JSON
from taktura.api.problems import MEDIA, STATUS

EXAMPLES = Path(__file__).with_name("examples.json")
PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is stable, `detail` is a sentence in the language asked for.",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(STATUS)},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "additionalProperties": False,
                "properties": {
                    "field": {"type": "string", "description": "where, as in `body.lines.0.price`"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ALWAYS = ("unauthorized", "forbidden", "invalid", "not_found", "rate_limited", "failed", "unavailable")
WORDS = {
    400: "The body is no JSON.",
    401: "No valid key.",
    403: "The key lacks the scope.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand.",
    412: "It was changed meanwhile.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "The request does not fit.",
    429: "Too many requests.",
    500: "The server has failed.",
    503: "Not available: try again.",
}


def endpoints(api: NinjaAPI) -> dict[str, Endpoint]:
    """What all endpoints declare, by name."""
    found = {}
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                declared: Endpoint = operation.view_func.endpoint  # type: ignore[attr-defined]
                assert declared.name not in found, declared.name
                found[declared.name] = declared
    return found


def complete(drawn: dict[str, Any], api: NinjaAPI) -> dict[str, Any]:
    """Ninja's document with permissions, headers, refusals."""
    declared = endpoints(api)
    document = dict(drawn)
    document["servers"] = [{"url": "/"}]
    document["components"]["schemas"]["Problem"] = PROBLEM
    document["components"]["securitySchemes"] = {"key": Gate.openapi_security_schema}
    for model in (m for d in declared.values() if (m := d.body) is not None):
        _add_schema(document["components"]["schemas"], model)
    examples = examples_by_operation()
    readers = {d.answer: d.name for d in declared.values() if d.method == "GET" and d.etag}
    for methods in document["paths"].values():
        for operation in methods.values():
            _complete_operation(operation, declared[operation["operationId"]])
            _say_whose_etag(operation, declared[operation["operationId"]], readers)
            _add_example(operation, declared[operation["operationId"]], examples.get(operation["operationId"]))
    return document


def examples_by_operation() -> dict[str, dict[str, Any]]:
    """A step of the story of examples for each operation: the first that is no preview (`tools/api_examples.py`)."""
    found: dict[str, dict[str, Any]] = {}
    for step in json.loads(EXAMPLES.read_text("utf-8")):
        known = found.get(step["operation"])
        if known is None or "preview" in known["query"] and "preview" not in step["query"]:
            found[step["operation"]] = step
    return found


def _add_example(operation: dict[str, Any], declared: Endpoint, example: dict[str, Any] | None) -> None:
    if example is None:
        return
    given = example["path"] | example["query"]
    for parameter in operation["parameters"]:
        if parameter["in"] != "header" and parameter["name"] in given:
            parameter["example"] = given[parameter["name"]]
    if example["body"] is not None:
        for content in operation["requestBody"]["content"].values():
            content["examples"] = {"example": {"value": example["body"]}}
    if "answer" in example:
        for content in operation["responses"][str(declared.status)]["content"].values():
            content["examples"] = {"example": {"value": example["answer"]}}


def _add_schema(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    """Put in a body that ninja does not see, since its view reads it itself."""
    schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema


def _complete_operation(operation: dict[str, Any], declared: Endpoint) -> None:
    operation["description"] = operation.get("description", "").strip()
    scope = declared.permission
    operation["security"] = [{"key": [] if scope == ANY_KEY else [scope]}]
    operation["x-permission"] = scope or None
    needed = f"Scope: `{scope}`." if scope else "Any key."
    operation["description"] = f"{operation['description']}\n\n{needed}".strip()
    if declared.rehearsed:
        preview = next(p for p in operation["parameters"] if p["name"] == REHEARSAL.name)
        preview["description"] = TAKEN_BACK
    operation["parameters"] += _headers(declared)
    if declared.raw:
        operation["requestBody"] = {"required": True, "content": {m: {"schema": _raw(declared)} for m in declared.raw}}
    codes = set(ALWAYS) | set(declared.codes)
    if declared.writes:
        codes |= {"conflict", "malformed", "too_large", "unsupported_media_type"}
    if declared.of is not None:
        codes |= {"precondition_failed"}
    if declared.method == "POST":
        codes |= {"idempotency_in_progress", "idempotency_key_reused"}
    for status in sorted({STATUS[code] for code in codes}):
        named = sorted(code for code in codes if STATUS[code] == status)
        operation["responses"][status] = {
            "description": f"{WORDS[status]} Codes: {', '.join(f'`{code}`' for code in named)}.",
            "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    _success(operation["responses"], declared)
    operation["responses"] = {str(status): content for status, content in operation["responses"].items()}


def _say_whose_etag(operation: dict[str, Any], declared: Endpoint, readers: dict[Any, str]) -> None:
    """Name the operation that gives the ETag which a change takes as `If-Match`."""
    if declared.of is None:
        return
    operation["x-etag-of"] = reader = readers[get_type_hints(declared.of)["return"]]
    header = next(p for p in operation["parameters"] if p["name"] == "If-Match")
    header["description"] = f"the ETag that `{reader}` gave: refused when it has changed since"


def _raw(declared: Endpoint) -> dict[str, Any]:
    if declared.body is None:
        return {"type": "string", "format": "binary"}
    one = {"$ref": f"#/components/schemas/{declared.body.__name__}"}
    return {"anyOf": [one, {"type": "array", "items": one, "maxItems": declared.many}]}


def _headers(declared: Endpoint) -> list[dict[str, Any]]:
    found = [
        _header(
            SELLER_HEADER, "the seller's id, where there are several", {"type": "string", "pattern": "^[0-9]{1,18}$"}
        )
    ]
    found.append(_header("Accept-Language", "the language of refusals: en, de or sv", {"type": "string"}))
    if declared.method == "POST":
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        found.append(_header(IDEMPOTENCY, "a request that comes again with it has no second effect", schema))
    if declared.of is not None:
        found.append(_header("If-Match", "", {"type": "string"}))
    if declared.etag and declared.method == "GET":
        found.append(_header("If-None-Match", "an ETag: 304 when nothing has changed", {"type": "string"}))
    return found


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": description, "schema": schema}


def _success(answers: dict[int, Any], declared: Endpoint) -> None:
    answer = answers[declared.status]
    if declared.media != JSON:
        answer["content"] = {declared.media: {"schema": {"type": "string", "format": "binary"}}}
    answer["description"] = {200: "Done.", 201: "Made.", 202: "Begun.", 204: "Gone."}[declared.status]
    if declared.etag:
        answer.setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}
        if declared.method == "GET":
            answers[304] = {"description": "Nothing has changed."}
