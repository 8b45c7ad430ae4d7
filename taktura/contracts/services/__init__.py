"""Writes of contracts. Each writes a fact, lowers `changed_from`, and leaves money to billing."""

from taktura.contracts.services.changes import apply_version, change_tariff, give_notice, pause, resume, withdraw_notice
from taktura.contracts.services.lines import book, change_quantity, check_quantity, end_line, record_line
from taktura.contracts.services.schedule import read_again
from taktura.contracts.services.signing import give_coupon, sign

__all__ = [
    "apply_version",
    "book",
    "change_quantity",
    "change_tariff",
    "check_quantity",
    "end_line",
    "give_coupon",
    "give_notice",
    "pause",
    "read_again",
    "record_line",
    "resume",
    "sign",
    "withdraw_notice",
]
