"""The types of the client: what a schema of the OpenAPI document is in Python."""

import keyword
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
REF = "#/components/schemas/"
SIMPLE = {"boolean": "bool", "integer": "int", "null": "None", "string": "str", "number": "Number"}


def incoming(schema: Schema) -> str:
    """The type of what is sent: numbers as Decimal, int or text, days and moments also as texts, objects as dicts."""
    if _is_number(schema):
        return "Number"
    if {part.get("format") for part in schema.get("anyOf", ())} == {"date", "date-time"}:
        return "Moment"
    if schema.get("format") in ("date", "date-time"):
        return "Day" if schema["format"] == "date" else "Moment"
    return _common(schema, incoming)


def outgoing(schema: Schema) -> str:
    """The type of what is answered: numbers as Decimal, days as date, moments as datetime, objects as classes."""
    if schema.get("format") in ("date", "date-time"):
        return "date" if schema["format"] == "date" else "datetime"
    if schema.get("type") == "string" and schema.get("pattern", "").startswith("^-?[0-9]+"):
        return "Decimal"
    return _common(schema, outgoing)


def _common(schema: Schema, inner: Any) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_none_last(inner(part) for part in schema["anyOf"])))
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema.get('enum', [schema.get('const')]))}]"
    if schema.get("type") == "array":
        kind = "Sequence" if inner is incoming else "list"
        return f"{kind}[{inner(schema['items'])}]"
    if schema.get("type") == "object":
        return _mapping(schema, inner)
    return SIMPLE[schema["type"]]


def _mapping(schema: Schema, inner: Any) -> str:
    more = schema.get("additionalProperties")
    patterns = list(schema.get("patternProperties", {}).values())
    values = patterns[0] if patterns else more
    kind = "Mapping" if inner is incoming else "dict"
    return f"{kind}[str, {inner(values) if isinstance(values, Mapping) else 'Any'}]"


def _none_last(names: Iterator[str]) -> list[str]:
    found = [part for name in names for part in _split(name)]
    return [name for name in found if name != "None"] + [name for name in found if name == "None"]


def _split(name: str) -> list[str]:
    """The parts of a union, which stand beside those around it."""
    return name.split(" | ") if "[" not in name else [name]


def _is_number(schema: Schema) -> bool:
    return {part.get("type") for part in schema.get("anyOf", ())} == {"string", "number"}


def refs(content: Any, schemas: Mapping[str, Schema], found: set[str]) -> set[str]:
    """The names of the schemas that something refers to, also through others; adds to `found`."""
    if isinstance(content, Mapping):
        name = str(content.get("$ref", "")).removeprefix(REF)
        if name and name not in found:
            found.add(name)
            refs(schemas[name], schemas, found)
        for value in content.values():
            refs(value, schemas, found)
    elif isinstance(content, list):
        for value in content:
            refs(value, schemas, found)
    return found


def python_name(name: str) -> str:
    """A field's name as it can stand in Python."""
    return f"{name}_" if keyword.iskeyword(name) else name


def request_class(name: str, schema: Schema) -> Iterator[str]:
    """A dict with these fields."""
    required = schema.get("required", [])
    parts = {
        field: incoming(part) if field in required else f"NotRequired[{incoming(part)}]"
        for field, part in schema["properties"].items()
    }
    about = schema.get("description", "").strip()
    if any(keyword.iskeyword(field) for field in parts):
        yield f"# {about}"
        yield f"{name} = TypedDict({name!r}, {{{', '.join(f'{field!r}: {kind!r}' for field, kind in parts.items())}}})"
    else:
        yield f"class {name}(TypedDict):"
        yield f'    """{about}"""\n'
        yield from (f"    {field}: {kind}" for field, kind in parts.items())
    yield "\n"


def answer_class(name: str, schema: Schema, *, marked: bool) -> Iterator[str]:
    """A class with these fields, and with the ETag where there is one."""
    yield "@dataclass(frozen=True, slots=True, kw_only=True)"
    yield f"class {name}{'(Marked)' if marked else ''}:"
    yield f'    """{schema.get("description", "").strip()}"""\n'
    for field, part in schema["properties"].items():
        yield f"    {python_name(field)}: {outgoing(part)}"
    yield "\n"
