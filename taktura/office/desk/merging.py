"""Merging a ticket into another of the same customer."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import Ticket
from taktura.desk.queries import tickets_of
from taktura.office.desk.said import find
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of

SUGGESTED = 50
HIGHEST = 2**31 - 1  # a ticket's number


class MergeForm(forms.Form):
    """The ticket that goes on."""

    into = forms.CharField(
        label=lazy("The ticket that goes on"), max_length=11,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "list": "tickets", "autocomplete": "off"}),
        help_text=lazy("Its number; those of the customer are proposed."),
    )  # fmt: skip

    def __init__(self, *args: Any, ticket: Ticket, **options: Any) -> None:
        super().__init__(*args, **options)
        self.ticket = ticket

    def clean_into(self) -> Ticket:
        """The ticket with the number."""
        text = str(self.cleaned_data["into"]).strip().removeprefix("#")
        number = int(text) if text.isascii() and text.isdigit() else 0
        found = tickets_of(self.ticket.seller_id).filter(number=number).first() if number <= HIGHEST else None
        if found is None:
            raise forms.ValidationError(_("There is no ticket of this number."))
        return found


@page("desk.change")
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Merge a ticket into another, after seeing what that takes along."""
    found = find(request, pk)
    form = MergeForm(request.POST or None, ticket=found)
    if request.method == "POST" and form.is_valid():
        try:
            new = services.merge_tickets(actor_of(request), ticket=found, into=form.cleaned_data["into"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            values = {"old": found.number, "new": new.number}
            messages.success(request, _("Ticket %(old)s goes on in ticket %(new)s.") % values)
            return redirect("ticket", new.pk)
    others = Ticket.objects.filter(seller=seller_of(request), customer=found.customer_id, merged_into=None)
    context = {
        "form": form, "title": _("Merge ticket %(number)s into another") % {"number": found.number},
        "back": reverse("ticket", args=[pk]), "parent": f"#{found.number} {found.subject}", "action": _("Merge"),
        "preview_url": reverse("ticket_merge_preview", args=[pk]),
        "others": others.exclude(pk=pk).exclude(status="closed").order_by("-changed_at", "-id")[:SUGGESTED],
    }  # fmt: skip
    return render(request, "desk/merge.html", context, status=422 if form.errors else 200)


@page("desk.change")
@require_POST
def consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """What merging would take along."""
    found = find(request, pk)
    form, context = MergeForm(request.POST, ticket=found), dict[str, Any]()
    if form.is_valid():
        try:
            plan = services.check_merge(ticket=found, into=form.cleaned_data["into"])
            context = {"plan": plan, "ticket": found}
        except Refused as refused:
            add_refusal(form, refused)
    return render(request, "desk/merge_consequence.html", {**context, "form": form})
