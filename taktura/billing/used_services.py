"""Services in use that no contract carries, month by month: what they would be sold for, or why they wait.

The price is that of the tariff which the seller has chosen for this (`ServicePricing`), in the version of the month's
first day. A month counts whole, as suppliers count it: from the first day of use in it to the last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery

from taktura.billing.models import ServicePricing, ServiceSale
from taktura.catalog.queries import lines_of, offered, tariff_line_terms, version_terms
from taktura.core.errors import Refused
from taktura.core.facts import MONTHLY, LineTerms, TariffTerms
from taktura.core.money import money, places
from taktura.core.periods import DAY, add
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import missing_billing_information, with_billing
from taktura.kit.bulk import among
from taktura.usage.models import ProductReference, SubscriptionLink, SupplierCustomer, SupplierSubscription
from taktura.usage.queries import fold

BACK = 3  # months that are over and can be sold
# How a row stands, as a condition.
STATES: dict[str, Q] = {
    "waiting": Q(item__isnull=True, left_out=False),
    "sold": Q(item__isnull=False, item__document__isnull=True),
    "billed": Q(item__document__isnull=False),
    "left_out": Q(left_out=True),
}
BY_SUPPLIER = ("cost_plus", "imported_price")  # what the supplier's costs or prices decide
# Why a service is not sold yet.
REASONS = ("billing_information", "carried", "article", "price", "vat", "quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedService:
    """A service of a month as it would be sold: `reason` says why not, else it is empty and there is a `price`."""

    sale: ServiceSale
    customer: Customer
    title: str
    article: str
    price: Decimal | None
    currency: str
    reason: str

    @property
    def net(self) -> Decimal | None:
        """Price times quantity in the price's basis, rounded as the line will be (R1.2); None where it waits."""
        if self.price is None or self.sale.quantity is None:
            return None
        return money(self.price * self.sale.quantity, places(self.currency)).exact


@dataclass(frozen=True, slots=True)
class _Priced:
    """A tariff's line in one month."""

    terms: LineTerms
    reason: str


def months_over(today: date) -> list[date]:
    """The months that can be sold, by their first days: the last ones that are over, the newest first."""
    this = today.replace(day=1)
    return [add(this, MONTHLY, -n) for n in range(1, BACK + 1)]


def check_month(month: date, today: date) -> None:
    """Raise `Refused` (`invalid`) unless a month can be sold."""
    if month not in months_over(today):
        raise Refused(
            "invalid", "Services are sold for one of the last %(number)s months that are over, by its first day.",
            number=BACK,
        )  # fmt: skip


def pricing_of(seller: Seller) -> ServicePricing:
    """By which tariff a seller sells services in use; raises `Refused` (`invalid`) where none is chosen."""
    found = ServicePricing.objects.select_related("tariff").filter(seller=seller).first()
    if found is None:
        raise Refused("invalid", "Choose the tariff first whose prices hold for services without a contract.")
    return found


def carried(month: date) -> Q:
    """Of subscriptions: that a contract line carries them on a day of a month."""
    end = add(month, MONTHLY, 1)
    ties = SubscriptionLink.objects.filter(subscription=OuterRef("pk"), line__start__lt=end)
    return Q(Exists(ties.filter(Q(line__end__isnull=True) | Q(line__end__gt=month))))


def to_be_sold(seller: Seller, month: date) -> QuerySet[SupplierSubscription]:
    """The subscriptions in use in a month that no contract carries and that no row of the month has yet; each with its
    customer's id, `owner`."""
    end = add(month, MONTHLY, 1)
    owner = SupplierCustomer.objects.filter(
        supplier=OuterRef("supplier"), folded=OuterRef("customer_folded"), customer__isnull=False
    )
    known = ServiceSale.objects.filter(subscription=OuterRef("pk"), month=month)
    rows = SupplierSubscription.objects.filter(supplier__seller=seller).exclude(customer_folded="")
    rows = rows.filter(Q(start__isnull=True) | Q(start__lt=end), Q(end__isnull=True) | Q(end__gte=month))
    rows = rows.filter(Q(quantity__isnull=True) | Q(quantity__gt=0)).filter(~carried(month), ~Exists(known))
    return rows.annotate(owner=Subquery(owner.values("customer")[:1])).filter(owner__isnull=False).order_by("pk")


def planned(seller: Seller, month: date) -> list[ServiceSale]:
    """The rows that a month would get, not yet written."""
    rows: Iterable[Any] = to_be_sold(seller, month).select_related("supplier")
    return [ServiceSale(customer_id=row.owner, subscription=row, month=month, quantity=row.quantity) for row in rows]


