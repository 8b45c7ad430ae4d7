"""What stored values of usage are called on pages: see `office.words`."""

USAGE = {
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
    "usage": {"recorded": "Recorded", "partly": "Partly waiting", "waiting": "Waiting", "withdrawn": "Withdrawn"},
    "usage_file": {
        "good": "All taken in",
        "waits": "Some waits",
        "problems": "With problems",
        "empty": "Nothing read",
        "undone": "Undone",
    },
}
