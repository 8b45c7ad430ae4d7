"""VAT ids of EU states: their form, and check digits where the state publishes them. No question to anybody."""

import re
from collections.abc import Callable

_FORMS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"[1-9]\d{8}",
    "DK": r"\d{8}",
    "EE": r"10\d{7}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{10}01",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
EU = frozenset({c for c in _FORMS if c != "EL"} | {"GR"})


def country_of(vat_id: str) -> str:
    """The state of a VAT id (Greece prints EL)."""
    prefix = normal(vat_id)[:2]
    return "GR" if prefix == "EL" else prefix


def normal(vat_id: str) -> str:
    """A VAT id in capitals, without spaces, dots and hyphens."""
    return re.sub(r"[\s.\-]", "", vat_id).upper()


def is_valid(vat_id: str) -> bool:
    """Whether a VAT id has its state's form, and its check digit where we know the rule (AT, DE, SE, DK, FI)."""
    text = normal(vat_id)
    form = _FORMS.get(text[:2])
    if form is None or not re.fullmatch(form, text[2:]):
        return False
    check = _CHECKS.get(text[:2])
    return check is None or check(text[2:])


def _austria(body: str) -> bool:
    digits = [int(c) for c in body[1:]]
    total = sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits[:7]))
    return (10 - (total + 4) % 10) % 10 == digits[7]


def _germany(body: str) -> bool:
    product = 10
    for digit in body[:8]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(body[8])


def _sweden(body: str) -> bool:
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(body[:9]))
    return (10 - total % 10) % 10 == int(body[9])


_CHECKS: dict[str, Callable[[str], bool]] = {
    "AT": _austria,
    "DE": _germany,
    "SE": _sweden,
    "DK": lambda body: sum(w * int(d) for w, d in zip((2, 7, 6, 5, 4, 3, 2, 1), body, strict=True)) % 11 == 0,
    "FI": lambda body: sum(w * int(d) for w, d in zip((7, 9, 10, 5, 8, 4, 2, 1), body, strict=True)) % 11 == 0,
}
