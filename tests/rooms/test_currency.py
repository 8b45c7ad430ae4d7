"""Amounts in another currency: they wait, or are converted by the dated rate that the contract's rule names. A rate
that is corrected changes nothing until somebody says so."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from django.db import transaction

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.explain import explain, plainly
from taktura.billing.proof import verify
from taktura.catalog import services as catalog
from taktura.catalog.terms import read_rates as vat
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.core.exchange import Rate, conversion, wanted_day
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import ExchangeRate, Supplier, UsageException, UsageHistory, UsageRecord
from taktura.usage.reader.rates import read_rates

ADDRESS = {"street": "Hauptstraße 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
JULY, AUGUST, SEPTEMBER = date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)
ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time="2026-06-26"><Cube currency="USD" rate="1.0823"/><Cube currency="SEK" rate="11.2345"/></Cube>
    <Cube time="2026-06-25"><Cube currency="USD" rate="1.08"/></Cube>
  </Cube>
</gesmes:Envelope>"""


def by(day: date) -> Actor:
    """The system on a day."""
    return Actor("tests", datetime(day.year, day.month, day.day, 9, tzinfo=UTC))


@pytest.fixture
def supplier(database: str, actor: Actor) -> Iterator[Supplier]:
    """A supplier in USD of whom S-1 is tied to a line at cost plus 10 %, S-2 to one at the imported price; in EUR."""
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=vat(19)
    )
    for kind in ("invoice", "credit_note"):
        confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "-{number}", next=1)
    lines = {
        "plus": {"charge": "usage", "usage_pricing": "cost_plus", "markup": 10},
        "theirs": {"charge": "usage", "usage_pricing": "imported_price"},
    }
    tariff = catalog.define_tariff(actor, seller=seller, key="cloud", title="Cloud", interval="1 month", lines=lines)
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    customers.set_billing_information(actor, customer=customer, name="Acme", **ADDRESS)
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 6, 1))
    made = usage.create_supplier(actor, seller=seller, key="sun", create_subscriptions=True, currency="USD")
    for reference, article in (("S-1", "plus"), ("S-2", "theirs")):
        usage.link(actor, supplier=made, reference=reference, line=ContractLine.objects.get(article__key=article))
    yield made


def allow(rule: str = "day") -> None:
    """Let the contract convert."""
    billing.allow_conversion(by(JULY), contract=Contract.objects.get(key="C1"), rule=rule)


def take(supplier: Supplier, *rows: dict[str, Any]) -> None:
    """Import rows."""
    base = {"subscription_id": "S-1", "quantity": 1, "cost_amount": "100"}
    billing.import_rows(by(JULY), supplier=supplier, rows=[base | row for row in rows])


def rated(supplier: Supplier, *rates: tuple[str, str, str, str]) -> Any:
    """Enter rates."""
    given = [Rate(a, b, date.fromisoformat(day), Decimal(rate)) for a, b, day, rate in rates]
    return billing.set_rates(by(JULY), seller=supplier.seller, rates=given)


def bill(supplier: Supplier, on: date) -> list[tuple[str, int]]:
    """Bill what is due: kind and net of the new documents."""
    before = set(Document.objects.values_list("pk", flat=True))
    billing.bill(by(on), seller=supplier.seller, on=on, processes=1)
    return list(Document.objects.exclude(pk__in=before).order_by("pk").values_list("kind", "net"))


def reasons() -> list[str]:
    """Why records wait."""
    return list(UsageException.objects.order_by("record__external_id").values_list("reason", flat=True))


def test_without_leave_it_waits_and_with_it_a_rate_is_needed(supplier: Supplier) -> None:
    take(supplier, {"id": 1, "period_start": "2026-06-26"})
    assert reasons() == ["currency"]
    allow()
    assert reasons() == ["no_rate"]
    assert bill(supplier, JULY) == []
    taken, tied = rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    assert (taken.new, tied.recorded, tied.waiting, reasons()) == (1, 1, [], [])
    record = UsageRecord.objects.get()
    assert (record.rate_day, record.rate_over, record.rate_under, record.rate_to) == (
        date(2026, 6, 26), 1, Decimal("1.25"), "EUR",
    )  # fmt: skip
    assert bill(supplier, JULY) == [("invoice", 8800)], "100 USD ÷ 1.25 and 10 %"
    assert verify() == []


