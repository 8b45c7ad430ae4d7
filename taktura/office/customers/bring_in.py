"""Existing customers and their services from a file: which heading stands for what, every row with its verdict, then
the customers themselves."""

import base64
import csv
import io
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from taktura.billing import services as billing
from taktura.billing.services import Brought
from taktura.billing.services.bring_in import COLUMNS, columns_of
from taktura.billing.services.take_over import Row, rows_of
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.contracts.take_over import FileForm, WriteForm
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of

SHOWN = 500  # rows that the page shows, those first that stay out
EXAMPLE = (
    ("customer", "name", "street", "postcode", "city", "country", "email", "vat_id", "language", "payment_days",
     "supplier", "subscription", "product", "product_name", "quantity", "subscription_start"),
    ("10001", "Kraus KG", "Hauptstraße 1", "20095", "Hamburg", "DE", "rechnung@kraus.example", "", "de", "14",
     "cloudhaus", "S-1", "PRD-9", "Mailbox", "12", "2026-01-01"),
    ("10001", "", "", "", "", "", "", "", "", "", "cloudhaus", "S-2", "PRD-7", "Backup", "2", "2026-02-01"),
    ("10002", "Muster GmbH", "Weg 2", "10115", "Berlin", "DE", "", "", "de", "", "", "", "", "", "", ""),
)  # fmt: skip
NEEDED = "name"
MARKS = {"vat_id": lazy("VAT id"), "email": lazy("E-mail"), "name": lazy("Name and postcode")}
MAP = "map_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row with its verdict in words."""

    line: int
    customer: str
    name: str
    good: bool
    text: str


class MappingForm(forms.Form):
    """Which of the file's headings stands for which of our columns."""

    def __init__(self, data: Any, *, headings: list[str], columns: list[str]) -> None:
        super().__init__(data)
        places = {column: heading for heading, column in zip(headings, columns, strict=True) if column}
        for column in COLUMNS:
            self.fields[f"{MAP}{column}"] = forms.ChoiceField(
                label=_label(column), required=column == NEEDED, initial=places.get(column, ""),
                choices=[("", _("None")), *((h, h) for h in dict.fromkeys(headings) if h)],
            )  # fmt: skip


def _label(column: str) -> str:
    """What a column is called on pages."""
    own = {
        "customer": _("Number"), "supplier": _("Supplier"), "supplier_customer": _("Supplier customer"),
        "subscription": _("Supplier subscription"), "product": _("Product"), "product_name": _("Name of the product"),
        "subscription_start": _("Start"),
    }  # fmt: skip
    return own.get(column) or show.word("field", column)


@page("customers.change")
@require_http_methods(["GET", "POST"])
def bring_in(request: HttpRequest) -> HttpResponse:
    """Look at a file, then bring its customers in."""
    if request.method == "POST" and "content" in request.POST:
        return _with_content(request)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"]
        file = _File(content, None)
        if file.refused is None or file.headings:
            return _looked(request, file)
        add_refusal(form, file.refused, {"": "file"})
    context = {
        "form": form, "title": _("Bring customers in"), "action": _("Look at it"), "back": reverse("customers"),
        "parent": _("Customers"), "columns": COLUMNS,
    }  # fmt: skip
    return render(request, "customers/bring_in.html", context, status=422 if form.errors else 200)


@page("customers.change")
@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """A file to begin with."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(EXAMPLE)
    headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


class _File:
    """A file as it is read: its headings, the columns that they stand for, its rows; `refused`: why it has none."""

    def __init__(self, content: bytes, mapping: dict[str, str] | None) -> None:
        self.content, self.mapping = content, mapping
        self.headings: list[str] = []
        self.columns: list[str] = []
        self.rows: list[Row] = []
        self.refused: Refused | None = None
        try:
            self.rows = rows_of(content, self._columns)
        except Refused as refused:
            self.refused = refused

    def _columns(self, headings: Any) -> list[str]:
        self.headings = [str(h).strip() for h in headings]
        self.columns = [""] * len(self.headings)
        self.columns = columns_of(self.headings, self.mapping)
        return self.columns


def _with_content(request: HttpRequest) -> HttpResponse:
    """The file again: looked at with another mapping, or written."""
    actor, seller = actor_of(request), seller_of(request)
    form = WriteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the file once more."))
        return redirect("customers_bring_in")
    chosen = {c: request.POST.get(f"{MAP}{c}", "") for c in COLUMNS}
    file = _File(form.cleaned_data["content"], {c: h for c, h in chosen.items() if h})
    if not file.headings:
        messages.error(request, _("Choose the file once more."))
        return redirect("customers_bring_in")
    if file.refused is not None or request.POST.get("action") != "save":
        return _looked(request, file)
    try:
        done = billing.bring_in(actor, seller=seller, rows=file.rows, leave_out=form.cleaned_data["leave_out"])
    except Refused as refused:
        form.add_error(None, show.refusal(refused))
        return _looked(request, file, form)
    text = ngettext("%(count)s customer is brought in.", "%(count)s customers are brought in.", done.customers)
    messages.success(request, text % {"count": show.count(done.customers)})
    return redirect("customers")


def _looked(request: HttpRequest, file: _File, form: WriteForm | None = None) -> HttpResponse:
    found: Brought | None = None
    form = form or WriteForm(initial={"content": base64.b64encode(file.content).decode()})
    form.fields["leave_out"].label = _("Leave out the rows that are wrong or double")
    if file.refused is None:
        found = billing.look_at_customers(actor_of(request), seller=seller_of(request), rows=file.rows)
    rows = sorted(found.rows, key=lambda v: (v.good, v.line)) if found else []
    data = request.POST if file.mapping is not None else None
    context = {
        "form": form, "found": found, "title": _("Bring customers in"), "back": reverse("customers_bring_in"),
        "parent": _("Bring customers in"), "rows": [_shown(v) for v in rows[:SHOWN]], "more": len(rows) - SHOWN,
        "mapping": MappingForm(data, headings=file.headings, columns=file.columns),
        "refused": show.refusal(file.refused) if file.refused else "",
        "unused": [h for h, c in zip(file.headings, file.columns, strict=True) if h and not c],
    }  # fmt: skip
    return render(request, "customers/brought_in.html", context, status=422 if form.errors or file.refused else 200)


def _shown(verdict: Any) -> ShownRow:
    if verdict.refused is not None:
        text = show.refusal(verdict.refused)
    elif verdict.does == "double":
        text = _("Seems to be the customer %(key)s already: the same %(mark)s.") % {
            "key": verdict.twin, "mark": MARKS[verdict.mark]
        }  # fmt: skip
    else:
        text = {
            "new": _("The customer is made."), "added": _("What the customer uses is noted."),
            "known": _("Is there already; nothing changes."),
        }[verdict.does]  # fmt: skip
    return ShownRow(line=verdict.line, customer=verdict.customer, name=verdict.name, good=verdict.good, text=text)
