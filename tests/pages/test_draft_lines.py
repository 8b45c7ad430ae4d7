"""The lines of a draft: every setting typed and kept, what they come to, their order, two people at once."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from taktura.audit.models import LogEntry
from taktura.billing.services import publish_draft
from taktura.catalog import drafts
from taktura.catalog.models import TariffDraft, TariffLine
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from tests.pages.forms import read_page

FULL: dict[str, Any] = {
    "title": "Gespräche", "titles": {"sv": "Samtal"}, "alternative_name": "Telefonie", "charge": "usage",
    "key": "calls", "unit": "minute", "price": "0.09", "included": "100", "included_proration": "daily",
    "tiers": [{"up_to": "500", "price": "0.09"}, {"price": "0.05", "flat": "2.50"}], "tier_mode": "volume",
    "discount_scale": [{"above": "1000", "percent": "5"}], "tick": "60/1", "tick_scope": "period", "in_cap": True,
    "interim": False, "vat": [{"rate": "19"}, {"from": "2026-07-01", "rate": "16"}], "show": False,
    "highlight": True, "heading": "Telefon", "headings": {"en": "Telephone"}, "booking": "add_on",
    "bookable_by": "staff",
}  # fmt: skip
YEARLY: dict[str, Any] = {
    "title": "Box", "charge": "recurring", "price": "1200", "price_per": "12 months", "interval": "1 month",
    "when": "arrears", "proration": "none", "notice": {"initial_term": "1 year", "notice": "3 months"}, "unit": "rack",
}  # fmt: skip
FLAT: dict[str, Any] = {
    "title": "Flat",
    "charge": "usage",
    "flat_price": True,
    "price": "99",
    "reference_price": "0.9",
    "unit": "minute",
}
COST: dict[str, Any] = {"title": "Cloud", "charge": "usage", "usage_pricing": "cost_plus", "markup": "10"}
UNIQUE: dict[str, Any] = {
    "title": "Seats",
    "charge": "usage",
    "aggregate": "unique",
    "aggregate_of": "user",
    "price": "7",
}


@pytest.fixture
def draft(company: Seller, actor: Actor) -> TariffDraft:
    """A new tariff with every kind of line."""
    lines = {"calls": FULL, "box": YEARLY, "flat": FLAT, "cloud": COST, "seats": UNIQUE}
    fields = {"title": "Neu", "interval": "1 month", "cost_cap": "50.00", "currency": "EUR", "lines": lines}
    return drafts.begin_draft(actor, seller=company, key="neu", fields=fields)


def form_of(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send of a page's form."""
    text = client.get(path).content.decode()
    return next(f.values for f in read_page(text, path).forms if f.id == "form")


def lines_now(draft: TariffDraft) -> list[dict[str, Any]]:
    draft.refresh_from_db()
    found: list[dict[str, Any]] = draft.fields["lines"]
    return found


def order_now(draft: TariffDraft) -> list[str]:
    return [line["article"] for line in lines_now(draft)]


def at(draft: TariffDraft, more: str = "") -> str:
    return f"/tariffs/drafts/{draft.pk}/lines/{more}"


@pytest.mark.parametrize("article", ["new", "calls", "box", "flat", "cloud", "seats"])
def test_pages_of_lines(draft: TariffDraft, page_ok: Callable[..., dict[str, str]], article: str) -> None:
    assert len(set(page_ok(at(draft, f"{article}/")).values())) == 3


def test_who_may(draft: TariffDraft, forbidden_to: Callable[[str], set[str]], client_as: Callable[..., Client]) -> None:
    assert forbidden_to(at(draft, "new/")) == {"billing", "lead", "technician", "viewer"}
    for way in ("order/", "calls/remove/", "consequence/"):
        assert client_as("viewer").post(at(draft, way)).status_code == 403
        assert client_as().get(at(draft, way)).status_code == 405
    assert client_as().get(at(draft, "nothing/")).status_code == 404
    text = client_as("viewer").get(f"/tariffs/drafts/{draft.pk}/").content.decode()
    assert "Gespräche" in text and 'name="move"' not in text and "New line" not in text


