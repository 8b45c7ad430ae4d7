"""Extending contracts from supplier subscriptions, one or many at once (R17.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.db import connection

from taktura.audit.acts import act
from taktura.audit.services import record_all
from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.services import Bookable, Planned, bookable, plan_line, reschedule, touch_each, write_lines
from taktura.core.errors import Refused
from taktura.core.money import half_up
from taktura.kit.actor import Actor
from taktura.usage.models import ProductReference, SubscriptionLink, Supplier, SupplierSubscription
from taktura.usage.queries import fold
from taktura.usage.services.moving import end_ties


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A contract to be extended from a subscription; what is None comes from the subscription.

    `stands_for`: the subscription's product stands for the article from now on. `moves`: its ties to other lines end
    where the new one begins.
    """

    subscription: SupplierSubscription
    contract: Contract
    article: str | None = None
    quantity: Decimal | None = None
    start: date | None = None
    stands_for: bool = False
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Extension:
    """What a contract is extended by: an article (None: its product stands for none yet), how often, from when."""

    article: str | None
    quantity: Decimal
    start: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Extending:
    """A wish as it would be done: a line that is booked (`planned`), or one of the tariff that is only tied (`own`);
    or why it cannot (`refused`)."""

    wish: Wish
    given: Extension
    planned: Planned | None = None
    own: ContractLine | None = None
    refused: Refused | None = None
    left: list[int] = field(default_factory=list)  # lines whose ties ended, since it moved

    @property
    def line(self) -> ContractLine:
        """The line that gets the usage."""
        found = self.own if self.own is not None else self.planned.line if self.planned else None
        assert found is not None
        return found


@act
def extend_contracts(actor: Actor, *, wishes: Sequence[Wish]) -> list[Extending]:
    """Book a line from each subscription and tie it to it, all or none; the queries do not grow with the wishes.

    Raises `Refused` as the first that cannot be done: `invalid` (no product reference and no article, an article that
    is booked already), `not_found` (no such article in the tariff), `contract_ended`.
    """
    done = plan_extensions(_read_again(wishes))
    for one in done:
        if one.refused is not None:
            raise one.refused
    write_lines([one.planned for one in done if one.planned is not None])
    _tie(done)
    _remember(actor, done)
    days: dict[int, date] = {}
    for one in done:
        pk = one.wish.contract.pk
        days[pk] = min(one.given.start, days.get(pk, one.given.start))
    touch_each(days)
    reschedule(days)
    record_all(actor, [("extend_contract", f"contract:{one.wish.contract.pk}", _told(one)) for one in done])
    return done


@act
def extend_contract(
    actor: Actor,
    *,
    supplier: Supplier,
    reference: str,
    contract: Contract,
    article: str | None = None,
    quantity: Decimal | None = None,
    start: date | None = None,
) -> ContractLine:
    """Book a line from a supplier subscription and tie it to it (R17.3). What waits stays until it is processed again.

    Quantity (rounded HALF_UP to whole units), start and article (by product reference) come from the subscription
    unless given. Raises `Refused`: `not_found`, `invalid` (no product reference and no article).
    """
    wish = wish_of(supplier, reference, contract, article=article, quantity=quantity, start=start)
    return extend_contracts(actor, wishes=[wish])[0].line


def wish_of(
    supplier: Supplier,
    reference: str,
    contract: Contract,
    *,
    article: str | None = None,
    quantity: Decimal | None = None,
    start: date | None = None,
    stands_for: bool = False,
) -> Wish:
    """The wish to extend by the subscription of a reference; raises `Refused` (`not_found`)."""
    subscription = SupplierSubscription.objects.filter(supplier=supplier, folded=fold(reference)).first()
    if subscription is None:
        raise Refused("not_found", "The supplier has no subscription “%(reference)s”.", reference=reference)
    return Wish(
        subscription=subscription, contract=contract, article=article, quantity=quantity, start=start,
        stands_for=stands_for,
    )  # fmt: skip


def plan_extensions(wishes: Sequence[Wish]) -> list[Extending]:
    """What `extend_contracts` would do with each of the wishes; writes nothing."""
    offer = bookable({w.contract.pk for w in wishes})
    free = _free_lines(offer)
    planned = []
    for wish, given in zip(wishes, extensions(wishes), strict=True):
        try:
            planned.append(_planned(wish, given, offer, free))
        except Refused as refused:
            planned.append(Extending(wish=wish, given=given, refused=refused))
    return planned


def extensions(wishes: Sequence[Wish]) -> list[Extension]:
    """What each wish comes to: what is given, the rest from the subscription (R17.3). Two queries; writes nothing."""
    rows = [w.subscription for w in wishes]
    products = ProductReference.objects.filter(
        supplier__in={r.supplier_id for r in rows}, folded__in={fold(r.product) for r in rows if r.product}
    )
    articles = {(s, f): key for s, f, key in products.values_list("supplier", "folded", "article__key")}
    first = _first_waiting([w.subscription for w in wishes if w.start is None and w.subscription.start is None])
    found = []
    for wish in wishes:
        row, contract = wish.subscription, wish.contract
        article, quantity = wish.article, wish.quantity
        if article is None and row.product:
            article = articles.get((row.supplier_id, fold(row.product)))
        if quantity is None:
            quantity = Decimal(1) if row.quantity is None else max(Decimal(half_up(row.quantity)), Decimal(0))
        start = wish.start or row.start or first.get(row.pk) or contract.start
        start = max(start, contract.start, contract.billed_until or contract.start)
        found.append(Extension(article, quantity, start))
    return found


