"""What a mail says, however it was written: readable mails exactly, and no mail at all breaks it."""

import random
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taktura.kit.database import setup

setup(throw_away=True)

from taktura.kit.mailbox import attached, parsed  # noqa: E402
from taktura.kit.mailbox.html import text_of_html  # noqa: E402
from taktura.kit.mailbox.parsed import Mail, read_mail  # noqa: E402
from tests.imap import mail  # noqa: E402


def test_a_mail_says_what_it_says() -> None:
    sent = mail(
        "<3@c.example>", sender='"Ödlund, Åke" <Ake@Företag.example>', subject="Störung – größer", text="Grüße\nÅke\n",
        In_Reply_To="<2@firm.example>", References="<1@c.example> <2@firm.example>", Cc="Bo <BO@c.example>",
        files=(("Räkning åäö.csv", b"a;b\n"), ("empty.txt", b"")),
    )  # fmt: skip
    got = read_mail(sent.as_bytes())
    assert (got.identity, got.message_id, got.in_reply_to) == ("<3@c.example>", "<3@c.example>", "<2@firm.example>")
    assert got.references == ("<1@c.example>", "<2@firm.example>")
    assert (got.sender_name, got.subject, got.text) == ("Ödlund, Åke", "Störung – größer", "Grüße\nÅke")
    assert got.recipients == ("post@firm.example", "bo@c.example")
    assert got.date == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert [(a.name, a.content) for a in got.attachments] == [("Räkning åäö.csv", b"a;b\n"), ("empty.txt", b"")]
    assert not got.is_automatic and got.left_out == () and got.readable and not got.forged


def test_the_text_is_the_plain_one_else_that_of_the_html() -> None:
    both = mail(text="Plain")
    both.add_alternative("<p>HTML</p>", subtype="html")
    assert read_mail(both.as_bytes()).text == "Plain"
    only = EmailMessage()
    only.set_content(
        "<html><head><title>No</title><style>p {}</style></head><body><p>Hello&nbsp;you,</p><script>alert(1)</script>"
        "one<br>two &lt;b&gt; <a href='https://c.example/x'>here</a> <a href='javascript:a()'>there</a>"
        "<ul><li>A</li><li>B</li></ul></body></html>", subtype="html",
    )  # fmt: skip
    assert read_mail(only.as_bytes()).text == "Hello you,\none\ntwo <b> here (https://c.example/x) there\n\n- A\n- B"


@pytest.mark.parametrize(
    "html",
    ["<!--" * 100_000, "<!" * 200_000, "<a" * 200_000, "<a b='" * 80_000, "<p>" * 150_000, "&#" * 200_000,
     "<script>" * 50_000, "<style>" + "</" * 200_000, "<?" * 200_000, "<a href=" + "x" * 400_000, "</" * 200_000],
    ids=lambda html: html[:8],
)  # fmt: skip
def test_hostile_html_comes_to_an_end(html: str) -> None:
    assert len(text_of_html(html)) <= len(html)


def test_deep_nesting_and_many_parts_are_told_to_be_unreadable() -> None:
    deep = b"From: a@c.example\r\nSubject: Deep\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
    )
    many = b"From: a@c.example\r\nSubject: Many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    many += b"--b\r\n\r\n" * 900
    for content, subject in ((deep, "Deep"), (many, "Many")):
        got = read_mail(content)
        assert (got.subject, got.sender, got.readable) == (subject, "a@c.example", False)
        assert len(got.text) <= parsed.MOST_RAW and "boundary=b" not in got.subject


