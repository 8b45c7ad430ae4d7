"""Sending documents by mail, with the PDF, in the document's language."""

from dataclasses import dataclass

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import BillingInformation
from taktura.invoices.models import Document, DocumentState
from taktura.invoices.printing import pdf_of
from taktura.invoices.queries import exact
from taktura.invoices.rendering.formats import formats_of
from taktura.kit.actor import Actor
from taktura.kit.language import translate
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mail.services import post

SUBJECTS = {"invoice": "Invoice %(number)s", "credit_note": "Credit note %(number)s"}
TEXTS = {
    "invoice": "Good day,\n\nyou find our invoice %(number)s of %(date)s over %(amount)s attached.\n\n"
    "Please pay it by %(due)s.\n\nKind regards\n%(seller)s",
    "paid": "Good day,\n\nyou find our invoice %(number)s of %(date)s over %(amount)s attached.\n\n"
    "Kind regards\n%(seller)s",
    "credit_note": "Good day,\n\nyou find our credit note %(number)s of %(date)s over %(amount)s attached.\n\n"
    "Kind regards\n%(seller)s",
}
PDF = "application/pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as it would be sent."""

    to: str
    subject: str
    text: str
    file_name: str


def letter_of(document: Document) -> Letter:
    """What a document's mail says if nobody changes it; `to` is empty where no address is known."""
    formats = formats_of(document.language, document.currency)
    values: dict[str, object] = {
        "number": document.number,
        "date": formats.day(document.issued_on),
        "amount": formats.money(exact(document.gross, document.digits)),
        "due": formats.day(document.due_on) if document.due_on else "",
        "seller": document.seller_data["name"],
    }
    payable = document.due_on is not None and document.gross > 0
    kind = document.kind if document.kind != "invoice" or payable else "paid"
    info: BillingInformation | None = getattr(document.customer, "billing_information", None)
    return Letter(
        to=info.email if info else "",
        subject=translate(SUBJECTS[document.kind], {"number": document.number}, document.language),
        text=translate(TEXTS[kind], values, document.language),
        file_name=file_name(document),
    )


@transaction.atomic
def mail_document(actor: Actor, *, document: Document, to: str = "", subject: str = "", text: str = "") -> OutgoingMail:
    """Put a document's mail into the outbox, with the PDF; what is left empty is as in `letter_of`.

    Raises `Refused` (`billing_information_missing`: no address is known; `invalid`: the address or the subject).
    """
    letter = letter_of(document)
    address = to or letter.to
    if not address:
        raise Refused(
            "billing_information_missing",
            "%(name)s has no e-mail address: enter it in the billing information.",
            name=document.customer.name,
        )
    content = pdf_of(document)
    mail = post(
        actor.now, to=address, subject=subject or letter.subject, text=text or letter.text,
        sender=f"seller:{document.seller_id}", kind="document", about=about(document.pk), language=document.language,
        attachments=[(letter.file_name, PDF, content)],
    )  # fmt: skip
    DocumentState.objects.filter(pk=document.pk).update(mailed_at=actor.now)
    record(actor, "send_document", f"document:{document.pk}", {"to": mail.recipient, "mail": mail.pk})
    return mail


def about(document_id: int) -> str:
    """How a document's mails name it."""
    return f"document:{document_id}"


def file_name(document: Document) -> str:
    """The name of a document's PDF: its number, without signs that a file cannot have."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in document.number) + ".pdf"
