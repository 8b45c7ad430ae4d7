"""Coupons: what may be given to contracts, until when and how often; and the codes by which one is redeemed.

A coupon without codes is redeemed by its key, which many may know. Once codes are drawn for it, its key opens nothing
to customers any more: each code is for one contract. Staff can give either by choosing the coupon.
"""

import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Coupon, CouponCode
from taktura.catalog.offer_numbers import ALPHABET, folded
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.bulk import copy_rows
from taktura.kit.exact import decimal, number

GROUPS, GROUP = 4, 4  # 16 letters of 25: 74 bits
MOST_CODES = 10_000  # drawn at once
MOST_CHARACTERS = 50
MOST_USES = 1_000_000_000
FREE = ("title", "first_day", "last_day", "most_uses")  # can be changed after it was redeemed, too
STATES = ("running", "coming", "over", "used_up", "off")


@dataclass(frozen=True, slots=True)
class Usable:
    """A coupon that can be redeemed, and the code by which; None: by its key, or chosen by staff."""

    coupon: Coupon
    code: CouponCode | None = None


def state_of(coupon: Coupon, today: date) -> str:
    """`running`, or why it cannot be redeemed: `off`, `used_up`, `over`, `coming`."""
    if coupon.off:
        return "off"
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        return "used_up"
    if coupon.last_day is not None and today > coupon.last_day:
        return "over"
    return "coming" if coupon.first_day is not None and today < coupon.first_day else "running"


def in_state(rows: QuerySet[Coupon], state: str, today: date) -> QuerySet[Coupon]:
    """The coupons of a state, as `state_of` has it."""
    used_up = Q(most_uses__isnull=False, uses__gte=F("most_uses"))
    over, coming = Q(last_day__lt=today), Q(first_day__gt=today)
    over, coming = Q(last_day__isnull=False) & over, Q(first_day__isnull=False) & coming
    return rows.filter(
        {
            "off": Q(off=True),
            "used_up": Q(off=False) & used_up,
            "over": Q(off=False) & ~used_up & over,
            "coming": Q(off=False) & ~used_up & ~over & coming,
            "running": Q(off=False) & ~used_up & ~over & ~coming,
        }[state]
    )


def code_state(code: CouponCode) -> str:
    """`free`, `used` or `revoked`."""
    if code.used_at is not None:
        return "used"
    return "revoked" if code.revoked_at is not None else "free"


def usable(seller: Seller, code: str, day: date) -> Usable:
    """What a typed code opens on a day: a code that was drawn, or the key of a coupon that has none.

    However it was typed, in small letters or without hyphens. Raises `Refused`, each with the field `coupon`:
    `not_found`, and `invalid` for what cannot be redeemed on that day, with the reason.
    """
    plain = folded(code)
    single = CouponCode.objects.select_related("coupon").filter(seller=seller, folded=plain).first() if plain else None
    if single is not None:
        found = Usable(single.coupon, single)
    else:
        coupon = Coupon.objects.filter(seller=seller, folded=plain).first() if plain else None
        if coupon is None or coupon.codes.exists():
            raise Refused("not_found", "There is no coupon “%(key)s”.", key=code[:100], field="coupon")
        found = Usable(coupon)
    check(found, day)
    return found


def wanted(seller: Seller, coupon: Coupon | None, code: str, day: date) -> Usable | None:
    """What is to be redeemed: by a typed `code`, else a `coupon` that staff chose, or nothing. Refuses as `usable`."""
    if code:
        return usable(seller, code, day)
    if coupon is None:
        return None
    found = Usable(coupon)
    check(found, day)
    return found


def chosen(seller: Seller, name: str) -> dict[str, Any]:
    """What services take where staff, or a system of theirs, names a coupon by its key or types a code."""
    coupon = Coupon.objects.filter(seller=seller, key=name).first()
    return {"coupon": coupon} if coupon is not None else {"code": name}


