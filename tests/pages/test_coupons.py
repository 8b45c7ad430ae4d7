"""Coupons in the office: made, changed, switched off; codes drawn, saved, revoked; given to a contract by a code."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from taktura.catalog.models import Coupon, CouponCode
from taktura.contracts.models import Contract, ContractCoupon
from taktura.customers.models import Seller

ClientAs = Callable[..., Client]


@pytest.fixture
def coupon(company: Seller) -> Coupon:
    """The coupon of the company: 10 percent of the base fee, with a code that is free and one that V-flat has used."""
    return Coupon.objects.get(seller=company)


def test_a_coupon_is_made_and_what_is_wrong_stands_beside_its_field(company: Seller, client_as: ClientAs) -> None:
    client = client_as()
    wrong = client.post(reverse("coupon_new"), {"key": "spr ing", "percent": "5"})
    assert wrong.status_code == 422 and "choose another code" in wrong.content.decode()
    both = client.post(reverse("coupon_new"), {"key": "NEW", "percent": "5", "amount": "3"})
    assert both.status_code == 422 and "either a percentage or an amount" in both.content.decode()
    sent = {"key": "NEW", "amount": "3.50", "lines": ["base"], "last_day": "2030-12-31", "most_uses": "9"}
    answer = client.post(reverse("coupon_new"), sent, follow=True)
    made = Coupon.objects.get(key="NEW")
    assert (made.amount, made.articles, made.most_uses) == (Decimal("3.50"), ["base"], 9)
    assert made.last_day == date(2030, 12, 31)
    text = answer.content.decode()
    assert "€3.50" in text and "0 of 9" in text and "Base fee" in text and "Can be redeemed" in text


def test_what_a_redeemed_coupon_takes_off_cannot_be_changed(coupon: Coupon, client_as: ClientAs) -> None:
    client, address = client_as(), reverse("coupon_change", args=[coupon.pk])
    page = client.get(address).content.decode()
    assert page.count("Fixed: it has been redeemed.") == 4
    answer = client.post(address, {"percent": "50", "title": "Summer", "most_uses": "7"})
    assert answer.status_code == 302
    coupon.refresh_from_db()
    assert (coupon.percent, coupon.title, coupon.most_uses) == (10, "Summer", 7)


def test_the_list_finds_coupons_by_state_and_name(coupon: Coupon, client_as: ClientAs) -> None:
    client = client_as()
    assert "SPRING" in client.get(reverse("coupons"), {"state": "running", "q": "spri"}).content.decode()
    assert "SPRING" not in client.get(reverse("coupons"), {"state": "off"}).content.decode()
    client.post(reverse("coupon_switch", args=[coupon.pk]), {"off": "1"})
    assert "SPRING" in client.get(reverse("coupons"), {"state": "off"}).content.decode()
    assert "SPRING" not in client.get(reverse("coupons"), {"state": "running"}).content.decode()
    for order in ("key", "-uses", "first_day", "last_day", "periods", "title"):
        assert "SPRING" in client.get(reverse("coupons"), {"sort": order}).content.decode()
    client.post(reverse("coupon_switch", args=[coupon.pk]), {"off": "0"})
    coupon.refresh_from_db()
    assert not coupon.off


def test_codes_are_drawn_and_saved_with_the_contract_that_used_them(coupon: Coupon, client_as: ClientAs) -> None:
    client, address = client_as(), reverse("coupon_codes", args=[coupon.pk])
    assert client.post(reverse("coupon_codes_draw", args=[coupon.pk]), {"count": "10001"}).status_code == 422
    drawn = client.post(reverse("coupon_codes_draw", args=[coupon.pk]), {"count": "120", "memo": "Mail"}, follow=True)
    assert "120 codes are drawn." in drawn.content.decode()
    found = client.get(address, {"export": "csv", "memo": "Mail"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(found)))
    assert len({r["Code"] for r in rows}) == 120 and {r["State"] for r in rows} == {"Free"}
    used = client.get(address, {"export": "csv", "state": "used"}).content.decode("utf-8-sig")
    ((row),) = list(csv.DictReader(io.StringIO(used)))
    assert row["Contract"] == "V-flat"
    assert row["Code"] in client.get(address, {"q": row["Code"].lower()[:9]}).content.decode()


def test_codes_are_revoked_one_or_all(coupon: Coupon, client_as: ClientAs) -> None:
    client = client_as()
    free, used = coupon.codes.get(used_at=None), coupon.codes.get(used_at__isnull=False)
    answer = client.post(reverse("coupon_code_revoke", args=[coupon.pk, used.pk]), follow=True)
    assert "has been used already" in answer.content.decode()
    client.post(reverse("coupon_codes_draw", args=[coupon.pk]), {"count": "3"})
    client.post(reverse("coupon_code_revoke", args=[coupon.pk, free.pk]))
    assert CouponCode.objects.filter(revoked_at__isnull=False).count() == 1
    answer = client.post(reverse("coupon_codes_revoke", args=[coupon.pk]), follow=True)
    assert "3 codes are revoked." in answer.content.decode()


def test_a_contract_gets_a_coupon_by_a_code(coupon: Coupon, client_as: ClientAs) -> None:
    client, code = client_as(), coupon.codes.get(used_at=None)
    contract = Contract.objects.get(key="V-oztuerk")
    address = reverse("redeem_coupon", args=[contract.pk])
    for sent in ({}, {"coupon": coupon.pk, "code": code.code}):
        assert client.post(address, sent).status_code == 422
    unknown = client.post(reverse("redeem_coupon_preview", args=[contract.pk]), {"code": "NOTHING"})
    assert "There is no coupon" in unknown.content.decode()
    assert client.post(address, {"code": "spring"}).status_code == 422, "the key of a coupon with codes opens nothing"
    preview = client.post(reverse("redeem_coupon_preview", args=[contract.pk]), {"code": code.code.lower()})
    assert "The next bill" in preview.content.decode() and not ContractCoupon.objects.filter(contract=contract).exists()
    assert client.post(address, {"code": code.code.lower()}).status_code == 302
    assert ContractCoupon.objects.get(contract=contract).code == code
    assert code.code in client.get(reverse("contract", args=[contract.pk])).content.decode()
    assert "V-oztuerk" in client.get(reverse("coupon", args=[coupon.pk])).content.decode()


def test_a_contract_is_signed_with_a_code(coupon: Coupon, client_as: ClientAs) -> None:
    client, code = client_as(), coupon.codes.get(used_at=None)
    tariff = Contract.objects.get(key="V-acme").tariff_id
    sent = {"customer": "Acme GmbH (acme)", "tariff": tariff, "start": "2026-06-01", "key": "V-new", "code": code.code}
    assert "€17.91" in client.post(reverse("sign_contract_preview"), sent).content.decode(), "19.90 less 10 percent"
    assert client.post(reverse("sign_contract"), sent).status_code == 302
    assert ContractCoupon.objects.get(contract__key="V-new").code == code


def test_who_may_only_look_changes_nothing(coupon: Coupon, client_as: ClientAs) -> None:
    viewer = client_as("viewer")
    text = viewer.get(reverse("coupon", args=[coupon.pk])).content.decode()
    assert "SPRING" in text and "Switch off" not in text and "Revoke all free codes" not in text
    assert viewer.post(reverse("coupon_codes_revoke", args=[coupon.pk])).status_code == 403
    free = coupon.codes.get(used_at=None)
    assert viewer.post(reverse("coupon_code_revoke", args=[coupon.pk, free.pk])).status_code == 403


def test_another_companys_coupon_is_not_found(coupon: Coupon, client_as: ClientAs) -> None:
    from tests.pages.conftest import make_seller

    client = client_as()
    Coupon.objects.filter(pk=coupon.pk).update(seller=make_seller("Other AB"))
    for name in ("coupon", "coupon_change", "coupon_codes", "coupon_codes_draw"):
        assert client.get(reverse(name, args=[coupon.pk])).status_code == 404
