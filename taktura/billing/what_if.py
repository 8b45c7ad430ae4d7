"""What-if (docs/what-if.md): what past months would have brought under a draft of a tariff. Nothing is written.

*Old* is what should have been billed by the contracts as they are, *new* the same days, lines, quantities and usage
under the draft. The core prices and rounds both; the store sums the records by the ticks of either.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from taktura.billing.queries import MAX_AMOUNT
from taktura.catalog.drafting import Draft, read_draft
from taktura.catalog.drafts import fields_of_version
from taktura.catalog.models import Tariff, TariffVersion
from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractPhase, LineStretch, PhaseVersion
from taktura.core import facts
from taktura.core import what_if as core
from taktura.core.errors import Refused
from taktura.core.facts import Usage, UsageKey
from taktura.core.money import Money, places, plain
from taktura.core.periods import Span, add
from taktura.core.schedule import Window
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.bulk import among
from taktura.kit.turns import Turn, check_main, in_turn
from taktura.usage import store

BATCH = 1_000  # contracts loaded and rated at once
FEW = 4  # batches for which no other process is started
MONTH = Span(1, "month")
MOST_MONTHS = 36

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class LineSum:
    """What a line came to: its article (none of top-up and relief) and kind, both nets in minor units."""

    article: str
    title: str
    kind: str  # recurring | flat | usage | once | minimum_sales | cost_cap
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A contract on both sides, net in minor units. `parts`: parts of billing periods are compared, since they are
    longer than the months, or the draft's are others. `running`: its last period is not over. `lines`: if asked for."""

    contract: int
    customer: int
    old: int
    new: int
    parts: bool
    running: bool
    lines: tuple[LineSum, ...] = ()

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class LostUsage:
    """Usage for which the draft has no line: how many records of how many contracts, their quantity (minutes for
    times), and what they came to so far."""

    article: str
    title: str
    records: int
    contracts: int
    quantity: Decimal
    old: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A contract that could not be rated, and why."""

    contract: int
    code: str
    text: str
    values: Mapping[str, object]


@dataclass(slots=True)
class Outcome:
    """A what-if. `rows`: what differs most first. `other_currency` and
    `without_period`: contracts that are left out, since the draft has another currency, or none of their periods ended
    in the months. `stopped`: it was called off, and this is not all."""

    first: date
    end: date
    currency: str
    rows: list[Compared] = field(default_factory=list)
    lines: list[LineSum] = field(default_factory=list)
    lost: list[LostUsage] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    other_currency: int = 0
    without_period: int = 0
    stopped: bool = False

    @property
    def old(self) -> int:
        """The old net of all, in minor units."""
        return sum(row.old for row in self.rows)

    @property
    def new(self) -> int:
        """The new net of all, in minor units."""
        return sum(row.new for row in self.rows)

    @property
    def parts(self) -> int:
        """Of how many contracts parts of billing periods are compared."""
        return sum(row.parts for row in self.rows)

    @property
    def running(self) -> int:
        """Of how many contracts the last period is not over."""
        return sum(row.running for row in self.rows)

    @property
    def last_month(self) -> date:
        """The first day of the last month that is looked at."""
        return add(self.end, MONTH, -1)

    @property
    def percent(self) -> Decimal | None:
        """New less old in percent of old, to a tenth; None where nothing was billed."""
        return plain(Fraction(100 * (self.new - self.old), self.old), 1) if self.old else None

    def money(self, minor: int) -> Decimal:
        """Minor units as a decimal of the currency."""
        return Money(minor, places(self.currency)).exact


class _Job(NamedTuple):
    """What all batches of a what-if share."""

    draft: Draft
    first: date
    end: date
    today: date
    tariff: int | None
    own_conditions: bool
    detail: bool


@dataclass(slots=True)
class _Part:
    """What a batch came to. `sums`: old and new by article and kind; `lost` by article."""

    rows: list[Compared] = field(default_factory=list)
    sums: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    lost: dict[str, list[Any]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)
    without_period: int = 0
    taken: int = 0


def what_if(
    actor: Actor,
    *,
    seller: Seller,
    fields: dict[str, Any],
    first_month: date,
    last_month: date,
    customers: Collection[int] | None = None,
    contracts: Collection[int] | None = None,
    tariff: Tariff | None = None,
    own_conditions: bool = True,
    detail: bool = False,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Outcome:
    """Compare what whole months, `first_month` to `last_month` (both counted, any day of them), came to with what they
    would have come to under a tariff of these `fields` (in the scenario format).

    `customers`, `contracts`: only these, by id; `tariff`: only contracts under it, for as long as they were.
    `own_conditions`: contracts keep their own prices, discounts, minimum quantities and coupons. `detail`: rows with
    their lines. `progress` is told (contracts done, in all) after each batch; when it answers False, it ends there.
    Raises `Refused` as `define_tariff` does, and `invalid` for months that are to come, too many, or the wrong way
    round.
    """
    check_main()
    today = actor.today(seller.time_zone)
    first, end = _months(first_month, last_month, today)
    draft = read_draft(fields, seller.currency)
    outcome = Outcome(first, end, draft.currency)
    wanted = _wanted(seller, first, end, customers, contracts, tariff)
    ids = list(wanted.filter(currency=draft.currency).order_by("id").values_list("pk", flat=True))
    outcome.other_currency = wanted.exclude(currency=draft.currency).count()
    tasks = [ids[i : i + BATCH] for i in range(0, len(ids), BATCH)]
    job = _Job(draft, first, end, today, tariff.pk if tariff else None, own_conditions, detail)
    if connection.in_atomic_block or (processes is None and len(tasks) < FEW):
        processes = 1  # other processes do not see what an open transaction has written
    whole, done = _Part(), 0
    with closing(in_turn(partial(_batch, job), tasks, processes=processes)) as parts:
        for part in parts:
            _put_in(whole, part)
            done += part.taken
            if progress is not None and progress(done, len(ids)) is False:
                outcome.stopped = done < len(ids)
                break
    return _finished(outcome, whole, draft)


def what_if_for_contract(
    actor: Actor, *, contract: Contract, version: TariffVersion, first_month: date, last_month: date
) -> Outcome:
    """The what-if of one contract (loaded with its seller) under a stored tariff's version, for whole months.

    Raises `Refused` (`invalid`) where the tariff has another currency, and as `what_if`.
    """
    fields = fields_of_version(version)
    if fields["currency"] != contract.currency:
        raise Refused("invalid", "The tariff has another currency than the contract.")
    return what_if(
        actor, seller=contract.seller, fields=fields, first_month=first_month, last_month=last_month,
        contracts=[contract.pk], processes=1,
    )  # fmt: skip


def check_what_if(actor: Actor, *, seller: Seller, fields: dict[str, Any], first_month: date, last_month: date) -> str:
    """Refuse what `what_if` refuses, before it begins; gives the draft's title."""
    _months(first_month, last_month, actor.today(seller.time_zone))
    return read_draft(fields, seller.currency).title


