"""Why a line of a document has its amount: from the line to the usage behind it.

What is said is a message with values (`Said`), so that each door writes it in its reader's language and numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from taktura.billing.models import Charge, TimeCharge
from taktura.billing.worked import proof_of
from taktura.core.errors import Refused
from taktura.core.metering import billed_seconds
from taktura.core.money import Money, plain
from taktura.core.periods import DAY
from taktura.invoices.models import Document, DocumentLine
from taktura.kit.language import translate
from taktura.usage.store import Behind, rows_behind

TEXTS = {
    "rule": "rule",
    "no_contract": "not of a contract",
    "own_price": "a sale, at its own price",
    "by_hand": "by hand",
    "by_a_person": "a credit given by a person",
    "period_price": "price of the whole period",
    "of_period": "%(price)s for %(first)s – %(last)s",
    "days": "days %(first)s to %(last)s of %(all)s",
    "subtracted": "%(until)s − %(before)s, each rounded, then subtracted",
    "waived": "credited by hand before",
    "minimum": "minimum of the period",
    "cap": "cap of the period",
    "cost": "exact amount",
    "expected": "rounded, expected in all",
    "billed_before": "billed of it before",
    "sum_of_costs": "sum of the rows' cost",
    "sum_of_prices": "sum of the rows' price",
    "converted": "converted",
    "divided": "%(amount)s %(currency)s ÷ %(under)s (rate of %(day)s) = %(is)s",
    "multiplied": "%(amount)s %(currency)s × %(over)s (rate of %(day)s) = %(is)s",
    "across": "%(amount)s %(currency)s × %(over)s ÷ %(under)s (rates of %(day)s) = %(is)s",
    "markup": "markup",
    "percent": "%(percent)s %%",
    "tick": "tick",
    "tick_record": "each record at least %(first)s s, then each begun %(step)s s",
    "tick_record_same": "each begun %(step)s s of a record",
    "tick_period": "the period's sum at least %(first)s s, then each begun %(step)s s",
    "tick_period_same": "each begun %(step)s s of the period's sum",
    "seconds": "billed seconds",
    "quantity": "quantity",
    "used": "usage, in the flat price",
    "minimum_quantity": "minimum quantity",
    "included": "included, not charged",
    "priced": "priced quantity",
    "graduated": "tiers, graduated",
    "volume": "tiers, volume",
    "tier": "up to %(up_to)s: %(price)s",
    "tier_flat": "up to %(up_to)s: %(price)s + %(flat)s at once",
    "last_tier": "beyond: %(price)s",
    "last_tier_flat": "beyond: %(price)s + %(flat)s at once",
    "price": "price",
    "price_per": "%(price)s for %(quantity)s",
    "price_package": "%(price)s, started packages count whole",
    "price_per_package": "%(price)s for %(quantity)s, started packages count whole",
    "discount_scale": "discount scale",
    "discount": "agreed discount",
    "percent_reason": "%(percent)s %% (%(reason)s)",
    "coupon": "coupon",
    "coupon_share": "%(share)s of its amount",
    "logged": "minutes logged",
    "counted": "minutes that they add to the rounded sum",
    "ticket": "of the ticket so far",
    "ticket_minutes": "%(logged)s min, rounded up to %(rounded)s",
    "included_hours": "minutes in included hours",
    "minutes": "minutes to be paid",
    "minutes_before": "minutes paid before",
    "hour": "price of an hour",
    "gross": "with VAT",
    "net": "net of the line",
}
RULES = {
    "R3.1": "A one-off price: it is due once.",
    "R4.1": "A recurring price: a started period counts whole.",
    "R4.2": "A recurring price, by the days of its period.",
    "R5.3": "What was billed is taken back, by the days of its period.",
    "R7": "Usage of the period, at its price.",
    "R7.4": "A flat price of the period: usage costs nothing beyond it.",
    "minimum_sales": "What is missing to the minimum sales of the period.",
    "cost_cap": "What goes beyond the cost cap of the period.",
    "R14.4": "A credit by hand.",
    "R17.1": "Usage of the period by the supplier's figures.",
    "R18": "Approved time: a ticket's minutes are summed and rounded up once, then priced.",
}

Show = Callable[[object], str]


class Price(Fraction):
    """An exact amount of the document's currency, not rounded: a unit price, a cost."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A message with what fills its places: exact numbers (`Fraction`), amounts (`Money`), days, words. Without a
    message its one value says it all."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str, show: Show) -> str:
        """The message in a language, each value as `show` writes it."""
        shown = {name: show(value) for name, value in self.values.items()}
        return translate(self.message, shown, language) if self.message else ", ".join(shown.values())


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the calculation: what, and how much of it, in one part or several (tiers)."""

    what: Said
    parts: tuple[Said, ...]

    def text(self, language: str, show: Show) -> tuple[str, str]:
        """What and how much, in a language."""
        return self.what.text(language, show), "; ".join(part.text(language, show) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A line with its charge's proof, and the usage records that it was made from, as they were then.

    `steps`: how the amount comes about, in the order of the calculation; exact. `first` and `end` (exclusive) are the
    line's service period. `behind`: which records were summed; `rows` lists them all.
    """

    line: DocumentLine
    document: str
    position: int
    title: str
    amount: Decimal
    currency: str
    proof: dict[str, Any]
    first: date | None
    end: date | None
    steps: list[Step] = field(default_factory=list)
    behind: Behind | None = None
    credited: DocumentLine | None = None

    @property
    def credited_document(self) -> str:
        """The number of the document from which the line takes back."""
        return self.credited.document.number if self.credited else ""

    @property
    def rule(self) -> str:
        """The rule in a sentence, to be translated; empty where there is none."""
        rule = str(self.proof.get("rule", ""))
        return RULES.get(self.line.kind if rule == "R9.1" else rule, "")

    def billed_seconds(self, seconds: int | None) -> int | None:
        """What a record's seconds count by the tick; None where the tick is not that of records."""
        if seconds is None or self.proof.get("tick_scope") != "record":
            return None
        first, step = self.proof["tick"]
        return billed_seconds(seconds, (first, step))

    def rows(self) -> list[dict[str, Any]]:
        """All records behind the line, in the order of their days."""
        return rows_behind(self.behind) if self.behind else []

    def texts(self, language: str, show: Show) -> list[tuple[str, str]]:
        """The steps in a language."""
        return [step.text(language, show) for step in self.steps]


