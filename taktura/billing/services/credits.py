"""Credits by hand, in part and in full (R5.4, R14.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.ledger import COLUMNS, charge_of
from taktura.billing.models import Charge
from taktura.billing.queries import Facts
from taktura.billing.services.prepare import Work, issue_documents
from taktura.contracts.models import Contract
from taktura.contracts.services.schedule import changed
from taktura.core import facts
from taktura.core.documents import Entry, compose
from taktura.core.errors import Refused
from taktura.core.money import half_up, money
from taktura.customers.queries import check_complete
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.queries import credited, rests
from taktura.invoices.services import Issued, Ready
from taktura.kit.actor import Actor
from taktura.kit.exact import number


@act
def credit(
    actor: Actor,
    *,
    document: Document,
    lines: Sequence[Mapping[str, Any]] | None = None,
    reason: str = "",
    rebill: bool = False,
) -> list[Issued]:
    """Credit a document: what is left of it, or of `lines` ({line, net | quantity}; `line` counts from 1) a part.

    Amounts are net, gross where its prices are. With `rebill` what is credited is billed again with the next billing
    (whole lines only). Raises `Refused`: `already_credited`, `credit_too_high`, `not_found`, `invalid`.
    """
    document = _of_whom(Document.objects.select_for_update(of=("self",))).get(pk=document.pk)
    ready, charges = _ready(document, lines, reason, rebill)
    known = Facts({}, {}, {}, {c.id: pk for pk, c in charges.items()})
    issued = issue_documents(
        actor, document.seller, known, [(r, _work(document)) for r in ready], actor.today(document.seller.time_zone)
    )
    if rebill:
        _reopen(charges.values(), document)
    record(
        actor,
        "credit",
        f"document:{document.pk}",
        {"documents": [d.id for d in issued], "reason": reason, "rebill": rebill},
    )
    return issued


def preview_credit(
    *, document: Document, lines: Sequence[Mapping[str, Any]] | None = None, reason: str = "", rebill: bool = False
) -> list[Ready]:
    """The documents that `credit` would make; nothing is written. Refuses alike."""
    return _ready(_of_whom(Document.objects).get(pk=document.pk), lines, reason, rebill)[0]


def left_to_credit(document: Document) -> dict[int, int]:
    """What is left to credit of each line, by position, in minor units of the price's basis; never of another sign."""
    rows = list(DocumentLine.objects.filter(document=document).values_list("pk", "position", "amount"))
    taken = credited(pk for pk, _, _ in rows)
    return {position: _left(amount, taken.get(pk, 0)) for pk, position, amount in rows}


def _of_whom(documents: Any) -> Any:
    """Documents with their seller, recipient and billing information."""
    return documents.select_related("seller", "customer__seller", "customer__billing_information")


def _ready(
    document: Document, lines: Sequence[Mapping[str, Any]] | None, reason: str, rebill: bool
) -> tuple[list[Ready], dict[int, facts.Charge]]:
    """The credit notes, and the charges that they take back by the document's line."""
    if document.kind != "invoice":
        raise Refused("invalid", "Only an invoice can be credited: choose the invoice.")
    check_complete(document.customer)
    wanted = _amounts(document, lines, rebill)
    charges = {
        row[-1]: charge_of(row)
        for row in Charge.objects.filter(document_line__in=[line.pk for line, _, _ in wanted]).values_list(
            *[c for c in COLUMNS if c != "proof"]
        )
    }
    if rebill and any(line.pk not in charges for line, _, _ in wanted):
        raise Refused(
            "invalid",
            "A sale or worked time cannot be billed again: credit its line without rebill, or only the other lines with"
            " it.",
        )
    entries = [_entry(line, amount, of, charges.get(line.pk), reason, rebill) for line, amount, of in wanted]
    named = {e.charge.credits: document.pk for e in entries if e.charge and e.charge.credits is not None}
    gross = document.prices_are == "gross"
    drafts = compose(entries, named, {document.pk: rests([document.pk])[document.pk]}, gross=gross)
    ready = [
        Ready(
            draft=replace(d, references=(document.pk,)),  # sales items have no charge that names it
            customer=document.customer,
            contract=document.contract_id,
            currency=document.currency,
            gross_prices=gross,
            reason=reason,
        )
        for d in drafts
    ]
    return ready, charges


def _work(document: Document) -> Work:
    return Work(document.customer, document.currency, [], [])


