"""Sentences in a reader's language. A message is its English sentence with named places (`%(name)s`), which the
catalogs in `taktura/locale` translate; `python -m tools.messages` keeps them.
"""

import gettext
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from taktura.core.errors import Refused

LANGUAGES = ("en", "de", "sv")
LOCALE = Path(__file__).resolve().parent.parent / "locale"
DOMAIN = "django"
# Places filled with words that are messages themselves, one or several with commas between; and those words.
WORD_PLACES = frozenset({"word", "fields"})
WORDS = ("minimum sales", "cost cap", "name", "street", "postcode", "city", "country", "vat_id")


def text_of(refused: Refused, language: str) -> str:
    """A refusal's sentence in a language (`de`, `sv`, else English), as it is shown."""
    return translate(refused.text, refused.values, language)


def translate(message: str, values: Mapping[str, object], language: str) -> str:
    """A message in a language, its places filled; in English where no catalog has it.

    Raises `KeyError` for a place without a value. Values are shown as they are: numbers and days are not formatted.
    """
    catalog = _catalog(language if language in LANGUAGES else "en")
    text = catalog.gettext(message) if message else ""
    if not values:
        return text
    return text % {name: _words(value, catalog) if name in WORD_PLACES else value for name, value in values.items()}


def _words(value: object, catalog: gettext.NullTranslations) -> str:
    return ", ".join(catalog.gettext(word) if word in WORDS else word for word in str(value).split(", "))


@lru_cache(maxsize=len(LANGUAGES))
def _catalog(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)
