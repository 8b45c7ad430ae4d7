"""Extending contracts from supplier subscriptions (R17.3): what waits of them is processed at once, and what each
brings in a month is known before anything is saved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.billing.services.interim import threshold_bills
from taktura.billing.services.moving import days_after_billed, end_unused
from taktura.billing.services.previews import Consequence, preview_book, standing
from taktura.billing.services.waiting import Tied, together
from taktura.billing.used_services import sold_until
from taktura.contracts import overlay
from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractLine
from taktura.core import facts
from taktura.core.monthly import left_out, whole_month
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import SubscriptionLink, SupplierSubscription
from taktura.usage.services import Extending, Wish
from taktura.usage.store import months


@dataclass(frozen=True, slots=True)
class ExtensionForeseen:
    """A wish as it would be done, and the net that its line brings in a whole month, in minor units of the contract's
    currency (None: it cannot be done). `without`: what the contract has, and the net does not: `coupons`,
    `minimum_sales`, `cost_cap`, or `currency` (the supplier's amounts are in another)."""

    extending: Extending
    month: int | None
    without: tuple[str, ...] = ()


def preview_extensions(actor: Actor, *, seller: Seller, wishes: Sequence[Wish]) -> list[ExtensionForeseen]:
    """What `extend_contracts` would do with each wish, by `whole_month`; the queries do not grow with the wishes."""
    planned = usage.plan_extensions(_after_sold(placed(wishes)))
    doable = [one for one in planned if one.refused is None]
    contracts = load({one.wish.contract.pk for one in doable})
    rows = []
    for one in doable:
        base = contracts[one.wish.contract.pk]
        if one.planned is not None:
            base = overlay.with_lines(base, [one.planned])
        pk = base.lines[-1].id if one.planned is not None else one.line.pk
        rows.append((one.wish.subscription, base, pk))
    today = actor.today(seller.time_zone)
    found = iter(zip(_months(rows, today), rows, strict=True))
    return [_foreseen(one, *next(found), today) if one.refused is None else ExtensionForeseen(one, None)
            for one in planned]  # fmt: skip


def _foreseen(
    one: Extending, month: int, row: tuple[SupplierSubscription, facts.Contract, int], today: date
) -> ExtensionForeseen:
    subscription, contract, pk = row
    line = next(x for x in contract.lines if x.id == pk)
    without = left_out(contract, line, today)
    pricing = facts.at(line.terms, max(today, line.start)).usage_pricing
    theirs = pricing in ("cost_plus", "imported_price") or subscription.supplier.unit_price_from_import
    if theirs and subscription.supplier.currency != one.wish.contract.currency:
        without = (*without, "currency")
    return ExtensionForeseen(one, month, without)


def _after_sold(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes with lines that begin after the months for which their services are sold without a contract."""
    sold = sold_until(wish.subscription.pk for wish in wishes)
    if not sold:
        return list(wishes)
    begin = [given.start for given in usage.extensions(wishes)]
    return [
        replace(wish, start=max(start, sold.get(wish.subscription.pk, start)))
        for wish, start in zip(wishes, begin, strict=True)
    ]


def look_at_months(actor: Actor, *, seller: Seller, subscriptions: Sequence[SupplierSubscription]) -> dict[int, int]:
    """The net that the newest line of each subscription brings in a whole month, by its id; those without one are left
    out. The same figures as `preview_extensions` has beforehand."""
    ties = SubscriptionLink.objects.filter(subscription__in=subscriptions).order_by("pk")
    lines: dict[int, ContractLine] = {t.subscription_id: t.line for t in ties.select_related("line")}
    contracts = load({line.contract_id for line in lines.values()})
    tied = [row for row in subscriptions if row.pk in lines]
    rows = [(row, contracts[lines[row.pk].contract_id], lines[row.pk].pk) for row in tied]
    return dict(zip((row.pk for row in tied), _months(rows, actor.today(seller.time_zone)), strict=True))


def _months(rows: Sequence[tuple[SupplierSubscription, facts.Contract, int]], today: date) -> list[int]:
    """What lines bring in a month by the usage of their subscriptions: (subscription, contract, line)."""
    lines = [next(x for x in contract.lines if x.id == pk) for _, contract, pk in rows]
    terms = [facts.at(line.terms, max(today, line.start)) for line in lines]
    of = Contract.objects.filter(pk__in={contract.id for _, contract, _ in rows})
    currency = dict(of.values_list("pk", "currency"))
    came = months(
        [(row.supplier_id, row.folded, t, currency[c.id]) for (row, c, _), t in zip(rows, terms, strict=True)]
    )
    return [
        whole_month(
            contract, line, month.usage if month else None,
            month.standing if month else row.quantity or Decimal(0), today,
        )
        for (row, contract, _), line, month in zip(rows, lines, came, strict=True)
    ]  # fmt: skip


def placed(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes with a start for those that move and have none: the day after what was billed of the lines that their
    subscriptions are tied to."""
    days = days_after_billed([w.subscription.pk for w in wishes if w.moves and w.start is None])
    return [replace(w, start=days.get(w.subscription.pk, w.start)) if w.moves else w for w in wishes]


@act
def extend_contracts(actor: Actor, *, seller: Seller, wishes: Sequence[Wish]) -> tuple[list[Extending], Tied]:
    """Extend contracts from subscriptions, all or none, and process what waits of these at once; where a product stands
    for an article from now on, all that waits of its supplier. Those that move leave their lines on the day after what
    was billed of them, unless a start is given. Raises as `usage.extend_contracts`."""
    done = usage.extend_contracts(actor, wishes=_after_sold(placed(wishes)))
    suppliers = {w.subscription.supplier_id: w.subscription.supplier for w in wishes if w.stands_for}
    rest = [w.subscription for w in wishes if w.subscription.supplier_id not in suppliers]
    parts = [usage.reprocess(actor, supplier=supplier) for supplier in suppliers.values()]
    if rest:
        parts.append(usage.process_subscriptions(actor, seller=seller, subscriptions=rest))
    moved = {one.wish.subscription.pk: one.given.start for one in done if one.wish.moves}
    if moved:
        parts.append(usage.process_moved(actor, seller=seller, days=moved))
    recorded, reasons, touched = together(parts)
    left = {line: one.given.start for one in done for line in one.left}
    _ended, issued = end_unused(actor, list(left), left)
    return done, Tied(recorded, reasons, [*issued, *threshold_bills(actor, touched)])


def preview_extension(actor: Actor, *, wish: Wish, bills: int = 0) -> Consequence:
    """What extending by one wish would do: nothing at once, a new line is billed with the next billing.

    Usage that waits and would find the line is not foreseen. Refuses as `extend_contracts` does.
    """
    (one,) = usage.plan_extensions(_after_sold(placed([wish])))
    if one.refused is not None:
        raise one.refused
    if one.own is not None:  # it is part of the tariff and billed as it is
        now = standing(actor, contract=wish.contract, bills=bills)
        return Consequence(documents=[], before=now.bills, bills=now.bills, contract=now.contract)
    given = one.given
    return preview_book(
        actor, contract=wish.contract, article=given.article, quantity=given.quantity, start=given.start, bills=bills
    )
