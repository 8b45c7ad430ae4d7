"""What the portal's pages share: who is signed in, in which language, and that nobody sees what is another's.

A session of the portal has nothing to do with one of the office: it has a cookie of its own, sent to `/portal/` alone,
and is looked up here and nowhere else. Pages of the portal never look at `request.user`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from taktura.accounts import portal_users
from taktura.accounts.models import PortalSession, PortalUser
from taktura.customers.access import access_of
from taktura.customers.models import PortalAccess
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now

View = Callable[..., HttpResponseBase]
COOKIE: Final = "taktura_portal"
PATH: Final = "/portal/"
OPEN, SIGNED_IN, CUSTOMER, ADMINISTRATORS = "open", "signed_in", "customer", "administrators"
MOST_BODY = 64 * 1024  # bytes that a form of the portal may have
MOST_WITH_FILES = 20 * 1024**2  # and one that has files; how large these may be is said by the form


def portal_page(mark: str, most: int = MOST_BODY) -> Callable[[View], View]:
    """A page of the portal: `OPEN` for everybody, `SIGNED_IN` for whoever has access, `CUSTOMER` of one customer,
    `ADMINISTRATORS` of one customer for its administrators alone.

    A page of a customer has `customer` as its first place, and gets the access of whoever looks instead; whoever has
    none, or may not see it, finds nothing there. `most`: bytes that may be sent to it.
    """
    assert mark in (OPEN, SIGNED_IN, CUSTOMER, ADMINISTRATORS), mark

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
            session = portal_users.session_of(request.COOKIES.get(COOKIE, ""), utc_now())
            request.portal_session = session  # type: ignore[attr-defined]
            language = session.user.language if session else translation.get_language_from_request(request)
            with translation.override(language):
                request.LANGUAGE_CODE = language
                if int(request.META.get("CONTENT_LENGTH") or 0) > most:
                    response: HttpResponseBase = render(request, "portal/error.html", {"too_large": True}, status=413)
                else:
                    response = _answer(request, view, mark, session, args, options)
            response.headers.setdefault("Content-Language", language)
            response.headers["Referrer-Policy"] = "same-origin"
            add_never_cache_headers(response)
            return response

        checked.portal = mark  # type: ignore[attr-defined]
        return checked

    return decorate


def _answer(
    request: HttpRequest, view: View, mark: str, session: PortalSession | None, args: Any, options: dict[str, Any]
) -> HttpResponseBase:
    if mark != OPEN and session is None:
        return redirect("portal_sign_in")
    try:
        if mark in (CUSTOMER, ADMINISTRATORS):
            assert session is not None
            access = _access(session.user, options.pop("customer"))
            if mark == ADMINISTRATORS and not access.administers:
                raise Http404
            request.portal_access = access  # type: ignore[attr-defined]
            return view(request, access, *args, **options)
        return view(request, *args, **options)
    except Http404:
        return render(request, "portal/error.html", {}, status=404)


def _access(user: PortalUser, customer: int) -> PortalAccess:
    found = access_of(user).filter(customer=customer).first()
    if found is None:
        raise Http404
    return found


def session_of(request: HttpRequest) -> PortalSession:
    """The session of a page for those who are signed in."""
    session: PortalSession | None = getattr(request, "portal_session", None)
    assert session is not None
    return session


def actor_of(request: HttpRequest) -> Actor:
    """The user of the portal as the log names it, now."""
    return portal_users.actor_of(session_of(request).user, utc_now())


def sign_in(response: HttpResponse, secret: str) -> HttpResponse:
    """Give the browser the cookie of a session."""
    response.set_cookie(
        COOKIE, secret, max_age=int(portal_users.SESSION_FOR.total_seconds()), path=PATH, httponly=True,
        secure=bool(settings.SESSION_COOKIE_SECURE), samesite="Lax",
    )  # fmt: skip
    return response


def sign_out(response: HttpResponse) -> HttpResponse:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path=PATH, samesite="Lax")
    return response


def address_of(request: HttpRequest) -> str:
    """The portal's address as it stands in mails, without a slash at its end."""
    base: str = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return base + PATH.rstrip("/")
