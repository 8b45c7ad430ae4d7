"""Opening a ticket by hand."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.desk import services
from taktura.office.contracts.customer_field import suggested
from taktura.office.desk.forms import OpenForm, WhereForm, written
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of


@page("desk.change")
def new(request: HttpRequest) -> HttpResponse:
    """Open a ticket; billing information is not asked for."""
    seller = seller_of(request)
    initial = {"priority": "normal", "by_customer": True}
    if asked := request.GET.get("customer", ""):
        known = Customer.objects.filter(seller=seller, key=asked.replace("\0", "")).first()
        initial |= {"customer": written(known)} if known else {}
    form = OpenForm(request.POST or None, seller=seller, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = services.open_ticket(
                actor_of(request), customer=data["customer"], subject=data["subject"], text=data["text"],
                by_customer=data["by_customer"],
                author=(data["requester_name"] or data["customer"].name) if data["by_customer"] else "",
                requester_name=data["requester_name"], requester_email=data["requester_email"],
                **form.where(),
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Ticket %(number)s is open.") % {"number": made.number})
            return redirect("ticket", made.pk)
    context = {
        "form": form, "title": _("New ticket"), "back": reverse("desk"), "parent": _("Tickets"),
        "action": _("Open the ticket"),
    }  # fmt: skip
    return render(request, "desk/new.html", context, status=422 if form.errors else 200)


@page("desk.change")
@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    """Customers whose name or number holds what was typed."""
    return suggested(request)


@page("desk.change")
@require_safe
def lines(request: HttpRequest) -> HttpResponse:
    """The contract lines of the customer chosen, for the field."""
    form = WhereForm(initial={"customer": request.GET.get("customer", "")[:400]}, seller=seller_of(request))
    return render(request, "desk/lines.html", {"choices": form.fields["line"].choices})  # type: ignore[attr-defined]
