"""Lists in pages: each answer names the place after which the next one begins."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from pydantic import Field

from taktura.api.problems import Fault

M = TypeVar("M", bound=Model)
Limit = Annotated[int, Field(ge=1, le=500, description="how many at most")]
After = Annotated[
    str,
    Field(
        max_length=200, description="`next` of the page before", json_schema_extra={"pattern": "^[A-Za-z0-9_-]*$"}
    ),
]  # fmt: skip
LIMIT = 100


def narrowed(rows: "QuerySet[M, M]", wanted: Mapping[str, Any]) -> "QuerySet[M, M]":
    """The rows that have what is wanted, by field or lookup; None: it was not asked for."""
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def page_of(
    rows: "QuerySet[M, M]", limit: int, after: str, *, newest_first: bool = False
) -> tuple[list[M], str | None]:
    """A page of rows by id, and what the next one begins `after`; None on the last. Raises `Fault`."""
    if after:
        (place,) = places_in(after, 1)
        rows = rows.filter(pk__lt=place) if newest_first else rows.filter(pk__gt=place)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    return found[:limit], cursor(found[limit - 1].pk) if len(found) > limit else None


def cursor(*places: int) -> str:
    """A place as it is told: opaque, so that it may change its form."""
    return base64.urlsafe_b64encode(":".join(str(place) for place in places).encode()).decode().rstrip("=")


def places_in(text: str, count: int) -> tuple[int, ...]:
    """The numbers of which a place was made. Raises `Fault` for what `cursor` did not make."""
    try:
        parts = base64.urlsafe_b64decode(text.encode("ascii") + b"==").decode("ascii").split(":")
        found = tuple(int(part) for part in parts if part.isdigit() and len(part) < 19)
        if len(found) == count and cursor(*found) == text:
            return found
    except (UnicodeError, binascii.Error, ValueError):
        pass
    raise Fault("bad_cursor", code="invalid")
