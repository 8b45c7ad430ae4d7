"""Between what a person writes of a tariff (in the scenario format), what is stored, and the core's values."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from taktura.catalog.models import TariffLine, TariffVersion
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, Rates, TariffTerms, Tier
from taktura.core.metering import parse_tick
from taktura.core.periods import Span, parse_span
from taktura.core.terms import parse_terms
from taktura.customers.queries import rates
from taktura.kit.exact import decimal, number, to_json
from taktura.kit.language import LANGUAGES

WORDS = {
    "charge": ("once", "recurring", "usage"),
    "booking": ("included", "add_on", "on_off"),
    "when": ("advance", "arrears"),
    "package": ("proportional", "started"),
    "proration": ("daily", "none"),
    "included_proration": ("daily", "none"),
    "tier_mode": ("graduated", "volume"),
    "aggregate": ("sum", "count", "max", "last", "unique"),
    "tick_scope": ("record", "period"),
    "usage_pricing": ("tariff", "usage_quantity", "fixed_quantity", "cost_plus", "imported_price"),
}
NUMBERS = ("price", "price_quantity", "included", "reference_price", "markup")
FLAGS = ("flat_price", "in_minimum", "in_cap", "interim")
LINE_TEXTS = ("title", "alternative_name", "key", "unit", "aggregate_of", "bookable_by", "heading")
LINE_NAMES = ("titles", "alternative_names", "headings")  # by language
SHOWN = ("show", "highlight")
BOOKABLE_BY = ("staff", "customer")
LINE_FIELDS = frozenset(
    [
        *WORDS,
        *NUMBERS,
        *FLAGS,
        *LINE_TEXTS,
        *LINE_NAMES,
        *SHOWN,
        "interval",
        "price_per",
        "vat",
        "tiers",
        "discount_scale",
        "tick",
        "notice",
    ]
)
VERSION_NUMBERS = ("minimum_sales", "cost_cap", "interim_threshold", "tolerance")


def read_rates(value: Any) -> list[list[str | None]] | None:
    """A rate, or a list of {from, rate}, as it is stored: [[from or null, rate], …] in order (R13.1)."""
    if value is None:
        return None
    if not isinstance(value, list):
        return [[None, str(number(value, "vat"))]]
    found: list[list[str | None]] = []
    for entry in value:
        start = entry.get("from")
        found.append([start.isoformat() if isinstance(start, date) else start, str(number(entry["rate"], "vat"))])
    return sorted(found, key=lambda pair: pair[0] or "")


def clean_line(fields: dict[str, Any], article: str = "") -> dict[str, Any]:
    """A line's settings as stored: checked words, exact numbers as text, spans as text; defaults are left out."""
    unknown = set(fields) - LINE_FIELDS
    if unknown:
        raise Refused("invalid", "A tariff line has no field “%(field)s”.", field=sorted(unknown)[0], article=article)
    clean: dict[str, Any] = {}
    for name, value in fields.items():
        if value is not None:
            with about(name, article):
                clean[name] = to_json(_clean(name, value))
    return clean


@contextmanager
def about(field: str, article: str = "") -> Iterator[None]:
    """A refusal in here names the setting that it is about, and the line's article."""
    try:
        yield
    except Refused as refused:
        refused.values["field"] = field
        if article:
            refused.values["article"] = article
        raise


def _clean(name: str, value: Any) -> Any:
    if name in WORDS and value not in WORDS[name]:
        raise Refused(
            "invalid",
            "“%(value)s” is no value for %(field)s: write %(words)s.",
            value=value,
            field=name,
            words=", ".join(WORDS[name]),
        )
    if name == "bookable_by" and value not in BOOKABLE_BY:
        raise Refused("invalid", "A line is bookable by staff or by the customer.")
    if name in NUMBERS:
        return str(number(value, name))
    if name in ("interval", "price_per"):
        return str(parse_span(value))
    if name == "vat":
        return read_rates(value)
    if name in LINE_NAMES:
        return names(value)
    if name == "tick":
        parse_tick(value)
    elif name == "notice":
        parse_terms(value)
    elif name == "tiers":
        _tiers(value)
    elif name == "discount_scale":
        _scale(value)
    return value


def names(value: Any) -> dict[str, str]:
    """Names by language, those that are empty left out. Raises `Refused` (`invalid`) for a language that we lack."""
    for language in value:
        if language not in LANGUAGES:
            raise Refused(
                "invalid",
                "“%(value)s” is no language of titles: write %(languages)s.",
                value=language,
                languages=", ".join(LANGUAGES),
            )
    return {language: str(text) for language, text in value.items() if text}


