"""Tying supplier subscriptions to contract lines, one or many."""

from collections import defaultdict
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.forms import DayField
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage.key_ties import say
from taktura.office.usage.parts import customer_names, page_number, pager, tabs
from taktura.office.usage.subscriptions import find
from taktura.office.usage.waiting import lines_of, total
from taktura.usage.models import SubscriptionLink, SupplierSubscription
from taktura.usage.overview import text_of as holding
from taktura.usage.overview import unlinked, waiting_of_subscriptions
from taktura.usage.proposals import propose_lines, search_lines, titles_of

FOUND = 20  # that a search shows
MANY = 50  # subscriptions on the page that ties many


class MoveForm(forms.Form):
    """From which day on a subscription that is tied already goes to another line."""

    moves = forms.BooleanField(label=lazy("It leaves the line that it is tied to"), required=False, initial=True)
    first = DayField(
        label=lazy("From this day on"), required=False,
        help_text=lazy("The day after what was billed. Usage that begins earlier stays where it is."),
    )  # fmt: skip

    def __init__(self, *args: Any, day: date | None, today: date, **options: Any) -> None:
        super().__init__(*args, **{"initial": {"moves": True, "first": day}, **options})
        self.fields["first"].today = today  # type: ignore[attr-defined]


@page("usage.change")
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Tie a subscription to a contract line: one of those proposed, or one that is searched."""
    row = find(request, pk)
    seller = seller_of(request)
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    error = ""
    days = billing.days_after_billed([pk])
    form = MoveForm(request.POST or None, day=days.get(pk), today=today_of(request)) if days else None
    if request.method == "POST" and (form is None or form.is_valid()):
        line = lines_of(seller, [request.POST.get("line", "")]).get(request.POST.get("line", ""))
        try:
            if line is None:
                raise Refused("invalid", "Choose a contract line.")
            _tie(request, row, line, form.cleaned_data if form else {})
            return redirect("supplier_subscription", pk)
        except Refused as refused:
            error = show.refusal(refused)
    found = search_lines(seller.pk, text, FOUND) if text else []
    context = {
        "row": row, "q": text, "error": error, "found": found, "move": form, "tied": _tied(row) if days else [],
        "waiting": waiting_of_subscriptions([row]).get(pk, 0),
    }  # fmt: skip
    if request.headers.get("HX-Target") == "found-lines":
        return render(request, "usage/line_choices.html", {**context, "proposals": found})
    context["proposals"] = propose_lines(seller.pk, [row])[pk]
    return render(request, "usage/link.html", context, status=422 if error or (form and form.errors) else 200)


def _tied(row: SupplierSubscription) -> list[tuple[ContractLine, str]]:
    """The lines that a subscription is tied to now, with their titles."""
    ties = SubscriptionLink.objects.filter(subscription=row, end__isnull=True).order_by("pk")
    lines = [tie.line for tie in ties.select_related("line__contract__customer", "line__article")]
    titles = titles_of(lines)
    return [(line, titles[line.pk]) for line in lines]


def _tie(request: HttpRequest, row: SupplierSubscription, line: ContractLine, values: dict[str, Any]) -> None:
    """Tie a subscription to a line, or move it there from a day on."""
    actor = actor_of(request)
    if not values.get("moves"):
        say(request, billing.tie(actor, supplier=row.supplier, ties=[(row.reference, line)]))
        return
    moved = billing.move(actor, subscription=row, line=line, first=values["first"])
    text = _("From %(day)s on it is billed by the new line.")
    messages.success(request, text % {"day": show.day(moved.day)})
    for one in moved.ended:
        text = _("The line of contract %(key)s ended there, since nothing else is tied to it.")
        messages.info(request, text % {"key": one.contract.key})
    say(request, moved.tied)


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
        messages.error(request, show.refusal(refused))
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
    if text := request.GET.get("q", "").replace("\0", "").strip()[:100]:
        rows = holding(rows, text, "reference", "name", "product", "product_name", "customer_reference")
    number, first = page_number(request), (page_number(request) - 1) * MANY
    shown: list[Any] = list(rows.order_by("supplier__name", "folded")[first : first + MANY + 1])
    more = len(shown) > MANY
    del shown[MANY:]
    proposals, counts = propose_lines(seller.pk, shown), waiting_of_subscriptions(shown)
    for row in shown:
        row.proposals, row.waiting = proposals[row.pk], counts.get(row.pk, 0)
    names = customer_names(shown)
    for row in shown:
        row.customer = names.get(row.pk, "")
    context = {
        "rows": shown, "usage_tabs": tabs("supplier_subscriptions"), "number": rows.count(), "q": text,
        "any_proposal": any(row.proposals for row in shown),
        "first": first + 1, "last": first + len(shown), **pager(request, number, more=more),
    }  # fmt: skip
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
        messages.error(request, show.refusal(refused))
        return redirect(request.get_full_path())
    if done is None:
        messages.warning(request, _("Nothing is done: choose what the selected rows stand for."))
        return redirect(request.get_full_path())
    say(request, done)
    return redirect("supplier_subscriptions")
