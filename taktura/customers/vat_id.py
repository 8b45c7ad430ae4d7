"""VAT ids of EU states: their form and check digits. No question to anybody."""

import re

from stdnum.eu import vat

# Northern Ireland (XI) is no state of the European Union, and Greece writes EL.
_PREFIXES = frozenset({code.upper() for code in vat.MEMBER_STATES} - {"XI", "GR"} | {"EL"})
_FORM = re.compile(r"[A-Z]{2}[A-Z0-9+*]+")
EU = frozenset(_PREFIXES - {"EL"} | {"GR"})


def country_of(vat_id: str) -> str:
    """The state of a VAT id (Greece prints EL)."""
    prefix = normal(vat_id)[:2]
    return "GR" if prefix == "EL" else prefix


def normal(vat_id: str) -> str:
    """A VAT id in capitals, without spaces, dots and hyphens."""
    return re.sub(r"[\s.\-]", "", vat_id).upper()


def is_valid(vat_id: str) -> bool:
    """Whether a VAT id has its state's form and check digits."""
    text = normal(vat_id)
    return bool(_FORM.fullmatch(text) and text[:2] in _PREFIXES and vat.is_valid(text))
