"""Sending many documents in the background."""

from collections.abc import Sequence
from typing import Any

from procrastinate.contrib.django import app

from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.invoices.services.mailing import about, mail_document
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.exact import to_json
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.retry import AGAIN
from taktura.kit.jobs.services import Tell, carry_out, start
from taktura.kit.mail.models import OutgoingMail

SENDING = "send_documents"
MOST_SENT = 5_000
MOST_PROBLEMS = 100  # kept with the work


def start_sending(actor: Actor, *, seller: Seller, documents: Sequence[int]) -> Work:
    """Start sending documents (by id), each to its customer's address. Raises `Refused`: `conflict` while another
    sending is under way, `invalid` for more than `MOST_SENT`."""
    if len(documents) > MOST_SENT:
        raise Refused("invalid", "At most %(most)s documents are sent at once.", most=MOST_SENT)
    parameters = {"seller": seller.pk, "documents": sorted(documents)}
    return start(actor, kind=SENDING, subject=f"seller:{seller.pk}", parameters=parameters, task=send_documents)


@app.task(name="send_documents", queue="mail", retry=AGAIN)
def send_documents(work: int) -> None:
    """Put the mails of documents into the outbox. Done again after its worker died, it leaves out those put there."""
    carry_out(work, utc_now, _send)


def _check_way(document: Document) -> None:
    """Raise `Refused` where a customer does not get documents by e-mail: among many nobody has looked at that."""
    info = getattr(document.customer, "billing_information", None)
    name, way = document.customer.name, info.delivery if info is not None else "email"
    if way == "post":
        raise Refused(
            "invalid", "%(name)s gets documents by post: print it, or send it by mail from its own page.", name=name
        )
    if way == "portal":
        raise Refused("invalid", "%(name)s gets documents in the customer portal: nothing is to be sent.", name=name)


def _send(work: Work, tell: Tell) -> dict[str, Any]:
    wanted: list[int] = work.parameters["documents"]
    found = Document.objects.filter(seller=work.parameters["seller"], pk__in=wanted)
    related = ("customer__billing_information", "customer__head_office__billing_information")
    known = {d.pk: d for d in found.select_related(*related)}
    sent, problems = 0, []
    names = {about(pk): pk for pk in wanted}
    before = OutgoingMail.objects.filter(about__in=list(names), created_at__gte=work.created_at)
    there = {names[name] for name in before.values_list("about", flat=True)}
    for place, pk in enumerate(wanted, 1):
        document = known.get(pk)
        if document is None:
            continue
        try:
            if pk not in there:
                _check_way(document)
                mail_document(Actor(work.actor, utc_now()), document=document)
            sent += 1
        except Refused as refused:
            error = {"text": refused.text, "values": to_json(refused.values)}
            problems.append({"document": pk, "number": document.number, "customer": document.customer_id, **error})
        if not tell(place, len(wanted)):
            break
    return {"sent": sent, "problems": problems[:MOST_PROBLEMS], "left_out": len(problems)}
