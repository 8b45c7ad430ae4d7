"""What stored values are called on pages, by kind: English sentences that the catalogues translate. `STATES` gives the
colour and icon of a state; the word is always there too."""

WORDS = {
    "role": {
        "admin": "Administrator",
        "billing": "Billing",
        "sales": "Sales",
        "lead": "Team lead",
        "technician": "Technician",
        "viewer": "Viewer",
    },
    "language": {"en": "English", "de": "German", "sv": "Swedish"},
    "contract": {"pending": "Not begun", "active": "Active", "paused": "Paused", "ended": "Ended"},
    "document": {"invoice": "Invoice", "credit_note": "Credit note"},
    "payment": {"open": "Open", "partly_paid": "Partly paid", "paid": "Paid"},
    "link": {"unlinked": "Unlinked", "linked": "Linked"},
    "customer": {"business": "Business", "consumer": "Consumer"},
    "tax_status": {"domestic": "Domestic", "reverse_charge": "Reverse charge", "export": "Export", "exempt": "Exempt"},
    "documents_per": {"contract": "One per contract", "customer": "One per customer"},
    "line": {
        "usage": "Usage",
        "recurring": "Recurring",
        "once": "One-off",
        "minimum_sales": "Minimum sales",
        "cost_cap": "Cost cap",
        "time": "Time",
        "sales_item": "Sales item",
    },
    "booking": {"included": "Included", "add_on": "Add-on", "on_off": "On or off"},
    "yes": {"True": "Yes", "False": "No"},
}

# kind: value: (colour of the badge, icon)
STATES: dict[str, dict[str, tuple[str, str]]] = {
    "contract": {
        "pending": ("blue", "clock"),
        "active": ("green", "circle-check"),
        "paused": ("yellow", "player-pause"),
        "ended": ("secondary", "circle-off"),
    },
    "document": {"invoice": ("blue", "file-invoice"), "credit_note": ("purple", "file-minus")},
    "payment": {
        "open": ("yellow", "clock"),
        "partly_paid": ("orange", "circle-half-2"),
        "paid": ("green", "circle-check"),
    },
    "link": {"unlinked": ("teal", "unlink"), "linked": ("green", "link")},
}
