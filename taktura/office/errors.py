"""Pages that say what went wrong, and what to do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from taktura.office.page import OPEN, page


@page(OPEN)
def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400"""
    return _say(request, 400, _("This request cannot be read"), _("Go back, look at what was sent, and try again."))


@page(OPEN)
def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403"""
    text = _("Your role does not allow this. Ask an administrator if you need it.")
    return _say(request, 403, _("Not allowed"), text)


@page(OPEN)
def not_found(request: HttpRequest, exception: Any = None, **options: Any) -> HttpResponse:
    """404"""
    text = _("There is nothing at this address. Go to the home page and search for it by name or number.")
    return _say(request, 404, _("Not found"), text)


@page(OPEN)
def too_many(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """429"""
    return _say(request, 429, _("Too many attempts"), _("Wait a minute, then try again."))


@page(OPEN)
def failed(request: HttpRequest) -> HttpResponse:
    """500"""
    text = _("Nothing was saved. The fault is written to the log; try again, and report it if it comes again.")
    return _say(request, 500, _("Something went wrong"), text)


@page(OPEN)
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was sent from elsewhere, or after the session had ended."""
    text = _(
        "The form was open for too long, or was not sent from this page. Open it again: what you typed in this window"
        " is kept."
    )
    return _say(request, 403, _("The form cannot be accepted"), text, again=_came_from(request))


def _came_from(request: HttpRequest) -> str:
    """The address of the page of ours on which a form was; empty where it was on none."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours else ""


def _say(request: HttpRequest, status: int, title: str, text: str, again: str = "") -> HttpResponse:
    if not hasattr(request, "LANGUAGE_CODE"):  # refused before the language was known: a wrong host
        request.LANGUAGE_CODE = get_language() or "en"
    said = {"status": status, "title": title, "text": text, "again": again}
    return render(request, "office/error.html", said, status=status)
