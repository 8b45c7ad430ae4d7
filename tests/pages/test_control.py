"""The pages of control: alerts in a list, one with its course and what to do, ignored and opened again, who is told."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.control.models import Alert, AlertRecipients
from taktura.control.services import watch
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from tests.pages.conftest import LINES, make_seller
from tests.pages.test_counters import listed
from tests.pages.test_home import cards

SignIn = Callable[..., Client]
JUNE = datetime(2026, 6, 12, 9, tzinfo=UTC)
BOUNDED = {
    "calls": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "1.19", "in_cap": True},
    "flat": {"title": "Flat <b>rate</b>", "charge": "usage", "unit": "minute", "flat_price": True, "price": "30.00",
             "reference_price": "0.10"},
    "pack": {"title": "Pack", "charge": "usage", "price": "1.00", "included": "100"},
}  # fmt: skip


@pytest.fixture
def busy(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """The small company on 12 June, with an alert of each kind and a forecast."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: JUNE)
    actor = Actor("test", JUNE)
    tariff = catalog.define_tariff(
        actor, seller=seller, key="bounded", title="Bounded", module="telephone", cost_cap="10.00", tolerance="10",
        lines=BOUNDED,
    )  # fmt: skip
    for key in ("acme", "oztuerk"):
        contracts.sign(
            actor, key=f"B-{key}", customer=Customer.objects.get(key=key), tariff=tariff, start=date(2026, 6, 1)
        )
    entries = [
        {"contract": "B-acme", "article": "calls", "duration": 600, "at": JUNE},
        {"contract": "B-acme", "article": "flat", "duration": 60 * 400, "at": datetime(2026, 6, 3, tzinfo=UTC)},
        {"contract": "B-acme", "article": "pack", "quantity": "60", "at": datetime(2026, 6, 5, tzinfo=UTC)},
        {"contract": "B-oztuerk", "article": "pack", "quantity": "111", "at": JUNE},
    ]
    billing.record_usage(actor, seller=seller, entries=entries)
    assert len(watch(actor)) == 4 + 1  # one of January, of the company itself
    return seller


def ids(**which: object) -> list[int]:
    return list(Alert.objects.filter(start="2026-06-01", **which).order_by("pk").values_list("pk", flat=True))


def test_the_list_says_what_is_used_of_what(busy: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    texts = page_ok("/control/")
    assert "Cost cap" in texts["en"] and "11.90" in texts["en"] and "€10.00" in texts["en"] and "119%" in texts["en"]
    assert "Flat &lt;b&gt;rate&lt;/b&gt;" in texts["en"] and "€40.00" in texts["en"]
    assert "Kostendeckel" in texts["de"] and "Öztürk" in texts["de"]
    assert "Kostnadstak" in texts["sv"]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("state=open", 5), ("kind=flat", 1), ("kind=included", 3), ("forecast=1", 1), ("forecast=0", 4),
        ("q=zt%C3%BCrk", 1), ("q=B-acme", 3), ("state=resolved", 0),
    ],
)  # fmt: skip
def test_filters_narrow_the_list(busy: Seller, client_as: SignIn, query: str, number: int) -> None:
    assert listed(client_as(), f"/control/?{query}") == number if number else True
    shown = client_as().get(f"/control/?{query}&export=csv").content.decode().splitlines()
    assert len(shown) == number + 1


def test_by_tariff_customer_and_contract(busy: Seller, client_as: SignIn) -> None:
    client, tariff = client_as(), Tariff.objects.get(key="bounded")
    assert listed(client, f"/control/?tariff={tariff.pk}") == 4
    customer = Customer.objects.get(key="oztuerk")
    assert listed(client, f"/control/?customer={customer.pk}") == 1
    assert listed(client, f"/control/?contract={customer.contracts.get(key='B-oztuerk').pk}") == 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_is_exported(busy: Seller, client_as: SignIn, form: str) -> None:
    answer = client_as().get(f"/control/?export={form}&sort=-share")
    assert answer.status_code == 200
    if form == "csv":
        text = answer.content.decode("utf-8-sig")
        assert "11.9,10" in text and "Flat <b>rate</b>" in text


