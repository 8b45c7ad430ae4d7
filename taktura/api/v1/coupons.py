"""Coupons, and the codes by which they are redeemed."""

from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Amount, Day, In, Key, Out, Text200, Told, Whole
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.catalog import coupons as services
from taktura.catalog.models import Coupon, CouponCode
from taktura.catalog.queries import coupon_by_key

router = Router()
Periods = Annotated[Whole | None, Field(ge=1, le=1000, description="for so many periods; null: for good")]
Lines = Annotated[list[Key] | None, Field(max_length=500, description="articles; none: all")]
Uses = Annotated[int | None, Field(ge=1, le=services.MOST_USES, description="how often; null: any number")]
FIRST = Field(None, description="the first day on which it may be redeemed; null: at once")
LAST = Field(None, description="the last day on which it may be redeemed; null: it never expires")


class CouponIn(In):
    """A new coupon: either `percent` or `amount`."""

    coupon: Annotated[Key, Field(max_length=50)]
    title: Text200 = ""
    percent: Amount | None = None
    amount: Amount | None = None
    periods: Periods = None
    lines: Lines = None
    first_day: Day | None = FIRST
    last_day: Day | None = LAST
    most_uses: Uses = None


class CouponChange(In):
    """What changes; what is left out stays. Once it was redeemed: title, days and uses alone."""

    title: Text200 | None = None
    percent: Amount | None = None
    amount: Amount | None = None
    periods: Periods = None
    lines: Lines = None
    first_day: Day | None = FIRST
    last_day: Day | None = LAST
    most_uses: Uses = None


class CouponOut(Out):
    """A coupon; `state`: running, or why it cannot be redeemed: coming, over, used_up, off."""

    coupon: str
    title: str
    state: str
    percent: Told | None
    amount: Told | None
    periods: int | None
    lines: list[str]
    first_day: date | None
    last_day: date | None
    most_uses: int | None
    uses: int


class Coupons(Out):
    """A page of coupons."""

    items: list[CouponOut]
    next: str | None


class Draw(In):
    """Codes to be drawn."""

    count: Annotated[Whole, Field(ge=1, le=services.MOST_CODES)]
    memo: Text200 = ""


class DrawnCodes(Out):
    """Codes that were drawn, each for one contract."""

    codes: list[str]


class RevokedCodes(Out):
    """How many codes were revoked."""

    revoked: int


class CodeOut(Out):
    """A code; `state`: free, used, revoked."""

    code: str
    state: str
    memo: str
    made_at: datetime
    used_at: datetime | None
    contract: str | None = Field(description="that was given the coupon by it")
    revoked_at: datetime | None


class Codes(Out):
    """A page of codes."""

    items: list[CodeOut]
    next: str | None


def _shown(call: Call, coupon: Coupon) -> CouponOut:
    return CouponOut(
        coupon=coupon.key, title=coupon.title, state=services.state_of(coupon, call.today), percent=coupon.percent,
        amount=coupon.amount, periods=coupon.periods, lines=coupon.articles, first_day=coupon.first_day,
        last_day=coupon.last_day, most_uses=coupon.most_uses, uses=coupon.uses,
    )  # fmt: skip


def _code(code: CouponCode) -> CodeOut:
    given = getattr(code, "contractcoupon", None)
    return CodeOut(
        code=code.code, state=services.code_state(code), memo=code.memo, made_at=code.made_at, used_at=code.used_at,
        contract=given.contract.key if given else None, revoked_at=code.revoked_at,
    )  # fmt: skip


def one(call: Call, coupon: str) -> CouponOut:
    """The coupon of a key; raises `Refused` (`not_found`)."""
    return _shown(call, coupon_by_key(call.seller.pk, coupon))


def one_code(call: Call, coupon: str, code: str) -> CodeOut:
    """A coupon's code; raises `Refused` (`not_found`)."""
    return _code(services.code_of(coupon_by_key(call.seller.pk, coupon), code))


