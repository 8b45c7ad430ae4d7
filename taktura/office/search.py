"""Search over everything by name or number, and over commands; one query for each kind of thing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.accounts.models import User
from taktura.catalog.models import Article, Tariff
from taktura.contracts.models import Contract
from taktura.customers.models import Customer
from taktura.customers.queries import search as search_customers
from taktura.desk.models import Ticket
from taktura.desk.queries import search as search_tickets
from taktura.invoices.models import DocumentState
from taktura.kit.fold import fold, matching
from taktura.office import show
from taktura.office.page import STAFF, page, seller_of, user_of
from taktura.usage.models import Supplier

QUICK, FULL = 5, 50  # of each kind
LEAST = 2  # letters


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: its name, what tells it from others, where it is."""

    name: str
    about: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind."""

    label: str
    icon: str
    hits: list[Hit]


# label, other words by which it is found, name of the page, permission
COMMANDS = (
    (lazy("New customer"), "new customer neuer kunde anlegen ny kund skapa", "customer_new", "customers.change"),
    (lazy("New ticket"), "new ticket open neues ticket anlegen nytt ärende öppna", "ticket_new", "desk.change"),
    (lazy("Start the timer"), "start timer clock stoppuhr starten tidtagarur starta", "timer", "desk.change"),
    (lazy("Log time"), "log time zeit erfassen registrera tid", "time_new", "desk.change"),
    (lazy("New contract"), "new contract sign neuer vertrag nytt avtal teckna", "sign_contract", "contracts.change"),
    (lazy("Change a quantity"), "change quantity menge aendern andern antal ändra", "contracts", "contracts.change"),
    (lazy("New tariff"), "new tariff neuer tarif ny tariff", "tariff_new", "tariffs.change"),
    (lazy("Load a usage file"), "import usage file nutzung laden datei användning fil", "usage_import", "usage.change"),
    (
        lazy("Extend contracts from supplier subscriptions"),
        "extend contract subscription vertrag erweitern lieferant utöka avtal leverantör",
        "subscriptions_extend",
        "contracts.change",
    ),
    (lazy("Billing run"), "bill billing run abrechnung lauf fakturering körning", "billing", "billing.view"),
    (lazy("Users"), "users benutzer einladen användare bjud in invite", "users", "settings.view"),
    (lazy("Keys of the API"), "api keys schluessel schlüssel nycklar", "keys", "settings.view"),
)


@page(STAFF)
def search(request: HttpRequest) -> HttpResponse:
    """What a text finds: as a short list for the field in the head (`quick`), or as a page; what is meant beyond doubt
    is opened at once."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    quick = "quick" in request.GET
    can_search = len(text) >= LEAST and request.seller is not None  # type: ignore[attr-defined]
    groups = list(find(request, text, QUICK if quick else FULL)) if can_search else []
    if not quick and (only := meant(groups, text)):
        return redirect(only)
    context = {"text": text, "groups": groups, "too_short": len(text) < LEAST}
    return render(request, "office/search_found.html" if quick else "office/search.html", context)


def meant(groups: list[Group], text: str) -> str:
    """The address of what is meant, where that is beyond doubt: the only hit, or the only one that bears the text as
    its name or number; else empty."""
    hits = [hit for group in groups for hit in group.hits if hit.url]
    if len(hits) > 1:
        hits = [hit for hit in hits if fold(text) in (fold(hit.name), fold(hit.about))]
    return hits[0].url if len(hits) == 1 else ""


