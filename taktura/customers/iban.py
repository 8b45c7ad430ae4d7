"""IBANs: their form, the length in their country, and check digits (ISO 13616). Nothing is asked of a bank."""

from stdnum import iban


def normal(text: str) -> str:
    """An IBAN without spaces, in capitals."""
    return "".join(text.split()).upper()


def masked(text: str) -> str:
    """An IBAN by which its owner knows it and nobody else can use it: country, check digits and the last four signs."""
    found = normal(text)
    return f"{found[:4]} … {found[-4:]}" if found else ""


def is_valid(text: str) -> bool:
    """Whether a text is an IBAN: its form, and its check digits, those of its country's account numbers too."""
    found = normal(text)
    return found.isascii() and found.isalnum() and bool(iban.is_valid(found))