def number_of_contracts(
    *,
    seller: Seller,
    first_month: date,
    last_month: date,
    customers: Collection[int] | None = None,
    tariff: Tariff | None = None,
) -> int:
    """How many contracts a what-if would look at, of all currencies."""
    first, end = first_month.replace(day=1), add(last_month.replace(day=1), MONTH)
    return _wanted(seller, first, end, customers, None, tariff).count()


def _months(first_month: date, last_month: date, today: date) -> tuple[date, date]:
    """The days `[first, end)` of whole months."""
    first, last = first_month.replace(day=1), last_month.replace(day=1)
    if last < first:
        raise Refused("invalid", "The last month lies before the first: change one of them.")
    if last > today:
        raise Refused("invalid", "What-if looks at months that were: choose none that is to come.")
    if (last.year - first.year) * 12 + last.month - first.month >= MOST_MONTHS:
        raise Refused("invalid", "What-if looks at %(most)s months at most: choose fewer.", most=MOST_MONTHS)
    return first, add(last, MONTH)


def _wanted(
    seller: Seller,
    first: date,
    end: date,
    customers: Collection[int] | None,
    contracts: Collection[int] | None,
    tariff: Tariff | None,
) -> QuerySet[Contract]:
    """The contracts that ran in the months, of those asked for."""
    alive = Q(end__isnull=True) | Q(end__gt=first)
    found = Contract.objects.filter(alive, seller=seller, start__lt=end)
    if customers is not None:
        found = found.filter(customer__in=among(customers))
    if contracts is not None:
        found = found.filter(pk__in=among(contracts))
    if tariff is not None:
        phases = ContractPhase.objects.filter(alive, tariff=tariff, start__lt=end)
        found = found.filter(pk__in=phases.values("contract"))
    return found


