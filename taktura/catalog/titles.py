"""Titles by language: what is shown to a reader."""

from collections.abc import Mapping


def in_language(title: str, titles: Mapping[str, str] | None, language: str) -> str:
    """The title in a language; the plain one where the language has none."""
    return (titles or {}).get(language) or title
