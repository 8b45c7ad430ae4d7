"""What answers are written from: texts with places that each ticket fills."""

import re
from collections.abc import Mapping

from taktura.core.errors import Refused
from taktura.desk.models import AnswerTemplate, Ticket

PLACES = ("customer", "requester", "ticket", "subject", "name", "company")
_PLACE = re.compile(r"\{([^{}\s]{1,40})\}")


def check_places(text: str) -> None:
    """Raise `Refused` (`invalid`) for a place that no ticket fills."""
    for word in _PLACE.findall(text):
        if word not in PLACES:
            raise Refused("invalid", "There is no place {%(place)s}: write one of %(known)s.", place=word,
                          known=", ".join(f"{{{one}}}" for one in PLACES), field="text")  # fmt: skip


def filled(template: AnswerTemplate, *, ticket: Ticket, name: str) -> str:
    """A template's text for a ticket; `name`: of whoever answers. Where the ticket names no requester, the customer
    stands there."""
    values: Mapping[str, str] = {
        "customer": ticket.customer.name, "requester": ticket.requester_name or ticket.customer.name,
        "ticket": str(ticket.number), "subject": ticket.subject, "name": name, "company": ticket.customer.seller.name,
    }  # fmt: skip
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), template.text)
