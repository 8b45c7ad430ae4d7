"""Confirmations of a notice, and of its withdrawal: a letter in the customer's language, as PDF and by mail.

A confirmation is of one entry of the log: what was received on which day, to which end it leads, and the documents that
the notice made. So it says the same whenever it is printed; addresses are those of today.
"""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from taktura.audit.models import LogEntry
from taktura.audit.services import record
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.facts import LineTerms
from taktura.core.periods import DAY
from taktura.customers.models import BillingInformation
from taktura.invoices.models import Document
from taktura.invoices.printing import address_of, seller_of
from taktura.invoices.queries import exact
from taktura.invoices.rendering import LetterView, Party, render_letter
from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.services.issue import SELLER
from taktura.kit.actor import Actor
from taktura.kit.language import translate
from taktura.kit.mail.models import OutgoingMail
from taktura.kit.mail.services import post

ACTIONS = ("give_notice", "withdraw_notice")
PDF = "application/pdf"
PORTAL = "portal:"  # how actors of the customer portal begin
TEXTS = {
    "greeting": "Good day,",
    "subject": "Confirmation of your notice, contract %(contract)s",
    "subject_withdrawn": "Confirmation: notice withdrawn, contract %(contract)s",
    "received": "we have received your notice of contract %(contract)s on %(received)s.",
    "received_line": "we have received your notice of “%(line)s” in contract %(contract)s on %(received)s.",
    "last": "The last day is %(last)s.",
    "billed": "It is billed up to and including that day.",
    "credited": "What was billed beyond that day is credited: %(documents)s.",
    "usage": "Usage up to the last day stands on the bill after it.",
    "until": "If you change your mind, tell us by %(last)s. Then everything runs on as before.",
    "withdrawn": "your notice of contract %(contract)s is withdrawn as of %(day)s.",
    "withdrawn_line": "your notice of “%(line)s” in contract %(contract)s is withdrawn as of %(day)s.",
    "runs_on": "It would have ended with %(last)s; now it runs on as before.",
    "billed_again": "Days that were credited because of the notice are billed again with the next bill.",
    "regards": "Kind regards",
    "day_received": "Received on",
    "last_day": "Last day",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A confirmation as it would be printed and sent; `to` is empty where no address is known."""

    to: str
    subject: str
    text: str
    file_name: str
    view: LetterView


def entry_of_notice(contract: Contract, at: datetime) -> LogEntry | None:
    """What the log says of a notice, or of its withdrawal, that was written at an instant."""
    rows = LogEntry.objects.filter(subject=f"contract:{contract.pk}", at=at, action__in=ACTIONS)
    return rows.order_by("-id").first()


def confirmation_of(contract: Contract, entry: LogEntry) -> Confirmation:
    """The confirmation of a notice or its withdrawal (an entry of `ACTIONS`), in the customer's language."""
    customer, seller = contract.customer, contract.customer.seller
    language = customer.language
    formats = formats_of(language, contract.currency)
    info: BillingInformation | None = getattr(customer, "billing_information", None)
    withdrawn = entry.action == "withdraw_notice"
    subject = translate(
        TEXTS["subject_withdrawn" if withdrawn else "subject"], {"contract": contract.key}, language
    )  # fmt: skip
    said = _withdrawn(contract, entry, formats) if withdrawn else _given(contract, entry, formats)
    closing = translate(TEXTS["regards"], {}, language) + "\n" + seller.name
    paragraphs = [translate(TEXTS["greeting"], {}, language), *said, closing]
    place = {f: getattr(info, f) for f in ("street", "postcode", "city")} if info else {}
    view = LetterView(
        language=language,
        currency=contract.currency,
        seller=seller_of({f: getattr(seller, f) for f in SELLER}),
        buyer=Party(
            name=(info.name if info else "") or customer.name,
            lines=address_of(place) if info else (),
            country=info.country if info else "",
        ),
        written_on=entry.at.astimezone(_zone(contract)).date(),
        customer_number=customer.key,
        contract_number=contract.key,
        heading=subject,
        facts=_facts(contract, entry, formats),
        paragraphs=tuple(paragraphs),
    )
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in f"{contract.key}-{entry.pk}")
    return Confirmation(
        to=info.email if info else "", subject=subject, text="\n\n".join(paragraphs), file_name=f"{name}.pdf", view=view
    )


def confirmation_pdf(confirmation: Confirmation) -> bytes:
    """The letter as PDF/A-3b."""
    return render_letter(confirmation.view)


