"""Reads of documents: what is open, what is left to credit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from taktura.core.errors import Refused
from taktura.core.money import Money
from taktura.core.tax import Vat
from taktura.invoices.models import KINDS, Document, DocumentLine, DocumentState, NumberSeries, Payment
from taktura.kit.bulk import among
from taktura.kit.mail.models import OutgoingMail


def by_number(seller_id: int, number: str) -> Document:
    """The document of a number; raises `Refused` (`not_found`, or `invalid` where two kinds share the number)."""
    found = list(
        Document.objects.select_related("seller", "customer", "contract").filter(seller=seller_id, number=number)
    )
    if not found:
        raise Refused("not_found", "There is no document “%(number)s”.", number=number)
    if len(found) > 1:
        raise Refused("invalid", "An invoice and a credit note share the number “%(number)s”.", number=number)
    return found[0]


def by_id(seller_id: int, pk: int) -> Document:
    """A seller's document by its id; raises `Refused` (`not_found`)."""
    rows = Document.objects.select_related("seller", "customer", "contract", "state")
    found = rows.filter(seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no document %(id)s.", id=pk)
    return found


def series_of(seller_id: int, day: date) -> list[tuple[NumberSeries, int]]:
    """The series of a seller's documents, each with the number that comes next in the year of a day."""
    rows = NumberSeries.objects.filter(seller=seller_id).prefetch_related("counters").order_by("id")
    found = []
    for series in rows:
        year = day.year if "{year" in series.format else 0
        found.append((series, next((c.next for c in series.counters.all() if c.year == year), 1)))
    return found


def documents_of(ids: Iterable[int]) -> QuerySet[Document]:
    """Documents by id, in the order of issue."""
    return Document.objects.filter(pk__in=among(ids)).order_by("id")


_TAXES = """SELECT document_id, category, rate, net, tax FROM invoices_documenttax WHERE document_id = ANY(%s)"""
_CREDITED = """WITH notes AS (
        SELECT r.document_id, min(r.corrects_id) AS corrects_id
        FROM invoices_documentreference r
        WHERE r.document_id IN (SELECT document_id FROM invoices_documentreference WHERE corrects_id = ANY(%s))
        GROUP BY r.document_id HAVING count(*) = 1
    )
    SELECT n.corrects_id, t.category, t.rate, t.net, t.tax
    FROM notes n JOIN invoices_document d ON d.id = n.document_id AND d.kind = 'credit_note'
        JOIN invoices_documenttax t ON t.document_id = n.document_id"""


def rests(documents: Iterable[int]) -> dict[int, dict[Vat, tuple[int, int]]]:
    """What is left of documents by VAT: (net, tax) less the credit notes that correct only them (R14.4)."""
    found: dict[int, dict[Vat, tuple[int, int]]] = {pk: {} for pk in documents}
    with connection.cursor() as cursor:
        cursor.execute(_TAXES, [list(found)])
        for pk, category, rate, net, tax in cursor.fetchall():
            found[pk][category, rate] = (net, tax)
        cursor.execute(_CREDITED, [list(found)])
        for pk, category, rate, net, tax in cursor.fetchall():
            left = found[pk].get((category, rate), (0, 0))
            found[pk][category, rate] = (left[0] - net, left[1] - tax)
    return found


def credited(lines: Iterable[int]) -> dict[int, int]:
    """What has been credited of document lines, in the price's basis; on netted invoices too, where it is negative."""
    found: dict[int, int] = {}
    rows = DocumentLine.objects.filter(credits__in=list(lines)).values_list("credits_id", "document__kind", "amount")
    for pk, kind, amount in rows:
        if pk is not None:
            found[pk] = found.get(pk, 0) + (amount if kind == "credit_note" else -amount)
    return found


def open_amount(document: Document) -> Money:
    """What is still to be paid of an invoice: less payments and the credit notes that correct only it."""
    paid = Payment.objects.filter(document=document).aggregate(s=Coalesce(Sum("amount"), 0))["s"]
    left = sum(net + tax for net, tax in rests([document.pk])[document.pk].values())
    return Money(left - paid, document.digits)


def status(document: Document) -> str:
    """`open`, `partly_paid` or `paid`."""
    return state_of(open_amount(document), paid=Payment.objects.filter(document=document).exists())


def state_of(rest: Money, *, paid: bool) -> str:
    """The state of an invoice of which so much is open; `paid`: something has been."""
    if rest.minor <= 0:
        return "paid"
    return "partly_paid" if paid else "open"


def revenue_by_day(seller_id: int, first: date) -> list[tuple[date, str, int]]:
    """The net issued since a day, by day and currency, credit notes below zero; in minor units, in one query."""
    rows = DocumentState.objects.filter(seller=seller_id, issued_on__gte=first).order_by()
    sums = rows.values_list("issued_on", "currency", "kind").annotate(total=Sum("net"))
    return [(day, currency, total if kind == "invoice" else -total) for day, currency, kind, total in sums]


def mail_states(documents: Iterable[int]) -> dict[int, str]:
    """The state of the last mail of each document (`kit.mail.models.STATES`); those never sent are left out."""
    wanted = {f"document:{pk}": pk for pk in documents}
    rows = OutgoingMail.objects.filter(about__in=list(wanted)).order_by("pk").values_list("about", "state")
    return {wanted[about]: state for about, state in rows}


def mails_of(document: int) -> QuerySet[OutgoingMail]:
    """The mails of a document, the newest first, without what they bring."""
    return OutgoingMail.objects.filter(about=f"document:{document}").defer("text", "html")


def balance(contract_id: int) -> Money:
    """The open amount of a contract: invoices less credit notes less payments; below zero the customer has credit."""
    documents = Document.objects.filter(contract=contract_id)
    sums = documents.aggregate(
        invoiced=Coalesce(Sum("gross", filter=Q(kind="invoice")), 0),
        credited=Coalesce(Sum("gross", filter=Q(kind="credit_note")), 0),
        digits=Coalesce(Max("digits"), 2),  # all of one currency
    )
    paid = Payment.objects.filter(document__contract=contract_id).aggregate(s=Coalesce(Sum("amount"), 0))["s"]
    return Money(sums["invoiced"] - sums["credited"] - paid, sums["digits"])


@dataclass(frozen=True, slots=True)
class Numbering:
    """Where the numbers of a kind of document stand: `next` comes next today, `used` is the highest of the series."""

    kind: str
    format: str
    confirmed: bool
    next: int
    used: int


def numbering(seller_id: int, today: date) -> list[Numbering]:
    """The numbers of each kind of document; an empty format where nothing was confirmed yet."""
    series = {s.kind: s for s in NumberSeries.objects.filter(seller=seller_id).prefetch_related("counters")}
    found = []
    for kind in KINDS:
        one = series.get(kind)
        counters = {c.year: c for c in one.counters.all()} if one else {}
        form = one.format if one else ""
        now = counters.get(today.year if "{year" in form else 0)
        used = now.used if now else 0
        found.append(Numbering(kind, form, bool(one and one.confirmed), now.next if now else 1, used))
    return found


def issued_by_kind() -> list[tuple[int, str, int]]:
    """How many documents each seller has issued: (seller, kind, number)."""
    rows = Document.objects.order_by().values_list("seller_id", "kind").annotate(number=Count("pk"))
    return [(seller, kind, number) for seller, kind, number in rows]


def exact(minor: int, digits: int) -> Decimal:
    """Minor units as a decimal with the currency's decimals."""
    return Money(minor, digits).exact


def open_by_customer(customers: Iterable[int]) -> dict[int, dict[str, int]]:
    """What customers have still to pay, in whole minor units by currency; one query."""
    found: dict[int, dict[str, int]] = {}
    rows = DocumentState.objects.filter(customer__in=among(customers), payment__in=["open", "partly_paid"])
    for pk, currency, amount in (
        rows.values_list("customer_id", "currency").annotate(s=Sum("open")).order_by("currency")
    ):
        found.setdefault(pk, {})[currency] = amount
    return found