@endpoint(router, "GET", "/coupons", "tariffs.view", answer=Coupons)
def list_coupons(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Coupons:
    """Coupons, in the order in which they were made."""
    call = call_of(request)
    items, following = page_of(Coupon.objects.filter(seller=call.seller), limit, after)
    return Coupons(items=[_shown(call, c) for c in items], next=following)


@endpoint(router, "POST", "/coupons", "tariffs.change", answer=CouponOut, status=201, codes=("conflict",))
def define_coupon(request: HttpRequest, body: CouponIn) -> Answer:
    """A new coupon. Its key is the code by which many can redeem it, until codes are drawn for it."""
    call = call_of(request)
    fields = body.model_dump(exclude={"coupon"}, exclude_unset=True)
    coupon = services.define_coupon(call.actor, seller=call.seller, key=body.coupon, **fields)
    return Answer(_shown(call, coupon), location("coupons", coupon.key))


@endpoint(router, "GET", "/coupons/{coupon}", "tariffs.view", answer=CouponOut, etag=True)
def get_coupon(request: HttpRequest, coupon: Key) -> CouponOut:
    """A coupon."""
    return one(call_of(request), coupon)


@endpoint(router, "PATCH", "/coupons/{coupon}", "tariffs.change", answer=CouponOut, etag=True, of=one)
def change_coupon(request: HttpRequest, coupon: Key, body: CouponChange) -> CouponOut:
    """Change a coupon. What it takes off stays once it was redeemed."""
    call = call_of(request)
    fields = body.model_dump(exclude_unset=True)
    for name, empty in (("title", ""), ("lines", [])):
        if name in fields and fields[name] is None:
            fields[name] = empty
    services.change_coupon(call.actor, coupon=coupon_by_key(call.seller.pk, coupon), **fields)
    return one(call, coupon)


@endpoint(router, "POST", "/coupons/{coupon}/switch_off", "tariffs.change", answer=CouponOut, of=one)
def switch_off_coupon(request: HttpRequest, coupon: Key) -> CouponOut:
    """Let nobody redeem a coupon any more; contracts that have it keep it."""
    return _switched(call_of(request), coupon, True)


@endpoint(router, "POST", "/coupons/{coupon}/switch_on", "tariffs.change", answer=CouponOut, of=one)
def switch_on_coupon(request: HttpRequest, coupon: Key) -> CouponOut:
    """Let a coupon that is switched off be redeemed again."""
    return _switched(call_of(request), coupon, False)


def _switched(call: Call, coupon: str, off: bool) -> CouponOut:
    services.switch_coupon(call.actor, coupon=coupon_by_key(call.seller.pk, coupon), off=off)
    return one(call, coupon)


@endpoint(router, "GET", "/coupons/{coupon}/codes", "tariffs.view", answer=Codes)
def list_codes(request: HttpRequest, coupon: Key, limit: Limit = LIMIT, after: After = "") -> Codes:
    """Codes of a coupon, in the order in which they were drawn, each with the contract that used it."""
    rows = CouponCode.objects.filter(coupon=coupon_by_key(call_of(request).seller.pk, coupon))
    items, following = page_of(rows.select_related("contractcoupon__contract"), limit, after)
    return Codes(items=[_code(c) for c in items], next=following)


@endpoint(router, "POST", "/coupons/{coupon}/codes", "tariffs.change", answer=DrawnCodes, status=201)
def draw_codes(request: HttpRequest, coupon: Key, body: Draw) -> Answer:
    """Draw codes of a coupon, each for one contract. From then on its key is no code any more."""
    call = call_of(request)
    found = coupon_by_key(call.seller.pk, coupon)
    codes = services.draw_codes(call.actor, coupon=found, count=body.count, memo=body.memo)
    return Answer(DrawnCodes(codes=codes), {"Location": f"/api/v1/coupons/{quote(coupon, safe='')}/codes"})


@endpoint(router, "GET", "/coupons/{coupon}/codes/{code}", "tariffs.view", answer=CodeOut, etag=True)
def get_code(request: HttpRequest, coupon: Key, code: Key) -> CodeOut:
    """A code of a coupon."""
    return one_code(call_of(request), coupon, code)


@endpoint(router, "POST", "/coupons/{coupon}/codes/{code}/revoke", "tariffs.change", answer=CodeOut, of=one_code)
def revoke_code(request: HttpRequest, coupon: Key, code: Key) -> CodeOut:
    """Let nobody redeem a code any more; one that was used is refused."""
    call = call_of(request)
    services.revoke_code(call.actor, code=services.code_of(coupon_by_key(call.seller.pk, coupon), code))
    return one_code(call, coupon, code)


@endpoint(router, "POST", "/coupons/{coupon}/revoke_codes", "tariffs.change", answer=RevokedCodes)
def revoke_free_codes(request: HttpRequest, coupon: Key) -> RevokedCodes:
    """Revoke all codes of a coupon that nobody has used."""
    call = call_of(request)
    found = coupon_by_key(call.seller.pk, coupon)
    return RevokedCodes(revoked=services.revoke_free_codes(call.actor, coupon=found))
