"""The wizard that signs contracts for existing customers from the services that they use."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from unittest import mock
from urllib.parse import quote

import pytest
from django.test import Client

from taktura.billing import services as billing
from taktura.catalog.models import Article, Tariff
from taktura.catalog.queries import offered
from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer, set_billing_information
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ProductReference, SubscriptionLink, Supplier, SupplierSubscription
from taktura.usage.onboarding import without_contract
from tests.pages.test_customers import BILLING

ClientAs = Callable[..., Client]
ADDRESS = {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
CLOUD = {
    "title": "Cloud",
    "interval": "1 month",
    "lines": {
        "mailbox": {"title": "Postfach", "charge": "usage", "booking": "add_on", "price": Decimal("2.40"),
                    "usage_pricing": "fixed_quantity"},
        "backup": {"title": "Sicherung", "charge": "usage", "booking": "add_on", "price": Decimal(0),
                   "usage_pricing": "fixed_quantity"},
        "care": {"title": "Betreuung", "charge": "recurring", "price": Decimal("10.00")},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """The pages are looked at on 1 March."""
    with mock.patch("taktura.office.page.utc_now", lambda: datetime(2026, 3, 1, 8, tzinfo=UTC)):
        yield


@pytest.fixture
def supplier(seller: Seller, actor: Actor) -> Supplier:
    """Two customers with services and no contract, of whom one cannot be billed."""
    define_tariff(actor, seller=seller, key="cloud-services", **CLOUD)
    found = usage.create_supplier(
        actor, seller=seller, key="haus", name="Cloudhaus", create_customers=True, create_subscriptions=True
    )
    usage.set_product_reference(
        actor, supplier=found, product="PRD-9", article=Article.objects.get(seller=seller, key="mailbox")
    )
    names = ("customer_id", "subscription_id", "product_id", "product_name", "quantity")
    served = [
        ("K-Ä1", "S-1", "PRD-9", "Mail", "12"), ("k-ä1", "S-2", "PRD-7", "Backup", "2"),
        ("K-2", "S-3", "PRD-9", "Mail", "3"),
    ]  # fmt: skip
    rows = [dict(zip(names, row, strict=True)) for row in served]
    days = {"period_start": "2026-02-01", "period_end": "2026-02-28", "subscription_start": "2026-02-01"}
    usage.import_rows(actor, supplier=found, rows=[row | days for row in rows])
    for key, reference, name in (("kraus", "K-Ä1", "Kraus KG"), ("muster", "K-2", "Muster GmbH")):
        customer = create_customer(actor, seller=seller, key=key, name=name, language="de")
        usage.link_customer(actor, supplier=found, reference=reference, customer=customer)
    set_billing_information(actor, customer=Customer.objects.get(key="muster"), name="Muster GmbH", **ADDRESS)
    return found


def pk_of(key: str) -> int:
    return Customer.objects.get(key=key).pk


def chosen(*keys: str, tariff: str = "cloud-services") -> str:
    customers = "&".join(f"customer={pk_of(key)}" for key in keys)
    return f"{customers}&tariff={Tariff.objects.get(key=tariff).pk}&start=2026-02-01"


def subscription(reference: str) -> str:
    return f"s{SupplierSubscription.objects.get(reference=reference).pk}"


def line(reference: str, article: str, quantity: str, price: str = "", free: str = "") -> dict[str, str]:
    prefix = subscription(reference)
    sent = {"take": "on", "article": article, "quantity": quantity, "price": price}
    return {f"{prefix}-{name}": value for name, value in (sent | ({"free": free} if free else {})).items()}


def test_the_banner_is_closed_and_leaves_a_link(supplier: Supplier, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    for path in ("/contracts/", "/sales/"):
        text = client.get(path).content.decode()
        assert "2 Kunden" in text and 'href="/contracts/onboarding/"' in text and "onboarding/close" in text
    assert "onboarding" not in client_as("viewer").get("/contracts/").content.decode()
    assert client.post("/contracts/onboarding/close/", {"next": "/sales/"}).headers["Location"] == "/sales/"
    for path in ("/contracts/", "/sales/"):
        text = client.get(path).content.decode()
        assert "onboarding/close" not in text and "Verträge für bestehende Kunden erstellen" in text
    assert "onboarding/close" in client_as("admin").get("/contracts/").content.decode(), "another still sees it"


def test_the_fitting_tariff_is_proposed_and_one_that_does_not_fit_says_so(
    supplier: Supplier, client_as: ClientAs, seller: Seller, actor: Actor
) -> None:
    other = define_tariff(actor, seller=seller, key="desks", lines={"desk": {"title": "Desk", "price": 30}})
    customers, fits = f"customer={pk_of('kraus')}", Tariff.objects.get(key="cloud-services")
    client = client_as("sales")
    text = client.get(f"/contracts/onboarding/contract/?{customers}").content.decode()
    assert f'<option value="{fits.pk}" selected>' in text
    text = client.get(f"/contracts/onboarding/lines/?{customers}&tariff={other.pk}&start=2026-02-01").content.decode()
    assert "This tariff has no usage lines" in text and "for which this tariff has no usage line" in text
    assert text.count("Nothing says yet which article") == 1, "of the product that stands for none"
    text = client.get(f"/contracts/onboarding/lines/?{customers}&tariff={fits.pk}&start=2026-02-01").content.decode()
    assert "no usage line" not in text


def test_nobody_without_contract_is_no_banner(seller: Seller, client_as: ClientAs) -> None:
    assert "onboarding" not in client_as("sales").get("/contracts/").content.decode()
    assert "Everybody has a contract" in client_as("sales").get("/contracts/onboarding/").content.decode()


def test_from_the_banner_to_the_contract(supplier: Supplier, client_as: ClientAs, seller: Seller) -> None:
    client, kraus = client_as("sales", "de"), pk_of("kraus")
    text = client.get("/contracts/onboarding/").content.decode()
    assert "Kraus KG" in text and "Mail × 12" in text and "Backup × 2" in text
    step = client.get(f"/contracts/onboarding/contract/?{chosen('kraus')}").headers["Location"]
    assert step.startswith("/contracts/onboarding/billing/?"), "Kraus lacks billing information"
    text = client.get(step).content.decode()
    form = re.search(r'href="(/customers/\d+/billing/\?next=[^"]+)"', text)
    assert form is not None and "Kraus KG fehlen Abrechnungsinformationen" in text
    back = client.post(form[1], BILLING).headers["Location"]
    assert back == step
    step = client.get(back).headers["Location"]
    assert step.startswith("/contracts/onboarding/lines/?"), "there is nothing left to complete"
    text = client.get(step).content.decode()
    assert "Cloudhaus · S-1" in text and "2,40" in text and 'value="12"' in text
    assert "Nichts sagt bisher" in text, "of the backup"
    sent = {f"c{kraus}-key": "V-900", **line("S-1", "mailbox", "12"), **line("S-2", "backup", "2")}
    preview = step.replace("/lines/", "/preview/")
    assert "„S-2“ würde nichts kosten" in client.post(preview, sent).content.decode()
    response = client.post(step, sent)
    assert response.status_code == 422 and not Contract.objects.filter(customer=kraus).exists()
    sent |= line("S-2", "backup", "2", price="1,50")
    said = client.post(preview, sent).content.decode()
    assert "51,80" in said, "February: 12 × 2.40 + 2 × 1.50 + 10.00; March: 10.00"
    response = client.post(step, sent)
    made = Contract.objects.get(customer=kraus)
    assert response.headers["Location"] == f"/contracts/{made.pk}/" and made.key == "V-900"
    rows = ContractLine.objects.filter(contract=made).order_by("article__key")
    assert [(x.article.key, x.price, x.start) for x in rows] == [
        ("backup", Decimal("1.50"), date(2026, 2, 1)), ("care", None, date(2026, 2, 1)),
        ("mailbox", None, date(2026, 2, 1)),
    ]  # fmt: skip
    assert SubscriptionLink.objects.filter(line__contract=made).count() == 2
    assert ProductReference.objects.get(supplier=supplier, product="PRD-7").article.key == "backup", "remembered"
    assert [c.key for c in without_contract(seller.pk, date(2026, 3, 1))] == ["muster"]


def test_what_was_shown_is_what_is_billed(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    customer = Customer.objects.select_related("seller", "billing_information").get(key="muster")
    tariff = offered(seller.pk, ["cloud-services"])["cloud-services"]
    suggested = billing.suggest([customer], tariff, date(2026, 2, 1), date(2026, 3, 1))[customer.pk]
    assert [(s.article, s.quantity, s.price) for s in suggested] == [("mailbox", 3, Decimal("2.40"))]
    wanted = billing.Wanted(
        key="V-901", customer=customer, offered=tariff, start=date(2026, 2, 1),
        lines=[
            billing.ServiceLine(subscription=s.subscription, article=s.article, quantity=s.quantity) for s in suggested
        ],
    )  # fmt: skip
    before = billing.look_at_onboarding(actor, seller=seller, wanted=[wanted])[0].consequence
    assert before is not None and not Contract.objects.filter(key="V-901").exists()
    done = billing.onboard(actor, seller=seller, wanted=[wanted])
    assert done.tied.recorded == 1
    contract = Contract.objects.select_related("customer__seller", "customer__billing_information").get(key="V-901")
    after = billing.standing(actor, contract=contract).bills[0]
    assert [d.draft.net for d in before.bills[0].documents] == [d.draft.net for d in after.documents] == [2720]


def test_many_in_one_go(supplier: Supplier, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    step = f"/contracts/onboarding/lines/?{chosen('kraus', 'muster')}"
    text = client.get(step).content.decode()
    assert "Kraus KG" in text and "Muster GmbH" in text
    sent = {
        f"c{pk_of('kraus')}-key": "V-1", f"c{pk_of('muster')}-key": "V-2", **line("S-1", "mailbox", "12"),
        **line("S-3", "mailbox", "3"), f"{subscription('S-2')}-article": "", f"{subscription('S-2')}-quantity": "2",
    }  # fmt: skip
    said = client.post(step.replace("/lines/", "/preview/"), sent).content.decode()
    assert said.count("<tr>") == 3 and "V-1" in said and "Kraus KG" in said
    same = client.post(step, sent | {f"c{pk_of('muster')}-key": "V-1"})
    assert same.status_code == 422 and not Contract.objects.filter(key__in=["V-1", "V-2"]).exists(), "all or none"
    assert client.post(step, sent).headers["Location"] == "/contracts/"
    assert SubscriptionLink.objects.filter(line__contract__key="V-1").count() == 1, "one was left out"
    assert Contract.objects.filter(key="V-2", customer=pk_of("muster")).exists()


def test_nothing_of_others(supplier: Supplier, seller: Seller, actor: Actor) -> None:
    from taktura.catalog.queries import offered

    tariff = offered(seller.pk, ["cloud-services"])["cloud-services"]
    row = SupplierSubscription.objects.select_related("supplier__seller").get(reference="S-1")
    customer = Customer.objects.select_related("seller", "billing_information").get(key="muster")
    wanted = billing.Wanted(
        key="V-3", customer=customer, offered=tariff, start=date(2026, 2, 1),
        lines=[billing.ServiceLine(subscription=row, article="mailbox", quantity=Decimal(1))],
    )  # fmt: skip
    with pytest.raises(Refused, match="has no supplier subscription"):
        billing.onboard(actor, seller=seller, wanted=[wanted])


def test_a_step_without_those_before_leads_there(supplier: Supplier, client_as: ClientAs) -> None:
    client = client_as("sales")
    assert client.get("/contracts/onboarding/contract/").headers["Location"] == "/contracts/onboarding/"
    lost = client.get(f"/contracts/onboarding/lines/?customer={pk_of('kraus')}").headers["Location"]
    assert lost.startswith("/contracts/onboarding/contract/?customer=")
    assert client.get(f"/contracts/onboarding/contract/?{chosen('kraus')}&change=1").status_code == 200
    wrong = client.get(f"/contracts/onboarding/contract/?customer={pk_of('kraus')}&tariff=&start={quote('30.2.')}")
    assert wrong.status_code == 422
