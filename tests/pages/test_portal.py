"""The customers' portal: each page, whoever asks. A customer sees only its own; a session of the office is none here,
and one of the portal is none there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from taktura.accounts import portal_users
from taktura.accounts.models import PortalSession, PortalUser
from taktura.audit.models import LogEntry
from taktura.billing.models import Charge
from taktura.contracts.models import Contract, ContractLine
from taktura.customers import access
from taktura.customers.models import Customer, PortalAccess, Seller
from taktura.desk.models import Ticket, TicketAttachment
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from taktura.portal.page import ADMINISTRATORS, COOKIE, CUSTOMER, OPEN, SIGNED_IN
from tests.pages.conftest import LANGUAGES, make_seller

STAFF = Actor("user:clerk@firm.example", utc_now())
ALL = ["tickets", "book", "quantity", "notice", "data"]

A_TICKET: dict[str, Any] = {"subject": "Öztürks Telefon", "opened_at": STAFF.now, "changed_at": STAFF.now}


def routes() -> list[tuple[str, str, Any]]:
    """The portal's addresses: name, address with places, mark."""

    def found(patterns: list[Any], before: str) -> list[tuple[str, str, Any]]:
        rows: list[tuple[str, str, Any]] = []
        for one in patterns:
            if isinstance(one, URLResolver):
                rows += found(one.url_patterns, before + str(one.pattern))
            elif isinstance(one, URLPattern) and one.callback.__module__.startswith("taktura.portal.account"):
                rows.append((one.name or "", before + str(one.pattern), getattr(one.callback, "portal", None)))
        return rows

    return found(get_resolver().url_patterns, "/")


OF_CUSTOMERS = [(name, route) for name, route, mark in routes() if mark in (CUSTOMER, ADMINISTRATORS)]


@pytest.fixture
def acme(seller: Seller) -> Customer:
    Seller.objects.filter(pk=seller.pk).update(portal_allows=ALL)
    return Customer.objects.get(key="acme", seller=seller)


def let_in(
    customer: Customer, email: str = "anna@acme.example", language: str = "en", role: str = "administrator"
) -> Client:
    """A browser that is signed in for a customer."""
    found = PortalAccess.objects.filter(customer=customer, user__email=email, ended_at=None).first()
    found = found or access.invite(
        STAFF,
        customer=customer,
        email=email,
        name="Anna",
        language=language,
        role=role,
        portal="http://localhost/portal",
    )
    if found.user.language != language:
        access.change_language(STAFF, user=found.user, language=language)
    _link, secret = portal_users.make_link(utc_now(), user=found.user, purpose="sign_in")
    client = Client(SERVER_NAME="localhost")
    client.cookies[COOKIE] = portal_users.sign_in_by_link(utc_now(), secret=secret)[1]
    return client


def path_for(name: str, route: str, customer: Customer, of: Customer) -> str:
    """The address of a page of one customer with the rows of another in its places."""
    contract = Contract.objects.filter(customer=of).first()
    assert contract is not None
    places: dict[str, Any] = {"customer": customer.pk}
    if "<int:pk>" in route:
        document = Document.objects.filter(customer=of).first()
        assert document is not None
        places["pk"] = document.pk if "documents" in route else contract.pk
        if "<int:position>" in route:
            charge = Charge.objects.filter(document__customer=of, proof__has_key="usage").order_by("pk").first()
            places["position"] = charge.document_line.position if charge else 1
            places["pk"] = charge.document_id if charge else document.pk
        if "people" in route:
            places["pk"] = colleague_of(of).pk
        if "tickets" in route:
            new = A_TICKET | {"seller": of.seller, "number": of.pk, "requester_email": f"ben@{of.key}.example"}
            ticket = Ticket.objects.get_or_create(customer=of, defaults=new)[0]
            places["pk"] = ticket.pk
            if "<int:number>" in route:
                places["number"] = file_of(ticket).pk
    if "<int:line>" in route:
        places["line"] = ContractLine.objects.get(contract=contract, article__key="number").pk
    return reverse(name, kwargs=places)


def file_of(ticket: Ticket, kind: str = "customer") -> TicketAttachment:
    """A file of a message of a ticket, made where there is none."""
    said = {"author": "Ben", "text": "Siehe Plan", "at": STAFF.now}
    message = ticket.messages.get_or_create(kind=kind, defaults=said)[0]
    content = {"name": "plan.txt", "type": "text/plain", "size": 4, "content": b"Plan"}
    return message.attachments.get_or_create(defaults=content)[0]


def colleague_of(customer: Customer) -> PortalAccess:
    """Ben, a user of a customer."""
    email = f"ben@{customer.key}.example"
    found = PortalAccess.objects.filter(customer=customer, user__email=email).first()
    return found or access.invite(
        STAFF, customer=customer, email=email, name="Ben", role="user", portal="http://localhost/portal"
    )


