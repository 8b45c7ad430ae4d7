"""The settings of a draft: typed, told what they come to while they are typed, and saved over what was seen."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.catalog.drafts import written
from taktura.catalog.editing import as_of, merged
from taktura.catalog.models import TariffDraft
from taktura.catalog.modules import modules_of
from taktura.catalog.services import offer_of
from taktura.core.errors import Refused
from taktura.office import history
from taktura.office.forms import add_refusal
from taktura.office.page import page, seller_of, today_of
from taktura.office.tariffs.drafts.common import (
    TAKE,
    Meanwhile,
    currency_of,
    find_draft,
    head,
    meanwhile,
    save,
    sent_revision,
)
from taktura.office.tariffs.drafts.says import Says, says
from taktura.office.tariffs.drafts.settings_form import FIELDS_OF, SettingsForm
from taktura.office.templatetags.office import titled

ADD = "add"  # the button for another VAT rate
AT_ONCE = {"invalid", "minimum_above_cap"}  # refused when it is saved; what lines still may mend is not


@page("tariffs.change")
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Every setting of a draft, each with what it comes to."""
    draft = find_draft(request, pk)
    form = _form(request, draft)
    if request.method != "POST" or request.POST.get("action") == ADD:
        return _answer(request, draft, form, 200)
    if not form.is_valid():
        return _answer(request, draft, form, 422)
    seen = as_of(draft, sent_revision(request, draft))
    own = form.settings(seen)
    try:
        _check(draft, own)
        _save(request, draft, own)
    except Refused as refused:
        if refused.code == "conflict":
            return _conflict(request, draft, form, seen)
        add_refusal(form, refused, {n: f[0] for n, f in FIELDS_OF.items()} | {"vat": "vat_rate_0"})
        return _answer(request, draft, form, 422)
    messages.success(request, _("Saved."))
    return redirect("tariff_draft", draft.pk)


@page("tariffs.change")
@require_POST
def consequence(request: HttpRequest, pk: int) -> HttpResponse:
    """What the settings come to as they are typed, each beside its fields."""
    draft = find_draft(request, pk)
    form = _form(request, draft)
    form.is_valid()
    return render(request, "tariffs/draft_says.html", {"says": _says(request, draft, form).values(), "swap": True})


def _form(request: HttpRequest, draft: TariffDraft) -> SettingsForm:
    data = None
    if request.method == "POST":
        data = request.POST.copy()
        rows = request.POST.get("vat_rows", "")
        if data.get("action") == ADD and rows.isascii() and rows.isdecimal() and len(rows) < 4:
            data["vat_rows"] = str(int(rows) + 1)
    return _form_of(request, draft, data)


def _form_of(request: HttpRequest, draft: TariffDraft, data: Any) -> SettingsForm:
    modules = [(m.key, titled(m)) for m in modules_of(seller_of(request).pk)]
    return SettingsForm(draft, modules, today_of(request), data)


def _check(draft: TariffDraft, own: dict[str, Any]) -> None:
    """Refuse what no line can mend."""
    fields = written(draft) | own
    alone = {n: v for n, v in fields.items() if n not in ("minimum_sales", "cost_cap")} | {"lines": {}}
    offer_of({n: v for n, v in alone.items() if v not in (None, "", {}, [])})
    for name in ("minimum_sales", "cost_cap"):
        value = own.get(name)
        if value is not None and str(value).startswith("-"):
            raise Refused("invalid", "“%(field)s” cannot be less than 0.", field=name)
    try:
        offer_of({n: v for n, v in fields.items() if v not in (None, "", {}, [])})
    except Refused as refused:
        if refused.code in AT_ONCE and not refused.values.get("article"):
            raise


def _save(request: HttpRequest, draft: TariffDraft, own: dict[str, Any]) -> None:
    taken = request.POST.getlist(TAKE)
    change = {n: v for n, v in own.items() if n not in taken}
    save(request, draft, lambda old: {**old, **change})


def _conflict(request: HttpRequest, draft: TariffDraft, form: SettingsForm, seen: dict[str, Any]) -> HttpResponse:
    """What was typed, laid over what somebody else saved meanwhile; what both changed is chosen setting by setting."""
    found = meanwhile(draft, sent_revision(request, draft))
    both = merged(seen, draft.fields, form.typed()).both
    data, fresh = request.POST.copy(), _form_of(request, draft, None)
    data["revision"] = str(found.revision)
    data.pop(TAKE, None)
    own = form.settings(seen)
    for name in form.typed():
        if name not in own:
            for field in _fields_of(name, fresh):
                _put(data, field, fresh[field])
    return _answer(request, draft, _form_of(request, draft, data), 409, replace(found, both=both))


def _fields_of(name: str, form: SettingsForm) -> tuple[str, ...]:
    if name == "vat":
        return tuple(field for field in form.fields if field.startswith("vat_"))
    return FIELDS_OF.get(name, (name,))


def _put(data: Any, field: str, bound: Any) -> None:
    """Set a field as the browser would send it with what stands in the draft."""
    value = bound.value()
    if isinstance(value, bool):
        data.pop(field, None)
        if value:
            data[field] = "on"
    else:
        data[field] = "" if value is None else str(value)


def _says(request: HttpRequest, draft: TariffDraft, form: SettingsForm) -> dict[str, Says]:
    """What the settings come to: those typed, where they can be read, else those of the draft."""
    fields = written(draft)
    if form.is_bound:
        fields |= form.typed()
    fields = {n: v for n, v in fields.items() if v not in (None, "", {}, [])} | {"lines": fields["lines"]}
    currency = str(fields.get("currency") or currency_of(draft))
    return says(fields, seller_of(request), currency, today_of(request))


def _answer(
    request: HttpRequest, draft: TariffDraft, form: SettingsForm, status: int, found: Meanwhile | None = None
) -> HttpResponse:
    context = head(
        draft, _("Settings"), form=form, says=_says(request, draft, form), meanwhile=found,
        live=reverse("tariff_draft_settings_consequence", args=[draft.pk]),
        both=[(name, history.field(name)) for name in found.both] if found else [],
    )  # fmt: skip
    return render(request, "tariffs/draft_settings.html", context, status=status)
