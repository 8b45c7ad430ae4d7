"""What all pages of one customer share: who it is, the navigation, what has just been done."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.contracts.models import Contract
from taktura.customers.access import access_of
from taktura.customers.models import PortalAccess
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.portal.page import session_of

# What a page says after something was done: the word stands in its address.
DONE = {
    "notice": lazy("Your notice has been received. A confirmation is on its way by e-mail."),
    "received": lazy("Your notice has been received. We look at it and write to you with which day the contract ends."),
    "withdrawn": lazy("Your notice is withdrawn: the contract runs on."),
    "line_notice": lazy("Your notice has been received. A confirmation is on its way by e-mail."),
    "line_withdrawn": lazy("Your notice is withdrawn: it runs on."),
    "quantity": lazy("The quantity is changed."),
    "booked": lazy("Booked."),
    "data": lazy("Saved."),
    "ticket": lazy("We have your message, and answer here."),
    "solved": lazy("Thank you: the ticket is solved."),
    "invited": lazy("Invited: a link to sign in is on its way by e-mail."),
    "ended": lazy("The access is switched off."),
    "signed_out": lazy("Signed out everywhere."),
}


def today_of(access: PortalAccess) -> date:
    """Today where the seller is."""
    return Actor("portal", utc_now()).today(access.customer.seller.time_zone)


def allows(access: PortalAccess, act: str) -> bool:
    """Whether somebody may do something: the company leaves it to its customers (`customers.sellers.PORTAL_ALLOWS`);
    tickets are for all of their people, the rest for administrators."""
    return act in access.customer.seller.portal_allows and (access.administers or act == "tickets")


def find(access: PortalAccess, pk: int) -> Contract:
    """The customer's contract, or 404."""
    rows = Contract.objects.select_related("customer__seller", "customer__billing_information", "tariff")
    return get_object_or_404(rows.filter(customer=access.customer_id), pk=pk)


def answer(
    request: HttpRequest, access: PortalAccess, name: str, template: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    """A page of a customer; `name` is the entry of the navigation that it belongs to."""
    pk = access.customer_id
    entries = [
        (label, reverse(to, args=[pk]), to == name)
        for to, label in (
            ("portal_customer", _("Overview")),
            ("portal_tickets", _("Tickets") if allows(access, "tickets") else ""),
            ("portal_documents", _("Documents") if access.administers else ""),
            ("portal_data", _("Own data")),
            ("portal_people", _("People") if access.administers else ""),
        )
        if label
    ]
    context = {
        "access": access, "customer": access.customer, "seller": access.customer.seller, "entries": entries,
        "several": access_of(session_of(request).user).count() > 1, "today": today_of(access),
        "done": DONE.get(request.GET.get("done", ""), ""), **more,
    }  # fmt: skip
    return render(request, template, context, status=status)
