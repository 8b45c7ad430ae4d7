"""What comes again and again: usage of a month, the supplier's file, the run, mails, the payments of a week."""

from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from taktura.billing import services as billing
from taktura.cli.demo.usage import focus_file, focus_name, usage_of
from taktura.cli.demo.world import World, accounts, folder
from taktura.cli.demo.year import MONTHS, ZONE, Event, event
from taktura.core.periods import DAY
from taktura.customers.models import Customer
from taktura.invoices.models import Document
from taktura.invoices.queries import exact
from taktura.invoices.services import mail_document, pay
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from taktura.usage import services as usage

WEEK = timedelta(days=7)
ACCOUNTS_IN_OWN_FILE = 12
# Sub-accounts of the supplier that nobody has tied to a contract yet, and the month in which they first appear.
UNKNOWN = ((-3, ("70215538814", "Vega Cumulus")), (-2, ("70932240176", "Lyra Stratus")))
NEVER_PAYS = ("broemmelkamp", "pemberton")  # since half a year
PAYS_HALF = ("sjostrand", "hansen")
MAILED = (-2, -1)  # months whose bills some customers got by mail, so lately that the mails have their files still
BY_MAIL = ("kraus", "yilmaz", "nystrom", "sjoegren", "ashcombe", "thistlewood", "hausverwaltung", "tierklinik")


def routine(world: World) -> list[Event]:
    """The events of all months and weeks."""
    year, found = world.year, []
    for month in range(-MONTHS, 0):
        first, middle, last = year.month(month), year.day(month, 15), year.month(month + 1) - DAY
        found += [
            event(first, "billing", partial(_bill, world, first), hour=9),
            event(middle, world.telephone, partial(_usage, world, first, middle + DAY), hour=22),
            event(last, world.telephone, partial(_usage, world, middle + DAY, last + DAY), hour=22),
            event(last, "billing", partial(_file, world, month), hour=23),
        ]
        if month in MAILED:
            found.append(event(first, "billing", partial(_mail, world, first), hour=10))
    if year.today.day > 1:
        day = year.ago(1)
        found.append(event(day, world.telephone, partial(_usage, world, year.month(0), year.today), hour=22))
    friday = year.first + timedelta(days=(4 - year.first.weekday()) % 7)
    while friday < year.today:
        found.append(event(friday, "billing", partial(_bank_statement, world, friday), hour=10))
        friday += WEEK
    return found


def _bill(world: World, on: date, actor: Actor) -> None:
    billing.bill(actor, seller=world.seller, on=on)


def _mail(world: World, on: date, actor: Actor) -> None:
    """Send what was billed on a day to those who want it by mail. No server is asked: it counts as sent that day."""
    documents = Document.objects.filter(seller=world.seller, issued_on=on, customer__key__in=BY_MAIL)
    for document in documents.select_related("customer__billing_information", "state").order_by("id"):
        mail = mail_document(actor, document=document)
        OutgoingMail.objects.filter(pk=mail.pk).update(state="sent", attempts=1, tried_at=actor.now, sent_at=actor.now)


def _usage(world: World, first: date, end: date, actor: Actor) -> None:
    billing.record_usage(actor, seller=world.seller, entries=usage_of(world.seller, first, end))


def _file(world: World, month: int, actor: Actor) -> None:
    """The supplier's file of a month is written and loaded; that of the last is left for whoever tries the demo."""
    first = world.year.month(month)
    unknown = [account for since, account in UNKNOWN if since <= month < -1]
    content = focus_file(first.year, first.month, accounts()[:ACCOUNTS_IN_OWN_FILE] + unknown)
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / focus_name(first)).write_bytes(content)
    if month == -1:
        return
    billing.receive_file(actor, supplier=world.supplier, name=focus_name(first), content=content)
    if month == -MONTHS:
        for number, (reference, _) in enumerate(accounts()[:ACCOUNTS_IN_OWN_FILE], 1):
            customer = Customer.objects.get(seller=world.seller, key=f"cloud-{number:02}")
            usage.link_customer(actor, supplier=world.supplier, reference=reference, customer=customer)


def _bank_statement(world: World, until: date, actor: Actor) -> None:
    """Enter what customers paid in the week that ends on a day."""
    unpaid = Document.objects.filter(seller=world.seller, kind="invoice", state__open__gt=0, issued_on__lt=until)
    for document in unpaid.select_related("state", "customer").order_by("id"):
        for day, percent in _plan(document, world.year.month(-6)):
            if until - WEEK < day <= until:
                amount = document.state.open * percent // 100
                if amount:
                    pay(actor, document=document, amount=exact(amount, document.digits), on=day)


def _plan(document: Document, lately: date) -> list[tuple[date, int]]:
    """When an invoice is paid, and how much of what is open then, in percent."""
    key, issued, due = document.customer.key, document.issued_on, document.due_on or document.issued_on
    random = Random(f"{document.number} {key}")
    if issued >= lately and key in NEVER_PAYS:
        return []
    if issued >= lately and key in PAYS_HALF:
        return [(due, 50)]
    luck = random.randrange(100)
    if luck < 80:
        return [(issued + timedelta(days=random.randint(3, 14)), 100)]
    if luck < 93:
        return [(due + timedelta(days=random.randint(1, 24)), 100)]
    if luck < 97:
        return [(due, 40), (due + timedelta(days=30), 100)]
    return [(due + timedelta(days=random.randint(40, 70)), 100)]


def late_usage(world: World, contract: str, day: date, actor: Actor) -> None:
    """Calls that come only after their month was billed."""
    entries = [
        {
            "contract": contract,
            "key": "call",
            "at": datetime(day.year, day.month, day.day, 9 + number, 12, tzinfo=ZONE),
            "source": "telefonanlage",
            "id": f"{contract}-late-{day:%Y%m}-{number}",
            "duration": 95 + 40 * number,
        }
        for number in range(3)
    ]
    billing.record_usage(actor, seller=world.seller, entries=entries)
