"""The examples of the API: a story of requests, with what was answered: `python -m tools.api_examples`.

Plays the story on a database of its own and writes it with the answers to `taktura/api/examples.json`, from where
OpenAPI and the reference page have them. A test plays it again and compares.
"""

import json
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from tools.api_story import CODE, OFFER, SECRET, SELLER, STORY, USERS, WHSEC

PLACE = Path(__file__).resolve().parent.parent / "taktura" / "api" / "examples.json"
PREFIX = "tk_example"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def play() -> list[dict[str, Any]]:
    """Play the story on the database that is connected; gives each step with its answer."""
    from django.test import Client

    from taktura.accounts.models import ApiKey
    from taktura.accounts.permissions import PERMISSIONS
    from taktura.accounts.services import create_key, create_user
    from taktura.api import gate
    from taktura.api.openapi import endpoints
    from taktura.api.v1.api import api
    from taktura.catalog import coupons, offer_numbers
    from taktura.customers.services import create_seller
    from taktura.kit.actor import Actor
    from taktura.kit.jobs import services as jobs
    from taktura.webhooks import services as webhooks

    actor, clock = Actor("example", START), [START]
    create_seller(actor, **SELLER)
    _, secret = create_key(actor, name="Telephone system", scopes=PERMISSIONS)
    ApiKey.objects.update(prefix=PREFIX)
    for email, name, role in USERS:
        create_user(actor, email=email, name=name, role=role)
    declared = endpoints(api)
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    steps = []
    with (
        mock.patch.object(gate, "utc_now", lambda: clock[0]),
        mock.patch.object(jobs, "utc_now", lambda: clock[0]),
        mock.patch.object(offer_numbers, "drawn", lambda: OFFER),
        mock.patch.object(coupons, "drawn", lambda: CODE),
        mock.patch.object(secrets, "token_urlsafe", lambda length: SECRET),
        mock.patch.object(webhooks, "new_secret", lambda: WHSEC),
        mock.patch.object(webhooks, "new_event_id", lambda: f"evt_{'0' * 31}1"),
    ):
        for name, path, query, body, *hours in STORY:
            clock[0] += timedelta(hours=sum(hours), seconds=0)
            _before(name, clock[0])
            known = declared[name]
            address = known.path.replace("int:", "").format(**path)
            content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
            answer = client.generic(
                known.method, f"/api/v1{address}", content, known.raw[0] if known.raw else "application/json",
                headers={"Authorization": f"Bearer {secret}"}, QUERY_STRING=_query(query),
            )  # fmt: skip
            steps.append(_step(name, path, query, body, answer))
    return steps


def _before(name: str, now: datetime) -> None:
    """What has happened by itself before a step: a mail or a job has failed, a worker has looked at usage."""
    from django.db import connections

    from taktura.control.services import watch
    from taktura.kit.actor import Actor
    from taktura.kit.jobs.models import JobFailure
    from taktura.kit.mail.models import OutgoingMail
    from taktura.kit.mailbox.models import IncomingMail

    if name == "list_incoming_mails":
        IncomingMail.objects.create(
            mailbox_id=1, validity=1, uid=7, identity="<7@sun.example>", sender="files@sun.example", sent_at=now,
            subject="Usage of February", size=20480, state="failed", stays=True, looked_at=now, attempts=5,
            said=[["It could not be handled: %(why)s", {"why": "TimeoutError: the disk does not answer"}]],
        )  # fmt: skip
    if name == "list_waiting_mails":
        _mails_wait(now)
    if name in ("send_document_again", "send_mail_again"):
        OutgoingMail.objects.filter(pk=1).update(state="failed", attempts=1, last_error="mailbox is full")
    if name == "list_alerts":
        watch(Actor("schedule", now))
    if name == "list_jobs":
        JobFailure.objects.create(job=1, error="ConnectionRefusedError: nobody there", at=now)
        connections["owner"].ensure_connection()
        with connections["owner"].cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 5 WHERE id = 1")
        connections["owner"].close()


def _mails_wait(now: datetime) -> None:
    """Two mails of unknown senders have come, one with a file."""
    from email.message import EmailMessage

    from taktura.kit.mailbox.models import IncomingMail, Mailbox

    box = Mailbox.objects.get(purpose="tickets")
    for uid, sender, subject in ((1, "nia@web.example", "No dial tone"), (2, "win@web.example", "You have won")):
        mail = EmailMessage()
        mail["From"], mail["Subject"], mail["Message-ID"] = sender, subject, f"<{uid}@web.example>"
        mail.set_content("Since Monday we hear nothing.")
        if uid == 1:
            mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="line.pdf")
        content = mail.as_bytes()
        IncomingMail.objects.create(
            mailbox=box, validity=1, uid=uid, identity=f"<{uid}@web.example>", sender=sender, subject=subject,
            size=len(content), content=content, state="waiting", looked_at=now, archived_at=now,
            said=[["No customer has the address %(sender)s.", {"sender": sender}]],
        )  # fmt: skip


def _query(query: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(query)


def _step(name: str, path: Any, query: Any, body: Any, answer: Any) -> dict[str, Any]:
    step = {"operation": name, "path": path, "query": query, "body": body, "status": answer.status_code}
    media = answer.headers.get("Content-Type", "")
    assert answer.status_code < 300, (name, answer.status_code, answer.content)
    if media.startswith("application/json"):
        step["answer"] = json.loads(answer.content, parse_float=Decimal)
    return step


def written(steps: list[dict[str, Any]]) -> str:
    """The story as it is kept."""
    return "".join(_lines(steps))


def _lines(steps: list[dict[str, Any]]) -> Iterator[str]:
    yield "[\n"
    yield ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps)
    yield "\n]\n"


def main() -> int:
    """Play the story and keep it."""
    from taktura.kit.database import scratch_database, setup

    setup(throw_away=True)
    with scratch_database():
        text = written(play())
    PLACE.write_text(text, "utf-8")
    print(f"{PLACE.name}: {len(STORY)} steps")
    return 0


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
    sys.exit(main())
