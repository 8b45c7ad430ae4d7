"""Answer templates: kept here, and inserted into an answer."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.models import AnswerTemplate, Ticket
from taktura.desk.queries import templates_for, tickets_of
from taktura.desk.services.templates import MOST_TEXT
from taktura.desk.templates import PLACES, filled
from taktura.kit.language import LANGUAGES
from taktura.office import seen, show
from taktura.office.desk.forms import MessageForm
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, user_of

BETWEEN = "\n\n"  # what was typed, and what is inserted behind it


class TemplateForm(forms.Form):
    """A template."""

    name = forms.CharField(label=lazy("Name"), max_length=100)
    language = forms.ChoiceField(label=lazy("Language"))
    text = forms.CharField(label=lazy("Text"), max_length=MOST_TEXT, widget=forms.Textarea(attrs={"rows": 12}))
    field_order = ("name", "language", "text")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["language"].choices = [(one, show.word("language", one)) for one in LANGUAGES]
        fields["text"].help_text = _("These are filled for each ticket: %(places)s") % {
            "places": ", ".join(f"{{{one}}} ({show.word('template_place', one)})" for one in PLACES)
        }


@page("desk.change")
def templates(request: HttpRequest) -> HttpResponseBase:
    """All templates of the seller."""
    return list_page(
        request,
        Listing(
            slug="answer_templates",
            title=_("Answer templates"),
            rows=AnswerTemplate.objects.filter(seller=seller_of(request)),
            columns=[
                Column(name="name", label=_("Name"), value=lambda t: t.name, sort="name"),
                Column(name="language", label=_("Language"), value=lambda t: show.word("language", t.language)),
                Column(name="text", label=_("Text"), value=lambda t: t.text[:100], raw=lambda t: t.text, narrow=True),
            ],
            order="name",
            filters=[
                Filter(
                    name="language", label=_("Language"),
                    choices=[(one, show.word("language", one)) for one in LANGUAGES],
                    apply=lambda rows, value: rows.filter(language=value),
                ),
            ],
            link=lambda t: reverse("answer_template", args=[t.pk]),
            primary=Link(label=_("New template"), url=reverse("answer_template_new"), permission="desk.change"),
            empty_title=_("No templates yet"),
            empty_text=_("What is answered again and again is written once, and inserted into answers."),
        ),
    )  # fmt: skip


@page("desk.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a template."""
    form = TemplateForm(request.POST or None, initial={"language": show.language()})
    if request.method == "POST" and form.is_valid():
        try:
            services.add_answer_template(actor_of(request), seller=seller_of(request), **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("answer_templates")
    return _form(request, form, _("New template"))


def _one(request: HttpRequest, pk: int) -> AnswerTemplate:
    return get_object_or_404(AnswerTemplate, seller=seller_of(request), pk=pk)


@page("desk.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a template."""
    one = _one(request, pk)
    form = TemplateForm(request.POST or None, initial={"name": one.name, "language": one.language, "text": one.text})
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_answer_template(actor_of(request), template=one, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("answer_templates")
    return _form(request, form, one.name, seen=shown, template_id=pk)


@page("desk.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a template."""
    one = _one(request, pk)
    services.remove_answer_template(actor_of(request), template=one)
    messages.success(request, _("The template “%(name)s” is removed.") % {"name": one.name})
    return redirect("answer_templates")


def _form(request: HttpRequest, form: TemplateForm, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "back": reverse("answer_templates"), "parent": _("Answer templates")}
    return render(request, "desk/template.html", {**context, **more}, status=422 if form.errors else 200)


@page("desk.change")
@require_POST
def insert(request: HttpRequest, pk: int) -> HttpResponse:
    """The field of an answer with a template behind what was typed."""
    found: Ticket = get_object_or_404(tickets_of(seller_of(request).pk), pk=pk)
    typed, chosen = request.POST.get("text", ""), request.POST.get("template", "")
    text = typed
    if chosen.isascii() and chosen.isdigit():
        one = _one(request, int(chosen[:18]))
        added = filled(one, ticket=found, name=user_of(request).name)
        text = f"{typed.rstrip()}{BETWEEN}{added}" if typed.strip() else added
    form = MessageForm(initial={"text": text})
    form.fields["text"].widget.attrs["autofocus"] = True
    return render(request, "desk/inserted.html", {"message": form})


def choices_for(ticket: Ticket) -> list[tuple[int, str]]:
    """The templates that can be inserted, as they are chosen."""
    return [(one.pk, f"{one.name} · {show.word('language', one.language)}") for one in templates_for(ticket)]
