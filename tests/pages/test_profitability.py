"""The page of profitability: sums by month, the worst first, one flat price, filters, export."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Article, Tariff
from taktura.contracts import services as contracts
from taktura.control.services import keep_flat_prices, watch
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor

SignIn = Callable[..., Client]
JUNE = datetime(2026, 6, 20, 9, tzinfo=UTC)
LINES = {
    "day": {"title": "Day <i>calls</i>", "charge": "usage", "unit": "minute", "flat_price": True, "price": "30.00",
            "reference_price": "0.10"},
    "night": {"title": "Night calls", "charge": "usage", "unit": "minute", "flat_price": True, "price": "10.00",
              "reference_price": "0.05"},
}  # fmt: skip


@pytest.fixture
def flats(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """Two contracts since May with two flat prices each; one of them loses."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: JUNE)
    actor = Actor("test", JUNE)
    tariff = catalog.define_tariff(actor, seller=seller, key="flats", title="Flats", lines=LINES)
    for key in ("acme", "oztuerk"):
        contracts.sign(
            actor, key=f"F-{key}", customer=Customer.objects.get(key=key), tariff=tariff, start=date(2026, 5, 1)
        )
    entries = [
        {"contract": "F-acme", "article": "day", "duration": 60 * 500, "at": datetime(2026, 5, 3, 9, tzinfo=UTC)},
        {"contract": "F-acme", "article": "day", "duration": 60 * 320, "at": datetime(2026, 6, 3, 9, tzinfo=UTC)},
        {"contract": "F-oztuerk", "article": "night", "duration": 60 * 100, "at": JUNE},
    ]
    billing.record_usage(actor, seller=seller, entries=entries)
    watch(actor)
    keep_flat_prices(actor, seller=seller)
    return seller


