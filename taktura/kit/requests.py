"""What is told and measured of each request: a number that all lines of the log about it carry, its path, how it ended,
how long it took, who asked. No query, no content, no name."""

import logging
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

HEADER = "X-Request-ID"
MASK = "…"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
# Parts of an address that open something to whoever knows them.
_SECRET_PARTS = frozenset({"secret", "token", "uidb36", "key"})
_SECRET_PLACES = ("/account/", "/hooks/", "/portal/")

REQUESTS = Counter("taktura_requests", "Requests answered.", ["view", "method", "status"])
SECONDS = Histogram(
    "taktura_request_seconds", "How long requests took.", ["view"],
    buckets=(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30),
)  # fmt: skip
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Next = Callable[[HttpRequest], HttpResponse]
logger = structlog.stdlib.get_logger("taktura.requests")


class RequestMiddleware:
    """Gives each request a number, answers with it, and tells of the request when it is done.

    A number that a proxy gives (`X-Request-ID`, 8 to 64 letters, digits and `._-`) is kept.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        given = request.headers.get(HEADER, "")
        number = given if _SANE.fullmatch(given) else uuid4().hex
        begin = perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=number):
            response = self.get_response(request)
            response.headers[HEADER] = number
            if not request.path.startswith(settings.STATIC_URL):
                _tell(request, response, perf_counter() - begin)
        return response


def _tell(request: HttpRequest, response: HttpResponse, seconds: Any) -> None:
    status, method = response.status_code, request.method or ""
    view = view_name(request)
    SECONDS.labels(view).observe(seconds)
    REQUESTS.labels(view, method if method in METHODS else "other", str(status)).inc()
    logger.log(
        logging.ERROR if status >= 500 else logging.INFO, "request",
        method=method, path=masked_path(request), status=status, ms=int(seconds * 1000), **who(request),
    )  # fmt: skip


def view_name(request: HttpRequest) -> str:
    """The name of the page or endpoint; `-` where there is none, so that made-up addresses make no new names."""
    match = request.resolver_match
    return (match.view_name or match.route or "-") if match is not None else "-"


def masked_path(request: HttpRequest) -> str:
    """The path of a request, without what would let a reader of the log in."""
    path: str = request.path
    match = request.resolver_match
    if match is None or not path.startswith(_SECRET_PLACES):
        return path
    for name, value in match.kwargs.items():
        if name in _SECRET_PARTS and value:
            path = path.replace(str(value), MASK)
    return path


def who(request: HttpRequest) -> dict[str, Any]:
    """The number of the user, or of the key of another system; nobody is looked up for the log alone."""
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        return {"user": user.pk}
    key = getattr(getattr(request, "auth", None), "key", None)
    return {"key": key.pk} if key is not None else {}