@pytest.mark.parametrize("article", ["calls", "box", "flat", "cloud", "seats"])
def test_a_line_that_is_saved_as_it_stands_says_the_same(
    draft: TariffDraft, client_as: Callable[..., Client], article: str
) -> None:
    before = lines_now(draft)
    for language in ("en", "de", "sv"):
        client = client_as(language=language)
        assert client.post(at(draft, f"{article}/"), form_of(client, at(draft, f"{article}/"))).status_code == 302
        assert not drafts.differences({"lines": before}, {"lines": lines_now(draft)})


def test_a_line_is_written_and_published(draft: TariffDraft, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as(language="de")
    values = form_of(client, at(draft, "new/")) | {
        "title": "Suche & Fund", "charge": "usage", "price": "1.234,50", "price_quantity": "10", "package": "started",
        "in_cap": "on", "tier_0_price": "",
    }  # fmt: skip
    assert client.post(at(draft, "new/"), values).status_code == 302
    made = lines_now(draft)[-1]
    assert made == {
        "article": "suche-fund", "title": "Suche & Fund", "charge": "usage", "price": "1234.50",
        "price_quantity": "10", "package": "started", "in_cap": True,
    }  # fmt: skip
    publish_draft(actor, draft=draft, revision=draft.revision)
    assert TariffLine.objects.get(article__key="suche-fund").terms["package"] == "started"


def test_what_does_not_apply_to_the_charge_is_not_written(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    values = form_of(client, at(draft, "calls/")) | {"charge": "once"}
    assert client.post(at(draft, "calls/"), values).status_code == 302
    line = lines_now(draft)[0]
    assert line["charge"] == "once" and not {"included", "tick", "tick_scope", "interim"} & set(line)
    assert line["tiers"] and line["vat"]


def test_rows_are_added_and_nothing_typed_is_lost(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    values = form_of(client, at(draft, "calls/")) | {
        "title": "Typed",
        "tier_1_up_to": "no number",
        "action": "add:tier",
    }
    for number in range(5, 14):
        response = client.post(at(draft, "calls/"), values)
        text = response.content.decode()
        assert response.status_code == 200 and "Typed" in text and "no number" in text and "is no number" not in text
        values = next(f.values for f in read_page(text).forms if f.id == "form") | {"action": "add:tier"}
        assert values["tier_rows"] == str(number) and "show" not in values and values["highlight"] == "on"
    bounds = {f"tier_{i}_up_to": str((i + 1) * 10) for i in range(11)}
    prices = {f"tier_{i}_price": "0.1" for i in range(12)}
    values |= bounds | prices | {"tier_11_up_to": "", "action": "save"}
    assert client.post(at(draft, "calls/"), values).status_code == 302
    assert len(lines_now(draft)[0]["tiers"]) == 12


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"price": "1.0000000000001"}, "price"),
        ({"price": "-1"}, "price"),
        ({"price_quantity": "0"}, "price_quantity"),
        ({"tier_0_up_to": "500", "tier_1_up_to": "400", "tier_2_price": "1"}, "tier_1_up_to"),
        ({"tier_1_up_to": "600"}, "tier_1_up_to"),
        ({"step_1_above": "500", "step_1_percent": "7"}, "step_0_above"),
        ({"step_0_percent": "101"}, "step_0_above"),
        ({"rate_0_rate": "100.5"}, "rate_0_rate"),
        ({"tick": "own", "tick_first": ""}, "tick_first"),
        ({"unit": "own", "unit_own": ""}, "unit_own"),
        ({"aggregate": "unique"}, "aggregate_of"),
        ({"charge": "recurring", "interval_count": "3", "price_per_count": "2"}, "price_per_count"),
        ({"charge": "bogus"}, "charge"),
        ({"title": ""}, "title"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    draft: TariffDraft, client_as: Callable[..., Client], typed: dict[str, str], field: str
) -> None:
    client, before = client_as(), lines_now(draft)
    values = form_of(client, at(draft, "calls/")) | {"heading": "Kept as typed"} | typed
    response = client.post(at(draft, "calls/"), values)
    text = response.content.decode()
    assert response.status_code == 422 and "Kept as typed" in text
    assert f'id="id_{field}_error"' in text
    assert lines_now(draft) == before


def test_a_key_twice_and_what_a_key_does_not_allow(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    for typed, said in (
        ({"key": "calls"}, "The line “Gespräche” has this key"),
        ({"key": "search"}, "allows no billing by time"),
    ):
        response = client.post(at(draft, "flat/"), form_of(client, at(draft, "flat/")) | typed)
        assert response.status_code == 422 and said in response.content.decode()
    response = client.post(at(draft, "new/"), form_of(client, at(draft, "new/")) | {"title": "calls", "price": "1"})
    assert "has a line of the article “calls” already" in response.content.decode()


def consequence(client: Client, draft: TariffDraft, path: str, **typed: str) -> str:
    response = client.post(at(draft, "consequence/"), form_of(client, at(draft, path)) | typed)
    assert response.status_code == 200
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", text.replace("\xa0", " "))


def test_what_a_line_comes_to(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    packages = consequence(client, draft, "new/", title="x", price="5", price_quantity="10")
    assert "23 at €5.00 per 10 cost €11.50 (started packages: €15.00)." in packages
    included = consequence(client, draft, "new/", title="x", price="0.05", included="100")
    assert "130 with 100 included: €1.50." in included
    flat = consequence(client, draft, "flat/")
    assert "120 min at the reference price are €108.00 against €99.00." in flat
    half = consequence(client, draft, "new/", title="x", price="30", charge="recurring")
    assert "15 of the 30 days of a month cost €15.00." in half
    assert "€1,200.00 per 12 months are €100.00 per month on the bill." in consequence(client, draft, "box/").replace(
        "per year", "per 12 months"
    )
    assert "What costs €100.00 at the supplier is billed at €110.00." in consequence(client, draft, "cloud/")
    call = consequence(client, draft, "new/", title="x", price="1", unit="minute")
    assert "A call of 61 seconds counts as 120 and costs €2.00" in call
    cap = consequence(client, draft, "new/", title="x", price="30", in_cap="on")
    assert "2 cost €60.00: the cap of €50.00 takes €10.00 off." in cap
    wrong = consequence(client, draft, "calls/", tier_0_up_to="1", tier_1_up_to="0")
    assert "every tier but the last has an upper bound" in wrong or "the bounds of the tiers must rise" in wrong


def test_the_picture_has_the_same_figures_as_its_table(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    text = client.post(at(draft, "consequence/"), form_of(client, at(draft, "calls/"))).content.decode()
    (data,) = re.findall(r'<script id="price-curve" type="application/json">(.*?)</script>', text, re.DOTALL)
    total, each = json.loads(data)["datasets"]
    assert {"x": "600", "y": "45.00"} in total["data"], "500 beyond the 100 included, at 0.09"
    assert [p["y"] for p in total["data"] if p["x"] == "600"] == ["45.00", "27.50"], "a jump down: all at 0.05 and 2.50"
    assert "just above 600" in text.replace("\xa0", " ") and len(each["data"]) == len(total["data"]) - 1


@pytest.mark.parametrize("way", ["up", "down"])
def test_lines_are_moved_by_buttons(draft: TariffDraft, client_as: Callable[..., Client], way: str) -> None:
    client = client_as()
    sent = {"revision": "1", "order": order_now(draft), "move": f"{way}:flat"}
    assert client.post(at(draft, "order/"), sent).headers["Location"] == f"/tariffs/drafts/{draft.pk}/#lines"
    assert order_now(draft).index("flat") == (1 if way == "up" else 3)


def test_lines_are_dragged_and_it_is_said(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client, wanted = client_as(), ["seats", "calls", "box", "flat", "cloud"]
    sent = {"revision": "1", "order": [*wanted, "unknown", "seats"], "moved": "seats"}
    text = client.post(at(draft, "order/"), sent, headers={"HX-Request": "true"}).content.decode()
    assert order_now(draft) == wanted and "“Seats” stands at place 1 of 5 now." in text and "<html" not in text
    same = client.post(at(draft, "order/"), {"revision": "2", "order": wanted, "move": "up:seats"})
    assert same.status_code == 302 and order_now(draft) == wanted and draft.revision == 2


def test_two_who_put_in_order_at_once(draft: TariffDraft, client_as: Callable[..., Client], actor: Actor) -> None:
    """The second is told and sees the order of the first; what others typed into lines is no obstacle."""
    change = lambda old: {**old, "lines": [{**x, "price": "2"} if x["article"] == "flat" else x for x in old["lines"]]}  # noqa: E731
    drafts.change_draft(actor, draft=draft, revision=1, change=change)
    client, rows = client_as(), order_now(draft)
    client.post(at(draft, "order/"), {"revision": "1", "order": rows, "move": "up:flat"})
    first = order_now(draft)
    assert first.index("flat") == 1 and draft.revision == 3
    sent = {"revision": "2", "order": rows, "move": "up:seats"}
    text = client.post(at(draft, "order/"), sent, headers={"HX-Request": "true"}).content.decode()
    assert "has changed this draft meanwhile" in text and order_now(draft) == first
    assert text.index('data-article="flat"') < text.index('data-article="box"'), "the order of the first is shown"


def test_two_at_one_line_and_at_two(draft: TariffDraft, client_as: Callable[..., Client], actor: Actor) -> None:
    client = client_as()
    mine, other = form_of(client, at(draft, "flat/")), form_of(client, at(draft, "box/"))
    change = lambda old: {**old, "lines": [{**x, "price": "2"} if x["article"] == "flat" else x for x in old["lines"]]}  # noqa: E731
    drafts.change_draft(Actor("user:eve@firm.example", actor.now), draft=draft, revision=1, change=change)
    response = client.post(at(draft, "flat/"), mine | {"price": "7"})
    text = response.content.decode()
    assert response.status_code == 409 and "eve@firm.example has saved this line meanwhile" in text
    assert client.post(at(draft, "box/"), other | {"price": "5"}).status_code == 302, "another line: no conflict"
    again = next(f.values for f in read_page(text).forms if f.id == "form")
    assert again["price"] == "7"
    assert client.post(at(draft, "flat/"), again).status_code == 302
    prices = {line["article"]: line.get("price") for line in lines_now(draft)}
    assert (prices["flat"], prices["box"]) == ("7", "5")


def test_a_line_is_taken_out(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as()
    assert "taken out of the draft" in client.post(at(draft, "flat/remove/"), follow=True).content.decode()
    assert order_now(draft) == ["calls", "box", "cloud", "seats"]
    assert client.post(at(draft, "flat/remove/")).status_code == 404
    assert LogEntry.objects.filter(action="change_tariff_draft").exists()


ATTACKS = [
    "<script>alert(1)</script>",
    "\0",
    "%(x)s",
    "{{ 7*7 }}",
    "٣",
    "1e999",
    "-" * 200,
    "=cmd()",
    "NaN",
    "Infinity",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_breaks_a_form_or_its_consequence(
    draft: TariffDraft, client_as: Callable[..., Client], text: str
) -> None:
    client = client_as()
    values = form_of(client, at(draft, "calls/"))
    names = [n for n in values if n != "csrfmiddlewaretoken"]
    for some in (names[::3], names[1::3], names[2::3]):
        sent = values | dict.fromkeys(some, text)
        for way in ("calls/", "consequence/", "order/", "new/"):
            for action in ("save", "add:tier", f"add:{text}"):
                response = client.post(at(draft, way), sent | {"action": action})
                assert response.status_code in (200, 302, 409, 422), (way, some)
                assert "<script>alert(1)" not in response.content.decode()
