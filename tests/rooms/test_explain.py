"""What a proof says, step by step, in three languages: every kind of proof has its words, and each word its values."""

import re
from typing import Any

import pytest

from taktura.billing.explain import TEXTS, Step, _steps, plainly
from taktura.kit.language import LANGUAGES

BILLED = {"expected": 1250, "billed_before": 250}
PROOFS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no contract": ({}, [("not of a contract", "a sale, at its own price")]),
    "by hand": ({"rule": "R14.4", "by_hand": True}, [("by hand", "a credit given by a person")]),
    "days": (
        {
            "rule": "R4.2", "quantity": "5", "priced": "5", "price": "10", "waived": 100, "a": 15, "b": 30, "n": 30,
            "period": ["2026-06-01", "2026-07-01"], "period_price": "50", "cost_a": "25", "cost_b": "50",
        },
        [
            ("rule", "R4.2"),
            ("quantity", "5"),
            ("priced quantity", "5"),
            ("price", "10"),
            ("price of the whole period", "50 for 2026-06-01 – 2026-06-30"),
            ("days 16 to 30 of 30", "50 − 25, each rounded, then subtracted"),
            ("credited by hand before", "1.00"),
        ],
    ),
    "usage": (
        BILLED
        | {
            "rule": "R7", "quantity": "100/3", "minimum_quantity": "40", "included_used": "10", "priced": "30",
            "price": "5", "price_quantity": "10", "package": "started", "discount_scale": "5", "discount": "10",
            "reason": "a friend", "coupons": [{"percent": "20"}, {"share": 150}], "cost": "12.5",
        },
        [
            ("rule", "R7"),
            ("quantity", "100/3 ≈ 33.333333333333"),
            ("minimum quantity", "40"),
            ("included, not charged", "10"),
            ("priced quantity", "30"),
            ("price", "5 for 10, started packages count whole"),
            ("discount scale", "5 %"),
            ("agreed discount", "10 % (a friend)"),
            ("coupon", "20 %"),
            ("coupon", "1.50 of its amount"),
            ("exact amount", "12.5"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "calls by the record": (
        BILLED | {"rule": "R7", "tick": [30, 10], "tick_scope": "record", "seconds": 1360, "quantity": "68/3"},
        [
            ("rule", "R7"),
            ("tick", "each record at least 30 s, then each begun 10 s"),
            ("billed seconds", "1360"),
            ("quantity", "68/3 ≈ 22.666666666667"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "calls by the minute": (
        BILLED | {"rule": "R7", "tick": [60, 60], "tick_scope": "record", "seconds": 780},
        [
            ("rule", "R7"),
            ("tick", "each begun 60 s of a record"),
            ("billed seconds", "780"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "calls by the period": (
        BILLED | {"rule": "R7", "tick": [60, 60], "tick_scope": "period", "seconds": 120, "used": "2"},
        [
            ("rule", "R7"),
            ("tick", "each begun 60 s of the period's sum"),
            ("billed seconds", "120"),
            ("usage, in the flat price", "2"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "calls by the period, with a beginning": (
        BILLED | {"rule": "R7", "tick": [30, 1], "tick_scope": "period", "seconds": 45},
        [
            ("rule", "R7"),
            ("tick", "the period's sum at least 30 s, then each begun 1 s"),
            ("billed seconds", "45"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "tiers": (
        BILLED
        | {
            "rule": "R7", "used": "7", "tier_mode": "graduated",
            "tiers": [["10", "0.5", "0"], ["20", "0.4", "2"], [None, "0.3", "0"], [None, "0.2", "1"]],
        },
        [
            ("rule", "R7"),
            ("usage, in the flat price", "7"),
            (
                "tiers, graduated",
                "up to 10: 0.5; up to 20: 0.4 + 2 at once; beyond: 0.3; beyond: 0.2 + 1 at once",
            ),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "a supplier's costs": (
        BILLED | {"rule": "R17.1", "usage_pricing": "cost_plus", "imported": "2.5", "markup": "20"},
        [
            ("rule", "R17.1"),
            ("sum of the rows' cost", "2.5"),
            ("markup", "20 %"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "a supplier's prices": (
        BILLED | {"rule": "R17.1", "imported": "2.5", "price": "3", "package": "started"},
        [
            ("rule", "R17.1"),
            ("sum of the rows' price", "2.5"),
            ("price", "3, started packages count whole"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "time": (
        BILLED | {
            "rule": "R18", "logged": 25, "ticket_logged": 34, "ticket_rounded": 40, "counted": 30, "included_hours": 10,
            "minutes": 20, "minutes_before": 10, "hour": "90", "cost": "45",
        },
        [
            ("rule", "R18"),
            ("minutes logged", "25"),
            ("of the ticket so far", "34 min, rounded up to 40"),
            ("minutes that they add to the rounded sum", "30"),
            ("minutes in included hours", "10"),
            ("minutes to be paid", "20"),
            ("minutes paid before", "10"),
            ("price of an hour", "90"),
            ("exact amount", "45"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "another currency": (
        BILLED | {
            "rule": "R17.1", "imported": "7", "converted": [
                {"currency": "USD", "day": "2026-02-03", "amount": "12", "over": "1", "under": "1.2", "is": "10"},
                {"currency": "SEK", "day": "2026-02-04", "amount": "20", "over": "0.1", "under": "1", "is": "2"},
                {"currency": "NOK", "day": "2026-02-05", "amount": "30", "over": "3", "under": "9", "is": "10"},
            ],
        },
        [
            ("rule", "R17.1"),
            (
                "converted",
                "12 USD ÷ 1.2 (rate of 2026-02-03) = 10; 20 SEK × 0.1 (rate of 2026-02-04) = 2;"
                " 30 NOK × 3 ÷ 9 (rates of 2026-02-05) = 10",
            ),
            ("sum of the rows' price", "7"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
    "bounds": (
        BILLED | {"rule": "R9.1", "minimum": "5000", "cap": "10000/3", "tier_mode": "volume", "tiers": []},
        [
            ("rule", "R9.1"),
            ("tiers, volume", ""),
            ("minimum of the period", "50"),
            ("cap of the period", "100/3 ≈ 33.333333333333"),
            ("rounded, expected in all", "12.50"),
            ("billed of it before", "2.50"),
        ],
    ),
}  # fmt: skip


def steps_of(proof: dict[str, Any]) -> list[Step]:
    """The steps of a proof in a currency with two decimals."""
    return list(_steps(proof, 2))


@pytest.mark.parametrize("what", PROOFS)
def test_a_proof_is_told_step_by_step(what: str) -> None:
    proof, expected = PROOFS[what]
    assert [step.text("en", plainly) for step in steps_of(proof)] == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_fills_all_places(language: str) -> None:
    for proof, expected in PROOFS.values():
        told = [step.text(language, plainly) for step in steps_of(proof)]
        assert not re.search(r"%\(|%%", str(told))
        numbers = [sorted(re.findall(r"\d+", how)) for _, how in told]
        assert numbers == [sorted(re.findall(r"\d+", how)) for _, how in expected]
        if language != "en":
            assert all(
                what != english for (what, _), (english, _) in zip(told, expected, strict=True) if english != "R7"
            )


def test_no_text_is_left_unused() -> None:
    """Those of the last steps are seen where documents are explained (test_printing, the demo)."""
    said = {m.message for proof, _ in PROOFS.values() for step in steps_of(proof) for m in (step.what, *step.parts)}
    assert set(TEXTS.values()) - said == {TEXTS["gross"], TEXTS["net"], TEXTS["price_per"]}
