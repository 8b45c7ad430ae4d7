"""Lines of a draft in a browser: moved by keys and dragging, told while they are typed, readable with long words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from taktura.accounts.services import create_user
from taktura.billing.services import create_seller
from taktura.catalog import drafts
from taktura.catalog.models import TariffDraft
from taktura.kit.actor import Actor
from tests.browser.conftest import Office
from tests.browser.steps import PASSWORD, check_page, settled, sign_in

ACTOR = Actor("test", datetime(2026, 3, 1, 8, tzinfo=UTC))
LONG = "Telefonrufbereitschaftsdienstleistungspauschalengrundgebührenzuschlag"


@pytest.fixture
def draft(database: str) -> TariffDraft:
    """A draft of 30 lines with long words, the first with 12 tiers."""
    seller = create_seller(
        ACTOR, name="Sonnenruf", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    tiers = [{"up_to": str(10 * i), "price": str(Decimal(13 - i) / 100)} for i in range(1, 12)]
    first = {"title": LONG, "charge": "usage", "key": "search", "tier_mode": "volume", "included": "100"}
    lines: dict[str, Any] = {"first": {**first, "tiers": [*tiers, {"price": "0.01"}]}}
    lines |= {f"line-{i}": {"title": f"{LONG} {i}", "price": "19.90"} for i in range(2, 31)}
    create_user(ACTOR, email="eve@firm.example", name="Eve", role="admin", password=PASSWORD, language="de")
    fields = {"title": f"Tarif {LONG}", "interval": "1 month", "currency": "EUR", "lines": lines}
    return drafts.begin_draft(ACTOR, seller=seller, key="tarif", fields=fields)


def order(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("[data-article]", "all => all.map(e => e.dataset.article)")
    return found


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_lines_are_moved_and_written(office: Office, draft: TariffDraft, width: str) -> None:
    page = office.open(width, locale="de-DE")
    sign_in(page, office.url, "eve@firm.example")
    page.goto(f"{office.url}/tariffs/drafts/{draft.pk}/")
    check_page(page)
    page.locator("[value='down:first']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#order-said")).to_contain_text("an Stelle 2 von 30")
    expect(page.locator("[value='down:first']")).to_be_focused()
    settled(page)
    page.locator("[value='down:first']").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#order-said")).to_contain_text("an Stelle 1 von 30")
    expect(page.locator("[value='down:first']")).to_be_focused()
    settled(page)
    if width == "desktop":
        page.locator("[data-article='line-3']").drag_to(
            page.locator("[data-article='first']"), target_position={"x": 300, "y": 3}
        )
        expect(page.locator("#order-said")).to_contain_text(f"{LONG} 3“ steht jetzt an Stelle 1 von 30")
        assert order(page)[:3] == ["line-3", "first", "line-2"]
    draft.refresh_from_db()
    assert [line["article"] for line in draft.fields["lines"]] == order(page)
    page.goto(f"{office.url}/tariffs/drafts/{draft.pk}/lines/first/")
    expect(page.locator("#consequence canvas")).to_be_visible()
    settled(page)
    page.locator("#consequence summary").click()
    check_page(page)
    expect(page.locator("#consequence tbody tr").first).to_contain_text("0")
    page.fill("[name=included]", "200")
    expect(page.locator("#consequence")).to_contain_text("260 mit 200 frei")
    expect(page.locator("[name=interval_count]")).to_be_hidden()
    page.select_option("[name=charge]", "recurring")
    expect(page.locator("[name=interval_count]")).to_be_visible()
    page.select_option("[name=charge]", "usage")
    settled(page)
    page.click("button[value='add:tier']")
    expect(page.locator("[name=tier_14_price]")).to_be_visible()
    settled(page)
    expect(page.locator("[name=included]")).to_have_value("200")
    page.click("main button.btn-primary[value=save]")
    expect(page).to_have_url(f"{office.url}/tariffs/drafts/{draft.pk}/#lines")
    draft.refresh_from_db()
    first = next(line for line in draft.fields["lines"] if line["article"] == "first")
    assert (first["included"], len(first["tiers"])) == ("200", 12)