def line_terms(article: str, position: int, title: str, terms: dict[str, Any], version: TariffVersion) -> LineTerms:
    """The core's value of a stored line; where it has no interval or tick, its version's holds."""
    interval: Span = version.interval
    scope = terms.get("tick_scope") or version.tick_scope
    own = parse_span(terms["interval"]) if "interval" in terms else interval
    if terms.get("charge") == "usage":
        own = interval
    words: dict[str, Any] = {name: terms[name] for name in WORDS if name in terms}
    words |= {"tick_scope": scope} if scope else {}
    translated = (terms.get("titles") or {}) if not terms.get("alternative_name") else {}
    numbers: dict[str, Any] = {name: decimal(terms[name]) for name in NUMBERS if name in terms}
    flags: dict[str, Any] = {name: bool(terms[name]) for name in FLAGS if name in terms}
    return LineTerms(
        article=article,
        title=title,
        titles=tuple(sorted((translated | (terms.get("alternative_names") or {})).items())),
        position=position,
        interval=own,
        price_per=parse_span(terms["price_per"]) if "price_per" in terms else own,
        vat=rates(terms.get("vat")),
        tick=parse_tick(terms.get("tick") or version.tick or "minute"),
        tiers=_tiers(terms.get("tiers", ())),
        discount_scale=_scale(terms.get("discount_scale", ())),
        unit=terms.get("unit", "piece"),
        aggregate_of=terms.get("aggregate_of", ""),
        **words,
        **numbers,
        **flags,
    )


def _tiers(rows: Iterable[dict[str, Any]]) -> tuple[Tier, ...]:
    return tuple(Tier(**{k: number(v, k) for k, v in row.items() if v is not None}) for row in rows)


def _scale(rows: Iterable[dict[str, Any]]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((number(row["above"], "above"), number(row["percent"], "percent")) for row in rows)


def version_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The columns of a version from what a person writes."""
    clean: dict[str, Any] = {
        "title": str(fields.get("title") or fields.get("key") or ""),
        "credit_on_end": fields.get("credit_on_end", True) not in (False, "no"),
        "anchor": str(fields.get("anchor") or "contract"),
        "tick_scope": str(fields.get("tick_scope") or ""),
    }
    reading: dict[str, Callable[[], Any]] = {
        "interval": lambda: parse_span(fields.get("interval") or "1 month"),
        "vat": lambda: read_rates(fields.get("vat")),
        "titles": lambda: names(fields.get("titles") or {}),
        "trial": lambda: parse_span(fields["trial"]) if fields.get("trial") else None,
        "tick": lambda: _tick_text(fields.get("tick")),
        "notice": lambda: _notice(fields.get("notice")),
    }
    for name in VERSION_NUMBERS:
        if fields.get(name) is not None:
            reading[name] = partial(number, fields[name], name)
    for name, read in reading.items():
        with about(name):
            clean[name] = read()
    for name in ("minimum_proration", "cap_proration"):
        if fields.get(name) is not None:
            if fields[name] not in ("daily", "none"):
                raise Refused("invalid", "%(field)s is daily or none.", field=name)
            clean[name] = fields[name]
    if clean["tick_scope"] not in ("", *WORDS["tick_scope"]):
        raise Refused("invalid", "A tick rounds each record or the period: write record or period.", field="tick_scope")
    return clean


def _tick_text(tick: Any) -> str:
    if tick:
        parse_tick(tick)
    return str(tick or "")


def _notice(notice: Any) -> Any:
    parse_terms(notice or "none")
    return to_json(notice or "none")


def tariff_terms(version: TariffVersion) -> TariffTerms:
    """The core's value of a version."""
    vat: Rates | None = rates(version.vat)
    return TariffTerms(
        interval=version.interval,
        vat=vat,
        minimum=version.minimum_sales,
        cap=version.cost_cap,
        minimum_proration=version.minimum_proration,
        cap_proration=version.cap_proration,
        interim_threshold=version.interim_threshold,
        credit_on_end=version.credit_on_end,
        tolerance=version.tolerance or Decimal(0),
    )


def terms_of(line: TariffLine) -> LineTerms:
    """The core's value of a stored tariff line (its version and article must be loaded)."""
    title = line.alternative_name or line.title or line.article.title or line.article.key
    return line_terms(line.article.key, line.position, title, line.terms, line.version)
