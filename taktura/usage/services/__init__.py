"""Writes of usage: records, files, suppliers and what ties them to contracts."""

from taktura.usage.queries import fold
from taktura.usage.reader import check_content
from taktura.usage.services.bringing import Service, bring_services
from taktura.usage.services.corrections import correct_usage, send_to
from taktura.usage.services.extending import (
    Extending,
    Extension,
    Wish,
    extend_contract,
    extend_contracts,
    extensions,
    plan_extensions,
    wish_of,
)
from taktura.usage.services.files import Received, import_rows, keep_file, read_file, receive_file
from taktura.usage.services.invoices import MOST_BYTES as MOST_INVOICE_BYTES
from taktura.usage.services.invoices import (
    correct_supplier_invoice,
    drop_invoice_file,
    enter_supplier_invoice,
    keep_invoice_file,
    remove_supplier_invoice,
)
from taktura.usage.services.keys import tie_key, untie_key
from taktura.usage.services.links import (
    check_pass_on,
    find_contracts,
    link,
    link_all,
    link_customer,
    note_subscription,
    pass_on,
    process_again,
    process_subscriptions,
    rematch,
    reprocess,
    unlink,
    unlink_customer,
)
from taktura.usage.services.moving import move, process_moved
from taktura.usage.services.numbers import mask_numbers
from taktura.usage.services.onboarding import note_products, tie_lines
from taktura.usage.services.parts import Part, reprocess_parts, waiting_parts
from taktura.usage.services.rates import BY_HAND, convert_again, foresee_conversion, remove_rate, set_rates
from taktura.usage.services.records import (
    Entry,
    Unread,
    Verdict,
    plan_record,
    record_each,
    record_usage,
    withdraw_usage,
)
from taktura.usage.services.refusals import note_refusal, settle_refusals
from taktura.usage.services.suppliers import (
    change_supplier,
    create_supplier,
    remove_product_reference,
    set_product_reference,
)
from taktura.usage.services.undo import undo_file

__all__ = [
    "MOST_INVOICE_BYTES",
    "BY_HAND",
    "Entry",
    "Extending",
    "Extension",
    "Part",
    "Received",
    "Service",
    "Unread",
    "Verdict",
    "bring_services",
    "Wish",
    "check_content",
    "change_supplier",
    "check_pass_on",
    "convert_again",
    "correct_usage",
    "correct_supplier_invoice",
    "create_supplier",
    "drop_invoice_file",
    "enter_supplier_invoice",
    "extend_contract",
    "extend_contracts",
    "extensions",
    "find_contracts",
    "fold",
    "foresee_conversion",
    "import_rows",
    "keep_file",
    "keep_invoice_file",
    "link",
    "link_all",
    "link_customer",
    "mask_numbers",
    "note_products",
    "note_refusal",
    "move",
    "note_subscription",
    "process_again",
    "process_subscriptions",
    "pass_on",
    "plan_extensions",
    "plan_record",
    "read_file",
    "receive_file",
    "record_each",
    "record_usage",
    "rematch",
    "remove_product_reference",
    "remove_supplier_invoice",
    "remove_rate",
    "process_moved",
    "reprocess",
    "reprocess_parts",
    "send_to",
    "set_product_reference",
    "set_rates",
    "settle_refusals",
    "tie_key",
    "tie_lines",
    "undo_file",
    "unlink",
    "unlink_customer",
    "untie_key",
    "wish_of",
    "waiting_parts",
    "withdraw_usage",
]
