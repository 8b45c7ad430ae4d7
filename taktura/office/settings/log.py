"""The log: who changed what, and whether all of it is as it was written."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.audit.models import LogEntry
from taktura.audit.services import digest
from taktura.audit.tasks import PROOF, start_proof
from taktura.core.errors import Refused
from taktura.kit.jobs.queries import recent_work
from taktura.office import show
from taktura.office.history import action, told
from taktura.office.lists import Column, Filter, Listing, Rows, list_page
from taktura.office.page import actor_of, page, user_of, zone_of
from taktura.office.subjects import KINDS, Subject, subjects
from taktura.office.words import WORDS

FIRST, LAST = date(1900, 1, 1), date(9999, 12, 30)


@page("log.view")
def log(request: HttpRequest) -> HttpResponseBase:
    """All entries, the newest first."""
    zone, user = zone_of(request), user_of(request)

    def prepare(rows: list[Any]) -> None:
        named = subjects((row.subject for row in rows), user)
        for row in rows:
            row.about, row.told = named.get(row.subject, Subject(row.subject)), told(row)

    proof = recent_work("log", PROOF).first()
    return list_page(
        request,
        Listing(
            slug="log",
            title=_("Log"),
            rows=LogEntry.objects.all(),
            columns=list(_columns(zone)),
            order="-number",
            filters=_filters(zone),
            search=_search,
            search_label=_("Who, or what it is about"),
            prepare=prepare,
            link=lambda e: reverse("log_entry", args=[e.pk]),
            template="settings/log.html",
            more={"proof": proof, "since": _since(proof)},
        ),
    )


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="number", label=_("Number"), value=lambda e: show.count(e.pk), raw=lambda e: e.pk, sort="id",
                 numeric=True)  # fmt: skip
    yield Column(name="at", label=_("When"), value=lambda e: show.moment(e.at, zone), raw=lambda e: e.at)
    yield Column(name="who", label=_("Who"), value=lambda e: e.told.who, narrow=True)
    yield Column(name="what", label=_("What"), value=lambda e: e.told.what)
    yield Column(name="about", label=_("About"), value=_about, raw=lambda e: e.about.name)
    yield Column(
        name="details", label=_("Details"), narrow=True,
        value=lambda e: _short("; ".join(f"{name}: {value}" for name, value in e.told.details)),
        raw=lambda e: "; ".join(f"{name}: {value}" for name, value in e.told.details),
    )  # fmt: skip


def _about(entry: Any) -> Any:
    about: Subject = entry.about
    return format_html('<a href="{}">{}</a>', about.url, about.name) if about.url else about.name


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def _filters(zone: str) -> list[Filter]:
    actions = sorted((action(name), name) for name in WORDS["action"])
    kinds = sorted((show.word("subject_kind", name), name) for name in KINDS)

    def start(day: date) -> datetime:  # clocks know no hour outside of these years
        return datetime.combine(min(max(day, FIRST), LAST), time(), ZoneInfo(zone))

    return [
        Filter(
            name="action", label=_("What"), choices=[(name, word) for word, name in actions],
            apply=lambda rows, value: rows.filter(action=value),
        ),
        Filter(
            name="kind", label=_("About"), choices=[(name, word) for word, name in kinds],
            apply=lambda rows, value: rows.filter(subject__startswith=f"{value}:"),
        ),
        Filter(
            name="first", label=_("From"), is_day=True, apply=lambda rows, day: rows.filter(at__gte=start(day)),
        ),
        Filter(
            name="last", label=_("Until"), is_day=True,
            apply=lambda rows, day: rows.filter(at__lt=start(min(day, LAST) + timedelta(days=1))),
        ),
    ]  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    return rows.filter(Q(actor__icontains=text) | Q(subject=text) | Q(data__icontains=text))


def _since(proof: Any) -> int:
    """How many entries came after the last proof."""
    last = proof.result.get("last", 0) if proof is not None and proof.state == "done" else 0
    return LogEntry.objects.filter(pk__gt=last).count() if last else 0


@page("log.view")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """An entry with all its details, and whether its hash holds."""
    one = get_object_or_404(LogEntry, pk=pk)
    before = LogEntry.objects.filter(pk__lt=pk).order_by("-id").values_list("hash", flat=True).first() or ""
    right = digest(before, one.at, one.actor, one.action, one.subject, one.data)
    context = {
        "entry": one, "told": told(one), "about": subjects([one.subject], user_of(request)).get(one.subject),
        "holds": one.hash == right and one.previous == before,
    }  # fmt: skip
    return render(request, "settings/log_entry.html", context)


@page("log.view")
@require_POST
def prove(request: HttpRequest) -> HttpResponse:
    """Work out every hash of the log again, in the background."""
    try:
        start_proof(actor_of(request))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The log is being proven. The outcome stands here."))
    return redirect("log")
