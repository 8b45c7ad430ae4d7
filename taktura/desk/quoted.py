"""What a mail says anew, and what it quotes."""

import re

MOST_LINES = 5000  # in a longer text nothing is folded
# What mail programs write above what they quote, in the languages of the house: "On … wrote:", a line of its own.
_WROTE = re.compile(
    r"^(On|Am|Den|Il|Le|El|Op)\b.{5,300}\b(wrote|schrieb|skrev|geschrieben|a écrit|schreef)\b.{0,200}:$"
)
_FIRST = ("On", "Am", "Den")  # with these it may stand on two lines
_WROTE_LATE = re.compile(r"^.{5,300}\b(wrote|schrieb|skrev)( .{1,200})?:$")
_ORIGINAL = re.compile(
    r"^-{2,}\s*(Original Message|Original-Nachricht|Originalnachricht|Ursprüngliche Nachricht|Weitergeleitete Nachricht"
    r"|Forwarded message|Ursprungligt meddelande|Vidarebefordrat meddelande)\s*-{2,}$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^_{20,}$")
_HEAD = re.compile(r"^\*?(From|Von|Från)\*?:\s.+", re.IGNORECASE)
_HEAD_NEXT = re.compile(r"^\*?(Sent|Date|Gesendet|Datum|Skickat)\*?:\s.+", re.IGNORECASE)


def split(text: str) -> tuple[str, str]:
    """What a message says, and what it quotes at its end; the second is empty where it quotes nothing, or says nothing
    beside it. Both together are the whole text, but for empty lines between them."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        return text, ""
    at = _begin(lines)
    said, quoted = "\n".join(lines[:at]).rstrip(), "\n".join(lines[at:]).strip()
    return (said, quoted) if said.strip() and quoted else (text, "")


def _begin(lines: list[str]) -> int:
    """The line with which the quote begins; the number of lines where there is none."""
    for at, line in enumerate(lines):
        stripped = line.strip()
        if _ORIGINAL.match(stripped) or _RULE.match(stripped) and _is_head(lines, at + 1) or _is_head(lines, at):
            return at
        over = stripped[:3].strip() in _FIRST and _is_wrote(f"{stripped} {_at(lines, at + 1)}")
        if _is_wrote(stripped) or over:
            return len(lines) if _is_answered(lines[at + 1 + over :]) else at
    end = len(lines)
    while end and (lines[end - 1].startswith(">") or not lines[end - 1].strip()):
        end -= 1
    return end if any(line.startswith(">") for line in lines[end:]) else len(lines)


def _is_wrote(line: str) -> bool:
    return len(line) < 500 and bool(_WROTE.match(line) or "@" in line and _WROTE_LATE.match(line))


def _is_answered(lines: list[str]) -> bool:
    """Whether something is said between or below quoted lines: then nothing is folded."""
    marks = [line.startswith(">") for line in lines if line.strip()]
    return any(marks) and not all(marks)


def _is_head(lines: list[str], at: int) -> bool:
    """Whether the headers of a mail begin here, as Outlook writes them."""
    return bool(_HEAD.match(_at(lines, at)) and _HEAD_NEXT.match(_at(lines, at + 1)))


def _at(lines: list[str], at: int) -> str:
    return lines[at].strip()[:1000] if at < len(lines) else ""
