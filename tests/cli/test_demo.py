"""The demo company: a year in which everything happens once, things to be done at its end, and all of it proven."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password

from taktura.accounts.models import PortalUser, User
from taktura.accounts.permissions import ROLES
from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.billing.models import BillingRun, RunProblem, SalesItem, TimeDraw
from taktura.billing.proof import verify
from taktura.cli.demo.company import left_to_load, make
from taktura.cli.demo.users import LOGINS, PASSWORD, logins, portal_login
from taktura.cli.demo.world import accounts, rows
from taktura.contracts.models import Contract, ContractCoupon, ContractLine, ContractPhase, Pause
from taktura.contracts.queries import State, by_key, state
from taktura.customers.models import Customer, Seller
from taktura.customers.queries import missing_billing_information
from taktura.desk.models import Ticket, TimeEntry
from taktura.invoices.models import Document, DocumentState
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.usage.models import SupplierSubscription, UsageHistory, UsageRecord
from taktura.usage.queries import supplier_by_key, waiting_by_reason
from tests.conftest import DEMO_DAY


@pytest.fixture
def seller(demo_database: str) -> Seller:
    """The demo company."""
    return Seller.objects.get()


def states() -> dict[str, State]:
    """How each contract beside those of the cloud stands on the day of the demo."""
    found = Contract.objects.exclude(key__startswith="C-").select_related("customer__seller")
    return {contract.key: state(contract, DEMO_DAY) for contract in found}


def test_all_is_proven(seller: Seller) -> None:
    assert verify() == []
    assert Document.objects.count() > 500
    assert UsageRecord.objects.count() > 25_000


def test_forty_customers_in_three_languages_and_those_of_the_cloud(seller: Seller) -> None:
    people = Customer.objects.exclude(key__startswith="cloud-")
    assert people.count() == len(rows("customers.csv")) == 43
    assert Customer.objects.count() == 43 + len(accounts()) == 113
    assert min(Counter(people.values_list("language", flat=True)).values()) >= 8
    assert set(people.values_list("language", flat=True)) == {"de", "sv", "en"}
    assert people.filter(kind="consumer").count() >= 4
    assert people.filter(billing_information__tax_status="reverse_charge").exists()
    assert people.filter(documents_per="customer").exists()
    assert max(len(name) for name in people.values_list("name", flat=True)) > 60


def test_contracts_stand_at_every_point_of_their_life(seller: Seller) -> None:
    known = states()
    assert set(Counter(s.status for s in known.values())) == {"pending", "active", "paused", "ended"}
    running = [s for s in known.values() if s.status == "active"]
    assert any(s.ends for s in running), "notice is given"
    near = [s.notice_deadline for s in running if s.notice_deadline and s.notice_deadline > DEMO_DAY]
    assert DEMO_DAY + timedelta(days=9) in near
    assert Contract.objects.filter(terms="yearly").exists()
    assert Contract.objects.filter(trial_end__gt=DEMO_DAY).count() >= 2
    assert Contract.objects.filter(billed_until__isnull=False).count() > 5
    assert ContractPhase.objects.filter(start__gt=DEMO_DAY, contract__start__lt=DEMO_DAY).exists(), "planned"
    assert Contract.objects.filter(phases__end__lt=DEMO_DAY).exists(), "the tariff was changed"
    assert Pause.objects.filter(end__lt=DEMO_DAY).exists() and Pause.objects.filter(end=None).exists()
    assert ContractCoupon.objects.count() >= 3
    assert ContractLine.objects.exclude(reason="").filter(price__isnull=False).exists()
    assert LogEntry.objects.filter(action="withdraw_notice").exists()


def test_a_year_of_documents_and_payments(seller: Seller) -> None:
    assert list(BillingRun.objects.order_by("on").values_list("on", flat=True)) == [
        *(date(2023, month, 1) for month in (10, 11, 12)),
        *(date(2024, month, 1) for month in range(1, 10)),
    ]
    kinds = set(Document.objects.values_list("lines__kind", flat=True))
    assert {"once", "recurring", "usage", "minimum_sales", "cost_cap", "sales_item", "time"} <= kinds
    assert set(Document.objects.values_list("language", flat=True)) == {"de", "sv", "en"}
    assert set(Document.objects.values_list("currency", flat=True)) == {"EUR", "SEK", "GBP", "USD"}
    assert Document.objects.filter(kind="credit_note").count() > 5
    assert Document.objects.filter(kind="credit_note").exclude(reason="").count() >= 2
    assert Document.objects.filter(contract=None).exists(), "one document for all contracts of a customer"
    assert LogEntry.objects.filter(action="interim_bill").exists()
    paid = Counter(DocumentState.objects.filter(kind="invoice").values_list("payment", flat=True))
    assert set(paid) == {"open", "paid", "partly_paid", "credited"}
    assert paid["paid"] > 10 * (paid["open"] + paid["partly_paid"])
    assert DocumentState.objects.filter(open__gt=0, due_on__lt=DEMO_DAY).exists(), "overdue"
    assert (
        UsageHistory.objects.filter(withdrawn=True).exists() and UsageHistory.objects.filter(withdrawn=False).exists()
    )


def test_some_of_the_last_bills_went_out_by_mail(seller: Seller) -> None:
    mails = OutgoingMail.objects.filter(sender=f"seller:{seller.pk}", kind="document")
    assert set(mails.values_list("state", "attempts")) == {("sent", 1)}
    assert set(mails.values_list("language", flat=True)) == {"de", "sv", "en"}
    assert set(mails.values_list("sent_at__date", flat=True)) == {date(2024, 8, 1), date(2024, 9, 1)}
    assert mails.count() >= 12 and not mails.filter(attachments=None).exists()
    mailed = DocumentState.objects.filter(mailed_at__isnull=False).values_list("pk", flat=True)
    assert {f"document:{pk}" for pk in mailed} == set(mails.values_list("about", flat=True))
    assert not MailServer.objects.exists(), "no server is made up"


def test_things_are_left_to_be_done(seller: Seller, demo_folder: Path) -> None:
    assert {"unknown_key", "no_contract", "no_subscription", "paused", "after_end"} <= set(waiting_by_reason(seller.pk))
    assert SupplierSubscription.objects.filter(links=None).count() == 2
    assert SalesItem.objects.filter(document=None).count() == 1
    bare = Customer.objects.get(key="petersen")
    assert missing_billing_information(bare)
    assert UsageRecord.objects.filter(line__contract__customer=bare).exists()
    assert RunProblem.objects.filter(customer=bare).exists()
    assert left_to_load() == (demo_folder / "focus-2024-09.csv", date(2024, 10, 1))

    actor = Actor("clerk", datetime(2024, 10, 15, 12, tzinfo=UTC))
    preview = billing.bill(actor, seller=seller, on=DEMO_DAY, preview=True)
    assert len(preview.ready) > 30
    assert [p.customer for p in preview.problems] == [bare.pk]


def test_a_year_at_the_desk(seller: Seller) -> None:
    assert set(TimeEntry.objects.values_list("status", flat=True)) == {"submitted", "approved", "billed"}
    assert set(Ticket.objects.values_list("status", flat=True)) == {"open", "waiting", "solved", "closed"}
    assert TimeDraw.objects.filter(allowance__customer__key="hausverwaltung").exists(), "included hours bear some"
    assert TimeEntry.objects.filter(customer__key="petersen", status="submitted").exists(), "waits for its gate"
    assert TimeEntry.objects.filter(billable=False, status="approved").exists()


def test_nothing_happened_after_the_day_on_which_it_is_made(seller: Seller) -> None:
    midnight = datetime(2024, 10, 14, 22, tzinfo=UTC)
    times = list(LogEntry.objects.order_by("id").values_list("at", flat=True))
    assert times == sorted(times) and times[-1] < midnight
    assert UsageRecord.objects.filter(at__gte=midnight).count() == 0
    assert UsageRecord.objects.filter(day__gte=date(2024, 10, 1)).count() > 500, "this month's usage so far"
    names = set(LogEntry.objects.values_list("actor", flat=True))
    assert {f"user:{login.email}" for login in LOGINS[:4]} <= names
    assert all(name.startswith(("user:", "key:")) or name == "schedule" for name in names)


def test_one_user_for_each_role_can_sign_in(seller: Seller) -> None:
    assert {login.role for login in LOGINS} == set(ROLES)
    assert {login.role: login.language for login in LOGINS} == dict.fromkeys(ROLES, "en") | {
        "admin": "de", "billing": "de", "sales": "sv",
    }  # fmt: skip
    assert logins() == list(LOGINS)
    for login in LOGINS:
        user = User.objects.get(email=login.email)
        assert (user.name, user.role, user.language) == (login.name, login.role, login.language)
        assert user.check_password(PASSWORD)
    portal = PortalUser.objects.get(email=portal_login())
    assert check_password(PASSWORD, portal.password)
    assert Contract.objects.filter(customer__portal_access__user=portal, end=None).count() >= 2
    User.objects.filter(role="viewer").update(is_active=False)
    assert "viewer" not in {login.role for login in logins()}


def test_a_demo_of_another_day(database: str, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    today = date(2026, 1, 1)
    monkeypatch.setattr(settings, "TAKTURA_DATA", tmp_path)
    seller = make(lambda done, total: None, today=today)
    assert state(by_key(seller.pk, "V-duesterhoeft"), today).notice_deadline == today + timedelta(days=9)
    last = BillingRun.objects.latest("on")
    before = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    assert last.on == before
    left = left_to_load()
    assert left is not None and left[1] == today.replace(day=1)

    # The FOCUS sample data are of September 2024: late, but they find their contracts and are billed.
    actor = Actor("clerk", datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
    sample = samples / "focus-1.0-sample.csv"
    billing.receive_file(
        actor, supplier=supplier_by_key(seller.pk, "sunbird"), name=sample.name, content=sample.read_bytes()
    )
    outcome = billing.bill(actor, seller=seller, on=today.replace(day=1))
    assert Document.objects.filter(pk__in=outcome.issued, currency="USD").count() > 20
    assert verify() == []


def test_the_command_line_makes_the_demo_of_today(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from taktura.cli.commands import running
    from taktura.cli.demo import company

    days: list[date] = []
    monkeypatch.setattr(running, "open_database", lambda: None)
    monkeypatch.setattr(running, "_show", lambda: None)
    monkeypatch.setattr(company, "make", lambda told, *, today: days.append(today))
    assert CliRunner().invoke(running.demo).exit_code == 0
    assert CliRunner().invoke(running.demo, ["--on", "2024-10-15"]).exit_code == 0
    assert days[0] - utc_now().date() in (timedelta(0), timedelta(1))
    assert days[1:] == [DEMO_DAY]
