"""Documents as PDF: `render_pdf` turns a `DocumentView` into an A4 page or more, in German, Swedish or English."""

from taktura.invoices.rendering.pdf import render_letter, render_pdf
from taktura.invoices.rendering.view import DocumentView, LetterView, LineView, Party, SellerParty, TaxView

__all__ = ["DocumentView", "LetterView", "LineView", "Party", "SellerParty", "TaxView", "render_letter", "render_pdf"]
