"""Pages of billing: what is due, preview, the run in the background, its outcome, the numbers before the first."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.models import BillingRun, RunProblem
from taktura.billing.proof import verify
from taktura.billing.services import run as running
from taktura.billing.services.due import strikes
from taktura.billing.tasks import run_billing
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.customers import services as customers
from taktura.customers.models import Customer, Seller
from taktura.invoices.models import Document, NumberSeries
from taktura.kit.actor import Actor
from taktura.kit.jobs.models import Work

pytestmark = pytest.mark.usefixtures("march")
Open = Callable[..., Client]
PAGES = ("", "preview/", "preview/?on=2026-06-01", "start/", "runs/", "numbering/")


@pytest.fixture
def march(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for on 5 March 2026: the contracts are due for March."""
    monkeypatch.setattr("taktura.office.page.utc_now", lambda: datetime(2026, 3, 5, 9, tzinfo=UTC))


def shown(response: HttpResponse) -> list[str]:
    """The contracts in the list of what is due."""
    return re.findall(r'<span class="under">([^<]+)<', response.content.decode())


def more_contracts(seller: Seller, actor: Actor, count: int) -> None:
    """Contracts of as many new customers, since March."""
    address = {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
    for number in range(count):
        key = f"n{number:03}"
        customer = customers.create_customer(actor, seller=seller, key=key, name=f"New {number:03}", language="en")
        customers.set_billing_information(actor, customer=customer, name=customer.name, **address)
        contracts.sign(
            actor, key=f"V-{key}", customer=customer, tariff=seller.tariffs.get(key="talk"), start=date(2026, 3, 1),
            quantities={"number": Decimal(1)},
        )  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_in_three_languages(seller: Seller, page_ok: Callable[..., dict[str, str]], path: str) -> None:
    assert len(set(page_ok(f"/billing/{path}").values())) == 3


def test_who_may_what(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    run = BillingRun.objects.latest("pk")
    for path in ("", "preview/", "runs/", f"runs/{run.pk}/", f"runs/{run.pk}/documents/"):
        assert forbidden_to(f"/billing/{path}") == {"technician"}
    for path in ("start/", "numbering/"):
        assert forbidden_to(f"/billing/{path}") == {"sales", "lead", "technician", "viewer"}


def test_nothing_of_another_seller(seller: Seller, client_as: Open, actor: Actor) -> None:
    other = customers.create_seller(
        actor, name="Other", country="SE", currency="SEK", time_zone="Europe/Stockholm", vat=[[None, "25"]]
    )
    client = client_as()
    session = client.session
    session["seller"] = other.pk
    session.save()
    assert shown(client.get("/billing/")) == []
    run, customer = BillingRun.objects.latest("pk"), Customer.objects.get(key="acme")
    for path in (f"runs/{run.pk}/", f"runs/{run.pk}/documents/", f"preview/?customer={customer.pk}"):
        assert client.get(f"/billing/{path}").status_code == 404
    work = Work.objects.create(kind="billing_run", subject=f"seller:{seller.pk}", created_at=actor.now, actor="x")
    assert client.get(f"/work/{work.pk}/").status_code == 404
    assert client.post(f"/work/{work.pk}/stop/").status_code == 404
    assert client.get(f"/billing/start/?after={work.pk}").status_code == 302, "first the numbers"


# What is due


def test_what_is_due_with_what_strikes(seller: Seller, client_as: Open, actor: Actor) -> None:
    more_contracts(seller, actor, 1)
    at = datetime(2026, 2, 10, 9, tzinfo=UTC)
    entries = [{"contract": "V-oztuerk", "article": "search", "quantity": "99", "at": at, "id": "much"}]
    billing.record_usage(actor, seller=seller, entries=entries)
    response = client_as("billing", "en").get("/billing/")
    assert shown(response) == ["V-bare", "V-acme", "V-oztuerk", "V-n000"], "the one that waits longest first"
    text = " ".join(response.content.decode().split())
    rows = {key: text.partition(f">{key}<")[2].partition("</tr>")[0] for key in shown(response)}
    last = Document.objects.get(customer__key="oztuerk", issued_on=date(2026, 2, 1))
    assert "Much more" in rows["V-oztuerk"] and f"/documents/{last.pk}/" in rows["V-oztuerk"]
    assert "First bill" in rows["V-n000"]
    bare = Customer.objects.get(key="bare")
    assert "Blocked" in rows["V-bare"] and f"/customers/{bare.pk}/billing/" in rows["V-bare"]


def test_the_amounts_are_those_that_are_issued(seller: Seller, client_as: Open, actor: Actor) -> None:
    more_contracts(seller, actor, 3)
    text = client_as("billing", "de").get("/billing/").content.decode()
    outcome = billing.bill(actor, seller=seller, on=date(2026, 3, 5))
    assert len(outcome.issued) == 5
    for document in Document.objects.filter(pk__in=outcome.issued):
        assert f">{document.net // 100},{document.net % 100:02}\u00a0€<" in text


@pytest.mark.parametrize(
    ("net", "last", "word"),
    [
        (100, None, "first"), (0, None, "nothing"), (0, 500, "nothing"), (-1, 500, "credit"), (120, 100, ""),
        (121, 100, "more"), (80, 100, ""), (79, 100, "less"), (5, 0, "more"),
    ],
)  # fmt: skip
def test_what_strikes(net: int, last: int | None, word: str) -> None:
    assert strikes(net, last) == word


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?on=2026-02-28", ["V-bare"]),
        ("?on=1.3.", ["V-bare", "V-acme", "V-oztuerk"]),
        ("?blocked=1", ["V-bare"]),
        ("?blocked=0", ["V-acme", "V-oztuerk"]),
        ("?q=praxis", ["V-oztuerk"]),
        ("?q=V-ACME", ["V-acme"]),
        ("?currency=EUR", ["V-bare", "V-acme", "V-oztuerk"]),
        ("?left_out=1", []),
    ],
)
def test_filters(seller: Seller, client_as: Open, query: str, keys: list[str]) -> None:
    assert shown(client_as().get(f"/billing/{query}")) == keys


