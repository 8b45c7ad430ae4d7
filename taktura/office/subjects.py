"""What entries of the log are about: names and ways to their pages, in one query for each kind of thing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from taktura.accounts.models import ApiKey, Invitation, User
from taktura.catalog.models import Article, Coupon, Tariff
from taktura.contracts.models import Contract
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.usage.models import Supplier

# kind: what it is a row of, the field that names it, the page that shows it, the permission for that page
KINDS: dict[str, tuple[type[Model], str, str, str]] = {
    "article": (Article, "title", "article", "tariffs.view"),
    "contract": (Contract, "key", "contract", "contracts.view"),
    "coupon": (Coupon, "key", "", ""),
    "customer": (Customer, "name", "customer", "customers.view"),
    "document": (Document, "number", "document", "documents.view"),
    "invitation": (Invitation, "email", "", ""),
    "key": (ApiKey, "name", "key", "settings.view"),
    "seller": (Seller, "name", "", ""),
    "supplier": (Supplier, "name", "supplier", "usage.view"),
    "tariff": (Tariff, "key", "tariff", "tariffs.view"),
    "user": (User, "name", "user", "accounts.change"),
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
        model, field, page, permission = KINDS[kind]
        linked = bool(page) and user.may(permission)
        for pk, name in model._default_manager.filter(pk__in=ids).values_list("pk", field):
            found[f"{kind}:{pk}"] = Subject(str(name), _url(page, pk) if linked else "")
    return found


def _url(page: str, pk: int) -> str:
    try:
        return reverse(page, args=[pk])
    except NoReverseMatch:
        return ""
