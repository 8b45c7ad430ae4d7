"""Mailboxes on a real IMAP server: each mail once, whatever breaks in between; what is taken, and what is not."""

import imaplib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import OperationalError, connections

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)

from taktura.kit.mail.models import OutgoingMail  # noqa: E402
from taktura.kit.mailbox import imap, polling  # noqa: E402
from taktura.kit.mailbox.models import IncomingMail, Mailbox  # noqa: E402
from taktura.kit.mailbox.parsed import Mail  # noqa: E402
from taktura.kit.mailbox.polling import Look, Route, Verdict, poll  # noqa: E402
from taktura.kit.mailbox.queries import sentences  # noqa: E402
from taktura.kit.secret import seal  # noqa: E402
from tests.imap import PASSWORD, USER, Server, mail  # noqa: E402
from tests.ports import free_port  # noqa: E402

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
FIRST = date(2026, 2, 1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for all tests of this file; each begins with empty folders."""
    one = Server()
    one.start()
    yield one
    one.stop()


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database of the test's own, and empty folders on the server."""
    with scratch_database():
        if "server" in request.fixturenames:
            server: Server = request.getfixturevalue("server")
            server.make("In")
            with server.client() as client:
                if client.folder_exists("Archiv Ä"):
                    client.delete_folder("Archiv Ä")
        yield


def mailbox_at(port: int, **more: Any) -> Mailbox:
    fields: dict[str, Any] = {
        "owner": "seller:1", "purpose": "notes", "host": "localhost", "port": port, "security": "none", "user": USER,
        "password": seal(PASSWORD), "folder": "In", "archive": "Archiv Ä", "not_before": FIRST, "created_at": NOW,
        "next_at": NOW, **more,
    }  # fmt: skip
    return Mailbox.objects.create(**fields)


@pytest.fixture
def mailbox(server: Server) -> Mailbox:
    """A mailbox whose mails are noted."""
    return mailbox_at(server.port)


def note(mailbox: Mailbox, mail: Mail, now: datetime) -> Verdict:
    """A handler: writes a row of its own, which must be there once for each mail."""
    OutgoingMail.objects.create(
        message_id=f"{OutgoingMail.objects.count()} {mail.identity}"[:200], recipient="note@c.example",
        subject=mail.subject, text=mail.text, created_at=now, next_at=now, state="caught",
    )  # fmt: skip
    if "unlucky" in mail.subject:
        raise ValueError("the handler is broken")
    return Verdict(state="taken", about=["note:1"])


def look(mailbox: Mailbox, handle: Callable[..., Verdict] = note, now: datetime = NOW, **more: Any) -> Look:
    mailbox.refresh_from_db()
    return poll(mailbox, {"notes": Route(handle=handle, **more)}, now)


def noted() -> list[str]:
    return list(OutgoingMail.objects.order_by("id").values_list("subject", flat=True))


def verdicts() -> list[tuple[str, str, list[str]]]:
    """Subject, state and words of each mail that was looked at."""
    return [(m.subject, m.state, sentences(m.said, "en")) for m in IncomingMail.objects.order_by("id")]


def error_of(mailbox: Mailbox) -> str:
    mailbox.refresh_from_db()
    return sentences([mailbox.error], "en")[0] if mailbox.error else ""


# ---- once -----------------------------------------------------------------------------------------------------------


def test_a_mail_is_taken_once_and_lies_in_the_archive(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>", subject="One"), mail("<2@c.example>", subject="Zwei – ä"))
    assert look(mailbox).found == {"taken": 2}
    assert noted() == ["One", "Zwei – ä"]
    assert server.mails("In") == [] and len(server.mails("Archiv Ä")) == 2
    first = IncomingMail.objects.earliest("id")
    assert (first.identity, first.sender, first.about, first.archived_at) == (
        "<1@c.example>", "ada@c.example", ["note:1"], NOW
    )  # fmt: skip
    assert look(mailbox).mails == 0 and len(noted()) == 2
    mailbox.refresh_from_db()
    assert (mailbox.failures, mailbox.succeeded_at, mailbox.error) == (0, NOW, [])


class Died(BaseException):
    """The process ends here."""


def test_who_dies_between_the_commit_and_the_move_leaves_nothing_twice(
    server: Server, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("In", mail("<1@c.example>", subject="One"), mail("<2@c.example>", subject="Two"))

    def die(*args: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(imap.Folder, "move", die)
        with pytest.raises(Died):
            look(mailbox)
    assert noted() == ["One"] and len(server.mails("In")) == 2
    assert IncomingMail.objects.get().archived_at is None
    assert look(mailbox).found == {"taken": 1}
    assert noted() == ["One", "Two"] and server.mails("In") == [] and len(server.mails("Archiv Ä")) == 2
    assert not IncomingMail.objects.filter(archived_at=None).exists()


def test_who_dies_in_the_handler_loses_nothing(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>", subject="One"))

    def die(*args: Any) -> Verdict:
        note(*args)
        raise Died

    with pytest.raises(Died):
        look(mailbox, die)
    assert noted() == [] and not IncomingMail.objects.exists() and len(server.mails("In")) == 1
    assert look(mailbox).found == {"taken": 1} and noted() == ["One"]


def test_new_numbers_of_the_server_make_nothing_twice(
    server: Server, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = mail("<1@c.example>", subject="One")
    server.put("In", one)
    monkeypatch.setattr(imap.Folder, "move", lambda *a: (_ for _ in ()).throw(Died))
    with pytest.raises(Died):
        look(mailbox)
    monkeypatch.undo()
    server.make("In")  # its numbers begin anew
    server.put("In", one)
    assert look(mailbox).found == {"ignored": 1}
    assert noted() == ["One"] and server.mails("In") == []
    assert verdicts()[-1] == ("One", "ignored", ["It was taken already."])


def test_the_same_mail_by_two_ways_is_taken_once_also_without_a_message_id(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>"), mail("<1@c.example>", X_Way="another"), mail(), mail(), mail(text="Other"))
    assert look(mailbox).found == {"taken": 3, "ignored": 2}
    assert len(noted()) == 3 and server.mails("In") == []


def test_machines_that_give_all_mails_one_message_id_lose_none(server: Server, mailbox: Mailbox) -> None:
    later = datetime(2026, 3, 1, 7, 5, tzinfo=UTC)
    one, two = mail("<form@c.example>", subject="One"), mail("<form@c.example>", subject="Two", date=later)
    three = mail("<form@c.example>", subject="Three", sender="bo@c.example")
    server.put("In", one, two, three, one, two, three)
    assert look(mailbox).found == {"taken": 3, "ignored": 3}
    assert noted() == ["One", "Two", "Three"] and server.mails("In") == []


def test_two_workers_at_once_take_each_mail_once(server: Server, mailbox: Mailbox) -> None:
    server.put("In", *(mail(f"<{n}@c.example>", subject=str(n)) for n in range(6)))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            poll(Mailbox.objects.get(), {"notes": Route(handle=note)}, NOW)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(noted()) == [str(n) for n in range(6)]
    look(mailbox)
    assert server.mails("In") == [] and len(noted()) == 6


def test_more_than_one_look_takes_is_left_for_the_next(
    server: Server, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_AT_ONCE", 2)
    server.put("In", *(mail(f"<old{n}@c.example>") for n in range(3)), came_at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    server.put("In", *(mail(f"<{n}@c.example>") for n in range(3)))
    assert [look(mailbox).mails for _ in range(3)] == [2, 1, 0]


# ---- one bad mail ---------------------------------------------------------------------------------------------------


def test_a_mail_that_fails_stops_no_other_is_tried_again_and_stays(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>", subject="unlucky"), mail("<2@c.example>", subject="Two"))
    assert look(mailbox).found == {"failed": 1, "taken": 1}
    assert noted() == ["Two"], "what the handler had written is taken back"
    assert len(server.mails("In")) == 1
    for _ in range(polling.MOST_TRIES - 1):
        assert look(mailbox).found == {"failed": 1}
    assert look(mailbox).mails == 0, "no further try"
    assert verdicts()[0] == ("unlucky", "failed", ["It could not be handled: ValueError: the handler is broken"])
    IncomingMail.objects.filter(state="failed").update(attempts=0)
    assert look(mailbox, lambda *a: Verdict(state="taken")).found == {"taken": 1}
    assert server.mails("In") == [] and IncomingMail.objects.count() == 2


def test_a_database_that_is_away_is_no_fault_of_the_mail(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>"))

    def away(*args: object) -> Verdict:
        raise OperationalError("it is away")

    with pytest.raises(OperationalError):
        look(mailbox, away)
    assert not IncomingMail.objects.exists() and look(mailbox).found == {"taken": 1}


BROKEN = {
    "no alphabet": b"Content-Type: text/plain; charset=klingon\r\n\r\nGr\xfc\xdfe",
    "a wrong alphabet": b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xfc\xdfe \xff",
    "no end": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nHello",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nHello",
    "bad base64": b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\xff=",
    "bad words": b"X-A: =?utf-8?b?!!?= =?none?q?a?=\r\n\r\nHello",
    "zero bytes": b"X-A: a\0b\r\n\r\nHel\0lo",
    "nothing": b"",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_mail_is_taken_as_well_as_it_can_be(server: Server, mailbox: Mailbox, kind: str) -> None:
    head = b'From: "\xc4da" <Ada@C.example>\r\nSubject: \xc4rger =?utf-8?q?=C3=BC?=\r\nMessage-ID: <1@c.example>\r\n'
    server.put("In", head + BROKEN[kind], mail("<2@c.example>", subject="Two"))
    assert look(mailbox).found == {"taken": 2}
    assert [s for s, _state, _said in verdicts()] == ["Ärger ü", "Two"] and server.mails("In") == []


def test_a_mail_that_the_server_cannot_give_stops_no_other(
    server: Server, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("In", mail("<1@c.example>", subject="One"), mail("<2@c.example>", subject="Two"))
    right, lost = imap.Folder.content, set[int]()

    def content(folder: imap.Folder, uid: int) -> bytes | None:
        lost.add(min(lost, default=uid))
        if uid in lost:
            raise imaplib.IMAP4.abort("the server hangs up")
        return right(folder, uid)

    monkeypatch.setattr(imap.Folder, "content", content)
    for _ in range(polling.MOST_TRIES):
        assert look(mailbox).found == {} and "hangs up" in error_of(mailbox)
    assert look(mailbox).found == {"taken": 1} and noted() == ["Two"]


# ---- what is not taken ----------------------------------------------------------------------------------------------

AUTOMATIC = {
    "bounce": [{"Return_Path": "<>"}, {"sender": "MAILER-DAEMON@c.example"}, {"X_Failed_Recipients": "a@c.example"}],
    "reply": [{"Auto_Submitted": "auto-replied (vacation)"}, {"X_Autoreply": "yes"}, {"Precedence": "auto_reply"}],
    "list": [{"List_Id": "<news.c.example>"}, {"List_Unsubscribe": "<http://c.example>"}, {"Precedence": "bulk"}],
    "generated": [{"Auto_Submitted": "auto-generated"}],
}  # fmt: skip


def test_mails_of_machines_are_ignored_unless_they_are_wanted(server: Server, mailbox: Mailbox) -> None:
    cases = [headers for kind in AUTOMATIC.values() for headers in kind]
    server.put("In", *(mail(f"<{n}@c.example>", **headers) for n, headers in enumerate(cases)))
    server.put("In", mail("<no@c.example>", subject="A person's", Auto_Submitted="no", Return_Path="<ada@c.example>"))
    assert look(mailbox).found == {"ignored": len(cases), "taken": 1}
    words = [said[0] for _subject, state, said in verdicts() if state == "ignored"]
    assert words == [polling.AUTOMATIC[kind] for kind, found in AUTOMATIC.items() for _ in found]
    assert noted() == ["A person's"] and server.mails("In") == []
    server.put("In", mail("<again@c.example>", subject="Wanted", Auto_Submitted="auto-generated"))
    assert look(mailbox, takes=frozenset({"generated"})).found == {"taken": 1}


def test_old_mails_stay_where_they_are(server: Server, mailbox: Mailbox) -> None:
    before = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    server.put("In", mail("<1@c.example>", date=before), came_at=before)
    server.put("In", mail("<2@c.example>", date=before, subject="Moved here"))
    server.put("In", mail("<3@c.example>", subject="New", date=before + timedelta(hours=1)),
               came_at=before + timedelta(hours=1))  # fmt: skip
    assert look(mailbox).found == {"ignored": 1, "taken": 1}
    assert verdicts() == [
        ("Moved here", "ignored", ["It was sent on 2026-01-31, before the day from which on mails are taken."]),
        ("New", "taken", []),
    ]  # fmt: skip
    assert len(server.mails("In")) == 2 and look(mailbox).mails == 0


def test_the_first_day_begins_where_the_owner_is(server: Server, mailbox: Mailbox) -> None:
    came = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)  # in Berlin it is February
    server.put("In", mail("<1@c.example>", date=came), came_at=came)
    assert look(mailbox).mails == 0
    assert look(mailbox, zone=lambda m: "Europe/Berlin").found == {"taken": 1}


def test_strangers_and_forged_senders_are_ignored(server: Server, mailbox: Mailbox) -> None:
    Mailbox.objects.update(senders=["ada@c.example", "@sun.example"])
    for n, sender in enumerate(["ADA@C.example", "Bo <bo@c.example>", "x@sun.example", "x@notsun.example", "nobody"]):
        server.put("In", mail(f"<{n}@x>", subject=sender, sender=sender))
    server.put("In", mail("<f@x>", subject="forged", Authentication_Results="mx.firm.example; dmarc=fail (p=none)"))
    look(mailbox)
    assert [(subject, state) for subject, state, _ in verdicts()] == [
        ("ADA@C.example", "taken"), ("Bo <bo@c.example>", "ignored"), ("x@sun.example", "taken"),
        ("x@notsun.example", "ignored"), ("nobody", "ignored"), ("forged", "ignored"),
    ]  # fmt: skip
    assert verdicts()[1][2] == ["Mails of bo@c.example are not taken here."]


def test_too_large_a_mail_is_not_fetched(server: Server, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "MOST_BYTES", 2000)
    monkeypatch.setattr(imap.Folder, "content", lambda *a: pytest.fail("it was fetched"))
    server.put("In", mail("<1@c.example>", subject="Large", text="a" * 3000))
    assert look(mailbox).found == {"refused": 1}
    assert verdicts()[0][:2] == ("Large", "refused")


def test_what_waits_keeps_its_content(server: Server, mailbox: Mailbox) -> None:
    server.put("In", mail("<1@c.example>", text="Keep me"))
    assert look(mailbox, lambda *a: Verdict(state="waiting")).found == {"waiting": 1}
    assert b"Keep me" in bytes(IncomingMail.objects.get().content or b"") and server.mails("In") == []


# ---- servers --------------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_is_asked_again_later_and_later() -> None:
    mailbox, now, waited = mailbox_at(free_port()), NOW, []
    for _ in range(6):
        assert polling.due(now) == [mailbox]
        assert look(mailbox, now=now).refused is not None
        mailbox.refresh_from_db()
        waited.append(mailbox.next_at - now)
        assert polling.due(mailbox.next_at - MINUTE / 2) == []
        now = mailbox.next_at
    assert waited == [1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE]
    assert "does not answer" in error_of(mailbox) and mailbox.failures == 6
    server = Server(mailbox.port)
    server.start()
    try:
        server.make("In")
        server.put("In", mail("<1@c.example>"))
        assert look(mailbox, now=now).found == {"taken": 1}
    finally:
        server.stop()
    assert error_of(mailbox) == "" and mailbox.failures == 0 and mailbox.next_at == now + MINUTE


def test_what_is_wrong_is_told_in_words(server: Server, mailbox: Mailbox) -> None:
    for wrong, words in (
        ({"password": seal("wrong")}, "does not let post@firm.example in"),
        ({"password": seal("größe")}, "does not let post@firm.example in"),
        ({"folder": "Nowhere"}, "has no folder “Nowhere”"),
        ({"security": "tls"}, "speaks no TLS that can be used"),
        ({"security": "starttls"}, "localhost"),
        ({"host": "nowhere.invalid"}, "There is no server nowhere.invalid"),
        ({"password": "sealed elsewhere"}, "enter the password again"),
    ):
        mailbox.refresh_from_db()
        right = {name: getattr(mailbox, name) for name in wrong}
        Mailbox.objects.update(**wrong)
        look(mailbox)
        assert words in error_of(mailbox), wrong
        Mailbox.objects.update(**right)
    look(mailbox)
    assert error_of(mailbox) == "" and polling.check(mailbox) == 0


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return paths


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("localhost", False), ("mail.example", True)])
def test_a_certificate_must_be_trusted_and_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool
) -> None:
    files = certificate(tmp_path, name)
    server = Server(certificate=files)
    server.start()
    try:
        mailbox = mailbox_at(server.port, security="starttls", folder="INBOX")
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        look(mailbox)
    finally:
        server.stop()
    if trusted and name == "localhost":
        assert error_of(mailbox) == ""
    else:
        assert error_of(mailbox).startswith("The certificate of localhost is not trusted: ")
