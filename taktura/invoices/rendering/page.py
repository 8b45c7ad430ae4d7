"""From a view to the texts on the page: plain data of finished strings, which the template only places."""

import re
import unicodedata
from datetime import date
from typing import Any

from taktura.invoices.rendering.formats import Formats, formats_of
from taktura.invoices.rendering.view import DocumentView, LetterView, LineView, Party, TaxView
from taktura.invoices.rendering.words import words_of

WITHOUT_VAT = ("AE", "G", "E")  # the categories that print a legal text (R13.4)

_LONG_CODE = re.compile(r"(?=\S*[^\W_]\S*)(?=\S*[\d_]|\S*[^\w\s-])\S{25,}")  # not words joined by hyphens
_LONG_WORD = re.compile(r"\w{70,}")
_PIECE = re.compile(r".{12}(?=.{4})")
# Control characters, line ends, those that turn the direction of what follows, halves of characters.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_BREAK = "\u200b"


def page_of(view: DocumentView) -> dict[str, Any]:
    """Return all texts of a document, formatted in its language, as JSON data (strings, lists, truth values)."""
    words, formats = words_of(view.language), formats_of(view.language, view.currency)
    number = view.number or f"– {words['preview']}"
    page: dict[str, Any] = {
        "language": formats.language,
        "heading": f"{words[view.kind]} {number}",
        "refers_to": _refers_to(view),
        "watermark": words["preview"] if view.preview else "",
        "page": words["page"].split("{page}")[0],
        "of": words["page"].split("{page}")[1].split("{pages}")[0],
        "seller": view.seller.name,
        "sender": " · ".join([view.seller.name, *view.seller.lines]),
        "recipient": _address(view, formats),
        "meta": _meta(view, formats),
        "columns": _columns(view, formats),
        "lines": [_line(position, line, view, formats) for position, line in enumerate(view.lines, 1)],
        "sums": _sums(view, formats),
        "total": [words[f"total_{view.kind}"], formats.money(view.gross)],
        "payment": payment_of(view, formats),
        "texts": _texts(view),
        "footer": _footer(view),
    }
    safe: dict[str, Any] = printable(page)
    return safe


def page_of_letter(view: LetterView) -> dict[str, Any]:
    """Return all texts of a letter, as JSON data."""
    words, formats = words_of(view.language), formats_of(view.language, view.currency)
    meta = [
        (words["date"], formats.day(view.written_on)),
        (words["customer"], view.customer_number),
        (words["contract"], view.contract_number),
        *view.facts,
    ]
    page: dict[str, Any] = {
        "language": formats.language,
        "heading": view.heading,
        "page": words["page"].split("{page}")[0],
        "of": words["page"].split("{page}")[1].split("{pages}")[0],
        "seller": view.seller.name,
        "sender": " · ".join([view.seller.name, *view.seller.lines]),
        "recipient": _address(view, formats),
        "meta": [[label, value] for label, value in meta if value],
        "paragraphs": [paragraph.splitlines() for paragraph in view.paragraphs],
        "footer": _footer(view),
    }
    safe: dict[str, Any] = printable(page)
    return safe


def _refers_to(view: DocumentView) -> str:
    """Name the documents that are corrected: "zu den Rechnungen A, B und C"."""
    if not view.references:
        return ""
    words = words_of(view.language)
    *others, last = view.references
    numbers = f"{', '.join(others)} {words['and']} {last}" if others else last
    what = "corrects" if view.kind == "credit_note" else "includes"
    return words[f"{what}_{'many' if others else 'one'}"].format(numbers=numbers)


def _columns(view: DocumentView, formats: Formats) -> list[str]:
    """The heads of the table; the currency stands there, once, and not on each line."""
    words = words_of(view.language)
    plain = [words[key] for key in ("position", "description", "quantity")]
    price, amount = (f"{words[key]} {formats.symbol}" for key in ("unit_price", f"line_{view.prices_are}"))
    return [*plain, price, words["vat"], amount]


def _address(view: DocumentView | LetterView, formats: Formats) -> list[str]:
    """The recipient as on an envelope: a foreign country last and in capitals (DIN 5008)."""
    buyer = view.buyer
    abroad = buyer.country and buyer.country != view.seller.country
    country = formats.country(buyer.country).upper() if abroad else ""
    return [text for text in (buyer.name, *buyer.lines, country) if text]


def _meta(view: DocumentView, formats: Formats) -> list[list[str]]:
    words = words_of(view.language)
    firsts = [line.first_day for line in view.lines if line.first_day]
    lasts = [line.last_day for line in view.lines if line.last_day]
    rows = [
        (words[f"number_{view.kind}"], view.number),
        (words["date"], formats.day(view.issued_on)),
        (words["customer"], view.customer_number),
        (words["debtor"], view.debtor_number),
        (words["head_office"], view.head_office),
        (words["contract"], view.contract_number),
        (words["period"], _range(min(firsts), max(lasts), view, formats) if firsts and lasts else ""),
        (words["due"], formats.day(view.due_on) if view.due_on else ""),
        (words["your_vat_id"], view.buyer.vat_id),
    ]
    return [[label, value] for label, value in rows if value]


