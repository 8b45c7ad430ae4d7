"""The list of documents: what was issued, what is open, what was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, Case, ExpressionWrapper, F, Q, QuerySet, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from taktura.catalog.models import Tariff
from taktura.core.money import Money, places
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import search
from taktura.invoices.models import DocumentState
from taktura.invoices.queries import mail_states
from taktura.kit.language import LANGUAGES
from taktura.office import show
from taktura.office.documents.bulk import bulk_actions
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import page, seller_of, today_of
from taktura.office.templatetags.office import state
from taktura.office.words import WORDS

UNPAID = ("open", "partly_paid")
FOUND_CUSTOMERS = 500  # of a search; more names than that are no search for somebody


@page("documents.view")
def documents(request: HttpRequest) -> HttpResponseBase:
    """All documents of the seller, the newest first."""
    return list_page(request, document_listing(seller_of(request), today_of(request)))


def document_listing(seller: Seller, today: date, **changes: Any) -> Listing:
    """How documents are listed; `changes` of it for pages that list some of them."""
    listing = Listing(
        slug="documents",
        title=_("Documents"),
        rows=rows_of(seller),
        columns=_columns(today),
        order="-date",
        filters=_filters(seller, today),
        search=lambda rows, text: _search(seller, rows, text),
        search_label=_("Number or customer"),
        prepare=_prepare,
        link=lambda row: reverse("document", args=[row.pk]),
        menu=_menu,
        actions=bulk_actions(),
        empty_title=_("No documents yet"),
        empty_text=_("Invoices and credit notes stand here once a billing run has issued them."),
    )
    return replace(listing, **changes)


def rows_of(seller: Seller) -> QuerySet[Any]:
    """A seller's documents as lists show them; what a credit note gives back counts below zero."""
    return (
        DocumentState.objects.filter(seller=seller)
        .select_related("customer", "contract")
        .annotate(signed_net=_signed("net"), signed_gross=_signed("gross"))
    )


def _signed(name: str) -> Case:
    minus = ExpressionWrapper(-F(name), output_field=BigIntegerField())
    return Case(When(kind="credit_note", then=minus), default=F(name), output_field=BigIntegerField())


def payment_state(row: DocumentState, today: date) -> str:
    """How it stands with the payment of a document; empty for a credit note."""
    overdue = row.payment in UNPAID and row.due_on is not None and row.due_on < today
    return "overdue" if overdue else row.payment


def _columns(today: date) -> Sequence[Column]:
    return [
        Column(name="number", label=_("Number"), raw=lambda r: r.number, sort="number", value=_number),
        Column(name="kind", label=_("Kind"), value=lambda r: state("document", r.kind), shown=False),
        Column(name="customer", label=_("Customer"), value=_customer, raw=lambda r: r.customer.name, narrow=True),
        Column(name="contract", label=_("Contract"), value=_contract, shown=False),
        Column(name="date", label=_("Date"), value=_date, raw=lambda r: r.issued_on, sort="issued_on", numeric=True,
               narrow=True),
        Column(name="due", label=_("Due"), value=lambda r: show.day(r.due_on), raw=lambda r: r.due_on, sort="due_on",
               empty=date.min, numeric=True, shown=False),
        Column(name="net", label=_("Net"), value=lambda r: show.minor(r.signed_net, r.currency),
               raw=lambda r: _exact(r.signed_net, r.currency), sums="signed_net", numeric=True, shown=False),
        Column(name="gross", label=_("Gross"), value=lambda r: show.minor(r.signed_gross, r.currency),
               raw=lambda r: _exact(r.signed_gross, r.currency), sort="signed_gross", sums="signed_gross",
               numeric=True),
        Column(name="currency", label=_("Currency"), value=lambda r: r.currency, shown=False),
        Column(name="open", label=_("Open amount"), value=_open, raw=lambda r: _exact(r.open, r.currency), sort="open",
               sums="open", numeric=True, narrow=True),
        Column(name="payment", label=_("Payment"), value=lambda r: _payment(r, today)),
        Column(name="sent", label=_("Sent"), value=_sent, narrow=True),
        Column(name="language", label=_("Language"), value=lambda r: show.word("language", r.language), shown=False),
    ]  # fmt: skip


def _number(row: Any) -> SafeString:
    """The number with what it is; on a phone with whom it goes to, since there is no other column for that."""
    return format_html(
        '<span class="nowrap">{}</span><span class="under">{}</span><span class="under d-md-none">{}</span>',
        row.number, show.word("document", row.kind), row.customer.name,
    )  # fmt: skip


def _date(row: Any) -> SafeString | str:
    if row.due_on is None:
        return show.day(row.issued_on)
    due = _("due %(day)s") % {"day": show.day(row.due_on)}
    return format_html('{}<span class="under">{}</span>', show.day(row.issued_on), due)