def shown(client: Client, query: str = "") -> list[list[str]]:
    """The rows of the list: customer, contract, article, minutes, worth, fee, difference, share, above."""
    text = client.get(f"/control/profitability/{query}").content.decode()
    body = text.partition('<table class="table table-vcenter card-table list list-cards">')[2].partition("</table>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")[2:]]
    return [[" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in row[:9]] for row in rows]


def test_the_worst_of_each_currency_stand_by_themselves(flats: Seller, client_as: SignIn) -> None:
    """A krona is no euro: they are never put into one order."""
    lines = {"day": {**LINES["day"], "price": "1.00", "title": "Samtal"}}
    actor = Actor("test", JUNE)
    tariff = catalog.define_tariff(actor, seller=flats, key="kronor", title="Kronor", currency="SEK", lines=lines)
    contracts.sign(actor, key="S", customer=Customer.objects.get(key="acme"), tariff=tariff, start=date(2026, 6, 1))
    entry = {"contract": "S", "article": "day", "duration": 60 * 9000, "at": JUNE}
    billing.record_usage(actor, seller=flats, entries=[entry])
    watch(actor)
    text = client_as().get("/control/profitability/").content.decode().partition("Where most is lost")[2]
    euro, kronor = text.index(">EUR<"), text.index(">SEK<")
    assert euro < text.index("−€22.00") < kronor < text.index("−SEK 899.00".replace(" ", "\N{NO-BREAK SPACE}"))


def test_the_worst_stands_first(flats: Seller, client_as: SignIn) -> None:
    rows = shown(client_as())
    assert [row[1:3] for row in rows[:2]] == [
        ["F-acme", "Day &lt;i&gt;calls&lt;/i&gt;"], ["F-oztuerk", "Night calls"],
    ]  # fmt: skip
    assert rows[0][3:] == ["820", "€82.00", "€60.00", "−€22.00", "136.67%", "2 of 2"]
    assert rows[1][3:] == ["100", "€5.00", "€20.00", "€15.00", "25%", "0 of 2"]
    assert len(rows) == 4


def test_the_sums_by_month_are_those_of_all_in_each_language(
    flats: Seller, page_ok: Callable[..., dict[str, str]]
) -> None:
    texts = page_ok("/control/profitability/")
    text = " ".join(texts["en"].split())
    assert "€160.00 of flat prices, €87.00 used: 54.4%" in text and "2 of 8 periods above their fee" in text
    table = re.findall(r'<th scope="row" class="fw-normal">(.*?)</th>(.*?)</tr>', text)
    cells = {month: re.findall(r'class="number">(.*?)</td>', rest) for month, rest in table}
    assert cells == {
        "May 2026": ["€80.00", "€50.00", "€30.00", "1 of 4"], "Jun 2026": ["€80.00", "€37.00", "€43.00", "1 of 4"],
    }  # fmt: skip
    assert "Rentabilität" in texts["de"] and "Lönsamhet" in texts["sv"]


@pytest.mark.parametrize(
    ("query", "number", "sum_of"),
    [("article={night}", 2, "€40.00"), ("customer={acme}", 2, "€80.00"), ("tariff={tariff}", 4, "€160.00"),
     ("above=1", 1, "€160.00"), ("q=zt%C3%BCrk", 2, "€160.00")],
)  # fmt: skip
def test_it_is_filtered(flats: Seller, client_as: SignIn, query: str, number: int, sum_of: str) -> None:
    client = client_as()
    asked = "?" + query.format(
        night=Article.objects.get(key="night").pk, acme=Customer.objects.get(key="acme").pk,
        tariff=Tariff.objects.get(key="flats").pk,
    )  # fmt: skip
    assert len(shown(client, asked)) == number
    assert f"{sum_of} of flat prices" in client.get(f"/control/profitability/{asked}").content.decode()
    export = client.get(f"/control/profitability/{asked}&export=csv").content.decode().splitlines()
    assert len(export) == number + 1


def test_the_export_has_plain_numbers(flats: Seller, client_as: SignIn) -> None:
    text = client_as().get("/control/profitability/?export=csv").content.decode("utf-8-sig")
    assert "820,82.00,60.00,-22.00,136.67,2" in text
    assert client_as().get("/control/profitability/?export=xlsx").status_code == 200


def test_one_flat_price_period_by_period(flats: Seller, client_as: SignIn) -> None:
    client = client_as()
    link = re.findall(r'href="(/control/profitability/\d+/)"', client.get("/control/profitability/").content.decode())
    text = " ".join(client.get(link[0]).content.decode().split())
    rows = [re.findall(r'class="number[^"]*">(.*?)</td>', row) for row in text.split('<th scope="row"')[1:]]
    assert rows == [["320", "€32.00", "€30.00", "−€2.00"], ["500", "€50.00", "€30.00", "−€20.00"]]
    assert client.get("/control/profitability/999999/").status_code == 404


def test_who_may_see_it(flats: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/control/profitability/") == {"technician"}


def test_it_takes_as_many_queries_for_more_flat_prices(flats: Seller, client_as: SignIn) -> None:
    client, counts = client_as(), []
    client.get("/control/profitability/")
    for more in (0, 6):
        for n in range(more):
            contracts.sign(
                Actor("t", JUNE), key=f"M-{n}", customer=Customer.objects.get(key="acme"),
                tariff=Tariff.objects.get(key="flats"), start=date(2026, 5, 1),
            )  # fmt: skip
        keep_flat_prices(Actor("t", JUNE), seller=flats)
        with CaptureQueriesContext(connection) as queries:
            client.get("/control/profitability/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_over_how_many_months_is_chosen(flats: Seller, client_as: SignIn) -> None:
    client, today = client_as(), datetime(2026, 9, 2, 9, tzinfo=UTC)
    keep_flat_prices(Actor("test", today), seller=flats)
    assert ["820", "€82.00", "€150.00", "€68.00"] in [row[3:7] for row in shown(client)]
    assert [row[3] for row in shown(client, "?months=3")] == ["0"] * 4
    text = client.get("/control/profitability/?months=3&tariff=1&after=x").content.decode()
    assert "The last 3 months" in text and 'href="?months=6&amp;tariff=1"' in text
    assert re.search(r'<a class="btn btn-sm active" href="[^"]*months=3[^"]*" aria-current="true">3 months<', text)
    assert "The last 12 months" in client.get("/control/profitability/?months=99").content.decode()


def test_the_list_can_be_narrowed_to_a_currency(flats: Seller, client_as: SignIn) -> None:
    client = client_as()
    assert 'name="currency"' not in client.get("/control/profitability/").content.decode(), "there is one alone"
    actor = Actor("test", JUNE)
    tariff = catalog.define_tariff(actor, seller=flats, key="kronor", title="Kronor", currency="SEK", lines=LINES)
    contracts.sign(actor, key="S", customer=Customer.objects.get(key="acme"), tariff=tariff, start=date(2026, 6, 1))
    entry = {"contract": "S", "article": "day", "duration": 60 * 10, "at": JUNE}
    billing.record_usage(actor, seller=flats, entries=[entry])
    watch(actor)
    assert 'name="currency"' in client.get("/control/profitability/").content.decode()
    assert {row[1] for row in shown(client, "?currency=SEK")} == {"S"}
