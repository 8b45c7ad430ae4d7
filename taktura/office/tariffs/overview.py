"""The list of tariffs: what do we offer, who has it?"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.catalog.models import Tariff, TariffDraft, TariffLine, TariffVersion
from taktura.catalog.modules import modules_of
from taktura.contracts.models import Contract
from taktura.customers.models import Seller
from taktura.kit.fold import matching
from taktura.office import show
from taktura.office.lists import Column, Filter, Link, Listing, Rows, list_page, yes_no
from taktura.office.page import page, seller_of, today_of
from taktura.office.templatetags.office import state, titled
from taktura.office.terms import every

STATES = ("offered", "retired")


@page("tariffs.view")
def tariffs(request: HttpRequest) -> HttpResponseBase:
    """All tariffs of the seller, by the version that holds today."""
    seller, today = seller_of(request), today_of(request)
    version = TariffVersion.objects.filter(tariff=OuterRef("pk"), valid_from__lte=today).order_by("-valid_from", "-id")
    rows = (
        Tariff.objects.filter(seller=seller)
        .select_related("module")
        .annotate(
            title=Subquery(version.values("title")[:1]),
            interval=Subquery(version.values("interval")[:1]),
            version=Subquery(version.values("pk")[:1]),
        )
    )
    modules = modules_of(seller.pk)

    def prepare(found: list[Any]) -> None:
        running = Contract.objects.filter(tariff__in=[t.pk for t in found], start__lte=today)
        running = running.filter(Q(end__isnull=True) | Q(end__gt=today))
        counts = dict(running.order_by().values_list("tariff_id").annotate(n=Count("pk")))
        lines = TariffLine.objects.filter(version__in=[t.version for t in found if t.version])
        sizes = dict(lines.order_by().values_list("version_id").annotate(n=Count("pk")))
        for one in found:
            one.running, one.size = counts.get(one.pk, 0), sizes.get(one.version, 0)

    return list_page(
        request,
        Listing(
            slug="tariffs",
            title=_("Tariffs"),
            rows=rows,
            columns=list(_columns()),
            order="title",
            filters=[
                Filter(
                    name="module", label=_("Module"), choices=[(m.key, titled(m)) for m in modules],
                    apply=lambda rows, value: rows.filter(module__key=value),
                ),
                Filter(
                    name="state", label=_("State"), choices=[(s, show.word("tariff_state", s)) for s in STATES],
                    apply=lambda rows, value: rows.filter(retired=value == "retired"),
                ),
                Filter(
                    name="public", label=_("Public"), choices=[("1", _("Yes")), ("0", _("No"))],
                    apply=lambda rows, value: rows.filter(public=value == "1"),
                ),
            ],
            search=_search,
            prepare=prepare,
            link=lambda t: reverse("tariff", args=[t.pk]),
            primary=Link(label=_("New tariff"), url=reverse("tariff_new"), permission="tariffs.change"),
            links=[
                Link(label=_("Modules"), url=reverse("modules"), icon="list"),
                Link(label=_("Coupons"), url=reverse("coupons"), icon="ticket"),
                Link(label=_("Articles"), url=reverse("articles"), icon="box"),
                Link(label=_("Keys"), url=reverse("tariff_keys"), icon="key"),
            ],
            empty_title=_("No tariffs yet"),
            empty_text=_("A tariff says what an article costs, and how often it is billed."),
            template="tariffs/tariffs.html",
            more={"drafts": drafts_of(seller)},
        ),
    )  # fmt: skip


def drafts_of(seller: Seller) -> list[TariffDraft]:
    """The drafts of a seller, what was saved last first."""
    return list(TariffDraft.objects.filter(seller=seller).select_related("tariff").order_by("-changed_at", "-id"))


def _module(tariff: Tariff) -> str:
    return titled(tariff.module) if tariff.module else show.NONE


def _state(tariff: Tariff) -> str:
    return "retired" if tariff.retired else "offered"


def _search(rows: Rows, text: str) -> Rows:
    return matching(rows, text, "key", "title", "module__title")


def _columns() -> Iterator[Column]:
    yield Column(name="title", label=_("Title"), value=lambda t: t.title, sort="title", empty="")
    yield Column(name="key", label=_("Name"), value=lambda t: t.key, sort="key", narrow=True)
    yield Column(name="module", label=_("Module"), value=_module, sort="module__title", empty="", narrow=True)
    yield Column(
        name="interval",
        label=_("Billing interval"),
        value=lambda t: every(t.interval) if t.interval else show.NONE,
        narrow=True,
    )
    yield Column(name="size", label=_("Lines"), value=lambda t: show.count(t.size), numeric=True, narrow=True)
    yield Column(name="running", label=_("Contracts"), value=lambda t: show.count(t.running), numeric=True)
    yield Column(
        name="state", label=_("State"), value=lambda t: state("tariff_state", _state(t)),
        raw=lambda t: show.word("tariff_state", _state(t)), sort="retired",
    )  # fmt: skip
    yield Column(name="public", label=_("Public"), value=lambda t: yes_no(t.public), sort="public", narrow=True)
    yield Column(name="currency", label=_("Currency"), value=lambda t: t.currency, sort="currency", shown=False)
