"""The demo company's foundation, and what its story needs at hand: sellers, tariffs, contracts by their keys."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.conf import settings

from taktura.accounts.services import create_key
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon, draw_codes
from taktura.catalog.models import Tariff
from taktura.catalog.modules import change_module
from taktura.catalog.offer_numbers import create_offer_number
from taktura.cli.demo.agreements import Agreement
from taktura.cli.demo.offer import CODES, COUPONS, MODULES, OFFER, SELLER, SUPPLIER, TARIFFS
from taktura.cli.demo.users import make_users
from taktura.cli.demo.year import Year
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import by_key
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier

FORMATS = {"invoice": "RE-{year}-{number:05}", "credit_note": "RK-{year}-{number:05}"}
COUNTRIES: tuple[dict[str, str], ...] = (
    {"country": "DE", "street": "Lindenallee 1", "postcode": "10115", "city": "Berlin"},
    {"country": "SE", "street": "Storgatan 1", "postcode": "111 23", "city": "Stockholm"},
    {"country": "US", "street": "1 Main Street", "postcode": "94105", "city": "San Francisco", "tax_status": "export"},
)
LANGUAGES = {"DE": "de", "SE": "sv"}
MAILBOXES = {"de": "rechnung", "sv": "faktura", "en": "accounts"}
ABOUT = ("kind", "language", "documents_per")
BILLED = ("street", "postcode", "city", "country", "tax_status", "vat_id")


@dataclass(frozen=True, slots=True)
class World:
    """The company, its year and the name of its telephone system in the log."""

    year: Year
    seller: Seller
    supplier: Supplier
    telephone: str

    def contract(self, key: str) -> Contract:
        """The contract of a key, as it stands now."""
        return by_key(self.seller.pk, key)

    def tariff(self, key: str) -> Tariff:
        """The tariff of a key."""
        return self.seller.tariffs.get(key=key)


def folder() -> Path:
    """Where the demo's files are written."""
    root: Path = settings.TAKTURA_DATA
    return root / "demo"


def rows(name: str) -> list[dict[str, str]]:
    """A table that comes with the demo."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def accounts() -> list[tuple[str, str]]:
    """Reference and name of the cloud supplier's sub-accounts that are customers."""
    return [(row["reference"], row["name"]) for row in rows("accounts.csv")]


def found(actor: Actor, year: Year) -> World:
    """The company with its users, tariffs and coupons, before it has a customer."""
    make_users(actor)
    seller = billing.create_seller(actor, **SELLER)
    for kind, form in FORMATS.items():
        confirm_numbering(actor, seller=seller, kind=kind, format=form, next=1)
    for key, fields in TARIFFS.items():
        catalog.define_tariff(actor, seller=seller, key=key, **fields)
    for key, fields in MODULES.items():
        change_module(actor, module=seller.modules.get(key=key), **fields)
    create_offer_number(actor, tariff=seller.tariffs.get(key="praxis"), **OFFER)
    for key, fields in COUPONS.items():
        define_coupon(actor, seller=seller, key=key, **fields)
    draw_codes(actor, coupon=seller.coupons.get(key=CODES["coupon"]), count=CODES["count"], memo=CODES["memo"])
    supplier = usage.create_supplier(actor, seller=seller, key="sunbird", **SUPPLIER)
    key_of_system, _ = create_key(actor, name="Telefonanlage", scopes=["usage.view", "usage.change"])
    return World(year, seller, supplier, f"key:{key_of_system.prefix} {key_of_system.name}")


def sign(actor: Actor, world: World, agreement: Agreement, start: date) -> Contract:
    """Sign a contract, and make its customer where it is the first."""
    seller, first = world.seller, world.year.first
    coupon = seller.coupons.get(key=agreement.coupon) if agreement.coupon else None
    return contracts.sign(
        actor,
        key=agreement.key,
        customer=_customer(actor, seller, agreement.customer),
        tariff=world.tariff(agreement.tariff),
        start=start,
        quantities={article: Decimal(n) for article, n in agreement.quantities.items()},
        conditions=agreement.conditions,
        coupon=coupon,
        billed_until=first if start < first else None,
    )


def _customer(actor: Actor, seller: Seller, key: str) -> Customer:
    known = Customer.objects.filter(seller=seller, key=key).first()
    if known is not None:
        return known
    row = next(row for row in rows("customers.csv") if row["key"] == key)
    customer = customers.create_customer(
        actor, seller=seller, key=key, name=row["name"], **{name: row[name] for name in ABOUT}
    )
    if row["street"]:
        fields: dict[str, Any] = {name: row[name] for name in BILLED}
        email = f"{MAILBOXES[row['language']]}@{key}.example"
        customers.set_billing_information(actor, customer=customer, name=row["name"], email=email, **fields)
    return customer


def sign_cloud(actor: Actor, world: World) -> None:
    """A customer with a contract in USD for each sub-account, tied to its subscription."""
    seller, tariff, start = world.seller, world.tariff("cloud"), world.year.cloud
    for number, (reference, name) in enumerate(accounts(), 1):
        fields = COUNTRIES[number % len(COUNTRIES)]
        language = LANGUAGES.get(fields["country"], "en")
        key = f"cloud-{number:02}"
        customer = customers.create_customer(actor, seller=seller, key=key, name=name, language=language)
        email = f"{key}@customer.example"
        customers.set_billing_information(actor, customer=customer, name=name, email=email, **fields)
        contract = contracts.sign(actor, key=f"C-{number:02}", customer=customer, tariff=tariff, start=start)
        line = ContractLine.objects.get(contract=contract)
        usage.link(actor, supplier=world.supplier, reference=reference, line=line)


def signed_on(world: World, start: date) -> date:
    """When a contract is signed: some days before it begins, and not before the company uses the program."""
    return max(start, world.year.first) - timedelta(days=17)
