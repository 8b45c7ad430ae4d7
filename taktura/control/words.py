"""An alert in words, with its figures, in the reader's language: for mails, pages and the API's callers alike."""

from decimal import Decimal

from taktura.control.models import Alert
from taktura.core.money import money, places
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.words import unit_word
from taktura.kit.language import translate

# What happened, by kind; with `_forecast` what will.
SENTENCES = {
    "cap": "The lines in the cost cap come to %(value)s; the cap is %(bound)s.",
    "cap_forecast": "The lines in the cost cap come to %(value)s so far. If usage goes on like this, they come to"
    " %(foreseen)s by the end of the period; the cap is %(bound)s.",
    "flat": "The minutes used would cost %(value)s at the reference price; the flat price is %(bound)s.",
    "flat_forecast": "The minutes used so far would cost %(value)s at the reference price. If usage goes on like this,"
    " that becomes %(foreseen)s by the end of the period; the flat price is %(bound)s.",
    "included": "%(value)s were used; %(bound)s are included.",
    "included_forecast": "%(value)s were used so far. If usage goes on like this, that becomes %(foreseen)s by the end"
    " of the period; %(bound)s are included.",
}


def sentence(alert: Alert, currency: str, language: str) -> str:
    """What happened, or will, with the figures of the alert."""
    key = f"{alert.kind}_forecast" if alert.forecast else alert.kind
    names = ("value", "bound", "foreseen")
    values = {name: figure(alert, getattr(alert, name), currency, language) for name in names}
    return translate(SENTENCES[key], values, language).replace("..", ".")  # behind a shortened unit: "10 Min."


def figure(alert: Alert, number: Decimal, currency: str, language: str) -> str:
    """A number of an alert as it is shown: an amount rounded to its currency, or a quantity with its unit."""
    formats = formats_of(language, currency)
    if alert.kind != "included":
        return formats.money(money(number, places(currency)).exact)
    return quantity(number, alert.unit, formats)


def quantity(number: Decimal, unit: str, formats: Formats) -> str:
    """A quantity with at most two decimals, and its unit."""
    shown = money(number, 2).exact
    word = unit_word(unit, shown, formats.language)
    return f"{formats.quantity(shown)}\u00a0{word}" if word else formats.quantity(shown)
