"""Modules: what is offered together, in which order is it listed?"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.catalog import modules as services
from taktura.catalog.models import Module, Tariff
from taktura.catalog.modules import MOST
from taktura.catalog.queries import titles_on
from taktura.core.errors import Refused
from taktura.kit.language import LANGUAGES
from taktura.office import seen, show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of

UP, DOWN = "up", "down"


class ModuleForm(forms.Form):
    """What a module is called."""

    title = forms.CharField(
        label=lazy("Title"), max_length=MOST, help_text=lazy("Stands where a language has none of its own.")
    )
    title_de = forms.CharField(label=lazy("Title in German"), max_length=MOST, required=False)
    title_sv = forms.CharField(label=lazy("Title in Swedish"), max_length=MOST, required=False)
    title_en = forms.CharField(label=lazy("Title in English"), max_length=MOST, required=False)

    def named(self) -> dict[str, Any]:
        """Title and titles, as the services take them."""
        given = self.cleaned_data
        return {"title": given["title"], "titles": {n: given[f"title_{n}"] for n in LANGUAGES}}


class NewModuleForm(ModuleForm):
    """A new module."""

    key = forms.SlugField(
        label=lazy("Name"), max_length=100, help_text=lazy("Other systems know it by this: letters, digits, - and _.")
    )
    field_order = ("title", "key")


class PlaceForm(forms.Form):
    """A tariff that comes into a module."""

    tariff = forms.ChoiceField(label=lazy("Tariff"))


def find(request: HttpRequest, pk: int) -> Module:
    """The seller's module, as `modules_of` has it, or 404."""
    return get_object_or_404(services.modules_of(seller_of(request).pk), pk=pk)


@page("tariffs.view")
def modules(request: HttpRequest) -> HttpResponse:
    """All modules in their order."""
    return render(request, "tariffs/modules.html", {"modules": list(services.modules_of(seller_of(request).pk))})


@page("tariffs.change")
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """Put the modules into another order."""
    try:
        services.order_modules(actor_of(request), seller=seller_of(request), keys=ordered(request))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    return redirect("modules")


def ordered(request: HttpRequest) -> list[str]:
    """The names that a form of an order has sent (`order`), one of them moved by a button (`move`: “up:name”)."""
    names = list(dict.fromkeys(request.POST.getlist("order")))
    way, _colon, moved = request.POST.get("move", "").partition(":")
    if moved in names:
        at = names.index(moved)
        to = max(at - 1, 0) if way == UP else min(at + 1, len(names) - 1) if way == DOWN else at
        names.insert(to, names.pop(at))
    return names


@page("tariffs.change")
def new(request: HttpRequest) -> HttpResponse:
    """Make a module."""
    form = NewModuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_module(
                actor_of(request), seller=seller_of(request), key=form.cleaned_data["key"], **form.named()
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The module is made."))
            return redirect("module", made.pk)
    context = {"form": form, "title": _("New module"), "parent": _("Modules"), "back": reverse("modules")}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.view")
def module(request: HttpRequest, pk: int) -> HttpResponse:
    """One module: which tariffs it lists, and which it has besides."""
    found, today = find(request, pk), today_of(request)
    rows = list(Tariff.objects.filter(seller=found.seller_id).order_by("position", "id"))
    titles = titles_on([t.pk for t in rows], today)
    named = [(t, titles.get(t.pk, t.key)) for t in rows]
    own = [(t, title) for t, title in named if t.module_id == found.pk]
    context = {
        "module": found,
        "listed": [(t, title) for t, title in own if t.public and not t.retired],
        "others": [(t, title) for t, title in own if not t.public or t.retired],
        "form": _place_form(None, [(t, title) for t, title in named if t.module_id != found.pk]),
    }
    return render(request, "tariffs/module.html", context)


@page("tariffs.change")
@require_POST
def order_tariffs(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the listed tariffs of a module into another order."""
    try:
        services.order_tariffs(actor_of(request), module=find(request, pk), keys=ordered(request))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    return redirect("module", pk)


@page("tariffs.change")
@require_POST
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a tariff into a module."""
    found = find(request, pk)
    rows = [(t, t.key) for t in Tariff.objects.filter(seller=found.seller_id)]
    form = _place_form(request.POST, rows)
    if form.is_valid():
        tariff = get_object_or_404(Tariff, seller=found.seller_id, key=form.cleaned_data["tariff"])
        services.place_tariff(actor_of(request), tariff=tariff, module=found)
        messages.success(request, _("The tariff is in this module now."))
    return redirect("module", pk)


@page("tariffs.change")
@require_POST
def take_out(request: HttpRequest, pk: int, tariff: int) -> HttpResponse:
    """Take a tariff out of a module."""
    found = get_object_or_404(Tariff, seller=seller_of(request), module=pk, pk=tariff)
    services.place_tariff(actor_of(request), tariff=found, module=None)
    messages.success(request, _("The tariff is in no module now."))
    return redirect("module", pk)


def _place_form(data: Any, rows: list[tuple[Tariff, str]]) -> PlaceForm:
    form = PlaceForm(data)
    fields: Any = form.fields
    fields["tariff"].choices = [(t.key, title) for t, title in sorted(rows, key=lambda row: row[1].casefold())]
    return form


@page("tariffs.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a module other titles."""
    found = find(request, pk)
    initial = {"title": found.title} | {f"title_{n}": found.titles.get(n, "") for n in LANGUAGES}
    form = ModuleForm(request.POST or None, initial=initial)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        services.change_module(actor_of(request), module=found, **form.named())
        messages.success(request, _("Saved."))
        return redirect("module", pk)
    back = reverse("module", args=[pk])
    context = {"form": form, "title": _("Change the module"), "parent": found.title, "back": back, "seen": shown}
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("tariffs.change")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a module without tariffs."""
    try:
        services.delete_module(actor_of(request), module=find(request, pk))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("module", pk)
    messages.success(request, _("The module is deleted."))
    return redirect("modules")
