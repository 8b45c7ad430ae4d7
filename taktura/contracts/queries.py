"""Reads of contracts."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractLine, ContractPhase, Pause
from taktura.core.errors import Refused
from taktura.core.facts import at
from taktura.core.periods import FOREVER
from taktura.core.terms import notice_deadline, parse_terms
from taktura.customers.queries import is_german_consumer


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A contract as it stands on a day; `ends` is exclusive, None while no end is fixed."""

    status: str  # pending | active | paused | ended
    ends: date | None
    notice_deadline: date | None
    next_billing: date | None
    lines: dict[str, Decimal]


def by_key(seller_id: int, key: str) -> Contract:
    """The contract of a key; raises `Refused` (`not_found`)."""
    found = (
        Contract.objects.select_related("customer__seller", "customer__billing_information", "tariff")
        .filter(customer__seller=seller_id, key=key)
        .first()
    )
    if found is None:
        raise Refused("not_found", "There is no contract “%(key)s”.", key=key)
    return found


def phase_on(contract: Contract, day: date) -> ContractPhase:
    """The phase in which a day lies; before the first, the first."""
    phases = list(ContractPhase.objects.filter(contract=contract).order_by("start"))
    running = [p for p in phases if p.start <= day]
    return running[-1] if running else phases[0]


def active_lines(contract: Contract, article: str, start: date, end: date | None = None) -> list[ContractLine]:
    """The lines of an article that run within `[start, end)`; without an end, on or after `start`."""
    found = ContractLine.objects.filter(contract=contract, article__key=article)
    found = found.filter(Q(end__isnull=True) | Q(end__gt=start))
    if end is not None:
        found = found.filter(start__lt=end)
    return list(found.select_related("article", "contract").order_by("id"))


def line_for(contract: Contract, article: str, name: str | None = None, day: date | None = None) -> ContractLine:
    """The line meant by an article, and by its name where several run; raises `Refused` (`not_found`)."""
    found = ContractLine.objects.filter(contract=contract, article__key=article).select_related(
        "article", "contract__customer__seller"
    )
    if name:
        found = found.filter(name=name)
    lines = list(found.order_by("id"))
    running = [x for x in lines if day is None or ((x.end is None or x.end > day) and x.start <= day)]
    if not lines:
        raise Refused("not_found", "The contract has no line for the article “%(article)s”.", article=article)
    return (running or lines)[-1] if not running else running[0]


def state(contract: Contract, day: date) -> State:
    """How a contract stands on a day."""
    facts = load([contract.pk])[contract.pk]
    deadline = None
    if facts.end == FOREVER:
        deadline = notice_deadline(
            parse_terms(contract.terms), contract.terms_from, day, consumer=is_german_consumer(contract.customer)
        )
    lines: dict[str, Decimal] = {}
    for line in facts.lines:
        if line.start <= day < min(line.end, facts.end):
            quantity = at(line.quantities, day)
            if quantity:
                lines[line.article] = lines.get(line.article, Decimal(0)) + quantity
    return State(
        status=status_on(contract, day),
        ends=contract.end,
        notice_deadline=deadline,
        next_billing=contract.next_due,
        lines=lines,
    )


def status_on(contract: Contract, day: date) -> str:
    """`pending`, `active`, `paused` or `ended`; without a query where the pauses are prefetched."""
    if day < contract.start:
        return "pending"
    if contract.end is not None and day >= contract.end:
        return "ended"
    paused = any(p.start <= day and (p.end is None or day < p.end) for p in contract.pauses.all())
    return "paused" if paused else "active"


def in_status(contracts: QuerySet[Contract], status: str, day: date) -> QuerySet[Contract]:
    """Those of contracts that have a status on a day."""
    if status == "pending":
        return contracts.filter(start__gt=day)
    if status == "ended":
        return contracts.filter(start__lte=day, end__lte=day)
    running = contracts.filter(start__lte=day).filter(Q(end__isnull=True) | Q(end__gt=day))
    pauses = Pause.objects.filter(contract=OuterRef("pk"), start__lte=day).filter(Q(end__isnull=True) | Q(end__gt=day))
    return running.filter(Exists(pauses) if status == "paused" else ~Exists(pauses))
