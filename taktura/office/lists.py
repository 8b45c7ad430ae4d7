"""List pages: filters and sorting that live in the address, sums of all that the filter finds, keyset paging, actions
on a selection, export. A page says what it lists (`Listing`); `list_page` does the rest with a fixed number of queries.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Count, DecimalField, F, Field, Model, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from taktura.accounts.models import User
from taktura.kit.exact import to_json
from taktura.kit.fields import ExactField
from taktura.office import show
from taktura.office.exports import CSV, XLSX, as_csv, as_xlsx, plain, stream_csv
from taktura.office.page import may_open, today_of, user_of, zone_of
from taktura.office.typed import read_day

PAGE = 50
MOST_EXPORTED = 100_000
PART = 2_000  # rows of a file that are read and prepared at a time
MOST_SAVED = 20
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?")  # as a cursor has it

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `value` gives what a cell shows (text or safe HTML), `raw` what is exported (else the same).

    `sort`: the field or annotation by which it is sorted; `empty` stands for nothing there, so that paging works.
    `sums`: a field of whole minor units that is summed over the whole filter, by `currency`.
    """

    name: str
    label: str
    value: Callable[[Any], Any]
    raw: Callable[[Any], Any] | None = None
    sort: str = ""
    empty: Any = None
    numeric: bool = False
    sums: str = ""
    currency: str = "currency"
    shown: bool = True
    narrow: bool = False  # on a phone it is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter in the address. `choices`: value and word; else a day or a text is typed. `apply` narrows the rows."""

    name: str
    label: str
    apply: Callable[[Rows, Any], Rows]
    choices: Sequence[tuple[str, str]] = ()
    is_day: bool = False
    is_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something done to the selected rows, or to all that the filter finds. `run` answers with a page or a redirect."""

    name: str
    label: str
    permission: str
    run: Callable[[HttpRequest, Rows], HttpResponse]
    icon: str = "check"
    confirm: str = ""  # asked before; says what is taken away


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A way to another page; `danger` marks a destructive one. Shown only to those with the permission."""

    label: str
    url: str
    permission: str = ""
    icon: str = ""
    danger: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list page shows. `order` is the column sorted by at first, `-name` downwards.

    `search` narrows by a text; `prepare` adds to the rows of a page what cells need, in a fixed number of queries.
    A workbook has `most` rows, a CSV all; of rows each of which is `worked_out` a CSV has no more, either.
    `most_counted`: of more rows than that only this is said (0: all are counted).
    `totals`: other sums of all that the filter finds, as texts by column; not asked for beyond `most_counted`.
    `tone` gives a row a class of its own: `unlinked`. `kept`: parameters of the address that stay when one filters.
    """

    slug: str
    title: str
    rows: Rows
    columns: Sequence[Column]
    order: str
    filters: Sequence[Filter] = ()
    search: Callable[[Rows, str], Rows] | None = None
    search_label: str = ""
    prepare: Callable[[list[Any]], None] | None = None
    link: Callable[[Any], str] | None = None
    menu: Callable[[Any], Iterable[Link]] | None = None
    primary: Link | None = None
    links: Sequence[Link] = ()
    actions: Sequence[Action] = ()
    empty_title: str = ""
    empty_text: str = ""
    most: int = MOST_EXPORTED
    worked_out: bool = False
    most_counted: int = 0
    totals: Callable[[Rows], Mapping[str, str]] | None = None
    tone: Callable[[Any], str] | None = None
    kept: Sequence[str] = ()
    template: str = "office/list.html"
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Shown:
    """The state of a list page, as its template needs it."""

    rows: list[Any]
    before: str | None
    after: str | None


def list_page(request: HttpRequest, listing: Listing) -> HttpResponseBase:
    """Answer for a list page: the page, its table alone (htmx), an export, or an action."""
    user = user_of(request)
    found = _filtered(request, listing)
    if request.method == "POST":
        return _act(request, listing, found, user)
    columns = _columns(request, listing, user)
    sort = _sort(request, listing)
    form = request.GET.get("export")
    if form in (CSV, XLSX):
        return _export(listing, columns, _ordered(listing, found, sort), form, zone_of(request))
    shown = _shown(request, listing, found, sort)
    if listing.prepare is not None:
        listing.prepare(shown.rows)
    number, sums = _totals(found, columns, listing.most_counted)
    more = bool(listing.most_counted) and number > listing.most_counted
    if listing.totals is not None and number and not more:
        sums |= {name: [text] for name, text in listing.totals(found).items()}
    context = {
        "listing": listing,
        "searchable": listing.search is not None,  # a template would call the function
        "columns": columns,
        "sort": sort,
        "number": number - more,
        "more_than": more,
        "is_cut": number > listing.most or more,
        "sums": sums,
        "shown": shown,
        "table": _table(listing, columns, shown.rows, user),
        "filters": [_filter_state(request, f) for f in listing.filters],
        "kept": [(name, request.GET[name]) for name in listing.kept if request.GET.get(name)],
        "filtered": any(request.GET.get(n) for n in ("q", *listing.kept, *(f.name for f in listing.filters))),
        "actions": [a for a in listing.actions if user.may(a.permission)],
        "links": visible(listing.links, user),
        "primary": next(iter(visible([listing.primary] if listing.primary else [], user)), None),
        "saved": _preferences(user, listing).get("saved", []),
        **listing.more,
    }
    part = request.headers.get("HX-Target") == "list"
    return render(request, "office/list_table.html" if part else listing.template, context)


def visible(links: Iterable[Link], user: User) -> list[Link]:
    """The links that a user may follow."""
    return [x for x in links if not x.permission or user.may(x.permission)]


def _filtered(request: HttpRequest, listing: Listing) -> Rows:
    found = listing.rows
    text = request.GET.get("q", "").strip().replace("\0", "")
    if text and listing.search is not None:
        found = listing.search(found, text)
    for one in listing.filters:
        value: Any = request.GET.get(one.name, "").strip().replace("\0", "")
        if one.is_day:
            value = read_day(value, show.language(), today_of(request)) if value else None
        elif not one.is_text and value not in {v for v, _word in one.choices}:
            value = ""
        if value:
            found = one.apply(found, value)
    return found


def _filter_state(request: HttpRequest, one: Filter) -> dict[str, Any]:
    return {"filter": one, "value": request.GET.get(one.name, "")}


def _sort(request: HttpRequest, listing: Listing) -> str:
    wanted = request.GET.get("sort", "")
    known = {c.name for c in listing.columns if c.sort}
    return wanted if wanted.removeprefix("-") in known else listing.order


def _ordered(listing: Listing, found: Rows, sort: str) -> Rows:
    """The rows in order; the sorted value of each is `sorted_by`, never null."""
    column = next(c for c in listing.columns if c.name == sort.removeprefix("-"))
    by: Any = F(column.sort)
    if column.empty is not None:
        by = Coalesce(by, Value(column.empty, output_field=_type_of(found, column.sort)))
    down = "-" if sort.startswith("-") else ""
    ordered: Rows = found.annotate(sorted_by=by).order_by(f"{down}sorted_by", f"{down}pk")
    return ordered


def _type_of(found: Rows, sort: str) -> "Field[Any, Any]":
    """The kind of what is sorted by: an annotation's, else that of a field, perhaps of a related row."""
    if sort in found.query.annotations:
        kind: Field[Any, Any] = found.query.annotations[sort].output_field
        return kind
    model: Any = found.model
    *way, last = sort.split("__")
    for name in way:
        model = model._meta.get_field(name).related_model
    field: Field[Any, Any] = model._meta.get_field(last)
    return field


