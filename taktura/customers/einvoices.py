"""In which profile a customer gets e-invoices, and what the profile asks of both sides. Nothing is written here."""

from taktura.core.errors import Refused
from taktura.customers.addresses import check_electronic_address
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.einvoice import PROFILES, Party, lacks_of_buyer, lacks_of_seller, needs_creditor, vat_id_of

NONE = "none"  # of a customer: none, whatever the seller's profile is
ABROAD = ("reverse_charge", "export")  # there the seller's tax number does not do: its VAT id is told (AE, G)
CHOICES = ("", NONE, *PROFILES)
NAMES = {
    "zugferd": "ZUGFeRD", "xrechnung": "XRechnung (UBL)", "xrechnung_cii": "XRechnung (CII)", "peppol": "Peppol BIS",
}  # fmt: skip


def profile_of(customer: Customer) -> str:
    """The profile of a customer's e-invoices: its own, else, of a business, the seller's; empty: PDF alone."""
    info: BillingInformation | None = getattr(customer, "billing_information", None)
    return _profile(info.einvoice if info else "", customer.kind, customer.seller)


def _profile(own: str, kind: str, seller: Seller) -> str:
    if own:
        return "" if own == NONE else own
    return seller.einvoice if kind == "business" else ""


def missing(customer: Customer, info: BillingInformation) -> list[str]:
    """The fields of the billing information without which the customer's own profile cannot be made. The seller's asks
    for nothing that a document does not need anyway."""
    if info.einvoice not in PROFILES:
        return []
    found = [name.removeprefix("buyer.") for name in lacks_of_buyer(_buyer(info), info.einvoice)]
    # The others are asked for of every document; of a country it is asked here that the rules know it.
    return [name for name in found if name == "electronic_address" or name == "country" and info.country.strip()]


def check_profile(customer: Customer, info: BillingInformation) -> None:
    """Raise `Refused` (`invalid`) for a profile or an electronic address that there is not, and for a profile for which
    the seller's own particulars lack something. `info` is the customer's as it would be."""
    if info.einvoice not in CHOICES:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=info.einvoice,
                      known=", ".join(CHOICES[1:]), field="einvoice")  # fmt: skip
    check_electronic_address(info.electronic_address)
    if profile := _profile(info.einvoice, customer.kind, customer.seller):
        _check(customer.seller, profile, debit=info.direct_debit, tax_status=info.tax_status)


def check_seller(seller: Seller) -> None:
    """Raise `Refused` (`invalid`) when a seller as it would be lacks what the profiles in use ask for."""
    rows = BillingInformation.objects.filter(customer__seller=seller.pk).order_by()
    used = set(rows.values_list("einvoice", "customer__kind", "direct_debit", "tax_status").distinct())
    for own, kind, debit, tax_status in sorted(used | {("", "business", False, "domestic")}):
        if profile := _profile(own, kind, seller):
            _check(seller, profile, debit=debit, tax_status=tax_status)


def _check(seller: Seller, profile: str, *, debit: bool, tax_status: str) -> None:
    party = party_of(seller)
    names = [name.removeprefix("seller.") for name in lacks_of_seller(party, profile)]
    if tax_status in ABROAD and not vat_id_of(party) and "vat_id" not in names:
        names.append("vat_id")
    if debit and not seller.creditor_id and needs_creditor(profile):
        names.append("creditor_id")
    if names:
        raise Refused(
            "invalid", "%(format)s needs more of your own company, in its settings: %(fields)s.", format=NAMES[profile],
            fields=", ".join(names), field="einvoice",
        )  # fmt: skip


def party_of(seller: Seller) -> Party:
    """The seller as an e-invoice has it."""
    names = ("name", "street", "postcode", "city", "country", "vat_id", "tax_number", "email", "phone")
    return Party(address=seller.electronic_address, **{name: getattr(seller, name) for name in names})


def _buyer(info: BillingInformation) -> Party:
    names = ("name", "street", "postcode", "city", "country", "vat_id", "email")
    return Party(address=info.electronic_address, **{name: getattr(info, name) for name in names})
