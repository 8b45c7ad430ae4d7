"""Control: usage is held against its bounds as it arrives, by whatever way, once a period; corrections count too."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.audit.models import LogEntry
from taktura.audit.services import broken_entries
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.control import services
from taktura.control.mailing import MOST
from taktura.control.models import Alert
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.kit.jobs.worker import run_worker
from taktura.kit.mail.models import OutgoingMail
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageMark, UsageRecord

SELLER: dict[str, Any] = {
    "name": "Seller GmbH", "country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin", "vat": [[None, "19"]],
}  # fmt: skip
LINES: dict[str, Any] = {
    "calls": {"title": "Calls", "charge": "usage", "price": "1.00", "in_cap": True},
    "flat": {
        "title": "Flat", "charge": "usage", "unit": "minute", "flat_price": True, "price": "30.00",
        "reference_price": "0.10",
    },
    "pack": {"title": "Pack", "charge": "usage", "price": "1.00", "included": "100"},
    "free": {"title": "Free", "charge": "usage", "price": "1.00"},
}  # fmt: skip
JUNE = datetime(2026, 6, 10, 8, tzinfo=UTC)
END = datetime(2026, 6, 30, 8, tzinfo=UTC)


@pytest.fixture
def actor() -> Actor:
    return Actor("test", END)


@pytest.fixture
def seller(database: str) -> Seller:
    """A seller with a tariff that has a bound of each kind."""
    made = customers.create_seller(Actor("test", JUNE), **SELLER)
    catalog.define_tariff(
        Actor("test", JUNE), seller=made, key="t", title="T", cost_cap="10.00", tolerance="10", lines=LINES
    )
    return made


@pytest.fixture
def sign(seller: Seller) -> Callable[..., Contract]:
    def made(key: str = "V", of: Seller | None = None, start: date = date(2026, 6, 1)) -> Contract:
        owner = of or seller
        customer = customers.create_customer(Actor("test", JUNE), seller=owner, key=key, name=f"Firma {key}")
        tariff = Tariff.objects.get(seller=owner)
        return contracts.sign(Actor("test", JUNE), key=key, customer=customer, tariff=tariff, start=start)

    return made


def used(contract: str, article: str, amount: int, **more: Any) -> dict[str, Any]:
    what = {"duration": amount * 60} if article == "flat" else {"quantity": Decimal(amount)}
    return {"contract": contract, "article": article, **what, **more}


def send(actor: Actor, seller: Seller, *entries: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Record usage and look; gives the alerts that were raised: contract, kind, forecast."""
    billing.record_usage(actor, seller=seller, entries=entries)
    return raised(services.watch(actor))


def raised(alerts: list[Alert]) -> list[tuple[str, str, bool]]:
    return [(a.contract.key, a.kind, a.forecast) for a in alerts]


def states() -> dict[tuple[str, bool], str]:
    return {(a.kind, a.forecast): a.state for a in Alert.objects.all()}


def actions() -> list[str]:
    return [e.action for e in LogEntry.objects.order_by("id") if "alert" in e.action]


