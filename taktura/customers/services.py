"""Writes of sellers, customers and billing information."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers import iban
from taktura.customers.einvoices import check_profile, check_seller
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.customers.queries import missing_billing_information
from taktura.customers.sellers import changed, checked
from taktura.customers.vat_checks import ask_later, latest_of
from taktura.kit.actor import Actor
from taktura.kit.exact import number
from taktura.kit.fold import fold
from taktura.kit.mail.models import MailServer
from taktura.kit.mail.services import one_line
from taktura.kit.secret import seal

CUSTOMER_FIELDS = (
    "kind",
    "language",
    "documents_per",
    "round_up_minutes",
    "hourly_rate",
    "head_office",
    "self_managed",
)
BILLING_FIELDS = (
    "name", "legal_form", "street", "postcode", "city", "country", "email", "delivery", "debtor_number", "tax_status",
    "vat_id", "payment_days", "direct_debit", "iban", "mandate_reference", "mandate_date", "einvoice",
    "electronic_address", "buyer_reference",
)  # fmt: skip

DELIVERIES = ("email", "post", "portal")  # how documents reach a customer
MONTHS_IN_GERMANY = 6  # for which a provider may keep whom somebody has called, after the bill
MANDATE = re.compile(r"[A-Za-z0-9+?/\-:(). ,']{1,35}")  # the signs that SEPA knows


@act
def create_seller(actor: Actor, **fields: Any) -> Seller:
    """Make the seller; its fields are those of the model. Raises `Refused` (`invalid`)."""
    fields.setdefault("consumer_rules", "DE" if fields["country"] == "DE" else "none")  # R15.4
    fields.setdefault("call_number_months", MONTHS_IN_GERMANY if fields["country"] == "DE" else 0)
    closed = {name: fields.pop(name) for name in ("closed_until",) if name in fields}
    values = checked(fields)
    check_seller(Seller(**values))
    seller = Seller.objects.create(**values, **closed)
    record(actor, "create_seller", f"seller:{seller.pk}", {"name": seller.name})
    return seller


@act
def change_seller(actor: Actor, *, seller: Seller, **fields: Any) -> Seller:
    """Write the settings named of a seller; the others stay. Gives it as it is now. Raises `Refused` (`invalid`).

    `billing.services.change_seller` is what doors call: it knows what is billed already.
    """
    values = checked(fields)
    seller = Seller.objects.select_for_update().get(pk=seller.pk)
    new = changed(seller, values)
    if not new:
        return seller
    before = {name: getattr(seller, name) for name in new}
    for name, value in new.items():
        setattr(seller, name, value)
    check_seller(seller)
    seller.save(update_fields=list(new))
    if "country" in new:
        _complete_again(seller)
    record(actor, "change_seller", f"seller:{seller.pk}", {"before": before, "after": new})
    return seller


def _complete_again(seller: Seller) -> None:
    """Whether reverse charge is possible depends on where the seller is."""
    rows = Customer.objects.filter(seller=seller, billing_information__tax_status="reverse_charge")
    found = list(rows.select_related("billing_information"))
    for customer in found:
        customer.seller = seller
        customer.complete = not missing_billing_information(customer)
    Customer.objects.bulk_update(found, ["complete"], batch_size=1000)


@act
def create_customer(actor: Actor, *, seller: Seller, key: str, name: str, **fields: Any) -> Customer:
    """Make a customer, without billing information. Raises `Refused` (`conflict`) when the key is taken."""
    if Customer.objects.filter(seller=seller, key=key).exists():
        raise Refused("conflict", "There is a customer “%(key)s” already: choose another key.", key=key)
    _check_rate(fields)
    _check_head_office(None, seller, fields.get("head_office"))
    customer = Customer.objects.create(
        seller=seller, key=key, name=name, created_at=actor.now, folded=folded(name, key), **fields
    )
    record(actor, "create_customer", f"customer:{customer.pk}", {"key": key, "name": name})
    return customer


@act
def change_customer(actor: Actor, *, customer: Customer, **fields: Any) -> None:
    """Write the fields named of a customer (`name` and `CUSTOMER_FIELDS`); the others stay.

    Raises `Refused` (`invalid`). What is billed already does not change.
    """
    unknown = set(fields) - {"name", *CUSTOMER_FIELDS}
    if unknown:
        raise Refused("invalid", "A customer has no field “%(field)s”.", field=sorted(unknown)[0])
    for name in ("name", "kind", "language", "documents_per", "round_up_minutes"):
        if name in fields and not fields[name]:
            raise Refused("invalid", "A customer needs a value for %(field)s.", field=name)
    _check_rate(fields)
    customer.refresh_from_db()
    _check_head_office(customer, customer.seller, fields.get("head_office"))
    before = {name: getattr(customer, name) for name in fields}
    for name, value in fields.items():
        setattr(customer, name, value)
    if "kind" in fields and (info := getattr(customer, "billing_information", None)):
        check_profile(customer, info)  # as a business it gets the seller's
    customer.folded = folded(customer.name, customer.key)
    customer.save(update_fields=[*fields, "folded"])
    record(
        actor, "change_customer", f"customer:{customer.pk}", {"before": _told(before), "after": _told(fields)}
    )  # fmt: skip


def folded(name: str, key: str) -> str:
    """A customer's name and key as they are searched and sorted by."""
    return fold(f"{name} {key}")[:320]


