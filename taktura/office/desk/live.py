"""What has changed since a page was shown: one cheap question, answered by nothing while all is as it was. Nothing that
is typed is touched: a ticket's page fetches what was said anew, the list offers to."""

from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from taktura.desk.models import Ticket
from taktura.office.page import page, seller_of

NOTHING = 204
MOST_COUNTED = 99
SAID = "ticket-changed"  # the event by which a page fetches what was said


def mark_of(changed: datetime | None) -> str:
    """How a page writes down what it has seen."""
    return changed.isoformat() if changed is not None else ""


def list_mark(seller: int) -> str:
    """What the list of a seller's tickets has seen."""
    return mark_of(Ticket.objects.filter(seller=seller).aggregate(last=Max("changed_at"))["last"])


@page("desk.view")
@require_safe
def ticket_changed(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether a ticket has changed since its page was shown."""
    found = Ticket.objects.filter(seller=seller_of(request).pk, pk=pk).values_list("changed_at", flat=True).first()
    if found is None:
        raise Http404
    mark = mark_of(found)
    if request.GET.get("mark") == mark:
        return HttpResponse(status=NOTHING)
    response = render(request, "desk/watch.html", {"pk": pk, "mark": mark, "changed": found})
    response.headers["HX-Trigger"] = SAID
    return response


@page("desk.view")
@require_safe
def tickets_changed(request: HttpRequest) -> HttpResponse:
    """How many tickets have changed since their list was shown."""
    seller, mark = seller_of(request), request.GET.get("mark", "")
    rows = Ticket.objects.filter(seller=seller.pk)
    since = _moment(mark)
    number = rows.filter(changed_at__gt=since)[: MOST_COUNTED + 1].count() if since else rows[:1].count()
    if not number:
        return HttpResponse(status=NOTHING)
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    context = {"mark": mark, "moved": number, "query": f"?{shown.query}" if shown.query else "", "most": MOST_COUNTED}
    return render(request, "desk/list_watch.html", context)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
