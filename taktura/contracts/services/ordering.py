"""Ordering: what a customer does by himself, on the order page or through another system."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Coupon, Tariff, TariffVersion
from taktura.catalog.offer_numbers import unknown, usable
from taktura.catalog.queries import version_in_force
from taktura.contracts.models import Contract, ContractCoupon, ContractLine
from taktura.contracts.services.signing import sign
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.kit.actor import Actor


@act
def order(
    actor: Actor,
    *,
    key: str,
    customer: Customer,
    tariff: Tariff,
    articles: dict[str, Decimal] | None = None,
    coupon: Coupon | None = None,
    code: str = "",
    offer_number: str | None = None,
) -> Contract:
    """A contract from the day of the order on: the tariff's included lines, and add-ons by article and quantity.

    A tariff that is not public is ordered by an offer number alone, which pins the version; why one cannot be used is
    not said to whoever orders. With a coupon an add-on costs its base price less the coupon, and its discount scale
    waits while the coupon runs (R10.3); it is named, or redeemed by the `code` that was typed. Raises `Refused`:
    `unknown_offer_number`, `invalid` (an article that customers cannot book themselves), and what `sign` refuses.
    """
    day = actor.today(customer.seller.time_zone)
    ordered_version(tariff, offer_number, articles or {}, day)
    contract = sign(
        actor,
        key=key,
        customer=customer,
        tariff=tariff,
        start=day,
        offer_number=offer_number,
        quantities=articles,
        coupon=coupon,
        code=code,
    )
    given = ContractCoupon.objects.select_related("coupon").filter(contract=contract).first()
    if given is not None:
        chosen = ContractLine.objects.filter(contract=contract).exclude(booking="included")
        if given.coupon.articles:
            chosen = chosen.filter(article__key__in=given.coupon.articles)
        chosen.update(order_coupon=given.pk)
    record(actor, "order", f"contract:{contract.pk}", {"contract": key, "articles": articles or {}})
    return contract


def ordered_version(
    tariff: Tariff, offer_number: str | None, articles: Mapping[str, Decimal], day: date
) -> TariffVersion:
    """The version that an order of a day gets. Raises `Refused` for what customers cannot order, as `order` does."""
    if not tariff.public and offer_number is None:
        raise Refused("unknown_offer_number", "“%(key)s” is not public: order it by its offer number.", key=tariff.key)
    version = _version(tariff, offer_number, day)
    _check_bookable(version, articles)
    return version


def _version(tariff: Tariff, offer_number: str | None, day: date) -> TariffVersion:
    """The version that is ordered. Raises `Refused` (`unknown_offer_number`) without the reason."""
    if offer_number is None:
        return version_in_force(tariff, day)
    try:
        return usable(offer_number, tariff, day).version
    except Refused:
        raise unknown(offer_number) from None


def _check_bookable(version: TariffVersion, articles: Mapping[str, Decimal]) -> None:
    """What its line leaves to staff no customer books; what the tariff includes has no quantity to choose."""
    lines = version.lines.filter(article__key__in=articles).select_related("article")
    for line in lines:
        if line.booking == "included" or line.terms.get("bookable_by") == "staff":
            raise Refused(
                "invalid", "“%(article)s” cannot be ordered by a customer: book it for them.", article=line.article.key
            )
