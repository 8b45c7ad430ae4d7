"""What machines ask of the server: is it alive, is it ready, figures; and what the log tells of requests."""

import io
import json
import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections
from django.test import Client

from taktura.kit import schema
from taktura.kit.logs import formatter, tell

if TYPE_CHECKING:
    from taktura.kit.actor import Actor

TOKEN = "0123456789abcdefghij"  # noqa: S105


@pytest.fixture
def told() -> Iterator[Any]:
    """What the log told of requests."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json", stream))
    loggers = [logging.getLogger("taktura.requests"), logging.getLogger("django.request")]
    for logger in loggers:
        logger.addHandler(handler)
    tell("INFO")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger in loggers:
        logger.removeHandler(handler)
    tell("WARNING")


@pytest.fixture
def fresh() -> None:
    """No figures are kept from before."""
    from taktura.api import metrics

    metrics._business._until = 0


def client(**options: Any) -> Client:
    """A client that asks as from this machine."""
    return Client(SERVER_NAME="localhost", **options)


def run_as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
    connections["owner"].close()


def test_alive_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*args: Any) -> Any:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(connection, "cursor", nothing)
    answer = client().get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert client().post("/health/live").status_code == 405


def test_ready_with_and_without_a_worker(database: str) -> None:
    answer = client().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "database": "ok", "schema": "ok", "worker": "not seen"}
    run_as_owner("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert client().get("/health/ready").json()["status"] == "ready"
    run_as_owner("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    assert client().get("/health/ready").json()["worker"] == "not seen"


def test_not_ready_with_another_schema(database: str) -> None:
    run_as_owner("INSERT INTO django_migrations (app, name, applied) VALUES ('billing', '9999_later', now())")
    answer = client().get("/health/ready")
    assert (answer.status_code, answer.json()["schema"]) == (503, "ahead")
    assert schema.newer(schema.applied()) == ["billing.9999_later"]
    run_as_owner("DELETE FROM django_migrations WHERE app = 'billing'")
    answer = client().get("/health/ready")
    assert (answer.status_code, answer.json()["schema"]) == (503, "behind")
    run_as_owner("DROP TABLE django_migrations")
    assert client().get("/health/ready").json()["schema"] == "missing"


def test_not_ready_without_a_database(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "nowhere")
    answer = client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready", "database": "unreachable", "schema": "unknown", "worker": "unknown",
    }  # fmt: skip
    text = client().get("/metrics").content.decode()
    assert "taktura_database_up 0.0" in text
    connection.close()


def test_figures_of_business_and_of_requests(database: str, fresh: None, actor: "Actor") -> None:
    from taktura.customers.services import create_seller
    from tests.api.helpers import SELLER

    create_seller(actor, **SELLER)
    run_as_owner("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'x')")
    client().get("/health/live")
    answer = client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    assert 'taktura_jobs{state="todo"} 1.0' in text
    assert "taktura_database_up 1.0" in text
    assert 'taktura_requests_total{method="GET",status="200",view="health_live"}' in text
    assert 'taktura_request_seconds_bucket{le="0.3",view="health_live"}' in text
    assert 'taktura_info{version="' in text
    run_as_owner("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'x')")
    assert 'taktura_jobs{state="todo"} 1.0' in client().get("/metrics").content.decode()  # kept for a while


def test_addresses_and_methods_that_are_made_up_make_no_new_names(database: str) -> None:
    for path in ("/made-up-1", "/made-up-2"):
        client().get(path)
    client().generic("MADEUP", "/health/live")
    text = client().get("/metrics").content.decode()
    assert "made-up" not in text
    assert "MADEUP" not in text


def test_figures_are_for_this_machine_or_for_a_token(database: str, settings_token: Any) -> None:
    assert client().get("/metrics", REMOTE_ADDR="10.0.0.5").status_code == 401
    assert client().get("/metrics", headers={"X-Forwarded-For": "10.0.0.5"}).status_code == 401
    settings_token(TOKEN)
    assert client().get("/metrics").status_code == 401
    assert client().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    far = client(REMOTE_ADDR="10.0.0.5")
    assert far.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.fixture
def settings_token(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the token."""
    from django.conf import settings

    return lambda token: monkeypatch.setattr(settings, "METRICS_TOKEN", token)


def test_a_request_is_told_with_its_number_and_without_its_query(database: str, told: Any) -> None:
    answer = client().get("/health/live?name=Anna", headers={"X-Request-ID": "proxy-12345"})
    assert answer["X-Request-ID"] == "proxy-12345"
    (line,) = told()
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health/live", 200)
    assert line["request_id"] == "proxy-12345"
    assert line["ms"] >= 0
    assert "Anna" not in json.dumps(line)


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space 123", "<script>alert(1)", "-begins-wrong"])
def test_a_number_that_is_none_is_not_kept(given: str) -> None:
    answer = client().get("/health/live", headers={"X-Request-ID": given})
    assert len(answer["X-Request-ID"]) == 32
    assert answer["X-Request-ID"] != given


def test_a_link_that_opens_something_is_not_told(database: str, told: Any) -> None:
    client().get("/account/invitation/very-secret-text/")
    assert told()[-1]["path"] == "/account/invitation/…/"


def test_a_fault_is_told_with_the_number_of_its_request(
    database: str, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise ZeroDivisionError("no way")

    monkeypatch.setattr("taktura.kit.schema.state", fail)
    answer = client(raise_request_exception=False).get("/health/ready")
    assert answer.status_code == 500
    fault, request = told()
    assert fault["request_id"] == request["request_id"] == answer["X-Request-ID"]
    assert "ZeroDivisionError: no way" in fault["exception"]
    assert (request["status"], request["level"]) == (500, "error")


def test_a_wrong_host_is_refused_in_words(database: str) -> None:
    answer = Client(SERVER_NAME="elsewhere.example").get("/")
    assert answer.status_code == 400
    assert "cannot be read" in answer.content.decode()


@pytest.mark.parametrize("side", ["In", "Out"])
def test_no_two_kinds_of_body_share_a_name(side: str) -> None:
    """Else one would stand for both in the specification, and in what is generated from it."""
    from taktura.api import fields

    def below(kind: type) -> Iterator[type]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    named = Counter(kind.__name__ for kind in below(getattr(fields, side)) if kind.__module__.startswith("taktura.api"))
    assert len(named) > 50 and {name for name, count in named.items() if count > 1} == set()
