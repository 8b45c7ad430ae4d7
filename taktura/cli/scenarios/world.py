"""The world of one scenario: what its file sets up, and what its steps have made so far."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.catalog.models import Article, Coupon, Tariff
from taktura.catalog.queries import coupon_by_key, tariff_by_key
from taktura.catalog.terms import read_rates
from taktura.cli.scenarios.documents import described, described_ready
from taktura.cli.scenarios.load import Scenario, Step
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.contracts.queries import by_key
from taktura.control.services import watch
from taktura.control.telling import articles_of
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.languages import language_of
from taktura.customers.models import Customer, Seller
from taktura.desk.models import Ticket
from taktura.desk.queries import ticket_by_number
from taktura.invoices.models import Document
from taktura.invoices.queries import by_number
from taktura.invoices.services import Ready, confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.exact import decimal
from taktura.usage import services as usage
from taktura.usage.models import Supplier
from taktura.usage.queries import supplier_by_key

FORMATS = {"invoice": "RE-{year}-{number:05}", "credit_note": "GS-{year}-{number:05}"}
EARLY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class World:
    """`actor` stands at the instant of the step; `before` is the last document that was there before it."""

    seller: Seller
    actor: Actor
    folder: Path
    before: int = 0
    names: dict[str, str] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    preview: list[dict[str, Any]] | None = None
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, step: Step) -> None:
        """Set the clock to a step."""
        self.actor = self.actor.at(step.at)
        self.before = Document.objects.order_by("-id").values_list("id", flat=True).first() or 0
        self.usage = {"recorded": 0, "duplicates": 0, "conflicts": 0, "exceptions": []}
        self.preview = None
        self.alerts = []

    def watch(self) -> None:
        """Do what a worker does after a step: look at the usage that has come, and keep the alerts it raises."""
        raised = watch(self.actor)
        articles = articles_of(raised)
        self.alerts = [
            {
                "kind": alert.kind,
                "contract": alert.contract.key,
                "article": articles.get(alert.line_id) if alert.line_id is not None else None,
                "forecast": alert.forecast,
            }
            for alert in raised
        ]

    def documents(self) -> list[dict[str, Any]]:
        """The documents that the step issued: credit notes of a step were issued first."""
        return described(Document.objects.filter(id__gt=self.before).order_by("id"))

    def show(self, ready: list[Ready]) -> None:
        """Keep a preview."""
        self.preview = [described_ready(r) for r in ready]

    def contract(self, key: str) -> Contract:
        """A contract by its name."""
        return by_key(self.seller.pk, key)

    def customer(self, key: str) -> Customer:
        """A customer by its name."""
        found = (
            Customer.objects.select_related("seller", "billing_information").filter(seller=self.seller, key=key).first()
        )
        if found is None:
            raise Refused("not_found", "There is no customer “%(key)s”.", key=key)
        return found

    def tariff(self, key: str) -> Tariff:
        """A tariff by its name."""
        return tariff_by_key(self.seller.pk, key)

    def coupon(self, key: str) -> Coupon:
        """A coupon by its name."""
        return coupon_by_key(self.seller.pk, key)

    def supplier(self, key: str) -> Supplier:
        """A supplier by its name."""
        return supplier_by_key(self.seller.pk, key)

    def ticket(self, name: Any) -> Ticket:
        """A ticket by the name given to it, or by its number."""
        number = self.tickets.get(str(name), str(name))
        if not str(number).isdigit():
            raise Refused("not_found", "There is no ticket %(number)s.", number=number)
        return ticket_by_number(self.seller.pk, int(number))

    def document(self, name: Any) -> Document:
        """A document by the name given to it, or by its printed number."""
        return by_number(self.seller.pk, self.names.get(str(name), str(name)))


def build(scenario: Scenario) -> World:
    """Set up what a file declares, before its timeline begins."""
    actor = Actor("scenario", scenario.timeline[0].at if scenario.timeline else EARLY)
    seller = _seller(actor, scenario.seller)
    world = World(seller=seller, actor=actor, folder=scenario.path.parent)
    if scenario.seller.get("number_format") != "unconfirmed":
        for kind, form in FORMATS.items():
            confirm_numbering(actor, seller=seller, kind=kind, format=form, next=1)
    for key, fields in scenario.articles.items():
        catalog.declare_article(actor, seller=seller, key=key, **_given(fields))
    for key, fields in scenario.tariffs.items():
        catalog.define_tariff(actor, seller=seller, key=key, **fields)
    for key, fields in scenario.coupons.items():
        define_coupon(actor, seller=seller, key=key, **fields)
    for key, fields in scenario.customers.items():
        add_customer(world, key, _given(fields))
    for key, fields in scenario.suppliers.items():
        usage.create_supplier(actor, seller=seller, key=key, **_given(fields))
    for row in scenario.product_references:
        article, _ = Article.objects.get_or_create(
            seller=seller, key=row["article"], defaults={"title": row["article"]}
        )
        usage.set_product_reference(
            actor, supplier=world.supplier(row["supplier"]), product=row["product"], article=article
        )
    for key, fields in scenario.contracts.items():
        sign(world, key, fields)
    return world


def sign(world: World, key: str, fields: dict[str, Any]) -> Contract:
    """Sign a contract by the fields of the verb."""
    coupon = fields.get("coupon")
    return contracts.sign(
        world.actor,
        key=key,
        customer=world.customer(fields["customer"]),
        tariff=world.tariff(fields["tariff"]),
        start=fields["start"],
        offer_number=fields.get("offer_number"),
        quantities={k: decimal(v) for k, v in (fields.get("quantities") or {}).items()},
        coupon=world.coupon(coupon) if coupon else None,
        anchor_kind=fields.get("anchor"),
        conditions=fields.get("conditions"),
        billed_until=fields.get("billed_until"),
    )


def add_customer(world: World, key: str, fields: dict[str, Any]) -> Customer:
    """Make a customer; billing information is filled in unless `billing_information: false`."""
    plain = {k: fields[k] for k in customers.CUSTOMER_FIELDS if k in fields}
    if "hourly_rate" in plain:
        plain["hourly_rate"] = decimal(plain["hourly_rate"])
    name = str(fields.get("name") or key)
    country = fields.get("country") or world.seller.country
    plain.setdefault("language", language_of(country, world.seller.country))
    customer = customers.create_customer(world.actor, seller=world.seller, key=key, name=name, **plain)
    info = {k: fields[k] for k in ("vat_id", "tax_status", "email", "iban") if k in fields} | {"country": country}
    if fields.get("billing_information", True):
        info |= {"name": name, "street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin"}
    customers.set_billing_information(world.actor, customer=customer, **info)
    return customer


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that hold something: null means that a field is not given."""
    return {key: value for key, value in fields.items() if value is not None}


def _seller(actor: Actor, fields: dict[str, Any]) -> Seller:
    plain = {k: v for k, v in fields.items() if k not in ("vat", "number_format")}
    return customers.create_seller(
        actor,
        name="Taktura Beispiel GmbH",
        street="Musterweg 1",
        postcode="20095",
        city="Hamburg",
        vat=read_rates(fields["vat"]),
        **plain,
    )
