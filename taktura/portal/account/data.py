"""A customer's own data: where bills go, in which language; and what may be changed of it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from taktura.core.errors import Refused
from taktura.customers.access import PROFILE, change_profile, contacts_of
from taktura.customers.models import PortalAccess
from taktura.customers.services import change_customer, set_billing_information
from taktura.office import seen
from taktura.office.customers.changes import choices, countries
from taktura.office.forms import add_refusal
from taktura.portal.account.frame import allows, answer
from taktura.portal.page import ADMINISTRATORS, CUSTOMER, actor_of, portal_page

FIELDS = ("name", "street", "postcode", "city", "country", "email")


class DataForm(forms.Form):
    """What a customer may change by itself. Tax status, VAT id and payment are the company's matter."""

    name = forms.CharField(label=lazy("Name on documents"), max_length=200)
    street = forms.CharField(label=lazy("Street and number"), max_length=200)
    postcode = forms.CharField(label=lazy("Postcode"), max_length=20)
    city = forms.CharField(label=lazy("City"), max_length=100)
    country = forms.ChoiceField(label=lazy("Country"))
    email = forms.EmailField(label=lazy("E-mail for documents"), max_length=254, required=False)
    language = forms.ChoiceField(label=lazy("Language of documents and mails"))

    def __init__(self, *args: Any, country_is_fixed: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["language"].choices = choices("language")  # type: ignore[attr-defined]
        if country_is_fixed:
            self.fields["country"].disabled = True
            self.fields["country"].help_text = _("Your taxes depend on it: ask us to change it.")


class ProfileForm(forms.Form):
    """What somebody says of oneself, where the profile is self-managed. Who speaks for the company is said by its
    administrators."""

    phone = forms.CharField(label=lazy("Phone"), max_length=50, required=False)
    mobile = forms.CharField(label=lazy("Mobile phone"), max_length=50, required=False)
    job_title = forms.CharField(label=lazy("Job title"), max_length=100, required=False)
    company_contact = forms.BooleanField(
        label=lazy("Company contact"), required=False, help_text=lazy("Whom we ask about your company.")
    )

    def __init__(self, *args: Any, by: PortalAccess, **options: Any) -> None:
        super().__init__(*args, **options)
        if not by.administers:
            del self.fields["company_contact"]


@portal_page(CUSTOMER)
@require_safe
def data(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """What is known of a customer, and of whoever looks; a user sees only the latter."""
    info = getattr(access.customer, "billing_information", None)
    return answer(
        request, access, "portal_data", "portal/data.html", info=info, may_change=allows(access, "data"),
        user=access.user, title=_("Own data"), contacts=contacts_of(access.customer),
    )  # fmt: skip


@portal_page(CUSTOMER)
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Change what one says of oneself, where the profile is self-managed."""
    if not access.customer.self_managed:
        return render(request, "portal/error.html", {}, status=404)
    back = reverse("portal_data", args=[access.customer_id])
    form = ProfileForm(request.POST or None, initial={n: getattr(access, n) for n in PROFILE}, by=access)
    if request.method == "POST" and form.is_valid():
        try:
            change_profile(actor_of(request), access=access, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect(f"{back}?done=data")
    return answer(
        request, access, "portal_data", "portal/form.html", form=form, title=_("Your profile"), back=back,
        status=422 if form.errors else 200,
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Change it, where the company allows that."""
    if not allows(access, "data"):
        return render(request, "portal/error.html", {}, status=404)
    customer = access.customer
    info = getattr(customer, "billing_information", None)
    initial = {n: getattr(info, n) for n in FIELDS} if info else {"name": customer.name}
    fixed = info is not None and bool(info.country) and (info.tax_status != "domestic" or bool(info.vat_id))
    form = DataForm(request.POST or None, initial=initial | {"language": customer.language}, country_is_fixed=fixed)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, access, form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect(f"{reverse('portal_data', args=[customer.pk])}?done=data")
    return answer(
        request, access, "portal_data", "portal/form.html", form=form, seen=shown, title=_("Change own data"),
        back=reverse("portal_data", args=[customer.pk]), status=422 if form.errors else 200,
    )  # fmt: skip


def _save(request: HttpRequest, access: PortalAccess, values: dict[str, Any]) -> None:
    """Write what has changed, and nothing else."""
    customer, actor = access.customer, actor_of(request)
    info = getattr(customer, "billing_information", None)
    new = {n: values[n] for n in FIELDS if info is None or getattr(info, n) != values[n]}
    if new:
        set_billing_information(actor, customer=customer, **new)
    if values["language"] != customer.language:
        change_customer(actor, customer=customer, language=values["language"])
