"""The methods of the client: one for each operation of the OpenAPI document."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.client.kinds import REF, Schema, incoming, outgoing, python_name

WIDTH = 116
JSON = "application/json"
PAGED = {"limit", "after"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation: where it is, what it takes, what it gives."""

    method: str
    path: str
    content: Mapping[str, Any]
    schemas: Mapping[str, Schema]

    @property
    def name(self) -> str:
        """Its name, and that of the method."""
        return str(self.content["operationId"])

    @property
    def answer(self) -> Mapping[str, Any]:
        """What it answers when it is done."""
        found: Mapping[str, Any] = next(a for status, a in self.content["responses"].items() if status.startswith("2"))
        return found

    @property
    def gives(self) -> str:
        """The type of its answer."""
        for content in self.answer.get("content", {}).values():
            return "bytes" if content["schema"].get("format") == "binary" else outgoing(content["schema"])
        return "None"

    @property
    def marked(self) -> bool:
        """Whether its answer has an ETag."""
        return "ETag" in self.answer.get("headers", {})

    @property
    def body(self) -> Schema | None:
        """The schema of its body."""
        for content in self.content.get("requestBody", {}).get("content", {}).values():
            found: Schema = content["schema"]
            return found
        return None

    @property
    def medias(self) -> list[str]:
        """The kinds of its body."""
        return list(self.content.get("requestBody", {}).get("content", {}))

    def parameters(self, place: str) -> list[Mapping[str, Any]]:
        """Its parameters in a place."""
        return [p for p in self.content["parameters"] if p["in"] == place]

    def takes(self, header: str) -> bool:
        """Whether it takes a header."""
        return any(p["name"] == header for p in self.parameters("header"))

    @property
    def paged(self) -> str:
        """The type of an item, where it is a list in pages."""
        names = {p["name"] for p in self.parameters("query")}
        fields = self.schemas.get(self.gives, {}).get("properties", {})
        if not names >= PAGED or "items" not in fields:
            return ""
        return outgoing(fields["items"]["items"])


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All operations of a document."""
    schemas = document["components"]["schemas"]
    return [
        Operation(method=method.upper(), path=path.removeprefix("/api/v1"), content=content, schemas=schemas)
        for path, methods in document["paths"].items()
        for method, content in methods.items()
    ]


def method(operation: Operation) -> Iterator[str]:
    """The lines of a method."""
    signature, call = _Signature(), _Call(operation)
    _place(operation, signature)
    _fields(operation, signature, call)
    _query(operation, signature, call)
    _headers(operation, signature, call)
    gives = f"Pages[{operation.gives}, {operation.paged}]" if operation.paged else operation.gives
    yield f"    def {operation.name}({signature.text()}) -> {gives}:"
    yield from _docstring(operation)
    yield f"        return {call.text()}"
    yield ""


class _Signature:
    """The parameters of a method."""

    def __init__(self) -> None:
        self.placed: list[str] = ["self"]
        self.named: list[tuple[str, str]] = []  # with what they are by default
        self.names: set[str] = set()

    def add(self, name: str, kind: str, default: str = "", *, placed: bool = False) -> None:
        assert name not in self.names, f"{name} is there twice"
        self.names.add(name)
        if placed:
            self.placed.append(f"{name}: {kind}")
        else:
            self.named.append((f"{name}: {kind}", default))

    def text(self) -> str:
        ordered = sorted(self.named, key=lambda part: bool(part[1]))
        named = [f"{text} = {default}" if default else text for text, default in ordered]
        return ", ".join([*self.placed, *(["*"] if named else []), *named])


class _Call:
    """The call that a method makes."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.more: list[str] = []

    def text(self) -> str:
        one = self.operation
        path = re.sub(r"{(\w+)}", lambda found: f"{{_part({python_name(found[1])})}}", one.path)
        kind = "type(None)" if one.gives == "None" else one.gives
        prefix = "f" if "{" in path else ""
        more = "".join(f", {part}" for part in self.more)
        if _many(one) is not None:
            return f'self._in_batches({kind}, "{path}", records, {_many(one)}, idempotency_key)'
        asked = f'self._ask({kind}, "{one.method}", {prefix}"{path}"{more})'
        return f"Pages(lambda after: {asked}, after)" if one.paged else asked


