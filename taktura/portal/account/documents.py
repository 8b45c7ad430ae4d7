"""A customer's documents: what was billed, line by line, what is open, and the files."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from taktura.billing.explain import lines_with_usage
from taktura.customers.models import PortalAccess
from taktura.einvoice import BY_XML
from taktura.invoices.electronic import profile_kept, sent_pdf, sent_xml
from taktura.invoices.models import Document, DocumentState
from taktura.invoices.queries import open_by_customer
from taktura.invoices.services.mailing import file_name, xml_name
from taktura.office.contracts.consequence import papers_of
from taktura.portal.account.frame import answer
from taktura.portal.page import ADMINISTRATORS, portal_page

SHOWN = 50
DIGITS = 18  # of an id


@portal_page(ADMINISTRATORS)
@require_safe
def documents(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """All documents, the newest first."""
    rows: Any = DocumentState.objects.filter(customer=access.customer_id).order_by("-document")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) <= DIGITS:
        rows = rows.filter(document__lt=int(before))
    found = list(rows[: SHOWN + 1])
    more = found[SHOWN - 1].pk if len(found) > SHOWN else None
    return answer(
        request, access, "portal_documents", "portal/documents.html", rows=found[:SHOWN], more=more,
        opened=open_by_customer([access.customer_id]).get(access.customer_id, {}), title=_("Documents"),
    )  # fmt: skip


@portal_page(ADMINISTRATORS)
@require_safe
def pdf(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """A document as it was printed."""
    related = ("customer__billing_information", "contract", "seller", "state")
    rows = Document.objects.select_related(*related).filter(customer=access.customer_id)
    found = get_object_or_404(rows, pk=pk)
    head = {"Content-Disposition": f'attachment; filename="{file_name(found)}"'}
    return HttpResponse(sent_pdf(found), content_type="application/pdf", headers=head)


@portal_page(ADMINISTRATORS)
@require_safe
def xml(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """A document's e-invoice, where it goes out as XML; else the document."""
    found = get_object_or_404(Document.objects.select_related("contract").filter(customer=access.customer_id), pk=pk)
    content = sent_xml(found)
    if content is None:
        return redirect("portal_document", access.customer_id, pk)
    head = {"Content-Disposition": f'attachment; filename="{xml_name(found)}"'}
    return HttpResponse(content, content_type="application/xml", headers=head)


@portal_page(ADMINISTRATORS)
@require_safe
def document(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """What a document consists of; each line that was made from usage leads to its records."""
    found = get_object_or_404(Document.objects.filter(customer=access.customer_id), pk=pk)
    return answer(
        request, access, "portal_documents", "portal/document.html", document=found, title=found.number,
        papers=papers_of([pk]), by_xml=profile_kept(found) in BY_XML,
        with_usage=[str(n) for n in lines_with_usage(found)],
    )  # fmt: skip
