"""Reads of contracts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When

from taktura.catalog.models import TariffLine
from taktura.catalog.queries import tariff_line_terms
from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractLine, ContractPhase, LineQuantity, Pause, PhaseVersion
from taktura.core import facts
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms, at
from taktura.core.periods import DAY, FOREVER, Span
from taktura.core.terms import earliest_end, notice_deadline, parse_terms
from taktura.customers.queries import is_german_consumer

NUMBERS_TRIED = 50
STATES = ("pending", "active", "paused", "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A contract as it stands on a day; ends are exclusive, `ends` is None while no end is fixed.

    `earliest_end`: to which notice received on the day leads, `notice_deadline` the last day on which it still does.
    """

    status: str  # one of `STATES`
    ends: date | None
    earliest_end: date | None
    notice_deadline: date | None
    next_billing: date | None
    lines: dict[str, Decimal]


def by_key(seller_id: int, key: str) -> Contract:
    """The contract of a key; raises `Refused` (`not_found`)."""
    found = (
        Contract.objects.select_related("customer__seller", "customer__billing_information", "tariff")
        .filter(seller=seller_id, key=key)
        .first()
    )
    if found is None:
        raise Refused("not_found", "There is no contract “%(key)s”.", key=key)
    return found


def by_keys(seller_id: int, keys: Iterable[str]) -> dict[str, Contract]:
    """The contracts of keys, in one query; raises `Refused` (`not_found`) for the first unknown."""
    wanted = sorted(set(keys))
    rows = Contract.objects.select_related("customer__seller", "customer__billing_information", "tariff")
    found = {c.key: c for c in rows.filter(seller=seller_id, key__in=wanted)}
    for key in wanted:
        if key not in found:
            raise Refused("not_found", "There is no contract “%(key)s”.", key=key)
    return found


def heir_of(contract: Contract) -> Contract | None:
    """The contract of another customer that goes on with this one, if it was transferred."""
    if contract.end is None:
        return None
    return Contract.objects.select_related("customer").filter(transferred_from=contract).first()


def bearer_on(contract: Contract, day: date) -> Contract:
    """The contract that stands in another's place on a day: an heir of it from its start on, else the contract."""
    heir = Contract.objects.filter(transferred_from=contract, start__lte=day)
    found = heir.select_related("customer__seller", "customer__billing_information", "tariff").first()
    return contract if found is None else bearer_on(found, day)


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
        "article", "contract__customer__seller", "contract__customer__billing_information"
    )
    if name:
        found = found.filter(name=name)
    lines = list(found.order_by("id"))
    running = [x for x in lines if day is None or ((x.end is None or x.end > day) and x.start <= day)]
    if not lines:
        raise Refused("not_found", "The contract has no line for the article “%(article)s”.", article=article)
    return (running or lines)[-1] if not running else running[0]


def quantity_changes(contract: Contract) -> QuerySet[LineQuantity]:
    """The changes of quantity of a contract that hold, the newest first; what a line was booked with is none."""
    booked = LineQuantity.objects.filter(line=OuterRef("line")).order_by("pk").values("pk")[:1]
    rows = LineQuantity.objects.filter(line__contract=contract, taken_back_at__isnull=True)
    return rows.exclude(pk=Subquery(booked)).select_related("line__article").order_by("-start", "-pk")


def quantity_change(line: ContractLine, start: date) -> LineQuantity:
    """The change of a line's quantity that holds from a day; raises `Refused` (`not_found`)."""
    found = quantity_changes(line.contract).filter(line=line, start=start).first()
    if found is None:
        raise Refused("not_found", "The line has no change of quantity from %(day)s.", day=start.isoformat())
    found.line = line
    return found


@dataclass(frozen=True, slots=True)
class Renewal:
    """A contract's term is over on a day (exclusive) and a further one runs `until` another, unless notice is received
    by the deadline."""

    on: date
    until: date
    deadline: date


def renewal_of(contract: Contract, today: date) -> Renewal | None:
    """The next renewal of a contract that no notice has ended; None where it runs on without terms (R15.3, R15.4)."""
    terms, consumer = parse_terms(contract.terms), is_german_consumer(contract.customer)
    if contract.end is not None or terms.to != "term_end" or not isinstance(terms.renewal_term, Span) or consumer:
        return None
    begun = contract.terms_from
    plain = replace(terms, notice=None)
    on = earliest_end(plain, begun, today)
    deadline = on - DAY
    while deadline >= begun and earliest_end(terms, begun, deadline) > on:
        deadline -= DAY
    return Renewal(on, earliest_end(plain, begun, on), deadline)


