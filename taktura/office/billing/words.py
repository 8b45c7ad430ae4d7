"""What a forecast calls the causes of a difference: a part of the table in `words`."""

BILLING = {
    "cause": {
        "new": "Billed for the first time",
        "ended": "Ended",
        "due": "Falls due by a longer interval",
        "not_due": "Not due this time",
        "quantity": "Other quantity",
        "usage": "Usage",
        "price": "Other price",
        "discount": "Discount",
        "coupon": "Coupon",
        "part_period": "Part of a period",
        "interim": "Interim bill",
        "other_periods": "Earlier periods",
        "correction": "Corrections",
        "minimum": "Minimum sales",
        "cap": "Cost cap",
        "once": "Charged once",
        "vat_rate": "Other VAT rate",
        "rounding": "Rounding",
    }
}
