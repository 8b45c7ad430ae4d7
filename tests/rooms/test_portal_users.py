"""Who may see a customer in the portal: inviting, links that work once, passwords, sessions, switching off."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from taktura.accounts import portal_users
from taktura.accounts.keeping import forget_portal_visits
from taktura.accounts.models import PortalSession, PortalUser
from taktura.audit.models import LogEntry
from taktura.core.errors import Refused
from taktura.customers import access, colleagues
from taktura.customers.models import Customer, PortalAccess
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database
from taktura.kit.mail.models import OutgoingMail
from tests.pages.conftest import make_seller

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
STAFF = Actor("user:clerk@firm.example", NOW)
PORTAL = "https://firm.example/portal"
WORD = "ein-ziemlich-langes-wort"


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as found:
        yield
    assert found.value.code == code


@pytest.fixture
def acme() -> Iterator[Customer]:
    with scratch_database():
        yield Customer.objects.get(key="acme", seller=make_seller("Sonnenruf GmbH"))


def invited(customer: Customer, email: str = "anna@acme.example") -> PortalAccess:
    return access.invite(STAFF, customer=customer, email=email, name="Anna", portal=PORTAL)


def secret_of_last_mail(path: str = "sign-in") -> str:
    text = OutgoingMail.objects.latest("id").text
    return text.partition(f"{PORTAL}/{path}/")[2].partition("/")[0]


def test_an_invitation_is_mailed_in_the_customers_language_and_signs_in_once(acme: Customer) -> None:
    user = invited(acme).user
    mail = OutgoingMail.objects.latest("id")
    assert (mail.recipient, mail.language, mail.kind) == ("anna@acme.example", "de", "account")
    assert mail.sender == f"seller:{acme.seller_id}" and "Sonnenruf GmbH" in mail.text
    secret = secret_of_last_mail()
    later = NOW + timedelta(days=6)
    found, session = portal_users.sign_in_by_link(later, secret=secret)
    assert found == user and portal_users.session_of(session, later).user == user  # type: ignore[union-attr]
    assert PortalUser.objects.get().last_sign_in_at == later
    with refused("not_found"):
        portal_users.sign_in_by_link(later, secret=secret)
    entry = LogEntry.objects.get(action="invite_to_portal")
    assert (entry.subject, entry.actor) == (f"customer:{acme.pk}", STAFF.name)


def test_a_link_lasts_a_quarter_of_an_hour_and_its_secret_is_kept_nowhere(acme: Customer) -> None:
    user = invited(acme).user
    assert access.mail_link(STAFF, email="ANNA@acme.example", purpose="sign_in", portal=PORTAL)
    secret = secret_of_last_mail()
    assert not user.links.filter(hash=secret).exists()
    with pytest.raises(Refused):
        portal_users.sign_in_by_link(NOW + timedelta(minutes=15), secret=secret)
    with pytest.raises(Refused):
        portal_users.set_password_by_link(NOW, secret=secret, password=WORD)  # it is for something else
    assert portal_users.sign_in_by_link(NOW + timedelta(minutes=14), secret=secret)


def test_nobody_else_gets_a_mail(acme: Customer) -> None:
    before = OutgoingMail.objects.count()
    assert not access.mail_link(STAFF, email="stranger@acme.example", purpose="sign_in", portal=PORTAL)
    assert OutgoingMail.objects.count() == before


def test_of_many_links_only_the_last_few_open(acme: Customer) -> None:
    user = invited(acme).user
    secrets = [portal_users.make_link(NOW, user=user, purpose="sign_in")[1] for _ in range(5)]
    works = []
    for secret in secrets:
        try:
            portal_users.open_link(secret, "sign_in", NOW)
            works.append(True)
        except Refused:
            works.append(False)
    assert works == [False, False, True, True, True]


def test_a_password_is_set_by_a_link_and_signs_others_out(acme: Customer) -> None:
    user = invited(acme).user
    _user, old = portal_users.sign_in_by_link(NOW, secret=secret_of_last_mail())
    assert portal_users.sign_in_by_password(NOW, email=user.email, password="") is None  # there is none yet
    access.mail_link(STAFF, email=user.email, purpose="password", portal=PORTAL)
    secret = secret_of_last_mail("password")
    for weak in ("short", "1234567890123", "anna@acme.example"):
        with refused("invalid"):
            portal_users.set_password_by_link(NOW, secret=secret, password=weak)
    _user, new = portal_users.set_password_by_link(NOW, secret=secret, password=WORD)
    assert portal_users.session_of(old, NOW) is None and portal_users.session_of(new, NOW) is not None
    assert portal_users.sign_in_by_password(NOW, email="Anna@ACME.example", password=WORD) is not None
    assert portal_users.sign_in_by_password(NOW, email=user.email, password=WORD + "x") is None
    assert WORD not in PortalUser.objects.get().password


def test_whoever_is_switched_off_is_signed_out_and_not_let_in(acme: Customer) -> None:
    one = invited(acme)
    first = secret_of_last_mail()
    _user, session = portal_users.sign_in_by_link(NOW, secret=first)
    access.mail_link(STAFF, email=one.user.email, purpose="sign_in", portal=PORTAL)
    open_still = secret_of_last_mail()
    access.switch_off(STAFF, access=one)
    assert portal_users.session_of(session, NOW) is None and not PortalSession.objects.exists()
    with pytest.raises(Refused):
        portal_users.sign_in_by_link(NOW, secret=open_still)
    assert not access.mail_link(STAFF, email=one.user.email, purpose="sign_in", portal=PORTAL)
    again = invited(acme)
    assert again.pk == one.pk and again.user.is_active
    with pytest.raises(Refused):
        portal_users.sign_in_by_link(NOW, secret=open_still)  # old links stay useless


def test_one_address_may_see_several_customers(acme: Customer) -> None:
    other = Customer.objects.get(key="oztuerk")
    one, two = invited(acme), invited(other, "ANNA@acme.example")
    assert one.user == two.user and PortalUser.objects.count() == 1
    _user, session = portal_users.sign_in_by_link(NOW, secret=secret_of_last_mail())
    access.switch_off(STAFF, access=one)
    assert [a.customer for a in access.access_of(one.user)] == [other]
    assert portal_users.session_of(session, NOW) is not None  # for the other customer
    with refused("conflict"):
        invited(other)


def test_signed_out_everywhere(acme: Customer) -> None:
    one = invited(acme)
    _user, session = portal_users.sign_in_by_link(NOW, secret=secret_of_last_mail())
    assert access.sign_out_everywhere(STAFF, access=one) == 1
    assert portal_users.session_of(session, NOW) is None


def test_a_session_ends_by_itself(acme: Customer) -> None:
    invited(acme)
    _user, session = portal_users.sign_in_by_link(NOW, secret=secret_of_last_mail())
    assert portal_users.session_of(session, NOW + timedelta(days=14)) is None
    assert portal_users.session_of("", NOW) is None


def test_what_is_over_is_forgotten(acme: Customer) -> None:
    invited(acme)
    _user, session = portal_users.sign_in_by_link(NOW, secret=secret_of_last_mail())
    access.mail_link(STAFF, email="anna@acme.example", purpose="sign_in", portal=PORTAL)
    assert forget_portal_visits(NOW) == 0
    assert forget_portal_visits(NOW + timedelta(minutes=16)) == 1  # that of the invitation is kept with its seven days
    assert portal_users.session_of(session, NOW) is not None
    assert forget_portal_visits(NOW + timedelta(days=15)) == 2


@pytest.mark.parametrize("email", ["", "no address", "a@b@c"])
def test_an_address_is_one(acme: Customer, email: str) -> None:
    with refused("invalid"):
        invited(acme, email)


def test_the_first_administers_and_the_others_are_users(acme: Customer) -> None:
    one, two = invited(acme), invited(acme, "ben@acme.example")
    assert (one.role, two.role) == ("administrator", "user")
    assert "Dokumente" in OutgoingMail.objects.get(recipient="anna@acme.example").text
    assert "Dokumente" not in OutgoingMail.objects.get(recipient="ben@acme.example").text
    with refused("invalid"):
        access.change_role(STAFF, access=two, role="owner")
    with refused("invalid"):
        access.invite(STAFF, customer=acme, email="c@acme.example", role="owner", portal=PORTAL)
    access.change_role(STAFF, access=one, role="user")  # staff may; the next who is invited administers
    assert invited(acme, "cleo@acme.example").role == "administrator"
    access.switch_off(STAFF, access=two)
    with refused("conflict"):
        access.change_role(STAFF, access=two, role="administrator")
    again = access.invite(STAFF, customer=acme, email="ben@acme.example", role="administrator", portal=PORTAL)
    assert (again.pk, again.role) == (two.pk, "administrator")
    entry = LogEntry.objects.get(action="change_portal_role")
    assert entry.data == {"email": "anna@acme.example", "role": "user"}


def test_of_two_administrators_one_stays(acme: Customer) -> None:
    one, two = invited(acme), invited(acme, "ben@acme.example")
    access.change_role(STAFF, access=two, role="administrator")
    two.refresh_from_db()
    colleagues.change_colleague(STAFF, by=one, access=two, role="user")
    with refused("conflict"):  # it was quicker: `two` looks at a page of before
        colleagues.change_colleague(STAFF, by=two, access=one, role="user")
    with refused("conflict"):
        colleagues.switch_colleague_off(STAFF, by=one, access=one)
    assert [a.pk for a in access.administrators_of(acme)] == [one.pk]
    colleagues.switch_colleague_off(STAFF, by=one, access=two)
    assert [a.pk for a in access.users_of(acme).filter(ended_at=None)] == [one.pk]
    access.switch_off(STAFF, access=one)  # staff may
    assert not access.administrators_of(acme).exists()


def test_only_administrators_give_notice_by_their_address(acme: Customer) -> None:
    from taktura.billing.services.notices import _addresses

    invited(acme), invited(acme, "ben@acme.example")
    assert _addresses(acme) == {"anna@acme.example", "acme@c.example"}
