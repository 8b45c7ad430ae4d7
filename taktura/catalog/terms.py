"""Between what a person writes of a tariff (in the scenario format), what is stored, and the core's values."""

from datetime import date
from decimal import Decimal
from typing import Any

from taktura.catalog.models import TariffLine, TariffVersion
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, Rates, TariffTerms, Tier
from taktura.core.metering import parse_tick
from taktura.core.periods import Span, parse_span
from taktura.customers.queries import rates
from taktura.kit.exact import decimal, number, to_json

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
SHOWN = ("show", "highlight")
LINE_FIELDS = frozenset(
    [
        *WORDS,
        *NUMBERS,
        *FLAGS,
        *LINE_TEXTS,
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


def clean_line(fields: dict[str, Any], tariff: dict[str, Any]) -> dict[str, Any]:
    """A line's settings as stored: checked words, exact numbers as text, spans as text; defaults are left out."""
    unknown = set(fields) - LINE_FIELDS
    if unknown:
        raise Refused("invalid", "A tariff line has no field “%(field)s”.", field=sorted(unknown)[0])
    clean: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name in WORDS and value not in WORDS[name]:
            raise Refused(
                "invalid",
                "“%(value)s” is no value for %(field)s: write %(words)s.",
                value=value,
                field=name,
                words=", ".join(WORDS[name]),
            )
        if name in NUMBERS:
            value = str(number(value, name))
        elif name in ("interval", "price_per"):
            value = str(parse_span(value))
        elif name == "vat":
            value = read_rates(value)
        clean[name] = to_json(value)
    for name in ("tick", "tick_scope"):
        if tariff.get(name) is not None:
            clean.setdefault(name, tariff[name])
    return clean


def line_terms(article: str, position: int, title: str, terms: dict[str, Any], interval: Span) -> LineTerms:
    """The core's value of a stored line; `interval` is the tariff's, which holds where the line has none."""
    own = parse_span(terms["interval"]) if "interval" in terms else interval
    if terms.get("charge") == "usage":
        own = interval
    words: dict[str, Any] = {name: terms[name] for name in WORDS if name in terms}
    numbers: dict[str, Any] = {name: decimal(terms[name]) for name in NUMBERS if name in terms}
    flags: dict[str, Any] = {name: bool(terms[name]) for name in FLAGS if name in terms}
    return LineTerms(
        article=article,
        title=title,
        position=position,
        interval=own,
        price_per=parse_span(terms["price_per"]) if "price_per" in terms else own,
        vat=rates(terms.get("vat")),
        tick=parse_tick(terms.get("tick", "minute")),
        tiers=tuple(_tier(t) for t in terms.get("tiers", ())),
        discount_scale=tuple(
            (number(s["above"], "above"), number(s["percent"], "percent")) for s in terms.get("discount_scale", ())
        ),
        unit=terms.get("unit", "piece"),
        aggregate_of=terms.get("aggregate_of", ""),
        **words,
        **numbers,
        **flags,
    )


def _tier(fields: dict[str, Any]) -> Tier:
    return Tier(**{k: number(v, k) for k, v in fields.items() if v is not None})


def version_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The columns of a version from what a person writes."""
    clean: dict[str, Any] = {
        "title": str(fields.get("title") or fields.get("key") or ""),
        "interval": parse_span(fields.get("interval", "1 month")),
        "vat": read_rates(fields.get("vat")),
        "credit_on_end": fields.get("credit_on_end", True) not in (False, "no"),
    }
    for name in VERSION_NUMBERS:
        if fields.get(name) is not None:
            clean[name] = number(fields[name], name)
    for name in ("minimum_proration", "cap_proration"):
        if fields.get(name) is not None:
            if fields[name] not in ("daily", "none"):
                raise Refused("invalid", "%(field)s is daily or none.", field=name)
            clean[name] = fields[name]
    return clean


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
    return line_terms(line.article.key, line.position, title, line.terms, line.version.interval)
