"""Reconciliation: what a supplier charged, what contracts say, what customers were billed; differences first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.billing.reconciliation import Reconciliation, Row, reconcile
from taktura.billing.supplier_invoices import invoices_against
from taktura.core.errors import Refused
from taktura.core.money import money, places, plain
from taktura.core.periods import DAY, Span, add
from taktura.core.reconciling import CAUSES, CURRENCY, Account, Sum
from taktura.office import show
from taktura.office.exports import CSV, XLSX, as_csv, as_xlsx
from taktura.office.lists import Link
from taktura.office.page import page, seller_of, today_of, zone_of
from taktura.office.typed import read_day
from taktura.office.usage.parts import tabs
from taktura.office.usage.supplier_invoices import shown_against
from taktura.usage.models import Supplier

MONTH = Span(1, "month")
MONTHS_OFFERED = 24
PAGE = 50
BARS = 10  # contracts in the picture
AMOUNT_DECIMALS = 24  # that an amount of a row has at most
CHARGED, SAID, BILLED = "#667382", "#f59f00", "#0b6e4f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row with its amounts as they are shown, and what mends its gravest cause."""

    row: Row
    charged: str
    said: str
    invoiced: str
    margin: str
    quantity: str
    contracted: str
    loses: bool
    mend: Link | None

    @classmethod
    def of(cls, row: Row, supplier: Supplier) -> "Shown":
        """The row of a subscription or a contract."""
        fixed = [line.quantity for line in row.lines if line.quantity is not None]
        return cls(
            row=row, charged=_amount(row.charged, row.currency), invoiced=_amount(row.invoiced, row.billed_in),
            said=show.NONE if row.said is None else _amount(row.said, row.billed_in),
            margin=show.NONE if row.margin is None else _amount(row.margin, row.currency),
            quantity=_quantity(row.account.imported.quantity) if row.account.imported.quantity else "",
            contracted=" + ".join(show.quantity(number) for number in fixed),
            loses=row.margin is not None and row.margin < 0, mend=_mend(row, supplier),
        )  # fmt: skip

    @property
    def causes(self) -> list[str]:
        """Its causes in words; of what waits for another reason than those that are causes themselves, the reason."""
        others = [
            r for r, value in self.row.account.waiting.items() if value and r not in (*CURRENCY, "no_subscription")
        ]
        why = ", ".join(show.word("waiting", reason) for reason in others)
        return [
            _("Waiting: %(reason)s") % {"reason": why} if cause == "waiting" and why else show.word("reconciled", cause)
            for cause in self.row.causes
        ]


@page("usage.view")
@require_safe
def reconciliation(request: HttpRequest) -> HttpResponse:
    """One supplier and period; `cause` and `q` say which subscriptions, `export` makes a file of them."""
    seller, today = seller_of(request), today_of(request)
    suppliers = list(seller.suppliers.select_related("seller").order_by("name", "pk"))
    asked = request.GET.get("supplier", "")
    supplier = next((s for s in suppliers if str(s.pk) == asked), suppliers[0] if suppliers else None)
    context: dict[str, Any] = {"usage_tabs": tabs("usage_reconciliation"), "suppliers": suppliers, "supplier": supplier}
    if supplier is None:
        return render(request, "usage/reconciliation.html", context)
    first, end, month, wrong = _period(request, today)
    try:
        found = reconcile(supplier, first, end)
    except Refused as refused:
        wrong, month = show.refusal(refused), add(today.replace(day=1), MONTH, -1)
        first, end = month, add(month, MONTH)
        found = reconcile(supplier, first, end)
    cause, text = request.GET.get("cause", ""), request.GET.get("q", "").strip()[:100]
    rows = [row for row in found.rows if _wanted(row, cause, text)]
    form = request.GET.get("export")
    if form in (CSV, XLSX):
        return _export(rows, first, end, form, zone_of(request))
    start = today.replace(day=1)
    context |= {
        "first": first, "end": end, "last": end - DAY, "month": month, "wrong": wrong, "found": found, "cause": cause,
        "q": text, "months": [add(start, MONTH, -n) for n in range(MONTHS_OFFERED)],
        "totals": [Shown.of(row, supplier) for row in found.totals], "accounts": list(_accounts(found, supplier)),
        "causes": _counted(found.rows), "number": len(rows), **_paged(request, rows, supplier),
        "picture": _picture(found.contracts, supplier),
        "by_contract": _paged(request, found.contracts, supplier, "contracts"),
        "invoices": shown_against(invoices_against(supplier, first, end, found), supplier, first, end),
    }  # fmt: skip
    return render(request, "usage/reconciliation.html", context, status=422 if wrong else 200)


