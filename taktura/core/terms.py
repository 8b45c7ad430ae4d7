"""Terms of contracts and notice, to the day (R15). An end is an exclusive date."""

from dataclasses import dataclass
from datetime import date, timedelta

from taktura.core.errors import Refused
from taktura.core.periods import DAY, Span, add, parse_span

OPEN = "open"
MONTH = Span(1, "month")
YEAR = Span(1, "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a contract can end: `renewal_term` is a span, `open`, or none (ends with the initial term)."""

    initial_term: Span | None = None
    renewal_term: Span | str | None = None
    notice: Span | None = None
    to: str = "day"  # day | month_end | term_end


PRESETS = {
    "none": Terms(),
    "monthly": Terms(notice=MONTH, to="month_end"),
    "yearly": Terms(initial_term=YEAR, renewal_term=YEAR, notice=Span(3, "month"), to="term_end"),
}


def parse_terms(value: object) -> Terms:
    """Read a preset's name or a mapping of `initial_term renewal_term notice to` (R15.2, R15.3)."""
    if isinstance(value, str):
        if value not in PRESETS:
            raise Refused(
                "invalid",
                "“%(value)s” is no kind of notice: write none, monthly, yearly or terms of your own.",
                value=value,
            )
        return PRESETS[value]
    if not isinstance(value, dict):
        raise Refused("invalid", "Notice is none, monthly, yearly or a set of terms.")
    spans = {k: parse_span(value[k]) for k in ("initial_term", "notice") if value.get(k)}
    renewal = value.get("renewal_term")
    to = value.get("to") or ("term_end" if "initial_term" in spans else "day")
    if to not in ("day", "month_end", "term_end"):
        raise Refused("invalid", "“%(to)s” is no end for a notice: write day, month_end or term_end.", to=to)
    if to == "term_end" and "initial_term" not in spans:
        raise Refused("invalid", "Notice to the end of the term needs an initial term.")
    parsed = OPEN if renewal == OPEN else parse_span(renewal) if renewal else None
    return Terms(initial_term=spans.get("initial_term"), notice=spans.get("notice"), renewal_term=parsed, to=to)


def fixed_end(terms: Terms, start: date) -> date | None:
    """The end that stands from the beginning: a term without renewal ends with itself (R15.3)."""
    if terms.initial_term and terms.renewal_term is None:
        return add(start, terms.initial_term)
    return None


def earliest_end(
    terms: Terms, start: date, received: date, *, consumer: bool = False, wish: date | None = None
) -> date:
    """The first permitted end for notice received on a day (R15.1), not before the wished last day (R15.3).

    `consumer`: German consumer law holds (R15.4): at most one month of notice, any day after the first term.
    """
    earliest = _after_notice(terms, received, consumer)
    earliest = max(earliest, start, wish + DAY if wish else start)
    if not terms.initial_term:
        return _month_end(earliest) if terms.to == "month_end" else earliest
    first = add(start, terms.initial_term)
    if earliest <= first:
        return first if terms.to != "month_end" or consumer else _month_end(first)
    if consumer or terms.to == "day" or (terms.to == "term_end" and terms.renewal_term == OPEN):
        return earliest
    if terms.to == "month_end":
        return _month_end(earliest)
    if not isinstance(terms.renewal_term, Span):
        return first
    return _renewed(terms.initial_term, terms.renewal_term, start, earliest)


def notice_deadline(terms: Terms, start: date, today: date, *, consumer: bool = False) -> date:
    """The last day of receipt for the earliest end that is still in reach on `today`."""
    end = earliest_end(terms, start, today, consumer=consumer)
    low, high = today, max(end, today)
    while low < high:
        middle = low + timedelta(days=((high - low).days + 1) // 2)
        if earliest_end(terms, start, middle, consumer=consumer) <= end:
            low = middle
        else:
            high = middle - DAY
    return low


def _after_notice(terms: Terms, received: date, consumer: bool) -> date:
    end = add(received, terms.notice) if terms.notice else received
    if consumer and terms.notice:
        end = min(end, add(received, MONTH))
    return end + DAY


def _month_end(day: date) -> date:
    """The first month boundary (an exclusive end) on or after `day`."""
    return day if day.day == 1 else add(day.replace(day=1), MONTH)


def _renewed(initial: Span, renewal: Span, start: date, earliest: date) -> date:
    """The first end of a renewed term on or after `earliest`, counted from the start where both are months."""
    k = 0
    if initial.months and renewal.months:
        k = max(
            0, ((earliest.year - start.year) * 12 + earliest.month - start.month - initial.months) // renewal.months - 1
        )
    else:
        k = max(0, (earliest - add(start, initial)).days // (renewal.days or renewal.months * 31) - 1)
    while True:
        if initial.months and renewal.months:
            end = add(start, Span(initial.months + k * renewal.months, "month"))
        else:
            end = add(add(start, initial), renewal, k)
        if end >= earliest:
            return end
        k += 1
