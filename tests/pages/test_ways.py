"""Every link and every form that a page shows leads somewhere: followed as every role, from page to page."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from taktura.accounts.permissions import ROLES
from taktura.catalog.services import declare_article
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from tests.pages.conftest import JANUARY
from tests.pages.forms import Values, inside, read_page
from tests.pages.samples import path_of
from tools.pages import pages

MOST = 2  # addresses of one page that differ in the row alone
LAST = {"account_logout", "usersessions_list"}  # what ends the session


def kind_of(address: str) -> str:
    """What an address leads to, whichever row it shows: the page and what is asked of it."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return f"nothing at {parts.path}"
    asked = sorted({name for name, value in parse_qsl(parts.query) if value})
    return f"{found.url_name or found.route} {' '.join(asked)}"


class Walk:
    """Follows what pages show, and remembers where a door was shown that does not open."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: dict[str, set[str]] = {}
        self.forms: dict[tuple[str, str, str], tuple[str, Values]] = {}
        self.waiting: list[tuple[str, str]] = []
        self.closed: list[str] = []

    def add(self, address: str, shown_by: str) -> None:
        """Remember to go to an address, unless enough of its kind were seen."""
        address = address.partition("#")[0]
        if not inside(address) or address.startswith(("/static/", "/api/", "mailto:")):
            return
        seen = self.seen.setdefault(kind_of(address), set())
        if address not in seen and len(seen) < MOST:
            seen.add(address)
            self.waiting.append((address, shown_by))

    def go(self) -> None:
        """Go everywhere."""
        while self.waiting:
            address, shown_by = self.waiting.pop()
            response = self.client.get(address)
            if response.status_code in (400, 403, 404) or response.status_code >= 500:
                self.closed.append(f"{shown_by} shows {address}, which answers {response.status_code}")
            if response.status_code in (302, 303):
                self.add(response.headers["Location"], address)
            if response.status_code == 200 and "html" in response.headers["Content-Type"]:
                self.read(response.content.decode(), address)

    def read(self, text: str, address: str) -> None:
        """Remember what a page shows."""
        found = read_page(text, address)
        for link in found.links:
            self.add(link, address)
        for form in found.forms:
            if form.method == "get":
                self.add(form.action, address)
            elif form.method == "post":
                for to, values in form.ways():
                    self.forms.setdefault((kind_of(to), str(values.get("action", "")), kind_of(address)), (to, values))

    def send(self) -> None:
        """Send each form as it stands there; those that end the session last."""
        for (kind, action, shown_by), (to, values) in sorted(
            self.forms.items(), key=lambda one: one[0][0].split()[0] in LAST
        ):
            status = self.client.post(to, values).status_code
            if status == 403 or status >= 500:
                self.closed.append(f"{shown_by} has a form ({action}) for {kind}, {to}, which answers {status}")


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_is_shown_is_open_to_it(company: Seller, client_as: Callable[..., Client], role: str) -> None:
    declare_article(Actor("test", JANUARY), seller=company, key="base", title="Grundgebühr")  # the log tells of it
    walk = Walk(client_as(role))
    walk.add("/", "the address bar")
    for page in pages():
        path = path_of(page)
        if path and page.permission in ROLES[role]:
            walk.add(path, "the address bar")
    walk.go()
    assert len(walk.seen) > 20
    walk.send()
    assert walk.closed == [], "\n".join(walk.closed)
