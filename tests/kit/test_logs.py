"""The program's log: what a line holds, and what it never does."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from taktura.kit.logs import configuration, formatter, tell, without_values


@pytest.fixture
def lines() -> Iterator[Any]:
    """What is told to a logger of one's own, as JSON objects."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json", stream))
    logger = logging.getLogger("taktura.test")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_a_line_of_any_library_is_one_object_with_the_number_of_its_request(lines: Any) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.stdlib.get_logger("taktura.test").info("done", number=3)
        logging.getLogger("taktura.test").warning("%s of another", "word")
    logging.getLogger("taktura.test").debug("not told")
    told = lines()
    assert [(x["event"], x["level"], x["request_id"], x["logger"]) for x in told] == [
        ("done", "info", "r-1", "taktura.test"), ("word of another", "warning", "r-1", "taktura.test"),
    ]  # fmt: skip
    assert told[0]["number"] == 3
    assert told[0]["timestamp"].endswith("Z")


def test_an_error_is_told_with_its_causes_but_without_the_rows_that_a_database_names(lines: Any) -> None:
    secret = "anna@example.com"
    try:
        try:
            raise ValueError(f'duplicate key violates "user_email"\nDETAIL: Key (email)=({secret}) exists.')
        except ValueError as error:
            raise RuntimeError("cannot save") from error
    except RuntimeError:
        logging.getLogger("taktura.test").exception("failed")
    (told,) = lines()
    assert told["event"] == "failed"
    assert 'ValueError: duplicate key violates "user_email"' in told["exception"]
    assert told["exception"].endswith("RuntimeError: cannot save")
    assert "test_logs.py" in told["exception"]
    assert secret not in json.dumps(told)


def test_causes_that_lead_in_a_circle_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert without_values((ValueError, one, None)).count("ValueError") == 2


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("text", stream))
    record = logging.LogRecord("taktura.test", logging.INFO, __file__, 1, "hello %s", ("you",), None)
    handler.emit(record)
    assert "hello you" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    formatter("json", sys.stderr)


def test_a_command_tells_only_what_goes_wrong_and_a_server_what_happens() -> None:
    assert configuration("json")["root"]["level"] == "WARNING"
    before = logging.getLogger("taktura").level
    try:
        tell("INFO")
        assert logging.getLogger("taktura.requests").isEnabledFor(logging.INFO)
        assert logging.getLogger("gunicorn.error").isEnabledFor(logging.INFO)
    finally:
        for name in ("taktura", "procrastinate", "gunicorn.error"):
            logging.getLogger(name).setLevel(before)
