"""Orders: what somebody sends from the order page without being known, until it is a contract (R10.3).

Nothing takes effect by being sent: the address is confirmed by a mailed link, then staff approve where the tariff or
the company wants it. What is shown before is worked out as it is billed after. An order that cannot become a contract
any more when it is confirmed (its offer number is used up meanwhile) waits for staff: none is lost.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.services import order_mails as mails
from taktura.billing.services.previews import Consequence, preview_order
from taktura.catalog.coupons import wanted
from taktura.catalog.models import Coupon, Tariff
from taktura.catalog.offer_numbers import usable
from taktura.contracts import services as contracts
from taktura.contracts.models import Order
from taktura.contracts.queries import next_key
from taktura.core.errors import Refused
from taktura.customers import vat_id
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.customers.queries import next_key as next_customer_key
from taktura.customers.services import create_customer, set_billing_information
from taktura.customers.vat_checks import ask_later
from taktura.kit.actor import Actor
from taktura.kit.mail.services import one_line
from taktura.kit.secret import hash_of

CONFIRMED_WITHIN = timedelta(hours=48)
KEPT_FOR = timedelta(days=7)  # orders that were never confirmed, after their link is over
BILLS = 2  # that are shown: the first, and one as those that follow
ADDRESS = ("street", "postcode", "city", "country", "vat_id")
LENGTHS = {"name": 200, "street": 200, "postcode": 20, "city": 100, "vat_id": 20}

Prices = list[dict[str, Any]]  # a row for each bill: `on`, `net`, `tax`, `gross`; amounts in minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to order, and who that is. `code`: of a coupon, as typed; `articles`: quantities."""

    tariff: Tariff
    articles: Mapping[str, Decimal] = field(default_factory=dict)
    code: str = ""
    offer_number: str | None = None
    kind: str = "business"
    name: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    vat_id: str = ""
    language: str = "en"


def look_at(actor: Actor, *, wish: Wish, bills: int = BILLS) -> Consequence:
    """What an order of today would come to; whoever orders need not have said yet who that is.

    Raises `Refused` as `place_order` does, but for what is said of a person.
    """
    seller = wish.tariff.seller
    return preview_order(
        actor, customer=_buyer(wish, seller), tariff=wish.tariff, articles=wish.articles,
        coupon=_coupon(seller, wish.code, actor.today(seller.time_zone)), offer_number=wish.offer_number, bills=bills,
    )  # fmt: skip


def shown_prices(found: Consequence) -> Prices:
    """The bills of a consequence as they are kept with an order."""
    rows = []
    for bill in found.bills:
        signed = [(1 if r.draft.kind == "invoice" else -1, r.draft) for r in bill.documents]
        net, tax = sum(s * d.net for s, d in signed), sum(s * d.tax for s, d in signed)
        rows.append({"on": bill.on.isoformat(), "net": net, "tax": tax, "gross": net + tax})
    return rows


def mark_of(prices: Prices) -> str:
    """A short mark of prices: whoever orders sends it along, so that nothing is ordered at prices that nobody saw."""
    return hashlib.sha256(json.dumps(prices).encode()).hexdigest()[:16]


@act
def place_order(actor: Actor, *, wish: Wish, token: str, asker: str, seen: str, address: str) -> Order:
    """Keep an order and mail the link that confirms it. `token`: one is one order, however often it is sent; `asker`:
    whence it is asked, of which a hash is kept; `seen`: the mark of the prices that were shown; `address`: that of the
    page to confirm it, without the secret.

    Raises `Refused`: `conflict` (the prices are others by now), `invalid` (who orders), and what `contracts.order`
    refuses.
    """
    known = Order.objects.filter(token=token).first()
    if known is not None:
        return known
    _check_open(wish.tariff.seller)
    kept, secret = _keep(actor, wish, token, asker, seen)
    mails.ask(actor.now, kept, f"{address}{secret}/")
    return kept


@act
def take_order(actor: Actor, *, wish: Wish, address: str, seen: str | None = None, confirmed: bool = False) -> Order:
    """Keep an order that another system sends, whether the company has an order page or not. `confirmed`: that system
    has made sure of the mail address, so that nobody is asked to confirm it; else the link is mailed. `seen`: the mark
    of the prices that were shown; None: they are not compared. Raises `Refused` as `place_order` does."""
    kept, secret = _keep(actor, wish, secrets.token_hex(24), actor.name, seen)
    if not confirmed:
        mails.ask(actor.now, kept, f"{address}{secret}/")
        return kept
    return _confirmed(actor, kept)


