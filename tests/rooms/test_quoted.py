"""What of a message is folded away as quoted."""

import pytest

from taktura.desk.quoted import split

OURS = "-- \nTom Adler\nHelpful GmbH"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ja.\n\nAm 1.3.2026 um 08:00 schrieb Tom <t@x.example>:\n> War es an?\n> Ja?", "Ja."),
        ("Yes\n\nOn Mon, Mar 1, 2026 at 8:00 AM Tom Adler\n<tom@x.example> wrote:\n\n> Is it on?", "Yes"),
        ("Ja!\n\nDen mån 1 mars 2026 kl 08:00 skrev Tom Adler <tom@x.example>:\n\nÄr den på?", "Ja!"),
        ("2026-03-01 Tom <tom@x.example> wrote:\n> Is it on?", None),
        (
            "Gut\n\nVon: Tom Adler <t@x.example>\nGesendet: Montag, 1. März 2026\nAn: Ada\nBetreff: x\n\nWar es an?",
            "Gut",
        ),
        ("Gut\n\n________________________________\nFrom: Tom\nSent: Monday\nTo: Ada\n\nOn?", "Gut"),
        ("Gut\n-----Ursprüngliche Nachricht-----\nWar es an?", "Gut"),
        ("Gut\n\n> War es an?\n>\n> " + OURS.replace("\n", "\n> "), "Gut"),
        ("Hallo\n\nAm 1.3.2026 schrieb Tom <t@x.example>:\n> War es an?\nJa.\n> Und warm?\nNein.", None),
        ("Hallo\n> War es an?\nJa.", None),
        ("> War es an?", None),
        ("Von: hier bis dort\nist es kaputt", None),
        ("Er schrieb am Montag:\nes geht", None),
        ("", None),
    ],
)
def test_what_is_quoted_at_the_end_is_folded_and_nothing_is_lost(text: str, said: str | None) -> None:
    shown, quoted = split(text)
    assert shown == (text if said is None else said) and bool(quoted) == (said is not None)
    assert "".join((shown + quoted).split()) == "".join(text.split())


def test_of_a_text_that_is_too_long_nothing_is_folded() -> None:
    long = "On " + "a" * 200_000 + "\n" + "On x\n" * 4_000 + "> b"
    assert split(long) == (long[:-4], "> b")
    assert split("a\n" * 5_000 + "> b")[1] == ""
