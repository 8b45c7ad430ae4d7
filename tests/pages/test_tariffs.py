"""Pages of tariffs and articles."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from taktura.billing.services import publish_draft
from taktura.catalog.models import Article, Tariff, TariffDraft, TariffLine
from taktura.catalog.modules import create_module, key_called
from taktura.catalog.services import define_tariff
from taktura.core.facts import LineTerms, Tier
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import DocumentState
from taktura.kit.actor import Actor
from taktura.office.terms import price_of

HEAD = {
    "title": "Büro", "key": "buero", "module": "office", "interval": "1 month", "anchor": "calendar",
    "notice": "monthly", "currency": "eur", "action": "publish",
}  # fmt: skip


def lines(*rows: dict[str, str], total: int | None = None) -> dict[str, str]:
    """The lines of a form, as a browser sends them."""
    data = {"lines-TOTAL_FORMS": str(total or len(rows)), "lines-INITIAL_FORMS": "0"}
    for i, row in enumerate(rows):
        whole = {"charge": "recurring", "booking": "included", "unit": "piece", "included": "", **row}
        data |= {f"lines-{i}-{n}": v for n, v in whole.items()}
    return data


BASE = {"key": "desk", "title": "Schreibtisch", "price": "49,00"}
CALLS = {"key": "calls", "title": "Anrufe", "price": "0,075", "charge": "usage", "unit": "minute", "included": "10"}
EMPTY = {"key": "", "title": "", "price": ""}


def pk() -> int:
    return Tariff.objects.get(key="talk").pk


@pytest.mark.parametrize("tab", ["", "versions/", "contracts/", "history/", "prices/", "copy/", "retire/"])
def test_pages_of_a_tariff(seller: Seller, page_ok: Callable[..., dict[str, str]], tab: str) -> None:
    texts = page_ok(f"/tariffs/{pk()}/{tab}")
    assert all("Telefonservice" in t for t in texts.values()) and len(set(texts.values())) == 3


@pytest.mark.parametrize("path", ["/tariffs/", "/tariffs/articles/", "/tariffs/new/"])
def test_lists_and_forms(seller: Seller, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(path).values())) == 3


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/tariffs/") == {"technician"}
    assert forbidden_to("/tariffs/new/") == {"billing", "lead", "technician", "viewer"}
    assert forbidden_to(f"/tariffs/articles/{Article.objects.get(key='base').pk}/") == forbidden_to("/tariffs/new/")


def test_a_tariff_says_what_its_lines_cost(seller: Seller, client_as: Callable[..., Client]) -> None:
    text = client_as(language="de").get(f"/tariffs/{pk()}/").content.decode()
    for wanted in ("19,90", "1,19", "enthalten", "10,00", "monatlich"):
        assert wanted in text, wanted


def test_tiers_say_of_what_their_prices_are() -> None:
    steps = (Tier(up_to=Decimal(300), price=Decimal("0.99")), Tier(price=Decimal("0.5"), flat=Decimal(2)))
    terms = LineTerms(article="calls", charge="usage", unit="minute", tiers=steps)
    with translation.override("de"):
        said = price_of(terms, "EUR").replace("\u00a0", " ")
    assert said == "bis 300 Min.: 0,99 € je Min.; darüber: 0,50 € je Min. und einmalig 2,00 €"


def test_a_tariff_is_made_with_its_lines(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("sales", "de")
    response = client.post("/tariffs/new/", HEAD | lines(BASE, EMPTY, CALLS))
    made = Tariff.objects.get(key="buero")
    assert response.headers["Location"] == f"/tariffs/{made.pk}/"
    found = {r.article.key: r for r in TariffLine.objects.filter(version__tariff=made).order_by("position")}
    assert list(found) == ["desk", "calls"]
    assert Decimal(found["calls"].terms["price"]) == Decimal("0.075") and found["calls"].terms["unit"] == "minute"
    assert (made.currency, made.versions.get().anchor, made.versions.get().notice) == ("EUR", "calendar", "monthly")


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ({"key": "talk"}, [BASE], "There is a tariff"),
        ({"title": ""}, [BASE], "field-title"),
        ({}, [EMPTY], "Fill in at least one line"),
        ({}, [BASE, {**EMPTY, "included": "5"}], "#field-lines-1-price"),
        ({}, [BASE, {**EMPTY, "charge": "usage"}], "#field-lines-1-key"),
        ({}, [BASE, BASE], "Two lines have the article"),
        ({}, [{**BASE, "price": "x"}], "is no number"),
        ({}, [{**BASE, "price": "-1"}], "cannot be less than 0"),
        ({"currency": "EURO"}, [BASE], "field-currency"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(
    seller: Seller, client_as: Callable[..., Client], head: dict[str, str], rows: list[dict[str, str]], said: str
) -> None:
    response = client_as("sales").post("/tariffs/new/", HEAD | head | lines(*rows))
    text = response.content.decode()
    assert response.status_code == 422 and said in text and "office" in text
    assert not Tariff.objects.filter(key="buero").exists()


def test_another_line_keeps_what_was_typed(seller: Seller, client_as: Callable[..., Client]) -> None:
    text = client_as("sales").post("/tariffs/new/", HEAD | lines(BASE) | {"action": "add"}).content.decode()
    assert 'value="Schreibtisch"' in text and "lines-1-key" in text and "lines-2-key" not in text
    assert 'value="buero"' in text and "invalid-feedback" not in text


def test_prices_move_from_a_day_on_and_the_page_says_how(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, data = client_as("sales", "de"), {"percent": "10", "start": "2026-12-01", "applies_to": "all"}
    said = client.post(f"/tariffs/{pk()}/prices/consequence/", data).content.decode()
    assert "3 Verträge" in said and "19,90\xa0€" in said and "21,89\xa0€" in said and "1,309\xa0€" in said
    assert Tariff.objects.get(pk=pk()).versions.count() == 1, "a look changes nothing"
    assert client.post(f"/tariffs/{pk()}/prices/", data).status_code == 302
    version = Tariff.objects.get(pk=pk()).versions.latest("valid_from")
    assert version.valid_from == date(2026, 12, 1) and version.applies_to == "all"
    assert Decimal(version.lines.get(article__key="base").terms["price"]) == Decimal("21.89")


def test_prices_fall_by_100_percent_at_most(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, data = client_as("sales", "de"), {"percent": "-150", "start": "2026-12-01", "applies_to": "all"}
    assert "höchstens 100 Prozent" in client.post(f"/tariffs/{pk()}/prices/consequence/", data).content.decode()
    assert client.post(f"/tariffs/{pk()}/prices/", data).status_code == 422
    assert "0,00" in client.post(f"/tariffs/{pk()}/prices/consequence/", data | {"percent": "-100"}).content.decode()
    assert Tariff.objects.get(pk=pk()).versions.count() == 1


@pytest.mark.parametrize("path", ["/tariffs/", "/tariffs/articles/"])
def test_lists_find_without_case_and_marks(
    seller: Seller, client_as: Callable[..., Client], actor: Actor, path: str
) -> None:
    line = {"title": "Präsentation", "charge": "once", "price": "5"}
    define_tariff(actor, seller=seller, key="raum", title="Präsentation", notice="none", lines={"p": line})
    for text, number in (("PRASENTATION", 1), ("präsen tation", 1), ("presentation", 0)):
        found = client_as().get(path, {"q": text}).content.decode()
        assert ("Präsentation" in found.partition("<tbody>")[2]) == bool(number), text


def test_tabs_say_what_they_leave_out(
    seller: Seller, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taktura.office.tariffs.detail.SHOWN", 2)
    monkeypatch.setattr("taktura.office.customers.detail.SHOWN", 1)
    client, customer = client_as(), Customer.objects.get(key="acme")
    text = client.get(f"/tariffs/{pk()}/contracts/").content.decode()
    assert "2 of 3 stand here." in text and f'href="/contracts/?had={pk()}"' in text
    assert client.get(f"/contracts/?had={pk()}").content.decode().count('class="row-link"') == 3
    assert client.get("/contracts/?had=0").content.decode().count('class="row-link"') == 0
    text = client.get(f"/customers/{customer.pk}/documents/").content.decode()
    number = DocumentState.objects.filter(customer=customer).count()
    assert f"1 of {number} stand here." in text and 'href="/documents/?customer=acme"' in text
    assert "stand here" not in client.get(f"/customers/{customer.pk}/contracts/").content.decode(), "there is one"
    assert client.get("/contracts/?customer=acme").content.decode().count('class="row-link"') == 1


def test_the_history_is_told_in_words(seller: Seller, client_as: Callable[..., Client]) -> None:
    text = client_as(language="de").get(f"/tariffs/{pk()}/history/").content.decode()
    for wanted in ("Öffentlich", "Zum Monatsende", "Wiederkehrend", "19,9", "Zusatz"):
        assert wanted in text, wanted
    for raw in ("in_minimum", "add_on", "recurring", "True"):
        assert raw not in text, raw


def test_only_what_nobody_ordered_is_deleted(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as("sales")
    assert client.get(f"/tariffs/{pk()}/delete/").status_code == 405
    assert "/delete/" not in client.get(f"/tariffs/{pk()}/").content.decode(), "what would be refused is not offered"
    client.post(f"/tariffs/{pk()}/delete/")
    assert Tariff.objects.filter(key="talk").exists()
    assert "has contracts" in client.get(f"/tariffs/{pk()}/").content.decode()
    line: dict[str, Any] = {"title": "X", "charge": "recurring", "price": "1"}
    spare = define_tariff(actor, seller=seller, key="spare", title="Spare", lines={"x": line})
    assert "/delete/" in client.get(f"/tariffs/{spare.pk}/").content.decode()
    assert client.post(f"/tariffs/{spare.pk}/delete/").headers["Location"] == "/tariffs/"
    assert not Tariff.objects.filter(key="spare").exists()


def test_a_tariff_is_retired_and_offered_again(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, path = client_as("sales"), f"/tariffs/{pk()}/"
    said = client.get(f"{path}retire/").content.decode()
    assert "3 contracts have it and go on" in said and not Tariff.objects.get(pk=pk()).retired, "a look changes nothing"
    assert client.post(f"{path}retire/").headers["Location"] == path
    text = client.get(path).content.decode()
    assert "Retired" in text and f"{path}offer/" in text and f"{path}retire/" not in text
    assert "Telefonservice" not in client.get("/tariffs/?state=offered").content.decode()
    assert "Telefonservice" in client.get("/tariffs/?state=retired").content.decode()
    assert f'<option value="{pk()}"' not in client.get("/contracts/sign/").content.decode(), "it is not offered"
    assert "Tariff retired" in client.get(f"{path}history/").content.decode()
    assert client.post(f"{path}offer/").headers["Location"] == path
    assert not Tariff.objects.get(pk=pk()).retired
    assert f'<option value="{pk()}"' in client.get("/contracts/sign/").content.decode()


def test_a_copy_has_the_same_lines(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as("sales")
    answer = client.post(f"/tariffs/{pk()}/copy/", {"key": "talk-2", "title": "Talk 2"})
    publish_draft(actor, draft=TariffDraft.objects.get(key="talk-2"), revision=1)
    assert answer.headers["Location"].startswith("/tariffs/drafts/")
    terms = [
        list(
            TariffLine.objects.filter(version__tariff__key=k).order_by("position").values_list("article__key", "terms")
        )
        for k in ("talk", "talk-2")
    ]
    assert terms[0] == terms[1] and len(terms[0]) == 4


def test_a_copy_keeps_the_trial_and_a_scale_says_above(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    line: dict[str, Any] = {
        "title": "X",
        "charge": "usage",
        "price": "1",
        "discount_scale": [{"above": 10, "percent": 5}],
    }
    made = define_tariff(actor, seller=seller, key="tried", title="Tried", trial="1 month", lines={"x": line})
    client = client_as("sales")
    client.post(f"/tariffs/{made.pk}/copy/", {"key": "tried-2", "title": "Tried 2"})
    publish_draft(actor, draft=TariffDraft.objects.get(key="tried-2"), revision=1)
    assert str(Tariff.objects.get(key="tried-2").versions.get().trial) == "1 month"
    assert "above 10 5% off" in client.get(f"/tariffs/{made.pk}/").content.decode()


def test_an_article_is_changed(seller: Seller, client_as: Callable[..., Client]) -> None:
    article = Article.objects.get(key="base")
    data = {"title": "Grundgebühr", "number": "100", "ledger_account": "8400"}
    assert client_as("sales").post(f"/tariffs/articles/{article.pk}/", data).status_code == 302
    article.refresh_from_db()
    assert (article.title, article.number, article.ledger_account) == ("Grundgebühr", "100", "8400")


def test_tariffs_of_others_are_not_found(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    line: dict[str, Any] = {"title": "X", "charge": "recurring", "price": "1"}
    foreign = define_tariff(actor, seller=other, key="f", title="Foreign", lines={"x": line})
    client = client_as()
    for path in ("", "prices/", "copy/", "versions/"):
        assert client.get(f"/tariffs/{foreign.pk}/{path}").status_code == 404
    assert client.post(f"/tariffs/{foreign.pk}/delete/").status_code == 404
    assert "Foreign" not in client.get("/tariffs/").content.decode()


def test_the_number_of_queries_does_not_grow(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as()
    client.get("/tariffs/")
    with CaptureQueriesContext(connection) as few:
        client.get("/tariffs/")
    line: dict[str, Any] = {"title": "X", "charge": "recurring", "price": "1"}
    for i in range(12):
        define_tariff(actor, seller=seller, key=f"t{i}", title=f"T{i}", lines={f"x{i}": line})
    with CaptureQueriesContext(connection) as many:
        client.get("/tariffs/")
    assert len(many) == len(few) <= 14


def test_a_module_is_known_by_its_title(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    made = create_module(actor, seller=seller, key="desks", title="Rooms", titles={"de": "Räume"})
    client = client_as("sales", "de")
    client.post("/tariffs/new/", HEAD | {"module": "RÄUME", "action": ""} | lines(BASE))
    draft = TariffDraft.objects.get(key="buero")
    assert draft.fields["module"] == "desks", "what people call it makes no second module"
    text = client.get(f"/tariffs/drafts/{draft.pk}/").content.decode()
    assert "<dt>Modul</dt><dd>Räume</dd>" in text
    create_module(actor, seller=seller, key="desks-2", title="Räume")
    assert key_called(seller.pk, "räume") == "räume", "of two that are called so none is chosen"
    assert (key_called(seller.pk, "desks"), key_called(seller.pk, "Cars")) == (made.key, "Cars")
