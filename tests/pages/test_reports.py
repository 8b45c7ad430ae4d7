"""Reports: the figures of a period as table, picture and file; who may see which."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.accounts.models import User
from taktura.billing import reports
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.desk import services as desk
from taktura.desk.models import Activity
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier

ClientAs = Callable[..., Client]
MARCH = datetime(2026, 3, 15, 9, tzinfo=UTC)
YEAR = (date(2026, 1, 1), date(2027, 1, 1))


@pytest.fixture
def worked(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """Time of two customers, one of whom cannot be billed; costs of a supplier for the other."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: MARCH)
    actor = Actor("user:anna@b.example", MARCH)
    User.objects.create(email="anna@b.example", name="Anna", role="technician", created_at=MARCH)
    acme, bare = (Customer.objects.get(key=key) for key in ("acme", "bare"))
    customers.change_customer(actor, customer=bare, hourly_rate="100.00")
    customers.change_customer(actor, customer=acme, hourly_rate="90.00")
    site = desk.add_activity(actor, seller=seller, name="On site", billable=True)
    for customer, day, minutes, billable, activity in (
        (bare, date(2025, 12, 1), 20, True, site), (bare, date(2026, 3, 1), 25, True, None),
        (bare, date(2026, 3, 14), 30, False, None), (acme, date(2026, 2, 3), 90, True, site),
        (acme, date(2026, 3, 3), 15, True, site),
    ):  # fmt: skip
        desk.log_time(actor, customer=customer, worked_on=day, minutes=minutes, billable=billable, activity=activity)
    desk.set_service_levels(actor, seller=seller, targets={"high": (60, 480)})
    for hours in (0, 0, 2):  # until the first answer
        ticket = desk.open_ticket(actor, customer=acme, subject="Printer", priority="high")
        desk.answer_ticket(Actor(actor.name, MARCH + timedelta(hours=hours)), ticket=ticket, text="On my way.")
    desk.open_ticket(Actor(actor.name, MARCH - timedelta(days=40)), customer=acme, subject="Fax", priority="high")
    return seller


def test_time_that_waits_for_billing_information_has_its_worth(worked: Seller) -> None:
    (row,) = reports.time_without_billing_information(worked.pk, "EUR", date(2025, 1, 1), YEAR[1])
    assert (row.key, row.pieces, row.minutes, row.billable, row.oldest) == ("bare", 3, 75, 45, date(2025, 12, 1))
    assert row.worth == Decimal("75.00"), "45 minutes at 100.00"
    (row,) = reports.time_without_billing_information(worked.pk, "EUR", *YEAR)
    assert row.worth == Decimal("41.67"), "25 minutes at 100.00, rounded once"
    Customer.objects.filter(key="bare").update(hourly_rate=None)
    (row,) = reports.time_without_billing_information(worked.pk, "EUR", *YEAR)
    assert row.worth is None


def test_unapproved_time_is_sorted_by_age(worked: Seller) -> None:
    found = reports.unapproved_time(worked.pk, date(2026, 3, 15), date(2025, 1, 1), YEAR[1])
    assert [(r.key, r.minutes, r.ages, r.complete) for r in found] == [
        ("bare", 75, (30, 25, 0, 20), False),  # 1, 14 and 104 days
        ("acme", 105, (0, 15, 90, 0), True),  # 12 and 40 days
    ]


def test_hours_are_summed_by_customer_user_and_activity(worked: Seller) -> None:
    by = {name: reports.hours_worked(worked.pk, *YEAR, name) for name in reports.HOURS_BY}
    assert [(h.key, h.minutes, h.billable) for h in by["customer"]] == [("acme", 105, 105), ("bare", 55, 25)]
    assert by["customer"][0].months == {date(2026, 2, 1): 90, date(2026, 3, 1): 15}
    assert by["customer"][1].billable_months == {date(2026, 3, 1): 25}
    assert [(h.name, h.minutes) for h in by["activity"]] == [("On site", 105), ("", 55)]
    assert [(h.name, h.minutes) for h in by["user"]] == [("Anna", 160)]


