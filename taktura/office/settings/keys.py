"""Keys of other systems: what each may, until when, when it was last used."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.accounts import services
from taktura.accounts.models import ApiKey, User
from taktura.accounts.permissions import PERMISSIONS
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import DayField, add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, today_of, user_of, zone_of
from taktura.office.templatetags.office import state

USUAL_LIFE = timedelta(days=365)


class KeyForm(forms.Form):
    """A key: its name, what it may, its last day."""

    name = forms.CharField(
        label=lazy("Name"), max_length=100, help_text=lazy("Which system uses it. Each system gets a key of its own.")
    )
    last_day = DayField(
        label=lazy("Last day"), required=False, help_text=lazy("Left empty, the key can be used until it is revoked.")
    )
    scopes = forms.MultipleChoiceField(label=lazy("The key may"), choices=[(p, p) for p in PERMISSIONS])

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["last_day"].today = today  # type: ignore[attr-defined]


@page("settings.view")
def keys(request: HttpRequest) -> HttpResponseBase:
    """All keys."""
    now, zone = actor_of(request).now, zone_of(request)

    def prepare(rows: list[Any]) -> None:
        for row in rows:
            row.state = state_of(row, now)

    return list_page(
        request,
        Listing(
            slug="keys",
            title=_("API keys"),
            rows=ApiKey.objects.select_related("created_by"),
            columns=list(_columns(zone)),
            order="-made",
            filters=[_filter(now)],
            search=lambda rows, text: rows.filter(Q(name__icontains=text) | Q(prefix__startswith=text)),
            search_label=_("Name or beginning of the key"),
            prepare=prepare,
            link=lambda k: reverse("key", args=[k.pk]),
            primary=Link(label=_("New key"), url=reverse("key_new"), permission="keys.change"),
            links=[Link(label=_("Manual of the API"), url=reverse("api_reference"), icon="book")],
            empty_title=_("No keys yet"),
            empty_text=_("Another system that sends usage or reads invoices gets a key of its own."),
            template="settings/list.html",
        ),
    )


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="name", label=_("Name"), value=lambda k: k.name, sort="name")
    yield Column(name="prefix", label=_("Begins with"), value=lambda k: f"{k.prefix}…", narrow=True)
    yield Column(
        name="state", label=_("State"), value=lambda k: state("key", k.state), raw=lambda k: show.word("key", k.state)
    )
    yield Column(name="scopes", label=_("Scopes"), value=lambda k: show.count(len(k.scopes)), numeric=True, narrow=True)
    yield Column(
        name="used", label=_("Last use"), value=lambda k: show.moment(k.last_used_at, zone),
        raw=lambda k: k.last_used_at, narrow=True,
    )  # fmt: skip
    yield Column(
        name="expires", label=_("Ends"), value=lambda k: show.moment(k.expires_at, zone), raw=lambda k: k.expires_at,
        narrow=True,
    )  # fmt: skip
    yield Column(
        name="made", label=_("Made"), value=lambda k: show.moment(k.created_at, zone), raw=lambda k: k.created_at,
        sort="created_at", narrow=True,
    )  # fmt: skip


def _filter(now: datetime) -> Filter:
    def apply(rows: Rows, value: str) -> Rows:
        if value == "revoked":
            return rows.exclude(revoked_at=None)
        rows = rows.filter(revoked_at=None)
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        return rows.filter(alive) if value == "usable" else rows.exclude(alive)

    choices = [(value, show.word("key", value)) for value in ("usable", "expired", "revoked")]
    return Filter(name="state", label=_("State"), choices=choices, apply=apply)


def state_of(key: ApiKey, now: datetime) -> str:
    """`usable`, `expired` or `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "usable"


def groups(chosen: list[str], user: User | None = None) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The permissions by what they are about: value, word, whether it is chosen. Only those that a user may give."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for permission in sorted(PERMISSIONS, key=lambda p: p.partition(".")[0]):
        if user is None or user.may(permission):
            subject = show.word("subject", permission.partition(".")[0])
            found.setdefault(subject, []).append(
                (permission, show.word("permission", permission), permission in chosen)
            )
    return list(found.items())


@page("settings.view")
def key(request: HttpRequest, pk: int) -> HttpResponse:
    """What a key may."""
    one = get_object_or_404(ApiKey.objects.select_related("created_by"), pk=pk)
    may = [(subject, [word for _value, word, given in rows if given]) for subject, rows in groups(one.scopes)]
    context = {
        "key": one, "state": state_of(one, actor_of(request).now), "may": [(s, words) for s, words in may if words],
    }  # fmt: skip
    return render(request, "settings/key.html", context)


@page("keys.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a key; its secret is shown this once."""
    today = today_of(request)
    form = KeyForm(request.POST or None, today=today, initial={"last_day": today + USUAL_LIFE})
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            made, secret = services.create_key(
                actor_of(request), name=fields["name"], scopes=fields["scopes"], by=user_of(request),
                expires_at=_end_of(fields["last_day"], zone_of(request)),
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return render(request, "settings/once.html", {
                "title": made.name, "back": reverse("keys"), "parent": _("API keys"), "secret": secret,
                "text": _(
                    "Give this key to the system that will use it. It sends it with each request, as"
                    " “Authorization: Bearer …”."
                ),
            })  # fmt: skip
    context = {
        "form": form, "title": _("New key"), "back": reverse("keys"), "parent": _("API keys"),
        "action": _("Make the key"), "groups": groups(request.POST.getlist("scopes"), user_of(request)),
    }  # fmt: skip
    return render(request, "settings/key_new.html", context, status=422 if form.errors else 200)


@page("keys.change")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key useless from now on."""
    one = get_object_or_404(ApiKey, pk=pk)
    services.revoke_key(actor_of(request), key=one)
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": one.name})
    return redirect("keys")


def _end_of(day: date | None, zone: str) -> datetime | None:
    """The instant after a day, where the seller is."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)) if day else None
