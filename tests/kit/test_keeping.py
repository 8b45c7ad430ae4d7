"""What the worker forgets by night, so that nothing grows for ever."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402

from taktura.kit.clock import utc_now  # noqa: E402
from taktura.kit.jobs import keeping  # noqa: E402
from taktura.kit.jobs.models import Work  # noqa: E402
from taktura.kit.jobs.tasks import forget_old_jobs  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402
from taktura.kit.mail.tasks import send_mail  # noqa: E402


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    """A database of this test's own."""
    with scratch_database():
        yield


def test_old_work_is_forgotten_but_the_newest_of_its_kind() -> None:
    now, kept = utc_now(), []
    for subject, days, state in (
        ("a", 100, "done"), ("a", 95, "failed"), ("a", 80, "stopped"), ("b", 200, "done"), ("b", 300, "waiting"),
    ):  # fmt: skip
        at = None if state == "waiting" else now - timedelta(days=days)
        kept.append(
            Work.objects.create(kind="k", subject=subject, state=state, created_at=now, finished_at=at, actor="x")
        )
    newest = Work.objects.create(
        kind="k", subject="c", state="done", created_at=now, finished_at=now - timedelta(days=365), actor="x"
    )
    assert keeping.forget_work(now - timedelta(days=90)) == 3
    assert {w.pk for w in Work.objects.all()} == {kept[2].pk, kept[4].pk, newest.pk}


def test_counters_whose_time_is_over_are_forgotten() -> None:
    cache.set("short", 1, timeout=60)
    cache.set("long", 1, timeout=3600)
    assert keeping.forget_counters(utc_now() + timedelta(minutes=2)) == 1
    assert cache.get("long") == 1 and cache.get("short") is None


def test_housekeeping_forgets_all_that_is_old() -> None:
    """The job itself, by a worker: what it does is tried one by one above."""
    done = send_mail.defer(mail=999_999)  # of which nothing is left
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = %s", [done])
    old = utc_now() - timedelta(days=100)
    for n in (1, 2):
        Work.objects.create(kind="k", subject="a", state="done", created_at=old, finished_at=old, actor=str(n))
    cache.set("gone", 1, timeout=0.001)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '15 days' WHERE job_id = %s", [done])
    forget_old_jobs.defer(timestamp=0)
    run_worker(until_done=True)
    assert not ProcrastinateJob.objects.filter(pk=done).exists()
    assert [w.actor for w in Work.objects.filter(kind="k")] == ["2"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kit_cache WHERE cache_key LIKE '%gone'")
        assert cursor.fetchone() == (0,)
