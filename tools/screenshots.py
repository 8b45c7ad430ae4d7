"""The pictures of the documentation, made anew: `python -m tools.screenshots` writes `docs/images`.

It makes the demo company as of a fixed day in a database of its own, serves the office, and looks at it as an English
reader with a browser (`tools.chromium` finds one). Nothing of your own data is touched.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final, NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taktura.config.settings")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's own loop runs in this thread

from django.conf import settings
from playwright.sync_api import Page, ViewportSize, sync_playwright

from taktura.kit.database import scratch_database, setup
from tools.chromium import find

IMAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
DAY: Final = date(2024, 10, 15)  # the day of the demo whose numbers the documentation tells
SIZE: Final[ViewportSize] = {"width": 1440, "height": 900}
MOST_BYTES: Final = 200_000


class Picture(NamedTuple):
    """A picture: the name of its file, and the address of its page, found in the demo's database."""

    name: str
    address: Callable[[], str]


def _contract() -> str:
    from taktura.contracts.models import Contract

    return f"/contracts/{Contract.objects.get(key='V-kraus').pk}/"


def _proof() -> str:
    from taktura.invoices.models import Document

    return f"/documents/{Document.objects.get(number='RE-2024-00380').pk}/lines/3/"


PICTURES: Final = (Picture("contract", _contract), Picture("proof", _proof))


def main() -> int:
    """Write all pictures; 1 where there is no browser or a picture is too large."""
    path = find()
    if path is None:
        print("There is no Chromium: python -m tools.chromium")
        return 1
    setup(throw_away=True)
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, scratch_database():
        settings.TAKTURA_DATA = Path(data)
        from taktura.cli.demo.company import make
        from taktura.office import page as frame

        make(lambda done, total: None, today=DAY)
        frame.utc_now = lambda: datetime.combine(DAY, time(10), UTC)  # type: ignore[attr-defined]  # the clock stands
        with _served() as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light")
            _sign_in(page, url)
            large = [name for name in (_take(page, url, one) for one in PICTURES) if name]
            browser.close()
    for name in large:
        print(f"{name} has more than {MOST_BYTES} bytes")
    return 1 if large else 0


def _take(page: Page, url: str, picture: Picture) -> str:
    """Write a picture; its name where it is too large."""
    page.goto(f"{url}{picture.address()}", wait_until="networkidle")
    path = IMAGES / f"{picture.name}.png"
    page.screenshot(path=path)
    print(path.relative_to(IMAGES.parent.parent), path.stat().st_size)
    return picture.name if path.stat().st_size > MOST_BYTES else ""


def _sign_in(page: Page, url: str) -> None:
    """As the demo's administrator, with the pages in English."""
    from taktura.accounts.models import User
    from taktura.cli.demo.users import EMAILS, PASSWORD

    User.objects.filter(email=EMAILS["admin"]).update(language="en")
    page.goto(f"{url}/account/login/")
    page.fill("[name=login]", EMAILS["admin"])
    page.fill("[name=password]", PASSWORD)
    page.click("form[action='/account/login/'] button.btn-primary")
    page.wait_for_url(f"{url}/")


@contextmanager
def _served() -> Iterator[str]:
    """The office on a port of its own; its address."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    class Quiet(WSGIRequestHandler):
        """Writes no line for each request."""

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        connections.close_all()


if __name__ == "__main__":
    sys.exit(main())
