"""Pages of drafts of tariffs: begun, set, told what it comes to, saved by two at once."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing.services import change_tariff, publish_version
from taktura.catalog import drafts
from taktura.catalog.models import Tariff, TariffDraft
from taktura.catalog.services import define_tariff
from taktura.contracts.services.signing import sign
from taktura.customers.models import Seller
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.pages.forms import form_of, read_page
from tests.pages.test_attacks import MISFITS

SEED: dict[str, Any] = {
    "title": "Call handling",
    "lines": {
        "dictation": {"title": "Dictation", "charge": "usage", "price": "5.00"},
        "search": {"title": "Search", "charge": "usage", "price": "1.00", "in_minimum": True, "in_cap": True},
    },
}


@pytest.fixture
def draft(seller: Seller, actor: Actor) -> TariffDraft:
    """A new tariff being written."""
    return drafts.begin_draft(actor, seller=seller, key="seed", fields=SEED | {"currency": "EUR"})


def at(draft: TariffDraft, tail: str = "") -> str:
    return f"/tariffs/drafts/{draft.pk}/{tail}"


def plain(text: str) -> str:
    """The text of a page without tags and doubled spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\xa0", " ").split())


@pytest.mark.parametrize("tail", ["", "settings/"])
def test_pages_speak_each_language(draft: TariffDraft, page_ok: Callable[..., dict[str, str]], tail: str) -> None:
    texts = page_ok(at(draft, tail))
    assert all("Call handling" in t for t in texts.values()) and len(set(texts.values())) == 3


