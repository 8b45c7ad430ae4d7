"""Documents by mail with all that is real: a worker in a process of its own, an SMTP server, a database. Whatever
breaks, no mail is lost, and none is sent twice beyond what SMTP allows."""
# ruff: noqa: F811 a fixture is taken from another file by its name

import asyncio
import email
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.db import connection

from taktura.kit.database import setup

setup(throw_away=True)  # also in the process of the worker, which reads this file

from taktura.billing import services as billing  # noqa: E402
from taktura.billing.todo import to_do  # noqa: E402
from taktura.customers.models import Seller  # noqa: E402
from taktura.invoices import tasks  # noqa: E402
from taktura.invoices.models import Document  # noqa: E402
from taktura.kit.actor import Actor  # noqa: E402
from taktura.kit.jobs.models import Work  # noqa: E402
from taktura.kit.jobs.worker import run_worker  # noqa: E402
from taktura.kit.mail.models import MailServer, OutgoingMail  # noqa: E402
from taktura.kit.mail.tasks import send_mails  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.rooms.test_mailing import seller  # noqa: E402, F401 the fixture

PATIENCE = 60  # seconds
REFUSED = "550 5.1.1 Nobody of this name lives here"


class Postbox:
    """A mail server that keeps what it took. It refuses the addresses in `refused`, and to those in `silent` it never
    says that it took their mail."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.refused: set[str] = set()
        self.silent: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return REFUSED
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        if envelope.rcpt_tos[0] in self.silent:
            await asyncio.sleep(PATIENCE)
        return "250 OK"

    def to(self) -> list[str]:
        """Who got a mail, as often as they got one."""
        return sorted(e.rcpt_tos[0] for e in self.taken)

    def ids(self) -> set[str]:
        return {str(email.message_from_bytes(e.content, policy=default)["Message-ID"]) for e in self.taken}


@contextmanager
def listening(postbox: Postbox, port: int) -> Iterator[None]:
    controller = Controller(postbox, hostname="127.0.0.1", port=port, server_hostname="post.example")
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@pytest.fixture
def port(seller: Seller) -> int:
    """Where the seller's mail server listens, or will."""
    found = free_port()
    MailServer.objects.create(
        key=f"seller:{seller.pk}", host="127.0.0.1", port=found, security="none", from_address="bill@firm.example"
    )
    return found


@pytest.fixture
def documents(seller: Seller, actor: Actor) -> list[int]:
    """Three invoices whose customers have an address."""
    billing.bill(actor, seller=seller, on=date(2026, 1, 1))
    return list(Document.objects.exclude(customer__key="none").order_by("id").values_list("pk", flat=True))


def start(actor: Actor, seller: Seller, documents: list[int]) -> Work:
    return tasks.start_sending(actor, seller=seller, documents=documents)


def _worker(databases: dict[str, dict[str, Any]], held: str) -> None:
    """A worker. `held`: before it writes the second mail it says so in this file, and waits to be killed."""
    from django.db import connections

    for alias, values in databases.items():
        settings.DATABASES[alias] |= values
        connections[alias].settings_dict |= values
    right, written = tasks.mail_document, list[int]()

    def holds(*args: Any, **options: Any) -> OutgoingMail:
        written.append(1)
        if held and len(written) == 2:
            Path(held).touch()
            time.sleep(PATIENCE)
        return right(*args, **options)

    tasks.mail_document = holds
    run_worker()


@contextmanager
def worker(held: Path | None = None) -> Iterator[Callable[[], None]]:
    """A worker in a process of its own; what is given kills it at once (SIGKILL)."""
    databases = {alias: {"NAME": settings.DATABASES[alias]["NAME"]} for alias in ("default", "owner")}
    process = multiprocessing.get_context("spawn").Process(target=_worker, args=(databases, str(held or "")))
    process.start()

    def kill() -> None:
        process.kill()
        process.join()

    try:
        yield kill
    finally:
        kill()
        with connection.cursor() as cursor:  # as if half a minute had gone by without a sign of life
            cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, states()
        time.sleep(0.1)


