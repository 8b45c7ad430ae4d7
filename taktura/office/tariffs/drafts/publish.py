"""Publishing a draft: from when and for whom, after a look at whom it reaches and what it moves (R16.3)."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.billing.reach import reach
from taktura.catalog import drafts, editing
from taktura.catalog.editing import problems
from taktura.catalog.models import TariffDraft
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import DayField, add_refusal
from taktura.office.page import actor_of, page, today_of
from taktura.office.tariffs.drafts.common import Meanwhile, find_draft, head, meanwhile, sent_revision
from taktura.office.tariffs.drafts.overview import changes_of, news_of
from taktura.office.tariffs.drafts.words import Told

MOST_STARTS = 12  # days that are named of those from which contracts take a version


class PublishForm(forms.Form):
    """From when on a version holds, and for whom; of a tariff that nobody has there is nothing to say."""

    valid_from = DayField(label=lazy("From"))
    applies_to = forms.ChoiceField(label=lazy("Holds for"), widget=forms.RadioSelect, initial="new")
    after_billed = forms.BooleanField(
        label=lazy("Where more is billed, begin after what is billed"), required=False,
        help_text=lazy("Without it a day is refused before which contracts are billed already."),
    )  # fmt: skip
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, today: Any, dated: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["valid_from"].today = today
        fields["applies_to"].choices = [(n, show.word("applies_to", n)) for n in ("new", "all")]
        if not dated:
            for name in ("valid_from", "applies_to", "after_billed"):
                del self.fields[name]


@page("tariffs.change")
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a draft a tariff, or a version of one."""
    draft = find_draft(request, pk)
    form = _form(request, draft)
    if request.method != "POST" or not form.is_valid():
        return _answer(request, draft, form, 422 if form.errors else 200)
    chosen = {n: v for n, v in form.cleaned_data.items() if n != "revision"}
    try:
        tariff = billing.publish_draft(actor_of(request), draft=draft, revision=sent_revision(request, draft), **chosen)
    except Refused as refused:
        if refused.code == "conflict" and "name" in refused.values:
            return _conflict(request, draft)
        add_refusal(form, refused)
        return _answer(request, draft, form, 409 if refused.code == "conflict" else 422)
    messages.success(request, _("The tariff is published."))
    return redirect("tariff", tariff.pk)


@page("tariffs.change")
@require_POST
def consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom publishing reaches, from when on, and what it moves."""
    draft = find_draft(request, pk)
    form = _form(request, draft)
    context: dict[str, Any] = {"draft": draft, "currency": draft.fields.get("currency") or draft.seller.currency}
    if not form.is_valid():
        return render(request, "tariffs/draft_reach.html", context | {"incomplete": True})
    chosen = form.cleaned_data
    try:
        offer = drafts.offer(draft)
        if draft.tariff is not None and chosen.get("applies_to") == "all":
            found = reach(draft.tariff, offer, chosen["valid_from"])
            context |= {"reach": found, "starts": found.starts[:MOST_STARTS], "more": found.starts[MOST_STARTS:]}
            billed = billing.billed_beyond(draft.tariff, chosen["valid_from"])
            context |= {"billed": billed, "after_billed": chosen["after_billed"]}
        if draft.tariff is not None and chosen.get("valid_from"):
            later = draft.tariff.versions.filter(valid_from__gt=chosen["valid_from"]).order_by("valid_from", "id")
            context |= {"later": later.first(), "news": news_of(draft, chosen["valid_from"])}
    except Refused as refused:
        context["refused"] = refused
    return render(request, "tariffs/draft_reach.html", context | {"chosen": chosen})


def _form(request: HttpRequest, draft: TariffDraft, data: Any = None) -> PublishForm:
    dated = draft.tariff is not None and billing.takes_versions(draft.tariff)
    today = today_of(request)
    sent = data if data is not None else request.POST if request.method == "POST" else None
    initial = {"valid_from": request.GET.get("from") or today, "revision": draft.revision}
    return PublishForm(sent, today=today, dated=dated, initial=initial)


@page("tariffs.change")
@require_POST
def catch_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Take over what the tariff says on a day that it did not say when the draft was begun."""
    draft = find_draft(request, pk)
    form = _form(request, draft)
    form.is_valid()
    day = form.cleaned_data.get("valid_from")
    try:
        editing.catch_up(
            actor_of(request), draft=draft, revision=sent_revision(request, draft), day=day or today_of(request)
        )
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("What is new stands in the draft; what was changed in it stays."))
    there = reverse("tariff_draft_publish", args=[pk])
    return redirect(f"{there}?{urlencode({'from': day.isoformat()})}" if day else reverse("tariff_draft", args=[pk]))


def _conflict(request: HttpRequest, draft: TariffDraft) -> HttpResponse:
    found = meanwhile(draft, sent_revision(request, draft))
    data = request.POST.copy()
    data["revision"] = str(found.revision)
    return _answer(request, draft, _form(request, draft, data), 409, found)


def _answer(
    request: HttpRequest, draft: TariffDraft, form: PublishForm, status: int, found: Meanwhile | None = None
) -> HttpResponse:
    context = head(
        draft, _("Publish"), form=form, action=_("Publish"), meanwhile=found, changes=changes_of(draft),
        problems=[show.refusal(one) for one in problems(draft)], news=_news(request, draft, form),
        preview_url=reverse("tariff_draft_publish_consequence", args=[draft.pk]),
    )  # fmt: skip
    return render(request, "tariffs/draft_publish.html", context, status=status)


def _news(request: HttpRequest, draft: TariffDraft, form: PublishForm) -> list[Told]:
    """What is new on the day that stands in the form, refused or not, else today."""
    day = today_of(request)
    if "valid_from" in form.fields:
        with suppress(forms.ValidationError):
            day = form.fields["valid_from"].clean(form["valid_from"].value())
    return news_of(draft, day)
