"""What long work keeps of a forecast, and how it is read again: figures alone, forgotten with the work."""

from dataclasses import asdict
from datetime import date
from typing import Any

from taktura.billing.forecast import Failed, Forecast, Foreseen
from taktura.kit.jobs.models import Work

FORECAST = "forecast"  # the kind of long work


def kept_of(found: Forecast) -> dict[str, Any]:
    """A forecast as work keeps it; a contract in a short row."""
    return {
        "first": found.first,
        "until": found.until,
        "rows": [
            [r.contract, r.customer, r.currency, r.on, r.last_on, r.old, r.new, [list(c) for c in r.causes]]
            for r in found.rows
        ],
        "failed": [asdict(failed) for failed in found.failed],
        "stopped": found.stopped,
    }


def read_work(work: Work) -> Forecast | None:
    """The forecast that work has kept; None while it has none."""
    kept = work.result
    if "rows" not in kept:
        return None
    return Forecast(
        date.fromisoformat(kept["first"]),
        date.fromisoformat(kept["until"]),
        rows=[
            Foreseen(contract, customer, currency, _day(on), _day(last), old, new, tuple((c, a) for c, a in causes))
            for contract, customer, currency, on, last, old, new, causes in kept["rows"]
        ],
        failed=[Failed(**failed) for failed in kept["failed"]],
        stopped=kept["stopped"],
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
