"""Writes of documents: numbers, issue, payments, mails."""

from taktura.invoices.services.issue import Issued, Ready, issue
from taktura.invoices.services.mailing import Letter, letter_of, mail_document
from taktura.invoices.services.numbering import Numbering, check_confirmed, confirm_numbering, numbers_of
from taktura.invoices.services.payments import check_payment, pay

__all__ = [
    "Issued",
    "Letter",
    "Numbering",
    "Ready",
    "check_confirmed",
    "check_payment",
    "confirm_numbering",
    "issue",
    "letter_of",
    "mail_document",
    "numbers_of",
    "pay",
]
