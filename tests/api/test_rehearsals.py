"""`?preview=true` of the commands that are done and taken back: everything is as if they had never been sent."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from taktura.accounts.models import ApiKey, Invitation
from taktura.api.openapi import endpoints
from taktura.api.v1.api import api as the_api
from taktura.customers.models import Customer
from tests.api.helpers import Api, refusal
from tools import api_examples

PASSING = {"api_bucket"}  # what counts requests
REHEARSED = {e.name: e for e in endpoints(the_api).values() if e.rehearsed}


def content() -> dict[str, Any]:
    """Of each table: how many rows, and the sum of what is in them, but for when a key was last used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND has_table_privilege(oid, 'SELECT')"
        )
        tables = sorted({name for (name,) in cursor.fetchall()} - PASSING)
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{t}', count(*), sum(hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)) FROM {t} t"
                for t in tables
            )
        )
        return {name: (count, total) for name, count, total in cursor.fetchall()}


def sequences() -> dict[str, int | None]:
    """Where the numbers are that rows are given: they alone move on when rows are taken back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'")
        return dict(cursor.fetchall())


def put_back(before: dict[str, int | None]) -> None:
    """Let the numbers be given again."""
    moved = [(n, before[n]) for n, value in sequences().items() if value != before[n]]
    owner = connections["owner"]
    with owner.cursor() as cursor:
        for name, value in moved:
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [name, value or 1, value is not None])
    owner.close()


@pytest.mark.usefixtures("database")
def test_every_command_of_the_story_is_seen_before_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is sent with `?preview=true` first: it answers what the command answers then, and writes nothing: the story
    goes as it is told."""
    generic, seen = Client.generic, set()
    by_place = {(s["operation"], json.dumps(s["path"])): s for s in json.loads(api_examples.PLACE.read_text("utf-8"))}
    addresses = {
        (REHEARSED[name].method, "/api/v1" + REHEARSED[name].path.replace("int:", "").format(**json.loads(path))): name
        for name, path in by_place
        if name in REHEARSED
    }

    def both(self: Client, method: str, path: str, *args: Any, **more: Any) -> Any:
        name = addresses.get((method, path))
        if name is None:
            return generic(self, method, path, *args, **more)
        before, numbers = content(), sequences()
        query = "&".join(filter(None, [more["QUERY_STRING"], "preview=true"]))
        shown = generic(self, method, path, *args, **{**more, "QUERY_STRING": query})
        assert content() == before, name
        put_back(numbers)
        assert not {"Location", "ETag"} & set(shown.headers)
        done = generic(self, method, path, *args, **more)
        assert shown.status_code == done.status_code, (name, shown.content)
        hidden = {REHEARSED[name].secret: ""} if REHEARSED[name].secret else {}
        assert answer(shown) == (answer(done) if not hidden else answer(done) | hidden)
        seen.add(name)
        return done

    monkeypatch.setattr(Client, "generic", both)
    assert api_examples.written(api_examples.play()) == api_examples.PLACE.read_text("utf-8")
    assert seen == set(REHEARSED)


def answer(response: Any) -> Any:
    """The body with exact numbers; None: there is none."""
    return json.loads(response.content, parse_float=Decimal) if response.content else None


def test_a_preview_refuses_as_the_command_does(api: Api) -> None:
    new = {"customer": "acme", "name": "Acme"}
    assert refusal(api.post("/customers?preview=true", {**new, "color": "red"})) == (422, "invalid")
    assert refusal(api.post("/customers?preview=perhaps", new)) == (422, "invalid")
    assert api.post("/customers", new).status_code == 201
    twice = refusal(api.post("/customers?preview=true", new))
    assert twice == refusal(api.post("/customers", new)) and Customer.objects.count() == 1
    stale = api.call("PATCH", "/customers/acme?preview=true", {"name": "New"}, If_Match='"old"')
    assert refusal(stale) == (412, "precondition_failed")


def test_a_preview_leaves_the_idempotency_key_free(api: Api) -> None:
    for body in ({"customer": "a", "name": "A"}, {"customer": "b", "name": "B"}):
        assert api.post("/customers?preview=true", body, Idempotency_Key="one").status_code == 201
    assert api.post("/customers", body, Idempotency_Key="one").status_code == 201
    assert Customer.objects.get().key == "b"


def test_secrets_are_not_told_before_they_are_drawn(api: Api) -> None:
    keys = ApiKey.objects.count()
    shown = api.post("/keys?preview=true", {"name": "Telephones", "scopes": ["usage.change"]})
    assert (shown.status_code, shown.data["secret"], shown.data["name"]) == (201, "", "Telephones")
    invited = api.post("/invitations?preview=true", {"email": "eva@example.com", "role": "sales"})
    assert (invited.status_code, invited.data["link"]) == (201, "")
    assert ApiKey.objects.count() == keys and not Invitation.objects.exists()


def test_what_only_looks_has_no_preview(api: Api) -> None:
    looking = {e.name for e in endpoints(the_api).values() if e.looks}
    assert looking == {"compare_what_if", "foresee_usage", "try_mailbox"}
    assert refusal(api.post("/what_if?preview=true", {}))[0] == 422
    assert refusal(api.get("/customers?preview=true"))[0] == 422
