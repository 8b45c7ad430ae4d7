"""Suppliers' own invoices: what a supplier charges for a period, held against the rows imported for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST, require_safe

from taktura.billing.supplier_invoices import Against, invoices_against
from taktura.core.errors import Refused
from taktura.core.money import money, places
from taktura.core.periods import DAY, Span, add
from taktura.office import seen, show
from taktura.office.forms import CurrencyField, DayField, ExactNumberField, add_refusal
from taktura.office.lists import Column, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.typed import read_day
from taktura.office.usage.files import file_name
from taktura.office.usage.parts import supplier_of, tabs
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierInvoice
from taktura.usage.overview import text_of as texts
from taktura.usage.queries import invoices_of

MONTH = Span(1, "month")
ACCEPTED = ".pdf,.png,.jpg,.jpeg,.xml,.xlsx,.csv,.txt"
MOST_MB = usage.MOST_INVOICE_BYTES // 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Invoices of one currency against the imported rows, as they are shown, and what mends the difference."""

    against: Against
    claimed: str
    imported: str
    difference: str
    billed: str
    mend: Link | None

    @classmethod
    def of(cls, one: Against, supplier: Supplier, first: date, end: date) -> "Shown":
        """The invoices of a currency in a period."""
        return cls(
            against=one, claimed=_amount(one.held.claimed, one.currency) if one.invoices else show.NONE,
            imported=_amount(one.imported.cost, one.currency),
            difference=_amount(one.held.difference, one.currency) if one.invoices else show.NONE,
            billed=show.NONE if one.billed is None else _amount(one.billed, one.currency),
            mend=_mend(one, supplier, first, end),
        )  # fmt: skip


def shown_against(against: Sequence[Against], supplier: Supplier, first: date, end: date) -> list[Shown]:
    """What the page of reconciliation shows of a supplier's own invoices."""
    return [Shown.of(one, supplier, first, end) for one in against]


def _amount(value: Fraction, currency: str) -> str:
    return show.money(money(value, places(currency)).exact, currency)


def _mend(one: Against, supplier: Supplier, first: date, end: date) -> Link | None:
    """What mends the difference."""
    cause = one.held.causes[0] if one.held.causes else ""
    new = f"{reverse('supplier_invoice_new', args=[supplier.pk])}?from={first.isoformat()}&until={end - DAY}"
    files = f"{reverse('usage_files')}?supplier={supplier.pk}"
    if cause in ("no_invoice", "gap"):
        return Link(label=_("Enter the invoice"), url=new, permission="usage.change", icon="plus")
    if cause in ("not_imported", "higher"):
        url = f"{reverse('usage_import')}?supplier={supplier.pk}"
        return Link(label=_("Load a usage file"), url=url, permission="usage.change", icon="upload")
    if cause == "unread":
        return Link(label=_("See the files with problems"), url=f"{files}&problems=1", icon="alert-triangle")
    if cause == "lower":
        return Link(label=_("See its files"), url=files, icon="files")
    if cause in ("overlap", "partly") and one.invoices:
        url = reverse("supplier_invoice", args=[one.invoices[0].pk])
        return Link(label=_("See the invoice"), url=url, icon="receipt")
    return None