def test_headers_in_no_or_a_wrong_alphabet_are_guessed() -> None:
    head = b"From: =?klingon?q?=C4da?= <a@c.example>\r\nSubject: "
    for raw, said in (
        ("Größe".encode(), "Größe"), ("Größe".encode("cp1252"), "Größe"), (b"=?utf-8?b?R3LDtsOfZQ==?=", "Größe"),
        (b"=?utf-8?q?Gr=C3=B6?=\r\n =?utf-8?q?=C3=9Fe?=", "Größe"), (b"=?utf-8?b?!?=", ""), (b"a\0b\x1b[2J", "ab[2J"),
    ):  # fmt: skip
        got = read_mail(head + raw + b"\r\n\r\n")
        assert got.subject == said or not said
        assert got.sender_name == "Äda"


@pytest.mark.parametrize("alphabet", ["punycode", "idna", "utf-7", "zlib", "rot13", "hex", "unicode_escape", "x\udcff"])
def test_what_is_no_alphabet_is_none(alphabet: str) -> None:
    content = b"Content-Type: text/plain; charset=" + alphabet.encode("utf-8", "surrogateescape") + b"\r\n\r\nHello"
    assert read_mail(content).text == "Hello"


# ---- attachments ----------------------------------------------------------------------------------------------------


def test_attachments_are_limited_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MOST_BYTES", 5000)
    monkeypatch.setattr(attached, "MOST_TOGETHER", 8000)
    files = (
        ("good.csv", b"a;b"), ("large.csv", b"a" * 5001), ("setup.exe", b"x"), ("page.csv", b"MZ\x90\0\3"),
        ("invoice.pdf", b"%PDF-1.7"), ("other.pdf", b"<html>"), ("table.xlsx", b"a;b"), ("one.txt", b"1" * 4000),
        ("two.txt", b"2" * 4001), ("../../etc/pass<wd", b"y"), ("run.sh", b"#!/bin/sh"),
    )  # fmt: skip
    got = read_mail(mail(files=files).as_bytes())
    assert [a.name for a in got.attachments] == ["good.csv", "invoice.pdf", "one.txt", "passwd"]
    assert [said.values["name"] for said in got.left_out] == [
        "large.csv", "setup.exe", "page.csv", "other.pdf", "table.xlsx", "two.txt", "run.sh"
    ]  # fmt: skip
    many = read_mail(mail(files=tuple((f"{n}.csv", b"a") for n in range(30))).as_bytes())
    assert len(many.attachments) == parsed.MOST_ATTACHMENTS and "beyond the first" in many.left_out[0].text


def test_a_mail_within_a_mail_is_one_file() -> None:
    outer = mail(text="See below")
    outer.add_attachment(mail("<inner@c.example>", subject="Inner", text="Hidden", files=(("a.csv", b"1"),)))
    got = read_mail(outer.as_bytes())
    assert got.text == "See below" and [a.name for a in got.attachments] == ["message.eml"]
    assert b"Hidden" in got.attachments[0].content


# ---- anything at all ------------------------------------------------------------------------------------------------


def sound(got: Mail) -> None:
    """What holds of every mail: texts that can be stored, within their limits."""
    texts = [got.identity, got.sender, got.sender_name, got.subject, got.text, *got.references, *got.recipients]
    for text in [*texts, *(a.name for a in got.attachments)]:
        assert "\0" not in text
        text.encode("utf-8")  # no half signs
    assert got.identity and len(got.identity) <= 1000 and len(got.sender) <= 254 and len(got.subject) <= 500


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_mail(content: bytes) -> None:
    sound(read_mail(content))


@given(st.integers(), st.integers(1, 40))
def test_a_mutilated_mail_is_still_one(seed: int, changes: int) -> None:
    draw = random.Random(seed)
    files = (("ä.csv", b"1,2"),)
    whole = mail("<1@c.example>", text="Grüße", files=files, List_Id="<a>", Cc="a@b.example, c <d@e.example>")
    content = bytearray(whole.as_bytes())
    for _ in range(changes):
        at = draw.randrange(len(content))
        if draw.random() < 0.3:
            del content[at : at + draw.randrange(30)]
        else:
            content[at : at + draw.randrange(3)] = draw.randbytes(draw.randrange(4))
    sound(read_mail(bytes(content)))