def _customer(row: Any) -> SafeString | str:
    if row.contract is None:
        return str(row.customer.name)
    return format_html('{}<span class="under">{}</span>', row.customer.name, row.contract.key)


def _contract(row: Any) -> str:
    return row.contract.key if row.contract else show.NONE


def _exact(minor: int, currency: str) -> Any:
    return Money(minor, places(currency)).exact


def _open(row: Any) -> str:
    return show.minor(row.open, row.currency) if row.payment in UNPAID else show.NONE


def _payment(row: Any, today: date) -> SafeString | str:
    found = payment_state(row, today)
    return state("payment", found) if found else show.NONE


def _sent(row: Any) -> SafeString:
    if row.mail:
        return state("mail", row.mail)
    return format_html('<span class="text-secondary">{}</span>', _("Not sent"))


def _prepare(rows: list[Any]) -> None:
    """What became of the last mail of each document."""
    sent = mail_states(row.pk for row in rows if row.mailed_at is not None)
    for row in rows:
        row.mail = sent.get(row.pk, "")


def _menu(row: Any) -> Iterable[Link]:
    def at(name: str) -> str:
        return reverse(name, args=[row.pk])

    yield Link(label=_("PDF"), url=at("document_pdf"), permission="documents.view", icon="file-type-pdf")
    yield Link(label=_("Send by mail"), url=at("send_document"), permission="documents.send", icon="send")
    if row.kind == "invoice":
        yield Link(label=_("Enter a payment"), url=at("pay_document"), permission="payments.change", icon="cash")
        yield Link(label=_("Credit"), url=at("credit_document"), permission="documents.credit", icon="file-minus")


def _search(seller: Seller, rows: Rows, text: str) -> Rows:
    """By number, or by the customers whose name or number holds the text."""
    return rows.filter(Q(number__icontains=text) | Q(customer__in=_customers(seller, text)))


def _customers(seller: Seller, text: str) -> list[int]:
    """The customers whom a text finds."""
    found = search(Customer.objects.filter(seller=seller), text)
    return list(found.values_list("pk", flat=True)[:FOUND_CUSTOMERS])


def _filters(seller: Seller, today: date) -> Sequence[Filter]:
    currencies = {seller.currency, *Tariff.objects.filter(seller=seller).values_list("currency", flat=True).distinct()}
    kinds, payments = ("invoice", "credit_note"), ("open", "overdue", "partly_paid", "paid", "credited")
    return [
        Filter(name="kind", label=_("Kind"), choices=[(k, show.word("document", k)) for k in kinds],
               apply=lambda rows, kind: rows.filter(kind=kind)),
        Filter(name="payment", label=_("Payment"), choices=[(p, show.word("payment", p)) for p in payments],
               apply=lambda rows, payment: _paid(rows, payment, today)),
        Filter(name="customer", label=_("Customer"), is_text=True,
               apply=lambda rows, text: _of_customer(seller, rows, text)),
        Filter(name="from", label=_("From"), is_day=True, apply=lambda rows, day: rows.filter(issued_on__gte=day)),
        Filter(name="until", label=_("Until"), is_day=True, apply=lambda rows, day: rows.filter(issued_on__lte=day)),
        Filter(name="sent", label=_("Sent"), choices=[("yes", _("Sent")), ("no", _("Not sent"))],
               apply=lambda rows, sent: rows.filter(mailed_at__isnull=sent == "no")),
        Filter(name="delivery", label=_("Way of delivery"),
               choices=[(way, show.word("way_of_delivery", way)) for way in WORDS["way_of_delivery"]],
               apply=lambda rows, way: rows.filter(customer__billing_information__delivery=way)),
        Filter(name="currency", label=_("Currency"), choices=[(c, c) for c in sorted(currencies)],
               apply=lambda rows, currency: rows.filter(currency=currency)),
        Filter(name="language", label=_("Language"), choices=[(x, show.word("language", x)) for x in LANGUAGES],
               apply=lambda rows, language: rows.filter(language=language)),
    ]  # fmt: skip


def _paid(rows: Rows, payment: str, today: date) -> Rows:
    if payment == "overdue":
        return rows.filter(payment__in=UNPAID, due_on__lt=today)
    if payment == "open":  # a part that is paid leaves the rest open
        return rows.filter(payment__in=UNPAID)
    return rows.filter(payment=payment)


def _of_customer(seller: Seller, rows: Rows, text: str) -> Rows:
    """Of the customer of a number, else of those whom the text finds."""
    found = list(Customer.objects.filter(seller=seller, key=text).values_list("pk", flat=True))
    return rows.filter(customer__in=found or _customers(seller, text))
