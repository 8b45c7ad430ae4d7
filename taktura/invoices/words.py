"""Words that stand on documents, in the recipient's language."""

LANGUAGES = ("en", "de", "sv")

LINE_TITLES = {
    "minimum_sales": {"en": "Minimum sales", "de": "Mindestumsatz", "sv": "Minimiförsäljning"},
    "cost_cap": {"en": "Cost cap", "de": "Kostendeckel", "sv": "Kostnadstak"},
    "time": {"en": "Time", "de": "Zeiterfassung", "sv": "Tid"},
}


def title_of(kind: str, language: str) -> str:
    """The title of a line that has none of its own."""
    words = LINE_TITLES.get(kind, {})
    return words.get(language, words.get("en", kind))