def _many(operation: Operation) -> int | None:
    """How many a body holds at most, where it is a list."""
    lists = [part for part in (operation.body or {}).get("anyOf", ()) if part.get("type") == "array"]
    return int(lists[0]["maxItems"]) if lists else None


def _place(operation: Operation, signature: _Signature) -> None:
    for name in re.findall(r"{(\w+)}", operation.path):
        schema = next(p["schema"] for p in operation.parameters("path") if p["name"] == name)
        signature.add(python_name(name), incoming(schema), placed=True)


def _fields(operation: Operation, signature: _Signature, call: _Call) -> None:
    """A body's fields are parameters of the method."""
    schema = operation.body
    if schema is None:
        return
    if _many(operation) is not None:
        one = str(schema["anyOf"][0]["$ref"]).removeprefix(REF)
        signature.add("records", f"Iterable[{one}]", placed=True)
        return
    if schema.get("format") == "binary":
        signature.add("content", "bytes", placed=True)
        choices = ", ".join(f'"{media}"' for media in operation.medias)
        signature.add("media", f"Literal[{choices}]", f'"{operation.medias[0]}"')
        call.more += ["content=content", "media=media"]
        return
    body = operation.schemas[schema["$ref"].removeprefix(REF)]
    required = body.get("required", [])
    for name, part in body["properties"].items():
        kind = incoming(part)
        signature.add(python_name(name), kind if name in required else f"{kind} | Omit", "" if name in required else
                      "OMIT")  # fmt: skip
    parts = ", ".join(f'"{name}": {python_name(name)}' for name in body["properties"])
    call.more.append(f"body={{{parts}}}")


def _query(operation: Operation, signature: _Signature, call: _Call) -> None:
    parameters = operation.parameters("query")
    for parameter in parameters:
        kind, name = incoming(parameter["schema"]), python_name(parameter["name"])
        default = parameter["schema"].get("default")
        signature.add(name, kind, "" if parameter["required"] else repr(default))
    if parameters:
        parts = ", ".join(f'"{p["name"]}": {python_name(p["name"])}' for p in parameters)
        call.more.append(f"query={{{parts}}}")


def _headers(operation: Operation, signature: _Signature, call: _Call) -> None:
    if operation.takes("If-Match"):
        signature.add("if_match", "Marked | str | None", "None")
        call.more.append("if_match=if_match")
    if operation.takes("If-None-Match"):
        signature.add("known", f"{operation.gives} | None", "None")
        call.more.append("known=known")
    if operation.takes("Idempotency-Key"):
        signature.add("idempotency_key", "str | None", "None")
        call.more.append("idempotency_key=idempotency_key")


def _docstring(operation: Operation) -> Iterator[str]:
    parts = [f"{operation.content['summary']}."]
    parts += [part for part in operation.content["description"].split("\n\n") if part.strip()]
    seen = operation.content.get("x-etag-of")
    if seen:
        parts.append(f"`if_match`: what `{seen}` gave; refused when it has changed since.")
    if _many(operation) is not None:
        parts.append(f"Give as many as you like: they are sent in batches of {_many(operation):,}.")
    wrapped = [textwrap.fill(" ".join(part.split()), WIDTH - 8) for part in parts]
    text = "\n\n".join(wrapped)
    lines = text.split("\n")
    lines[0] = f'"""{lines[0]}'
    if len(lines) == 1:
        lines[0] += '"""'
    else:
        lines.append('"""')
    yield from (f"        {line}" if line else "" for line in lines)