def _batch(job: _Job, ids: Sequence[int], turn: Turn) -> _Part:
    """Rate a batch of contracts both ways, in a fixed number of queries."""
    part = _Part(taken=len(ids))
    contracts = load(ids)
    customers = dict(Contract.objects.filter(pk__in=among(ids)).values_list("pk", "customer_id"))
    pairs = dict(_pairs(job, contracts))
    part.without_period = len(ids) - len(pairs)
    old_usage, new_usage = _usage(pairs.values())
    rater = core.Rater()
    for pk, rows in pairs.items():
        for pair in rows:
            pair.take(old_usage, new_usage)
        try:
            part.rows.append(_compared(job, part, rater, contracts[pk], customers[pk], rows))
        except Refused as error:
            part.failed.append(Failed(pk, error.code, error.text, error.values))
    for contract in contracts.values():
        for line in contract.lines:
            part.titles.setdefault(line.article, line.terms[-1][1].title)
    return part


@dataclass(slots=True)
class _Pair:
    """The days of a contract that are compared, by its agreement and under the draft, and the sums that both need."""

    piece: core.Piece
    old: facts.Contract
    new: facts.Contract
    old_windows: list[Window]
    new_windows: list[Window]

    def take(self, old: dict[UsageKey, Usage], new: dict[UsageKey, Usage]) -> None:
        """Put in the usage of both."""
        self.old = replace(self.old, usage=_of(self.old_windows, old))
        self.new = replace(self.new, usage=_of(self.new_windows, new))


def _of(windows: list[Window], usage: dict[UsageKey, Usage]) -> dict[UsageKey, Usage]:
    keys = [(w.line, w.start) for w in windows]
    return {key: usage[key] for key in keys if key in usage}


def _pairs(job: _Job, contracts: Mapping[int, facts.Contract]) -> Iterator[tuple[int, list[_Pair]]]:
    """The days of each contract that has some to be compared, both ways, without usage."""
    phases = _phases(contracts)
    keys = _keys(contracts) if job.draft.tariff.keys else {}
    for pk, contract in contracts.items():
        wanted = {start for start, (tariff, _) in phases[pk].items() if job.tariff in (None, tariff)}
        rows = []
        for piece in core.pieces(contract, job.first, job.end, wanted):
            old = core.cut(contract, piece)
            same = phases[pk][piece.phase.start][1] == job.draft.tariff.anchor
            new = core.under(
                old, job.draft.tariff, keys=keys, same_anchor=same, own_conditions=job.own_conditions
            )  # fmt: skip
            rows.append(_Pair(piece, old, new, core.asked(old, piece), core.asked(new, piece)))
        if rows:
            yield pk, rows


def _phases(ids: Iterable[int]) -> dict[int, dict[date, tuple[int, str]]]:
    """The tariff of each phase, and the anchor that it named at first, by contract and start."""
    found: dict[int, dict[date, tuple[int, str]]] = defaultdict(dict)
    rows = PhaseVersion.objects.filter(phase__contract__in=among(ids)).order_by("effective_from", "id")
    names = ("phase__contract_id", "phase__start", "phase__tariff_id", "version__anchor")
    for contract, start, tariff, anchor in rows.values_list(*names):
        found[contract].setdefault(start, (tariff, anchor))
    return found


def _keys(ids: Iterable[int]) -> dict[int, str]:
    """The keys of contract lines in their newest terms."""
    rows = LineStretch.objects.filter(line__contract__in=among(ids)).order_by("effective_from", "id")
    return dict(rows.values_list("line_id", "tariff_line__key"))


