"""Which customer a supplier's customer may be, and which contract line a supplier subscription may stand for.

Proposals only: a person decides. Names are compared by their words, without regard to case, marks and legal forms.
Everything is asked for many at once, in a fixed number of queries.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine, LineStretch
from taktura.contracts.services import Bookable, bookable
from taktura.customers.models import Customer
from taktura.kit.bulk import among
from taktura.kit.fold import fold as plain
from taktura.usage.models import ProductReference, SubscriptionLink, SupplierCustomer, SupplierSubscription
from taktura.usage.services import fold

LEGAL_FORMS = frozenset(
    [
        "gmbh", "ag", "kg", "ohg", "gbr", "mbh", "ug", "eg", "ev", "se", "co", "kgaa", "haftungsbeschrankt", "ab", "hb",
        "kb", "ltd", "llc", "inc", "plc", "limited", "corp", "corporation", "company", "bv", "nv", "sa", "sarl", "srl",
        "oy", "as", "aps", "ggmbh", "gug", "partg", "partgmbb", "mbb", "ek", "e", "v",
        "fur", "the", "und", "och", "and", "for",
    ]
)  # fmt: skip
WORD = re.compile(r"[a-z0-9]+")
SHORTEST = 3  # letters of a word by which customers are looked for
MOST_CUSTOMERS, MOST_LINES = 2_000, 5_000
SHOWN = 5  # proposals for one
LIKELY, ALIKE = 50, 34  # percent of the words that two names share
GOOD, POSSIBLE = 75, 40
# What each agreement weighs in a score of 100.
CUSTOMER, PRODUCT, FREE = 60, 30, 10


@dataclass(frozen=True, slots=True)
class CustomerProposal:
    """A customer that may be meant; `score` of 100."""

    customer: Customer
    score: int


@dataclass(frozen=True, slots=True)
class LineProposal:
    """A contract line that may be meant (with contract, customer, article); `score` of 100 and why."""

    line: ContractLine
    title: str
    score: int
    why: tuple[str, ...]  # customer (linked), beside, name, product, free

    @property
    def grade(self) -> str:
        """`good`, `possible` or `weak`."""
        return "good" if self.score >= GOOD else "possible" if self.score >= POSSIBLE else "weak"


def words_of(name: str) -> frozenset[str]:
    """The words of a name that tell it from others; all of them where nothing else is left."""
    found = frozenset(WORD.findall(plain(name)))
    return found - LEGAL_FORMS or found


def likeness(one: frozenset[str], other: frozenset[str]) -> int:
    """How much of two names' words is the same, in percent of all their words."""
    both = one | other
    return 100 * len(one & other) // len(both) if both else 0


def propose_customers(seller: int, names: Iterable[str]) -> dict[str, list[CustomerProposal]]:
    """The customers whose names are like those given, the likest first. One query."""
    wanted = {name: words_of(name) for name in set(names) if name.strip()}
    telling = {max(words, key=len) for words in wanted.values() if words}
    telling = {word for word in telling if len(word) >= SHORTEST}
    if not telling:
        return {}
    pattern = rf"\m({'|'.join(sorted(telling))})"
    rows = Customer.objects.filter(seller=seller, folded__regex=pattern).order_by("folded", "pk")[:MOST_CUSTOMERS]
    known = [(c, words_of(c.name)) for c in rows]
    found = {}
    for name, words in wanted.items():
        alike = [CustomerProposal(c, score) for c, others in known if (score := likeness(words, others)) >= ALIKE]
        found[name] = sorted(alike, key=lambda p: -p.score)[:SHOWN]
    return found


@dataclass(slots=True)
class _Wanted:
    """A subscription with what is known of its customer and product."""

    row: SupplierSubscription
    customer: Customer | None = None
    name: str = ""
    article: int | None = None
    beside: tuple[int, ...] = ()  # the customers whose contracts get other subscriptions of the supplier's customer

    def customers(self, by_name: Mapping[str, list[CustomerProposal]]) -> dict[int, int]:
        """The customers that may be meant, with how likely each is, in percent: the linked one, else those beside, then
        those with a name alike."""
        if self.customer is not None:
            return {self.customer.pk: 100}
        return dict.fromkeys(self.beside, 100) | {
            p.customer.pk: p.score for p in by_name.get(self.name, ()) if p.customer.pk not in self.beside
        }


