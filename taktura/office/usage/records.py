"""Usage records: a list that stays quick with ten million of them."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.contracts.models import ContractLine
from taktura.customers.models import Seller
from taktura.office import show
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import page, seller_of
from taktura.office.templatetags.office import state
from taktura.office.usage.parts import from_text, reasons, supplier_filter, tabs
from taktura.usage.groups import parts_of
from taktura.usage.models import SubscriptionLink, SupplierSubscription, UsageException, UsageRecord
from taktura.usage.overview import sources, write_products
from taktura.usage.services import fold

COUNTED, EXPORTED = 10_000, 20_000
FEW_LINES = 1_000  # of an article: an index of their records answers


@page("usage.view")
def records(request: HttpRequest) -> HttpResponseBase:
    """The records, the latest day first."""
    seller = seller_of(request)
    rows = UsageRecord.objects.filter(seller=seller)
    rows, only = _narrowed(request, seller, rows)
    return list_page(
        request,
        Listing(
            slug="usage_records", title=_("Usage records"),
            rows=rows.select_related("line__contract__customer", "line__article", "contract__customer", "supplier"),
            columns=list(_columns()), order="-day", filters=list(_filters(seller)),
            search=lambda found, text: found.filter(
                Q(external_id=text, source__in=sources(seller.pk)) | _of_subscription(seller, text)
            ),
            search_label=_("Record or supplier subscription"), prepare=_prepare,
            link=lambda r: reverse("usage_record", args=[r.pk]),
            primary=Link(label=_("Enter usage"), url=reverse("usage_new"), permission="usage.change"),
            empty_title=_("No usage yet"),
            empty_text=_("It comes by the API, from files of suppliers, or by hand."),
            most=EXPORTED, most_counted=COUNTED, template="usage/records.html", kept=("file", "group", "subscription"),
            more={"usage_tabs": tabs("usage_records"), "only": only},
        ),
    )  # fmt: skip


def _narrowed(request: HttpRequest, seller: Seller, rows: Rows) -> tuple[Rows, str]:
    """The rows that an address from another page asks for (a file's, a group's, a subscription's), and what they are
    called."""
    given, wanted = request.GET.get("file", ""), request.GET.get("subscription", "")
    if given.isdecimal() and len(given) < 18:
        return rows.filter(file=int(given)), _("Only the records of one file.")
    key = from_text(request.GET.get("group", "")) if request.GET.get("group") else None
    if key is not None:
        return rows.filter(pk__in=parts_of(seller.pk, key).values("record")), _("Only what waits for one reason.")
    if wanted.isdecimal() and len(wanted) < 18:
        row = SupplierSubscription.objects.filter(supplier__seller=seller, pk=int(wanted)).first()
        if row is None:
            return rows.none(), ""
        lines = list(SubscriptionLink.objects.filter(subscription=row).values_list("line", flat=True))
        its = rows.filter(supplier=row.supplier_id, subscription=row.folded)
        return its.filter(Q(line__isnull=True) | Q(line__in=lines)), row.reference
    return rows, ""


def _of_subscription(seller: Seller, text: str) -> Q:
    """What is of a supplier subscription, whole and without regard to case. What waits and what is on its lines stands
    in an index each; there is none of all records by subscription, which would be written with each of them."""
    folded = fold(text)
    tied = SubscriptionLink.objects.filter(subscription__supplier__seller=seller, subscription__folded=folded)
    suppliers = list(seller.suppliers.values_list("pk", flat=True))
    waiting = Q(supplier__in=suppliers, subscription=folded, line__isnull=True)
    lines = list(tied.values_list("line", flat=True).distinct()[:FEW_LINES])
    return waiting | Q(line__in=lines, supplier__in=suppliers, subscription=folded)


def _columns() -> Iterator[Column]:
    yield Column(name="day", label=_("Day"), value=days, raw=lambda r: r.day, sort="day")
    yield Column(
        name="state", label=_("State"), value=lambda r: state("usage", r.state),
        raw=lambda r: show.word("usage", r.state),
    )  # fmt: skip
    yield Column(name="contract", label=_("Contract"), value=lambda r: _contract(r, "key"), narrow=True)
    yield Column(name="customer", label=_("Customer"), value=lambda r: _contract(r, "customer"))
    yield Column(name="article", label=_("Article"), value=article)
    yield Column(name="quantity", label=_("Quantity"), value=quantity, raw=_plain_quantity, numeric=True)
    yield Column(
        name="cost", label=_("Cost"), numeric=True, narrow=True, raw=lambda r: r.cost_amount,
        value=lambda r: amount(r.cost_amount, r.currency),
    )  # fmt: skip
    yield Column(
        name="source", label=_("Source"), value=lambda r: r.supplier.name if r.supplier else r.source, narrow=True
    )
    for name, label in (("caller", _("Caller")), ("called", _("Called"))):
        yield Column(name=name, label=label, value=_attribute(name), shown=False)
    yield Column(name="id", label=_("Id"), value=lambda r: r.external_id, shown=False)
    yield Column(
        name="why", label=_("Why it waits"), shown=False,
        value=lambda r: ", ".join(show.word("waiting", x) for x in r.reasons) or show.NONE,
    )  # fmt: skip


def days(record: UsageRecord) -> str:
    """The day of a record, or its first and last."""
    if record.end_day - record.day == timedelta(days=1):
        return show.day(record.day)
    return show.period(record.day, record.end_day)


def article(record: UsageRecord) -> str:
    """What a record is for: the article of its line, else what it was sent for."""
    if record.line is not None:
        return record.line.article.title or record.line.article.key
    return record.article or getattr(record, "written", record.product) or show.NONE


def amount(value: Decimal | None, currency: str) -> str:
    """A cost or price of a record, with all its decimals."""
    if value is None:
        return show.NONE
    return show.price(value, currency) if currency else show.quantity(value)


def quantity(record: UsageRecord) -> str:
    """How much: a quantity, or a duration as hours, minutes and seconds."""
    if record.seconds is not None:
        minutes, seconds = divmod(record.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}"
    return show.NONE if record.quantity is None else show.quantity(record.quantity)


def _plain_quantity(record: UsageRecord) -> Decimal | int | None:
    return record.seconds if record.seconds is not None else record.quantity


def _attribute(name: str) -> Callable[[UsageRecord], str]:
    return lambda record: str((record.attributes or {}).get(name, "")) or show.NONE


def _contract(record: UsageRecord, what: str) -> str:
    contract = record.line.contract if record.line else record.contract
    if contract is None:
        return record.sent_to or show.NONE if what == "key" else show.NONE
    return contract.key if what == "key" else contract.customer.name


def _prepare(rows: list[Any]) -> None:
    reasons_of: dict[int, list[str]] = {}
    waits = UsageException.objects.filter(record__in=[r.pk for r in rows]).order_by("record", "first")
    for pk, reason in waits.values_list("record", "reason"):
        reasons_of.setdefault(pk, []).append(reason)
    write_products(row for row in rows if row.line_id is None and not row.article)
    for row in rows:
        row.reasons = list(dict.fromkeys(reasons_of.get(row.pk, [])))
        row.state = state_of(row, row.reasons)


def state_of(record: UsageRecord, waits: list[str]) -> str:
    """`recorded`, `waiting`, or `partly`: some of its days lie outside its line's life."""
    return "waiting" if record.line_id is None else "partly" if waits else "recorded"


def _filters(seller: Seller) -> Iterator[Filter]:
    yield supplier_filter(seller)
    yield Filter(
        name="state", label=_("State"), choices=[("recorded", _("Recorded")), ("waiting", _("Waiting"))],
        apply=lambda rows, value: (
            rows.filter(line__isnull=False) if value == "recorded"
            else rows.filter(pk__in=UsageException.objects.values("record"))
        ),
    )  # fmt: skip
    yield Filter(
        name="reason", label=_("Why it waits"), choices=reasons(),
        apply=lambda rows, value: rows.filter(pk__in=UsageException.objects.filter(reason=value).values("record")),
    )  # fmt: skip
    yield Filter(
        name="contract", label=_("Contract"), is_text=True, apply=lambda rows, key: _of_contract(seller, rows, key)
    )
    yield Filter(
        name="article", label=_("Article"), is_text=True, apply=lambda rows, key: _of_article(seller, rows, key)
    )
    yield Filter(name="from", label=_("From day"), is_day=True, apply=lambda rows, day: rows.filter(day__gte=day))
    yield Filter(
        name="until", label=_("Last day"), is_day=True, apply=lambda rows, day: rows.filter(day__lt=_next(day))
    )


def _next(day: date) -> date:
    return day + timedelta(days=1) if day < date.max else day


def _of_contract(seller: Seller, rows: Rows, key: str) -> Rows:
    """By the ids of its lines, so that an index of these answers."""
    mine = ContractLine.objects.filter(contract__seller=seller, contract__key=key)
    lines = list(mine.values_list("pk", flat=True))
    return rows.filter(Q(line__in=lines) | Q(line__isnull=True, contract__key=key))


def _of_article(seller: Seller, rows: Rows, key: str) -> Rows:
    """Few lines by their ids; those of an article that many have are met soon in the order of days."""
    mine = ContractLine.objects.filter(contract__seller=seller, article__key=key)
    lines = list(mine.values_list("pk", flat=True)[: FEW_LINES + 1])
    if len(lines) <= FEW_LINES:
        return rows.filter(Q(line__in=lines) | Q(line__isnull=True, article=key))
    return rows.filter(line__article__key=key)
