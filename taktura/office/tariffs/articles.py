"""Articles: what is sold."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.catalog.models import Article
from taktura.catalog.services import declare_article
from taktura.kit.fold import matching
from taktura.office import seen, show
from taktura.office.lists import Column, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of


class ArticleForm(forms.Form):
    """What can be changed of an article."""

    title = forms.CharField(label=lazy("Title"), max_length=200)
    number = forms.CharField(label=lazy("Article number"), max_length=50, required=False)
    ledger_account = forms.CharField(
        label=lazy("Ledger account"), max_length=20, required=False, help_text=lazy("For the export to bookkeeping.")
    )


@page("tariffs.view")
def articles(request: HttpRequest) -> HttpResponseBase:
    """All articles of the seller."""
    rows = Article.objects.filter(seller=seller_of(request))

    def prepare(found: list[Any]) -> None:
        used = dict(
            Article.objects.filter(pk__in=[a.pk for a in found])
            .values_list("pk")
            .annotate(n=Count("tariffline__version__tariff", distinct=True))
        )
        for one in found:
            one.used = used.get(one.pk, 0)

    return list_page(
        request,
        Listing(
            slug="articles",
            title=_("Articles"),
            rows=rows,
            columns=[
                Column(name="title", label=_("Title"), value=lambda a: a.title or a.key, sort="title"),
                Column(name="key", label=_("Name"), value=lambda a: a.key, sort="key"),
                Column(
                    name="number", label=_("Article number"), value=lambda a: a.number or show.NONE, sort="number",
                    narrow=True,
                ),
                Column(
                    name="unit", label=_("Unit"), value=lambda a: show.word("unit", a.unit), sort="unit", narrow=True
                ),
                Column(
                    name="account", label=_("Ledger account"), value=lambda a: a.ledger_account or show.NONE,
                    sort="ledger_account", narrow=True,
                ),
                Column(name="used", label=_("Tariffs"), value=lambda a: show.count(a.used), numeric=True),
            ],
            order="title",
            search=_search,
            prepare=prepare,
            link=lambda a: reverse("article", args=[a.pk]),
            empty_title=_("No articles yet"),
            empty_text=_("An article is made when a tariff uses it for the first time."),
        ),
    )  # fmt: skip


@page("tariffs.change")
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an article's title and numbers; what was billed keeps the old ones."""
    seller = seller_of(request)
    found = get_object_or_404(Article, seller=seller, pk=pk)
    initial = {n: getattr(found, n) for n in ArticleForm.base_fields}
    form = ArticleForm(request.POST or None, initial=initial)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        declare_article(actor_of(request), seller=seller, key=found.key, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("articles")
    context = {
        "form": form, "title": found.title or found.key, "parent": _("Articles"), "back": reverse("articles"),
        "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


def _search(rows: Rows, text: str) -> Rows:
    return matching(rows, text, "key", "title", "number")
