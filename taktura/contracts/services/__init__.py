"""Writes of contracts. Each writes a fact, lowers `changed_from`, and leaves money to billing. `plan_…` and `check_…`
say what a command would write or refuse, and write nothing."""

from taktura.contracts.services.changes import (
    apply_version,
    change_tariff,
    check_notice,
    check_pause,
    give_notice,
    notice_end,
    pause,
    pause_on,
    plan_tariff,
    resume,
    withdraw_notice,
)
from taktura.contracts.services.lines import (
    book,
    change_quantity,
    check_end,
    check_quantity,
    end_line,
    plan_booking,
    record_line,
)
from taktura.contracts.services.schedule import read_again
from taktura.contracts.services.signing import coupon_row, give_coupon, plan_contract, sign

__all__ = [
    "apply_version",
    "book",
    "change_quantity",
    "change_tariff",
    "check_end",
    "check_notice",
    "check_pause",
    "check_quantity",
    "coupon_row",
    "end_line",
    "give_coupon",
    "give_notice",
    "notice_end",
    "pause",
    "pause_on",
    "plan_booking",
    "plan_contract",
    "plan_tariff",
    "read_again",
    "record_line",
    "resume",
    "sign",
    "withdraw_notice",
]
