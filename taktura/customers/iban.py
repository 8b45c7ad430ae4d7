"""IBANs: their form and check digits (ISO 13616). Nothing is asked of a bank."""

import re

_FORM = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_LENGTHS = {"DE": 22, "SE": 24, "AT": 20, "CH": 21, "DK": 18, "NO": 15, "FI": 18, "NL": 18, "GB": 22, "FR": 27}


def normal(text: str) -> str:
    """An IBAN without spaces, in capitals."""
    return "".join(text.split()).upper()


def is_valid(text: str) -> bool:
    """Whether a text is an IBAN: its form, for some countries its length, and its check digits."""
    iban = normal(text)
    if not _FORM.fullmatch(iban) or len(iban) != _LENGTHS.get(iban[:2], len(iban)):
        return False
    digits = "".join(str(int(c, 36)) for c in iban[4:] + iban[:4])
    return int(digits) % 97 == 1
