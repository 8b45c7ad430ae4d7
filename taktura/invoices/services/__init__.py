"""Writes of documents: numbers, issue, payments."""

from taktura.invoices.services.issue import Issued, Ready, issue
from taktura.invoices.services.numbering import check_confirmed, confirm_numbering
from taktura.invoices.services.payments import pay

__all__ = ["Issued", "Ready", "check_confirmed", "confirm_numbering", "issue", "pay"]