def explain(document: Document, position: int) -> Explanation:
    """Explain a line; raises `Refused` (`not_found`)."""
    line = DocumentLine.objects.filter(document=document, position=position).first()
    if line is None:
        raise Refused("not_found", "%(number)s has no line %(line)s.", number=document.number, line=position)
    charge = Charge.objects.filter(document_line=line).first()
    proof: dict[str, Any] = charge.proof if charge else _own_proof(line)
    usage = proof.get("usage")
    behind = None
    if usage:
        first, until = date.fromisoformat(usage["from"]), date.fromisoformat(usage["until"])
        behind = Behind(usage["line"], first, until, usage["mark"])
    credited = None
    if line.credits_id is not None:
        credited = DocumentLine.objects.select_related("document").get(pk=line.credits_id)
    return Explanation(
        line=line,
        document=document.number,
        position=position,
        title=line.title,
        amount=Money(line.net, document.digits).exact,
        currency=document.currency,
        proof=proof,
        first=line.first,
        end=line.end,
        steps=[*_steps(proof, document.digits), *_last_steps(line, document)],
        behind=behind,
        credited=credited,
    )


def lines_with_usage(document: Document) -> list[int]:
    """The positions of a document's lines that were made from usage records."""
    rows = Charge.objects.filter(document=document, proof__has_key="usage").order_by("document_line__position")
    return list(rows.values_list("document_line__position", flat=True))


def _own_proof(line: DocumentLine) -> dict[str, Any]:
    """The proof of a line that no charge of a contract made: of worked time; none of a sale."""
    time = TimeCharge.objects.filter(document_line=line).first()
    return proof_of(time) if time else {}


def exact(number: Fraction) -> str:
    """An exact number as people read it: a decimal where it ends, else the fraction and its beginning."""
    shown = plain(number)
    return f"{shown:f}" if Fraction(shown) == number else f"{number} ≈ {shown:f}"


def plainly(value: object) -> str:
    """A value of a step without the habits of a language: points in decimals, ISO days."""
    return exact(value) if isinstance(value, Fraction) else str(value)


def _step(name: str, *parts: Said) -> Step:
    return Step(Said(TEXTS[name]), parts)


def _said(name: str, **values: object) -> Said:
    return Said(TEXTS[name], values)


def _only(value: object) -> Said:
    return Said("", {"value": value})


def _number(name: str, text: str) -> Step:
    return _step(name, _only(Fraction(text)))


def _steps(proof: dict[str, Any], digits: int) -> Iterator[Step]:
    """The calculation that a proof holds, step by step."""
    if not proof:
        yield _step("no_contract", _said("own_price"))
        return
    if proof.get("by_hand"):
        yield _step("by_hand", _said("by_a_person"))
        return
    yield _step("rule", _only(proof["rule"]))
    yield from _time_steps(proof)
    yield from _quantity_steps(proof)
    yield from _price_steps(proof, digits)
    if "cost_b" in proof:
        yield from _days_steps(proof, digits)
        return
    if "minimum" in proof:
        yield _step("minimum", _only(Price(Fraction(proof["minimum"]) / 10**digits)))
    if "cap" in proof:
        yield _step("cap", _only(Price(Fraction(proof["cap"]) / 10**digits)))
    if "cost" in proof:
        yield _step("cost", _only(Price(proof["cost"])))
    yield _step("expected", _only(Money(proof["expected"], digits)))
    yield _step("billed_before", _only(Money(proof["billed_before"], digits)))


