"""Sales items: one-off sales outside a contract."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.models import SalesItem, SalesItemLine
from taktura.billing.services.prepare import item_entries
from taktura.contracts.services import read_again
from taktura.core.documents import compose
from taktura.core.errors import Refused
from taktura.core.offer import check_conditions
from taktura.customers.models import Customer
from taktura.customers.queries import check_complete, tax_of
from taktura.invoices.services import Ready
from taktura.kit.actor import Actor
from taktura.kit.exact import number


@act
def sell(actor: Actor, *, customer: Customer, lines: Sequence[Mapping[str, Any]], key: str = "") -> SalesItem:
    """Make a sales item of `title article quantity price discount` lines.

    Raises `Refused`: `billing_information_missing` (R18), `invalid`.
    """
    item, rows = _made(actor, customer, lines, key)
    item.save(force_insert=True)
    SalesItemLine.objects.bulk_create(rows)
    record(actor, "sell", f"customer:{customer.pk}", {"item": item.pk, "lines": list(lines)})
    return item


def preview_sale(actor: Actor, *, customer: Customer, lines: Sequence[Mapping[str, Any]]) -> list[Ready]:
    """The document that a sale would be if it were billed today, alone; nothing is written. Refuses as `sell` does."""
    item, rows = _made(actor, customer, lines, "")
    return _alone(item, customer, rows)


def _alone(item: SalesItem, customer: Customer, rows: Sequence[SalesItemLine]) -> list[Ready]:
    tax = tax_of(customer)
    gross = tax.gross and tax.category == "S"
    entries = item_entries(item, customer, item.sold_on, rows)
    drafts = compose(entries, {}, {}, gross=gross)
    return [
        Ready(draft=d, customer=customer, contract=None, currency=item.currency, gross_prices=gross) for d in drafts
    ]


def _made(
    actor: Actor, customer: Customer, lines: Sequence[Mapping[str, Any]], key: str
) -> tuple[SalesItem, list[SalesItemLine]]:
    """A sale and its lines, not yet written; see `sell` for what is refused."""
    check_complete(customer)
    if not lines:
        raise Refused("invalid", "A sale has at least one line.")
    seller = customer.seller
    item = SalesItem(customer=customer, key=key, currency=seller.currency, sold_on=actor.today(seller.time_zone))
    return item, [_line(item, i, line) for i, line in enumerate(lines, 1)]


@act
def move_sales_item(actor: Actor, *, item: SalesItem, customer: Customer) -> None:
    """Give a pending sale to another customer; raises `Refused`: `billing_information_missing`, `invalid`."""
    check_complete(customer)
    read_again(item)
    _check_pending(item)
    before, item.customer = item.customer.key, customer
    item.save(update_fields=["customer"])
    record(actor, "move_sales_item", f"customer:{customer.pk}", {"item": item.pk, "from": before})


def preview_move(*, item: SalesItem, customer: Customer) -> list[Ready]:
    """The document that a pending sale would be for another customer, if it were billed alone; nothing is written.
    Refuses as `move_sales_item` does."""
    check_complete(customer)
    _check_pending(item)
    return _alone(item, customer, list(item.lines.order_by("position")))


def _check_pending(item: SalesItem) -> None:
    if item.document_id is not None:
        raise Refused("invalid", "The sale is billed already: credit its document and sell anew.")


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
