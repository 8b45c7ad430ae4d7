"""Making the demo company: its offer, customers and contracts, then a summer of usage, bills and changes.

All by the services that a person's clicks would call, with the clock set to the day of each act.
"""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.cli.demo.offer import CUSTOMERS, SELLER, SUPPLIER, TARIFFS
from taktura.cli.demo.usage import focus_file, month_of_usage
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.contracts.queries import by_key, line_for
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.queries import exact
from taktura.invoices.services import confirm_numbering, pay
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier

NAME = str(SELLER["name"])
SIGNED = date(2024, 7, 15)
START = date(2024, 8, 1)
FOCUS_NAME = "focus-2024-09.csv"
ACCOUNTS_IN_OWN_FILE = 12
FORMATS = {"invoice": "RE-{year}-{number:05}", "credit_note": "RK-{year}-{number:05}"}
COUNTRIES: tuple[dict[str, str], ...] = (
    {"country": "DE", "street": "Lindenallee 1", "postcode": "10115", "city": "Berlin"},
    {"country": "SE", "street": "Storgatan 1", "postcode": "111 23", "city": "Stockholm"},
    {"country": "US", "street": "1 Main Street", "postcode": "94105", "city": "San Francisco", "tax_status": "export"},
)
LANGUAGES = {"DE": "de", "SE": "sv"}


def exists() -> bool:
    """Whether the database has a seller, the demo company or another."""
    return Seller.objects.exists()


def folder() -> Path:
    """Where the demo's files are written."""
    root: Path = settings.TAKTURA_DATA
    return root / "demo"


def accounts() -> list[tuple[str, str]]:
    """Reference and name of the cloud supplier's sub-accounts that are customers."""
    text = files(__package__).joinpath("accounts.csv").read_text("utf-8")
    return [(row["reference"], row["name"]) for row in csv.DictReader(text.splitlines())]


def make(told: Callable[[int, int], None]) -> Seller:
    """Make the company in an empty database; `told` hears (steps done, in all). The files are written to `folder`."""
    made: dict[str, Any] = {}
    steps: list[Callable[[], Any]] = [
        lambda: made.update(seller=_company()),
        lambda: _telephone_customers(made["seller"]),
        lambda: made.update(supplier=_cloud_customers(made["seller"])),
        lambda: _bill(made["seller"], START),
        lambda: _month(made["seller"], 2024, 8),
        lambda: _another_number(made["seller"]),
        lambda: _own_focus_file(made["supplier"]),
        lambda: _bill(made["seller"], date(2024, 9, 1)),
        lambda: _month(made["seller"], 2024, 9),
        lambda: _credit_and_payment(made["seller"]),
        lambda: _bill(made["seller"], date(2024, 10, 1)),
    ]
    with transaction.atomic():  # all of it or nothing
        for done, step in enumerate(steps):
            told(done, len(steps))
            step()
    told(len(steps), len(steps))
    seller: Seller = made["seller"]
    return seller


def _on(day: date) -> Actor:
    noon = datetime.combine(day, time(12), ZoneInfo(str(SELLER["time_zone"])))
    return Actor("demo", noon.astimezone(UTC))


def _company() -> Seller:
    actor = _on(SIGNED)
    seller = customers.create_seller(actor, **SELLER)
    for kind, form in FORMATS.items():
        confirm_numbering(actor, seller=seller, kind=kind, format=form, next=1)
    for key, fields in TARIFFS.items():
        catalog.define_tariff(actor, seller=seller, key=key, **fields)
    return seller


def _customer(seller: Seller, key: str, name: str, fields: dict[str, Any]) -> Customer:
    actor = _on(SIGNED)
    language = LANGUAGES.get(fields["country"], "en")
    customer = customers.create_customer(actor, seller=seller, key=key, name=name, language=language)
    customers.set_billing_information(actor, customer=customer, name=name, email=f"{key}@customer.example", **fields)
    return customer


def _telephone_customers(seller: Seller) -> None:
    tariffs = {t.key: t for t in seller.tariffs.all()}
    for row in CUSTOMERS:
        fields = {k: v for k, v in row.items() if k not in ("key", "name", "tariff", "quantities")}
        customer = _customer(seller, row["key"], row["name"], fields)
        contracts.sign(
            _on(SIGNED),
            key=f"V-{row['key']}",
            customer=customer,
            tariff=tariffs[row["tariff"]],
            start=START,
            quantities={k: Decimal(v) for k, v in row.get("quantities", {}).items()},
        )


def _cloud_customers(seller: Seller) -> Supplier:
    """A customer with a contract in USD for each sub-account, tied to its subscription."""
    actor = _on(SIGNED)
    tariff = seller.tariffs.get(key="cloud")
    supplier = usage.create_supplier(actor, seller=seller, key="sunbird", **SUPPLIER)
    for number, (reference, name) in enumerate(accounts(), 1):
        customer = _customer(seller, f"cloud-{number:02}", name, COUNTRIES[number % len(COUNTRIES)])
        contract = contracts.sign(actor, key=f"C-{number:02}", customer=customer, tariff=tariff, start=START)
        line = ContractLine.objects.get(contract=contract)
        usage.link(actor, supplier=supplier, reference=reference, line=line)
    return supplier


def _month(seller: Seller, year: int, month: int) -> None:
    billing.record_usage(_on(date(year, month, 28)), seller=seller, entries=month_of_usage(year, month))


def _another_number(seller: Seller) -> None:
    """A change of quantity within a billed month: a credit note and an invoice."""
    line = line_for(by_key(seller.pk, "V-kraus"), "rufnummer")
    billing.change_quantity(
        _on(date(2024, 8, 15)), line=line, quantity=Decimal(3), start=date(2024, 8, 16), memo="Anruf von Herrn Kraus"
    )


def _own_focus_file(supplier: Supplier) -> None:
    """The supplier's file of August is loaded; that of September is left for whoever tries the demo."""
    folder().mkdir(parents=True, exist_ok=True)
    some = accounts()[:ACCOUNTS_IN_OWN_FILE]
    name = "focus-2024-08.csv"
    content = focus_file(2024, 8, some)
    (folder() / name).write_bytes(content)
    (folder() / FOCUS_NAME).write_bytes(focus_file(2024, 9, some))
    usage.receive_file(_on(date(2024, 8, 31)), supplier=supplier, name=name, content=content)


def _credit_and_payment(seller: Seller) -> None:
    invoices = Document.objects.filter(seller=seller, kind="invoice", contract__key="V-kraus").order_by("id")
    first = invoices[0]
    pay(_on(date(2024, 8, 12)), document=first, amount=exact(first.gross, first.digits), on=date(2024, 8, 12))
    disputed = Document.objects.filter(seller=seller, kind="invoice", contract__key="V-hausverwaltung").latest("id")
    position = disputed.lines.get(article="diktat").position if disputed.lines.filter(article="diktat") else 1
    billing.credit(
        _on(date(2024, 9, 12)),
        document=disputed,
        lines=[{"line": position, "net": "5.00"}],
        reason="Diktat nicht zugestellt",
    )


def _bill(seller: Seller, on: date) -> None:
    billing.bill(_on(on), seller=seller, on=on)
