"""Tariffs with their versions; prices; coupons."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Amount, Day, In, Key, Number, Out, Text50, Told, Whole
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.offer import TariffIn, TariffOut, TariffSummary, VersionIn, VersionOut, written
from taktura.billing.services import publish_version
from taktura.catalog import services
from taktura.catalog.models import Coupon, Tariff, TariffVersion
from taktura.catalog.queries import coupon_by_key, tariff_by_key, title_on, titles_on, version_in_force

router = Router()
CODES = ("no_flagged_line", "minimum_above_cap", "overlapping_flags")


class Tariffs(Out):
    """A page of tariffs."""

    items: list[TariffSummary]
    next: str | None


class PriceUpdate(In):
    """New prices from a day on: all moved by `percent`, or single `lines` set anew."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    percent: Number | None = None
    lines: Annotated[dict[Key, Amount], Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "PriceUpdate":
        if (self.percent is None) == (self.lines is None):
            raise PydanticCustomError("one_of", "one of both", {"names": "percent, lines"})
        return self


class CouponIn(In):
    """A new coupon: either `percent` or `amount`."""

    coupon: Annotated[Key, Field(max_length=50)]
    percent: Amount | None = None
    amount: Amount | None = None
    periods: Whole | None = Field(None, ge=1, le=1000, description="for so many periods; null: for good")
    lines: list[Key] | None = Field(None, max_length=500, description="articles; none: all")


class CouponOut(Out):
    """A coupon."""

    coupon: str
    percent: Told | None
    amount: Told | None
    periods: int | None
    lines: list[str]


class Coupons(Out):
    """A page of coupons."""

    items: list[CouponOut]
    next: str | None


def shown_version(version: TariffVersion) -> VersionOut:
    """A version as it is told."""
    start = None if version.valid_from == date.min else version.valid_from
    return VersionOut.model_validate(
        services.described(version) | {"from": start, "applies_to": version.applies_to}
    )  # fmt: skip


def one(call: Call, tariff: str) -> TariffOut:
    """The tariff of a key with its versions; raises `Refused` (`not_found`)."""
    found = tariff_by_key(call.seller.pk, tariff)
    versions = TariffVersion.objects.filter(tariff=found).prefetch_related("lines__article")
    return TariffOut(
        tariff=found.key, title=title_on(found, call.today), module=found.module, public=found.public,
        offer_number=found.offer_number, anchor=found.anchor, notice=found.notice,
        trial=str(found.trial) if found.trial else None, currency=found.currency, retired=found.retired,
        versions=[shown_version(v) for v in versions],
    )  # fmt: skip


@endpoint(router, "GET", "/tariffs", "tariffs.view", answer=Tariffs)
def list_tariffs(
    request: HttpRequest,
    public: bool | None = None,
    retired: bool | None = None,
    offer_number: Text50 = "",
    limit: Limit = LIMIT,
    after: After = "",
) -> Tariffs:
    """Tariffs, in the order in which they were made. Those that are `retired` cannot be ordered any more."""
    call = call_of(request)
    found = Tariff.objects.filter(seller=call.seller)
    if public is not None:
        found = found.filter(public=public)
    if retired is not None:
        found = found.filter(retired=retired)
    if offer_number:
        found = found.filter(offer_number=offer_number)
    items, following = page_of(found, limit, after)
    titles = titles_on([t.pk for t in items], call.today)
    shown = [
        TariffSummary(tariff=t.key, title=titles.get(t.pk, ""), module=t.module, public=t.public,
                      offer_number=t.offer_number, currency=t.currency, retired=t.retired)
        for t in items
    ]  # fmt: skip
    return Tariffs(items=shown, next=following)


@endpoint(router, "POST", "/tariffs", "tariffs.change", answer=TariffOut, status=201, etag=True, codes=CODES)
def define_tariff(request: HttpRequest, body: TariffIn) -> Answer:
    """A new tariff with its lines and later versions."""
    call = call_of(request)
    services.define_tariff(call.actor, seller=call.seller, key=body.tariff, **written(body, "tariff"))
    return Answer(one(call, body.tariff), location("tariffs", body.tariff))


@endpoint(router, "GET", "/tariffs/{tariff}", "tariffs.view", answer=TariffOut, etag=True)
def get_tariff(request: HttpRequest, tariff: Key) -> TariffOut:
    """A tariff with all its versions."""
    return one(call_of(request), tariff)


@endpoint(
    router, "DELETE", "/tariffs/{tariff}", "tariffs.change", answer=None, status=204, of=one, codes=("tariff_in_use",)
)  # fmt: skip
def delete_tariff(request: HttpRequest, tariff: Key) -> Answer:
    """Delete a tariff that was never ordered."""
    call = call_of(request)
    services.delete_tariff(call.actor, tariff=tariff_by_key(call.seller.pk, tariff))
    return Answer(None)


@endpoint(router, "POST", "/tariffs/{tariff}/retire", "tariffs.change", answer=TariffOut, of=one)
def retire_tariff(request: HttpRequest, tariff: Key) -> TariffOut:
    """Let nobody order a tariff any more (`tariff_retired`); contracts that have it go on."""
    call = call_of(request)
    services.retire_tariff(call.actor, tariff=tariff_by_key(call.seller.pk, tariff))
    return one(call, tariff)


@endpoint(router, "POST", "/tariffs/{tariff}/offer_again", "tariffs.change", answer=TariffOut, of=one)
def offer_tariff_again(request: HttpRequest, tariff: Key) -> TariffOut:
    """Let a retired tariff be ordered again."""
    call = call_of(request)
    services.offer_tariff_again(call.actor, tariff=tariff_by_key(call.seller.pk, tariff))
    return one(call, tariff)


@endpoint(
    router, "POST", "/tariffs/{tariff}/versions", "tariffs.change", answer=VersionOut, status=201, of=one, codes=CODES
)  # fmt: skip
def publish_a_version(request: HttpRequest, tariff: Key, body: VersionIn) -> VersionOut:
    """A version from a day on: the one that holds then, with the fields changed that are given.

    With `applies_to` `all` it holds for running contracts from the next period that is not billed yet.
    """
    call = call_of(request)
    changes = written(body, "from_", "applies_to")
    version = publish_version(
        call.actor, tariff=tariff_by_key(call.seller.pk, tariff), valid_from=body.from_, applies_to=body.applies_to,
        changes=changes,
    )  # fmt: skip
    return shown_version(version)


@endpoint(
    router, "POST", "/tariffs/{tariff}/price_update", "tariffs.change", answer=VersionOut, status=201, of=one,
    codes=CODES,
)  # fmt: skip
def price_update(request: HttpRequest, tariff: Key, body: PriceUpdate) -> VersionOut:
    """New prices for all contracts from their next period on.

    By percent prices, tier prices and flat amounts move; minimum sales, cost cap and a contract's own prices do not.
    """
    call = call_of(request)
    found = tariff_by_key(call.seller.pk, tariff)
    changes = services.moved_prices(version_in_force(found, body.from_), body.percent, dict(body.lines or {}))
    version = publish_version(call.actor, tariff=found, valid_from=body.from_, applies_to="all", changes=changes)
    return shown_version(version)


def shown_coupon(coupon: Coupon) -> CouponOut:
    """A coupon as it is told."""
    return CouponOut(
        coupon=coupon.key, percent=coupon.percent, amount=coupon.amount, periods=coupon.periods, lines=coupon.articles
    )


@endpoint(router, "GET", "/coupons", "tariffs.view", answer=Coupons)
def list_coupons(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Coupons:
    """Coupons, in the order in which they were made."""
    items, following = page_of(Coupon.objects.filter(seller=call_of(request).seller), limit, after)
    return Coupons(items=[shown_coupon(c) for c in items], next=following)


@endpoint(router, "POST", "/coupons", "tariffs.change", answer=CouponOut, status=201)
def define_coupon(request: HttpRequest, body: CouponIn) -> Answer:
    """A new coupon."""
    call = call_of(request)
    fields = body.model_dump(exclude={"coupon"}, exclude_unset=True)
    coupon = services.define_coupon(call.actor, seller=call.seller, key=body.coupon, **fields)
    return Answer(shown_coupon(coupon), location("coupons", coupon.key))


@endpoint(router, "GET", "/coupons/{coupon}", "tariffs.view", answer=CouponOut, etag=True)
def get_coupon(request: HttpRequest, coupon: Key) -> CouponOut:
    """A coupon."""
    return shown_coupon(coupon_by_key(call_of(request).seller.pk, coupon))
