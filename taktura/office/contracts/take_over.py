"""Contracts of another system from a file: first every row with its verdict, then the contracts themselves."""

import base64
import binascii
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
from taktura.billing.services import Takeover
from taktura.billing.services.take_over import COLUMNS, MOST_BYTES, rows_of
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of

SHOWN = 500  # rows that the page shows, the wrong ones first
EXAMPLE = (
    COLUMNS,
    ("V-1001", "K-1", "office", "2024-03-01", "2026-01-01", "", "", "", "", "", "", "", "", ""),
    ("V-1001", "", "", "", "", "", "", "desk", "4", "90.00", "10", "since 2024", "", "third floor"),
    ("V-1001", "", "", "", "", "", "", "key", "1", "", "", "", "", ""),
    ("V-1002", "K-2", "office", "2025-07-15", "2026-01-15", "2027-01-01", "", "desk", "2", "", "", "", "", ""),
)


class FileForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=lazy("File"), help_text=lazy("CSV or XLSX with a row for each contract line, at most 4 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}), allow_empty_file=True,
    )  # fmt: skip

    def clean_file(self) -> bytes:
        """Its bytes."""
        sent = self.cleaned_data["file"]
        if sent.size > MOST_BYTES:
            too_large = _("The file has more than %(most)s MB: split it.")
            raise forms.ValidationError(too_large % {"most": MOST_BYTES // 1_000_000})
        content: bytes = sent.read()
        return content


class WriteForm(forms.Form):
    """The file again, which was looked at."""

    content = forms.CharField(widget=forms.HiddenInput, max_length=2 * MOST_BYTES)
    leave_out = forms.BooleanField(label=lazy("Leave out the contracts with wrong rows"), required=False)

    def clean_content(self) -> bytes:
        """Its bytes."""
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except (binascii.Error, ValueError):
            raise forms.ValidationError(_("Choose the file once more.")) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row with its verdict in words."""

    line: int
    contract: str
    article: str
    good: bool
    text: str


@page("contracts.change")
@require_http_methods(["GET", "POST"])
def take_over(request: HttpRequest) -> HttpResponse:
    """Look at a file, then take its contracts over."""
    if request.method == "POST" and "content" in request.POST:
        return _write(request)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"]
        try:
            found = billing.look_at_takeover(actor_of(request), seller=seller_of(request), rows=rows_of(content))
        except Refused as refused:
            add_refusal(form, refused, {"": "file"})
        else:
            return _looked(request, content, found)
    context = {
        "form": form, "title": _("Take over contracts"), "action": _("Look at it"), "back": reverse("contracts"),
        "parent": _("Contracts"), "columns": _columns(),
    }  # fmt: skip
    return render(request, "contracts/take_over.html", context, status=422 if form.errors else 200)


@page("contracts.change")
@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """A file to begin with."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(EXAMPLE)
    headers = {"Content-Disposition": 'attachment; filename="contracts.csv"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _write(request: HttpRequest) -> HttpResponse:
    actor, seller = actor_of(request), seller_of(request)
    form = WriteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the file once more."))
        return redirect("take_over")
    content, rows = form.cleaned_data["content"], []
    try:
        rows = rows_of(content)
        done = billing.take_over(actor, seller=seller, rows=rows, leave_out=form.cleaned_data["leave_out"])
    except Refused as refused:
        if not rows:
            messages.error(request, show.refusal(refused))
            return redirect("take_over")
        form.add_error(None, show.refusal(refused))
        return _looked(request, content, billing.look_at_takeover(actor, seller=seller, rows=rows), form)
    text = ngettext("%(count)s contract is taken over.", "%(count)s contracts are taken over.", done.contracts)
    messages.success(request, text % {"count": show.count(done.contracts)})
    return redirect("contracts")


def _looked(request: HttpRequest, content: bytes, found: Takeover, form: WriteForm | None = None) -> HttpResponse:
    form = form or WriteForm(initial={"content": base64.b64encode(content).decode()})
    rows = sorted(found.rows, key=lambda v: (v.good, v.line))
    context = {
        "form": form, "found": found, "title": _("Take over contracts"), "back": reverse("take_over"),
        "parent": _("Take over contracts"), "rows": [_shown(v) for v in rows[:SHOWN]], "more": len(rows) - SHOWN,
        "monthly": [show.minor(amount, currency) for currency, amount in found.monthly.items()],
        "unreadable": any(not v.contract and not v.good for v in found.rows),
    }  # fmt: skip
    return render(request, "contracts/taken_over.html", context, status=422 if form.errors else 200)


def _shown(verdict: Any) -> ShownRow:
    if verdict.refused is not None:
        text = show.refusal(verdict.refused)
    elif verdict.of_contract:
        text = _("Another row of this contract is wrong.")
    else:
        text = _("Is taken over.")
    return ShownRow(line=verdict.line, contract=verdict.contract, article=verdict.article, good=verdict.good, text=text)


def _columns() -> list[tuple[str, str]]:
    """The columns of the file, each with what stands in it."""
    told = {
        "contract": _("The contract's number here. Rows of one number are one contract."),
        "customer": _("The customer's number."),
        "tariff": _("The tariff's key."),
        "start": _("The first day of the contract, as in 2024-03-01."),
        "billed_until": _("The first day that the other system has not billed. Nothing before it is billed here."),
        "end": _("The first day after the contract, where an end is agreed."),
        "terms_from": _("The day from which term and notice count, if not from the start."),
        "article": _("The article's key; empty in a row that speaks of the contract alone."),
        "quantity": _("How many there are. What the tariff includes needs none."),
        "price": _("The contract's own price."),
        "discount": _("In percent."),
        "reason": _("Of the discount."),
        "minimum_quantity": _("What is billed at least."),
        "note": _("Stands with the contract line."),
    }
    return [(name, told[name]) for name in COLUMNS]
