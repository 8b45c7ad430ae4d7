"""What-if in the office: the form, what stands beside it, the result with its table, picture and files."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from taktura.billing.tasks import rate_what_if
from taktura.catalog.drafts import begin_draft
from taktura.catalog.models import Tariff, TariffDraft
from taktura.cli.scenarios.view import fingerprints
from taktura.customers.models import Customer, Seller
from taktura.kit import clock
from taktura.kit.actor import Actor
from taktura.kit.jobs.models import Work

FORM = "/tariffs/what-if/"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the first of March 2026."""
    for place in ("taktura.office.page.utc_now", "taktura.billing.tasks.utc_now"):
        monkeypatch.setattr(place, lambda: NOW)
    assert clock.utc_now() != NOW


@pytest.fixture
def dear(seller: Seller) -> Tariff:
    """Another tariff: the base fee is dearer, nobody pays for searches, there is no minimum."""
    from taktura.catalog.services import define_tariff

    lines: dict[str, Any] = {
        "base": {"title": "Base fee", "price": "29.90"},
        "number": {"title": "Number", "booking": "add_on", "price": "4.50"},
        "calls": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "1.19", "included": "10"},
    }
    return define_tariff(Actor("test", NOW), seller=seller, key="dear", title="Teuer", lines=lines)


def data(against: Any, **changes: Any) -> dict[str, Any]:
    """The form as a browser sends it: January and February of all contracts."""
    months = {"first": "2026-01-01", "last": "2026-02-01"}
    return {"against": str(against), "of": "", "customers": "", "own_conditions": "on", **months, **changes}


def compared(client: Client, against: Any, **changes: Any) -> str:
    """Start a what-if and let it happen; the address of its result."""
    response = client.post(FORM, data(against, **changes))
    assert response.status_code == 302, response.content.decode()
    work = Work.objects.get(kind="what_if", state="waiting")
    assert response.headers["Location"] == f"/work/{work.pk}/"
    rate_what_if(work=work.pk)
    ended: str = client.get(f"/work/{work.pk}/").headers["Location"]
    assert ended == f"/tariffs/what-if/{work.pk}/"
    return ended


def test_pages_in_each_language(
    seller: Seller, dear: Tariff, client_as: Callable[..., Client], page_ok: Callable[..., dict[str, str]]
) -> None:
    assert len(set(page_ok(FORM).values())) == 3
    found = compared(client_as(), dear.pk)
    customer = Customer.objects.get(key="acme")
    for path in (found, f"{found}customers/{customer.pk}/"):
        texts = page_ok(path, "viewer")
        assert len(set(texts.values())) == 3 and all("Teuer" in t and "Acme GmbH" in t for t in texts.values())


def test_who_may(seller: Seller, dear: Tariff, client_as: Callable[..., Client], forbidden_to: Any) -> None:
    assert forbidden_to(FORM) == {"technician"}
    assert forbidden_to(compared(client_as(), dear.pk)) == {"technician"}


def test_a_tariffs_page_leads_there(seller: Seller, client_as: Callable[..., Client]) -> None:
    tariff = Tariff.objects.get(key="talk")
    text = client_as("viewer").get(f"/tariffs/{tariff.pk}/").content.decode()
    assert f"/tariffs/what-if/?of={tariff.pk}" in text
    form = client_as("viewer").get(f"{FORM}?of={tariff.pk}&against={tariff.pk}").content.decode()
    assert form.count(f'<option value="{tariff.pk}" selected>') == 2
    # The last three full months before March.
    assert '<option value="2025-12-01" selected>' in form and '<option value="2026-02-01" selected>' in form


def test_the_result_tells_what_would_change(seller: Seller, dear: Tariff, client_as: Callable[..., Client]) -> None:
    """Three contracts, two months: 10.00 more of base, no minimum of 10.00; searches of Acme are not priced."""
    client = client_as("billing")
    client.post(FORM, data(dear.pk))
    work = Work.objects.get(kind="what_if")
    before = fingerprints()
    rate_what_if(work=work.pk)
    after = fingerprints()
    assert {table for table in before if before[table] != after[table]} == {"jobs_work"}
    found = f"/tariffs/what-if/{work.pk}/"
    text = client.get(found).content.decode()
    assert "The tariff has no line for Search: 1 record" in text
    assert "Acme GmbH" in text and "data-chart" in text and '"horizontal": true' in text
    work.refresh_from_db()
    assert sum(row[2] for row in work.result["rows"]) == sum(row[3] for row in work.result["rows"])
    detail = client.get(f"{found}customers/{Customer.objects.get(key='acme').pk}/").content.decode()
    assert "V-acme" in detail and "Base fee" in detail and "€59.80" in detail


