"""PDF itself: a template (`document.typ`, `price_list.typ`), set by typst with its own fonts, without network or system
fonts.

The texts reach the template as JSON in `sys.inputs`, so they are data and never markup. The same view gives the same
bytes on any machine: the file's date is the day of issue, and nothing is kept from one document to the next but the
compiler.
"""

import json
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import typst

from taktura.invoices.rendering.page import page_of, page_of_letter
from taktura.invoices.rendering.view import DocumentView, LetterView

TEMPLATES = Path(__file__).parent / "templates"
REPLACEMENT = "\ufffd"
ROUNDS = 4  # of replacing what typst reports; after them only plain letters are left

_MISSING = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_JOINING = ("Mn", "Mc", "Me", "Cf")  # marks and joiners: what a font may lack only in company
_PLAIN_END = "\u017f"  # Latin letters and signs up to here are in the fonts
_ALWAYS = "\u2013\u2212\u20ac\u00a0\u200b\u202f\u2019"  # what the formats themselves write


class _Setter(threading.local):
    """One compiler a thread and template, kept between documents for the fonts that it has read."""

    def __init__(self) -> None:
        self.compilers: dict[str, typst.Compiler] = {}

    def compiler(self, template: str) -> "typst.Compiler":
        """The compiler of a template."""
        if template not in self.compilers:
            self.compilers[template] = typst.Compiler(
                input=TEMPLATES / template, root=TEMPLATES, font_paths=typst.Fonts(include_system_fonts=False),
                ignore_system_fonts=True,
            )  # fmt: skip
        return self.compilers[template]


_setter = _Setter()


def render_pdf(view: DocumentView) -> bytes:
    """Return the document as PDF/A-3b, A4. Raises `ValueError` for an amount with more decimals than its currency."""
    return set_page("document.typ", page_of(view), view.issued_on)


def render_letter(view: LetterView) -> bytes:
    """Return a letter as PDF/A-3b, A4."""
    return set_page("letter.typ", page_of_letter(view), view.written_on)


def set_page(template: str, page: Mapping[str, Any], on: date) -> bytes:
    """Return a page's texts, set by a template, as PDF/A-3b; `on` is the day of which the file says it is.

    A character that no font of typst has (Chinese, say) is printed as the replacement character, since PDF/A allows
    no gaps.
    """
    text = json.dumps(page, ensure_ascii=False)
    missing: set[str] = set()
    for attempt in _attempts(text, missing):
        try:
            return _set(template, attempt, on)
        except typst.TypstError as error:
            found = _missing_in(str(error.diagnostic))
            if not found:
                raise
            missing |= found
    raise AssertionError("the last attempt has only characters that the fonts have")


def _set(template: str, text: str, on: date) -> bytes:
    """Set a page's JSON; PDF/A-3b is the archive format that may carry attachments, such as the EN 16931 XML."""
    made_at = datetime.combine(on, time(12), tzinfo=UTC)
    compiler = _setter.compiler(template)
    made = compiler.compile(format="pdf", pdf_standards="a-3b", timestamp=made_at, sys_inputs={"page": text})
    assert isinstance(made, bytes)
    return made


def _attempts(text: str, missing: set[str]) -> Iterator[str]:
    """The text as it is; then without joining marks, so that what is missing is single characters; then, each time
    without those reported in the meantime (the caller adds to `missing`); in the end only Latin letters."""
    yield text
    text = "".join(c for c in text if c.isascii() or c in _ALWAYS or unicodedata.category(c) not in _JOINING)
    missing.clear()
    yield text
    for _ in range(ROUNDS):
        yield "".join(REPLACEMENT if c in missing else c for c in text)
    yield "".join(c if c <= _PLAIN_END or c in _ALWAYS else REPLACEMENT for c in text)


def _missing_in(diagnostic: str) -> set[str]:
    """Read from typst's message which characters no font has; plain ASCII in a cluster with them stays."""
    clusters = _MISSING.findall(diagnostic)
    text = "".join(_ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), cluster) for cluster in clusters)
    return {c for c in text if not c.isascii()}
