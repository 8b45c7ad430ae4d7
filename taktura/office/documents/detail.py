"""A document: what was billed and why, was it sent, was it paid?"""

from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from taktura.audit.models import LogEntry
from taktura.invoices.electronic import sent_pdf
from taktura.invoices.models import Document, DocumentLine
from taktura.invoices.printing import view_of
from taktura.invoices.proof import is_unchanged
from taktura.invoices.queries import credited, mails_of
from taktura.invoices.services.mailing import file_name
from taktura.office.documents.einvoice import offered
from taktura.office.documents.listing import payment_state
from taktura.office.history import told
from taktura.office.page import page, seller_of, today_of

SHOWN = 100  # entries of the log


def document_of(request: HttpRequest, pk: int) -> Document:
    """A document of the seller with what every page about it shows; else 404."""
    related = ("customer__billing_information", "contract", "seller", "state")
    return get_object_or_404(Document.objects.select_related(*related), pk=pk, seller=seller_of(request))


def frame(request: HttpRequest, document: Document, tab: str) -> dict[str, Any]:
    """What the pages about a document have in common: state, tabs with their counts, what comes next."""
    mails = list(mails_of(document.pk))
    payments = list(document.payments.order_by("paid_on", "pk"))
    parts: list[tuple[str, str, int | None]] = [
        ("document", _("Lines"), None),
        ("document_print", _("As printed"), None),
    ]
    if document.kind == "invoice":
        parts.append(("document_payments", _("Payments"), len(payments)))
    parts += [("document_mails", _("Mails"), len(mails)), ("document_history", _("History"), None)]
    today = today_of(request)
    due_in = (document.due_on - today).days if document.due_on else None
    return {
        "document": document,
        "payment": payment_state(document.state, today),
        "payments": payments,
        "mails": mails,
        "due_in": due_in,
        "due_text": _due_text(due_in),
        "paid": sum(p.amount for p in payments),
        "tabs": [
            {"label": label, "url": reverse(name, args=[document.pk]), "count": count, "active": name == tab}
            for name, label, count in parts
        ],
    }


def _due_text(days: int | None) -> str:
    if days is None:
        return ""
    if days < 0:
        return ngettext("overdue by %(count)s day", "overdue by %(count)s days", -days) % {"count": -days}
    if days == 0:
        return _("due today")
    return ngettext("due in %(count)s day", "due in %(count)s days", days) % {"count": days}


@page("documents.view")
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """As it was issued: lines, taxes, sums; each amount leads to its proof."""
    found = document_of(request, pk)
    lines = list(
        DocumentLine.objects.filter(document=found)
        .select_related("contract")
        .prefetch_related(Prefetch("credits", DocumentLine.objects.select_related("document")))
        .order_by("position")
    )
    taken = credited(line.pk for line in lines)
    for line in lines:
        line.credited = taken.get(line.pk, 0)  # type: ignore[attr-defined]
    return render(
        request,
        "documents/document.html",
        frame(request, found, "document")
        | {
            "lines": lines,
            "several_contracts": found.contract_id is None and any(line.contract_id for line in lines),
            "taxes": list(found.taxes.all()),
            "corrects": [r.corrects for r in found.references.select_related("corrects").order_by("corrects_id")],
            "corrected_by": [r.document for r in found.corrected_by.select_related("document").order_by("document_id")],
            "unchanged": is_unchanged(found.pk),
            **offered(found),
        },
    )


@page("documents.view")
def document_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The document as its recipient has it, on the page and on paper."""
    found = document_of(request, pk)
    return render(request, "documents/print.html", frame(request, found, "document_print") | {"view": view_of(found)})


@page("documents.view")
def document_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF; with `?download` as a file to keep."""
    found = document_of(request, pk)
    how = "attachment" if "download" in request.GET else "inline"
    head = {"Content-Disposition": f'{how}; filename="{file_name(found)}"'}
    return HttpResponse(sent_pdf(found), content_type="application/pdf", headers=head)


@page("documents.view")
def document_payments(request: HttpRequest, pk: int) -> HttpResponse:
    """What was received for an invoice."""
    found = document_of(request, pk)
    if found.kind != "invoice":
        raise Http404
    return render(request, "documents/payments.html", frame(request, found, "document_payments"))


@page("documents.view")
def document_mails(request: HttpRequest, pk: int) -> HttpResponse:
    """The mails that brought the document, and what became of them."""
    found = document_of(request, pk)
    return render(request, "documents/mails.html", frame(request, found, "document_mails"))


@page("documents.view")
def document_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Who did what with the document."""
    found = document_of(request, pk)
    entries = LogEntry.objects.filter(subject=f"document:{pk}").order_by("-id")[:SHOWN]
    more = {"entries": [told(entry) for entry in entries], "most_entries": SHOWN}
    return render(request, "documents/history.html", frame(request, found, "document_history") | more)
