"""What was and is to be sent to webhooks: each try with its answer, and sending again."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.settings.webhooks import name_of, short
from taktura.office.templatetags.office import state
from taktura.webhooks import queries, services
from taktura.webhooks.events import TEST, TYPES
from taktura.webhooks.models import STATES, WebhookDelivery, WebhookTry

PRIVATE = " is a private address"  # as `sending` writes it


def why(error: str) -> str:
    """Why nothing was answered, in the reader's language as far as it is ours to say."""
    if error.endswith(PRIVATE):
        address = error.removesuffix(PRIVATE)
        return _("%(address)s is a private address: nothing was sent.") % {"address": address}
    return show.word("delivery_error", error) if error else ""


def answer(status: int | None, error: str) -> str:
    """What came back, in short."""
    return " · ".join(part for part in (f"HTTP {status}" if status else "", why(error)) if part) or show.NONE


@page("settings.view")
def deliveries(request: HttpRequest) -> HttpResponseBase:
    """All deliveries of the last 30 days, and those that wait."""
    seller = seller_of(request)
    return list_page(
        request,
        Listing(
            slug="webhook_deliveries",
            title=_("Deliveries"),
            rows=queries.deliveries(seller.pk),
            columns=list(_columns(seller.time_zone)),
            order="-made",
            filters=_filters(seller.pk),
            search=lambda rows, text: rows.filter(event_id=text),
            search_label=_("Id of the event"),
            link=lambda d: reverse("webhook_delivery", args=[d.pk]),
            actions=[
                Action(name="again", label=_("Send again"), permission="webhooks.change", run=_again, icon="refresh",
                       confirm=_("The events are sent once more, also those that were delivered. They keep their ids,"
                                 " by which the receiver knows them.")),
            ],
            most_counted=10_000,
            empty_title=_("Nothing was sent yet"),
            empty_text=_("What happens is sent to the webhooks that want it, and stands here for 30 days."),
            template="settings/deliveries.html",
        ),
    )  # fmt: skip


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="event", label=_("Event"), value=lambda d: show.word("event", d.type), raw=lambda d: d.type)
    yield Column(
        name="webhook",
        label=_("Webhook"),
        value=lambda d: short(name_of(d.endpoint)),
        raw=lambda d: name_of(d.endpoint),
        narrow=True,
    )
    yield Column(
        name="state", label=_("State"), value=lambda d: state("delivery", d.state),
        raw=lambda d: show.word("delivery", d.state),
    )  # fmt: skip
    yield Column(
        name="answer", label=_("Last answer"), value=lambda d: answer(d.last_status, d.last_error), narrow=True
    )
    yield Column(
        name="attempts", label=_("Attempts"), value=lambda d: show.count(d.attempts), numeric=True, narrow=True
    )
    yield Column(
        name="next", label=_("Next attempt"), value=lambda d: show.moment(next_of(d), zone), raw=next_of, narrow=True
    )
    yield Column(
        name="made", label=_("Made"), value=lambda d: show.moment(d.created_at, zone), raw=lambda d: d.created_at,
        sort="id",
    )  # fmt: skip
    yield Column(
        name="delivered", label=_("Delivered"), value=lambda d: show.moment(d.delivered_at, zone),
        raw=lambda d: d.delivered_at, shown=False,
    )  # fmt: skip
    yield Column(name="id", label=_("Id of the event"), value=lambda d: d.event_id, shown=False)


def next_of(delivery: WebhookDelivery) -> Any:
    """When it is tried next; None when there is no next time, or not before the webhook is switched on."""
    return delivery.next_at if delivery.state == "waiting" and delivery.endpoint.active else None


def _filters(seller: int) -> list[Filter]:
    webhooks = [(str(e.pk), short(name_of(e))) for e in queries.endpoints(seller)]
    return [
        Filter(
            name="webhook", label=_("Webhook"), choices=webhooks,
            apply=lambda rows, value: rows.filter(endpoint=value),
        ),
        Filter(
            name="state", label=_("State"), choices=[(s, show.word("delivery", s)) for s in STATES],
            apply=lambda rows, value: rows.filter(state=value),
        ),
        Filter(
            name="event", label=_("Event"), choices=[(t, show.word("event", t)) for t in (*TYPES, TEST)],
            apply=lambda rows, value: rows.filter(type=value),
        ),
    ]  # fmt: skip


def _again(request: HttpRequest, rows: Rows) -> HttpResponse:
    again, off = services.replay_chosen(actor_of(request), chosen=rows)
    messages.success(
        request,
        ngettext("%(count)s event is sent again.", "%(count)s events are sent again.", again) % {"count": again},
    )
    if off:
        text = ngettext(
            "%(count)s event is not: its webhook is off.", "%(count)s events are not: their webhook is off.", off
        )
        messages.warning(request, text % {"count": off})
    return redirect("webhook_deliveries")


def _one(request: HttpRequest, pk: int) -> WebhookDelivery:
    try:
        return queries.delivery_by_id(seller_of(request).pk, pk)
    except Refused as refused:
        raise Http404 from refused


@page("settings.view")
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """A delivery: what is sent, what was answered at each try, when it is tried next."""
    one = _one(request, pk)
    tries = [_shown(t) for t in queries.tries_of(pk)]
    context = {
        "delivery": one, "webhook": one.endpoint, "name": name_of(one.endpoint), "next": next_of(one),
        "body": json.dumps(json.loads(one.payload), ensure_ascii=False, indent=2), "tries": tries,
        "soon": one.state == "waiting" and one.endpoint.active and not one.attempts,
    }  # fmt: skip
    return render(request, "settings/delivery.html", context)


def _shown(one: WebhookTry) -> dict[str, Any]:
    """A try as it is shown; its headers those of webhooks first."""
    headers = sorted(one.headers.items(), key=lambda h: (not h[0].startswith("webhook-"), h[0]))
    taken = one.status is not None and 200 <= one.status < 300
    return {"try": one, "answer": answer(one.status, one.error), "taken": taken, "headers": headers}


@page("webhooks.change")
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send an event again."""
    one = _one(request, pk)
    try:
        services.replay(actor_of(request), delivery=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The event is sent again."))
    return redirect("webhook_delivery", pk)
