"""The outbox, with real SMTP servers: what is sent, what is tried again, and what nobody can know."""

import email
import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connections, transaction

from taktura.kit.database import scratch_database, setup

setup(throw_away=True)  # also in the process that is killed, which reads this file

from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402

from taktura.core.errors import Refused  # noqa: E402
from taktura.kit.clock import utc_now  # noqa: E402
from taktura.kit.mail import queries, services  # noqa: E402
from taktura.kit.mail.models import MailServer, OutgoingMail  # noqa: E402
from taktura.kit.secret import seal  # noqa: E402
from tests.ports import free_port  # noqa: E402

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    """A database of the test's own."""
    with scratch_database():
        yield


class Postbox:
    """A mail server that answers as it is told, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answers: list[str] = []
        self.to_recipient: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self.to_recipient.pop(0) if self.to_recipient else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("2"):
            self.taken.append(envelope)
        return answer


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A server that takes mails of everybody."""
    handler = Postbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), server_hostname="post.example")
    controller.start()
    serve("", controller.port)
    yield handler
    controller.stop()


def serve(key: str, port: int, **more: Any) -> MailServer:
    return MailServer.objects.create(
        key=key, host="127.0.0.1", port=port, security="none", from_address="bill@firm.example",
        from_name="Büro, Nord", **more,
    )  # fmt: skip


def post(**more: Any) -> OutgoingMail:
    fields: dict[str, Any] = {
        "to": "ada@c.example",
        "subject": "Rechnung Nr. 5 – März",
        "text": "Grüße\n.\nEnde",
        **more,
    }
    return services.post(NOW, **fields)


def state_of(mail: OutgoingMail) -> tuple[str, int]:
    mail.refresh_from_db()
    return mail.state, mail.attempts


def test_a_mail_arrives_as_it_was_written(postbox: Postbox) -> None:
    content = bytes(range(256)) * 50
    mail = post(html="<p>Grüße</p>", attachments=[("Rechnung März.pdf", "application/pdf", content)])
    assert services.deliver(mail.pk, NOW) == "sent"
    (envelope,) = postbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("bill@firm.example", ["ada@c.example"])
    got: Any = email.message_from_bytes(envelope.content, policy=default)
    assert got["Subject"] == "Rechnung Nr. 5 – März"
    assert got["From"].addresses[0].display_name == "Büro, Nord"
    assert (got["Content-Language"], got["Auto-Submitted"], got["References"]) == ("en", "auto-generated", None)
    assert got["Message-ID"] == mail.message_id and mail.message_id.endswith("@firm.example>")
    assert got.get_body(("plain",)).get_content().splitlines() == ["Grüße", ".", "Ende"]
    assert "<p>Grüße</p>" in got.get_body(("html",)).get_content()
    (file,) = got.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("Rechnung März.pdf", content)
    assert services.deliver(mail.pk, NOW) == "", "it is sent once"
    assert len(postbox.taken) == 1


def test_a_persons_answer_names_its_thread_and_is_not_automatic(postbox: Postbox) -> None:
    thread = [f"<{n}@c.example>" for n in range(30)] + ["<line\r\nbreak@x>", "no id"]
    mail = post(automatic="", reply_to="help@firm.example", thread=thread, language="sv")
    assert services.deliver(mail.pk, NOW) == "sent"
    got: Any = email.message_from_bytes(postbox.taken[0].content, policy=default)
    assert (got["Auto-Submitted"], got["Reply-To"], got["Content-Language"]) == (None, "help@firm.example", "sv")
    assert got["In-Reply-To"] == "<29@c.example>" and got["References"].split() == thread[10:30]
    with pytest.raises(Refused):
        post(reply_to="help")


def test_a_mail_of_a_transaction_that_fails_is_never_sent(postbox: Postbox) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        post()
        raise RuntimeError
    assert not OutgoingMail.objects.exists()
    assert not ProcrastinateJob.objects.filter(task_name="send_mail").exists()
    post()
    assert ProcrastinateJob.objects.filter(task_name="send_mail", status="todo").count() == 1


