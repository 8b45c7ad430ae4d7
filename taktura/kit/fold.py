"""A text as it is searched and sorted: without case and marks."""

import unicodedata
from typing import Any

from django.db.models import QuerySet

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d"})


def fold(text: str) -> str:
    """Lower case, without marks on letters, one space between words: "Öztürk  GmbH" is "ozturk gmbh"."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def matching(rows: QuerySet[Any], text: str, *fields: str) -> QuerySet[Any]:
    """The rows of which some field holds each word of a text, without regard to case and marks.

    All of them are read: only for tables that people fill by hand, such as tariffs.
    """
    words = fold(text).split()
    found = {
        pk for pk, *values in rows.order_by().values_list("pk", *fields)
        if all(any(word in one for one in map(fold, filter(None, values))) for word in words)
    }  # fmt: skip
    return rows.filter(pk__in=found)
