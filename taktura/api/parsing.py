"""Reading bodies and queries: exactly, and nothing that only looks like JSON."""

import json
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from taktura.api.problems import Fault

DEEPEST = 20  # levels of lists and objects
JSON = "application/json"
ZERO = "\0"


class ExactParser(Parser):
    """Numbers become `int` and `Decimal`; NaN, Infinity, a name twice, bad UTF-8 and half characters are refused."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The content of a JSON body. Raises `Fault`: 400, 415, 422."""
        return read_json(request)


def read_json(request: HttpRequest) -> Any:
    """The content of a JSON body. Raises `Fault`: 400, 415, 422."""
    check_media(request, JSON)
    try:
        content = _decoder.decode(request.body.decode("utf-8"))
        _check(content, 0)
    except RecursionError:
        raise Fault("malformed", why="too deep") from None
    except UnicodeDecodeError:
        raise Fault("malformed", why="no UTF-8") from None
    except ValueError as error:
        raise Fault("malformed", why=str(error)[:200]) from None
    return content


def check_media(request: HttpRequest, *medias: str) -> None:
    """Refuse (415) a body of another kind, as its header says."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type not in medias or charset.lower() != "utf-8":
        raise Fault("unsupported_media_type", media=", ".join(medias))


def read_raw(request: HttpRequest, medias: tuple[str, ...], most_bytes: int) -> None:
    """Read a body that the view takes as it is; afterwards it is `request.body`. Raises `Fault`: 413, 415."""
    check_media(request, *medias)
    content = request.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise Fault("too_large", most=most_bytes)
    request._body = content  # beyond what Django reads into memory by itself


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _whole(digits: str) -> int:
    if len(digits) > 100:
        raise ValueError("a number has more than 100 digits")
    return int(digits)


def _exact(digits: str) -> Decimal:
    if len(digits) > 100:
        raise ValueError("a number has more than 100 digits")
    return Decimal(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


_decoder = json.JSONDecoder(
    parse_float=_exact, parse_int=_whole, parse_constant=_refuse_constant, object_pairs_hook=_object
)


def _check(content: Any, depth: int) -> None:
    """No text that the database cannot keep, no depth without end."""
    if isinstance(content, str):
        if ZERO in content:
            raise Fault("zero_byte", code="invalid")
        try:
            content.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("half a character (a lone surrogate)") from None
    elif isinstance(content, dict):
        _deeper(depth)
        for name, value in content.items():
            _check(name, depth)
            _check(value, depth + 1)
    elif isinstance(content, list):
        _deeper(depth)
        for value in content:
            _check(value, depth + 1)


def _deeper(depth: int) -> None:
    if depth >= DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels")
