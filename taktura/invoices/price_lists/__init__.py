"""Price lists as people read them: `sheet_of` finds the words, `pdf_of` prints them."""

from taktura.invoices.price_lists.pdf import pdf_of
from taktura.invoices.price_lists.sheet import Offer, Row, Sheet, Table, sheet_of

__all__ = ["Offer", "Row", "Sheet", "Table", "pdf_of", "sheet_of"]
