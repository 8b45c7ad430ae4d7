"""The settings of a tariff as they are shown: part by part, each with what it says and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taktura.catalog.editing import UNWRITTEN
from taktura.catalog.models import Module
from taktura.office import history
from taktura.office.tariffs.drafts import words
from taktura.office.tariffs.drafts.says import PARTS, Says
from taktura.office.templatetags.office import titled

ALWAYS = {"title", "public", "currency", "interval", "anchor", "notice", "tick", "credit_on_end"}


@dataclass(frozen=True, slots=True)
class Part:
    """Settings that belong together: their names and what they say, and the sentences of what they come to."""

    name: str
    settings: list[tuple[str, str]]
    says: Says


def parts_of(fields: Mapping[str, Any], currency: str, says: Mapping[str, Says]) -> list[Part]:
    """The settings of a draft's fields by part; what is not set is left out, unless something holds all the same."""
    found = []
    for part, names in PARTS.items():
        rows = [
            (history.field(name), words.setting(name, _value(fields, name), currency))
            for name in names
            if name in ALWAYS or fields.get(name) not in (None, "", [], {}) and _matters(fields, name)
        ]
        if rows:
            found.append(Part(part, rows, says[part]))
    return found


def called(fields: Mapping[str, Any], seller_id: int) -> dict[str, Any]:
    """Fields with the module by the title that the reader knows it by; a module that is not made yet by its key."""
    module = Module.objects.filter(seller=seller_id, key=fields.get("module") or "").first()
    return {**fields, "module": titled(module)} if module else dict(fields)


def _value(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name)
    return UNWRITTEN.get(name) if value in (None, "", [], {}) else value


def _matters(fields: Mapping[str, Any], name: str) -> bool:
    """How a minimum or a cap is counted in part of a period matters only where there is one."""
    owner = {"minimum_proration": "minimum_sales", "cap_proration": "cost_cap"}.get(name)
    if name == "tolerance":
        return str(fields.get(name)) not in ("0", "0.0")
    return owner is None or fields.get(owner) is not None