def test_the_number_in_the_navigation_and_at_home_is_that_of_the_list(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    number, link = cards(client)["Alerts"]
    assert int(number) == listed(client, link) == 5
    assert (
        '<span class="badge' in client.get("/").content.decode().partition('href="/control/"')[2].partition("</a>")[0]
    )
    client.post("/control/ignore/", {"alerts": ",".join(map(str, ids(kind="cap"))), "until": "2026-06-20"})
    assert int(cards(client)["Alerts"][0]) == 4


def test_an_alert_says_what_happened_and_what_to_do(busy: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    (cap,) = ids(kind="cap")
    texts = page_ok(f"/control/{cap}/")
    assert "The lines in the cost cap come to €11.90; the cap is €10.00." in texts["en"]
    assert "mailto:acme@c.example" in texts["en"] and "contract=B-acme" in texts["en"]
    assert "der Deckel liegt bei 10,00\u00a0€" in texts["de"]
    (forecast,) = ids(forecast=True)
    text = page_ok(f"/control/{forecast}/")["en"]
    assert "60 were used so far" in text and "150 by the end of the period" in text and "100 are included" in text
    assert "12 of 30 had begun" in text


def test_the_course_is_shown_day_by_day(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    (flat,) = ids(kind="flat")
    text = " ".join(client.get(f"/control/{flat}/course/").content.decode().split())
    rows = text.partition("<tbody>")[2].split("<tr>")[1:]
    assert len(rows) == 12, "up to today"
    assert "€0.00" in rows[1] and "€40.00" in rows[2] and "€40.00" in rows[11] and "€30.00" in rows[0]
    (forecast,) = ids(forecast=True)
    assert "If it goes on like this" in client.get(f"/control/{forecast}/course/").content.decode()
    (cap,) = ids(kind="cap")
    assert "Bound with tolerance" in client.get(f"/control/{cap}/course/").content.decode()


def test_another_tariff_is_proposed_with_the_figures_of_what_if(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    (flat,) = ids(kind="flat")
    catalog.define_tariff(
        Actor("t", JUNE), seller=busy, key="cheap", title="Cheap", module="telephone",
        lines={"flat": {**BOUNDED["flat"], "price": "50.00"}, "calls": LINES["calls"], "pack": BOUNDED["pack"]},
    )  # fmt: skip
    text = " ".join(client.get(f"/control/{flat}/offers/").content.decode().split())
    assert "Cheap" in text and "Telefonservice" in text and "Bounded" not in text
    assert "Jun 2026" in text
    cheap, rest = text.index("Cheap"), text.index("Has no line for")
    assert cheap < rest, "what has a line for all usage comes first"
    assert "that usage is not in the sum" in text.partition("Telefonservice")[2], "it lacks the flat price"
    compare = unescape(re.findall(r'href="(/tariffs/what-if/[^"]*)"', text)[0])
    form = client.get(compare).content.decode()
    assert ">\nacme</textarea>" in form and f'value="{Tariff.objects.get(key="bounded").pk}" selected' in form


def test_alerts_are_ignored_and_opened_again_many_at_once(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    assert (
        "Choose a day to come"
        in client.post("/control/ignore/", {"alerts": str(ids()[0]), "until": "2026-06-12"}).content.decode()
    )
    form = client.post("/control/", {"action": "ignore", "all": "1"}).content.decode()
    assert "Ignore 5 alerts" in form
    chosen = form.partition('name="alerts" value="')[2].partition('"')[0]
    answer = client.post("/control/ignore/", {"alerts": chosen, "until": "+1m"}, follow=True).content.decode()
    assert "5 alerts are ignored" in answer
    assert set(Alert.objects.values_list("state", "ignored_until")) == {("ignored", date(2026, 7, 12))}
    answer = client.post("/control/", {"action": "reopen", "chosen": [str(pk) for pk in ids()]}, follow=True)
    assert "4 alerts are open again" in answer.content.decode()
    one = ids()[0]
    client.post("/control/ignore/", {"alerts": str(one), "until": ""})
    assert "for good" in client.get(f"/control/{one}/").content.decode()
    client.post(f"/control/{one}/reopen/")
    assert Alert.objects.get(pk=one).state == "open"


def test_who_may_do_what(busy: Seller, client_as: SignIn, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/control/") == {"technician"}
    assert forbidden_to("/control/ignore/") == {"technician", "viewer"}
    assert forbidden_to("/control/recipients/") == {"billing", "sales", "lead", "technician", "viewer"}
    viewer = client_as("viewer")
    assert 'name="action" value="ignore"' not in viewer.get("/control/").content.decode()
    assert viewer.post("/control/", {"action": "ignore", "all": "1"}).status_code == 403


def test_alerts_of_another_company_are_not_there(busy: Seller, client_as: SignIn) -> None:
    make_seller("Andere GmbH")
    watch(Actor("t", JUNE))
    other = Alert.objects.exclude(seller=busy).get()
    client = client_as()
    for path in ("", "course/", "offers/"):
        assert client.get(f"/control/{other.pk}/{path}").status_code == 404
    client.post("/control/ignore/", {"alerts": str(other.pk), "until": ""})
    assert Alert.objects.get(pk=other.pk).state == "open"


def test_recipients_are_chosen(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    assert "is no e-mail address" in client.post("/control/recipients/", {"addresses": "boss"}).content.decode()
    client.post("/control/recipients/", {"addresses": "a@b.example\nc@d.example", "roles": ["lead"]})
    known = AlertRecipients.objects.get()
    assert (known.addresses, known.roles) == (["a@b.example", "c@d.example"], ["lead"])
    assert "c@d.example" in client.get("/control/recipients/").content.decode()


def test_the_mails_text_is_shown_in_three_languages(busy: Seller, client_as: SignIn) -> None:
    client = client_as()
    for language, words in (("en", "the cap is"), ("de", "der Deckel liegt"), ("sv", "taket är")):
        text = client.get(f"/settings/texts/?kind=alert&language={language}").content.decode()
        assert words in text and "Muster GmbH" in text


def test_a_page_of_the_list_takes_the_same_queries_however_many_alerts(busy: Seller, client_as: SignIn) -> None:
    client, counts = client_as(), []
    client.get("/control/")
    for more in (False, True):
        if more:
            make_more()
        with CaptureQueriesContext(connection) as queries:
            client.get("/control/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def make_more() -> None:
    alert = Alert.objects.latest("pk")
    for month in range(1, 6):
        alert.pk, alert.start, alert.end = None, date(2025, month, 1), date(2025, month + 1, 1)
        alert.save(force_insert=True)


def test_a_sentence_that_ends_with_a_shortened_unit_has_one_full_stop(busy: Seller, client_as: SignIn) -> None:
    pk = ids(kind="included", forecast=False)[0]
    Alert.objects.filter(pk=pk).update(unit="minute")
    text = client_as("admin", "de").get(f"/control/{pk}/").content.decode()
    assert "\u00a0Min." in text and "Min.." not in text
