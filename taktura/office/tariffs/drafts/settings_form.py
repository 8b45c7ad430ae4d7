"""The settings of a tariff as a form: how each is typed, and what is written of it in a draft."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.catalog.editing import UNWRITTEN, alike
from taktura.catalog.models import TariffDraft
from taktura.catalog.services import APPROVALS
from taktura.catalog.terms import read_rates
from taktura.core.errors import Refused
from taktura.core.periods import UNITS, Span
from taktura.core.terms import OPEN, parse_terms
from taktura.kit.exact import to_json
from taktura.kit.language import LANGUAGES
from taktura.office import show
from taktura.office.forms import CurrencyField, DayField, ExactNumberField
from taktura.office.tariffs.drafts.initial import OWN, number_of, own_notice_of, span_of

NEW_MODULE = "+"
LONGEST = 9999  # of an interval or term, in its unit
MOST_RATES = 50
PRESETS = ("none", "monthly", "yearly")
# The fields of the form for a setting, the one first at which an error stands.
FIELDS_OF: dict[str, tuple[str, ...]] = {
    "titles": tuple(f"title_{language}" for language in LANGUAGES),
    "module": ("module", "new_module"),
    "interval": ("interval_count", "interval_unit"),
    "anchor": ("anchor", "anchor_day"),
    "trial": ("trial_count", "trial_unit"),
    "notice": (
        "notice", "initial_count", "initial_unit", "renewal", "renewal_count", "renewal_unit", "notice_count",
        "notice_unit", "notice_to",
    ),
    "tick": ("tick", "tick_first", "tick_step"),
}  # fmt: skip


def _length(label: Any = "") -> tuple[forms.IntegerField, forms.ChoiceField]:
    count = forms.IntegerField(label=label, min_value=1, max_value=LONGEST, required=False)
    return count, forms.ChoiceField(label=lazy("Unit of time"), required=False, initial="month")


class SettingsForm(forms.Form):
    """Every setting of a tariff. `settings()` are those that say something else than the draft does."""

    says_what_is_missing = True  # only the title and the interval are needed

    title = forms.CharField(label=lazy("Title"), max_length=200, help_text=lazy("Stands on documents and price lists."))
    module = forms.ChoiceField(label=lazy("Module"), required=False)
    new_module = forms.SlugField(label=lazy("Name of the new module"), max_length=100, required=False)
    public = forms.BooleanField(label=lazy("Public"), required=False)
    order_approval = forms.ChoiceField(
        label=lazy("Orders are approved by staff"),
        required=False,
        help_text=lazy("Orders from the order page and from other systems."),
    )
    currency = CurrencyField(label=lazy("Currency"))
    interval_count, interval_unit = _length(lazy("Billing interval"))
    anchor = forms.ChoiceField(label=lazy("Periods begin"))
    anchor_day = forms.IntegerField(label=lazy("Day of the month"), min_value=1, max_value=31, required=False)
    trial_count, trial_unit = _length(lazy("Trial"))
    credit_on_end = forms.BooleanField(label=lazy("Credit what was paid beyond the end"), required=False)
    notice = forms.ChoiceField(label=lazy("Notice"))
    initial_count, initial_unit = _length(lazy("First term"))
    renewal = forms.ChoiceField(label=lazy("After the first term"), required=False)
    renewal_count, renewal_unit = _length(lazy("Renewed by"))
    notice_count, notice_unit = _length(lazy("Time of notice"))
    notice_to = forms.ChoiceField(label=lazy("It ends"), required=False)
    minimum_sales = ExactNumberField(label=lazy("Minimum sales"), required=False)
    minimum_proration = forms.ChoiceField(label=lazy("Minimum sales in part of a period"))
    cost_cap = ExactNumberField(label=lazy("Cost cap"), required=False)
    cap_proration = forms.ChoiceField(label=lazy("Cost cap in part of a period"))
    tolerance = ExactNumberField(
        label=lazy("Tolerance in percent"), required=False, help_text=lazy("Of alerts only; it changes no price.")
    )
    interim_threshold = ExactNumberField(label=lazy("Interim bill from"), required=False)
    tick = forms.ChoiceField(label=lazy("Tick"))
    tick_first = forms.IntegerField(label=lazy("First seconds"), min_value=1, max_value=86_400, required=False)
    tick_step = forms.IntegerField(label=lazy("Then steps of"), min_value=1, max_value=86_400, required=False)
    tick_scope = forms.ChoiceField(label=lazy("What is rounded up"))
    vat_rows = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=MOST_RATES, required=False)
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, draft: TariffDraft, modules: list[tuple[str, str]], today: date, data: Any = None) -> None:
        super().__init__(data, initial=initial_of(draft.fields) | {"revision": draft.revision})
        self.draft, self.today = draft, today
        fields: Any = self.fields
        known = [*modules, *([(m, m)] if (m := draft.fields.get("module")) and m not in dict(modules) else [])]
        fields["module"].choices = [("", _("None")), *known, (NEW_MODULE, _("A new one"))]
        for name in fields:
            if name.endswith("_unit"):
                fields[name].choices = [(unit, _unit(unit)) for unit in UNITS]
        fields["anchor"].choices = [
            ("contract", show.word("anchor", "contract")), ("calendar", _("By the calendar")),
            ("day", _("On a day of the month")),
        ]  # fmt: skip
        fields["notice"].choices = [*((n, show.word("notice", n)) for n in PRESETS), (OWN, _("Terms of its own"))]
        fields["renewal"].choices = [
            ("", _("The contract ends")), (OPEN, _("It runs on without a term")), ("span", _("It is renewed")),
        ]  # fmt: skip
        fields["notice_to"].choices = [
            ("", _("With the term; without one on any day")), ("day", _("On any day")),
            ("month_end", _("With a month")), ("term_end", _("With the term")),
        ]  # fmt: skip
        for name in ("minimum_proration", "cap_proration"):
            fields[name].choices = [(n, show.word("proration", n)) for n in ("daily", "none")]
        fields["tick"].choices = [
            ("minute", show.word("tick", "minute")), ("second", show.word("tick", "second")),
            (OWN, _("First seconds, then steps")),
        ]  # fmt: skip
        fields["order_approval"].choices = [(n, show.word("order_approval", n)) for n in APPROVALS]
        fields["tick_scope"].choices = [(n, show.word("tick_scope", n)) for n in ("record", "period")]
        self._add_titles()
        self._add_rates()

    def _add_titles(self) -> None:
        for language in LANGUAGES:
            label = _("Title in %(language)s") % {"language": show.word("language", language)}
            self.fields[f"title_{language}"] = forms.CharField(label=label, max_length=200, required=False)

    def _add_rates(self) -> None:
        """As many rows as were sent, or as there are rates, and an empty one."""
        sent = str(self.data.get("vat_rows", "")) if self.is_bound else ""
        there = sum(name.startswith("vat_rate_") for name in self.initial)
        number = int(sent) if sent.isascii() and sent.isdecimal() and 0 < int(sent[:4]) <= MOST_RATES else there + 1
        self.rows = min(max(number, 2), MOST_RATES)
        for i in range(self.rows):
            if i:
                start = DayField(label=_("From"), required=False)
                start.today = self.today
                self.fields[f"vat_from_{i}"] = start
            self.fields[f"vat_rate_{i}"] = ExactNumberField(label=_("VAT in percent"), required=False)
        self.initial["vat_rows"] = self.rows

    @property
    def rates(self) -> list[tuple[Any, Any]]:
        """The rows of VAT rates: from, rate; the first has no day."""
        return [(self[f"vat_from_{i}"] if i else None, self[f"vat_rate_{i}"]) for i in range(self.rows)]

    @property
    def titles(self) -> list[Any]:
        """The fields of the titles by language."""
        return [self[f"title_{language}"] for language in LANGUAGES]

    def clean(self) -> dict[str, Any]:
        """What belongs together is complete."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        needed = [
            ("interval_count", True), ("new_module", data.get("module") == NEW_MODULE),
            ("anchor_day", data.get("anchor") == "day"), ("tick_first", data.get("tick") == OWN),
            ("tick_step", data.get("tick") == OWN),
            ("renewal_count", data.get("notice") == OWN and data.get("renewal") == "span"),
            ("initial_count", data.get("notice") == OWN and bool(data.get("renewal"))),
        ]  # fmt: skip
        for name, is_needed in needed:
            if is_needed and data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("Fill this in."))
        for i in range(1, self.rows):
            start, rate = data.get(f"vat_from_{i}"), data.get(f"vat_rate_{i}")
            if (start is None) != (rate is None) and not {f"vat_from_{i}", f"vat_rate_{i}"} & set(self.errors):
                self.add_error(f"vat_rate_{i}" if rate is None else f"vat_from_{i}", _("Fill this in."))
        return data

    def typed(self) -> dict[str, Any]:
        """What was typed of each setting, as a draft keeps it; settings with an error are left out."""
        self.is_valid()
        data = self.cleaned_data
        found: dict[str, Any] = {}
        for name, fields in {n: FIELDS_OF.get(n, (n,)) for n in _READ}.items():
            if not any(field in self.errors for field in fields):
                found[name] = to_json(_READ[name](data))
        if not any(name.startswith("vat_") for name in self.errors):
            found["vat"] = to_json(_rates(data, self.rows))
        return found

    def settings(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Of what was typed that which says something else than `fields`."""
        return {name: value for name, value in self.typed().items() if not alike(name, value, fields.get(name))}


def _unit(unit: str) -> str:
    return {"day": _("days"), "week": _("weeks"), "month": _("months"), "year": _("years")}[unit]


def _span(data: Mapping[str, Any], name: str) -> str | None:
    count = data.get(f"{name}_count")
    return str(Span(count, data.get(f"{name}_unit") or "month")) if count else None


def _notice(data: Mapping[str, Any]) -> Any:
    if data["notice"] != OWN:
        return data["notice"]
    terms = {
        "initial_term": _span(data, "initial"), "notice": _span(data, "notice"), "to": data.get("notice_to"),
        "renewal_term": _span(data, "renewal") if data.get("renewal") == "span" else data.get("renewal"),
    }  # fmt: skip
    return {name: value for name, value in terms.items() if value}


def _rates(data: Mapping[str, Any], rows: int) -> Any:
    """A rate, or a list by days; None: the company's."""
    first = data.get("vat_rate_0")
    later = [
        {"from": data[f"vat_from_{i}"].isoformat(), "rate": data[f"vat_rate_{i}"]}
        for i in range(1, rows)
        if data.get(f"vat_from_{i}") is not None and data.get(f"vat_rate_{i}") is not None
    ]
    if not later:
        return first
    return ([{"rate": first}] if first is not None else []) + later


def _tick(data: Mapping[str, Any]) -> str | None:
    if data["tick"] != OWN:
        return str(data["tick"])
    first, step = data.get("tick_first"), data.get("tick_step")
    return f"{first}/{step}" if first and step else None


_READ: dict[str, Any] = {
    "title": lambda d: d["title"],
    "titles": lambda d: {n: text for n in LANGUAGES if (text := d.get(f"title_{n}"))},
    "module": lambda d: d.get("new_module") if d.get("module") == NEW_MODULE else d.get("module"),
    "public": lambda d: d["public"],
    "order_approval": lambda d: d["order_approval"] or "company",
    "currency": lambda d: d["currency"],
    "interval": lambda d: _span(d, "interval"),
    "anchor": lambda d: f"day {d.get('anchor_day')}" if d["anchor"] == "day" else d["anchor"],
    "trial": lambda d: _span(d, "trial"),
    "credit_on_end": lambda d: d["credit_on_end"],
    "notice": _notice,
    "minimum_sales": lambda d: d["minimum_sales"],
    "minimum_proration": lambda d: d["minimum_proration"],
    "cost_cap": lambda d: d["cost_cap"],
    "cap_proration": lambda d: d["cap_proration"],
    "tolerance": lambda d: d["tolerance"],
    "interim_threshold": lambda d: d["interim_threshold"],
    "tick": _tick,
    "tick_scope": lambda d: d["tick_scope"],
}


def initial_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the form's fields from a draft's."""
    said = {**UNWRITTEN, **{n: v for n, v in fields.items() if v not in (None, "", [], {})}}
    found: dict[str, Any] = {
        n: said.get(n) for n in ("title", "module", "public", "currency", "tick_scope", "order_approval")
    }
    found |= {n: said[n] for n in ("minimum_proration", "cap_proration")}
    found |= {n: number_of(said.get(n)) for n in ("minimum_sales", "cost_cap", "interim_threshold")}
    found["tolerance"] = number_of(said["tolerance"]) or None
    found["credit_on_end"] = said["credit_on_end"] not in (False, "no")
    found |= {f"title_{n}": text for n, text in (said.get("titles") or {}).items()}
    found |= span_of("interval", said["interval"]) | span_of("trial", said.get("trial"))
    anchor = str(said["anchor"])
    found |= {"anchor": "day", "anchor_day": anchor.removeprefix("day ")} if " " in anchor else {"anchor": anchor}
    tick, slash, step = str(said["tick"]).partition("/")
    found |= {"tick": OWN, "tick_first": tick, "tick_step": step} if slash else {"tick": tick}
    return found | _initial_notice(said["notice"]) | _initial_rates(said.get("vat"))


def _initial_notice(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value in PRESETS:
        return {"notice": value}
    try:
        terms = parse_terms(value)
    except Refused:
        return {"notice": OWN}
    return own_notice_of(terms, terms.to)


def _initial_rates(value: Any) -> dict[str, Any]:
    try:
        rates = read_rates(value) or []
    except (Refused, TypeError, KeyError, AttributeError):
        return {"vat_rate_0": value}
    first = [rate for start, rate in rates if not start]
    found: dict[str, Any] = {"vat_rate_0": number_of(first[0]) if first else None}
    for i, (start, rate) in enumerate([pair for pair in rates if pair[0]], 1):
        found |= {f"vat_from_{i}": date.fromisoformat(str(start)), f"vat_rate_{i}": number_of(rate)}
    return found
