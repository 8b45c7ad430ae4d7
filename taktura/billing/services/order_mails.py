"""What is mailed about an order, in the language in which it was sent."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.utils import translation
from django.utils.translation import gettext as _

from taktura.catalog.titles import in_language
from taktura.contracts.models import Order
from taktura.core.money import Money, places
from taktura.core.terms import parse_terms
from taktura.invoices.agreed import notice_of
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.kit.mail.services import post

ORDER = "order"  # kind of mail
MOST_REASON = 2000  # characters


def ask(now: datetime, order: Order, link: str) -> None:
    """Ask whoever has the address to confirm it."""
    with translation.override(order.language):
        until = format_datetime(
            order.expires_at.astimezone(ZoneInfo(order.seller.time_zone)), "short", locale=_locale(order.language)
        )
        subject = _("Please confirm your order")
        text = _(
            "Good day,\n\nsomebody ordered at %(company)s and gave this address:\n\n%(order)s\n\nThe order takes effect"
            " when you confirm it, until %(until)s:\n\n%(link)s\n\nIf it was not you, do nothing: nothing is ordered"
            " then.\n\n%(company)s"
        )
        values = {"order": _text(order), "until": until, "link": link, "company": order.seller.name}
        _post(now, order, subject, text % values)


def received(now: datetime, order: Order) -> None:
    """Say that it is confirmed and that somebody looks at it."""
    with translation.override(order.language):
        text = _(
            "Good day,\n\nwe have received your order:\n\n%(order)s\n\nWe look at it and write to you. Until then"
            " nothing is agreed.\n\n%(company)s"
        )
        values = {"order": _text(order), "company": order.seller.name}
        _post(now, order, _("We have received your order"), text % values)


def done(now: datetime, order: Order) -> None:
    """Say that there is a contract."""
    assert order.contract is not None
    with translation.override(order.language):
        text = _(
            "Good day,\n\nthank you for your order. Your contract %(contract)s runs from %(day)s on.\n\n%(order)s\n\n"
            "%(company)s"
        )
        values = {
            "contract": order.contract.key, "day": _day(order.contract.start, order.language),
            "order": _text(order), "company": order.seller.name,
        }  # fmt: skip
        _post(now, order, _("Your order: contract %(contract)s") % values, text % values)


def refused(now: datetime, order: Order) -> None:
    """Say why there is none."""
    with translation.override(order.language):
        text = _(
            "Good day,\n\nwe cannot accept your order:\n\n%(order)s\n\n%(reason)s\n\nNothing is agreed, and nothing is"
            " billed.\n\n%(company)s"
        )
        values = {"order": _text(order), "reason": order.reason, "company": order.seller.name}
        _post(now, order, _("We cannot accept your order"), text % values)


def _post(now: datetime, order: Order, subject: str, text: str) -> None:
    post(
        now, to=order.email, subject=subject, text=text, sender=f"seller:{order.seller_id}", kind=ORDER,
        language=order.language, about=f"order:{order.pk}",
    )  # fmt: skip


def _text(order: Order) -> str:
    """What was ordered, at which prices, on which terms."""
    formats = formats_of(order.language, order.tariff.currency)
    titles = {
        line.article.key: in_language(
            line.title or line.article.title or line.article.key, line.terms.get("titles"), order.language
        )
        for line in order.version.lines.select_related("article")
    }
    rows = [in_language(order.version.title, order.version.titles, order.language)]
    rows += [f"{formats.quantity(Decimal(n))} × {titles.get(key, key)}" for key, n in order.articles.items()]
    if order.coupon is not None:
        rows.append(_("Coupon: %(code)s") % {"code": order.code})
    rows += ["", *_prices(order, formats), "", " ".join(notice_of(parse_terms(order.version.notice)))]
    if order.seller.terms_url:
        rows.append(_("Terms: %(address)s") % {"address": order.seller.terms_url})
    if order.kind == "consumer" and order.seller.withdrawal:
        rows += ["", _("Right of withdrawal"), "", order.seller.withdrawal]
    return "\n".join(rows)


def _prices(order: Order, formats: Formats) -> list[str]:
    """The bills that were shown."""
    digits = places(order.tariff.currency)
    found = []
    for place, row in enumerate(order.prices):
        sums = {name: formats.money(Money(row[name], digits).exact) for name in ("net", "tax", "gross")}
        text = _("First bill, %(day)s: %(gross)s (%(net)s and %(tax)s VAT)")
        if place:
            text = _("Next bill, %(day)s: %(gross)s (%(net)s and %(tax)s VAT)")
        found.append(text % {"day": _day(date.fromisoformat(row["on"]), order.language), **sums})
    if found:
        found.append(
            _("If it begins on the day of the order, ordered on %(day)s; what is used is billed besides.")
            % {"day": _day(order.ordered_at.astimezone(ZoneInfo(order.seller.time_zone)).date(), order.language)}
        )
    return found


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else language


def _day(day: date, language: str) -> str:
    return format_date(day, "long", locale=_locale(language))
