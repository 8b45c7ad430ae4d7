"""Reads of mailboxes and of what became of their mails."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, QuerySet

from taktura.core.errors import Refused
from taktura.kit.language import translate
from taktura.kit.mailbox.models import IncomingMail, Mailbox

OUT_OF_REACH = 3  # looks that failed in a row: one alone mends itself
TROUBLE = ("refused", "waiting", "failed")  # a person must look at them


def mailboxes(owner: str) -> QuerySet[Mailbox]:
    """The mailboxes of an owner ("seller:1"), in the order in which they were made."""
    return Mailbox.objects.filter(owner=owner)


def mailbox_by_id(owner: str, pk: int) -> Mailbox:
    """A mailbox of an owner; raises `Refused` (`not_found`)."""
    found = mailboxes(owner).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no mailbox %(id)s.", id=pk)
    return found


def incoming(owner: str, *, mailbox: int | None = None, state: str = "") -> QuerySet[IncomingMail]:
    """The mails that came to an owner's mailboxes, the newest first, without their content."""
    found = IncomingMail.objects.filter(mailbox__owner=owner).select_related("mailbox").defer("content")
    if mailbox is not None:
        found = found.filter(mailbox=mailbox)
    return found.filter(state=state) if state else found


def untaken(owner: str) -> QuerySet[IncomingMail]:
    """The mails that failed: somebody has to do something about them."""
    return incoming(owner).filter(state="failed")


def waiting(owner: str) -> QuerySet[IncomingMail]:
    """The mails of which a person must say what becomes of them, the newest first."""
    return incoming(owner).filter(state="waiting")


def out_of_reach(owner: str) -> QuerySet[Mailbox]:
    """The mailboxes that could not be reached several times in a row."""
    return mailboxes(owner).filter(active=True, failures__gte=OUT_OF_REACH)


def incoming_by_id(owner: str, pk: int) -> IncomingMail:
    """A mail that came to one of an owner's mailboxes; raises `Refused` (`not_found`)."""
    found = incoming(owner).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no mail %(id)s.", id=pk)
    return found


def counts_of(mailboxes: Iterable[int]) -> dict[int, dict[str, int]]:
    """How many mails of each state came to mailboxes."""
    found: dict[int, dict[str, int]] = {}
    rows = IncomingMail.objects.filter(mailbox__in=list(mailboxes)).order_by().values_list("mailbox", "state")
    for mailbox, state, number in rows.annotate(number=Count("pk")):
        found.setdefault(mailbox, {})[state] = number
    return found


def sentences(said: Iterable[Any], language: str) -> list[str]:
    """A verdict in a language. A value that is a message itself (a list of its text and values) is translated, too."""
    return [sentence(text, values, language) for text, values in said]


def sentence(text: str, values: Mapping[str, Any], language: str) -> str:
    """A message as it is kept, in a language."""
    filled = {name: sentence(v[0], v[1], language) if isinstance(v, list) else v for name, v in values.items()}
    return translate(text, filled, language)
