"""The demo company's usage, made up and the same on every machine: calls of a month, FOCUS files of the supplier."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from taktura.cli.demo.agreements import AGREEMENTS, HABITS
from taktura.cli.demo.year import ZONE
from taktura.contracts.models import Contract
from taktura.core.periods import DAY
from taktura.customers.models import Seller

SOURCE = "telefonanlage"
SIZES = {agreement.key: agreement.size for agreement in AGREEMENTS}
SERVICES = (
    ("Virtual machine", "VM-SMALL", 48_000_000_000),
    ("Object storage", "OBJ-STD", 23_000_000),
    ("Managed database", "DB-M", 171_000_000_000),
    ("Message queue", "MSG-T1", 400_000),
)
HEADINGS = (
    "AvailabilityZone", "BilledCost", "BillingCurrency", "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart",
    "ConsumedQuantity", "ConsumedUnit", "ServiceName", "Id", "SkuId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
ROWS_PER_ACCOUNT = 24
OFFICE_HOURS = (8, 18)
SATURDAY = 5
BRIEF, USUAL, LONG = (5, 45), (45, 240), (240, 900)  # seconds of a call
MIX = (BRIEF, BRIEF, USUAL, USUAL, USUAL, USUAL, USUAL, USUAL, USUAL, LONG)


def usage_of(seller: Seller, first: date, end: date) -> list[dict[str, Any]]:
    """The usage entries of all contracts in `[first, end)`, a part of a month, in the words of the verb `usage`.

    Only on days on which a contract runs and is not paused; calls last whole seconds.
    """
    entries: list[dict[str, Any]] = []
    running = Contract.objects.filter(seller=seller, tariff__key__in=HABITS, start__lt=end)
    for contract in running.prefetch_related("pauses", "phases__tariff").order_by("id"):
        days = [day for day in _days(first, end) if _runs(contract, day)]
        if days:
            entries += _entries(contract, days)
    return entries


def _days(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first += DAY


def _runs(contract: Contract, day: date) -> bool:
    paused = any(p.start <= day and (p.end is None or day < p.end) for p in contract.pauses.all())
    return contract.start <= day and (contract.end is None or day < contract.end) and not paused


def _entries(contract: Contract, days: list[date]) -> Iterator[dict[str, Any]]:
    """The usage of one contract on its days, in proportion to a month of 30 days."""
    random = Random(f"{contract.key} from {days[0]}")
    size = SIZES.get(contract.key, 100) * len(days)
    taken: Counter[tuple[str, date]] = Counter()
    working = [day for day in days if day.weekday() < SATURDAY] or days
    phase = [phase for phase in contract.phases.all() if phase.start <= days[-1]][-1]
    for key, (least, most) in HABITS[phase.tariff.key].items():
        for _ in range((random.randint(least, most) * size + random.randrange(3000)) // 3000):
            day = random.choice(days if random.randrange(10) == 0 else working)
            taken[key, day] += 1
            hour, minute = random.randrange(*OFFICE_HOURS), random.randrange(60)
            entry: dict[str, Any] = {
                "contract": contract.key,
                "key": key,
                "at": datetime(day.year, day.month, day.day, hour, minute, random.randrange(60), tzinfo=ZONE),
                "source": SOURCE,
                "id": f"{contract.key}-{key}-{day:%Y%m%d}-{taken[key, day]:02}",
            }
            if key == "call":
                entry["duration"] = random.randrange(*random.choice(MIX))
            else:
                entry["quantity"] = "1"
            yield entry


def focus_name(first: date) -> str:
    """The name of the supplier's file of a month."""
    return f"focus-{first:%Y-%m}.csv"


def focus_file(year: int, month: int, accounts: Sequence[tuple[str, str]]) -> bytes:
    """A FOCUS 1.0 file of a month (the columns that matter): hour-long charges, 11 decimals, NULL, credits."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(_rows(year, month, accounts))
    return text.getvalue().encode()


def _rows(year: int, month: int, accounts: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    random = Random(f"cloud {year}-{month}")
    for index, (reference, name) in enumerate(accounts):
        for number in range(ROWS_PER_ACCOUNT):
            service, sku, unit_cost = SERVICES[random.randrange(len(SERVICES))]
            quantity = random.randint(1, 500)
            start = datetime(year, month, random.randint(1, 28), random.randrange(24), tzinfo=ZoneInfo("UTC"))
            credit = number == 0 and index % 5 == 0
            cost = -(unit_cost // 10) if credit else unit_cost * quantity // 100
            sign = "-" if cost < 0 else ""
            whole, decimals = divmod(abs(cost), 10**11)
            yield [
                "NULL", f"{sign}{whole}.{decimals:011}", "USD", "Credit" if credit else "Usage",
                f"{start + timedelta(hours=1):%Y-%m-%d %H:%M:%S}", f"{start:%Y-%m-%d %H:%M:%S}",
                "NULL" if credit else f"{quantity}.000000000000000", "NULL" if credit else "Hours",
                service, f"D{year}{month:02}-{index:02}-{number:02}", sku, reference, name, "NULL",
            ]  # fmt: skip
