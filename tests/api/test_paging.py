"""What is no cursor is refused as a problem, by every list."""

import base64
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import pytest

from taktura.api.openapi import endpoints, examples_by_operation
from taktura.api.paging import cursor
from taktura.api.v1.api import api as the_api
from taktura.catalog.models import Key
from taktura.customers.models import Seller
from taktura.kit.database import scratch_database
from taktura.kit.limits import Buckets
from tests.api.helpers import Api, make_key, refusal
from tools import api_examples

LISTS = {name: one for name, one in endpoints(the_api).items() if "after" in one.parameters}


def coded(content: bytes) -> str:
    """Bytes as a cursor looks."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


GARBAGE = [
    "\0", "%", "%00", "ä", "\ud7ff", "!", "=", "A", "null", "-1", "1", "a" * 201, "x" * 100_000, "\r\nX: y",
    "' OR 1=1 --", "../..", coded(b"\0"), coded(b"1\0"), coded(b"-1"), coded(b"1.5"), coded(b"+1"), coded(b" 1"),
    coded(b"01"), coded(b"1:2:3"), coded(b":"), coded(b"9" * 19), coded("٣".encode()), coded(b"\xff\xfe"),
    cursor(1) + "=", cursor(1) + "\n", cursor(1, 2, 3),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller() -> Iterator[Any]:
    """Calls with a key that may do everything, where the story of the examples has happened."""
    patch = pytest.MonkeyPatch()
    with scratch_database():
        api_examples.play()
        last = Seller.objects.latest("pk")  # the story's last: calls name no seller here
        Key.objects.filter(seller=last).delete()
        last.delete()
        patch.setattr("taktura.api.gate.utc_now", lambda: api_examples.START)
        patch.setattr("taktura.api.gate.buckets", lru_cache(lambda: Buckets(10**6, 10**7)))
        yield Api(make_key(), None)  # type: ignore[arg-type]
    patch.undo()


def address(name: str) -> str:
    """Where the story's list is, with what else it needs."""
    example = examples_by_operation()[name]
    path = LISTS[name].path.replace("int:", "").format(**example["path"])
    return f"/api/v1{path}?after="


@pytest.mark.parametrize("name", LISTS)
def test_garbage_is_no_cursor(caller: Any, name: str) -> None:
    for garbage in GARBAGE:
        answer = caller.get(address(name) + quote(garbage.encode("utf-8", "surrogatepass")))
        told = refusal(answer)
        assert told == (422, "invalid"), (garbage, told)
    for broken in ("%ff", "%c3%28", "%00%00", "%", "%2"):
        assert refusal(caller.get(address(name) + broken)) == (422, "invalid"), broken


@pytest.mark.parametrize("name", LISTS)
def test_a_place_beyond_the_end_is_an_empty_page(caller: Any, name: str) -> None:
    """What `cursor` could have made is taken, wherever it leads."""
    count = 2 if name == "explain_line" else 1
    for place in (0, 1, 10**18 - 1):
        answer = caller.get(address(name) + cursor(*[place] * count))
        assert answer.status_code == 200, (place, answer.content)
