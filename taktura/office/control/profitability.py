"""Profitability: what flat prices bring, against their minutes at the reference price, over the last months."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.catalog.models import Article, Tariff
from taktura.control.flat_prices import MONTH, MONTHS, WINDOWS, first_month
from taktura.control.models import FlatLine, FlatMonth, FlatPeriod
from taktura.control.queries import MonthSum, flat_lines_of, flat_months
from taktura.core.money import money, places
from taktura.core.periods import add
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import search
from taktura.office import show
from taktura.office.control.parts import span, tabs
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import page, seller_of, today_of

CHARTS = 3  # currencies with a picture of their own; the table has all
WORST = 10  # flat prices in the picture
MOST_PERIODS = 36  # on the page of one
FEE, WORTH = "#0b6e4f", "#f59f00"


@page("control.view")
def profitability(request: HttpRequest) -> HttpResponseBase:
    """All flat prices, the worst first, under the sums by month."""
    seller, today = seller_of(request), today_of(request)
    chosen = {name: _id(request, name) for name in ("tariff", "article", "customer")}
    months = _months(request)
    rows: Rows = flat_lines_of(seller.pk, months)
    if chosen["customer"] is not None:
        rows = rows.filter(contract__customer=chosen["customer"])
    whole = "export" not in request.GET and request.headers.get("HX-Target") != "list"
    more: dict[str, Any] = {"control_tabs": tabs("profitability")}
    if whole:
        sums = flat_months(seller.pk, today, months=months, **chosen)
        shown = _by_month(seller, today, months, sums) | {"number_of_months": months, "windows": _windows(request)}
        more |= shown | {"worst": _worst(rows, chosen, [chart["currency"] for chart in shown["charts"]])}
    return list_page(
        request,
        Listing(
            slug="profitability", title=_("Profitability of flat prices"), rows=rows, columns=list(_columns()),
            order="gain", filters=list(_filters(seller)), search=_search, search_label=_("Customer or contract"),
            link=lambda r: reverse("flat_price", args=[r.line_id]), menu=_menu,
            empty_title=_("No flat price with a reference price"),
            empty_text=_("Give a flat price of a tariff a reference price per minute: then what is used of it is held"
                         " against its fee."),
            template="control/profitability.html", kept=("customer", "months"), more=more,
        ),
    )  # fmt: skip


def _months(request: HttpRequest) -> int:
    """Over how many months is looked."""
    given = request.GET.get("months", "")
    return int(given) if given in {str(n) for n in WINDOWS} else MONTHS


def _windows(request: HttpRequest) -> list[dict[str, Any]]:
    """The numbers of months to choose from, each with the address of this page over so many."""
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    found = []
    for number in WINDOWS:
        query["months"] = str(number)
        found.append({"number": number, "url": f"?{query.urlencode()}", "here": number == _months(request)})
    return found


def _id(request: HttpRequest, name: str) -> int | None:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 18 else None


def _columns() -> Iterator[Column]:
    yield Column(
        name="customer", label=_("Customer"), value=lambda r: r.contract.customer.name,
        sort="contract__customer__folded",
    )  # fmt: skip
    yield Column(name="contract", label=_("Contract"), value=lambda r: r.contract.key, narrow=True)
    yield Column(name="article", label=_("Article"), value=lambda r: r.article.title or r.article.key, narrow=True)
    yield Column(name="tariff", label=_("Tariff"), value=lambda r: r.tariff.key, shown=False)
    yield Column(
        name="minutes", label=_("Minutes"), value=lambda r: show.quantity(money(r.minutes, 0).exact),
        raw=lambda r: r.minutes, sort="minutes", numeric=True, narrow=True,
    )  # fmt: skip
    yield Column(
        name="notional", label=_("At the reference price"), value=lambda r: _amount(r.notional, r.currency),
        raw=lambda r: _exact(r.notional, r.currency), sort="notional", numeric=True, narrow=True,
    )  # fmt: skip
    yield Column(
        name="fee", label=_("Flat prices"), value=lambda r: _amount(r.fee, r.currency),
        raw=lambda r: _exact(r.fee, r.currency), sort="fee", numeric=True, narrow=True,
    )  # fmt: skip
    yield Column(
        name="gain", label=_("Difference"), value=lambda r: _amount(r.gain, r.currency),
        raw=lambda r: _exact(r.gain, r.currency), sort="gain", numeric=True,
    )  # fmt: skip
    yield Column(name="currency", label=_("Currency"), value=lambda r: r.currency, shown=False)
    yield Column(
        name="share", label=_("Used of the fee"), value=lambda r: show.NONE if r.share is None else show.rate(r.share),
        raw=lambda r: r.share, numeric=True,
    )  # fmt: skip
    yield Column(
        name="above", label=_("Periods above"), sort="above", numeric=True, narrow=True, raw=lambda r: r.above,
        value=lambda r: _("%(above)s of %(periods)s") % {"above": r.above, "periods": r.periods},
    )  # fmt: skip


def _exact(value: Decimal, currency: str) -> Decimal:
    return money(value, places(currency)).exact


def _amount(value: Decimal, currency: str) -> str:
    return show.money(_exact(value, currency), currency)


def _filters(seller: Seller) -> Iterator[Filter]:
    known = FlatMonth.objects.filter(seller=seller)
    tariffs = Tariff.objects.filter(pk__in=known.values("tariff")).order_by("key").values_list("pk", "key", "currency")
    currencies = sorted({currency for *_rest, currency in tariffs})
    if len(currencies) > 1:
        yield Filter(
            name="currency", label=_("Currency"), choices=[(c, c) for c in currencies],
            apply=lambda rows, value: rows.filter(currency=value),
        )  # fmt: skip
    yield Filter(
        name="tariff", label=_("Tariff"), choices=[(str(pk), key) for pk, key, _currency in tariffs],
        apply=lambda rows, value: rows.filter(tariff=value),
    )  # fmt: skip
    articles = Article.objects.filter(pk__in=known.values("article")).order_by("key")
    yield Filter(
        name="article", label=_("Article"), choices=[(str(a.pk), a.title or a.key) for a in articles],
        apply=lambda rows, value: rows.filter(article=value),
    )  # fmt: skip
    yield Filter(
        name="above", label=_("Loses money"), choices=[("1", _("Yes")), ("0", _("No"))],
        apply=lambda rows, value: rows.filter(gain__lt=0) if value == "1" else rows.filter(gain__gte=0),
    )  # fmt: skip


def _search(rows: Rows, text: str) -> Rows:
    known = search(Customer.objects.all(), text).values("pk")
    return rows.filter(Q(contract__customer__in=known) | Q(contract__key__iexact=text))


def _menu(row: Any) -> Iterator[Link]:
    customer = row.contract.customer_id
    yield Link(label=_("Only this customer"), url=f"{reverse('profitability')}?customer={customer}", icon="filter")
    yield Link(
        label=_("Look at the usage"), url=reverse("contract_usage", args=[row.contract_id]), permission="usage.view",
        icon="activity",
    )  # fmt: skip
    yield Link(
        label=_("Change tariff"), url=reverse("change_tariff", args=[row.contract_id]), permission="contracts.change",
        icon="replace",
    )  # fmt: skip


def _by_month(seller: Seller, today: date, number: int, sums: Sequence[MonthSum]) -> dict[str, Any]:
    """Fees and worth by month, a picture for each currency, the company's own first; a table of all; the whole."""
    months = [add(first_month(today, number), MONTH, n) for n in range(number)]
    known = {(s.currency, s.month): s for s in sums}
    currencies = sorted({s.currency for s in sums}, key=lambda c: (c != seller.currency, c))
    charts = [
        {"id": f"flat-{c}", "currency": c, "data": _bars(c, months, [known.get((c, m)) for m in months])}
        for c in currencies[:CHARTS]
    ]
    table = [
        {"month": show.month(s.month), "fee": _amount(s.fee, s.currency), "notional": _amount(s.notional, s.currency),
         "gain": _amount(s.fee - s.notional, s.currency), "above": s.above, "periods": s.periods}
        for c in currencies for s in sums if s.currency == c
    ]  # fmt: skip
    return {"charts": charts, "months": table, "totals": [_total(c, sums) for c in currencies]}


