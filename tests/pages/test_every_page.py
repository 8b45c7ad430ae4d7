"""Every page of the office: who may see it, in which languages, with how many queries. All are found by marks."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.accounts.permissions import PERMISSIONS, ROLES
from taktura.customers.models import Seller
from taktura.office.page import OPEN, STAFF
from tests.pages.conftest import LANGUAGES
from tests.pages.samples import path_of
from tools.pages import pages, unmarked

QUERIES = Path(__file__).with_name("queries.json")
MOST = 30
# No list and no detail: they settle every contract that is due, or work out whole months of contracts.
RECKONS = {"preview_run", "subscriptions_extend"}
SHOWS = {200, 286, 302, 405}  # 286: no more to ask for; 302: something else comes first; 405: it is only sent to


def test_every_page_has_a_sample(company: Seller, client_as: Callable[..., Client]) -> None:
    """A page with a place that nothing here fills would be seen by no test: name its table in `tools.pages`."""
    client_as()
    assert [p.route for p in pages() if p.permission != OPEN and not path_of(p)] == []


def test_every_page_says_who_may_see_it(database: str) -> None:
    assert unmarked() == []
    assert all(p.permission in (OPEN, "staff", *PERMISSIONS) for p in pages())


def test_strangers_see_no_page(company: Seller) -> None:
    stranger = Client(SERVER_NAME="localhost")
    for page in pages():
        path = path_of(page)
        if page.permission != OPEN and path:
            response = stranger.get(path)
            assert response.headers.get("Location", "").startswith("/account/login/"), path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_the_table_says(company: Seller, client_as: Callable[..., Client], role: str) -> None:
    client, seen = client_as(role), 0
    for page in pages():
        path = path_of(page)
        if not path or page.permission == OPEN:
            continue
        status = client.get(path).status_code
        if page.permission in PERMISSIONS and page.permission not in ROLES[role]:
            assert status in (403, 405), f"{role}: {path} needs {page.permission} and answers {status}"
        elif page.permission == STAFF:
            assert status in SHOWS | {403}, f"{role}: {path} answers {status}"  # 403: it would be empty for the role
        else:
            assert status in SHOWS, f"{role}: {path} answers {status}"
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("role", ROLES)
def test_what_is_only_sent_to_is_closed_too(company: Seller, client_as: Callable[..., Client], role: str) -> None:
    client = client_as(role)
    for page in pages():
        path = path_of(page)
        if path and page.permission in PERMISSIONS and page.permission not in ROLES[role]:
            assert client.post(path).status_code in (403, 405), f"{role} may send to {path}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_each_language(company: Seller, client_as: Callable[..., Client], language: str) -> None:
    client = client_as(language=language)
    for page in pages():
        path = path_of(page)
        response = client.get(path) if path and page.permission != OPEN else None
        if response is None or response.status_code != 200 or "html" not in response.headers.get("Content-Type", ""):
            continue
        text = response.content.decode()
        assert " style=" not in text and " onclick=" not in text and "<script>" not in text, path
        assert "%(" not in text, f"{path}: a place was not filled"
        if "<html" in text:
            assert f'<html lang="{language}"' in text, path


def test_the_queries_of_every_page_are_those_written_down(company: Seller, client_as: Callable[..., Client]) -> None:
    """With TAKTURA_WRITE_QUERIES=1 they are written down anew: look at the difference."""
    client, found = client_as(), {}
    client.get("/")  # the first visit of a session writes that it is one
    for page in pages():
        path = path_of(page)
        if not path or page.permission not in (*PERMISSIONS, "staff"):
            continue
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path)
        if response.status_code == 200:
            found[page.name or page.route] = len(queries)
    assert {k: v for k, v in found.items() if v > MOST and k not in RECKONS} == {}
    if os.environ.get("TAKTURA_WRITE_QUERIES"):
        QUERIES.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", "utf-8")
    assert found == json.loads(QUERIES.read_text("utf-8")), "other than written down: see the docstring"
