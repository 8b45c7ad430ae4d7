"""What holds for a whole tariff, in sentences below it: VAT, minimum sales, cost cap, days, time, notice."""

from collections.abc import Iterator, Sequence

from babel.lists import format_list
from django.utils.translation import gettext as _

from taktura.catalog.price_list import ListedTariff, PriceList
from taktura.core.facts import LineTerms
from taktura.core.listed import GROSS
from taktura.core.periods import Span
from taktura.core.terms import Terms
from taktura.invoices.agreed import every, length, notice_of, per, price_text
from taktura.invoices.rendering.formats import Formats

MINUTE, SECOND = (60, 60), (1, 1)
MONTH = 31  # days that a month has at most


def notes_of(tariff: ListedTariff, values: PriceList, formats: Formats, *, name_currency: bool) -> Iterator[str]:
    """The notes of a tariff, a sentence or two each."""
    yield _vat_of(tariff, values.basis, formats)
    if name_currency:
        yield _("All prices in %(currency)s.") % {"currency": tariff.currency}
    if tariff.trial:
        yield _("No fees for %(span)s from the start; usage is billed.") % {"span": length(tariff.trial)}
    yield from _bounds_of(tariff, formats)
    yield from _billing_of(tariff)
    yield " ".join(notice_of(tariff.notice))
    if values.consumer_rules:
        yield from _consumers_of(tariff.notice)
    if tariff.valid_from:
        yield _("These prices hold from %(day)s.") % {"day": formats.day(tariff.valid_from)}
    if tariff.offer_number:
        yield _("To be ordered by the offer number %(number)s.") % {"number": tariff.offer_number}


def _vat_of(tariff: ListedTariff, basis: str, formats: Formats) -> str:
    rates = {line.rate for line in tariff.lines} or {tariff.rate}
    if len(rates) > 1:
        gross, net = _("Prices include VAT at the rate that stands at each line."), _(
            "VAT at the rate that stands at each line comes on top.")  # fmt: skip
        return gross if basis == GROSS else net
    rate = {"rate": formats.rate(rates.pop())}
    return _("Prices include %(rate)s VAT.") % rate if basis == GROSS else _("%(rate)s VAT comes on top.") % rate


def _bounds_of(tariff: ListedTariff, formats: Formats) -> Iterator[str]:
    """Minimum sales and cost cap (R9)."""
    terms, span = tariff.terms, {"per": per(tariff.terms.interval)}
    if terms.minimum:
        named = span | {"amount": price_text(terms.minimum, formats), "lines": _named(tariff.in_minimum, formats)}
        yield _(
            "Minimum sales of %(amount)s %(per)s: where %(lines)s come to less, the difference is billed."
        ) % named + (" " + _("Of a period begun they count by days.") if terms.minimum_proration == "daily" else "")
    if terms.cap is not None:
        named = span | {"amount": price_text(terms.cap, formats), "lines": _named(tariff.in_cap, formats)}
        yield _("Cost cap of %(amount)s %(per)s: %(lines)s never cost more together.") % named


def _named(titles: Sequence[str], formats: Formats) -> str:
    """The lines that count, by name; those that are not listed have none."""
    quoted = [_("“%(title)s”") % {"title": title} for title in titles]
    return str(format_list(quoted, locale=formats.locale)) if quoted else _("the lines that count")


def _billing_of(tariff: ListedTariff) -> Iterator[str]:
    """How days, time and included quantities count."""
    terms = [line.terms for line in tariff.lines]
    if any(t.charge == "recurring" and t.proration == "daily" or t.flat_price for t in terms):
        yield _("Of a period begun or ended early only its days are billed.")
    usage = [t for t in terms if t.charge == "usage"]
    if usage:
        yield _("Usage is billed %(every)s.") % {"every": every(tariff.terms.interval)}
    if any(t.included for t in usage):
        yield _("Included quantities hold for one billing period each; what is left of them is not carried over.")
    timed = [t for t in usage if t.unit == "minute" and not t.flat_price]
    yield from dict.fromkeys(_tick_of(t) for t in timed)


def _tick_of(terms: LineTerms) -> str:
    """How time counts (R6.2)."""
    if terms.tick_scope == "period":
        return _("The time of a period is added up, then rounded up to the minute.") if terms.tick == MINUTE else _(
            "The time of a period is added up; the seconds count.")  # fmt: skip
    if terms.tick == MINUTE:
        return _("Each minute begun counts whole.")
    if terms.tick == SECOND:
        return _("Time is billed by the second; the price is for a minute.")
    first, step = terms.tick
    return _("The first %(first)s seconds count whole, then each %(step)s seconds begun.") % {
        "first": first, "step": step}  # fmt: skip


def _consumers_of(terms: Terms) -> Iterator[str]:
    """What consumer law in Germany makes of the notice (R15.4), where it makes something else."""
    if terms.initial_term and isinstance(terms.renewal_term, Span):
        yield _("For consumers notice is never more than one month, and after the first term the contract runs on"
                " without a term and ends to any day.")  # fmt: skip
    elif terms.notice and (terms.notice.months > 1 or terms.notice.days > MONTH):
        yield _("For consumers notice is never more than one month.")
