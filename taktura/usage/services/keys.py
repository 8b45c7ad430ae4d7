"""Keys that stand for an article: usage that comes with them finds its line though no tariff names the key (R6.5)."""

from django.db.models import Q, QuerySet

from taktura.audit.acts import act
from taktura.catalog.keys import key_by_name, set_article
from taktura.catalog.models import Article
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import UsageRecord
from taktura.usage.queries import WAITS
from taktura.usage.store import match_records


@act
def tie_key(actor: Actor, *, seller: Seller, key: str, article: Article) -> tuple[int, list[str], set[int]]:
    """Say which article a key stands for in contracts none of whose lines has the key, and match its usage again.

    What waits finds its line, what stood at the article of before goes over to the new one. Gives how many records
    found their line now, the reasons of what waits still, and the contracts that gained or lost usage. Usage of a
    closed period stays as it is (R12.3). Raises `Refused` (`invalid`) for another seller's article.
    """
    if article.seller_id != seller.pk:
        raise Refused("invalid", "There is no article “%(key)s”.", key=article.key, field="article")
    read_again(seller)
    before = _article_of(seller, key)
    set_article(actor, seller=seller, key=key, article=article)
    return match_records(actor, _records(seller, key, before), seller.closed_until)


@act
def untie_key(actor: Actor, *, seller: Seller, key: str) -> set[int]:
    """Let a key stand for no article any more; gives the contracts touched.

    Usage that found its line by it waits again, and what was billed of it is credited with the next bill; that of a
    closed period stays where it is. Raises `Refused` (`not_found`) when it is not registered or tied to none.
    """
    found = key_by_name(seller.pk, key)
    if found.article is None:
        raise Refused("not_found", "The key “%(key)s” is tied to no article.", key=key)
    read_again(seller)
    before = found.article
    set_article(actor, seller=seller, key=key, article=None)
    return match_records(actor, _records(seller, key, before), seller.closed_until)[2]


def _article_of(seller: Seller, key: str) -> Article | None:
    return Article.objects.filter(keys__seller=seller, keys__key=key).first()


def _records(seller: Seller, key: str, before: Article | None) -> QuerySet[UsageRecord]:
    """The records of a key that wait, and those at lines of the article that it stood for; none of a closed period
    that found its line."""
    rows = UsageRecord.objects.filter(seller=seller, by_key=True, article=key)
    tied = Q(line__article=before)
    if seller.closed_until:
        tied &= Q(day__gte=seller.closed_until)
    return rows.filter(WAITS | tied if before else WAITS)
