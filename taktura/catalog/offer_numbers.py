"""Offer numbers: by them a tariff can be ordered that is not public, in the version that they pin.

A number is drawn at random, so that nobody finds one by trying; a chosen one is as good as it was chosen.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import date
from typing import Final

from django.db.models import F, Q

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import OfferNumber, Tariff, TariffVersion
from taktura.catalog.queries import version_in_force
from taktura.core.errors import Refused
from taktura.kit.actor import Actor

# Of letters and digits that are taken for each other (0 O, 1 I L, 2 Z, 5 S, 8 B, U V) one at most is there.
ALPHABET: Final = "234679ACDEFGHJKMNPQRTVWXY"
GROUPS, GROUP = 5, 4  # 20 letters of 25: 92 bits
MOST_CHARACTERS = 40
MOST_USES = 1_000_000_000


def drawn() -> str:
    """A new number: `7KQD-M3XA-…`, five groups of four."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def folded(text: str) -> str:
    """A number as it is looked up: however it was typed, in small letters, with blanks or without hyphens."""
    return re.sub(r"[\W_]", "", text).upper()


def state_of(number: OfferNumber, today: date) -> str:
    """`usable`, or why not: `revoked`, `expired`, `used_up`."""
    if number.revoked_at is not None:
        return "revoked"
    if number.last_day is not None and today > number.last_day:
        return "expired"
    return "used_up" if number.most_uses is not None and number.uses >= number.most_uses else "usable"


def usable(text: str, tariff: Tariff, today: date, *, lock: bool = False) -> OfferNumber:
    """The offer number by which a tariff can be ordered on a day, with its version. `lock`: nobody else uses it before
    the transaction ends.

    Raises `Refused` (`unknown_offer_number`) with the reason, which is for staff alone: `unknown` is for strangers.
    """
    rows = OfferNumber.objects.select_related("version", "tariff").filter(
        tariff__seller=tariff.seller_id, folded=folded(text)
    )
    found = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if found is None:
        raise unknown(text)
    if found.tariff_id != tariff.pk:
        raise Refused(
            "unknown_offer_number", "The offer number “%(number)s” opens another tariff: “%(key)s”.",
            number=text, key=found.tariff.key, field="offer_number",
        )  # fmt: skip
    state = state_of(found, today)
    if state == "revoked":
        raise Refused("unknown_offer_number", "The offer number “%(number)s” is revoked: make another one.",
                      number=text, field="offer_number")  # fmt: skip
    if state == "expired":
        raise Refused("unknown_offer_number", "The offer number “%(number)s” could be used until %(day)s.",
                      number=text, day=found.last_day, field="offer_number")  # fmt: skip
    if state == "used_up":
        raise Refused("unknown_offer_number", "The offer number “%(number)s” is used up: %(most)s of %(most)s uses.",
                      number=text, most=found.most_uses, field="offer_number")  # fmt: skip
    return found


def unknown(text: str) -> Refused:
    """What a stranger is told of a number that cannot be used, whatever the reason."""
    return Refused(
        "unknown_offer_number", "No tariff can be ordered by the offer number “%(number)s”.", number=text[:100],
        field="offer_number",
    )  # fmt: skip


def tariff_of(seller_id: int, text: str) -> Tariff:
    """The tariff that an offer number opens, usable or not; raises `Refused` (`unknown_offer_number`)."""
    plain = folded(text)
    rows = Tariff.objects.select_related("seller", "module").filter(seller=seller_id, offer_numbers__folded=plain)
    found = rows.first() if plain else None
    if found is None:
        raise unknown(text)
    return found


def use(number: OfferNumber, tariff: Tariff, today: date) -> None:
    """Count one use of a number, in the caller's transaction: of two who take the last one at once, the second is
    refused as `usable` does."""
    locked = usable(number.number, tariff, today, lock=True)
    OfferNumber.objects.filter(pk=locked.pk).update(uses=F("uses") + 1)


@act
def create_offer_number(
    actor: Actor,
    *,
    tariff: Tariff,
    version: TariffVersion | None = None,
    number: str = "",
    memo: str = "",
    last_day: date | None = None,
    most_uses: int | None = None,
) -> OfferNumber:
    """Make an offer number of a tariff: drawn, or the `number` given. It pins `version`, else the one that holds today.

    Raises `Refused`: `conflict` when there is that number already, `invalid` for a number without a letter or digit,
    a last day that is over, and less than one use.
    """
    today = actor.today(tariff.seller.time_zone)
    if last_day is not None and last_day < today:
        raise Refused("invalid", "The last day is over already.", field="last_day")
    if most_uses is not None and not 1 <= most_uses <= MOST_USES:
        raise Refused("invalid", "An offer number can be used once at least.", field="most_uses")
    made = written(actor, tariff, version or version_in_force(tariff, today), number or drawn())
    made.memo, made.last_day, made.most_uses = memo.strip(), last_day, most_uses
    made.save(force_insert=True)
    record(
        actor, "create_offer_number", f"tariff:{tariff.pk}",
        {"number": made.number, "memo": made.memo, "last_day": last_day, "most_uses": most_uses,
         "version": made.version_id},
    )  # fmt: skip
    return made


def written(actor: Actor, tariff: Tariff, version: TariffVersion, number: str) -> OfferNumber:
    """An offer number that is not stored yet; refuses one that there is, or that is none."""
    text, plain = number.strip(), folded(number)
    if not plain or len(text) > MOST_CHARACTERS:
        raise Refused("invalid", "An offer number has 1 to %(most)s characters, of which one is a letter or a digit.",
                      most=MOST_CHARACTERS, field="offer_number")  # fmt: skip
    if OfferNumber.objects.filter(folded=plain).exists():
        raise Refused("conflict", "There is an offer number “%(number)s” already: choose another one.", number=text,
                      field="offer_number")  # fmt: skip
    return OfferNumber(tariff=tariff, version=version, number=text, folded=plain, made_at=actor.now)


@act
def revoke_offer_number(actor: Actor, *, number: OfferNumber) -> OfferNumber:
    """Let nobody order by a number any more. Contracts that were ordered by it go on; done twice it changes nothing."""
    number.refresh_from_db()
    if number.revoked_at is None:
        number.revoked_at = actor.now
        number.save(update_fields=["revoked_at"])
        record(actor, "revoke_offer_number", f"tariff:{number.tariff_id}", {"number": number.number})
    return number


def first_usable(tariffs: Iterable[int], today: date) -> dict[int, str]:
    """The oldest offer number of each tariff that can be used on a day, in one query."""
    rows = OfferNumber.objects.filter(tariff__in=list(tariffs), revoked_at=None)
    rows = rows.filter(Q(last_day=None) | Q(last_day__gte=today)).filter(Q(most_uses=None) | Q(uses__lt=F("most_uses")))
    return dict(rows.order_by("-id").values_list("tariff_id", "number"))


def offer_number_of(tariff: Tariff, text: str) -> OfferNumber:
    """A tariff's offer number, usable or not; raises `Refused` (`not_found`)."""
    found = OfferNumber.objects.select_related("tariff", "version").filter(tariff=tariff, folded=folded(text)).first()
    if found is None:
        raise Refused("not_found", "The tariff has no offer number “%(number)s”.", number=text[:100])
    return found
