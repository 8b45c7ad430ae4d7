"""Proving issued documents: hashes, sums, gapless numbers."""

import re
from collections.abc import Iterator

from taktura.invoices.models import Document, DocumentLine, DocumentTax, NumberSeries
from taktura.invoices.services.issue import DOCUMENT, LINE, document_hash
from taktura.invoices.services.states import wrong_balances, wrong_states

CHUNK = 2_000


def check_documents() -> Iterator[str]:
    """What is wrong with issued documents, a sentence each; nothing when all is proven."""
    ids = list(Document.objects.order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), CHUNK):
        yield from _check_chunk(ids[start : start + CHUNK])
    yield from _check_numbers()
    for number in wrong_states():
        yield f"{number}: what lists show of it is not what its payments and credit notes say."
    for key in wrong_balances():
        yield f"{key}: the open amount that lists show of it is not what its documents and payments say."


def is_unchanged(document: int) -> bool:
    """Whether a document shows what it showed when it was issued: its hash and its sums hold."""
    return not list(_check_chunk([document]))


def _check_chunk(ids: list[int]) -> Iterator[str]:
    lines: dict[int, list[tuple[object, ...]]] = {}
    for row in DocumentLine.objects.filter(document__in=ids).order_by("document_id", "position").values_list(*LINE):
        lines.setdefault(row[1], []).append(row)
    taxes: dict[int, list[tuple[object, ...]]] = {}
    for row in (
        DocumentTax.objects.filter(document__in=ids)
        .order_by("document_id", "id")
        .values_list("document_id", "category", "rate", "net", "tax")
    ):
        taxes.setdefault(row[0], []).append(row)
    references: dict[int, list[int]] = {}
    for pk, corrected in Document.objects.filter(pk__in=ids, references__isnull=False).values_list(
        "pk", "references__corrects"
    ):
        references.setdefault(pk, []).append(corrected)
    for row in Document.objects.filter(pk__in=ids).order_by("id").values_list(*DOCUMENT):
        named = dict(zip(DOCUMENT, row, strict=True))
        pk, number = row[0], named["number"]
        own, sums = lines.get(pk, []), taxes.get(pk, [])
        if document_hash(row[:-1], own, sums, references.get(pk, [])) != named["hash"]:
            yield f"{number}: what the document shows does not match its hash."
        by_rate: dict[tuple[object, object], int] = {}
        for line in own:
            vat = (line[LINE.index("vat_category")], line[LINE.index("vat_rate")])
            by_rate[vat] = by_rate.get(vat, 0) + int(str(line[LINE.index("net")]))
        if by_rate != {(t[1], t[2]): t[3] for t in sums} or named["net"] != sum(int(str(t[3])) for t in sums):
            yield f"{number}: the lines do not add up to the document's sums."
        if named["tax"] != sum(int(str(t[4])) for t in sums):
            yield f"{number}: the VAT of the rates does not add up."


def _check_numbers() -> Iterator[str]:
    for series in NumberSeries.objects.prefetch_related("counters"):
        pattern = re.escape(series.format).replace(r"\{year\}", r"(?P<year>\d{4})")
        pattern = re.sub(r"\\\{number(:0?\d+)?\\\}", r"(?P<number>\\d+)", pattern)
        used: dict[int, list[int]] = {}
        for number in Document.objects.filter(seller=series.seller_id, kind=series.kind).values_list(
            "number", flat=True
        ):
            match = re.fullmatch(pattern, number)
            if match:
                fields = match.groupdict()
                used.setdefault(int(fields.get("year") or 0), []).append(int(fields["number"]))
        for year, numbers in used.items():
            numbers.sort()
            if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                yield f"{series.kind} {year or ''}: the numbers have a gap between {numbers[0]} and {numbers[-1]}."