def check(found: Usable, day: date) -> None:
    """Raises `Refused` (`invalid`) with the reason why a coupon, or its code, cannot be redeemed on a day."""
    coupon, state = found.coupon, state_of(found.coupon, day)
    if state == "off":
        raise Refused("invalid", "The coupon “%(key)s” is switched off.", key=coupon.key, field="coupon")
    if state == "used_up":
        raise Refused("invalid", "The coupon “%(key)s” is used up: %(most)s of %(most)s uses.", key=coupon.key,
                      most=coupon.most_uses, field="coupon")  # fmt: skip
    if state == "over":
        raise Refused("invalid", "The coupon “%(key)s” could be redeemed until %(day)s.", key=coupon.key,
                      day=coupon.last_day, field="coupon")  # fmt: skip
    if state == "coming":
        raise Refused("invalid", "The coupon “%(key)s” can be redeemed from %(day)s on.", key=coupon.key,
                      day=coupon.first_day, field="coupon")  # fmt: skip
    if found.code is not None and code_state(found.code) == "used":
        raise Refused("invalid", "The code “%(typed)s” has been used already.", typed=found.code.code, field="coupon")
    if found.code is not None and code_state(found.code) == "revoked":
        raise Refused("invalid", "The code “%(typed)s” is revoked.", typed=found.code.code, field="coupon")


def use(actor: Actor, found: Usable) -> Usable:
    """Count one use of a coupon, and its code as used, in the caller's transaction; gives them as they are locked.

    Of two who take the last one at once, the second is refused as `usable` does.
    """
    coupon = Coupon.objects.select_for_update(of=("self",)).select_related("seller").get(pk=found.coupon.pk)
    code = CouponCode.objects.select_for_update().get(pk=found.code.pk) if found.code else None
    locked = Usable(coupon, code)
    check(locked, actor.today(coupon.seller.time_zone))
    Coupon.objects.filter(pk=coupon.pk).update(uses=F("uses") + 1)
    if code is not None:
        code.used_at = actor.now
        code.save(update_fields=["used_at"])
    return locked


@act
def define_coupon(actor: Actor, *, seller: Seller, key: str, **fields: Any) -> Coupon:
    """Make a coupon: `percent` or `amount`, `periods`, `lines` (keys of articles), `title`; `first_day` and `last_day`
    on which it may be redeemed, `most_uses`: how often.

    Raises `Refused`: `conflict` where there is a coupon or a code of that name (without case and signs), `invalid`.
    """
    text, plain = key.strip(), folded(key)
    if not plain or len(text) > MOST_CHARACTERS:
        raise Refused("invalid", "A coupon's code has 1 to %(most)s characters, of which one is a letter or a digit.",
                      most=MOST_CHARACTERS, field="coupon")  # fmt: skip
    taken = {"seller": seller, "folded": plain}
    if Coupon.objects.filter(**taken).exists() or CouponCode.objects.filter(**taken).exists():
        raise Refused("conflict", "There is a coupon “%(key)s” already: choose another code.", key=text, field="coupon")
    coupon = Coupon(seller=seller, key=text, folded=plain)
    _set(coupon, fields)
    coupon.save(force_insert=True)
    record(actor, "define_coupon", f"coupon:{coupon.pk}", {"key": text, **fields})
    return coupon


@act
def change_coupon(actor: Actor, *, coupon: Coupon, **fields: Any) -> Coupon:
    """Change the fields named. Once it was redeemed, only its title, when and how often it may be redeemed.

    Raises `Refused` (`invalid`): what it takes off would change for those who have it; fewer uses than it has had.
    """
    coupon.refresh_from_db()
    changed = {name: value for name, value in fields.items() if value != stored(coupon)[name]}
    fixed = sorted(changed.keys() - set(FREE))
    if fixed and coupon.uses:
        raise Refused("invalid", "The coupon has been redeemed: what it takes off stays. Make another one.",
                      field=fixed[0])  # fmt: skip
    if changed:
        _set(coupon, {**stored(coupon), **changed})
        coupon.save()
        record(actor, "change_coupon", f"coupon:{coupon.pk}", {"key": coupon.key, **changed})
    return coupon


def stored(coupon: Coupon) -> dict[str, Any]:
    """A coupon's fields by the names that `define_coupon` takes."""
    return {
        "percent": coupon.percent, "amount": coupon.amount, "periods": coupon.periods, "lines": list(coupon.articles),
        **{name: getattr(coupon, name) for name in FREE},
    }  # fmt: skip


