"""Tariffs that are being written: kept as typed, checked when published; one that was ordered is never edited."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.billing.services import billed_beyond, publish_draft, takes_versions
from taktura.catalog import drafts, editing
from taktura.catalog.models import Tariff, TariffDraft, TariffVersion
from taktura.catalog.modules import module_named, place_tariff
from taktura.catalog.queries import version_in_force
from taktura.catalog.services import add_version, define_tariff, moved_prices
from taktura.contracts.models import Contract
from taktura.contracts.services.signing import sign
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.customers.services import create_customer, create_seller
from taktura.kit.actor import Actor

OTHER = Actor("Other", datetime(2026, 3, 1, 9, tzinfo=UTC))
TALK: dict[str, Any] = {
    "title": "Call handling",
    "titles": {"sv": "Samtalsbehandling"},
    "module": "telephone",
    "minimum_sales": "10.00",
    "lines": {
        "search": {"title": "Search", "charge": "usage", "price": "1.00", "in_minimum": True},
        "dictation": {"title": "Dictation", "charge": "usage", "price": "5.00"},
    },
}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller in Germany."""
    return create_seller(
        actor, name="Muster", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )


def with_(**fields: Any) -> Any:
    """A change of a draft's own fields."""
    return lambda old: {**old, **fields}


def signed(actor: Actor, tariff: Tariff, key: str = "C1") -> Contract:
    """A contract from January under a tariff."""
    customer = create_customer(actor, seller=tariff.seller, key=f"of-{key}", name="Acme")
    return sign(actor, key=key, customer=customer, tariff=tariff, start=date(2026, 1, 1))


def test_a_new_tariff_is_written_step_by_step_and_published(seller: Seller, actor: Actor) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk")
    assert not Tariff.objects.exists()
    typed = drafts.typed(TALK)
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=lambda old: {**old, **typed})
    tariff = publish_draft(actor, draft=draft, revision=2)
    version = version_in_force(tariff, date(2026, 1, 1))
    assert (version.title, version.titles, tariff.module_key) == (
        "Call handling",
        {"sv": "Samtalsbehandling"},
        "telephone",
    )
    assert [line.article.key for line in version.lines.all()] == ["search", "dictation"], "the order is kept"
    assert not TariffDraft.objects.exists()


def test_what_is_not_complete_is_kept_and_refused_only_when_it_is_published(seller: Seller, actor: Actor) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk")
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=with_(minimum_sales="10", title="T"))
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=2)
    assert (refused.value.code, refused.value.values["field"]) == ("no_flagged_line", "minimum_sales")
    draft.refresh_from_db()
    assert draft.fields["minimum_sales"] == "10"
    assert not Tariff.objects.exists()


def test_the_second_of_two_is_told_what_changed(seller: Seller, actor: Actor) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk", fields=TALK)
    drafts.change_draft(actor, draft=draft, revision=1, change=with_(minimum_sales="20.00"))
    with pytest.raises(Refused) as refused:
        drafts.change_draft(OTHER, draft=draft, revision=1, change=with_(title="Calls"))
    assert (refused.value.code, refused.value.values["name"]) == ("conflict", "test")
    assert drafts.changes_since(draft, 1) == [drafts.Change("", "minimum_sales", "10.00", "20.00")]
    drafts.change_draft(OTHER, draft=draft, revision=2, change=with_(title="Calls"))
    draft.refresh_from_db()
    assert (draft.fields["title"], draft.fields["minimum_sales"], draft.revision) == ("Calls", "20.00", 3)


def test_what_stays_as_it_is_makes_no_revision(seller: Seller, actor: Actor) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk", fields=TALK)
    before = LogEntry.objects.count()
    assert drafts.change_draft(actor, draft=draft, revision=1, change=lambda old: old).revision == 1
    assert LogEntry.objects.count() == before


def test_a_tariff_that_nobody_ordered_is_rewritten(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    draft = drafts.draft_of(actor, tariff=tariff)
    assert drafts.written(draft)["lines"]["search"]["price"] == "1.00"
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=with_(interval="3 months", public=True))
    publish_draft(actor, draft=draft, revision=2)
    tariff.refresh_from_db()
    assert [str(v.interval) for v in tariff.versions.all()] == ["3 months"]
    assert tariff.public


def test_a_tariff_that_takes_versions_gets_a_version(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    signed(actor, tariff)
    assert takes_versions(tariff)
    assert billed_beyond(tariff, date(2026, 1, 1)) is None, "nothing is billed yet"
    draft = drafts.draft_of(actor, tariff=tariff)

    def without_dictation(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "lines": [x | {"price": "2.00"} for x in old["lines"] if x["article"] != "dictation"]}

    draft = drafts.change_draft(actor, draft=draft, revision=1, change=without_dictation)
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=2)
    assert refused.value.values["field"] == "valid_from"
    publish_draft(actor, draft=draft, revision=2, valid_from=date(2026, 4, 1), applies_to="all")
    assert TariffVersion.objects.filter(tariff=tariff).count() == 2
    old, new = version_in_force(tariff, date(2026, 3, 31)), version_in_force(tariff, date(2026, 4, 1))
    assert [line.article.key for line in old.lines.all()] == ["search", "dictation"]
    assert [(line.article.key, line.terms["price"]) for line in new.lines.all()] == [("search", "2.00")]


