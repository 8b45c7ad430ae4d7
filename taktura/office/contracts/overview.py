"""A contract's first pages: what was agreed, what runs, what was billed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from taktura.billing import services as billing
from taktura.billing.forecast import compared
from taktura.billing.services import Standing
from taktura.contracts.models import Contract, ContractCoupon, ContractLine, LineQuantity
from taktura.core import facts
from taktura.core.facts import Line, LineTerms, at
from taktura.core.periods import FOREVER
from taktura.core.schedule import as_billed, own_over_time
from taktura.core.terms import parse_terms
from taktura.invoices.models import DocumentState
from taktura.invoices.queries import balance
from taktura.kit.fields import stored_end
from taktura.office import show
from taktura.office.contracts.called import called
from taktura.office.contracts.coming import coming
from taktura.office.contracts.compared import shown_comparison
from taktura.office.contracts.frame import answer, find
from taktura.office.contracts.own import agreed, told
from taktura.office.contracts.usage import bounds_of, usage_bar
from taktura.office.page import actor_of, page, today_of, user_of
from taktura.office.terms import amount_of, anchor_of, conditions_of, every, notice_of, price_of

DOCUMENTS = 50
BILLS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A quantity from a day on. `change`: it can be taken back; `taken_back`: it was."""

    start: date
    quantity: str
    memo: str
    change: int | None
    taken_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A contract line as it is shown: what it is, how many, at what price, from when to when, and its timeline."""

    pk: int
    title: str
    article: str
    charge: str
    quantity: str
    price: str
    conditions: list[str]
    own: list[str]
    start: date
    end: date | None
    memo: str
    changeable: bool
    agreeable: bool  # whether its own conditions can be changed
    agreed: list[tuple[date, str]]  # its own conditions over time, where they have changed
    when: str  # running | coming | past
    timeline: list[Step]
    notice: date | None
    prices: list[tuple[date, str]]


@page("contracts.view")
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """What was agreed, and what the next bill will be."""
    found = find(request, pk)
    stands = billing.standing(actor_of(request), contract=found, bills=BILLS)
    phase = stands.contract.phases[-1]
    version = phase.terms(max(today_of(request), found.start))
    given = [c.id for c in stands.contract.coupons]
    coupons = ContractCoupon.objects.filter(pk__in=given).select_related("coupon", "code").order_by("id")
    today, user = today_of(request), user_of(request)
    rows = {x.pk: x for x in ContractLine.objects.filter(contract=found)}
    running = [c for c in components(found, stands, today, rows, {}) if c.when == "running"]
    period = stands.running if user.may("usage.view") else None
    beside = compared(stands.contract, stands.bills) if user.may("documents.view") else None
    return answer(
        request,
        found,
        "contract",
        "contracts/contract.html",
        stands,
        notice=notice_of(parse_terms(found.terms)),
        rhythm=every(version.interval),
        anchor=anchor_of(f"day {phase.anchor.day}" if phase.anchor.kind == "day" else phase.anchor.kind),
        version=version,
        coupons=[(c, _coupon(c, found.currency)) for c in coupons],
        conditions=[c for c in running if c.own],
        components=running,
        coming=coming(found, stands.contract, today, {pk: x.name for pk, x in rows.items()}),
        period=period,
        bars=[usage_bar(x, found.currency) for x in period.lines] if period else [],
        bounds=bounds_of(period, found.currency) if period else [],
        balance=balance(found.pk).minor if user.may("documents.view") else None,
        compared=shown_comparison(beside, stands.contract, found.currency) if beside else None,
    )


@page("contracts.view")
def lines(request: HttpRequest, pk: int) -> HttpResponse:
    """What runs, what comes, what was."""
    found, today = find(request, pk), today_of(request)
    stands = billing.standing(actor_of(request), contract=found)
    known = {x.pk: x for x in ContractLine.objects.filter(contract=found)}
    quantities: dict[int, list[LineQuantity]] = {}
    for q in LineQuantity.objects.filter(line__contract=found).order_by("id"):
        quantities.setdefault(q.line_id, []).append(q)
    rows = components(found, stands, today, known, quantities)
    parts = [
        (when, title, [c for c in rows if c.when == when])
        for when, title in (("running", _("Running")), ("coming", _("Coming")), ("past", _("Past")))
    ]
    return answer(request, found, "contract_lines", "contracts/lines.html", stands, parts=parts)


@page("documents.view")
def documents(request: HttpRequest, pk: int) -> HttpResponse:
    """What was billed, and what is open of it."""
    found = find(request, pk)
    rows = DocumentState.objects.filter(contract=found).order_by("-issued_on", "-document")
    return answer(
        request,
        found,
        "contract_documents",
        "contracts/documents.html",
        rows=rows[:DOCUMENTS],
        most=DOCUMENTS,
        balance=balance(found.pk).minor,
    )


def components(
    contract: Contract,
    stands: Standing,
    today: date,
    rows: Mapping[int, ContractLine],
    quantities: Mapping[int, Sequence[LineQuantity]],
) -> list[Component]:
    """The contract's lines in the order of its tariff. `rows` by their key, `quantities` by line where they are shown,
    in the order in which they were written."""
    found = []
    for value in stands.contract.lines:
        end = min(value.end, stands.contract.end)
        day = min(max(today, value.start), max(value.start, date.fromordinal(end.toordinal() - 1)))
        terms: LineTerms = at(value.terms, day)
        own = as_billed(stands.contract, value, day)
        when = "coming" if value.start > today else "past" if end <= today else "running"
        found.append(
            (
                (terms.position, value.id),
                Component(
                    pk=value.id,
                    title=called(terms.title, rows[value.id].name),
                    article=value.article,
                    charge=terms.charge,
                    quantity=_quantity(terms, at(value.quantities, day)),
                    price=price_of(terms, contract.currency, own.price),
                    conditions=conditions_of(terms),
                    own=_own(own, contract.currency),
                    start=value.start,
                    end=stored_end(value.end) if value.end != FOREVER else None,
                    memo=rows[value.id].memo,
                    notice=rows[value.id].notice_received,
                    changeable=when != "past" and _changeable(terms),
                    agreeable=when != "past" and terms.charge != "once",
                    agreed=_agreed(stands.contract, value, contract.currency),
                    when=when,
                    timeline=_steps(quantities.get(value.id, ()), open_=when != "past"),
                    prices=[
                        (start, price_of(later, contract.currency))
                        for start, later in value.terms
                        if start > today and value.on(start).price is None
                    ],
                ),
            )
        )
    return [c for _place, c in sorted(found, key=lambda f: f[0])]


def _steps(rows: Sequence[LineQuantity], *, open_: bool) -> list[Step]:
    """A line's quantities in the order of their days; with what it was booked nothing can be taken back."""
    found = [
        Step(
            start=q.start,
            quantity=amount_of(q.quantity, "piece"),
            memo=q.memo,
            change=q.pk if place and open_ and q.taken_back_at is None else None,
            taken_back=q.taken_back_at is not None,
        )
        for place, q in enumerate(rows)
    ]
    return sorted(found, key=lambda s: s.start)


def _agreed(contract: facts.Contract, line: Line, currency: str) -> list[tuple[date, str]]:
    """The own conditions of a line over time: (from, in words); nothing where they have not changed."""
    if not line.conditions:
        return []
    return [(day, told(own, currency)) for day, own in own_over_time(contract, line)]


def _quantity(terms: LineTerms, quantity: Decimal) -> str:
    counted = terms.charge != "usage" or terms.usage_pricing == "fixed_quantity"
    return show.quantity(quantity) if counted else _("by usage")


def _changeable(terms: LineTerms) -> bool:
    return terms.charge == "recurring" or terms.usage_pricing == "fixed_quantity"


def _own(row: Line, currency: str) -> list[str]:
    """The contract's own conditions of a line (R7.5)."""
    found = agreed(row, currency)
    if row.kept is not None:
        found.append(_("kept at its old terms since %(day)s") % {"day": show.day(row.kept)})
    return found


def _coupon(given: ContractCoupon, currency: str) -> str:
    coupon = given.coupon
    off = show.rate(coupon.percent) if coupon.percent is not None else show.price(coupon.amount or Decimal(0), currency)
    return _("%(amount)s off") % {"amount": off}