def _days_steps(proof: dict[str, Any], digits: int) -> Iterator[Step]:
    first, end = (date.fromisoformat(day) for day in proof["period"])
    yield _step("period_price", _said("of_period", price=Price(proof["period_price"]), first=first, last=end - DAY))
    until, before = Price(proof["cost_b"]), Price(proof["cost_a"])
    days = _said("days", first=proof["a"] + 1, last=proof["b"], all=proof["n"])
    yield Step(days, (_said("subtracted", until=until, before=before),))
    if proof.get("waived"):
        yield _step("waived", _only(Money(proof["waived"], digits)))


def _time_steps(proof: dict[str, Any]) -> Iterator[Step]:
    if "hour" not in proof:
        return
    yield _step("logged", _only(proof["logged"]))
    if "ticket_logged" in proof:
        yield _step("ticket", _said("ticket_minutes", logged=proof["ticket_logged"], rounded=proof["ticket_rounded"]))
    yield _step("counted", _only(proof["counted"]))
    if proof["included_hours"]:
        yield _step("included_hours", _only(proof["included_hours"]))
    yield _step("minutes", _only(proof["minutes"]))
    if proof["minutes_before"]:
        yield _step("minutes_before", _only(proof["minutes_before"]))
    yield _step("hour", _only(Price(proof["hour"])))


def _converted(one: dict[str, str]) -> Said:
    """Amounts of another currency, the rate and its day, and what they come to."""
    over, under = Fraction(one["over"]), Fraction(one["under"])
    name = "across" if over != 1 and under != 1 else "divided" if over == 1 else "multiplied"
    values = {"amount": Fraction(one["amount"]), "over": over, "under": under, "is": Fraction(one["is"])}
    return _said(name, currency=one["currency"], day=date.fromisoformat(one["day"]), **values)


def _quantity_steps(proof: dict[str, Any]) -> Iterator[Step]:
    if proof.get("converted"):
        yield _step("converted", *(_converted(one) for one in proof["converted"]))
    if "imported" in proof:
        name = "sum_of_costs" if proof.get("usage_pricing") == "cost_plus" else "sum_of_prices"
        yield _step(name, _only(Price(proof["imported"])))
        if "markup" in proof:
            yield _percent("markup", proof["markup"])
        return
    if "tick" in proof:
        first, step = proof["tick"]
        name = f"tick_{proof['tick_scope']}" + ("_same" if first == step else "")
        yield _step("tick", _said(name, step=step) if first == step else _said(name, first=first, step=step))
        yield _step("seconds", _only(proof["seconds"]))
    if "quantity" in proof:
        yield _number("quantity", proof["quantity"])
    if "used" in proof:
        yield _number("used", proof["used"])
    if "minimum_quantity" in proof:
        yield _number("minimum_quantity", proof["minimum_quantity"])
    included = proof.get("included_used", proof.get("included", "0"))
    if Fraction(included):
        yield _number("included", included)
    if "priced" in proof:
        yield _number("priced", proof["priced"])


def _price_steps(proof: dict[str, Any], digits: int) -> Iterator[Step]:
    if "tiers" in proof:
        yield _step(proof["tier_mode"], *(_tier(*tier) for tier in proof["tiers"]))
    elif "price" in proof:
        price, package = Price(proof["price"]), "_package" if proof.get("package") == "started" else ""
        if "price_quantity" in proof:
            said = _said(f"price_per{package}", price=price, quantity=Fraction(proof["price_quantity"]))
        else:
            said = _said("price_package", price=price) if package else _only(price)
        yield _step("price", said)
    if "discount_scale" in proof:
        yield _percent("discount_scale", proof["discount_scale"])
    if "discount" in proof:
        yield _percent("discount", proof["discount"], str(proof.get("reason", "")))
    for coupon in proof.get("coupons", ()):
        if "percent" in coupon:
            yield _percent("coupon", coupon["percent"])
        else:
            yield _step("coupon", _said("coupon_share", share=Money(coupon["share"], digits)))


def _tier(up_to: str | None, price: str, flat: str) -> Said:
    values: dict[str, object] = {"price": Price(price)}
    if up_to:
        values["up_to"] = Fraction(up_to)
    if Fraction(flat):
        values["flat"] = Price(flat)
    return _said(("tier" if up_to else "last_tier") + ("_flat" if "flat" in values else ""), **values)


def _percent(name: str, percent: str, reason: str = "") -> Step:
    if reason:
        return _step(name, _said("percent_reason", percent=Fraction(percent), reason=reason))
    return _step(name, _said("percent", percent=Fraction(percent)))


def _last_steps(line: DocumentLine, document: Document) -> Iterator[Step]:
    digits = document.digits
    if document.prices_are == "gross" and line.amount != line.net:
        yield _step("gross", _only(Money(line.amount, digits)))
    yield _step("net", Said("%(net)s %(currency)s", {"net": Money(line.net, digits), "currency": document.currency}))
