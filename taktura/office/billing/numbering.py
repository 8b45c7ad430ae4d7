"""Before the first document: the numbers, to be confirmed (R14.3)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.invoices.models import KINDS
from taktura.invoices.services import Numbering, confirm_numbering, numbers_of
from taktura.invoices.services.numbering import check_numbering, numbers_from
from taktura.office import show
from taktura.office.billing.due import day_of
from taktura.office.page import actor_of, page, seller_of

REFUSED = 422
EXAMPLES = 3


class NumberingForm(forms.Form):
    """Format and next number of each kind of document."""

    def __init__(self, *args: Any, numbers: dict[str, Numbering], **options: Any) -> None:
        super().__init__(*args, **options)
        labels = {
            "invoice": (_("Format of invoices"), _("Next number of invoices")),
            "credit_note": (_("Format of credit notes"), _("Next number of credit notes")),
        }
        for kind in KINDS:
            form, following = labels[kind]
            self.fields[f"format_{kind}"] = forms.CharField(label=form, max_length=60, initial=numbers[kind].format)
            self.fields[f"next_{kind}"] = forms.IntegerField(
                label=following, min_value=1, max_value=10**15, initial=numbers[kind].next
            )
        self.fields["format_invoice"].help_text = _(
            "{number:05} is the number with five figures, {year} the year of the document; with {year} it begins at 1"
            " each year."
        )
        self.fields["next_invoice"].help_text = _("Higher than 1 where another program has issued documents before.")


@page("billing.run")
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm the numbers of invoices and credit notes, then go on to the run."""
    seller, on = seller_of(request), day_of(request)
    form = NumberingForm(request.POST or None, numbers=numbers_of(seller, on))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                for kind in KINDS:
                    confirm_numbering(
                        actor_of(request), seller=seller, kind=kind, format=form.cleaned_data[f"format_{kind}"],
                        next=form.cleaned_data[f"next_{kind}"],
                    )  # fmt: skip
        except Refused as refused:
            form.add_error(f"format_{kind}", show.refusal(refused))
        else:
            messages.success(request, _("The numbers are confirmed."))
            return redirect(f"{reverse('start_run')}?on={on.isoformat()}")
    return render(
        request,
        "billing/numbering.html",
        {
            "form": form,
            "title": _("Numbers of documents"),
            "parent": _("Billing"),
            "back": reverse("billing"),
            "preview_url": f"{reverse('preview_first_numbers')}?on={on.isoformat()}",
            "action": _("Confirm"),
        },
        status=REFUSED if form.errors else 200,
    )


@page("billing.run")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The first numbers that a format makes."""
    seller, on = seller_of(request), day_of(request)
    form = NumberingForm(request.POST, numbers=numbers_of(seller, on))
    examples = []
    if form.is_valid():
        for kind in KINDS:
            text, following = form.cleaned_data[f"format_{kind}"], form.cleaned_data[f"next_{kind}"]
            try:
                check_numbering(kind, text, following)
                numbers = numbers_from(text, following, on, EXAMPLES)
                examples.append({"kind": kind, "numbers": numbers, "error": ""})
            except Refused as refused:
                examples.append({"kind": kind, "numbers": [], "error": show.refusal(refused)})
    return render(request, "billing/numbering_preview.html", {"form": form, "examples": examples})