def _check_rate(fields: dict[str, Any]) -> None:
    rate = fields.get("hourly_rate")
    if rate is not None and number(rate, "hourly_rate") < 0:
        raise Refused("invalid", "Prices and quantities cannot be less than 0.")


def _check_head_office(customer: Customer | None, seller: Seller, head: Customer | None) -> None:
    """A head office is another customer of the seller, and no branch itself; who has branches is none either."""
    if head is None:
        return
    if head.seller_id != seller.pk or (customer is not None and head.pk == customer.pk):
        raise Refused("invalid", "A head office is another customer.", field="head_office")
    if head.head_office_id is not None or (customer is not None and customer.branches.exists()):
        raise Refused("invalid", "A head office is no branch itself: choose the one above.", field="head_office")


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a customer as the log keeps them: another customer by its key."""
    return {name: value.key if isinstance(value, Customer) else value for name, value in fields.items()}


@act
def set_billing_information(actor: Actor, *, customer: Customer, **fields: Any) -> BillingInformation:
    """Write the fields named of a customer's billing information; the others stay. Raises `Refused` (`invalid`)."""
    unknown = set(fields) - set(BILLING_FIELDS)
    if unknown:
        raise Refused("invalid", "Billing information has no field “%(field)s”.", field=sorted(unknown)[0])
    if fields.get("iban"):
        fields["iban"] = iban.normal(fields["iban"])
        if not iban.is_valid(fields["iban"]):
            raise Refused("invalid", "“%(value)s” is no IBAN: compare it digit by digit.", value=fields["iban"],
                          field="iban")  # fmt: skip
    before = BillingInformation.objects.filter(customer=customer).first()
    after = BillingInformation(**{n: getattr(before, n) for n in BILLING_FIELDS} if before else {})
    for name, value in fields.items():
        setattr(after, name, value)
    _check_payment(after)
    check_profile(customer, after)
    known = before.vat_id if before else None
    info, _ = BillingInformation.objects.update_or_create(customer=customer, defaults=fields)
    if info.vat_id != known and customer.seller.vies and latest_of(customer.seller_id, info.vat_id) is None:
        ask_later(customer.seller, info.vat_id)
    customer.billing_information = info
    customer.complete = not missing_billing_information(customer)
    customer.save(update_fields=["complete"])
    record(actor, "set_billing_information", f"customer:{customer.pk}", fields)
    return info


def _check_payment(after: BillingInformation) -> None:
    """Raise `Refused` (`invalid`) for a way of delivery that nobody knows, and a direct debit without its mandate."""
    if after.delivery not in DELIVERIES:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=after.delivery,
                      known=", ".join(DELIVERIES), field="delivery")  # fmt: skip
    if not after.direct_debit:
        return
    for name in ("iban", "mandate_reference", "mandate_date"):
        if not getattr(after, name):
            raise Refused("invalid", "Direct debit needs an IBAN, and the reference and the date of the mandate.",
                          field=name)  # fmt: skip
    if not MANDATE.fullmatch(after.mandate_reference):
        raise Refused(
            "invalid", "A mandate's reference has at most 35 letters, digits, blanks and signs such as + / - .",
            field="mandate_reference",
        )  # fmt: skip


@act
def close_period(actor: Actor, *, seller: Seller, until: Any) -> None:
    """Close the seller's books before a day: usage dated before it waits, and none there is corrected (R12.3)."""
    seller.closed_until = until
    seller.save(update_fields=["closed_until"])
    record(actor, "close_period", f"seller:{seller.pk}", {"until": until})


@transaction.atomic
def set_mail_server(actor: Actor, *, seller: Seller | None, password: str | None = None, **fields: Any) -> MailServer:
    """Write the mail server of a seller (None: of all who have none of their own).

    `password`: None keeps the one that is there; another host asks for it anew, so that nobody has it sent to a server
    of one's own. Raises `Refused` (`invalid`): a field is missing or wrong.
    """
    key = f"seller:{seller.pk}" if seller else ""
    server = MailServer.objects.filter(key=key).first() or MailServer(key=key)
    if server.password and password is None and fields.get("host", server.host) != server.host:
        raise Refused("invalid", "Enter the password again: it belongs to another server.")
    for name in ("host", "port", "security", "user", "from_address", "from_name"):
        if name in fields:
            setattr(server, name, fields[name])
    if password is not None:
        server.password = seal(password)
    if not re.fullmatch(r"[A-Za-z0-9.\-:]{1,200}", server.host):
        raise Refused("invalid", "“%(host)s” is no name of a mail server.", host=server.host)
    try:
        server.clean_fields(exclude=["key"])
    except ValidationError as error:
        name = next(iter(error.message_dict))
        raise Refused(
            "invalid", "%(field)s of the mail server: %(why)s", field=name, why=error.message_dict[name][0]
        ) from error
    if not one_line(server.from_name + server.user):
        raise Refused("invalid", "A name has one line.")
    server.save()
    kept = {n: getattr(server, n) for n in ("host", "port", "security", "user", "from_address", "from_name")}
    record(actor, "set_mail_server", f"seller:{seller.pk}" if seller else "", kept)
    return server


@transaction.atomic
def remove_mail_server(actor: Actor, *, server: MailServer) -> None:
    """Remove a mail server; mails then go over the one for all, or are caught where there is none."""
    server.delete()
    record(actor, "remove_mail_server", server.key, {"host": server.host})
