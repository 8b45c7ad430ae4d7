"""Documents: reading, proof, PDF, credits and payments."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint
from taktura.api.fields import Amount, Day, Flag, Id, In, Key, Lines, Number, Out, Text100, Text200, Told
from taktura.api.paging import LIMIT, After, Limit, cursor, narrowed, page_of, places_in
from taktura.api.v1.document_bodies import (
    DocumentOut,
    DocumentSummary,
    DraftOut,
    document_out,
    documents_out,
    drafts_out,
    summary_of,
)
from taktura.billing.explain import Explanation, explain, plainly
from taktura.billing.services import credit, preview_credit
from taktura.billing.services.credits import left_to_credit
from taktura.core.errors import Refused
from taktura.invoices.electronic import profile_kept, sent_pdf, xml_file
from taktura.invoices.models import Document, Payment
from taktura.invoices.queries import by_id, exact, mails_of
from taktura.invoices.services import check_payment, mail_document, pay
from taktura.invoices.services.mailing import about, letter_of
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mail.services import send_again
from taktura.usage.store import rows_behind, totals_behind

router = Router()
Kind = Literal["invoice", "credit_note"]
PaymentStatus = Literal["open", "partly_paid", "paid", "credited"]
Profile = Literal["zugferd", "xrechnung", "xrechnung_cii", "peppol"]
Order = Literal["oldest_first", "newest_first"]


class Documents(Out):
    """A page of documents."""

    items: list[DocumentSummary]
    next: str | None


class PaymentOut(Out):
    """Money received, below 0: paid back."""

    id: int
    amount: Told
    on: date


class DocumentDetail(DocumentOut):
    """A document and what corrects it."""

    corrected_by: list[str] = Field(description="numbers of the documents that correct it")


class Payments(Out):
    """The payments of an invoice, and what is open."""

    items: list[PaymentOut]
    open: Told
    status: str
    currency: str


class PaymentIn(In):
    """Money received, in the document's currency; below 0: paid back."""

    amount: Number
    on: Day | None = Field(None, description="null: today")


class CreditLine(In):
    """A part of a line: `net` (gross where the document's prices are) or `quantity`; with neither what is left."""

    line: Annotated[int, Field(strict=True, ge=1, le=100_000, description="its place, from 1")]
    net: Amount | None = None
    quantity: Amount | None = None


class CreditIn(In):
    """What is to be credited: what is left of the document, or of single lines."""

    lines: list[CreditLine] | None = Field(None, min_length=1, max_length=5000)
    reason: Text200 = ""
    rebill: Flag = Field(False, description="bill it again with the next bill; whole lines only")


class Credited(Out):
    """The documents that were issued; with `?preview=true` those that would be."""

    documents: list[DocumentOut]
    preview: list[DraftOut] | None


class MailIn(In):
    """A mail with the document; what is left out is as in the letter that is kept for it."""

    to: Text200 | None = None
    subject: Text200 | None = None
    text: Lines | None = None


class MailOut(Out):
    """A mail with the document: `waiting`, `sending`, `sent`, `failed`, or `unknown` where it cannot be known."""

    id: int
    to: str
    subject: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime
    sent_at: datetime | None


class Mails(Out):
    """The mails with a document, the newest first."""

    items: list[MailOut]


class LetterOut(Out):
    """The mail that brings a document, if nobody changes it; `to` is empty where no address is known."""

    to: str
    subject: str
    text: str
    file_name: str


class LineLeft(Out):
    """What is left to credit of a line; net, gross where the document's prices are."""

    line: int
    left: Told


class LeftToCredit(Out):
    """What is left to credit of each line of an invoice."""

    items: list[LineLeft]
    currency: str


class Step(Out):
    """A step of the calculation: what, and how much."""

    what: str
    much: str


class RecordBehind(Out):
    """A usage record from which the line was made, as it was then; `seconds` are raw."""

    source: str
    id: str
    revision: int
    at: datetime
    from_: Day = Field(validation_alias="from", serialization_alias="from")
    until: date
    quantity: Told | None
    seconds: int | None
    cost_amount: Told | None
    amount: Told | None
    discount: str = Field(description="taken off in its amounts: a percentage as in 10%, or money; empty: none")
    currency: str
    rate_day: date | None = Field(description="of the rate by which its amounts are converted; null: they are not")
    rate_over: Told | None = Field(description="amounts × `rate_over` ÷ `rate_under` are in the contract's currency")
    rate_under: Told | None
    file: str | None
    row: int | None


class ExplanationOut(Out):
    """Why a line has its amount: the rule with its numbers, step by step, and a page of the usage behind it."""

    document: str
    line: int
    title: str
    net: Told
    currency: str
    from_: Day | None = Field(validation_alias="from", serialization_alias="from")
    until: date | None
    credited_document: str
    steps: list[Step] = Field(description="in the language that the request asks for")
    record_count: int = Field(description="how many usage records are behind it")
    records: list[RecordBehind]
    next: str | None
    proof: dict[str, Any] = Field(description="all that the amount was made from; exact numbers as texts")