def _set(coupon: Coupon, fields: dict[str, Any]) -> None:
    percent, amount = _off(fields)
    periods, most, first, last = (fields.get(n) for n in ("periods", "most_uses", "first_day", "last_day"))
    if periods is not None and periods < 1:
        raise Refused("invalid", "A coupon counts for one period at least.", field="periods")
    if first is not None and last is not None and last < first:
        raise Refused("invalid", "The last day comes before the first.", field="last_day")
    if most is not None and not 1 <= most <= MOST_USES:
        raise Refused("invalid", "A coupon can be redeemed once at least.", field="most_uses")
    if most is not None and most < coupon.uses:
        raise Refused(
            "invalid", "It has been redeemed more often already: %(uses)s.", uses=coupon.uses, field="most_uses"
        )
    coupon.percent, coupon.amount, coupon.periods = percent, amount, periods
    coupon.articles, coupon.title = list(fields.get("lines") or ()), (fields.get("title") or "").strip()
    coupon.first_day, coupon.last_day, coupon.most_uses = first, last, most


def _off(fields: dict[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    percent, amount = fields.get("percent"), fields.get("amount")
    if (percent is None) == (amount is None):
        raise Refused("invalid", "A coupon takes either a percentage or an amount off.", field="percent")
    if percent is not None and not 0 < number(percent, "percent") <= 100:
        raise Refused("invalid", "A coupon takes more than 0 and at most 100 percent off.", field="percent")
    if amount is not None and number(amount, "amount") <= 0:
        raise Refused("invalid", "A coupon takes an amount of more than 0 off.", field="amount")
    return decimal(percent) if percent is not None else None, decimal(amount) if amount is not None else None


@act
def switch_coupon(actor: Actor, *, coupon: Coupon, off: bool) -> Coupon:
    """Switch a coupon off, or on again. Contracts that have it keep it; what is so already is left alone."""
    if Coupon.objects.filter(pk=coupon.pk, off=not off).update(off=off):
        record(actor, "switch_coupon", f"coupon:{coupon.pk}", {"key": coupon.key, "off": off})
    coupon.refresh_from_db()
    return coupon


def drawn() -> str:
    """A new code: `7KQD-M3XA-…`, four groups of four."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


@act
def draw_codes(actor: Actor, *, coupon: Coupon, count: int, memo: str = "") -> list[str]:
    """Draw so many codes of a coupon, each for one contract; gives them in the order of the list.

    Raises `Refused` (`invalid`) for less than 1 or more than 10,000.
    """
    if not 1 <= count <= MOST_CODES:
        raise Refused("invalid", "1 to %(most)s codes can be drawn at once.", most=MOST_CODES, field="count")
    codes: dict[str, str] = {}
    while len(codes) < count:
        codes.setdefault(folded(text := drawn()), text)
    memo = memo.strip()
    columns = ("coupon_id", "seller_id", "code", "folded", "memo", "made_at")
    rows = ((coupon.pk, coupon.seller_id, text, plain, memo, actor.now) for plain, text in codes.items())
    with transaction.atomic():
        copy_rows(CouponCode._meta.db_table, columns, rows)
    record(actor, "draw_codes", f"coupon:{coupon.pk}", {"key": coupon.key, "count": count, "memo": memo})
    return list(codes.values())


@act
def revoke_code(actor: Actor, *, code: CouponCode) -> CouponCode:
    """Let nobody redeem a code any more; done twice it changes nothing. Raises `Refused` (`invalid`): it was used."""
    code.refresh_from_db()
    if code.used_at is not None:
        raise Refused("invalid", "The code “%(typed)s” has been used already.", typed=code.code, field="code")
    if code.revoked_at is None:
        code.revoked_at = actor.now
        code.save(update_fields=["revoked_at"])
        record(actor, "revoke_code", f"coupon:{code.coupon_id}", {"key": code.coupon.key, "code": code.code})
    return code


@act
def revoke_free_codes(actor: Actor, *, coupon: Coupon) -> int:
    """Revoke all codes of a coupon that nobody has used; gives how many there were."""
    count = coupon.codes.filter(used_at=None, revoked_at=None).update(revoked_at=actor.now)
    if count:
        record(actor, "revoke_free_codes", f"coupon:{coupon.pk}", {"key": coupon.key, "count": count})
    return count


def code_of(coupon: Coupon, text: str) -> CouponCode:
    """A coupon's code, used or not; raises `Refused` (`not_found`)."""
    found = CouponCode.objects.select_related("coupon").filter(coupon=coupon, folded=folded(text)).first()
    if found is None:
        raise Refused("not_found", "The coupon has no code “%(typed)s”.", typed=text[:100])
    return found
