"""Pages of a tariff: what it says and comes to, its versions and their differences, what it brought."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing.revenue import revenue_by_month
from taktura.billing.services import credit, publish_version
from taktura.catalog.models import Tariff
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from tests.pages.test_tariff_drafts import plain


@pytest.fixture
def tariff(seller: Seller) -> Tariff:
    return Tariff.objects.get(key="talk")


@pytest.mark.parametrize("tab", ["versions/{version}/", "revenue/"])
def test_pages_speak_each_language(tariff: Tariff, page_ok: Callable[..., dict[str, str]], tab: str) -> None:
    path = tab.format(version=tariff.versions.get().pk)
    assert len(set(page_ok(f"/tariffs/{tariff.pk}/{path}").values())) == 3


def test_each_setting_has_what_it_comes_to(tariff: Tariff, client_as: Callable[..., Client]) -> None:
    text = plain(client_as(language="de").get(f"/tariffs/{tariff.pk}/").content.decode())
    assert "5 × Search kosten 10,00 €: Der Mindestumsatz von 10,00 € stockt Search um 5,00 € auf." in text
    assert "Ein Gespräch von 61 Sekunden wird mit 2 Minuten abgerechnet." in text


def test_versions_say_what_each_changed(tariff: Tariff, client_as: Callable[..., Client], actor: Actor) -> None:
    for day, price in ((date(2026, 5, 1), "21.00"), (date(2026, 6, 1), "22.00")):
        changes = {"lines": {"base": {"price": price}}, "title": f"Talk {price}"}
        publish_version(actor, tariff=tariff, valid_from=day, applies_to="all", changes=changes)
    client = client_as()
    text = plain(client.get(f"/tariffs/{tariff.pk}/versions/").content.decode())
    for wanted in ("From 1 Jun 2026", "€21.00 becomes → €22.00", "€19.90 becomes → €21.00", "From the beginning"):
        assert wanted in text, wanted
    with CaptureQueriesContext(connection) as few:
        client.get(f"/tariffs/{tariff.pk}/versions/")
    publish_version(actor, tariff=tariff, valid_from=date(2026, 7, 1), applies_to="new", changes={"cost_cap": None})
    with CaptureQueriesContext(connection) as more:
        client.get(f"/tariffs/{tariff.pk}/versions/")
    assert len(few) == len(more)
    second = tariff.versions.get(valid_from=date(2026, 5, 1))
    text = plain(client.get(f"/tariffs/{tariff.pk}/versions/{second.pk}/").content.decode())
    assert "The version from 1 May 2026" in text and "21.00" in text and "22.00" not in text.partition("Lines")[2]


def test_revenue_is_that_of_the_documents(tariff: Tariff, client_as: Callable[..., Client], actor: Actor) -> None:
    """What two contracts were billed in January and February; a credit note takes off."""
    issued = Document.objects.filter(contract__tariff=tariff)
    found = revenue_by_month(tariff, date(2025, 1, 1))
    assert sum(found.values()) == sum(issued.values_list("net", flat=True)) > 0
    assert {month for month, _currency in found} == {date(2026, 1, 1), date(2026, 2, 1)}
    first = issued.earliest("id")
    credit(actor, document=first)
    after = revenue_by_month(tariff, date(2025, 1, 1))
    assert sum(after.values()) == sum(found.values()) - first.net
    assert revenue_by_month(tariff, date(2027, 1, 1)) == {}
