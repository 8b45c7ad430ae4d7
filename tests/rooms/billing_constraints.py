"""What the constraints of billing information and of a seller's e-invoices refuse; for `test_constraints`."""

from tests.rooms.levels_constraints import Attempts

ATTEMPTS: Attempts = {
    "billing_delivery": ("customers_billinginformation", {"delivery": "pigeon"}),
    "billing_direct_debit": ("customers_billinginformation", {"direct_debit": True}),
    "billing_einvoice": ("customers_billinginformation", {"einvoice": "edifact"}),
    "billing_tax_status": ("customers_billinginformation", {"tax_status": "unknown"}),
    "seller_einvoice": ("customers_seller", {"einvoice": "xrechnung"}),
}
