"""The register of keys: which words do data sources send, what may lines with them have, what came lately?"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.catalog import keys as catalog
from taktura.catalog.keys import ALLOWS
from taktura.catalog.models import Article, Key
from taktura.core.errors import Refused
from taktura.kit.fold import matching
from taktura.office import show
from taktura.office.by_language import add_names, initial_names, names_of
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Listing, Rows, list_page
from taktura.office.lists import Link as Way
from taktura.office.page import actor_of, page, seller_of, today_of, user_of
from taktura.office.seen import guard
from taktura.office.usage.key_ties import say
from taktura.usage.ties import seen, waiting_with

LATELY = timedelta(days=30)


class KeyForm(forms.Form):
    """A key; the word itself only when it is new: data sources send it as it is."""

    key = forms.CharField(
        label=lazy("Key"), max_length=catalog.LONGEST, help_text=lazy("The word that the data source sends, exactly.")
    )
    title = forms.CharField(label=lazy("Title"), max_length=200, required=False)
    source = forms.CharField(
        label=lazy("Comes from"), max_length=200, required=False,
        help_text=lazy("Which system sends it, in your words: the telephone system, the cloud's meter."),
    )  # fmt: skip
    time_based = forms.BooleanField(label=lazy("Lines may be billed by the minute"), required=False)
    flat_price = forms.BooleanField(label=lazy("Lines may have a flat price"), required=False)
    own_notice = forms.BooleanField(label=lazy("Lines may have their own notice"), required=False)

    def __init__(self, *args: Any, is_new: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not is_new:
            del self.fields["key"]
        self.order_fields(["key", "title", *add_names(self, "titles", _("Title")), "source", *ALLOWS])

    def settings(self) -> dict[str, Any]:
        """The fields as the services take them."""
        values = {name: v for name, v in self.cleaned_data.items() if not name.startswith("titles_")}
        return values | {"titles": names_of(self.cleaned_data, "titles")}


class TieForm(forms.Form):
    """Which article a key stands for."""

    article = forms.ChoiceField(label=lazy("Article"))

    def __init__(self, *args: Any, articles: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["article"].choices = [("", _("choose an article")), *((a.key, a.title or a.key) for a in articles)]


def find(request: HttpRequest, pk: int) -> Key:
    """The seller's key, or 404."""
    return get_object_or_404(Key.objects.select_related("seller", "article").filter(seller=seller_of(request)), pk=pk)


@page("tariffs.view")
def keys(request: HttpRequest) -> HttpResponseBase:
    """All keys of the seller."""
    seller, since = seller_of(request), today_of(request) - LATELY
    may_change = user_of(request).may("tariffs.change")

    def prepare(found: list[Any]) -> None:
        words = [k.key for k in found]
        used, drafted = catalog.tariffs_of(seller.pk, words), catalog.drafts_of(seller.pk, words)
        came = seen(seller.pk, words, since)
        for one in found:
            one.used, one.drafted, one.came = used.get(one.key, 0), drafted.get(one.key, 0), came[one.key]

    return list_page(
        request,
        Listing(
            slug="usage_keys",
            title=_("Keys"),
            rows=Key.objects.filter(seller=seller).select_related("article"),
            columns=list(_columns()),
            order="key",
            search=lambda rows, text: _search(rows, text),
            prepare=prepare,
            link=(lambda k: reverse("tariff_key", args=[k.pk])) if may_change else None,
            primary=Way(label=_("New key"), url=reverse("tariff_key_new"), permission="tariffs.change"),
            links=[
                Way(label=_("Usual keys"), url=reverse("tariff_keys_usual"), permission="tariffs.change", icon="key"),
                Way(
                    label=_("Usage with unknown keys"), url=f"{reverse('usage_waiting')}?reason=unknown_key",
                    permission="usage.view", icon="activity",
                ),
            ],
            empty_title=_("No keys yet"),
            empty_text=_("A key is the word that a data source sends with usage; a line with that key bills it."),
        ),
    )  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    return matching(rows, text, "key", "title", "source")


