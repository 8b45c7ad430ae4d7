"""The outbox: what was sent to whom, what waits, what failed and why."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.kit.mail.models import STATES, OutgoingMail
from taktura.kit.mail.queries import is_secret, mails
from taktura.kit.mail.services import AGAIN, TROUBLE, give_up, send_again
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of, user_of, zone_of
from taktura.office.templatetags.office import state

UNDELIVERED = "undelivered"  # as a filter: whatever somebody must look at
MOST_AT_ONCE = 1000
# A mail's HTML may not do anything: no scripts, no addresses of others.
HARMLESS = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)

KINDS = ("document", "notice", "alert", "account")


def _all(request: HttpRequest) -> Rows:
    return mails([f"seller:{seller_of(request).pk}", ""])


def _one(request: HttpRequest, pk: int) -> OutgoingMail:
    found: OutgoingMail | None = _all(request).defer(None).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _may_read(request: HttpRequest, mail: OutgoingMail) -> bool:
    """Codes and links of sign-in open the office: only those read them who may invite others anyway."""
    return not is_secret(mail) or user_of(request).may("accounts.change")


@page("jobs.view")
def outbox(request: HttpRequest) -> HttpResponseBase:
    """All mails of the company, and those of sign-in."""
    zone = zone_of(request)
    return list_page(
        request,
        Listing(
            slug="outbox",
            title=_("Outbox"),
            rows=_all(request),
            columns=list(_columns(zone)),
            order="-written",
            filters=_filters(),
            search=lambda rows, text: rows.filter(Q(recipient__icontains=text) | Q(subject__icontains=text)),
            search_label=_("Recipient or subject"),
            link=lambda m: reverse("outbox_mail", args=[m.pk]),
            actions=[
                Action(name="again", label=_("Try again"), permission="jobs.retry", run=_again, icon="refresh",
                       confirm=_("The mails that failed, may have got lost or were caught are sent again.")),
                Action(name="give_up", label=_("Give up"), permission="jobs.retry", run=_give_up, icon="x",
                       confirm=_("The mails that were not delivered are not tried again, and nobody is told of them.")),
            ],
            empty_title=_("No mails yet"),
            empty_text=_("Documents that are sent by mail, invitations and codes of sign-in stand here."),
            template="settings/list.html",
        ),
    )  # fmt: skip


def _columns(zone: str) -> Iterator[Column]:
    yield Column(
        name="written", label=_("Written"), value=lambda m: show.moment(m.created_at, zone),
        raw=lambda m: m.created_at, sort="id",
    )  # fmt: skip
    yield Column(name="recipient", label=_("Recipient"), value=lambda m: m.recipient)
    yield Column(name="subject", label=_("Subject"), value=lambda m: m.subject)
    yield Column(
        name="state", label=_("State"), value=lambda m: state("mail", m.state), raw=lambda m: show.word("mail", m.state)
    )
    yield Column(
        name="attempts", label=_("Attempts"), value=lambda m: show.count(m.attempts), numeric=True, narrow=True
    )
    yield Column(
        name="sent", label=_("Sent"), value=lambda m: show.moment(m.sent_at, zone), raw=lambda m: m.sent_at, narrow=True
    )
    yield Column(name="error", label=_("What the server said"), value=lambda m: m.last_error, shown=False)


def _filters() -> list[Filter]:
    return [
        Filter(
            name="state", label=_("State"),
            choices=[(UNDELIVERED, _("To be looked at")), *((s, show.word("mail", s)) for s in STATES)],
            apply=lambda rows, value: rows.filter(state__in=TROUBLE if value == UNDELIVERED else [value]),
        ),
        Filter(
            name="kind", label=_("Kind"), choices=[(k, show.word("mail_kind", k)) for k in KINDS],
            apply=lambda rows, value: rows.filter(kind=value),
        ),
    ]  # fmt: skip


def _again(request: HttpRequest, rows: Rows) -> HttpResponse:
    number = 0
    for mail in rows.filter(state__in=[*TROUBLE, "caught"])[:MOST_AT_ONCE]:  # who gave one up asks for it by itself
        send_again(actor_of(request).now, mail=mail)
        number += 1
    messages.success(
        request,
        ngettext("%(count)s mail is tried again.", "%(count)s mails are tried again.", number) % {"count": number},
    )
    return redirect("outbox")


def _give_up(request: HttpRequest, rows: Rows) -> HttpResponse:
    number = 0
    for mail in rows.filter(state__in=TROUBLE)[:MOST_AT_ONCE]:
        give_up(mail=mail)
        number += 1
    messages.success(
        request, ngettext("%(count)s mail is given up.", "%(count)s mails are given up.", number) % {"count": number}
    )
    return redirect("outbox")


@page("jobs.view")
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail: to whom, what became of it, what it says."""
    one = _one(request, pk)
    readable = _may_read(request, one)
    context: dict[str, Any] = {
        "mail": one, "readable": readable, "attachments": one.attachments.defer("content") if readable else [],
        "again": one.state in AGAIN, "in_trouble": one.state in TROUBLE,
    }  # fmt: skip
    return render(request, "settings/outbox_mail.html", context)


@page("jobs.view")
def html(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail's HTML, in which nothing runs and nothing is fetched."""
    one = _one(request, pk)
    if not one.html or not _may_read(request, one):
        raise Http404
    return HttpResponse(one.html, headers={"Content-Security-Policy": HARMLESS, "X-Frame-Options": "SAMEORIGIN"})


@page("jobs.view")
def attachment(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A file that goes with a mail."""
    one = _one(request, pk)
    found = one.attachments.filter(pk=number).first()
    if found is None or not _may_read(request, one):
        raise Http404
    return HttpResponse(
        bytes(found.content), content_type="application/octet-stream",
        headers={"Content-Disposition": content_disposition_header(True, found.name) or "attachment"},
    )  # fmt: skip


@page("jobs.retry")
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a mail again."""
    one = _one(request, pk)
    try:
        send_again(actor_of(request).now, mail=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The mail is tried again."))
    return redirect("outbox_mail", pk)


@page("jobs.retry")
@require_POST
def rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a mail up that was not delivered."""
    one = _one(request, pk)
    try:
        give_up(mail=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The mail is given up."))
    return redirect("outbox_mail", pk)
