"""A customer's people, kept by its administrators: who has access, as what; inviting, switching off, signing out."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from taktura.core.errors import Refused
from taktura.customers import colleagues
from taktura.customers.access import PROFILE, users_of
from taktura.customers.models import USER, PortalAccess
from taktura.office import show
from taktura.office.customers.portal import RoleField
from taktura.office.forms import add_refusal
from taktura.portal.account import limits
from taktura.portal.account.data import ProfileForm
from taktura.portal.account.frame import answer
from taktura.portal.page import ADMINISTRATORS, actor_of, address_of, portal_page

METHODS = ["GET", "HEAD", "POST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who has, or had, access. Of whoever came from elsewhere and has not signed in since nothing is told but
    the address: name and hours are another company's until then."""

    access: PortalAccess
    email: str
    name: str
    came: bool
    own: bool


class InviteForm(forms.Form):
    """Who is invited."""

    email = forms.EmailField(label=lazy("E-mail"), max_length=254)
    name = forms.CharField(label=lazy("Name"), max_length=200)
    role = RoleField()


class PersonForm(ProfileForm):
    """What a person is, and where the profile is self-managed what is known of the person."""

    role = RoleField()
    field_order = ("role", *PROFILE)

    def __init__(self, *args: Any, by: PortalAccess, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        if not by.customer.self_managed:
            for name in PROFILE:
                self.fields.pop(name, None)


@portal_page(ADMINISTRATORS)
@require_safe
def people(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Who has access, and who had."""
    rows = [_person(one, access) for one in users_of(access.customer)]
    return answer(
        request, access, "portal_people", "portal/people.html", title=_("People"),
        rows=[p for p in rows if p.access.ended_at is None], ended=[p for p in rows if p.access.ended_at is not None],
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def invite(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Give a colleague access; a link to sign in goes there by mail."""
    back = reverse("portal_people", args=[access.customer_id])
    form = InviteForm(request.POST if request.method == "POST" else None, initial={"role": USER})
    if request.method == "POST" and form.is_valid():
        if not limits.take(request, limits.INVITE, access.user.email):
            form.add_error(None, _("There were too many invitations. Wait an hour, then try again."))
        else:
            try:
                colleagues.invite_colleague(
                    actor_of(request), by=access, address=address_of(request), **form.cleaned_data
                )
            except Refused as refused:
                add_refusal(form, refused, {"": "email"})
            else:
                return redirect(f"{back}?done=invited")
    return answer(
        request, access, "portal_people", "portal/form.html", form=form, title=_("Invite somebody"), back=back,
        action=_("Invite"), parent=_("People"), status=422 if form.errors else 200,
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def person(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """One of them: role, and where it is self-managed the profile."""
    found, back = _find(access, pk), reverse("portal_people", args=[access.customer_id])
    initial = {n: getattr(found, n) for n in ("role", *PROFILE)}
    form = PersonForm(request.POST if request.method == "POST" else None, initial=initial, by=access)
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data.pop("role")
        try:
            colleagues.change_colleague(
                actor_of(request), by=access, access=found, role=role, profile=form.cleaned_data or None
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            mine = found.pk == access.pk and role == USER  # who is no administrator any more sees no people
            return redirect(f"{reverse('portal_customer', args=[access.customer_id]) if mine else back}?done=data")
    one = _person(found, access)
    return answer(
        request, access, "portal_people", "portal/person.html", form=form, title=one.name or one.email, one=one,
        back=back, status=422 if form.errors else 200,
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_POST
def sign_out(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """End all sessions of somebody."""
    colleagues.sign_colleague_out(actor_of(request), by=access, access=_find(access, pk))
    return redirect(f"{reverse('portal_people', args=[access.customer_id])}?done=signed_out")


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def end(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """Take somebody's access away, after a question."""
    found, wrong = _find(access, pk), ""
    if request.method == "POST":
        try:
            colleagues.switch_colleague_off(actor_of(request), by=access, access=found)
        except Refused as refused:
            wrong = show.refusal(refused)
        else:
            if found.pk == access.pk:
                return redirect("portal_home")
            return redirect(f"{reverse('portal_people', args=[access.customer_id])}?done=ended")
    return answer(
        request, access, "portal_people", "portal/person_end.html", title=_("Switch access off"),
        one=_person(found, access), wrong=wrong, back=reverse("portal_person", args=[access.customer_id, pk]),
        status=409 if wrong else 200,
    )  # fmt: skip


def _find(access: PortalAccess, pk: int) -> PortalAccess:
    """Somebody of the customer who has access, or 404."""
    found = users_of(access.customer).filter(pk=pk, ended_at=None).first()
    if found is None:
        raise Http404
    return found


def _person(one: PortalAccess, by: PortalAccess) -> Person:
    user = one.user
    came = user.last_sign_in_at is not None and user.last_sign_in_at >= one.invited_at
    known = came or user.created_at == one.invited_at
    name = user.name if known and user.name != user.email else ""
    return Person(access=one, email=user.email, name=name, came=came, own=one.pk == by.pk)
