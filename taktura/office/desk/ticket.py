"""One ticket: what was said, how long it took, where it lies."""

from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import Ticket
from taktura.office import seen
from taktura.office.desk.forms import ChangeForm, MessageForm, name_of
from taktura.office.desk.levels import shown_standings
from taktura.office.desk.live import mark_of
from taktura.office.desk.said import conversation, find
from taktura.office.desk.templates import choices_for
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, user_of

SHOWN = 100  # rows of time; the list of time shows all
KINDS = {"answer": "staff", "note": "note"}  # what a button makes of a text


@page("desk.view")
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """A ticket with its conversation and its time."""
    return _answer(request, find(request, pk))


@page("desk.change")
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the customer, or write a note that only staff see."""
    found, form = find(request, pk), MessageForm(request.POST, request.FILES)
    if form.is_valid():
        kind = KINDS.get(request.POST.get("action", ""), "note")  # what is said to nobody else by mistake
        try:
            author = user_of(request).name
            services.answer_ticket(
                actor_of(request), ticket=found, text=form.cleaned_data["text"], kind=kind, author=author,
                files=form.chosen(),
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, {"files": "attached"})
        else:
            messages.success(request, _("The answer is written.") if kind == "staff" else _("The note is written."))
            return redirect("ticket", pk)
    return _answer(request, found, said=form)


@page("desk.change")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change where a ticket lies, or how it stands."""
    found = find(request, pk)
    form = ChangeForm(request.POST, seller=seller_of(request), ticket=found)
    shown = seen.guard(request, form)
    if form.is_valid():
        try:
            services.change_ticket(actor_of(request), ticket=found, **form.changes())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("ticket", pk)
    return _answer(request, found, form=form, shown=shown)


def _answer(
    request: HttpRequest, found: Ticket, *, said: MessageForm | None = None, form: ChangeForm | None = None,
    shown: str = "",
) -> HttpResponse:  # fmt: skip
    wrong = bool(said and said.errors or form and form.errors)
    if user_of(request).may("desk.change"):
        said = said or MessageForm()
        if form is None:
            form = ChangeForm(seller=seller_of(request), ticket=found)
            shown = seen.guard(request, form) if request.method == "GET" else shown
    worked = found.time.select_related("user", "activity").order_by("-worked_on", "-id")
    context: dict[str, Any] = {
        "ticket": found,
        "line": name_of(found.line) if found.line else "",
        "said": conversation(found),
        "templates": choices_for(found) if said else [],
        "merged_here": found.merged.order_by("pk")[:SHOWN],
        "followed_by": found.followed_by.order_by("pk")[:SHOWN],
        "message": said,
        "form": form,
        "seen": shown,
        "worked": worked[:SHOWN],
        "mark": mark_of(found.changed_at),
        "mine": found.assignee_id == user_of(request).pk,
        "due": shown_standings(found, actor_of(request).now),
        "minutes": found.time.aggregate(sum=Sum("minutes"))["sum"] or 0,
        "closed": found.status == "closed",
        "merged": found.merged_into_id is not None,
    }
    return render(request, "desk/ticket.html", context, status=422 if wrong else 200)