def _period(request: HttpRequest, today: date) -> tuple[date, date, date | None, str]:
    """The period asked for, its month where it is one, and what was typed that is no day. Without any: last month."""
    given = {name: request.GET.get(name, "").strip()[:20] for name in ("from", "until")}
    last = add(today.replace(day=1), MONTH, -1)
    if any(given.values()):
        days = {name: read_day(text, show.language(), today) for name, text in given.items()}
        if days["from"] and days["until"]:
            return days["from"], days["until"] + DAY, None, ""
        return last, add(last, MONTH), last, _("Type the first and the last day of the period.")
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        month = last
    month = month if 2000 <= month.year <= 2100 else last
    return month, add(month, MONTH), month, ""


def _wanted(row: Row, cause: str, text: str) -> bool:
    names = (row.reference, row.name, row.customer, *(x for line in row.lines for x in (line.key, line.customer)))
    fits = cause in row.causes if cause in CAUSES else not row.causes if cause == "none" else True
    return fits and (not text or any(text.casefold() in name.casefold() for name in names))


def _counted(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """How many subscriptions have each cause; those that agree at last."""
    counts = [(cause, sum(cause in row.causes for row in rows)) for cause in CAUSES]
    counts.append(("none", sum(not row.causes for row in rows)))
    return [(cause, number) for cause, number in counts if number]


def _paged(request: HttpRequest, rows: Sequence[Row], supplier: Supplier, name: str = "page") -> dict[str, Any]:
    given = request.GET.get(name, "1")
    most = max(1, -(-len(rows) // PAGE))
    number = min(int(given), most) if given.isdecimal() and len(given) < 6 and int(given) else 1
    return {
        "rows": [Shown.of(row, supplier) for row in rows[(number - 1) * PAGE : number * PAGE]],
        "before": number - 1 if number > 1 else None, "after": number + 1 if number < most else None,
        "turned": name in request.GET,
    }  # fmt: skip


def _accounts(found: Reconciliation, supplier: Supplier) -> Iterator[dict[str, Any]]:
    """What became of what was imported, by currency: each state with its sum and where it is looked at."""
    by_currency: dict[str, Account] = {}
    for row in found.totals:
        by_currency[row.currency] = by_currency.get(row.currency, Account()) + row.account
    for currency, known in sorted(by_currency.items()):
        yield {
            "currency": currency, "holds": known.holds, "imported": _cells(known.imported, currency),
            "lines": [
                (_("Billed"), *_cells(known.billed, currency), ""),
                *_reasons(known, currency, supplier),
                (_("To be billed"), *_cells(known.open, currency), ""),
                *([(_("Not accounted for"), *_cells(known.lost, currency), "")] if known.lost else []),
            ],
        }  # fmt: skip


def _reasons(known: Account, currency: str, supplier: Supplier) -> Iterator[tuple[str, str, str, str]]:
    for reason, value in known.waiting.items():
        label = _("Waiting: %(reason)s") % {"reason": show.word("waiting", reason)}
        yield label, *_cells(value, currency), _waiting(supplier, reason)
    for reason, value in known.excluded.items():
        label = _("Excluded: %(reason)s") % {"reason": show.word("excluded", reason)}
        yield label, *_cells(value, currency), _waiting(supplier, reason) if reason == "paused" else ""


def _cells(value: Sum, currency: str) -> tuple[str, str]:
    return _quantity(value.quantity), _amount(value.cost, currency)


def _waiting(supplier: Supplier, reason: str) -> str:
    return f"{reverse('usage_waiting')}?supplier={supplier.pk}&reason={reason}"


def _mend(row: Row, supplier: Supplier) -> Link | None:
    """What mends a row's gravest cause."""
    cause = row.causes[0] if row.causes else ""
    if cause == "unlinked" and row.subscription:
        url = reverse("subscription_link", args=[row.subscription])
        return Link(label=_("Tie to a contract line"), url=url, permission="usage.change", icon="link")
    waits = {"unlinked": "no_subscription", "currency": "currency" if "currency" in row.account.waiting else ""}
    reason = waits.get(cause) or next(iter(row.account.waiting), "") if cause in (*waits, "waiting") else ""
    if reason:
        url = f"{_waiting(supplier, reason)}&{urlencode({'q': row.reference})}"
        return Link(label=_("See what waits"), url=url, icon="hourglass")
    if cause in ("excluded", "cancelled") and row.subscription:
        url = f"{reverse('usage_records')}?subscription={row.subscription}"
        return Link(label=_("Show its records"), url=url, icon="activity")
    if cause == "no_price":
        url = reverse("supplier_change", args=[supplier.pk])
        return Link(label=_("Change the mapping"), url=url, permission="usage.change", icon="edit")
    if not cause or not row.lines:
        return None
    contract = reverse("contract", args=[row.lines[0].contract])
    if cause in ("late", "not_billed"):
        return Link(
            label=_("See the next bill"), url=f"{contract}#next-bill", permission="contracts.view", icon="receipt"
        )
    if cause == "not_charged" and row.subscription:
        url = reverse("supplier_subscription", args=[row.subscription])
        return Link(label=_("Look at the supplier subscription"), url=url, icon="eye")
    url = reverse("contract_lines", args=[row.lines[0].contract])
    return Link(label=_("Look at the contract's lines"), url=url, permission="contracts.view", icon="file-text")


def _picture(contracts: Sequence[Row], supplier: Supplier) -> dict[str, Any] | None:
    """The three columns of the contracts with the most, in the supplier's own currency; None where there is none."""
    drawn = [row for row in contracts if row.currency == row.billed_in == supplier.currency]
    drawn = sorted(drawn, key=lambda row: -max(abs(row.charged), abs(row.invoiced)))[:BARS]
    columns = [
        (_("Supplier charged"), CHARGED, [row.charged for row in drawn]),
        (_("Contracts say"), SAID, [row.said or Fraction(0) for row in drawn]),
        (_("Customers were billed"), BILLED, [row.invoiced for row in drawn]),
    ]
    data = {
        "currency": supplier.currency, "labels": [row.reference for row in drawn],
        "datasets": [
            {"label": label, "backgroundColor": colour, "data": [_plain(x, supplier.currency) for x in amounts]}
            for label, colour, amounts in columns
        ],
    }  # fmt: skip
    return data if drawn else None


def _export(rows: Sequence[Row], first: date, end: date, form: str, zone: str) -> HttpResponse:
    """Amounts are exact, so that the parts of a row add up; the page rounds them."""
    heads = [
        _("Reference"), _("Name"), _("Customer"), _("Contract"), _("Contract line"), _("From"), _("Until"), _("Rows"),
        _("Quantity"), _("Quantity in the contract"), _("Supplier charged"), _("Currency"), _("Contracts say"),
        _("Customers were billed"), _("Billed in"), _("Margin"), _("Billed usage"), _("Waiting"), _("Excluded"),
        _("To be billed"), _("Why"),
    ]  # fmt: skip
    cells = (
        [
            row.reference, row.name, ", ".join(dict.fromkeys(line.customer for line in row.lines)) or row.customer,
            ", ".join(dict.fromkeys(line.key for line in row.lines)), ", ".join(line.title for line in row.lines),
            first, end - DAY, row.rows, plain(row.account.imported.quantity),
            sum((line.quantity for line in row.lines if line.quantity is not None), start=0) or None,
            _told(row.charged, row.currency), row.currency,
            None if row.said is None else _told(row.said, row.billed_in), _told(row.invoiced, row.billed_in),
            row.billed_in, None if row.margin is None else _told(row.margin, row.currency),
            *(_told(value.cost, row.currency) for value in (
                row.account.billed, row.account.waits, row.account.left_out, row.account.open)),
            "; ".join(show.word("reconciled", cause) for cause in row.causes),
        ]
        for row in rows
    )  # fmt: skip
    return (as_csv if form == CSV else as_xlsx)("reconciliation", heads, cells, zone)


def _told(value: Fraction, currency: str) -> Decimal:
    """An amount with all its digits, at least the currency's; of one that does not end twelve decimals."""
    found = _exact(value, currency)
    if Fraction(found) != value:
        found = plain(value, AMOUNT_DECIMALS)
    return found if Fraction(found) == value else plain(value)


def _exact(value: Fraction, currency: str) -> Decimal:
    return money(value, places(currency)).exact


def _plain(value: Fraction, currency: str) -> str:
    return f"{_exact(value, currency):f}"


def _amount(value: Fraction, currency: str) -> str:
    return show.money(_exact(value, currency), currency)


def _quantity(value: Fraction) -> str:
    return show.quantity(money(value, 4).exact)
