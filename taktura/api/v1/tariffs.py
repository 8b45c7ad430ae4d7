"""Tariffs with their versions; prices."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Amount, Day, In, Key, Number, Out, Text50
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.offer import TariffIn, TariffOut, TariffSummary, VersionIn, VersionOut, written
from taktura.api.v1.reach import ReachOut, reach_out
from taktura.billing.services import preview_version, publish_version
from taktura.catalog import services
from taktura.catalog.models import Tariff, TariffVersion
from taktura.catalog.offer_numbers import first_usable, folded
from taktura.catalog.queries import tariff_by_key, titles_on, version_in_force

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


class VersionDone(Out):
    """A version that was made; with `?preview=true` whom it would reach."""

    version: VersionOut | None
    preview: ReachOut | None


def shown_version(version: TariffVersion) -> VersionOut:
    """A version as it is told."""
    start = None if version.valid_from == date.min else version.valid_from
    return VersionOut.model_validate(
        services.described(version) | {"from": start, "applies_to": version.applies_to}
    )  # fmt: skip


def one(call: Call, tariff: str) -> TariffOut:
    """The tariff of a key with its versions; raises `Refused` (`not_found`)."""
    found = tariff_by_key(call.seller.pk, tariff)
    versions = list(TariffVersion.objects.filter(tariff=found).prefetch_related("lines__article"))
    current = next((v for v in reversed(versions) if v.valid_from <= call.today), versions[0])
    return TariffOut(
        tariff=found.key, title=current.title, module=found.module_key, public=found.public,
        order_approval=found.order_approval,
        offer_number=first_usable([found.pk], call.today).get(found.pk), anchor=current.anchor, notice=current.notice,
        trial=str(current.trial) if current.trial else None, currency=found.currency, retired=found.retired,
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
    found = Tariff.objects.select_related("module").filter(seller=call.seller)
    if public is not None:
        found = found.filter(public=public)
    if retired is not None:
        found = found.filter(retired=retired)
    if offer_number:
        found = found.filter(offer_numbers__folded=folded(offer_number))
    items, following = page_of(found, limit, after)
    titles = titles_on([t.pk for t in items], call.today)
    numbers = first_usable([t.pk for t in items], call.today)
    shown = [
        TariffSummary(tariff=t.key, title=titles.get(t.pk, ""), module=t.module_key, public=t.public,
                      offer_number=numbers.get(t.pk), currency=t.currency, retired=t.retired)
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
    router, "POST", "/tariffs/{tariff}/versions", "tariffs.change", answer=VersionDone, status=201, of=one, codes=CODES
)  # fmt: skip
def publish_a_version(request: HttpRequest, tariff: Key, body: VersionIn, preview: bool = False) -> VersionDone:
    """A version from a day on: the one that holds then, with the fields changed that are given.

    With `applies_to` `all` it holds for running contracts from the next period that is not billed yet.
    """
    call = call_of(request)
    changes = written(body, "from_", "applies_to")
    return _version(call, tariff_by_key(call.seller.pk, tariff), body.from_, body.applies_to, changes, preview)


@endpoint(
    router, "POST", "/tariffs/{tariff}/price_update", "tariffs.change", answer=VersionDone, status=201, of=one,
    codes=CODES,
)  # fmt: skip
def price_update(request: HttpRequest, tariff: Key, body: PriceUpdate, preview: bool = False) -> VersionDone:
    """New prices for all contracts from their next period on.

    By percent prices, tier prices and flat amounts move; minimum sales, cost cap and a contract's own prices do not.
    """
    call = call_of(request)
    found = tariff_by_key(call.seller.pk, tariff)
    changes = services.moved_prices(version_in_force(found, body.from_), body.percent, dict(body.lines or {}))
    return _version(call, found, body.from_, "all", changes, preview)


def _version(
    call: Call, tariff: Tariff, day: date, applies_to: str, changes: dict[str, Any], preview: bool
) -> VersionDone:
    wanted: dict[str, Any] = {"tariff": tariff, "valid_from": day, "applies_to": applies_to, "changes": changes}
    if preview:
        return VersionDone(version=None, preview=reach_out(preview_version(**wanted), tariff.currency))
    return VersionDone(version=shown_version(publish_version(call.actor, **wanted)), preview=None)
