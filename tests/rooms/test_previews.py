"""A preview shows what the change then does, to the cent and the day, and changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from taktura.api.v1.document_bodies import drafts_out
from taktura.billing import services as billing
from taktura.catalog.models import Tariff
from taktura.catalog.services import define_tariff
from taktura.cli.scenarios.view import fingerprints
from taktura.contracts.models import Contract
from taktura.contracts.overlay import NEW
from taktura.contracts.queries import by_key, line_for
from taktura.contracts.services import sign
from taktura.core.errors import Refused
from taktura.customers.models import Customer
from taktura.customers.services import create_customer, create_seller, set_billing_information
from taktura.invoices.models import Document
from taktura.invoices.printing import views_of_ready
from taktura.invoices.services import Issued, Ready, check_payment, confirm_numbering, pay
from taktura.kit.actor import Actor

DAY = date(2026, 3, 10)
LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "31.00"},
    "seat": {"title": "Seat", "charge": "recurring", "price": "10.00", "booking": "add_on", "tier_mode": "volume",
             "tiers": [{"up_to": "5", "price": "10"}, {"price": "8"}]},
    "late": {"title": "Late", "charge": "recurring", "price": "7.00", "when": "arrears"},
    "year": {"title": "Domain", "charge": "recurring", "price": "120", "interval": "1 year", "booking": "add_on"},
    "once": {"title": "Setup", "charge": "once", "price": "99", "booking": "add_on"},
    "call": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.50", "in_minimum": True, "in_cap": True,
             "included": "5"},
}  # fmt: skip
OTHER: dict[str, Any] = {
    "base": {"title": "Base plus", "charge": "recurring", "price": "62.00"},
    "seat": {"title": "Seat plus", "charge": "recurring", "price": "9.00", "booking": "add_on"},
    "new": {"title": "New", "charge": "recurring", "price": "3.10"},
    "call": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.40"},
}


@dataclass
class World:
    """A customer with a contract that is billed up to March, and usage since."""

    actor: Actor
    customer: Customer
    other: Tariff

    @property
    def contract(self) -> Contract:
        """The contract, as it stands."""
        return by_key(self.customer.seller_id, "C")

    def line(self, article: str) -> Any:
        """Its line of an article."""
        return line_for(self.contract, article)


@pytest.fixture(params=["separate", "netted"])
def world(database: str, request: pytest.FixtureRequest) -> World:
    early = Actor("test", datetime(2026, 1, 1, 9, tzinfo=UTC))
    seller = create_seller(
        early, name="S", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]],
        change_documents=request.param,
    )  # fmt: skip
    for kind in ("invoice", "credit_note"):
        confirm_numbering(early, seller=seller, kind=kind, format=kind[0] + "-{number}", next=1)
    customer = create_customer(early, seller=seller, key="K", name="Acme")
    address = {"street": "Street 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    set_billing_information(early, customer=customer, name="Acme", **address)
    first = define_tariff(
        early,
        seller=seller,
        key="first",
        title="First",
        minimum_sales="50",
        cost_cap="60",
        notice="monthly",
        lines=LINES,
    )
    other = define_tariff(early, seller=seller, key="other", title="Other", lines=OTHER)
    sign(
        early, key="C", customer=customer, tariff=first, start=date(2026, 1, 1),
        quantities={"seat": Decimal(4), "year": Decimal(1), "once": Decimal(1)},
    )  # fmt: skip
    march = Actor("test", datetime(2026, 3, 2, 9, tzinfo=UTC))
    billing.bill(march, seller=seller, on=date(2026, 3, 2))
    entries = [
        {"contract": "C", "article": "call", "duration": 60 * n, "at": f"2026-{m:02}-{d:02}T10:00:00+01:00"}
        for n, m, d in ((100, 3, 3), (30, 3, 12), (7, 2, 3))
    ]
    billing.record_usage(march, seller=seller, entries=entries)
    return World(Actor("test", datetime(2026, 3, 10, 9, tzinfo=UTC)), customer, other)


def shown(documents: list[Ready]) -> list[Any]:
    """What a document says, without what only an issued one has."""
    found = []
    for ready in documents:
        lines = [
            (x.entry.contract, x.entry.article, x.entry.title, x.entry.kind, x.amount, x.net, x.quantity,
             *((c.first, c.end, c.unit_price, c.vat) if (c := x.entry.charge) else ()))
            for x in ready.draft.lines
        ]  # fmt: skip
        found.append((ready.draft.kind, ready.draft.references, ready.draft.gross, ready.contract, lines))
    return found


Change = tuple[Callable[[World], list[Ready]], Callable[[World], list[Issued]]]


def _change(preview: Callable[..., Any], do: Callable[..., Any], fields: Callable[[World], dict[str, Any]]) -> Change:
    def foresee(world: World) -> list[Ready]:
        found: billing.Consequence = preview(world.actor, **fields(world))
        if found.refused is not None:
            raise found.refused
        return found.documents

    return foresee, lambda w: do(w.actor, **fields(w))


def quantity(article: str, number: str, day: date) -> Change:
    """Another quantity."""
    fields = lambda w: {"line": w.line(article), "quantity": Decimal(number), "start": day}  # noqa: E731
    return _change(billing.preview_quantity, billing.change_quantity, fields)


def end(article: str, day: date) -> Change:
    """The end of a line."""
    return _change(billing.preview_end, billing.end_line, lambda w: {"line": w.line(article), "until": day})


def book(article: str, now: bool = True, **fields: Any) -> Change:
    """A booking."""
    given = {"article": article, "now": now, "start": DAY, **fields}
    change = _change(billing.preview_book, billing.book, lambda w: {"contract": w.contract, **given})
    return change[0], lambda w: change[1](w)[1]  # type: ignore[return-value]


def notice(article: str = "", **fields: Any) -> Change:
    """Notice."""

    def given(w: World) -> dict[str, Any]:
        return {"contract": w.contract, "received": DAY, "line": w.line(article) if article else None, **fields}

    def preview(w: World) -> list[Ready]:
        found = billing.preview_notice(w.actor, **given(w))
        w.ends = found.ends  # type: ignore[attr-defined]
        return found.documents

    def do(w: World) -> list[Issued]:
        issued = billing.give_notice(w.actor, **given(w))
        assert (w.line(article) if article else w.contract).end == w.ends  # type: ignore[attr-defined]
        return issued

    return preview, do


def pause(start: date, until: date | None = None) -> Change:
    """A pause."""
    return _change(
        billing.preview_pause, billing.pause, lambda w: {"contract": w.contract, "start": start, "end": until}
    )


def tariff(start: date, **fields: Any) -> Change:
    """Another tariff."""
    given = lambda w: {"contract": w.contract, "tariff": w.other, "start": start, **fields}  # noqa: E731
    return _change(billing.preview_tariff, billing.change_tariff, given)


CHANGES: dict[str, Change] = {
    "more seats": quantity("seat", "6", date(2026, 3, 16)),
    "fewer seats": quantity("seat", "2.5", date(2026, 2, 10)),
    "seats as before": quantity("seat", "4", date(2026, 3, 16)),
    "seats later": quantity("seat", "9", date(2026, 5, 1)),
    "no seats": quantity("seat", "0", date(2026, 3, 1)),
    "end of seats": end("seat", date(2026, 3, 20)),
    "end of the yearly line": end("year", date(2026, 4, 1)),
    "end of usage": end("call", date(2026, 3, 11)),
    "end of what is billed in arrears": end("late", date(2026, 2, 15)),
    "a seat now": book("seat", quantity=Decimal(2)),
    "a seat now, cheaper": book("seat", price=Decimal("6.66"), discount=Decimal(15), reason="friend", name="x"),
    "a seat with the next bill": book("seat", now=False),
    "a seat before": book("seat", start=date(2026, 2, 3), end=date(2026, 3, 5)),
    "once": book("once", quantity=Decimal(3)),
    "a year": book("year"),
    "notice": notice(),
    "notice to a day": notice(wish=date(2026, 6, 30)),
    "notice long ago": notice(received=date(2026, 1, 10)),
    "notice of a line": notice("seat", received=date(2026, 1, 20)),
    "pause": pause(date(2026, 3, 12), date(2026, 3, 22)),
    "pause in the past": pause(date(2026, 2, 20), date(2026, 3, 5)),
    "pause without end": pause(date(2026, 3, 1)),
    "pause later": pause(date(2026, 6, 1)),
    "tariff": tariff(date(2026, 3, 16)),
    "tariff with new dates": tariff(date(2026, 3, 16), keep_billing_dates=False),
    "tariff that keeps a line": tariff(date(2026, 3, 16), keep=["year", "late"], keep_terms=False),
    "tariff in the past": tariff(date(2026, 2, 11)),
    "tariff at the border": tariff(date(2026, 4, 1)),
    "tariff later": tariff(date(2026, 8, 1)),
    "interim bill": _change(
        billing.preview_interim, billing.interim_bill, lambda w: {"contract": w.contract, "leave_out": ()}
    ),
    "interim bill without usage": _change(
        billing.preview_interim, billing.interim_bill, lambda w: {"contract": w.contract, "leave_out": ["usage"]}
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_preview_is_what_happens(world: World, name: str) -> None:
    preview, do = CHANGES[name]
    before = fingerprints()
    foreseen = preview(world)
    assert fingerprints() == before
    done = do(world)
    assert shown(foreseen) == shown([d.ready for d in done])


def test_most_changes_of_the_table_make_documents(world: World) -> None:
    """Else it would compare nothing with nothing."""
    counts = {name: len(preview(world)) for name, (preview, _) in CHANGES.items()}
    assert sum(1 for count in counts.values() if count) > len(CHANGES) * 0.7, counts


@pytest.mark.parametrize(
    "lines", [None, [{"line": 1, "net": "5.00"}], [{"line": 2}, {"line": 3, "quantity": "2"}]], ids=str
)
@pytest.mark.parametrize("rebill", [False, True])
def test_credits(world: World, lines: Any, rebill: bool) -> None:
    invoice = Document.objects.order_by("id").first()
    assert invoice is not None
    fields: dict[str, Any] = {"document": invoice, "lines": lines, "rebill": rebill, "reason": "as agreed"}
    before = fingerprints()
    try:
        foreseen = billing.preview_credit(**fields)
    except Refused as refusal:
        with pytest.raises(Refused) as refused:
            billing.credit(world.actor, **fields)
        assert refused.value.code == refusal.code
        return
    assert fingerprints() == before and foreseen
    assert shown(foreseen) == shown([d.ready for d in billing.credit(world.actor, **fields)])


def test_a_sale(world: World) -> None:
    lines = [{"title": "A", "price": "10.005", "quantity": "3", "discount": "10"}, {"title": "B", "price": "1"}]
    before = fingerprints()
    (foreseen,) = billing.preview_sale(world.actor, customer=world.customer, lines=lines)
    assert fingerprints() == before
    billing.sell(world.actor, customer=world.customer, lines=lines)
    outcome = billing.bill(world.actor, seller=world.customer.seller, on=DAY, preview=True)
    sold = [x for r in outcome.ready for x in r.draft.lines if x.entry.kind == "sales_item"]
    assert [(x.entry.title, x.net) for x in sold] == [(x.entry.title, x.net) for x in foreseen.draft.lines]


def test_a_payment(world: World) -> None:
    invoice = Document.objects.order_by("id").first()
    assert invoice is not None
    paid, rest, state = check_payment(invoice, Decimal("1.00"), on=DAY, today=DAY)
    assert (paid.minor, rest.minor, state) == (100, invoice.gross - 100, "partly_paid")
    pay(world.actor, document=invoice, amount=Decimal("1.00"), on=DAY)
    assert check_payment(invoice, rest.exact, on=DAY, today=DAY)[2] == "paid"
    with pytest.raises(Refused):
        check_payment(invoice, Decimal("0.001"), on=DAY, today=DAY)


REFUSED: dict[str, tuple[Change, str]] = {
    "quantity of usage": (quantity("call", "3", DAY), "quantity_not_changeable"),
    "end before the beginning": (end("seat", date(2025, 1, 1)), "invalid"),
    "what is not in the tariff": (book("nothing"), "not_found"),
    "part of the tariff": (book("base"), "invalid"),
    "less than nothing": (book("seat", discount=Decimal(101)), "invalid"),
    "before the contract": (book("seat", start=date(2025, 1, 1)), "invalid"),
    "pause backwards": (pause(DAY, DAY), "invalid"),
    "tariff too early": (tariff(date(2026, 1, 1)), "invalid"),
    "keeps what is not there": (tariff(DAY, keep=["x"]), "not_found"),
    "resumption": (
        _change(billing.preview_resume, billing.resume, lambda w: {"contract": w.contract, "start": DAY}),
        "invalid",
    ),
    "withdrawal": (
        _change(billing.preview_withdrawal, billing.withdraw_notice, lambda w: {"contract": w.contract}), "invalid",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_preview_refuses_alike(world: World, name: str) -> None:
    (preview, do), code = REFUSED[name]
    for way in (preview, do):
        with pytest.raises(Refused) as refused:
            way(world)
        assert refused.value.code == code


def test_without_billing_information_both_refuse(world: World) -> None:
    set_billing_information(world.actor, customer=world.customer, street="")
    for way in CHANGES["more seats"]:
        with pytest.raises(Refused) as refused:
            way(world)
        assert refused.value.code == "billing_information_missing"


def test_a_pause_over_a_pause_is_refused_in_advance(world: World) -> None:
    preview, do = pause(date(2026, 3, 12), date(2026, 3, 22))
    do(world)
    for start, until in ((date(2026, 3, 1), date(2026, 3, 13)), (date(2026, 3, 21), None), (date(2026, 3, 12), None)):
        for way in pause(start, until):
            with pytest.raises(Refused) as refused:
                way(world)
            assert refused.value.code == "conflict"
    for way in pause(date(2026, 3, 22), date(2026, 3, 23)):
        way(world)
    assert preview is not do


def test_a_later_bill_that_corrects_a_foreseen_one_is_told(world: World) -> None:
    """What it corrects has no number yet: the document is shown without, on the page and by the API."""
    (ready,) = billing.preview_sale(world.actor, customer=world.customer, lines=[{"title": "Router", "price": "10"}])
    number = Document.objects.latest("pk")
    note = replace(ready, draft=replace(ready.draft, kind="credit_note", references=(number.pk, NEW)))
    (told,) = drafts_out([note])
    assert told.references == [number.number]
    (view,) = views_of_ready(world.actor, [note], DAY)
    assert view.references == (number.number,)
