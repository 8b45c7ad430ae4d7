"""The language of documents and mails where nobody has said one."""

LANGUAGES = {
    "DE": "de", "AT": "de", "CH": "de", "LI": "de", "SE": "sv", "GB": "en", "IE": "en", "US": "en", "CA": "en",
    "AU": "en", "NZ": "en", "MT": "en",
}  # fmt: skip


def language_of(*countries: str) -> str:
    """The language of the first of these countries of which we speak one; English where we speak none.

    Of a customer: its own country, then the seller's, whose language its people are used to.
    """
    return next((LANGUAGES[c] for c in countries if c in LANGUAGES), "en")
