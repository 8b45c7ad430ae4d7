"""Notices that are sent without sign-in, by the page that German law asks for (BGB § 312k): received, confirmed at
once, and given where the contract is known beyond doubt. Nothing else ends by them: a person looks."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.services.changes import give_notice
from taktura.contracts.models import Contract, ContractLine, NoticeRequest
from taktura.contracts.services import notice_end
from taktura.core.errors import Refused
from taktura.customers.access import administrators_of
from taktura.customers.models import Customer, Seller
from taktura.invoices.confirmations import entry_of_notice, mail_confirmation
from taktura.kit.actor import Actor
from taktura.kit.fold import fold
from taktura.kit.language import translate
from taktura.kit.mail.services import one_line, post

KINDS = {"ordinary": "Ordinary notice", "extraordinary": "Extraordinary notice, for an important reason"}
MOST_REASON = 2000  # characters
MOST_NUMBER = 100
NOTICE = "notice"  # kind of mail
RECEIVED = (
    "We have received your notice of %(at)s",
    "Good day,\n\nwe received your notice on %(at)s. This is what you sent us:\n\nName: %(name)s\nContract: "
    "%(number)s\nKind: %(kind)s\nReason: %(reason)s\nWished last day: %(wish)s\nE-mail: %(email)s\n\n%(outcome)s\n\n"
    "%(company)s",
)
OUTCOMES = {
    "given": "The contract %(contract)s ends; its last day is %(day)s.",
    "open": "We look at your notice and write to you with which day the contract ends.",
}
NONE = "–"


@act
def receive_notice(
    actor: Actor,
    *,
    seller: Seller,
    name: str,
    number: str,
    email: str,
    kind: str,
    language: str,
    reason: str = "",
    wish: date | None = None,
) -> NoticeRequest:
    """Keep a notice as it was sent, and confirm it by mail with what it says and when it came.

    An ordinary one is given at once where number, name and e-mail are all those of one contract that runs; else it is
    `open` for somebody to look at. Raises `Refused` (`invalid`): a field is missing or wrong.
    """
    _check(name, number, email, kind, reason)
    contract = _matched(seller, name, number, email) if kind == "ordinary" else None
    kept = NoticeRequest.objects.create(
        seller=seller, name=name.strip(), number=number.strip(), email=email.strip(), kind=kind, reason=reason.strip(),
        wish=wish, language=language, received_at=actor.now,
    )  # fmt: skip
    if contract is not None and _given(actor, contract, wish):
        kept.contract, kept.state = contract, "given"
        kept.save(update_fields=["contract", "state"])
    record(actor, "receive_notice", f"notice_request:{kept.pk}", {"number": kept.number, "state": kept.state})
    _confirm(actor, kept)
    return kept


@act
def give_notice_by_customer(
    actor: Actor,
    *,
    contract: Contract,
    email: str,
    language: str,
    wish: date | None = None,
    line: ContractLine | None = None,
) -> date | None:
    """Give notice of a contract, or of one of its lines, today, as its customer does in the portal, and mail the letter
    that confirms it to whoever gave it; gives the end.

    None: it cannot be given at once (what was paid beyond the end could not be credited), so it was received and is
    `open` for somebody to look at: no notice is lost. Raises `Refused` (`contract_ended`, `conflict`: given already).
    """
    contract = Contract.objects.select_related("customer__seller", "customer__billing_information").get(pk=contract.pk)
    if line is not None:
        line = ContractLine.objects.select_related("article").get(pk=line.pk, contract=contract)
        line.contract = contract
    seller, received = contract.customer.seller, actor.today(contract.customer.seller.time_zone)
    if (contract if line is None else line).notice_received is not None:
        raise Refused("conflict", "Notice of this contract has been given already.")
    notice_end(contract, received, wish, line)
    if not _given(actor, contract, wish, line):
        number = contract.key if line is None else f"{contract.key}: {line.article.title or line.article.key}"
        receive_notice(
            actor, seller=seller, name=contract.customer.name, number=number[:MOST_NUMBER], email=email,
            kind="ordinary", language=language, wish=wish,
        )  # fmt: skip
        return None
    entry = entry_of_notice(contract, actor.now)
    assert entry is not None
    mail_confirmation(actor, contract=contract, entry=entry, to=email)
    return contract.end if line is None else line.end


def open_notices(seller: Seller) -> QuerySet[NoticeRequest]:
    """The notices of a seller that somebody must look at, the oldest first."""
    return NoticeRequest.objects.filter(seller=seller, state="open").order_by("id")


@transaction.atomic
def close_notice(actor: Actor, *, request: NoticeRequest) -> None:
    """Say that somebody has dealt with a notice. Raises `Refused` (`conflict`) where that is so already."""
    found = NoticeRequest.objects.filter(pk=request.pk, state="open")
    if not found.update(state="closed", closed_by=actor.name, closed_at=actor.now):
        raise Refused("conflict", "Somebody has dealt with this notice already.")
    record(actor, "close_notice", f"notice_request:{request.pk}", {"number": request.number})


def _check(name: str, number: str, email: str, kind: str, reason: str) -> None:
    try:
        validate_email(email.strip())
    except ValidationError as error:
        raise Refused("invalid", "“%(email)s” is no e-mail address.", email=email, field="email") from error
    if not name.strip() or not one_line(name) or len(name) > 200:
        raise Refused("invalid", "Write the name of whoever has the contract.", field="name")
    if not number.strip() or not one_line(number) or len(number) > MOST_NUMBER:
        raise Refused("invalid", "Write which contract is meant: its number, or what it is for.", field="number")
    if kind not in KINDS:
        raise Refused("invalid", "“%(value)s” is not one of %(known)s.", value=kind, known=", ".join(KINDS),
                      field="kind")  # fmt: skip
    if len(reason) > MOST_REASON:
        raise Refused("invalid", "A reason has at most %(most)s characters.", most=MOST_REASON, field="reason")
    if kind == "extraordinary" and not reason.strip():
        raise Refused("invalid", "An extraordinary notice needs its reason.", field="reason")


def _matched(seller: Seller, name: str, number: str, email: str) -> Contract | None:
    """The contract that is meant beyond doubt: its number, its customer's name, and an address that is known of the
    customer. None where one of them is another's, or the contract has ended or an end already."""
    rows = Contract.objects.filter(seller=seller, key=number.strip(), end=None)
    found = rows.select_related("customer__seller", "customer__billing_information").first()
    if found is None:
        return None
    customer, wanted = found.customer, email.strip().casefold()
    info = getattr(customer, "billing_information", None)
    names = {fold(customer.name), fold(info.name) if info else ""}
    if fold(" ".join(name.split())) not in names - {""} or wanted not in _addresses(customer):
        return None
    return found


