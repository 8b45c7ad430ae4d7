"""Reads of control."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from taktura.catalog.models import Tariff, TariffVersion
from taktura.control.flat_prices import MONTHS, first_month
from taktura.control.models import Alert, FlatLine, FlatMonth, FlatPeriod
from taktura.core.errors import Refused

# What the navigation counts, for `billing.todo`: the alerts that are open on a day.
OPEN = """FROM control_alert a WHERE a.seller_id = %(seller)s AND a.state IN ('open', 'ignored')
    AND (a.state = 'open' OR a.ignored_until <= %(today)s)"""


def alerts_of(seller_id: int) -> QuerySet[Alert]:
    """A seller's alerts with what is shown of them."""
    rows = Alert.objects.filter(seller=seller_id)
    return rows.select_related("contract__customer", "contract__tariff", "line__article")


def in_state(alerts: QuerySet[Alert], state: str, today: date) -> QuerySet[Alert]:
    """The alerts in a state on a day: what was ignored until that day is open again."""
    again = Q(state="ignored", ignored_until__lte=today)
    if state == "open":
        return alerts.filter(Q(state="open") | again, state__in=["open", "ignored"])
    if state == "ignored":
        return alerts.filter(state="ignored").exclude(again)
    return alerts.filter(state=state)


def state_on(alert: Alert, today: date) -> str:
    """An alert's state on a day."""
    again = alert.state == "ignored" and alert.ignored_until is not None and alert.ignored_until <= today
    return "open" if again else alert.state


def alert_by_id(seller_id: int, pk: int) -> Alert:
    """A seller's alert by its id; raises `Refused` (`not_found`)."""
    rows = alerts_of(seller_id).select_related("contract__customer__billing_information", "contract__seller")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no alert “%(key)s”.", key=pk)
    return found


def offers_beside(tariff: Tariff, currency: str, day: date, most: int) -> list[TariffVersion]:
    """Other tariffs of the same module that are offered in a currency, in their versions of a day; by title."""
    rows = TariffVersion.objects.filter(
        tariff__seller=tariff.seller_id, tariff__module=tariff.module, tariff__currency=currency,
        tariff__retired=False, valid_from__lte=day,
    )  # fmt: skip
    current = rows.exclude(tariff=tariff).order_by("tariff_id", "-valid_from", "-id").distinct("tariff_id")
    return sorted(current.select_related("tariff__seller", "tariff__module"), key=lambda v: (v.title, v.pk))[:most]


@dataclass(frozen=True, slots=True)
class MonthSum:
    """What flat prices brought in a month, in one currency: fees, minutes at the reference price, how many periods and
    how many of them are above their fee."""

    month: date
    currency: str
    periods: int
    above: int
    minutes: Decimal
    notional: Decimal
    fee: Decimal


def flat_lines_of(seller_id: int, months: int = MONTHS) -> QuerySet[FlatLine]:
    """A seller's flat prices over the last months (one of `WINDOWS`), with what is shown of them."""
    rows = FlatLine.objects.filter(seller=seller_id, months=months)
    return rows.select_related("contract__customer", "article", "tariff")


def flat_months(
    seller_id: int,
    today: date,
    *,
    months: int = MONTHS,
    tariff: int | None = None,
    article: int | None = None,
    customer: int | None = None,
) -> list[MonthSum]:
    """The sums of the last months, by month and currency; of one tariff, article or customer if asked for."""
    first = first_month(today, months)
    wanted = {"tariff": tariff, "article": article}
    only = {name: value for name, value in wanted.items() if value is not None}
    rows: Any
    counts: dict[str, Any]
    if customer is None:
        rows = FlatMonth.objects.filter(seller=seller_id, month__gte=first, **only)
        counts = {"number": Sum("periods"), "over": Sum("above")}
    else:
        rows = FlatPeriod.objects.filter(contract__customer=customer, month__gte=first, **only)
        rows = rows.filter(seller=seller_id)
        counts = {"number": Count("pk"), "over": Count("pk", filter=Q(notional__gt=F("fee")))}
    sums = rows.values("month", "currency").annotate(
        **counts, time=Sum("minutes"), worth=Sum("notional"), fees=Sum("fee")
    )
    return [
        MonthSum(r["month"], r["currency"], r["number"], r["over"], r["time"], r["worth"], r["fees"])
        for r in sums.order_by("month", "currency")
        if r["number"]
    ]
