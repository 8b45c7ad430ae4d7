"""Why a line of a document has its amount: from the line to the usage behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from taktura.billing.models import Charge
from taktura.core.errors import Refused
from taktura.core.money import Money, plain
from taktura.invoices.models import Document, DocumentLine
from taktura.usage.store import rows_behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A line with its charge's proof, and the usage records that it was made from, as they were then.

    `steps`: how the amount comes about, as pairs of what and how much, in the order of the calculation; exact. `first`
    and `end` (exclusive) are the line's service period.
    """

    document: str
    position: int
    title: str
    amount: Decimal
    currency: str
    proof: dict[str, Any]
    first: date | None
    end: date | None
    steps: list[tuple[str, str]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    credited_document: str = ""


def explain(document: Document, position: int) -> Explanation:
    """Explain a line; raises `Refused` (`not_found`)."""
    line = DocumentLine.objects.filter(document=document, position=position).first()
    if line is None:
        raise Refused("not_found", "%(number)s has no line %(line)s.", number=document.number, line=position)
    charge = Charge.objects.filter(document_line=line).first()
    proof: dict[str, Any] = charge.proof if charge else {}
    rows = []
    usage = proof.get("usage")
    if usage:
        rows = rows_behind(
            usage["line"], date.fromisoformat(usage["from"]), date.fromisoformat(usage["until"]), usage["mark"]
        )
    credited = ""
    if line.credits_id is not None:
        credited = DocumentLine.objects.select_related("document").get(pk=line.credits_id).document.number
    basis = Money(line.amount, document.digits).exact
    return Explanation(
        document=document.number,
        position=position,
        title=line.title,
        amount=Money(line.net, document.digits).exact,
        currency=document.currency,
        proof=proof,
        first=line.first,
        end=line.end,
        steps=[*_steps(proof, document.digits), *_last_steps(line, document, basis)],
        rows=rows,
        credited_document=credited,
    )


def exact(text: str) -> str:
    """A proof's exact number as people read it: a decimal where it ends, else the fraction and its beginning."""
    number = Fraction(text)
    shown = plain(number)
    return f"{shown:f}" if Fraction(shown) == number else f"{number} ≈ {shown:f}"


def _steps(proof: dict[str, Any], digits: int) -> Iterator[tuple[str, str]]:
    """The calculation that a proof holds, step by step."""
    if not proof:
        yield "not of a contract", "a sale or time, at its own price"
        return
    if proof.get("by_hand"):
        yield "by hand", "a credit given by a person"
        return
    yield "rule", proof["rule"]
    yield from _quantity_steps(proof)
    yield from _price_steps(proof)
    if "cost_b" in proof:
        first, last = date.fromisoformat(proof["period"][0]), date.fromisoformat(proof["period"][1])
        yield "price of the whole period", f"{exact(proof['period_price'])} for {first} – {_before(last)}"
        days = f"days {proof['a'] + 1} to {proof['b']} of {proof['n']}"
        yield days, f"{exact(proof['cost_b'])} − {exact(proof['cost_a'])}, each rounded, then subtracted"
        if proof.get("waived"):
            yield "credited by hand before", f"{Money(proof['waived'], digits)}"
        return
    if "minimum" in proof:
        yield "minimum of the period", _of_minor(proof["minimum"], digits)
    if "cap" in proof:
        yield "cap of the period", _of_minor(proof["cap"], digits)
    if "cost" in proof:
        yield "exact amount", exact(proof["cost"])
    yield "rounded, expected in all", f"{Money(proof['expected'], digits)}"
    yield "billed of it before", f"{Money(proof['billed_before'], digits)}"


def _quantity_steps(proof: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "imported" in proof:
        what = "cost" if proof.get("usage_pricing") == "cost_plus" else "price"
        yield f"sum of the rows' {what}", exact(proof["imported"])
        if "markup" in proof:
            yield "markup", f"{exact(proof['markup'])} %"
        return
    if "quantity" in proof:
        yield "quantity", exact(proof["quantity"])
    if "used" in proof:
        yield "usage, in the flat price", exact(proof["used"])
    if "minimum_quantity" in proof:
        yield "minimum quantity", exact(proof["minimum_quantity"])
    if Fraction(proof.get("included_used", proof.get("included", "0"))):
        yield "included, not charged", exact(proof.get("included_used", proof["included"]))
    if "priced" in proof:
        yield "priced quantity", exact(proof["priced"])


def _price_steps(proof: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "tiers" in proof:
        parts = []
        for up_to, price, flat in proof["tiers"]:
            fixed = f" + {exact(flat)} at once" if Fraction(flat) else ""
            parts.append(f"{'up to ' + exact(up_to) if up_to else 'beyond'}: {exact(price)}{fixed}")
        yield f"tiers, {proof['tier_mode']}", "; ".join(parts)
    elif "price" in proof:
        per = f" for {exact(proof['price_quantity'])}" if "price_quantity" in proof else ""
        started = ", started packages count whole" if proof.get("package") == "started" else ""
        yield "price", f"{exact(proof['price'])}{per}{started}"
    if "discount_scale" in proof:
        yield "discount scale", f"{exact(proof['discount_scale'])} %"
    if "discount" in proof:
        reason = f" ({proof['reason']})" if proof.get("reason") else ""
        yield "agreed discount", f"{exact(proof['discount'])} %{reason}"
    for coupon in proof.get("coupons", ()):
        yield "coupon", f"{exact(coupon['percent'])} %" if "percent" in coupon else f"{coupon['share']} of its amount"


def _last_steps(line: DocumentLine, document: Document, basis: Decimal) -> Iterator[tuple[str, str]]:
    net = Money(line.net, document.digits).exact
    if document.prices_are == "gross" and basis != net:
        yield "with VAT", f"{basis}"
    yield "net of the line", f"{net} {document.currency}"


def _of_minor(text: str, digits: int) -> str:
    """An exact number of minor units in the currency."""
    return exact(str(Fraction(text) / 10**digits))


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
