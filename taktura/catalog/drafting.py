"""A tariff that nobody has, from what a person writes of it: what-if rates usage by it."""

from dataclasses import dataclass
from typing import Any

from taktura.catalog.services import TARIFF_FIELDS, offer_of
from taktura.core import what_if as core
from taktura.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Draft:
    """A tariff that nobody has: its title, its currency, and what it says as the core has it."""

    title: str
    currency: str
    tariff: core.Draft


def read_draft(fields: dict[str, Any], currency: str) -> Draft:
    """What the fields of a tariff (in the scenario format) say; `currency` holds where they name none.

    Raises `Refused` as `define_tariff` does; `invalid` where it has several versions: what-if looks at one.
    """
    unknown = set(fields) - TARIFF_FIELDS
    if unknown:
        raise Refused("invalid", "A tariff has no field “%(field)s”.", field=sorted(unknown)[0])
    if fields.get("versions"):
        raise Refused("invalid", "What-if looks at one version of a tariff: leave the later ones out.")
    offer = offer_of(fields)
    keys = {line["key"]: article for article, line in offer.lines.items() if line.get("key")}
    tariff = core.Draft(
        anchor=offer.version.anchor, terms=offer.tariff_terms, lines=tuple(offer.terms.values()), keys=keys
    )
    return Draft(offer.version.title, fields.get("currency") or currency, tariff)
