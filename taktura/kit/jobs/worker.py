"""The worker: does jobs until it is told to end."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connections
from procrastinate import PsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.signals import on_stop

from taktura.kit.clock import utc_now
from taktura.kit.jobs.ending import ending
from taktura.kit.jobs.keeping import close_orphans, take_up
from taktura.kit.jobs.queries import is_due
from taktura.kit.jobs.telling import telling

CONCURRENCY = 4
POLLED_SECONDS = 5.0
GRACE_SECONDS = 30.0  # what a job of asyncio gets to come to an end; others are waited for


class WorkerConnector(PsycopgConnector):
    """The worker's own connections; but what a job does in its thread goes over Django's.

    So a job that starts another one in a transaction starts it when the transaction is done, and not at all when it
    fails.
    """

    def __init__(self, of_jobs: BaseConnector, **options: Any) -> None:
        super().__init__(**options)
        self._of_jobs = of_jobs

    def get_sync_connector(self) -> BaseConnector:
        """Django's connection of the thread that asks."""
        return self._of_jobs


def run_worker(*, until_done: bool = False) -> None:
    """Do jobs until SIGINT or SIGTERM (`until_done`: until none is due).

    Jobs under way may end first; long work ends at its next border, and goes on with the next worker.
    """
    ending.clear()
    take_up()
    close_orphans(utc_now())
    again = True
    while again:
        connector = WorkerConnector(app.connector.get_sync_connector(), kwargs=connector_params())
        connections.close_all()
        with app.replace_connector(connector) as worker:
            asyncio.run(_run(worker, until_done))
        again = until_done and not ending.is_set() and is_due(utc_now())  # what the last jobs have started


async def _run(worker: object, until_done: bool) -> None:
    async with worker.open_async():  # type: ignore[attr-defined]
        with _told_to_end(), suppress(asyncio.CancelledError):
            await worker.run_worker_async(  # type: ignore[attr-defined]
                wait=not until_done,
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=POLLED_SECONDS,
                shutdown_graceful_timeout=GRACE_SECONDS,
                install_signal_handlers=False,
                listen_notify=not until_done,
                task_middleware=[telling],
            )


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Within it SIGINT and SIGTERM end the worker; where this is not the main thread, nothing does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    task = asyncio.current_task()
    assert task is not None

    def end() -> None:
        ending.set()
        task.cancel()

    with on_stop(end):
        yield
