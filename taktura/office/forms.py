"""Forms: how they look, what a refusal does to them, and fields for dates, money and quantities as people type them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from taktura.core.errors import Refused
from taktura.kit.exact import number
from taktura.office import show
from taktura.office.typed import read_day, read_number


def add_refusal(form: forms.BaseForm, refused: Refused, fields: Mapping[str, str] | None = None) -> None:
    """Show a refusal of the rules beside the field that it speaks of (`values["field"]`), else above the form.

    `fields`: the form's name for a field that the service names otherwise.
    """
    named = str(refused.values.get("field", ""))
    name = (fields or {}).get(named, named)
    form.add_error(name if name in form.fields else None, show.refusal(refused))


# Of days that can be typed: terms and periods are counted on from them, and end where the calendar does.
FIRST_YEAR, LAST_YEAR = 1900, 2199


class DayField(forms.CharField):
    """A day, typed freely ("16.6.", "+1m", "end of month") or picked. Gives a `date`.

    `today` is set by the form (`form.fields["on"].today = …`); without it nothing relative can be typed.
    """

    today: date | None = None

    def __init__(self, **options: Any) -> None:
        options.setdefault(
            "widget", forms.TextInput(attrs={"data-day": "", "autocomplete": "off", "inputmode": "text"})
        )
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """The day."""
        text = str(super().clean(value) or "")
        if not text:
            return None
        day = read_day(text, get_language() or "en", self.today)
        if day is None:
            raise forms.ValidationError(
                _("“%(text)s” is no day: type it as in 2026-06-16, 16.6., +1m or end of month.") % {"text": text}
            )
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(
                _("“%(text)s” is too far away: type a year from %(first)s to %(last)s.")
                % {"text": text, "first": FIRST_YEAR, "last": LAST_YEAR}
            )
        return day

    def prepare_value(self, value: Any) -> Any:
        """A day as its reader writes it."""
        from taktura.office.show import day

        return day(value) if isinstance(value, date) else value


class ExactNumberField(forms.CharField):
    """A price, a quantity or a rate in the user's format ("1.234,50"). Gives a `Decimal`, exactly as typed."""

    def __init__(self, *, at_least: Decimal | None = None, **options: Any) -> None:
        self.at_least = at_least
        options.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "decimal", "class": "number", "autocomplete": "off"})
        )
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        """The number."""
        text = str(super().clean(value) or "")
        if not text:
            return None
        plain = read_number(text, get_language() or "en")
        if plain is None:
            raise forms.ValidationError(_("“%(text)s” is no number.") % {"text": text})
        try:
            found = number(plain, str(self.label))
        except Refused as refused:
            raise forms.ValidationError(show.refusal(refused)) from refused
        if self.at_least is not None and found < self.at_least:
            raise forms.ValidationError(_("At least %(least)s.") % {"least": self.at_least})
        return found

    def prepare_value(self, value: Any) -> Any:
        """A number as its reader writes it."""
        from taktura.office.show import quantity

        return quantity(value) if isinstance(value, Decimal) else value


class CurrencyField(forms.CharField):
    """A currency by its three letters. Gives them in capitals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 3, "widget": forms.TextInput(attrs={"autocomplete": "off"}), **options})

    def clean(self, value: Any) -> Any:
        """The three letters."""
        text = str(super().clean(value) or "").upper()
        if text and not (len(text) == 3 and text.isascii() and text.isalpha()):
            raise forms.ValidationError(
                _("“%(text)s” is no currency: type its three letters, as in EUR.") % {"text": text}
            )
        return text
