"""Mails that wait for a person: given to a customer or a ticket, or thrown away."""

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.desk.models import Ticket
from taktura.desk.services.incoming import is_known, queue_of, write
from taktura.kit.actor import Actor
from taktura.kit.mailbox.attached import Sentence
from taktura.kit.mailbox.models import IncomingMail
from taktura.kit.mailbox.polling import Verdict, read_kept

GIVEN = {"thrown_away": "%(name)s has thrown it away."}


@transaction.atomic
def give_mail(
    actor: Actor, *, mail: IncomingMail, customer: Customer | None = None, ticket: Ticket | None = None
) -> Ticket:
    """Make a mail that waits a ticket of a customer, or what the customer says on a ticket; gives the ticket.

    Later mails of its sender find their customer by themselves. Raises `Refused` (`invalid`): neither or both are
    given, they are another company's, the mail does not wait any more, or stands on a ticket already.
    """
    mail = _waiting(mail)
    seller = int(mail.mailbox.owner.partition(":")[2])
    if (customer is None) == (ticket is None):
        raise Refused("invalid", "Say to which customer or to which ticket the mail belongs.", field="customer")
    if (customer or ticket).seller_id != seller:  # type: ignore[union-attr]
        raise Refused("invalid", "The customer is another seller's.", field="customer")
    if ticket is not None and ticket.merged_into is not None:
        raise Refused("invalid", "Ticket %(number)s was merged into another: change that one.",
                      number=ticket.number, field="ticket")  # fmt: skip
    read = read_kept(mail)
    if is_known(seller, read.message_id):
        raise Refused("conflict", "The mail stands on a ticket already: throw it away.")
    verdict = write(actor.now, read, ticket=ticket, customer=customer, queue=queue_of(mail.mailbox))
    _decide(actor, mail, verdict)
    made = Ticket.objects.get(pk=int(verdict.about[0].partition(":")[2]))
    record(actor, "give_mail", f"ticket:{made.pk}", {"mail": mail.pk, "sender": mail.sender, "number": made.number})
    return made


@transaction.atomic
def throw_mail_away(actor: Actor, *, mail: IncomingMail, name: str = "") -> None:
    """Let nothing become of a mail that waits; it lies in the archive folder. `name`: who is shown with it (default:
    the actor). Raises `Refused` (`invalid`)."""
    mail = _waiting(mail)
    _decide(actor, mail, Verdict(state="ignored", said=[Sentence(GIVEN["thrown_away"], {"name": name or actor.name})]))
    record(actor, "throw_mail_away", mail.mailbox.owner, {"mail": mail.pk, "sender": mail.sender})


def _waiting(mail: IncomingMail) -> IncomingMail:
    rows = IncomingMail.objects.select_related("mailbox").select_for_update(of=("self",))
    found = rows.filter(pk=mail.pk, state="waiting").first()
    if found is None:
        raise Refused("invalid", "The mail does not wait any more: somebody has decided about it.")
    return found


def _decide(actor: Actor, mail: IncomingMail, verdict: Verdict) -> None:
    mail.state, mail.content, mail.about = verdict.state, None, list(verdict.about)
    mail.said = [[one.text, dict(one.values)] for one in verdict.said]
    mail.looked_at = actor.now
    mail.save(update_fields=["state", "content", "about", "said", "looked_at"])
