"""Contracts for existing customers from the services that they use: lines suggested, looked at, signed and tied.

A line for each supplier subscription, with quantity and start from it (R17.3) and the tariff's price unless another is
given; one that costs nothing is confirmed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count

from taktura.audit.acts import act
from taktura.audit.services import record_all
from taktura.billing.queries import Facts, with_usage
from taktura.billing.services.interim import threshold_bills
from taktura.billing.services.previews import Consequence, of_new
from taktura.billing.services.waiting import Tied
from taktura.billing.used_services import BY_SUPPLIER, sold_until
from taktura.catalog.models import Article, Tariff
from taktura.catalog.queries import Offered, lines_of, tariff_line_terms
from taktura.contracts import overlay
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.contracts.services import Moved, MovedLine
from taktura.contracts.services.lines import Planned
from taktura.contracts.services.signing import PlannedContract
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms
from taktura.core.money import half_up
from taktura.core.periods import DAY
from taktura.core.schedule import next_due
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import check_complete
from taktura.customers.services import set_billing_information
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ProductReference, SupplierSubscription
from taktura.usage.onboarding import services_of
from taktura.usage.overlay import going_on

MOST = 200  # contracts at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A service in use as a contract line: `article` is empty where nothing says which one it stands for, or the tariff
    has no usage line for it; `stands_for` is the article's name in the second case. `price`: the tariff's; None: by
    tiers, or as the supplier has it."""

    subscription: SupplierSubscription
    article: str
    quantity: Decimal
    start: date
    price: Decimal | None
    stands_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """A line that is wanted for a service. `price` None: the tariff's. `free`: that it costs nothing is confirmed.
    `remember`: the product stands for the article from now on, where it stands for none yet."""

    subscription: SupplierSubscription
    article: str
    quantity: Decimal
    price: Decimal | None = None
    free: bool = False
    remember: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A contract that is wanted for a customer. `end` and `billed_until` are exclusive; `payment_days` None: as is."""

    key: str
    customer: Customer
    offered: Offered
    start: date
    end: date | None = None
    billed_until: date | None = None
    payment_days: int | None = None
    lines: Sequence[ServiceLine] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What signing one would do, or why it cannot be (`refused`). The first bill takes services as if they went on as
    they are; usage that came already and waits is billed with it."""

    wanted: Wanted
    refused: Refused | None = None
    consequence: Consequence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarded:
    """The contracts that were signed, and what became of the usage that waited."""

    contracts: list[Contract]
    tied: Tied


def suggest(customers: Iterable[Customer], offered: Offered, start: date, today: date) -> dict[int, list[Suggestion]]:
    """The lines that a contract under a tariff from a day on would have for the services that customers use today; in a
    fixed number of queries."""
    found = services_of([c.pk for c in customers], today)
    articles = _articles(row for rows in found.values() for row in rows)
    usual = _usage_lines(offered, start)
    lacking = set(articles.values()) - set(usual)
    rows = Article.objects.filter(seller=offered.tariff.seller_id, key__in=lacking) if lacking else ()
    names = {a.key: a.title or a.key for a in rows}
    sold = sold_until(row.pk for rows in found.values() for row in rows)
    begin = {pk: max(start, day) for pk, day in sold.items()}
    return {
        pk: [_suggestion(row, articles.get(_product(row), ""), usual, begin.get(row.pk, start), names) for row in rows]
        for pk, rows in found.items()
    }


def fitting_tariff(customers: Iterable[Customer], seller: Seller, today: date) -> Tariff | None:
    """The tariff that has usage lines for most of what customers use; None where none has any."""
    found = services_of([c.pk for c in customers], today)
    articles = _articles(row for rows in found.values() for row in rows)
    wanted = set(articles.values())
    tariffs = Tariff.objects.filter(seller=seller, retired=False)
    fitting = tariffs.filter(versions__lines__charge="usage", versions__lines__article__key__in=wanted)
    most = fitting.annotate(number=Count("versions__lines__article", distinct=True))
    return most.order_by("-number", "pk").first() if wanted else None


def usage_articles(offered: Offered, start: date) -> dict[str, str]:
    """The articles that can take a supplier's usage in a tariff on a day, with what they are called."""
    return {article: terms.title for article, terms in _usage_lines(offered, start).items()}


def look_at_onboarding(actor: Actor, *, seller: Seller, wanted: Sequence[Wanted], bills: int = 1) -> list[Looked]:
    """What `onboard` would do, contract by contract; nothing is written."""
    taken, owned, sold = _taken(seller, wanted), _owned(actor, seller, wanted), _sold(wanted)
    looked = []
    for one in wanted:
        try:
            planned = _plan(actor, one, taken, owned, sold)
            looked.append(Looked(wanted=one, consequence=_foreseen(actor, one, planned, bills)))
        except Refused as refused:
            looked.append(Looked(wanted=one, refused=refused))
    return looked