class InvoiceForm(forms.Form):
    """A supplier's own invoice."""

    number = forms.CharField(label=lazy("Number"), max_length=100)
    day = DayField(label=lazy("Date of the invoice"))
    first = DayField(label=lazy("For the days from"))
    until = DayField(label=lazy("until (its last day)"))
    net = ExactNumberField(
        label=lazy("Total, net"), help_text=lazy("A credit note of the supplier is below zero.")
    )  # fmt: skip
    currency = CurrencyField(label=lazy("Currency"))
    note = forms.CharField(
        label=lazy("Note"), required=False, max_length=2_000, widget=forms.Textarea(attrs={"rows": 2})
    )
    file = forms.FileField(
        label=lazy("File"), required=False, allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=lazy("Kept as it comes, at most 10 MB: PDF, picture, XML, XLSX or text."),
    )  # fmt: skip
    drop = forms.BooleanField(label=lazy("Take its file out"), required=False)

    def __init__(self, *args: Any, today: date, file: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("day", "first", "until"):
            self.fields[name].today = today  # type: ignore[attr-defined]
        if file:
            self.fields["file"].label = _("Another file than %(name)s") % {"name": file}
        else:
            del self.fields["drop"]

    def clean_file(self) -> Any:
        """A file of bearable size; what it is says the service."""
        sent = self.cleaned_data["file"]
        if sent and sent.size > usage.MOST_INVOICE_BYTES:
            raise forms.ValidationError(_("The file has more than %(most)s MB.") % {"most": MOST_MB})
        return sent

    def invoice_fields(self) -> dict[str, Any]:
        """What the services take."""
        data = self.cleaned_data
        names = ("number", "day", "first", "net", "currency", "note")
        return {name: data[name] for name in names} | {"end": data["until"] + DAY}


@page("usage.view")
@require_safe
def invoices(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A supplier's own invoices, those for the latest days first."""
    found = supplier_of(seller_of(request), pk)
    new = reverse("supplier_invoice_new", args=[pk])
    return list_page(
        request,
        Listing(
            slug="supplier_invoices", title=_("Invoices of %(name)s") % {"name": found.name}, rows=invoices_of(found),
            columns=list(_columns()), order="-days",
            search=lambda rows, text: texts(rows, text, "number", "note"), search_label=_("Number or note"),
            link=lambda i: reverse("supplier_invoice", args=[i.pk]),
            primary=Link(label=_("Enter an invoice"), url=new, permission="usage.change"),
            links=[
                Link(label=_("Supplier"), url=reverse("supplier", args=[pk]), icon="building-store"),
                Link(
                    label=_("Reconciliation"), url=f"{reverse('usage_reconciliation')}?supplier={pk}",
                    icon="arrows-exchange",
                ),
            ],
            empty_title=_("No invoice yet"),
            empty_text=_("What the supplier asks for a month is held against the rows that were imported for it."),
            template="usage/list.html", more={"usage_tabs": tabs("suppliers")},
        ),
    )  # fmt: skip


def _columns() -> Iterator[Column]:
    yield Column(name="number", label=_("Number"), value=lambda i: i.number, sort="number")
    yield Column(
        name="day", label=_("Date"), value=lambda i: show.day(i.day), raw=lambda i: i.day, sort="day", narrow=True
    )
    yield Column(name="days", label=_("For the days"), value=lambda i: show.period(i.first, i.end), sort="first")
    yield Column(
        name="net", label=_("Total, net"), value=lambda i: show.money(i.net, i.currency), raw=lambda i: i.net,
        numeric=True,
    )  # fmt: skip
    yield Column(name="currency", label=_("Currency"), value=lambda i: i.currency, sort="currency", shown=False)
    yield Column(name="file", label=_("File"), value=lambda i: i.file_name or show.NONE, narrow=True)
    yield Column(name="note", label=_("Note"), value=lambda i: i.note or show.NONE, shown=False)


def _find(request: HttpRequest, pk: int) -> SupplierInvoice:
    rows = SupplierInvoice.objects.select_related("supplier__seller").defer("content")
    return get_object_or_404(rows.filter(supplier__seller=seller_of(request)), pk=pk)


@page("usage.view")
@require_safe
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An invoice, held against what was imported for its days."""
    found = _find(request, pk)
    against = invoices_against(found.supplier, found.first, found.end)
    own = [one for one in against if one.currency == found.currency]
    context = {
        "invoice": found, "last": found.end - DAY,
        "against": shown_against(own, found.supplier, found.first, found.end),
    }  # fmt: skip
    return render(request, "usage/supplier_invoice.html", context)


@page("usage.change")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter an invoice; `from` and `until` say for which days, else it is last month."""
    supplier, today = supplier_of(seller_of(request), pk), today_of(request)
    month = add(today.replace(day=1), MONTH, -1)
    given = [read_day(request.GET.get(name, "")[:20], show.language(), today) for name in ("from", "until")]
    first, last = given if all(given) else (month, add(month, MONTH) - DAY)
    initial = {"day": today, "first": first, "until": last, "currency": supplier.currency}
    form = InvoiceForm(request.POST or None, request.FILES or None, today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                actor = actor_of(request)
                made = usage.enter_supplier_invoice(actor, supplier=supplier, **form.invoice_fields())
                _keep_file(request, made, form)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Invoice %(number)s is entered.") % {"number": made.number})
            return redirect("supplier_invoice", made.pk)
    return _form_page(
        request, form, _("Enter an invoice of the supplier"), reverse("supplier_invoices", args=[pk]), supplier.name
    )


@page("usage.change")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct an invoice; the log keeps what it said before."""
    found = _find(request, pk)
    initial = {
        "number": found.number, "day": found.day, "first": found.first, "until": found.end - DAY, "net": found.net,
        "currency": found.currency, "note": found.note,
    }  # fmt: skip
    form = InvoiceForm(
        request.POST or None, request.FILES or None, today=today_of(request), file=found.file_name, initial=initial
    )
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                usage.correct_supplier_invoice(actor_of(request), invoice=found, **form.invoice_fields())
                _keep_file(request, found, form)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("supplier_invoice", pk)
    return _form_page(
        request, form, _("Correct the invoice"), reverse("supplier_invoice", args=[pk]), found.number, shown
    )


def _keep_file(request: HttpRequest, invoice: SupplierInvoice, form: InvoiceForm) -> None:
    sent = form.cleaned_data["file"]
    if sent:
        name = file_name(sent.name)
        usage.keep_invoice_file(actor_of(request), invoice=invoice, name=name, content=sent.read())
    elif form.cleaned_data.get("drop"):
        usage.drop_invoice_file(actor_of(request), invoice=invoice)


def _form_page(
    request: HttpRequest, form: InvoiceForm, title: str, back: str, parent: str, shown: str | None = None
) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, "parent": parent, "seen": shown}
    return render(request, "usage/supplier_invoice_form.html", context, status=422 if form.errors else 200)


@page("usage.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an invoice out."""
    found = _find(request, pk)
    try:
        usage.remove_supplier_invoice(actor_of(request), invoice=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("Invoice %(number)s is taken out.") % {"number": found.number})
    return redirect("supplier_invoices", found.supplier_id)


@page("usage.view")
@require_safe
def content(request: HttpRequest, pk: int) -> HttpResponse:
    """The file of an invoice as it came. It is saved, never shown: it comes from somebody else."""
    found = _find(request, pk)
    if found.content is None:
        raise Http404
    answer = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, found.file_name) or "attachment"
    return answer
