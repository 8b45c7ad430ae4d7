"""Between a line as a draft keeps it and the fields of its form."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.catalog.editing import same
from taktura.catalog.terms import read_rates
from taktura.core.errors import Refused
from taktura.core.periods import Span
from taktura.core.terms import parse_terms
from taktura.office.by_language import initial_names
from taktura.office.tariffs.drafts.initial import OWN, number_of, own_notice_of, span_of

NEW, TARIFFS = "+", ""
NOTICES = ("none", "monthly", "yearly")
UNITS_KNOWN = ("piece", "minute")
# What a setting means where nothing is written of it.
DEFAULTS: dict[str, Any] = {
    "charge": "recurring", "booking": "included", "bookable_by": "customer", "when": "advance",
    "package": "proportional", "proration": "daily", "included_proration": "none", "tier_mode": "graduated",
    "aggregate": "sum", "unit": "piece", "usage_pricing": "tariff", "interim": True, "show": True,
}  # fmt: skip
# The field at which an error of a setting stands, where it has another name.
PLACES = {
    "interval": "interval_count", "price_per": "price_per_count", "vat": "rate_0_rate", "tiers": "tier_0_up_to",
    "discount_scale": "step_0_above", "titles": "titles_en",
}  # fmt: skip
ALWAYS: tuple[str, ...] = (
    "title", "key", "alternative_name", "charge", "booking", "bookable_by", "price", "price_quantity", "package",
    "in_minimum", "in_cap", "show", "highlight", "heading",
)  # fmt: skip
OF_USAGE: tuple[str, ...] = (
    "included", "included_proration", "aggregate", "aggregate_of", "flat_price", "reference_price", "interim",
    "usage_pricing", "markup", "tick_scope",
)  # fmt: skip
OF_RECURRING: tuple[str, ...] = ("included", "when", "proration")
PLAIN: dict[str, tuple[str, ...]] = {"usage": OF_USAGE, "recurring": OF_RECURRING, "once": ()}


def line_of(
    data: Mapping[str, Any], words: Mapping[str, dict[str, str]], rows: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """The settings of a line from what was typed (cleaned): those that apply to its charge, without defaults."""
    charge = str(data.get("charge") or "recurring")
    found: dict[str, Any] = {name: data.get(name) for name in (*ALWAYS, *PLAIN[charge])}
    found |= {name: data.get(name) not in (False,) for name in ("interim", "show") if name in found}
    found |= words
    found["unit"] = data.get("unit_own") if data.get("unit") == OWN else data.get("unit")
    found["tiers"] = _tiers(rows["tier"])
    found["tier_mode"] = data.get("tier_mode") if found["tiers"] else None
    found["discount_scale"] = [{"above": 0, "percent": 0} | row for row in rows["step"]]
    found["vat"] = _rates(rows["rate"])
    if charge == "usage":
        found["tick"] = _tick(data)
    else:
        found["notice"] = _notice(data)
    if charge == "recurring":
        found |= {"interval": _span(data, "interval"), "price_per": _span(data, "price_per")}
    if not found.get("flat_price"):
        found.pop("reference_price", None)
    if found.get("aggregate") != "unique":
        found.pop("aggregate_of", None)
    if found.get("usage_pricing") != "cost_plus":
        found.pop("markup", None)
    return {n: v for n, v in found.items() if n == "charge" or _says_more(n, v)}


def _says_more(name: str, value: Any) -> bool:
    """Whether a value is written: it is not empty, and not what is meant anyway."""
    if name in DEFAULTS:
        return value not in (None, "", DEFAULTS[name])
    return value not in (None, "", {}, []) and value is not False


def _tiers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{n: v for n, v in row.items() if v is not None} for row in rows]


def _rates(rows: list[dict[str, Any]]) -> Any:
    if len(rows) == 1 and "from" not in rows[0]:
        return rows[0].get("rate")
    return [
        ({"from": row["from"].isoformat()} if "from" in row else {}) | {"rate": row.get("rate", Decimal(0))}
        for row in rows
    ]


def _span(data: Mapping[str, Any], name: str) -> str | None:
    count = data.get(f"{name}_count")
    return str(Span(count, data.get(f"{name}_unit") or "month")) if count else None


def _tick(data: Mapping[str, Any]) -> str | None:
    if data.get("tick") != OWN:
        return data.get("tick") or None
    first, step = data.get("tick_first"), data.get("tick_step")
    return f"{first}/{step}" if first and step else None


def _notice(data: Mapping[str, Any]) -> Any:
    if data.get("notice") != OWN:
        return data.get("notice") or None
    terms = {
        "initial_term": _span(data, "initial"), "notice": _span(data, "notice"), "to": data.get("notice_to"),
        "renewal_term": _span(data, "renewal") if data.get("renewal") == "span" else data.get("renewal"),
    }  # fmt: skip
    return {name: value for name, value in terms.items() if value}


def initial_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the form's fields from a line of a draft, complete or not."""
    said = {**DEFAULTS, **{n: v for n, v in line.items() if v not in (None, "", [], {})}}
    plain = (*ALWAYS, *OF_USAGE, *OF_RECURRING, "tier_mode")
    found: dict[str, Any] = {name: said.get(name) for name in plain}
    for name in ("price", "price_quantity", "reference_price", "included", "markup"):
        found[name] = number_of(said.get(name))
    for name, field in (("titles", "titles"), ("alternative_names", "alternative_names"), ("headings", "headings")):
        found |= initial_names(said.get(name) or {}, field)
    unit = str(said["unit"])
    found |= {"unit": unit} if unit in UNITS_KNOWN else {"unit": OWN, "unit_own": unit}
    tick, slash, step = str(said.get("tick") or TARIFFS).partition("/")
    found |= {"tick": OWN, "tick_first": tick, "tick_step": step} if slash else {"tick": tick}
    found |= span_of("interval", said.get("interval")) | span_of("price_per", said.get("price_per"))
    found |= _initial_notice(said.get("notice"))
    for kind, name in (("tier", "tiers"), ("step", "discount_scale")):
        for i, row in enumerate(said.get(name) or ()):
            found |= {f"{kind}_{i}_{n}": number_of(v) for n, v in row.items()}
            found.setdefault(f"{kind}_{i}_{'flat' if kind == 'tier' else 'percent'}", None)
    return found | _initial_rates(said.get("vat"))


def kept(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A line as it is after; what says the same as before stays as it was written ("2.50", not "2.5")."""
    return {name: before[name] if name in before and same(before[name], v) else v for name, v in after.items()}


def _initial_notice(value: Any) -> dict[str, Any]:
    if not value or isinstance(value, str) and value in NOTICES:
        return {"notice": value or TARIFFS}
    try:
        terms = parse_terms(value)
    except Refused:
        return {"notice": OWN}
    return own_notice_of(terms, value.get("to") or "")


def _initial_rates(value: Any) -> dict[str, Any]:
    try:
        rates = read_rates(value) or []
    except (Refused, TypeError, KeyError, AttributeError):
        return {"rate_0_rate": value}
    found: dict[str, Any] = {}
    for i, (start, rate) in enumerate(rates):
        found[f"rate_{i}_from"] = date.fromisoformat(str(start)) if start else None
        found[f"rate_{i}_rate"] = number_of(rate)
    return found
