"""What all endpoints share: who may, once per `Idempotency-Key`, only if nobody was quicker, exact answers, ETags."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from taktura.api.call import SELLER_HEADER, Call, call_of
from taktura.api.gate import MOST_BYTES, Gate
from taktura.api.idempotency.services import key_of, once
from taktura.api.parsing import JSON, read_raw
from taktura.api.problems import Fault
from taktura.audit.acts import begin_act

View = TypeVar("View", bound=Callable[..., Any])
TAKEN_BACK = "do it, answer, and take it back"
REHEARSAL = inspect.Parameter("preview", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=bool)
PRIVATE = {"GET": "private, no-cache"}
ANSWER = f"{JSON}; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What an endpoint declares of itself, for the gate, OpenAPI and the tests.

    `of` gives what a change bears on, as GET shows it, from the call and the parts of the address: the ground of
    `If-Match`. `raw`: the kinds of bodies that the view reads itself; `body` is what OpenAPI says of one, or of each of
    `many`. `preview`: the view itself takes `?preview=true` and shows what would become of it; `rehearsed`: what it
    does is taken back then. `looks`: it writes nothing, although it is a POST. `secret`: the field of the answer that
    holds one; the answer is kept sealed. `codes`: the codes of refusals to be expected besides the usual.
    """

    name: str
    method: str
    path: str
    permission: str
    status: int
    answer: type[BaseModel] | None
    of: Callable[..., BaseModel] | None = None
    etag: bool = False
    resumable: bool = False
    raw: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    many: int = 0
    most_bytes: int = MOST_BYTES
    preview: bool = False
    looks: bool = False
    secret: str = ""
    codes: tuple[str, ...] = ()
    media: str = JSON
    parameters: frozenset[str] = frozenset()
    has_body: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def rehearsed(self) -> bool:
        """Whether `?preview=true` does the work and takes it back."""
        return self.writes and not self.looks and not self.preview


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view gives when it has more to say than a body."""

    payload: BaseModel | None
    headers: Mapping[str, str] = field(default_factory=dict)


def location(kind: str, name: str | int) -> dict[str, str]:
    """The header that tells where something new is."""
    return {"Location": f"/api/v1/{kind}/{quote(str(name), safe='')}"}


def endpoint(
    router: Router,
    method: str,
    path: str,
    permission: str,
    *,
    answer: type[BaseModel] | None,
    status: int = 200,
    openapi: Mapping[str, Any] | None = None,
    **more: Any,
) -> Callable[[View], View]:
    """Make a view an endpoint. The view gets the request and its checked values; it gives a body, an `Answer`, or a
    response of its own. Its docstring is what OpenAPI says."""

    def decorate(view: View) -> View:
        signature = inspect.signature(view)
        names = {
            name for name, p in signature.parameters.items() if name not in ("request", "body") and f"{{{name}}}"
            not in path and f":{name}}}" not in path
        }  # fmt: skip
        declared = Endpoint(
            name=view.__name__, method=method, path=path, permission=permission, status=status, answer=answer,
            preview="preview" in names, parameters=frozenset(names), has_body="body" in signature.parameters, **more,
        )  # fmt: skip

        @wraps(view)
        def run(request: HttpRequest, **values: Any) -> HttpResponse:
            return _run(declared, view, request, values)

        run.endpoint = declared  # type: ignore[attr-defined]
        if declared.rehearsed:
            parameters = [*signature.parameters.values(), REHEARSAL]
            run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        summary, _, rest = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
        router.api_operation(
            [method], path, auth=Gate(permission, declared.most_bytes), response={status: answer}, by_alias=True,
            operation_id=view.__name__, summary=" ".join(summary.split()).rstrip("."), description=rest or " ",
            openapi_extra=dict(openapi or {}),
        )(run)  # fmt: skip
        return run  # type: ignore[return-value]

    return decorate


def _run(declared: Endpoint, view: Callable[..., Any], request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    call = call_of(request)
    rehearsed = declared.rehearsed and values.pop("preview")
    _check_query(request, declared.parameters | ({REHEARSAL.name} if declared.rehearsed else set()))
    if SELLER_HEADER in request.headers:
        call.seller  # noqa: B018 - one that is not there is refused everywhere
    if declared.raw:
        read_raw(request, declared.raw, declared.most_bytes)
    elif declared.writes and not declared.has_body and request.body not in (b"", b"{}"):
        raise Fault("no_body", code="invalid")

    def produce() -> HttpResponse:
        if not declared.writes or declared.looks or values.get("preview"):
            _check_unchanged(call, declared, values)
            return _response(declared, call, view(request, **values))
        if declared.resumable:
            return _response(declared, call, view(request, **values))
        with transaction.atomic():
            if request.headers.get("If-Match") is not None and declared.of is not None:
                begin_act()  # nobody changes it between the look at it and the change
                _check_unchanged(call, declared, values)
            return _response(declared, call, view(request, **values))

    if declared.method == "POST":  # what else writes can be repeated as it is
        key_of(request)
    if rehearsed:
        return _taken_back(declared, produce)
    if declared.method != "POST" or values.get("preview"):
        return produce()
    return once(call, produce, resumable=declared.resumable, secret=bool(declared.secret))


def _taken_back(declared: Endpoint, produce: Callable[[], HttpResponse]) -> HttpResponse:
    """What a command would answer. It is done, checked as if it were to stay, and taken back; nothing leaves the house,
    since mails, events and jobs are rows of the same transaction."""
    with transaction.atomic():
        response = produce()
        connection.check_constraints()
        transaction.set_rollback(True)
    if declared.secret:
        told = json.loads(response.content)
        response.content = json.dumps({**told, declared.secret: ""}).encode()  # the one drawn opens nothing
    for name in ("Location", "ETag"):
        if name in response.headers:
            del response.headers[name]
    return response


def _check_query(request: HttpRequest, declared: Iterable[str]) -> None:
    known = {name.removesuffix("_") for name in declared}  # `from_` is asked for as `from`
    for name, given in request.GET.lists():
        if name not in known:
            raise Fault("unknown_parameter", code="invalid", name=name[:100])
        if len(given) > 1:
            raise Fault("parameter_twice", code="invalid", name=name)
        if "\0" in given[0]:
            raise Fault("zero_byte", code="invalid")


def _check_unchanged(call: Call, declared: Endpoint, values: Mapping[str, Any]) -> None:
    """Refuse (412) a change of what has changed since the caller read it."""
    wanted = call.request.headers.get("If-Match")
    if wanted is None or declared.of is None:
        return
    place = {name: value for name, value in values.items() if name not in declared.parameters and name != "body"}
    if not _matches(wanted, etag_of(written(declared.of(call, **place)))):
        raise Fault("precondition_failed")


def _matches(wanted: str, current: str) -> bool:
    return wanted.strip() == "*" or current in [tag.strip().removeprefix("W/") for tag in wanted.split(",")]


def written(payload: BaseModel) -> bytes:
    """A body as it is sent."""
    return payload.model_dump_json(by_alias=True).encode()


def etag_of(content: bytes) -> str:
    """The mark of a resource's content; equal as long as nothing in it changes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _response(declared: Endpoint, call: Call, given: Any) -> HttpResponse:
    if isinstance(given, HttpResponse):
        return given
    answer = given if isinstance(given, Answer) else Answer(given)
    content = written(answer.payload) if answer.payload is not None else b""
    response = HttpResponse(content, status=declared.status, content_type=ANSWER)
    if answer.payload is None:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = PRIVATE.get(declared.method, "no-store")
    for name, value in answer.headers.items():
        response.headers[name] = value
    if declared.etag:
        tag = etag_of(content)
        wanted = call.request.headers.get("If-None-Match")
        if declared.method == "GET" and wanted is not None and _matches(wanted, tag):
            response = HttpResponse(status=304)
        response.headers["ETag"] = tag
    return response