def _usage(pairs: Iterable[list[_Pair]]) -> tuple[dict[UsageKey, Usage], dict[UsageKey, Usage]]:
    """The sums that both sides need. Where the draft sums the same records alike, they are not summed again."""
    both = [(pair.old_windows, pair.new_windows) for rows in pairs for pair in rows]
    asked = [w for old, _ in both for w in old]
    known = {_sum_of(w): (w.line, w.start) for w in asked}
    others = [w for _, new in both for w in new if _sum_of(w) not in known]
    old = store.sums(asked)
    again = [(w, known[_sum_of(w)]) for _, new in both for w in new if _sum_of(w) in known]
    new = {(w.line, w.start): old[key] for w, key in again if key in old}
    return old, new | store.sums(others)


def _sum_of(window: Window) -> tuple[object, ...]:
    """What makes out a sum of usage."""
    terms = window.terms
    tick = terms.tick if terms.tick_scope == "record" else None
    covered = terms.usage_pricing == "fixed_quantity"
    return window.line, window.ranges, tick, terms.aggregate, terms.aggregate_of, covered


def _compared(
    job: _Job, part: _Part, rater: core.Rater, contract: facts.Contract, customer: int, rows: list[_Pair]
) -> Compared:
    """Rate a contract both ways, and count it into its batch."""
    sums: dict[tuple[str, str], list[int]] = {}
    lost: dict[str, list[Any]] = {}
    parts = False
    for pair in rows:
        old = rater.sums(pair.old, pair.piece, pair.old_windows)
        new = rater.sums(pair.new, pair.piece, pair.new_windows)
        for side, found in enumerate((old, new)):
            for place, net in found.items():
                if abs(net) > MAX_AMOUNT:
                    raise Refused("invalid", "An amount of the contract is too large: correct its prices or usage.")
                _add(sums, place, [net, 0] if side == 0 else [0, net])
        for gone in core.lost_usage(pair.old, pair.new, old):
            first = gone.article not in lost
            _add(lost, gone.article, [gone.records, int(first), gone.quantity, gone.net])
        parts = parts or pair.piece.by_days or core.cuts_periods(pair.new, pair.piece, contract.end)
    for place, values in sums.items():
        _add(part.sums, place, values)
    for article, values in lost.items():
        _add(part.lost, article, values)
    whole = [sum(values[side] for values in sums.values()) for side in (0, 1)]
    titles = _titles(job.draft, {line.article: line.terms[-1][1].title for line in contract.lines})
    return Compared(
        contract=contract.id,
        customer=customer,
        old=whole[0],
        new=whole[1],
        parts=parts,
        running=any(pair.piece.end > job.today for pair in rows),
        lines=tuple(_line_sums(sums, titles)) if job.detail else (),
    )


def _add(into: dict[Any, list[Any]], place: Any, values: list[Any]) -> None:
    """Add numbers to those that stand in a place."""
    known = into.get(place)
    into[place] = [a + b for a, b in zip(known, values, strict=True)] if known else values


def _titles(draft: Draft, known: dict[str, str]) -> dict[str, str]:
    """Titles by article: the draft's, where it names one."""
    own = {line.article: line.title for line in draft.tariff.lines}
    return own | known | {article: title for article, title in own.items() if title != article}


def _line_sums(sums: Mapping[tuple[str, str], Sequence[int]], titles: Mapping[str, str]) -> Iterator[LineSum]:
    """Sums as lines, in the order in which they came; top-up and relief last."""
    for (article, kind), (old, new) in sorted(sums.items(), key=lambda row: not row[0][0]):
        if old or new:
            yield LineSum(article, titles.get(article, article), kind, old, new)


def _put_in(whole: _Part, part: _Part) -> None:
    """Add what a batch came to."""
    whole.rows += part.rows
    whole.failed += part.failed
    whole.without_period += part.without_period
    whole.titles |= part.titles
    for place, values in part.sums.items():
        _add(whole.sums, place, values)
    for article, values in part.lost.items():
        _add(whole.lost, article, values)


def _finished(outcome: Outcome, whole: _Part, draft: Draft) -> Outcome:
    titles = _titles(draft, whole.titles)
    outcome.rows = sorted(whole.rows, key=lambda row: (-abs(row.difference), row.contract))
    outcome.lines = list(_line_sums(whole.sums, titles))
    outcome.failed = whole.failed
    outcome.without_period = whole.without_period
    outcome.lost = [
        LostUsage(article, titles.get(article, article), records, contracts, plain(quantity), old)
        for article, (records, contracts, quantity, old) in whole.lost.items()
    ]
    return outcome
