"""Suppliers: their settings, the mapping of their files, which articles their products stand for."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.catalog.models import Article
from taktura.core.errors import Refused
from taktura.kit.language import translate
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.usage.parts import supplier_of, tabs
from taktura.office.usage.supplier_forms import (
    COLUMN_LABELS,
    SETTINGS,
    SupplierForm,
    as_sample,
    initial_of,
    mapping_initial,
    mapping_of,
)
from taktura.usage import services as usage
from taktura.usage.models import MappingVersion, ProductReference, Supplier
from taktura.usage.overview import suppliers_overview
from taktura.usage.overview import text_of as texts
from taktura.usage.queries import invoices_of
from taktura.usage.reader import (
    COLUMNS,
    IN_UTC,
    READY,
    Counts,
    Mapping,
    Problem,
    Table,
    as_ready,
    check_content,
    named,
    propose,
    read,
    table,
)

MOST_SAMPLE = 5_000_000
SAMPLE_ROWS, READ_ROWS = 5, 50
FILES_SHOWN = VERSIONS_SHOWN = 10
INVOICES_SHOWN = 6
NO_TABLE = (
    "skip_rows",
    "attributes",
    "numbers",
    "number_repeats",
    "discount_is",
    "discount_of",
)  # that say nothing of how a file is written


@page("usage.view")
def suppliers(request: HttpRequest) -> HttpResponseBase:
    """All suppliers."""
    seller = seller_of(request)

    def prepare(rows: list[Any]) -> None:
        known = {s.pk: s for s in suppliers_overview(seller.pk)}
        for row in rows:
            one = known[row.pk]
            row.last, row.waiting, row.unlinked = one.last, one.waiting, one.unlinked

    return list_page(
        request,
        Listing(
            slug="suppliers", title=_("Suppliers"), rows=Supplier.objects.filter(seller=seller),
            columns=list(_columns(seller.time_zone)), order="name", prepare=prepare,
            search=lambda rows, text: texts(rows, text, "name", "key"), search_label=_("Name or key"),
            link=lambda s: reverse("supplier", args=[s.pk]),
            primary=Link(label=_("New supplier"), url=reverse("supplier_new"), permission="usage.change"),
            empty_title=_("No suppliers yet"),
            empty_text=_("A supplier says how its files are read and whose price holds."),
            template="usage/list.html", more={"usage_tabs": tabs("suppliers")},
        ),
    )  # fmt: skip


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="name", label=_("Name"), value=lambda s: s.name, sort="name")
    yield Column(name="key", label=_("Key"), value=lambda s: s.key, sort="key", narrow=True)
    yield Column(name="currency", label=_("Currency"), value=lambda s: s.currency, sort="currency", narrow=True)
    yield Column(
        name="last", label=_("Last file"), narrow=True,
        value=lambda s: show.moment(s.last.received_at, zone) if s.last else show.NONE,
    )  # fmt: skip
    yield Column(name="unlinked", label=_("Unlinked"), value=lambda s: show.count(s.unlinked), numeric=True)
    yield Column(name="waiting", label=_("Waiting"), value=lambda s: show.count(s.waiting), numeric=True)


@page("usage.view")
def supplier(request: HttpRequest, pk: int) -> HttpResponse:
    """One supplier: settings, mapping, product references, last files."""
    seller = seller_of(request)
    found = supplier_of(seller, pk)
    overview = next(s for s in suppliers_overview(seller.pk) if s.pk == pk)
    known = Mapping.from_dict(found.mapping)
    context = {
        "supplier": found, "overview": overview, "mapping": known,
        "columns": [(c, COLUMN_LABELS[c], known.columns[c]) for c in COLUMNS if c in known.columns],
        "references": ProductReference.objects.filter(supplier=found).select_related("article").order_by("folded"),
        "files": found.files.defer("content").order_by("-received_at", "-pk")[:FILES_SHOWN],
        "invoices": invoices_of(found).order_by("-first", "-pk")[:INVOICES_SHOWN],
        "form": ProductForm(articles=_articles(request)),
        "folders_watched": settings.USAGE_FOLDER is not None,
        "versions": MappingVersion.objects.filter(supplier=found).order_by("-number")[:VERSIONS_SHOWN],
    }  # fmt: skip
    return render(request, "usage/supplier.html", context)


@page("usage.change")
@require_POST
def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an earlier mapping again; it becomes a version of its own."""
    found = supplier_of(seller_of(request), pk)
    number = request.POST.get("number", "")
    versions = MappingVersion.objects.filter(supplier=found)
    version = get_object_or_404(versions, number=int(number) if number.isdecimal() and len(number) < 9 else 0)
    try:
        usage.change_supplier(actor_of(request), supplier=found, mapping=version.mapping)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("Saved."))
    return redirect("supplier", pk)


