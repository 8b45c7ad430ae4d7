"""From charges to documents (R14.5, R13.2): which lines stand on which document, in which order, with what VAT."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from taktura.core.facts import Charge
from taktura.core.tax import Vat, spread_net, tax_in_gross, tax_of_net

ORDER_AFTER = {"minimum_sales": 1, "cost_cap": 2}
ALWAYS_BY_AMOUNT = ("usage", "once", "minimum_sales", "cost_cap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A charge on its way to a document, with what the document shows of its line.

    `order` sorts within the document: (contract's place, tariff's place, booking's place). Entries that are no charge
    of a contract (sales items, time) have no `charge` and carry `amount` and `vat` themselves.
    """

    contract: int | None
    article: str = ""
    title: str = ""
    titles: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    unit: str = ""
    order: tuple[int, ...] = ()
    charge: Charge | None = None
    amount: int = 0
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    vat: Vat = ("S", Decimal(0))
    first: date | None = None
    end: date | None = None
    source: int = 0
    note: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_difference(self) -> bool:
        """Whether it is what a period comes to at another price than before: an amount, of no quantity at a price."""
        return self.charge is not None and "instead" in self.charge.proof

    @property
    def price(self) -> Decimal | None:
        """What its line shows as the price of one."""
        if self.charge is None:
            return self.unit_price
        return None if self.is_difference else self.charge.unit_price

    def title_in(self, language: str) -> str:
        """The title in a language, else the one that all languages share; empty where it has none."""
        return dict(self.titles).get(language) or self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A line as it stands on the document: `amount` in the price's basis, `net` without VAT, both in minor units."""

    entry: Entry
    amount: int
    net: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class TaxRow:
    """The sums of one category and rate, in minor units."""

    vat: Vat
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document not yet numbered. A credit note's amounts are positive; `references` are the documents it corrects."""

    kind: str  # invoice | credit_note
    lines: tuple[DraftLine, ...]
    taxes: tuple[TaxRow, ...]
    references: tuple[int, ...] = ()

    @property
    def net(self) -> int:
        """Sum of the net lines."""
        return sum(row.net for row in self.taxes)

    @property
    def tax(self) -> int:
        """Sum of VAT."""
        return sum(row.tax for row in self.taxes)

    @property
    def gross(self) -> int:
        """What is to be paid (or given back)."""
        return self.net + self.tax


Rests = Mapping[int, Mapping[Vat, tuple[int, int]]]  # document -> VAT -> (net, tax) not yet credited


def compose(
    entries: Sequence[Entry], documents: Mapping[int, int], rests: Rests, *, gross: bool = False, netted: bool = False
) -> list[Draft]:
    """Make the documents of one recipient from what is due.

    `documents` gives the document of each charge that is credited, `rests` what is left on those. Credit notes come
    first, one for each document credited (one for a period's usage), oldest first; then the invoice. What sums to
    nothing makes none. `netted` puts all on one document (R5.5).
    """
    credits = [e for e in entries if e.charge is not None and e.charge.credits is not None]
    others = [e for e in entries if e.charge is None or e.charge.credits is None]
    if netted:
        references = {documents[e.charge.credits] for e in credits if e.charge and e.charge.credits is not None}
        return _document([*credits, *others], tuple(sorted(references)), rests, gross)
    drafts: list[Draft] = []
    turned: list[Entry] = []
    corrected: set[int] = set()
    for references_of, group in sorted(_grouped(credits, documents).items(), key=lambda item: sorted(item[0])):
        note = _draft("credit_note", group, tuple(sorted(references_of)), rests, gross, -1)
        if (note.gross, note.net) > (0, 0):
            if instead := [e for e in others if _free_instead(e, group)]:
                others = [e for e in others if e not in instead]
                note = _draft("credit_note", [*group, *instead], tuple(sorted(references_of)), rests, gross, -1)
            drafts.append(note)
        elif note.gross or note.net:
            # What is to be paid decides: less usage and a smaller relief at a higher rate may ask for more VAT than
            # they give back. Where they cancel out, nothing is given back.
            turned += group
            corrected |= references_of
    return drafts + _document([*turned, *others], tuple(sorted(corrected)), rests, gross)


def _free_instead(entry: Entry, credits: Sequence[Entry]) -> bool:
    """Whether a charge over nothing (free now, or lowered by a credit by hand) takes the place of what `credits` take
    back. It stands on their note (R14.5): without an invoice it would stand nowhere, and its days would count as not
    billed, in minimum and cap and for the next change, until the next run."""
    charge = entry.charge
    if charge is None or charge.amount:
        return False
    return any(e.charge is not None and e.charge.key == charge.key for e in credits)