def _bars(currency: str, months: Sequence[date], sums: Sequence[MonthSum | None]) -> dict[str, Any]:
    zero = Decimal(0)
    return {
        "currency": currency,
        "labels": [show.month(month) for month in months],
        "datasets": [
            {"label": _("Flat prices"), "backgroundColor": FEE,
             "data": [f"{_exact(s.fee if s else zero, currency):f}" for s in sums]},
            {"label": _("Minutes at the reference price"), "backgroundColor": WORTH,
             "data": [f"{_exact(s.notional if s else zero, currency):f}" for s in sums]},
        ],
    }  # fmt: skip


def _total(currency: str, sums: Sequence[MonthSum]) -> dict[str, Any]:
    """All months of a currency together."""
    mine = [s for s in sums if s.currency == currency]
    fee, notional = sum((s.fee for s in mine), Decimal(0)), sum((s.notional for s in mine), Decimal(0))
    return {
        "currency": currency, "fee": _amount(fee, currency), "notional": _amount(notional, currency),
        "gain": _amount(fee - notional, currency), "loses": fee < notional,
        "share": show.rate(money(Fraction(notional) * 100 / Fraction(fee), 1).exact) if fee else show.NONE,
        "above": sum(s.above for s in mine), "periods": sum(s.periods for s in mine),
    }  # fmt: skip


