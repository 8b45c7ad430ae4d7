"""Price lists for the world: without sign-in, made to stand in a frame on somebody's site. They hold nothing but what
is public, are the same for everybody, and need no script."""

import hashlib
from functools import lru_cache
from typing import cast

from allauth.account.adapter import get_adapter
from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import parse_etags
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from taktura.catalog.modules import modules_of
from taktura.catalog.price_list import BASES
from taktura.catalog.price_list import price_list as values_of
from taktura.core.listed import GROSS
from taktura.invoices.price_lists import sheet_of
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.language import LANGUAGES
from taktura.kit.limits import Buckets
from taktura.office.page import OPEN, page

MOST_KEY = 100  # characters of a module's name
KEPT_SECONDS = 300
USUAL = GROSS  # consumers are told what they pay (price indication directive, PAngV)
SPOKEN = {"DE": "de", "AT": "de", "CH": "de", "SE": "sv", "FI": "sv"}  # where an address names no language
POLICY = {
    "default-src": [NONE], "script-src": [NONE], "style-src": [SELF], "img-src": [NONE], "font-src": [NONE],
    "connect-src": [NONE], "form-action": [NONE],
}  # fmt: skip


@page(OPEN)
@require_safe
@xframe_options_exempt
def price_list(request: HttpRequest, seller: int, module: str) -> HttpResponse:
    """The price list of a module today: `?language=sv&prices=gross`."""
    wait = buckets().take(asker(request))
    if wait:
        return HttpResponse(status=429, headers={"Retry-After": str(wait)})
    language, basis = request.GET.get("language", ""), request.GET.get("prices", "")
    if seller >= 2**63 or len(module) > MOST_KEY or "\0" in module:
        raise Http404
    found = modules_of(seller).select_related("seller").filter(key=module).first()
    if found is None or language not in ("", *LANGUAGES) or basis not in ("", *BASES):
        raise Http404
    today = Actor("", utc_now()).today(found.seller.time_zone)
    spoken = language or SPOKEN.get(found.seller.country, "en")
    basis = basis or USUAL
    sheet = sheet_of(values_of(found, language=spoken, on=today, basis=basis))
    ending = reverse("portal_end_contract", args=[seller]) if found.seller.consumer_rules == "DE" else ""
    with translation.override(spoken):  # without the request: whoever is signed in sees what all see
        text = render_to_string("price_list/page.html", {"sheet": sheet, "basis": basis, "ending": ending})
    policy = {**POLICY, "frame-ancestors": settings.PRICE_LIST_SITES or [NONE]}
    return cast(HttpResponse, csp_replace(policy)(lambda asked: _kept(asked, text, spoken))(request))


def _kept(request: HttpRequest, text: str, language: str) -> HttpResponse:
    """A page that may be kept for some minutes, by whoever stands on the way; then it is asked for by its mark."""
    content = text.encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    known = parse_etags(request.headers.get("If-None-Match", "")[:1000])
    response = HttpResponseNotModified() if tag in known or "*" in known else HttpResponse(content)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.headers["Content-Language"] = language
    return response


def asker(request: HttpRequest) -> int:
    """The number of whoever asks, by the address that guesses at passwords are counted by; below 0, where no key is."""
    address = get_adapter().get_client_ip(request)
    return -1 - int.from_bytes(hashlib.sha256(str(address).encode()).digest()[:7])


@lru_cache(maxsize=1)
def buckets() -> Buckets:
    """What this process has taken from the buckets of all."""
    return Buckets(settings.PUBLIC_RATE, settings.PUBLIC_BURST)
