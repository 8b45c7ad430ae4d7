"""Sales items from services in use that no contract carries, once for each month (R18).

A row is made for each service of a month. Where all is known it is sold: the services of a customer in a month are one
sales item. Else it waits, and is sold by the next night in which nothing lacks any more. Until it is billed it can be
left out, and taken up again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from babel.dates import format_date

from taktura.audit.acts import act
from taktura.audit.services import record, record_all
from taktura.billing.models import SalesItem, SalesItemLine, ServicePricing, ServiceSale
from taktura.billing.used_services import (
    UsedService,
    check_month,
    last_day,
    look_at,
    months_over,
    planned,
    pricing_of,
    waiting,
)
from taktura.catalog.models import Tariff
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.rendering.formats import LOCALES
from taktura.kit.actor import Actor
from taktura.kit.bulk import among

MOST = 20_000  # services of a month
TITLE = 200  # of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """What came of services: the sales items made, by id, and the services that wait."""

    items: list[int]
    waiting: list[UsedService]


@act
def price_services(actor: Actor, *, seller: Seller, tariff: Tariff, nightly: bool) -> ServicePricing:
    """Choose the tariff whose prices hold for services without a contract, and whether months are sold by themselves.

    Raises `Refused` (`invalid`): the tariff is retired.
    """
    assert tariff.seller_id == seller.pk
    if tariff.retired:
        raise Refused("invalid", "The tariff “%(tariff)s” is retired: choose another.", tariff=tariff.key)
    found, _made = ServicePricing.objects.update_or_create(
        seller=seller, defaults={"tariff": tariff, "nightly": nightly}
    )
    record(actor, "price_services", f"seller:{seller.pk}", {"tariff": tariff.key, "nightly": nightly})
    return found


def preview_services(actor: Actor, *, seller: Seller, month: date) -> list[UsedService]:
    """What `sell_services` would sell of a month, and what would wait, by customer; nothing is written. Refuses as it
    does."""
    check_month(month, actor.today(seller.time_zone))
    pricing_of(seller)
    return _in_order(look_at(seller, [*_waiting(seller, month), *_planned(seller, month)]))


@act
def sell_services(actor: Actor, *, seller: Seller, month: date) -> Sold:
    """Make the sales items of a month's services without a contract, also of those that waited and lack nothing any
    more; those made before stay as they are.

    Raises `Refused` (`invalid`): the month is not over or too old, no tariff is chosen.
    """
    check_month(month, actor.today(seller.time_zone))
    pricing_of(seller)
    waited = _waiting(seller, month)
    rows = ServiceSale.objects.bulk_create(_planned(seller, month))
    return _sell(actor, seller, [*waited, *rows])


@act
def sell_waiting(actor: Actor, *, seller: Seller) -> Sold:
    """Sell the services of all months of which nothing lacks any more."""
    if not ServicePricing.objects.filter(seller=seller).exists():
        return Sold(items=[], waiting=[])
    rows = waiting(seller).select_related("subscription__supplier").order_by("pk")
    return _sell(actor, seller, list(rows))


def sell_by_night(actor: Actor, *, seller: Seller) -> Sold:
    """The month that is over last, where the seller wants it so; then all that waits and lacks nothing any more."""
    pricing = ServicePricing.objects.filter(seller=seller).first()
    if pricing is not None and pricing.nightly:
        sold = sell_services(actor, seller=seller, month=months_over(actor.today(seller.time_zone))[0])
    else:
        sold = Sold(items=[], waiting=[])
    rest = sell_waiting(actor, seller=seller)
    return Sold(items=sold.items + rest.items, waiting=rest.waiting)


@act
def leave_out_services(actor: Actor, *, seller: Seller, sales: Iterable[int]) -> int:
    """Leave services out: they are not sold for their month. Of a sales item that is not billed they are taken off,
    the other services of it are sold anew. Gives how many; raises `Refused` (`invalid`): billed already."""
    rows = _chosen(seller, sales)
    if any(row.item is not None and row.item.document_id is not None for row in rows):
        raise Refused("invalid", "The service is billed already: credit its document.")
    rows = [row for row in rows if not row.left_out]
    chosen = {row.pk for row in rows}
    items = {row.item_id for row in rows if row.item_id is not None}
    others = list(
        ServiceSale.objects.filter(item__in=items)
        .exclude(pk__in=among(chosen))
        .select_related("subscription__supplier")
    )
    ServiceSale.objects.filter(item__in=items).update(item=None)
    SalesItem.objects.filter(pk__in=items, document__isnull=True).delete()
    ServiceSale.objects.filter(pk__in=among(chosen)).update(left_out=True)
    record_all(actor, [("leave_out_service", f"customer:{row.customer_id}", _told(row)) for row in rows])
    _sell(actor, seller, others)
    return len(rows)


@act
def take_up_services(actor: Actor, *, seller: Seller, sales: Iterable[int]) -> Sold:
    """Take services up again that were left out; what lacks nothing is sold at once."""
    rows = [row for row in _chosen(seller, sales) if row.left_out]
    ServiceSale.objects.filter(pk__in=among(row.pk for row in rows)).update(left_out=False)
    record_all(actor, [("take_up_service", f"customer:{row.customer_id}", _told(row)) for row in rows])
    if not ServicePricing.objects.filter(seller=seller).exists():
        return Sold(items=[], waiting=look_at(seller, rows))
    return _sell(actor, seller, rows)


def _waiting(seller: Seller, month: date) -> list[ServiceSale]:
    """The services of a month that wait."""
    return list(waiting(seller).filter(month=month).select_related("subscription__supplier").order_by("pk"))


def _planned(seller: Seller, month: date) -> list[ServiceSale]:
    rows = planned(seller, month)
    if len(rows) > MOST:
        raise Refused("invalid", "At most %(number)s services are sold at once.", number=MOST)
    return rows


def _chosen(seller: Seller, sales: Iterable[int]) -> list[ServiceSale]:
    rows = ServiceSale.objects.filter(customer__seller=seller, pk__in=among(set(sales))).order_by("pk")
    return list(rows.select_related("subscription__supplier", "item"))


def _in_order(found: Iterable[UsedService]) -> list[UsedService]:
    return sorted(found, key=lambda one: (one.customer.folded, one.customer.pk, one.sale.month, one.sale.pk or 0))


def _sell(actor: Actor, seller: Seller, rows: Sequence[ServiceSale]) -> Sold:
    """Make the items of rows of which nothing lacks: one for each customer and month."""
    found = _in_order(look_at(seller, rows))
    ready = [one for one in found if not one.reason]
    groups = [list(group) for _key, group in groupby(ready, key=lambda one: (one.customer.pk, one.sale.month))]
    items = SalesItem.objects.bulk_create(
        SalesItem(customer=of[0].customer, currency=of[0].currency, sold_on=last_day(of[0].sale.month)) for of in groups
    )
    lines, sold, told = [], [], []
    for item, of in zip(items, groups, strict=True):
        for position, one in enumerate(of, 1):
            lines.append(_line(item, position, one))
            one.sale.item = item
            sold.append(one.sale)
        services = [_told(one.sale) | {"price": one.price} for one in of]
        told.append(("sell_services", f"customer:{item.customer_id}", {"item": item.pk, "services": services}))
    SalesItemLine.objects.bulk_create(lines)
    ServiceSale.objects.bulk_update(sold, ["item"], batch_size=1000)
    record_all(actor, told)
    return Sold(items=[item.pk for item in items], waiting=[one for one in found if one.reason])


def _line(item: SalesItem, position: int, one: UsedService) -> SalesItemLine:
    assert one.price is not None and one.sale.quantity is not None
    month = format_date(one.sale.month, "LLLL yyyy", locale=LOCALES[one.customer.language])
    room = TITLE - len(month) - 2
    return SalesItemLine(
        item=item, position=position, article=one.article, title=f"{one.title[:room]}, {month}",
        quantity=one.sale.quantity, price=one.price,
    )  # fmt: skip


def _told(sale: ServiceSale) -> dict[str, object]:
    row = sale.subscription
    return {
        "supplier": row.supplier.key, "subscription": row.reference, "month": sale.month.isoformat(),
        "quantity": sale.quantity,
    }  # fmt: skip
