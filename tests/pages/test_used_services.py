"""Services that no contract carries become sales items, once for each month: by the page, by night, by the API."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from unittest import mock

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from taktura.billing import services as billing
from taktura.billing.models import SalesItem, ServicePricing, ServiceSale
from taktura.billing.tasks import sell_used_services
from taktura.billing.used_services import look_at, waiting
from taktura.catalog.models import Article, Tariff
from taktura.catalog.queries import offered
from taktura.catalog.services import define_tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer, set_billing_information
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierSubscription

ClientAs = Callable[..., Client]
ADDRESS = {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
FEBRUARY = date(2026, 2, 1)
MAILBOX = {"charge": "usage", "booking": "add_on", "usage_pricing": "fixed_quantity"}
CLOUD = {
    "title": "Cloud",
    "interval": "1 month",
    "lines": {
        "mailbox": {"title": "Postfach", "price": Decimal("2.40"), **MAILBOX},
        "backup": {"title": "Sicherung", "price": Decimal("0.333"), **MAILBOX},
        "archive": {"title": "Archiv", "price": Decimal("5.00"), "vat": Decimal(7), **MAILBOX},
        "search": {"title": "Suche", "price": Decimal("1.00"), "included": Decimal(10), "charge": "usage",
                   "booking": "add_on"},
    },
}  # fmt: skip
SERVED = [
    # customer, subscription, product, name, quantity
    ("K-1", "S-1", "PRD-MAIL", "Mail", "12"),
    ("K-1", "S-2", "PRD-BACK", "Backup", "5"),
    ("K-1", "S-3", "PRD-X", "Unknown", "1"),
    ("K-1", "S-4", "PRD-ARC", "Archive", "2"),
    ("K-1", "S-5", "PRD-SRC", "Search", "3"),
    ("K-2", "S-6", "PRD-MAIL", "Mail", "3"),
]
ARTICLES = {"PRD-MAIL": "mailbox", "PRD-BACK": "backup", "PRD-ARC": "archive", "PRD-SRC": "search"}


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """It is 1 March."""
    now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    with (
        mock.patch("taktura.office.page.utc_now", lambda: now),
        mock.patch("taktura.billing.tasks.utc_now", lambda: now),
    ):
        yield


@pytest.fixture
def supplier(seller: Seller, actor: Actor) -> Supplier:
    """Two customers with services and no contract, of whom Muster (K-2) cannot be billed."""
    tariff = define_tariff(actor, seller=seller, key="cloud", **CLOUD)
    found = usage.create_supplier(
        actor, seller=seller, key="haus", name="Cloudhaus", create_customers=True, create_subscriptions=True
    )
    for product, article in ARTICLES.items():
        known = Article.objects.get(seller=seller, key=article)
        usage.set_product_reference(actor, supplier=found, product=product, article=known)
    names = ("customer_id", "subscription_id", "product_id", "product_name", "quantity")
    days = {"period_start": "2026-02-01", "period_end": "2026-02-28", "subscription_start": "2026-01-15"}
    usage.import_rows(actor, supplier=found, rows=[dict(zip(names, row, strict=True)) | days for row in SERVED])
    for key, reference, name in (("kraus", "K-1", "Kraus KG"), ("muster", "K-2", "Muster GmbH")):
        customer = create_customer(actor, seller=seller, key=key, name=name, language="de")
        usage.link_customer(actor, supplier=found, reference=reference, customer=customer)
    set_billing_information(actor, customer=Customer.objects.get(key="kraus"), name="Kraus KG", **ADDRESS)
    billing.price_services(actor, seller=seller, tariff=tariff, nightly=False)
    return found


def lines_of(customer: str) -> list[tuple[str, Decimal, Decimal]]:
    items = SalesItem.objects.filter(customer__key=customer).order_by("pk")
    return [(x.title, x.quantity, x.price) for item in items for x in item.lines.all()]


def reasons(seller: Seller) -> dict[str, str]:
    rows = list(waiting(seller).select_related("subscription__supplier").order_by("pk"))
    return {one.sale.subscription.reference: one.reason for one in look_at(seller, rows)}


def test_a_month_is_sold_once_and_what_lacks_something_waits(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    foreseen = billing.preview_services(actor, seller=seller, month=FEBRUARY)
    assert not ServiceSale.objects.exists(), "a preview writes nothing"
    assert {(one.sale.subscription.reference, one.reason) for one in foreseen} == {
        ("S-1", ""), ("S-2", ""), ("S-3", "article"), ("S-4", "vat"), ("S-5", "price"),
        ("S-6", "billing_information"),
    }  # fmt: skip
    sold = billing.sell_services(actor, seller=seller, month=FEBRUARY)
    assert len(sold.items) == 1 and len(sold.waiting) == 4
    assert lines_of("kraus") == [
        ("Postfach, Februar 2026", Decimal(12), Decimal("2.40")),
        ("Sicherung, Februar 2026", Decimal(5), Decimal("0.333")),
    ]
    item = SalesItem.objects.get(pk=sold.items[0])
    assert item.sold_on == date(2026, 2, 28)
    # 12 × 2.40 = 28.80 and 5 × 0.333 = 1.665, rounded to 1.67
    assert [one.net for one in foreseen[:2]] == [Decimal("28.80"), Decimal("1.67")]
    assert billing.sell_services(actor, seller=seller, month=FEBRUARY).items == []
    assert billing.sell_waiting(actor, seller=seller).items == []
    issued = billing.bill(actor, seller=seller, on=date(2026, 3, 1), customer=item.customer_id).invoices
    assert Document.objects.get(pk=issued[0]).net == 3047


def test_what_waits_is_sold_by_the_night_after_it_is_there(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    billing.sell_services(actor, seller=seller, month=FEBRUARY)
    assert reasons(seller)["S-6"] == "billing_information"
    SupplierSubscription.objects.filter(reference="S-6").update(quantity=Decimal(99))
    set_billing_information(actor, customer=Customer.objects.get(key="muster"), name="Muster GmbH", **ADDRESS)
    items = sell_used_services(0)
    assert len(items) == 1
    assert lines_of("muster") == [("Postfach, Februar 2026", Decimal(3), Decimal("2.40"))], "the month's quantity"
    assert sell_used_services(0) == []


def test_what_waited_is_sold_along_by_hand(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    billing.sell_services(actor, seller=seller, month=FEBRUARY)
    set_billing_information(actor, customer=Customer.objects.get(key="muster"), name="Muster GmbH", **ADDRESS)
    foreseen = billing.preview_services(actor, seller=seller, month=FEBRUARY)
    assert [(one.sale.subscription.reference, one.net) for one in foreseen if not one.reason] == [
        ("S-6", Decimal("7.20"))
    ]
    sold = billing.sell_services(actor, seller=seller, month=FEBRUARY)
    assert len(sold.items) == 1 and len(sold.waiting) == 3
    assert lines_of("muster") == [("Postfach, Februar 2026", Decimal(3), Decimal("2.40"))]
    assert billing.sell_services(actor, seller=seller, month=FEBRUARY).items == []


def test_by_night_the_month_that_is_over_is_sold_where_the_seller_wants_it(
    supplier: Supplier, seller: Seller, actor: Actor
) -> None:
    assert sell_used_services(0) == [] and not ServiceSale.objects.exists()
    billing.price_services(actor, seller=seller, tariff=Tariff.objects.get(key="cloud"), nightly=True)
    assert len(sell_used_services(0)) == 1
    assert set(ServiceSale.objects.values_list("month", flat=True)) == {FEBRUARY}
    assert sell_used_services(0) == []


def test_the_database_knows_a_month_only_once(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    billing.sell_services(actor, seller=seller, month=FEBRUARY)
    row = ServiceSale.objects.first()
    assert row is not None
    with pytest.raises(IntegrityError, match="service_sale_once"), transaction.atomic():
        ServiceSale.objects.create(customer=row.customer, subscription=row.subscription, month=FEBRUARY)


def test_left_out_it_is_not_sold_and_the_rest_is_sold_anew(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    billing.price_services(actor, seller=seller, tariff=Tariff.objects.get(key="cloud"), nightly=True)
    billing.sell_services(actor, seller=seller, month=FEBRUARY)
    mail = ServiceSale.objects.get(subscription__reference="S-1")
    assert billing.leave_out_services(actor, seller=seller, sales=[mail.pk]) == 1
    assert lines_of("kraus") == [("Sicherung, Februar 2026", Decimal(5), Decimal("0.333"))]
    assert sell_used_services(0) == [], "what was left out does not come back by night"
    assert billing.leave_out_services(actor, seller=seller, sales=[mail.pk]) == 0
    billing.take_up_services(actor, seller=seller, sales=[mail.pk])
    assert {title for title, _q, _p in lines_of("kraus")} == {"Postfach, Februar 2026", "Sicherung, Februar 2026"}
    billing.bill(actor, seller=seller, on=date(2026, 3, 1), customer=mail.customer_id)
    with pytest.raises(Refused, match="billed already"):
        billing.leave_out_services(actor, seller=seller, sales=[mail.pk])


def test_what_a_contract_carries_is_not_sold_and_lines_begin_after_what_is_sold(
    supplier: Supplier, seller: Seller, actor: Actor
) -> None:
    kraus = Customer.objects.get(key="kraus")
    tariff = Tariff.objects.get(key="cloud")
    billing.sell_services(actor, seller=seller, month=FEBRUARY)
    offer = offered(seller.pk, ["cloud"])["cloud"]
    found = billing.suggest([kraus], offer, date(2026, 1, 1), date(2026, 3, 1))[kraus.pk]
    starts = {one.subscription.reference: one.start for one in found}
    assert starts["S-1"] == date(2026, 3, 1), "February is sold already"
    assert starts["S-4"] == date(2026, 1, 15), "nothing of it is sold"
    contract = contracts.sign(actor, key="V-kraus", customer=kraus, tariff=tariff, start=date(2026, 1, 1))
    rows = {row.reference: row for row in SupplierSubscription.objects.filter(supplier=supplier)}
    wishes = [usage.Wish(subscription=rows[name], contract=contract) for name in ("S-1", "S-4")]
    foreseen = billing.preview_extensions(actor, seller=seller, wishes=wishes)
    assert [one.extending.given.start for one in foreseen] == [date(2026, 3, 1), date(2026, 1, 15)]
    billing.extend_contracts(actor, seller=seller, wishes=wishes)
    lines = ContractLine.objects.filter(contract=contract, article__key__in=["mailbox", "archive"])
    assert dict(lines.values_list("article__key", "start")) == {
        "mailbox": date(2026, 3, 1), "archive": date(2026, 1, 15),
    }  # fmt: skip
    assert reasons(seller)["S-4"] == "carried", "the contract bills it: it must not be sold beside it"
    april = Actor("test", datetime(2026, 4, 2, 8, tzinfo=UTC))
    march = billing.preview_services(april, seller=seller, month=date(2026, 3, 1))
    assert {one.sale.subscription.reference for one in march} == {"S-2", "S-3", "S-5", "S-6"}


@pytest.mark.parametrize("month", ["2026-03-01", "2025-11-01", "2026-02-02"])
def test_only_months_that_are_over_are_sold(supplier: Supplier, seller: Seller, actor: Actor, month: str) -> None:
    with pytest.raises(Refused, match="months that are over"):
        billing.sell_services(actor, seller=seller, month=date.fromisoformat(month))


def test_without_a_tariff_nothing_is_sold(seller: Seller, actor: Actor) -> None:
    with pytest.raises(Refused, match="Choose the tariff first"):
        billing.sell_services(actor, seller=seller, month=FEBRUARY)


def test_the_page_shows_the_month_and_sells_it(supplier: Supplier, client_as: ClientAs) -> None:
    client = client_as("billing")
    shown = client.get("/sales/services/sell/").content.decode()
    text = " ".join(shown.split())
    assert "€30.47" in text and "1 sales item with 2 services" in text and "4 services wait" in text
    assert "Billing information missing" in text and "The article that the supplier" in text
    seen = text.split('name="seen" value="')[1].split('"')[0]
    SupplierSubscription.objects.filter(reference="S-1").update(quantity=Decimal(13))
    late = client.post("/sales/services/sell/", {"month": "2026-02", "seen": seen})
    assert late.status_code == 422 and "Somebody else has changed this" in late.content.decode()
    assert not ServiceSale.objects.exists()
    done = client.post("/sales/services/sell/", {"month": "2026-02"}, follow=True).content.decode()
    assert "1 sales item is made." in done and "4 services wait." in done
    listed = client.get("/sales/services/?state=waiting").content.decode()
    assert "Muster GmbH" in listed and "Complete billing information" not in listed.split("<main")[0]
    again = " ".join(client.get("/sales/services/sell/?month=2026-02").content.decode().split())
    assert "4 services wait" in again and "Billing information missing" in again and "€30.47" not in again
    assert ServiceSale.objects.count() == 6


def test_services_are_left_out_and_taken_up_from_the_list(supplier: Supplier, client_as: ClientAs) -> None:
    client = client_as("billing")
    client.post("/sales/services/sell/", {"month": "2026-02"})
    client.post("/sales/services/?state=sold", {"action": "leave_out", "all": "1"})
    assert not SalesItem.objects.filter(customer__key="kraus").exists()
    assert ServiceSale.objects.filter(left_out=True).count() == 2
    client.post("/sales/services/?state=left_out", {"action": "take_up", "all": "1"})
    assert len(lines_of("kraus")) == 2


def test_the_prices_are_chosen_on_a_page(supplier: Supplier, client_as: ClientAs, seller: Seller) -> None:
    client = client_as("billing")
    talk = Tariff.objects.get(key="talk")
    client.post("/sales/services/prices/", {"tariff": str(talk.pk), "nightly": "on"})
    pricing = ServicePricing.objects.get(seller=seller)
    assert pricing.tariff == talk and pricing.nightly is True
    assert client_as("viewer").get("/sales/services/prices/").status_code == 403