def propose_lines(seller: int, rows: Sequence[SupplierSubscription]) -> dict[int, list[LineProposal]]:
    """For each subscription the usage lines it may stand for, the likest first; eight queries at most."""
    wanted = _wanted(rows)
    by_name = propose_customers(seller, {w.name for w in wanted if w.customer is None})
    customers = {w.row.pk: w.customers(by_name) for w in wanted}
    everybody = {pk for known in customers.values() for pk in known}
    lines = usage_lines(seller).filter(contract__customer__in=everybody)
    lines_of: dict[int, list[ContractLine]] = defaultdict(list)
    for line in lines.order_by("contract__key", "pk")[:MOST_LINES] if everybody else ():
        lines_of[line.contract.customer_id].append(line)
    every_line = [line for some in lines_of.values() for line in some]
    titles, tied = titles_of(every_line), ties_of(every_line)
    found = {}
    for w in wanted:
        proposals = [
            _line_proposal(w, line, titles[line.pk], score, tied.get(line.pk, 0))
            for pk, score in customers[w.row.pk].items()
            for line in lines_of[pk]
        ]
        found[w.row.pk] = sorted(proposals, key=lambda p: (-p.score, p.line.pk))[:SHOWN]
    return found


def _wanted(rows: Sequence[SupplierSubscription]) -> list[_Wanted]:
    """Three queries: the suppliers' customers and the product references of some subscriptions, and to whom others of
    the same customers are tied."""
    suppliers = {r.supplier_id for r in rows}
    references = {fold(r.customer_reference) for r in rows}
    known = SupplierCustomer.objects.filter(supplier__in=suppliers, folded__in=references).select_related("customer")
    customers = {(c.supplier_id, c.folded): c for c in known}
    products = ProductReference.objects.filter(supplier__in=suppliers, folded__in={fold(r.product) for r in rows})
    articles = {(p.supplier_id, p.folded): p.article_id for p in products}
    unsure = [r for r in rows if (c := customers.get((r.supplier_id, fold(r.customer_reference)))) is None
              or c.customer is None]  # fmt: skip
    beside = customers_beside(suppliers, {fold(r.customer_reference) for r in unsure})
    found = []
    for row in rows:
        one = customers.get((row.supplier_id, fold(row.customer_reference)))
        name = one.name if one and one.name else row.name
        article = articles.get((row.supplier_id, fold(row.product)))
        others = beside.get((row.supplier_id, fold(row.customer_reference)), ())
        found.append(_Wanted(row, one.customer if one else None, name, article, others))
    return found


def customers_beside(suppliers: Iterable[int], references: Iterable[str]) -> dict[tuple[int, str], tuple[int, ...]]:
    """By supplier and its customer's folded reference: the customers to whose contracts that customer's subscriptions
    are tied already. One query."""
    wanted = {r for r in references if r}
    if not wanted:
        return {}
    ties = SubscriptionLink.objects.filter(
        subscription__supplier__in=set(suppliers), subscription__customer_folded__in=wanted
    )
    place = ("subscription__supplier", "subscription__customer_folded", "line__contract__customer")
    found: dict[tuple[int, str], tuple[int, ...]] = {}
    for supplier, reference, customer in ties.order_by(*place).values_list(*place).distinct():
        found[supplier, reference] = (*found.get((supplier, reference), ()), customer)
    return found


def _line_proposal(wanted: _Wanted, line: ContractLine, title: str, likely: int, tied: int) -> LineProposal:
    beside = line.contract.customer_id in wanted.beside
    why = ["customer" if wanted.customer else "beside" if beside else "name"]
    score = CUSTOMER * likely // 100
    products = [words_of(wanted.row.product), words_of(wanted.row.product_name)]
    ours = [words_of(line.article.key), words_of(title)]
    same = 100 if wanted.article == line.article_id else max(likeness(p, a) for p in products for a in ours)
    if same >= LIKELY:
        why.append("product")
    score += PRODUCT * same // 100
    if not tied:
        why.append("free")
        score += FREE
    return LineProposal(line, title, score, tuple(why))


def usage_lines(seller: int) -> Any:
    """The lines that can take a supplier's usage, with contract, customer and article."""
    rows = ContractLine.objects.filter(contract__seller=seller, charge="usage")
    return rows.select_related("contract__customer", "article")


