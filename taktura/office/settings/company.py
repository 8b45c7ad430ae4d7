"""The company's settings: what they are, and changing them with what follows."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.accounts.models import User
from taktura.accounts.permissions import ROLES, may_bill
from taktura.billing.services import change_seller, is_fixed
from taktura.core.errors import Refused
from taktura.customers.einvoices import check_seller
from taktura.customers.models import Seller
from taktura.customers.sellers import changed, checked
from taktura.customers.services import close_period
from taktura.office import seen, show
from taktura.office.customers.changes import countries
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.settings import company_forms as company_form
from taktura.office.settings.company_forms import SectionForm, rate_spans
from taktura.office.words import WORDS

# Section: its title, its form.
SECTIONS: dict[str, tuple[Any, type[SectionForm]]] = {
    "address": (lazy("Name and address"), company_form.AddressForm),
    "tax": (lazy("Tax and register"), company_form.TaxForm),
    "bank": (lazy("Bank and payment"), company_form.BankForm),
    "einvoices": (lazy("E-invoices"), company_form.EInvoiceForm),
    "vat": (lazy("VAT rates"), company_form.VatForm),
    "rules": (lazy("Rules of billing"), company_form.RulesForm),
    "period": (lazy("Closed period"), company_form.PeriodForm),
    "runs": (lazy("Billing by itself"), company_form.RunsForm),
    "usage": (lazy("Usage"), company_form.UsageForm),
    "portal": (lazy("Customer portal"), company_form.PortalForm),
    "order-page": (lazy("Order page"), company_form.OrderPageForm),
    "sign-in": (lazy("Sign-in"), company_form.SignInForm),
}
PRINTED = ("address", "tax", "bank")


@page("settings.view")
def company(request: HttpRequest) -> HttpResponse:
    """All settings of the company, by section."""
    seller = seller_of(request)
    sections = [
        {
            "slug": slug,
            "title": title,
            "facts": _facts(seller, form),
            "rates": rate_spans(seller.vat) if slug == "vat" else [],
        }
        for slug, (title, form) in SECTIONS.items()
    ]
    return render(request, "settings/company.html", {"sections": sections, "seller": seller})


@page("settings.change")
def change(request: HttpRequest, section: str) -> HttpResponse:
    """Change a section of the settings."""
    seller, (title, _kind) = seller_of(request), _section(section)
    form = _form(request, section)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, section, form)
        except Refused as refused:
            add_refusal(form, refused, {"vat": "rate_0"})
        else:
            messages.success(request, _("Saved."))
            return redirect("company")
    context = {
        "form": form, "title": title, "back": reverse("company"), "parent": seller.name, "section": section,
        "preview_url": reverse("company_consequence", args=[section]), "seen": shown,
    }  # fmt: skip
    template = "settings/vat.html" if section == "vat" else "office/form.html"
    return render(request, template, context, status=422 if form.errors else 200)


@page("settings.change")
@require_POST
def consequence(request: HttpRequest, section: str) -> HttpResponse:
    """What saving the form would do."""
    _section(section)
    seller, form = seller_of(request), _form(request, section)
    if not form.is_valid():
        return render(request, "settings/consequence.html", {"incomplete": True})
    context: dict[str, Any] = {"section": section}
    try:
        values = form.settings() if section == "period" else checked(form.settings())
    except Refused as refused:
        add_refusal(form, refused, {"vat": "rate_0"})
        return render(request, "settings/consequence.html", {"incomplete": True, "form": form})
    new = changed(seller, values)
    context["changes"] = [] if section == "vat" else [_change(form, seller, name, value) for name, value in new.items()]
    for name, value in values.items():
        setattr(seller, name, value)
    context |= {"seller": seller, "new": new, "printed": section in PRINTED}
    try:
        check_seller(seller)
    except Refused as refused:
        add_refusal(form, refused)
        return render(request, "settings/consequence.html", {"incomplete": True, "form": form})
    if section == "vat":
        context["rates"] = rate_spans(seller.vat)
    if section == "sign-in":
        context["without"] = _without_second_factor()
    return render(request, "settings/consequence.html", context)


def _section(section: str) -> tuple[Any, type[SectionForm]]:
    if section not in SECTIONS:
        raise Http404
    return SECTIONS[section]


def _form(request: HttpRequest, section: str) -> SectionForm:
    seller, (_title, form) = seller_of(request), _section(section)
    data = request.POST if request.method == "POST" else None  # one box that is not ticked sends nothing
    return form(
        data, initial=form.initial_of(seller), seller=seller, today=today_of(request),
        fixed=section == "rules" and is_fixed(seller),
    )  # fmt: skip


def _save(request: HttpRequest, section: str, form: SectionForm) -> None:
    seller, actor = seller_of(request), actor_of(request)
    if section == "period":
        close_period(actor, seller=seller, until=form.cleaned_data["closed_until"])
    else:
        change_seller(actor, seller=seller, **form.settings())


def _facts(seller: Seller, form: type[SectionForm]) -> list[tuple[Any, str]]:
    if form is company_form.VatForm:
        return []
    return [(field.label, _said(name, getattr(seller, name))) for name, field in form.base_fields.items()]


def _change(form: SectionForm, seller: Seller, name: str, value: Any) -> dict[str, Any]:
    return {"label": form.fields[name].label, "before": _said(name, getattr(seller, name)), "after": _said(name, value)}


def _said(name: str, value: Any) -> str:
    """A setting as people say it."""
    if isinstance(value, bool):
        return show.word("yes", str(value))
    if isinstance(value, list):
        return ", ".join(show.word(name, one) for one in value) or show.NONE
    if name == "closed_until":
        return show.day(value)
    if name == "einvoice":
        return show.word(name, value or "none")
    if name == "country":
        return str(dict(countries()).get(value, value))
    return show.word(name, value) if name in WORDS else str(value or show.NONE)


def _without_second_factor() -> int:
    """How many of those who may bill have no second factor yet."""
    roles = [role for role in ROLES if may_bill(role)]
    having = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values("user")
    return User.objects.filter(role__in=roles, is_active=True).exclude(pk__in=having).count()
