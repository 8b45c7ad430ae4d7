"""Beginning a tariff: a draft to go on with, a simple one that is offered at once, or a copy of one that is there."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.billing.services import publish_draft
from taktura.catalog import drafts
from taktura.catalog.models import Tariff, TariffDraft
from taktura.catalog.modules import key_called
from taktura.catalog.queries import version_in_force
from taktura.core.errors import Refused
from taktura.core.periods import parse_span
from taktura.office import show
from taktura.office.forms import CurrencyField, ExactNumberField, add_refusal
from taktura.office.lines import TypedLines, adds_a_line, lines_alone, lines_of
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.tariffs.detail import find
from taktura.office.terms import every

ROWS = 2  # empty lines of a new tariff
INTERVALS = ("1 month", "3 months", "6 months", "1 year", "1 week")
NOTICES = ("none", "monthly", "yearly")
AT_ONCE = "publish"  # the button that makes the tariff without a draft to go on with


class BeginForm(forms.Form):
    """What every tariff has; all else is set in its draft."""

    title = forms.CharField(label=lazy("Title"), max_length=200, help_text=lazy("Stands on documents and price lists."))
    key = forms.SlugField(
        label=lazy("Name"), max_length=100, help_text=lazy("Other systems know it by this: letters, digits, - and _.")
    )
    module = forms.CharField(label=lazy("Module"), max_length=100, required=False)
    interval = forms.ChoiceField(label=lazy("Billing interval"), initial="1 month")
    anchor = forms.ChoiceField(label=lazy("Periods begin"))
    notice = forms.ChoiceField(label=lazy("Notice"))
    currency = CurrencyField(label=lazy("Currency"))
    public = forms.BooleanField(label=lazy("Public"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["interval"].choices = [(text, every(parse_span(text))) for text in INTERVALS]
        fields["anchor"].choices = [(n, show.word("anchor", n)) for n in ("contract", "calendar")]
        fields["notice"].choices = [(n, show.word("notice", n)) for n in NOTICES]


class LineForm(forms.Form):
    """A line of a simple tariff."""

    WIDE, COLUMN = frozenset[str](), "col-md-6 col-xl-3"

    key = forms.SlugField(label=lazy("Article"), max_length=100)
    title = forms.CharField(label=lazy("Title"), max_length=200)
    charge = forms.ChoiceField(label=lazy("Billed as"), initial="recurring")
    booking = forms.ChoiceField(label=lazy("Booked"), initial="included")
    unit = forms.ChoiceField(label=lazy("Unit"), initial="piece")
    price = ExactNumberField(label=lazy("Price"))
    included = ExactNumberField(label=lazy("Included quantity"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["charge"].choices = [(n, show.word("line", n)) for n in ("recurring", "usage", "once")]
        fields["booking"].choices = [(n, show.word("booking", n)) for n in ("included", "add_on", "on_off")]
        fields["unit"].choices = [(n, show.word("unit", n)) for n in ("piece", "minute")]

    def terms(self) -> dict[str, Any]:
        """The line in the words of the scenario format."""
        values = {n: v for n, v in self.cleaned_data.items() if n != "key" and v not in (None, "", False)}
        if values["charge"] == "usage":
            values.pop("booking")
        return values


@page("tariffs.change")
def new(request: HttpRequest) -> HttpResponse:
    """Begin a tariff. With the button `publish` it is offered at once."""
    seller = seller_of(request)
    form = BeginForm(request.POST or None, initial={"currency": seller.currency})
    lines = lines_of(request, LineForm, ROWS)
    if adds_a_line(request):
        form, lines = BeginForm(initial=request.POST.dict()), lines.with_one_more()
    elif request.method == "POST" and form.is_valid() & _are_valid(lines):
        fields = {n: v for n, v in form.cleaned_data.items() if v not in (None, "")}
        if "module" in fields:
            fields["module"] = key_called(seller.pk, fields["module"])
        try:
            made = _begin(request, fields | {"lines": _lines_of(lines)})
        except Refused as refused:
            if refused.values.get("article"):
                refused.values["field"] = ""
            add_refusal(form, refused)
        else:
            return redirect("tariff" if isinstance(made, Tariff) else "tariff_draft", made.pk)
    context = {
        "form": form, "lines": lines, "title": _("New tariff"), "parent": _("Tariffs"), "back": reverse("tariffs"),
        "action": _("Go on in the editor"),
    }  # fmt: skip
    wrong = bool(form.errors or lines.total_error_count())
    return lines_alone(request, context) or render(request, "tariffs/new.html", context, status=422 if wrong else 200)


def _begin(request: HttpRequest, fields: dict[str, Any]) -> Tariff | TariffDraft:
    """The draft; or the tariff, where it is offered at once and has lines."""
    actor, key = actor_of(request), fields.pop("key")
    with transaction.atomic():
        draft = drafts.begin_draft(actor, seller=seller_of(request), key=key, fields=fields)
        if request.POST.get("action") != AT_ONCE:
            return draft
        if not fields["lines"]:
            raise Refused("invalid", "Fill in at least one line, or go on in the editor.")
        made = publish_draft(actor, draft=draft, revision=draft.revision)
    messages.success(request, _("The tariff is made."))
    return made


def _are_valid(lines: TypedLines) -> bool:
    """Whether all lines that count are well typed: a draft may have none."""
    return not lines.typed() or lines.is_valid()


def _lines_of(lines: TypedLines) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in lines.typed():
        key = one.cleaned_data["key"]
        if key in found:
            raise Refused("invalid", "Two lines have the article “%(article)s”: give each its own.", article=key)
        found[key] = one.terms()
    return found


@page("tariffs.change")
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a draft with all lines and settings of a tariff, under another name."""
    found = find(request, pk)

    class CopyForm(forms.Form):
        key = BeginForm.base_fields["key"]
        title = BeginForm.base_fields["title"]

    version = version_in_force(found, today_of(request))
    form = CopyForm(request.POST or None, initial={"key": f"{found.key}-2", "title": version.title})
    if request.method == "POST" and form.is_valid():
        fields = drafts.fields_of_version(version) | {"public": False, "title": form.cleaned_data["title"]}
        try:
            made = drafts.begin_draft(
                actor_of(request), seller=found.seller, key=form.cleaned_data["key"], fields=fields
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The tariff is copied into a draft: change it, then publish it."))
            return redirect("tariff_draft", made.pk)
    context = {
        "form": form, "title": _("Copy tariff"), "parent": version.title, "back": reverse("tariff", args=[pk]),
        "action": _("Copy"),
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
