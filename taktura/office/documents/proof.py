"""Why a line has its amount: line → charge → rule with its numbers → usage records → imported row → file."""

import base64
import json
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from taktura.billing.explain import Explanation, Price, explain
from taktura.core.errors import Refused
from taktura.core.money import Money, plain
from taktura.invoices.queries import credited
from taktura.office import show
from taktura.office.documents.detail import document_of
from taktura.office.page import page
from taktura.office.usage.parts import discount, rate_of
from taktura.usage.store import rows_behind, totals_behind

PAGE = 50


@page("documents.view")
def document_line(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """A line's calculation step by step, and the records that were summed."""
    document = document_of(request, pk)
    try:
        found = explain(document, position)
    except Refused as refused:
        raise Http404 from refused
    return render(
        request,
        "documents/line.html",
        {
            "document": document,
            "found": found,
            "line": found.line,
            "rule": _(found.rule) if found.rule else "",
            "steps": found.texts(show.language(), lambda value: shown(value, document.currency)),
            "taken": credited([found.line.pk]).get(found.line.pk, 0),
            **_usage(request, found),
        },
    )


def shown(value: object, currency: str = "EUR") -> str:
    """A step's value as the reader writes it; a fraction that does not end also as it is."""
    if isinstance(value, Fraction):
        number = plain(value)
        text = show.price(number, currency) if isinstance(value, Price) else show.quantity(number)
        return text if Fraction(number) == value else f"{value} ≈ {text}"
    if isinstance(value, Money):
        return show.plain_amount(value.minor, currency)
    if isinstance(value, date):
        return show.day(value)
    return show.count(value) if isinstance(value, int) else str(value)


def _usage(request: HttpRequest, found: Explanation) -> dict[str, Any]:
    if found.behind is None:
        return {}
    number, totals = totals_behind(found.behind)
    after = _place(request.GET.get("after", ""))
    rows = rows_behind(found.behind, after=after, most=PAGE + 1)
    more, rows = len(rows) > PAGE, rows[:PAGE]
    for row in rows:
        row["last"] = row["end_day"] - timedelta(days=1)
        row["billed"] = found.billed_seconds(row["seconds"])
        row["discount_shown"], row["rate"] = discount(row["discount"]), rate_of(row)
    names = [n for n, total in totals.items() if total is not None or any(row[n] is not None for row in rows)]
    return {
        "number": number,
        "names": names,
        "totals": {name: show.NONE if total is None else shown(Fraction(total)) for name, total in totals.items()},
        "rows": rows,
        "ticked": found.proof["seconds"] if found.proof.get("tick_scope") == "record" else None,
        "after": _cursor(rows[-1]) if more else "",
        "first_page": after is None,
    }


def _cursor(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["day"].isoformat(), row["revised"]]).encode()).decode()


def _place(text: str) -> tuple[date, int] | None:
    """Where a page begins; what somebody made up counts as the beginning."""
    try:
        day, revised = json.loads(base64.urlsafe_b64decode(text))
        return date.fromisoformat(day), int(revised)
    except (ValueError, TypeError):
        return None
