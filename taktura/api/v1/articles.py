"""Articles: what is sold."""

from django.http import HttpRequest
from ninja import Router

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import In, Key, Out, Text20, Text50, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.catalog import services
from taktura.catalog.models import Article
from taktura.catalog.queries import article_by_key

router = Router()


class ArticleIn(In):
    """An article; fields left out stay as they are."""

    title: Text200 | None = None
    number: Text50 | None = None
    unit: Text20 | None = None
    ledger_account: Text20 | None = None


class ArticleOut(Out):
    """An article."""

    article: str
    title: str
    number: str
    unit: str
    ledger_account: str


class Articles(Out):
    """A page of articles."""

    items: list[ArticleOut]
    next: str | None


def shown(article: Article) -> ArticleOut:
    """An article as it is told."""
    return ArticleOut(
        article=article.key, title=article.title, number=article.number, unit=article.unit,
        ledger_account=article.ledger_account,
    )  # fmt: skip


def one(call: Call, article: str) -> ArticleOut:
    """The article of a key; raises `Refused` (`not_found`)."""
    return shown(article_by_key(call.seller.pk, article))


@endpoint(router, "GET", "/articles", "tariffs.view", answer=Articles)
def list_articles(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Articles:
    """Articles, in the order in which they were made."""
    items, following = page_of(Article.objects.filter(seller=call_of(request).seller), limit, after)
    return Articles(items=[shown(a) for a in items], next=following)


@endpoint(router, "GET", "/articles/{article}", "tariffs.view", answer=ArticleOut, etag=True)
def get_article(request: HttpRequest, article: Key) -> ArticleOut:
    """An article."""
    return one(call_of(request), article)


@endpoint(router, "PUT", "/articles/{article}", "tariffs.change", answer=ArticleOut, etag=True, of=one)
def declare_article(request: HttpRequest, article: Key, body: ArticleIn) -> ArticleOut:
    """Make an article, or set the fields given of one that is there.

    Tariffs make the articles that they name by themselves.
    """
    call = call_of(request)
    fields = {k: v for k, v in body.model_dump(exclude_unset=True).items() if v is not None}
    services.declare_article(call.actor, seller=call.seller, key=article, **fields)
    return one(call, article)
