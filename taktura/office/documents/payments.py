"""Payments of several invoices at once."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.invoices.models import Document
from taktura.invoices.services import pay
from taktura.office.documents.forms import PaymentsForm
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of

REFUSED = 422
MOST_PAID = 200  # invoices in one form


@page("payments.change")
@require_POST
def pay_documents(request: HttpRequest) -> HttpResponse:
    """Enter the payments of several invoices on one day: all of them or none."""
    ids = [int(pk) for pk in request.POST.getlist("chosen") if pk.isdecimal()]
    form = payments_form(request, ids, request.POST if request.POST.get("action") == "save" else None)
    if form.is_bound and form.is_valid():
        received = form.received()
        try:
            with transaction.atomic():
                for document, amount in received:
                    pay(actor_of(request), document=document, amount=amount, on=form.cleaned_data["on"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            count = len(received)
            text = ngettext("%(count)s payment is entered.", "%(count)s payments are entered.", count)
            messages.success(request, text % {"count": count})
            return redirect("documents")
    return payments_page(request, form)


def payments_form(request: HttpRequest, ids: list[int], data: Any = None) -> PaymentsForm:
    """The form for the payments of the invoices among some documents that are not paid."""
    found = Document.objects.filter(seller=seller_of(request), pk__in=ids, state__payment__in=["open", "partly_paid"])
    documents = list(found.select_related("state", "customer", "seller").order_by("pk"))
    return PaymentsForm(data, today=today_of(request), documents=documents)


def payments_page(request: HttpRequest, form: PaymentsForm) -> HttpResponse:
    """The page with that form."""
    context = {"form": form, "title": _("Enter payments"), "back": reverse("documents"), "parent": _("Documents")}
    return render(request, "documents/pay_many.html", context, status=REFUSED if form.errors else 200)
