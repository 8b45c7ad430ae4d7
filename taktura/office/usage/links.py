"""Tying supplier subscriptions to contract lines, one or many, and extending a contract from one (R17.3)."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.invoices.printing import views_of_ready
from taktura.kit.language import text_of
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage.key_ties import say
from taktura.office.usage.parts import tabs
from taktura.office.usage.subscriptions import find
from taktura.office.usage.waiting import lines_of, total
from taktura.usage.models import SupplierSubscription
from taktura.usage.overview import unlinked, waiting_of_subscriptions
from taktura.usage.proposals import (
    articles_to_extend_by,
    propose_contracts,
    propose_lines,
    search_contracts,
    search_lines,
)
from taktura.usage.services import extension

FOUND = 20  # that a search shows
MANY = 50  # subscriptions on the page that ties many


@page("usage.change")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Tie a subscription to a contract line: one of those proposed, or one that is searched."""
    row = find(request, pk)
    seller = seller_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    error = ""
    if request.method == "POST":
        line = lines_of(seller, [request.POST.get("line", "")]).get(request.POST.get("line", ""))
        try:
            if line is None:
                raise Refused("invalid", "Choose a contract line.")
            say(request, billing.tie(actor_of(request), supplier=row.supplier, ties=[(row.reference, line)]))
            return redirect("supplier_subscription", pk)
        except Refused as refused:
            error = text_of(refused, show.language())
    found = search_lines(seller.pk, text, FOUND) if text else []
    context = {
        "row": row, "q": text, "error": error, "found": found,
        "waiting": waiting_of_subscriptions([row]).get(pk, 0),
    }  # fmt: skip
    if request.headers.get("HX-Target") == "found-lines":
        return render(request, "usage/line_choices.html", {**context, "proposals": found})
    context["proposals"] = propose_lines(seller.pk, [row])[pk]
    return render(request, "usage/link.html", context, status=422 if error else 200)


