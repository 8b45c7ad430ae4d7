"""What becomes of mails that come in: who handles which, and usage files that come as attachments."""

from datetime import datetime
from typing import Final

from taktura.billing.services.interim import receive_file
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.services.incoming import take_mail
from taktura.kit.actor import Actor
from taktura.kit.mailbox.attached import Attachment, Sentence
from taktura.kit.mailbox.models import Mailbox
from taktura.kit.mailbox.parsed import Mail
from taktura.kit.mailbox.polling import Look, Route, Verdict, due, poll
from taktura.usage.models import Supplier, UsageFile
from taktura.usage.overview import known_file
from taktura.usage.reader import ENDINGS
from taktura.usage.services import note_refusal
from taktura.usage.services.refusals import nothing_read

FILES = {
    "loaded": "“%(name)s” was loaded: %(recorded)s of %(rows)s rows found their line, %(waiting)s wait.",
    "refused": "“%(name)s” was not loaded: %(why)s",
    "foreign": "“%(name)s” is no usage file: its name ends otherwise.",
    "none": "It has no file that can be loaded.",
}


def look_into_mailboxes(now: datetime) -> list[tuple[Mailbox, Look]]:
    """Look into all mailboxes that are due; one that cannot be reached stops no other."""
    return [(mailbox, poll(mailbox, ROUTES, now)) for mailbox in due(now)]


def take_usage(mailbox: Mailbox, mail: Mail, now: datetime) -> Verdict:
    """Load each attachment as a usage file of the mailbox's supplier, as if it had been uploaded: kept unchanged, and
    not twice. One that is refused stops no other."""
    supplier = Supplier.objects.select_related("seller").get(pk=int(mailbox.target.partition(":")[2]))
    actor = Actor(f"mail:{mail.sender}", now)
    said, about = list(mail.left_out), list[str]()
    for one in mail.attachments:
        if not one.name.lower().endswith(ENDINGS):
            said.append(Sentence(FILES["foreign"], {"name": one.name}))
            continue
        try:
            sentence, file = _load(actor, supplier, one)
        except Refused as refused:
            _note(actor, supplier, one, refused, known_file(supplier, one.content))
            why = [refused.text, {name: str(value) for name, value in refused.values.items()}]
            said.append(Sentence(FILES["refused"], {"name": one.name, "why": why}))
        else:
            said.append(sentence)
            about.append(f"usage_file:{file}")
    return Verdict(state="taken" if about else "refused", said=said or [Sentence(FILES["none"])], about=about)


def _load(actor: Actor, supplier: Supplier, one: Attachment) -> tuple[Sentence, int]:
    received, _issued = receive_file(actor, supplier=supplier, name=one.name, content=one.content)
    assert received.file is not None
    file = received.file
    if not file.recorded + file.waiting + file.duplicates + file.conflicts:
        _note(actor, supplier, one, nothing_read(), file)
    numbers = {"rows": received.rows, "recorded": received.outcome.recorded, "waiting": received.file.waiting}
    return Sentence(FILES["loaded"], {"name": one.name, **numbers}), received.file.pk


def _note(actor: Actor, supplier: Supplier, one: Attachment, refused: Refused, file: UsageFile | None) -> None:
    note_refusal(
        actor, supplier=supplier, name=one.name, size=len(one.content), origin="mail", refused=refused, file=file
    )  # fmt: skip


def _zone(mailbox: Mailbox) -> str:
    return Seller.objects.values_list("time_zone", flat=True).get(pk=int(mailbox.owner.partition(":")[2]))


# Suppliers' programs send files, some of them by way of a list: of machines only replies and bounces are left out.
ROUTES: Final = {
    "usage": Route(handle=take_usage, takes=frozenset({"generated", "list"}), zone=_zone),
    "tickets": Route(handle=take_mail, all=True, zone=_zone),
}