def _keep(actor: Actor, wish: Wish, token: str, asker: str, seen: str | None) -> tuple[Order, str]:
    """An order as it is written, and the secret of its link."""
    seller = wish.tariff.seller
    _check_person(wish)
    prices = shown_prices(look_at(actor, wish=wish))
    if seen is not None and mark_of(prices) != seen:
        raise Refused("conflict", "The price is another one by now: look at it, then order.")
    day = actor.today(seller.time_zone)
    secret = secrets.token_hex(32)
    kept = Order.objects.create(
        seller=seller, tariff=wish.tariff,
        version=contracts.ordered_version(wish.tariff, wish.offer_number, wish.articles, day),
        offer_number=usable(wish.offer_number, wish.tariff, day) if wish.offer_number else None,
        coupon=_coupon(seller, wish.code, day), code=wish.code.strip(),
        articles={key: f"{number:f}" for key, number in wish.articles.items()},
        name=wish.name.strip(), email=wish.email.strip(), kind=wish.kind, language=wish.language,
        buyer={name: str(getattr(wish, name)).strip() for name in ADDRESS}, prices=prices, token=token,
        secret=hash_of(secret), asker=hash_of(asker), ordered_at=actor.now, expires_at=actor.now + CONFIRMED_WITHIN,
    )  # fmt: skip
    record(actor, "place_order", f"order:{kept.pk}", {"tariff": wish.tariff.key, "articles": kept.articles})
    return kept, secret


def forget_orders(now: datetime) -> int:
    """Forget orders that were never confirmed, a week after their link was over; gives how many."""
    count, _ = Order.objects.filter(state="unconfirmed", expires_at__lt=now - KEPT_FOR).delete()
    return count


def order_of(secret: str, actor: Actor) -> Order:
    """The order of a mailed link, confirmed or not; raises `Refused` (`not_found`) for one that is over."""
    found = _orders().filter(secret=hash_of(secret)).first()
    if found is None or (found.state == "unconfirmed" and found.expires_at <= actor.now):
        raise Refused("not_found", "This link is too old, or was never sent: order again.")
    return found


@act
def confirm_order(actor: Actor, *, secret: str) -> Order:
    """Confirm an order by its mailed link; done twice it changes nothing. It takes effect at once, from today on, where
    nobody has to approve it. Raises `Refused` (`not_found`)."""
    order = order_of(secret, actor)
    if order.state != "unconfirmed":
        return order
    return _confirmed(actor, order)


@act
def approve_order(actor: Actor, *, order: Order) -> Order:
    """Let an order take effect from today on: a customer, a contract, and a mail that says so.

    Raises `Refused`: `conflict` when somebody has decided already, and what `contracts.order` refuses.
    """
    order = _undecided(order)
    _take_effect(actor, order)
    return order


@act
def refuse_order(actor: Actor, *, order: Order, reason: str) -> Order:
    """Refuse an order, and say why by mail. Raises `Refused`: `conflict` (decided already), `invalid` (no reason)."""
    order = _undecided(order)
    if not reason.strip() or len(reason) > mails.MOST_REASON:
        raise Refused("invalid", "Write a reason, of at most %(most)s characters: it is mailed.",
                      most=mails.MOST_REASON, field="reason")  # fmt: skip
    order.state, order.reason = "refused", reason.strip()
    _decided(actor, order)
    record(actor, "refuse_order", f"order:{order.pk}", {"reason": order.reason})
    mails.refused(actor.now, order)
    return order


def open_orders(seller: Seller) -> QuerySet[Order]:
    """The orders of a seller that staff must decide on, the oldest first."""
    return Order.objects.filter(seller=seller, state="open").select_related("tariff").order_by("id")


def order_by_id(seller_id: int, pk: int) -> Order:
    """A seller's order by its id; raises `Refused` (`not_found`)."""
    found = orders_of(seller_id).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no order %(id)s.", id=pk)
    return found


def orders_of(seller_id: int) -> QuerySet[Order]:
    """All orders of a seller, with what they name."""
    return _orders().select_related("contract__customer").filter(seller=seller_id)


def wish_of(order: Order) -> Wish:
    """What an order wants, as it was sent."""
    return Wish(
        tariff=order.tariff, articles={key: Decimal(text) for key, text in order.articles.items()}, code=order.code,
        offer_number=order.offer_number.number if order.offer_number else None, kind=order.kind, name=order.name,
        email=order.email, language=order.language, **order.buyer,
    )  # fmt: skip


