"""Figures for Prometheus: of the requests of all server processes, and of the business, asked of the database.

The figures of the business are at most `KEPT` seconds old, so that however often they are fetched they cost little.
"""

import hmac
import os.path
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from threading import Lock
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from taktura.invoices.queries import issued_by_kind
from taktura.kit.jobs.queries import jobs_by_status
from taktura.kit.mail.queries import mails_by_state
from taktura.usage.queries import waiting_of_all

KEPT = 20
HOME = ("127.0.0.1", "::1")
PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")

Rows = Iterable[tuple[Any, ...]]


def _sql(query: str) -> Callable[[], Rows]:
    def rows() -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(query)
            found: Rows = cursor.fetchall()
            return found

    return rows


# name, what it says, whether it only grows, labels, and what gives the rows: the labels in their order, then the number
FIGURES: tuple[tuple[str, str, bool, tuple[str, ...], Callable[[], Rows]], ...] = (
    ("taktura_documents_issued", "Documents issued.", True, ("seller", "kind"), issued_by_kind),
    ("taktura_usage_waiting", "Usage records that wait, by reason.", False, ("reason",), waiting_of_all),
    (
        "taktura_jobs", "Jobs by state.", False, ("state",),
        lambda: jobs_by_status().items(),
    ),
    (
        "taktura_job_wait_seconds", "How long the oldest job that could begin has been waiting.", False, (),
        _sql(
            "SELECT coalesce(extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at)))::bigint, 0)"
            " FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'"
            " WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())"
        ),
    ),
    ("taktura_mails", "Mails in the outbox by state.", False, ("state",), mails_by_state),
    (
        "taktura_worker_seen_seconds", "How long ago a worker was last seen.", False, (),
        _sql(
            "SELECT extract(epoch FROM now() - max(last_heartbeat))::bigint FROM procrastinate_workers"
            " HAVING max(last_heartbeat) IS NOT NULL"
        ),
    ),
    (
        "taktura_database_bytes", "Size of the database.", False, (),
        _sql("SELECT pg_database_size(current_database())"),
    ),
)  # fmt: skip


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures, for whoever has the token; without one set, for this machine, but not through a proxy."""
    if not _allowed(request):
        return HttpResponse("A token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    if os.path.isdir(settings.METRICS_FOLDER):
        MultiProcessCollector(registry, settings.METRICS_FOLDER)  # type: ignore[no-untyped-call]
        text = generate_latest(registry)
    else:
        text = generate_latest(REGISTRY)
    business = CollectorRegistry()
    business.register(_business)
    return HttpResponse(text + generate_latest(business), content_type=CONTENT_TYPE_LATEST)


def _allowed(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    return request.META.get("REMOTE_ADDR") in HOME and not any(name in request.META for name in PASSED_ON)


ABOUT_ITSELF = ("taktura_database_up", "taktura_info")


class _Business:
    """Asks the database, and keeps the answer for a while."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0
        self._found: list[Metric] = []

    def describe(self) -> list[Metric]:
        """Nothing is asked when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures."""
        with self._lock:
            if int(monotonic()) >= self._until:
                self._found = list(self._ask())
                self._until = int(monotonic()) + KEPT
            yield from self._found

    def _ask(self) -> Iterator[Metric]:
        try:
            answers = [self._figure(*figure) for figure in FIGURES]
        except Error:
            connection.close()
            answers = []
        yield GaugeMetricFamily(ABOUT_ITSELF[0], "Whether the database answers.", value=int(bool(answers)))
        yield from answers
        about = GaugeMetricFamily(ABOUT_ITSELF[1], "The version of the program.", labels=["version"])
        about.add_metric([version("taktura")], 1)
        yield about

    def _figure(self, name: str, about: str, grows: bool, labels: tuple[str, ...], rows: Callable[[], Rows]) -> Metric:
        family = CounterMetricFamily if grows else GaugeMetricFamily
        found: Any = family(name, about, labels=labels)
        for *values, number in rows():
            found.add_metric([str(v) for v in values], number)
        answer: Metric = found
        return answer


_business = _Business()
