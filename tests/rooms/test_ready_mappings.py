"""Ready mappings: real files of suppliers to the last decimal, and telephone records with their legs."""

import csv
import importlib
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from taktura.catalog.terms import read_rates
from taktura.core.money import EXACT
from taktura.customers import services as customers
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import MappingVersion, Supplier
from taktura.usage.reader import READY, Counts, Mapping, Problem, Row, as_ready, fitting, named, propose, read
from taktura.usage.reader.calls import answered

UTC_ZONE = ZoneInfo("UTC")


def rows_of(name: str, content: bytes, counts: Counts | None = None, zone: ZoneInfo = UTC_ZONE) -> list[Row]:
    """The rows that a ready mapping reads; there is no problem."""
    found = list(read(content, Mapping.from_dict(READY[name]), zone, counts))
    assert [r for r in found if isinstance(r, Problem)] == []
    return [r for r in found if isinstance(r, Row)]


def lines(*rows: list[Any]) -> bytes:
    """A file of these rows."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize(
    ("name", "file", "cost", "subscription"),
    [
        ("focus", "focus-1.0-sample.csv", "BilledCost", "SubAccountId"),
        ("azure", "azure-ea-actual-cost-small.csv", "Cost", "SubscriptionId"),
    ],
)
def test_sums_of_real_files_by_subscription(samples: Path, name: str, file: str, cost: str, subscription: str) -> None:
    content = (samples / file).read_bytes()
    plain = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    expected: dict[str, Decimal] = {}
    for line in plain:
        key = line[subscription]
        expected[key] = EXACT.add(expected.get(key, Decimal(0)), Decimal(line[cost]))
    found: dict[str, Decimal] = {}
    rows = rows_of(name, content)
    for row in rows:
        assert row.cost_amount is not None
        found[row.subscription_id] = EXACT.add(found.get(row.subscription_id, Decimal(0)), row.cost_amount)
    assert len(rows) == len(plain)
    assert found == expected
    assert fitting(list(plain[0])) == name
    assert propose(content)[0] == READY[name]


def test_every_ready_mapping_is_one() -> None:
    for fields in READY.values():
        Mapping.from_dict(fields)
    assert fitting(["a", "b"]) is None


AZURE_MCA = (
    "invoiceId,billingAccountId,billingAccountName,customerTenantId,customerName,SubscriptionId,subscriptionName,date,"
    "meterId,ResourceId,chargeType,quantity,unitOfMeasure,costInBillingCurrency,billingCurrency,ProductName"
)


def test_azure_of_a_customer_agreement() -> None:
    (row,) = rows_of(
        "azure",
        f"{AZURE_MCA}\nI,B,Reseller,T-1,Acme,S-1,Prod,09/21/2023,M-1,/r,Usage,0.1234567890123456,1 Hour,"
        "0.01234567890123456789,EUR,VM\n".encode(),
    )
    assert (row.customer_id, row.subscription_id, row.product_id, row.currency) == ("T-1", "S-1", "M-1", "EUR")
    assert row.cost_amount == Decimal("0.01234567890123456789")
    assert row.quantity == Decimal("0.123456789012")


NCE = [
    "PartnerId", "CustomerId", "CustomerName", "InvoiceNumber", "OrderId", "OrderDate", "ProductId", "SkuId", "SkuName",
    "ProductName", "ChargeType", "UnitPrice", "Quantity", "Subtotal", "TaxTotal", "Total", "Currency",
    "SubscriptionDescription", "SubscriptionId", "ChargeStartDate", "ChargeEndDate", "TermAndBillingCycle",
    "EffectiveUnitPrice", "UnitType", "AlternateId", "BillableQuantity", "BillingFrequency",
]  # fmt: skip


def nce(**cells: Any) -> list[Any]:
    """A row of the reconciliation of licenses."""
    usual = {
        "CustomerId": "C-1", "CustomerName": "Acme", "InvoiceNumber": "G1", "OrderId": "O-1", "SkuId": "0001",
        "ProductId": "CFQ7TTC0LH16", "SkuName": "Business Basic", "ChargeType": "cycleFee", "Quantity": 3,
        "Subtotal": "15.90", "Currency": "EUR", "SubscriptionId": "S-1", "ChargeStartDate": "9/1/2026",
        "ChargeEndDate": "9/30/2026", "BillableQuantity": 3,
    }  # fmt: skip
    return [(usual | cells).get(name, "") for name in NCE]


def test_licenses_of_the_new_commerce() -> None:
    rows = rows_of(
        "nce_licenses",
        lines(NCE, nce(), nce(ChargeType="removeQuantity", BillableQuantity=-1, Subtotal="-2.65",
                              ChargeStartDate="9/16/2026")),
    )  # fmt: skip
    first, credit = rows
    assert (first.product_id, first.quantity, first.cost_amount) == ("CFQ7TTC0LH16:0001", 3, Decimal("15.90"))
    assert (first.first_day.isoformat(), first.end_day.isoformat()) == ("2026-09-01", "2026-10-01")
    assert (credit.quantity, credit.cost_amount, credit.first_day.day) == (-1, Decimal("-2.65"), 16)
    assert first.id != credit.id
    assert fitting(NCE) == "nce_licenses"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("9/1/2026", "9/30/2026"),
        ("9/1/2026 0:00", "9/30/2026 0:00"),
        ("9/1/2026 0:00", "9/30/2026 23:59"),
        ("9/1/2026 12:00:00 AM", "9/30/2026 12:00:00 AM"),
        ("2026-09-01T00:00:00", "2026-09-30T00:00:00"),
        ("2026-09-01T00:00:00Z", "2026-09-30T00:00:00Z"),
    ],
)
def test_the_end_of_a_license_is_its_last_day_however_it_is_written(zone: str, first: str, last: str) -> None:
    row = nce(ChargeStartDate=first, ChargeEndDate=last)
    (found,) = rows_of("nce_licenses", lines(NCE, row), zone=ZoneInfo(zone))
    assert (found.first_day.isoformat(), found.end_day.isoformat()) == ("2026-09-01", "2026-10-01")


def test_the_end_of_a_license_in_a_workbook_is_its_last_day() -> None:
    book, out = Workbook(), io.BytesIO()
    at = datetime(2026, 9, 1)  # noqa: DTZ001 - a workbook knows no zones
    book.active.append(NCE)
    book.active.append(nce(ChargeStartDate=at, ChargeEndDate=at + timedelta(days=29)))
    book.save(out)
    (found,) = rows_of("nce_licenses", out.getvalue(), zone=ZoneInfo("Europe/Berlin"))
    assert (found.first_day.isoformat(), found.end_day.isoformat()) == ("2026-09-01", "2026-10-01")


def test_a_known_file_with_lines_before_its_headings_is_read() -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["Reconciliation of September"], NCE, nce(Subtotal="1234.50")])
    proposed, found = propose(out.getvalue().encode())
    assert proposed == READY["nce_licenses"] | {"skip_lines": 1} and found.headings == NCE


def test_a_known_file_that_was_saved_again_in_another_country_is_read() -> None:
    """A spreadsheet writes decimal commas and days of its country: these are proposed beside the ready mapping."""
    row = nce(Subtotal="1234,50", ChargeStartDate="01.09.2026", ChargeEndDate="30.09.2026")
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([NCE, row])
    proposed, _ = propose(out.getvalue().encode("cp1252"))
    assert proposed == READY["nce_licenses"] | {"decimal": ",", "date_format": "%d.%m.%Y|ISO"}
    (found,) = list(read(out.getvalue().encode(), Mapping.from_dict(proposed), UTC_ZONE))
    assert isinstance(found, Row)
    assert (found.cost_amount, found.end_day.isoformat()) == (Decimal("1234.50"), "2026-10-01")
    assert propose(lines(NCE, nce(Subtotal="1,234", ChargeStartDate="x")))[0] == READY["nce_licenses"], "not guessed"


DAILY = [
    "PartnerId", "PartnerName", "CustomerId", "CustomerName", "InvoiceNumber", "ProductId", "SkuId", "SubscriptionId",
    "ChargeStartDate", "ChargeEndDate", "UsageDate", "MeterId", "MeterName", "Unit", "ResourceURI", "ChargeType",
    "UnitPrice", "Quantity", "UnitType", "BillingPreTaxTotal", "BillingCurrency", "EffectiveUnitPrice",
    "PCToBCExchangeRate", "EntitlementId", "EntitlementDescription", "Tags", "AdditionalInfo",
]  # fmt: skip


def test_daily_rated_usage() -> None:
    cells = {
        "CustomerId": "C-1", "SubscriptionId": "PLAN", "UsageDate": "2026-09-02T00:00:00Z", "MeterId": "M-1",
        "Quantity": "24", "BillingPreTaxTotal": "30.7197334080551", "BillingCurrency": "USD", "EntitlementId": "E-1",
        "Unit": "1 Hour",
    }  # fmt: skip
    (row,) = rows_of("nce_usage", lines(DAILY, [cells.get(name, "") for name in DAILY]))
    assert (row.subscription_id, row.product_id, row.cost_amount) == ("E-1", "M-1", Decimal("30.7197334080551"))
    assert fitting(DAILY) == "nce_usage"


# Telephone


def asterisk(**cells: Any) -> list[Any]:
    """A record of cdr_csv."""
    usual = {
        "accountcode": "4930123", "src": "4930123", "dst": "0891234", "start": "2026-06-01 10:00:00",
        "answer": "2026-06-01 10:00:12", "end": "2026-06-01 10:01:42", "duration": 102, "billsec": 90,
        "disposition": "ANSWERED", "amaflags": "DOCUMENTATION", "uniqueid": "1.1",
    }  # fmt: skip
    return [(usual | cells).get(name, "") for name in READY["asterisk"]["headings"]]


def test_asterisk_bills_answered_seconds_of_a_call_once() -> None:
    counts = Counts()
    rows = rows_of(
        "asterisk",
        lines(
            asterisk(),
            asterisk(disposition="NO ANSWER", billsec=0, dst="11"),
            asterisk(dst="12", start="2026-06-01 10:00:30", answer="2026-06-01 10:01:00", billsec=120),
            asterisk(uniqueid="1.2", accountcode="", billsec=5),
        ),
        counts,
        ZoneInfo("Europe/Berlin"),
    )
    assert [(r.subscription_id, r.seconds, r.quantity) for r in rows] == [("4930123", 168, None), ("4930123", 5, None)]
    assert rows[0].at == datetime(2026, 6, 1, 8, 0, 12, tzinfo=UTC)
    assert (counts.skipped, counts.merged) == (1, 1)
    assert rows[0].attributes == {"caller": "4930123", "called": "0891234"}, "of the first leg"


def test_asterisk_without_the_last_columns() -> None:
    (row,) = rows_of("asterisk", lines(asterisk()[:16]))
    assert row.seconds == 90 and row.call_id


def test_freeswitch() -> None:
    record = ["Acme", "1001", "0891234", "default", "2026-06-01 10:00:00", "2026-06-01 10:00:07",
              "2026-06-01 10:01:00", "60", "53", "NORMAL_CLEARING", "u-1", "b-1", "", "PCMA", "PCMA"]  # fmt: skip
    missed = [*record[:5], "", record[6], "20", "0", "NO_ANSWER", "u-2", "", "acme", "", ""]
    (row,) = rows_of("freeswitch", lines(record, missed))
    assert (row.subscription_id, row.seconds, row.call_id, row.first_day.day) == ("1001", 53, "u-1", 1)
    assert row.attributes == {"caller": "1001", "called": "0891234"}


STARFACE = ["id", "callid", "callstepid", "callleguuid", "cdraccountid", "calleraccountid", "callercallerid",
            "calledaccountid", "calledcallerid", "starttime", "ringingtime", "linktime", "callresulttime", "callresult",
            "incoming", "answered", "duration", "login"]  # fmt: skip


def test_starface() -> None:
    def record(leg: int, begin: str, end: str, result: str = "CONNECTED") -> list[Any]:
        return [leg, "77", leg, f"leg-{leg}", "1005", "0", "<0891234>", "1005", "Anna", "01.06.2026 10:00:00",
                "01.06.2026 10:00:01", begin and f"01.06.2026 {begin}", f"01.06.2026 {end}", result, "true", "true", 0,
                "anna"]  # fmt: skip

    counts = Counts()
    (row,) = rows_of(
        "starface",
        lines(STARFACE, record(1, "10:00:10", "10:01:10"), record(2, "10:01:30", "10:02:00"),
              record(3, "", "10:00:30", "NOT_CONNECTED")),
        counts,
    )  # fmt: skip
    assert (row.subscription_id, row.subscription_name, row.seconds) == ("1005", "anna", 90)
    assert (counts.merged, counts.skipped) == (1, 1)
    assert row.attributes == {"caller": "<0891234>", "called": "Anna"}
    assert fitting(STARFACE) == "starface"


def test_3cx() -> None:
    record = dict.fromkeys(READY["3cx"]["headings"], "")
    record |= {
        "historyid": "1", "callid": "00000C1", "duration": "00:01:05", "time-start": "2026/06/01 10:00:00",
        "time-answered": "2026/06/01 10:00:05", "time-end": "2026/06/01 10:01:10", "from-no": "Ext.100",
        "from-dn": "100", "to-no": "0891234",
    }  # fmt: skip
    dotted = record | {"callid": "00000C2", "time-answered": "2026.06.01 10:00:05", "time-end": "2026.06.01 10:00:06"}
    missed = record | {"callid": "00000C3", "time-answered": ""}
    rows = rows_of("3cx", lines(*(list(r.values()) for r in (record, dotted, missed))))
    assert [(r.subscription_id, r.seconds) for r in rows] == [("100", 65), ("100", 1)]
    assert rows[0].attributes == {"caller": "Ext.100", "called": "0891234"}


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=8))
def test_each_second_of_a_call_counts_once(spans: list[tuple[int, int]]) -> None:
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    seconds = {second for start, length in spans for second in range(start, start + length)}
    assert answered([(begin + timedelta(seconds=s), n) for s, n in spans]) == len(seconds)


FOCUS = [
    "BillingAccountId", "SubAccountId", "SubAccountName", "ServiceName", "ChargePeriodStart", "ChargePeriodEnd",
    "ChargeCategory", "BilledCost", "BillingCurrency", "ConsumedQuantity", "ConsumedUnit",
]  # fmt: skip


def focus_book(*spans: tuple[Any, Any], format_: str) -> bytes:
    """A FOCUS export as a workbook whose two columns of the charge period have this format."""
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(FOCUS)
    for begin, end in spans:
        sheet.append(["B", "S-1", "Prod", "Compute", begin, end, "Usage", 3, "EUR", 1, "Hours"])
        for column in (5, 6):
            sheet.cell(sheet.max_row, column).number_format = format_
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("format_", ["yyyy-mm-dd", "dd/mm/yyyy hh:mm", "m/d/yyyy"])
def test_the_end_of_a_focus_charge_in_a_workbook_is_exclusive(format_: str, zone: str) -> None:
    first, hour = datetime(2026, 9, 1), timedelta(hours=1)  # noqa: DTZ001 - a workbook knows no zones
    content = focus_book(
        (first, first + timedelta(days=30)),
        (first, first + timedelta(days=1)),
        (first + timedelta(days=1) - hour, first + timedelta(days=1)),  # the last hour of a day
        (first.date(), first.date()),
        (first, None),
        format_=format_,
    )
    assert propose(content)[0] == READY["focus"]
    rows = rows_of("focus", content, zone=ZoneInfo(zone))
    assert [(r.first_day.isoformat(), r.end_day.isoformat(), r.is_span) for r in rows] == [
        ("2026-09-01", "2026-10-01", True),
        ("2026-09-01", "2026-09-02", True),
        ("2026-09-01", "2026-09-02", True),
        ("2026-09-01", "2026-09-02", True),
        ("2026-09-01", "2026-09-02", False),
    ]


@pytest.mark.parametrize(
    ("begin", "end"), [("2026-09-01", "2026-10-01"), ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")]
)
def test_the_end_of_a_focus_charge_as_text_is_exclusive(begin: str, end: str) -> None:
    row = ["B", "S-1", "Prod", "Compute", begin, end, "Usage", "3", "EUR", "1", "Hours"]
    (found,) = rows_of("focus", lines(FOCUS, row))
    assert (found.first_day.isoformat(), found.end_day.isoformat()) == ("2026-09-01", "2026-10-01")


@pytest.mark.parametrize("text", ["soon", "0001-01-01"])
def test_an_end_that_cannot_be_read_is_named_by_its_heading_and_stops_no_other(text: str) -> None:
    usual = ["B", "S-1", "Prod", "Compute", "2026-09-01", "2026-09-02", "Usage", "3", "EUR", "1", "Hours"]
    bad = [text if cell == "2026-09-02" else cell for cell in usual]
    mapping = Mapping.from_dict(READY["focus"])
    problem, row = read(lines(FOCUS, bad, usual), mapping, ZoneInfo("Europe/Berlin"))
    assert isinstance(problem, Problem) and isinstance(row, Row)
    assert (problem.code, problem.column, problem.value) == ("bad_date", "ChargePeriodEnd", text)


def test_the_end_of_a_file_that_is_only_like_focus_is_exclusive_too() -> None:
    head = ["SubAccountId", "Charge Period Start", "Charge Period End", "Quantity"]
    content = lines(head, ["S-1", "01.09.2026", "30.09.2026", "1"])
    proposed, _ = propose(content)
    assert proposed["period_end"] == "=instant([Charge Period End])"
    (found,) = read(content, Mapping.from_dict(proposed), ZoneInfo("Europe/Berlin"))
    assert isinstance(found, Row) and found.end_day.isoformat() == "2026-09-30"


@pytest.mark.parametrize("settings", [{}, {"delimiter": ";"}])
def test_a_ready_mapping_that_is_chosen_is_the_one_that_is_proposed(settings: dict[str, Any]) -> None:
    out = io.StringIO(newline="")
    row = nce(Subtotal="1234,50", ChargeStartDate="01.09.2026", ChargeEndDate="30.09.2026")
    csv.writer(out, delimiter=";").writerows([NCE, row])
    content = out.getvalue().encode()
    assert as_ready("nce_licenses", content, settings) == propose(content, settings)
    mapping, found = as_ready("nce_licenses", content, settings)
    assert (mapping["decimal"], mapping["date_format"], len(found.rows)) == (",", "%d.%m.%Y|ISO", 1)
    assert named(mapping) == "nce_licenses"
    assert named(mapping | {"id": "InvoiceNumber"}) == named({}) == ""
    assert as_ready("asterisk", b"")[0] == READY["asterisk"]


def test_suppliers_with_the_focus_of_before_read_as_the_present_one(database: str, actor: Actor) -> None:
    """What the product does when it is brought up; a mapping that somebody changed is theirs."""
    upgrade = importlib.import_module("taktura.usage.migrations.0024_focus_ends")
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19)
    )
    older = READY["focus"] | {"period_end": "ChargePeriodEnd"}
    german = {"decimal": ",", "date_format": "%d.%m.%Y|ISO"}
    mappings = {"old": older, "german": older | german, "own": older | {"unit": "ConsumedUnit"}, "new": READY["focus"]}
    for key, mapping in mappings.items():
        usage.create_supplier(actor, seller=seller, key=key, name=key, mapping=mapping)
    upgrade.choose_again(apps, SimpleNamespace(connection=connection))
    found = dict(Supplier.objects.values_list("key", "mapping"))
    assert found == mappings | {"old": READY["focus"], "german": READY["focus"] | german}
    assert [named(found[key]) for key in ("old", "german", "own")] == ["focus", "focus", ""]
    versions = MappingVersion.objects.filter(supplier__key="old").order_by("number")
    assert [v.mapping["period_end"] for v in versions] == ["ChargePeriodEnd", "=instant(ChargePeriodEnd)"]
    assert MappingVersion.objects.filter(supplier__key="own").count() == 1


def test_suppliers_with_the_microsoft_mappings_of_before_read_as_the_present_ones(database: str, actor: Actor) -> None:
    """Their ends are days, with an hour behind or without. How a file's dates are written stays where it was chosen."""
    upgrade = importlib.import_module("taktura.usage.migrations.0026_nce_days")
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="UTC", vat=read_rates(19)
    )
    written = {"date_format": "%m/%d/%Y|%m/%d/%Y %H:%M:%S|ISO"}
    licenses = READY["nce_licenses"] | written | {
        "subscription_start": "=first(SubscriptionStartDate)", "subscription_end": "=first(SubscriptionEndDate)",
        "period_start": "ChargeStartDate", "period_end": "ChargeEndDate",
    }  # fmt: skip
    daily = READY["nce_usage"] | written | {"period_start": "UsageDate"}
    german = {"decimal": ",", "date_format": "%d.%m.%Y|ISO"}
    mappings = {
        "licenses": licenses, "daily": daily, "german": licenses | german, "own": licenses | {"unit": "UnitType"},
        "half": licenses | {"period_end": "=day(ChargeEndDate)"}, "new": READY["nce_licenses"],
        "focus": READY["focus"],
    }  # fmt: skip
    for key, mapping in mappings.items():
        usage.create_supplier(actor, seller=seller, key=key, name=key, mapping=mapping)
    upgrade.choose_again(apps, SimpleNamespace(connection=connection))
    upgrade.choose_again(apps, SimpleNamespace(connection=connection))
    found = dict(Supplier.objects.values_list("key", "mapping"))
    present = {
        "licenses": READY["nce_licenses"], "daily": READY["nce_usage"], "german": READY["nce_licenses"] | german,
    }  # fmt: skip
    assert found == mappings | present
    numbers = MappingVersion.objects.order_by("supplier__key", "number").values_list("supplier__key", "number", "by")
    assert [row for row in numbers if row[1] > 1] == [(key, 2, "Taktura") for key in ("daily", "german", "licenses")]
    row = nce(ChargeStartDate="9/1/2026 00:00:00", ChargeEndDate="9/30/2026 00:00:00")
    (read_now,) = read(lines(NCE, row), Mapping.from_dict(found["licenses"]), ZoneInfo("Europe/Berlin"))
    assert isinstance(read_now, Row) and read_now.end_day.isoformat() == "2026-10-01"


