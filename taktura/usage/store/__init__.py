"""The usage store: the one seam to the mass of records (house.md).

It takes records in once, matches them to contract lines, ticks and sums. It never divides and never prices. PostgreSQL
is its only engine.
"""

from taktura.usage.store.behind import Behind, rows_behind, totals_behind
from taktura.usage.store.match import draw_marks, match_records
from taktura.usage.store.months import Month, months
from taktura.usage.store.rates import Again, Taken, convert, take_rates, to_convert, waiting_for_rate
from taktura.usage.store.references import keep
from taktura.usage.store.sums import mark, sums
from taktura.usage.store.take import Outcome, refused_lines, take_in, withdraw

__all__ = [
    "Behind",
    "Month",
    "Outcome",
    "keep",
    "Again",
    "Taken",
    "convert",
    "draw_marks",
    "mark",
    "refused_lines",
    "match_records",
    "months",
    "rows_behind",
    "sums",
    "take_in",
    "totals_behind",
    "take_rates",
    "to_convert",
    "waiting_for_rate",
    "withdraw",
]
