"""Signing in to the portal: by a mailed link or by a password, and out. What is answered never tells whether an address
is known."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST

from taktura.accounts import portal_users
from taktura.core.errors import Refused
from taktura.customers.access import change_language
from taktura.customers.models import Seller
from taktura.customers.tasks import mail_portal_link
from taktura.kit.clock import utc_now
from taktura.kit.language import LANGUAGES
from taktura.office.forms import add_refusal
from taktura.portal import page as portal
from taktura.portal.account import limits
from taktura.portal.account.ending import with_ending
from taktura.portal.page import OPEN, SIGNED_IN, portal_page

FORMS = ["GET", "HEAD", "POST"]


class LinkForm(forms.Form):
    """Where a link is sent to."""

    email = forms.EmailField(label=lazy("E-mail"), max_length=254)


class SignInForm(LinkForm):
    """Address and password."""

    password = forms.CharField(
        label=lazy("Password"), max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip


class PasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=lazy("New password"), max_length=200, strip=False, help_text=lazy("At least 10 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label=lazy("The same once more"), max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Both are the same."""
        values = self.cleaned_data
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", _("This is not the same password."))
        return values


@portal_page(OPEN)
@require_http_methods(FORMS)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Have a link mailed: the usual way."""
    return _mail_link(request, portal_users.SIGN_IN, "portal/sign_in.html")


@portal_page(OPEN)
@require_http_methods(FORMS)
def password_wanted(request: HttpRequest) -> HttpResponse:
    """Have a link mailed that sets a password: the first, or another for one that was forgotten."""
    return _mail_link(request, portal_users.PASSWORD, "portal/password_wanted.html")


def _mail_link(request: HttpRequest, purpose: str, template: str) -> HttpResponse:
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        if not limits.take(request, limits.MAIL, email):
            return _too_many(request, form, template)
        mail_portal_link.defer(email=email, purpose=purpose, portal=portal.address_of(request))
        return render(request, "portal/link_sent.html", {"email": email, "purpose": purpose})
    return _ask(request, template, form, 422 if form.errors else 200)


@portal_page(OPEN)
@require_http_methods(FORMS)
def sign_in_by_password(request: HttpRequest) -> HttpResponse:
    """Sign in by a password."""
    template = "portal/sign_in_by_password.html"
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        counted = limits.take(request, limits.GUESS, email)
        if not counted:
            return _too_many(request, form, template)
        found = portal_users.sign_in_by_password(utc_now(), email=email, password=form.cleaned_data["password"])
        if found is not None:
            counted.rollback()
            return _signed_in(request, found[1])
        form.add_error(None, _("E-mail and password do not fit."))
    return _ask(request, template, form, 422 if form.errors else 200)


@portal_page(OPEN)
@require_http_methods(FORMS)
def use_link(request: HttpRequest, secret: str) -> HttpResponse:
    """What a mailed link leads to: a button, so that a program that looks into mails does not use the link up."""
    try:
        if request.method == "POST":
            _user, session = portal_users.sign_in_by_link(utc_now(), secret=secret)
            return _signed_in(request, session)
        link = portal_users.open_link(secret, portal_users.SIGN_IN, utc_now())
    except Refused:
        return render(request, "portal/link_over.html", {}, status=410)
    return render(request, "portal/use_link.html", {"email": link.user.email})


@portal_page(OPEN)
@require_http_methods(FORMS)
def set_password(request: HttpRequest, secret: str) -> HttpResponse:
    """What a mailed link for a password leads to."""
    form = PasswordForm(request.POST or None)
    try:
        link = portal_users.open_link(secret, portal_users.PASSWORD, utc_now())
        if request.method == "POST" and form.is_valid():
            password = form.cleaned_data["password"]
            _user, session = portal_users.set_password_by_link(utc_now(), secret=secret, password=password)
            return _signed_in(request, session)
    except Refused as refused:
        if refused.code == "not_found":
            return render(request, "portal/link_over.html", {}, status=410)
        add_refusal(form, refused, {"": "password"})
    context = {"form": form, "email": link.user.email}
    return render(request, "portal/set_password.html", context, status=422 if form.errors else 200)


@portal_page(SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    portal_users.sign_out(portal.session_of(request))
    return portal.sign_out(redirect("portal_sign_in"))


@portal_page(OPEN)
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Read the portal in another language; kept with the user, else with the browser."""
    language = request.POST.get("language", "")
    back = request.POST.get("next", "")
    ours = back.startswith(portal.PATH) and url_has_allowed_host_and_scheme(back, None)
    response = redirect(back if ours else "portal_home")
    session = getattr(request, "portal_session", None)
    if language in LANGUAGES and session is not None:
        change_language(portal.actor_of(request), user=session.user, language=language)
    elif language in LANGUAGES:
        response.set_cookie("taktura_language", language, max_age=60 * 60 * 24 * 365, samesite="Lax")
    return response


def _signed_in(request: HttpRequest, secret: str) -> HttpResponse:
    """A new session, in place of the one that the browser may have."""
    old = getattr(request, "portal_session", None)
    if old is not None:
        portal_users.sign_out(old)
    return portal.sign_in(redirect("portal_home"), secret)


def _too_many(request: HttpRequest, form: forms.Form, template: str) -> HttpResponse:
    form.add_error(None, _("There were too many tries. Wait a few minutes, then try again."))
    return _ask(request, template, form, 429)


def _ask(request: HttpRequest, template: str, form: forms.Form, status: int) -> HttpResponse:
    """A page for everybody; German law wants the way to end a contract on it."""
    sellers = list(Seller.objects.order_by("id")[:2])
    context = {"form": form, "endings": with_ending(), "seller": sellers[0] if len(sellers) == 1 else None}
    return render(request, template, context, status=status)