def find(request: HttpRequest, text: str, most: int) -> Iterator[Group]:
    """The groups of things that a text finds and the user may see, `most` of each."""
    user, seller = user_of(request), seller_of(request)
    yield from _group(_("Commands"), "bolt", _commands(user, text))
    kinds: list[tuple[str, str, str, Callable[[], Iterator[Hit]]]] = [
        ("customers.view", _("Customers"), "users", lambda: _customers(seller.pk, text, most)),
        ("contracts.view", _("Contracts"), "file-text", lambda: _contracts(seller.pk, text, most)),
        ("documents.view", _("Documents"), "file-invoice", lambda: _documents(seller.pk, text, most)),
        ("desk.view", _("Tickets"), "headset", lambda: _tickets(seller.pk, text, most)),
        ("tariffs.view", _("Tariffs"), "tags", lambda: _tariffs(seller.pk, text, most)),
        ("tariffs.view", _("Articles"), "box", lambda: _articles(user, seller.pk, text, most)),
        ("usage.view", _("Suppliers"), "cloud-upload", lambda: _suppliers(seller.pk, text, most)),
    ]
    for permission, label, icon, found in kinds:
        if user.may(permission):
            yield from _group(label, icon, found())


def _group(label: str, icon: str, hits: Iterator[Hit]) -> Iterator[Group]:
    found = list(hits)
    if found:
        yield Group(label, icon, found)


def _commands(user: User, text: str) -> Iterator[Hit]:
    words = fold(text).split()
    for label, others, name, permission in COMMANDS:
        known = fold(f"{label} {others}").split()
        meant = all(any(k.startswith(w) for k in known) for w in words)
        if meant and user.may(permission) and (url := address(name)):
            yield Hit(str(label), "", url)


def address(name: str, *args: Any) -> str:
    """The address of a page, or nothing where there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _customers(seller: int, text: str, most: int) -> Iterator[Hit]:
    for c in search_customers(Customer.objects.filter(seller=seller), text).order_by("folded", "pk")[:most]:
        yield Hit(c.name, c.key, reverse("customer", args=[c.pk]))


def _contracts(seller: int, text: str, most: int) -> Iterator[Hit]:
    rows = Contract.objects.filter(seller=seller, key__icontains=text).select_related("customer")
    for c in rows.order_by("key", "pk")[:most]:
        yield Hit(c.key, c.customer.name, address("contract", c.pk))


def _documents(seller: int, text: str, most: int) -> Iterator[Hit]:
    wanted = text.upper()
    rows = DocumentState.objects.filter(seller=seller).filter(
        Q(number__gte=wanted, number__lt=f"{wanted}\U0010ffff") | Q(number=text)  # an index answers this
    )
    for d in rows.select_related("customer").order_by("number")[:most]:
        amount = show.minor(d.gross, d.currency)
        yield Hit(d.number, f"{show.word('document', d.kind)}, {d.customer.name}, {amount}", address("document", d.pk))


def _tickets(seller: int, text: str, most: int) -> Iterator[Hit]:
    rows = search_tickets(Ticket.objects.filter(seller=seller), text).select_related("customer")
    for t in rows.order_by("-changed_at", "-pk")[:most]:
        state = show.word("ticket_state", t.status)
        yield Hit(t.subject, f"#{t.number}, {t.customer.name}, {state}", address("ticket", t.pk))


def _tariffs(seller: int, text: str, most: int) -> Iterator[Hit]:
    rows = matching(Tariff.objects.filter(seller=seller), text, "key", "versions__title")
    for t in rows.distinct().order_by("key")[:most]:
        yield Hit(t.key, t.module.title if t.module else "", address("tariff", t.pk))


def _articles(user: User, seller: int, text: str, most: int) -> Iterator[Hit]:
    rows = matching(Article.objects.filter(seller=seller), text, "key", "title", "number")
    listed = address("articles")
    for a in rows.order_by("key")[:most]:
        url = address("article", a.pk) if user.may("tariffs.change") else f"{listed}?{urlencode({'q': a.key})}"
        yield Hit(a.title or a.key, a.number or a.key, url)


def _suppliers(seller: int, text: str, most: int) -> Iterator[Hit]:
    rows = matching(Supplier.objects.filter(seller=seller), text, "key", "name")
    for s in rows.order_by("name")[:most]:
        yield Hit(s.name, s.key, address("supplier", s.pk))