def _range(first: date, last: date, view: DocumentView, formats: Formats) -> str:
    """Write a span of days, the last day included (R2.1)."""
    if first == last:
        return formats.day(first)
    return words_of(view.language)["range"].format(first=formats.day(first), last=formats.day(last))


def _line(position: int, line: LineView, view: DocumentView, formats: Formats) -> dict[str, Any]:
    first = line.first_day or line.last_day
    span = _range(first, line.last_day or first, view, formats) if first else ""
    contract = f"{words_of(view.language)['contract']} {line.contract}" if line.contract else ""
    amount = line.net if view.prices_are == "net" or line.amount is None else line.amount
    return {
        "position": str(position),
        "title": line.title,
        "detail": [text for text in (contract, span, *line.note.splitlines()) if text.strip()],
        "quantity": formats.quantity(line.quantity) if line.quantity is not None else "",
        "unit": line.unit if line.quantity is not None else "",
        "unit_price": formats.unit_price(line.unit_price) if line.unit_price is not None else "",
        "vat": formats.rate(line.vat_rate),
        "amount": formats.amount(amount),
    }


def _sums(view: DocumentView, formats: Formats) -> list[list[str]]:
    words = words_of(view.language)
    rows = [[words["sum_net"], formats.amount(view.net)]]
    return rows + [[_tax_label(row, view, formats), formats.amount(row.tax)] for row in view.taxes]


def _tax_label(row: TaxView, view: DocumentView, formats: Formats) -> str:
    words = words_of(view.language)
    label = words["tax_row"].format(rate=formats.rate(row.rate), net=formats.money(row.net))
    return f"{label} ({words[f'label_{row.category}']})" if row.category in WITHOUT_VAT else label


def payment_of(view: DocumentView, formats: Formats) -> list[str]:
    """What is to be done now: nothing where nothing is to be paid."""
    words, seller = words_of(view.language), view.seller
    if view.kind == "credit_note":
        return [words["credited"]] if view.gross else []
    if not view.gross or not view.due_on:
        return []
    if view.debit_iban:
        iban = view.debit_iban.replace(" ", "\u00a0")
        by = f"{words['creditor']} {view.creditor_id}, " if view.creditor_id else ""
        mandate = f"{by}{words['mandate']} {view.mandate}"
        return [words["debit"].format(iban=iban, day=formats.day(view.due_on), mandate=mandate)]
    texts = [words["pay"].format(day=formats.day(view.due_on))]
    if view.number:
        texts.append(words["transfer"].format(number=view.number))
    bank = " · ".join(text for text in (seller.bank_name, _iban(seller.iban), seller.bic) if text)
    return [" ".join(texts), f"{words['account']}: {bank}" if bank else ""]


def _texts(view: DocumentView) -> list[str]:
    """The legal texts of the categories on the document, each once, then the notes."""
    words = words_of(view.language)
    used = {row.category for row in view.taxes} | {line.vat_category for line in view.lines}
    legal = [words[category] for category in WITHOUT_VAT if category in used]
    gross = [words["prices_gross"]] if view.prices_are == "gross" else []
    return [*legal, *gross, *(text for note in view.notes for text in note.splitlines())]


def _footer(view: DocumentView | LetterView) -> list[list[str]]:
    """The seller's particulars in up to four columns; an empty column is left out."""
    words, seller = words_of(view.language), view.seller
    columns = [
        [seller.name, *seller.lines, _country(seller, view)],
        [_labelled(words["phone"], seller.phone), seller.email],
        [seller.bank_name, _labelled("IBAN", _iban(seller.iban)), _labelled("BIC", seller.bic)],
        [
            _labelled(words["vat_id"], seller.vat_id),
            _labelled(words["tax_number"], seller.tax_number),
            seller.registration,
        ],
    ]
    filled = [[text for text in column if text] for column in columns]
    return [column for column in filled if column]


def _country(party: Party, view: DocumentView | LetterView) -> str:
    return formats_of(view.language, view.currency).country(party.country) if party.country else ""


def _labelled(label: str, text: str) -> str:
    return f"{label} {text}" if text else ""


def _iban(iban: str) -> str:
    """Write an IBAN in groups of four, as it is read aloud; the groups stay on one line."""
    bare = re.sub(r"\s", "", iban)
    return "\u00a0".join(bare[i : i + 4] for i in range(0, len(bare), 4))


def printable(data: Any) -> Any:
    """Make every text of a page safe to set: no control characters, and a place to break in overlong words."""
    if isinstance(data, str):
        return breakable(unicodedata.normalize("NFC", _CONTROL.sub(" ", data)))
    if isinstance(data, list):
        return [printable(item) for item in data]
    if isinstance(data, dict):
        return {key: printable(item) for key, item in data.items()}
    return data


def breakable(text: str) -> str:
    """Let overlong codes and words break anywhere (a zero-width space); words of a language are hyphenated later."""
    text = _LONG_CODE.sub(lambda match: _PIECE.sub(lambda piece: piece.group() + _BREAK, match.group()), text)
    return _LONG_WORD.sub(lambda match: _PIECE.sub(lambda piece: piece.group() + _BREAK, match.group()), text)
