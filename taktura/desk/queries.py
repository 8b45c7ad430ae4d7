"""Reads of tickets and time."""

from collections.abc import Iterable

from django.db.models import QuerySet

from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.desk.models import (
    Activity,
    Allowance,
    AnswerTemplate,
    DeskSettings,
    Queue,
    RunningTime,
    Ticket,
    TicketMessage,
    TimeEntry,
)
from taktura.kit.bulk import among
from taktura.kit.fold import fold
from taktura.kit.mail.models import OutgoingMail


def ticket_by_number(seller_id: int, number: int) -> Ticket:
    """A seller's ticket by its number, with its customer; raises `Refused` (`not_found`)."""
    rows = Ticket.objects.select_related("customer__seller", "customer__billing_information")
    found = rows.filter(seller=seller_id, number=number).first()
    if found is None:
        raise Refused("not_found", "There is no ticket %(number)s.", number=number)
    return found


def ids_of(seller_id: int, numbers: Iterable[int]) -> list[int]:
    """The ids of a seller's tickets by their numbers; raises `Refused` (`not_found`) where one is not there."""
    wanted = set(numbers)
    found = dict(Ticket.objects.filter(seller=seller_id, number__in=among(wanted)).values_list("number", "pk"))
    for number in sorted(wanted - set(found)):
        raise Refused("not_found", "There is no ticket %(number)s.", number=number)
    return list(found.values())


def tickets_of(seller_id: int) -> QuerySet[Ticket]:
    """A seller's tickets, with all that a page says of one."""
    rows = Ticket.objects.select_related(
        "customer__seller", "queue", "assignee", "line__contract", "line__article", "merged_into", "follows"
    )
    return rows.filter(seller=seller_id)


def queues_of(seller_id: int) -> QuerySet[Queue]:
    """The queues in which a seller's tickets can be put."""
    return Queue.objects.filter(seller=seller_id, active=True).order_by("name")


def queue_by_id(seller_id: int, pk: int) -> Queue:
    """A seller's queue by its id; raises `Refused` (`not_found`)."""
    found = Queue.objects.filter(seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no queue %(key)s.", key=pk)
    return found


def lines_of(customer_id: int) -> QuerySet[ContractLine]:
    """A customer's contract lines, as those of tickets: the newest contracts first."""
    rows = ContractLine.objects.filter(contract__customer=customer_id).select_related("contract", "article")
    return rows.order_by("-contract__start", "-contract", "id")


def settings_of(seller_id: int) -> DeskSettings:
    """How a seller's desk works; defaults where nothing was set."""
    return DeskSettings.objects.filter(seller=seller_id).first() or DeskSettings(seller_id=seller_id)


def time_of(seller_id: int) -> QuerySet[TimeEntry]:
    """All time worked for a seller's customers, with whom it is of, in the order in which it was logged."""
    rows = TimeEntry.objects.select_related("customer", "ticket", "user", "activity")
    return rows.filter(customer__seller=seller_id).order_by("id")


def time_by_id(seller_id: int, pk: int) -> TimeEntry:
    """A seller's worked time by its id; raises `Refused` (`not_found`)."""
    found = time_of(seller_id).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no worked time %(key)s.", key=pk)
    return found


def activity_by_id(seller_id: int, pk: int) -> Activity:
    """A seller's activity by its id; raises `Refused` (`not_found`)."""
    found = Activity.objects.filter(seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no activity %(key)s.", key=pk)
    return found


def hours_by_id(seller_id: int, pk: int) -> Allowance:
    """A seller's included hours by their id; raises `Refused` (`not_found`)."""
    rows = Allowance.objects.select_related("customer__seller", "customer__billing_information")
    found = rows.prefetch_related("activities").filter(customer__seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There are no included hours %(key)s.", key=pk)
    return found


def timers_of(seller_id: int) -> QuerySet[RunningTime]:
    """The timers on a seller's tickets and customers, with whom they are of."""
    rows = RunningTime.objects.select_related("user", "customer__seller", "ticket", "activity")
    return rows.filter(customer__seller=seller_id)


def timer_by_id(seller_id: int, pk: int) -> RunningTime:
    """A seller's timer by its id; raises `Refused` (`not_found`)."""
    found = timers_of(seller_id).filter(pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no timer %(key)s.", key=pk)
    return found


def timer_of(user_id: int) -> RunningTime | None:
    """A user's timer, whichever seller's."""
    rows = RunningTime.objects.select_related("user", "customer__seller", "ticket", "activity")
    return rows.filter(user=user_id).first()


def waiting_time_of(seller_id: int) -> QuerySet[TimeEntry]:
    """The time that waits for approval, by customer and ticket, with what approval asks of its customer."""
    rows = TimeEntry.objects.filter(customer__seller=seller_id, status="submitted")
    related = rows.select_related("customer__seller", "customer__billing_information", "ticket", "user", "activity")
    return related.order_by("customer_id", "ticket_id", "worked_on", "id")


def search(tickets: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """The tickets whose number, subject or requester holds each word of a text, without regard to case and marks."""
    for word in fold(text).split():
        tickets = tickets.filter(folded__contains=word.removeprefix("#"))
    return tickets


def mails_of(messages: Iterable[TicketMessage]) -> dict[str, OutgoingMail]:
    """The mails by which messages went out, by their references, without their content."""
    references = [m.reference for m in messages if m.reference and m.kind == "staff"]
    rows = OutgoingMail.objects.filter(message_id__in=references) if references else OutgoingMail.objects.none()
    return {mail.message_id: mail for mail in rows.defer("text", "html")}


def template_by_id(seller_id: int, pk: int) -> AnswerTemplate:
    """A seller's answer template by its id; raises `Refused` (`not_found`)."""
    found = AnswerTemplate.objects.filter(seller=seller_id, pk=pk).first()
    if found is None:
        raise Refused("not_found", "There is no template %(key)s.", key=pk)
    return found


def templates_for(ticket: Ticket) -> list[AnswerTemplate]:
    """What can be inserted into an answer: the templates in the customer's language first."""
    rows = AnswerTemplate.objects.filter(seller=ticket.seller_id).defer("text")
    return sorted(rows, key=lambda one: one.language != ticket.customer.language)
