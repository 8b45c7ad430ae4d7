"""Files that came while nobody looked on and were not loaded: why, and what to do about each."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.kit.language import translate
from taktura.office import show
from taktura.office.lists import Action, Column, Filter, Link, Listing, Rows, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.templatetags.office import state
from taktura.office.usage.parts import supplier_filter, tabs
from taktura.usage.models import ORIGINS, RefusedFile
from taktura.usage.overview import text_of
from taktura.usage.services import settle_refusals

MOST_AT_ONCE = 10_000


@page("usage.view")
def refused_files(request: HttpRequest) -> HttpResponseBase:
    """Files that were not loaded, the last first."""
    seller = seller_of(request)
    rows = RefusedFile.objects.filter(supplier__seller=seller).select_related("supplier")
    return list_page(
        request,
        Listing(
            slug="refused_files", title=_("Files that were not loaded"), rows=rows,
            columns=list(_columns(seller.time_zone, show.language())), order="-at",
            filters=[
                Filter(
                    name="state", label=_("State"), apply=_in_state,
                    choices=[(name, show.word("refusal", name)) for name in ("open", "settled")],
                ),
                supplier_filter(seller),
                Filter(
                    name="origin", label=_("Source"), choices=[(name, show.word("origin", name)) for name in ORIGINS],
                    apply=lambda found, value: found.filter(origin=value),
                ),
            ],
            search=lambda found, text: text_of(found, text, "name"), search_label=_("Name of the file"),
            link=_way, menu=_menu,
            actions=[
                Action(
                    name="settle", label=_("Looked at"), permission="usage.change", run=_settle, icon="circle-check"
                ),
            ],
            links=[Link(label=_("Usage files"), url=reverse("usage_files"), icon="file-text")],
            empty_title=_("Every file was loaded"),
            empty_text=_("Files of watched folders, mails and large uploads stand here when they cannot be loaded."),
            template="usage/list.html", more={"usage_tabs": tabs("usage_files")},
        ),
    )  # fmt: skip


def _columns(zone: str, language: str) -> Iterator[Column]:
    yield Column(name="name", label=_("File"), value=lambda r: r.name, sort="name")
    yield Column(
        name="state", label=_("State"), value=lambda r: state("refusal", _state(r)),
        raw=lambda r: show.word("refusal", _state(r)),
    )  # fmt: skip
    yield Column(
        name="why", label=_("What is wrong and what to do"), value=lambda r: translate(r.text, r.values, language)
    )
    yield Column(name="supplier", label=_("Supplier"), value=lambda r: r.supplier.name, sort="supplier__name",
                 narrow=True)  # fmt: skip
    yield Column(name="origin", label=_("Source"), value=lambda r: show.word("origin", r.origin), narrow=True)
    yield Column(
        name="at", label=_("When"), value=lambda r: show.moment(r.at, zone), raw=lambda r: r.at, sort="at", narrow=True
    )
    yield Column(
        name="size", label=_("Bytes"), value=lambda r: show.count(r.size), raw=lambda r: r.size, numeric=True,
        shown=False,
    )  # fmt: skip
    yield Column(
        name="by", label=_("Looked at by"), shown=False,
        value=lambda r: show.actor(r.settled_by) if r.settled_by else show.NONE,
    )  # fmt: skip


def _state(row: Any) -> str:
    return "open" if row.settled_at is None else "settled"


def _in_state(rows: Rows, value: str) -> Rows:
    return rows.filter(Q(settled_at__isnull=value == "open"))


def _way(row: Any) -> str:
    """Where the row leads: to the file that is kept, else to where another is loaded."""
    if row.file_id:
        return reverse("usage_file", args=[row.file_id])
    return f"{reverse('usage_import')}?supplier={row.supplier_id}"


def _menu(row: Any) -> Iterator[Link]:
    if row.file_id:
        yield Link(label=_("Show the file that is there"), url=reverse("usage_file", args=[row.file_id]))
    yield Link(
        label=_("Load a usage file"), url=f"{reverse('usage_import')}?supplier={row.supplier_id}",
        permission="usage.change", icon="upload",
    )  # fmt: skip
    yield Link(
        label=_("Change the mapping"), url=reverse("supplier_change", args=[row.supplier_id]), permission="usage.change"
    )


def _settle(request: HttpRequest, rows: Rows) -> HttpResponse:
    chosen = list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
    number = settle_refusals(actor_of(request), seller=seller_of(request), refusals=chosen)
    text = ngettext("%(count)s file is not counted any more.", "%(count)s files are not counted any more.", number)
    messages.success(request, text % {"count": show.count(number)})
    return redirect("refused_files")
