"""Postcodes, where the house knows what they look like."""

import re

from taktura.core.errors import Refused

PATTERNS = {"DE": re.compile(r"[0-9]{5}"), "SE": re.compile(r"[0-9]{3} ?[0-9]{2}")}


def check_postcode(country: str, postcode: str) -> None:
    """Refuse (`invalid`) a postcode that its country does not have. None at all is said by what is missing."""
    pattern, text = PATTERNS.get(country), postcode.strip()
    if pattern is None or not text or pattern.fullmatch(text):
        return
    if country == "SE":
        raise Refused(
            "invalid", "“%(value)s” is no postcode in Sweden: write its five digits, as in 123 45.", value=text,
            field="postcode",
        )  # fmt: skip
    raise Refused(
        "invalid", "“%(value)s” is no postcode in Germany: write its five digits, also a 0 in front.", value=text,
        field="postcode",
    )  # fmt: skip
