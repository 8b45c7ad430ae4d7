"""What happened in the demo company's year beside the routine, told in the order in which it is to be understood."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from taktura.billing import services as billing
from taktura.cli.demo.agreements import AGREEMENTS, Agreement
from taktura.cli.demo.routine import late_usage
from taktura.cli.demo.usage import SOURCE
from taktura.cli.demo.users import make_portal_user
from taktura.cli.demo.world import World, sign, sign_cloud, signed_on
from taktura.cli.demo.year import ZONE, Event, event
from taktura.contracts.queries import line_for
from taktura.core.periods import DAY, Span, add
from taktura.customers import services as customers
from taktura.customers.models import Customer
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import UsageRecord

DEADLINES = (9, 24)  # days from today to the last day for notice of two contracts with yearly terms
Act = Callable[[Actor], object]


def story(world: World) -> list[Event]:
    """The events of the year."""
    return [*_signing(world), *_changes(world), *_corrections(world), *_endings(world), *_things_to_do(world)]


def _signing(world: World) -> Iterator[Event]:
    year = world.year
    yield event(year.first - timedelta(days=17), "admin", partial(_cloud, world), hour=9)
    for agreement in AGREEMENTS:
        start = year.day(agreement.month, agreement.day)
        yield event(signed_on(world, start), "sales", partial(_sign, world, agreement, start), hour=10)
    yearly = (
        Agreement("V-duesterhoeft", "duesterhoeft", "telefon-premium", 0, quantities={"bereitschaft": "1"}),
        Agreement("B-duesterhoeft", "duesterhoeft", "buero-jahr", 0, quantities={"schrank": "1"}),
    )
    for days, agreement in zip(DEADLINES, yearly, strict=True):
        end = add(year.ago(-days), Span(3, "month")) + DAY
        start = add(end, Span(12, "month"), -1)
        yield event(signed_on(world, start), "sales", partial(_sign, world, agreement, start), hour=10)
    recent = (
        (20, year.ago(19), Agreement("V-fahrschule", "fahrschule", "telefon-start", 0)),
        (14, year.ago(12), Agreement("V-hartley", "hartley", "answering-flat", 0)),
        (8, year.month(1), Agreement("V-seestern", "seestern", "telefon-premium", 0, quantities={"rufnummer": "2"})),
        (5, year.month(2), Agreement("V-hagg", "hagg", "telefonpassning", 0, quantities={"rufnummer": "1"})),
    )
    for days, start, agreement in recent:
        yield event(year.ago(days), "sales", partial(_sign, world, agreement, start), hour=10)


def _sign(world: World, agreement: Agreement, start: date, actor: Actor) -> None:
    sign(actor, world, agreement, start)


def _cloud(world: World, actor: Actor) -> None:
    sign_cloud(actor, world)


def _changes(world: World) -> Iterator[Event]:
    """Quantities, bookings, prices, tariffs: in the middle of a month most show as a credit note and an invoice."""
    year, on = world.year, partial(_event, world)
    yield on(-10, 15, "billing", _quantity(world, "V-kraus", 3, year.day(-10, 16), "Anruf von Herrn Kraus"))
    yield on(-6, 11, "sales", _book(world, "V-quast", year.day(-6, 11), "Zweite Nummer für den Notdienst"))
    yield on(-5, 17, "sales", _quantity(world, "V-nystrom", 2, year.day(-5, 18), "Ring Maja vid frågor"))
    yield on(-4, 14, "sales", _tariff(world, "V-weiss", "telefon-premium", year.day(-4, 15), keep_terms=False))
    yield on(-3, 9, "sales", _end_line(world, "V-thistlewood", year.day(-3, 16)))
    yield on(-2, 20, "sales", _book(world, "V-altland-jork", year.day(-2, 20), "Nummer der Marktstände"))
    higher = {"lines": {"gespraech": {"price": "1.25"}}}
    yield on(-6, 20, "admin", partial(_publish, world, year.month(-5), higher))
    # Planned: they take effect next month.
    yield event(year.ago(2), "sales", _tariff(world, "V-broemmelkamp", "telefon", year.month(1)))
    yield event(year.ago(1), "sales", _quantity(world, "V-ashcombe", 6, year.month(1), "Two new estates"))
    yield on(-9, 20, "sales", _sell(world, "suederelbe", "Begrüßungsansage, im Studio aufgenommen", "120.00"))
    yield on(-3, 17, "sales", _sell(world, "zahnarzt", "Einweisung des Praxisteams", "180.00"))
    yield on(-2, 16, "billing", _interim(world, "V-suederelbe"))


def _corrections(world: World) -> Iterator[Event]:
    year, on = world.year, partial(_event, world)
    yield on(-10, 12, "billing", partial(_not_delivered, world))
    yield on(-9, 5, world.telephone, partial(late_usage, world, "V-sjoegren", year.day(-10, 28)))
    yield on(-7, 4, world.telephone, partial(_correct, world, "V-hausverwaltung", year.month(-8)))
    yield on(-6, 6, "lead", partial(_withdraw, world, "V-weiss", year.month(-7)))
    yield on(-4, 8, "billing", partial(_wrong_address, world))
    yield on(-1, 5, world.telephone, partial(late_usage, world, "V-suederelbe", year.day(-2, 27)))


def _endings(world: World) -> Iterator[Event]:
    """Notice, pauses, ends."""
    year, on = world.year, partial(_event, world)
    yield on(-7, 9, "sales", _notice(world, "V-nordlicht"))
    yield on(-6, 8, "sales", _pause(world, "V-mansken", year.day(-6, 10), year.day(-5, 10)))
    yield on(-5, 6, "sales", _notice(world, "V-mansken"))
    yield on(-4, 21, "sales", _notice(world, "V-hansen"))
    yield on(-4, 27, "sales", partial(_take_back, world, "V-hansen"))
    yield on(-3, 12, "sales", _notice(world, "B-yilmaz"))
    yield on(-2, 8, "sales", lambda actor: make_portal_user(actor, world.seller))
    yield on(-1, 10, "sales", _pause(world, "V-tierklinik", year.day(-1, 12), None))
    yield on(-1, 18, "sales", _pause(world, "V-ljungby", year.day(-1, 20), year.month(2)))
    yield event(year.ago(6), "sales", _notice(world, "V-moewenschrei"))
    yield event(year.ago(4), "sales", _notice(world, "V-saltmarsh"))


def _things_to_do(world: World) -> Iterator[Event]:
    """Usage that finds no line, and a sale that waits for the next bill."""
    yield event(world.year.ago(3), "sales", _sell(world, "kraus", "Ansage für die Kanzleiferien", "85.00"))
    yield event(world.year.ago(1), world.telephone, partial(_strays, world), hour=23)


def _event(world: World, month: int, day: int, who: str, act: Act) -> Event:
    return event(world.year.day(month, day), who, act)


def _quantity(world: World, key: str, quantity: int, start: date, memo: str) -> Act:
    def act(actor: Actor) -> None:
        line = line_for(world.contract(key), "rufnummer")
        billing.change_quantity(actor, line=line, quantity=Decimal(quantity), start=start, memo=memo)

    return act


def _book(world: World, key: str, start: date, memo: str) -> Act:
    return lambda actor: billing.book(
        actor, contract=world.contract(key), article="rufnummer", start=start, memo=memo, now=True
    )


def _end_line(world: World, key: str, until: date) -> Act:
    return lambda actor: billing.end_line(actor, line=line_for(world.contract(key), "rufnummer"), until=until)


def _tariff(world: World, key: str, tariff: str, start: date, **settings: Any) -> Act:
    return lambda actor: billing.change_tariff(
        actor, contract=world.contract(key), tariff=world.tariff(tariff), start=start, **settings
    )


def _publish(world: World, start: date, changes: dict[str, Any], actor: Actor) -> None:
    tariff = world.tariff("telefon")
    billing.publish_version(actor, tariff=tariff, valid_from=start, applies_to="all", changes=changes)


def _sell(world: World, customer: str, title: str, price: str) -> Act:
    return lambda actor: billing.sell(
        actor,
        customer=Customer.objects.get(seller=world.seller, key=customer),
        lines=[{"title": title, "quantity": 1, "price": price}],
    )


def _interim(world: World, key: str) -> Act:
    return lambda actor: billing.interim_bill(actor, contract=world.contract(key))


def _notice(world: World, key: str) -> Act:
    def act(actor: Actor) -> None:
        received = actor.today(world.seller.time_zone)
        billing.give_notice(actor, contract=world.contract(key), received=received)

    return act


def _take_back(world: World, key: str, actor: Actor) -> None:
    billing.withdraw_notice(actor, contract=world.contract(key))


def _pause(world: World, key: str, start: date, end: date | None) -> Act:
    return lambda actor: billing.pause(actor, contract=world.contract(key), start=start, end=end)


def _invoices(world: World, key: str) -> Any:
    return Document.objects.filter(seller=world.seller, kind="invoice", contract__key=key).order_by("id")


def _not_delivered(world: World, actor: Actor) -> None:
    document = _invoices(world, "V-hausverwaltung").filter(lines__article="diktat").last()
    position = document.lines.get(article="diktat").position
    line = {"line": position, "net": "5.00"}
    billing.credit(actor, document=document, lines=[line], reason="Diktat nicht zugestellt")


def _wrong_address(world: World, actor: Actor) -> None:
    """The guest house has moved: its last invoice is credited, and billed again to the new address by the next run."""
    document = _invoices(world, "V-rectory").last()
    customers.set_billing_information(actor, customer=document.customer, street="Church Hill, The Coach House")
    billing.credit(actor, document=document, reason="Wrong address", rebill=True)


def _long_call(world: World, key: str, first: date) -> UsageRecord:
    """The longest call of a contract in the month that begins on a day."""
    calls = UsageRecord.objects.filter(seller=world.seller, line__contract__key=key, seconds__isnull=False)
    month = calls.filter(day__gte=first, day__lt=add(first, Span(1, "month")))
    return month.order_by("-seconds", "id")[0]


def _correct(world: World, key: str, first: date, actor: Actor) -> None:
    """The telephone system had counted on after the call: its record comes again, as a second revision."""
    wrong = _long_call(world, key, first)
    entry = {
        "contract": key,
        "key": "call",
        "at": wrong.at,
        "source": SOURCE,
        "id": wrong.external_id,
        "duration": 4,
        "revision": 2,
    }
    billing.record_usage(actor, seller=world.seller, entries=[entry])


def _withdraw(world: World, key: str, first: date, actor: Actor) -> None:
    external_id = _long_call(world, key, first).external_id
    usage.withdraw_usage(actor, seller=world.seller, external_id=external_id, source=SOURCE)


def _strays(world: World, actor: Actor) -> None:
    """Calls of contracts that are over, paused or unknown, and faxes, which nobody has in the tariff."""
    day = world.year.ago(2)
    odd = (("V-nordlicht", "call", 2), ("V-tierklinik", "call", 3), ("V-wietzendorf", "fax", 4), ("V-qast", "call", 1))
    entries = []
    for contract, key, count in odd:
        for number in range(count):
            at = datetime(day.year, day.month, day.day, 9 + number, 24, tzinfo=ZONE)
            entry = {
                "contract": contract,
                "key": key,
                "at": at,
                "source": SOURCE,
                "id": f"{contract}-{key}-stray-{number}",
            }
            entries.append(entry | ({"duration": 75 + 31 * number} if key == "call" else {"quantity": "1"}))
    billing.record_usage(actor, seller=world.seller, entries=entries)