def test_every_address_says_for_whom_it_is() -> None:
    assert len(OF_CUSTOMERS) >= 10
    for name, route, mark in routes():
        assert mark in (OPEN, SIGNED_IN, CUSTOMER, ADMINISTRATORS), route
        assert ((name, route) in OF_CUSTOMERS) == ("<int:customer>" in route), route


@pytest.mark.parametrize(("name", "route"), OF_CUSTOMERS)
def test_a_customer_sees_only_its_own(acme: Customer, name: str, route: str) -> None:
    other = Customer.objects.get(key="oztuerk")
    Customer.objects.update(self_managed=True)  # else there is no profile
    client = let_in(acme)
    own = path_for(name, route, acme, acme)
    if name.endswith("withdraw"):  # there is a notice to be taken back
        notice = path_for(name.replace("withdraw", "notice"), route, acme, acme)
        client.post(notice, look_and_do(client, notice))
    others = {"portal_person_sign_out": 405, "portal_document_xml": 302}  # a document without XML is shown
    assert client.get(own).status_code == others.get(name, 200), own
    theirs = {path_for(name, route, other, other)}  # their page
    if "<int:pk>" in route:
        theirs |= {path_for(name, route, acme, other), path_for(name, route, other, acme)}  # their row at one's own
    for path in theirs:
        before = LogEntry.objects.count()
        for answer in (client.get(path), client.post(path, {"action": "do"})):
            assert answer.status_code in (404, 405), f"{path} answers {answer.status_code}"
            assert "ztürk" not in answer.content.decode()
        assert LogEntry.objects.count() == before


def look_and_do(client: Client, path: str) -> dict[str, str]:
    text = client.post(path, {"action": "look", "wish": ""}).content.decode()
    return {"action": "do", "wish": "", "seen": seen_in(text)}


