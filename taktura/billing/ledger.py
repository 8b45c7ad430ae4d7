"""Charges between the database and the core."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from django.db import connection

from taktura.core.facts import Charge, Key, Rate
from taktura.core.money import fraction_text
from taktura.core.periods import parse_span
from taktura.kit.bulk import copy_rows, take_ids

COLUMNS = (
    "id",
    "contract_id",
    "line_id",
    "kind",
    "key_start",
    "phase_start",
    "keyed_by_vat",
    "vat_category",
    "vat_rate",
    "first",
    "end",
    "amount",
    "quantity",
    "unit_price",
    "rate_start",
    "rate_end",
    "rate_price",
    "rate_quantity",
    "rate_spans",
    "rate_span",
    "rate_day",
    "credits",
    "by_hand",
    "rebill",
    "shares",
    "proof",
    "document_id",
    "document_line_id",
)

_LOAD = f"""
SELECT {", ".join('c."' + name + '"' for name in COLUMNS if name not in ("proof",))}
FROM unnest(%s::bigint[], %s::date[]) AS f(contract, floor)
JOIN billing_charge c ON c.contract_id = f.contract AND c.key_start >= f.floor ORDER BY c.id
"""


def load_charges(floors: Mapping[int, date]) -> tuple[dict[int, list[Charge]], dict[int, int]]:
    """The issued charges of contracts whose key starts on or after a day of each, and each charge's document line."""
    found: dict[int, list[Charge]] = defaultdict(list)
    lines: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [list(floors), list(floors.values())])
        for row in cursor.fetchall():
            found[row[1]].append(charge_of(row))
            lines[row[0]] = row[-1]
    return found, lines


def charge_of(row: Sequence[Any], proof: Any = None) -> Charge:
    """A stored charge as the core has it; its proof is left out, unless it is given as it is stored."""
    (
        pk,
        _,
        line,
        kind,
        key_start,
        phase,
        by_vat,
        category,
        rate,
        first,
        end,
        amount,
        quantity,
        unit_price,
        rate_start,
        rate_end,
        price,
        rate_quantity,
        spans,
        span,
        counted_on,
        credits,
        by_hand,
        rebill,
        shares,
        document,
        _,
    ) = row
    vat = (category, rate)
    cost = None
    if rate_start is not None:
        span_of = parse_span(span) if span else None
        cost = Rate(rate_start, rate_end, Fraction(price), rate_quantity, spans, span_of, counted_on)
    return Charge(
        key=Key(line, kind, key_start, phase, vat if by_vat else None),
        first=first,
        end=end,
        amount=amount,
        vat=vat,
        quantity=quantity,
        unit_price=unit_price,
        rate=cost,
        credits=credits,
        by_hand=by_hand,
        rebill=rebill,
        id=pk,
        document=document,
        shares=tuple((c, s) for c, s in _json(shares) or ()),
        proof=_json(proof) or {},
    )


def write_charges(rows: Sequence[tuple[int, Charge, int, int]]) -> None:
    """Write charges: (contract, charge, document, document line) each."""
    ids = take_ids("billing_charge", len(rows))
    copy_rows("billing_charge", COLUMNS, (_row(pk, *row) for pk, row in zip(ids, rows, strict=True)))


def _row(pk: int, contract: int, charge: Charge, document: int, document_line: int) -> tuple[Any, ...]:
    key, rate = charge.key, charge.rate
    return (
        pk,
        contract,
        key.line,
        key.kind,
        key.start,
        key.phase,
        key.vat is not None,
        charge.vat[0],
        charge.vat[1],
        charge.first,
        charge.end,
        charge.amount,
        charge.quantity,
        charge.unit_price,
        rate.start if rate else None,
        rate.end if rate else None,
        fraction_text(rate.price) if rate else None,
        rate.quantity if rate else None,
        rate.spans if rate else 1,
        str(rate.span) if rate and rate.span else None,
        rate.day if rate else None,
        charge.credits,
        charge.by_hand,
        charge.rebill,
        [list(s) for s in charge.shares] or None,
        dict(charge.proof),
        document,
        document_line,
    )


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    return value
