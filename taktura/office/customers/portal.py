"""Who of a customer's people signs in to the portal, and as what: invite, change the role, switch off, sign out."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.customers import access as portal
from taktura.customers.models import PortalAccess
from taktura.kit.mail.services import server_of
from taktura.office import show
from taktura.office.customers.changes import choices
from taktura.office.customers.detail import answer_customer, find
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page

PORTAL = "/portal"  # where the portal is, below the address of this installation


class RoleField(forms.ChoiceField):
    """What somebody is in the portal, with what that means."""

    def __init__(self) -> None:
        super().__init__(
            label=lazy("Role"), widget=forms.RadioSelect, choices=lambda: choices("portal_role"),
            help_text=lazy(
                "Administrators see and do everything, and invite others. Users see contracts and usage without"
                " amounts, and their own tickets."
            ),
        )  # fmt: skip


class InviteForm(forms.Form):
    """Who is invited."""

    email = forms.EmailField(label=lazy("E-mail"), max_length=254)
    name = forms.CharField(label=lazy("Name"), max_length=200, required=False)
    role = RoleField()
    language = forms.ChoiceField(
        label=lazy("Language"), help_text=lazy("Of the mail and the portal. Whoever has access already keeps theirs.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].choices = choices("language")  # type: ignore[attr-defined]


@page("customers.view")
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has access, or had."""
    found = find(request, pk)
    address = f"{settings.PUBLIC_URL or f'{request.scheme}://{request.get_host()}'}{PORTAL}/"
    return answer_customer(
        request, pk, "customer_portal", "customers/portal.html", people=portal.users_of(found), address=address
    )


@page("customers.change")
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody access; a link to sign in goes there by mail."""
    customer, back = find(request, pk), reverse("customer_portal", args=[pk])
    form = InviteForm(request.POST or None, initial={"language": customer.language, "role": portal.next_role(customer)})
    if request.method == "POST" and form.is_valid():
        base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
        try:
            portal.invite(actor_of(request), customer=customer, portal=base + PORTAL, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"": "email"})
        else:
            _say_invited(request, customer.seller_id, form.cleaned_data["email"])
            return redirect(back)
    context = {
        "form": form, "title": _("Invite to the customer portal"), "back": back, "parent": customer.name,
        "action": _("Invite"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


def _say_invited(request: HttpRequest, seller: int, email: str) -> None:
    if server_of(f"seller:{seller}") is None:
        messages.warning(request, _("There is no mail server: the mail to %(email)s stays here.") % {"email": email})
    else:
        messages.success(request, _("A link to sign in is on its way to %(email)s.") % {"email": email})


@page("customers.change")
@require_POST
def change_role(request: HttpRequest, pk: int, access: int) -> HttpResponse:
    """Make somebody an administrator, or a user."""
    found = _access(request, pk, access)
    try:
        portal.change_role(actor_of(request), access=found, role=request.POST.get("role", ""))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The role of %(email)s is changed.") % {"email": found.user.email})
    return redirect("customer_portal", pk)


@page("customers.change")
@require_POST
def end(request: HttpRequest, pk: int, access: int) -> HttpResponse:
    """Take somebody's access away."""
    found = _access(request, pk, access)
    portal.switch_off(actor_of(request), access=found)
    messages.success(request, _("%(email)s has no access any more.") % {"email": found.user.email})
    return redirect("customer_portal", pk)


@page("customers.change")
@require_POST
def sign_out(request: HttpRequest, pk: int, access: int) -> HttpResponse:
    """End all sessions of somebody."""
    found = _access(request, pk, access)
    count = portal.sign_out_everywhere(actor_of(request), access=found)
    text = ngettext("Signed out in one browser.", "Signed out in %(count)s browsers.", count)
    messages.success(request, text % {"count": count})
    return redirect("customer_portal", pk)


def _access(request: HttpRequest, pk: int, access: int) -> PortalAccess:
    rows = PortalAccess.objects.select_related("user").filter(customer=find(request, pk))
    return get_object_or_404(rows, pk=access)
