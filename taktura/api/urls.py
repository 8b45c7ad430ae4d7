"""The addresses of the API, below `/api/`. What is not there is a problem too."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt

from taktura.api.problems import MEDIA, Fault, faulty
from taktura.api.reference import openapi_json, reference
from taktura.api.v1.api import api


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """404 for every other address."""
    return faulty(request, Fault("nothing_here", code="not_found", path=request.path.replace("\0", "\\0")))


def _allowing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that says as a problem, too, which methods it knows."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **options: object) -> HttpResponse:
        given = view(request, *args, **options)
        if given.status_code == 405 and given.headers.get("Content-Type") != MEDIA:
            fault = Fault("method_not_allowed", headers={"Allow": given.headers["Allow"]}, method=request.method)
            return faulty(request, fault)
        return given

    answer.csrf_exempt = True  # type: ignore[attr-defined] # a key is no cookie
    return answer


def _patterns() -> list[URLPattern | URLResolver]:
    patterns, app, namespace = api.urls
    known = [p for p in patterns if isinstance(p, URLPattern) and p.callback is not None and p.name != "api-root"]
    for pattern in known:
        pattern.callback = _allowing(pattern.callback)
    return [
        path("v1/openapi.json", _allowing(openapi_json), name="api_openapi"),
        path("v1/docs", _allowing(reference), name="api_reference"),
        path("v1/", (known, app, namespace)),
        re_path("", nothing_here),
    ]


urlpatterns = _patterns()