def one(call: Call, document: int) -> DocumentDetail:
    """A document and how it stands; raises `Refused` (`not_found`)."""
    found = by_id(call.seller.pk, document)
    corrections = found.corrected_by.order_by("document_id").values_list("document__number", flat=True)
    return DocumentDetail(**dict(document_out(found)), corrected_by=list(corrections))


def payments(call: Call, document: int) -> Payments:
    """The payments of a document."""
    found = by_id(call.seller.pk, document)
    return Payments(
        items=[
            PaymentOut(id=p.pk, amount=exact(p.amount, found.digits), on=p.paid_on)
            for p in Payment.objects.filter(document=found).order_by("id")
        ],
        open=exact(found.state.open, found.digits), status=found.state.payment, currency=found.currency,
    )  # fmt: skip


@endpoint(router, "GET", "/documents", "documents.view", answer=Documents)
def list_documents(
    request: HttpRequest,
    number: Text100 | None = None,
    kind: Kind | None = None,
    status: PaymentStatus | None = None,
    customer: Key | None = None,
    contract: Key | None = None,
    issued_from: Day | None = None,
    issued_until: Day | None = None,
    order: Order = "oldest_first",
    limit: Limit = LIMIT,
    after: After = "",
) -> Documents:
    """Documents in the order of issue.

    `contract`: those with lines of it alone. `issued_until` is exclusive.
    """
    found = Document.objects.filter(seller=call_of(request).seller).select_related("customer", "contract", "state")
    wanted = {
        "number": number, "kind": kind, "state__payment": status, "customer__key": customer, "contract__key": contract,
        "issued_on__gte": issued_from, "issued_on__lt": issued_until,
    }  # fmt: skip
    found = narrowed(found, wanted)
    items, following = page_of(found, limit, after, newest_first=order == "newest_first")
    return Documents(items=[summary_of(d) for d in items], next=following)


@endpoint(router, "GET", "/documents/{int:document}", "documents.view", answer=DocumentDetail, etag=True)
def get_document(request: HttpRequest, document: Id) -> DocumentDetail:
    """A document with all that it shows, and how it stands."""
    return one(call_of(request), document)


@endpoint(
    router, "GET", "/documents/{int:document}/pdf", "documents.view", answer=None, media="application/pdf",
    codes=("billing_information_missing",),
)  # fmt: skip
def get_pdf(request: HttpRequest, document: Id, profile: Literal["zugferd"] | None = None) -> HttpResponse:
    """A document as PDF/A-3 in its recipient's language; the same bytes each time.

    Where its profile is `zugferd`, or `profile` says so, the XML of the e-invoice stands within it.
    """
    found = by_id(call_of(request).seller.pk, document)
    return _file(found, sent_pdf(found, profile or ""), "application/pdf", "pdf")


@endpoint(
    router, "GET", "/documents/{int:document}/einvoice", "documents.view", answer=None, media="application/xml",
    codes=("billing_information_missing",),
)  # fmt: skip
def get_einvoice(request: HttpRequest, document: Id, profile: Profile | None = None) -> HttpResponse:
    """A document as EN 16931 XML: UBL for `xrechnung` and `peppol`, CII for `xrechnung_cii` and `zugferd`; the same
    bytes each time. `profile`: null: that in which it goes to its recipient, else `zugferd`.

    What the profile asks for and the document does not say is named (`billing_information_missing`).
    """
    found = by_id(call_of(request).seller.pk, document)
    return _file(found, xml_file(found, profile or profile_kept(found) or "zugferd"), "application/xml", "xml")


def _file(document: Document, content: bytes, media: str, ending: str) -> HttpResponse:
    """A file of a document, to be kept under its number."""
    answer = HttpResponse(content, content_type=media)
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in document.number)
    name = name.encode("ascii", "replace").decode()
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@endpoint(router, "GET", "/documents/{int:document}/lines/{int:line}/explain", "documents.view", answer=ExplanationOut)
def explain_line(
    request: HttpRequest, document: Id, line: Id, limit: Limit = LIMIT, after: After = ""
) -> ExplanationOut:
    """Why a line of a document has its amount, down to the rows of usage; `limit` and `after` are of these."""
    call = call_of(request)
    found = explain(by_id(call.seller.pk, document), line)
    records, following = _behind(found, limit, after)
    return ExplanationOut(
        document=found.document, line=found.position, title=found.title, net=found.amount, currency=found.currency,
        from_=found.first, until=found.end, credited_document=found.credited_document,
        steps=[Step(what=what, much=much) for what, much in found.texts(call.language, plainly)],
        record_count=totals_behind(found.behind)[0] if found.behind else 0, records=records, next=following,
        proof=found.proof,
    )  # fmt: skip


def _behind(found: Explanation, limit: int, after: str) -> tuple[list[RecordBehind], str | None]:
    """A page of the usage behind a line."""
    place = None
    if after:
        day, revised = places_in(after, 2)
        place = (date.fromordinal(min(max(day, 1), date.max.toordinal())), revised)
    if found.behind is None:
        return [], None
    rows = rows_behind(found.behind, place, limit + 1)
    more = len(rows) > limit
    shown = [RecordBehind.model_validate(row | {"from": row["day"], "until": row["end_day"]}) for row in rows[:limit]]
    last = rows[limit - 1] if more else None
    return shown, cursor(last["day"].toordinal(), last["revised"]) if last else None


