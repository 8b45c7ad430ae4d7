"""The forecast in the office: a contract's next bill beside its last, and that of all with table, picture, files."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from taktura.billing import services as billing
from taktura.billing.tasks import foresee_bills
from taktura.cli.scenarios.view import fingerprints
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.jobs.models import Work

FORM = "/billing/forecast/"
NOW = datetime(2026, 2, 10, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def february(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the tenth of February 2026."""
    for place in ("taktura.office.page.utc_now", "taktura.billing.tasks.utc_now"):
        monkeypatch.setattr(place, lambda: NOW)


@pytest.fixture
def company(seller: Seller) -> Seller:
    """The company of all tests, with two changes: Acme has two numbers more from March on, Öztürk begins another
    contract. The third customer was never billed, since its billing information is missing."""
    actor = Actor("test", NOW)
    line = ContractLine.objects.get(contract__key="V-acme", article__key="number")
    billing.change_quantity(actor, line=line, quantity=Decimal(4), start=date(2026, 3, 1))
    second = Customer.objects.get(key="oztuerk")
    contracts.sign(
        actor, key="V-new", customer=second, tariff=Contract.objects.get(key="V-acme").tariff, start=date(2026, 3, 1)
    )
    return seller


def foreseen(client: Client, **data: str) -> str:
    """Start a forecast and let it happen; the address of its result."""
    response = client.post(FORM, {"month": "2026-03-01", "until": "", **data})
    assert response.status_code == 302, response.content.decode()
    work = Work.objects.get(kind="forecast", state="waiting")
    assert response.headers["Location"] == f"/work/{work.pk}/"
    foresee_bills(work=work.pk)
    ended: str = client.get(f"/work/{work.pk}/").headers["Location"]
    assert ended == f"/billing/forecast/{work.pk}/"
    return ended


def saved(client: Client, address: str) -> list[list[str]]:
    """The table as a file."""
    return list(csv.reader(io.StringIO(client.get(f"{address}export=csv").content.decode("utf-8-sig"))))


def test_pages_in_each_language(
    company: Seller, client_as: Callable[..., Client], page_ok: Callable[..., dict[str, str]]
) -> None:
    assert len(set(page_ok(FORM).values())) == 3
    texts = page_ok(foreseen(client_as()), "viewer")
    assert len(set(texts.values())) == 3 and all("Acme GmbH" in text for text in texts.values())
    assert "Andere Menge" in texts["de"] and "Annan mängd" in texts["sv"]


def test_who_may(company: Seller, client_as: Callable[..., Client], forbidden_to: Any) -> None:
    assert forbidden_to(FORM) == {"technician"}
    assert forbidden_to(foreseen(client_as())) == {"technician"}


def test_the_result_tells_what_changes_and_why(company: Seller, client_as: Callable[..., Client]) -> None:
    """Acme pays two numbers more (9.00); usage of January is not used again (3.00 of searches, less the minimum)."""
    client = client_as("billing")
    client.post(FORM, {"month": "2026-03-01"})
    work = Work.objects.get(kind="forecast")
    before = fingerprints()
    foresee_bills(work=work.pk)
    after = fingerprints()
    assert {table for table in before if before[table] != after[table]} == {"jobs_work"}
    work.refresh_from_db()
    rows = {Contract.objects.get(pk=row[0]).key: row for row in work.result["rows"]}
    assert set(rows) == {"V-acme", "V-oztuerk", "V-new"}
    assert ["quantity", 900] in rows["V-acme"][7] and rows["V-acme"][3] == "2026-03-01"
    assert sum(amount for _, amount in rows["V-acme"][7]) == rows["V-acme"][6] - rows["V-acme"][5]
    text = client.get(f"/billing/forecast/{work.pk}/").content.decode()
    assert "Other quantity" in text and "+€9.00" in text and "data-chart" in text
    assert "1 contract without a last bill" in text
    lately = client.get(FORM).content.decode()
    assert "Foreseen lately" in lately and f"/billing/forecast/{work.pk}/" in lately


def test_the_table_is_parted_sorted_searched_and_saved(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = foreseen(client)
    assert [row[0] for row in saved(client, f"{found}?cause=quantity&")[1:]] == ["V-acme"]
    firsts = {row[0]: row for row in saved(client, f"{found}?part=first&")[1:]}
    assert firsts["V-new"][3:5] == ["", ""] and firsts["V-new"][5] == "2026-03-01"
    assert [row[2] for row in saved(client, f"{found}?sort=name&")[1:]][0] == "Acme GmbH"
    sheet = load_workbook(io.BytesIO(client.get(f"{found}?export=xlsx&q=ACME").content)).active
    assert sheet is not None and [row[0] for row in sheet.values] == ["Contract", "V-acme"]
    for part in ("more", "less", "same", "gone", "first", "nonsense"):
        assert client.get(f"{found}?part={part}").status_code == 200
    for query in ("?sort=old", "?sort=-new", "?sort=-on", "?page=99", "?page=x", "?cause=x", "?currency=SEK"):
        assert client.get(found + query).status_code == 200
    assert "Nothing matches" in client.get(f"{found}?q=nobody").content.decode()


def test_until_a_day(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = foreseen(client, month="", until="2026-02-20")
    assert [row[0] for row in saved(client, f"{found}?part=first&")[1:]] == ["V-bare"]
    Contract.objects.filter(key="V-bare").update(next_due=date(2026, 4, 1), changed_from=None)
    assert "No bill comes in these days" in client.get(foreseen(client, month="", until="2026-02-20")).content.decode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"month": "", "until": ""}, "Choose a month or type a day."),
        ({"month": "", "until": "2026-02-01"}, "A forecast looks ahead"),
        ({"until": "never"}, "is no day"),
        ({"month": "1999-01-01"}, "field-month"),
    ],
)
def test_what_cannot_be_is_said(
    seller: Seller, client_as: Callable[..., Client], data: dict[str, str], said: str
) -> None:
    response = client_as().post(FORM, {"month": "2026-03-01", "until": ""} | data)
    assert response.status_code == 422 and said in response.content.decode()
    assert not Work.objects.filter(kind="forecast").exists()


def test_another_sellers_result_is_not_there(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = foreseen(client)
    Work.objects.filter(kind="forecast").update(subject="seller:999")
    assert client.get(found).status_code == 404
    Work.objects.filter(kind="forecast").update(subject=f"seller:{company.pk}", result={})
    assert client.get(found).status_code == 404


def test_a_contracts_page_says_what_changes(
    company: Seller, client_as: Callable[..., Client], page_ok: Callable[..., dict[str, str]]
) -> None:
    acme = Contract.objects.get(key="V-acme")
    texts = page_ok(f"/contracts/{acme.pk}/")
    assert "What changes against the last bill of" in texts["en"] and "Quantity 4 instead of 2" in texts["en"]
    assert "Menge 4 statt 2" in texts["de"] and "Mängd 4 i stället för 2" in texts["sv"]
    new = Contract.objects.get(key="V-new")
    assert "What changes against" not in client_as().get(f"/contracts/{new.pk}/").content.decode()
    same = Contract.objects.get(key="V-oztuerk")
    assert "Nothing: it is the same." in client_as().get(f"/contracts/{same.pk}/").content.decode()
    technician = client_as("technician").get(f"/contracts/{acme.pk}/").content.decode()
    assert "What changes against" not in technician
