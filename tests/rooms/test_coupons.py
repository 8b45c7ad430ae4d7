"""Coupons: when and how often one can be redeemed, by whom; codes that are drawn; what may still be changed."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from taktura.audit.models import LogEntry as Entry
from taktura.billing import services as billing
from taktura.catalog import coupons
from taktura.catalog import services as catalog
from taktura.catalog.models import Coupon, CouponCode, Tariff
from taktura.catalog.offer_numbers import folded
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractCoupon
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor

LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "10"},
    "seat": {"title": "Seat", "charge": "recurring", "booking": "add_on", "bookable_by": "customer", "price": "5"},
}
TODAY = date(2026, 3, 1)
DAYS = st.none() | st.dates(date(2026, 2, 1), date(2026, 4, 1))


@pytest.fixture
def seller(database: str, actor: Actor) -> Seller:
    """A company with a public tariff and a customer."""
    made = customers.create_seller(
        actor, name="Seller GmbH", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=[[None, "19"]]
    )
    customers.create_customer(actor, seller=made, key="acme", name="Acme")
    catalog.define_tariff(actor, seller=made, key="talk", title="Talk", lines=LINES, public=True)
    return made


def define(actor: Actor, seller: Seller, key: str = "SPRING", **fields: Any) -> Coupon:
    fields.setdefault("percent", Decimal(20))
    return coupons.define_coupon(actor, seller=seller, key=key, **fields)


def order(actor: Actor, code: str, key: str = "C1") -> Contract:
    customer, tariff = Customer.objects.select_related("seller").get(), Tariff.objects.get()
    return contracts.order(actor, key=key, customer=customer, tariff=tariff, code=code, articles={"seat": Decimal(2)})


def sign(actor: Actor, key: str = "C1", **options: Any) -> Contract:
    customer, tariff = Customer.objects.select_related("seller").get(), Tariff.objects.get()
    contracts.sign(actor, key=key, customer=customer, tariff=tariff, start=TODAY, **options)
    return Contract.objects.select_related("customer__seller").get(key=key)


def refused_by(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code, str(refused.value)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of acts that begin at the same time in transactions of their own."""
    gate, results = threading.Barrier(len(acts)), []

    def one(act: Callable[[], object]) -> None:
        gate.wait(timeout=30)
        try:
            act()
            results.append("done")
        except Refused as refused:
            results.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(results)


def test_a_code_cannot_be_guessed_and_can_be_read_aloud() -> None:
    codes = {coupons.drawn() for _ in range(500)}
    assert len(codes) == 500
    assert len(coupons.ALPHABET) ** (coupons.GROUPS * coupons.GROUP) > 2**70
    assert all(len(part) == 4 for code in codes for part in code.split("-"))


@pytest.mark.parametrize("typed", ["Spring-26", " spring26 ", "SPRING 26"])
def test_a_shared_code_is_the_key_however_it_is_typed(seller: Seller, actor: Actor, typed: str) -> None:
    coupon = define(actor, seller, "Spring-26")
    contract = order(actor, typed)
    row = ContractCoupon.objects.get(contract=contract)
    assert (row.coupon, row.code) == (coupon, None)
    assert contract.lines.get(booking="add_on").order_coupon == row.pk
    coupon.refresh_from_db()
    assert coupon.uses == 1