@page("usage.change")
@require_POST
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Untie a subscription from a contract line."""
    row = find(request, pk)
    line = get_object_or_404(
        ContractLine.objects.filter(contract__seller=seller_of(request), subscription_links__subscription=row),
        pk=request.POST.get("line") if request.POST.get("line", "").isdecimal() else 0,
    )
    try:
        billing.untie(actor_of(request), supplier=row.supplier, reference=row.reference, line=line)
    except Refused as refused:
        messages.error(request, text_of(refused, show.language()))
    else:
        messages.success(request, _("Untied. Its usage waits again; what was billed is credited with the next bill."))
    return redirect("supplier_subscription", pk)


@page("usage.change")
def many(request: HttpRequest) -> HttpResponse:
    """Tie many unlinked subscriptions at once: each with the lines that are proposed for it."""
    seller = seller_of(request)
    chosen = [int(v) for v in request.GET.getlist("s") if v.isdecimal() and len(v) < 18]
    rows = unlinked(SupplierSubscription.objects.filter(supplier__seller=seller)).select_related("supplier")
    rows = rows.filter(pk__in=chosen) if chosen else rows
    if request.method == "POST":
        return _tie_many(request, rows)
    shown: list[Any] = list(rows.order_by("supplier__name", "folded")[:MANY])
    proposals, counts = propose_lines(seller.pk, shown), waiting_of_subscriptions(shown)
    for row in shown:
        row.proposals, row.waiting = proposals[row.pk], counts.get(row.pk, 0)
    context = {"rows": shown, "usage_tabs": tabs("supplier_subscriptions"), "number": rows.count()}
    return render(request, "usage/link_many.html", context)


def _tie_many(request: HttpRequest, rows: Any) -> HttpResponse:
    wanted = {pk: request.POST.get(f"line-{pk}", "") for pk in request.POST.getlist("chosen") if pk.isdecimal()}
    lines = lines_of(seller_of(request), wanted.values())
    ties: dict[Any, list[tuple[str, ContractLine]]] = defaultdict(list)
    suppliers = {}
    for row in rows.filter(pk__in=[int(pk) for pk in wanted if len(pk) < 18]).select_related("supplier__seller"):
        if wanted[str(row.pk)] in lines:
            suppliers[row.supplier_id] = row.supplier
            ties[row.supplier_id].append((row.reference, lines[wanted[str(row.pk)]]))
    try:
        with transaction.atomic():
            actor = actor_of(request)
            done = total(billing.tie(actor, supplier=suppliers[pk], ties=some) for pk, some in ties.items())
    except Refused as refused:
        messages.error(request, text_of(refused, show.language()))
        return redirect(request.get_full_path())
    if done is None:
        messages.warning(request, _("Nothing is done: choose what the selected rows stand for."))
        return redirect(request.get_full_path())
    say(request, done)
    return redirect("supplier_subscriptions")


class ExtendForm(forms.Form):
    """The line that a contract is extended by."""

    article = forms.ChoiceField(label=lazy("Article"))
    quantity = ExactNumberField(label=lazy("Quantity"), at_least=Decimal(0))
    start = DayField(label=lazy("Start"))
    stands_for = forms.BooleanField(label=lazy("The product stands for this article from now on"), required=False)

    def __init__(self, *args: Any, articles: list[Article], today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", _("Choose")), *((a.key, a.title or a.key) for a in articles)]
        self.fields["article"].choices = choices  # type: ignore[attr-defined]
        self.fields["start"].today = today  # type: ignore[attr-defined]


@page("contracts.change")
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Extend a contract by a line for a subscription; without a contract it is chosen first."""
    row, seller = find(request, pk), seller_of(request)
    contract = _contract(request)
    if contract is None:
        return _choose_contract(request, row)
    form = _extend_form(request, row, contract)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        article = Article.objects.get(seller=seller, key=values["article"])
        try:
            line, done = billing.extend_contract(
                actor_of(request), supplier=row.supplier, reference=row.reference, contract=contract,
                article=article.key, quantity=values["quantity"], start=values["start"],
                stands_for=article if values["stands_for"] and row.product else None,
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            text = _("Contract %(key)s is extended by “%(article)s”.")
            messages.success(request, text % {"key": contract.key, "article": article.title or article.key})
            say(request, done)
            return redirect("supplier_subscription", pk)
    preview = f"{reverse('subscription_extend_preview', args=[pk])}?contract={contract.pk}"
    context = {
        "form": form, "row": row, "contract": contract, "title": _("Extend a contract"), "parent": row.reference,
        "back": reverse("supplier_subscription", args=[pk]), "action": _("Extend"), "preview_url": preview,
    }  # fmt: skip
    return render(request, "usage/extend.html", context, status=422 if form.errors else 200)


def _contract(request: HttpRequest) -> Contract | None:
    given = request.GET.get("contract", "")
    rows = Contract.objects.select_related("customer__seller", "customer__billing_information", "tariff")
    rows = rows.filter(seller=seller_of(request))
    return get_object_or_404(rows, pk=int(given)) if given.isdecimal() and len(given) < 18 else None


def _choose_contract(request: HttpRequest, row: SupplierSubscription) -> HttpResponse:
    seller = seller_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    context = {
        "row": row, "q": text, "found": search_contracts(seller.pk, text, FOUND) if text else [],
        "proposals": propose_contracts(seller.pk, row),
    }  # fmt: skip
    return render(request, "usage/extend_contract.html", context)


def _extend_form(request: HttpRequest, row: SupplierSubscription, contract: Contract) -> ExtendForm:
    given = extension(row, contract)
    articles = articles_to_extend_by(contract, given.start)
    known = given.article if given.article in {a.key for a in articles} else ""
    initial = {"article": known, "quantity": given.quantity, "start": given.start, "stands_for": bool(row.product)}
    form = ExtendForm(request.POST or None, initial=initial, articles=articles, today=today_of(request))
    if not row.product or given.article:
        del form.fields["stands_for"]
        form.cleaned_data = {}
    return form


@page("contracts.change")
@require_POST
def extend_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What extending would do: the line that is booked, the records that find it, the next bill."""
    row, contract = find(request, pk), _contract(request)
    if contract is None:
        return HttpResponse(status=404)
    form = _extend_form(request, row, contract)
    context: dict[str, Any] = {"row": row, "contract": contract, "quiet": not form.is_valid()}
    if form.is_valid():
        values, actor = form.cleaned_data, actor_of(request)
        context |= {"values": values, "waiting": waiting_of_subscriptions([row]).get(pk, 0)}
        try:
            shown = billing.preview_book(
                actor, contract=contract, article=values["article"], start=values["start"],
                quantity=values["quantity"], bills=1,
            )  # fmt: skip
        except Refused as refused:
            # An article that is part of the tariff has its line already: nothing new is booked.
            included = {a.key for a in articles_to_extend_by(contract, values["start"])}
            own = ContractLine.objects.filter(contract=contract, booking="included", article__key=values["article"])
            context["own"] = values["article"] in included and own.exists()
            context["refused"] = "" if context["own"] else text_of(refused, show.language())
        else:
            bill = shown.bills[0] if shown.bills else None
            context["bill"] = bill
            context["papers"] = views_of_ready(actor, bill.documents, bill.on) if bill else []
    return render(request, "usage/extend_preview.html", context)
