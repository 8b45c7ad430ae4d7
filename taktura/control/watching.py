"""Looking at what was marked: the facts of a batch of contracts in a fixed number of queries, alerts in one write."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from taktura.billing.ledger import load_charges
from taktura.contracts.facts import load
from taktura.contracts.models import Contract
from taktura.control.flat_prices import write_periods
from taktura.control.models import Alert
from taktura.core import facts
from taktura.core.control import Watch, since_of, watches
from taktura.core.money import plain
from taktura.core.schedule import windows
from taktura.kit.actor import Actor
from taktura.kit.bulk import among, take_ids, upsert_rows
from taktura.usage import store
from taktura.usage.marks import Mark

COLUMNS = (
    "id", "seller_id", "contract_id", "line_id", "kind", "forecast", "start", "end", "unit", "value", "bound",
    "foreseen", "share", "tolerance", "days", "begun", "state", "ignored_until", "raised_at", "changed_at",
    "resolved_at",
)  # fmt: skip
CHANGING = COLUMNS[COLUMNS.index("end") :]
log = logging.getLogger(__name__)
STANDING = ("open", "ignored")  # what its watch still bears out

Place = tuple[int, int | None, str, date, bool]  # what there is one alert of (R19.2)


@dataclass(slots=True)
class Outcome:
    """What became of alerts: those raised, those raised again after they were resolved, those resolved."""

    raised: list[Alert] = field(default_factory=list)
    again: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)


def look(actor: Actor, marks: Mapping[int, Mark]) -> Outcome:
    """Compare the marked contracts with their bounds, and write their alerts; in a transaction of the caller's."""
    rows = {c.pk: c for c in Contract.objects.filter(pk__in=among(marks)).select_related("seller").order_by("id")}
    known = _alerts(marks)
    changes = _Changes(actor.now)
    flat: list[tuple[int, Watch]] = []
    for pk, contract in _facts(marks).items():
        mark, row = marks[pk], rows[pk]
        today = Actor("", mark.at).today(row.seller.time_zone)
        found = _watched(contract, mark, today)
        if found is None:
            continue
        standing = known.get(pk, {})
        seen = set()
        for watch in found:
            seen.add((watch.line, watch.kind, watch.start))
            changes.compare(row, watch, standing)
            if watch.kind == "flat":
                flat.append((pk, watch))
        gone = [a for a in standing.values() if (a.line_id, a.kind, a.start) not in seen and _touched(a, mark)]
        for alert in gone:  # its period or its bound is no more
            changes.resolve(alert)
    _write(changes.changed)
    write_periods(actor, rows, flat)
    return changes.outcome


def look_at_flat_prices(actor: Actor, marks: Mapping[int, Mark]) -> None:
    """Write what the flat prices of contracts came to in the marked days; nothing is alerted."""
    rows = {c.pk: c for c in Contract.objects.filter(pk__in=among(marks)).select_related("seller")}
    flat = [
        (pk, watch)
        for pk, contract in _facts(marks).items()
        for watch in _watched(contract, marks[pk], marks[pk].end) or ()
        if watch.kind == "flat"
    ]
    write_periods(actor, rows, flat)


@dataclass(slots=True)
class _Facts:
    value: facts.Contract
    billed: list[facts.Charge]


def _watched(contract: _Facts, mark: Mark, today: date) -> list[Watch] | None:
    """All that is under watch of a contract in the marked days; None where it cannot be rated: one contract's fault
    must not stop the others, so that it is told in the log of the server, and its alerts stay as they are."""
    try:
        return list(watches(contract.value, mark.first, mark.end, today, contract.billed))
    except Exception:
        log.exception("contract %s cannot be watched", contract.value.id)
        return None


def _facts(marks: Mapping[int, Mark]) -> dict[int, _Facts]:
    """The marked contracts in the order of signing, with their usage in the periods of the marked days."""
    contracts = load(marks)
    since = {pk: since_of(c, marks[pk].first) for pk, c in contracts.items()}
    asked = [w for pk, c in contracts.items() for w in windows(c, marks[pk].end, since[pk])]
    owner = {line.id: pk for pk, c in contracts.items() for line in c.lines}
    usage: dict[int, dict[facts.UsageKey, facts.Usage]] = {}
    for key, sums in store.sums(asked).items():
        usage.setdefault(owner[key[0]], {})[key] = sums
    shared = {pk: date.min for pk, c in contracts.items() if any(x.amount is not None for x in c.coupons)}
    billed = load_charges(shared)[0] if shared else {}
    return {pk: _Facts(replace(contracts[pk], usage=usage.get(pk, {})), billed.get(pk, [])) for pk in sorted(contracts)}


