"""What all endpoints share: keys, scopes, refusals, exact reading, languages."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.accounts.models import ApiKey
from taktura.accounts.services import create_key, revoke_key
from taktura.api import gate
from taktura.api.limits import Bucket
from taktura.api.openapi import endpoints
from taktura.api.v1.api import api as the_api
from taktura.audit.models import LogEntry
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from taktura.kit.limits import Buckets
from tests.api.helpers import NOW, SELLER, Api, make_key, refusal

NEW = {"customer": "acme", "name": "Acme GmbH"}


def test_who_am_i(api: Api) -> None:
    answer = api.get("/me")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")
    assert answer.data["prefix"] == api.secret[:10] and answer.data["now"] == "2026-03-01T08:00:00Z"
    assert "tk_" + api.secret[3:] not in answer.content.decode()
    assert api.get("/me").data["last_used_at"] == "2026-03-01T08:00:00Z"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer tk_wrong", "Basic dGs6", "tk_x", "Bearer ä"]
)
def test_without_a_key(api: Api, authorization: str) -> None:
    api.secret = ""
    answer = api.get("/me", **({"Authorization": authorization} if authorization else {}))
    assert refusal(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Taktura"'


def test_a_key_that_has_expired_or_was_revoked(api: Api, clock: list[Any]) -> None:
    api.secret = make_key(expires_at=NOW + timedelta(hours=1))
    assert api.get("/me").status_code == 200
    clock[0] = NOW + timedelta(hours=1)
    assert refusal(api.get("/me")) == (401, "unauthorized")
    clock[0] = NOW
    revoke_key(Actor("test", NOW), key=ApiKey.objects.get(prefix=api.secret[:10]))
    assert refusal(api.get("/me")) == (401, "unauthorized")


def test_a_narrow_key(api: Api) -> None:
    api.secret = make_key(["customers.view"])
    assert api.get("/customers").status_code == 200
    answer = api.post("/customers", NEW)
    assert refusal(answer) == (403, "forbidden") and "customers.change" in answer.data["detail"]


def test_the_log_names_the_key(api: Api) -> None:
    api.post("/customers", NEW)
    assert LogEntry.objects.get(action="create_customer").actor == f"key:{api.secret[:10]} test"


def test_a_cookie_is_no_key(api: Api) -> None:
    """The API answers to keys alone: a site that a signed-in person visits can do nothing with the session."""
    answer = Client(SERVER_NAME="localhost").post("/api/v1/customers", json.dumps(NEW), content_type="application/json")
    assert answer.status_code == 401 and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/nothing", "/customers/", "/", "/customers/a/b/c", "/customers/acme%00", "/%ff"])
def test_unknown_addresses(api: Api, path: str) -> None:
    assert refusal(api.get(path)) == (404, "not_found")


def test_unknown_addresses_outside(api: Api) -> None:
    for path in ("/api/", "/api/v2/me", "/api/v1/openapi.json/x"):
        assert refusal(api.get(path)) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "TRACE", "OPTIONS", "PATCH", "FOO"])
def test_unknown_methods(api: Api, method: str) -> None:
    answer = api.call(method, "/customers")
    assert answer.status_code == 405
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "POST"]
    if method != "HEAD":
        assert refusal(answer) == (405, "method_not_allowed")


DEEP = b'{"customer": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"[1,]", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b'{"name": "\xe4"}', 400, "malformed"),
        (DEEP, 400, "malformed"),
        (b'{"a": {"b": {"c": [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}}}', 400, "malformed"),
        (b'{"customer": "a", "customer": "b"}', 400, "malformed"),
        (b'{"customer": "a", "name": "\\ud800"}', 400, "malformed"),
        (b'{"customer": NaN}', 400, "malformed"),
        (b'{"hourly_rate": Infinity}', 400, "malformed"),
        (b'{"hourly_rate": -Infinity}', 400, "malformed"),
        (b'{"hourly_rate": ' + b"9" * 5000 + b"}", 400, "malformed"),
        (b'{"hourly_rate": 1e999999999}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "hourly_rate": 1e-13}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "hourly_rate": true}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "hourly_rate": -1}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "round_up_minutes": 1.5}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "round_up_minutes": "15"}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "round_up_minutes": 99999999999999999999}', 422, "invalid"),
        (b'{"customer": "a\\u0000", "name": "b"}', 422, "invalid"),
        (b'{"customer": "a/b", "name": "b"}', 422, "invalid"),
        (b'{"customer": "..", "name": "b"}', 422, "invalid"),
        (b'{"customer": " a", "name": "b"}', 422, "invalid"),
        (b'{"customer": "a", "name": "b\\u0007"}', 422, "invalid"),
        (b'{"customer": 5, "name": "b"}', 422, "invalid"),
        (b'{"customer": "a", "name": null}', 422, "invalid"),
        (b'{"customer": "a", "name": "b", "surname": "c"}', 422, "invalid"),
        (b'{"customer": "a"}', 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"5", 422, "invalid"),
        (b'""', 422, "invalid"),
        (b"null", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'{"name": "' + b"x" * 2_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_bad_bodies(api: Api, body: bytes, status: int, code: str) -> None:
    assert refusal(api.post("/customers", body)) == (status, code)
    assert api.get("/customers").data["items"] == []


def test_bad_fields_are_named(api: Api) -> None:
    body = {"customer": "a", "surname": "x", "billing_information": {"country": "Germany", "payment_days": -1}}
    answer = api.post("/customers", body, Accept_Language="de-AT, en;q=0.5")
    found = {e["field"]: e for e in answer.data["errors"]}
    assert set(found) == {
        "body.name", "body.surname", "body.billing_information.country", "body.billing_information.payment_days",
    }  # fmt: skip
    assert found["body.name"]["code"] == "missing" and found["body.surname"]["code"] == "extra_forbidden"
    assert answer.headers["Content-Language"] == "de"


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_other_kinds_of_bodies(api: Api, media: str) -> None:
    assert refusal(api.post("/customers", NEW, Content_Type=media)) == (415, "unsupported_media_type")
    assert refusal(api.post("/customers", NEW, Content_Type="application/json; charset=latin-1"))[0] == 415
    assert api.post("/customers", NEW, Content_Type="application/json; charset=UTF-8").status_code == 201


@pytest.mark.parametrize(
    "query", ["colour=red", "limit=0", "limit=501", "limit=x", "limit=1&limit=2", "after=%00", "after=xyz", "kind=both",
              "name=%00", "after=" + "x" * 300, "after=LTE", "name[]=x"],
)  # fmt: skip
def test_bad_queries(api: Api, query: str) -> None:
    assert refusal(api.get(f"/customers?{query}")) == (422, "invalid")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("de", "de"), ("sv-SE,en;q=0.3", "sv"), ("fr, sv;q=0.5", "sv"), ("fr", "en"), ("", "en"), ("*", "en"),
     ("x" * 9999, "en")],
)  # fmt: skip
def test_refusals_speak_the_callers_language(api: Api, wanted: str, told: str) -> None:
    answer = api.get("/customers/nobody", Accept_Language=wanted)
    assert refusal(answer) == (404, "not_found") and answer.headers["Content-Language"] == told
    assert ("There is no customer" in answer.data["detail"]) == (told == "en")


def test_numbers_are_read_exactly(api: Api) -> None:
    body = b'{"customer": "a", "name": "A", "hourly_rate": 99999999999999999999.123456789012}'
    assert api.post("/customers", body).data["hourly_rate"] == "99999999999999999999.123456789012"
    assert api.post("/customers", {"customer": "b", "name": "B", "hourly_rate": "0.10"}).data["hourly_rate"] == "0.10"
    assert api.patch("/customers/b", b'{"hourly_rate": 1E+2}').data["hourly_rate"] == "100"
    assert api.patch("/customers/b", {"hourly_rate": None}).data["hourly_rate"] is None


def test_several_sellers(api: Api, actor: Actor) -> None:
    api.post("/customers", NEW)
    other = create_seller(actor, **(SELLER | {"name": "Other AB"}))
    assert refusal(api.get("/customers")) == (422, "invalid")
    assert len(api.get("/customers", Taktura_Seller=str(api.seller.pk)).data["items"]) == 1
    assert api.get("/customers", Taktura_Seller=str(other.pk)).data["items"] == []
    assert refusal(api.get("/customers/acme", Taktura_Seller=str(other.pk))) == (404, "not_found")
    for wrong in ("999999", "x", "-1", "9" * 40, "٣"):
        assert refusal(api.get("/customers", Taktura_Seller=wrong)) == (404, "not_found")


def test_too_many_requests(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Buckets(1, 3)
    monkeypatch.setattr(gate, "buckets", lambda: few)
    assert [api.get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = api.get("/me")
    assert refusal(answer) == (429, "rate_limited") and answer.headers["Retry-After"] == "1"
    api.secret = make_key()
    assert api.get("/me").status_code == 200, "each key has a bucket of its own"


def taken(buckets: Buckets, key: int = 1, most: int = 1000) -> int:
    """How many tokens there are just now."""
    for count in range(most):
        if buckets.take(key):
            return count
    return most


@pytest.mark.usefixtures("database")
def test_a_bucket_fills_again() -> None:
    """A token takes 100 seconds to come back, so that none does while the test runs."""
    buckets = Buckets(0.01, 3)
    assert taken(buckets) == 3 and buckets.take(1) >= 1 and buckets.take(2) == 0
    _passes(1, timedelta(seconds=200))
    assert taken(Buckets(0.01, 3)) == 2
    _passes(1, timedelta(hours=1))
    assert taken(Buckets(0.01, 3)) == 3, "never more than a full one"
    _passes(1, timedelta(seconds=50))
    assert 1 <= Buckets(0.01, 3).take(1) <= 50


def _passes(key: int, time: timedelta) -> None:
    Bucket.objects.filter(key=key).update(full_at=F("full_at") - time)


@pytest.mark.usefixtures("database")
def test_processes_share_the_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a memory of its own; what they take comes from the same place."""
    processes = [Buckets(0.01, 500) for _ in range(4)]
    given = 0
    while count := sum(p.take(1) == 0 for p in processes):
        given += count
    assert 450 <= given <= 503, "what a process has taken and not spent is lost, no more than that is given"