def test_customers_bring_revenue_less_cost_of_suppliers(worked: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get(key="sun")
    usage.import_rows(actor, supplier=supplier, rows=[
        # ten days, of which six lie in February; found by the supplier customer, since there is no line
        {"id": "r1", "customer_id": "K-A", "subscription_id": "S-A", "product_id": "P", "quantity": "1",
         "period_start": "2026-01-28", "period_end": "2026-02-06", "cost_amount": "10.00"},
        {"id": "r2", "customer_id": "K-A", "subscription_id": "S-A", "product_id": "P", "quantity": "1",
         "period_start": "2026-02-10", "cost_amount": "1.005"},
        {"id": "r3", "customer_id": "K-Z", "subscription_id": "S-Z", "product_id": "P", "quantity": "1",
         "period_start": "2026-02-10", "cost_amount": "99.00"},
    ])  # fmt: skip
    usage.link_customer(actor, supplier=supplier, reference="K-A", customer=Customer.objects.get(key="acme"))
    found = reports.customer_results(worked.pk, date(2026, 2, 1), date(2026, 3, 1))
    rows = {row.key: row for row in found}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT k.key, sum(CASE WHEN d.kind = 'invoice' THEN d.net ELSE -d.net END)
               FROM invoices_document d JOIN customers_customer k ON k.id = d.customer_id
               WHERE d.issued_on >= '2026-02-01' AND d.issued_on < '2026-03-01' GROUP BY 1"""
        )
        billed = {key: Decimal(int(net)) / 100 for key, net in cursor.fetchall()}
    assert billed["acme"] and {key: row.revenue for key, row in rows.items() if row.documents} == billed
    assert rows["acme"].cost == Decimal("7.01"), "6 of 10 days of 10.00, and 1.005: rounded once"
    assert rows["acme"].margin == rows["acme"].revenue - Decimal("7.01")
    assert rows["acme"].minutes == 90
    assert [row.margin for row in found] == sorted(row.margin for row in found)


def test_currencies_are_never_added(worked: Seller, actor: Actor) -> None:
    supplier = Supplier.objects.get(key="sun")
    usage.import_rows(actor, supplier=supplier, rows=[
        {"id": "r1", "customer_id": "K-A", "subscription_id": "S-A", "product_id": "P", "quantity": "1",
         "period_start": "2026-02-10", "cost_amount": "500.00", "currency": "USD"},
    ])  # fmt: skip
    usage.link_customer(actor, supplier=supplier, reference="K-A", customer=Customer.objects.get(key="acme"))
    rows = [r for r in reports.customer_results(worked.pk, date(2026, 2, 1), date(2026, 3, 1)) if r.key == "acme"]
    assert [(r.currency, r.cost) for r in rows] == [("EUR", Decimal(0)), ("USD", Decimal("500.00"))]
    assert [r.minutes for r in rows] == [90, 0], "the hours stand once"


@pytest.mark.parametrize(("first", "end"), [(date(2026, 2, 1), date(2026, 2, 1)), (date(2020, 1, 1), date(2026, 2, 1))])
def test_periods_that_cannot_be_are_refused(worked: Seller, first: date, end: date) -> None:
    for ask in (
        lambda: reports.customer_results(worked.pk, first, end),
        lambda: reports.hours_worked(worked.pk, first, end, "user"),
    ):
        with pytest.raises(Refused):
            ask()


def test_the_queries_do_not_grow_with_the_customers(worked: Seller, actor: Actor) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            reports.customer_results(worked.pk, *YEAR)
            reports.time_without_billing_information(worked.pk, "EUR", *YEAR)
            reports.unapproved_time(worked.pk, date(2026, 3, 15), *YEAR)
            reports.hours_worked(worked.pk, *YEAR, "customer")
        return len(queries)

    before = count()
    for number in range(5):
        customer = customers.create_customer(actor, seller=worked, key=f"N-{number}", name="New")
        desk.log_time(actor, customer=customer, minutes=5)
    assert count() == before


PAGES = {
    "/reports/": "desk.view", "/reports/levels/": "desk.view", "/reports/unapproved/": "desk.view",
    "/reports/waiting/": "control.view", "/reports/customers/": "control.view",
}  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_each_report_is_page_picture_table_and_file(worked: Seller, client_as: ClientAs, path: str) -> None:
    client = client_as("lead")
    text = client.get(path).content.decode()
    assert (
        'role="img"' in text and "data-chart" in text and "Acme GmbH" in text + client.get("/reports/").content.decode()
    )
    (chart,) = re.findall(r'<script id="chart-0" type="application/json">(.*?)</script>', text)
    data = json.loads(chart)
    assert all(len(one["data"]) == len(data["labels"]) for one in data["datasets"])
    heads, *rows = list(csv.reader(io.StringIO(client.get(f"{path}?export=csv").content.decode("utf-8-sig"))))
    assert rows and all(len(row) == len(heads) for row in rows)
    assert client.get(f"{path}?export=xlsx").headers["Content-Type"].endswith("sheet")


def test_the_share_of_answers_in_time_is_said(worked: Seller, client_as: ClientAs) -> None:
    client = client_as("lead", "de")
    march = client.get("/reports/levels/?from=2026-03-01&until=2026-03-31").content.decode()
    assert "66,7\xa0%" in march, "two of three within the hour"
    sent = client.get("/reports/levels/?from=2026-03-01&until=2026-03-31&export=csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(sent)))[1][1:] == ["3", "2", "1", "0", "0", "0"]
    february = client.get("/reports/levels/?from=2026-02-01&until=2026-02-28&export=csv").content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(february)))[1][1:] == ["1", "0", "0", "0", "0", "1"], "never answered: overdue"


def test_a_technician_sees_hours_and_no_money(worked: Seller, client_as: ClientAs) -> None:
    client = client_as("technician")
    for path, permission in PAGES.items():
        response = client.get(path)
        assert response.status_code == (200 if permission == "desk.view" else 403), path
        if response.status_code == 200:
            assert "€" not in response.content.decode() and "/reports/customers/" not in response.content.decode()


def test_a_period_is_typed_and_a_wrong_one_is_said(worked: Seller, client_as: ClientAs) -> None:
    client = client_as("lead")
    february = client.get("/reports/?from=2026-02-01&until=2026-02-28&by=customer").content.decode()
    assert "Acme GmbH" in february and "Ohne Angaben KG" not in february
    assert "is no day" in client.get("/reports/?from=never").content.decode()
    assert "ends before it begins" in client.get("/reports/?from=2026-02-01&until=2026-01-01").content.decode()
    assert "at most three years" in client.get("/reports/?from=2001-02-01&until=2026-01-01").content.decode()
    assert "Nothing in this period" in client.get("/reports/?from=2024-02-01&until=2024-03-01").content.decode()


def test_activities_without_a_name_are_named(worked: Seller, client_as: ClientAs) -> None:
    Activity.objects.update(name="=cmd|'/c calc'!A0")
    sent = client_as("lead").get("/reports/?by=activity&export=csv").content.decode()
    assert "None given" in sent and "'=cmd" in sent