def _addresses(customer: Customer) -> set[str]:
    info = getattr(customer, "billing_information", None)
    people = administrators_of(customer).values_list("user__email", flat=True)
    return {address.casefold() for address in (*people, info.email if info else "") if address}


def _given(actor: Actor, contract: Contract, wish: date | None, line: ContractLine | None = None) -> bool:
    """Whether notice of a contract, or of a line, could be given."""
    received = actor.today(contract.customer.seller.time_zone)
    try:
        with transaction.atomic():
            give_notice(actor, contract=contract, received=received, wish=wish, line=line)
    except Refused:
        return False
    return True


def _confirm(actor: Actor, kept: NoticeRequest) -> None:
    language, seller = kept.language, kept.seller
    outcome = translate(OUTCOMES["open"], {}, language)
    if kept.contract is not None:
        named = {"contract": kept.contract.key, "day": _last_day(kept.contract.end, language)}
        outcome = translate(OUTCOMES["given"], named, language)
    values = {
        "at": _moment(kept.received_at, seller, language), "name": kept.name, "number": kept.number,
        "kind": translate(KINDS[kept.kind], {}, language), "reason": kept.reason or NONE, "email": kept.email,
        "wish": _day(kept.wish, language) if kept.wish else NONE, "outcome": outcome, "company": seller.name,
    }  # fmt: skip
    subject, text = RECEIVED
    post(
        actor.now, to=kept.email, subject=translate(subject, values, language), text=translate(text, values, language),
        sender=f"seller:{seller.pk}", kind=NOTICE, language=language, about=f"notice_request:{kept.pk}",
    )  # fmt: skip


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else language


def _moment(at: datetime, seller: Seller, language: str) -> str:
    return format_datetime(at.astimezone(ZoneInfo(seller.time_zone)), "long", locale=_locale(language))


def _day(day: date, language: str) -> str:
    return format_date(day, "long", locale=_locale(language))


def _last_day(end: date | None, language: str) -> str:
    return _day(date.fromordinal(end.toordinal() - 1), language) if end else NONE
