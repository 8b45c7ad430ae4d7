"""Modules: tariffs that are offered together, in an order of their own."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.catalog.models import Module, Tariff
from taktura.catalog.terms import names
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor

_NO_KEY = re.compile(r"[/\x00-\x1f\x7f]")  # what cannot stand in a key, since it stands in addresses
MOST = 200  # characters of a title
Row = TypeVar("Row", Module, Tariff)


def modules_of(seller_id: int) -> QuerySet[Module]:
    """A seller's modules in their order, each with `can_be_ordered` (it has a tariff that is public and not retired),
    `listed` (how many such) and `size` (how many tariffs in all)."""
    offered = Q(tariffs__public=True, tariffs__retired=False)
    found = Module.objects.filter(seller=seller_id).annotate(
        size=Count("tariffs"),
        listed=Count("tariffs", filter=offered),
        can_be_ordered=Exists(Tariff.objects.filter(module=OuterRef("pk"), public=True, retired=False)),
    )
    return found.order_by("position", "id")


def module_by_key(seller_id: int, key: str) -> Module:
    """The module of a key, as `modules_of` has it; raises `Refused` (`not_found`)."""
    found = modules_of(seller_id).filter(key=key).first()
    if found is None:
        raise Refused("not_found", "There is no module “%(key)s”.", key=key)
    return found


def key_called(seller_id: int, text: str) -> str:
    """The key of the module that people call `text`: by its key, or by its title in any language, in capitals or not.
    `text` itself where there is none, or where several are called so."""
    rows = list(Module.objects.filter(seller=seller_id).order_by("position", "id"))
    said = text.strip()
    if any(row.key == said for row in rows):
        return said
    called = [row.key for row in rows if said.casefold() in {t.casefold() for t in (row.title, *row.titles.values())}]
    return called[0] if len(called) == 1 else said


def public_tariffs(module: Module) -> QuerySet[Tariff]:
    """The tariffs that a module lists, in their order: those that anyone can order."""
    return Tariff.objects.filter(module=module, public=True, retired=False).order_by("position", "id")


def module_named(seller: Seller, text: str) -> Module | None:
    """The module that a tariff names, by its key; made on first use. None for an empty name. Call it in an act."""
    key = _NO_KEY.sub("-", text).strip()
    if not key:
        return None
    if key in (".", ".."):
        key = "module"
    found = Module.objects.filter(seller=seller, key=key).first()
    return found or Module.objects.create(seller=seller, key=key, title=text.strip(), position=_next(seller.modules))


def place_of(module: Module | None) -> int:
    """The place of a tariff that comes to a module: the last."""
    return _next(module.tariffs) if module is not None else 0


def _next(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


@act
def create_module(
    actor: Actor, *, seller: Seller, key: str, title: str, titles: dict[str, str] | None = None
) -> Module:
    """Make a module, the last of its seller. Raises `Refused`: `conflict` when the key is taken, `invalid`."""
    if Module.objects.filter(seller=seller, key=key).exists():
        raise Refused("conflict", "There is a module “%(key)s” already: choose another key.", key=key, field="key")
    if key != _NO_KEY.sub("-", key).strip() or key in ("", ".", ".."):
        raise Refused("invalid", "“%(key)s” is no name for other systems.", key=key, field="key")
    named = _named(title, titles)
    module = Module.objects.create(seller=seller, key=key, position=_next(seller.modules), **named)
    record(actor, "create_module", f"module:{module.pk}", {"key": key, **named})
    return module


@act
def change_module(
    actor: Actor, *, module: Module, title: str | None = None, titles: dict[str, str] | None = None
) -> Module:
    """Give a module another title, or other titles by language; what is not given stays. Raises `Refused`
    (`invalid`)."""
    module.refresh_from_db()
    before = {"title": module.title, "titles": module.titles}
    after = _named(module.title if title is None else title, module.titles if titles is None else titles)
    if after != before:
        Module.objects.filter(pk=module.pk).update(**after)
        record(actor, "change_module", f"module:{module.pk}", {"before": before, "after": after})
        module.title, module.titles = after["title"], after["titles"]
    return module


def _named(title: str, titles: dict[str, str] | None) -> dict[str, Any]:
    text = title.strip()
    if not text or len(text) > MOST:
        raise Refused("invalid", "A title has 1 to %(most)s characters.", most=MOST, field="title")
    by_language = names(titles or {})
    if any(len(one) > MOST for one in by_language.values()):
        raise Refused("invalid", "A title has 1 to %(most)s characters.", most=MOST, field="titles")
    return {"title": text, "titles": by_language}


@act
def order_modules(actor: Actor, *, seller: Seller, keys: Sequence[str]) -> None:
    """Put a seller's modules into an order. Those that are not named stand behind, as they stood.

    Raises `Refused`: `not_found` for a key that is none, `invalid` for one that is named twice.
    """
    rows = list(Module.objects.filter(seller=seller).order_by("position", "id"))
    if unknown := _unknown(rows, keys):
        raise Refused("not_found", "There is no module “%(key)s”.", key=unknown)
    if _put(rows, keys):
        record(actor, "order_modules", f"seller:{seller.pk}", {"modules": list(keys)})


@act
def order_tariffs(actor: Actor, *, module: Module, keys: Sequence[str]) -> None:
    """Put the tariffs of a module into an order. Those that are not named stand behind, as they stood.

    Raises `Refused`: `not_found` for a key of no tariff of the module, `invalid` for one that is named twice.
    """
    rows = list(Tariff.objects.filter(module=module).order_by("position", "id"))
    if unknown := _unknown(rows, keys):
        raise Refused("not_found", "The module has no tariff “%(key)s”.", key=unknown)
    if _put(rows, keys):
        record(actor, "order_tariffs", f"module:{module.pk}", {"tariffs": list(keys)})


def _unknown(rows: Sequence[Module | Tariff], keys: Sequence[str]) -> str:
    known = {row.key for row in rows}
    return next((key for key in keys if key not in known), "")


def _put(rows: list[Row], keys: Sequence[str]) -> bool:
    """Write the places of rows in a new order; whether one changed."""
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise Refused("invalid", "“%(key)s” is named twice.", key=key)
    by_key = {row.key: row for row in rows}
    ordered = [by_key[key] for key in keys] + [row for row in rows if row.key not in set(keys)]
    moved = [(place, row) for place, row in enumerate(ordered) if row.position != place]
    for place, row in moved:
        row.position = place
    if moved:
        type(rows[0]).objects.bulk_update([row for _, row in moved], ["position"])
    return ordered != rows


@act
def place_tariff(actor: Actor, *, tariff: Tariff, module: Module | None) -> None:
    """Put a tariff into a module, as its last, or out of the one in which it is."""
    tariff.refresh_from_db()
    if tariff.module == module:
        return
    before = tariff.module_key
    tariff.position, tariff.module = place_of(module), module
    tariff.save(update_fields=["module", "position"])
    after = module.key if module else ""
    record(actor, "place_tariff", f"tariff:{tariff.pk}", {"before": {"module": before}, "after": {"module": after}})


@act
def delete_module(actor: Actor, *, module: Module) -> None:
    """Delete a module without tariffs; raises `Refused` (`module_in_use`) for another."""
    if Tariff.objects.filter(module=module).exists():
        raise Refused("module_in_use", "“%(title)s” has tariffs: put them into another module first.",
                      title=module.title)  # fmt: skip
    pk = module.pk
    module.delete()
    record(actor, "delete_module", f"module:{pk}", {"key": module.key, "title": module.title})