def seen_in(text: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', text)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize(("name", "route"), OF_CUSTOMERS)
def test_the_office_and_strangers_are_not_let_in(
    acme: Customer, client_as: Callable[..., Client], name: str, route: str
) -> None:
    path = path_for(name, route, acme, acme)
    forged = Client(SERVER_NAME="localhost")
    forged.cookies[COOKIE] = "a-secret-that-nobody-drew"
    for client in (client_as("admin"), Client(SERVER_NAME="localhost"), forged):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 302 and answer.headers["Location"] == "/portal/sign-in/", path


def test_the_portal_opens_no_page_of_the_office(acme: Customer) -> None:
    client = let_in(acme)
    client.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[COOKIE].value
    for path in ("/", f"/customers/{acme.pk}/", "/settings/", "/documents/"):
        assert client.get(path).headers["Location"].startswith("/account/login/"), path
    assert client.get("/api/v1/customers").status_code == 401


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_each_language_without_scripts(acme: Customer, language: str) -> None:
    client, seen = let_in(acme, language=language), 0
    for name, route, mark in routes():
        places = {"seller": acme.seller_id} if "<int:seller>" in route else {}
        if mark in (CUSTOMER, ADMINISTRATORS):
            path = path_for(name, route, acme, acme)
        elif "<str:secret>" in route:
            continue
        else:
            path = reverse(name, kwargs=places)
        answer = client.get(path, HTTP_ACCEPT_LANGUAGE=language)
        if answer.status_code != 200 or "html" not in answer.headers["Content-Type"]:
            continue
        text, seen = answer.content.decode(), seen + 1
        assert f'<html lang="{language}"' in text, path
        assert " style=" not in text and " onclick=" not in text and "<script>" not in text and "%(" not in text, path
        assert "no-store" in answer.headers["Cache-Control"], path
    assert seen >= 11


def test_whether_an_address_is_known_is_not_told(acme: Customer) -> None:
    let_in(acme)
    stranger = Client(SERVER_NAME="localhost")
    texts = []
    for email in ("anna@acme.example", "nobody@acme.example"):
        answer = stranger.post("/portal/sign-in/", {"email": email})
        assert answer.status_code == 200
        texts.append(answer.content.decode().replace(email, "…"))
    plain = [re.sub(r'value="[A-Za-z0-9]{64}"', "", text) for text in texts]
    assert plain[0] == plain[1]


def test_a_mail_is_written_by_a_job_for_who_is_known(acme: Customer) -> None:
    from taktura.customers.tasks import mail_portal_link

    let_in(acme)
    before = OutgoingMail.objects.count()
    assert not mail_portal_link(email="nobody@acme.example", purpose="sign_in", portal="http://localhost/portal")
    assert mail_portal_link(email="anna@acme.example", purpose="sign_in", portal="http://localhost/portal")
    assert OutgoingMail.objects.count() == before + 1
    path = re.search(r"http://localhost(/portal/sign-in/[^/\s]+/)", OutgoingMail.objects.latest("id").text)
    assert path is not None
    client = Client(SERVER_NAME="localhost")
    for _ in range(2):  # to look at it does not use it up
        assert client.get(path[1]).status_code == 200
    assert PortalSession.objects.count() == 1  # that of `let_in`
    answer = client.post(path[1])
    assert answer.status_code == 302 and answer.headers["Location"] == "/portal/"
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["path"] == "/portal/" and cookie["samesite"] == "Lax"
    assert client.get("/portal/").headers["Location"] == f"/portal/{acme.pk}/"
    assert client.post(path[1]).status_code == 410
    client.post("/portal/sign-out/")
    assert client.get("/portal/").headers["Location"] == "/portal/sign-in/"


def test_a_password_signs_in_and_guessing_is_stopped(acme: Customer) -> None:
    let_in(acme)
    user, word = PortalUser.objects.get(), "ein-ziemlich-langes-wort"
    _link, secret = portal_users.make_link(utc_now(), user=user, purpose="password")
    client = Client(SERVER_NAME="localhost")
    path = f"/portal/password/{secret}/"
    assert client.post(path, {"password": "kurz", "again": "kurz"}).status_code == 422
    assert client.post(path, {"password": word, "again": word + "x"}).status_code == 422
    assert client.post(path, {"password": word, "again": word}).status_code == 302
    sign_in = "/portal/sign-in/password/"
    fresh = Client(SERVER_NAME="localhost")
    for _ in range(7):  # what is right is not counted
        assert fresh.post(sign_in, {"email": user.email, "password": word}).status_code == 302
    answers = [fresh.post(sign_in, {"email": user.email, "password": f"guess {n}"}).status_code for n in range(6)]
    assert answers == [422] * 5 + [429]
    assert fresh.post(sign_in, {"email": user.email.upper(), "password": word}).status_code == 429


def test_links_cannot_be_asked_for_without_end(acme: Customer) -> None:
    client = Client(SERVER_NAME="localhost")
    answers = [client.post("/portal/sign-in/", {"email": "x@acme.example"}).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_forms_are_for_ones_own_pages(acme: Customer) -> None:
    client = let_in(acme)
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.cookies[COOKIE] = client.cookies[COOKIE].value
    contract = Contract.objects.get(key="V-acme")
    for path in ("/portal/sign-in/", "/portal/sign-out/", f"/portal/{acme.pk}/contracts/{contract.pk}/notice/"):
        assert strict.post(path, {"action": "do"}).status_code == 403, path


def test_whoever_is_switched_off_is_out_at_once(acme: Customer) -> None:
    client = let_in(acme)
    assert client.get(f"/portal/{acme.pk}/").status_code == 200
    access.switch_off(STAFF, access=PortalAccess.objects.get())
    assert client.get(f"/portal/{acme.pk}/").status_code == 302


def test_whoever_sees_several_customers_chooses(acme: Customer) -> None:
    let_in(Customer.objects.get(key="oztuerk"))
    client = let_in(acme)
    text = client.get("/portal/").content.decode()
    assert "Acme GmbH" in text and "Öztürk" in text
    bare = Customer.objects.get(key="bare")
    assert client.get(f"/portal/{bare.pk}/").status_code == 404


def test_another_company_is_another_world(acme: Customer) -> None:
    other = make_seller("Andere GmbH")
    client = let_in(acme)
    assert client.get(f"/portal/{Customer.objects.get(key='acme', seller=other).pk}/").status_code == 404


@pytest.mark.parametrize(
    ("act", "page"), [("notice", "notice"), ("book", "book"), ("quantity", "lines"), ("data", ""), ("tickets", "")]
)
def test_what_the_company_does_not_allow_is_not_there(acme: Customer, act: str, page: str) -> None:
    client = let_in(acme)
    contract = Contract.objects.get(key="V-acme")
    line = ContractLine.objects.get(contract=contract, article__key="number")
    path = {
        "notice": f"/portal/{acme.pk}/contracts/{contract.pk}/notice/",
        "book": f"/portal/{acme.pk}/contracts/{contract.pk}/book/",
        "quantity": f"/portal/{acme.pk}/contracts/{contract.pk}/lines/{line.pk}/",
        "data": f"/portal/{acme.pk}/data/change/",
        "tickets": f"/portal/{acme.pk}/tickets/new/",
    }[act]
    assert client.get(path).status_code == 200
    Seller.objects.update(portal_allows=[one for one in ALL if one != act])
    assert client.get(path).status_code == 404 and client.post(path, {"action": "do"}).status_code == 404
    assert f'"{path}"' not in client.get(f"/portal/{acme.pk}/contracts/{contract.pk}/").content.decode()
