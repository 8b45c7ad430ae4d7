"""The PDF itself: the template `document.typ`, set by typst with its own fonts, without network or system fonts.

The texts reach the template as JSON in `sys.inputs`, so they are data and never markup. The same view gives the same
bytes on any machine: the file's date is the day of issue.
"""

import json
import re
import threading
from datetime import UTC, datetime, time
from importlib.resources import files

import typst

from taktura.invoices.rendering.page import page_of
from taktura.invoices.rendering.view import DocumentView

STANDARD = "a-3b"  # archive PDF that may carry attachments, such as the EN 16931 XML
REPLACEMENT = "\ufffd"
TRIES = 3

_MISSING = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class _Setter(threading.local):
    """One compiler a thread, kept between documents; and the characters that its fonts are known to lack."""

    def __init__(self) -> None:
        template = files(__package__).joinpath("templates/document.typ").read_bytes()
        fonts = typst.Fonts(include_system_fonts=False)
        self.compiler = typst.Compiler(input=template, font_paths=fonts, ignore_system_fonts=True)
        self.missing: set[str] = set()


_setter = _Setter()


def render_pdf(view: DocumentView) -> bytes:
    """Return the document as PDF/A-3b, A4.

    A character that no font of typst has (an emoji, Chinese) is printed as the replacement character, since PDF/A
    allows no gaps. Raises `ValueError` for an amount with more decimals than its currency, and `typst.TypstError` when
    the document cannot be set.
    """
    text = json.dumps(page_of(view), ensure_ascii=False)
    made_at = datetime.combine(view.issued_on, time(12), tzinfo=UTC)
    for attempt in range(TRIES):
        known = "".join(REPLACEMENT if c in _setter.missing else c for c in text)
        try:
            made = _setter.compiler.compile(
                format="pdf", pdf_standards=STANDARD, timestamp=made_at, sys_inputs={"page": known}
            )
        except typst.TypstError as error:
            found = _missing_in(str(error.diagnostic)) - _setter.missing
            if not found or attempt == TRIES - 1:
                raise
            _setter.missing |= found
        else:
            assert isinstance(made, bytes)
            return made
    raise AssertionError("the last attempt returns or raises")


def _missing_in(diagnostic: str) -> set[str]:
    """Read from typst's message which characters no font has; plain ASCII in a cluster with them stays."""
    clusters = _MISSING.findall(diagnostic)
    text = "".join(_ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), cluster) for cluster in clusters)
    return {c for c in text if not c.isascii()}