@transaction.atomic
def mail_confirmation(actor: Actor, *, contract: Contract, entry: LogEntry, to: str = "") -> OutgoingMail:
    """Put a confirmation into the outbox, with the letter as PDF. `to`: another address than that of the billing
    information.

    Raises `Refused` (`billing_information_missing`: no address is known; `invalid`: the address).
    """
    letter = confirmation_of(contract, entry)
    address = to or letter.to
    if not address:
        raise Refused(
            "billing_information_missing",
            "%(name)s has no e-mail address: enter it in the billing information.",
            name=contract.customer.name,
        )
    mail = post(
        actor.now, to=address, subject=letter.subject, text=letter.text, sender=f"seller:{contract.customer.seller_id}",
        kind="notice", about=f"contract:{contract.pk}", language=contract.customer.language,
        attachments=[(letter.file_name, PDF, confirmation_pdf(letter))],
    )  # fmt: skip
    data = {"to": mail.recipient, "mail": mail.pk, "entry": entry.pk}
    record(actor, "send_confirmation", f"contract:{contract.pk}", data)
    return mail


def _zone(contract: Contract) -> ZoneInfo:
    return ZoneInfo(contract.customer.seller.time_zone)


def _given(contract: Contract, entry: LogEntry, formats: Formats) -> list[str]:
    """What a confirmation of a notice says."""
    line = _line(contract, entry)
    named = {
        "contract": contract.key,
        "line": _title(line, formats.language) if line else "",
        "received": _received(contract, entry, formats),
        "last": formats.day(date.fromisoformat(entry.data["ends"]) - DAY),
        "documents": ", ".join(_credited(entry, formats)),
    }
    parts = ["received_line" if line else "received", "last", "billed"]
    if named["documents"]:
        parts.append("credited")
    if line.charge == "usage" if line else any(x.terms[-1][1].charge == "usage" for x in load_one(contract).lines):
        parts.append("usage")
    return [translate(TEXTS[part], named, formats.language) for part in [*parts, "until"]]


def _withdrawn(contract: Contract, entry: LogEntry, formats: Formats) -> list[str]:
    """What a confirmation of a withdrawal says."""
    line, ended = _line(contract, entry), entry.data.get("ended")
    named = {
        "contract": contract.key,
        "line": _title(line, formats.language) if line else "",
        "day": formats.day(entry.at.astimezone(_zone(contract)).date()),
        "last": formats.day(date.fromisoformat(ended) - DAY) if ended else "",
    }
    parts = ["withdrawn_line" if line else "withdrawn", *(["runs_on"] if ended else []), "billed_again"]
    return [translate(TEXTS[part], named, formats.language) for part in parts]


def _received(contract: Contract, entry: LogEntry, formats: Formats) -> str:
    """When a notice was received: the day; with the hour where its customer gave it in the portal (BGB § 312k)."""
    day = formats.day(date.fromisoformat(entry.data["received"]))
    if not entry.actor.startswith(PORTAL):
        return day
    return f"{day}, {entry.at.astimezone(_zone(contract)):%H:%M %Z}"


def _facts(contract: Contract, entry: LogEntry, formats: Formats) -> tuple[tuple[str, str], ...]:
    """The days that stand in the letter's head."""
    if entry.action == "withdraw_notice":
        return ()
    last = formats.day(date.fromisoformat(entry.data["ends"]) - DAY)
    said = {"day_received": _received(contract, entry, formats), "last_day": last}
    return tuple((translate(TEXTS[label], {}, formats.language), text) for label, text in said.items())


def _line(contract: Contract, entry: LogEntry) -> LineTerms | None:
    """The terms of the line that a notice is of; None: of the contract."""
    pk = entry.data.get("line")
    return next((x.terms[-1][1] for x in load_one(contract).lines if x.id == pk), None) if pk else None


def _title(terms: LineTerms, language: str) -> str:
    return dict(terms.titles).get(language) or terms.title


def _credited(entry: LogEntry, formats: Formats) -> list[str]:
    """The credit notes that the notice made, each with its amount."""
    rows = LogEntry.objects.filter(subject=entry.subject, at=entry.at, actor=entry.actor, action="bill_notice")
    wanted = [pk for row in rows for pk in row.data.get("documents", ())]
    found = Document.objects.filter(pk__in=wanted, kind="credit_note").order_by("id")
    return [f"{d.number} ({formats.money(exact(d.gross, d.digits))})" for d in found]
