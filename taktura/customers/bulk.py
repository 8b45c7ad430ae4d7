"""Many customers at once, as another system has them: checked one by one, written in sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record_all
from taktura.core.errors import Refused
from taktura.customers import iban, vat_id
from taktura.customers.addresses import check_email
from taktura.customers.languages import language_of
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.customers.queries import STATUS, missing_billing_information
from taktura.customers.services import folded
from taktura.customers.vat_checks import ask_later
from taktura.kit.actor import Actor
from taktura.kit.fold import fold
from taktura.kit.language import LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    """A customer to be made, with what is known of its billing information."""

    key: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the customer
    billing: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What tells customers apart, of those who are there: by number, VAT id, e-mail, and folded name with postcode."""

    by_key: Mapping[str, Customer]
    marks: dict[tuple[str, str], str]  # (kind of mark, value): the number of who has it

    def twin(self, one: NewCustomer) -> tuple[str, str] | None:
        """Whom a new customer would double, and by which mark (`vat_id`, `email`, `name`)."""
        return next(((self.marks[m], m[0]) for m in marks_of(one.name, one.billing) if m in self.marks), None)

    def add(self, one: NewCustomer) -> None:
        """Note a new customer, so that a later one does not double it."""
        for mark in marks_of(one.name, one.billing):
            self.marks.setdefault(mark, one.key)


def known_customers(seller: Seller) -> Known:
    """The customers of a seller, by what tells them apart; one query."""
    by_key, marks = {}, dict[tuple[str, str], str]()
    rows = Customer.objects.filter(seller=seller).select_related("billing_information")
    for row in rows:
        by_key[row.key] = row
        info = getattr(row, "billing_information", None)
        billing = {n: getattr(info, n) for n in ("vat_id", "email", "postcode")} if info else {}
        for mark in marks_of(row.name, billing):
            marks.setdefault(mark, row.key)
    return Known(by_key, marks)


def marks_of(name: str, billing: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """By what a customer may be known already, the surest first."""
    if billing.get("vat_id"):
        yield "vat_id", vat_id.normal(billing["vat_id"])
    if billing.get("email"):
        yield "email", str(billing["email"]).casefold()
    if billing.get("postcode"):
        yield "name", f"{fold(name)} {billing['postcode']}"


def check_new(one: NewCustomer) -> None:
    """Raise `Refused` (`invalid`) for a value that a customer cannot have, naming the column."""
    billing = one.billing
    if not one.name:
        raise Refused("invalid", "The row names no customer: fill “name”.", field="name")
    if "/" in one.key or not one.key.isprintable() or len(one.key) > 100:
        raise Refused("invalid", "The number “%(key)s” has signs that no address can hold.", key=one.key[:100])
    for name, known in (("kind", ("business", "consumer")), ("language", LANGUAGES)):
        _check_word(name, one.fields.get(name), known)
    _check_word("tax_status", billing.get("tax_status"), tuple(STATUS))
    country = billing.get("country", "")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise Refused("invalid", "“%(value)s” is no country: write its two letters.", value=country, field="country")
    check_email(billing.get("email") or "")
    if billing.get("iban") and not iban.is_valid(billing["iban"]):
        raise Refused("invalid", "“%(value)s” is no IBAN: compare it digit by digit.", value=billing["iban"],
                      field="iban")  # fmt: skip
    given = billing.get("vat_id", "")
    if given and vat_id.country_of(given) in vat_id.EU and not vat_id.is_valid(given):
        raise Refused("invalid", "“%(value)s” is no VAT id: compare it digit by digit.", value=given, field="vat_id")
    _check_lengths(one)


def _check_word(name: str, value: Any, known: Sequence[str]) -> None:
    if value and value not in known:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=value, known=", ".join(known),
                      field=name)  # fmt: skip


def _check_lengths(one: NewCustomer) -> None:
    """What is longer than its column."""
    for model, values in ((Customer, {"name": one.name}), (BillingInformation, one.billing)):
        for name, value in values.items():
            most = model._meta.get_field(name).max_length  # type: ignore[union-attr]
            if isinstance(value, str) and most is not None and len(value) > most:
                raise Refused("invalid", "“%(column)s” has more than %(most)s characters.", column=name, most=most)


@act
def create_customers(actor: Actor, *, seller: Seller, wanted: Sequence[NewCustomer]) -> dict[str, Customer]:
    """Make customers with their billing information, in a fixed number of queries; gives them by number. What they are
    like is checked already (`check_new`), and that no number is taken."""
    customers, infos = [], []
    for one in wanted:
        fields = {"language": language_of(one.billing.get("country", ""), seller.country), **one.fields}
        customer = Customer(
            seller=seller, key=one.key, name=one.name, created_at=actor.now, folded=folded(one.name, one.key), **fields
        )
        info = BillingInformation(customer=customer, **one.billing)
        customer.billing_information = info
        customer.complete = not missing_billing_information(customer)
        customers.append(customer)
        infos.append(info)
    Customer.objects.bulk_create(customers, batch_size=1000)
    for customer, info in zip(customers, infos, strict=True):
        info.customer = customer
    BillingInformation.objects.bulk_create(infos, batch_size=1000)
    record_all(actor, [
        ("create_customer", f"customer:{c.pk}", {"key": c.key, "name": c.name, "from_file": True}) for c in customers
    ])  # fmt: skip
    for info in infos if seller.vies else ():
        ask_later(seller, info.vat_id)
    return {c.key: c for c in customers}
