"""The worker: does jobs until it is told to end."""

import asyncio
import threading

from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

CONCURRENCY = 4
POLLED_SECONDS = 5.0
GRACE_SECONDS = 30.0  # what a job gets to come to an end; then it is done again by the next worker


def run_worker(*, until_done: bool = False) -> None:
    """Do jobs until SIGINT or SIGTERM (`until_done`: until none is due). Jobs under way may end first."""
    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    with app.replace_connector(connector.get_worker_connector()) as worker:
        asyncio.run(_run(worker, until_done))


async def _run(worker: object, until_done: bool) -> None:
    from taktura.kit.jobs.tasks import take_up

    async with worker.open_async():  # type: ignore[attr-defined]
        await take_up()
        await worker.run_worker_async(  # type: ignore[attr-defined]
            wait=not until_done,
            concurrency=CONCURRENCY,
            fetch_job_polling_interval=POLLED_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            install_signal_handlers=threading.current_thread() is threading.main_thread(),
            listen_notify=not until_done,
        )
