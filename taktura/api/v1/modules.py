"""Modules: tariffs that are offered together, in an order of their own."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import In, Key, Out, Text200
from taktura.catalog import modules as services
from taktura.catalog.models import Module, Tariff

router = Router()
MOST = 1000
Keys = Annotated[list[Key], Field(max_length=MOST)]
Titles = Annotated[dict[str, Text200], Field(max_length=10, description="by language: de, sv, en")]


class ModuleIn(In):
    """A new module."""

    module: Key
    title: Annotated[Text200, Field(min_length=1)]
    titles: Titles | None = None


class ModuleChange(In):
    """Other titles; what is left out stays, `titles` are replaced as a whole."""

    title: Annotated[Text200, Field(min_length=1)] | None = None
    titles: Titles | None = None


class ModulesOrder(In):
    """The order of modules; those that are not named stand behind, as they stood."""

    modules: Keys


class TariffsOrder(In):
    """The order of a module's tariffs; those that are not named stand behind, as they stood."""

    tariffs: Keys


class ModuleOut(Out):
    """A module. It can be ordered once it has a tariff that is public and not retired."""

    module: str
    title: str
    titles: dict[str, str]
    can_be_ordered: bool
    tariffs: list[str] = Field(description="all of its tariffs, in their order")


class Modules(Out):
    """All modules, in their order."""

    items: list[ModuleOut]


def _shown(modules: list[Module]) -> list[ModuleOut]:
    rows = Tariff.objects.filter(module__in=modules).order_by("position", "id")
    tariffs: dict[int, list[str]] = {m.pk: [] for m in modules}
    for module, key in rows.values_list("module_id", "key"):
        tariffs[module or 0].append(key)
    return [
        ModuleOut(module=m.key, title=m.title, titles=m.titles, tariffs=tariffs[m.pk],
                  can_be_ordered=getattr(m, "can_be_ordered", False))
        for m in modules
    ]  # fmt: skip


def one(call: Call, module: str) -> ModuleOut:
    """The module of a key; raises `Refused` (`not_found`)."""
    return _shown([services.module_by_key(call.seller.pk, module)])[0]


def everything(call: Call) -> Modules:
    """All modules of the seller."""
    return Modules(items=_shown(list(services.modules_of(call.seller.pk))))


@endpoint(router, "GET", "/modules", "tariffs.view", answer=Modules, etag=True)
def list_modules(request: HttpRequest) -> Modules:
    """Modules, in their order."""
    return everything(call_of(request))


@endpoint(router, "POST", "/modules", "tariffs.change", answer=ModuleOut, status=201, codes=("conflict",))
def create_module(request: HttpRequest, body: ModuleIn) -> Answer:
    """A new module, the last. One that a tariff names is made by itself."""
    call = call_of(request)
    services.create_module(call.actor, seller=call.seller, key=body.module, title=body.title, titles=body.titles)
    return Answer(one(call, body.module), location("modules", body.module))


@endpoint(router, "PUT", "/modules_order", "tariffs.change", answer=Modules, of=everything)
def order_modules(request: HttpRequest, body: ModulesOrder) -> Modules:
    """Put modules into another order."""
    call = call_of(request)
    services.order_modules(call.actor, seller=call.seller, keys=body.modules)
    return everything(call)


@endpoint(router, "GET", "/modules/{module}", "tariffs.view", answer=ModuleOut, etag=True)
def get_module(request: HttpRequest, module: Key) -> ModuleOut:
    """A module."""
    return one(call_of(request), module)


@endpoint(router, "PATCH", "/modules/{module}", "tariffs.change", answer=ModuleOut, etag=True, of=one)
def change_module(request: HttpRequest, module: Key, body: ModuleChange) -> ModuleOut:
    """Give a module other titles."""
    call = call_of(request)
    found = services.module_by_key(call.seller.pk, module)
    services.change_module(call.actor, module=found, title=body.title, titles=body.titles)
    return one(call, module)


@endpoint(
    router, "DELETE", "/modules/{module}", "tariffs.change", answer=None, status=204, of=one, codes=("module_in_use",)
)  # fmt: skip
def delete_module(request: HttpRequest, module: Key) -> Answer:
    """Delete a module without tariffs."""
    call = call_of(request)
    services.delete_module(call.actor, module=services.module_by_key(call.seller.pk, module))
    return Answer(None)


@endpoint(router, "PUT", "/modules/{module}/tariffs", "tariffs.change", answer=ModuleOut, of=one)
def order_tariffs(request: HttpRequest, module: Key, body: TariffsOrder) -> ModuleOut:
    """Put the tariffs of a module into another order."""
    call = call_of(request)
    services.order_tariffs(call.actor, module=services.module_by_key(call.seller.pk, module), keys=body.tariffs)
    return one(call, module)
