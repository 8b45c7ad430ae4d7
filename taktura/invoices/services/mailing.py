"""Sending documents by mail, with the PDF, in the document's language."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import BillingInformation, Customer
from taktura.invoices.electronic import sent_pdf, sent_xml
from taktura.invoices.models import Document, DocumentState
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
    "debit": "Good day,\n\nyou find our invoice %(number)s of %(date)s over %(amount)s attached.\n\n"
    "On %(due)s we will debit the amount from IBAN %(iban)s.\n\nKind regards\n%(seller)s",
    "paid": "Good day,\n\nyou find our invoice %(number)s of %(date)s over %(amount)s attached.\n\n"
    "Kind regards\n%(seller)s",
    "credit_note": "Good day,\n\nyou find our credit note %(number)s of %(date)s over %(amount)s attached.\n\n"
    "Kind regards\n%(seller)s",
}
PDF, XML = "application/pdf", "application/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail as it would be sent."""

    to: str
    subject: str
    text: str
    file_name: str


def letter_of(document: Document) -> Letter:
    """What a document's mail says if nobody changes it. It goes to the customer, else to the head office; `to` is empty
    where no address is known."""
    kind, iban = document.kind, document.buyer_data.get("debit_iban", "")
    if kind == "invoice" and not (document.due_on is not None and document.gross > 0):
        kind = "paid"
    elif iban:
        kind = "debit"
    return _letter(
        kind, document.language, document.currency, iban=iban, to=_address_of(document.customer),
        number=document.number, issued_on=document.issued_on, due_on=document.due_on,
        amount=exact(document.gross, document.digits), seller=document.seller_data["name"],
    )  # fmt: skip


def _address_of(customer: Customer) -> str:
    for one in (customer, customer.head_office):
        info: BillingInformation | None = getattr(one, "billing_information", None)
        if info is not None and info.email:
            return info.email
    return ""


def sample_letter(kind: str, language: str, *, seller: str, currency: str, on: date) -> Letter:
    """What the mail of a kind (one of `TEXTS`) says, with made-up values."""
    return _letter(
        kind, language, currency, iban="DE89 … 3000", to="customer@example.com", number="2026-00042", issued_on=on,
        due_on=on + timedelta(days=14), amount=Decimal("1190.00"), seller=seller,
    )  # fmt: skip


def _letter(
    kind: str, language: str, currency: str, *, to: str, number: str, issued_on: date, due_on: date | None,
    amount: Decimal, seller: str, iban: str,
) -> Letter:  # fmt: skip
    formats = formats_of(language, currency)
    values: dict[str, object] = {
        "number": number,
        "date": formats.day(issued_on),
        "amount": formats.money(amount),
        "due": formats.day(due_on) if due_on else "",
        "seller": seller,
        "iban": iban,
    }
    subject = SUBJECTS["credit_note" if kind == "credit_note" else "invoice"]
    return Letter(
        to=to,
        subject=translate(subject, {"number": number}, language),
        text=translate(TEXTS[kind], values, language),
        file_name=_file_name(number),
    )


@transaction.atomic
def mail_document(actor: Actor, *, document: Document, to: str = "", subject: str = "", text: str = "") -> OutgoingMail:
    """Put a document's mail into the outbox, with the PDF and, where that is its
    format, the XML of the e-invoice; what is left empty is as in `letter_of`.

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
    files = [(letter.file_name, PDF, sent_pdf(document))]
    if (xml := sent_xml(document)) is not None:
        files.append((xml_name(document), XML, xml))
    mail = post(
        actor.now, to=address, subject=subject or letter.subject, text=text or letter.text,
        sender=f"seller:{document.seller_id}", kind="document", about=about(document.pk), language=document.language,
        attachments=files,
    )  # fmt: skip
    DocumentState.objects.filter(pk=document.pk).update(mailed_at=actor.now)
    record(actor, "send_document", f"document:{document.pk}", {"to": mail.recipient, "mail": mail.pk})
    return mail


def about(document_id: int) -> str:
    """How a document's mails name it."""
    return f"document:{document_id}"


def file_name(document: Document) -> str:
    """The name of a document's PDF: its number, without signs that a file cannot have."""
    return _file_name(document.number)


def xml_name(document: Document) -> str:
    """The name of a document's XML file."""
    return _file_name(document.number).removesuffix(".pdf") + ".xml"


def _file_name(number: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in number) + ".pdf"
