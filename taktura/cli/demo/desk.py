"""The demo company's service desk: what customers asked for in the year, the time worked on it, and its approval."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from taktura.accounts.models import User
from taktura.cli.demo.users import EMAILS
from taktura.cli.demo.world import World
from taktura.cli.demo.year import Event, event
from taktura.core.periods import DAY
from taktura.customers.models import Customer
from taktura.customers.services import change_customer
from taktura.desk import services as desk
from taktura.desk.models import Activity, Queue, Ticket, TimeEntry
from taktura.kit.actor import Actor

RATES = {  # customer: hourly rate, time step
    "kraus": ("96.00", 15),
    "hausverwaltung": ("88.00", 10),
    "lindqvist": ("110.00", 15),
    "praxis": ("88.00", 10),
    "suederelbe": ("82.50", 6),
    "altland": ("92.00", 15),
    "zahnarzt": ("96.00", 10),
}
ACTIVITIES = (("Fernwartung", True), ("Vor Ort", True), ("Anfahrt", True), ("Kulanz", False))
QUEUES = ("Telefonie", "Büro und Empfang", "Cloud")
OPEN_HOURS = {day: [(8 * 60, 18 * 60)] for day in range(5)}
# Minutes of business time until the first answer and until the solution.
PROMISED = {"urgent": (60, 600), "high": (240, 1200), "normal": (600, 3000), "low": (None, 6000)}


class Asked(NamedTuple):
    """A ticket: month and day on which it was opened, what was worked on it (days after, minutes, activity), and how
    it stands."""

    month: int
    day: int
    customer: str
    subject: str
    text: str
    answer: str
    worked: tuple[tuple[int, int, str], ...]
    queue: int = 0
    priority: str = "normal"
    status: str = "closed"


ASKED = (
    Asked(-11, 4, "kraus", "Rufumleitung am Freitagnachmittag", "Freitags ab 15 Uhr sollen alle Anrufe zu Ihnen gehen.",
          "Ist eingerichtet und geprüft.", ((0, 25, "Fernwartung"), (1, 12, "Fernwartung"))),
    Asked(-11, 18, "hausverwaltung", "Neue Ansage für den Notdienst", "Die Nummer des Notdienstes hat sich geändert.",
          "Die Ansage ist neu aufgenommen.", ((0, 35, "Fernwartung"),)),
    Asked(-10, 7, "suederelbe", "Lagerbüro: kein Freizeichen", "Seit heute früh ist die Leitung im Lagerbüro tot.",
          "Ein Kabel war gebrochen, es ist getauscht.", ((0, 40, "Anfahrt"), (0, 95, "Vor Ort")), 0, "urgent"),
    Asked(-9, 11, "praxis", "Besprechungsraum doppelt belegt", "Am 14. sind zwei Termine im kleinen Raum.",
          "Der zweite Termin liegt nun im großen Raum.", ((0, 9, "Kulanz"),), 1),
    Asked(-8, 3, "lindqvist", "Ny växel i Södertälje", "Vi öppnar ett kontor till och behöver fyra anknytningar.",
          "Anknytningarna är klara.", ((2, 120, "Fernwartung"), (5, 45, "Fernwartung"))),
    Asked(-7, 15, "altland", "Marktstände: Anrufe sammeln", "Bitte eine Sammelnummer für alle Stände in Jork.",
          "Die Sammelnummer klingelt an allen Ständen.", ((1, 55, "Fernwartung"), (3, 20, "Fernwartung"))),
    Asked(-6, 9, "zahnarzt", "Telefone nach dem Umbau", "Die Zimmer drei und vier haben neue Dosen.",
          "Alle Telefone sind wieder angeschlossen.", ((0, 30, "Anfahrt"), (0, 150, "Vor Ort"))),
    Asked(-5, 21, "kraus", "Fax kommt nicht an", "Ein Gericht meldet, dass unser Fax besetzt sei.",
          "Die Leitung war belegt, sie hat nun zwei Kanäle.", ((0, 44, "Fernwartung"),), 0, "high"),
    Asked(-4, 12, "hausverwaltung", "Zugang zum Postfach der Buchhaltung", "Frau Lühr braucht Zugriff.",
          "Der Zugriff ist freigeschaltet.", ((0, 14, "Fernwartung"),), 2),
    Asked(-3, 6, "suederelbe", "Acht neue Durchwahlen", "Für die Disposition brauchen wir acht Durchwahlen.",
          "Die Durchwahlen sind geschaltet, die Liste liegt bei.", ((0, 70, "Fernwartung"), (1, 33, "Fernwartung"))),
    Asked(-2, 13, "praxis", "Schild am Empfang", "Das Schild trägt noch den alten Namen der Praxis.",
          "Das neue Schild hängt.", ((4, 25, "Vor Ort"),), 1),
    Asked(-2, 19, "altland", "Rechnungen an die neue Adresse", "Bitte künftig an den Einkauf schicken.",
          "Ist hinterlegt.", ((0, 8, "Kulanz"),), 1),
    Asked(-1, 8, "kraus", "Warteschleife ohne Musik", "Mandanten hören nur Stille.",
          "Die Musik läuft wieder.", ((0, 28, "Fernwartung"), (1, 9, "Fernwartung"))),
    Asked(-1, 16, "zahnarzt", "Zweiter Anrufbeantworter", "Für die Prophylaxe soll ein eigener laufen.",
          "Er läuft unter der Durchwahl 24.", ((1, 50, "Fernwartung"),)),
)  # fmt: skip
# What is still at hand: days ago.
OPEN = (
    Asked(0, 6, "hausverwaltung", "Rauchmelder meldet sich am Telefon", "Mieter rufen nachts wegen der Melder an.",
          "Wir prüfen, ob die Anrufe an den Notdienst gehen können.", ((0, 35, "Fernwartung"), (2, 20, "Fernwartung")),
          0, "high", "open"),
    Asked(0, 4, "suederelbe", "Anbindung des Lagers in Maschen", "Ab nächstem Monat sitzen dort sechs Leute.",
          "Wir kommen am Donnerstag zur Besichtigung.", ((1, 60, "Anfahrt"), (1, 115, "Vor Ort")), 0, "normal",
          "waiting"),
    Asked(0, 3, "petersen", "Anrufe aus dem Gewächshaus", "Im Gewächshaus ist der Empfang schlecht.",
          "Wir haben den Verstärker umgestellt.", ((0, 45, "Vor Ort"),), 0, "normal", "solved"),
    Asked(0, 1, "lindqvist", "Faktura på svenska", "Kan fakturorna komma på svenska?", "", (), 1, "low", "open"),
)  # fmt: skip


def desk_events(world: World) -> Iterator[Event]:
    """A year at the desk: technicians work, the lead approves at the end of each month; this month's time waits."""
    year = world.year
    yield event(year.first, "admin", partial(_found, world), hour=9)
    yield event(year.day(-12, 3), "sales", partial(_rates, world), hour=12)
    for asked in ASKED:
        yield from _ticket(world, asked, year.day(asked.month, asked.day))
    for asked in OPEN:
        yield from _ticket(world, asked, year.ago(asked.day))
    for month in range(-11, 0):
        yield event(year.month(month + 1) - 2 * DAY, "lead", partial(_approve, world, year.month(month)), hour=16)


