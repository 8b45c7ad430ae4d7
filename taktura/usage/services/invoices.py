"""Suppliers' own invoices: entered for reconciliation, corrected and removed; the log keeps what they were."""

import hashlib
import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.core.money import money, places
from taktura.core.periods import DAY
from taktura.kit.actor import Actor
from taktura.usage.models import Supplier, SupplierInvoice
from taktura.usage.queries import fold

MOST_BYTES = 10 * 1024**2  # of a file that is kept with an invoice
FIELDS = ("number", "day", "first", "end", "net", "currency", "note")
MOST_NUMBER, MOST_NOTE, MOST_DAYS, MOST_NET = 100, 2_000, 5 * 366, Decimal(10) ** 13
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a file begins with, and what it is then served as.
BEGINNINGS = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@act
def enter_supplier_invoice(
    actor: Actor,
    *,
    supplier: Supplier,
    number: str,
    day: date,
    first: date,
    end: date,
    net: Decimal,
    currency: str | None = None,
    note: str = "",
) -> SupplierInvoice:
    """Enter what a supplier charges for `[first, end)`: `net` in units of `currency` (the supplier's where not given).

    Raises `Refused`: `conflict` (the number is there), `invalid`.
    """
    values = {
        "number": number.strip(), "day": day, "first": first, "end": end, "net": net,
        "currency": currency or supplier.currency, "note": note.strip(),
    }  # fmt: skip
    invoice = SupplierInvoice(supplier=supplier, folded=fold(number), **values)
    _check(invoice)
    invoice.save(force_insert=True)
    record(
        actor, "enter_supplier_invoice", f"supplier_invoice:{invoice.pk}", {"supplier": supplier.key, **_told(values)}
    )
    return invoice


@act
def correct_supplier_invoice(actor: Actor, *, invoice: SupplierInvoice, **fields: Any) -> None:
    """Write the fields named; the log keeps those of before. Raises `Refused`: `conflict`, `invalid`."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "A supplier's invoice has no field “%(field)s”.", field=sorted(unknown)[0])
    _again(invoice)
    fields |= {name: fields[name].strip() for name in ("number", "note") if name in fields}
    before = {name: getattr(invoice, name) for name in fields if getattr(invoice, name) != fields[name]}
    for name in before:
        setattr(invoice, name, fields[name])
    invoice.folded = fold(invoice.number)
    _check(invoice)
    if before:
        invoice.save(update_fields=[*before, "folded"])
        after = {name: fields[name] for name in before}
        data = {"before": _told(before), "after": _told(after)}
        record(actor, "correct_supplier_invoice", f"supplier_invoice:{invoice.pk}", data)


@act
def remove_supplier_invoice(actor: Actor, *, invoice: SupplierInvoice) -> None:
    """Take an invoice out, with its file; the log keeps what it said."""
    _again(invoice)
    values = _told({name: getattr(invoice, name) for name in FIELDS}) | _file_of(invoice)
    record(actor, "remove_supplier_invoice", f"supplier_invoice:{invoice.pk}", values)
    invoice.delete()


@act
def keep_invoice_file(actor: Actor, *, invoice: SupplierInvoice, name: str, content: bytes) -> None:
    """Keep a file with an invoice, in the place of the one of before: PDF, picture, XML, workbook or text, seen by its
    bytes. Raises `Refused` (`invalid`) for any other, an empty one and one of more than 10 MB."""
    kind = _kind_of(content)
    name = name.strip()[:200]
    if not name:
        raise Refused("invalid", "Say what the file is called.", field="name")
    _again(invoice)
    before = _file_of(invoice)
    invoice.file_name, invoice.file_type, invoice.content = name, kind, content
    invoice.save(update_fields=["file_name", "file_type", "content"])
    data = {"before": before, "after": _file_of(invoice)}
    record(actor, "keep_invoice_file", f"supplier_invoice:{invoice.pk}", data)


@act
def drop_invoice_file(actor: Actor, *, invoice: SupplierInvoice) -> None:
    """Take the file of an invoice out; without one nothing happens."""
    _again(invoice)
    before = _file_of(invoice)
    if before:
        invoice.file_name, invoice.file_type, invoice.content = "", "", None
        invoice.save(update_fields=["file_name", "file_type", "content"])
        record(actor, "drop_invoice_file", f"supplier_invoice:{invoice.pk}", before)


def _again(invoice: SupplierInvoice) -> None:
    """Read it again; another may have removed it meanwhile."""
    try:
        read_again(invoice)
    except SupplierInvoice.DoesNotExist as gone:
        raise Refused("not_found", "This invoice was removed meanwhile.") from gone


def _check(invoice: SupplierInvoice) -> None:
    if not invoice.folded or max(len(invoice.number), len(invoice.folded)) > MOST_NUMBER:
        raise Refused("invalid", "Type the number that stands on the invoice: at most 100 characters.", field="number")
    if not re.fullmatch(r"[A-Z]{3}", invoice.currency):
        raise Refused(
            "invalid", "“%(currency)s” is no currency: write its three letters.",
            currency=invoice.currency, field="currency",
        )  # fmt: skip
    if invoice.end <= invoice.first:
        raise Refused("invalid", "The period ends before it begins.", field="until")
    if (invoice.end - invoice.first).days > MOST_DAYS:
        raise Refused("invalid", "An invoice is for five years at most: correct its period.", field="until")
    digits = places(invoice.currency)
    if money(invoice.net, digits).exact != invoice.net:
        raise Refused(
            "invalid", "A total in %(currency)s has at most %(digits)s decimals.",
            currency=invoice.currency, digits=digits, field="net",
        )  # fmt: skip
    if abs(invoice.net) >= MOST_NET:
        raise Refused("invalid", "The total is too large: correct it.", field="net")
    if len(invoice.note) > MOST_NOTE:
        raise Refused("invalid", "The note has more than %(most)s characters.", most=MOST_NOTE, field="note")
    others = SupplierInvoice.objects.filter(supplier=invoice.supplier_id, folded=invoice.folded).exclude(pk=invoice.pk)
    other = others.first()
    if other is not None:
        raise Refused(
            "conflict", "Invoice “%(number)s” is there already, of %(day)s: correct that one.",
            number=other.number, day=other.day, field="number",
        )  # fmt: skip


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Fields as the log has them: days from and until, the last one included."""
    names = {"first": "from", "end": "until"}
    return {names.get(name, name): value - DAY if name == "end" else value for name, value in values.items()}


def _file_of(invoice: SupplierInvoice) -> dict[str, Any]:
    """What the log says of a file."""
    if invoice.content is None:
        return {}
    return {"file": invoice.file_name, "sha256": hashlib.sha256(bytes(invoice.content)).hexdigest()}


def _kind_of(content: bytes) -> str:
    """What a file is, by its bytes."""
    if not content:
        raise Refused("invalid", "The file is empty: choose another.", field="file")
    if len(content) > MOST_BYTES:
        raise Refused("invalid", "The file has more than %(most)s MB.", most=MOST_BYTES // 1024**2, field="file")
    for beginning, kind in BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if "xl/workbook.xml" in archive.namelist():
                    return WORKBOOK
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, LookupError):
            pass
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:
            return "application/xml" if text.lstrip().startswith("<?xml") else "text/plain"
    raise Refused("invalid", "A PDF, a picture (PNG, JPEG), XML, a workbook (XLSX) or a text is kept.", field="file")