@act
def onboard(actor: Actor, *, seller: Seller, wanted: Sequence[Wanted]) -> Onboarded:
    """Sign contracts for existing customers and tie their services to the lines, all or none; what waits of the
    suppliers is processed again.

    Raises `Refused`: `conflict` (a number is taken), `not_found` (the tariff has no such article, the customer no such
    service), `tariff_retired`, `invalid` (nothing confirms that a line costs nothing, …).
    """
    if not wanted:
        raise Refused("invalid", "Choose at least one customer.")
    if len(wanted) > MOST:
        raise Refused("invalid", "At most %(most)s contracts are made at once.", most=MOST)
    taken, owned, sold = _taken(seller, wanted), _owned(actor, seller, wanted), _sold(wanted)
    planned = [_plan(actor, one, taken, owned, sold) for one in wanted]
    contracts.write_moved(actor, planned, from_file=False)
    ties = [tie for one, plan in zip(wanted, planned, strict=True) for tie in _ties(one, plan)]
    usage.tie_lines(actor, ties=ties)
    _remember(actor, seller, [line for one in wanted for line in one.lines])
    for one in wanted:
        info = getattr(one.customer, "billing_information", None)
        if one.payment_days is not None and (info is None or info.payment_days != one.payment_days):
            set_billing_information(actor, customer=one.customer, payment_days=one.payment_days)
    record_all(actor, [
        ("onboard", f"customer:{one.customer.pk}", {"contract": one.key, "lines": len(one.lines)}) for one in wanted
    ])  # fmt: skip
    return Onboarded(contracts=[plan.contract for plan in planned], tied=_processed(actor, wanted))


def _processed(actor: Actor, wanted: Sequence[Wanted]) -> Tied:
    suppliers = {line.subscription.supplier_id: line.subscription.supplier for one in wanted for line in one.lines}
    recorded, reasons, touched = 0, list[str](), set[int]()
    for supplier in suppliers.values():
        number, why, some = usage.reprocess(actor, supplier=supplier)
        recorded, reasons, touched = recorded + number, reasons + why, touched | some
    return Tied(recorded, reasons, threshold_bills(actor, touched))


def _taken(seller: Seller, wanted: Sequence[Wanted]) -> set[str]:
    """Numbers that nobody else may have: those of contracts that are there."""
    return set(
        Contract.objects.filter(seller=seller, key__in=[one.key for one in wanted]).values_list("key", flat=True)
    )


def _owned(actor: Actor, seller: Seller, wanted: Sequence[Wanted]) -> dict[int, int]:
    """The customer of each service in use."""
    found = services_of([one.customer.pk for one in wanted], actor.today(seller.time_zone))
    return {row.pk: customer for customer, rows in found.items() for row in rows}


def _sold(wanted: Sequence[Wanted]) -> dict[int, date]:
    """Until when services are sold without a contract: no line of theirs begins before."""
    return sold_until(line.subscription.pk for one in wanted for line in one.lines)


def _plan(
    actor: Actor, wanted: Wanted, taken: set[str], owned: Mapping[int, int], sold: Mapping[int, date]
) -> PlannedContract:
    """The contract as it would be written; its number is taken from then on."""
    if not wanted.key.strip() or "/" in wanted.key:
        raise Refused("invalid", "The number “%(key)s” has signs that no address can hold.", key=wanted.key)
    if wanted.key in taken:
        raise Refused("conflict", "There is a contract “%(key)s” already: choose another key.", key=wanted.key)
    usual = _usage_lines(wanted.offered, wanted.start)
    for line in wanted.lines:
        _check(line, wanted, usual, owned)
    moved = Moved(
        key=wanted.key, customer=wanted.customer, offered=wanted.offered, start=wanted.start, end=wanted.end,
        billed_until=wanted.billed_until, lines=_moved(wanted, usual, sold),
    )  # fmt: skip
    planned = contracts.plan_moved(actor, moved)
    taken.add(wanted.key)
    return planned


def _check(line: ServiceLine, wanted: Wanted, usual: Mapping[str, LineTerms], owned: Mapping[int, int]) -> None:
    reference = line.subscription.reference
    if owned.get(line.subscription.pk) != wanted.customer.pk:
        raise Refused("not_found", "%(name)s has no supplier subscription “%(reference)s” in use.",
                      name=wanted.customer.name, reference=reference)  # fmt: skip
    if not line.article:
        raise Refused("invalid", "Choose the article that “%(reference)s” stands for, or leave it out.",
                      reference=reference, field="article")  # fmt: skip
    terms = usual.get(line.article)
    if terms is None:
        raise Refused("not_found", "The tariff has no usage line for the article “%(article)s”.", article=line.article)
    if line.quantity <= 0:
        raise Refused("invalid", "A quantity is more than 0.", field="quantity")
    price = line.price if line.price is not None else _list_price(terms)
    if price == 0 and not line.free:
        raise Refused("invalid", "“%(reference)s” would cost nothing: set a price, or confirm that it is free.",
                      reference=reference, field="price")  # fmt: skip


