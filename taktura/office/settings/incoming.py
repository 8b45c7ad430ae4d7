"""Mails that came to the mailboxes: what became of each, and why."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.billing.services import mailboxes as services
from taktura.core.errors import Refused
from taktura.desk.models import Ticket
from taktura.kit.mailbox import queries
from taktura.kit.mailbox.models import STATES, IncomingMail
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, zone_of
from taktura.office.settings.mailboxes import name_of, owner_of
from taktura.office.templatetags.office import state
from taktura.usage.models import UsageFile

LOOK_AT = "look_at"  # as a filter: whatever somebody must look at
MOST_AT_ONCE = 1000


def _one(request: HttpRequest, pk: int) -> IncomingMail:
    try:
        return queries.incoming_by_id(owner_of(request), pk)
    except Refused as refused:
        raise Http404 from refused


@page("jobs.view")
def mails(request: HttpRequest) -> HttpResponseBase:
    """All mails that came, the last first."""
    return list_page(
        request,
        Listing(
            slug="incoming_mails", title=_("Mails that came"), rows=queries.incoming(owner_of(request)),
            columns=list(_columns(zone_of(request), show.language())), order="-looked", filters=_filters(request),
            search=lambda rows, text: rows.filter(Q(sender__icontains=text) | Q(subject__icontains=text)),
            search_label=_("Sender or subject"),
            link=lambda m: reverse("incoming_mail", args=[m.pk]),
            actions=[
                Action(name="again", label=_("Try again"), permission="jobs.retry", run=_again, icon="refresh",
                       confirm=_("The mails that failed are tried again.")),
            ],
            empty_title=_("No mails yet"),
            empty_text=_("Mails that came to one of the mailboxes stand here, with what became of each."),
            template="settings/list.html",
        ),
    )  # fmt: skip


def _columns(zone: str, language: str) -> Iterator[Column]:
    yield Column(
        name="looked", label=_("Looked at"), value=lambda m: show.moment(m.looked_at, zone), raw=lambda m: m.looked_at,
        sort="id",
    )  # fmt: skip
    yield Column(name="sender", label=_("Sender"), value=lambda m: m.sender or show.NONE, raw=lambda m: m.sender)
    yield Column(name="subject", label=_("Subject"), value=lambda m: m.subject or show.NONE, raw=lambda m: m.subject)
    yield Column(
        name="state", label=_("State"), value=lambda m: state("incoming", m.state),
        raw=lambda m: show.word("incoming", m.state),
    )  # fmt: skip
    yield Column(
        name="verdict", label=_("Why"), value=lambda m: " ".join(queries.sentences(m.said, language)), narrow=True
    )
    yield Column(name="mailbox", label=_("Mailbox"), value=lambda m: name_of(m.mailbox), shown=False)


def _filters(request: HttpRequest) -> list[Filter]:
    boxes = [(str(m.pk), name_of(m)) for m in queries.mailboxes(owner_of(request))]
    return [
        Filter(
            name="mailbox", label=_("Mailbox"), choices=boxes,
            apply=lambda rows, value: rows.filter(mailbox=value),
        ),
        Filter(
            name="state", label=_("State"),
            choices=[(LOOK_AT, _("To be looked at")), *((s, show.word("incoming", s)) for s in STATES)],
            apply=lambda rows, value: rows.filter(state__in=queries.TROUBLE if value == LOOK_AT else [value]),
        ),
    ]  # fmt: skip


def _again(request: HttpRequest, rows: Rows) -> HttpResponse:
    number = 0
    for mail in rows.filter(state="failed")[:MOST_AT_ONCE]:
        services.take_again(actor_of(request), mail=mail)
        number += 1
    text = ngettext("%(count)s mail is tried again.", "%(count)s mails are tried again.", number)
    messages.success(request, text % {"count": number})
    return redirect("incoming_mails")


@page("jobs.view")
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail that came: from whom, what became of it, why."""
    one = _one(request, pk)
    context: dict[str, Any] = {
        "mail": one, "mailbox": name_of(one.mailbox), "verdict": queries.sentences(one.said, show.language()),
        "files": UsageFile.objects.filter(pk__in=_named(one, "usage_file")).only("name").order_by("pk"),
        "tickets": Ticket.objects.filter(pk__in=_named(one, "ticket")).order_by("pk"),
        "message_id": one.identity if one.identity.startswith("<") else "",
    }  # fmt: skip
    return render(request, "settings/incoming_mail.html", context)


def _named(mail: IncomingMail, kind: str) -> list[int]:
    """The ids of what a mail caused, of a kind."""
    return [int(about.partition(":")[2]) for about in mail.about if about.startswith(f"{kind}:")]


@page("jobs.retry")
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a mail again that failed."""
    one = _one(request, pk)
    try:
        services.take_again(actor_of(request), mail=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The mail is tried again."))
    return redirect("incoming_mail", pk)
