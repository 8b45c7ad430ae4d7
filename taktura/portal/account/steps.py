"""What a customer does in two steps, without a script: a form, then what it comes to in money and days, then the act.
The second step does only what was looked at: where the figures have changed meanwhile, they are shown again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from taktura.billing.services import Consequence
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.models import PortalAccess
from taktura.office import seen
from taktura.office.contracts.consequence import shown
from taktura.office.forms import add_refusal
from taktura.portal.account.frame import answer, today_of

Given = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An act: `look` gives its consequence, `run` does it and gives the word of `frame.DONE`; both may refuse.

    `says`: sentences about it. `anyway`: it is offered even where documents cannot be issued.
    """

    title: str
    action: str
    form: forms.Form
    look: Callable[[Given], Consequence]
    run: Callable[[Given], str]
    says: Callable[[Given, Consequence], list[str]]
    intro: list[str]
    anyway: bool = False
    danger: bool = False


def take(request: HttpRequest, access: PortalAccess, contract: Contract, step: Step) -> HttpResponse:
    """Answer a page of an act."""
    form, back = step.form, reverse("portal_contract", args=[access.customer_id, contract.pk])
    context: dict[str, Any] = {
        "step": step,
        "form": form,
        "contract": contract,
        "title": step.title,
        "back": back,
        "action": step.action,
    }
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            found = step.look(form.cleaned_data)
            mark = f"{seen.of_preview(request, found.documents)}:{found.ends}"
            possible = step.anyway or found.refused is None
            if possible and request.POST.get("action") == "do" and request.POST.get(seen.NAME) == mark:
                return redirect(f"{back}?done={step.run(form.cleaned_data)}")
        except Refused as refused:
            add_refusal(form, refused)
        else:
            figures = shown(found, contract.currency, today_of(access))
            context |= {
                "shown": figures,
                "sentences": step.says(form.cleaned_data, found),
                "mark": mark,
                "possible": possible,
            }
    if form.errors:
        status = 422
    return answer(request, access, "portal_customer", "portal/step.html", status=status, **context)