def _amounts(
    document: Document, lines: Sequence[Mapping[str, Any]] | None, rebill: bool
) -> list[tuple[DocumentLine, int, Decimal | None]]:
    """Each line with the minor units to credit of it, and the quantity that they are of: none of a mere amount."""
    rows = list(DocumentLine.objects.filter(document=document).order_by("position"))
    taken = credited(row.pk for row in rows)
    left = {row.pk: _left(row.amount, taken.get(row.pk, 0)) for row in rows}
    if not any(left.values()):
        raise Refused("already_credited", "Nothing is left of %(number)s to credit.", number=document.number)
    if lines is None:
        return [(row, left[row.pk], _whole(row, left[row.pk])) for row in rows if left[row.pk]]
    by_position = {row.position: row for row in rows}
    found = []
    for asked in lines:
        row = by_position.get(int(asked["line"]))
        if row is None:
            raise Refused("not_found", "%(number)s has no line %(line)s.", number=document.number, line=asked["line"])
        amount, quantity = _asked(row, asked, left[row.pk], document.digits)
        if amount > left[row.pk]:
            raise Refused(
                "credit_too_high",
                "Of line %(line)s only %(left)s is left to credit.",
                line=row.position,
                left=money(Fraction(left[row.pk], 10**document.digits), document.digits),
            )
        if amount <= 0:
            raise Refused("invalid", "A credit is more than 0.")
        if rebill and (amount != left[row.pk] or taken.get(row.pk)):
            raise Refused(
                "invalid", "Only whole lines can be billed again: credit the whole line, or leave out rebill."
            )
        left[row.pk] -= amount
        found.append((row, amount, quantity))
    return found


def _left(amount: int, taken: int) -> int:
    """What is left of a line, which never changes its sign: a relief may have named it, and gone back since."""
    return max(0, amount - taken) if amount > 0 else min(0, amount - taken)


def _whole(row: DocumentLine, amount: int) -> Decimal | None:
    return row.quantity if amount == row.amount else None


def _asked(row: DocumentLine, asked: Mapping[str, Any], left: int, digits: int) -> tuple[int, Decimal | None]:
    if asked.get("net") is not None:
        net = number(asked["net"], "net")
        wanted = money(net, digits)
        if wanted.exact != net:
            raise Refused("invalid", "“%(net)s” has more decimals than the currency.", net=asked["net"])
        return wanted.minor, _whole(row, wanted.minor)
    if asked.get("quantity") is None:
        return left, _whole(row, left)
    quantity = number(asked["quantity"], "quantity")
    if not row.quantity or quantity > row.quantity:
        raise Refused(
            "credit_too_high", "Line %(line)s has no quantity of %(quantity)s.", line=row.position, quantity=quantity
        )
    if quantity == row.quantity:
        return left, _whole(row, left)
    part = half_up(Fraction(row.amount) * Fraction(quantity) / Fraction(row.quantity))
    return (part, quantity) if part <= left else (left, None)


def _entry(
    line: DocumentLine, amount: int, of: Decimal | None, charge: facts.Charge | None, reason: str, rebill: bool
) -> Entry:
    """What stands on the credit note: a quantity at its price, or an amount (quantity 1, without unit and price)."""
    quantity = Decimal(1 if amount > 0 else -1) if of is None else of
    unit_price = None if of is None else line.unit_price
    common: dict[str, Any] = {
        "contract": line.contract_id,
        "article": line.article,
        "title": line.title,
        "kind": line.kind,
        "unit": "" if of is None else line.unit,
        "order": (line.position,),
        "note": {"reason": reason} if reason else {},
    }
    if charge is None:
        return Entry(
            **common,
            amount=-amount,
            quantity=-quantity,
            unit_price=unit_price,
            vat=(line.vat_category, line.vat_rate),
            first=line.first,
            end=line.end,
            source=line.pk,
        )
    if charge.rate is None:
        # A mere amount takes no quantity back, nor is that of a difference of amounts the one that its line shows.
        quantity = Decimal(0) if of is None and rebill else charge.quantity if of == line.quantity else quantity
    taken = replace(
        charge,
        amount=-amount,
        credits=charge.id,
        by_hand=True,
        rebill=rebill,
        id=0,
        document=0,
        shares=(),
        unit_price=unit_price,
        quantity=quantity if charge.rate is not None else -quantity,
        proof={"rule": "R14.4", "by_hand": True},
    )
    return Entry(**common, charge=taken)


def _reopen(charges: Any, document: Document) -> None:
    days: dict[int, date] = {}
    contracts = dict(Charge.objects.filter(document=document).values_list("id", "contract_id"))
    for charge in charges:
        contract = contracts[charge.id]
        days[contract] = min(days.get(contract, charge.first), charge.key.start)
    for found in Contract.objects.filter(pk__in=days):
        changed(found, days[found.pk])
