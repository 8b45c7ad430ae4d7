"""What is set of a customer, in sections: general settings, billing, address."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.customers import services
from taktura.office.customers.detail import answer_customer, find
from taktura.office.page import actor_of, page


@page("customers.view")
def configure(request: HttpRequest, pk: int) -> HttpResponse:
    """The sections, each with the way to change it."""
    return answer_customer(request, pk, "customer_configure", "customers/configure.html")


@page("customers.change")
@require_POST
def switch_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch the self-managed profile on or off."""
    customer, on = find(request, pk), request.POST.get("on") == "1"
    services.change_customer(actor_of(request), customer=customer, self_managed=on)
    if on:
        messages.success(request, _("The people of %(name)s keep their own data in the portal.") % {
            "name": customer.name
        })  # fmt: skip
    else:
        messages.success(request, _("The data of people of %(name)s is not shown in the portal any more.") % {
            "name": customer.name
        })  # fmt: skip
    return redirect("customer_configure", pk)
