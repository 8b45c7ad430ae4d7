"""Sales items: one-off sales outside a contract."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.models import SalesItem, SalesItemLine
from taktura.billing.services.settling import check_complete
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.offer import check_conditions
from taktura.customers.models import Customer
from taktura.kit.actor import Actor
from taktura.kit.exact import number


@act
def sell(actor: Actor, *, customer: Customer, lines: Sequence[Mapping[str, Any]], key: str = "") -> SalesItem:
    """Make a sales item of `title article quantity price discount` lines.

    Raises `Refused`: `billing_information_missing` (R18), `invalid`.
    """
    check_complete(customer)
    if not lines:
        raise Refused("invalid", "A sale has at least one line.")
    seller = customer.seller
    item = SalesItem.objects.create(
        customer=customer, key=key, currency=seller.currency, sold_on=actor.today(seller.time_zone)
    )
    SalesItemLine.objects.bulk_create(_line(item, i, line) for i, line in enumerate(lines, 1))
    record(actor, "sell", f"customer:{customer.pk}", {"item": item.pk, "lines": list(lines)})
    return item


@act
def move_sales_item(actor: Actor, *, item: SalesItem, customer: Customer) -> None:
    """Give a pending sale to another customer; raises `Refused`: `billing_information_missing`, `invalid`."""
    check_complete(customer)
    read_again(item)
    if item.document_id is not None:
        raise Refused("invalid", "The sale is billed already: credit its document and sell anew.")
    before, item.customer = item.customer.key, customer
    item.save(update_fields=["customer"])
    record(actor, "move_sales_item", f"customer:{customer.pk}", {"item": item.pk, "from": before})


def _line(item: SalesItem, position: int, fields: Mapping[str, Any]) -> SalesItemLine:
    unknown = set(fields) - {"title", "article", "quantity", "price", "discount"}
    if unknown:
        raise Refused("invalid", "A line of a sale has no field “%(field)s”.", field=sorted(unknown)[0])
    if fields.get("price") is None:
        raise Refused("invalid", "A line of a sale needs a price.")
    price, discount = number(fields["price"], "price"), number(fields.get("discount") or 0, "discount")
    quantity = number(fields.get("quantity", 1), "quantity")
    check_conditions(price, discount, quantity)
    if quantity <= Decimal(0):
        raise Refused("invalid", "A quantity is more than 0.")
    article = str(fields.get("article") or "")
    return SalesItemLine(
        item=item,
        position=position,
        article=article,
        title=str(fields.get("title") or article),
        quantity=quantity,
        price=price,
        discount=discount,
    )
