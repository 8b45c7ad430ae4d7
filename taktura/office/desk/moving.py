"""Moving tickets to another queue, many at once."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.models import Queue, Ticket
from taktura.desk.queries import queues_of
from taktura.kit.bulk import among
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.lists import Rows
from taktura.office.page import actor_of, page, seller_of

MOST = 1000  # moved at once
SHOWN = 50  # tickets named on the page
KEPT, FROM = "tickets_moved", "tickets_moved_from"  # in the session: what was chosen, and the list it was chosen in


class MoveForm(forms.Form):
    """The queue into which tickets go."""

    queue = forms.ChoiceField(label=lazy("Queue"), required=False)

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        self.queues: dict[str, Queue] = {str(q.pk): q for q in queues_of(seller.pk)}
        choices = [("", _("None")), *((pk, q.name) for pk, q in self.queues.items())]
        self.fields["queue"].choices = choices  # type: ignore[attr-defined]

    def chosen(self) -> Queue | None:
        """The queue; None for none."""
        return self.queues.get(self.cleaned_data["queue"])


def begin_move(request: HttpRequest, rows: Rows) -> HttpResponse:
    """Keep what was chosen in the list, and ask for the queue."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if not ids or len(ids) > MOST:
        text = _("At most %(most)s tickets are moved at once: choose fewer.") % {"most": show.count(MOST)}
        messages.warning(request, text if ids else _("Nothing was chosen."))
        return redirect(request.get_full_path())
    request.session[KEPT], request.session[FROM] = ids, request.get_full_path()
    return redirect("tickets_move")


@page("desk.change")
def move(request: HttpRequest) -> HttpResponse:
    """Say into which queue the chosen tickets go. Those that were merged into another are left out."""
    seller, back = seller_of(request), request.session.get(FROM, reverse("desk"))
    rows = Ticket.objects.filter(seller=seller, pk__in=among(request.session.get(KEPT, ())), merged_into=None)
    tickets = list(rows.select_related("customer", "queue").order_by("pk"))
    if not tickets:  # they were moved meanwhile
        return redirect("desk")
    form = MoveForm(request.POST or None, seller=seller)
    if request.method == "POST" and form.is_valid():
        queue = form.chosen()
        try:
            moved = services.move_tickets(
                actor_of(request), seller=seller, tickets=[one.pk for one in tickets], queue=queue
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            for name in (KEPT, FROM):
                request.session.pop(name, None)
            text = ngettext("%(number)s ticket was moved.", "%(number)s tickets were moved.", len(moved))
            messages.success(request, text % {"number": show.count(len(moved))})
            return redirect(back)
    number = len(tickets)
    title = ngettext("Move %(number)s ticket to a queue", "Move %(number)s tickets to a queue", number)
    context = {
        "form": form, "title": title % {"number": show.count(number)}, "back": back, "parent": _("Tickets"),
        "action": _("Move"), "tickets": tickets[:SHOWN], "more": max(0, number - SHOWN),
    }  # fmt: skip
    return render(request, "desk/move.html", context, status=422 if form.errors else 200)
