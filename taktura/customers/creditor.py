"""Creditor identifiers of SEPA direct debit (AT-02): their form and check digits. Nothing is asked of a bank."""

import re

from stdnum.eu import at_02

_FORM = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_GERMAN = 18  # signs


def normal(text: str) -> str:
    """A creditor identifier without spaces, in capitals."""
    return "".join(text.split()).upper()


def is_valid(text: str) -> bool:
    """Whether a text is a creditor identifier; the three signs of the business code do not count for the check."""
    found = normal(text)
    if not _FORM.fullmatch(found) or (found.startswith("DE") and len(found) != _GERMAN):
        return False
    return bool(at_02.is_valid(found))