def test_each_kind_is_raised_once_a_period_and_again_in_the_next(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    sign()
    entries = [used("V", "calls", 12), used("V", "flat", 331), used("V", "pack", 111), used("V", "free", 9999)]
    assert send(actor, seller, *entries) == [("V", "cap", False), ("V", "flat", False), ("V", "included", False)]
    assert send(actor, seller, *entries) == []
    july = actor.at(datetime(2026, 7, 31, 8, tzinfo=UTC))
    assert send(july, seller, *entries) == [("V", "cap", False), ("V", "flat", False), ("V", "included", False)]
    cap = Alert.objects.get(kind="cap", start="2026-06-01")
    assert (cap.value, cap.bound, cap.tolerance, cap.share, cap.line) == (24, 10, 10, 240, None)
    assert (cap.end, cap.days, cap.begun) == (date(2026, 7, 1), 30, 30)
    flat = Alert.objects.get(kind="flat", start="2026-06-01")
    assert (flat.value, flat.bound, flat.line.article.key) == (Decimal("66.2"), 30, "flat")  # type: ignore[union-attr]
    included = Alert.objects.get(kind="included", start="2026-07-01")
    assert (included.value, included.bound, included.unit) == (111, 100, "piece")
    assert actions() == ["alert_raised"] * 6
    assert broken_entries() == []


def test_the_bound_and_its_tolerance_are_not_above_it(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    sign()
    assert send(actor, seller, used("V", "calls", 11), used("V", "flat", 330), used("V", "pack", 110)) == []
    assert not UsageMark.objects.exists()


def test_a_forecast_comes_first_and_comes_true(seller: Seller, sign: Callable[..., Contract]) -> None:
    """R19.2: 4 in 10 of 30 days become 12, above 11; the alert of the bound itself stands for it later."""
    sign()
    assert send(Actor("t", JUNE), seller, used("V", "calls", 4)) == [("V", "cap", True)]
    alert = Alert.objects.get()
    assert (alert.value, alert.foreseen, alert.share, alert.begun) == (4, 12, 120, 10)
    later = Actor("t", JUNE.replace(day=20))
    assert send(later, seller, used("V", "calls", 8)) == [("V", "cap", False)]
    assert states() == {("cap", True): "reached", ("cap", False): "open"}
    assert send(later, seller, used("V", "calls", 1)) == []


def test_a_forecast_that_usage_does_not_bear_out_is_resolved(seller: Seller, sign: Callable[..., Contract]) -> None:
    sign()
    assert send(Actor("t", JUNE), seller, used("V", "calls", 4)) == [("V", "cap", True)]
    assert services.watch(Actor("t", END)) == [], "time alone changes nothing"
    assert states() == {("cap", True): "open"}
    assert send(Actor("t", END), seller, used("V", "calls", 1)) == []
    assert states() == {("cap", True): "resolved"}


def test_corrections_and_withdrawals_bring_it_back(seller: Seller, sign: Callable[..., Contract], actor: Actor) -> None:
    """R19.2: resolved; crossed once more it is the same alert, open again, and none is raised."""
    sign()
    assert len(send(actor, seller, used("V", "calls", 12, id="a"), used("V", "pack", 111, id="b"))) == 2
    billing.correct_usage(
        actor, seller=seller, record=UsageRecord.objects.get(external_id="a"), changes={"quantity": "11"}
    )
    assert raised(services.watch(actor)) == []
    assert states() == {("cap", False): "resolved", ("included", False): "open"}
    usage.withdraw_usage(actor, seller=seller, external_id="b")
    services.watch(actor)
    assert states() == {("cap", False): "resolved", ("included", False): "resolved"}
    assert Alert.objects.get(kind="included").value == 0
    assert send(actor, seller, used("V", "calls", 1)) == []
    assert states()["cap", False] == "open"
    assert actions() == ["alert_raised", "alert_raised", "alert_resolved", "alert_resolved", "alert_raised_again"]


def test_the_forecast_stands_again_when_the_bound_is_not_crossed_any_more(
    seller: Seller, sign: Callable[..., Contract]
) -> None:
    sign()
    early = Actor("t", JUNE)
    send(early, seller, used("V", "calls", 5))
    send(early, seller, used("V", "calls", 20, id="much"))
    assert states() == {("cap", True): "reached", ("cap", False): "open"}
    usage.withdraw_usage(early, seller=seller, external_id="much")
    assert services.watch(early) == []
    assert states() == {("cap", True): "open", ("cap", False): "resolved"}


def test_usage_that_waited_counts_when_it_finds_its_line(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    """By linking, by processing again, by sending it elsewhere; and what a line loses is looked at, too."""
    contract = sign()
    supplier = usage.create_supplier(actor, seller=seller, key="sun", currency="EUR", time_zone="UTC", name="Sun")
    rows = [{"subscription_id": "s1", "quantity": "111", "period_start": date(2026, 6, 20), "id": "1"}]
    billing.import_rows(actor, supplier=supplier, rows=rows)
    assert services.watch(actor) == []
    line = ContractLine.objects.get(contract=contract, article__key="pack")
    billing.tie(actor, supplier=Supplier.objects.get(), ties=[("s1", line)])
    assert raised(services.watch(actor)) == [("V", "included", False)]
    billing.untie(actor, supplier=supplier, reference="s1", line=line)
    services.watch(actor)
    assert states() == {("included", False): "resolved"}
    send(actor, seller, used("later", "pack", 500))
    sign("later")
    billing.process_again(actor, seller=seller)
    assert raised(services.watch(actor)) == [("later", "included", False)]


def test_a_partial_period_has_its_own_days(seller: Seller, sign: Callable[..., Contract]) -> None:
    """15 of 30 days: the flat price counts by days, the cap does not; begun are 5 of 15 on 20 June."""
    catalog.define_tariff(
        Actor("t", JUNE), seller=seller, key="calendar", anchor="calendar", cost_cap="10.00", lines=LINES
    )
    customer = customers.create_customer(Actor("t", JUNE), seller=seller, key="K", name="K")
    tariff = Tariff.objects.get(key="calendar")
    contracts.sign(Actor("t", JUNE), key="P", customer=customer, tariff=tariff, start=date(2026, 6, 16))
    on = Actor("t", datetime(2026, 6, 20, 8, tzinfo=UTC))
    assert send(on, seller, used("P", "flat", 50), used("P", "calls", 3)) == []
    assert send(on, seller, used("P", "flat", 1), used("P", "calls", 1)) == [("P", "cap", True), ("P", "flat", True)]
    flat = Alert.objects.get(kind="flat")
    assert (flat.bound, flat.days, flat.begun, flat.foreseen) == (15, 15, 5, Decimal("15.3"))
    assert Alert.objects.get(kind="cap").foreseen == 12


def test_days_are_those_of_each_sellers_time_zone(seller: Seller, sign: Callable[..., Contract]) -> None:
    """At 23:00 UTC on 14 June it is the 15th in Berlin: 15 of 30 days have begun there, 14 in New York."""
    other = customers.create_seller(Actor("t", JUNE), **{**SELLER, "name": "Other", "time_zone": "America/New_York"})
    catalog.define_tariff(
        Actor("t", JUNE), seller=other, key="t", title="T", cost_cap="10.00", tolerance="10", lines=LINES
    )
    sign("east")
    sign("west", other)
    night = Actor("t", datetime(2026, 6, 14, 23, tzinfo=UTC))
    for one, key in ((seller, "east"), (other, "west")):
        billing.record_usage(night, seller=one, entries=[used(key, "calls", 5)] + [used(key, "pack", 54)])
    found = services.watch(night)
    assert raised(found) == [("west", "included", True)], "108 in Berlin, 115.7 in New York"
    alert = found[0]
    assert (alert.begun, alert.seller) == (14, other)


def test_what_arrives_while_no_worker_is_there_counts_by_the_day_on_which_it_arrived(
    seller: Seller, sign: Callable[..., Contract]
) -> None:
    sign()
    billing.record_usage(Actor("t", JUNE), seller=seller, entries=[used("V", "calls", 4)])
    assert raised(services.watch(Actor("t", END))) == [("V", "cap", True)]


def test_a_batch_takes_a_fixed_number_of_queries(seller: Seller, sign: Callable[..., Contract], actor: Actor) -> None:
    counts = []
    for size in (1, 12):
        keys = [sign(f"{size}-{n}").key for n in range(size)]
        billing.record_usage(actor, seller=seller, entries=[used(k, "calls", 12) for k in keys])
        with CaptureQueriesContext(connection) as queries:
            assert len(services.watch(actor)) == size
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_contracts_with_something_to_watch_are_marked(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    watched = sign()
    catalog.define_tariff(actor, seller=seller, key="plain", lines={"free": LINES["free"]})
    customer = customers.create_customer(actor, seller=seller, key="K", name="K")
    plain = Tariff.objects.get(key="plain")
    contracts.sign(actor, key="P", customer=customer, tariff=plain, start=date(2026, 6, 1))
    billing.record_usage(
        actor, seller=seller, entries=[used("P", "free", 1), used("V", "pack", 1), used("V", "calls", 1)] * 3
    )
    mark = UsageMark.objects.get()
    assert (mark.contract, mark.first, mark.end) == (watched, date(2026, 6, 30), date(2026, 7, 1))
    at = datetime(2026, 6, 2, tzinfo=UTC)
    billing.record_usage(actor, seller=seller, entries=[used("V", "pack", 1, at=at)])
    mark.refresh_from_db()
    assert (mark.first, mark.end) == (date(2026, 6, 2), date(2026, 7, 1))


def test_a_look_that_breaks_off_leaves_its_marks_and_the_next_one_takes_them_up(
    seller: Seller, sign: Callable[..., Contract], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign()
    billing.record_usage(actor, seller=seller, entries=[used("V", "calls", 12)])
    with monkeypatch.context() as patch:
        patch.setattr(services, "told", lambda outcome: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.watch(actor)
    assert not Alert.objects.exists()
    assert UsageMark.objects.count() == 1
    assert raised(services.watch(actor)) == [("V", "cap", False)]


def test_a_contract_that_cannot_be_rated_does_not_stop_the_others(
    seller: Seller, sign: Callable[..., Contract], actor: Actor, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    from taktura.control import watching

    broken = sign("A")
    sign("B")
    rate = watching.watches

    def watches(contract: Any, *more: Any) -> Any:
        if contract.id == broken.pk:
            raise ArithmeticError("broken")
        return rate(contract, *more)

    monkeypatch.setattr(watching, "watches", watches)
    entries = [used(key, "calls", 200) for key in ("A", "B")]
    assert {key for key, _, _ in send(actor, seller, *entries)} == {"B"}
    assert f"contract {broken.pk} cannot be watched" in caplog.text
    monkeypatch.undo()
    assert send(actor, seller, used("A", "calls", 1)) == [("A", "cap", False)], "the next usage is looked at again"


def test_usage_wakes_the_worker(seller: Seller, sign: Callable[..., Contract], actor: Actor) -> None:
    """Once for a transaction, however much came; what waits for its turn is not woken again."""
    sign()
    for _ in range(3):
        billing.record_usage(actor, seller=seller, entries=[used("V", "calls", 4), used("V", "pack", 1)])
    assert ProcrastinateJob.objects.filter(task_name="watch_usage", status="todo").count() == 1
    run_worker(until_done=True)
    assert states()["cap", False] == "open"
    assert LogEntry.objects.get(action="alert_raised").actor == "schedule"


def test_usage_under_a_mark_that_waits_wakes_nobody(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    """Who made the mark woke the worker, and it takes the mark with all that came to it."""
    sign()
    jobs = ProcrastinateJob.objects.filter(task_name="watch_usage")
    for calls, woken in ((1, 1), (11, 0)):
        with CaptureQueriesContext(connection) as queries:
            billing.record_usage(actor, seller=seller, entries=[used("V", "calls", calls)])
        assert sum("procrastinate_defer" in query["sql"] for query in queries) == woken
    run_worker(until_done=True)
    billing.record_usage(actor, seller=seller, entries=[used("V", "calls", 1)])
    assert jobs.filter(status="todo").count() == 1, "a new mark wakes it again"
    assert states()["cap", False] == "open", "what came under the mark was looked at"


def test_batches_follow_one_another(
    seller: Seller, sign: Callable[..., Contract], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    keys = [sign(f"V{n}").key for n in range(5)]
    assert send(actor, seller, *[used(k, "calls", 12) for k in keys]) == [(k, "cap", False) for k in keys]


def test_control_changes_no_price(seller: Seller, sign: Callable[..., Contract], actor: Actor) -> None:
    contract = sign()
    customers.set_billing_information(
        actor, customer=contract.customer, name="K", street="S 1", postcode="10115", city="Berlin", country="DE"
    )
    before = Contract.objects.values().get(pk=contract.pk)
    assert send(actor, seller, used("V", "calls", 12)) == [("V", "cap", False)]
    assert Contract.objects.values().get(pk=contract.pk) == before
    confirm_numbering(actor, seller=seller, kind="invoice", format="{number}", next=1)
    billing.bill(actor.at(datetime(2026, 7, 1, 8, tzinfo=UTC)), seller=seller, on=date(2026, 7, 1))
    assert Document.objects.get().net == 1000 + 3000, "the cap, and the flat fee"


def test_alerts_are_ignored_until_a_day_and_opened_again(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    sign()
    send(actor, seller, used("V", "calls", 12), used("V", "pack", 111))
    ids = list(Alert.objects.order_by("kind").values_list("pk", flat=True))
    with pytest.raises(Refused, match="day to come"):
        services.ignore(actor, seller=seller, alerts=ids, until=date(2026, 6, 30))
    assert services.ignore(actor, seller=seller, alerts=ids, until=date(2026, 7, 8)) == 2
    assert send(actor, seller, used("V", "calls", 12)) == []
    assert states() == {("cap", False): "ignored", ("included", False): "ignored"}
    assert Alert.objects.get(kind="cap").value == 24, "its figures go on"
    assert services.reopen(actor, seller=seller, alerts=ids[:1]) == 1
    assert services.reopen(actor, seller=seller, alerts=ids[:1]) == 0
    assert Alert.objects.get(pk=ids[0]).ignored_until is None
    usage.withdraw_usage(actor, seller=seller, external_id=UsageRecord.objects.filter(article="pack").get().external_id)
    services.watch(actor)
    assert states()["included", False] == "resolved", "it is brought back all the same"
    assert services.ignore(actor, seller=seller, alerts=ids[1:], until=None) == 0
    assert actions().count("ignore_alert") == 2


def test_new_alerts_are_mailed_to_those_chosen_in_their_language(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    from taktura.accounts.services import create_user

    for email, role, language in (("a@b.example", "billing", "sv"), ("c@b.example", "viewer", "en")):
        create_user(actor, email=email, name=role, role=role, password="a-fine-long-word-7", language=language)
    sign()
    send(actor, seller, used("V", "calls", 12))
    assert not OutgoingMail.objects.exists(), "nobody is chosen"
    services.set_alert_recipients(actor, seller=seller, addresses=[" boss@b.example", "A@b.example"], roles=["billing"])
    assert send(actor, seller, used("V", "calls", 1)) == [], "nothing new, no mail"
    assert send(actor, seller, used("V", "pack", 111), used("V", "flat", 331)) != []
    mails = {m.recipient: m for m in OutgoingMail.objects.all()}
    assert {(r, m.language, m.kind) for r, m in mails.items()} == {
        ("boss@b.example", "de", "alert"), ("a@b.example", "sv", "alert"),
    }  # fmt: skip
    german, swedish = mails["boss@b.example"].text, mails["a@b.example"].text
    assert "Firma V" in german and "33,10\u00a0€" in german and "30,00\u00a0€" in german and "Pack" in german
    assert german != swedish and "%(" not in german + swedish
    assert mails["boss@b.example"].sender == f"seller:{seller.pk}"


def test_a_mail_leads_to_the_alert(
    seller: Seller, sign: Callable[..., Contract], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is set how the office is reached; the address is that of the alert's page."""
    services.set_alert_recipients(actor, seller=seller, addresses=["boss@b.example"], roles=[])
    sign()
    assert settings.ALERT_PAGE == ""
    monkeypatch.setattr(settings, "ALERT_PAGE", "https://office.example/control/%s/")
    send(actor, seller, used("V", "calls", 12))
    page = reverse("alert", args=[Alert.objects.get().pk])
    assert f"\n  https://office.example{page}\n" in OutgoingMail.objects.get().text


def test_a_mail_names_the_first_of_many(seller: Seller, sign: Callable[..., Contract], actor: Actor) -> None:
    services.set_alert_recipients(actor, seller=seller, addresses=["boss@b.example"], roles=[])
    keys = [sign(f"V{n:03}").key for n in range(MOST + 2)]
    send(actor, seller, *[used(k, "calls", 12) for k in keys])
    mail = OutgoingMail.objects.get()
    assert mail.text.count("Firma V") == MOST
    assert str(MOST + 2) in mail.subject and str(MOST + 2) in mail.text


@pytest.mark.parametrize(
    ("addresses", "roles"), [(["nobody"], []), ([], ["boss"]), ([f"a{n}@b.example" for n in range(21)], [])]
)
def test_recipients_are_checked(seller: Seller, actor: Actor, addresses: list[str], roles: list[str]) -> None:
    with pytest.raises(Refused):
        services.set_alert_recipients(actor, seller=seller, addresses=addresses, roles=roles)


def test_alerts_of_a_period_that_is_no_more_are_resolved(
    seller: Seller, sign: Callable[..., Contract], actor: Actor
) -> None:
    """A change of tariff in the past ends the period: its usage is looked at in the new one."""
    contract = sign()
    send(actor, seller, used("V", "pack", 111))
    assert states() == {("included", False): "open"}
    bigger = {**LINES, "pack": {**LINES["pack"], "included": "500"}}
    catalog.define_tariff(actor, seller=seller, key="big", cost_cap="10.00", lines=bigger)
    billing.change_tariff(
        actor, contract=contract, tariff=Tariff.objects.get(key="big"), start=date(2026, 6, 15), keep_terms=True
    )
    assert send(actor, seller, used("V", "pack", 1)) == []
    assert states() == {("included", False): "resolved"}
    assert Customer.objects.get().name == "Firma V"
