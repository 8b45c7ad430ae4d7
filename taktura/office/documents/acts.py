"""What is done with a document: credit it, enter a payment, send it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.core.errors import Refused
from taktura.invoices.models import Document
from taktura.invoices.printing import views_of_ready
from taktura.invoices.queries import mails_of, open_amount
from taktura.invoices.services import check_payment, letter_of, mail_document, pay
from taktura.kit.mail.services import send_again, server_of
from taktura.office import seen, show
from taktura.office.documents.detail import document_of
from taktura.office.documents.forms import LINES, CreditForm, PaymentForm, SendForm
from taktura.office.documents.payments import REFUSED
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, today_of


def _invoice(request: HttpRequest, pk: int) -> Document:
    document = document_of(request, pk)
    if document.kind != "invoice":
        raise Http404
    return document


@page("documents.credit")
def credit_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Credit an invoice in full or in part; beside the form the credit note as it would be."""
    document = _invoice(request, pk)
    form = _credit_form(request, document)
    shown = seen.guard_facts(request, form, sorted(form.left.items()))
    if request.method == "POST" and form.is_valid():
        try:
            issued = billing.credit(actor_of(request), document=document, **_credit_fields(form))
        except Refused as refused:
            _refuse_credit(form, refused)
        else:
            numbers = ", ".join(d.number for d in issued)
            messages.success(request, _("Issued: %(numbers)s.") % {"numbers": numbers})
            return redirect("document", issued[0].id if issued else document.pk)
    more = {"action": _("Issue the credit note"), "left": any(form.left.values()), "seen": shown}
    return _form(request, "documents/credit.html", document, form, _("Credit"), "preview_credit", more)


@page("documents.credit")
@require_POST
def preview_credit(request: HttpRequest, pk: int) -> HttpResponse:
    """The credit note as it would be issued; nothing is written."""
    document = _invoice(request, pk)
    form = _credit_form(request, document)
    views = []
    if form.is_valid():
        try:
            ready = billing.preview_credit(document=document, **_credit_fields(form))
            views = views_of_ready(actor_of(request), ready, today_of(request))
        except Refused as refused:
            _refuse_credit(form, refused)
    return render(request, "documents/credit_preview.html", {"form": form, "views": views})


def _credit_form(request: HttpRequest, document: Document) -> CreditForm:
    line = request.GET.get("line", "")
    initial = {"what": LINES} if line else {}
    data = request.POST if request.method == "POST" else None
    return CreditForm(data, document=document, left=billing.left_to_credit(document), initial=initial)


def _credit_fields(form: CreditForm) -> dict[str, Any]:
    data = form.cleaned_data
    return {"lines": form.wanted(), "reason": data["reason"], "rebill": data["rebill"]}


def _refuse_credit(form: CreditForm, refused: Refused) -> None:
    """Beside the line that the refusal speaks of."""
    name = f"amount_{refused.values.get('line', '')}"
    form.add_error(name if name in form.fields else None, show.refusal(refused))


@page("payments.change")
def pay_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter money that was received for an invoice."""
    document = _invoice(request, pk)
    form = _payment_form(request, document)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            pay(actor_of(request), document=document, amount=data["amount"], on=data["on"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The payment is entered."))
            return redirect("document_payments", document.pk)
    more = {"action": _("Enter the payment"), "seen": shown}
    return _form(request, "documents/pay.html", document, form, _("Enter a payment"), "preview_payment", more)


@page("payments.change")
@require_POST
def preview_payment(request: HttpRequest, pk: int) -> HttpResponse:
    """What would be open after a payment; nothing is written."""
    document = _invoice(request, pk)
    form, found = _payment_form(request, document), None
    if form.is_valid():
        try:
            _, found, _state = check_payment(
                document, form.cleaned_data["amount"], on=form.cleaned_data["on"], today=today_of(request)
            )
        except Refused as refused:
            add_refusal(form, refused)
    now = open_amount(document)
    return render(
        request, "documents/pay_preview.html", {"form": form, "found": found, "now": now, "document": document}
    )


def _payment_form(request: HttpRequest, document: Document) -> PaymentForm:
    data = request.POST if request.method == "POST" else None
    return PaymentForm(data, today=today_of(request), open_amount=open_amount(document), currency=document.currency)


@page("documents.send")
def send_document(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a document by mail; subject and text are those of its language and can be changed."""
    document = document_of(request, pk)
    letter = letter_of(document)
    initial = {"to": letter.to, "subject": letter.subject, "text": letter.text}
    form = SendForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            mail_document(actor_of(request), document=document, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"email": "to"})
        else:
            messages.success(request, _written(document))
            return redirect("document_mails", document.pk)
    more = {
        "action": _("Send"),
        "letter": letter,
        "way": getattr(getattr(document.customer, "billing_information", None), "delivery", ""),
        "server": server_of(f"seller:{document.seller_id}"),
        "mails": list(mails_of(document.pk)[:5]),
    }
    return _form(request, "documents/send.html", document, form, _("Send by mail"), "", more)


def _written(document: Document) -> str:
    """What becomes of a mail that was just written."""
    if server_of(f"seller:{document.seller_id}"):
        return _("The mail is in the outbox and is being sent.")
    return _("The mail is in the outbox. It is not sent, because no mail server is set.")


@page("documents.send")
@require_POST
def resend_mail(request: HttpRequest, pk: int, mail: int) -> HttpResponse:
    """Try a mail again that was not delivered."""
    document = document_of(request, pk)
    found = get_object_or_404(mails_of(document.pk), pk=mail)
    try:
        send_again(actor_of(request).now, mail=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The mail is tried again."))
    return redirect("document_mails", document.pk)


def _form(
    request: HttpRequest, template: str, document: Document, form: Any, title: str, preview: str, more: dict[str, Any]
) -> HttpResponse:
    context = {
        "form": form,
        "title": title,
        "document": document,
        "back": reverse("document", args=[document.pk]),
        "parent": document.number,
        "preview_url": reverse(preview, args=[document.pk]) if preview else "",
        **more,
    }
    return render(request, template, context, status=REFUSED if form.errors else 200)
