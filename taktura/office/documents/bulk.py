"""What is done with many documents at once: their PDFs in one file, their mails."""

import io
import zipfile
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from taktura.core.errors import Refused
from taktura.invoices.electronic import sent_pdf, sent_xml
from taktura.invoices.models import Document
from taktura.invoices.printing import load
from taktura.invoices.services.mailing import file_name
from taktura.invoices.tasks import MOST_SENT, start_sending
from taktura.office import show
from taktura.office.documents.payments import MOST_PAID, payments_form, payments_page
from taktura.office.lists import Action, Rows
from taktura.office.page import actor_of, seller_of

MOST_IN_ZIP = 100  # a PDF takes up to a tenth of a second


def bulk_actions() -> Sequence[Action]:
    """The actions on a selection of documents."""
    return [
        Action(
            name="send",
            label=_("Send by mail"),
            permission="documents.send",
            run=_send,
            icon="send",
            confirm=_("Each document goes to the address in its customer's billing information, with the PDF. Go on?"),
        ),
        Action(name="pay", label=_("Enter payments"), permission="payments.change", run=_pay, icon="cash"),
        Action(name="zip", label=_("PDFs as one file"), permission="documents.view", run=_zip, icon="file-type-pdf"),
    ]


def _zip(request: HttpRequest, rows: Rows) -> HttpResponse:
    """The PDFs of documents in a ZIP file, with the XML of e-invoices that have some; two of one number get their kind
    before it."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_IN_ZIP + 1])
    if not ids or len(ids) > MOST_IN_ZIP:
        text = _("At most %(most)s PDFs go into one file: choose fewer documents.") % {"most": show.count(MOST_IN_ZIP)}
        messages.warning(request, text if ids else _("Nothing was chosen."))
        return redirect(request.get_full_path())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:  # a PDF is compressed already
        taken: set[str] = set()
        documents = list(Document.objects.filter(pk__in=ids).order_by("pk"))
        load(documents)
        for document in documents:
            name = file_name(document)
            name = f"{document.kind}-{name}" if name in taken else name
            taken.add(name)
            archive.writestr(name, sent_pdf(document))
            if (xml := sent_xml(document)) is not None:
                archive.writestr(name.removesuffix(".pdf") + ".xml", xml)
    head = {"Content-Disposition": 'attachment; filename="documents.zip"'}
    return HttpResponse(content.getvalue(), content_type="application/zip", headers=head)


def _pay(request: HttpRequest, rows: Rows) -> HttpResponse:
    """A form with the open amounts of the chosen invoices."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_PAID + 1])
    if len(ids) > MOST_PAID:
        text = _("At most %(most)s payments are entered at once: choose fewer documents.")
        messages.warning(request, text % {"most": show.count(MOST_PAID)})
        return redirect(request.get_full_path())
    return payments_page(request, payments_form(request, ids))


def _send(request: HttpRequest, rows: Rows) -> HttpResponse:
    """Sending in the background; its page says how far it is."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_SENT + 1])
    if not ids or len(ids) > MOST_SENT:
        text = _("At most %(most)s documents are sent at once: choose fewer.") % {"most": show.count(MOST_SENT)}
        messages.warning(request, text if ids else _("Nothing was chosen."))
        return redirect(request.get_full_path())
    try:
        work = start_sending(actor_of(request), seller=seller_of(request), documents=ids)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect(request.get_full_path())
    return redirect("work", work.pk)