@pytest.mark.usefixtures("database")
def test_a_busy_key_costs_a_statement_every_few_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's clock stands still: its tokens stay fresh, and an empty bucket stays empty."""
    monkeypatch.setattr("taktura.kit.limits.time", SimpleNamespace(monotonic=lambda: 0.0))
    buckets = Buckets(0.1, 500)
    with CaptureQueriesContext(connection) as queries:
        assert taken(buckets, most=200) == 200
    assert len(queries) <= 25
    with CaptureQueriesContext(connection) as queries:
        taken(buckets)
        for _ in range(50):
            assert buckets.take(1) >= 1
    assert len(queries) < 60, "a key that knocks on and on does not ask the database each time"


@pytest.mark.usefixtures("database")
def test_tokens_that_were_not_spent_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    buckets, now = Buckets(1, 100), [0.0]
    monkeypatch.setattr("taktura.kit.limits.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert taken(buckets, most=2) == 2
    now[0] += 5
    assert taken(buckets) <= 99


@pytest.mark.usefixtures("database")
def test_a_crash_of_the_server_may_forget_the_buckets() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'api_bucket'")
        assert cursor.fetchone() == ("u",)


def test_a_fault_of_the_server_is_a_problem(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taktura.api.v1.customers.shown", lambda customer: 1 // 0)
    answer = api.post("/customers", NEW)
    assert refusal(answer) == (500, "failed") and "ZeroDivision" not in answer.content.decode()
    monkeypatch.undo()
    assert api.get("/customers/acme", Authorization=f"Bearer {api.secret}").status_code in (401, 404), "nothing is left"


def test_the_reference_shows_every_operation_and_what_it_takes(api: Api) -> None:
    page = Client(SERVER_NAME="localhost").get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200 and "unsafe" not in page.headers["Content-Security-Policy"].split("script-src")[1]
    for name, endpoint in endpoints(the_api).items():
        assert f'<article id="{name}">' in text and f'href="#{name}"' in text, name
        assert f"<code>/api/v1{endpoint.path.replace('int:', '')}</code>" in text
    part = text.split('<article id="create_customer">')[1].split("</article>")[0]
    rows = re.findall(r"<code>(\w+)</code>( <small>required</small>)?</th><td>(.*?)</td>", part)
    assert rows[:2] == [("name", " <small>required</small>", "string, to 200 characters"),
                        ("customer", " <small>required</small>", "string, to 100 characters")]  # fmt: skip
    assert ("hourly_rate", "", "decimal number or null") in rows
    assert "Idempotency-Key" not in part and text.count("Idempotency-Key") < 20, "what all take is told once"


def test_keys_without_a_permission_cannot_be_made(api: Api) -> None:
    assert create_key(Actor("test", NOW), name="x", scopes=["customers.view"])[0].may("customers.view")