def test_who_may_what(draft: TariffDraft, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to(at(draft)) == {"technician"}
    assert forbidden_to(at(draft, "settings/")) == {"billing", "lead", "technician", "viewer"}


def test_a_change_begins_a_draft_and_goes_on_with_it(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    tariff = Tariff.objects.get(key="talk")
    client = client_as("sales")
    first = client.post(f"/tariffs/{tariff.pk}/change/").headers["Location"]
    assert client_as("admin").post(f"/tariffs/{tariff.pk}/change/").headers["Location"] == first
    draft = TariffDraft.objects.get()
    assert first == at(draft) and draft.tariff == tariff
    assert "A draft by sales@firm.example" in plain(client.get(f"/tariffs/{tariff.pk}/").content.decode())
    assert first in client.get("/tariffs/").content.decode(), "the list shows what is being written"
    assert client.get(f"/tariffs/{tariff.pk}/change/").status_code == 405, "a look begins nothing"
    assert client.post(at(draft, "discard/")).headers["Location"] == f"/tariffs/{tariff.pk}/"
    assert not TariffDraft.objects.exists()


def test_saved_as_it_stands_nothing_is_changed(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    """Whatever stands in the draft comes through the form unchanged, in the format of each language."""
    written: dict[str, Any] = {
        "titles": {"de": "Anrufannahme"}, "interval": "3 months", "anchor": "day 31", "trial": "14 days",
        "notice": {"initial_term": "1 year", "renewal_term": "open", "notice": "3 months", "to": "term_end"},
        "vat": [{"rate": "19"}, {"from": "2027-01-01", "rate": "20.5"}], "minimum_sales": "1234.50", "cost_cap": "2000",
        "tolerance": "12.5", "tick": "60/30", "tick_scope": "period", "interim_threshold": "0.075",
        "cap_proration": "daily", "minimum_proration": "none", "credit_on_end": False, "public": True,
        "module": "telephone",
    }  # fmt: skip
    TariffDraft.objects.filter(pk=draft.pk).update(fields=draft.fields | written)
    for language in ("en", "de", "sv"):
        client = client_as("sales", language)
        response = client.post(at(draft, "settings/"), form_of(client, at(draft, "settings/")))
        assert response.status_code == 302, plain(response.content.decode())
    draft.refresh_from_db()
    assert draft.revision == 1 and draft.fields == draft.fields | written


def test_every_setting_is_typed_and_kept(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as("sales", "de")
    data = form_of(client, at(draft, "settings/")) | {
        "title": "Anrufannahme", "title_sv": "Samtal", "module": "+", "new_module": "telefon", "public": "on",
        "interval_count": "2", "interval_unit": "week", "anchor": "contract", "trial_count": "1", "trial_unit": "month",
        "notice": "own", "initial_count": "6", "initial_unit": "month", "renewal": "span", "renewal_count": "3",
        "renewal_unit": "month", "notice_count": "14", "notice_unit": "day", "notice_to": "term_end",
        "vat_rate_0": "19", "vat_from_1": "1.1.2027", "vat_rate_1": "20,5", "minimum_sales": "10,00",
        "minimum_proration": "none", "cost_cap": "1.000,50", "cap_proration": "daily", "tolerance": "10",
        "interim_threshold": "50", "tick": "own", "tick_first": "60", "tick_step": "1", "tick_scope": "period",
        "currency": "chf",
    }  # fmt: skip
    data.pop("credit_on_end")
    response = client.post(at(draft, "settings/"), data)
    assert response.status_code == 302, plain(response.content.decode())
    draft.refresh_from_db()
    assert {n: v for n, v in draft.fields.items() if n != "lines"} == {
        "title": "Anrufannahme", "titles": {"sv": "Samtal"}, "module": "telefon", "public": True, "currency": "CHF",
        "interval": "2 weeks", "trial": "1 month", "tick": "60/1", "tick_scope": "period", "credit_on_end": False,
        "notice": {"initial_term": "6 months", "renewal_term": "3 months", "notice": "14 days", "to": "term_end"},
        "vat": [{"rate": "19"}, {"from": "2027-01-01", "rate": "20.5"}], "minimum_sales": "10.00",
        "minimum_proration": "none", "cost_cap": "1000.50", "cap_proration": "daily", "tolerance": "10",
        "interim_threshold": "50",
    }  # fmt: skip
    text = plain(client.get(at(draft)).content.decode())
    for wanted in ("Anrufannahme", "alle 2 Wochen", "1.000,50 €".replace("€", "CHF"), "20,5", "01.01.2027", "10 %"):
        assert wanted in text, wanted


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"minimum_sales": "20", "cost_cap": "10"}, "minimum_sales", "The minimum is above the cap"),
        ({"minimum_sales": "-1"}, "minimum_sales", "cannot be less than 0"),
        ({"vat_rate_0": "101"}, "vat_rate_0", "0 to 100 percent"),
        ({"vat_from_1": "1.1.2027"}, "vat_rate_1", "Fill this in"),
        ({"interim_threshold": "1.1234567890123"}, "interim_threshold", "decimals"),
        ({"cost_cap": "ten"}, "cost_cap", "is no number"),
        ({"interval_count": ""}, "interval_count", "Fill this in"),
        ({"interval_count": "5", "anchor": "calendar"}, "anchor", "has no place in the calendar"),
        ({"anchor": "day"}, "anchor_day", "Fill this in"),
        ({"notice": "own", "notice_to": "term_end"}, "notice", "needs an initial term"),
        ({"tick": "own", "tick_first": "60"}, "tick_step", "Fill this in"),
        ({"currency": "EURO"}, "currency", ""),
        ({"title": ""}, "title", ""),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_stays_typed(
    draft: TariffDraft, client_as: Callable[..., Client], typed: dict[str, str], field: str, said: str
) -> None:
    client = client_as("sales")
    data = form_of(client, at(draft, "settings/")) | {"title_sv": "Samtal"} | typed
    response = client.post(at(draft, "settings/"), data)
    text = response.content.decode()
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in text and said in plain(text), plain(text)
    assert 'value="Samtal"' in text
    assert all(f'value="{value}"' in text for value in typed.values() if value and value.isdecimal())
    draft.refresh_from_db()
    assert draft.revision == 1


def test_what_lines_may_mend_is_kept_and_said(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    drafts.change_draft(Actor("x", draft.changed_at), draft=draft, revision=1, change=lambda old: {**old, "lines": []})
    client = client_as("sales")
    data = form_of(client, at(draft, "settings/")) | {"minimum_sales": "10"}
    assert client.post(at(draft, "settings/"), data).status_code == 302
    text = plain(client.get(at(draft)).content.decode())
    assert "Before it can be published" in text and "Flag at least one line" in text and "no lines yet" in text


@pytest.mark.parametrize(
    ("language", "minimum", "cap", "alert"),
    [
        ("en", "1 × Dictation and 5 × Search cost €15.00: the minimum of €10.00 tops Search up by €5.00.",
         "1 × Dictation and 20 × Search cost €15.00: the cap of €10.00 takes €10.00 off Search.", "€11.01"),
        ("de", "1 × Dictation und 5 × Search kosten 15,00 €",
         "1 × Dictation und 20 × Search kosten 15,00 €", "11,01 €"),
        ("sv", "1 × Dictation och 5 × Search kostar 15,00 €",
         "1 × Dictation och 20 × Search kostar 15,00 €", "11,01 €"),
    ],
)  # fmt: skip
def test_what_settings_come_to_is_said_while_they_are_typed(
    draft: TariffDraft, client_as: Callable[..., Client], language: str, minimum: str, cap: str, alert: str
) -> None:
    client, path = client_as("sales", language), at(draft, "settings/")
    data = form_of(client, path)
    for typed, wanted in (
        ({"minimum_sales": "10"}, [minimum]), ({"cost_cap": "10", "tolerance": "10"}, [cap, alert]),
    ):  # fmt: skip
        response = client.post(f"{path}consequence/", data | typed)
        text = response.content.decode()
        assert response.status_code == 200 and 'hx-swap-oob="true"' in text and "<html" not in text
        for sentence in wanted:
            assert sentence in plain(text), plain(text)
    draft.refresh_from_db()
    assert draft.revision == 1, "a look changes nothing"


def test_what_is_typed_badly_keeps_the_other_sentences(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client, path = client_as("sales"), at(draft, "settings/")
    data = form_of(client, path) | {"minimum_sales": "ten", "cost_cap": "10"}
    assert "the cap of €10.00" in plain(client.post(f"{path}consequence/", data).content.decode())
    data |= {"minimum_sales": "20"}
    text = plain(client.post(f"{path}consequence/", data).content.decode())
    assert "The minimum is above the cap" in text and "the cap of €10.00" in text


def test_another_rate_keeps_what_was_typed(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client, path = client_as("sales"), at(draft, "settings/")
    data = form_of(client, path) | {"vat_rate_0": "19", "vat_from_1": "2027-01-01", "vat_rate_1": "20", "title": "New"}
    text = client.post(path, data | {"action": "add"}).content.decode()
    assert "vat_rate_2" in text and 'value="New"' in text and 'value="20"' in text and "invalid-feedback" not in text


def test_the_second_of_two_is_told_what_changed_and_loses_nothing(
    draft: TariffDraft, client_as: Callable[..., Client], actor: Actor
) -> None:
    """Title and tolerance are changed by one, title and cap by the other: the title is chosen, the rest joined."""
    client, path = client_as("sales"), at(draft, "settings/")
    data = form_of(client, path) | {"title": "Mine", "cost_cap": "10"}
    other = Actor("user:ada@firm.example", actor.now)
    theirs = {"title": "Theirs", "tolerance": "10", "public": True}
    drafts.change_draft(other, draft=draft, revision=1, change=lambda old: {**old, **theirs})
    response = client.post(path, data)
    text = response.content.decode()
    assert response.status_code == 409
    assert "ada@firm.example has saved this draft meanwhile" in plain(text)
    assert "Call handling becomes → Theirs" in plain(text)
    assert 'value="Mine"' in text and 'name="take" value="title"' in text and 'value="tolerance"' not in text
    assert TariffDraft.objects.get(pk=draft.pk).fields["title"] == "Theirs", "nothing is saved yet"

    again = next(f.values for f in read_page(text, path).forms if f.id == "form")
    assert (again["tolerance"], again["public"], again["cost_cap"], again["revision"]) == ("10", "on", "10", "2")
    assert client.post(path, again | {"take": "title"}).status_code == 302
    kept = TariffDraft.objects.get(pk=draft.pk)
    assert (kept.fields["title"], kept.fields["tolerance"], kept.fields["cost_cap"]) == ("Theirs", "10", "10")
    assert kept.revision == 3 and kept.fields["public"] is True


def test_drafts_of_others_are_not_found(draft: TariffDraft, client_as: Callable[..., Client], actor: Actor) -> None:
    other = Seller.objects.create(name="Other", country="SE", currency="SEK", time_zone="UTC", vat=[[None, "25"]])
    foreign = drafts.begin_draft(actor, seller=other, key="f", fields={"title": "Foreign", "lines": {}})
    client = client_as()
    assert client.get(at(foreign)).status_code == 404
    for tail in ("settings/", "settings/consequence/", "discard/"):
        assert client.post(at(foreign, tail)).status_code == 404
    assert "Foreign" not in client.get("/tariffs/").content.decode()


# ---- publishing ----------------------------------------------------------------------------------------------------


def change_of_talk(actor: Actor, **settings: Any) -> TariffDraft:
    """A draft of the company's telephone tariff, which three contracts have, with a base fee of 25.00."""
    draft = drafts.draft_of(actor, tariff=Tariff.objects.get(key="talk"))
    lines = [{**line, "price": "25.00"} if line["article"] == "base" else line for line in draft.fields["lines"]]
    return drafts.change_draft(actor, draft=draft, revision=1, change=lambda old: {**old, **settings, "lines": lines})


def test_a_new_tariff_is_published(draft: TariffDraft, client_as: Callable[..., Client]) -> None:
    client = client_as("sales")
    data = form_of(client, at(draft, "publish/"))
    assert set(data) == {"revision"}, "nobody has it: there is no day to choose"
    assert "No contract has it" in plain(client.post(at(draft, "publish/consequence/"), data).content.decode())
    answer = client.post(at(draft, "publish/"), data)
    made = Tariff.objects.get(key="seed")
    assert answer.headers["Location"] == f"/tariffs/{made.pk}/" and not TariffDraft.objects.exists()


def test_what_is_wrong_is_said_and_refused(draft: TariffDraft, client_as: Callable[..., Client], actor: Actor) -> None:
    drafts.change_draft(actor, draft=draft, revision=1, change=lambda old: {**old, "cost_cap": "10", "lines": []})
    client = client_as("sales")
    assert "Flag at least one line" in plain(client.get(at(draft, "publish/")).content.decode())
    answer = client.post(at(draft, "publish/"), {"revision": "2"})
    assert answer.status_code == 422 and "Flag at least one line" in plain(answer.content.decode())
    assert not Tariff.objects.filter(key="seed").exists()


def test_the_preview_says_whom_and_how_much(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    """Three contracts at 19.90, billed in advance: 25.00 makes 15.30 more each month."""
    draft = change_of_talk(actor)
    client, path = client_as("sales", "de"), at(draft, "publish/")
    text = plain(client.get(path).content.decode())
    assert "Base fee" in text and "19,90 €" in text and "25,00 €" in text
    data = form_of(client, path) | {"valid_from": "2026-04-15", "applies_to": "all"}
    text = plain(client.post(f"{path}consequence/", data).content.decode())
    assert "3 Verträge" in text and "01.05.2026 3" in text and "+15,30 €" in text
    assert "59,70 €" in text and "75,00 €" in text
    text = plain(client.post(f"{path}consequence/", data | {"applies_to": "new"}).content.decode())
    assert "15.04.2026" in text and "15,30" not in text
    assert Tariff.objects.get(key="talk").versions.count() == 1, "a look changes nothing"
    assert client.post(path, data).status_code == 302
    version = Tariff.objects.get(key="talk").versions.latest("valid_from")
    assert (str(version.valid_from), version.applies_to) == ("2026-04-15", "all")


def test_a_day_before_what_is_billed_is_refused_beside_it(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    """Two contracts are billed to the end of February (decision 0013)."""
    draft = change_of_talk(actor)
    client, path = client_as("sales"), at(draft, "publish/")
    data = form_of(client, path) | {"valid_from": "2026-02-10", "applies_to": "all"}
    assert "2 contracts are billed beyond this day" in plain(client.post(f"{path}consequence/", data).content.decode())
    answer = client.post(path, data)
    text = answer.content.decode()
    assert answer.status_code == 422 and 'id="id_valid_from_error"' in text and "choose 1 Mar 2026" in plain(text)
    assert 'value="2026-02-10"' in text
    assert client.post(path, data | {"after_billed": "on"}).status_code == 302
    version = Tariff.objects.get(key="talk").versions.latest("id")
    starts = version.phaseversion_set.values_list("effective_from", flat=True)
    assert {str(day) for day in starts} == {"2026-03-01"}


def test_what_somebody_saved_meanwhile_is_said_before_it_is_published(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    draft = change_of_talk(actor)
    client, path = client_as("sales"), at(draft, "publish/")
    data = form_of(client, path) | {"valid_from": "2026-05-01", "applies_to": "all"}
    drafts.change_draft(actor, draft=draft, revision=2, change=lambda old: {**old, "title": "Talk"})
    answer = client.post(path, data)
    text = answer.content.decode()
    assert answer.status_code == 409 and "Telefonservice becomes → Talk" in plain(text)
    assert Tariff.objects.get(key="talk").versions.count() == 1
    again = next(f.values for f in read_page(text, path).forms if f.id == "form")
    assert (again["revision"], again["applies_to"]) == ("3", "all") and "2026-05-01" in text
    assert client.post(path, again).status_code == 302


def test_prices_that_were_raised_meanwhile_are_taken_over_before_it_is_published(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    """On a day to come: what was typed and what was changed in the draft stay, and nothing is undone."""
    draft = change_of_talk(actor)
    tariff = Tariff.objects.get(key="talk")
    changes = {"lines": {"base": {"price": "21.90"}}, "cost_cap": None, "title": "Telefonservice plus"}
    publish_version(actor, tariff=tariff, valid_from=date(2199, 5, 1), applies_to="new", changes=changes)
    client, path = client_as("sales"), at(draft, "publish/")
    early = form_of(client, path) | {"valid_from": "2199-04-15", "applies_to": "all"}
    assert "From 1 May 2199 on a later version holds" in plain(
        client.post(f"{path}consequence/", early).content.decode()
    )
    data = early | {"valid_from": "2199-06-01"}
    assert "something new" in plain(client.post(f"{path}consequence/", data).content.decode())
    answer = client.post(path, data)
    text = plain(answer.content.decode())
    assert answer.status_code == 409 and "Telefonservice becomes → Telefonservice plus" in text
    assert f'formaction="{at(draft, "catch-up/")}"' in answer.content.decode()
    answer = client.post(at(draft, "catch-up/"), data)
    assert answer.headers["Location"] == f"{path}?from=2199-06-01"
    data = form_of(client, f"{path}?from=2199-06-01") | {"applies_to": "all"}
    assert data["valid_from"] == "2199-06-01"
    assert client.post(path, data).status_code == 302
    made = tariff.versions.latest("id")
    assert made.title == "Telefonservice plus"
    assert made.lines.get(article__key="base").terms["price"] == "25.00"


def test_the_overview_says_what_is_new(seller: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    draft = change_of_talk(actor)
    publish_version(
        actor, tariff=Tariff.objects.get(key="talk"), valid_from=date(2026, 1, 1), applies_to="new",
        changes={"title": "Anders"},
    )  # fmt: skip
    client = client_as("sales")
    assert "Take it over" in client.get(at(draft)).content.decode()
    assert client.post(at(draft, "catch-up/"), {"revision": "2"}).headers["Location"] == at(draft)
    text = client.get(at(draft)).content.decode()
    assert "Take it over" not in text and "Anders" in text
    answer = client.post(at(draft, "catch-up/"), {"revision": "2"}, follow=True)
    assert "has changed this draft meanwhile" in answer.content.decode()


def test_the_preview_needs_a_fixed_number_of_queries(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    draft = change_of_talk(actor)
    client, path = client_as("sales"), at(draft, "publish/")
    data = form_of(client, path) | {"valid_from": "2026-04-15", "applies_to": "all"}
    client.post(f"{path}consequence/", data)  # a version's terms are kept once they were read
    counts = []
    for more in (0, 8):
        for i in range(more):
            customer = create_customer(actor, seller=seller, key=f"c{i}", name=f"C{i}")
            sign(actor, key=f"W{i}", customer=customer, tariff=draft.tariff, start=date(2026, 1, 1 + i))
        with CaptureQueriesContext(connection) as queries:
            text = plain(client.post(f"{path}consequence/", data).content.decode())
        counts.append(len(queries))
    assert counts[0] == counts[1] and "11 contracts get it" in text


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_no_error(
    seller: Seller, client_as: Callable[..., Client], actor: Actor, misfit: str
) -> None:
    """In each field of the settings alone, and in all of each form; of a new tariff and of one that was ordered."""
    fresh = drafts.begin_draft(actor, seller=seller, key="seed", fields=SEED | {"currency": "EUR"})
    change = drafts.draft_of(actor, tariff=Tariff.objects.get(key="talk"))
    client = client_as("sales")
    client.raise_request_exception = False
    values = form_of(client, at(fresh, "settings/")) | {"vat_rate_0": "19"}
    tried = [(at(fresh, "settings/consequence/"), values | {name: MISFITS[misfit]}) for name in values]
    for tail in ("settings/", "settings/consequence/", "publish/consequence/", "publish/"):
        whole = dict.fromkeys([*values, "valid_from", "applies_to", "take"], MISFITS[misfit])
        tried += [(at(draft, tail), whole) for draft in (change, fresh)]
    assert [path for path, sent in tried if client.post(path, sent).status_code >= 500] == []


def test_who_comes_to_a_tariff_later_counts_as_it_will_be_then(
    seller: Seller, client_as: Callable[..., Client], actor: Actor
) -> None:
    """A contract of another tariff, at 100.00, changes on 1 May: of its base fee 5.10 more move, not 75.00 less."""
    line = {"base": {"title": "Base fee", "price": "100.00"}}
    dear = define_tariff(actor, seller=seller, key="dear", title="Dear", lines=line)
    customer = create_customer(actor, seller=seller, key="c", name="C")
    contract = sign(actor, key="W", customer=customer, tariff=dear, start=date(2026, 3, 1))
    change_tariff(actor, contract=contract, tariff=Tariff.objects.get(key="talk"), start=date(2026, 5, 1))
    draft = change_of_talk(actor)
    client, path = client_as("sales", "de"), at(draft, "publish/")
    data = form_of(client, path) | {"valid_from": "2026-04-15", "applies_to": "all"}
    text = plain(client.post(f"{path}consequence/", data).content.decode())
    assert "4 Verträge" in text and "+20,40 €" in text and "79,60 €" in text and "100,00 €" in text
