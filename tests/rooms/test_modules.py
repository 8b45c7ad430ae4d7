"""Modules: made on first use, put in order, deleted when empty."""

from collections.abc import Callable
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.catalog import modules
from taktura.catalog import services as catalog
from taktura.catalog.models import Module, Tariff
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor

LINES: dict[str, Any] = {"base": {"title": "Base", "charge": "recurring", "price": "10"}}


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """Three public tariffs, two of them of “talk”, one of “desk”; and one of “talk” that is not public."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    for key, module, public in (("a", "talk", True), ("b", "talk", True), ("c", "desk", True), ("d", "talk", False)):
        catalog.define_tariff(actor, seller=made, key=key, title=key.upper(), module=module, public=public, lines=LINES)
    return made


def keys(seller: Seller) -> list[str]:
    return [m.key for m in modules.modules_of(seller.pk)]


def one(seller: Seller, key: str = "talk") -> Any:
    return modules.module_by_key(seller.pk, key)


def listed(seller: Seller, key: str = "talk") -> list[str]:
    return [t.key for t in modules.public_tariffs(one(seller, key))]


def test_a_module_is_made_when_a_tariff_names_it_first(seller: Seller) -> None:
    assert keys(seller) == ["talk", "desk"] and listed(seller) == ["a", "b"]
    assert (one(seller).size, one(seller).listed, one(seller).title) == (3, 2, "talk")


@pytest.mark.parametrize(
    ("text", "key"), [("Büro & Post", "Büro & Post"), (" a/b ", "a-b"), ("a\nb", "a-b"), ("..", "module")]
)
def test_a_name_of_any_letters_has_a_key_that_can_stand_in_an_address(
    seller: Seller, actor: Actor, text: str, key: str
) -> None:
    made = catalog.define_tariff(actor, seller=seller, key="x", title="X", module=text, lines=LINES)
    assert made.module is not None and made.module_key == key and made.module.title == text.strip()


@pytest.mark.parametrize("text", ["", "   ", None])
def test_no_name_is_no_module(seller: Seller, actor: Actor, text: str | None) -> None:
    made = catalog.define_tariff(actor, seller=seller, key="x", title="X", module=text, lines=LINES)
    assert made.module is None and made.module_key == ""


def test_a_module_can_be_ordered_once_it_has_a_tariff_that_is_offered(seller: Seller, actor: Actor) -> None:
    empty = modules.create_module(actor, seller=seller, key="empty", title="Empty")
    assert [m.can_be_ordered for m in modules.modules_of(seller.pk)] == [True, True, False]
    catalog.retire_tariff(actor, tariff=Tariff.objects.get(key="c"))
    assert not one(seller, "desk").can_be_ordered
    modules.place_tariff(actor, tariff=Tariff.objects.get(key="d"), module=empty)
    assert not one(seller, "empty").can_be_ordered, "it is not public"
    catalog.change_tariff_settings(actor, tariff=Tariff.objects.get(key="d"), public=True)
    assert one(seller, "empty").can_be_ordered


def test_modules_and_tariffs_are_put_in_order_and_the_rest_stays_behind(seller: Seller, actor: Actor) -> None:
    modules.create_module(actor, seller=seller, key="third", title="Third")
    modules.order_modules(actor, seller=seller, keys=["third"])
    assert keys(seller) == ["third", "talk", "desk"]
    modules.order_tariffs(actor, module=one(seller), keys=["b", "a"])
    assert listed(seller) == ["b", "a"]
    entries = LogEntry.objects.count()
    modules.order_tariffs(actor, module=one(seller), keys=["b"])
    assert LogEntry.objects.count() == entries, "nothing moved: nothing is told"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda a, s: modules.order_modules(a, seller=s, keys=["nobody"]), "not_found"),
        (lambda a, s: modules.order_modules(a, seller=s, keys=["talk", "talk"]), "invalid"),
        (lambda a, s: modules.order_tariffs(a, module=one(s), keys=["c"]), "not_found"),
        (lambda a, s: modules.create_module(a, seller=s, key="talk", title="Again"), "conflict"),
        (lambda a, s: modules.create_module(a, seller=s, key="a/b", title="X"), "invalid"),
        (lambda a, s: modules.create_module(a, seller=s, key="x", title=" "), "invalid"),
        (lambda a, s: modules.create_module(a, seller=s, key="x", title="X", titles={"fr": "X"}), "invalid"),
        (lambda a, s: modules.change_module(a, module=one(s), titles={"de": "x" * 201}), "invalid"),
        (lambda a, s: modules.delete_module(a, module=one(s)), "module_in_use"),
        (lambda a, s: modules.module_by_key(s.pk, "nobody"), "not_found"),
    ],
)
def test_what_cannot_be_is_refused(
    seller: Seller, actor: Actor, act: Callable[[Actor, Seller], object], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        act(actor, seller)
    assert refused.value.code == code and keys(seller) == ["talk", "desk"] and listed(seller) == ["a", "b"]


def test_a_tariff_comes_last_into_another_module_and_an_empty_one_goes(seller: Seller, actor: Actor) -> None:
    modules.place_tariff(actor, tariff=Tariff.objects.get(key="c"), module=one(seller))
    assert listed(seller) == ["a", "b", "c"]
    modules.delete_module(actor, module=one(seller, "desk"))
    assert keys(seller) == ["talk"]
    modules.place_tariff(actor, tariff=Tariff.objects.get(key="c"), module=None)
    assert listed(seller) == ["a", "b"] and Tariff.objects.get(key="c").module is None


def test_titles_by_language_are_kept_and_told(seller: Seller, actor: Actor) -> None:
    modules.change_module(actor, module=one(seller), title="Telephone", titles={"de": "Telefon", "sv": ""})
    found = Module.objects.get(key="talk")
    assert (found.title, found.titles) == ("Telephone", {"de": "Telefon"})
    entry = LogEntry.objects.latest("id")
    assert entry.action == "change_module" and entry.data["after"]["titles"] == {"de": "Telefon"}