def _grouped(credits: Sequence[Entry], documents: Mapping[int, int]) -> dict[frozenset[int], list[Entry]]:
    """Credits by the set of documents they correct: those of a period's usage go together (R12.1)."""
    units: dict[tuple[object, ...], list[Entry]] = {}
    for entry in credits:
        charge = entry.charge
        assert charge is not None and charge.credits is not None
        joint = charge.key.kind in ("usage", "minimum_sales", "cost_cap")
        place = (entry.contract, charge.key.start, charge.key.phase) if joint else (documents[charge.credits],)
        units.setdefault(place, []).append(entry)
    grouped: dict[frozenset[int], list[Entry]] = {}
    for rows in units.values():
        named = frozenset(documents[e.charge.credits] for e in rows if e.charge and e.charge.credits is not None)
        grouped.setdefault(named, []).extend(rows)
    return grouped


def amount_of(entry: Entry) -> int:
    """An entry's signed amount in minor units."""
    return entry.charge.amount if entry.charge is not None else entry.amount


def vat_of(entry: Entry) -> Vat:
    """An entry's VAT."""
    return entry.charge.vat if entry.charge is not None else entry.vat


def _document(entries: list[Entry], references: tuple[int, ...], rests: Rests, gross: bool) -> list[Draft]:
    if not any(amount_of(e) for e in entries):
        return []
    invoice = _draft("invoice", entries, references, rests, gross, 1)
    if not (invoice.gross or invoice.net):
        return []
    # The sum to be paid decides: with several VAT rates it may be less than zero though the net is not. Where nothing
    # is to be paid but VAT moves from one rate to another, the net does.
    less = (invoice.gross, invoice.net) < (0, 0)
    return [_draft("credit_note", entries, references, rests, gross, -1) if less else invoice]


def _draft(kind: str, entries: list[Entry], references: tuple[int, ...], rests: Rests, gross: bool, sign: int) -> Draft:
    rows = [
        DraftLine(entry=e, amount=sign * amount_of(e), net=sign * amount_of(e), quantity=_quantity(e, sign))
        for e in sorted(entries, key=sort_key)
    ]
    rest = rests.get(references[0], {}) if kind == "credit_note" and len(references) == 1 else {}
    taxes: list[TaxRow] = []
    for vat in sorted({vat_of(r.entry) for r in rows}, key=lambda v: (-v[1], v[0])):
        places = [i for i, r in enumerate(rows) if vat_of(r.entry) == vat]
        net, tax = _sums(sum(rows[i].amount for i in places), vat, rest.get(vat), gross)
        if gross:
            for i, part in zip(places, spread_net([rows[i].amount for i in places], net), strict=True):
                rows[i] = replace(rows[i], net=part)
        taxes.append(TaxRow(vat, net, tax))
    return Draft(kind=kind, lines=tuple(rows), taxes=tuple(taxes), references=references)


def _sums(amount: int, vat: Vat, rest: tuple[int, int] | None, gross: bool) -> tuple[int, int]:
    """Net and VAT of one rate; the credit that takes the rest of a rate takes the rest of its VAT (R14.4)."""
    left = 0 if rest is None else sum(rest) if gross else rest[0]
    if rest is not None and amount == left:
        return rest
    tax = tax_in_gross(amount, vat[1]) if gross else tax_of_net(amount, vat[1])
    # A part of what is left takes no more than the VAT left; a relief that the document has as well may be more.
    if rest is not None and 0 < amount < left and tax > rest[1]:
        tax = rest[1]
    return (amount - tax if gross else amount), tax


def _quantity(entry: Entry, sign: int) -> Decimal:
    """The quantity to print: by days it stays positive on a credit note; elsewhere it follows the sign. Zero is no
    negative zero: the database knows none, and the document's hash would not be that of what it shows."""
    charge = entry.charge
    if entry.is_difference or charge is not None and charge.by_hand and charge.amount and not charge.quantity:
        return Decimal(1 if sign * amount_of(entry) > 0 else -1)
    quantity = entry.quantity if charge is None else charge.quantity
    same = sign > 0
    if charge is not None and charge.rate is not None:
        same = (charge.amount >= 0) == same or not charge.amount
    return quantity if same or not quantity else quantity.copy_negate()


def sort_key(entry: Entry) -> tuple[object, ...]:
    """Contract after contract: the tariff's order, then that of booking, each by its periods, then top-up and relief
    (higher rate first); then sales items, then time (R14.5)."""
    charge = entry.charge
    if charge is None:
        return (1, 0 if entry.kind == "sales_item" else 1, entry.order, 0, 0, (), date.min, 0)
    after = ORDER_AFTER.get(charge.key.kind, 0)
    place = entry.order[:1]
    if after:
        return (0, 0, place, 1, 0, (charge.key.start, after, -charge.vat[1]), charge.first, 0)
    return (0, 0, place, 0, 0, entry.order[1:], charge.first, 0 if charge.amount < 0 else 1)