def _shown(request: HttpRequest, listing: Listing, found: Rows, sort: str) -> _Shown:
    """One page of the rows, after or before a cursor."""
    ordered = _ordered(listing, found, sort)
    after, before = _read(request.GET.get("after")), _read(request.GET.get("before"))
    down = sort.startswith("-")
    if before is not None:
        rows = list(_beyond(ordered, before, down=not down).reverse()[: PAGE + 1])
        more = len(rows) > PAGE
        rows = rows[:PAGE][::-1]
        return _Shown(rows, _cursor(rows[0]) if more and rows else None, _cursor(rows[-1]) if rows else None)
    if after is not None:
        ordered = _beyond(ordered, after, down=down)
    rows = list(ordered[: PAGE + 1])
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    return _Shown(rows, _cursor(rows[0]) if after and rows else None, _cursor(rows[-1]) if more else None)


def _beyond(ordered: Rows, cursor: list[Any], *, down: bool) -> Rows:
    value, pk = cursor
    step = "lt" if down else "gt"
    number = isinstance(ordered.query.annotations["sorted_by"].output_field, DecimalField | ExactField)
    if number and not PLAIN_NUMBER.fullmatch(str(value)):
        return ordered
    try:  # the first condition tells an index where to begin
        bound = ordered.filter(**{f"sorted_by__{step}e": value})
        return bound.filter(Q(**{f"sorted_by__{step}": value}) | Q(**{f"pk__{step}": pk}))
    except (ValueError, TypeError):
        return ordered  # a cursor that somebody made up, or of another order
    except Exception as error:
        if type(error).__name__ == "ValidationError":
            return ordered
        raise


