"""Mails about new alerts: one for each reader and look, however many alerts there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings

from taktura.accounts.models import User
from taktura.contracts.models import Contract, ContractLine
from taktura.control.models import Alert, AlertRecipients
from taktura.control.words import sentence
from taktura.customers.languages import language_of
from taktura.invoices.rendering.formats import formats_of
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.language import translate
from taktura.kit.mail.services import post

KIND = "alert"
MOST = 50  # alerts that a mail names; the office has them all
LETTER = (
    "New alerts: %(number)s",
    "Good day,\n\nusage has crossed a bound, or will:\n\n%(alerts)s\n\nThe figures, and what to do, stand in the office"
    " under Control.\n\n%(seller)s",
    "%(what)s, %(customer)s, contract %(contract)s, %(first)s to %(last)s: %(sentence)s",
    "And more: %(number)s in all.",
    "Cost cap",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An alert with the names that a mail says of it."""

    alert: Alert
    what: str  # the article; empty for the cost cap
    customer: str
    contract: str
    currency: str


def mail_alerts(actor: Actor, alerts: Sequence[Alert]) -> int:
    """Put mails about new alerts into the outbox, for those who want them; gives how many mails."""
    wanted = {a.seller_id for a in alerts}
    chosen = AlertRecipients.objects.filter(seller__in=wanted).select_related("seller") if wanted else []
    written = 0
    for recipients in chosen:
        readers = readers_of(recipients)
        mine = [alert for alert in alerts if alert.seller_id == recipients.seller_id]
        items = _items(mine) if readers else []
        for address, language in readers.items():
            subject, text = letter(items, language, seller=recipients.seller.name)
            post(
                actor.now, to=address, subject=subject, text=text, sender=f"seller:{recipients.seller_id}", kind=KIND,
                language=language,
            )  # fmt: skip
            written += 1
    return written


def readers_of(recipients: AlertRecipients) -> dict[str, str]:
    """Who gets mails, each address once, with the language of each."""
    language = language_of(recipients.seller.country)
    found = {address.lower(): (address, language) for address in recipients.addresses}
    users = User.objects.filter(role__in=recipients.roles, is_active=True).order_by("email")
    found |= {user.email.lower(): (user.email, user.language) for user in users}
    return dict(found.values())


def letter(items: Sequence[Item], language: str, *, seller: str) -> tuple[str, str]:
    """Subject and text of a mail about alerts."""
    subject, text, _, more, _ = LETTER
    formats = formats_of(language, "EUR")
    number = formats.quantity(Decimal(len(items)))
    lines = [f"– {_line(item, language)}{_link(item)}" for item in items[:MOST]]
    if len(items) > MOST:
        lines.append(f"– {translate(more, {'number': number}, language)}")
    values = {"alerts": "\n".join(lines), "seller": seller}
    return translate(subject, {"number": number}, language), translate(text, values, language)


def sample_letter(language: str, *, seller: str, currency: str, on: date) -> tuple[str, str]:
    """What the mail says, with made-up values."""
    start, end = on.replace(day=1), (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    made = {"start": start, "end": end, "days": 30, "begun": 10}
    cap = Alert(kind="cap", value=Decimal("33.10"), bound=Decimal(30), foreseen=Decimal("33.10"), **made)
    calls = Alert(
        kind="included", forecast=True, unit="minute", value=Decimal(140), bound=Decimal(300), foreseen=Decimal(420),
        **made,
    )  # fmt: skip
    items = [
        Item(alert=cap, what="", customer="Muster GmbH", contract="V-1", currency=currency),
        Item(alert=calls, what="0800", customer="Muster GmbH", contract="V-1", currency=currency),
    ]
    return letter(items, language, seller=seller)


def _line(item: Item, language: str) -> str:
    formats, alert = formats_of(language, item.currency), item.alert
    return translate(
        LETTER[2],
        {
            "what": item.what or translate(LETTER[4], {}, language),
            "customer": item.customer,
            "contract": item.contract,
            "first": formats.day(alert.start),
            "last": formats.day(alert.end - timedelta(days=1)),
            "sentence": sentence(alert, item.currency, language),
        },
        language,
    )


def _link(item: Item) -> str:
    """Where the alert's page is, on a line of its own; a sample has none."""
    page = settings.ALERT_PAGE if item.alert.pk else ""
    return f"\n  {page % item.alert.pk}" if page else ""


def _items(alerts: Iterable[Alert]) -> list[Item]:
    """Alerts with their names, in two queries."""
    rows = list(alerts)
    contracts = Contract.objects.filter(pk__in=among({a.contract_id for a in rows})).select_related("customer")
    known = {contract.pk: contract for contract in contracts}
    lines = ContractLine.objects.filter(pk__in=among({a.line_id for a in rows if a.line_id})).select_related("article")
    titles = {line.pk: line.article.title or line.article.key for line in lines}
    return [
        Item(
            alert=alert, what=titles[alert.line_id] if alert.line_id else "",
            customer=known[alert.contract_id].customer.name, contract=known[alert.contract_id].key,
            currency=known[alert.contract_id].currency,
        )
        for alert in rows
    ]  # fmt: skip
