"""The demo company's usage, made up and the same on every machine: calls of a month, FOCUS files of the supplier."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from taktura.cli.demo.offer import HABITS

ZONE = ZoneInfo("Europe/Berlin")
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


def month_of_usage(year: int, month: int) -> list[dict[str, Any]]:
    """The usage entries of all contracts in a month, in the words of the verb `usage`; calls last whole seconds."""
    entries = []
    for customer, habits in HABITS.items():
        random = Random(f"{customer} {year}-{month}")
        for article, (least, most) in habits.items():
            for number in range(random.randint(least, most)):
                day = random.randint(1, 28)
                at = datetime(year, month, day, random.randrange(*OFFICE_HOURS), random.randrange(60), tzinfo=ZONE)
                entry = {
                    "contract": f"V-{customer}",
                    "article": article,
                    "at": at,
                    "source": "demo",
                    "id": f"{customer}-{article}-{year}{month:02}-{number:03}",
                }
                if article == "gespraech":
                    entry["duration"] = random.randrange(5, 420)
                else:
                    entry["quantity"] = "1"
                entries.append(entry)
    return entries


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
