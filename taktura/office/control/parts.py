"""What the pages of control share: the tabs above them, an alert's names and figures."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from taktura.control.models import Alert
from taktura.control.words import figure, sentence
from taktura.core.periods import Span, add
from taktura.office import show

MONTH = Span(1, "month")


def tabs(active: str) -> list[dict[str, Any]]:
    """The tabs above the pages of control."""
    known = [("control", _("Alerts")), ("profitability", _("Profitability"))]
    return [{"label": label, "url": reverse(name), "active": name == active} for name, label in known]


def what(alert: Alert) -> str:
    """What is under watch: the article, or the cap of the contract."""
    if alert.line is None:
        return show.word("alert_kind", "cap")
    return alert.line.article.title or alert.line.article.key


def said(alert: Alert) -> str:
    """What happened, in words with the figures."""
    return sentence(alert, alert.contract.currency, show.language())


def shown(alert: Alert, name: str) -> str:
    """A figure of an alert (`value`, `bound`, `foreseen`) with its currency or unit."""
    return figure(alert, getattr(alert, name), alert.contract.currency, show.language())


def percent(alert: Alert) -> str:
    """How much of the bound it is, in percent."""
    return show.rate(alert.share) if alert.share is not None else show.NONE


def span(start: date, end: date) -> str:
    """A billing period, short: a calendar month by its name."""
    return show.month(start) if start.day == 1 and end == add(start, MONTH) else show.period(start, end)


def badge(alert: Alert) -> SafeString:
    """What is under watch and how: the article, the kind, and whether it is a forecast."""
    kind = show.word("alert_kind", alert.kind)
    text = format_html("{} · {}", what(alert), kind) if alert.line is not None else format_html("{}", kind)
    return format_html("{} · {}", text, _("Forecast")) if alert.forecast else text
