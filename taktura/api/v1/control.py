"""Control: alerts, and what flat prices bring."""

from datetime import date, datetime
from typing import Any, Literal, cast

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Currency, Day, Id, In, Key, Out, Told
from taktura.api.paging import LIMIT, After, Limit, cursor, page_of, places_in
from taktura.api.v1.documents import Order
from taktura.catalog.queries import article_by_key, tariff_by_key
from taktura.contracts.queries import by_key
from taktura.control import services
from taktura.control.models import Alert, FlatLine
from taktura.control.queries import alert_by_id, alerts_of, flat_lines_of, flat_months, in_state, state_on
from taktura.customers.queries import customer_by_key

router = Router()
VIEW, CHANGE = "control.view", "control.change"
Kind = Literal["cap", "flat", "included"]
Months = Literal["3", "6", "12", "24"]
State = Literal["open", "ignored", "reached", "resolved"]


class AlertOut(Out):
    """A bound that usage has crossed in a billing period, or will. Numbers are amounts in `currency`; of `included`
    they are quantities in `unit`."""

    id: int
    kind: Kind
    forecast: bool
    customer: str
    contract: str
    article: str | None = Field(description="null for the cap, which is the contract's")
    start: date
    until: date = Field(description="the first day after the period")
    currency: str
    unit: str
    value: Told = Field(description="what was used")
    bound: Told = Field(description="the cap, the flat price, the included quantity, as prorated")
    tolerance: Told = Field(description="percent")
    foreseen: Told = Field(description="the value at the end of the period if usage goes on like this")
    days: int = Field(description="of the period")
    begun: int = Field(description="how many of them had begun")
    state: State
    ignored_until: date | None = Field(description="the day on which it is open again; null: for good")
    raised_at: datetime
    changed_at: datetime
    resolved_at: datetime | None


class Alerts(Out):
    """A page of alerts."""

    items: list[AlertOut]
    next: str | None


class IgnoreIn(In):
    """How long an alert rests."""

    until: Day | None = Field(None, description="the day on which it is open again; null: for good")


class FlatPriceOut(Out):
    """A flat price of a contract over the last twelve months. `gain` is `fee` less `notional`: below zero it loses."""

    line: int
    customer: str
    contract: str
    article: str
    tariff: str
    currency: str
    periods: int
    above: int = Field(description="periods in which the minutes are worth more than the fee")
    minutes: Told
    notional: Told = Field(description="the minutes at the reference price")
    fee: Told
    gain: Told


class FlatPrices(Out):
    """A page of flat prices, the worst first."""

    items: list[FlatPriceOut]
    next: str | None


class FlatMonthOut(Out):
    """What flat prices brought in the billing periods that begin in a month, in one currency."""

    month: date = Field(description="its first day")
    currency: str
    periods: int
    above: int
    minutes: Told
    notional: Told
    fee: Told


class FlatMonths(Out):
    """The last twelve months."""

    items: list[FlatMonthOut]


def _today(call: Call) -> date:
    return call.actor.today(call.seller.time_zone)


def _shown(alert: Alert, today: date) -> AlertOut:
    same = {
        name: getattr(alert, name)
        for name in (
            "kind", "forecast", "start", "unit", "value", "bound", "tolerance", "foreseen", "days", "begun",
            "ignored_until", "raised_at", "changed_at", "resolved_at",
        )
    }  # fmt: skip
    return AlertOut(
        **same, id=alert.pk, customer=alert.contract.customer.key, contract=alert.contract.key,
        article=alert.line.article.key if alert.line else None, until=alert.end, currency=alert.contract.currency,
        state=cast(State, state_on(alert, today)),
    )  # fmt: skip


def one(call: Call, alert: int) -> AlertOut:
    """An alert; raises `Refused` (`not_found`)."""
    return _shown(alert_by_id(call.seller.pk, alert), _today(call))


