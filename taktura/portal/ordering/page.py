"""What the pages for ordering share: everybody may see them, in a language that the address can name, and in a frame on
the sites that may show price lists. They look at no session and set no cookie: nobody's rights hang on them, so that
they need no guard against requests from elsewhere, and work in a frame, where cookies do not."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from csp.constants import NONE
from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from taktura.customers.models import Seller
from taktura.kit.language import LANGUAGES

View = Callable[..., HttpResponse]
LANGUAGE = "language"  # in addresses and forms
MOST_BODY = 64 * 1024  # bytes
MOST_KEY = 100  # characters of a key in an address


def order_page(view: View) -> View:
    """A page for ordering."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        language = request.POST.get(LANGUAGE) or request.GET.get(LANGUAGE) or ""
        if language not in LANGUAGES:
            language = translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = _answer(request, view, args, options)
        response.headers["Content-Language"] = language
        response.headers["Referrer-Policy"] = "same-origin"
        add_never_cache_headers(response)
        return response

    framed = {"frame-ancestors": settings.PRICE_LIST_SITES or [NONE]}
    done = csrf_exempt(xframe_options_exempt(csp_update(framed)(checked)))
    return cast(View, done)


def _answer(request: HttpRequest, view: View, args: Any, options: dict[str, Any]) -> HttpResponse:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BODY:
        return render(request, "order/error.html", {"too_large": True}, status=413)
    try:
        return view(request, *args, **options)
    except Http404:
        return render(request, "order/error.html", {}, status=404)


def seller_of(pk: int, *keys: str) -> Seller:
    """The company that takes orders on its page, or 404; so it is for keys that can be none."""
    if pk >= 2**63 or any(len(key) > MOST_KEY or "\0" in key for key in keys):
        raise Http404
    found = Seller.objects.filter(pk=pk, order_page=True).first()
    if found is None:
        raise Http404
    return found
