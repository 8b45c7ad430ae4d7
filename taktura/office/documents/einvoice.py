"""A document as e-invoice: in which profile it goes to its recipient, and its files in all of them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from taktura.core.errors import Refused
from taktura.einvoice import PROFILES, ZUGFERD
from taktura.invoices.electronic import lacking, profile_kept, sent_pdf, xml_file
from taktura.invoices.models import Document
from taktura.invoices.services.mailing import file_name, xml_name
from taktura.office import show
from taktura.office.page import page, seller_of


def offered(document: Document) -> dict[str, Any]:
    """What the page of a document says of its e-invoice: the profile in which it is sent, what that lacks, and the
    files that there can be."""
    sent, lacks = profile_kept(document), lacking(document)
    return {
        "einvoice_sent": sent,
        "einvoice_lacks": [show.field(name) for name in lacks.get(sent, ())],
        "einvoices": [profile for profile in PROFILES if not lacks[profile]],
        "einvoices_not": [
            (profile, ", ".join(show.field(name) for name in lacks[profile])) for profile in PROFILES if lacks[profile]
        ],
    }


@page("documents.view")
def document_einvoice(request: HttpRequest, pk: int, profile: str) -> HttpResponse:
    """The file in a profile: the PDF with the data in it for `zugferd`, else the XML."""
    if profile not in PROFILES:
        raise Http404
    found = get_object_or_404(Document.objects.select_related("customer", "contract"), pk=pk, seller=seller_of(request))
    try:
        if profile == ZUGFERD:
            content, media, name = sent_pdf(found, ZUGFERD), "application/pdf", file_name(found)
        else:
            content, media, name = xml_file(found, profile), "application/xml", xml_name(found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("document", pk)
    return HttpResponse(content, content_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})
