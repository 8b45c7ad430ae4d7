"""Writes of usage: records, files, suppliers and what ties them to contracts."""

from taktura.usage.services.files import Received, check_size, import_rows, receive_file
from taktura.usage.services.links import (
    create_supplier,
    extend_contract,
    link,
    link_customer,
    rematch,
    reprocess,
    set_product_reference,
)
from taktura.usage.services.records import Entry, Unread, Verdict, record_each, record_usage, withdraw_usage

__all__ = [
    "Entry",
    "Received",
    "Unread",
    "Verdict",
    "check_size",
    "create_supplier",
    "extend_contract",
    "import_rows",
    "link",
    "link_customer",
    "receive_file",
    "record_each",
    "record_usage",
    "rematch",
    "reprocess",
    "set_product_reference",
    "withdraw_usage",
]
