"""How what is expected is compared with what was found."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from taktura.cli.scenarios.compare import compare


def paths(expected: Any, found: Any, path: str = "at") -> list[str]:
    return [difference.path for difference in compare(expected, found, path)]


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (5, Decimal("5.00")),
        (Decimal("5.00"), 5),
        (Decimal("5.00"), "5"),
        ("5", Decimal("5.000")),
        ("A-1", "A-1"),
        (date(2026, 1, 31), "2026-01-31"),
        (True, True),
        (None, None),
        ({"net": 5}, {"net": Decimal("5.00"), "tax": Decimal("1")}),
        ({"ends": None}, {"ends": None}),
        ({"K": None}, {}),
        ({"as": "I1"}, {"number": "7"}),
        ({"references": "I1"}, {"references": ["I1"]}),
        ({"references": ["I1", "I2"]}, {"references": ["I2", "I1"]}),
        ([], []),
    ],
)
def test_equal(expected: Any, found: Any) -> None:
    assert paths(expected, found) == []


@pytest.mark.parametrize(
    ("expected", "found", "path"),
    [
        (5, Decimal("5.01"), "at"),
        (5, "five", "at"),
        (1, True, "at"),
        ("0815", "815", "at"),
        (5, None, "at"),
        (None, 5, "at"),
        ({"net": 5}, {"net": 6}, "at.net"),
        ({"net": 5}, {}, "at.net"),
        ({"net": 5}, None, "at"),
        ({"ends": None}, {"ends": date(2026, 1, 1)}, "at.ends"),
        ({"references": ["I1"]}, {"references": ["I1", "I2"]}, "at.references"),
        ([], [{"net": 5}], "at"),
        ([{"net": 5}], [], "at"),
        ([{"net": 5}, {"net": 6}], [{"net": 5}, {"net": 7}], "at[2].net"),
    ],
)
def test_different(expected: Any, found: Any, path: str) -> None:
    assert paths(expected, found) == [path]


@pytest.mark.parametrize("place", ["step.subscriptions", "step.supplier_customers"])
def test_none_of_them_is_written_as_an_empty_mapping(place: str) -> None:
    assert paths({}, {}, place) == []
    assert paths({}, {"S": {}}, place) == [place]


def test_taxes_pair_by_rate_and_category_in_any_order() -> None:
    found = [
        {"rate": Decimal(19), "category": "S", "net": Decimal(10)},
        {"rate": Decimal(0), "category": "G", "net": Decimal(5)},
        {"rate": Decimal(0), "category": "E", "net": Decimal(6)},
    ]
    rate_alone = [{"rate": 0, "net": 6}, {"rate": 0, "net": 5}, {"rate": 19, "net": 10}]
    assert paths({"taxes": rate_alone}, {"taxes": found}) == []
    with_category = [{"rate": 0, "category": "E", "net": 6}, {"rate": 0, "category": "G", "net": 7}, {"rate": 19}]
    assert paths({"taxes": with_category}, {"taxes": found}) == ["at.taxes[0].net"]
    assert paths({"taxes": [{"rate": 19}]}, {"taxes": found}) == ["at.taxes"]
