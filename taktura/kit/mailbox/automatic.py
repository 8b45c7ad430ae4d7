"""Whether a mail was sent by a machine, by its headers (RFC 3834 and what is usual besides)."""

import re
from collections.abc import Mapping, Sequence

REPLIES = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")
SENDERS = ("mailer-daemon", "mailerdaemon", "postmaster")


def automatic_of(headers: Mapping[str, Sequence[str]], sender: str) -> str:
    """`bounce` (it tells of another mail: not delivered, read), `reply` (nobody is there), `generated` (a program wrote
    it), `list` (many got it); empty for a mail of a person. Names of headers are in lower case."""
    first = {name: values[0].strip().lower() for name, values in headers.items() if values}
    kind = first.get("content-type", "")
    if kind.startswith("multipart/report") or first.get("return-path") == "<>":
        return "bounce"
    if sender.partition("@")[0] in SENDERS or "x-failed-recipients" in first:
        return "bounce"
    submitted = re.split(r"[;(\s]", first.get("auto-submitted", "no"))[0]
    precedence = first.get("precedence", "")
    if submitted == "auto-replied" or any(name in first for name in REPLIES) or precedence == "auto_reply":
        return "reply"
    if any(name.startswith("list-") for name in first) or precedence in ("bulk", "list", "junk"):
        return "list"
    return "generated" if submitted not in ("no", "") else ""
