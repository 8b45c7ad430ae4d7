"""The OpenAPI document and the reference page that is made from it. Both are open: they hold no data."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from taktura.api.endpoint import TAKEN_BACK
from taktura.api.problems import FIELDS, STATUS, TEXTS
from taktura.api.v1.api import api

_CODE = re.compile(r"`([^`]+)`")
_REF = "#/components/schemas/"
CHOICES_SHOWN = 12
# Headers of every operation, or of every POST: told once at the top.
COMMON = ("Taktura-Seller", "Accept-Language", "Idempotency-Key")


@require_GET
def openapi_json(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return HttpResponse(openapi_text(), content_type="application/json; charset=utf-8")


@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    """The reference as a page: all that the document says, without a script."""
    return HttpResponse(_page())


@lru_cache(maxsize=1)
def openapi_text() -> str:
    """The OpenAPI document as it is sent."""
    return json.dumps(api.get_openapi_schema(), ensure_ascii=False, indent=1)


@lru_cache(maxsize=1)
def _page() -> str:
    document = api.get_openapi_schema()
    groups: dict[str, list[dict[str, Any]]] = {}
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation, schemas))
    content = {
        "info": document["info"],
        "about": _paragraphs(document["info"]["description"]),
        "common": _common(document["paths"]["/api/v1/customers"]["post"]),
        "groups": [{"name": name, "operations": operations} for name, operations in groups.items()],
        "schemas": [
            {"name": name, "about": _paragraphs(schema.get("description", "")), "fields": list(_fields(schema))}
            for name, schema in sorted(schemas.items())
        ],
        "problems": [{"code": c, "status": s, "text": marked(TEXTS.get(c, ""))} for c, s in STATUS.items()],
        "faults": sorted(FIELDS),
    }
    return render_to_string("api/reference.html", content)


def _common(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The headers that are told once, from an operation that has all of them."""
    found = [_parameter(p) for p in operation["parameters"] if p["name"] in COMMON]
    assert len(found) == len(COMMON)
    return found


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    answers = [
        {"status": status, "about": marked(answer["description"]), "types": _types(answer)}
        for status, answer in operation["responses"].items()
    ]
    return {
        "name": operation["operationId"],
        "words": operation["operationId"].replace("_", " "),
        "method": method.upper(),
        "path": path,
        "summary": marked(operation["summary"]),
        "about": _paragraphs(operation["description"]),
        "parameters": [_parameter(p) for p in operation["parameters"] if not _told_once(p)],
        "bodies": [{"media": media, "type": type_of(part["schema"])} for media, part in body.items()],
        "examples": list(_examples(operation)),
        "fields": list(_fields(_body_of(body, schemas))),
        "answers": [answer for answer in answers if answer["status"] < "400"],
        "refusals": [answer for answer in answers if answer["status"] >= "400"],
    }


def _told_once(parameter: Mapping[str, Any]) -> bool:
    return parameter["name"] in COMMON or parameter.get("description") == TAKEN_BACK


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "type": type_of(parameter["schema"]),
        "required": parameter["required"],
        "about": marked(parameter.get("description") or parameter["schema"].get("description", "")),
    }


def _body_of(body: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The schema of a body, or of one of those of which a body is a list."""
    for content in body.values():
        schema = content["schema"]
        one = schema.get("anyOf", [schema])[0]
        return schemas.get(str(one.get("$ref", "")).removeprefix(_REF), {})
    return {}


def _types(answer: Mapping[str, Any]) -> list[SafeString]:
    return [type_of(part["schema"]) for part in answer.get("content", {}).values() if "schema" in part]


def _examples(operation: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Examples of bodies, of requests first."""
    parts = [("Request", operation.get("requestBody", {}))]
    parts += [(f"Answer {status}", answer) for status, answer in operation["responses"].items()]
    for title, part in parts:
        for content in part.get("content", {}).values():
            for example in content.get("examples", {}).values():
                text = json.dumps(example["value"], ensure_ascii=False, indent=2)
                yield {"title": title, "text": text}


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    required = schema.get("required", [])
    ordered = sorted(schema.get("properties", {}).items(), key=lambda field: field[0] not in required)
    for name, content in ordered:
        yield {
            "name": name,
            "type": type_of(content),
            "required": name in required,
            "about": marked(content.get("description", "")),
        }


def type_of(schema: Mapping[str, Any]) -> SafeString:
    """A schema in a few words, with links to those that have a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(_REF))
        return mark_safe(f'<a href="#schema-{name}">{name}</a>')
    if _is_number(schema):
        return mark_safe("decimal number")
    if "anyOf" in schema:
        return mark_safe(" or ".join(dict.fromkeys(type_of(part) for part in schema["anyOf"])))
    if "enum" in schema:
        shown = [f"<code>{escape(value)}</code>" for value in schema["enum"][:CHOICES_SHOWN]]
        return mark_safe(" ".join([*shown, "…"] if len(schema["enum"]) > CHOICES_SHOWN else shown))
    if "const" in schema:
        return mark_safe(f"<code>{escape(schema['const'])}</code>")
    if schema.get("type") == "array":
        return mark_safe(f"list of {type_of(schema.get('items', {}))}")
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return mark_safe(f"object of {type_of(schema['additionalProperties'])}")
    words = [str(schema.get("format") or schema.get("type") or "anything")]
    if "maxLength" in schema:
        words.append(f"to {schema['maxLength']} characters")
    if "minimum" in schema or "maximum" in schema:
        words.append(f"{schema.get('minimum', '')} … {schema.get('maximum', '')}".strip())
    return mark_safe(escape(", ".join(words)))


def _is_number(schema: Mapping[str, Any]) -> bool:
    """Whether it is a decimal number: a text or a number that comes in, a text that goes out."""
    kinds = [part.get("type") for part in schema.get("anyOf", ())]
    return kinds == ["string", "number"] or schema.get("pattern", "").startswith("^-?[0-9]+")


def marked(text: str) -> SafeString:
    """A text with what stands in backticks as code."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(text)))


def _paragraphs(text: str) -> list[SafeString]:
    return [marked(part) for part in text.split("\n\n") if part.strip()]
