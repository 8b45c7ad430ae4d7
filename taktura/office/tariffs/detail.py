"""One tariff: what does it say, since when, who has it?"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.audit.models import LogEntry
from taktura.billing.revenue import revenue_by_month
from taktura.catalog import drafts
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff, TariffDraft, TariffLine, TariffVersion
from taktura.catalog.queries import tariff_line_terms, version_in_force
from taktura.contracts.models import Contract, ContractPhase
from taktura.core.periods import Span, add
from taktura.office import show
from taktura.office.customers.detail import SHOWN, Tab
from taktura.office.history import told
from taktura.office.page import page, seller_of, today_of
from taktura.office.tariffs.drafts.parts import called, parts_of
from taktura.office.tariffs.drafts.says import says
from taktura.office.tariffs.drafts.words import all_said
from taktura.office.terms import conditions_of, price_of

MONTHS = 13  # of revenue: this one, and the year before it


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a tariff as it is shown: what it costs, and what else holds for it, a sentence each."""

    article: str
    title: str
    charge: str
    booking: str
    price: str
    notes: list[str]


def find(request: HttpRequest, pk: int) -> Tariff:
    """The seller's tariff, or 404."""
    return get_object_or_404(Tariff.objects.select_related("seller", "module").filter(seller=seller_of(request)), pk=pk)


@page("tariffs.view")
def tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """What a tariff says today."""
    found = find(request, pk)
    version = version_in_force(found, today_of(request))
    return answer(request, found, "tariff", "tariffs/tariff.html", version=version, **_said(request, version))