@endpoint(router, "GET", "/alerts", VIEW, answer=Alerts)
def list_alerts(
    request: HttpRequest,
    state: State | None = None,
    kind: Kind | None = None,
    forecast: bool | None = None,
    customer: Key | None = None,
    contract: Key | None = None,
    tariff: Key | None = None,
    order: Order = "newest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Alerts:
    """Alerts. One that was ignored until a day is open again on it."""
    call = call_of(request)
    seller, today = call.seller.pk, _today(call)
    rows = alerts_of(seller)
    if state is not None:
        rows = in_state(rows, state, today)
    wanted: dict[str, Any] = {"kind": kind, "forecast": forecast}
    if customer is not None:
        wanted["contract__customer"] = customer_by_key(seller, customer)
    if contract is not None:
        wanted["contract"] = by_key(seller, contract)
    if tariff is not None:
        wanted["contract__tariff"] = tariff_by_key(seller, tariff)
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    items, following = page_of(rows, limit, after, newest_first=order == "newest_first")
    return Alerts(items=[_shown(alert, today) for alert in items], next=following)


@endpoint(router, "GET", "/alerts/{int:alert}", VIEW, answer=AlertOut, etag=True)
def get_alert(request: HttpRequest, alert: Id) -> AlertOut:
    """An alert."""
    return one(call_of(request), alert)


@endpoint(router, "POST", "/alerts/{int:alert}/ignore", CHANGE, answer=AlertOut, of=one)
def ignore_alert(request: HttpRequest, alert: Id, body: IgnoreIn) -> AlertOut:
    """Let an alert rest until a day, or for good. Its figures go on, and a correction still resolves it."""
    call = call_of(request)
    alert_by_id(call.seller.pk, alert)
    services.ignore(call.actor, seller=call.seller, alerts=[alert], until=body.until)
    return one(call, alert)


@endpoint(router, "POST", "/alerts/{int:alert}/reopen", CHANGE, answer=AlertOut, of=one)
def reopen_alert(request: HttpRequest, alert: Id) -> AlertOut:
    """Open an ignored alert again."""
    call = call_of(request)
    alert_by_id(call.seller.pk, alert)
    services.reopen(call.actor, seller=call.seller, alerts=[alert])
    return one(call, alert)


@endpoint(router, "GET", "/profitability", VIEW, answer=FlatPrices)
def list_flat_prices(
    request: HttpRequest,
    tariff: Key | None = None,
    article: Key | None = None,
    customer: Key | None = None,
    currency: Currency | None = None,
    months: Months = "12",
    limit: Limit = LIMIT,
    after: After = "",
) -> FlatPrices:
    """Flat prices with a reference price over the last months, the worst first; amounts of different currencies are no
    order: ask for one."""
    call = call_of(request)
    seller = call.seller.pk
    rows = flat_lines_of(seller, int(months))
    if currency is not None:
        rows = rows.filter(currency=currency)
    wanted = _wanted(seller, tariff, article, customer)
    for name, value in wanted.items():
        rows = rows.filter(**{"contract__customer" if name == "customer" else name: value})
    if after:
        (place,) = places_in(after, 1)
        last = FlatLine.objects.filter(seller=seller, pk=place).values_list("gain", flat=True).first()
        if last is None:
            return FlatPrices(items=[], next=None)
        rows = rows.filter(Q(gain__gt=last) | Q(gain=last, pk__gt=place))
    found = list(rows.order_by("gain", "pk")[: limit + 1])
    following = cursor(found[limit - 1].pk) if len(found) > limit else None
    return FlatPrices(items=[_flat_price(row) for row in found[:limit]], next=following)


@endpoint(router, "GET", "/profitability/months", VIEW, answer=FlatMonths)
def list_flat_months(
    request: HttpRequest,
    tariff: Key | None = None,
    article: Key | None = None,
    customer: Key | None = None,
    months: Months = "12",
) -> FlatMonths:
    """What flat prices brought, month by month."""
    call = call_of(request)
    wanted = _wanted(call.seller.pk, tariff, article, customer)
    sums = flat_months(call.seller.pk, _today(call), months=int(months), **wanted)
    return FlatMonths(
        items=[FlatMonthOut(**{n: getattr(s, n) for n in FlatMonthOut.model_fields}) for s in sums]
    )  # fmt: skip


def _wanted(seller: int, tariff: str | None, article: str | None, customer: str | None) -> dict[str, int]:
    """The ids of what was asked for by key; raises `Refused` (`not_found`)."""
    found: dict[str, int] = {}
    if tariff is not None:
        found["tariff"] = tariff_by_key(seller, tariff).pk
    if article is not None:
        found["article"] = article_by_key(seller, article).pk
    if customer is not None:
        found["customer"] = customer_by_key(seller, customer).pk
    return found


def _flat_price(row: FlatLine) -> FlatPriceOut:
    same = ("currency", "periods", "above", "minutes", "notional", "fee", "gain")
    return FlatPriceOut(
        **{name: getattr(row, name) for name in same}, line=row.line_id, customer=row.contract.customer.key,
        contract=row.contract.key, article=row.article.key, tariff=row.tariff.key,
    )  # fmt: skip
