"""The register of keys, and keys that stand for an article (R6.5)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog import drafts, keys
from taktura.catalog import services as catalog
from taktura.catalog.models import Article, Key, Tariff
from taktura.catalog.usual_keys import USUAL
from taktura.contracts import services as contracts
from taktura.contracts.queries import by_key
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import UsageException, UsageRecord
from taktura.usage.ties import choices, seen, waiting_with

LINES: dict[str, Any] = {
    "search": {"title": "Search", "charge": "usage", "price": "1.00", "key": "assistant.search"},
    "fax": {"title": "Fax", "charge": "usage", "price": "0.50"},
}
ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A seller with two contracts whose tariff knows one key."""
    made = customers.create_seller(
        actor, name="S", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=made, kind=kind, format=f"{kind[:1]}{{number}}", next=1)
    tariff = catalog.define_tariff(actor, seller=made, key="t", title="T", lines=LINES)
    for key in ("C1", "C2"):
        customer = customers.create_customer(actor, seller=made, key=f"of-{key}", name=key)
        customers.set_billing_information(actor, customer=customer, name=key, email="a@c.example", **ADDRESS)
        contracts.sign(actor, key=key, customer=customer, tariff=tariff, start=date(2026, 1, 1))
    return made


def send(actor: Actor, seller: Seller, contract: str, key: str, quantity: str, at: datetime, name: str) -> None:
    entry = {"contract": contract, "key": key, "quantity": quantity, "at": at, "id": name}
    billing.record_usage(actor, seller=seller, entries=[entry])


def day(number: int, month: int = 1) -> datetime:
    return datetime(2026, month, number, 12, tzinfo=UTC)


def article(key: str) -> Article:
    return Article.objects.get(key=key)


def line_of(name: str) -> str:
    record = UsageRecord.objects.select_related("line__article").get(external_id=name)
    return record.line.article.key if record.line else ""


def test_a_key_that_a_tariff_names_is_registered_with_all_allowed(seller: Seller) -> None:
    found = Key.objects.get()
    assert (found.key, found.title, found.article) == ("assistant.search", "Search", None)
    assert found.time_based and found.flat_price and found.own_notice


def test_a_new_company_has_the_usual_keys_and_gets_each_once(database: str, actor: Actor) -> None:
    made = billing.create_seller(actor, name="N", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    assert set(Key.objects.filter(seller=made).values_list("key", flat=True)) == {fields["key"] for fields in USUAL}
    keys.delete_key(actor, key=Key.objects.get(key="fax"))
    assert [keys.give_usual_keys(actor, seller=made), keys.give_usual_keys(actor, seller=made)] == [1, 0]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"charge": "usage", "unit": "minute", "price": "1"}, "unit"),
        ({"charge": "usage", "flat_price": True, "price": "1"}, "flat_price"),
        ({"charge": "recurring", "notice": "monthly", "price": "1"}, "notice"),
        ({"charge": "recurring", "notice": {"notice": "1 month"}, "price": "1"}, "notice"),
    ],
)
def test_a_line_has_only_what_its_key_allows(seller: Seller, actor: Actor, line: dict[str, Any], field: str) -> None:
    plain = keys.create_key(actor, seller=seller, key="plain")
    draft = drafts.begin_draft(actor, seller=seller, key="new", fields={"title": "N", "lines": {}})
    lines = [{"article": "a", "key": "plain", **line}]
    draft = drafts.change_draft(actor, draft=draft, revision=1, change=lambda old: {**old, "lines": lines})
    for refusing in (
        lambda: drafts.offer(draft),
        lambda: billing.publish_draft(actor, draft=draft, revision=2),
        lambda: catalog.define_tariff(actor, seller=seller, key="x", title="X", lines={"a": {"key": "plain", **line}}),
    ):
        with pytest.raises(Refused) as refused:
            refusing()
        assert (refused.value.values["field"], refused.value.values["article"]) == (field, "a")
    keys.change_key(actor, key=plain, time_based=True, flat_price=True, own_notice=True)
    assert billing.publish_draft(actor, draft=draft, revision=2).key == "new"
    without = {"a": {k: v for k, v in line.items() if k != "key"}}
    assert catalog.define_tariff(actor, seller=seller, key="y", title="Y", lines=without), (
        "without a key all is allowed"
    )


