"""Webhooks: which systems are told what happens, and whether it arrives."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.templatetags.office import state
from taktura.webhooks import queries, services
from taktura.webhooks.addresses import LONGEST
from taktura.webhooks.events import TYPES
from taktura.webhooks.models import STATES, WebhookEndpoint

# What a type of event is about, by the first word of its name: the subject that permissions name.
SUBJECTS = {
    "invoice": "documents", "credit_note": "documents", "payment": "payments", "contract": "contracts",
    "order": "orders", "notice": "contracts",
    "customer": "customers", "usage": "usage", "sales_item": "sales", "alert": "control",
    "ticket": "desk", "time": "desk",
}  # fmt: skip
FEW = 3  # types that a cell names
SHOWN = 10  # deliveries on the page of a webhook
SHORT, FEW_SIGNS = 60, 36  # signs of an address, of a name in a cell


class WebhookForm(forms.Form):
    """A webhook: where to, what."""

    url = forms.CharField(
        label=lazy("Web address"), max_length=LONGEST,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://", "spellcheck": "false"}),
    )  # fmt: skip
    description = forms.CharField(
        label=lazy("Description"), max_length=200, required=False,
        help_text=lazy("Which system it is, for you and your colleagues."),
    )  # fmt: skip
    events = forms.MultipleChoiceField(label=lazy("Events"), required=False, choices=[(t, t) for t in TYPES])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["url"].help_text = (
            _("Begins with https:// or http://. Addresses of your own network are allowed here.")
            if settings.WEBHOOKS_TO_PRIVATE_ADDRESSES
            else _("Begins with https:// and can be reached from the internet.")
        )


def one_of(request: HttpRequest, pk: int) -> WebhookEndpoint:
    """A webhook of the company; `Http404` for any other."""
    try:
        return queries.endpoint_by_id(seller_of(request).pk, pk)
    except Refused as refused:
        raise Http404 from refused


def name_of(endpoint: WebhookEndpoint) -> str:
    """What a webhook is called: its description, else the host of its address."""
    return endpoint.description or urlsplit(endpoint.url).netloc


def short(text: str, most: int = FEW_SIGNS) -> str:
    """A name or an address, cut where it is long."""
    return Truncator(text).chars(most)


def _name_and_address(endpoint: WebhookEndpoint) -> SafeString:
    name, url = name_of(endpoint), endpoint.url
    return format_html('{}<span class="under" title="{}">{}</span>', name, url, short(url, SHORT))


def groups(chosen: list[str]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The types of events by what they are about: value, word, whether it is chosen."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for name in TYPES:
        subject = show.word("subject", SUBJECTS[name.partition(".")[0]])
        found.setdefault(subject, []).append((name, show.word("event", name), name in chosen))
    return list(found.items())


@page("settings.view")
def webhooks(request: HttpRequest) -> HttpResponseBase:
    """All webhooks of the company."""

    def prepare(rows: list[Any]) -> None:
        counts = queries.counts_of([row.pk for row in rows])
        for row in rows:
            row.counts = counts.get(row.pk, queries.Counts())

    troubled = queries.in_trouble(seller_of(request).pk).values("pk")
    return list_page(
        request,
        Listing(
            slug="webhooks",
            title=_("Webhooks"),
            rows=queries.endpoints(seller_of(request).pk),
            columns=list(_columns(seller_of(request).time_zone)),
            order="made",
            filters=[
                Filter(
                    name="state", label=_("State"), choices=[("trouble", _("To be looked at"))],
                    apply=lambda rows, value: rows.filter(pk__in=troubled),
                )
            ],
            prepare=prepare,
            link=lambda e: reverse("webhook", args=[e.pk]),
            primary=Link(label=_("New webhook"), url=reverse("webhook_new"), permission="webhooks.change"),
            links=[Link(label=_("Deliveries"), url=reverse("webhook_deliveries"), icon="list-details")],
            empty_title=_("No webhooks yet"),
            empty_text=_("A webhook tells another system at once of invoices, payments, contracts and usage."),
            template="settings/list.html",
        ),
    )  # fmt: skip


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="webhook", label=_("Webhook"), value=_name_and_address, raw=name_of)
    yield Column(name="url", label=_("Web address"), value=lambda e: e.url, shown=False)
    yield Column(
        name="state", label=_("State"), value=lambda e: state("webhook", queries.state_of(e)),
        raw=lambda e: show.word("webhook", queries.state_of(e)),
    )  # fmt: skip
    yield Column(name="events", label=_("Events"), value=_events, narrow=True)
    yield Column(
        name="success", label=_("Last success"), value=lambda e: show.moment(e.last_success_at, zone),
        raw=lambda e: e.last_success_at, narrow=True,
    )  # fmt: skip
    yield Column(
        name="waiting", label=_("Waiting"), value=lambda e: show.count(e.counts.waiting), numeric=True, narrow=True
    )
    yield Column(
        name="failed", label=_("Failed"), value=lambda e: show.count(e.counts.failed), numeric=True, narrow=True
    )
    yield Column(
        name="made", label=_("Made"), value=lambda e: show.moment(e.created_at, zone), raw=lambda e: e.created_at,
        sort="created_at", shown=False,
    )  # fmt: skip


def _events(endpoint: WebhookEndpoint) -> str:
    if not endpoint.events:
        return _("All")
    if len(endpoint.events) <= FEW:
        return ", ".join(show.word("event", name) for name in endpoint.events)
    number = len(endpoint.events)
    return ngettext("%(count)s type", "%(count)s types", number) % {"count": number}


@page("settings.view")
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """A webhook: where to, what, how it stands, what was sent last."""
    one = one_of(request, pk)
    now = actor_of(request).now
    counts = queries.counts_of([pk]).get(pk, queries.Counts())
    context = {
        "webhook": one, "name": name_of(one), "state": queries.state_of(one),
        "events": [show.word("event", event) for event in one.events],
        "numbers": [(s, getattr(counts, s)) for s in STATES], "waiting": counts.waiting,
        "both_until": one.old_until if one.old_secret and one.old_until and one.old_until > now else None,
        "last": queries.deliveries(seller_of(request).pk, endpoint=pk)[:SHOWN],
    }  # fmt: skip
    return render(request, "settings/webhook.html", context)


def _form_page(request: HttpRequest, form: WebhookForm, **more: Any) -> HttpResponse:
    chosen = request.POST.getlist("events") if request.method == "POST" else form.initial.get("events", [])
    context = {"form": form, "groups": groups(chosen), **more}
    return render(request, "settings/webhook_form.html", context, status=422 if form.errors else 200)


@page("webhooks.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a webhook; its secret is shown this once."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = services.create_endpoint(actor_of(request), seller=seller_of(request), **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return _once(request, made, secret, _("Enter this secret in the system that gets the events: by it the"
                                                  " system knows that they come from here."))  # fmt: skip
    return _form_page(
        request, form, title=_("New webhook"), back=reverse("webhooks"), parent=_("Webhooks"),
        action=_("Make the webhook"),
    )  # fmt: skip


def _once(request: HttpRequest, endpoint: WebhookEndpoint, secret: str, text: str) -> HttpResponse:
    return render(request, "settings/once.html", {
        "title": name_of(endpoint), "back": reverse("webhook", args=[endpoint.pk]), "parent": _("Webhooks"),
        "secret": secret, "text": text,
        "note": _("It is shown this once. Whoever has it can send events in your name; if it gets lost, draw another."),
    })  # fmt: skip


@page("webhooks.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change where a webhook goes and what it tells."""
    one = one_of(request, pk)
    kept = {"url": one.url, "description": one.description, "events": one.events}
    form = WebhookForm(request.POST or None, initial=kept)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_endpoint(actor_of(request), endpoint=one, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. What waits goes to this address."))
            return redirect("webhook", pk)
    return _form_page(
        request,
        form,
        title=_("Change the webhook"),
        back=reverse("webhook", args=[pk]),
        parent=name_of(one),
        seen=shown,
    )


def _try(request: HttpRequest, act: Callable[[], Any], done: str) -> None:
    """Do something, and say that it is done, or why not."""
    try:
        act()
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, done)