def test_quantities_need_no_rate(supplier: Supplier) -> None:
    allow()
    take(supplier, {"id": 1, "period_start": "2026-06-26", "cost_amount": None})
    assert reasons() == []
    assert UsageRecord.objects.get().rate_day is None


@pytest.mark.parametrize(("day", "waits"), [("2026-06-28", False), ("2026-07-03", False), ("2026-07-04", True)])
def test_over_the_weekend_the_last_rate_holds_but_none_that_is_too_old(
    supplier: Supplier, day: str, waits: bool
) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    take(supplier, {"id": 1, "period_start": day})
    assert reasons() == (["no_rate"] if waits else [])
    customers.change_seller(by(JULY), seller=supplier.seller, rate_days=8)
    billing.process_again(by(JULY), seller=supplier.seller)
    assert reasons() == []


def test_the_rule_of_the_month_and_each_pricing(supplier: Supplier) -> None:
    allow("month")
    rated(supplier, ("EUR", "USD", "2026-06-01", "1.25"), ("EUR", "USD", "2026-06-26", "2"))
    take(
        supplier,
        {"id": 1, "period_start": "2026-06-26"},
        {"id": 2, "period_start": "2026-06-27", "cost_amount": "-50"},
        {"id": 3, "subscription_id": "S-2", "period_start": "2026-06-26", "amount": "10"},
        {"id": 4, "subscription_id": "S-2", "period_start": "2026-06-26", "amount": "10", "currency": "EUR"},
    )
    assert bill(supplier, JULY) == [("invoice", 4400 + 800 + 1000)]


