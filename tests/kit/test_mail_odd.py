"""Mails as bad programs write them: whoever sent them and what they say is found all the same."""

import pytest

from taktura.kit.database import setup

setup(throw_away=True)

from taktura.kit.mailbox.parsed import MOST_RAW, read_mail  # noqa: E402

END = b"Subject: S\r\n\r\nHello"


@pytest.mark.parametrize(
    ("given", "name", "address"),
    [
        ("Byron, Ada <ada@c.example>", "Byron, Ada", "ada@c.example"),
        ("Acme Ltd; Ada <ada@c.example>", "Acme Ltd; Ada", "ada@c.example"),
        ("=?utf-8?q?M=C3=BCller,_Jan?= <jan@c.example>", "Müller, Jan", "jan@c.example"),
        ("=?utf-8?q?Jan_M=C3=BCller_=3Cjan=40c=2Eexample=3E?=", "Jan Müller", "jan@c.example"),
        ("'ada@c.example' <ada@c.example>", "ada@c.example", "ada@c.example"),
        ("Ada [Acme] <ada@c.example>", "Ada [Acme]", "ada@c.example"),
        ("Ada @ Acme <ada@c.example>", "Ada @ Acme", "ada@c.example"),
        ('"Ada <ada@c.example>', "Ada", "ada@c.example"),
        ('"Ada" ada@c.example', "", "ada@c.example"),
        ("Ada (at work <ada@c.example>", "Ada (at work", "ada@c.example"),
        # What stands in quotes is a name, whatever it looks like.
        ('"Ada <ada@c.example>" <eve@d.example>', "Ada <ada@c.example>", "eve@d.example"),
        ("=?utf-8?q?=3Cada=40c=2Eexample=3E?= <eve@d.example>", "<ada@c.example>", "eve@d.example"),
        ("nobody at all", "", ""),
        ("<ada@c.example> <eve@d.example>", "", "ada@c.example"),
    ],
)
def test_who_sent_it_is_found_in_headers_that_are_not_as_they_should_be(given: str, name: str, address: str) -> None:
    got = read_mail(b"From: " + given.encode() + b"\r\n" + END)
    assert (got.sender_name, got.sender, got.text) == (name, address, "Hello")


def parts(kind: str, *inner: str) -> str:
    """A multipart of parts."""
    mark = kind[:3] + str(len("".join(inner)))
    return (
        f"Content-Type: multipart/{kind}; boundary={mark}\n\n"
        + "".join(f"--{mark}\n{p}\n" for p in inner)
        + (f"--{mark}--\n")
    )


PLAIN, HTML = "Content-Type: text/plain\n\nSee it", "Content-Type: text/html\n\n<p>See <b>it</b></p>"
FOOTER = "Content-Type: text/plain\n\nConfidential."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (parts("mixed", HTML, FOOTER), "See it\n\nConfidential."),
        (parts("mixed", parts("alternative", PLAIN, HTML), FOOTER), "See it\n\nConfidential."),
        (parts("alternative", PLAIN, parts("related", HTML)), "See it"),
        (parts("alternative", "Content-Type: text/plain\n\n \n", parts("related", HTML)), "See it"),
        (parts("mixed", PLAIN, HTML), "See it"),
        (parts("mixed", parts("related", HTML), "Content-Type: text/html\n\n<br>", PLAIN), "See it"),
    ],
)
def test_no_part_of_what_it_says_is_lost(body: str, text: str) -> None:
    assert read_mail(f"From: a@c.example\nSubject: S\n{body}".encode()).text == text


@pytest.mark.parametrize("head", ["Content-Type: multipart/mixed", "Content-Type: multipart/mixed; boundary=other"])
def test_a_mail_whose_boundaries_are_wrong_says_what_stands_there(head: str) -> None:
    got = read_mail(f"From: a@c.example\n{head}\n\n--b\nContent-Type: text/plain\n\nIt burns\n--b--\n".encode())
    assert "It burns" in got.text and got.readable


@pytest.mark.parametrize(
    "alphabet",
    ["u7", "csUnicode11UTF7", '"unicode escape"', '"raw unicode escape"', "utf-8\0", '"\0"', "oem", "x" * 900],
)
def test_an_alphabet_by_another_name_makes_no_half_signs(alphabet: str) -> None:
    content = (
        f"From: a@c.example\nSubject: =?u7?q?+2AA-?=\nContent-Type: text/plain; charset={alphabet}\n\n\\ud800+2AA-"
    )
    got = read_mail(content.encode())
    (got.text + got.subject).encode()
    assert got.readable and got.text == "\\ud800+2AA-"


def test_a_file_with_an_odd_name_takes_nothing_else_along() -> None:
    odd = "Content-Type: application/x; name*=utf-7''%2B2AA-\n\n12"
    inner = "Content-Type: message/rfc822\n\nSubject: =?utf-8?q?a=0Ab:_c?=\nX: \udcff\n\nInner"
    got = read_mail(f"From: a@c.example\n{parts('mixed', PLAIN, odd, inner)}".encode("utf-8", "surrogateescape"))
    assert got.readable and got.text == "See it" and len(got.attachments) == 2
    got.attachments[0].name.encode()


def test_what_cannot_be_taken_apart_keeps_its_beginning() -> None:
    many = b"From: a@c.example\r\nSubject: Many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nIt burns\r\n"
    got = read_mail(many + b"--b\r\n\r\n" * 20_000)
    assert not got.readable and got.text.startswith("It burns\n--b") and len(got.text) <= MOST_RAW


def test_empty_lines_before_a_mail_are_not_its_end() -> None:
    got = read_mail(b"\r\n\r\nFrom: a@c.example\r\n" + END)
    assert (got.sender, got.subject, got.text) == ("a@c.example", "S", "Hello")
