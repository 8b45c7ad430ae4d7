"""Orders: what somebody wants to have, sent by another system or on the order page, until it is a contract (R10.3)."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import (
    Amount,
    Country,
    Flag,
    Id,
    In,
    Key,
    Lines,
    Out,
    Text20,
    Text40,
    Text50,
    Text100,
    Text200,
    Told,
)
from taktura.api.paging import LIMIT, After, Limit, narrowed, page_of
from taktura.api.v1.contract_bodies import BillOut
from taktura.api.v1.document_bodies import drafts_out
from taktura.billing import services
from taktura.billing.services import Wish
from taktura.catalog.models import Tariff
from taktura.catalog.offer_numbers import tariff_of
from taktura.catalog.queries import tariff_by_key
from taktura.contracts.models import Order
from taktura.core.errors import Refused
from taktura.core.money import Money, places
from taktura.customers import vat_id
from taktura.customers.languages import language_of
from taktura.customers.models import VatCheck
from taktura.customers.vat_checks import latest

router = Router()
State = Literal["unconfirmed", "open", "done", "refused"]
Sorting = Literal["oldest_first", "newest_first"]
ORDERING = ("unknown_offer_number", "tariff_retired", "conflict")


class BuyerIn(In):
    """Who orders; of these customer and billing information are made."""

    name: Text200 = ""
    kind: Literal["business", "consumer"] = "business"
    language: Literal["en", "de", "sv"] | None = Field(
        None, description="of the mails, and of the customer; null: that of its country, else of the seller's"
    )
    street: Text200 = ""
    postcode: Text20 = ""
    city: Text100 = ""
    country: Country | None = Field(None, description="null: the seller's")
    email: Text200 = ""
    vat_id: Text20 = Field("", description="of a company in the EU; its check digits are checked")


class OrderIn(In):
    """An order: the tariff, or the offer number that opens one. A preview needs no `buyer`."""

    tariff: Key | None = Field(None, description="null: that of the offer number")
    offer_number: Annotated[Text40, Field(min_length=1)] | None = None
    quantities: dict[Key, Amount] = Field({}, max_length=500, description="of add-ons, by article")
    coupon: Text50 = Field("", description="its key, or one of its codes")
    buyer: BuyerIn | None = None
    mark: Annotated[Text20, Field(min_length=1)] | None = Field(
        None, description="of the preview that was shown: other prices by now are refused (`conflict`)"
    )
    confirmed: Flag = Field(
        False, description="you have made sure of the mail address; else it is asked to confirm the order by a link"
    )


class Refusal(In):
    """Why an order is refused; it is mailed to whoever ordered."""

    reason: Annotated[Lines, Field(min_length=1, max_length=2000)]


class PriceOut(Out):
    """A bill as it was shown."""

    on: date
    net: Told
    tax: Told
    gross: Told


class VatCheckOut(Out):
    """What VIES said of the VAT id: confirmed, refused, unanswered; `identifier`: of the question, at VIES."""

    state: str
    asked_at: datetime
    identifier: str


class BuyerOut(Out):
    """Who ordered, as it was sent."""

    name: str
    kind: str
    language: str
    street: str
    postcode: str
    city: str
    country: str
    email: str
    vat_id: str
    vat_check: VatCheckOut | None = Field(description="null: VIES was not asked")


class OrderOut(Out):
    """An order. `unconfirmed`: its link was mailed and is good until `expires_at`; `open`: it waits for approval;
    `done`: there is a contract; `refused`: with a reason. `prices`: the first bill and the next one, as shown."""

    order: int
    state: str
    tariff: str
    offer_number: str | None
    quantities: dict[str, str]
    coupon: str | None
    code: str = Field(description="of the coupon, as it was typed")
    buyer: BuyerOut
    currency: str
    prices: list[PriceOut]
    ordered_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    decided_at: datetime | None
    decided_by: str
    reason: str
    customer: str | None
    contract: str | None


class Orders(Out):
    """A page of orders."""

    items: list[OrderOut]
    next: str | None


class OrderPreview(Out):
    """What an order of today would come to: the first bill and the one that follows; `mark` stands for these prices."""

    prices: list[PriceOut]
    currency: str
    bills: list[BillOut]
    mark: str


class Placed(Out):
    """The order that was taken; with `?preview=true` what it would come to."""

    order: OrderOut | None
    preview: OrderPreview | None


def _prices(rows: list[dict[str, Any]], currency: str) -> list[PriceOut]:
    digits = places(currency)
    return [
        PriceOut(on=date.fromisoformat(row["on"]), **{n: Money(row[n], digits).exact for n in ("net", "tax", "gross")})
        for row in rows
    ]


def _all_shown(call: Call, orders: list[Order]) -> list[OrderOut]:
    checks = latest(call.seller.pk, (order.buyer["vat_id"] for order in orders))
    return [_shown(order, checks) for order in orders]


def _buyer(order: Order, checks: Mapping[str, VatCheck]) -> BuyerOut:
    check = checks.get(vat_id.normal(order.buyer["vat_id"]))
    return BuyerOut(
        name=order.name, kind=order.kind, language=order.language, email=order.email, **order.buyer,
        vat_check=VatCheckOut(state=check.state, asked_at=check.asked_at, identifier=check.identifier)
        if check else None,
    )  # fmt: skip


def _shown(order: Order, checks: Mapping[str, VatCheck]) -> OrderOut:
    contract = order.contract
    return OrderOut(
        order=order.pk, state=order.state, tariff=order.tariff.key,
        offer_number=order.offer_number.number if order.offer_number else None, quantities=order.articles,
        coupon=order.coupon.key if order.coupon else None, code=order.code,
        buyer=_buyer(order, checks), currency=order.tariff.currency,
        prices=_prices(order.prices, order.tariff.currency),
        ordered_at=order.ordered_at, expires_at=order.expires_at, confirmed_at=order.confirmed_at,
        decided_at=order.decided_at, decided_by=order.decided_by, reason=order.reason,
        customer=contract.customer.key if contract else None, contract=contract.key if contract else None,
    )  # fmt: skip


def one(call: Call, order: int) -> OrderOut:
    """An order by its id; raises `Refused` (`not_found`)."""
    return _all_shown(call, [services.order_by_id(call.seller.pk, order)])[0]


@endpoint(router, "GET", "/orders", "contracts.view", answer=Orders)
def list_orders(
    request: HttpRequest,
    state: State | None = None,
    tariff: Key | None = None,
    email: Text200 | None = None,
    order: Sorting = "oldest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Orders:
    """Orders, in the order in which they came; those with `state=open` wait for approval."""
    wanted = {"state": state, "tariff__key": tariff, "email__iexact": email}
    call = call_of(request)
    rows = narrowed(services.orders_of(call.seller.pk), wanted)
    items, following = page_of(rows, limit, after, newest_first=order == "newest_first")
    return Orders(items=_all_shown(call, items), next=following)


@endpoint(router, "POST", "/orders", "contracts.change", answer=Placed, status=201, codes=ORDERING)
def place_order(request: HttpRequest, body: OrderIn, preview: bool = False) -> Answer:
    """Take an order, as the order page does: once confirmed and approved it makes a customer and a contract.

    A preview gives the first bill and the one that follows, and a `mark`. Sent along with the order, it makes sure that
    nothing is ordered at other prices. For a customer that you know already, sign a contract instead.
    """
    call = call_of(request)
    wish = _wish(call, body)
    if preview:
        found = services.look_at(call.actor, wish=wish)
        rows = services.shown_prices(found)
        would = OrderPreview(
            prices=_prices(rows, wish.tariff.currency), currency=wish.tariff.currency, mark=services.mark_of(rows),
            bills=[BillOut(on=b.on, documents=drafts_out(b.documents)) for b in found.bills],
        )  # fmt: skip
        return Answer(Placed(order=None, preview=would))
    kept = services.take_order(
        call.actor, wish=wish, address=_address(request), seen=body.mark, confirmed=body.confirmed
    )
    return Answer(Placed(order=one(call, kept.pk), preview=None), location("orders", kept.pk))


@endpoint(router, "GET", "/orders/{int:order}", "contracts.view", answer=OrderOut, etag=True)
def get_order(request: HttpRequest, order: Id) -> OrderOut:
    """An order as it was sent, and what became of it."""
    return one(call_of(request), order)


@endpoint(
    router, "POST", "/orders/{int:order}/approve", "contracts.change", answer=OrderOut, of=one, codes=ORDERING
)  # fmt: skip
def approve_order(request: HttpRequest, order: Id) -> OrderOut:
    """Let an order take effect from today on: a customer, a contract, and a mail that says so."""
    call = call_of(request)
    services.approve_order(call.actor, order=services.order_by_id(call.seller.pk, order))
    return one(call, order)


@endpoint(
    router, "POST", "/orders/{int:order}/refuse", "contracts.change", answer=OrderOut, of=one, codes=("conflict",)
)  # fmt: skip
def refuse_order(request: HttpRequest, order: Id, body: Refusal) -> OrderOut:
    """Refuse an order, with the reason that is mailed."""
    call = call_of(request)
    services.refuse_order(call.actor, order=services.order_by_id(call.seller.pk, order), reason=body.reason)
    return one(call, order)


def _wish(call: Call, body: OrderIn) -> Wish:
    buyer: dict[str, Any] = (body.buyer or BuyerIn.model_validate({})).model_dump()
    buyer["country"] = buyer["country"] or call.seller.country
    buyer["language"] = buyer["language"] or language_of(buyer["country"], call.seller.country)
    articles = {key: Decimal(number) for key, number in body.quantities.items() if number}
    return Wish(
        tariff=_tariff(call, body), articles=articles, code=body.coupon, offer_number=body.offer_number, **buyer
    )


def _tariff(call: Call, body: OrderIn) -> Tariff:
    if body.tariff is not None:
        return tariff_by_key(call.seller.pk, body.tariff)
    if body.offer_number is None:
        raise Refused("invalid", "Name a tariff, or an offer number.", field="tariff")
    return tariff_of(call.seller.pk, body.offer_number)


def _address(request: HttpRequest) -> str:
    """The page that confirms an order, without the secret."""
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return base + reverse("order_confirm", args=["x"]).removesuffix("x/")
