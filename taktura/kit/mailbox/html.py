"""The text of a mail that was written as HTML. Nothing of the HTML itself is kept or shown.

Mails come from anybody. The parser of the standard library takes minutes for some that are made to be slow; this one
reads each sign once, and knows no more of HTML than the words need.
"""

import html
import re
from collections.abc import Iterator

MOST_HTML = 500_000  # characters that are read
MOST_TAG = 5000  # characters within < and >; what is longer is text
_BLOCKS = frozenset((
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"
))  # fmt: skip
_UNSEEN = frozenset((
    "script", "style", "head", "title", "template", "noscript", "svg", "object"
))  # fmt: skip
_CLOSED = {tag: re.compile(rf"</{tag}", re.IGNORECASE) for tag in _UNSEEN}
_TAG = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_HREF = re.compile(r"""\bhref\s?=\s?("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\n{3,}")


def text_of_html(source: str) -> str:
    """The words of HTML with their line breaks; where links lead stands behind them in brackets."""
    found: list[str] = []
    link, begun = "", 0
    for tag, closes, told in _tokens(source[:MOST_HTML]):
        if not tag:
            found.append(html.unescape(told).replace("\r", "").replace("\n", " ").replace("\0", ""))
        elif tag in _BLOCKS:
            ends = closes and tag in ("br", "li")
            found.append("" if ends else "\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            found.append(" ")
        elif tag == "a" and closes:
            if link.lower().startswith(("http://", "https://")) and link not in "".join(found[begun:]):
                found.append(f" ({link[:500]})")
            link = ""
        elif tag == "a":
            href = _HREF.search(told)
            link, begun = html.unescape(href[1].strip("\"' ")) if href else "", len(found)
    text = "\n".join(line.strip() for line in _SPACES.sub(" ", "".join(found)).split("\n"))
    return _LINES.sub("\n\n", text).strip()


def _tokens(source: str) -> Iterator[tuple[str, bool, str]]:
    """Tags in lower case, whether they close, and what stands in them; texts as tags without a name."""
    at = 0
    while at < len(source):
        opens = source.find("<", at)
        if opens < 0:
            yield "", False, source[at:]
            return
        if opens > at:
            yield "", False, source[at:opens]
        if source.startswith("<!--", opens):
            ends = source.find("-->", opens)
            at = ends + 3 if ends >= 0 else len(source)
            continue
        name = _TAG.match(source, opens + 1)
        ends = source.find(">", opens, opens + MOST_TAG) if name or source[opens + 1 : opens + 2] in ("!", "?") else -1
        if ends < 0:
            yield "", False, "<"
            at = opens + 1
            continue
        at = ends + 1
        if name is None:
            continue
        tag = name[2].lower()
        if tag in _UNSEEN and not name[1]:
            closed = _CLOSED[tag].search(source, at)
            at = closed.start() if closed else len(source)
            continue
        yield tag, bool(name[1]), source[opens:ends]
