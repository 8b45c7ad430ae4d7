"""Usage that waits because nobody knows its key: the key is tied to an article in its place, with one click."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.billing import services as billing
from taktura.billing.services import Tied
from taktura.catalog.models import Article
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.office import show
from taktura.office.page import actor_of
from taktura.office.usage.parts import from_text
from taktura.usage.ties import choices


def add_ties(seller: Seller, rows: Sequence[Any]) -> None:
    """Give groups of keys that nobody knows (`Shown`) the articles that the key may stand for; two queries."""
    unknown = [row for row in rows if row.group.key.by_key and row.group.key.reason == "unknown_key"]
    found = choices(seller.pk, list({row.group.key.article for row in unknown}))
    for row in unknown:
        row.ties = found.get(row.group.key.article, [])


def tie_chosen(request: HttpRequest, seller: Seller, index: str) -> None:
    """Tie the key of a row to the article chosen beside it, and say what became of what waits."""
    key = from_text(request.POST.get(f"key-{index}", ""))
    wanted = request.POST.get(f"tie-{index}", "").replace("\0", "")
    article = Article.objects.filter(seller=seller, key=wanted).first()
    if key is None or not key.by_key or not key.article or article is None:
        messages.warning(request, _("Nothing is done: choose what the key stands for."))
        return
    try:
        done = billing.tie_key(actor_of(request), seller=seller, key=key.article, article=article)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return
    text = _("From now on the key “%(key)s” stands for “%(article)s”.")
    messages.success(request, text % {"key": key.article, "article": article.title or article.key})
    say(request, done)


def say(request: HttpRequest, done: Tied) -> None:
    """Say how many records found their line, how many wait still, and which documents were made."""
    text = ngettext("%(count)s record found its line.", "%(count)s records found their line.", done.recorded)
    (messages.success if done.recorded else messages.info)(request, text % {"count": show.count(done.recorded)})
    if done.waiting:
        text = ngettext("%(count)s still waits: %(why)s.", "%(count)s still wait: %(why)s.", len(done.waiting))
        why = ", ".join(dict.fromkeys(show.word("waiting", reason) for reason in done.waiting))
        messages.info(request, text % {"count": show.count(len(done.waiting)), "why": why})
    if done.issued:
        number = len(done.issued)
        text = ngettext("%(count)s interim bill was issued.", "%(count)s interim bills were issued.", number)
        messages.info(request, text % {"count": show.count(number)})