def _found(world: World, actor: Actor) -> None:
    Activity.objects.bulk_create(
        Activity(seller=world.seller, name=name, billable=billable) for name, billable in ACTIVITIES
    )
    Queue.objects.bulk_create(Queue(seller=world.seller, name=name) for name in QUEUES)
    desk.set_service_levels(actor, seller=world.seller, hours=OPEN_HOURS, targets=PROMISED)


def _rates(world: World, actor: Actor) -> None:
    for key, (rate, step) in RATES.items():
        change_customer(actor, customer=_customer(world, key), hourly_rate=rate, round_up_minutes=step)
    desk.include_hours(
        actor, customer=_customer(world, "hausverwaltung"), title="Betreuung, eine halbe Stunde im Monat",
        kind="monthly", minutes=30, start=world.year.first, kept=True,
    )  # fmt: skip


def _ticket(world: World, asked: Asked, opened: date) -> Iterator[Event]:
    last = world.year.ago(1)
    yield event(opened, "lead", partial(_open, world, asked), hour=8)
    for days, minutes, activity in asked.worked:
        day = min(opened + timedelta(days=days), last)
        yield event(day, "technician", partial(_work, world, asked, minutes, activity), hour=17)
    if asked.answer:
        answered = min(opened + timedelta(days=max((d for d, _, _ in asked.worked), default=0)), last)
        yield event(answered, "technician", partial(_answer, world, asked), hour=18)


def _open(world: World, asked: Asked, actor: Actor) -> None:
    customer = _customer(world, asked.customer)
    queue = Queue.objects.get(seller=world.seller, name=QUEUES[asked.queue])
    desk.open_ticket(
        actor, customer=customer, subject=asked.subject, text=asked.text, by_customer=True, author=customer.name,
        queue=queue, priority=asked.priority, assignee=User.objects.get(email=EMAILS["technician"]) if asked.answer
        else None,
    )  # fmt: skip


def _work(world: World, asked: Asked, minutes: int, activity: str, actor: Actor) -> None:
    done = Activity.objects.get(seller=world.seller, name=activity)
    desk.log_time(actor, ticket=_of(world, asked), minutes=minutes, activity=done)


def _answer(world: World, asked: Asked, actor: Actor) -> None:
    ticket = _of(world, asked)
    author = User.objects.get(email=EMAILS["technician"]).name
    desk.answer_ticket(actor, ticket=ticket, text=asked.answer, author=author)
    desk.change_ticket(actor, ticket=ticket, status=asked.status)


def _approve(world: World, first: date, actor: Actor) -> None:
    waiting = TimeEntry.objects.filter(
        status="submitted", worked_on__gte=first, customer__seller=world.seller, customer__complete=True
    )
    entries = list(waiting.order_by("id").values_list("pk", flat=True))
    if entries:
        desk.approve_time(actor, entries=entries)


def _of(world: World, asked: Asked) -> Ticket:
    found = Ticket.objects.select_related("customer__seller").filter(seller=world.seller, subject=asked.subject)
    return found.latest("id")


def _customer(world: World, key: str) -> Customer:
    return Customer.objects.select_related("seller").get(seller=world.seller, key=key)
