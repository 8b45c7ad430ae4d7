"""Names by language in forms: one field for each language that there is, below the name that holds for all."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from taktura.kit.language import LANGUAGES
from taktura.office import show

LONGEST = 200


def add_names(form: forms.Form, name: str, label: str) -> list[str]:
    """Add a field for each language to a form (`titles_de`, …); gives their names. All may be left empty."""
    added = []
    for language in LANGUAGES:
        said = _("%(label)s in %(language)s") % {"label": label, "language": show.word("language", language)}
        form.fields[f"{name}_{language}"] = forms.CharField(label=said, max_length=LONGEST, required=False)
        added.append(f"{name}_{language}")
    return added


def names_of(values: Mapping[str, Any], name: str) -> dict[str, str]:
    """What was typed, by language; what is empty left out."""
    found = {language: str(values.get(f"{name}_{language}") or "").strip() for language in LANGUAGES}
    return {language: text for language, text in found.items() if text}


def initial_names(names: Mapping[str, str] | None, name: str) -> dict[str, str]:
    """Names by language as the form shows them."""
    return {f"{name}_{language}": (names or {}).get(language, "") for language in LANGUAGES}