def test_what_lines_have_is_not_taken_from_their_key(seller: Seller, actor: Actor) -> None:
    lines = {"a": {"charge": "usage", "unit": "minute", "price": "1", "key": "calls"}}
    tariff = catalog.define_tariff(actor, seller=seller, key="x", title="Talk", lines=lines)
    calls = Key.objects.get(key="calls")
    with pytest.raises(Refused) as refused:
        keys.change_key(actor, key=calls, time_based=False)
    assert refused.value.values == {"tariff": "Talk", "field": "time_based"}
    assert not keys.change_key(actor, key=calls, flat_price=False).flat_price
    catalog.add_version(
        actor, tariff=tariff, valid_from=date(2026, 2, 1), applies_to="new", changes={"lines": {"a": {"unit": "piece"}}}
    )
    assert not keys.change_key(actor, key=calls, time_based=False).time_based, "only the newest version counts"


def test_a_key_goes_only_when_nothing_uses_it(seller: Seller, actor: Actor) -> None:
    used, free = Key.objects.get(), keys.create_key(actor, seller=seller, key="free")
    with pytest.raises(Refused, match="Lines of tariffs"):
        keys.delete_key(actor, key=used)
    draft = drafts.begin_draft(actor, seller=seller, key="new", fields={"lines": {"a": {"key": "free"}}})
    with pytest.raises(Refused, match="Lines of tariffs"):
        keys.delete_key(actor, key=free)
    drafts.discard_draft(actor, draft=draft)
    usage.tie_key(actor, seller=seller, key="free", article=article("fax"))
    with pytest.raises(Refused, match="untie"):
        keys.delete_key(actor, key=free)
    usage.untie_key(actor, seller=seller, key="free")
    keys.delete_key(actor, key=free)
    assert [k.key for k in Key.objects.all()] == ["assistant.search"]


@pytest.mark.parametrize("key", ["", "  ", "x" * 101, "a\nb", "a\0b"])
def test_what_is_no_word_is_refused(seller: Seller, actor: Actor, key: str) -> None:
    with pytest.raises(Refused) as refused:
        keys.create_key(actor, seller=seller, key=key)
    assert refused.value.values["field"] == "key"


def test_the_same_key_twice_is_refused(seller: Seller, actor: Actor) -> None:
    with pytest.raises(Refused) as refused:
        keys.create_key(actor, seller=seller, key="assistant.search")
    assert refused.value.code == "conflict"


def test_a_tie_settles_what_waits_and_what_comes(seller: Seller, actor: Actor) -> None:
    for contract, number in (("C1", 1), ("C2", 2)):
        send(actor, seller, contract, "assistant.fax", "2", day(number), f"f{number}")
    send(actor, seller, "C1", "other", "1", day(3), "o")
    (choice, second) = choices(seller.pk, ["assistant.fax"])["assistant.fax"]
    assert {choice.article.key, second.article.key} == {"search", "fax"}
    assert (choice.contracts, choice.records) == (2, 2)
    waits = waiting_with(seller.pk, "assistant.fax")
    assert waits is not None and (waits.contracts, waits.records) == (2, 2)
    done = billing.tie_key(actor, seller=seller, key="assistant.fax", article=article("fax"))
    assert (done.recorded, done.waiting) == (2, [])
    send(actor, seller, "C1", "assistant.fax", "3", day(4), "f4")
    assert [line_of(n) for n in ("f1", "f2", "f4", "o")] == ["fax", "fax", "fax", ""]
    assert [e.reason for e in UsageException.objects.all()] == ["unknown_key"], "the other key waits"
    billing.bill(actor.at(day(1, 2)), seller=seller, on=date(2026, 2, 1))
    assert sorted(Document.objects.values_list("net", flat=True)) == [100, 250]
    came = seen(seller.pk, ["assistant.fax", "nothing"], date(2026, 1, 2))
    assert (came["assistant.fax"].records, came["assistant.fax"].last) == (2, date(2026, 1, 4))
    assert (came["nothing"].records, came["nothing"].last) == (0, None)
    assert LogEntry.objects.filter(action="tie_key").count() == 1


