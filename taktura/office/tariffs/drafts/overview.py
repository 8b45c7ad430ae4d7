"""Drafts of tariffs: beginning one, looking at it, throwing it away."""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.catalog import drafts
from taktura.catalog.editing import problems
from taktura.catalog.models import TariffDraft
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.page import actor_of, page, today_of, user_of
from taktura.office.tariffs.detail import find
from taktura.office.tariffs.drafts import words
from taktura.office.tariffs.drafts.common import currency_of, find_draft, last_saved, title_of
from taktura.office.tariffs.drafts.parts import called, parts_of
from taktura.office.tariffs.drafts.says import PARTS, Says, says


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a draft from being published, and where it is mended (empty: nowhere in particular)."""

    text: str
    url: str


@page("tariffs.view")
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """What a draft says, what is wrong with it, and what it changes."""
    found = find_draft(request, pk)
    context = {
        "draft": found, "draft_title": title_of(found), "currency": currency_of(found), "who": last_saved(found),
        "problems": [Problem(show.refusal(one), _place(found, one)) for one in problems(found)],
        "parts": parts_of(called(found.fields, found.seller_id), currency_of(found), _says(request, found)),
        "lines": found.fields.get("lines", []),
        "changes": changes_of(found), "news": news_of(found, today_of(request)),
    }  # fmt: skip
    return render(request, "tariffs/draft.html", context)


def _says(request: HttpRequest, found: TariffDraft) -> dict[str, Says]:
    return says(drafts.written(found), found.seller, currency_of(found), today_of(request))


def changes_of(found: TariffDraft) -> list[words.Told]:
    """What a draft changes of the version that it was begun from, in words; of a new tariff nothing."""
    if found.begun is None:
        return []
    before = found.begun
    return words.all_said(drafts.differences(before, found.fields), currency_of(found), before, found.fields)


def news_of(found: TariffDraft, day: date) -> list[words.Told]:
    """What its tariff says on a day that it did not say when the draft was begun, in words."""
    return words.all_said(drafts.news(found, day), currency_of(found), found.begun or {}, found.fields)


def _place(found: TariffDraft, refused: Refused) -> str:
    """Where a problem is mended."""
    field = str(refused.values.get("field", ""))
    if refused.values.get("article") or not any(field in names for names in PARTS.values()):
        return "#lines"
    return f"{reverse('tariff_draft_settings', args=[found.pk])}#field-{field}"


@page("tariffs.change")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with the draft of a tariff; without one begin it from what holds today."""
    tariff = find(request, pk)
    there = TariffDraft.objects.filter(tariff=tariff).first()
    going_on = there or drafts.draft_of(actor_of(request), tariff=tariff)
    if there and there.changed_by != f"user:{user_of(request).email}":
        messages.info(request, _("%(name)s has begun this draft: you go on with it.") % {"name": last_saved(there)})
    return redirect("tariff_draft", going_on.pk)


@page("tariffs.change")
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away; the tariff stays as it is."""
    found = find_draft(request, pk)
    drafts.discard_draft(actor_of(request), draft=found)
    messages.success(request, _("The draft is thrown away."))
    return redirect("tariff", found.tariff_id) if found.tariff_id else redirect("tariffs")