def test_the_table_is_sorted_searched_and_saved(seller: Seller, dear: Tariff, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = compared(client, dear.pk, customers="acme\nOhne Angaben KG")
    rows = list(csv.reader(io.StringIO(client.get(f"{found}?export=csv&sort=name").content.decode("utf-8-sig"))))
    assert [r[1] for r in rows] == ["Customer", "Acme GmbH", "Ohne Angaben KG"]
    assert rows[2] == ["bare", "Ohne Angaben KG", "1", "77.80", "77.80", "0.00", "EUR"]
    downwards = client.get(f"{found}?export=csv&sort=-name").content.decode("utf-8-sig")
    assert downwards.index("Ohne Angaben") < downwards.index("Acme")
    sheet = load_workbook(io.BytesIO(client.get(f"{found}?export=xlsx&q=ACME").content)).active
    assert sheet is not None and [r[1] for r in sheet.values] == ["Customer", "Acme GmbH"]
    for query in ("?sort=old", "?sort=-new", "?sort=difference", "?sort=contracts", "?page=99", "?page=x", "?q=nobody"):
        assert client.get(found + query).status_code == 200
    assert "Nothing matches" in client.get(f"{found}?q=nobody").content.decode()


def test_beside_the_form_stand_the_figures_of_a_few(
    seller: Seller, dear: Tariff, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    text = client.post(f"{FORM}preview/", data(dear.pk)).content.decode()
    assert "3 contracts ran in these months" in text and "With this tariff" in text and "€" in text
    one = client.post(f"{FORM}preview/", data(dear.pk, customers="Gemeinschaftspraxis Öztürk (oztuerk)"))
    assert "1 contract ran" in one.content.decode()
    assert "There is no customer" in client.post(f"{FORM}preview/", data(dear.pk, customers="x")).content.decode()


def test_a_draft_is_tried(seller: Seller, client_as: Callable[..., Client]) -> None:
    line = {"title": "Base fee", "price": "5.00"}
    draft = begin_draft(
        Actor("test", NOW), seller=seller, key="idea", fields={"title": "Idee", "lines": {"base": line}}
    )  # fmt: skip
    client = client_as()
    form = client.get(f"{FORM}?draft={draft.pk}").content.decode()
    assert f'<option value="draft-{draft.pk}" selected>Idee (draft of idea)</option>' in form
    assert "Idee" in client.get(compared(client, f"draft-{draft.pk}")).content.decode()
    TariffDraft.objects.update(fields={"minimum_sales": "5", "lines": []})
    response = client.post(FORM, data(f"draft-{draft.pk}"))
    assert response.status_code == 422 and "Flag at least one line" in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"against": "999"}, "field-against"),
        ({"first": "2026-02-01", "last": "2026-01-01"}, "The last month lies before the first"),
        ({"customers": "acme\nnobody"}, "There is no customer “nobody”"),
        ({"first": "1999-01-01"}, "field-first"),
    ],
)
def test_what_cannot_be_is_said_and_stays_typed(
    seller: Seller, dear: Tariff, client_as: Callable[..., Client], changes: dict[str, str], said: str
) -> None:
    response = client_as().post(FORM, data(dear.pk) | changes)
    text = response.content.decode()
    assert response.status_code == 422 and said in text
    assert not Work.objects.filter(kind="what_if").exists()


def test_another_sellers_result_is_not_there(seller: Seller, dear: Tariff, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = compared(client, dear.pk)
    Work.objects.filter(kind="what_if").update(subject="seller:999")
    assert client.get(found).status_code == 404
    Work.objects.filter(kind="what_if").update(subject=f"seller:{seller.pk}", result={})
    assert client.get(found).status_code == 404


def test_nothing_to_compare_is_said(seller: Seller, dear: Tariff, client_as: Callable[..., Client]) -> None:
    client = client_as()
    found = compared(client, dear.pk, first="2025-11-01", last="2025-12-01")
    assert "Nothing to compare" in client.get(found).content.decode()
