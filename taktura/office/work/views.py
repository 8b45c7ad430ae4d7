"""Long work: how far it is, how it ended. It can be left, and is found again in the tray at the top of every page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.accounts.models import User
from taktura.billing.forecast_result import FORECAST
from taktura.billing.unattended import RUN
from taktura.billing.what_if_result import WHAT_IF
from taktura.customers.models import Seller
from taktura.invoices.tasks import SENDING
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.queries import is_left, lately
from taktura.kit.jobs.services import stop
from taktura.kit.language import translate
from taktura.office import show
from taktura.office.page import STAFF, page, seller_of, user_of
from taktura.usage.reading import FILE, MATCH

SEES = {
    RUN: "billing.view",
    SENDING: "documents.view",
    FILE: "usage.view",
    MATCH: "usage.view",
    WHAT_IF: "billing.view",
    FORECAST: "billing.view",
}  # of each kind of work: who may look at it
STOPS = {
    RUN: "billing.run",
    SENDING: "documents.send",
    FILE: "usage.change",
    MATCH: "usage.change",
    WHAT_IF: "billing.view",
    FORECAST: "billing.view",
}
REMEMBERED = timedelta(minutes=10)  # what has ended stays in the tray for so long
ENOUGH = 286  # tells htmx not to ask again


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was left out, in the reader's language."""

    document: int
    number: str
    customer: int
    text: str


def works_for(user: User, seller: Seller) -> list[Work]:
    """A seller's work that is under way or has just ended, as far as a user may see it."""
    found = lately(f"seller:{seller.pk}", utc_now() - REMEMBERED)
    return [work for work in found if work.kind in SEES and user.may(SEES[work.kind])]


@page(STAFF)
def tray(request: HttpRequest) -> HttpResponse:
    """What is under way, for the head of every page; asked for again until all of it has ended."""
    found = works_for(user_of(request), seller_of(request))
    return render(request, "office/tray_update.html", status=200 if any(w.is_open for w in found) else ENOUGH)


@page(STAFF)
def work(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a piece of work is, or how it ended."""
    found = _find(request, pk)
    if found.kind == RUN and found.result.get("run"):
        return redirect("billing_run", found.result["run"])
    if found.kind == FILE and (file := found.parameters.get("file", found.result.get("file"))):
        return redirect("usage_file", file)
    if found.kind == MATCH and "recorded" in found.result:
        of = found.result["supplier"]
        return redirect(reverse("usage_waiting") + (f"?supplier={of}" if of else ""))
    if found.kind == WHAT_IF and "rows" in found.result:
        return redirect("what_if_result", found.pk)
    if found.kind == FORECAST and "rows" in found.result:
        return redirect("forecast_result", found.pk)
    return render(request, "work/work.html", _context(request, found))


@page(STAFF)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of that page that changes; when the work has ended, the browser is sent to how it ended."""
    found = _find(request, pk)
    response = render(request, "work/progress.html", _context(request, found))
    if not found.is_open:
        response.headers["HX-Redirect"] = reverse("work", args=[found.pk])
    return response


@page(STAFF)
@require_POST
def stop_work(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the work to end at its next border."""
    found = _find(request, pk)
    if not user_of(request).may(STOPS[found.kind]):
        raise PermissionDenied
    if found.is_open:
        stop(work=found)
        if found.kind == FILE:
            messages.info(request, _("Reading ends. The file stays, and none of its rows is taken in."))
        else:
            messages.info(request, _("It ends after the step that is under way. What is done stays."))
    return redirect("work", found.pk)


def _find(request: HttpRequest, pk: int) -> Work:
    found = get_object_or_404(Work, pk=pk, subject=f"seller:{seller_of(request).pk}", kind__in=SEES)
    if not user_of(request).may(SEES[found.kind]):
        raise PermissionDenied
    return found


def _context(request: HttpRequest, found: Work) -> dict[str, Any]:
    refused = found.result.get("refused")
    problems = [
        Problem(p["document"], p["number"], p["customer"], translate(p["text"], p["values"], show.language()))
        for p in found.result.get("problems") or []
        if isinstance(p, dict)
    ] if found.kind == SENDING else []  # fmt: skip
    return {
        "work": found,
        "may_stop": found.is_open and not found.stop_requested and user_of(request).may(STOPS[found.kind]),
        "no_worker": is_left(found, utc_now()),
        "refused": translate(refused["text"], refused["values"], show.language()) if refused else "",
        "problems": problems,
    }