def _columns() -> Iterator[Column]:
    yield Column(name="key", label=_("Key"), value=lambda k: k.key, sort="key")
    yield Column(
        name="title", label=_("Title"), value=lambda k: catalog.title_of(k, show.language()), sort="title", empty="",
        narrow=True,
    )  # fmt: skip
    yield Column(name="source", label=_("Comes from"), value=lambda k: k.source or show.NONE, narrow=True)
    yield Column(name="allows", label=_("Lines may have"), value=_allows, narrow=True)
    yield Column(name="used", label=_("Tariffs"), value=lambda k: show.count(k.used + k.drafted), numeric=True)
    yield Column(
        name="article", label=_("Stands for"),
        value=lambda k: (k.article.title or k.article.key) if k.article else show.NONE, narrow=True,
    )  # fmt: skip
    yield Column(
        name="lately", label=_("Records in 30 days"), value=lambda k: show.count(k.came.records), numeric=True,
        narrow=True,
    )  # fmt: skip
    yield Column(name="last", label=_("Last seen"), value=lambda k: show.day(k.came.last), numeric=True)


def _allows(key: Key) -> str:
    return ", ".join(show.word("key_allows", name) for name in ALLOWS if getattr(key, name)) or show.NONE


@page("tariffs.change")
def new(request: HttpRequest) -> HttpResponse:
    """Register a key."""
    form = KeyForm(request.POST or None, is_new=True)
    if request.method == "POST" and form.is_valid():
        try:
            catalog.create_key(actor_of(request), seller=seller_of(request), **form.settings())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The key is registered."))
            return redirect("tariff_keys")
    context = {"form": form, "title": _("New key"), "parent": _("Keys"), "back": reverse("tariff_keys")}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
def key(request: HttpRequest, pk: int) -> HttpResponse:
    """A key: who uses it, what came with it, what it stands for; change it."""
    found = find(request, pk)
    initial = {n: getattr(found, n) for n in ("title", "source", *ALLOWS)} | initial_names(found.titles, "titles")
    form = KeyForm(request.POST or None, is_new=False, initial=initial)
    shown = guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            catalog.change_key(actor_of(request), key=found, **form.settings())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("tariff_keys")
    seller = found.seller_id
    waits = waiting_with(seller, found.key)
    context = {
        "form": form, "title": found.key, "parent": _("Keys"), "back": reverse("tariff_keys"), "key": found,
        "came": seen(seller, [found.key], today_of(request) - LATELY)[found.key],
        "used": catalog.tariffs_of(seller, [found.key]).get(found.key, 0),
        "drafted": catalog.drafts_of(seller, [found.key]).get(found.key, 0),
        "waits": waits, "seen": shown,
    }  # fmt: skip
    return render(request, "tariffs/key.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a key that nothing uses out of the register."""
    try:
        catalog.delete_key(actor_of(request), key=find(request, pk))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("tariff_key", pk)
    messages.success(request, _("The key is taken out of the register."))
    return redirect("tariff_keys")


@page("tariffs.change")
def usual(request: HttpRequest) -> HttpResponse:
    """Register the usual keys that are missing."""
    seller = seller_of(request)
    if request.method == "POST":
        number = catalog.give_usual_keys(actor_of(request), seller=seller)
        text = ngettext("%(count)s key is registered.", "%(count)s keys are registered.", number)
        messages.success(request, text % {"count": show.count(number)})
        return redirect("tariff_keys")
    missing = catalog.missing_usual(seller)
    context = {
        "form": forms.Form(), "title": _("Usual keys"), "parent": _("Keys"), "back": reverse("tariff_keys"),
        "action": _("Register them"), "missing": [(k.key, catalog.title_of(k, show.language())) for k in missing],
    }  # fmt: skip
    return render(request, "tariffs/usual_keys.html", context)


@page("usage.change")
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which article a key stands for in contracts that have no line with it; what waits is processed again."""
    found = find(request, pk)
    articles = Article.objects.filter(seller=found.seller_id, tariffline__charge="usage").distinct().order_by("title")
    form = TieForm(
        request.POST or None, articles=articles, initial={"article": found.article.key if found.article else ""}
    )
    if request.method == "POST" and form.is_valid():
        article = articles.get(key=form.cleaned_data["article"])
        say(request, billing.tie_key(actor_of(request), seller=found.seller, key=found.key, article=article))
        return redirect("tariff_keys")
    context = {
        "form": form, "title": _("What “%(key)s” stands for") % {"key": found.key}, "parent": _("Keys"),
        "back": reverse("tariff_keys"), "action": _("Tie and process again"), "key": found,
        "waits": waiting_with(found.seller_id, found.key),
    }  # fmt: skip
    return render(request, "tariffs/key_tie.html", context, status=422 if form.errors else 200)


@page("usage.change")
@require_POST
def untie(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a key stand for no article any more."""
    found = find(request, pk)
    try:
        billing.untie_key(actor_of(request), seller=found.seller, key=found.key)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(
            request, _("The key is untied: its usage waits again, and the next bill credits what was billed of it.")
        )
    return redirect("tariff_keys")
