"""Usage files that come by mail: from a real mailbox to records, each once and unchanged."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from taktura.audit.models import LogEntry
from taktura.billing import incoming
from taktura.billing.services import mailboxes as services
from taktura.catalog import services as catalog
from taktura.catalog.terms import read_rates
from taktura.contracts import services as contracts
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.mailbox.models import IncomingMail, Mailbox
from taktura.kit.mailbox.queries import sentences
from taktura.kit.secret import unseal
from taktura.usage import services as usage
from taktura.usage.models import RefusedFile, Supplier, UsageFile, UsageRecord
from tests.imap import PASSWORD, USER, Server, mail

ROWS = b"id,subscription_id,quantity,period_start\n1,S-1,2,2026-02-01\n2,S-9,3,2026-02-01\n"
SUN = "Sun <Files@Sun.example>"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An IMAP server."""
    one = Server()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def supplier(database: str, actor: Actor, server: Server) -> Supplier:
    """A supplier, one of whose subscriptions is tied to a line; an empty folder."""
    seller = customers.create_seller(
        actor, name="Seller", country="DE", currency="EUR", time_zone="Europe/Berlin", vat=read_rates(19)
    )
    lines = {"gb": {"charge": "usage", "price": 1}}
    tariff = catalog.define_tariff(actor, seller=seller, key="t", title="T", interval="1 month", lines=lines)
    customer = customers.create_customer(actor, seller=seller, key="acme", name="Acme")
    made = usage.create_supplier(actor, seller=seller, key="sun", create_subscriptions=True)
    contracts.sign(actor, key="C1", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    usage.link(actor, supplier=made, reference="S-1", line=ContractLine.objects.get())
    server.make("In")
    return made


def fields_of(server: Server, **more: Any) -> dict[str, Any]:
    return {
        "purpose": "usage", "host": "localhost", "port": server.port, "security": "none", "user": USER,
        "password": PASSWORD, "folder": "In", "archive": "Taken", "not_before": date(2026, 2, 1),
        "senders": ["files@sun.example"], **more,
    }  # fmt: skip


@pytest.fixture
def mailbox(supplier: Supplier, server: Server, actor: Actor) -> Mailbox:
    """A mailbox for the supplier's files."""
    return services.create_mailbox(actor, seller=supplier.seller, supplier=supplier, **fields_of(server))


def look(actor: Actor) -> None:
    Mailbox.objects.update(next_at=actor.now)
    incoming.look_into_mailboxes(actor.now)


def verdict() -> tuple[str, list[str]]:
    last = IncomingMail.objects.latest("id")
    return last.state, sentences(last.said, "en")


def test_an_attachment_is_loaded_as_if_it_had_been_uploaded(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    server.put("In", mail("<1@sun>", sender=SUN, files=(("june.csv", ROWS),), Auto_Submitted="auto-generated"))
    look(actor)
    file = UsageFile.objects.get()
    assert (file.name, bytes(file.content), file.recorded, file.waiting) == ("june.csv", ROWS, 1, 1)
    assert verdict() == ("taken", ["“june.csv” was loaded: 1 of 2 rows found their line, 1 wait."])
    assert IncomingMail.objects.get().about == [f"usage_file:{file.pk}"]
    assert LogEntry.objects.get(action="receive_file").actor == "mail:files@sun.example"
    assert server.mails("In") == [] and len(server.mails("Taken")) == 1


def test_the_same_file_by_another_mail_is_refused_with_its_word(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    for n in range(2):
        server.put("In", mail(f"<{n}@sun>", sender=SUN, files=(("june.csv", ROWS),)))
        look(actor)
    assert verdict() == (
        "refused",
        ["“june.csv” was not loaded: This file was loaded already, as “june.csv”: its usage is there."],
    )
    assert UsageFile.objects.count() == 1 and UsageRecord.objects.count() == 2
    assert "wurde bereits eingelesen" in sentences(IncomingMail.objects.latest("id").said, "de")[0]


def test_a_bad_attachment_stops_no_good_one(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    files = (("old.xls.csv", b"\xd0\xcf\x11\xe0old"), ("logo.png", b"\x89PNG\r\n\x1a\n"), ("june.csv", ROWS),
             ("all.csv", b"7z\xbc\xaf\x27\x1c"), ("run.exe", b"MZ"))  # fmt: skip
    server.put("In", mail("<1@sun>", sender=SUN, files=files))
    look(actor)
    state, said = verdict()
    assert state == "taken" and UsageFile.objects.get().name == "june.csv"
    assert sorted(RefusedFile.objects.values_list("name", "origin")) == [("all.csv", "mail"), ("old.xls.csv", "mail")]
    assert [s.partition(":")[0] for s in said] == [
        "“run.exe” was left out", "“old.xls.csv” was not loaded", "“logo.png” is no usage file",
        "“june.csv” was loaded", "“all.csv” was not loaded",
    ]  # fmt: skip


def test_only_named_senders_bring_files(server: Server, mailbox: Mailbox, actor: Actor) -> None:
    server.put("In", mail("<1@eve>", sender="eve@eve.example", files=(("june.csv", ROWS),)))
    server.put("In", mail("<2@sun>", sender=SUN, files=(("june.csv", ROWS),), Auto_Submitted="auto-replied"))
    server.put("In", mail("<3@sun>", sender=SUN))
    look(actor)
    assert [m.state for m in IncomingMail.objects.order_by("id")] == ["ignored", "ignored", "refused"]
    assert verdict()[1] == ["It has no file that can be loaded."] and not UsageFile.objects.exists()


def test_a_mailbox_is_off_on_changed_and_removed(
    server: Server, mailbox: Mailbox, supplier: Supplier, actor: Actor
) -> None:
    server.put("In", mail("<1@sun>", sender=SUN, files=(("june.csv", ROWS),)))
    services.change_mailbox(actor, mailbox=mailbox, active=False)
    look(actor)
    with pytest.raises(Refused):
        services.look_now(actor, mailbox=mailbox)
    assert not UsageFile.objects.exists()
    services.change_mailbox(actor, mailbox=mailbox, active=True, senders=["@Moon.example"])
    look(actor)
    assert verdict()[0] == "ignored"
    assert services.try_mailbox(mailbox=mailbox) == (None, 0)
    services.remove_mailbox(actor, mailbox=mailbox)
    assert not Mailbox.objects.exists() and len(server.mails("Taken")) >= 1
    assert [e.action for e in LogEntry.objects.order_by("id")][-4:] == [
        "create_mailbox", "change_mailbox", "change_mailbox", "remove_mailbox"
    ]  # fmt: skip
    assert PASSWORD not in str(list(LogEntry.objects.values()))


def test_what_a_mailbox_must_be(server: Server, mailbox: Mailbox, supplier: Supplier, actor: Actor) -> None:
    for wrong in (
        {"host": "a b"}, {"host": ""}, {"port": 0}, {"security": "maybe"}, {"user": ""}, {"user": "a\r\nb"},
        {"folder": "Taken"}, {"senders": []}, {"senders": ["sun"]}, {"not_before": "soon"}, {"password": ""},
        {"host": "eve.example"}, {"user": "eve"}, {"owner": "seller:2"},
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            services.change_mailbox(actor, mailbox=mailbox, **wrong)  # type: ignore[arg-type]
        assert refused.value.code == "invalid", wrong
    with pytest.raises(Refused) as refused:
        services.create_mailbox(actor, seller=supplier.seller, supplier=supplier, **fields_of(server))
    assert refused.value.code == "conflict"
    other = Seller.objects.get(pk=customers.create_seller(
        actor, name="Other", country="SE", currency="SEK", time_zone="UTC", vat=read_rates(25)).pk)  # fmt: skip
    for more in ({"seller": other}, {"purpose": "spying"}, {"supplier": None}, {"password": ""}):
        options = {"seller": supplier.seller, "supplier": supplier, **fields_of(server, folder="Other"), **more}
        with pytest.raises(Refused) as refused:
            services.create_mailbox(actor, **options)
        assert refused.value.code == "invalid", more
    kept = services.change_mailbox(actor, mailbox=mailbox, host="LOCALHOST", password="another")
    assert (kept.host, unseal(kept.password)) == ("localhost", "another")


def test_a_mail_that_failed_is_taken_again_when_somebody_says_so(
    server: Server, mailbox: Mailbox, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("In", mail("<1@sun>", sender=SUN, files=(("june.csv", ROWS),)))
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "receive_file", lambda *a, **k: 1 / 0)
        for _ in range(6):
            look(actor)
    failed = IncomingMail.objects.get()
    assert (failed.state, failed.attempts) == ("failed", 5)
    services.take_again(actor, mail=failed)
    look(actor.at(datetime(2026, 3, 1, 9, tzinfo=UTC)))
    assert verdict()[0] == "taken" and IncomingMail.objects.count() == 1
    with pytest.raises(Refused):
        services.take_again(actor, mail=IncomingMail.objects.get())