def search_lines(seller: int, text: str, most: int) -> list[LineProposal]:
    """The usage lines of contracts that a text finds, by contract, customer or article; three queries."""
    found = usage_lines(seller)
    for word in plain(text).split():
        named = Q(contract__key__icontains=word) | Q(contract__customer__folded__contains=word)
        found = found.filter(named | Q(article__key__icontains=word) | Q(article__title__icontains=word))
    lines = list(found.order_by("contract__key", "pk")[:most])
    titles, tied = titles_of(lines), ties_of(lines)
    return [LineProposal(x, titles[x.pk], 0, () if tied.get(x.pk) else ("free",)) for x in lines]


def search_contracts(seller: int, text: str, most: int) -> list[Contract]:
    """The contracts that a text finds, by key or customer."""
    found = Contract.objects.filter(seller=seller).select_related("customer", "tariff")
    for word in plain(text).split():
        found = found.filter(Q(key__icontains=word) | Q(customer__folded__contains=word))
    return list(found.order_by("key", "pk")[:most])


def propose_contracts(seller: int, rows: Sequence[SupplierSubscription]) -> dict[int, list[Contract]]:
    """For each subscription the contracts of the customers that it may belong to: of the linked one, else of those to
    whom others of its customer are tied, then of those with a name alike; five queries."""
    wanted = _wanted(rows)
    by_name = propose_customers(seller, {w.name for w in wanted if w.customer is None})
    customers = {w.row.pk: list(w.customers(by_name)) for w in wanted}
    known = Contract.objects.filter(customer__in={pk for some in customers.values() for pk in some})
    contracts: dict[int, list[Contract]] = defaultdict(list)
    for one in known.select_related("customer__seller", "tariff").order_by("key", "pk")[:MOST_LINES]:
        contracts[one.customer_id].append(one)
    return {row: [c for pk in some for c in contracts[pk]][:SHOWN] for row, some in customers.items()}


def of_customer(rows: QuerySet[SupplierSubscription], customer: int) -> QuerySet[SupplierSubscription]:
    """The subscriptions of suppliers' customers that are linked to a customer, or, of those linked to none, that have
    others tied to its contracts."""
    same = SupplierCustomer.objects.filter(supplier=OuterRef("supplier"), folded=OuterRef("customer_folded"))
    beside = SubscriptionLink.objects.filter(
        line__contract__customer=customer, subscription__supplier=OuterRef("supplier"),
        subscription__customer_folded=OuterRef("customer_folded"),
    ).exclude(subscription__customer_folded="")  # fmt: skip
    others = same.filter(customer__isnull=False)
    return rows.filter(Exists(same.filter(customer=customer)) | (Exists(beside) & ~Exists(others)))


def titles_of(lines: Sequence[ContractLine]) -> dict[int, str]:
    """What lines are called: by their tariff's newest words, else by their article. One query."""
    said = titles_said([x.pk for x in lines])
    return {x.pk: said.get(x.pk) or x.article.title or x.article.key for x in lines}


def titles_said(ids: Iterable[int]) -> dict[int, str]:
    """What their tariff's newest words call lines, by their ids; without those that it calls nothing. One query."""
    rows = LineStretch.objects.filter(line__in=among(ids)).order_by("effective_from", "pk")
    said = rows.values_list("line_id", "tariff_line__alternative_name", "tariff_line__title")
    return {line: other or title for line, other, title in said if other or title}


def ties_of(lines: Sequence[ContractLine]) -> Mapping[int, int]:
    """How many subscriptions are tied to each of some lines."""
    rows = SubscriptionLink.objects.filter(line__in=[x.pk for x in lines]).order_by().values_list("line")
    return dict(rows.annotate(number=Count("pk")))


@dataclass(frozen=True, slots=True)
class Articles:
    """The articles that contracts can be extended by for supplier subscriptions."""

    offer: Bookable
    free: frozenset[tuple[int, int]]  # (contract, article) of lines in the tariff that nothing is tied to

    def on(self, contract: int, day: date) -> list[Article]:
        """Those of a contract's tariff on a day: those that take usage, and of those in the tariff only ones whose line
        nothing is tied to yet."""
        found = []
        for line in self.offer.offer_on(self.offer.phase_on(contract, day), day):
            if line.charge == "usage" and (line.booking != "included" or (contract, line.article_id) in self.free):
                line.article.title = line.alternative_name or line.title or line.article.title or line.article.key
                found.append(line.article)
        return found


def articles_of(contracts: Iterable[int]) -> Articles:
    """The articles that some contracts can be extended by; six queries, however many they are."""
    ids = list(contracts)
    rows = ContractLine.objects.filter(contract__in=ids, booking="included", subscription_links__isnull=True)
    return Articles(bookable(ids), frozenset(rows.values_list("contract", "article")))