@pytest.mark.parametrize("where", ["answers", "to_recipient"])
def test_what_a_server_refuses_for_now_is_tried_again_later(postbox: Postbox, where: str) -> None:
    getattr(postbox, where).extend(["451 Try later", "421 Busy"])
    mail = post()
    assert services.deliver(mail.pk, NOW) == "waiting"
    assert "451 Try later" in OutgoingMail.objects.get().last_error
    assert services.deliver(mail.pk, NOW + MINUTE / 2) == "", "not before its time"
    assert services.deliver(mail.pk, NOW + MINUTE) == "waiting"
    assert services.deliver(mail.pk, NOW + 2 * MINUTE) == ""
    assert services.deliver(mail.pk, NOW + 6 * MINUTE) == "sent"
    assert state_of(mail) == ("sent", 3) and len(postbox.taken) == 1


@pytest.mark.parametrize("where", ["answers", "to_recipient"])
def test_what_a_server_refuses_for_good_has_failed(postbox: Postbox, where: str) -> None:
    getattr(postbox, where).append("550 No such user")
    mail = post()
    assert services.deliver(mail.pk, NOW) == "failed"
    assert "550" in OutgoingMail.objects.get().last_error
    services.send_again(NOW + MINUTE, mail=mail)
    assert services.deliver(mail.pk, NOW + MINUTE) == "sent"
    with pytest.raises(Refused):
        services.send_again(NOW, mail=mail)


def test_a_server_that_is_away_is_tried_for_two_days() -> None:
    serve("", free_port())
    mail, now, tries = post(), NOW, 0
    while services.deliver(mail.pk, now) == "waiting":
        mail.refresh_from_db()
        now, tries = mail.next_at, tries + 1
    assert state_of(mail)[0] == "failed"
    assert timedelta(days=1.5) < now - NOW <= timedelta(days=2) and 8 < tries < 20


def test_a_mail_that_waited_for_a_worker_is_not_given_up_at_its_first_try() -> None:
    serve("", free_port())
    mail = post()
    assert services.deliver(mail.pk, NOW + timedelta(days=5)) == "waiting"


def test_a_lost_answer_leaves_it_unknown_and_nothing_repeats_it() -> None:
    def talk(one: socket.socket) -> None:
        """Takes the whole mail, and is gone before it says so."""
        file = one.makefile("rwb")
        say = lambda text: (file.write(text), file.flush())  # noqa: E731
        say(b"220 hello\r\n")
        while line := file.readline():
            if line.upper().startswith(b"DATA"):
                say(b"354 go on\r\n")
                while file.readline() != b".\r\n":
                    pass
                one.shutdown(socket.SHUT_RDWR)
                one.close()
                return
            say(b"250 ok\r\n")

    with listening(talk) as port:
        serve("", port)
        mail = post()
        assert services.deliver(mail.pk, NOW) == "unknown"
    assert list(services.due(NOW + timedelta(days=1))) == []
    assert services.deliver(mail.pk, NOW + timedelta(days=1)) == ""


def test_a_connection_lost_before_the_content_is_tried_again() -> None:
    def talk(one: socket.socket) -> None:
        one.sendall(b"220 hello\r\n")
        one.recv(1000)
        one.close()

    with listening(talk) as port:
        serve("", port)
        assert services.deliver(post().pk, NOW) == "waiting"


class listening:  # noqa: N801 - read as a word in a with statement
    """A server of one connection that `talk` speaks with; gives its port."""

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=lambda: talk(self.socket.accept()[0]), daemon=True)

    def __enter__(self) -> int:
        self.thread.start()
        port: int = self.socket.getsockname()[1]
        return port

    def __exit__(self, *error: object) -> None:
        self.thread.join(5)
        self.socket.close()


def test_a_process_that_dies_while_it_sends_leaves_the_mail_unknown(postbox: Postbox) -> None:
    mail = post()
    OutgoingMail.objects.update(state="sending", tried_at=NOW)
    assert services.give_up_lost(NOW + MINUTE) == 0, "somebody may be at it"
    assert services.deliver(mail.pk, NOW + MINUTE) == ""
    assert services.give_up_lost(NOW + timedelta(hours=1)) == 1
    assert state_of(mail)[0] == "unknown"
    message_id = mail.message_id
    services.send_again(NOW + timedelta(hours=1), mail=mail)
    assert services.deliver(mail.pk, NOW + timedelta(hours=1)) == "sent"
    assert postbox.taken[0].content.count(message_id.encode()) == 1, "it keeps its id: a second one can be told"