def tax_status_of(seller: Seller, kind: str, country: str, given: str) -> str:
    """The tax status of whoever orders: reverse charge for a company elsewhere in the EU with a VAT id of its state,
    export for one outside of it, domestic for everybody else."""
    if kind != "business" or not country or country == seller.country:
        return "domestic"
    if country not in vat_id.EU:
        return "export"
    own = given and vat_id.is_valid(given) and vat_id.country_of(given) == country
    return "reverse_charge" if own and seller.country in vat_id.EU else "domestic"


def _confirmed(actor: Actor, order: Order) -> Order:
    """What follows when the address of an order is known to be right."""
    order.confirmed_at, order.state = actor.now, "open"
    order.save(update_fields=["confirmed_at", "state"])
    record(actor, "confirm_order", f"order:{order.pk}", {"tariff": order.tariff.key})
    if order.kind == "business":
        ask_later(order.seller, order.buyer["vat_id"])
    if _is_approved_by_staff(order) or not _took_effect(actor, order):
        mails.received(actor.now, order)
    return order


def _is_approved_by_staff(order: Order) -> bool:
    """Whether its tariff wants that, or leaves it to the company, which does."""
    wanted = order.tariff.order_approval
    return wanted == "always" or (wanted == "company" and order.seller.order_approval)


def _orders() -> QuerySet[Order]:
    return Order.objects.select_related("seller", "tariff__seller", "version", "offer_number", "coupon", "contract")


def _undecided(order: Order) -> Order:
    found = _orders().get(pk=order.pk)
    if found.state != "open":
        raise Refused("conflict", "Somebody has decided on this order already, or it is not confirmed.")
    return found


def _took_effect(actor: Actor, order: Order) -> bool:
    try:
        with transaction.atomic():
            _take_effect(actor, order)
    except Refused:
        order.refresh_from_db()
        return False
    return True


def _take_effect(actor: Actor, order: Order) -> None:
    """Customer, billing information, contract: from today on."""
    seller, wish = order.seller, wish_of(order)
    customer = create_customer(
        actor, seller=seller, key=next_customer_key(seller.pk), name=wish.name, kind=wish.kind, language=wish.language
    )
    set_billing_information(actor, customer=customer, name=wish.name, **_billing(wish, seller))
    order.contract = contracts.order(
        actor, key=next_key(seller.pk), customer=customer, tariff=order.tariff, articles=dict(wish.articles),
        code=order.code, offer_number=wish.offer_number,
    )  # fmt: skip
    order.state = "done"
    _decided(actor, order)
    record(actor, "approve_order", f"order:{order.pk}", {"contract": order.contract.key, "customer": customer.key})
    mails.done(actor.now, order)


def _decided(actor: Actor, order: Order) -> None:
    order.decided_at, order.decided_by = actor.now, actor.name
    order.save(update_fields=["state", "reason", "contract", "decided_at", "decided_by"])


def _billing(wish: Wish, seller: Seller) -> dict[str, str]:
    country = wish.country or seller.country
    return {
        "street": wish.street, "postcode": wish.postcode, "city": wish.city, "country": country, "email": wish.email,
        "vat_id": vat_id.normal(wish.vat_id), "tax_status": tax_status_of(seller, wish.kind, country, wish.vat_id),
    }  # fmt: skip


def _buyer(wish: Wish, seller: Seller) -> Customer:
    """Whoever orders as a customer that is not written."""
    buyer = Customer(seller=seller, key="", name=wish.name, kind=wish.kind, language=wish.language)
    BillingInformation(customer=buyer, name=wish.name, **_billing(wish, seller))  # the customer knows it by this
    return buyer


def _coupon(seller: Seller, code: str, day: date) -> Coupon | None:
    found = wanted(seller, None, code.strip(), day)
    return found.coupon if found else None


def _check_open(seller: Seller) -> None:
    if not Seller.objects.filter(pk=seller.pk, order_page=True).exists():
        raise Refused("not_found", "Nothing can be ordered here at present.")


def _check_person(wish: Wish) -> None:
    try:
        validate_email(wish.email.strip())
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=wish.email[:100], field="email") from error
    for name, most in LENGTHS.items():
        text = str(getattr(wish, name)).strip()
        if len(text) > most or not one_line(text) or (name != "vat_id" and not text):
            raise Refused("invalid", "This field has 1 to %(most)s characters, in one line.", most=most, field=name)
    if wish.kind not in ("business", "consumer"):
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=wish.kind[:100],
                      known="business, consumer", field="kind")  # fmt: skip
    given = wish.vat_id.strip()
    if given and vat_id.country_of(given) in vat_id.EU and not vat_id.is_valid(given):
        raise Refused("invalid", "“%(value)s” is no VAT id: compare it digit by digit.", value=given, field="vat_id")
