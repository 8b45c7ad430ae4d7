"""Pages of one's own account that allauth does not have: accepting an invitation, language, theme, seller."""

from collections.abc import Container

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from taktura.accounts.models import User
from taktura.accounts.services import accept_invitation, open_invitation
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.language import LANGUAGES
from taktura.office.forms import add_refusal
from taktura.office.middleware import SELLER
from taktura.office.page import OPEN, STAFF, back_of, page

THEMES = ("auto", "light", "dark")


class AcceptForm(forms.Form):
    """Name and password of somebody who was invited."""

    name = forms.CharField(label=_("Your name"), max_length=200)
    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters; a few words are easy to remember and hard to guess."),
    )  # fmt: skip


@page(OPEN)
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Make the invited user and sign in."""
    actor = Actor("invitation", utc_now())
    try:
        invitation = open_invitation(secret, actor.now)
    except Refused as refused:
        return render(request, "account/invitation_closed.html", {"refused": refused}, status=404)
    with translation.override(invitation.language):
        form = AcceptForm(request.POST or None, initial={"name": invitation.name})
        if request.method == "POST" and form.is_valid():
            try:
                user = accept_invitation(actor, secret=secret, **form.cleaned_data)
            except Refused as refused:
                add_refusal(form, refused)
            else:
                response: HttpResponse = perform_login(request, Login(user=user))
                return response
        status = 422 if form.is_bound else 200
        return render(
            request, "account/accept_invitation.html", {"form": form, "invitation": invitation}, status=status
        )


@page(STAFF)
def second_factor_needed(request: HttpRequest) -> HttpResponse:
    """Say why the office is closed until a second factor is set up, and how to do it."""
    return render(request, "account/second_factor_needed.html")


@page(OPEN)
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on."""
    return _chosen(request, "language", LANGUAGES, settings.LANGUAGE_COOKIE_NAME)


@page(OPEN)
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the machine has it."""
    return _chosen(request, "theme", THEMES, "taktura_theme")


def _chosen(request: HttpRequest, name: str, known: Container[str], cookie: str) -> HttpResponse:
    """Keep a choice of how pages are: with the user, and in this browser for the time before sign-in."""
    response, value = redirect(back_of(request)), request.POST.get(name, "")
    if value in known:
        if isinstance(request.user, User):
            setattr(request.user, name, value)
            request.user.save(update_fields=[name])
        response.set_cookie(
            cookie, value, max_age=settings.LANGUAGE_COOKIE_AGE, samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE
        )
    return response


@page(STAFF)
@require_POST
def choose_seller(request: HttpRequest) -> HttpResponse:
    """Work for another seller from now on."""
    known = {s.pk for s in request.sellers}  # type: ignore[attr-defined]
    chosen = request.POST.get("seller", "")
    if chosen.isdecimal() and int(chosen) in known:
        request.session[SELLER] = int(chosen)
    return redirect("home")