def test_the_tariffs_own_key_goes_first(seller: Seller, actor: Actor) -> None:
    usage.tie_key(actor, seller=seller, key="assistant.search", article=article("fax"))
    send(actor, seller, "C1", "assistant.search", "1", day(1), "s1")
    assert line_of("s1") == "search"


def test_a_line_that_lives_goes_before_one_that_ended(seller: Seller, actor: Actor) -> None:
    """After a change of tariff the old line has the key, the new tariff does not: the tie lets its usage go on."""
    plain = catalog.define_tariff(actor, seller=seller, key="p", title="P", lines={"fax": LINES["fax"]})
    billing.change_tariff(actor, contract=by_key(seller.pk, "C1"), tariff=plain, start=date(2026, 2, 1))
    send(actor, seller, "C1", "assistant.search", "1", day(20, 1), "old")
    send(actor, seller, "C1", "assistant.search", "1", day(3, 2), "new")
    assert (line_of("old"), line_of("new")) == ("search", "")
    usage.tie_key(actor, seller=seller, key="assistant.search", article=article("fax"))
    assert (line_of("old"), line_of("new")) == ("search", "fax")


def test_another_article_takes_over_and_untying_gives_back(seller: Seller, actor: Actor) -> None:
    send(actor, seller, "C1", "assistant.fax", "2", day(1), "f1")
    billing.tie_key(actor, seller=seller, key="assistant.fax", article=article("fax"))
    billing.bill(actor.at(day(1, 2)), seller=seller, on=date(2026, 2, 1))
    billing.tie_key(actor, seller=seller, key="assistant.fax", article=article("search"))
    assert line_of("f1") == "search"
    billing.bill(actor.at(day(1, 3)), seller=seller, on=date(2026, 3, 1))
    total = sum(d.net if d.kind == "invoice" else -d.net for d in Document.objects.all())
    assert total == 200, "2 searches at 1.00, the faxes are given back"
    billing.untie_key(actor, seller=seller, key="assistant.fax")
    assert line_of("f1") == "" and UsageException.objects.get().reason == "unknown_key"
    billing.bill(actor.at(day(1, 4)), seller=seller, on=date(2026, 4, 1))
    assert sum(d.net if d.kind == "invoice" else -d.net for d in Document.objects.all()) == 0
    with pytest.raises(Refused, match="tied to no article"):
        billing.untie_key(actor, seller=seller, key="assistant.fax")
    with pytest.raises(Refused, match="There is no key"):
        billing.untie_key(actor, seller=seller, key="nobody")


def test_a_closed_period_stays_as_it_is(seller: Seller, actor: Actor) -> None:
    send(actor, seller, "C1", "assistant.fax", "2", day(1), "f1")
    billing.tie_key(actor, seller=seller, key="assistant.fax", article=article("fax"))
    customers.close_period(actor, seller=seller, until=date(2026, 2, 1))
    billing.untie_key(actor, seller=seller, key="assistant.fax")
    assert line_of("f1") == "fax"


def test_a_tie_is_of_one_seller_alone(seller: Seller, actor: Actor) -> None:
    other = customers.create_seller(
        actor, name="O", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    foreign = Article.objects.create(seller=other, key="fax", title="Fax")
    with pytest.raises(Refused):
        usage.tie_key(actor, seller=seller, key="assistant.fax", article=foreign)
    usage.tie_key(actor, seller=other, key="assistant.fax", article=foreign)
    send(actor, seller, "C1", "assistant.fax", "2", day(1), "f1")
    assert line_of("f1") == "" and Tariff.objects.count() == 1
