"""Who may do what in the portal: every page and every act × nobody, a user, an administrator, somebody of another
customer. One table, which a change of a page's audience must change; and what each of them sees there."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.contracts.models import Contract, ContractLine
from taktura.customers import access
from taktura.customers.models import Customer, PortalAccess, Seller
from taktura.desk import services as desk
from taktura.desk.models import Ticket
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.mail.models import OutgoingMail
from tests.pages.conftest import LANGUAGES
from tests.pages.test_portal import ALL, STAFF, colleague_of, let_in, path_for, routes

# Who sees a page, and sends to it.
TABLE = {
    "everybody": "portal_sign_in portal_sign_in_by_password portal_use_link portal_password portal_set_password"
    " portal_language portal_end_contract",
    "signed in": "portal_home portal_sign_out",
    "customer": "portal_customer portal_contract portal_usage portal_usage_csv portal_tickets portal_ticket_new"
    " portal_ticket portal_ticket_file portal_data portal_profile",
    "administrators": "portal_documents portal_document portal_document_usage portal_document_usage_csv"
    " portal_document_pdf portal_document_xml portal_data_change portal_notice portal_withdraw"
    " portal_book portal_line_notice portal_line_withdraw portal_quantity portal_people portal_invite portal_person"
    " portal_person_sign_out portal_person_end",
}
# Pages that are looked at and never sent to, and such as are only sent to; all others are both.
ONLY_SEEN = {
    "portal_home", "portal_customer", "portal_contract", "portal_tickets", "portal_data", "portal_documents",
    "portal_document_pdf", "portal_document_xml", "portal_people", "portal_ticket_file", "portal_usage",
    "portal_usage_csv", "portal_document",
    "portal_document_usage", "portal_document_usage_csv",
}  # fmt: skip
ONLY_SENT = {"portal_language", "portal_sign_out", "portal_person_sign_out"}
AUDIENCE = {name: who for who, names in TABLE.items() for name in names.split()}
ROUTES = {name: route for name, route, _mark in routes()}
MARKS = {"everybody": "open", "signed in": "signed_in", "customer": "customer", "administrators": "administrators"}


@pytest.fixture
def acme(seller: Seller) -> Customer:
    cache.clear()  # of what was counted against floods
    Seller.objects.filter(pk=seller.pk).update(portal_allows=ALL)
    Customer.objects.update(self_managed=True)  # else there is no profile
    return Customer.objects.select_related("seller").get(key="acme", seller=seller)


def address_of(name: str, acme: Customer) -> str:
    route = ROUTES[name]
    if "<int:customer>" in route:
        return path_for(name, route, acme, acme)
    places: dict[str, Any] = {"seller": acme.seller_id} if "<int:seller>" in route else {}
    return reverse(name, kwargs=places | ({"secret": "nobody-drew-it"} if "<str:secret>" in route else {}))


def to_be_withdrawn(acme: Customer) -> None:
    """Give notice of a contract and of a line of it, as in the portal."""
    actor = Actor("portal:anna@acme.example", utc_now())
    contract = Contract.objects.get(key="V-acme")
    line = ContractLine.objects.select_related("article", "contract__customer__seller").get(
        contract=contract, article__key="number"
    )
    said: dict[str, Any] = {"email": "anna@acme.example", "language": "de", "wish": None}
    billing.give_notice_by_customer(actor, contract=contract, line=line, **said)
    billing.give_notice_by_customer(actor, contract=Contract.objects.get(key="V-acme"), **said)


def expected(name: str, who: str) -> str:
    """What somebody gets of a page: `in`, `sign in` first, or `nothing`."""
    audience = AUDIENCE[name]
    if audience == "everybody":
        return "in"
    if who == "nobody":
        return "sign in"
    if audience == "signed in" or (audience == "customer" and who == "user"):
        return "in"
    return "in" if who == "administrator" else "nothing"


def got(answer: Any) -> str:
    if answer.status_code in (403, 404):
        return "nothing"
    if answer.status_code == 302 and answer.headers["Location"] == "/portal/sign-in/":
        return "sign in"
    # 302: it is done, or to be read elsewhere; 410: a link that nobody drew; 422: something is missing in the form
    assert answer.status_code in (200, 302, 405, 410, 422), answer.status_code
    return "in"


def test_every_page_of_the_portal_is_in_the_table() -> None:
    assert sorted(AUDIENCE) == sorted(ROUTES) and set(AUDIENCE) >= ONLY_SEEN | ONLY_SENT
    assert {name: MARKS[who] for name, who in AUDIENCE.items()} == {name: mark for name, _route, mark in routes()}


@pytest.mark.parametrize("name", sorted(AUDIENCE))
def test_each_page_and_act_with_each_role(acme: Customer, name: str) -> None:
    stranger = let_in(Customer.objects.get(key="oztuerk"), "olga@oztuerk.example")
    people = {"nobody": Client(SERVER_NAME="localhost"), "another's": stranger}
    people["user"] = let_in(acme, "ben@acme.example", role="user")
    people["administrator"] = let_in(acme)
    path = address_of(name, acme)
    if name.endswith("withdraw"):
        to_be_withdrawn(acme)
    for who, client in people.items():
        before = LogEntry.objects.count()
        seen = client.get(path)
        if name in ONLY_SENT and expected(name, who) == "in":
            assert seen.status_code == 405, f"{who}: GET {path} answers {seen.status_code}"
        elif name != "portal_sign_out":
            assert got(seen) == expected(name, who), f"{who}: GET {path} answers {seen.status_code}"
        sent = client.post(path, {"action": "look"})
        if name not in ONLY_SEEN:
            wanted = "sign in" if name == "portal_sign_out" else expected(name, who)  # that is where it leads to
            assert got(sent) == wanted, f"{who}: POST {path} answers {sent.status_code}"
            assert sent.status_code != 405, path
        elif expected(name, who) == "in":
            assert sent.status_code == 405, f"{who}: POST {path} answers {sent.status_code}"
        if expected(name, who) != "in":
            assert LogEntry.objects.count() == before, f"{who} did something at {path}"
            assert "Acme" not in seen.content.decode() + sent.content.decode(), f"{who} reads of it at {path}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_user_reads_no_amount(acme: Customer, language: str) -> None:
    user = let_in(acme, "ben@acme.example", language, role="user")
    contract, document = Contract.objects.get(key="V-acme"), Document.objects.filter(customer=acme).first()
    assert document is not None
    home = user.get(f"/portal/{acme.pk}/").content.decode()
    page = user.get(f"/portal/{acme.pk}/contracts/{contract.pk}/").content.decode()
    data = user.get(f"/portal/{acme.pk}/data/").content.decode()
    assert "V-acme" in home and "Number" in page and "<meter" in page
    for text in (home, page, data):
        assert "€" not in text and "EUR" not in text and document.number not in text
        assert "/documents/" not in text and "/notice/" not in text and "/people/" not in text
        assert "acme@c.example" not in text  # where bills go to
    seen = let_in(acme, language=language).get(f"/portal/{acme.pk}/contracts/{contract.pk}/").content.decode()
    assert "€" in seen and "/notice/" in seen


def test_a_user_sees_the_own_tickets_an_administrator_all(acme: Customer) -> None:
    user, administrator = let_in(acme, "ben@acme.example", role="user"), let_in(acme)
    made = [
        desk.open_ticket(
            STAFF, customer=acme, subject=f"Von {email}", text="Stumm", by_customer=True, requester_name=email[:4],
            requester_email=email,
        )
        for email in ("BEN@acme.example", "eve@acme.example", "")
    ]  # fmt: skip
    base = f"/portal/{acme.pk}/tickets/"
    mine, all_ = user.get(base).content.decode(), administrator.get(base).content.decode()
    assert "Von BEN" in mine and "Von eve" not in mine and "#1003" not in mine
    assert "Von BEN" in all_ and "Von eve" in all_ and "#1003" in all_ and "eve@" in all_
    for ticket, status in zip(made, (200, 404, 404), strict=True):
        assert user.get(f"{base}{ticket.pk}/").status_code == status
        assert administrator.get(f"{base}{ticket.pk}/").status_code == 200
    before = LogEntry.objects.count()
    assert user.post(f"{base}{made[1].pk}/", {"action": "solve"}).status_code == 404
    assert LogEntry.objects.count() == before and Ticket.objects.get(pk=made[1].pk).status == "open"
    desk.merge_tickets(STAFF, ticket=made[0], into=made[1])
    page = user.get(f"{base}{made[0].pk}/").content.decode()
    assert "goes on in ticket" in page and f"{base}{made[1].pk}/" not in page and "Stumm" not in page


def test_an_administrator_keeps_the_people(acme: Customer) -> None:
    anna, base = let_in(acme), f"/portal/{acme.pk}/people/"
    before = OutgoingMail.objects.count()
    sent = {"email": "tim@acme.example", "name": "Tim Falk", "role": "user"}
    assert anna.post(f"{base}invite/", sent | {"role": "owner"}).status_code == 422
    assert anna.post(f"{base}invite/", sent).headers["Location"] == f"{base}?done=invited"
    assert OutgoingMail.objects.count() == before + 1
    mail, tim = OutgoingMail.objects.latest("id"), PortalAccess.objects.get(user__email="tim@acme.example")
    assert mail.recipient == "tim@acme.example" and "Dokumente" not in mail.text and tim.role == "user"
    entry = LogEntry.objects.get(action="invite_to_portal", data__email="tim@acme.example")
    assert (entry.actor, entry.data["role"]) == ("portal:anna@acme.example", "user")
    assert anna.post(f"{base}invite/", sent).status_code == 422  # has access already
    page = anna.get(base).content.decode()
    assert "Tim Falk" in page and "invited" in page and "(you)" in page
    browser = let_in(acme, "tim@acme.example")
    assert browser.get(base).status_code == 404
    profile = {"phone": "+49 40 1", "mobile": "", "job_title": "Einkauf", "company_contact": "on"}
    one = f"{base}{tim.pk}/"
    assert anna.post(one, profile | {"role": "administrator", "phone": "no number"}).status_code == 422
    tim.refresh_from_db()
    assert tim.role == "user", "all or nothing"
    assert anna.post(one, profile | {"role": "administrator"}).status_code == 302
    tim.refresh_from_db()
    assert (tim.role, tim.job_title, tim.company_contact) == ("administrator", "Einkauf", True)
    assert browser.get(base).status_code == 200  # from the next click on
    assert anna.post(f"{one}sign-out/").status_code == 302
    assert browser.get(base).status_code == 302
    assert anna.get(f"{one}end/").status_code == 200 and anna.post(f"{one}end/").status_code == 302
    tim.refresh_from_db()
    assert tim.ended_at is not None
    assert "tim@acme.example" in anna.get(base).content.decode()
    assert anna.get(one).status_code == 404


def test_the_last_administrator_stays_one(acme: Customer) -> None:
    ben = colleague_of(acme)
    anna, me = let_in(acme), PortalAccess.objects.get(customer=acme, role="administrator")
    base = f"/portal/{acme.pk}/people/{me.pk}/"
    before = LogEntry.objects.count()
    kept = {"phone": "", "mobile": "", "job_title": ""}
    for answer in (anna.post(base, kept | {"role": "user"}), anna.post(f"{base}end/")):
        assert answer.status_code in (409, 422) and "last administrator" in answer.content.decode()
    me.refresh_from_db()
    assert me.administers and me.ended_at is None and LogEntry.objects.count() == before
    access.change_role(STAFF, access=ben, role="administrator")
    answer = anna.post(base, kept | {"role": "user"})
    assert answer.headers["Location"] == f"/portal/{acme.pk}/?done=data"
    assert anna.get(base).status_code == 404  # is none any more


def test_whoever_has_gone_by_itself_is_out(acme: Customer) -> None:
    access.change_role(STAFF, access=colleague_of(acme), role="administrator")
    anna, me = let_in(acme), PortalAccess.objects.get(customer=acme, user__email="anna@acme.example")
    assert anna.post(f"/portal/{acme.pk}/people/{me.pk}/end/").headers["Location"] == "/portal/"
    assert anna.get("/portal/").headers["Location"] == "/portal/sign-in/"


def test_of_whoever_comes_from_elsewhere_only_the_address_is_told(acme: Customer) -> None:
    """To invite an address tells nothing of whom it belongs to at another customer."""
    other = Customer.objects.get(key="oztuerk")
    access.invite(
        STAFF.at(STAFF.now.replace(year=2025)), customer=other, email="olga@web.example", name="Olga Öztürk",
        portal="http://localhost/portal",
    )  # fmt: skip
    let_in(other, "olga@web.example")
    PortalAccess.objects.update(invited_at=STAFF.now.replace(year=2025))
    anna = let_in(acme)
    sent = {"email": "olga@web.example", "name": "Whoever", "role": "user"}
    assert anna.post(f"/portal/{acme.pk}/people/invite/", sent).status_code == 302
    page = anna.get(f"/portal/{acme.pk}/people/").content.decode()
    assert "olga@web.example" in page and "Olga Öztürk" not in page
    let_in(acme, "olga@web.example")  # comes, by the invitation
    assert "Olga Öztürk" in anna.get(f"/portal/{acme.pk}/people/").content.decode()


@override_settings(ACCOUNT_RATE_LIMITS={"invite": "2/h/key"})
def test_invitations_are_counted(acme: Customer) -> None:
    anna, path = let_in(acme), f"/portal/{acme.pk}/people/invite/"
    answers = [
        anna.post(path, {"email": f"p{n}@acme.example", "name": "P", "role": "user"}).status_code for n in range(3)
    ]
    assert answers == [302, 302, 422]


def test_profiles_are_each_ones_own_and_the_administrators(acme: Customer) -> None:
    ben = let_in(acme, "ben@acme.example", role="user")
    path = f"/portal/{acme.pk}/data/profile/"
    assert "company_contact" not in ben.get(path).content.decode()
    said = {"phone": "+49 40 2", "mobile": "", "job_title": "Technik", "company_contact": "on"}
    assert ben.post(path, said).status_code == 302
    one = PortalAccess.objects.get(user__email="ben@acme.example")
    assert (one.phone, one.company_contact) == ("+49 40 2", False)
    anna = let_in(acme)
    assert anna.post(path, said).status_code == 302
    assert PortalAccess.objects.get(user__email="anna@acme.example").company_contact
    assert "Anna" in ben.get(f"/portal/{acme.pk}/data/").content.decode()  # who speaks for the company
    Customer.objects.update(self_managed=False)
    form = anna.get(f"/portal/{acme.pk}/people/{one.pk}/").content.decode()
    assert re.search(r'name="role"', form) and 'name="phone"' not in form
    assert ben.get(path).status_code == 404


def test_staff_choose_and_change_roles(acme: Customer, client_as: Callable[..., Client]) -> None:
    staff, base = client_as("admin"), f"/customers/{acme.pk}/portal/"
    form = staff.get(f"{base}invite/").content.decode()
    assert re.search(r'value="administrator"[^>]* checked', form)  # there is none yet
    assert staff.post(f"{base}invite/", {"email": "a@acme.example", "language": "de"}).status_code == 422
    sent = {"email": "a@acme.example", "language": "de", "role": "administrator"}
    assert staff.post(f"{base}invite/", sent).status_code == 302
    assert re.search(r'value="user"[^>]* checked', staff.get(f"{base}invite/").content.decode())
    assert staff.post(f"{base}invite/", sent | {"email": "b@acme.example", "role": "user"}).status_code == 302
    first, second = PortalAccess.objects.order_by("id")
    assert (first.role, second.role) == ("administrator", "user")
    page = staff.get(base).content.decode()
    assert "Make a user" in page and "Make an administrator" in page
    assert "owner" in staff.post(f"{base}{first.pk}/role/", {"role": "owner"}, follow=True).content.decode()
    assert staff.post(f"{base}{first.pk}/role/", {"role": "user"}).status_code == 302  # the last one, too
    assert staff.post(f"{base}{second.pk}/role/", {"role": "administrator"}).status_code == 302
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.role, second.role) == ("user", "administrator")
    history = staff.get(f"/customers/{acme.pk}/history/").content.decode()
    assert "Role in the customer portal changed" in history and "Administrator" in history
    assert client_as("technician").post(f"{base}{first.pk}/role/", {"role": "user"}).status_code == 403
