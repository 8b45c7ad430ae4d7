"""Users, invitations and keys."""

import threading
import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connections, transaction

from taktura.accounts import services
from taktura.accounts.models import ApiKey, Invitation, User
from taktura.accounts.permissions import BILLING, PERMISSIONS, ROLES, may_bill
from taktura.accounts.queries import note_use, usable_key
from taktura.audit.models import LogEntry
from taktura.audit.services import broken_entries
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.kit.secret import seal, unseal

pytestmark = pytest.mark.usefixtures("database")
PASSWORD = "a-fine-long-word-7"


def make(actor: Actor, email: str = "Ada@Firm.example", role: str = "admin") -> User:
    return services.create_user(actor, email=email, name="Ada", role=role, password=PASSWORD)


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


def test_a_user_is_found_by_the_address_whatever_its_case(actor: Actor) -> None:
    user = make(actor)
    assert User.objects.get_by_natural_key("ada@firm.EXAMPLE") == user
    assert user.check_password(PASSWORD)
    with pytest.raises(Refused) as refused:
        make(actor, "ADA@firm.example")
    assert code_of(refused) == "conflict"
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ada@FIRM.example", name="x", role="viewer", created_at=actor.now)


def test_of_two_that_take_an_address_at_once_one_is_refused(actor: Actor) -> None:
    """The second one sees nothing of the first before it writes: the database says it, and it is told in words."""
    refused: list[Refused] = []

    def second() -> None:
        try:
            make(actor, "ada@firm.example")
        except Refused as error:
            refused.append(error)
        finally:
            connections.close_all()

    with transaction.atomic():
        make(actor, "Ada@Firm.example")
        thread = threading.Thread(target=second)
        thread.start()
        _until_somebody_waits()
    thread.join()
    assert [r.code for r in refused] == ["conflict"]
    assert User.objects.count() == 1


