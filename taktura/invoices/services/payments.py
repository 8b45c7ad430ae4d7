"""Payments entered by hand."""

from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.core.money import Money, money
from taktura.invoices.models import Document, Payment
from taktura.invoices.queries import open_amount, state_of
from taktura.invoices.services.states import write_states
from taktura.kit.actor import Actor

MAX_AMOUNT = 10**15  # minor units, as of a charge


@act
def pay(actor: Actor, *, document: Document, amount: Decimal, on: date) -> Payment:
    """Enter money received for an invoice; raises `Refused` (`invalid`) for a credit note, an amount of 0, or a day
    to come."""
    paid, _, _ = check_payment(document, amount, on=on, today=actor.today(document.seller.time_zone))
    payment = Payment.objects.create(document=document, amount=paid.minor, paid_on=on)
    write_states([document.pk])
    record(actor, "pay", f"document:{document.pk}", {"amount": amount, "on": on})
    return payment


def check_payment(document: Document, amount: Decimal, *, on: date, today: date) -> tuple[Money, Money, str]:
    """The money, what would be open after it, and in which state the invoice would be. Refuses as `pay` does."""
    if document.kind != "invoice":
        raise Refused("invalid", "Only an invoice is paid: choose the invoice.")
    if on > today:
        raise Refused("invalid", "On %(day)s nothing can have been received yet.", day=on.isoformat(), field="on")
    paid = money(amount, document.digits)
    if paid.exact != amount or not 0 < abs(paid.minor) <= MAX_AMOUNT:
        raise Refused(
            "invalid", "“%(amount)s” is no amount of %(currency)s.", amount=amount, currency=document.currency
        )
    rest = Money(open_amount(document).minor - paid.minor, document.digits)
    return paid, rest, state_of(rest, paid=True)
