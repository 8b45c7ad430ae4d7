"""Every page of the office in a real browser, in German: for everybody who looks at it, in light and dark, at a desk
and on a phone. Pages are found by their marks, so that a new one is seen without being named here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from playwright.sync_api import Page, Route, expect

from taktura.accounts.models import User
from taktura.accounts.services import create_key, invite
from taktura.billing.services import bill, sell
from taktura.billing.services.mailboxes import create_mailbox
from taktura.catalog.models import Tariff
from taktura.catalog.services import define_tariff
from taktura.cli.demo.users import EMAILS, PASSWORD
from taktura.contracts.services import sign
from taktura.customers.models import Seller
from taktura.customers.services import create_customer, set_billing_information
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.services import post
from taktura.kit.mailbox.models import IncomingMail
from taktura.office import errors
from taktura.office.page import OPEN
from tests.browser.conftest import Office
from tests.browser.steps import check_page, settled, sign_in
from tools.pages import OTHERS, first, pages

ACTOR = Actor("test", datetime(2024, 10, 15, 9, tzinfo=UTC))
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenunterstützungsverein Schleswig-Holstein gemeinnützige GmbH"
LONG_KEY = "V-DONAUDAMPFSCHIFFFAHRTSGESELLSCHAFT-2024-0000001"
# Each page is seen in both; together that is each width, each theme, and no more time than needed.
LOOKS = {"desk": ("desktop", "light"), "phone": ("phone", "dark")}
STRANGERS = ("login/", "login/code/", "password/reset/")
OWN = ("password/change/", "2fa/", "2fa/totp/activate/", "2fa/webauthn/", "sessions/", "logout/", "reauthenticate/")
ERRORS: tuple[Callable[..., HttpResponse], ...] = (
    errors.bad_request, errors.forbidden, errors.not_found, errors.failed, errors.csrf_failure
)  # fmt: skip
ROWS = 8
FEWEST = 90  # pages that are found: fewer, and something is wrong with the search for them
HTML = "text/html; charset=utf-8"
CUT_OFF = "net::ERR_ABORTED"  # the browser gave up a picture because one went on to the next page


@pytest.fixture
def database(demo_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The demo company with one of everything that a page shows, and a customer whose words are long. Few rows on a
    page are enough: they are all alike."""
    monkeypatch.setattr("taktura.office.lists.PAGE", ROWS)
    seller = Seller.objects.get()
    customer = create_customer(ACTOR, seller=seller, key="K-2024-0000000001", name=LONG, language="de")
    mail = "rechnungswesen.kreditorenbuchhaltung@donaudampfschifffahrtsgesellschaft.example"
    set_billing_information(
        ACTOR, customer=customer, name=LONG, email=mail, street="Kapitänswitwenunterstützungsvereinsstraße 123 a",
        postcode="24837", city="Schleswig an der Schlei im Landesteil Schleswig", country="DE",
    )  # fmt: skip
    lines = {
        "grundgebuehr-2024": {
            "title": "Telekommunikationsanlagengrundgebührenpauschale", "charge": "recurring", "price": "123456.7891",
        },
        "nebenstelle": {"title": "Nebenstellen", "charge": "recurring", "booking": "add_on", "price": "4.5"},
    }  # fmt: skip
    tariff = define_tariff(
        ACTOR, seller=seller, key="unternehmenskommunikationsinfrastruktur-2024", notice="monthly", public=True,
        title="Unternehmenskommunikationsinfrastruktur mit Rund-um-die-Uhr-Betreuung", lines=lines,
    )  # fmt: skip
    start = ACTOR.now.date().replace(day=1)
    sign(ACTOR, key=LONG_KEY, customer=customer, tariff=tariff, start=start, quantities={"nebenstelle": 12345})
    sell(ACTOR, customer=customer, lines=[{"title": "Konferenztelefon mit Freisprecheinrichtung", "price": "1249.90"}])
    bill(ACTOR, seller=seller, on=ACTOR.now.date())
    about = f"document:{first(f'invoices_document WHERE customer_id = {customer.pk}')}"
    post(
        ACTOR.now, to=mail, subject="Rechnung", text="Guten Tag", html="<p>Guten Tag</p>",
        sender=f"seller:{seller.pk}", about=about, attachments=[("a.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    box = create_mailbox(
        ACTOR, seller=seller, supplier=seller.suppliers.earliest("id"), purpose="usage", host="imap.firm.example",
        user="usage@firm.example", password="secret", senders=["files@sun.example"],
    )  # fmt: skip
    IncomingMail.objects.create(
        mailbox=box, validity=1, uid=1, identity="<1@sun.example>", sender="files@sun.example",
        subject="Verbrauchsabrechnung für Unternehmenskommunikationsinfrastruktur",
        size=20_480, state="failed", looked_at=ACTOR.now, stays=True,
        said=[["It could not be handled: %(why)s", {"why": "TimeoutError: the disk does not answer"}]],
    )  # fmt: skip
    invite(ACTOR, email="neue.kollegin@sonnenruf.example", role="viewer")
    create_key(ACTOR, name="Shop", scopes=["usage.view"])
    return demo_database


@pytest.fixture
def desk_or_phone(office: Office, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of the one look or the other, in German; what was not found or refused fails the test in the end."""
    width, theme = LOOKS[request.param]
    page, failed = office.open(width, locale="de", color_scheme=theme), list[str]()
    page.on("response", lambda r: failed.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("requestfailed", lambda r: failed.append(f"{r.failure} {r.url}") if r.failure != CUT_OFF else None)
    yield page
    assert failed == []


looks = pytest.mark.parametrize("desk_or_phone", LOOKS, indirect=True)


def ids(look: str) -> Callable[[str], int | None]:
    """The row of a table that a page shows: on the phone that with long words, at the desk an ordinary one."""
    tariff = f"catalog_tariff WHERE id = {Tariff.objects.latest('pk').pk}"
    chosen = {
        "desk": {"contracts_contract": "WHERE key = 'V-kraus'", "customers_customer": "WHERE key = 'kraus'"},
        "phone": {
            "contracts_contract": f"WHERE key = '{LONG_KEY}'",
            "customers_customer": "WHERE key = 'K-2024-0000000001'",
        },
    }[look]
    if look == "phone":
        chosen["catalog_tariff"] = tariff.partition(" ")[2]
        customer = first(f"customers_customer {chosen['customers_customer']}")
        chosen["invoices_document"] = f"WHERE customer_id = {customer}"
    return lambda table: first(f"{table} {chosen.get(table, '')}".strip() if table else "")


def addresses(look: str) -> list[str]:
    """The addresses of all pages that answer with a whole page to an administrator: not those that are only sent to,
    nor files, nor parts of pages."""
    client, row = Client(SERVER_NAME="localhost"), ids(look)
    admin = User.objects.get(email=EMAILS["admin"])
    client.force_login(admin, backend=settings.AUTHENTICATION_BACKENDS[0])
    entry = first(f"audit_logentry WHERE subject = 'contract:{row('contracts_contract')}'")
    found = []
    for page in pages():
        path = page.path(row, OTHERS | {"entry": entry}) if page.permission != OPEN else ""
        response = client.get(path) if path else None
        whole = response is not None and response.headers.get("Content-Type") == HTML and b"<html" in response.content
        if whole and response.status_code == 200:
            found.append(path)
    return found


@contextmanager
def gathered(wrong: list[str]) -> Iterator[None]:
    """Goes on after a page that is wrong, so that one test tells of all."""
    try:
        yield
    except AssertionError as error:
        wrong.append(str(error).splitlines()[0])


@looks
def test_every_page(office: Office, desk_or_phone: Page, request: pytest.FixtureRequest) -> None:
    page, wrong = desk_or_phone, list[str]()
    look = request.node.callspec.params["desk_or_phone"]
    sign_in(page, office.url, EMAILS["admin"], PASSWORD)
    found = addresses(look) + [f"/account/{own}" for own in OWN] + ["/search/?q=ru", "/documents/?q=nothing+fits"]
    assert len(found) >= FEWEST
    for path in found:
        page.goto(f"{office.url}{path}")
        with gathered(wrong):
            check_page(page)
    assert wrong == [], "\n".join(wrong)


@looks
def test_what_opens(office: Office, desk_or_phone: Page) -> None:
    """Menus, and what the search finds while one types."""
    page = desk_or_phone
    sign_in(page, office.url, EMAILS["admin"], PASSWORD)
    page.goto(f"{office.url}/documents/")
    if page.locator(".navbar-toggler").is_visible():
        page.click(".navbar-toggler")
        page.wait_for_selector("#navigation.show")
        check_page(page)
        page.click(".navbar-toggler")
        expect(page.locator("#navigation")).to_be_hidden()
        settled(page)
    for button in ("main tbody [data-bs-toggle=dropdown]", ".list-head [data-bs-toggle=dropdown]"):
        page.locator(button).first.click()
        page.locator(".dropdown-menu.show").wait_for()
        check_page(page, ".dropdown-menu.show")
        page.keyboard.press("Escape")
        expect(page.locator(".dropdown-menu.show")).to_have_count(0)
    page.fill("#search", "ru")
    page.locator("#found a").first.wait_for()
    check_page(page, "#found")


@looks
def test_pages_for_strangers(office: Office, desk_or_phone: Page) -> None:
    wrong: list[str] = []
    _invitation, secret = invite(Actor("test", utc_now()), email="neuer.kollege@sonnenruf.example", role="billing")
    for path in (*STRANGERS, f"invitation/{secret}/"):
        desk_or_phone.goto(f"{office.url}/account/{path}")
        with gathered(wrong):
            check_page(desk_or_phone)
    assert wrong == [], "\n".join(wrong)


@looks
def test_pages_of_errors(office: Office, desk_or_phone: Page) -> None:
    """Drawn by themselves and handed over as good ones: a browser would write the status to its console."""
    wrong: list[str] = []
    for view in ERRORS:
        desk_or_phone.route(f"**/error/{view.__name__}/", partial(_answer, view))
        desk_or_phone.goto(f"{office.url}/error/{view.__name__}/")
        with gathered(wrong):
            check_page(desk_or_phone)
    assert wrong == [], "\n".join(wrong)


def _answer(view: Callable[..., HttpResponse], route: Route) -> None:
    asked: HttpRequest = RequestFactory(SERVER_NAME="localhost").get("/")
    asked.user = AnonymousUser()
    with translation.override("de"):
        answer = view(asked)
    route.fulfill(status=200, content_type=HTML, body=answer.content)