def test_only_the_rows_of_the_page_are_worked_out(
    seller: Seller, client_as: Open, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    more_contracts(seller, actor, 60)
    asked: list[int] = []
    made_ready = running._made_ready

    def counted(job: object, task: object, *rest: object) -> object:
        asked.append(len(task.contracts))  # type: ignore[attr-defined]
        return made_ready(job, task, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "_made_ready", counted)
    client, counts = client_as(), []
    client.get("/billing/runs/")
    for query in ("?q=acme", ""):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(f"/billing/{query}")
        counts.append((len(shown(response)), len(captured)))
    assert [number for number, _ in counts] == [1, 50] and sum(asked) == 51
    assert counts[0][1] == counts[1][1] <= 32
    exported = client.get("/billing/?export=csv").content.decode("utf-8-sig")
    assert len(exported.splitlines()) == 64 and "V-n059" not in exported, "the contract is a column of its own"


# Left out


def test_contracts_are_left_out_and_taken_in_again(seller: Seller, client_as: Open) -> None:
    client = client_as("billing", "en")
    pks = dict(Contract.objects.values_list("key", "pk"))
    client.post("/billing/", {"action": "leave_out", "chosen": [pks["V-acme"]]})
    client.post("/billing/?q=bare", {"action": "leave_out", "all": "1"})
    assert shown(client.get("/billing/?left_out=1")) == ["V-bare", "V-acme"]
    assert "2 contracts are left out" in client.get("/billing/preview/").content.decode()
    client.post("/billing/", {"action": "take_in", "chosen": [pks["V-bare"], pks["V-oztuerk"]]})
    assert shown(client.get("/billing/?left_out=1")) == ["V-acme"]
    response = client.post("/billing/start/", {"on": "2026-03-05"})
    work = Work.objects.get()
    assert response["Location"] == f"/work/{work.pk}/" and work.parameters["exclude"] == [pks["V-acme"]]
    run_billing(work=work.pk)
    assert [d.contract.key for d in Document.objects.filter(issued_on="2026-03-05")] == ["V-oztuerk"]  # type: ignore[union-attr]
    assert shown(client.get("/billing/?left_out=1")) == [], "the next run takes it"
    assert shown(client.get("/billing/")) == ["V-bare", "V-acme"]
    assert client_as("viewer").post("/billing/", {"action": "leave_out", "all": "1"}).status_code == 403


def test_too_many_left_out(seller: Seller, client_as: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.office.billing.due.MOST_LEFT_OUT", 2)
    answer = client_as().post("/billing/", {"action": "leave_out", "all": "1"}, follow=True)
    assert "At most 2 contracts" in answer.content.decode()
    assert shown(client_as().get("/billing/?left_out=1")) == []


# Preview


def test_a_preview_shows_the_run_and_writes_nothing(seller: Seller, client_as: Open, actor: Actor) -> None:
    billing.sell(actor, customer=Customer.objects.get(key="acme"), lines=[{"title": "Headset", "price": "49.90"}])
    before = Document.objects.count(), BillingRun.objects.count()
    text = client_as("viewer", "de").get("/billing/preview/").content.decode()
    assert (Document.objects.count(), BillingRun.objects.count()) == before
    assert (
        "Headset" in text
        and "Vorschau" in text
        and "Ohne Angaben KG" in text
        and "Straße" in text.replace("street", "Straße")
    )
    outcome = billing.bill(actor, seller=seller, on=date(2026, 3, 5))
    issued = Document.objects.filter(pk__in=outcome.issued)
    for total in (sum(d.net for d in issued), sum(d.gross for d in issued), *(d.gross for d in issued)):
        assert f"{total // 100},{total % 100:02}" in text


def test_a_long_preview_says_where_it_ends(
    seller: Seller, client_as: Open, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    more_contracts(seller, actor, 8)
    monkeypatch.setattr("taktura.office.billing.runs.PREVIEWED", 6)
    monkeypatch.setattr("taktura.office.billing.runs.FEW_PREVIEWED", 4)
    text = client_as().get("/billing/preview/").content.decode()
    assert "the first 4 of 11 contracts" in text and "New 000" in text and "New 003" not in text
    customer = Customer.objects.get(key="n007")
    one = client_as().get(f"/billing/preview/?customer={customer.pk}").content.decode()
    assert "New 007" in one and "first 4" not in one


def test_a_customer_with_sales_items_alone_is_previewed(seller: Seller, client_as: Open, actor: Actor) -> None:
    address = {"street": "Weg 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
    customer = customers.create_customer(actor, seller=seller, key="shop", name="Shopper", language="de")
    customers.set_billing_information(actor, customer=customer, name=customer.name, **address)
    billing.sell(actor, customer=customer, lines=[{"title": "Hörer", "price": "20"}])
    for path in ("", f"?customer={customer.pk}"):
        assert "Hörer" in client_as().get(f"/billing/preview/{path}").content.decode()


# The run


def test_a_run_from_its_start_to_its_outcome(seller: Seller, client_as: Open) -> None:
    client = client_as("billing", "de")
    asked = {day: client.get(f"/billing/start/?on={day}").content.decode() for day in ("2026-03-04", "2026-03-06")}
    assert "Der Tag ist vergangen" in asked["2026-03-04"] and "Der Tag liegt in der Zukunft" in asked["2026-03-06"]
    ask = client.get("/billing/start/?on=2026-03-05").content.decode()
    assert "Der Tag ist vergangen" not in ask and "Der Tag liegt in der Zukunft" not in ask
    assert "05.03.2026" in ask and "sie werden ausgelassen" in ask
    response = client.post("/billing/start/", {"on": "2026-03-05"})
    work = Work.objects.get()
    assert response["Location"] == f"/work/{work.pk}/"
    page = client.get(f"/work/{work.pk}/").content.decode()
    assert f'hx-get="/work/{work.pk}/progress/"' in page and "every 1s" in page and "Anhalten" in page
    assert f"/work/{work.pk}/" in client.get("/documents/").content.decode(), "found again on every page"
    assert "under way" in client_as("billing", "en").get("/billing/").content.decode()
    client = client_as("billing", "de")
    twice = client.post("/billing/start/", {"on": "2026-03-05"}, follow=True).content.decode()
    assert Work.objects.count() == 1 and "Das läuft schon" in twice
    run_billing(work=work.pk)
    ended = client.get(f"/work/{work.pk}/progress/")
    assert ended["HX-Redirect"] == f"/work/{work.pk}/"
    run = BillingRun.objects.latest("pk")
    assert client.get(f"/work/{work.pk}/")["Location"] == f"/billing/runs/{run.pk}/"
    outcome = client.get(f"/billing/runs/{run.pk}/").content.decode()
    issued = Document.objects.filter(issued_on="2026-03-05")
    for total in (sum(d.net for d in issued), sum(d.gross for d in issued)):
        assert f"{total // 100},{total % 100:02}" in outcome
    bare = Customer.objects.get(key="bare")
    assert f"/customers/{bare.pk}/billing/" in outcome and "Abrechnungsinformationen von Ohne Angaben KG" in outcome
    listed = client.get(f"/billing/runs/{run.pk}/documents/").content.decode()
    assert all(d.number in listed for d in issued) and listed.count('class="row-link"') == len(issued) == 2
    assert run.pk in [r.pk for r in BillingRun.objects.all()]
    assert f"/billing/runs/{run.pk}/" in client.get("/billing/runs/").content.decode()
    assert verify() == []


def test_a_run_is_stopped_and_goes_on(
    seller: Seller, client_as: Open, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    more_contracts(seller, actor, 4)
    monkeypatch.setattr(running, "BATCH", 2)
    client, left_out = client_as("billing", "en"), Contract.objects.get(key="V-n003").pk
    client.post("/billing/", {"action": "leave_out", "chosen": [left_out]})
    client.post("/billing/start/", {"on": "2026-03-05"})
    work = Work.objects.get()
    assert client_as("viewer").post(f"/work/{work.pk}/stop/").status_code == 403

    batch = running._batch

    def stopping(*options: object) -> object:  # somebody stops it while the first batch is under way
        client.post(f"/work/{work.pk}/stop/")
        return batch(*options)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "_batch", stopping)
    run_billing(work=work.pk)
    monkeypatch.setattr(running, "_batch", batch)
    work.refresh_from_db()
    assert work.state == "stopped" and 0 < work.done < work.total == 6
    run = BillingRun.objects.latest("pk")
    page = client.get(f"/billing/runs/{run.pk}/").content.decode()
    assert f"stopped after {work.done} of 6" in page and f"/billing/start/?after={work.pk}" in page
    assert "Contracts" in client.get(f"/billing/start/?after={work.pk}").content.decode()
    client.post("/billing/start/", {"on": "2026-03-05", "after": str(work.pk)})
    again = Work.objects.latest("pk")
    assert again.parameters == work.parameters, "the same day, the same left out"
    run_billing(work=again.pk)
    assert Document.objects.filter(issued_on="2026-03-05").count() == 5
    assert shown(client.get("/billing/")) == ["V-bare", "V-n003"]
    assert verify() == []


def test_a_run_that_was_broken_off_is_not_finished(seller: Seller, client_as: Open, actor: Actor) -> None:
    run = BillingRun.objects.create(seller=seller, on=date(2026, 3, 1), started_at=actor.now, actor="user:x")
    assert "Not finished" in client_as().get(f"/billing/runs/{run.pk}/").content.decode()
    RunProblem.objects.create(run=run, customer=Customer.objects.get(key="bare"), code="x", text="As it was.")
    assert "As it was." in client_as().get(f"/billing/runs/{run.pk}/").content.decode()


def test_work_that_failed_says_why(seller: Seller, client_as: Open, actor: Actor) -> None:
    fields = {"kind": "billing_run", "subject": f"seller:{seller.pk}", "actor": "x", "created_at": actor.now}
    refusal = {"code": "numbering_unconfirmed", "text": "Confirm the numbers of documents (%(kind)s) before the first"
               " is issued.", "values": {"kind": "invoice"}}  # fmt: skip
    refused = Work.objects.create(**fields, state="failed", finished_at=actor.now, result={"refused": refusal})
    failed = Work.objects.create(**fields, state="failed", finished_at=actor.now, error="ValueError: slip")
    idle = Work.objects.create(**fields, state="done", finished_at=actor.now, result={"run": None})
    waiting = Work.objects.create(**fields)
    client = client_as("billing", "de")
    assert "invoice" in client.get(f"/work/{refused.pk}/").content.decode()
    assert "ValueError: slip" in client.get(f"/work/{failed.pk}/").content.decode()
    assert "Nichts war fällig" in client.get(f"/work/{idle.pk}/").content.decode()
    assert "taktura worker" in client.get(f"/work/{waiting.pk}/").content.decode()
    assert client_as("technician").get(f"/work/{waiting.pk}/").status_code == 403


def test_the_tray_asks_until_all_has_ended(seller: Seller, client_as: Open, actor: Actor) -> None:
    from taktura.kit.clock import utc_now

    client = client_as("viewer")
    assert client.get("/work/tray/").status_code == 286
    work = Work.objects.create(kind="billing_run", subject=f"seller:{seller.pk}", created_at=utc_now(), actor="x",
                               state="running", done=3, total=10)  # fmt: skip
    answer = client.get("/work/tray/")
    assert answer.status_code == 200 and f"/work/{work.pk}/" in answer.content.decode()
    assert "every 3s" in client.get("/billing/runs/").content.decode()
    assert f"/work/{work.pk}/" not in client_as("technician").get("/").content.decode()
    Work.objects.update(state="done", finished_at=utc_now())
    ended = client.get("/work/tray/")
    assert ended.status_code == 286 and f"/work/{work.pk}/" in ended.content.decode()
    Work.objects.update(finished_at=actor.now)
    assert f"/work/{work.pk}/" not in client.get("/work/tray/").content.decode()


# Numbers


def test_the_first_run_asks_to_confirm_the_numbers(seller: Seller, client_as: Open, actor: Actor) -> None:
    made = customers.create_seller(
        actor, name="New", country="SE", currency="SEK", time_zone="Europe/Stockholm", vat=[[None, "25"]]
    )
    client = client_as("billing", "en")
    session = client.session
    session["seller"] = made.pk
    session.save()
    assert "not confirmed yet" in client.get("/billing/").content.decode()
    assert client.get("/billing/start/?on=2026-03-05")["Location"] == "/billing/numbering/?on=2026-03-05"
    page = client.get("/billing/numbering/").content.decode()
    assert 'value="F-{year}-{number:05}"' in page and 'value="K-{year}-{number:05}"' in page
    data = {"format_invoice": "F{year}/{number:04}", "next_invoice": "17", "format_credit_note": "K{number}"}
    preview = client.post("/billing/numbering/preview/", data | {"next_credit_note": "3"}).content.decode()
    assert all(number in preview for number in ("F2026/0017", "F2026/0019", "K3", "K5"))
    wrong = data | {"next_credit_note": "3", "format_credit_note": "K"}
    assert "holds {number} once" in client.post("/billing/numbering/preview/", wrong).content.decode()
    refused = client.post("/billing/numbering/", wrong)
    assert refused.status_code == 422 and "holds {number} once" in refused.content.decode()
    assert not NumberSeries.objects.filter(seller=made).exists(), "both or none"
    assert client.post("/billing/numbering/?on=2026-03-05", data | {"next_credit_note": "3"})["Location"] == (
        "/billing/start/?on=2026-03-05"
    )
    series = NumberSeries.objects.get(seller=made, kind="invoice")
    assert series.confirmed and series.counters.get().next == 17
    assert client.get("/billing/start/").status_code == 200
    assert "F2026/0017" not in client.get("/billing/").content.decode()
