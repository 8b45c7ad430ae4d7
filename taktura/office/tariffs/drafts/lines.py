"""The lines of a draft: each with every setting, and what they come to while they are typed."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.catalog import drafts
from taktura.catalog.drafts import written
from taktura.catalog.keys import check_keys, title_of
from taktura.catalog.models import Article, Key, TariffDraft
from taktura.catalog.services import Offer, offer_of
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.tariffs.drafts.common import Meanwhile, currency_of, find_draft, head, meanwhile, sent_revision
from taktura.office.tariffs.drafts.line_form import LineForm, field_for
from taktura.office.tariffs.drafts.line_says import picture, says
from taktura.office.tariffs.drafts.line_values import initial_of, kept

ADD = "add:"  # the buttons that add a row: of tiers, steps, rates


@page("tariffs.change")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Write another line."""
    return _edit(request, find_draft(request, pk), "")


@page("tariffs.change")
def line(request: HttpRequest, pk: int, article: str) -> HttpResponse:
    """Change a line."""
    draft = find_draft(request, pk)
    if _line_of(draft, article) is None:
        raise Http404
    return _edit(request, draft, article)


def _line_of(draft: TariffDraft, article: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = draft.fields.get("lines", [])
    return next((row for row in rows if row["article"] == article), None)


def _edit(request: HttpRequest, draft: TariffDraft, article: str) -> HttpResponse:
    if request.POST.get("action", "").startswith(ADD):
        return _answer(request, draft, _with_a_row(request, draft, article), article)
    form = _form(request, draft, article)
    if request.method != "POST":
        return _answer(request, draft, form, article)
    found = None
    if form.is_valid():
        try:
            _check(draft, form.line(), article)
            _save(request, draft, form.line(), article)
        except Refused as refused:
            if refused.code == "conflict" and "name" in refused.values:
                found = meanwhile(draft, sent_revision(request, draft))
                form = _form(request, draft, article, revision=found.revision)
            else:
                refused.values["field"] = field_for(refused.values, form)
                add_refusal(form, refused)
        else:
            messages.success(request, _("The line is saved."))
            return redirect(f"{reverse('tariff_draft', args=[draft.pk])}#lines")
    return _answer(request, draft, form, article, found)


def _answer(
    request: HttpRequest, draft: TariffDraft, form: LineForm, article: str, found: Meanwhile | None = None
) -> HttpResponse:
    title = _("New line")
    if article:
        title = str((_line_of(draft, article) or {}).get("title") or article)
    context = head(
        draft, title, form=form, article=article, meanwhile=found,
        preview_url=reverse("tariff_draft_line_says", args=[draft.pk]),
    )  # fmt: skip
    status = 409 if found else 422 if form.is_bound and form.errors else 200
    return render(request, "tariffs/draft_line.html", context, status=status)


def _form(
    request: HttpRequest, draft: TariffDraft, article: str, revision: int = 0, data: Any = None, initial: Any = None
) -> LineForm:
    """The form: of what was sent (`data` in its place), else of the draft's line (`initial` in its place)."""
    sent = data or (request.POST.dict() if request.method == "POST" and initial is None else None)
    if sent is not None and revision:
        sent["revision"] = str(revision)
    if initial is None:
        initial = initial_of(_line_of(draft, article) or {"charge": "usage"}) | {"revision": draft.revision}
    taken = {row["article"] for row in draft.fields.get("lines", ())}
    articles = Article.objects.filter(seller=draft.seller_id).exclude(key__in=taken).order_by("title", "key")
    keys = Key.objects.filter(seller=draft.seller_id).order_by("key")
    names = [(k.key, f"{k.key} ({title_of(k, show.language())})") for k in keys]
    own = str((_line_of(draft, article) or {}).get("key") or "")
    if own and own not in dict(names):
        names.append((own, own))
    form = LineForm(
        sent, initial=initial, article=article, keys=names,
        articles=[(a.key, f"{a.title} ({a.key})" if a.title else a.key) for a in articles],
    )  # fmt: skip
    for name, field in form.fields.items():
        if name.startswith("rate_") and name.endswith("_from"):
            field.today = today_of(request)  # type: ignore[attr-defined]
    return form


def _with_a_row(request: HttpRequest, draft: TariffDraft, article: str) -> LineForm:
    """What was typed, with another row of a kind; nothing is checked yet."""
    kind = request.POST["action"].removeprefix(ADD)
    typed = request.POST.dict()
    number = str(typed.get(f"{kind}_rows", ""))
    if number.isascii() and number.isdecimal() and len(number) < 5:
        typed[f"{kind}_rows"] = str(int(number) + 1)
    return _form(request, draft, article, initial=typed)


def _check(draft: TariffDraft, typed: dict[str, Any], article: str) -> None:
    """Refuse what is wrong with the line itself; what other lines or the tariff's settings may mend is not."""
    others = [row for row in draft.fields.get("lines", ()) if row["article"] != article]
    for row in others:
        if row["article"] == typed["article"]:
            raise Refused(
                "invalid", "The tariff has a line of the article “%(article)s” already.", article=row["article"],
                field="new_article",
            )  # fmt: skip
        if typed.get("key") and row.get("key") == typed["key"]:
            raise Refused(
                "invalid", "The line “%(line)s” has this key: usage would not know which.",
                line=row.get("title") or row["article"], field="key",
            )  # fmt: skip
    found = offer_with(draft, typed)
    check_keys(draft.seller, found.lines)


def offer_with(draft: TariffDraft, typed: dict[str, Any]) -> Offer:
    """The draft with this line alone, without the bounds that need other lines. Raises `Refused`."""
    fields = {n: v for n, v in written(draft).items() if n not in ("minimum_sales", "cost_cap", "lines")}
    return offer_of(fields | {"lines": {typed["article"]: {n: v for n, v in typed.items() if n != "article"}}})


def _save(request: HttpRequest, draft: TariffDraft, typed: dict[str, Any], article: str) -> None:
    """Write the line over the revision that was seen; what others changed of other lines meanwhile stays."""
    seen = sent_revision(request, draft)
    changed = {one.article for one in drafts.changes_since(draft, seen)} if seen != draft.revision else set()
    revision = seen if typed["article"] in changed or article in changed - {""} else draft.revision

    def change(old: dict[str, Any]) -> dict[str, Any]:
        rows = old.get("lines", [])
        if any(row["article"] == typed["article"] for row in rows):
            return {**old, "lines": [kept(row, typed) if row["article"] == typed["article"] else row for row in rows]}
        return {**old, "lines": [*rows, typed]}

    drafts.change_draft(actor_of(request), draft=draft, revision=revision, change=change)


@page("tariffs.change")
@require_POST
def remove(request: HttpRequest, pk: int, article: str) -> HttpResponse:
    """Take a line out of the draft."""
    draft = find_draft(request, pk)
    if _line_of(draft, article) is None:
        raise Http404

    def change(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "lines": [row for row in old["lines"] if row["article"] != article]}

    try:
        drafts.change_draft(actor_of(request), draft=draft, revision=draft.revision, change=change)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The line is taken out of the draft."))
    return redirect(f"{reverse('tariff_draft', args=[pk])}#lines")


@page("tariffs.change")
@require_POST
def consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """What a line comes to as it is typed: sentences with its own figures, and its price as a picture."""
    draft = find_draft(request, pk)
    form = _form(request, draft, _sent_article(request, draft))
    form.is_valid()
    typed = form.line()
    context: dict[str, Any] = {"currency": currency_of(draft), "wrong": form.errors}
    try:
        offer = offer_with(draft, typed | {"article": typed["article"] or "-"})
        terms = next(iter(offer.terms.values()))
        context |= {"says": says(terms, draft, currency_of(draft)), "picture": picture(terms, currency_of(draft))}
        check_keys(seller_of(request), offer.lines)
    except Refused as refused:
        context["refused"] = show.refusal(refused)
    return render(request, "tariffs/draft_line_says.html", context)


def _sent_article(request: HttpRequest, draft: TariffDraft) -> str:
    """The article of the line that is changed (the form's hidden field); empty for a new one."""
    sent = request.POST.get("line", "")
    return sent if _line_of(draft, sent) is not None else ""
