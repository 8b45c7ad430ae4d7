"""The order of a draft's lines: dragged, moved by buttons or keys, saved at once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.catalog import drafts
from taktura.catalog.models import TariffDraft
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.page import actor_of, page
from taktura.office.tariffs.drafts.common import currency_of, find_draft, sent_revision

UP, DOWN = "up", "down"


@page("tariffs.change")
@require_POST
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the lines in order: as `order` names their articles, or one of them up or down (`move`).

    Lines that somebody added meanwhile stand last; what is gone is left out. Htmx gets the lines alone.
    """
    draft = find_draft(request, pk)
    wanted = _wanted(request, [row["article"] for row in draft.fields.get("lines", ())])
    said = refusal = ""
    try:
        draft = drafts.change_draft(
            actor_of(request), draft=draft, revision=_revision(request, draft), change=lambda old: _put(old, wanted)
        )
        said = _said(request, draft)
    except Refused as refused:
        draft.refresh_from_db()
        refusal = show.refusal(refused)
        if not request.headers.get("HX-Request"):
            messages.error(request, refusal)
    if request.headers.get("HX-Request"):
        way, _colon, moved = request.POST.get("move", "").partition(":")
        context = {"draft": draft, "lines": draft.fields.get("lines", []), "currency": currency_of(draft)}
        context |= {"said": said, "refusal": refusal, "moved": moved, "way": way}
        return render(request, "tariffs/draft_lines.html", context)
    return redirect(f"{reverse('tariff_draft', args=[pk])}#lines")


def _revision(request: HttpRequest, draft: TariffDraft) -> int:
    """The revision to write over: that of now, where since then only lines' settings changed, not which they are."""
    seen = sent_revision(request, draft)
    if seen == draft.revision:
        return seen
    changes = drafts.changes_since(draft, seen)
    moved = any(not one.field for one in changes)
    return seen if moved else draft.revision


def _wanted(request: HttpRequest, now: list[str]) -> list[str]:
    """The articles in their new order."""
    given = [article for article in request.POST.getlist("order") if article in now]
    wanted = list(dict.fromkeys([*given, *now]))
    way, _colon, article = request.POST.get("move", "").partition(":")
    if article in wanted and way in (UP, DOWN):
        at = wanted.index(article)
        wanted.pop(at)
        wanted.insert(max(at - 1, 0) if way == UP else at + 1, article)
    return wanted


def _put(fields: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    rows = {row["article"]: row for row in fields.get("lines", ())}
    order = [article for article in wanted if article in rows]
    return {**fields, "lines": [rows[a] for a in dict.fromkeys([*order, *rows])]}


def _said(request: HttpRequest, draft: TariffDraft) -> str:
    """Where the moved line stands now, for a screen reader."""
    article = request.POST.get("move", "").partition(":")[2] or request.POST.get("moved", "")
    rows = draft.fields.get("lines", [])
    for place, row in enumerate(rows, 1):
        if row["article"] == article:
            return _("“%(line)s” stands at place %(place)s of %(all)s now.") % {
                "line": row.get("title") or article, "place": show.count(place), "all": show.count(len(rows)),
            }  # fmt: skip
    return _("The order is saved.")