@page("tariffs.view")
def version(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """What one version of a tariff says."""
    found = find(request, pk)
    one = get_object_or_404(TariffVersion.objects.select_related("tariff"), pk=version, tariff=found)
    return answer(request, found, "tariff_versions", "tariffs/version.html", one=one, **_said(request, one))


def _said(request: HttpRequest, version: TariffVersion) -> dict[str, Any]:
    """The lines and settings of a version, with what each comes to."""
    fields = drafts.fields_of_version(version)
    written = drafts.typed(fields)
    currency = version.tariff.currency
    come_to = says({n: v for n, v in fields.items() if v not in (None, "", {}, [])}, version.tariff.seller, currency,
                   today_of(request))  # fmt: skip
    return {"lines": lines_of(version), "parts": parts_of(called(written, version.tariff.seller_id), currency, come_to)}


@page("tariffs.view")
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    """All versions, the newest first."""
    found = find(request, pk)
    rows: list[Any] = list(TariffVersion.objects.filter(tariff=found).order_by("-valid_from", "-id")[: SHOWN + 1])
    lines: dict[int, list[TariffLine]] = {one.pk: [] for one in rows}
    for line in TariffLine.objects.filter(version__in=lines).select_related("article").order_by("position"):
        lines[line.version_id].append(line)
    fields = [drafts.typed(catalog.described(one, lines[one.pk])) for one in rows]
    for one, after, before in zip(rows, fields, [*fields[1:], None], strict=True):
        told_of = () if before is None else drafts.differences(before, after)
        one.changes = all_said(told_of, found.currency, before or {}, after)
        one.is_first = before is None
    return answer(request, found, "tariff_versions", "tariffs/versions.html", rows=rows[:SHOWN])


@page("tariffs.view")
def contracts(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has it, and who had it."""
    rows = _had(pk).select_related("customer").order_by("-start", "-id")
    return answer(request, find(request, pk), "tariff_contracts", "tariffs/contracts.html", rows=rows[:SHOWN])


@page("tariffs.view")
def revenue(request: HttpRequest, pk: int) -> HttpResponse:
    """What it brought, month by month."""
    found, month = find(request, pk), Span(1, "month")
    first = add(today_of(request).replace(day=1), Span(MONTHS - 1, "month"), -1)
    months = [add(first, month, n) for n in range(MONTHS)]
    sums = revenue_by_month(found, first)
    currencies = sorted({currency for _month, currency in sums}, key=lambda c: (c != found.currency, c))
    charts = [_chart(currency, months, sums) for currency in currencies]
    rows = [(show.month(m), [show.minor(sums.get((m, c), 0), c) for c in currencies]) for m in reversed(months)]
    whole = [show.minor(sum(sums.get((m, c), 0) for m in months), c) for c in currencies]
    more = {"charts": charts, "currencies": currencies, "rows": rows, "whole": whole}
    return answer(request, found, "tariff_revenue", "tariffs/revenue.html", **more)


def _chart(currency: str, months: list[date], sums: dict[tuple[date, str], int]) -> dict[str, Any]:
    amounts = [f"{show.exact(sums.get((month, currency), 0), currency):f}" for month in months]
    data = {
        "type": "bar", "currency": currency, "labels": [show.month(m) for m in months],
        "datasets": [{"label": currency, "data": amounts}],
    }  # fmt: skip
    return {"id": f"revenue-{currency}", "currency": currency, "data": data}


@page("tariffs.view")
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Who changed what of a tariff."""
    entries = LogEntry.objects.filter(subject=f"tariff:{pk}").order_by("-id")[:SHOWN]
    found = find(request, pk)
    return answer(request, found, "tariff_history", "tariffs/history.html", entries=[told(e) for e in entries])


def _had(tariff: int) -> QuerySet[Contract]:
    """The contracts that are or were under a tariff, each once."""
    return Contract.objects.filter(pk__in=ContractPhase.objects.filter(tariff=tariff).values("contract"))


def answer(request: HttpRequest, found: Tariff, name: str, template: str, **more: Any) -> HttpResponse:
    """A page of a tariff, with its head, its tabs and what stands beside them."""
    today = today_of(request)
    now = Q(tariff=found.pk, start__lte=today) & (Q(end__isnull=True) | Q(end__gt=today))
    counted = _had(found.pk).aggregate(ever=Count("pk"), running=Count("pk", filter=now))
    ever, running = counted["ever"], counted["running"]
    tabs = [
        Tab(_("Overview"), reverse("tariff", args=[found.pk]), None, name == "tariff"),
        Tab(
            _("Versions"),
            reverse("tariff_versions", args=[found.pk]),
            found.versions.count(),
            name == "tariff_versions",
        ),
        Tab(_("Contracts"), reverse("tariff_contracts", args=[found.pk]), ever, name == "tariff_contracts"),
        Tab(
            _("Offer numbers"),
            reverse("tariff_offers", args=[found.pk]),
            found.offer_numbers.count(),
            name == "tariff_offers",
        ),
        Tab(_("Revenue"), reverse("tariff_revenue", args=[found.pk]), None, name == "tariff_revenue"),
        Tab(_("History"), reverse("tariff_history", args=[found.pk]), None, name == "tariff_history"),
    ]
    current = more.get("version") or version_in_force(found, today)
    coming = TariffVersion.objects.filter(tariff=found, valid_from__gt=today).order_by("valid_from", "id").first()
    context = {"tariff": found, "current": current, "running": running, "coming": coming, "tabs": tabs}
    context["draft"] = TariffDraft.objects.filter(tariff=found).first()
    context |= {"never_ordered": not ever, "most_entries": SHOWN, "listed": f"{reverse('contracts')}?had={found.pk}"}
    context |= {"in_all": next(t.count for t in tabs if t.active), **more}
    return render(request, template, context)


def lines_of(version: TariffVersion) -> list[Line]:
    """The lines of a version as they are shown."""
    rows = list(TariffLine.objects.filter(version=version).select_related("article").order_by("position"))
    terms = tariff_line_terms([r.pk for r in rows])
    currency = version.tariff.currency
    return [
        Line(
            article=row.article.key,
            title=row.title or row.article.title or row.article.key,
            charge=show.word("line", row.charge),
            booking=show.word("booking", row.booking),
            price=price_of(terms[row.pk], currency),
            notes=conditions_of(terms[row.pk]),
        )
        for row in rows
    ]
