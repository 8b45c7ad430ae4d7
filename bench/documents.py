"""`pdf`, `einvoice`: documents of a run as PDF and as the XML of ZUGFeRD, against bare typst and bare factur-x."""

import copy
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import typst
from django.db import connections
from facturx.generate_xml import generate_cii_xml

from bench.company import TELEPHONE, add_usage, make, on
from bench.measure import Result, clocked, peak_memory
from taktura.billing.services import bill
from taktura.einvoice.xml import business_terms
from taktura.invoices.electronic import einvoice_of, sent_pdf, xml_file
from taktura.invoices.models import Document
from taktura.invoices.printing import load, view_of
from taktura.invoices.rendering.page import page_of
from taktura.invoices.rendering.pdf import TEMPLATES
from taktura.kit.database import scratch_database

DOCUMENTS, SMALL = 1_000, 20
BATCH = 100
BILLED_ON = date(2026, 2, 1)
TARGET = 0.5


def run(wanted: frozenset[str], *, small: bool) -> Iterator[Result]:
    """Documents a second, one after the other, read from the database in batches."""
    count = SMALL if small else DOCUMENTS
    with scratch_database():
        company = make(TELEPHONE, count, quantities={"number": Decimal(2)})
        add_usage(company, 2)
        bill(on(BILLED_ON), seller=company.seller, on=BILLED_ON)
        ids = list(Document.objects.order_by("pk").values_list("pk", flat=True))
        assert len(ids) == count
        if "pdf" in wanted:
            yield _result("pdf", count, _pdf(ids), _bare_pdf(ids))
        if "einvoice" in wanted:
            yield _result("einvoice", count, _einvoice(ids), _bare_einvoice(ids))
        connections.close_all()


def _result(name: str, count: int, ours: float, limit: float) -> Result:
    notes = (f"{ours / count * 1000:.1f} ms each; {peak_memory()}",)
    return Result(
        name=name, size=f"{count:,} documents", ours=count / ours, limit=count / limit, unit="documents/s",
        target=TARGET, notes=notes,
    )  # fmt: skip


def _read(ids: list[int]) -> Iterator[Document]:
    """Documents as they are read for a file of many."""
    for start in range(0, len(ids), BATCH):
        documents = list(Document.objects.filter(pk__in=ids[start : start + BATCH]).order_by("pk"))
        load(documents)
        yield from documents


def _pdf(ids: list[int]) -> float:
    with clocked() as clock:
        for document in _read(ids):
            assert sent_pdf(document)
    return clock.seconds


def _bare_pdf(ids: list[int]) -> float:
    """Seconds of typst alone: the same pages, made ready before."""
    pages = [json.dumps(page_of(view_of(d)), ensure_ascii=False) for d in Document.objects.filter(pk__in=ids)]
    fonts = typst.Fonts(include_system_fonts=False)
    compiler = typst.Compiler(
        input=TEMPLATES / "document.typ", root=TEMPLATES, font_paths=fonts, ignore_system_fonts=True
    )
    with clocked() as clock:
        for page in pages:
            compiler.compile(format="pdf", pdf_standards="a-3b", sys_inputs={"page": page})
    return clock.seconds


def _einvoice(ids: list[int]) -> float:
    with clocked() as clock:
        for document in _read(ids):
            assert xml_file(document, "zugferd")
    return clock.seconds


def _bare_einvoice(ids: list[int]) -> float:
    """Seconds of factur-x alone: the same values, made ready before (it changes what it is given)."""
    terms = [copy.deepcopy(business_terms(einvoice_of(d))) for d in Document.objects.filter(pk__in=ids)]
    with clocked() as clock:
        for one in terms:
            generate_cii_xml(one, level="en16931", check_xsd=False, check_schematron=False)
    return clock.seconds
