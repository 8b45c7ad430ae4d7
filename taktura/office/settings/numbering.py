"""The numbers of documents: how they look, which comes next."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.invoices import queries
from taktura.invoices.services.numbering import check_numbering, confirm_numbering, numbers_from, restarts
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of

USUAL = {
    "invoice": {"en": "INV-{year}-{number:05}", "de": "RE-{year}-{number:05}", "sv": "F-{year}-{number:05}"},
    "credit_note": {"en": "CN-{year}-{number:05}", "de": "GS-{year}-{number:05}", "sv": "KF-{year}-{number:05}"},
}
SHOWN = 3


class NumberingForm(forms.Form):
    """A format, and the number that comes next."""

    format = forms.CharField(
        label=lazy("Format"), max_length=60,
        help_text=lazy("{number:05} is the number in five digits, {year} the year: with it each year begins at 1."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    next = forms.IntegerField(
        label=lazy("Next number"), min_value=1, max_value=999_999_999,
        help_text=lazy("Higher than all that were used, in another program too."),
    )  # fmt: skip


@page("settings.view")
def numbering(request: HttpRequest) -> HttpResponse:
    """The numbers of each kind of document."""
    today = today_of(request)
    kinds = [
        {
            "state": one,
            "examples": numbers_from(one.format, one.next, today, SHOWN) if one.format else [],
            "restarts": restarts(one.format),
        }
        for one in queries.numbering(seller_of(request).pk, today)
    ]
    return render(request, "settings/numbering.html", {"kinds": kinds})


@page("settings.change")
def confirm(request: HttpRequest, kind: str) -> HttpResponse:
    """Confirm or change the numbers of a kind of document."""
    state = _state(request, kind)
    form = _form(request, state)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            confirm_numbering(actor_of(request), seller=seller_of(request), kind=kind, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused, {"": "next" if refused.code == "number_already_used" else "format"})
        else:
            messages.success(request, _("The numbers are confirmed."))
            return redirect("numbering")
    context = {
        "form": form, "title": _("Numbers: %(kind)s") % {"kind": show.word("document", kind)},
        "back": reverse("numbering"), "parent": _("Numbers"), "action": _("Confirm"),
        "preview_url": reverse("numbering_consequence", args=[kind]), "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("settings.change")
@require_POST
def consequence(request: HttpRequest, kind: str) -> HttpResponse:
    """The numbers that would come."""
    state = _state(request, kind)
    form = _form(request, state)
    context: dict[str, Any] = {"state": state}
    if form.is_valid():
        shape, following = form.cleaned_data["format"], form.cleaned_data["next"]
        try:
            check_numbering(kind, shape, following)
        except Refused as refused:
            context["refused"] = show.refusal(refused)
        else:
            context["examples"] = numbers_from(shape, following, today_of(request), SHOWN)
            context["restarts"] = restarts(shape)
            same = restarts(shape) == restarts(state.format) if state.format else False
            context["gap"] = following - state.used - 1 if same and state.used and following > state.used + 1 else 0
    return render(request, "settings/numbering_consequence.html", context)


def _state(request: HttpRequest, kind: str) -> queries.Numbering:
    found = [n for n in queries.numbering(seller_of(request).pk, today_of(request)) if n.kind == kind]
    if not found:
        raise Http404
    return found[0]


def _form(request: HttpRequest, state: queries.Numbering) -> NumberingForm:
    initial = {"format": state.format or USUAL[state.kind][show.language()], "next": state.next}
    return NumberingForm(request.POST or None, initial=initial)
