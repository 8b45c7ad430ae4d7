"""What a printed document shows, as plain values: the one thing `render_pdf` needs to know.

All amounts are rounded amounts of the document's currency, as exact decimals; a credit note's are positive (R14).
Days are the days as printed: `last_day` is the last day included (R2.1). Empty texts are not printed.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Kind = Literal["invoice", "credit_note"]
Basis = Literal["net", "gross"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who stands on the document. `lines` is the address below the name, without the country (ISO code)."""

    name: str
    lines: tuple[str, ...] = ()
    country: str = ""
    vat_id: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerParty(Party):
    """The seller, with what stands at the foot of each page."""

    tax_number: str = ""
    registration: str = ""
    bank_name: str = ""
    iban: str = ""
    bic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One line. `unit_price` is per unit in the document's basis, up to 12 decimals; `vat_rate` is in percent.

    `amount` is the line's amount with VAT; a document with gross prices prints it in place of `net`. `contract` names
    the line's contract where a document has lines of several; `note` may have several lines.
    """

    title: str
    net: Decimal
    vat_rate: Decimal
    vat_category: str = "S"
    note: str = ""
    contract: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxView:
    """The sums of one VAT category (EN 16931) and rate in percent (R13.2)."""

    category: str
    rate: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A letter: a heading, days with their labels, and paragraphs in its language."""

    language: str
    currency: str
    seller: SellerParty
    buyer: Party
    written_on: date
    heading: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    customer_number: str = ""
    contract_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A whole document. `references` are the numbers of the documents that it corrects (R14.1): all that a credit note
    does, and those that an invoice credits by the way (R5.5, `netted`).

    `debit_iban`: it is paid by direct debit from there (masked), by the mandate of this reference;
    `creditor_id`: who collects it.

    A preview has no number yet (R14.2) and is marked on each page. Raises `ValueError` when the sums do not add up, or
    a line of a document with gross prices has no `amount`: what does not add up must not be printed.
    """

    kind: Kind
    number: str
    issued_on: date
    language: str
    currency: str
    seller: SellerParty
    buyer: Party
    lines: tuple[LineView, ...]
    taxes: tuple[TaxView, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    due_on: date | None = None
    customer_number: str = ""
    debtor_number: str = ""
    head_office: str = ""
    contract_number: str = ""
    references: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    prices_are: Basis = "net"
    preview: bool = False
    debit_iban: str = ""
    mandate: str = ""
    creditor_id: str = ""

    def __post_init__(self) -> None:
        sums = {
            "net and tax": (self.net + self.tax, self.gross),
            "the lines": (sum(line.net for line in self.lines), self.net),
            "the net of the tax rows": (sum(row.net for row in self.taxes), self.net),
            "the tax of the tax rows": (sum(row.tax for row in self.taxes), self.tax),
        }
        for what, (summed, stated) in sums.items():
            if summed != stated:
                raise ValueError(f"{what} sum to {summed}, the document {self.number!r} says {stated}")
        if self.prices_are == "gross" and any(line.amount is None for line in self.lines):
            raise ValueError(f"a line of the document {self.number!r} with gross prices has no amount")
