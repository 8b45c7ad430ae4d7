"""Writes of contracts. Each writes a fact, lowers `changed_from`, and leaves money to billing. `plan_…` and `check_…`
say what a command would write or refuse, and write nothing."""

from taktura.contracts.services.bookable import Bookable, bookable
from taktura.contracts.services.bulk import Moved, MovedLine, plan_moved, write_moved
from taktura.contracts.services.changes import (
    apply_version,
    change_tariff,
    check_notice,
    check_pause,
    check_received,
    give_notice,
    lines_left,
    notice_end,
    pause,
    pause_on,
    plan_tariff,
    resume,
    withdraw_notice,
)
from taktura.contracts.services.conditions import change_conditions, planned_conditions
from taktura.contracts.services.conversion import allow_conversion, check_conversion
from taktura.contracts.services.lines import Planned, book, check_end, end_line, plan_booking, plan_line, write_lines
from taktura.contracts.services.ordering import order, ordered_version
from taktura.contracts.services.quantities import (
    change_quantity,
    check_quantity,
    check_take_back,
    quantities_without,
    take_back_quantity,
)
from taktura.contracts.services.schedule import read_again, reschedule, touch_each
from taktura.contracts.services.signing import coupon_row, coupon_wanted, give_coupon, plan_contract, sign
from taktura.contracts.services.transfer import check_transfer, plan_transfer, transfer

__all__ = [
    "Bookable",
    "Planned",
    "bookable",
    "plan_line",
    "reschedule",
    "touch_each",
    "write_lines",
    "allow_conversion",
    "Moved",
    "MovedLine",
    "apply_version",
    "book",
    "change_conditions",
    "change_quantity",
    "change_tariff",
    "check_conversion",
    "check_end",
    "check_notice",
    "check_pause",
    "check_quantity",
    "check_received",
    "check_take_back",
    "check_transfer",
    "coupon_row",
    "coupon_wanted",
    "end_line",
    "give_coupon",
    "give_notice",
    "lines_left",
    "notice_end",
    "order",
    "ordered_version",
    "pause",
    "pause_on",
    "plan_moved",
    "plan_booking",
    "plan_contract",
    "plan_tariff",
    "plan_transfer",
    "planned_conditions",
    "quantities_without",
    "read_again",
    "resume",
    "sign",
    "take_back_quantity",
    "transfer",
    "withdraw_notice",
    "write_moved",
]
