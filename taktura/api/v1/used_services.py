"""Services that no contract carries: sold for the months that are over, or waiting with the reason."""

from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Day, Flag, In, Key, Out, Told
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.billing import services
from taktura.billing.models import ServiceSale
from taktura.billing.used_services import STATES, UsedService, look_at, pricing_of, state_of
from taktura.catalog.queries import tariff_by_key
from taktura.core.errors import Refused

router = Router()
State = Literal["waiting", "sold", "billed", "left_out"]
Chosen = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class UsedServiceOut(Out):
    """A service of a month. `id` is null before the month is sold. `lacks`: what it waits for."""

    id: int | None
    customer: str
    supplier: str
    subscription: str
    month: date = Field(description="its first day")
    title: str
    article: str
    quantity: Told | None
    price: Told | None = Field(description="of the tariff, for one and a month")
    currency: str
    state: str = Field(description="waiting, sold, billed or left_out")
    lacks: str | None = Field(description="billing_information, carried, article, price, vat or quantity")
    sales_item: int | None


class UsedServices(Out):
    """A page of services."""

    items: list[UsedServiceOut]
    next: str | None


class ServiceMonthIn(In):
    """A month to be sold: one of the last three that are over."""

    month: Day = Field(description="its first day")


class ServicesSold(Out):
    """What came of services: the sales items made (null in a preview), what is sold, and what waits."""

    sales_items: list[int] | None
    sold: list[UsedServiceOut]
    waiting: list[UsedServiceOut]


class ChosenServices(In):
    """Services by their ids."""

    services: list[Chosen] = Field(min_length=1, max_length=1000)


class ServicesLeftOut(Out):
    """How many services were left out."""

    left_out: int


class ServicePricingOut(Out):
    """By which tariff services without a contract are sold, and whether each month is sold by itself."""

    tariff: str
    nightly: bool


class ServicePricingIn(In):
    """The same, to be set."""

    tariff: Key
    nightly: Flag = False


@endpoint(router, "GET", "/used_services", "billing.view", answer=UsedServices)
def list_used_services(
    request: HttpRequest, state: State | None = None, month: Day | None = None, customer: Key | None = None,
    limit: Limit = LIMIT, after: After = "",
) -> UsedServices:  # fmt: skip
    """Services without a contract that were to be sold, in the order in which they were noted."""
    call = call_of(request)
    rows = ServiceSale.objects.filter(customer__seller=call.seller)
    if state is not None:
        rows = rows.filter(STATES[state])
    if month is not None:
        rows = rows.filter(month=month)
    if customer is not None:
        rows = rows.filter(customer__key=customer)
    found, following = page_of(rows.select_related("subscription__supplier", "item"), limit, after)
    return UsedServices(items=_told(look_at(call.seller, found)), next=following)


@endpoint(router, "POST", "/used_services", "sales.change", answer=ServicesSold)
def sell_used_services(request: HttpRequest, body: ServiceMonthIn, preview: bool = False) -> ServicesSold:
    """Make the sales items of a month's services without a contract. What was made before stays as it is."""
    call = call_of(request)
    if preview:
        found = services.preview_services(call.actor, seller=call.seller, month=body.month)
        ready, waits = ([one for one in found if bool(one.reason) is lacks] for lacks in (False, True))
        return ServicesSold(sales_items=None, sold=_told(ready), waiting=_told(waits))
    return _sold(call, services.sell_services(call.actor, seller=call.seller, month=body.month))


@endpoint(router, "POST", "/used_services/leave_out", "sales.change", answer=ServicesLeftOut, codes=("conflict",))
def leave_out_used_services(request: HttpRequest, body: ChosenServices) -> ServicesLeftOut:
    """Leave services out of their month, as long as they are not billed. The others of a sales item are sold anew."""
    call = call_of(request)
    _check(call, body)
    return ServicesLeftOut(
        left_out=services.leave_out_services(call.actor, seller=call.seller, sales=body.services)
    )  # fmt: skip


@endpoint(router, "POST", "/used_services/take_up", "sales.change", answer=ServicesSold)
def take_up_used_services(request: HttpRequest, body: ChosenServices) -> ServicesSold:
    """Take services up again that were left out; what lacks nothing is sold at once."""
    call = call_of(request)
    _check(call, body)
    return _sold(call, services.take_up_services(call.actor, seller=call.seller, sales=body.services))


@endpoint(router, "GET", "/used_services/pricing", "billing.view", answer=ServicePricingOut)
def get_service_pricing(request: HttpRequest) -> ServicePricingOut:
    """By which tariff services without a contract are sold."""
    found = pricing_of(call_of(request).seller)
    return ServicePricingOut(tariff=found.tariff.key, nightly=found.nightly)


@endpoint(router, "PUT", "/used_services/pricing", "sales.change", answer=ServicePricingOut, codes=("tariff_retired",))
def put_service_pricing(request: HttpRequest, body: ServicePricingIn) -> ServicePricingOut:
    """Choose the tariff whose prices hold for services without a contract, and whether each month is sold by itself."""
    call = call_of(request)
    tariff = tariff_by_key(call.seller.pk, body.tariff)
    services.price_services(call.actor, seller=call.seller, tariff=tariff, nightly=body.nightly)
    return ServicePricingOut(tariff=tariff.key, nightly=body.nightly)


def _check(call: Call, body: ChosenServices) -> None:
    wanted = set(body.services)
    known = ServiceSale.objects.filter(customer__seller=call.seller, pk__in=wanted).values_list("pk", flat=True)
    for pk in sorted(wanted - set(known)):
        raise Refused("not_found", "There is no service %(id)s.", id=pk)


def _sold(call: Call, sold: services.Sold) -> ServicesSold:
    rows = ServiceSale.objects.filter(item__in=sold.items).select_related("subscription__supplier", "item")
    found = _told(look_at(call.seller, list(rows.order_by("pk"))))
    return ServicesSold(sales_items=sold.items, sold=found, waiting=_told(sold.waiting))


def _told(found: list[UsedService]) -> list[UsedServiceOut]:
    return [
        UsedServiceOut(
            id=one.sale.pk, customer=one.customer.key, supplier=one.sale.subscription.supplier.key,
            subscription=one.sale.subscription.reference, month=one.sale.month, title=one.title, article=one.article,
            quantity=one.sale.quantity, price=one.price, currency=one.currency, state=state_of(one.sale),
            lacks=one.reason or None if state_of(one.sale) == "waiting" else None, sales_item=one.sale.item_id,
        )
        for one in found
    ]  # fmt: skip
