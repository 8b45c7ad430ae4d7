"""What stored values of usage are called on pages: see `office.words`."""

USAGE = {
    "action": {
        "enter_supplier_invoice": "Invoice of a supplier entered",
        "correct_supplier_invoice": "Invoice of a supplier corrected",
        "remove_supplier_invoice": "Invoice of a supplier taken out",
        "keep_invoice_file": "File kept with the invoice of a supplier",
        "drop_invoice_file": "File of the invoice of a supplier taken out",
    },
    "without": {
        "coupons": "coupons",
        "minimum_sales": "minimum sales",
        "cost_cap": "cost cap",
        "currency": "amounts in another currency",
    },
    "excluded": {"withdrawn": "Withdrawn", "credited": "Credited by hand", "paused": "In a pause"},
    "reconciled": {
        "lost": "Not accounted for",
        "unlinked": "Unlinked",
        "currency": "Another currency",
        "waiting": "Waits for another reason",
        "late": "Came after the bill",
        "not_billed": "Not billed yet",
        "not_charged": "Not charged by the supplier",
        "quantity": "Quantity differs",
        "price": "Amount differs from the contract",
        "loss": "Billed below cost",
        "excluded": "Partly excluded",
        "none": "No difference",
    },
    "invoice_cause": {
        "no_invoice": "No invoice of the supplier is entered for these days.",
        "not_imported": "No row was imported for these days: a file of the supplier is missing.",
        "rounding": "No more than the rounding of single rows: nothing is missing.",
        "withdrawn": "Exactly what was withdrawn of the imported rows: the supplier does not charge it.",
        "gap": "There are days without an invoice.",
        "overlap": "Two invoices are for the same days: perhaps one was entered twice.",
        "unread": "The invoice is higher, and rows of the files could not be read, or conflict with others.",
        "partly": "An invoice covers other days besides: it counts by its days in the period.",
        "higher": "The invoice is higher than the imported rows: a file or rows are missing, or it has other costs.",
        "lower": "The invoice is lower than the imported rows: the supplier has credited or not charged some of them.",
    },
    "conversion": {
        "none": "Wait until somebody decides",
        "day": "Are converted by the rate of the day of usage",
        "month": "Are converted by the rate of the first day of its month",
    },
    "usage": {"recorded": "Recorded", "partly": "Partly waiting", "waiting": "Waiting", "withdrawn": "Withdrawn"},
    "usage_file": {
        "good": "All taken in",
        "waits": "Some waits",
        "problems": "With problems",
        "empty": "Nothing read",
        "undone": "Undone",
    },
}
# What the log calls an act.
USAGE_ACTIONS = {
    "allow_conversion": "Conversion of currencies changed",
    "set_rates": "Exchange rates entered",
    "remove_rate": "Exchange rate taken out",
    "convert_again": "Usage converted again",
    "create_usage_key": "Key registered",
    "change_usage_key": "Key changed",
    "delete_usage_key": "Key taken out",
    "extend_contract": "Contract extended",
    "onboard": "Contract made from services in use",
    "bring_in_customers": "Customers brought in from a file",
    "bring_service": "Supplier subscription brought in",
}

FILE_PROBLEMS = {
    "missing_column": "Missing column", "double_column": "Column twice", "unknown_column": "Unknown column",
    "bad_number": "No number", "bad_date": "No date", "bad_span": "Period the wrong way round",
    "bad_line": "Unreadable line", "bad_encoding": "Not text", "too_long": "Too long", "no_quantity": "No quantity",
    "no_subscription_id": "No reference of the supplier", "no_date": "No day", "no_rows": "No rows",
    "bad_duration": "No duration", "bad_expression": "Not to be worked out", "broken": "Damaged file",
    "conflict": "Conflict with a stored record",
}  # fmt: skip
