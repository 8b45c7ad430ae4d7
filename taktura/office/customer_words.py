"""Words of customers: what the log calls their fields, and the ways that documents take."""

# The profiles of e-invoices: what is printed alone has none.
EINVOICES = {
    "none": "PDF alone",
    "zugferd": "ZUGFeRD: a PDF with the data in it",
    "xrechnung": "XRechnung (UBL)",
    "xrechnung_cii": "XRechnung (CII)",
    "peppol": "Peppol BIS (UBL)",
}
DELIVERIES = {"email": "By e-mail", "post": "By post", "portal": "In the customer portal"}
CUSTOMER_FIELDS = {
    "street": "Street",
    "postcode": "Postcode",
    "city": "City",
    "country": "Country",
    "email": "E-mail",
    "tax_status": "Tax status",
    "vat_id": "VAT id",
    "iban": "IBAN",
    "payment_days": "Days to pay",
    "legal_form": "Legal form",
    "delivery": "Way of delivery",
    "debtor_number": "Debtor number",
    "direct_debit": "Paid by direct debit",
    "mandate_reference": "Reference of the mandate",
    "mandate_date": "Mandate signed on",
    "head_office": "Head office",
    "einvoice": "E-invoice",
    "electronic_address": "Electronic address",
    "buyer_reference": "Buyer reference",
    "tax_number": "Tax number",
    "creditor_id": "Creditor identifier",
    "self_managed": "Self-managed profile",
    "phone": "Phone",
    "mobile": "Mobile phone",
    "job_title": "Job title",
    "company_contact": "Company contact",
}