def test_a_span_is_split_by_days_and_rounded_once(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-20", "1.0823"))
    take(supplier, {"id": 1, "period_start": "2026-06-21", "period_end": "2026-07-20", "cost_amount": "100"})
    exact = [Fraction(100) * n / 30 / Fraction("1.0823") * Fraction("1.1") for n in (10, 20)]
    assert bill(supplier, JULY) == [("invoice", round(exact[0] * 100))]
    assert bill(supplier, AUGUST) == [("invoice", round(exact[1] * 100))]
    assert verify() == []


def test_the_proof_tells_amount_rate_and_day(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-25", "1.25"), ("EUR", "USD", "2026-06-26", "1.6"))
    take(supplier, {"id": 1, "period_start": "2026-06-25"}, {"id": 2, "period_start": "2026-06-26"},
         {"id": 3, "period_start": "2026-06-26"})  # fmt: skip
    bill(supplier, JULY)
    found = explain(Document.objects.get(), 1)
    assert found.proof["converted"] == [
        {"currency": "USD", "day": "2026-06-25", "over": "1", "under": "1.25", "amount": "100", "is": "80"},
        {"currency": "USD", "day": "2026-06-26", "over": "1", "under": "1.6", "amount": "200", "is": "125"},
    ]
    steps = dict(found.texts("en", plainly))
    assert steps["converted"] == ("100 USD ÷ 1.25 (rate of 2026-06-25) = 80; 200 USD ÷ 1.6 (rate of 2026-06-26) = 125")
    assert steps["sum of the rows' cost"] == "205"
    assert [(r["currency"], r["rate_day"]) for r in found.rows()][0] == ("USD", date(2026, 6, 25))


def test_a_corrected_rate_changes_nothing_until_somebody_says_so(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    take(supplier, {"id": 1, "period_start": "2026-06-26"}, {"id": 2, "period_start": "2026-06-28"})
    assert bill(supplier, JULY) == [("invoice", 17600)]
    taken, _ = rated(supplier, ("EUR", "USD", "2026-06-26", "1.6"))
    assert (taken.new, taken.changed, taken.corrected) == (0, 1, [["EUR", "USD", "2026-06-26", "1.25", "1.6"]])
    assert bill(supplier, JULY + timedelta(days=1)) == []
    contract = Contract.objects.get(key="C1")
    days = {"first": date(2026, 6, 28), "end": JULY}
    pair = {"seller": supplier.seller, "source": "USD", "target": "EUR"}
    with transaction.atomic():
        assert usage.foresee_conversion(**pair, **days).records == 1
    again, _ = billing.convert_again(by(JULY), **pair, **days)
    assert (again.records, again.contracts) == (1, {contract.pk})
    assert UsageHistory.objects.get().record["rate_under"] == Decimal("1.25")
    assert bill(supplier, JULY + timedelta(days=2)) == [("credit_note", 8800 - 6875)]
    assert verify() == []
    first = Document.objects.order_by("pk").first()
    assert first is not None
    assert [r["rate_under"] for r in explain(first, 1).rows()] == [Decimal("1.25")] * 2, "as they were then"
    again, _ = billing.convert_again(by(JULY), **pair, **days)
    assert again.records == 0


def test_what_comes_back_has_the_rate_that_it_had(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    take(supplier, {"id": 1, "period_start": "2026-06-28"})
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.6"))
    contract = Contract.objects.get(key="C1")
    billing.pause(by(JULY), contract=contract, start=date(2026, 6, 28), end=date(2026, 6, 29))
    assert reasons() == ["paused"]
    billing.resume(by(JULY), contract=contract, start=date(2026, 6, 28))
    assert reasons() == []
    assert UsageRecord.objects.get().rate_under == Decimal("1.25")


def test_closed_periods_and_contracts_without_leave_stay(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    take(supplier, {"id": 1, "period_start": "2026-06-26"}, {"id": 2, "period_start": "2026-06-28"})
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.6"))
    days = {"seller": supplier.seller, "source": "USD", "target": "EUR", "first": date(2026, 6, 1), "end": JULY}
    customers.close_period(by(JULY), seller=supplier.seller, until=date(2026, 6, 27))
    assert billing.convert_again(by(JULY), **days)[0].records == 1
    allow("")
    assert reasons() == [], "what is recorded keeps its rate"
    rated(supplier, ("EUR", "USD", "2026-06-26", "3"))
    assert billing.convert_again(by(JULY), **days)[0].records == 0
    take(supplier, {"id": 3, "period_start": "2026-06-28"})
    assert reasons() == ["currency"]


def test_a_revision_is_converted_anew_and_another_contract_forgets_the_rate(supplier: Supplier) -> None:
    allow()
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.25"))
    take(supplier, {"id": 1, "revision": 1, "period_start": "2026-06-26"})
    rated(supplier, ("EUR", "USD", "2026-06-26", "1.6"))
    take(supplier, {"id": 1, "revision": 2, "period_start": "2026-06-26", "cost_amount": "160"})
    assert UsageRecord.objects.get().rate_under == Decimal("1.6")
    lines = {"plus": {"charge": "usage", "usage_pricing": "cost_plus"}}
    tariff = catalog.define_tariff(
        by(JULY), seller=supplier.seller, key="us", title="US", interval="1 month", currency="USD", lines=lines
    )
    contracts.sign(by(JULY), key="C2", customer=Contract.objects.get().customer, tariff=tariff, start=date(2026, 6, 1))
    usage.unlink(
        by(JULY),
        supplier=supplier,
        reference="S-1",
        line=ContractLine.objects.get(contract__key="C1", article__key="plus"),
    )
    other = ContractLine.objects.get(contract__key="C2")
    billing.tie(by(JULY), supplier=supplier, ties=[("S-1", other)])
    record = UsageRecord.objects.get()
    assert (record.line_id, record.rate_day, record.rate_to) == (other.pk, None, None)


@pytest.mark.parametrize("seed", range(4))
def test_sql_takes_the_rate_that_the_core_names(supplier: Supplier, seed: int) -> None:
    chance = Random(seed)
    allow(chance.choice(["day", "month"]))
    rule = Contract.objects.get().conversion
    rates = {}
    for _ in range(40):
        base, quote = chance.sample(["EUR", "USD", "SEK", "CHF"], 2)
        day = date(2026, 6, 1) + timedelta(days=chance.randrange(-9, 40))
        rates[base, quote, day] = Rate(base, quote, day, Decimal(chance.randrange(1, 10**6)) / 1000)
    billing.set_rates(by(JULY), seller=supplier.seller, rates=list(rates.values()))
    rows = [
        {"id": n, "period_start": (date(2026, 6, 1) + timedelta(days=n)).isoformat(), "currency": currency}
        for n in range(40)
        for currency in ([chance.choice(["USD", "SEK", "CHF"])])
    ]
    take(supplier, *rows)
    found = {r.external_id: r for r in UsageRecord.objects.all()}
    for row in rows:
        record = found[str(row["id"])]
        wanted = conversion(rates.values(), record.currency, "EUR", wanted_day(rule, record.day))
        has = (record.rate_day, record.rate_over, record.rate_under) if record.rate_day else None
        assert has == wanted


def test_rates_of_the_central_bank_and_from_csv(supplier: Supplier) -> None:
    rates, source = read_rates(ECB)
    assert (len(rates), source) == (3, "ECB")
    taken, _ = billing.set_rates(by(JULY), seller=supplier.seller, rates=rates, source=source)
    assert (taken.new, taken.changed, taken.same) == (3, 0, 0)
    text = "\ufefffrom;to;day;rate\r\nusd;EUR;2026-06-26;0,92\r\n\r\nEUR;USD;2026-06-26;1.0823\r\n"
    rates, source = read_rates(text.encode())
    taken, _ = billing.set_rates(by(JULY), seller=supplier.seller, rates=rates, source=source)
    assert (taken.new, taken.changed, taken.same, source) == (1, 0, 1, "CSV")
    assert ExchangeRate.objects.get(base="USD").rate == Decimal("0.92")
    assert LogEntry.objects.filter(action="set_rates").count() == 2
    usage.remove_rate(by(JULY), seller=supplier.seller, base="USD", quote="EUR", day=date(2026, 6, 26))
    with pytest.raises(Refused, match="no rate from USD to EUR"):
        usage.remove_rate(by(JULY), seller=supplier.seller, base="USD", quote="EUR", day=date(2026, 6, 26))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "headings"),
        (b"from,to,day\nUSD,EUR,2026-06-26\n", "headings"),
        (b"from,to,day,rate\n", "no rates"),
        (b"from,to,day,rate\nUSD,EUR,2026-06-26,0.9\nUSD,EUR,26.06.2026,0.9\n", "at 3 "),
        (b"from,to,day,rate\nUSD,EUR,2026-06-26\n", "at 2 "),
        (b"from,to,day,rate\nUSD,EUR,2026-06-26,-1\n", "at 2 "),
        (b"\xff\xfe,", "no text"),
        (b"<Cube><Cube time='2026-06-26'>", "damaged"),
        (b"<Cube/>", "no rates"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><Cube/>", "parts that"),
        (b"<Cube><Cube time='yesterday'><Cube currency='USD' rate='1'/></Cube></Cube>", "at yesterday USD"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(content: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_rates(content)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (Rate("USD", "USD", JULY, Decimal(1)), "from one currency to another"),
        (Rate("DOLLAR", "EUR", JULY, Decimal(1)), "three letters"),
        (Rate("USD", "EUR", JULY, Decimal(0)), "no rate"),
        (Rate("USD", "EUR", JULY, Decimal("0.0000000000001")), "no rate"),
        (Rate("USD", "EUR", date(1800, 1, 1), Decimal(1)), "no day"),
    ],
)
def test_rates_that_are_none_are_refused(supplier: Supplier, rate: Rate, said: str) -> None:
    with pytest.raises(Refused, match=said):
        billing.set_rates(by(JULY), seller=supplier.seller, rates=[rate])
    two = [Rate("USD", "EUR", JULY, Decimal(1)), Rate("USD", "EUR", JULY, Decimal(2))]
    with pytest.raises(Refused, match="two rates"):
        billing.set_rates(by(JULY), seller=supplier.seller, rates=two)
    assert not ExchangeRate.objects.exists()


def test_settings_out_of_reach_are_refused(supplier: Supplier) -> None:
    for days in (0, 61, True, "7"):
        with pytest.raises(Refused, match="whole number"):
            customers.change_seller(by(JULY), seller=supplier.seller, rate_days=days)
    with pytest.raises(Refused, match="not one of"):
        allow("year")
    assert Seller.objects.get().rate_days == 7