def test_a_drawn_code_is_for_one_contract_and_the_key_opens_nothing_any_more(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    first, second = coupons.draw_codes(actor, coupon=coupon, count=2, memo=" fair ")
    contract = order(actor, first.lower().replace("-", " "))
    row = ContractCoupon.objects.get(contract=contract)
    assert row.code is not None and (row.code.code, row.code.memo, row.code.used_at) == (first, "fair", actor.now)
    code, said = refused_by(lambda: order(actor, first, "C2"))
    assert code == "invalid" and first in said
    assert refused_by(lambda: order(actor, "SPRING", "C2"))[0] == "not_found"
    assert refused_by(lambda: order(actor, "-- ", "C2"))[0] == "not_found"
    signed = sign(actor, "C2", code=second)
    entry = Entry.objects.filter(action="sign").latest("id")
    assert entry.data["coupon"] == "SPRING" and entry.data["code"] == second
    contracts.give_coupon(actor, contract=signed, coupon=coupon)  # staff chooses
    coupon.refresh_from_db()
    assert coupon.uses == 3 and list(coupon.codes.values_list("used_at", flat=True)) == [actor.now] * 2


def test_codes_are_drawn_in_bulk_and_all_differ(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    codes = coupons.draw_codes(actor, coupon=coupon, count=coupons.MOST_CODES)
    assert len({folded(c) for c in codes}) == CouponCode.objects.count() == coupons.MOST_CODES
    assert list(coupon.codes.values_list("code", flat=True)) == codes
    for count in (0, coupons.MOST_CODES + 1):
        assert refused_by(lambda n=count: coupons.draw_codes(actor, coupon=coupon, count=n))[0] == "invalid"


def test_a_revoked_code_opens_nothing_and_a_used_one_stays_used(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    used, revoked, free = coupons.draw_codes(actor, coupon=coupon, count=3)
    order(actor, used)
    code = coupons.code_of(coupon, revoked.lower())
    coupons.revoke_code(actor, code=code)
    entries = Entry.objects.count()
    coupons.revoke_code(actor, code=code)
    assert Entry.objects.count() == entries, "done twice it changes nothing"
    assert refused_by(lambda: order(actor, revoked, "C2"))[0] == "invalid"
    assert refused_by(lambda: coupons.revoke_code(actor, code=coupons.code_of(coupon, used)))[0] == "invalid"
    assert coupons.revoke_free_codes(actor, coupon=coupon) == 1
    assert refused_by(lambda: order(actor, free, "C2"))[0] == "invalid"
    states = [coupons.code_state(c) for c in coupon.codes.order_by("id")]
    assert states == ["used", "revoked", "revoked"]
    assert refused_by(lambda: coupons.code_of(coupon, "nothing"))[0] == "not_found"


@pytest.mark.parametrize("state", ["off", "used_up", "over", "coming"])
def test_what_is_not_running_is_refused_with_the_reason_to_all(seller: Seller, actor: Actor, state: str) -> None:
    fields: dict[str, Any] = {"used_up": {"most_uses": 1}, "over": {"last_day": date(2026, 2, 28)},
                              "coming": {"first_day": date(2026, 3, 2)}}.get(state, {})  # fmt: skip
    coupon, contract = define(actor, seller, **fields), sign(actor, "C0")
    if state == "off":
        coupons.switch_coupon(actor, coupon=coupon, off=True)
    elif state == "used_up":
        order(actor, "SPRING", "C1")
    coupon.refresh_from_db()
    assert coupons.state_of(coupon, TODAY) == state
    ways: list[Callable[[], object]] = [
        lambda: order(actor, "SPRING", "C2"),
        lambda: sign(actor, "C2", code="spring"),
        lambda: sign(actor, "C2", coupon=coupon),
        lambda: contracts.give_coupon(actor, contract=contract, coupon=coupon),
        lambda: contracts.give_coupon(actor, contract=contract, code="spring"),
        lambda: billing.preview_coupon(actor, contract=contract, coupon=coupon),
    ]
    before = Contract.objects.count(), ContractCoupon.objects.count()
    said = {refused_by(way) for way in ways}
    assert len(said) == 1 and next(iter(said))[0] == "invalid"
    assert (Contract.objects.count(), ContractCoupon.objects.count()) == before


def test_a_coupon_holds_on_its_first_and_last_day(seller: Seller, actor: Actor) -> None:
    define(actor, seller, first_day=date(2026, 5, 1), last_day=date(2026, 5, 1))
    first, last = datetime(2026, 4, 30, 22, tzinfo=UTC), datetime(2026, 5, 1, 21, 59, tzinfo=UTC)
    assert refused_by(lambda: order(actor.at(first.replace(hour=21)), "SPRING", "C0"))[0] == "invalid"
    assert order(actor.at(first), "SPRING", "C1") and order(actor.at(last), "SPRING", "C2")
    assert refused_by(lambda: order(actor.at(last.replace(hour=22)), "SPRING", "C3"))[0] == "invalid"


@given(first=DAYS, last=DAYS, most=st.none() | st.integers(1, 3), uses=st.integers(0, 3), off=st.booleans())
def test_a_coupon_is_in_one_state_and_redeemed_only_while_it_runs(
    first: date | None, last: date | None, most: int | None, uses: int, off: bool
) -> None:
    coupon = Coupon(first_day=first, last_day=last, most_uses=most, uses=uses, off=off)
    runs = (
        not off and (most is None or uses < most) and (first or TODAY) <= TODAY and (last is None or last >= TODAY)
    )  # fmt: skip
    assert (coupons.state_of(coupon, TODAY) == "running") == runs
    try:
        coupons.check(coupons.Usable(coupon), TODAY)
        assert runs
    except Refused:
        assert not runs


def test_the_states_of_a_list_are_those_of_each(seller: Seller, actor: Actor) -> None:
    number = 0
    for off in (False, True):
        for most, uses in ((None, 1), (1, 0), (1, 1)):
            for first in (None, date(2026, 2, 1), date(2026, 3, 5)):
                for last in (None, date(2026, 2, 5), date(2026, 3, 9)):
                    if first and last and last < first:
                        continue
                    number += 1
                    made = define(actor, seller, f"K{number}")
                    Coupon.objects.filter(pk=made.pk).update(
                        off=off, most_uses=most, uses=uses, first_day=first, last_day=last
                    )
    rows = Coupon.objects.all()
    for state in coupons.STATES:
        found = {c.pk for c in coupons.in_state(rows, state, TODAY)}
        assert found == {c.pk for c in rows if coupons.state_of(c, TODAY) == state} and found


def test_of_two_who_take_the_last_use_at_once_one_has_it(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller, most_uses=1)
    assert at_once(lambda: order(actor, "SPRING", "C1"), lambda: order(actor, "SPRING", "C2")) == ["done", "invalid"]
    coupon.refresh_from_db()
    assert coupon.uses == 1 and Contract.objects.count() == ContractCoupon.objects.count() == 1


def test_of_two_who_type_one_code_at_once_one_has_it(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    (code,) = coupons.draw_codes(actor, coupon=coupon, count=1)
    one, two = sign(actor, "C1"), sign(actor, "C2")
    results = at_once(
        lambda: contracts.give_coupon(actor, contract=one, code=code),
        lambda: contracts.give_coupon(actor, contract=two, code=code.lower()),
    )
    assert results == ["done", "invalid"] and ContractCoupon.objects.count() == 1


@pytest.mark.parametrize("by_code", [True, False])
def test_the_last_use_is_kept_by_the_rows_too(seller: Seller, actor: Actor, by_code: bool) -> None:
    """Without the order of acts: whoever counts a use locks the coupon and the code."""
    coupon = define(actor, seller, most_uses=None if by_code else 1)
    typed = coupons.draw_codes(actor, coupon=coupon, count=1)[0] if by_code else "SPRING"
    found = coupons.usable(seller, typed, TODAY)
    begun, results = threading.Event(), []

    def second() -> None:
        try:
            with transaction.atomic():
                begun.set()
                coupons.use(actor, found)
            results.append("used")
        except Refused as refused:
            results.append(refused.code)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        coupons.use(actor, found)
        thread.start()
        assert begun.wait(timeout=30)
        thread.join(timeout=0.3)
        assert thread.is_alive(), "the second waits"
    thread.join(timeout=60)
    assert results == ["invalid"]


def test_a_refused_contract_uses_no_coupon(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    (code,) = coupons.draw_codes(actor, coupon=coupon, count=1)
    refused_by(lambda: sign(actor, "C1", code=code, conditions={"nothing": {"price": "1"}}))
    coupon.refresh_from_db()
    assert coupon.uses == 0 and coupon.codes.get().used_at is None


def test_a_preview_uses_nothing_and_shows_what_comes(seller: Seller, actor: Actor) -> None:
    coupon, contract = define(actor, seller), sign(actor)
    (code,) = coupons.draw_codes(actor, coupon=coupon, count=1)
    found = billing.preview_coupon(actor, contract=contract, code=code, bills=1)
    assert [sum(r.draft.net for r in b.documents) for b in found.bills] == [800]
    coupon.refresh_from_db()
    assert coupon.uses == 0 and not ContractCoupon.objects.exists() and coupon.codes.get().used_at is None
    assert refused_by(lambda: billing.preview_coupon(actor, contract=contract))[0] == "invalid"


def test_once_redeemed_what_it_takes_off_stays(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    coupons.change_coupon(actor, coupon=coupon, percent=None, amount=Decimal(3), periods=2, lines=["base"])
    assert (coupon.percent, coupon.amount, coupon.periods, coupon.articles) == (None, Decimal(3), 2, ["base"])
    order(actor, "SPRING")
    order(actor, "SPRING", "C2")
    for fields in ({"amount": Decimal(4)}, {"amount": None, "percent": Decimal(1)}, {"periods": 3}, {"lines": []}):
        code, said = refused_by(lambda f=fields: coupons.change_coupon(actor, coupon=coupon, **f))
        assert code == "invalid" and "has been redeemed" in said
    kept = {"title": "Spring", "first_day": None, "last_day": date(2026, 6, 30), "most_uses": 5}
    coupons.change_coupon(actor, coupon=coupon, amount=Decimal("3.00"), **kept)
    coupon.refresh_from_db()
    assert {name: getattr(coupon, name) for name in kept} == kept and coupon.amount == 3
    assert refused_by(lambda: coupons.change_coupon(actor, coupon=coupon, most_uses=1))[0] == "invalid"
    entries = Entry.objects.count()
    coupons.change_coupon(actor, coupon=coupon, **kept)
    assert Entry.objects.count() == entries, "nothing new is nothing to log"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"percent": None}, "invalid"),
        ({"amount": Decimal(1)}, "invalid"),
        ({"percent": Decimal(101)}, "invalid"),
        ({"percent": None, "amount": Decimal(0)}, "invalid"),
        ({"periods": 0}, "invalid"),
        ({"most_uses": 0}, "invalid"),
        ({"first_day": date(2026, 3, 2), "last_day": TODAY}, "invalid"),
        ({"key": "--"}, "invalid"),
        ({"key": "x" * 51}, "invalid"),
        ({"key": "sp ring"}, "conflict"),
    ],
)
def test_what_is_no_coupon_is_refused(seller: Seller, actor: Actor, fields: dict[str, Any], code: str) -> None:
    define(actor, seller)
    assert refused_by(lambda: define(actor, seller, **{"key": "OTHER", **fields}))[0] == code
    assert Coupon.objects.count() == 1


def test_a_key_cannot_be_a_code_that_was_drawn(seller: Seller, actor: Actor) -> None:
    (code,) = coupons.draw_codes(actor, coupon=define(actor, seller), count=1)
    assert refused_by(lambda: define(actor, seller, code.lower()))[0] == "conflict"


def test_switched_off_and_on_again(seller: Seller, actor: Actor) -> None:
    coupon = define(actor, seller)
    for off in (True, True, False):
        coupons.switch_coupon(actor, coupon=coupon, off=off)
        assert coupon.off == off
    assert Entry.objects.filter(action="switch_coupon").count() == 2
