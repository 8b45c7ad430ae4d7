"""Orders through the API: previewed, placed, approved, refused, listed."""

import re
from typing import Any

import pytest

from taktura.billing.services import confirm_order
from taktura.catalog.services import define_tariff
from taktura.contracts.models import Contract, Order
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from tests.api.helpers import NOW, Api, refusal

ACTOR = Actor("test", NOW)
LINES: dict[str, Any] = {
    "base": {"title": "Base", "charge": "recurring", "price": "10.00"},
    "seat": {"title": "Seat", "charge": "recurring", "booking": "add_on", "price": "5.00"},
    "setup": {"charge": "once", "booking": "add_on", "price": "99", "bookable_by": "staff"},
}
BUYER = {
    "name": "Falk KG", "language": "de", "street": "Weg 1", "postcode": "10115", "city": "Berlin",
    "email": "einkauf@falk.example",
}  # fmt: skip
ORDER: dict[str, Any] = {"tariff": "talk", "quantities": {"seat": 2}, "coupon": "spring", "buyer": BUYER}


@pytest.fixture
def shop(api: Api) -> Api:
    """A public tariff, one with an offer number, a coupon of 20 percent."""
    define_tariff(ACTOR, seller=api.seller, key="talk", title="Talk", public=True, lines=LINES)
    define_tariff(ACTOR, seller=api.seller, key="secret", title="Secret", lines=LINES, offer_number="OPEN-1")
    api.post("/coupons", {"coupon": "SPRING", "percent": "20"})
    return api


def test_a_preview_gives_the_bills_and_a_mark_that_holds_the_order_to_them(shop: Api) -> None:
    seen = shop.post("/orders?preview=true", {"tariff": "talk", "quantities": {"seat": 2}, "coupon": "spring"})
    assert seen.status_code == 201 and seen.data["order"] is None and not Order.objects.exists()
    first, second = seen.data["preview"]["prices"]
    # 10 + 2 × 5, less 20 percent, and 19 percent VAT
    assert (first["net"], first["tax"], first["gross"]) == ("16.00", "3.04", "19.04")
    assert [len(b["documents"]) for b in seen.data["preview"]["bills"]] == [1, 1]
    mark = seen.data["preview"]["mark"]
    assert refusal(shop.post("/orders", ORDER | {"quantities": {"seat": 3}, "mark": mark})) == (409, "conflict")
    placed = shop.post("/orders", ORDER | {"mark": mark})
    assert placed.status_code == 201 and placed.data["order"]["prices"] == [first, second]
    assert placed.headers["Location"].endswith(f"/orders/{placed.data['order']['order']}")


@pytest.mark.parametrize(("country", "language"), [(None, "de"), ("SE", "sv"), ("IE", "en"), ("IT", "de")])
def test_an_order_without_a_language_has_that_of_the_buyers_country(
    shop: Api, country: str | None, language: str
) -> None:
    buyer = {**BUYER, "language": None, "country": country}
    placed = shop.post("/orders", ORDER | {"buyer": buyer})
    assert Order.objects.get(pk=placed.data["order"]["order"]).language == language


def test_the_mail_address_is_confirmed_by_a_link(shop: Api) -> None:
    placed = shop.post("/orders", ORDER).data["order"]
    assert (placed["state"], placed["coupon"], placed["quantities"]) == ("unconfirmed", "SPRING", {"seat": "2"})
    mail = OutgoingMail.objects.get(kind="order")
    link = re.search(r"https?://[^/]+/order/confirm/(\w+)/", mail.text)
    assert mail.recipient == "einkauf@falk.example" and link is not None
    confirm_order(ACTOR, secret=link[1])
    assert shop.get(f"/orders/{placed['order']}").data["state"] == "open"


def test_a_confirmed_order_is_approved_or_refused(shop: Api) -> None:
    first = shop.post("/orders", ORDER | {"confirmed": True}).data["order"]
    second = shop.post("/orders", ORDER | {"confirmed": True, "tariff": None, "offer_number": "open 1"}).data["order"]
    assert (first["state"], second["state"], second["tariff"]) == ("open", "open", "secret")
    place = f"/orders/{first['order']}"
    approved = shop.post(f"{place}/approve", None, If_Match=shop.get(place).headers["ETag"])
    contract = Contract.objects.get()
    assert (approved.data["state"], approved.data["contract"]) == ("done", contract.key)
    assert shop.get(f"/customers/{approved.data['customer']}").data["billing_information"]["city"] == "Berlin"
    assert refusal(shop.post(f"{place}/approve")) == (409, "conflict")
    assert refusal(shop.post(f"/orders/{second['order']}/refuse", {"reason": "  "})) == (422, "invalid")
    gone = shop.post(f"/orders/{second['order']}/refuse", {"reason": "We do not deliver there."})
    assert (gone.data["state"], gone.data["reason"]) == ("refused", "We do not deliver there.")
    assert gone.data["decided_by"] and Customer.objects.count() == 1
    assert "We do not deliver there." in OutgoingMail.objects.order_by("-id")[0].text