def line_names(contract: Contract) -> dict[int, str]:
    """The names of those lines of a contract that have one."""
    return dict(ContractLine.objects.filter(contract=contract).exclude(name="").values_list("pk", "name"))


def phases_after(contract: Contract, day: date) -> list[ContractPhase]:
    """The phases that begin after a day, with their tariffs."""
    found = ContractPhase.objects.filter(contract=contract, start__gt=day)
    return list(found.select_related("tariff").order_by("start"))


def state(contract: Contract, day: date) -> State:
    """How a contract stands on a day."""
    return state_of(contract, load([contract.pk])[contract.pk], day)


def state_of(contract: Contract, values: facts.Contract, day: date) -> State:
    """The same, of facts that are loaded; without a query."""
    status = "paused" if any(a <= day < b for a, b in values.pauses) else "active"
    if day < contract.start:
        status = "pending"
    elif day >= values.end:
        status = "ended"
    deadline = earliest = None
    if values.end == FOREVER:
        agreed, consumer = parse_terms(contract.terms), is_german_consumer(contract.customer)
        deadline = notice_deadline(agreed, contract.terms_from, day, consumer=consumer)
        earliest = earliest_end(agreed, contract.terms_from, day, consumer=consumer)
    lines: dict[str, Decimal] = {}
    for terms, quantity in lines_on(values, day).values():
        lines[terms.article] = lines.get(terms.article, Decimal(0)) + quantity
    return State(
        status=status,
        ends=contract.end,
        earliest_end=earliest,
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


def with_status(found: QuerySet[Contract], day: date) -> QuerySet[Contract]:
    """Contracts with their state on a day as `status`."""
    paused = Exists(_pauses_on(day).filter(contract=OuterRef("pk")))
    status = Case(
        When(start__gt=day, then=Value("pending")),
        When(end__lte=day, then=Value("ended")),
        When(paused, then=Value("paused")),
        default=Value("active"),
    )
    return found.annotate(status=status)


def _pauses_on(day: date) -> QuerySet[Pause, int]:
    return Pause.objects.filter(Q(end__isnull=True) | Q(end__gt=day), start__lte=day).values_list("contract", flat=True)


def next_key(seller_id: int) -> str:
    """A key for a new contract: that of the contract signed last, counted on to the first that is free."""
    return next(iter(next_keys(seller_id, 1)), "")


def next_keys(seller_id: int, count: int) -> list[str]:
    """Keys for several new contracts, as `next_key` gives one; fewer where those that follow are taken."""
    last = Contract.objects.filter(seller=seller_id).order_by("-id").values_list("key", flat=True).first()
    found = re.search(r"[0-9]{1,18}$", last or "")
    stem, number = (last[: found.start()], found[0]) if last and found else ("V-", "0000")
    wanted = [f"{stem}{int(number) + step:0{len(number)}}" for step in range(1, 1 + NUMBERS_TRIED + count)]
    taken = set(Contract.objects.filter(seller=seller_id, key__in=wanted).values_list("key", flat=True))
    return [key for key in wanted if key not in taken][:count]


def lines_on(values: facts.Contract, day: date) -> dict[int, tuple[LineTerms, Decimal]]:
    """The lines of a contract's facts that run on a day: what each costs, and how many; those of none are left out."""
    found = {}
    for line in values.lines:
        if line.start <= day < min(line.end, values.end) and (quantity := at(line.quantities, day)):
            found[line.id] = (at(line.terms, day), quantity)
    return found


def bookable(contract: Contract, day: date) -> list[tuple[str, str]]:
    """The articles of a contract's tariff that can be booked on a day: key and title, in the tariff's order."""
    phase = phase_on(contract, day)
    version = PhaseVersion.objects.filter(phase=phase, effective_from__lte=day).order_by("effective_from", "id").last()
    rows = TariffLine.objects.filter(version=version.version_id if version else None).exclude(booking="included")
    known = tariff_line_terms(rows.values_list("pk", flat=True))
    return [(t.article, t.title) for t in sorted(known.values(), key=lambda t: t.position)]