def _worst(rows: Rows, chosen: dict[str, int | None], currencies: Sequence[str]) -> list[dict[str, Any]]:
    """The flat prices that lose most, for each currency, each as a bar of its worth against its fee."""
    for name in ("tariff", "article"):
        if chosen[name] is not None:
            rows = rows.filter(**{name: chosen[name]})
    losing = [
        (currency, list(rows.filter(gain__lt=0, currency=currency).order_by("gain", "pk")[:WORST]))
        for currency in currencies
    ]
    return [
        {"currency": currency, "rows": [
            {"row": row, "loss": _amount(-row.gain, currency), "fee": _amount(row.fee, currency),
             "notional": _amount(row.notional, currency), "fee_share": _part(row.fee, row.notional)}
            for row in found
        ]}
        for currency, found in losing if found
    ]  # fmt: skip


def _part(value: Decimal, whole: Decimal) -> str:
    """A part of a whole, as the script that draws bars reads it."""
    return f"{money(Fraction(value) / Fraction(whole), 4).exact:f}"


@page("control.view")
def flat_price(request: HttpRequest, pk: int) -> HttpResponse:
    """One flat price of one contract, period by period."""
    rows = FlatPeriod.objects.filter(seller=seller_of(request), line=pk).order_by("-start")
    periods = list(rows.select_related("contract__customer", "article", "tariff")[:MOST_PERIODS])[::-1]
    first = periods[-1] if periods else get_object_or_404(rows)
    data = {
        "currency": first.currency,
        "labels": [span(p.start, p.end) for p in periods],
        "datasets": [
            {"label": _("Flat price"), "backgroundColor": FEE,
             "data": [f"{_exact(p.fee, p.currency):f}" for p in periods]},
            {"label": _("Minutes at the reference price"), "backgroundColor": WORTH,
             "data": [f"{_exact(p.notional, p.currency):f}" for p in periods]},
        ],
    }  # fmt: skip
    context = {
        "first": first,
        "title": first.article.title or first.article.key,
        "row": FlatLine.objects.filter(line=pk, months=MONTHS).first(),
        "data": data,
        "table": [
            {"period": span(p.start, p.end), "minutes": show.quantity(money(p.minutes, 2).exact),
             "notional": _amount(p.notional, p.currency), "fee": _amount(p.fee, p.currency),
             "gain": _amount(p.fee - p.notional, p.currency), "loses": p.notional > p.fee, "over": p.over}
            for p in reversed(periods)
        ],
    }  # fmt: skip
    return render(request, "control/flat_price.html", context)
