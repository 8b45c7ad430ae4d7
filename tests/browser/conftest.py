"""The office in a real Chromium, served by a real server on a database of the test's own."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's own loop runs in this thread; the tests do not share it

from taktura.kit.database import scratch_database, setup  # noqa: E402
from tests.browser.steps import SECONDS, WATCH  # noqa: E402
from tools.chromium import find  # noqa: E402

setup(throw_away=True)
expect.set_options(timeout=1000 * SECONDS)  # machines differ in speed: no test here fails for being slow

WIDTHS = {"desktop": {"width": 1360, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass(frozen=True)
class Office:
    """A running office: its address, and a way to open pages."""

    url: str
    open: Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Its loop ends with the module, so that other tests of the same process may have one.

    The tests fail where there is none: `make test` installs it or says what to type.
    """
    path = find()
    assert path, "no Chromium: run python -m tools.chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


@pytest.fixture
def database() -> Iterator[str]:
    """A database of this test's own; its name."""
    with scratch_database() as name:
        yield name


def is_error(message: Any) -> bool:
    """Whether the console tells of an error. A request that is cut off because one goes on to another page is none."""
    cut_off = message.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
    return bool(message.type == "error" and not cut_off)


@pytest.fixture
def office(database: str, browser: Browser) -> Iterator[Office]:
    """The office on a port of its own. Errors on the console of a page fail the test in the end."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from django.test import Client

    class Quiet(WSGIRequestHandler):
        """Writes no line for each request."""

        def log_message(self, *args: Any) -> None:
            pass

    Client(SERVER_NAME="localhost").get("/account/login/")  # the first request of a process loads most of its modules
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    contexts: list[Any] = []
    errors: list[str] = []

    def open_page(width: str = "desktop", **options: Any) -> Page:
        context = browser.new_context(viewport=WIDTHS[width], accept_downloads=True, **options)
        context.set_default_timeout(1000 * SECONDS)
        context.add_init_script(WATCH)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: errors.append(f"{page.url}: {m.text}") if is_error(m) else None)
        page.on("pageerror", lambda e: errors.append(f"{page.url}: {e}"))
        return page

    yield Office(f"http://localhost:{server.server_address[1]}", open_page)
    for context in contexts:
        context.close()
    server.shutdown()
    server.server_close()
    thread.join()
    connections.close_all()
    assert errors == []