def test_the_currency_of_an_ordered_tariff_stays(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    signed(actor, tariff)
    draft = drafts.draft_of(actor, tariff=tariff)
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=with_(currency="SEK"))
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=2, valid_from=date(2026, 4, 1))
    assert refused.value.values["field"] == "currency"
    tariff.refresh_from_db()
    assert tariff.currency == "EUR"


def test_notice_of_a_later_version_holds_for_new_contracts(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK, notice="yearly")
    old = signed(actor, tariff)
    draft = drafts.draft_of(actor, tariff=tariff)
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=with_(notice="monthly", tick="second"))
    publish_draft(actor, draft=draft, revision=2, valid_from=date(2026, 1, 1), applies_to="new")
    new = signed(actor, tariff, "C2")
    old.refresh_from_db()
    assert (old.terms, new.terms) == ("yearly", "monthly")
    assert version_in_force(tariff, date(2026, 1, 1)).tick == "second"


def raised(actor: Actor, tariff: Tariff, day: date) -> None:
    """All prices of a tariff by 10 percent, past its draft."""
    changes = moved_prices(version_in_force(tariff, day), Decimal(10), None)
    add_version(actor, tariff=tariff, valid_from=day, applies_to="new", changes=changes)


def with_price(article: str, price: str) -> Any:
    """A change of one line's price."""
    return lambda old: {
        **old, "lines": [x | {"price": price} if x["article"] == article else x for x in old["lines"]]
    }  # fmt: skip


def test_what_the_tariff_says_new_is_not_undone_unseen(seller: Seller, actor: Actor) -> None:
    """Prices were raised while a draft was written: publishing it would bring the old ones back."""
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    signed(actor, tariff)
    draft = drafts.draft_of(actor, tariff=tariff)
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=with_price("dictation", "6.00"))
    raised(OTHER, tariff, date(2026, 5, 1))
    assert drafts.news(draft, date(2026, 4, 30)) == []
    told = [(c.article, c.field, c.before, c.after) for c in drafts.news(draft, date(2026, 5, 1))]
    assert told == [("search", "price", "1.00", "1.1"), ("dictation", "price", "5.00", "5.5")]
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=2, valid_from=date(2026, 6, 1))
    assert (refused.value.code, refused.value.values["field"]) == ("conflict", "valid_from")
    draft = editing.catch_up(actor, draft=draft, revision=2, day=date(2026, 6, 1))
    assert draft.revision == 3 and drafts.news(draft, date(2026, 6, 1)) == []
    publish_draft(actor, draft=draft, revision=3, valid_from=date(2026, 6, 1))
    lines = version_in_force(tariff, date(2026, 6, 1)).lines.all()
    assert {x.article.key: Decimal(x.terms["price"]) for x in lines} == {
        "search": Decimal("1.1"), "dictation": Decimal(6),
    }, "what was changed in the draft stays, what was not follows"  # fmt: skip


def test_a_draft_before_the_news_is_published_as_it_is(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    signed(actor, tariff)
    draft = drafts.draft_of(actor, tariff=tariff)
    raised(OTHER, tariff, date(2026, 5, 1))
    publish_draft(actor, draft=draft, revision=1, valid_from=date(2026, 4, 1))
    assert tariff.versions.count() == 3


def test_lines_that_came_and_went_and_their_order_follow(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    signed(actor, tariff)
    draft = drafts.draft_of(actor, tariff=tariff)
    fields = {**TALK, "minimum_sales": None, "lines": {
        "fax": {"title": "Fax", "charge": "usage", "price": "0.50"}, "search": {**TALK["lines"]["search"]},
    }}  # fmt: skip
    add_version(OTHER, tariff=tariff, valid_from=date(2026, 3, 1), applies_to="new", changes=fields, whole=True)
    draft = editing.catch_up(actor, draft=draft, revision=1, day=date(2026, 3, 1))
    assert [line["article"] for line in draft.fields["lines"]] == ["fax", "search"]
    assert draft.fields["minimum_sales"] is None


def test_a_module_that_was_chosen_meanwhile_stays(seller: Seller, actor: Actor) -> None:
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    draft = drafts.draft_of(actor, tariff=tariff)
    place_tariff(OTHER, tariff=tariff, module=module_named(seller, "office"))
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=1)
    assert refused.value.code == "conflict"
    draft = editing.catch_up(actor, draft=draft, revision=1, day=date(2026, 3, 1))
    publish_draft(actor, draft=draft, revision=2)
    assert Tariff.objects.get().module_key == "office"


def test_versions_to_come_are_not_swept_away(seller: Seller, actor: Actor) -> None:
    """Nobody has ordered it, but a price was announced: what the draft says gets a day, too."""
    tariff = define_tariff(actor, seller=seller, key="talk", **TALK)
    draft = drafts.draft_of(actor, tariff=tariff)
    raised(OTHER, tariff, date(2026, 5, 1))
    assert takes_versions(tariff)
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=1)
    assert refused.value.values["field"] == "valid_from"
    publish_draft(actor, draft=draft, revision=1, valid_from=date(2026, 4, 1))
    assert tariff.versions.count() == 3


