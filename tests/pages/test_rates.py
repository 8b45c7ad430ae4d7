"""Pages of exchange rates: entering, loading and correcting them, converting again, and the contract that allows it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ExchangeRate, Supplier, UsageRecord

SignIn = Callable[..., Client]
ROW = {"id": "d-1", "subscription_id": "dollars", "quantity": "1", "cost": "100", "period_start": "2026-02-06",
       "currency": "USD"}  # fmt: skip


@pytest.fixture
def waiting(seller: Seller, actor: Actor) -> Contract:
    """A contract in EUR with usage that waits since it is in USD."""
    supplier, line = Supplier.objects.get(), ContractLine.objects.filter(article__key="calls").first()
    assert line is not None
    usage.link(actor, supplier=supplier, reference="dollars", line=line)
    mapping = {name: name for name in ROW}
    usage.import_rows(actor, supplier=supplier, rows=[ROW], mapping=mapping)
    return line.contract


def test_from_a_currency_that_waits_to_one_that_is_converted_again(waiting: Contract, client_as: SignIn) -> None:
    client = client_as()
    assert "USD" not in client.get("/usage/rates/").content.decode()
    record = UsageRecord.objects.get(external_id="d-1")
    shown = f"/usage/records/{record.pk}/"
    page = client.get(shown).content.decode()
    assert "Allow the contract to convert it by dated rates" in page
    address = f"/contracts/{waiting.pk}/currency/"
    assert client.post(address + "preview/", {"rule": "day"}).status_code == 200
    assert client.post(address, {"rule": "day"}).status_code == 302
    waiting.refresh_from_db()
    assert waiting.conversion == "day"
    assert "rate of the day of usage" in client.get(f"/contracts/{waiting.pk}/").content.decode()
    assert "load a file of rates" in client.get(shown).content.decode()
    sent = {"base": "eur", "quote": "usd", "day": "2026-02-06", "rate": "1.25"}
    assert client.post("/usage/rates/new/", sent).status_code == 302
    assert "von Hand" in client_as("viewer", "de").get("/usage/rates/").content.decode()
    record.refresh_from_db()
    assert (record.rate_under, record.line_id is not None) == (Decimal("1.25"), True)
    assert "÷ 1.25" in client.get(shown).content.decode()
    rate = ExchangeRate.objects.get()
    assert client.post(f"/usage/rates/{rate.pk}/", {"rate": "1.6"}, follow=True).status_code == 200
    record.refresh_from_db()
    assert record.rate_under == Decimal("1.25")
    days = {"source": "USD", "target": "EUR", "first": "2026-02-01", "last": "2026-02-28"}
    assert "1 record gets another rate" in client.post("/usage/rates/again/preview/", days).content.decode()
    record.refresh_from_db()
    assert record.rate_under == Decimal("1.25"), "the preview writes nothing"
    assert client.post("/usage/rates/again/", days).status_code == 302
    record.refresh_from_db()
    assert record.rate_under == Decimal("1.6")
    assert "Nothing:" in client.post("/usage/rates/again/preview/", days).content.decode()
    assert client.post(f"/usage/rates/{rate.pk}/remove/").status_code == 302
    assert not ExchangeRate.objects.exists()


def test_a_file_is_loaded_or_refused_with_its_line(seller: Seller, client_as: SignIn) -> None:
    client = client_as()

    def load(text: bytes) -> int:
        sent = SimpleUploadedFile("rates.csv", text)
        answer = client.post("/usage/rates/load/", {"file": sent})
        assert answer.status_code in (302, 422)
        if answer.status_code == 422:
            assert "The rate at 3 cannot be read" in answer.content.decode()
        return int(answer.status_code)

    assert load(b"from,to,day,rate\nEUR,USD,2026-02-06,1.08\nEUR,USD,tomorrow,1.08\n") == 422
    assert not ExchangeRate.objects.exists()
    assert load(b"from,to,day,rate\nEUR,USD,2026-02-06,1.08\n") == 302
    assert ExchangeRate.objects.get().day == date(2026, 2, 6)
    page = client.get("/usage/rates/").content.decode()
    assert "1.08" in page and "CSV" in page


def test_a_rate_that_is_none_stays_in_the_form(seller: Seller, client_as: SignIn) -> None:
    sent = {"base": "EUR", "quote": "EUR", "day": "2026-02-06", "rate": "1.08"}
    answer = client_as().post("/usage/rates/new/", sent)
    assert answer.status_code == 422
    assert "from one currency to another" in answer.content.decode()
    assert not ExchangeRate.objects.exists()


def test_who_may_only_look_changes_nothing(seller: Seller, client_as: SignIn) -> None:
    client = client_as("viewer")
    assert client.get("/usage/rates/").status_code == 200
    for path in ("new", "load", "again"):
        assert client.get(f"/usage/rates/{path}/").status_code == 403
