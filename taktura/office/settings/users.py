"""Users: who they are, what they may, inviting others."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.accounts import services
from taktura.accounts.inviting import mail_invitation
from taktura.accounts.models import Invitation, User
from taktura.accounts.permissions import ROLES
from taktura.accounts.queries import open_invitations, second_factors, usable_keys_of
from taktura.core.errors import Refused
from taktura.office import seen, show
from taktura.office.customers.changes import choices
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, user_of, zone_of
from taktura.office.templatetags.office import state
from taktura.office.words import WORDS


class UserForm(forms.Form):
    """What of a user others decide."""

    name = forms.CharField(label=lazy("Name"), max_length=200)
    role = forms.ChoiceField(label=lazy("Role"))
    active = forms.BooleanField(
        label=lazy("May sign in"), required=False,
        help_text=lazy("Users are never deleted, since the log names them. Who leaves is switched off."),
    )  # fmt: skip

    revoke_keys = forms.BooleanField(
        label=lazy("Revoke the API keys that this user made"), required=False,
        help_text=lazy("The user may have kept them. Systems that use them are refused at once and need new ones."),
    )  # fmt: skip

    def __init__(self, *args: Any, has_keys: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = choices("role")  # type: ignore[attr-defined]
        if not has_keys:
            del self.fields["revoke_keys"]


class InviteForm(forms.Form):
    """Who is invited, as what."""

    email = forms.EmailField(label=lazy("E-mail"))
    name = forms.CharField(label=lazy("Name"), max_length=200, required=False)
    role = forms.ChoiceField(label=lazy("Role"))
    language = forms.ChoiceField(label=lazy("Language"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].choices = choices("role")  # type: ignore[attr-defined]
        self.fields["language"].choices = choices("language")  # type: ignore[attr-defined]


@page("settings.view")
def users(request: HttpRequest) -> HttpResponseBase:
    """All users, and open invitations."""

    def prepare(rows: list[Any]) -> None:
        having = second_factors(row.pk for row in rows)
        for row in rows:
            row.factors = having.get(row.pk, [])

    zone = zone_of(request)
    return list_page(
        request,
        Listing(
            slug="users",
            title=_("Users"),
            rows=User.objects.all(),
            columns=list(_columns(zone)),
            order="name",
            filters=_filters(),
            search=lambda rows, text: rows.filter(Q(name__icontains=text) | Q(email__icontains=text)),
            search_label=_("Name or e-mail"),
            prepare=prepare,
            link=lambda u: reverse("user", args=[u.pk]),
            primary=Link(label=_("Invite"), url=reverse("user_invite"), permission="accounts.change", icon="user-plus"),
            template="settings/users.html",
            more={"invitations": open_invitations(actor_of(request).now)},
        ),
    )


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="name", label=_("Name"), value=lambda u: u.name, sort="name")
    yield Column(name="email", label=_("E-mail"), value=lambda u: u.email, sort="email", narrow=True)
    yield Column(name="role", label=_("Role"), value=lambda u: show.word("role", u.role), sort="role")
    yield Column(
        name="state", label=_("State"), value=lambda u: state("user", str(u.is_active)),
        raw=lambda u: show.word("user", str(u.is_active)), sort="is_active",
    )  # fmt: skip
    yield Column(
        name="factor", label=_("Second factor"), narrow=True,
        value=lambda u: ", ".join(show.word("factor", f) for f in dict.fromkeys(u.factors)) or show.NONE,
    )  # fmt: skip
    yield Column(
        name="seen", label=_("Last sign-in"), value=lambda u: show.moment(u.last_login, zone), narrow=True,
        raw=lambda u: u.last_login,
    )  # fmt: skip
    yield Column(
        name="made", label=_("Made"), value=lambda u: show.moment(u.created_at, zone), raw=lambda u: u.created_at,
        sort="created_at", shown=False,
    )  # fmt: skip


def _filters() -> list[Filter]:
    return [
        Filter(
            name="role", label=_("Role"), choices=choices("role"), apply=lambda rows, value: rows.filter(role=value)
        ),
        Filter(
            name="active", label=_("State"),
            choices=[("1", show.word("user", "True")), ("0", show.word("user", "False"))],
            apply=lambda rows, value: rows.filter(is_active=value == "1"),
        ),
    ]  # fmt: skip


def roles() -> list[tuple[str, str]]:
    """Each role with what it may, in words."""
    return [(role, _(WORDS["may"][role])) for role in ROLES]


@page("accounts.change")
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a user's name and role, and whether the user may sign in."""
    person = get_object_or_404(User, pk=pk)
    initial = {"name": person.name, "role": person.role, "active": person.is_active}
    actor = actor_of(request)
    keys = usable_keys_of(person, actor.now)
    form = UserForm(request.POST or None, initial=initial, has_keys=keys.exists())
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_user(actor, user=person, **form.cleaned_data)
        except Refused as refused:
            person.refresh_from_db()
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            if not person.is_active and (left := keys.count()):
                messages.warning(request, _keys_left(person.name, left))
            return redirect("users")
    factors = second_factors([pk]).get(pk, [])
    context = {
        "form": form, "title": person.name, "back": reverse("users"), "parent": _("Users"), "person": person,
        "factors": [show.word("factor", f) for f in dict.fromkeys(factors)], "roles": roles(), "seen": shown,
    }  # fmt: skip
    return render(request, "settings/user.html", context, status=422 if form.errors else 200)


def _keys_left(name: str, number: int) -> str:
    text = ngettext(
        "%(count)s API key that %(name)s made can still be used.",
        "%(count)s API keys that %(name)s made can still be used.",
        number,
    )
    return text % {"count": show.count(number), "name": name}


@page("accounts.change")
@require_POST
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the second factor from somebody who has lost it."""
    person = get_object_or_404(User, pk=pk)
    services.reset_second_factor(actor_of(request), user=person)
    messages.success(request, _("%(name)s has no second factor any more.") % {"name": person.name})
    return redirect("user", pk)


@page("accounts.change")
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody: a mail with a link, which is also shown once."""
    form = InviteForm(request.POST or None, initial={"role": "viewer", "language": show.language()})
    if request.method == "POST" and form.is_valid():
        try:
            link, sent = _invite(request, form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"": "email"})
        else:
            return render(request, "settings/once.html", {
                "title": _("Invited"), "back": reverse("users"), "parent": _("Users"), "secret": link,
                "text": _("The link was sent to %(email)s.") % {"email": form.cleaned_data["email"]} if sent else _(
                    "There is no mail server: give this link to %(email)s yourself."
                ) % {"email": form.cleaned_data["email"]},
            })  # fmt: skip
    context = {
        "form": form, "title": _("Invite a user"), "back": reverse("users"), "parent": _("Users"), "roles": roles(),
        "action": _("Invite"),
    }  # fmt: skip
    return render(request, "settings/invite.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _invite(request: HttpRequest, fields: dict[str, Any]) -> tuple[str, bool]:
    """The link, and whether there is a server that sends it."""
    actor, by = actor_of(request), user_of(request)
    invitation, secret = services.invite(actor, by=by, **fields)
    path = reverse("accept_invitation", args=[secret])
    link = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
    seller = seller_of(request)
    sent = mail_invitation(
        actor, invitation=invitation, link=link, by=by.name, company=seller.name, time_zone=seller.time_zone
    )
    return link, sent


@page("accounts.change")
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an invitation useless."""
    invitation = get_object_or_404(open_invitations(actor_of(request).now), pk=pk)
    assert isinstance(invitation, Invitation)
    services.withdraw_invitation(actor_of(request), invitation=invitation)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("users")