def states() -> dict[str, str]:
    """What became of the mail to each customer."""
    found = OutgoingMail.objects.values_list("recipient", "state")
    assert len(found) == len(dict(found)), "one mail for each"
    return {to.partition("@")[0]: state for to, state in found}


def test_a_refused_recipient_stops_nobody_else(seller: Seller, actor: Actor, port: int, documents: list[int]) -> None:
    postbox = Postbox()
    postbox.refused = {"sv@c.example"}
    with listening(postbox, port), worker():
        work = start(actor, seller, documents)
        until(lambda: states() == {"de": "sent", "en": "sent", "sv": "failed"})
    assert postbox.to() == ["de@c.example", "en@c.example"]
    assert REFUSED in OutgoingMail.objects.get(state="failed").last_error
    work.refresh_from_db()
    assert (work.state, work.result["sent"]) == ("done", 3), "it has put all of them into the outbox"
    assert to_do(seller.pk, date(2026, 1, 1)).mails == 1, "somebody has to look at it"


def test_mails_wait_for_a_server_that_is_down(seller: Seller, actor: Actor, port: int, documents: list[int]) -> None:
    postbox = Postbox()
    with worker():
        start(actor, seller, documents)
        until(lambda: OutgoingMail.objects.filter(state="waiting", attempts=1).count() == 3)
        assert {"ConnectionRefusedError" in m.last_error for m in OutgoingMail.objects.all()} == {True}
        with listening(postbox, port):
            OutgoingMail.objects.update(next_at=actor.now)  # as if its minute had gone by
            send_mails.configure(queueing_lock=None).defer(timestamp=0)
            until(lambda: set(states().values()) == {"sent"})
    assert postbox.to() == ["de@c.example", "en@c.example", "sv@c.example"]
    assert postbox.ids() == set(OutgoingMail.objects.values_list("message_id", flat=True))


def test_a_worker_killed_while_a_server_thinks_leaves_one_mail_unknown(
    seller: Seller, actor: Actor, port: int, documents: list[int]
) -> None:
    """The server has taken the mail, its answer found nobody: it is not repeated, and somebody is told."""
    postbox = Postbox()
    postbox.silent = {"sv@c.example"}
    with listening(postbox, port):
        with worker() as kill:
            start(actor, seller, documents)
            until(lambda: len(postbox.taken) == 3 and states() == {"de": "sent", "en": "sent", "sv": "sending"})
            kill()
        run_worker(until_done=True)  # takes up the job of the killed one
        assert states()["sv"] == "sending", "somebody may still be at it"
        OutgoingMail.objects.filter(state="sending").update(tried_at=actor.now - timedelta(days=1))
        send_mails.defer(timestamp=0)
        run_worker(until_done=True)
    assert states() == {"de": "sent", "en": "sent", "sv": "unknown"}
    assert postbox.to() == ["de@c.example", "en@c.example", "sv@c.example"], "each once"
    assert to_do(seller.pk, date(2026, 1, 1)).mails == 1


def test_a_worker_killed_between_two_documents_loses_none_and_repeats_none(
    seller: Seller, actor: Actor, port: int, documents: list[int], tmp_path: Path
) -> None:
    postbox, held = Postbox(), tmp_path / "held"
    with listening(postbox, port):
        with worker(held) as kill:
            work = start(actor, seller, documents)
            # Until the answer of the server is kept, too: killed before that, the mail's fate is unknown (test above).
            until(lambda: held.exists() and list(states().values()) == ["sent"])
            kill()
        assert OutgoingMail.objects.count() == 1, "of three documents"
        with worker():
            until(lambda: OutgoingMail.objects.filter(state="sent").count() == 3)
    assert postbox.to() == ["de@c.example", "en@c.example", "sv@c.example"]
    until(lambda: Work.objects.get(pk=work.pk).state == "done")
    assert Work.objects.get(pk=work.pk).result["sent"] == 3