@page("webhooks.change")
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Send nothing more for the time being."""
    one = one_of(request, pk)
    _try(request, lambda: services.switch_off(actor_of(request), endpoint=one), _("Paused. What waits stays."))
    return redirect("webhook", pk)


@page("webhooks.change")
@require_POST
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Send again, with what happened meanwhile or without it."""
    one, catch_up = one_of(request, pk), request.POST.get("meanwhile") != "leave_out"
    done = _("It goes on, with what happened meanwhile.") if catch_up else _("It goes on, from now.")
    _try(request, lambda: services.switch_on(actor_of(request), endpoint=one, catch_up=catch_up), done)
    return redirect("webhook", pk)


@page("webhooks.change")
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw another secret, and show it this once."""
    one = one_of(request, pk)
    secret = services.rotate_secret(actor_of(request), endpoint=one)
    until = show.moment(one.old_until, seller_of(request).time_zone)
    text = _("Enter this secret in the other system by %(until)s. Until then both sign, so that no event is refused.")
    return _once(request, one, secret, text % {"until": until})


@page("webhooks.change")
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test event, and show what becomes of it."""
    one = one_of(request, pk)
    try:
        made = services.send_test(actor_of(request), endpoint=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("webhook", pk)
    return redirect("webhook_delivery", made.pk)


@page("webhooks.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a webhook with all that was and would be sent to it."""
    one = one_of(request, pk)
    services.delete_endpoint(actor_of(request), endpoint=one)
    messages.success(request, _("The webhook “%(name)s” is removed.") % {"name": name_of(one)})
    return redirect("webhooks")