def _cursor(row: Model) -> str:
    text = json.dumps([to_json(row.sorted_by), row.pk])  # type: ignore[attr-defined]
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read(cursor: str | None) -> list[Any] | None:
    if not cursor:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, RecursionError):
        return None
    usable = isinstance(found, list) and len(found) == 2 and isinstance(found[1], int)
    return found if usable and isinstance(found[0], str | int | bool) and can_be_kept(str(found[0])) else None


def can_be_kept(text: str) -> bool:
    """Whether the database knows all characters of a text: not NUL, not half a character."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _totals(found: Rows, columns: Sequence[Column], most: int) -> tuple[int, dict[str, list[str]]]:
    """How many rows the filter finds (at most one more than `most`), and the sums of its money columns by currency; in
    one query."""
    summed = [c for c in columns if c.sums]
    if not summed:
        return (found.order_by()[: most + 1] if most else found).count(), {}
    currency = summed[0].currency
    rows = found.order_by().values(currency).annotate(
        number_of_rows=Count("*"), **{f"sum_{c.name}": Sum(c.sums) for c in summed}
    )  # fmt: skip
    number, sums = 0, {c.name: list[str]() for c in summed}
    for row in sorted(rows, key=lambda r: -r["number_of_rows"]):
        number += row["number_of_rows"]
        for c in summed:
            sums[c.name].append(show.minor(row[f"sum_{c.name}"] or 0, row[currency]))
    return number, sums


def _table(listing: Listing, columns: Sequence[Column], rows: Sequence[Any], user: User) -> list[dict[str, Any]]:
    """The rows as the template needs them. All lead to the same page: the first tells whether it is open."""
    linked = bool(listing.link and rows and may_open(user, listing.link(rows[0])))
    return [_row(listing, columns, row, user, linked) for row in rows]


def _row(listing: Listing, columns: Sequence[Column], row: Any, user: User, linked: bool) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "row": row,
        "url": listing.link(row) if listing.link and linked else "",
        "cells": [(c, c.value(row)) for c in columns],
        "menu": visible(listing.menu(row), user) if listing.menu else [],
        "tone": listing.tone(row) if listing.tone else "",
    }


def _columns(request: HttpRequest, listing: Listing, user: User) -> list[Column]:
    """The columns chosen; a choice in the address is remembered."""
    known = {c.name: c for c in listing.columns}
    if "columns" in request.GET:
        chosen = [n for n in request.GET.getlist("columns") if n in known]
        if chosen:
            remember(user, listing.slug, "columns", chosen)
    else:
        chosen = [n for n in _preferences(user, listing).get("columns", []) if n in known]
    if not chosen:
        return [c for c in listing.columns if c.shown]
    return [c for c in listing.columns if c.name in chosen]


def _preferences(user: User, listing: Listing) -> dict[str, Any]:
    found: dict[str, Any] = user.preferences.get(listing.slug, {})
    return found


def remember(user: User, slug: str, name: str, value: Any) -> None:
    """Keep what a user chose on a list page."""
    before = user.preferences.get(slug, {})
    if before.get(name) != value:
        user.preferences = {**user.preferences, slug: {**before, name: value}}
        user.save(update_fields=["preferences"])


def save_filter(user: User, slug: str, name: str, query: str) -> None:
    """Keep the filter of a list page under a name; an empty query takes it away."""
    saved = [s for s in user.preferences.get(slug, {}).get("saved", []) if s["name"] != name]
    if query:
        saved.append({"name": name[:60], "query": query[:2000]})
    remember(user, slug, "saved", saved[-MOST_SAVED:])


def _act(request: HttpRequest, listing: Listing, found: Rows, user: User) -> HttpResponse:
    from django.core.exceptions import PermissionDenied

    action = next((a for a in listing.actions if a.name == request.POST.get("action")), None)
    if action is None or not user.may(action.permission):
        raise PermissionDenied
    if request.POST.get("all") != "1":
        chosen = [int(pk) for pk in request.POST.getlist("chosen") if pk.isdecimal()]
        found = found.filter(pk__in=chosen)
    return action.run(request, found)


def _export(listing: Listing, columns: Sequence[Column], ordered: Rows, form: str, zone: str) -> HttpResponseBase:
    """The list as a file: at once where it is short; else a CSV is sent while it is read, and a workbook is cut."""
    # A cell of a file is a plain number: what it is an amount of has to stand beside it.
    columns = [*columns, *(c for c in listing.columns if c.name == "currency" and c not in columns)]
    heads, is_csv = [str(c.label) for c in columns], form == CSV
    most = listing.most if listing.worked_out or not is_csv else None
    few = list(ordered[: PART + 1])
    is_long = len(few) > PART
    rows = _read_all(ordered if most is None else ordered[: most + 1]) if is_long else few
    cells = _cells(listing, columns, rows, zone, most, get_language())
    if is_csv:
        return (stream_csv if is_long else as_csv)(listing.slug, heads, cells, zone)
    return as_xlsx(listing.slug, heads, cells, zone, many=is_long)


def _read_all(rows: Rows) -> Iterator[Any]:
    """Any number of rows by one query, of which the database gives some at a time."""
    with transaction.atomic():  # outside of one it would write all of them into a file of its own first
        yield from rows.iterator(chunk_size=PART)


def _cells(
    listing: Listing, columns: Sequence[Column], rows: Iterable[Any], zone: str, most: int | None, language: str | None
) -> Iterator[list[Any]]:
    """The cells of rows, which are prepared in parts; behind `most` of them it is said that there are more. They are
    worked out when the page has been answered: in the `language` of who asked."""
    left, given = most, iter(rows)
    while part := list(islice(given, PART)):
        cut = left is not None and len(part) > left
        part = part[:left] if cut else part
        left = None if left is None else left - len(part)
        with translation.override(language):
            if listing.prepare is not None and part:
                listing.prepare(part)
            cells = [[plain((c.raw or c.value)(row), zone) for c in columns] for row in part]
            if cut:
                cells.append([_cut(listing), *[None] * (len(columns) - 1)])
        yield from cells
        if cut:
            return


def _cut(listing: Listing) -> str:
    if listing.worked_out:
        text = _("Only the first %(count)s rows are here. Narrow the list by its filters to have the others.")
    else:
        text = _("Only the first %(count)s rows are here. Save the list as CSV to have all of them.")
    return text % {"count": show.count(listing.most)}


def yes_no(value: bool) -> str:
    """Yes or no."""
    return _("Yes") if value else _("No")
