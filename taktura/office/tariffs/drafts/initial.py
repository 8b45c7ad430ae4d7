"""From what a draft keeps to what fields of its forms show, of a tariff and of a line alike."""

from decimal import Decimal
from typing import Any

from taktura.core.errors import Refused
from taktura.core.periods import Span, parse_span
from taktura.core.terms import Terms

OWN = "own"


def number_of(value: Any) -> Any:
    """A number, or what was written where it is none."""
    try:
        return None if value is None else Decimal(str(value))
    except ArithmeticError:
        return value


def span_of(name: str, value: Any) -> dict[str, Any]:
    """The two fields of a length of time; none where nothing is written."""
    try:
        span = value if isinstance(value, Span) else parse_span(value) if value else None
    except Refused:
        return {f"{name}_count": value}
    return {f"{name}_count": span.count, f"{name}_unit": span.unit} if span else {}


def own_notice_of(terms: Terms, to: str) -> dict[str, Any]:
    """The fields of free terms of notice. `to`: what is written of it, which may be nothing."""
    renewal = "span" if isinstance(terms.renewal_term, Span) else terms.renewal_term or ""
    found: dict[str, Any] = {"notice": OWN, "renewal": renewal, "notice_to": to}
    for name, span in (("initial", terms.initial_term), ("notice", terms.notice), ("renewal", terms.renewal_term)):
        found |= span_of(name, span if isinstance(span, Span) else None)
    return found
