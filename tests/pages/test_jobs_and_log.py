"""Background work and the log on pages."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from taktura.audit import services as audit
from taktura.audit.models import LogEntry
from taktura.audit.tasks import prove_log
from taktura.billing.unattended import DELAYS, RUN, SCHEDULE
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.jobs.models import JobFailure, Work
from taktura.kit.jobs.worker import run_worker
from taktura.kit.language import translate
from taktura.kit.mail.tasks import send_mail
from taktura.office import show
from taktura.office.settings.jobs import ROUTINE
from taktura.office.subjects import KINDS, subjects
from taktura.office.words import WORDS

ROOT = Path(__file__).resolve().parents[2]
Pages = Callable[..., dict[str, str]]
SignIn = Callable[..., Client]
OUTSIDE = {"sales", "technician", "viewer"}


def as_owner(statement: str, *values: Any) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, values)
    connections["owner"].close()


@pytest.fixture
def failed(seller: Seller) -> int:
    """A job that failed."""
    job = send_mail.defer(mail=999_999)
    as_owner("UPDATE procrastinate_jobs SET status = 'failed', attempts = 1 WHERE id = %s", job)
    JobFailure.objects.create(job=job, error="ValueError: <b>no way</b>", at=utc_now())
    assert isinstance(job, int)
    return job


def test_pages_open_in_three_languages_to_those_who_may_see_them(
    failed: int, page_ok: Pages, forbidden_to: Callable[[str], set[str]]
) -> None:
    entry = LogEntry.objects.latest("id").pk
    for path in ("/settings/jobs/", f"/settings/jobs/{failed}/", "/settings/log/", f"/settings/log/{entry}/"):
        assert len(set(page_ok(path).values())) == 3
        assert forbidden_to(path) == OUTSIDE
    assert forbidden_to("/settings/") == OUTSIDE
    assert "/settings/users/" not in page_ok("/settings/", "lead")["en"]


# ---- jobs ----------------------------------------------------------------------------------------------------------


def test_what_failed_and_why(failed: int, client_as: SignIn) -> None:
    client = client_as()
    for path in ("/settings/jobs/", f"/settings/jobs/{failed}/"):
        text = client.get(path).content.decode()
        assert "ValueError: &lt;b&gt;no way&lt;/b&gt;" in text and "Failed" in text
    assert "No worker was seen" in client.get("/settings/jobs/").content.decode()
    as_owner("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "No worker was seen" not in client.get("/settings/jobs/").content.decode()
    assert client.get("/settings/jobs/99999999/").status_code == 404


def test_an_unattended_run_says_why_it_failed_and_when_it_is_tried_again(seller: Seller, client_as: SignIn) -> None:
    now = utc_now()
    Seller.objects.update(unattended_runs=True, time_zone="UTC")
    work = Work.objects.create(
        kind=RUN, subject=f"seller:{seller.pk}", state="failed", error="ValueError: the disk is full", actor=SCHEDULE,
        created_at=now, finished_at=now, job=send_mail.defer(mail=999_999),
    )  # fmt: skip
    again = f"about {show.moment(now + DELAYS[0], 'UTC')}"
    for path in ("/settings/jobs/", f"/settings/jobs/{work.job}/"):
        text = client_as().get(path).content.decode()
        assert "ValueError: the disk is full" in text and again in text, path
    Seller.objects.update(unattended_runs=False)
    assert again not in client_as().get("/settings/jobs/").content.decode(), "nobody wants it any more"


def test_what_comes_by_itself_is_shown_only_where_it_went_wrong() -> None:
    assert {task.task.name for task in app.periodic_registry.periodic_tasks.values()} - {"read_webhooks"} <= set(
        ROUTINE
    )


def test_a_failed_job_is_tried_again(failed: int, client_as: SignIn) -> None:
    for role in ("lead", "sales"):
        assert client_as(role).post(f"/settings/jobs/{failed}/retry/").status_code == 403
    client = client_as("billing")
    assert client.post(f"/settings/jobs/{failed}/retry/").status_code == 302
    assert ProcrastinateJob.objects.get(pk=failed).status == "todo"
    again = client.post(f"/settings/jobs/{failed}/retry/", follow=True).content.decode()
    assert "Only a job that failed" in again
    for what in ("retry", "cancel"):
        assert client.post(f"/settings/jobs/99999999/{what}/").status_code == 404
    as_owner("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", failed)
    answer = client.post("/settings/jobs/", {"action": "retry", "chosen": [str(failed)]}, follow=True)
    assert "1 job is tried again" in answer.content.decode()


def test_a_job_that_has_not_begun_is_cancelled(seller: Seller, client_as: SignIn) -> None:
    job = send_mail.defer(mail=1)
    client = client_as()
    assert f"/settings/jobs/{job}/cancel/" in client.get(f"/settings/jobs/{job}/").content.decode()
    client.post(f"/settings/jobs/{job}/cancel/")
    assert ProcrastinateJob.objects.get(pk=job).status == "cancelled"
    answer = client.post(f"/settings/jobs/{job}/cancel/", follow=True).content.decode()
    assert "has not begun" in answer


def test_housekeeping_is_shown_only_when_asked_for_or_when_it_fails(seller: Seller, client_as: SignIn) -> None:
    as_owner("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('housekeeping', 'take_up_stalled',"
             " 'succeeded')")  # fmt: skip
    client, word = client_as(), 'class="row-link"'
    assert word not in client.get("/settings/jobs/").content.decode()
    assert "Take up broken-off jobs" in client.get("/settings/jobs/?routine=1").content.decode()
    as_owner("UPDATE procrastinate_jobs SET status = 'failed'")
    assert client.get("/settings/jobs/").content.decode().count("Take up broken-off jobs") == 2  # a row and a choice


def test_long_work_is_shown_with_its_progress_and_stopped(seller: Seller, client_as: SignIn) -> None:
    kept = {"kind": "usage_file", "actor": "user:ada@firm.example", "created_at": utc_now()}
    open_work = Work.objects.create(**kept, subject=f"seller:{seller.pk}", state="running", done=30, total=120)
    said = "This is being done already: wait for its end, or stop it."
    refused = {"refused": {"code": "conflict", "text": said, "values": {}}}
    Work.objects.create(**kept, subject=f"seller:{seller.pk}", state="failed", result=refused)
    foreign = Work.objects.create(**kept, subject="seller:999", state="running")
    client = client_as("billing", "de")
    text = client.get("/settings/jobs/").content.decode()
    assert "30 / 120" in text and 'data-share="0.2500"' in text and "ada@firm.example" in text
    assert said not in text and translate(said, {}, "de") in text
    assert client_as("lead").post(f"/settings/work/{open_work.pk}/stop/").status_code == 403
    client.post(f"/settings/work/{open_work.pk}/stop/")
    open_work.refresh_from_db()
    assert open_work.stop_requested
    assert client.post(f"/settings/work/{foreign.pk}/stop/").status_code == 404


def test_every_job_has_its_word() -> None:
    source = "\n".join(p.read_text("utf-8") for p in (ROOT / "taktura").rglob("tasks.py"))
    names = set(re.findall(r'app\.task\(name="([a-z_]+)"', source))
    assert len(names) > 8
    assert names - set(WORDS["task"]) == set()


# ---- the log -------------------------------------------------------------------------------------------------------


def test_every_act_has_its_word_and_every_subject_its_name() -> None:
    source = "\n".join(p.read_text("utf-8") for p in (ROOT / "taktura").rglob("*.py"))
    acts = set(re.findall(r'\brecord\(\s*[^,()]+(?:\([^()]*\))?,\s*"([a-z_]+)"', source))
    assert len(acts) > 40
    assert acts - set(WORDS["action"]) == set()
    kinds = set(re.findall(r'f"([a-z]+):\{[a-z_.]+(?:pk|id)\}"', source))
    assert kinds <= {*KINDS, "page", "queue"}, kinds - set(KINDS)  # a mailbox's target, of which no entry is


def test_the_log_is_filtered(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    text = client.get("/settings/log/").content.decode()
    assert "Contract signed" in text
    rows = client.get("/settings/log/?action=create_customer").content.decode()
    assert rows.count('class="row-link"') == 3 and "Acme GmbH" in rows
    assert client.get("/settings/log/?kind=contract").content.decode().count('class="row-link"') == 3
    assert 'class="row-link"' not in client.get("/settings/log/?first=2026-05-01&last=2026-05-02").content.decode()
    assert 'class="row-link"' in client.get("/settings/log/?first=2026-01-01&last=2026-01-01").content.decode()
    assert client.get("/settings/log/?q=oztuerk").content.decode().count('class="row-link"') >= 1
    assert 'class="row-link"' not in client.get("/settings/log/?q=nobody-at-all").content.decode()


def test_subjects_lead_where_one_may_go(seller: Seller, client_as: SignIn) -> None:
    acme = Customer.objects.get(key="acme")
    link = f'href="/customers/{acme.pk}/"'
    assert link in client_as("lead").get("/settings/log/").content.decode()
    admin = client_as("admin").user  # type: ignore[attr-defined]
    lead = client_as("lead").user  # type: ignore[attr-defined]
    text = f"user:{admin.pk}"
    assert subjects([text], admin)[text].url == f"/settings/users/{admin.pk}/"
    assert (subjects([text], lead)[text].name, subjects([text], lead)[text].url) == (admin.name, "")
    strange = ["nothing:1", "customer:x", "customer:999999", ""]
    assert [subjects(strange, admin)[s].name for s in strange] == strange


def test_the_number_of_queries_does_not_grow_with_the_log(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    client.get("/settings/log/")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/settings/log/?kind=customer")
        return len(queries)

    before = count()
    for customer in Customer.objects.all():
        for _number in range(5):
            audit.record(Actor("t", utc_now()), "change_customer", f"customer:{customer.pk}", {"a": 1})
    assert count() == before


def test_the_chain_is_proven_in_the_background(seller: Seller, client_as: SignIn) -> None:
    run_worker(until_done=True)  # what the usage of the company has started
    client = client_as("lead")
    assert "not proven here yet" in client.get("/settings/log/").content.decode()
    client.post("/settings/log/prove/")
    assert "is being proven" in client.get("/settings/log/").content.decode()
    assert "is being done already" in client.post("/settings/log/prove/", follow=True).content.decode()
    run_worker(until_done=True)
    number = LogEntry.objects.count()
    assert f"The chain is whole: {number} entries proven" in client.get("/settings/log/").content.decode()
    audit.record(Actor("t", utc_now()), "bill", "", {})
    assert "1 has come since" in client.get("/settings/log/").content.decode()


def test_an_entry_that_was_changed_is_found(seller: Seller, client_as: SignIn) -> None:
    entry = LogEntry.objects.order_by("id")[3]
    as_owner("ALTER TABLE audit_logentry DISABLE TRIGGER ALL")
    as_owner("UPDATE audit_logentry SET actor = 'somebody else' WHERE id = %s", entry.pk)
    as_owner("ALTER TABLE audit_logentry ENABLE TRIGGER ALL")
    work = Work.objects.create(kind="prove_log", subject="log", actor="t", created_at=utc_now())
    prove_log(work.pk)
    client = client_as()
    text = client.get("/settings/log/").content.decode()
    assert "1 entry was changed" in text and f'href="/settings/log/{entry.pk}/"' in text
    assert "Hash does not hold" in client.get(f"/settings/log/{entry.pk}/").content.decode()
    assert "Hash holds" in client.get(f"/settings/log/{entry.pk + 1}/").content.decode()


def test_a_proof_tells_how_far_it_is_and_can_be_stopped(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "TOLD", 4)
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> bool:
        told.append((done, total))
        return len(told) < 2

    proof = audit.prove(tell)
    assert (proof.entries, proof.broken) == (8, [])
    assert told[:2] == [(4, LogEntry.objects.count()), (8, LogEntry.objects.count())]