@page("usage.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a supplier."""
    seller = seller_of(request)
    initial = {"currency": seller.currency, "time_zone": seller.time_zone, "create_customers": True,
               "create_subscriptions": True}  # fmt: skip
    form = SupplierForm(request.POST or None, initial=initial, is_new=True)
    if request.method == "POST" and request.POST.get("action") == "sample":
        form = _proposed(request, form, is_new=True)
    elif request.method == "POST" and form.is_valid():
        try:
            made = usage.create_supplier(actor_of(request), seller=seller, **form.supplier_fields())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("%(name)s is made.") % {"name": made.name})
            return redirect("supplier", made.pk)
    return _form_page(request, form, _("New supplier"), reverse("suppliers"), _("Suppliers"))


@page("usage.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a supplier."""
    found = supplier_of(seller_of(request), pk)
    form = SupplierForm(request.POST or None, initial=initial_of(found), is_new=False)
    shown = seen.guard(request, form) if request.POST.get("action") != "sample" else request.POST.get(seen.NAME, "")
    if request.method == "POST" and request.POST.get("action") == "sample":
        form = _proposed(request, form, is_new=False)
    elif request.method == "POST" and form.is_valid():
        try:
            usage.change_supplier(actor_of(request), supplier=found, **form.supplier_fields())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("supplier", pk)
    return _form_page(request, form, _("Change supplier"), reverse("supplier", args=[pk]), found.name, shown)


def _form_page(
    request: HttpRequest, form: SupplierForm, title: str, back: str, parent: str, shown: str | None = None
) -> HttpResponse:
    carried = form.sample_bytes()
    written = _written({name: form[name].value() or "" for name in SETTINGS if name not in NO_TABLE})
    headings = table(carried, Mapping.from_dict(written), 1).headings if carried else []
    context = {
        "form": form, "title": title, "back": back, "parent": parent, "zones": sorted(available_timezones()),
        "headings": list(dict.fromkeys(headings)), "seen": shown,
        "preview_url": reverse("supplier_sample") if carried else "", "given": request.POST.get("action") == "sample",
    }  # fmt: skip
    return render(request, "usage/supplier_form.html", context, status=422 if form.errors else 200)


def _written(data: Any) -> dict[str, Any]:
    """How a file is written, as far as a form says what can be used."""
    said = mapping_of({name: data.get(name, "") for name in SETTINGS})
    if "skip_lines" in said:
        said["skip_lines"] = int(said["skip_lines"]) if str(said["skip_lines"]).isdecimal() else 0
    try:
        Mapping.from_dict(said)
    except Refused:
        return {}
    return said


def _proposed(request: HttpRequest, form: SupplierForm, *, is_new: bool) -> SupplierForm:
    """The form with the mapping that an example file proposes; what was typed otherwise stays."""
    data, sent = request.POST, request.FILES.get("example")
    typed: dict[str, Any] = {name: data.get(name, "") for name in form.fields}
    ticked = ("create_customers", "create_subscriptions", "unit_price_from_import", "number_repeats")
    typed |= {name: name in data for name in ticked}
    content = form.sample_bytes()
    if sent is not None and (sent.size or 0) <= MOST_SAMPLE:
        content = sent.read()
    elif sent is not None or not (content or data.get("ready")):
        messages.warning(request, _("Choose an example file of at most 5 MB."))
        return SupplierForm(initial=typed, is_new=is_new)
    try:
        proposed, found, carried = _mapping_for(content, data)
    except Refused as refused:
        messages.warning(request, show.refusal(refused))
        return SupplierForm(initial=typed, is_new=is_new)
    if content and not found.headings:
        messages.warning(request, _("The file has no headings that could be read."))
        return SupplierForm(initial=typed, is_new=is_new)
    shown = mapping_initial(proposed)
    typed |= {f"column_{column}": shown.get(f"column_{column}", "") for column in COLUMNS}
    typed |= {name: shown[name] for name in SETTINGS if shown[name]}
    if is_new and named(proposed) in IN_UTC and typed["time_zone"] == seller_of(request).time_zone:
        typed["time_zone"] = "UTC"  # else its days lie on two of ours, and a month's last hours count for the next
    typed |= {"sample": carried, "sample_name": (sent.name or "")[:200] if sent else data.get("sample_name", "")}
    _say_proposed(request, proposed, found.headings)
    return SupplierForm(initial=typed, is_new=is_new)


def _mapping_for(content: bytes, data: Any) -> tuple[dict[str, Any], Table, str]:
    """The ready mapping that was chosen, else the one that the example proposes, what the example holds, and the
    example as the form carries it. Raises `Refused` (`invalid`) for a file that is none of rows."""
    check_content(content)
    carried = as_sample(content)
    chosen = data.get("ready", "")
    kept = {"delimiter", "encoding", "skip_lines", "sheet"} | (set() if chosen in READY else {"headings"})
    written = {k: v for k, v in _written(data).items() if k in kept}
    proposed, found = as_ready(chosen, content, written) if chosen in READY else propose(content, written)
    return proposed, found, carried


def _say_proposed(request: HttpRequest, proposed: dict[str, Any], headings: list[str]) -> None:
    if ready := named(proposed):
        text = _("This is the ready mapping “%(name)s”: look at how the first rows are read.")
        messages.info(request, text % {"name": show.word("ready", ready)})
    elif all(proposed.get(c) or c in headings for c in ("subscription_id", "period_start")):
        messages.info(request, _("The columns are proposed from the headings of the file: look through them."))
    else:
        messages.warning(request, _("Not every needed column was recognised: choose the others from the headings."))


@page("usage.change")
@require_POST
def sample(request: HttpRequest) -> HttpResponse:
    """How the first rows of the example file are read by the form's mapping."""
    form = SupplierForm(request.POST, is_new="key" in request.POST)
    form.is_valid()
    said = mapping_of(form.cleaned_data)
    try:
        tried = Mapping.from_dict(said)
    except Refused as refused:
        return render(request, "usage/sample.html", {"refused": show.refusal(refused)})
    zone = form.cleaned_data.get("time_zone") or "UTC"
    good, bad, counts = [], [], Counts()
    for row in islice(read(form.sample_bytes(), tried, ZoneInfo(zone), counts), READ_ROWS):
        if isinstance(row, Problem):
            bad.append((row.line, translate(row.message, row.values, show.language())))
        else:
            good.append(row)
    elsewhere = zone != "UTC" and named(said) in IN_UTC
    context = {
        "rows": good[:SAMPLE_ROWS], "good": len(good), "bad": len(bad), "problems": bad[:SAMPLE_ROWS],
        "name": form.cleaned_data.get("sample_name", ""), "skipped": counts.skipped, "merged": counts.merged,
        "hints": list(_hints(tried, form.sample_bytes(), in_utc=elsewhere)),
        "currency": form.cleaned_data.get("currency", ""),
    }  # fmt: skip
    return render(request, "usage/sample.html", context)


def _hints(tried: Mapping, example: bytes, *, in_utc: bool) -> Iterator[str]:
    """What else a mapping, or the supplier's time zone, could say, where its files show nothing of it."""
    there = {*tried.columns, *table(example, tried, 1).headings}
    if in_utc:
        yield _("Such files write times in UTC: choose it as the time zone. In another one a day of the supplier lies"
                " on two days here, and the last hours of a month count for the next.")  # fmt: skip
    if not there & {"quantity", "seconds", "cost_amount", "amount"}:
        yield _("No column says how much: fill the quantity, the seconds, the cost or the price in all.")
    if not (there & {"id", "call_id"} or tried.number_repeats):
        yield _("Rows have no id: two of the same subscription, product and period count as one. If they are several,"
                " tick “Equal rows of a file are several”.")  # fmt: skip
    if not there & {"cost", "cost_amount"}:
        yield _("No column says the cost: there will be no margin.")
    if "discount" in there and not there & {"price", "cost"}:
        yield _("There is a discount, but neither price nor cost of one: amounts count as the file gives them.")
    if not there & {"product_id", "call_id"}:
        yield _("No column names the product: the article is chosen by hand when a contract is extended.")
    if "currency" not in there:
        yield _("No column names the currency: it is the supplier's.")


class ProductForm(forms.Form):
    """Which article a product stands for."""

    product = forms.CharField(label=lazy("Product of the supplier"), max_length=200)
    article = forms.ChoiceField(label=lazy("Article"))

    def __init__(self, *args: Any, articles: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["article"].choices = [("", _("Choose")), *articles]  # type: ignore[attr-defined]


def _articles(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Article.objects.filter(seller=seller_of(request)).order_by("key").values_list("key", "title")
    return [(key, f"{title} ({key})" if title else key) for key, title in rows]


@page("usage.change")
@require_POST
def products(request: HttpRequest, pk: int) -> HttpResponse:
    """Set or remove a product reference."""
    seller = seller_of(request)
    found = supplier_of(seller, pk)
    removed = request.POST.get("remove", "")
    if removed:
        rows = ProductReference.objects.filter(supplier=found)
        row = get_object_or_404(rows, pk=int(removed) if removed.isdecimal() and len(removed) < 18 else 0)
        usage.remove_product_reference(actor_of(request), reference=row)
        messages.success(request, _("Removed. What is matched stays where it is."))
        return redirect("supplier", pk)
    form = ProductForm(request.POST, articles=_articles(request))
    if not form.is_valid():
        messages.error(request, _("Name the product and choose an article."))
        return redirect("supplier", pk)
    article = Article.objects.get(seller=seller, key=form.cleaned_data["article"])
    try:
        usage.set_product_reference(
            actor_of(request), supplier=found, product=form.cleaned_data["product"], article=article
        )
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("Saved."))
    return redirect("supplier", pk)