def test_focus_in_a_workbook_with_bare_numbers_for_dates_says_what_to_do() -> None:
    focus = ["SubAccountName", "SubAccountId", "BillingAccountId", "SkuId", "ServiceName", "ChargePeriodStart",
             "ChargePeriodEnd", "ChargeCategory", "ConsumedQuantity", "ConsumedUnit", "BilledCost",
             "BillingCurrency"]  # fmt: skip
    book = Workbook()
    book.active.append(focus)
    for start, end in ((46174, 46204), (46174.5, 46175), (datetime(2026, 6, 1, tzinfo=None), 46204)):  # noqa: DTZ001
        book.active.append(["S-1", "S-1", "B-1", "SKU", "X", start, end, "Usage", 1, "GB", 2.5, "EUR"])
    out = io.BytesIO()
    book.save(out)
    found = list(read(out.getvalue(), Mapping.from_dict(READY["focus"]), UTC_ZONE))
    problems = [p for p in found if isinstance(p, Problem)]
    assert [(p.line, p.code) for p in problems] == [(2, "bad_date"), (3, "bad_date"), (4, "bad_date")]
    assert problems[-1].column == "ChargePeriodEnd", "named by its heading"
    assert all("format the column as a date" in p.text() for p in problems)


def test_headings_of_a_german_wholesaler_are_proposed() -> None:
    """The days that are charged before those of the subscription, and the subscription by its reference."""
    head = "Position;Kundennummer;Abonnement;Abonnementname;Beginn;Ende;Menge;Leistung von;Leistung bis"
    head += ";EK je Einheit;EK gesamt"
    mapping, _table = propose(f"{head}\n1;K;S;N;01.01.2026;;1,5;13.10.2026;31.10.2026;2,00;3,00\n".encode())
    found = {c: mapping.get(c) for c in ("subscription_id", "period_start", "period_end", "cost", "cost_amount", "id")}
    assert found == {
        "subscription_id": "Abonnement", "period_start": "Leistung von", "period_end": "Leistung bis",
        "cost": "EK je Einheit", "cost_amount": "EK gesamt", "id": None,
    }  # fmt: skip
    assert mapping["subscription_name"] == "Abonnementname" and mapping["decimal"] == ","
