"""The examples of the settings of coupons are what the core bills (R10.2, R10.3)."""

from taktura.catalog import coupon_examples as examples
from taktura.customers.sellers import WORDS


def test_each_choice_of_several_coupons() -> None:
    found = {o.choice: o.amount for o in examples.stacking(2)}
    assert found == {"best": 80_00, "add": 70_00, "sequence": 72_00}
    assert set(found) == set(WORDS["stacking"])


def test_each_choice_of_coupon_and_scale() -> None:
    found = {o.choice: o.amount for o in examples.coupon_and_scale(2)}
    assert found == {"coupon": 108_00, "best": 102_00, "both": 91_80}
    assert set(found) == set(WORDS["coupon_and_scale"])


def test_a_currency_without_minor_units() -> None:
    assert [o.amount for o in examples.stacking(0)] == [80, 70, 72]
