"""Pages of sales items."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from taktura.billing import services as billing
from taktura.billing.models import SalesItem
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.office.lines import MOST_LINES


def lines(*rows: tuple[str, str, str, str]) -> dict[str, str]:
    """Title, quantity, price, discount, as a browser sends them; three lines at least."""
    number = max(3, len(rows))
    data = {"lines-TOTAL_FORMS": str(number), "lines-INITIAL_FORMS": "0"}
    for i in range(number):
        row = rows[i] if i < len(rows) else ("", "", "", "")
        data |= {f"lines-{i}-{n}": v for n, v in zip(("title", "quantity", "price", "discount"), row, strict=True)}
    return data


TWO = lines(("Router", "2", "49,95", ""), ("Einrichtung", "", "80", "10"))


def pk_of(key: str) -> int:
    return Customer.objects.get(key=key).pk


@pytest.fixture
def item(seller: Seller, actor: Actor) -> SalesItem:
    return billing.sell(actor, customer=Customer.objects.get(key="acme"), lines=[{"title": "Router", "price": "49.95"}])


@pytest.mark.parametrize(
    "path", ["/sales/", "/sales/new/", "/sales/new/{acme}/", "/sales/{item}/", "/sales/{item}/move/"]
)
def test_pages(item: SalesItem, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(path.format(acme=pk_of("acme"), item=item.pk)).values())) == 3


def test_a_sale_is_begun_from_the_list(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("lead", "de"), pk_of("acme")
    assert 'href="/sales/new/"' in client.get("/sales/").content.decode()
    assert 'href="/sales/new/"' not in client_as("viewer", "de").get("/sales/").content.decode()
    name = Customer.objects.get(pk=pk).name
    assert name in client.get("/sales/customers/", {"customer": name[:3]}).content.decode()
    for typed in ("acme", f"{name} (acme)"):
        assert client.post("/sales/new/", {"customer": typed}).headers["Location"] == f"/sales/new/{pk}/"
    for typed in ("", "nobody"):
        assert client.post("/sales/new/", {"customer": typed}).status_code == 422


def test_a_sale_is_seen_before_it_is_made(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as("lead", "de"), pk_of("acme")
    said = client.post(f"/sales/new/{pk}/consequence/", TWO).content.decode()
    assert "171,90" in said and "204,56" in said, "99.90 + 72.00, with 19 % VAT"
    assert not SalesItem.objects.exists(), "a look writes nothing"
    response = client.post(f"/sales/new/{pk}/", TWO)
    item = SalesItem.objects.get()
    assert response.headers["Location"] == f"/sales/{item.pk}/"
    assert [(x.title, x.quantity, x.price, x.discount) for x in item.lines.all()] == [
        ("Router", Decimal(2), Decimal("49.95"), Decimal(0)), ("Einrichtung", Decimal(1), Decimal(80), Decimal(10))
    ]  # fmt: skip


def test_the_next_bill_takes_it_along(
    item: SalesItem, seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    client = client_as()
    assert "Waits for the next bill" in client.get("/sales/").content.decode()
    billing.bill(actor, seller=seller, on=date(2026, 3, 1))
    text = client.get(f"/sales/{item.pk}/").content.decode()
    number = Document.objects.get(sales_items=item).number
    assert number in text and "Billed" in text
    response = client.post(f"/sales/{item.pk}/move/", {"key": "oztuerk"})
    assert response.status_code == 422 and "billed already" in response.content.decode()
    assert "Router" not in client.get("/sales/?state=pending").content.decode()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("Router", "2", "", "")], "This field is required"),
        ([("", "2", "5", "")], "This field is required"),
        ([("", "2", "", "")], "This field is required"),
        ([("Router", "1", "5", ""), ("", "2", "", "")], "This field is required"),
        ([("Router", "0", "5", "")], "more than 0"),
        ([("Router", "1", "5", "101")], "0 to 100"),
        ([("Router", "1", "x", "")], "is no number"),
        ([], "at least one line"),
    ],
)
def test_what_cannot_be_sold(
    seller: Seller, client_as: Callable[..., Client], rows: list[tuple[str, str, str, str]], said: str
) -> None:
    response = client_as().post(f"/sales/new/{pk_of('acme')}/", lines(*rows))
    assert response.status_code == 422 and said in response.content.decode()
    assert not SalesItem.objects.exists()


def test_what_is_missing_is_said_beside_its_field_and_above(seller: Seller, client_as: Callable[..., Client]) -> None:
    rows = [("Router", "1", "5", ""), ("", "2", "", "")]
    text = client_as().post(f"/sales/new/{pk_of('acme')}/", lines(*rows)).content.decode()
    assert '<a href="#field-lines-1-title">Line 2, Title</a>' in text
    assert 'id="id_lines-1-price_error"' in text and 'id="id_lines-0-price_error"' not in text
    assert 'value="Router"' in text and 'name="lines-1-quantity" value="2"' in text, "what was typed stays"


@pytest.mark.parametrize("part", [False, True])
def test_a_sale_has_as_many_lines_as_wanted(seller: Seller, client_as: Callable[..., Client], part: bool) -> None:
    """Without JavaScript the button sends the form and the whole page comes back; with it, the lines alone."""
    client, path = client_as(), f"/sales/new/{pk_of('acme')}/"
    rows = [(f"Kabel {i}", "", "5", "") for i in range(12)]
    asked = lines(*rows[:3]) | {"action": "add"}
    response = client.post(path, asked | {"lines-2-price": ""}, headers={"HX-Target": "lines"} if part else {})
    text = response.content.decode()
    assert response.status_code == 200 and ("<html" in text) is not part
    assert 'value="Kabel 2"' in text and "lines-3-title" in text and "lines-4-title" not in text
    assert "invalid-feedback" not in text and "aria-invalid" not in text, "adding a line checks nothing"
    assert not SalesItem.objects.exists()
    if part:
        kept = response.headers["HX-Replace-Url"]
        assert "lines-3-title" in client.get(kept).content.decode(), "a page loaded again has a place for all lines"
    assert client.post(path, lines(*rows)).status_code == 302
    assert [x.title for x in SalesItem.objects.get().lines.all()] == [r[0] for r in rows]


def test_the_number_of_lines_has_an_end(seller: Seller, client_as: Callable[..., Client]) -> None:
    client, path = client_as(), f"/sales/new/{pk_of('acme')}/"
    many = lines(*[("Kabel", "", "5", "")] * MOST_LINES)
    text = client.post(path, many | {"action": "add"}).content.decode()
    assert f"at most {MOST_LINES} lines" in text and f"lines-{MOST_LINES}-title" not in text
    response = client.post(path, lines(*[("Kabel", "", "5", "")] * (MOST_LINES + 1)))
    assert response.status_code == 422 and not SalesItem.objects.exists(), "nothing is dropped without a word"
    assert f"at most {MOST_LINES} forms" in response.content.decode()
    for odd in ("", "x", "-1", "99999999999"):
        assert client.get(f"{path}?lines={odd}").status_code == 200
        assert client.post(path, many | {"lines-TOTAL_FORMS": odd}).status_code == 422


def test_without_billing_information_nothing_is_sold(item: SalesItem, client_as: Callable[..., Client]) -> None:
    client, bare = client_as(), pk_of("bare")
    assert "billing information" in client.post(f"/sales/new/{bare}/consequence/", TWO).content.decode().lower()
    assert client.post(f"/sales/new/{bare}/", TWO).status_code == 422
    assert client.post(f"/sales/{item.pk}/move/", {"key": "bare"}).status_code == 422
    assert client.post(f"/sales/{item.pk}/move/", {"key": "nobody"}).status_code == 422
    item.refresh_from_db()
    assert item.customer.key == "acme" and SalesItem.objects.count() == 1


def test_a_sale_is_given_to_another(item: SalesItem, client_as: Callable[..., Client]) -> None:
    assert client_as("lead").post(f"/sales/{item.pk}/move/", {"key": " oztuerk "}).status_code == 302
    item.refresh_from_db()
    assert item.customer.key == "oztuerk"


def test_a_search_does_not_change_the_number_of_lines(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    lines = [{"title": t, "price": "1"} for t in ("Kabel rot", "Kabel blau", "Kabel grün")]
    billing.sell(actor, customer=Customer.objects.get(key="acme"), lines=lines)
    text = client_as().get("/sales/?q=kabel&export=csv").content.decode()
    assert text.splitlines()[1].split(",")[3] == "3"


def test_the_list_says_what_a_sale_comes_to_and_is_called_by_its_first_line(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    lines = [
        {"title": "Router", "quantity": "2", "price": "49.95", "discount": "10"},
        {"title": "Anfahrt", "price": "0.01"},
    ]
    billing.sell(actor, customer=Customer.objects.get(key="acme"), lines=lines)
    row = client_as().get("/sales/?export=csv").content.decode().splitlines()[1].split(",")
    assert (row[0].lstrip("\ufeff"), row[3], row[4]) == ("Router", "2", "89.92")  # 2 × 49.95 less 10 % is 89.91
    assert "€89.92" in client_as().get("/sales/").content.decode()


def test_sales_of_others_are_not_found(item: SalesItem, client_as: Callable[..., Client], actor: Actor) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    Customer.objects.filter(key="acme").update(seller=other)
    client = client_as()
    for path in (f"/sales/{item.pk}/", f"/sales/{item.pk}/move/", f"/sales/new/{pk_of('acme')}/"):
        assert client.get(path).status_code == 404
    assert "Router" not in client.get("/sales/").content.decode()