def _until_somebody_waits() -> None:
    with connections["owner"].cursor() as cursor:
        for _ in range(5000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("password", ["short", "1234567890123", "passwordpassword1"[:8], "ada@firm.example"])
def test_weak_passwords_are_refused(actor: Actor, password: str) -> None:
    with pytest.raises(Refused) as refused:
        services.create_user(actor, email="ada@firm.example", name="Ada", role="viewer", password=password)
    assert code_of(refused) == "invalid"
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@firm.example\nBcc: x@y.example", "@firm.example"])
def test_addresses_are_checked(actor: Actor, email: str) -> None:
    with pytest.raises(Refused):
        services.invite(actor, email=email, role="viewer")


def test_one_active_admin_is_always_left(actor: Actor) -> None:
    ada = make(actor)
    for role, active in (("viewer", True), ("admin", False)):
        with pytest.raises(Refused):
            services.change_user(actor, user=ada, role=role, name="Ada", active=active)
    bob = make(actor, "bob@firm.example", "viewer")
    services.change_user(actor, user=bob, role="admin", name="Bob", active=True)
    services.change_user(actor, user=ada, role="viewer", name="Ada", active=True)
    ada.refresh_from_db()
    assert (ada.role, ada.may("billing.run"), ada.may("documents.view")) == ("viewer", False, True)


def test_an_inactive_user_may_nothing(actor: Actor) -> None:
    make(actor)
    bob = make(actor, "bob@firm.example", "admin")
    services.change_user(actor, user=bob, role="admin", name="Bob", active=False)
    assert not any(bob.may(p) for p in PERMISSIONS)


def test_an_invitation_is_used_once_and_in_time(actor: Actor) -> None:
    _, secret = services.invite(actor, email="eve@firm.example", role="billing", language="sv")
    late = actor.at(actor.now + services.INVITED_FOR)
    for who, given in ((late, secret), (actor, "something else"), (actor, "")):
        with pytest.raises(Refused) as refused:
            services.accept_invitation(who, secret=given, name="Eve", password=PASSWORD)
        assert code_of(refused) == "not_found"
    with pytest.raises(Refused):
        services.accept_invitation(actor, secret=secret, name="Eve", password="weak")
    user = services.accept_invitation(actor, secret=secret, name="Eve", password=PASSWORD)
    assert (user.role, user.language, user.email) == ("billing", "sv", "eve@firm.example")
    with pytest.raises(Refused):
        services.accept_invitation(actor, secret=secret, name="Eve", password=PASSWORD)


def test_a_new_invitation_ends_the_old_and_a_withdrawn_one_is_useless(actor: Actor) -> None:
    _, old = services.invite(actor, email="eve@firm.example", role="admin")
    new, secret = services.invite(actor, email="EVE@firm.example", role="viewer")
    with pytest.raises(Refused):
        services.open_invitation(old, actor.now)
    assert services.open_invitation(secret, actor.now) == new
    services.withdraw_invitation(actor, invitation=new)
    with pytest.raises(Refused):
        services.open_invitation(secret, actor.now)


def test_secrets_are_kept_nowhere(actor: Actor) -> None:
    _, invitation = services.invite(actor, email="eve@firm.example", role="viewer")
    _, key = services.create_key(actor, name="shop", scopes=["usage.change"])
    rows = [str(r) for m in (Invitation, ApiKey, LogEntry) for r in m.objects.values()]
    assert len(rows) == 4
    assert not any(secret in row for row in rows for secret in (invitation, key))
    assert not broken_entries()


def test_keys_expire_and_are_revoked(actor: Actor) -> None:
    soon = actor.now + timedelta(days=1)
    key, secret = services.create_key(actor, name="shop", scopes=["usage.change", "usage.view"], expires_at=soon)
    assert key.may("usage.change") and not key.may("billing.run")
    assert usable_key(secret, actor.now) == key
    assert usable_key(secret, soon) is None
    assert usable_key(secret + "x", actor.now) is None and usable_key("", actor.now) is None
    services.revoke_key(actor, key=key)
    assert usable_key(secret, actor.now) is None


def test_a_key_gets_no_more_than_its_maker_has(actor: Actor) -> None:
    clerk = make(actor, role="sales")
    with pytest.raises(Refused):
        services.create_key(actor, name="shop", scopes=["billing.run"], by=clerk)
    with pytest.raises(Refused):
        services.create_key(actor, name="shop", scopes=["everything"])
    with pytest.raises(Refused):
        services.create_key(actor, name="shop", scopes=[])
    with pytest.raises(Refused):
        services.create_key(actor, name="shop", scopes=["usage.view"], expires_at=actor.now)


def test_the_last_use_is_known_to_the_minute(actor: Actor) -> None:
    key, _ = services.create_key(actor, name="shop", scopes=["usage.view"])
    note_use(key, actor.now)
    key.refresh_from_db()
    assert key.last_used_at == actor.now
    note_use(key, actor.now + timedelta(seconds=30))
    key.refresh_from_db()
    assert key.last_used_at == actor.now


def test_roles_are_what_they_say() -> None:
    assert ROLES["admin"] == set(PERMISSIONS)
    assert [r for r in ROLES if may_bill(r)] == ["admin", "billing"]
    assert all(BILLING & ROLES[r] == set() for r in ("sales", "lead", "technician", "viewer"))
    assert set(ROLES["viewer"]) == {p for p in ROLES["viewer"] if p.endswith(".view")}
    for role, allowed in ROLES.items():
        for permission in allowed - {"sales.change", "payments.change", "accounts.change", "keys.change"}:
            subject = permission.partition(".")[0]
            if f"{subject}.view" in PERMISSIONS and permission != f"{subject}.view" and role != "lead":
                assert f"{subject}.view" in allowed, f"{role} may change but not see {subject}"


def test_sealed_secrets_are_read_again() -> None:
    sealed = seal("pass\u00adwört")
    assert unseal(sealed) == "pass\u00adwört" and "wört" not in sealed and seal("") == unseal("") == ""
    assert seal("x") != seal("x")
    with pytest.raises(Refused):
        unseal("gAAAAnonsense")


def test_sessions_and_invitations_that_are_over_are_forgotten(actor: Actor) -> None:
    from taktura.accounts.tasks import forget_visits

    user, now = make(actor), utc_now()
    for name, days in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(days=days))
    for name in ("over", "open", "gone"):  # one was signed out elsewhere
        UserSession.objects.create(user=user, session_key=name, ip="::1", user_agent="x")
    for name, days in (("old", -100), ("late", -80), ("open", 5)):
        invited = services.invite(actor, email=f"{name}@firm.example", role="viewer")[0]
        Invitation.objects.filter(pk=invited.pk).update(expires_at=now + timedelta(days=days))
    assert forget_visits(timestamp=0) == 1 + 2 + 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == ["open"]
    assert sorted(Invitation.objects.values_list("email", flat=True)) == ["late@firm.example", "open@firm.example"]
    assert LogEntry.objects.filter(action="invite").count() == 3, "the log keeps who was invited"
    assert forget_visits(timestamp=0) == 0
