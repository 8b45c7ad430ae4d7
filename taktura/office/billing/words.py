"""What a forecast calls the causes of a difference: a part of the table in `words`."""

BILLING = {
    "service": {"waiting": "Waits", "sold": "Stands on a sales item", "billed": "Billed", "left_out": "Left out"},
    "service_waits": {
        "billing_information": "The customer's billing information",
        "carried": "A contract carries it meanwhile: leave it out",
        "article": "The article that the supplier's product stands for",
        "price": "One price for a month in the tariff",
        "vat": "The seller's VAT rate: the tariff has one of its own",
        "quantity": "A quantity: the supplier names none",
    },
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
    },
}