def _alerts(marks: Mapping[int, Mark]) -> dict[int, dict[Place, Alert]]:
    """The alerts of the marked contracts in periods that the marks may touch."""
    first = min(mark.first for mark in marks.values())
    found: dict[int, dict[Place, Alert]] = {}
    for alert in Alert.objects.filter(contract__in=among(marks), end__gt=first).order_by("id"):
        place = (alert.contract_id, alert.line_id, alert.kind, alert.start, alert.forecast)
        found.setdefault(alert.contract_id, {})[place] = alert
    return found


def _touched(alert: Alert, mark: Mark) -> bool:
    return alert.start < mark.end and alert.end > mark.first


@dataclass(slots=True)
class _Changes:
    """What is to be written of a batch."""

    now: datetime
    changed: list[Alert] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)

    def compare(self, contract: Contract, watch: Watch, standing: Mapping[Place, Alert]) -> None:
        """Take one bound with what its alerts say so far: that of the bound itself, and that of the forecast."""
        place = (contract.pk, watch.line, watch.kind, watch.start)
        real, forecast = standing.get((*place, False)), standing.get((*place, True))
        if watch.crossed:
            self._hold(contract, watch, real, False)
            if forecast is not None and forecast.state in STANDING:
                self._become(forecast, "reached", watch)
            return
        if real is not None:
            self.resolve(real, watch)
        if watch.will_cross and (forecast is not None or real is None):  # of its own where it crosses first
            self._hold(contract, watch, forecast, True)
        elif forecast is not None:
            self.resolve(forecast, watch)

    def resolve(self, alert: Alert, watch: Watch | None = None) -> None:
        """A bound that is not crossed any more."""
        if alert.state != "resolved":
            self.outcome.resolved.append(alert)
            alert.resolved_at = self.now
            self._become(alert, "resolved", watch)

    def _hold(self, contract: Contract, watch: Watch, alert: Alert | None, forecast: bool) -> None:
        if alert is None:
            alert = Alert(
                seller_id=contract.seller_id, contract=contract, line_id=watch.line, kind=watch.kind,
                forecast=forecast, start=watch.start, raised_at=self.now,
            )  # fmt: skip
            self.outcome.raised.append(alert)
            self._become(alert, "open", watch)
            return
        alert.contract = contract
        if alert.state == "resolved":
            self.outcome.again.append(alert)
            alert.resolved_at = None
        back = alert.state in ("resolved", "reached")
        self._become(alert, "open" if back else alert.state, watch)

    def _become(self, alert: Alert, state: str, watch: Watch | None) -> None:
        alert.state, alert.changed_at = state, self.now
        if state not in STANDING:
            alert.ignored_until = None
        if watch is not None:
            alert.end, alert.unit = watch.end, watch.unit
            alert.value, alert.bound, alert.foreseen = map(plain, (watch.value, watch.bound, watch.foreseen))
            alert.tolerance, alert.days, alert.begun = watch.tolerance, watch.days, watch.begun
            alert.share = _share(watch, alert.forecast)
        self.changed.append(alert)


def _share(watch: Watch, forecast: bool) -> Decimal | None:
    if not watch.bound:
        return None
    return plain((watch.foreseen if forecast else watch.value) * 100 / watch.bound, 2)


def _write(alerts: Iterable[Alert]) -> None:
    found = list(alerts)
    new = [alert for alert in found if alert.pk is None]
    for alert, pk in zip(new, take_ids("control_alert", len(new)) if new else [], strict=True):
        alert.pk = pk
    if found:
        rows: list[list[Any]] = [[getattr(alert, name) for name in COLUMNS] for alert in found]
        upsert_rows("control_alert", COLUMNS, rows, key=("id",), update=CHANGING)
