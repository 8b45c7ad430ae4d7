"""One tariff: what does it say, since when, who has it?"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.audit.models import LogEntry
from taktura.catalog.models import Tariff, TariffLine, TariffVersion
from taktura.catalog.queries import tariff_line_terms, version_in_force
from taktura.contracts.models import Contract, ContractPhase
from taktura.office import show
from taktura.office.customers.detail import SHOWN, Tab
from taktura.office.history import told
from taktura.office.page import page, seller_of, today_of
from taktura.office.terms import conditions_of, price_of


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
    return get_object_or_404(Tariff.objects.select_related("seller").filter(seller=seller_of(request)), pk=pk)


@page("tariffs.view")
def tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """What a tariff says today."""
    found = find(request, pk)
    version = version_in_force(found, today_of(request))
    return _answer(request, found, "tariff", "tariffs/tariff.html", version=version, lines=lines_of(version))


@page("tariffs.view")
def versions(request: HttpRequest, pk: int) -> HttpResponse:
    """All versions, the newest first."""
    rows = TariffVersion.objects.filter(tariff=pk).order_by("-valid_from", "-id")
    return _answer(request, find(request, pk), "tariff_versions", "tariffs/versions.html", rows=rows[:SHOWN])


@page("tariffs.view")
def contracts(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has it, and who had it."""
    rows = _had(pk).select_related("customer").order_by("-start", "-id")
    return _answer(request, find(request, pk), "tariff_contracts", "tariffs/contracts.html", rows=rows[:SHOWN])


@page("tariffs.view")
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Who changed what of a tariff."""
    entries = LogEntry.objects.filter(subject=f"tariff:{pk}").order_by("-id")[:SHOWN]
    found = find(request, pk)
    return _answer(request, found, "tariff_history", "tariffs/history.html", entries=[told(e) for e in entries])


def _had(tariff: int) -> QuerySet[Contract]:
    """The contracts that are or were under a tariff, each once."""
    return Contract.objects.filter(pk__in=ContractPhase.objects.filter(tariff=tariff).values("contract"))


def _answer(request: HttpRequest, found: Tariff, name: str, template: str, **more: Any) -> HttpResponse:
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
        Tab(_("History"), reverse("tariff_history", args=[found.pk]), None, name == "tariff_history"),
    ]
    current = more.get("version") or version_in_force(found, today)
    coming = TariffVersion.objects.filter(tariff=found, valid_from__gt=today).order_by("valid_from", "id").first()
    context = {"tariff": found, "current": current, "running": running, "coming": coming, "tabs": tabs}
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
