"""Payments entered by hand."""

from datetime import date
from decimal import Decimal

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.core.money import money
from taktura.invoices.models import Document, Payment
from taktura.invoices.services.states import write_states
from taktura.kit.actor import Actor


@act
def pay(actor: Actor, *, document: Document, amount: Decimal, on: date) -> Payment:
    """Enter money received for an invoice; raises `Refused` (`invalid`) for a credit note or an amount of 0."""
    if document.kind != "invoice":
        raise Refused("invalid", "Only an invoice is paid: choose the invoice.")
    paid = money(amount, document.digits)
    if paid.exact != amount or paid.minor == 0:
        raise Refused(
            "invalid", "“%(amount)s” is no amount of %(currency)s.", amount=amount, currency=document.currency
        )
    payment = Payment.objects.create(document=document, amount=paid.minor, paid_on=on)
    write_states([document.pk])
    record(actor, "pay", f"document:{document.pk}", {"amount": amount, "on": on})
    return payment