@endpoint(
    router, "POST", "/documents/{int:document}/credit", "documents.credit", answer=Credited, of=one,
    codes=("already_credited", "credit_too_high", "billing_information_missing", "numbering_unconfirmed", "conflict"),
)  # fmt: skip
def credit_document(request: HttpRequest, document: Id, body: CreditIn, preview: bool = False) -> Credited:
    """Credit an invoice: what is left of it, or a part of its lines (R14.4)."""
    call = call_of(request)
    found = by_id(call.seller.pk, document)
    wanted: dict[str, Any] = {
        "lines": [part.model_dump(exclude_none=True) for part in body.lines] if body.lines is not None else None,
        "reason": body.reason, "rebill": body.rebill,
    }  # fmt: skip
    if preview:
        return Credited(documents=[], preview=drafts_out(preview_credit(document=found, **wanted)))
    issued = credit(call.actor, document=found, **wanted)
    return Credited(documents=documents_out(d.id for d in issued), preview=None)


@endpoint(router, "GET", "/documents/{int:document}/payments", "documents.view", answer=Payments, etag=True)
def list_payments(request: HttpRequest, document: Id) -> Payments:
    """The payments of an invoice, and what is open."""
    return payments(call_of(request), document)


@endpoint(
    router, "POST", "/documents/{int:document}/pay", "payments.change", answer=Payments, of=payments
)  # fmt: skip
def pay_document(request: HttpRequest, document: Id, body: PaymentIn, preview: bool = False) -> Payments | Answer:
    """Enter money received for an invoice. A preview shows what would be open."""
    call = call_of(request)
    found = by_id(call.seller.pk, document)
    on = body.on or call.today
    if preview:
        paid, rest, state = check_payment(found, body.amount, on=on, today=call.today)
        shown = payments(call, document)
        new = PaymentOut(id=0, amount=paid.exact, on=on)
        return shown.model_copy(update={"items": [*shown.items, new], "open": rest.exact, "status": state})
    pay(call.actor, document=found, amount=body.amount, on=on)
    return payments(call, document)


@endpoint(router, "GET", "/documents/{int:document}/mails", "documents.view", answer=Mails)
def list_mails(request: HttpRequest, document: Id) -> Mails:
    """The mails with a document, the newest first; at most 100."""
    found = by_id(call_of(request).seller.pk, document)
    rows = OutgoingMail.objects.filter(about=about(found.pk)).order_by("-id")[:100]
    return Mails(items=[_mail(m) for m in rows])


@endpoint(
    router, "POST", "/documents/{int:document}/mail", "documents.send", answer=MailOut, status=201,
    codes=("billing_information_missing", "conflict"),
)  # fmt: skip
def send_document(request: HttpRequest, document: Id, body: MailIn) -> MailOut:
    """Send a document by mail, with its PDF. The mail goes to the outbox and is sent by the worker."""
    call = call_of(request)
    fields = {name: value or "" for name, value in body.model_dump().items()}
    return _mail(mail_document(call.actor, document=by_id(call.seller.pk, document), **fields))


@endpoint(router, "POST", "/documents/{int:document}/mails/{int:mail}/send_again", "documents.send", answer=MailOut)
def send_document_again(request: HttpRequest, document: Id, mail: Id) -> MailOut:
    """Try a mail with the document again that failed, was caught, or may have got lost."""
    call = call_of(request)
    rows = mails_of(by_id(call.seller.pk, document).pk)
    found = rows.filter(pk=mail).first()
    if found is None:
        raise Refused("not_found", "There is no mail %(id)s.", id=mail)
    send_again(call.actor.now, mail=found)
    return _mail(rows.get(pk=mail))


@endpoint(router, "GET", "/documents/{int:document}/letter", "documents.view", answer=LetterOut)
def get_letter(request: HttpRequest, document: Id) -> LetterOut:
    """The mail that would bring the document, in its recipient's language."""
    return LetterOut(**asdict(letter_of(by_id(call_of(request).seller.pk, document))))


@endpoint(router, "GET", "/documents/{int:document}/left_to_credit", "documents.view", answer=LeftToCredit)
def get_left_to_credit(request: HttpRequest, document: Id) -> LeftToCredit:
    """What is left to credit of each line of an invoice."""
    found = by_id(call_of(request).seller.pk, document)
    rows = sorted(left_to_credit(found).items())
    items = [LineLeft(line=line, left=exact(left, found.digits)) for line, left in rows]
    return LeftToCredit(items=items, currency=found.currency)


def _mail(mail: OutgoingMail) -> MailOut:
    return MailOut(
        id=mail.pk, to=mail.recipient, subject=mail.subject, state=mail.state, attempts=mail.attempts,
        last_error=mail.last_error, created_at=mail.created_at, sent_at=mail.sent_at,
    )  # fmt: skip
