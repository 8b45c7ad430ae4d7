"""What is done to a ticket with one press: solve it, take it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.office import show
from taktura.office.desk.said import find
from taktura.office.page import actor_of, page, user_of


@page("desk.change")
@require_POST
def solve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a ticket is solved; one that is solved or closed stays as it is."""
    services.solve_ticket(actor_of(request), ticket=find(request, pk))
    messages.success(request, _("The ticket is solved."))
    return redirect("ticket", pk)


@page("desk.change")
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a ticket one's own."""
    try:
        services.change_ticket(actor_of(request), ticket=find(request, pk), assignee=user_of(request))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The ticket is yours."))
    return redirect("ticket", pk)