def _moved(wanted: Wanted, usual: Mapping[str, LineTerms], sold: Mapping[int, date]) -> list[MovedLine]:
    """The lines to be planned: one for each service of an add-on; what can be there only once takes all services of its
    article."""
    found, once = [], set[str]()
    for line in wanted.lines:
        terms = usual[line.article]
        conditions: dict[str, Any] = {"price": line.price} if line.price is not None else {}
        if terms.booking == "add_on":
            begin = max(wanted.start, sold.get(line.subscription.pk, wanted.start))
            start = _start(line.subscription, begin, wanted.billed_until)
            found.append(MovedLine(article=line.article, quantity=line.quantity, conditions=conditions, start=start))
        elif line.article not in once:
            once.add(line.article)
            quantity = Decimal(1) if terms.booking == "on_off" else None
            found.append(MovedLine(article=line.article, quantity=quantity, conditions=conditions))
    return found


def _ties(wanted: Wanted, planned: PlannedContract) -> Iterable[tuple[SupplierSubscription, Any]]:
    for line, one in _matched(wanted, planned):
        yield line.subscription, one.line


def _matched(wanted: Wanted, planned: PlannedContract) -> Iterable[tuple[ServiceLine, Planned]]:
    """Each service with the line that was planned for it: those of an article stand in the same order."""
    lines: dict[str, list[Planned]] = {}
    for one in planned.lines:
        lines.setdefault(one.line.article.key, []).append(one)
    for line in wanted.lines:
        of_article = lines[line.article]
        yield line, of_article.pop(0) if len(of_article) > 1 else of_article[0]


def _foreseen(actor: Actor, wanted: Wanted, planned: PlannedContract, bills: int) -> Consequence:
    contract, today = planned.contract, actor.today(wanted.customer.seller.time_zone)
    contract.pk = overlay.NEW  # of this object alone
    values = overlay.of_planned(planned)
    day = today
    for _ in range(bills):
        day = next_due(values, day) or day
    places = {id(one): line.id for one, line in zip(planned.lines, values.lines, strict=True)}
    quantities: dict[int, Decimal] = {}
    for line, one in _matched(wanted, planned):
        place = places[id(one)]
        quantities[place] = quantities.get(place, Decimal(0)) + line.quantity
    known = with_usage({contract.pk: values}, day, {contract.pk: date.min})
    laid = {contract.pk: going_on(known.contracts[contract.pk], quantities, day + DAY)}
    found = of_new(Facts(laid, {}, {contract.pk: date.min}), contract, today, None, bills)
    try:
        check_complete(wanted.customer)
    except Refused as refused:
        return replace(found, refused=refused)
    return found


def _remember(actor: Actor, seller: Seller, lines: Sequence[ServiceLine]) -> None:
    known = _articles(line.subscription for line in lines)
    new = {
        (line.subscription.supplier_id, line.subscription.product): line.article
        for line in lines
        if line.remember and line.subscription.product and _product(line.subscription) not in known
    }
    articles = {a.key: a for a in Article.objects.filter(seller=seller, key__in=set(new.values()))}
    usage.note_products(actor, products={place: articles[article] for place, article in new.items()})


def _articles(rows: Iterable[SupplierSubscription]) -> dict[tuple[int, str], str]:
    """The articles that suppliers' products stand for."""
    wanted = {_product(row) for row in rows if row.product}
    known = ProductReference.objects.filter(
        supplier__in={supplier for supplier, _ in wanted}, folded__in={product for _, product in wanted}
    )
    return {(s, folded): key for s, folded, key in known.values_list("supplier", "folded", "article__key")}


def _product(row: SupplierSubscription) -> tuple[int, str]:
    return row.supplier_id, usage.fold(row.product)


def _usage_lines(offered: Offered, start: date) -> dict[str, LineTerms]:
    """The lines of a tariff that take usage on a day, by their articles."""
    if start < offered.versions[0].valid_from:
        return {}
    rows = [x for x in lines_of(offered.in_force(start)) if x.charge == "usage"]
    terms = tariff_line_terms(x.pk for x in rows)
    return {x.article.key: terms[x.pk] for x in sorted(rows, key=lambda x: x.position)}


def _suggestion(
    row: SupplierSubscription, article: str, usual: Mapping[str, LineTerms], start: date, names: Mapping[str, str]
) -> Suggestion:
    terms = usual.get(article)
    quantity = Decimal(half_up(row.quantity)) if row.quantity is not None else Decimal(1)
    return Suggestion(
        subscription=row, article=article if terms else "", quantity=quantity, start=_start(row, start, None),
        price=_list_price(terms) if terms else None, stands_for=names.get(article, ""),
    )  # fmt: skip


def _start(row: SupplierSubscription, start: date, billed_until: date | None) -> date:
    return max(row.start or start, start, billed_until or start)


def _list_price(terms: LineTerms) -> Decimal | None:
    """A line's price; None where tiers or the supplier decide it."""
    return None if terms.tiers or terms.usage_pricing in BY_SUPPLIER else terms.price