def test_without_a_server_mails_are_caught() -> None:
    mail = post()
    assert services.deliver(mail.pk, NOW) == "caught"
    assert list(services.due(NOW)) == []


def test_a_seller_has_a_server_of_its_own(postbox: Postbox) -> None:
    serve("seller:1", free_port())
    assert services.deliver(post(sender="seller:1").pk, NOW) == "waiting"
    assert services.deliver(post(sender="seller:2").pk, NOW) == "sent", "the one for all"


def test_two_workers_send_a_mail_once(postbox: Postbox) -> None:
    mail = post()
    states: list[str] = []

    def work() -> None:
        states.append(services.deliver(mail.pk, NOW))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == ["", "", "", "", "", "sent"] and len(postbox.taken) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "Hello\nBcc: eve@x.example"},
        {"subject": "Hello\rBcc: eve@x.example"},
        {"subject": "Hello\u2028Bcc: eve@x.example"},
        {"subject": "Hello\x0bthere"},
        {"subject": "Hello\x1b[31m"},
        {"subject": " "},
        {"to": "ada@c.example\nBcc: eve@x.example"},
        {"to": "ada@c.example, eve@x.example"},
        {"to": ""},
        {"attachments": [("a", "text/plain", b"x" * (20 * 1024**2 + 1))]},
    ],
)
def test_what_is_no_mail_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        post(**wrong)
    assert not OutgoingMail.objects.exists()


def test_addresses_with_umlauts_in_their_domain_arrive(postbox: Postbox) -> None:
    MailServer.objects.update(from_address="büro@bücher.example".replace("büro", "buero"))
    assert services.deliver(post(to="ada@bücher.example").pk, NOW) == "sent"
    (envelope,) = postbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("buero@xn--bcher-kva.example", ["ada@xn--bcher-kva.example"])
    assert OutgoingMail.objects.get().recipient == "ada@bücher.example"


def test_what_cannot_be_made_a_mail_fails_and_is_not_tried_for_ever(postbox: Postbox) -> None:
    MailServer.objects.update(from_name="Firm\nBcc: eve@x.example")
    assert services.deliver(post().pk, NOW) == "failed"
    MailServer.objects.update(from_name="Firm")
    broken = post()
    OutgoingMail.objects.filter(pk=broken.pk).update(subject="a\nb")
    assert services.deliver(broken.pk, NOW) == "failed" and postbox.taken == []


def test_a_server_can_be_tried(postbox: Postbox) -> None:
    server = MailServer.objects.get()
    assert services.send_test(server=server, to="ada@c.example", language="de").state == "sent"
    got: Any = email.message_from_bytes(postbox.taken[0].content, policy=default)
    assert got["Subject"] == "Der Mailserver funktioniert" and not OutgoingMail.objects.exists()
    postbox.to_recipient.append("550 No relay")
    refused = services.send_test(server=server, to="ada@c.example")
    assert (refused.state, refused.error) == ("failed", "550 No relay")
    server.port = free_port()
    assert services.send_test(server=server, to="ada@c.example").state == "waiting"
    with pytest.raises(Refused):
        services.send_test(server=server, to="nobody")


def test_codes_of_sign_in_are_gone_when_they_are_sent(postbox: Postbox) -> None:
    EmailMultiAlternatives("Code", "123456", to=["ada@c.example"]).send()
    mail = OutgoingMail.objects.get()
    assert queries.is_secret(mail)
    assert services.deliver(mail.pk, utc_now()) == "sent"
    mail.refresh_from_db()
    assert (mail.text, mail.html, mail.subject) == ("", "", "Code") and b"123456" in postbox.taken[0].content
    bill = post()
    services.deliver(bill.pk, NOW)
    bill.refresh_from_db()
    assert bill.text and not queries.is_secret(bill)


def test_mails_of_nobody_go_over_the_only_server_there_is() -> None:
    serve("seller:1", free_port())
    assert services.deliver(post().pk, NOW) == "waiting"
    serve("seller:2", free_port())
    assert services.deliver(post().pk, NOW) == "caught", "which of them?"


