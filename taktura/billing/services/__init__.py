"""Where facts become charges: runs, changes, interim bills, credits, sales items."""

from taktura.billing.services.changes import (
    book,
    change_quantity,
    change_tariff,
    end_line,
    give_notice,
    pause,
    publish_version,
    reprocess,
    resume,
    withdraw_notice,
)
from taktura.billing.services.company import change_seller, is_fixed
from taktura.billing.services.credits import credit
from taktura.billing.services.interim import interim_bill, receive_file, record_usage
from taktura.billing.services.previews import (
    Bill,
    Consequence,
    forecast,
    preview_book,
    preview_coupon,
    preview_end,
    preview_interim,
    preview_notice,
    preview_pause,
    preview_quantity,
    preview_resume,
    preview_signing,
    preview_tariff,
    preview_usage,
    preview_withdrawal,
)
from taktura.billing.services.run import Outcome, bill
from taktura.billing.services.sales import move_sales_item, sell

__all__ = [
    "Bill",
    "Consequence",
    "Outcome",
    "bill",
    "book",
    "change_quantity",
    "change_seller",
    "change_tariff",
    "credit",
    "end_line",
    "forecast",
    "give_notice",
    "interim_bill",
    "is_fixed",
    "move_sales_item",
    "pause",
    "preview_book",
    "preview_coupon",
    "preview_end",
    "preview_interim",
    "preview_notice",
    "preview_pause",
    "preview_quantity",
    "preview_resume",
    "preview_signing",
    "preview_tariff",
    "preview_usage",
    "preview_withdrawal",
    "publish_version",
    "receive_file",
    "record_usage",
    "reprocess",
    "resume",
    "sell",
    "withdraw_notice",
]
