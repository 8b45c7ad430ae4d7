"""Usage files: loading one, what became of it, what of it could not be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.billing.imports import read_again as start_again
from taktura.billing.imports import start_reading
from taktura.billing.services import read_file, receive_file, reprocess, undo_file
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.services import Issued
from taktura.kit.jobs.queries import is_left
from taktura.kit.language import translate
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, user_of
from taktura.office.templatetags.office import state
from taktura.office.usage.parts import MEANS, Tab, match_in_background, supplier_filter, tabs
from taktura.usage.groups import REASONS
from taktura.usage.models import FileProblem, UsageFile
from taktura.usage.overview import (
    count_problems,
    known_file,
    repeating,
    state_of,
    text_of,
    waiting_of_file,
    with_problems,
)
from taktura.usage.queries import lacks_undone
from taktura.usage.reader import ENDINGS, Mapping
from taktura.usage.services import Received
from taktura.usage.trace import content_of, problem_text
from taktura.usage.unpriced import unpriced_of_file

MEGABYTE = 1_000_000
MOST_BYTES = 100 * MEGABYTE  # that a browser may send; the command line takes more
AT_ONCE = 5 * MEGABYTE  # a larger file is read in the background
ACCEPTED = ",".join(ENDINGS)
NAMED = 5  # files that a message names


class FileForm(forms.Form):
    """A supplier's file."""

    supplier = forms.ChoiceField(label=lazy("Supplier"))
    file = forms.FileField(
        label=lazy("File"), widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
        help_text=lazy("CSV or text with any delimiter, XLSX or Parquet, also packed as gzip or zip; at most 100 MB."),
        allow_empty_file=True,
    )  # fmt: skip

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        self.suppliers = {str(s.pk): s for s in seller.suppliers.select_related("seller").order_by("name")}
        known = [(pk, s.name) for pk, s in self.suppliers.items()]
        self.fields["supplier"].choices = known  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        """A file of bearable size; of its name only the last part counts."""
        sent = self.cleaned_data["file"]
        if not sent.name.lower().endswith(ENDINGS):
            raise forms.ValidationError(
                _("Files that end in %(endings)s can be loaded.") % {"endings": ", ".join(ENDINGS)}
            )
        if sent.size > MOST_BYTES:
            too_large = _("The file has more than %(most)s MB: split it, or load it by the command import-usage.")
            raise forms.ValidationError(too_large % {"most": MOST_BYTES // MEGABYTE})
        return sent


def file_name(sent: str) -> str:
    """The last part of a name, without what no name holds: neither a path nor a control character gets through."""
    last = sent.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable()).strip(". ")[:200] or "file"


@page("usage.change")
def new(request: HttpRequest) -> HttpResponse:
    """Load a file of a supplier."""
    seller = seller_of(request)
    form = FileForm(
        request.POST or None, request.FILES or None, seller=seller,
        initial={"supplier": request.GET.get("supplier", "")},
    )  # fmt: skip
    known = None
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        supplier, content = form.suppliers[form.cleaned_data["supplier"]], sent.read()
        name, actor = file_name(sent.name), actor_of(request)
        try:
            if len(content) > AT_ONCE and (known := known_file(supplier, content)) is None:
                work = start_reading(actor, supplier=supplier, name=name, content=content)
                messages.info(request, _("The file is large: it is kept, and read in the background."))
                return redirect("usage_file", work.parameters["file"])
            received, issued = receive_file(actor, supplier=supplier, name=name, content=content)
        except Refused as refused:
            add_refusal(form, refused, {"": "file"})
            known = known or known_file(supplier, content)
        else:
            assert received.file is not None
            _say_received(request, received, issued)
            return redirect("usage_file", received.file.pk)
    context = {
        "form": form, "known": known, "title": _("Load a usage file"), "back": reverse("usage_files"),
        "parent": _("Usage"), "action": _("Load"),
    }  # fmt: skip
    return render(request, "usage/import.html", context, status=422 if form.errors else 200)


def _say_received(request: HttpRequest, received: Received, issued: list[Issued]) -> None:
    waiting = received.file.waiting if received.file else 0
    _say(request, received.outcome.recorded, len(issued), waiting, len(received.problems))


def _say(request: HttpRequest, recorded: int, issued: int, waiting: int = 0, unread: int = 0) -> None:
    """What became of the rows; it is no success that some wait or cannot be read."""
    text = ngettext("%(count)s record found its line.", "%(count)s records found their line.", recorded)
    said = [text % {"count": show.count(recorded)}]
    if waiting:
        text = ngettext("%(count)s record waits.", "%(count)s records wait.", waiting)
        said.append(text % {"count": show.count(waiting)})
    if unread:
        text = ngettext("%(count)s row was not taken in.", "%(count)s rows were not taken in.", unread)
        said.append(text % {"count": show.count(unread)})
    (messages.warning if waiting or unread or not recorded else messages.success)(request, " ".join(said))
    if issued:
        text = ngettext("%(count)s interim bill was issued.", "%(count)s interim bills were issued.", issued)
        messages.info(request, text % {"count": show.count(issued)})


@page("usage.view")
def files(request: HttpRequest) -> HttpResponseBase:
    """All files, the last first."""
    seller = seller_of(request)
    rows = UsageFile.objects.filter(supplier__seller=seller).select_related("supplier").defer("content")
    return list_page(
        request,
        Listing(
            slug="usage_files", title=_("Usage files"), rows=rows, columns=list(_columns(seller)), order="-received",
            filters=[
                supplier_filter(seller),
                Filter(
                    name="problems", label=_("Problems"), choices=[("1", _("With problems"))],
                    apply=lambda found, value: with_problems(found),
                ),
                Filter(
                    name="unread", label=_("Read"), choices=[("1", _("Not read"))],
                    apply=lambda found, value: found.filter(read_at__isnull=True),
                ),
            ],
            search=lambda found, text: text_of(found, text, "name"), search_label=_("Name of the file"),
            prepare=count_problems, link=lambda f: reverse("usage_file", args=[f.pk]),
            primary=Link(
                label=_("Load a usage file"), url=reverse("usage_import"), permission="usage.change", icon="upload"
            ),
            links=[Link(label=_("Not loaded"), url=f"{reverse('refused_files')}?state=open", icon="circle-x")],
            empty_title=_("No file yet"),
            empty_text=_("A file is kept unchanged. Each of its rows finds its contract line, or waits and says why."),
            template="usage/list.html", more={"usage_tabs": tabs("usage_files")},
        ),
    )  # fmt: skip


def _columns(seller: Seller) -> Iterator[Column]:
    yield Column(name="name", label=_("File"), value=lambda f: f.name, sort="name")
    yield Column(
        name="state", label=_("State"), value=lambda f: state("usage_file", state_of(f)),
        raw=lambda f: show.word("usage_file", state_of(f)),
    )  # fmt: skip
    yield Column(
        name="supplier", label=_("Supplier"), value=lambda f: f.supplier.name, sort="supplier__name", narrow=True
    )
    yield Column(
        name="received", label=_("Received"), value=lambda f: show.moment(f.received_at, seller.time_zone),
        raw=lambda f: f.received_at, sort="received_at",
    )  # fmt: skip
    yield Column(
        name="days", label=_("Days covered"), narrow=True,
        value=lambda f: show.period(f.first_day, f.end_day) if f.first_day else show.NONE,
    )  # fmt: skip
    for name, label, shown in (
        ("rows", _("Rows"), True), ("recorded", _("Recorded"), True), ("waiting", _("Waiting"), True),
        ("duplicates", _("Duplicates"), False), ("conflicts", _("Conflicts"), False),
    ):  # fmt: skip
        number = attrgetter(name)
        yield Column(
            name=name, label=label, value=_counted(name), sort=name, numeric=True, raw=number, shown=shown,
            narrow=name != "waiting",
        )  # fmt: skip


def _counted(name: str) -> Callable[[Any], str]:
    return lambda row: show.count(getattr(row, name))


def find(request: HttpRequest, pk: int) -> Any:
    """The seller's file without its content, with the number of its problems, or 404."""
    rows = UsageFile.objects.select_related("supplier").filter(supplier__seller=seller_of(request)).defer("content")
    found = get_object_or_404(rows, pk=pk)
    count_problems([found])
    return found


def _frame(file: Any, active: str) -> dict[str, Any]:
    pk = file.pk
    records = f"{reverse('usage_records')}?file={pk}"
    return {
        "file": file,
        "file_state": state_of(file),
        "tabs": [
            Tab(_("Overview"), reverse("usage_file", args=[pk]), None, active == "usage_file"),
            Tab(_("Problems"), reverse("usage_file_problems", args=[pk]), file.problem_count, active != "usage_file"),
            Tab(_("Records"), records, None, False),
        ],
        "records_url": records,
    }


@page("usage.view")
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of a file."""
    found = find(request, pk)
    counts, now, unpriced = waiting_of_file(found), state_of(found), unpriced_of_file(found)
    refused = found.work.result.get("refused") if found.work is not None and now == "failed" else None
    context = {
        **_frame(found, "usage_file"),
        "steps": list(_steps(found, unpriced)),
        "unpriced": unpriced,
        "may_undo": found.undone_at is None and found.recorded + found.waiting > 0,
        "may_read": found.emptied_at is None
        and (now in ("undone", "empty", "unread", "failed") or lacks_undone(found)),
        "may_stop": now == "reading" and not found.work.stop_requested and user_of(request).may("usage.change"),
        "work": found.work,
        "no_worker": now == "reading" and is_left(found.work, actor_of(request).now),
        "refused": translate(refused["text"], refused["values"], show.language()) if refused else "",
        "waits": [(reason, counts[reason], *MEANS[reason]) for reason in REASONS if counts.get(reason)],
        "without_ids": bool(found.conflicts) and _made_id(found),
        "partly": found.recorded + found.waiting - _taken(found),
        "first": [(p, problem_text(p, show.language())) for p in _problems(found).order_by("line", "pk")[:5]],
    }
    return render(request, "usage/file.html", context)


MADE_OF = 3  # signs that part what an id is made of


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an import: what it did, in numbers, and whether all went well."""

    title: str
    numbers: list[tuple[str, int]]
    good: bool
    name: str = ""
    reached: bool = True


def _steps(file: Any, unpriced: int = 0) -> Iterator[Step]:
    """Kept, read, processed, matched."""
    yield Step(_("Kept"), [], True, "kept")
    if state_of(file) in ("reading", "unread", "failed"):
        told = file.work.result.get("step", "") if file.work is not None and file.work.is_open else ""
        titles = (("read", _("Read")), ("process", _("Processed")), ("match", _("Matched")), ("ready", _("Stored")))
        reached = [name for name, _title in titles].index(told) if told in dict(titles) else -1
        for number, (name, title) in enumerate(titles):
            yield Step(title, [], number < reached, name, number <= reached)
        return
    unread = max(file.problem_count - file.conflicts, 0)
    read = [(_("Rows"), file.rows), (_("Not readable"), unread), (_("Left out by a condition"), file.skipped),
            (_("Further legs of calls"), file.merged)]  # fmt: skip
    taken = _taken(file)
    yield Step(_("Read"), read, not unread and bool(taken + file.duplicates + file.conflicts))
    processed = [(_("New or replaced"), taken), (_("Duplicates"), file.duplicates), (_("Conflicts"), file.conflicts)]
    yield Step(_("Processed"), processed, not file.conflicts and bool(taken + file.duplicates))
    waiting = sum(waiting_of_file(file).values())
    matched = [(_("Wait now"), waiting), *([(_("Without price or cost"), unpriced)] if unpriced else [])]
    there = bool(taken + file.duplicates + file.conflicts)
    yield Step(_("Matched"), matched, not waiting and not unpriced and there)


def _taken(file: Any) -> int:
    """How many rows are new or replaced; one of which only a part waits is recorded, and waits, too."""
    unread = max(file.problem_count - file.conflicts, 0)
    return int(min(file.recorded + file.waiting, file.rows - unread - file.duplicates - file.conflicts))


def _made_id(file: UsageFile) -> bool:
    """Whether its rows are known by subscription, product and period, since nothing in them is an id."""
    mapping = Mapping.from_dict(file.mapping)
    one = _problems(file).filter(code="conflict").first()
    if one is None or mapping.number_repeats or mapping.columns.keys() & {"id", "call_id"}:
        return False
    return one.value.count("|") >= MADE_OF


@page("usage.change")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the records of a file out again."""
    found = find(request, pk)
    try:
        count = undo_file(actor_of(request), file=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        text = ngettext("%(count)s record was taken out.", "%(count)s records were taken out.", count)
        messages.success(request, text % {"count": show.count(count)})
        if names := list(repeating(found)[:NAMED].values_list("name", flat=True)):
            text = _(
                "These files counted duplicates, perhaps of rows that were taken out now, and do not bring them by"
                " themselves: %(files)s. Read them again: what they lack is taken in, and nothing twice."
            )
            messages.warning(request, text % {"files": ", ".join(names)})
    return redirect("usage_file", pk)


@page("usage.change")
@require_POST
def read_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a kept file once more by the supplier's present mapping: one that was undone, or of which nothing was
    read."""
    found = find(request, pk)
    actor = actor_of(request)
    try:
        if len(content_of(found)) > AT_ONCE:
            start_again(actor, file=found)
            return redirect("usage_file", pk)
        received, issued = read_file(actor, file=found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        _say_received(request, received, issued)
    return redirect("usage_file", pk)


@page("usage.change")
@require_POST
def match_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Match what waits of the file's supplier again; much of it in the background."""
    found = find(request, pk)
    if begun := match_in_background(request, found.supplier, redirect("usage_file", pk)):
        return begun
    outcome, issued = reprocess(actor_of(request), supplier=found.supplier)
    _say(request, outcome[0], len(issued))
    return redirect("usage_file", pk)


def _problems(file: UsageFile) -> QuerySet[FileProblem]:
    return FileProblem.objects.filter(file=file)


@page("usage.view")
def problems(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rows of a file that could not be taken in, and why."""
    found, language = find(request, pk), show.language()
    columns = [
        Column(
            name="line", label=_("Line of the file"), value=lambda p: p.line or show.NONE, raw=lambda p: p.line,
            sort="line", empty=0, numeric=True,
        ),
        Column(name="column", label=_("Column"), value=lambda p: p.column or show.NONE, sort="column", narrow=True),
        Column(name="value", label=_("Value"), value=lambda p: p.value or show.NONE, narrow=True),
        Column(name="text", label=_("What is wrong and what to do"), value=lambda p: problem_text(p, language)),
    ]  # fmt: skip
    codes = _problems(found).order_by("code").values_list("code", flat=True).distinct()
    return list_page(
        request,
        Listing(
            slug="usage_problems", title=_("Problems"), rows=_problems(found), columns=columns, order="line",
            filters=[
                Filter(
                    name="code", label=_("Kind"), choices=[(c, show.word("file_problem", c)) for c in codes],
                    apply=lambda rows, value: rows.filter(code=value),
                )
            ],
            menu=lambda p: _ways(found, p),
            empty_title=_("No problems"), empty_text=_("Every row of the file could be read."),
            template="usage/file_problems.html", more=_frame(found, "usage_file_problems"),
        ),
    )  # fmt: skip


MENDED_BY_MAPPING = {
    "missing_column", "double_column", "bad_number", "bad_date", "bad_duration", "bad_discount", "bad_expression",
    "bad_encoding", "bad_line", "bad_currency", "too_long", "no_quantity", "no_subscription_id", "no_date", "no_rows",
}  # fmt: skip


def _ways(file: Any, problem: FileProblem) -> Iterator[Link]:
    """What can be done about a problem, each one click away."""
    if problem.code == "conflict":
        yield Link(
            label=_("Show the stored record"), url=f"{reverse('usage_records')}?{urlencode({'q': problem.value})}"
        )
    if problem.code in MENDED_BY_MAPPING:
        yield Link(
            label=_("Change the mapping"), url=reverse("supplier_change", args=[file.supplier_id]),
            permission="usage.change", icon="edit",
        )  # fmt: skip
    yield Link(
        label=_("Load a corrected file"), url=f"{reverse('usage_import')}?supplier={file.supplier_id}",
        permission="usage.change", icon="upload",
    )  # fmt: skip


@page("usage.view")
def content(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was received, byte by byte."""
    found = find(request, pk)
    try:
        sent = content_of(found)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("usage_file", pk)
    disposition = content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
    return HttpResponse(sent, content_type="application/octet-stream", headers={"Content-Disposition": disposition})
