"""Where facts become charges: runs, changes, interim bills, credits, sales items."""

from taktura.billing.services.changes import (
    book,
    change_quantity,
    change_tariff,
    end_line,
    give_notice,
    pause,
    preview_quantity,
    publish_version,
    reprocess,
    resume,
    withdraw_notice,
)
from taktura.billing.services.credits import credit
from taktura.billing.services.interim import interim_bill, receive_file, record_usage
from taktura.billing.services.run import Outcome, bill
from taktura.billing.services.sales import move_sales_item, sell

__all__ = [
    "Outcome",
    "bill",
    "book",
    "change_quantity",
    "change_tariff",
    "credit",
    "end_line",
    "give_notice",
    "interim_bill",
    "move_sales_item",
    "pause",
    "preview_quantity",
    "publish_version",
    "receive_file",
    "record_usage",
    "reprocess",
    "resume",
    "sell",
    "withdraw_notice",
]