@pytest.mark.parametrize("field", ["offer_number", "versions", "colour"])
def test_a_setting_that_there_is_not(seller: Seller, actor: Actor, field: str) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk")
    with pytest.raises(Refused) as refused:
        drafts.change_draft(actor, draft=draft, revision=1, change=with_(**{field: "x"}))
    assert refused.value.code == "invalid"


def test_one_name_one_draft(seller: Seller, actor: Actor) -> None:
    drafts.begin_draft(actor, seller=seller, key="talk")
    with pytest.raises(Refused) as refused:
        drafts.begin_draft(OTHER, seller=seller, key="talk")
    assert refused.value.code == "conflict"
    define_tariff(actor, seller=seller, key="calls", **TALK)
    with pytest.raises(Refused) as refused:
        drafts.begin_draft(OTHER, seller=seller, key="calls")
    assert refused.value.code == "conflict"


def test_a_discarded_draft_is_gone_and_its_fields_are_in_the_log(seller: Seller, actor: Actor) -> None:
    draft = drafts.begin_draft(actor, seller=seller, key="talk", fields=TALK)
    drafts.discard_draft(actor, draft=draft)
    assert not TariffDraft.objects.exists()
    told = LogEntry.objects.get(action="discard_tariff_draft")
    assert told.data["fields"]["title"] == "Call handling"
    with pytest.raises(Refused) as refused:
        publish_draft(actor, draft=draft, revision=1)
    assert refused.value.code == "not_found"


def test_differences_name_each_setting_and_the_order() -> None:
    before = drafts.typed(TALK)
    after = {**before, "title": "Calls", "lines": [before["lines"][1] | {"price": "6.00"}, before["lines"][0]]}
    assert drafts.differences(before, after) == [
        drafts.Change("", "title", "Call handling", "Calls"),
        drafts.Change("dictation", "price", "5.00", "6.00"),
        drafts.Change("", "", ["search", "dictation"], ["dictation", "search"]),
    ]
    assert drafts.differences(before, before) == []


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"price": "0.1234567890123"}, "price"),
        ({"price_quantity": "0"}, "price_quantity"),
        ({"vat": "101"}, "vat"),
        ({"tiers": [{"up_to": "10"}, {"up_to": "5"}, {"price": "1"}]}, "tiers"),
        ({"discount_scale": [{"above": "10", "percent": "5"}, {"above": "5", "percent": "10"}]}, "discount_scale"),
        ({"tick": "often"}, "tick"),
        ({"titles": {"fr": "Recherche"}}, "titles"),
        ({"key": "calls"}, "key"),
        ({"reference_price": "-1"}, "reference_price"),
    ],
)
def test_a_refusal_names_the_line_and_the_setting(
    seller: Seller, actor: Actor, line: dict[str, Any], field: str
) -> None:
    fields = {**TALK, "lines": {**TALK["lines"], "call": {"title": "Call", "charge": "usage", "price": "1", **line}}}
    fields["lines"]["dictation"] = {**fields["lines"]["dictation"], "key": "calls"}
    draft = drafts.begin_draft(actor, seller=seller, key="talk", fields=fields)
    with pytest.raises(Refused) as refused:
        drafts.offer(draft)
    assert (refused.value.values["article"], refused.value.values["field"]) == ("call", field)


def test_a_document_has_the_titles_of_its_reader(seller: Seller) -> None:
    from taktura.catalog.services import offer_of
    from taktura.core.documents import Entry

    line = {"title": "Search", "titles": {"sv": "Sökning"}, "charge": "usage", "price": Decimal(1)}
    plain, named = (offer_of({"lines": {"a": x}}).terms["a"] for x in (line, line | {"alternative_name": "Look-up"}))
    assert Entry(contract=1, title=plain.title, titles=plain.titles).title_in("sv") == "Sökning"
    assert Entry(contract=1, title=plain.title, titles=plain.titles).title_in("de") == "Search"
    assert Entry(contract=1, title=named.title, titles=named.titles).title_in("sv") == "Look-up"