def _read_again(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes with their contracts and subscriptions as they stand now; two queries."""
    contracts = Contract.objects.in_bulk({w.contract.pk for w in wishes})
    rows = SupplierSubscription.objects.select_related("supplier").in_bulk({w.subscription.pk for w in wishes})
    return [replace(w, contract=contracts[w.contract.pk], subscription=rows[w.subscription.pk]) for w in wishes]


def _planned(wish: Wish, given: Extension, offer: Bookable, free: dict[int, list[ContractLine]]) -> Extending:
    """Its own line for an article that is part of the tariff, when nothing is tied to it yet; else a new one."""
    contract, reference = wish.contract, wish.subscription.reference
    if given.article is None:
        raise Refused(
            "invalid",
            "The product of “%(reference)s” stands for no article yet: choose the article.",
            reference=reference,
        )
    for own in free[contract.pk]:
        if own.article.key == given.article and (own.end is None or own.end > given.start):
            free[contract.pk].remove(own)
            return Extending(wish=wish, given=given, own=own)
    planned = plan_line(
        contract=contract, article=given.article, start=given.start, quantity=given.quantity, offer=offer
    )
    offer.lines[contract.pk].append(planned.line)
    return Extending(wish=wish, given=given, planned=planned)


def _free_lines(offer: Bookable) -> dict[int, list[ContractLine]]:
    """By contract: the lines that are part of the tariff and that nothing is tied to; one query."""
    included = [x for lines in offer.lines.values() for x in lines if x.booking == "included"]
    tied = set(SubscriptionLink.objects.filter(line__in=[x.pk for x in included]).values_list("line", flat=True))
    free: dict[int, list[ContractLine]] = {pk: [] for pk in offer.phases}
    for line in included:
        if line.pk not in tied:
            free[line.contract_id].append(line)
    return free


def _tie(done: Sequence[Extending]) -> None:
    """Tie the subscriptions to their lines; the other ties of those that move end where the new ones begin."""
    moving = {one.wish.subscription.pk: one for one in done if one.wish.moves}
    if moving:
        days = {pk: one.given.start for pk, one in moving.items()}
        left = end_ties(days, done[0].wish.contract.seller)
        of = SubscriptionLink.objects.filter(line__in=left, subscription__in=moving, end__isnull=False)
        for tie in of.order_by("pk"):
            one = moving[tie.subscription_id]
            if tie.end == one.given.start:
                one.left.append(tie.line_id)
    SubscriptionLink.objects.bulk_create(
        [
            SubscriptionLink(
                subscription=one.wish.subscription, line=one.line, first=one.given.start if one.wish.moves else None
            )
            for one in done
        ],
        ignore_conflicts=True,
    )


def _first_waiting(rows: Iterable[SupplierSubscription]) -> dict[int, date]:
    """The first day of what waits of subscriptions; one query, by an index."""
    wanted = list(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.id, min(r.day) FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS s(id, supplier, folded)
               JOIN usage_usagerecord r ON r.supplier_id = s.supplier AND r.subscription = s.folded
               WHERE r.line_id IS NULL GROUP BY 1""",
            [[r.pk for r in wanted], [r.supplier_id for r in wanted], [r.folded for r in wanted]],
        )
        return dict(cursor.fetchall())


def _remember(actor: Actor, done: Sequence[Extending]) -> None:
    """The products that stand for an article from now on; of several wishes for one product the last holds."""
    articles: Mapping[str, Article] = {one.line.article.key: one.line.article for one in done}
    wanted: dict[tuple[int, str], ProductReference] = {}
    for one in done:
        row = one.wish.subscription
        if one.wish.stands_for and fold(row.product) and one.given.article is not None:
            wanted[row.supplier_id, fold(row.product)] = ProductReference(
                supplier_id=row.supplier_id, product=row.product.strip(), folded=fold(row.product),
                article=articles[one.given.article],
            )  # fmt: skip
    ProductReference.objects.bulk_create(
        wanted.values(), update_conflicts=True, unique_fields=["supplier", "folded"],
        update_fields=["product", "article"],
    )  # fmt: skip
    record_all(
        actor,
        [
            ("set_product_reference", f"supplier:{r.supplier_id}", {"product": r.product, "article": r.article.key})
            for r in wanted.values()
        ],
    )


def _told(one: Extending) -> dict[str, object]:
    given, row = one.given, one.wish.subscription
    return {
        "supplier": row.supplier.key, "subscription": row.reference, "article": given.article,
        "quantity": given.quantity, "from": given.start,
    }  # fmt: skip
