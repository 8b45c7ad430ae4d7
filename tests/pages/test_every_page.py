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
from taktura.accounts.services import create_key, invite
from taktura.billing.services import receive_file, record_usage, sell
from taktura.billing.tasks import start_run
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.mail.services import post
from taktura.office.page import OPEN, STAFF
from taktura.usage.models import Supplier, UsageRecord
from tests.pages.conftest import JANUARY, LANGUAGES
from tools.pages import Page, pages, unmarked

QUERIES = Path(__file__).with_name("queries.json")
MOST = 30
RECKONS = {"preview_run"}  # no list and no detail: it settles every contract that is due
SHOWS = {200, 286, 302, 405}  # 286: no more to ask for; 302: something else comes first; 405: it is only sent to
OTHERS = {
    "position": 1, "n": 1, "number": 1, "line": 1, "section": "address", "kind": "invoice", "which": "company",
}  # fmt: skip


def first(table: str) -> int | None:
    """The first row of a table."""
    if not table:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id) FROM {table}")
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else None


def path_of(page: Page) -> str:
    entry = first("audit_logentry WHERE subject LIKE 'contract:%'")
    return page.path(first, OTHERS | {"entry": entry})


@pytest.fixture
def company(seller: Seller) -> Seller:
    """The small company with one of everything that a page shows."""
    actor, subject = Actor("test", JANUARY), f"seller:{seller.pk}"
    line = {"title": "Headset", "price": "49.90"}
    sell(actor, customer=Customer.objects.get(key="acme"), lines=[line])
    post(
        JANUARY, to="a@c.example", subject="Rechnung", text="Guten Tag", html="<p>Guten Tag</p>", sender=subject,
        about=f"document:{first('invoices_document')}", attachments=[("a.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    supplier = Supplier.objects.get(key="sun")
    rows = b"id,customer_id,customer_name,subscription_id,product_id,quantity,period_start,period_end\n"
    rows += b"1,a-1,Acme,s-1,p-1,2,2026-01-01,2026-01-31\n"
    receive_file(actor, supplier=supplier, name="january.csv", content=rows)
    old = UsageRecord.objects.get(external_id="s1")
    entry = {"contract": "V-acme", "article": "search", "quantity": "4", "at": old.at, "id": "s1", "revision": 2}
    record_usage(actor, seller=seller, entries=[entry])
    invite(actor, email="new@firm.example", role="viewer")
    create_key(actor, name="Shop", scopes=["usage.view"])
    start_run(actor, seller=seller, on=JANUARY.date(), exclude=[])
    return seller


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
