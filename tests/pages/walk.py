"""A walk through the office: every link that a page shows is followed, every form remembered."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import connection
from django.test import Client
from django.urls import Resolver404, resolve

from taktura.accounts.permissions import ROLES
from tests.pages.forms import Form, Values, inside, read_page
from tests.pages.samples import path_of
from tools.pages import pages

MOST = 2  # addresses of one page that differ in the row alone
BACK = {"next"}
LAST = {"account_logout", "usersessions_list"}  # what ends the session


@cache
def kind_of(address: str) -> str:
    """What an address leads to, whichever row it shows: the page and what is asked of it."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return f"nothing at {parts.path}"
    asked = sorted({name for name, value in parse_qsl(parts.query) if value})
    return f"{found.url_name or found.route} {' '.join(asked)}"


@dataclass(frozen=True)
class Sent:
    """A way to send a form: where to, what stands in it, and the form."""

    to: str
    values: Values
    form: Form


class Walk:
    """Follows what pages show, and remembers where a door was shown that does not open."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: dict[str, set[str]] = {}
        self.forms: dict[tuple[str, str, str], Sent] = {}
        self.requests: set[tuple[str, str]] = set()  # what the forms send
        self.waiting: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.pages: dict[str, str] = {}  # what each address showed

    def add(self, address: str, shown_by: str) -> None:
        """Remember to go to an address, unless enough of its kind were seen."""
        address = address.partition("#")[0]
        if not inside(address) or address.startswith(("/static/", "mailto:")):
            return
        seen = self.seen.setdefault(kind_of(address), set())
        if address not in seen and len(seen) < MOST:
            seen.add(address)
            self.waiting.append((address, shown_by))

    def begin(self, role: str = "admin") -> None:
        """Go everywhere, from home and from every page that a role may open."""
        self.add("/", "the address bar")
        for page in pages():
            path = path_of(page)
            if path and page.permission in ROLES[role]:
                self.add(path, "the address bar")
        self.go()

    def go(self) -> None:
        """Go wherever the walk has not been."""
        while self.waiting:
            address, shown_by = self.waiting.pop()
            response = self.client.get(address)
            if response.status_code in (400, 403, 404) or response.status_code >= 500:
                self.closed.append(f"{shown_by} shows {address}, which answers {response.status_code}")
            if response.status_code in (302, 303):
                self.add(response.headers["Location"], address)
            if response.status_code == 200 and "html" in response.headers["Content-Type"]:
                text = response.content.decode()
                self.pages[address] = text
                self.read(text, address)

    def read(self, text: str, address: str) -> None:
        """Remember what a page shows. What forms of two pages send alike, but for the way back, is remembered once."""
        found = read_page(text, address)
        for link in found.links:
            self.add(link, address)
        for form in found.forms:
            if form.method == "get":
                self.add(form.action, address)
            elif form.method == "post":
                for to, values in form.ways():
                    key = kind_of(to), str(values.get("action", "")), kind_of(address)
                    request = to, repr(sorted((name, value) for name, value in values.items() if name not in BACK))
                    if key not in self.forms and request not in self.requests:
                        self.requests.add(request)
                        self.forms[key] = Sent(to, values, form)

    def again(self, client: Client) -> "Walk":
        """This walk for another browser, that looks at the same in another database: what it was shown can be sent."""
        same = Walk(client)
        same.seen, same.forms, same.requests = dict(self.seen), dict(self.forms), set(self.requests)
        same.closed, same.pages = list(self.closed), dict(self.pages)
        return same

    def send(self) -> None:
        """Send each form as it stands there; those that end the session last."""
        for (kind, action, shown_by), sent in sorted(self.forms.items(), key=lambda one: one[0][0].split()[0] in LAST):
            status = self.client.post(sent.to, sent.values).status_code
            if status == 403 or status >= 500:
                self.closed.append(f"{shown_by} has a form ({action}) for {kind}, {sent.to}, which answers {status}")


@dataclass(frozen=True)
class Walked:
    """A walk that was made, and the tables whose rows it changed."""

    walk: Walk
    changed: set[str]


def walk_and_count(client: Client) -> Walked:
    """Go everywhere as an administrator, and see what is written meanwhile."""
    walk, before = Walk(client), _counts()
    walk.begin()
    after = _counts()
    return Walked(walk, {table for table in after if after[table] != before[table]})


def _counts() -> dict[str, Any]:
    """How many rows each table has, and how often its rows were written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT count(*), max(xmin::text::bigint) FROM "{table}"')
            found[table] = cursor.fetchone()
    return found
