"""What the loader makes of a file: exact numbers, texts as written, merges, dates and instants."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from taktura.cli.scenarios.load import Scenario

Load = Callable[[str], Scenario]

HEAD = """\
scenario: small
seller: {country: SE}
tariffs:
  t: {title: T, interval: 1 month, lines: {a: {title: A, price: 1.00}}}
customers:
  c: {name: C}
suppliers:
  s: {mapping: {quantity: Menge}}
contracts:
  C1: {customer: c, tariff: t, start: 2026-01-01}
timeline:
"""


def _line(read: Load, fields: str) -> dict[str, Any]:
    scenario = read(f"scenario: x\ntariffs: {{t: {{lines: {{a: {{{fields}}}}}}}}}\n")
    line: dict[str, Any] = scenario.tariffs["t"]["lines"]["a"]
    return line


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("0.1", "0.1"),
        ("5.00", "5.00"),
        ('"5.00"', "5.00"),
        ("'12'", "12"),
        ("-2.50", "-2.50"),
        ("+3", "3"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1E+3"),
        ("0.000000000001", "1E-12"),
        ("123456789012345678901.123456789012", "123456789012345678901.123456789012"),
        ("0e5", "0E+5"),
    ],
)
def test_numbers_are_read_exactly(read: Load, written: str, exact: str) -> None:
    found = _line(read, f"price: {written}")["price"]
    assert isinstance(found, int | Decimal)
    assert not isinstance(found, bool)
    assert Decimal(found).as_tuple() == Decimal(exact).as_tuple()


def test_texts_stay_as_they_are_written(read: Load) -> None:
    for written in ("0815", "no", "on", "true", "1_000", "0x10", "2026-01-01", ".nan", "1.10", "1e5", "="):
        assert _line(read, f"title: {written}")["title"] == written
    assert _line(read, "title: ")["title"] is None


def test_names_are_texts_however_they_look(read: Load) -> None:
    text = HEAD.replace("C1:", "1001:") + "  - {on: 2026-01-01, bill: {contract: 1001}}\n"
    scenario = read(text)
    assert list(scenario.contracts) == ["1001"]
    assert scenario.timeline[0].args == {"contract": "1001"}


def test_words_of_yaml_1_1_are_plain_words_and_flags_may_be_yes_and_no(read: Load) -> None:
    scenario = read(
        "scenario: no\ncustomers: {off: {name: yes, country: NO, billing_information: no}, y: {}}\n"
        "timeline: [{on: 2026-01-01, change_tariff: "
        "{contract: off, tariff: on, from: 2026-01-01, keep_terms: yes, keep_billing_dates: false}}]\n"
    )
    assert scenario.title == "no"
    assert scenario.customers["off"] == {"name": "yes", "country": "NO", "billing_information": False}
    args = scenario.timeline[0].args
    assert (args["contract"], args["tariff"], args["keep_terms"], args["keep_billing_dates"]) == (
        "off",
        "on",
        True,
        False,
    )


def test_a_merge_with_an_override_is_legal(read: Load) -> None:
    scenario = read(
        "scenario: x\ncustomers:\n"
        "  a: &a {name: A, country: SE, kind: business}\n"
        "  b: {<<: *a, name: B}\n"
        "  c: {kind: consumer, <<: [{country: DE}, *a]}\n"
        "  d:\n    name: D\n    <<: *a\n"
        "  e: {<<: {<<: *a, name: E}, country: AT}\n"
    )
    assert scenario.customers["b"] == {"name": "B", "country": "SE", "kind": "business"}
    assert scenario.customers["c"] == {"name": "A", "country": "DE", "kind": "consumer"}
    assert scenario.customers["d"] == {"name": "D", "country": "SE", "kind": "business"}
    assert scenario.customers["e"] == {"name": "E", "country": "AT", "kind": "business"}


def test_the_seller_has_defaults(read: Load) -> None:
    plain = read("scenario: x\n").seller
    assert plain["country"] == "DE"
    assert (plain["currency"], plain["time_zone"], plain["vat"]) == ("EUR", "Europe/Berlin", 19)
    assert plain["change_documents"] == "separate"
    assert plain["consumer_rules"] == "DE"
    assert read("scenario: x\nseller: {country: SE, vat: }\n").seller | {"country": "DE"} == plain | {
        "consumer_rules": "none"
    }


@pytest.mark.parametrize(
    ("written", "at", "day"),
    [
        ("2026-01-10", datetime(2026, 1, 10, 11, tzinfo=UTC), date(2026, 1, 10)),
        ("2026-07-10", datetime(2026, 7, 10, 10, tzinfo=UTC), date(2026, 7, 10)),
        ("2026-07-10T23:30:00Z", datetime(2026, 7, 10, 23, 30, tzinfo=UTC), date(2026, 7, 11)),
        ("2026-07-10T00:30:00+02:00", datetime(2026, 7, 9, 22, 30, tzinfo=UTC), date(2026, 7, 10)),
        ("2026-07-10 00:30:00 +2", datetime(2026, 7, 9, 22, 30, tzinfo=UTC), date(2026, 7, 10)),
        ("2026-07-10T00:30-0330", datetime(2026, 7, 10, 4, 0, tzinfo=UTC), date(2026, 7, 10)),
        ("2026-07-10T00:30:01.25Z", datetime(2026, 7, 10, 0, 30, 1, 250000, tzinfo=UTC), date(2026, 7, 10)),
    ],
)
def test_a_step_stands_at_an_instant_and_on_a_local_date(read: Load, written: str, at: datetime, day: date) -> None:
    step = read(f"scenario: x\ntimeline: [{{on: {written}, bill: }}]\n").timeline[0]
    assert (step.at, step.on, step.verb, step.args, step.expect) == (at, day, "bill", {}, None)
    assert (step.number, step.line) == (1, 2)


def test_cells_of_a_supplier_keep_their_text_and_dates(read: Load) -> None:
    row = (
        "{subscription_id: 0815, product_id: 1e5, customer_name: , Menge: 2.50, cost: '1.234,5', "
        "period_start: 2026-01-01, period_end: 2026-01-31T10:00:00+02:00, subscription_end: unknown}"
    )
    text = f"{HEAD}  - {{on: 2026-01-01, import_usage: {{supplier: s, rows: [{row}]}}}}\n"
    assert read(text).timeline[0].args["rows"] == [
        {
            "subscription_id": "0815",
            "product_id": "1e5",
            "customer_name": None,
            "Menge": "2.50",
            "cost": "1.234,5",
            "period_start": date(2026, 1, 1),
            "period_end": datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=2))),
            "subscription_end": "unknown",
        }
    ]


def test_what_the_rules_refuse_in_a_step_is_left_to_the_services(read: Load) -> None:
    for fields in ("interval: 0 months", "anchor: day 32", "tick: 60/0", "interval: 7 months, anchor: calendar"):
        text = f"{HEAD}  - {{on: 2026-01-01, define_tariff: {{tariff: u, {fields}}}, expect: {{error: invalid}}}}\n"
        assert read(text).timeline[0].args["tariff"] == "u"


def test_a_line_of_a_contract_is_named_by_a_text(read: Load) -> None:
    step = "end_line: {contract: C1, article: a, line: lager, until: 2026-02-01}"
    assert read(f"{HEAD}  - {{on: 2026-01-01, {step}}}\n").timeline[0].args["line"] == "lager"


def test_null_in_an_expectation_stays_and_is_not_an_empty_one(read: Load) -> None:
    expect = "{supplier_customers: {K: , L: {}}, contracts: {C1: {ends: null}}, documents: [{lines: [{unit_price: }]}]}"
    found = read(f"{HEAD}  - {{on: 2026-01-01, expect: {expect}}}\n").timeline[0].expect
    assert found == {
        "supplier_customers": {"K": None, "L": {}},
        "contracts": {"C1": {"ends": None}},
        "documents": [{"lines": [{"unit_price": None}]}],
    }
