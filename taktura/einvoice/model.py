"""What an e-invoice tells, as plain values: the semantic model of EN 16931, as far as our documents have it.

The numbers behind fields are the business terms (BT) and groups (BG) of EN 16931-1. Amounts are rounded amounts of the
document's currency, as exact decimals; a credit note's are positive. Days are days included.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller (BG-4) or buyer (BG-7). `address` is the electronic address (BT-34, BT-49), `scheme:id` by the EAS list;
    `number` the party's at the other (BT-46); `legal` is told as it stands (BT-33)."""

    name: str
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    vat_id: str = ""
    tax_number: str = ""
    legal: str = ""
    number: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line (BG-25). `net` is its amount (BT-131); `price` (BT-146) is per `unit` (UN/ECE recommendation 20) where
    quantity times price gives `net`, else None: the price is then for the whole quantity (BT-149)."""

    title: str
    net: Decimal
    category: str
    rate: Decimal
    quantity: Decimal
    unit: str = "C62"
    price: Decimal | None = None
    article: str = ""
    notes: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSum:
    """The sums of a VAT category and rate in percent (BG-23); `reason`: why no VAT is charged (BT-120)."""

    category: str
    rate: Decimal
    net: Decimal
    tax: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """By direct debit (BG-19): the mandate (BT-89), who collects (BT-90) and from which account (BT-91), empty where it
    is not known in full."""

    mandate: str
    creditor: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """A whole document. `references` are the documents that it corrects, with their days (BG-3); `buyer_reference`
    (BT-10) is the buyer's own sign, such as a Leitweg-ID; `terms` (BT-20) and `notes` (BT-22) are sentences in the
    document's language.

    Raises `ValueError` when the sums do not add up: what does not add up must not be sent.
    """

    kind: Literal["invoice", "credit_note"]
    number: str
    issued_on: date
    currency: str
    digits: int
    seller: Party
    buyer: Party
    buyer_reference: str
    lines: tuple[Line, ...]
    taxes: tuple[TaxSum, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    due_on: date | None = None
    contract: str = ""
    references: tuple[tuple[str, date], ...] = ()
    terms: str = ""
    notes: tuple[str, ...] = ()
    iban: str = ""
    bic: str = ""
    debit: Debit | None = None

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


def price_of(quantity: Decimal, price: Decimal | None, net: Decimal, digits: int) -> Decimal | None:
    """The price per unit of a line, where quantity times price is its amount as rounded to `digits`; else None."""
    if price is None or price < 0:
        return None
    off = abs(Fraction(abs(quantity)) * Fraction(price) - abs(Fraction(net)))
    return price if off * 2 * 10**digits <= 1 else None