def sold_until(subscriptions: Iterable[int]) -> dict[int, date]:
    """The first day after the last month for which subscriptions are sold; one query."""
    rows = ServiceSale.objects.filter(subscription__in=among(set(subscriptions)), item__isnull=False).order_by()
    last = rows.values_list("subscription").annotate(last=Max("month"))
    return {pk: add(month, MONTHLY) for pk, month in last}


def state_of(sale: ServiceSale) -> str:
    """How a row (with its item) stands: one of `STATES`."""
    if sale.left_out:
        return "left_out"
    if sale.item is None:
        return "waiting"
    return "billed" if sale.item.document_id is not None else "sold"


def waiting(seller: Seller) -> QuerySet[ServiceSale]:
    """The rows of a seller that are neither sold nor left out."""
    return ServiceSale.objects.filter(customer__seller=seller, item__isnull=True, left_out=False)


def look_at(seller: Seller, sales: Sequence[ServiceSale]) -> list[UsedService]:
    """What rows would be sold for, in their order; in a number of queries that grows with the months alone."""
    pricing = ServicePricing.objects.select_related("tariff").filter(seller=seller).first()
    customers = with_billing(s.customer_id for s in sales)
    articles = _articles([s.subscription for s in sales])
    prices = {month: _prices(seller, pricing, month) for month in {s.month for s in sales}}
    tied = {month: _carried(month, [s.subscription_id for s in sales if s.month == month]) for month in prices}
    currency = pricing.tariff.currency if pricing else seller.currency
    return [
        _looked(sale, customers[sale.customer_id], articles, prices[sale.month], tied[sale.month], currency)
        for sale in sales
    ]


def _looked(
    sale: ServiceSale,
    customer: Customer,
    articles: Mapping[tuple[int, str], str],
    prices: Mapping[str, _Priced],
    tied: set[int],
    currency: str,
) -> UsedService:
    row = sale.subscription
    article = articles.get((row.supplier_id, fold(row.product)), "") if row.product else ""
    priced = prices.get(article)
    reason, price, title = "", None, row.product_name or row.name or row.product or row.reference
    if row.pk in tied:
        reason = "carried"
    elif not article:
        reason = "article"
    elif priced is None:
        reason = "price"
    elif priced.reason:
        reason = priced.reason
    elif sale.quantity is None:
        reason = "quantity"
    if priced is not None:
        title = dict(priced.terms.titles).get(customer.language) or priced.terms.title or title
        price = priced.terms.price if not priced.reason else None
    if not reason and missing_billing_information(customer):
        reason = "billing_information"
    return UsedService(
        sale=sale, customer=customer, title=title, article=article, price=price, currency=currency, reason=reason
    )


def _prices(seller: Seller, pricing: ServicePricing | None, month: date) -> dict[str, _Priced]:
    """The lines of the tariff on a month's first day by their articles."""
    if pricing is None:
        return {}
    tariff = offered(seller.pk, [pricing.tariff.key])[pricing.tariff.key]
    if month < tariff.versions[0].valid_from:
        return {}
    version = tariff.in_force(month)
    whole = version_terms([version.pk])[version.pk]
    rows = [line for line in lines_of(version) if line.charge in ("usage", "recurring")]
    terms = tariff_line_terms(line.pk for line in rows)
    return {line.article.key: _Priced(terms[line.pk], _against(terms[line.pk], whole)) for line in rows}


def _against(terms: LineTerms, whole: TariffTerms) -> str:
    """Why a line's price cannot stand for a month of one piece: it is by tiers, by time, nothing at all …"""
    if terms.vat is not None or whole.vat is not None:
        return "vat"  # a sale is taxed by the seller's rate
    one_price = (
        terms.price > 0 and terms.price_quantity == 1 and not terms.included and not terms.tiers
        and not terms.discount_scale and not terms.flat_price and terms.usage_pricing not in BY_SUPPLIER
        and terms.unit != "minute"
    )  # fmt: skip
    monthly = terms.price_per == MONTHLY if terms.charge == "recurring" else whole.interval == MONTHLY
    return "" if one_price and monthly else "price"


def _carried(month: date, subscriptions: Iterable[int]) -> set[int]:
    rows = SupplierSubscription.objects.filter(pk__in=among(subscriptions)).filter(carried(month))
    return set(rows.values_list("pk", flat=True))


def _articles(rows: Iterable[SupplierSubscription]) -> dict[tuple[int, str], str]:
    """The articles that suppliers' products stand for."""
    wanted = {(row.supplier_id, fold(row.product)) for row in rows if row.product}
    known = ProductReference.objects.filter(
        supplier__in={supplier for supplier, _ in wanted}, folded__in={product for _, product in wanted}
    )
    return {(s, folded): key for s, folded, key in known.values_list("supplier", "folded", "article__key")}


def last_day(month: date) -> date:
    """The last day of a month: on it a month's services are sold."""
    return add(month, MONTHLY, 1) - DAY