def test_lists_of_mails(postbox: Postbox) -> None:
    mine, other, code = post(sender="seller:1"), post(sender="seller:2"), post(kind="account")
    postbox.answers.append("550 No")
    services.deliver(mine.pk, NOW)
    assert list(queries.mails(["seller:1"])) == [mine] == list(queries.in_trouble(["seller:1", "seller:2"]))
    assert list(queries.mails(["", "seller:2"])) == [code, other]
    assert list(queries.mails(["", "seller:2"], kind="account", state="waiting")) == [code]
    assert queries.own_server("") == MailServer.objects.get() and queries.own_server("seller:1") is None


def test_old_attachments_and_mails_of_sign_in_are_forgotten(postbox: Postbox) -> None:
    file = [("a.pdf", "application/pdf", b"x")]
    sent, waiting, code = post(attachments=file), post(attachments=file), post(kind="account")
    services.deliver(sent.pk, NOW)
    services.deliver(code.pk, NOW)
    assert services.forget_old(NOW + services.KEPT_FOR) == 0
    assert services.forget_old(NOW + services.KEPT_FOR + MINUTE) == 2
    assert set(OutgoingMail.objects.all()) == {sent, waiting}
    assert not sent.attachments.exists() and waiting.attachments.exists()


def _send(databases: dict[str, Any], mail: int) -> None:
    for alias, values in databases.items():
        settings.DATABASES[alias] |= values
        connections[alias].settings_dict |= values
    services.deliver(mail, NOW)


def test_a_sender_that_is_killed_in_the_middle_leaves_it_unknown_and_nothing_repeats_it() -> None:
    arrived = threading.Event()

    def talk(one: socket.socket) -> None:
        """Takes the whole mail, and thinks about it."""
        file = one.makefile("rwb")
        for line in iter(lambda: (file.flush(), file.readline())[1], b""):
            if line == b".\r\n":
                arrived.set()
            elif line.upper().startswith((b"EHLO", b"MAIL", b"RCPT")):
                file.write(b"250 ok\r\n")
            elif line.upper().startswith(b"DATA"):
                file.write(b"354 go on\r\n")

    def greet(one: socket.socket) -> None:
        one.sendall(b"220 hello\r\n")
        talk(one)

    with listening(greet) as port:
        serve("", port)
        mail = post()
        databases = {alias: {"NAME": settings.DATABASES[alias]["NAME"]} for alias in ("default", "owner")}
        process = multiprocessing.get_context("spawn").Process(target=_send, args=(databases, mail.pk))
        process.start()
        try:
            assert arrived.wait(30)
        finally:
            process.kill()
            process.join()
    assert state_of(mail) == ("sending", 1)
    assert services.deliver(mail.pk, NOW + MINUTE) == "" and list(services.due(NOW + MINUTE)) == []
    assert services.give_up_lost(NOW + timedelta(hours=1)) == 1 and state_of(mail)[0] == "unknown"


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\a.pdf", 'a"b.pdf', "a\r\nb.pdf", "///"])
def test_names_of_files_are_names(name: str, postbox: Postbox) -> None:
    mail = post(attachments=[(name, "application/pdf", b"x")])
    stored = mail.attachments.get().name
    assert stored and not set(stored) & set('/\\"\r\n')
    assert services.deliver(mail.pk, NOW) == "sent"


def test_a_password_that_cannot_be_unsealed_says_so(postbox: Postbox) -> None:
    MailServer.objects.update(user="u", password="nonsense")
    mail = post()
    assert services.deliver(mail.pk, NOW) == "failed"
    assert "TAKTURA_SECRET_KEY" in OutgoingMail.objects.get().last_error
    MailServer.objects.update(password=seal("x"))


def test_djangos_mails_go_through_the_outbox(postbox: Postbox) -> None:
    message = EmailMultiAlternatives("Your\ncode", "123456", to=["ada@c.example", "bob@c.example"])
    message.attach_alternative("<b>123456</b>", "text/html")
    assert message.send() == 1
    mails = list(OutgoingMail.objects.order_by("recipient"))
    assert [(m.recipient, m.subject, m.text, m.html) for m in mails] == [
        ("ada@c.example", "Your code", "123456", "<b>123456</b>"),
        ("bob@c.example", "Your code", "123456", "<b>123456</b>"),
    ]
