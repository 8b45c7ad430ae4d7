"""Offer numbers of tariffs."""

from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Day, In, Key, Out, Text40, Text200
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.catalog import offer_numbers as services
from taktura.catalog.models import OfferNumber
from taktura.catalog.queries import tariff_by_key

router = Router()


class OfferNumberIn(In):
    """A new offer number. It pins the version that holds today."""

    number: Annotated[Text40, Field(min_length=1)] | None = Field(None, description="left out: drawn at random")
    memo: Text200 = ""
    last_day: Day | None = None
    most_uses: Annotated[int, Field(ge=1, le=services.MOST_USES)] | None = None


class OfferNumberOut(Out):
    """An offer number; `state`: usable, or why it is not: revoked, expired, used_up."""

    number: str
    state: str
    memo: str
    version_from: date | None = Field(description="the day from which the pinned version holds; null: the beginning")
    made_at: datetime
    last_day: date | None
    most_uses: int | None
    uses: int
    revoked_at: datetime | None


class OfferNumbers(Out):
    """A page of offer numbers."""

    items: list[OfferNumberOut]
    next: str | None


def _shown(call: Call, number: OfferNumber) -> OfferNumberOut:
    start = number.version.valid_from
    return OfferNumberOut(
        number=number.number, state=services.state_of(number, call.today), memo=number.memo,
        version_from=None if start == date.min else start, made_at=number.made_at, last_day=number.last_day,
        most_uses=number.most_uses, uses=number.uses, revoked_at=number.revoked_at,
    )  # fmt: skip


def one(call: Call, tariff: str, number: str) -> OfferNumberOut:
    """The offer number of a tariff; raises `Refused` (`not_found`)."""
    return _shown(call, services.offer_number_of(tariff_by_key(call.seller.pk, tariff), number))


@endpoint(router, "GET", "/tariffs/{tariff}/offer_numbers", "tariffs.view", answer=OfferNumbers)
def list_offer_numbers(request: HttpRequest, tariff: Key, limit: Limit = LIMIT, after: After = "") -> OfferNumbers:
    """Offer numbers of a tariff, in the order in which they were made."""
    call = call_of(request)
    rows = OfferNumber.objects.select_related("version").filter(tariff=tariff_by_key(call.seller.pk, tariff))
    items, following = page_of(rows, limit, after)
    return OfferNumbers(items=[_shown(call, n) for n in items], next=following)


@endpoint(
    router, "POST", "/tariffs/{tariff}/offer_numbers", "tariffs.change", answer=OfferNumberOut, status=201,
    codes=("conflict",),
)  # fmt: skip
def create_offer_number(request: HttpRequest, tariff: Key, body: OfferNumberIn) -> Answer:
    """A new offer number, by which a tariff can be ordered that is not public, in the version that holds today."""
    call = call_of(request)
    made = services.create_offer_number(
        call.actor, tariff=tariff_by_key(call.seller.pk, tariff), number=body.number or "", memo=body.memo,
        last_day=body.last_day, most_uses=body.most_uses,
    )  # fmt: skip
    place = f"/api/v1/tariffs/{quote(tariff, safe='')}/offer_numbers/{quote(made.number, safe='')}"
    return Answer(one(call, tariff, made.number), {"Location": place})


@endpoint(router, "GET", "/tariffs/{tariff}/offer_numbers/{number}", "tariffs.view", answer=OfferNumberOut, etag=True)
def get_offer_number(request: HttpRequest, tariff: Key, number: Key) -> OfferNumberOut:
    """An offer number."""
    return one(call_of(request), tariff, number)


@endpoint(
    router, "POST", "/tariffs/{tariff}/offer_numbers/{number}/revoke", "tariffs.change", answer=OfferNumberOut, of=one
)  # fmt: skip
def revoke_offer_number(request: HttpRequest, tariff: Key, number: Key) -> OfferNumberOut:
    """Let nobody order by a number any more; contracts that came by it go on."""
    call = call_of(request)
    found = services.offer_number_of(tariff_by_key(call.seller.pk, tariff), number)
    services.revoke_offer_number(call.actor, number=found)
    return one(call, tariff, number)
