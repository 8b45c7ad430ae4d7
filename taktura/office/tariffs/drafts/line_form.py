"""A line of a draft as a form: every setting that a line can have, with as many tiers and VAT rates as wanted."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _

from taktura.core.periods import UNITS
from taktura.kit.exact import to_json
from taktura.kit.language import LANGUAGES
from taktura.office import history, show
from taktura.office.by_language import add_names, names_of
from taktura.office.forms import DayField, ExactNumberField
from taktura.office.tariffs.drafts.initial import OWN
from taktura.office.tariffs.drafts.line_values import NEW, NOTICES, PLACES, TARIFFS, UNITS_KNOWN, line_of

MOST_ROWS = 100
LONGEST_SPAN = 9999
# Rows of a form: their fields, and how many are empty at first.
ROWS: dict[str, tuple[tuple[str, ...], int]] = {
    "tier": (("up_to", "price", "flat"), 2), "step": (("above", "percent"), 1), "rate": (("from", "rate"), 1),
}  # fmt: skip
# Choices by the table of their words.
CHOICES = {
    "charge": ("line", ("usage", "recurring", "once")), "booking": ("booking", ("included", "add_on", "on_off")),
    "bookable_by": ("bookable_by", ("staff", "customer")), "when": ("when", ("advance", "arrears")),
    "package": ("package", ("proportional", "started")), "proration": ("proration", ("daily", "none")),
    "included_proration": ("proration", ("none", "daily")), "tier_mode": ("tier_mode", ("graduated", "volume")),
    "aggregate": ("aggregate", ("sum", "count", "max", "last", "unique")),
    "usage_pricing": (
        "usage_pricing", ("tariff", "usage_quantity", "fixed_quantity", "cost_plus", "imported_price")
    ),
}  # fmt: skip
NUMBERS = ("price", "price_quantity", "reference_price", "included", "markup")
FLAGS = ("flat_price", "in_minimum", "in_cap", "interim", "show", "highlight")


class LineForm(forms.Form):
    """Every setting of a line. `line()` gives it as a draft keeps it: what applies, without defaults."""

    says_what_is_missing = True

    def __init__(
        self, *args: Any, articles: list[tuple[str, str]], keys: list[tuple[str, str]], article: str = "",
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **options)
        self.article = article
        self._add_names(articles, keys)
        self._add_choices()
        for name in NUMBERS:
            self.fields[name] = ExactNumberField(label=history.field(name), required=False)
        for name in FLAGS:
            self.fields[name] = forms.BooleanField(label=history.field(name), required=False)
        self._add_times()
        for kind in ROWS:
            self._add_rows(kind)
        self.fields["revision"] = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def _add_names(self, articles: list[tuple[str, str]], keys: list[tuple[str, str]]) -> None:
        fields: Any = self.fields
        if not self.article:
            fields["article"] = forms.ChoiceField(label=_("Article"), choices=[(NEW, _("A new article")), *articles])
            fields["new_article"] = forms.SlugField(
                label=_("Name of the new article"), max_length=100, required=False,
                help_text=_("Other systems know it by this. Left empty: made of the title."),
            )  # fmt: skip
        fields["title"] = forms.CharField(label=_("Title"), max_length=200)
        add_names(self, "titles", _("Title"))
        fields["key"] = forms.ChoiceField(
            label=_("Key"), choices=[("", _("No key")), *keys], required=False,
            help_text=_("The word by which a data source names it."),
        )  # fmt: skip
        fields["alternative_name"] = forms.CharField(
            label=_("Alternative name"), max_length=200, required=False,
            help_text=_("Stands on documents and in the register in place of the title, not in the price list."),
        )  # fmt: skip
        add_names(self, "alternative_names", _("Alternative name"))
        fields["heading"] = forms.CharField(
            label=_("Heading"), max_length=200, required=False, help_text=_("Stands above the line in the price list.")
        )
        add_names(self, "headings", _("Heading"))

    def _add_choices(self) -> None:
        for name, (table, values) in CHOICES.items():
            words = [(value, show.word(table, value)) for value in values]
            label = history.field(name)
            self.fields[name] = forms.ChoiceField(label=label, choices=words, required=name == "charge")
        self.fields["aggregate_of"] = forms.CharField(label=_("Attribute"), max_length=100, required=False)
        units = [(unit, show.word("unit", unit)) for unit in UNITS_KNOWN]
        self.fields["unit"] = forms.ChoiceField(label=_("Unit"), choices=[*units, (OWN, _("Another"))], required=False)
        self.fields["unit_own"] = forms.CharField(label=_("Name of the unit"), max_length=20, required=False)

    def _add_times(self) -> None:
        units = [
            (unit, word) for unit, word in zip(UNITS, (_("days"), _("weeks"), _("months"), _("years")), strict=True)
        ]
        for name, label in (
            ("interval", history.field("interval")), ("price_per", history.field("price_per")),
            ("initial", _("First term")), ("renewal", _("Renewed by")), ("notice", _("Time of notice")),
        ):  # fmt: skip
            self.fields[f"{name}_count"] = forms.IntegerField(
                label=label, min_value=1, max_value=LONGEST_SPAN, required=False
            )
            self.fields[f"{name}_unit"] = forms.ChoiceField(
                label=_("Unit of time"), choices=units, required=False, initial="month"
            )
        known = [(n, show.word("notice", n)) for n in NOTICES]
        self.fields["notice"] = forms.ChoiceField(
            label=_("Notice"), choices=[(TARIFFS, _("That of the tariff")), *known, (OWN, _("Terms of its own"))],
            required=False,
        )  # fmt: skip
        self.fields["renewal"] = forms.ChoiceField(
            label=_("After the first term"), required=False,
            choices=[("", _("It ends")), ("open", _("It runs on without a term")), ("span", _("It is renewed"))],
        )  # fmt: skip
        self.fields["notice_to"] = forms.ChoiceField(
            label=_("It ends"), required=False,
            choices=[
                ("", _("With the term; without one on any day")), ("day", _("On any day")),
                ("month_end", _("With a month")), ("term_end", _("With the term")),
            ],
        )  # fmt: skip
        ticks = [(n, show.word("tick", n)) for n in ("minute", "second")]
        self.fields["tick"] = forms.ChoiceField(
            label=_("Tick"), required=False,
            choices=[(TARIFFS, _("That of the tariff")), *ticks, (OWN, _("First seconds, then steps"))],
        )  # fmt: skip
        for name, label in (("tick_first", _("First seconds")), ("tick_step", _("Then steps of"))):
            self.fields[name] = forms.IntegerField(label=label, min_value=1, max_value=86_400, required=False)
        scopes = [(n, show.word("tick_scope", n)) for n in ("record", "period")]
        self.fields["tick_scope"] = forms.ChoiceField(
            label=history.field("tick_scope"), choices=[(TARIFFS, _("As the tariff says")), *scopes], required=False
        )

    def _add_rows(self, kind: str) -> None:
        """As many rows as were sent, or as there are, and an empty one."""
        names, empty = ROWS[kind]
        sent = str((self.data if self.is_bound else self.initial).get(f"{kind}_rows", ""))
        there = sum(name.startswith(f"{kind}_") and name.endswith(f"_{names[-1]}") for name in self.initial)
        number = int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 5 else there + empty
        number = min(max(number, 1), MOST_ROWS)
        labels = {
            "up_to": _("Up to"), "price": _("Price"), "flat": _("Flat amount"), "above": _("Above"),
            "percent": _("Percent off"), "from": _("From"), "rate": _("VAT in percent"),
        }  # fmt: skip
        for i in range(number):
            for name in names:
                made: forms.Field = (DayField if name == "from" else ExactNumberField)(
                    label=labels[name], required=False
                )
                made.widget.attrs["aria-label"] = f"{labels[name]} {i + 1}"
                self.fields[f"{kind}_{i}_{name}"] = made
        self.fields[f"{kind}_rows"] = forms.IntegerField(widget=forms.HiddenInput, required=False)
        self.initial[f"{kind}_rows"] = number
        if self.is_bound:
            self.data = self.data | {f"{kind}_rows": str(number)} if isinstance(self.data, dict) else self.data

    def rows(self, kind: str) -> list[list[Any]]:
        """The fields of each row of a kind."""
        names = ROWS[kind][0]
        number = sum(name.startswith(f"{kind}_") and name.endswith(f"_{names[0]}") for name in self.fields)
        return [[self[f"{kind}_{i}_{name}"] for name in names] for i in range(number)]

    @property
    def tiers(self) -> list[list[Any]]:
        """The rows of tiers."""
        return self.rows("tier")

    @property
    def steps(self) -> list[list[Any]]:
        """The rows of the discount scale."""
        return self.rows("step")

    @property
    def rates(self) -> list[list[Any]]:
        """The rows of VAT rates."""
        return self.rows("rate")

    def names(self, name: str) -> list[Any]:
        """The fields of a name by language."""
        return [self[f"{name}_{language}"] for language in LANGUAGES]

    @property
    def titles(self) -> list[Any]:
        """The titles by language."""
        return self.names("titles")

    @property
    def alternatives(self) -> list[Any]:
        """The alternative names by language."""
        return self.names("alternative_names")

    @property
    def headings(self) -> list[Any]:
        """The headings by language."""
        return self.names("headings")

    def clean(self) -> dict[str, Any]:
        """What belongs together is complete."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        needed = {
            "unit_own": data.get("unit") == OWN, "tick_first": data.get("tick") == OWN,
            "tick_step": data.get("tick") == OWN,
            "renewal_count": data.get("notice") == OWN and data.get("renewal") == "span",
            "initial_count": data.get("notice") == OWN and bool(data.get("renewal")),
            "new_article": data.get("article") == NEW and not slugify(data.get("title") or ""),
        }  # fmt: skip
        for name, is_needed in needed.items():
            if is_needed and data.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("Fill this in."))
        return data

    def key_of_article(self) -> str:
        """The article that the line is of."""
        if self.article:
            return self.article
        chosen = str(self.cleaned_data.get("article") or NEW)
        if chosen != NEW:
            return chosen
        return str(self.cleaned_data.get("new_article") or slugify(self.cleaned_data.get("title") or ""))

    def line(self) -> dict[str, Any]:
        """The line as a draft keeps it, of what could be read."""
        data: Mapping[str, Any] = self.cleaned_data
        words = {name: names_of(data, name) for name in ("titles", "alternative_names", "headings")}
        rows = {kind: self._typed_rows(kind) for kind in ROWS}
        found: dict[str, Any] = to_json({"article": self.key_of_article(), **line_of(data, words, rows)})
        return found

    def _typed_rows(self, kind: str) -> list[dict[str, Any]]:
        names = ROWS[kind][0]
        found = []
        for i in range(len(self.rows(kind))):
            row = {n: v for n in names if (v := self.cleaned_data.get(f"{kind}_{i}_{n}")) is not None}
            if row:
                found.append(row)
        return found


def field_for(refused: Mapping[str, Any], form: LineForm) -> str:
    """The field of the form at which a refusal of the rules stands, from its values; empty: above the form."""
    field, tier = str(refused.get("field", "")), refused.get("tier")
    if field == "tiers" and tier:
        return f"tier_{int(tier) - 1}_up_to"
    name = PLACES.get(field, field)
    return name if name in form.fields else ""
