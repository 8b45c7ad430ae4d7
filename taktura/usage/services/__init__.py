"""Writes of usage: records, files, suppliers and what ties them to contracts."""

from taktura.usage.queries import fold
from taktura.usage.services.corrections import correct_usage, send_to
from taktura.usage.services.files import Received, check_content, import_rows, receive_file
from taktura.usage.services.links import (
    Extension,
    extend_contract,
    extension,
    link,
    link_customer,
    note_subscription,
    process_again,
    rematch,
    reprocess,
    unlink,
    unlink_customer,
)
from taktura.usage.services.records import (
    Entry,
    Unread,
    Verdict,
    plan_record,
    record_each,
    record_usage,
    withdraw_usage,
)
from taktura.usage.services.suppliers import (
    change_supplier,
    create_supplier,
    remove_product_reference,
    set_product_reference,
)

__all__ = [
    "Entry",
    "Extension",
    "Received",
    "Unread",
    "Verdict",
    "check_content",
    "change_supplier",
    "correct_usage",
    "create_supplier",
    "extend_contract",
    "extension",
    "fold",
    "import_rows",
    "link",
    "link_customer",
    "note_subscription",
    "process_again",
    "plan_record",
    "receive_file",
    "record_each",
    "record_usage",
    "rematch",
    "remove_product_reference",
    "reprocess",
    "send_to",
    "set_product_reference",
    "unlink",
    "unlink_customer",
    "withdraw_usage",
]
