"""The register of exchange rates, a seller's own: entered by hand or from a file, by day.

A record is given its rate when it finds its line, and keeps it: a rate that is corrected later changes nothing that is
recorded, until somebody says so (`convert_again`).
"""

import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.exchange import Rate
from taktura.core.money import DECIMALS
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import ExchangeRate
from taktura.usage.services.records import FIRST_YEAR, LAST_YEAR
from taktura.usage.store import Again, Taken, convert, match_records, take_rates, to_convert, waiting_for_rate

MOST_RATES = 500_000  # at once: all that the European Central Bank ever published is half of it
MOST_RATE = Decimal(10) ** 12
BY_HAND = "by hand"


@act
def set_rates(
    actor: Actor, *, seller: Seller, rates: Collection[Rate], source: str = BY_HAND
) -> tuple[Taken, tuple[int, list[str], set[int]]]:
    """Take rates into the register; one that is there for its day is corrected. What waited for a rate is looked at
    again: gives what became of the rates, then the same as `reprocess`.

    Raises `Refused` (`invalid`): a currency that is none, one against itself, a rate that is not above 0 or too fine, a
    day out of reach, two rates of one day.
    """
    read_again(seller)
    if len(rates) > MOST_RATES:
        raise Refused("invalid", "At most %(count)s rates at a time.", count=MOST_RATES)
    taken = take_rates(actor, _checked(rates), seller=seller.pk, source=source.strip()[:100])
    if taken.new or taken.changed:
        record(
            actor,
            "set_rates",
            f"seller:{seller.pk}",
            {"source": source, "new": taken.new, "changed": taken.changed, "corrected": taken.corrected},
        )
    return taken, match_records(actor, waiting_for_rate(seller.pk), seller.closed_until)


@act
def remove_rate(actor: Actor, *, seller: Seller, base: str, quote: str, day: date) -> None:
    """Take a rate out of the register. Records that have it keep it. Raises `Refused` (`not_found`)."""
    found = ExchangeRate.objects.filter(seller=seller, base=base, quote=quote, day=day).first()
    if found is None:
        raise Refused(
            "not_found", "There is no rate from %(base)s to %(quote)s of %(day)s.", base=base, quote=quote,
            day=day.isoformat(),
        )  # fmt: skip
    said = {"from": base, "to": quote, "day": day, "rate": found.rate}
    found.delete()
    record(actor, "remove_rate", f"seller:{seller.pk}", said)


@act
def convert_again(actor: Actor, *, seller: Seller, source: str, target: str, first: date, end: date) -> Again:
    """Give converted usage of the days `[first, end)` the rates that the register names now.

    The differences to what is billed come with the next bills (R12). Closed periods are left alone, and contracts that
    allow no conversion any more. Raises `Refused` (`invalid`).
    """
    found = foresee_conversion(seller=seller, source=source, target=target, first=first, end=end)
    if found.records:
        convert(actor)
    record(
        actor,
        "convert_again",
        f"seller:{seller.pk}",
        {"from": source, "to": target, "first": first, "end": end, "records": found.records},
    )
    return found


def foresee_conversion(*, seller: Seller, source: str, target: str, first: date, end: date) -> Again:
    """What `convert_again` would change; within a transaction. Refuses as it does."""
    _check_currencies(source, target)
    if end <= first:
        raise Refused("invalid", "The last day lies before the first.")
    read_again(seller)
    closed = seller.closed_until
    return to_convert(seller=seller.pk, source=source, target=target, first=first, end=end, closed_until=closed)


def _check_currencies(*codes: str) -> None:
    for code in codes:
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise Refused(
                "invalid", "“%(currency)s” is no currency: write its three letters.", currency=code[:50],
                field="currency",
            )  # fmt: skip
    if len(set(codes)) != len(codes):
        raise Refused("invalid", "A rate is from one currency to another.")


def _checked(rates: Collection[Rate]) -> list[Rate]:
    """Rates each once. Raises `Refused` (`invalid`)."""
    for base, quote in {(r.base, r.quote) for r in rates}:
        _check_currencies(base, quote)
    known: dict[tuple[str, str, date], Rate] = {}
    for one in rates:
        exponent = one.rate.as_tuple().exponent
        if not 0 < one.rate < MOST_RATE or not isinstance(exponent, int) or exponent < -DECIMALS:
            raise Refused("invalid", "“%(rate)s” is no rate: it is above 0, with at most 12 decimals.", rate=one.rate)
        if not FIRST_YEAR <= one.day.year <= LAST_YEAR:
            raise Refused("invalid", "“%(day)s” is no day of a rate.", day=one.day.isoformat())
        before = known.setdefault(one[:3], one)
        if before.rate != one.rate:
            raise Refused(
                "invalid", "There are two rates from %(base)s to %(quote)s of %(day)s.", base=one.base,
                quote=one.quote, day=one.day.isoformat(),
            )  # fmt: skip
    return list(known.values())
