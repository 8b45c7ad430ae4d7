"""What entries of the log are about: names and ways to their pages, in one query for each kind of thing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from taktura.accounts.models import ApiKey, Invitation, PortalUser, User
from taktura.catalog.models import Article, Coupon, Key, Module, Tariff
from taktura.contracts.models import Contract, NoticeRequest, Order
from taktura.customers.models import Customer, Seller
from taktura.desk.models import Ticket
from taktura.invoices.models import Document
from taktura.office.page import may_open
from taktura.usage.models import Supplier, SupplierInvoice

# kind: what it is a row of, the field that names it, the page that shows it
KINDS: dict[str, tuple[type[Model], str, str]] = {
    "article": (Article, "title", "article"),
    "contract": (Contract, "key", "contract"),
    "coupon": (Coupon, "key", "coupon"),
    "customer": (Customer, "name", "customer"),
    "document": (Document, "number", "document"),
    "invitation": (Invitation, "email", ""),
    "key": (ApiKey, "name", "key"),
    "module": (Module, "title", "module"),
    "notice_request": (NoticeRequest, "number", "notice_request"),
    "order": (Order, "name", "order"),
    "portal_user": (PortalUser, "email", ""),
    "seller": (Seller, "name", ""),
    "supplier": (Supplier, "name", "supplier"),
    "supplier_invoice": (SupplierInvoice, "number", "supplier_invoice"),
    "tariff": (Tariff, "key", "tariff"),
    "ticket": (Ticket, "subject", "ticket"),
    "usage_key": (Key, "key", "tariff_key"),
    "user": (User, "name", "user"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about: its name, and where it is shown (empty: nowhere, or not to this user)."""

    name: str
    url: str = ""


def subjects(texts: Iterable[str], user: User) -> dict[str, Subject]:
    """The subjects (`customer:5`) by their texts, as a user may see them."""
    wanted: dict[str, set[int]] = {}
    found = {}
    for text in set(texts):
        kind, _, number = text.partition(":")
        found[text] = Subject(text)
        if kind in KINDS and number.isdecimal():
            wanted.setdefault(kind, set()).add(int(number))
    for kind, ids in wanted.items():
        model, field, page = KINDS[kind]
        linked = may_open(user, _url(page, 1))
        for pk, name in model._default_manager.filter(pk__in=ids).values_list("pk", field):
            found[f"{kind}:{pk}"] = Subject(str(name), _url(page, pk) if linked else "")
    return found


def _url(page: str, pk: int) -> str:
    """The address of a row's page; empty where there is none."""
    try:
        return reverse(page, args=[pk])
    except NoReverseMatch:
        return ""