def test_without_approval_a_confirmed_order_takes_effect_at_once(shop: Api) -> None:
    Seller.objects.update(order_approval=False)
    placed = shop.post("/orders", ORDER | {"confirmed": True}).data["order"]
    assert (placed["state"], placed["contract"]) == ("done", Contract.objects.get().key)


def test_whether_staff_approve_is_said_by_the_tariff_and_changed_by_a_draft(shop: Api) -> None:
    lines = {"base": {"charge": "recurring", "price": "1.00"}}
    wanted = {
        "tariff": "quick", "title": "Quick", "public": True, "lines": lines, "order_approval": "never",
    }  # fmt: skip
    made = shop.post("/tariffs", wanted)
    assert made.data["order_approval"] == "never" and shop.get("/tariffs/talk").data["order_approval"] == "company"
    placed = shop.post("/orders", {"tariff": "quick", "buyer": BUYER, "confirmed": True}).data["order"]
    assert placed["state"] == "done"
    draft = shop.post("/tariff_drafts", {"tariff": "quick"}).data
    place = f"/tariff_drafts/{draft['draft']}"
    assert draft["fields"]["order_approval"] == "never"
    assert shop.patch(place, {"order_approval": "always"}).status_code == 200
    assert shop.post(f"{place}/publish", {"from": "2026-03-02"}).status_code in (200, 201)
    assert shop.get("/tariffs/quick").data["order_approval"] == "always"
    assert shop.post("/orders", {"tariff": "quick", "buyer": BUYER, "confirmed": True}).data["order"]["state"] == "open"
    assert refusal(shop.post("/tariffs", {"tariff": "x", "lines": lines, "order_approval": "often"})) == (
        422,
        "invalid",
    )


def test_sent_twice_with_one_key_it_is_one_order(shop: Api) -> None:
    answers = [shop.post("/orders", ORDER, Idempotency_Key="shop-4711") for _ in range(2)]
    assert answers[0].data == answers[1].data and Order.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tariff": None}, (422, "invalid")),
        ({"tariff": "none"}, (404, "not_found")),
        ({"tariff": "secret"}, (422, "unknown_offer_number")),
        ({"tariff": None, "offer_number": "NO"}, (422, "unknown_offer_number")),
        ({"quantities": {"setup": 1}}, (422, "invalid")),
        ({"coupon": "NO"}, (404, "not_found")),
        ({"buyer": BUYER | {"email": "nobody"}}, (422, "invalid")),
        ({"buyer": BUYER | {"vat_id": "DE123456789"}}, (422, "invalid")),
        ({"buyer": {}}, (422, "invalid")),
    ],
)
def test_what_cannot_be_ordered_is_refused(shop: Api, change: dict[str, Any], expected: tuple[int, str]) -> None:
    assert refusal(shop.post("/orders", ORDER | change)) == expected
    assert not Order.objects.exists() and not OutgoingMail.objects.exists()


def test_orders_are_listed_by_state_tariff_and_address_page_by_page(shop: Api) -> None:
    for number in range(3):
        buyer = BUYER | {"email": f"{number}@falk.example"}
        shop.post("/orders", ORDER | {"confirmed": number != 1, "buyer": buyer})
    first = shop.get("/orders?limit=2")
    rest = shop.get(f"/orders?limit=2&after={first.data['next']}")
    ids = [o["order"] for o in first.data["items"] + rest.data["items"]]
    assert len(ids) == 3 and ids == sorted(ids) and rest.data["next"] is None
    assert [o["order"] for o in shop.get("/orders?order=newest_first").data["items"]] == ids[::-1]
    assert [o["order"] for o in shop.get("/orders?state=open").data["items"]] == [ids[0], ids[2]]
    assert [o["order"] for o in shop.get("/orders?email=1@FALK.example").data["items"]] == [ids[1]]
    assert shop.get("/orders?tariff=secret").data["items"] == []
    assert refusal(shop.get("/orders/99")) == (404, "not_found")
