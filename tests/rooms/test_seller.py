"""A seller's settings: what they may be, what may change once something is billed, and what follows from a change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
from taktura.contracts import services as contracts
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.customers.sellers import FIXED, SELLER_FIELDS, WORDS, checked_rates
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor

ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin"}
VAT_ID, IBAN, BIC = "DE136695976", "DE89370400440532013000", "COBADEFFXXX"


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller in Germany, with a customer in Sweden who accounts for the VAT itself."""
    made = customers.create_seller(
        actor, name="Sonnenruf", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]], **ADDRESS
    )
    customer = customers.create_customer(actor, seller=made, key="acme", name="Acme AB")
    customers.set_billing_information(
        actor, customer=customer, name="Acme AB", country="SE", tax_status="reverse_charge", vat_id="SE556036079301",
        **ADDRESS,
    )  # fmt: skip
    return made


def issue(actor: Actor, seller: Seller) -> None:
    """Bill something."""
    confirm_numbering(actor, seller=seller, kind="invoice", format="{number}", next=1)
    line = {"base": {"title": "Base", "charge": "recurring", "price": "10.00"}}
    tariff = catalog.define_tariff(actor, seller=seller, key="t", title="T", lines=line)
    customer = Customer.objects.get()
    contracts.sign(actor, key="C", customer=customer, tariff=tariff, start=date(2026, 3, 1))
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    assert Document.objects.count() == 1


def change(actor: Actor, seller: Seller, **fields: Any) -> Seller:
    return billing.change_seller(actor, seller=seller, **fields)


def test_what_is_written_is_written_as_it_is_used(seller: Seller, actor: Actor) -> None:
    new = change(
        actor, seller, name=" Neu GmbH ", vat_id="de 136.695-976", iban="de89 3704 0044 0532 0130 00",
        bic=" cobadeffxxx", creditor_id="fr72 zzz 123456", email="a@example.com", payment_days=30, second_factor=True,
    )  # fmt: skip
    new.refresh_from_db()
    assert (new.name, new.vat_id, new.iban, new.bic) == ("Neu GmbH", VAT_ID, IBAN, BIC)
    assert new.creditor_id == "FR72ZZZ123456"
    assert (new.payment_days, new.second_factor, new.street) == (30, True, ADDRESS["street"])
    entry = LogEntry.objects.latest("id")
    assert (entry.action, entry.subject) == ("change_seller", f"seller:{new.pk}")
    assert entry.data["before"]["name"] == "Sonnenruf"
    assert entry.data["after"]["payment_days"] == 30


def test_what_stays_is_no_change(seller: Seller, actor: Actor) -> None:
    before = LogEntry.objects.count()
    change(actor, seller, name="Sonnenruf", country="DE", vat=[[None, "19"]])
    assert LogEntry.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("country", "Germany"),
        ("country", ""),
        ("currency", "euro"),
        ("time_zone", "Berlin"),
        ("time_zone", "../etc/passwd"),
        ("email", "nobody"),
        ("iban", "DE89370400440532013001"),
        ("bic", "COBA"),
        ("creditor_id", "DE99ZZZ09999999999"),
        ("creditor_id", "DE98ZZZ099"),
        ("creditor_id", "DE98ZZZ0999999999９"),
        ("vat_id", "DE123456789"),
        ("payment_days", -1),
        ("payment_days", 366),
        ("payment_days", True),
        ("payment_days", "14"),
        ("second_factor", "yes"),
        ("vat", []),
        ("vat", [["2026-01-01", "19"]]),
        ("vat", [[None, "19"], [None, "7"]]),
        ("vat", [[None, "101"]]),
        ("vat", [[None, "-1"]]),
        *((name, "other") for name in WORDS),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(seller: Seller, actor: Actor, field: str, value: Any) -> None:
    with pytest.raises(Refused) as refusal:
        change(actor, seller, **{field: value})
    assert refusal.value.code == "invalid"
    assert refusal.value.values.get("field") == field
    seller.refresh_from_db()
    assert seller.name == "Sonnenruf"


def test_there_is_no_other_field(seller: Seller, actor: Actor) -> None:
    for name in ("id", "closed_until", "nothing"):
        with pytest.raises(Refused, match=f"no setting “{name}”"):
            change(actor, seller, **{name: 1})
    known = {f.name for f in Seller._meta.fields}
    assert set(SELLER_FIELDS) == known - {"id", "closed_until"}


OTHERS = {
    "currency": "SEK", "prices_are": "gross", "stacking": "add", "coupon_and_scale": "best", "rate_change": "split",
}  # fmt: skip


@pytest.mark.parametrize("field", FIXED)
def test_what_charges_follow_from_is_fixed_by_the_first_document(seller: Seller, actor: Actor, field: str) -> None:
    assert getattr(change(actor, seller, **{field: OTHERS[field]}), field) == OTHERS[field]
    change(actor, seller, **{field: getattr(seller, field)})
    issue(actor, seller)
    with pytest.raises(Refused) as refusal:
        change(actor, seller, **{field: OTHERS[field], "name": "Neu"})
    assert (refusal.value.code, refusal.value.values["field"]) == ("conflict", field)
    assert Seller.objects.get().name == "Sonnenruf"
    change(actor, seller, **{field: getattr(Seller.objects.get(), field), "name": "Neu"})
    assert Seller.objects.get().name == "Neu"


def test_all_others_may_change_and_what_is_issued_stays(seller: Seller, actor: Actor) -> None:
    issue(actor, seller)
    document = Document.objects.get()
    change(
        actor, seller, name="Neu", city="Hamburg", change_documents="netted", consumer_rules="none", payment_days=7,
        vat=[[None, "16"], ["2026-01-01", "20"]], time_zone="Europe/Stockholm", unattended_runs=True,
    )  # fmt: skip
    document.refresh_from_db()
    assert document.seller_data["name"] == "Sonnenruf"
    assert verify() == []
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    assert Document.objects.count() == 1


def test_where_the_seller_is_decides_who_is_complete(seller: Seller, actor: Actor) -> None:
    assert Customer.objects.get().complete
    change(actor, seller, country="SE")
    assert not Customer.objects.get().complete
    change(actor, seller, country="DE")
    assert Customer.objects.get().complete


def test_rates_are_kept_in_the_order_of_their_days() -> None:
    given = [["2027-01-01", "20.50"], [None, 19], [date(2026, 1, 1), "7"]]
    assert checked_rates(given) == [[None, "19"], ["2026-01-01", "7"], ["2027-01-01", "20.50"]]


def test_a_refused_change_of_several_fields_writes_none(seller: Seller, actor: Actor) -> None:
    at = Actor("test", datetime(2026, 4, 1, tzinfo=UTC))
    with pytest.raises(Refused):
        change(at, seller, city="Hamburg", iban="x")
    assert Seller.objects.get().city == "Berlin"
