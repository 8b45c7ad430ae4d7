"""One usage record: where it came from, what became of it; correcting and withdrawing it (R12.2), usage by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.billing.models import Charge
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.invoices.models import Document
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.history import field, value_of
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage import records as listing
from taktura.office.usage.parts import MEANS, as_text, discount, rate_of, tabs
from taktura.usage import services as usage
from taktura.usage.groups import Key
from taktura.usage.models import SupplierSubscription, UsageException, UsageHistory, UsageRecord
from taktura.usage.overview import write_products
from taktura.usage.proposals import search_contracts, titles_of, usage_lines
from taktura.usage.trace import revisions, row_of

FOUND = 20
DOCUMENTS_SHOWN = 20


def find(request: HttpRequest, pk: int) -> UsageRecord:
    """The seller's record with its line, contract, supplier and file (without its content), or 404."""
    rows = UsageRecord.objects.select_related(
        "line__contract__customer", "line__article", "contract__customer", "supplier", "file__supplier"
    ).defer("file__content")
    return get_object_or_404(rows.filter(seller=seller_of(request)), pk=pk)


@page("usage.view")
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is known of a record."""
    row = find(request, pk)
    waits = list(UsageException.objects.filter(record=row).order_by("first"))
    history = revisions(row.seller_id, row.source, row.external_id)
    write_products([row])
    context = {
        "row": row,
        "state": listing.state_of(row, [w.reason for w in waits]),
        "waits": [(w, *MEANS[w.reason]) for w in waits],
        "quantity": listing.quantity(row),
        "discount": discount(row.discount),
        "cost": listing.amount(row.cost_amount, row.currency),
        "price": listing.amount(row.amount, row.currency),
        "rate": rate_of(vars(row)),
        "article": listing.article(row),
        "title": titles_of([row.line])[row.line.pk] if row.line else "",
        "days": listing.days(row),
        "subscription": _subscription(row),
        "file_row": row_of(row.file, row.row) if row.file is not None and row.row else None,
        "attributes": sorted(row.attributes.items()) if isinstance(row.attributes, dict) else [],
        "history": [_told(old) for old in history],
        "documents": _documents(row),
        "extendable": _extendable(row),
    }
    return render(request, "usage/record.html", context)


def _extendable(row: UsageRecord) -> str:
    """The group of a supplier's row that found no line: by it a contract is extended; empty for any other record."""
    if row.supplier_id is None or row.line_id is not None:
        return ""
    return as_text(Key(reason="no_subscription", supplier=row.supplier_id, subscription=row.subscription))


def _subscription(row: UsageRecord) -> SupplierSubscription | None:
    if row.supplier_id is None:
        return None
    return SupplierSubscription.objects.filter(supplier=row.supplier_id, folded=row.subscription).first()


def _documents(row: UsageRecord) -> list[Document]:
    """The documents on which this revision was billed: those of charges of its line and days that had seen it."""
    if row.line is None:
        return []
    charges = Charge.objects.filter(
        line=row.line_id, contract=row.line.contract_id, first__lt=row.end_day, end__gt=row.day
    )
    seen = [pk for pk, proof in charges.values_list("document", "proof") if _mark(proof) >= row.revised]
    return list(Document.objects.filter(pk__in=seen).order_by("pk")[:DOCUMENTS_SHOWN])


def _mark(proof: dict[str, Any]) -> int:
    """Up to which mark of the store a charge saw records; less than all marks where it is not of usage."""
    return int(proof.get("usage", {}).get("mark", -1))


def _told(old: UsageHistory) -> dict[str, Any]:
    """A former revision as a page shows it."""
    kept = old.record
    seconds = kept.get("seconds")
    shown = UsageRecord(
        quantity=None if kept.get("quantity") is None else Decimal(str(kept["quantity"])), seconds=seconds,
        day=date.fromisoformat(kept["day"]), end_day=date.fromisoformat(kept["end_day"]),
    )  # fmt: skip
    return {
        "pk": old.pk, "revision": old.revision, "replaced_at": old.replaced_at, "withdrawn": old.withdrawn,
        "quantity": listing.quantity(shown), "days": listing.days(shown), "cost": kept.get("cost_amount"),
        "file": kept.get("file_id"), "row": kept.get("row"),
    }  # fmt: skip


@page("usage.view")
def revision(request: HttpRequest, pk: int) -> HttpResponse:
    """A record as it was before it was replaced or withdrawn."""
    old = get_object_or_404(UsageHistory.objects.select_related("seller").filter(seller=seller_of(request)), pk=pk)
    current = UsageRecord.objects.filter(
        seller=old.seller_id, source=old.source, external_id=old.external_id
    ).first()  # fmt: skip
    kept = [
        (field(name), _kept(old, name, value))
        for name, value in old.record.items()
        if value not in (None, "", False, {}) and name in KEPT
    ]
    context = {"old": old, "told": _told(old), "current": current, "kept": kept}
    return render(request, "usage/revision.html", context)


def _kept(old: UsageHistory, name: str, value: Any) -> str:
    if name == "at":
        return show.moment(datetime.fromisoformat(value), old.seller.time_zone)
    return value_of(name, value)


# What of a former revision is worth reading, as the store calls it.
KEPT = frozenset(
    ["article", "subscription", "product", "at", "cost_amount", "amount", "discount", "currency", "rate_day",
     "rate_over", "rate_under", "attributes", "row"]
)  # fmt: skip


class CorrectForm(forms.Form):
    """A record's figures."""

    article = forms.CharField(
        label=lazy("Article"), max_length=100, required=False, help_text=lazy("By its key, as in the tariff.")
    )  # fmt: skip
    quantity = ExactNumberField(label=lazy("Quantity"), required=False)
    seconds = forms.IntegerField(label=lazy("Duration in seconds"), min_value=0, required=False)
    start = DayField(label=lazy("Day, or the first of several"))
    last = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: only the one day."))
    cost_amount = ExactNumberField(
        label=lazy("Cost in all"), required=False, help_text=lazy("What the supplier asks for it.")
    )
    amount = ExactNumberField(label=lazy("Price in all"), required=False, help_text=lazy("At the supplier's price."))

    def __init__(self, *args: Any, row: UsageRecord, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("start", "last"):
            self.fields[name].today = today  # type: ignore[attr-defined]
        left_out = ["article", "seconds"] if row.supplier_id else ["seconds" if row.seconds is None else "quantity"]
        left_out += ["article"] if row.by_key else []
        for name in set(left_out):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """A last day that is not before the first."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("start") and values.get("last") and values["last"] < values["start"]:
            self.add_error("last", _("The last day comes before the first."))
        return values


@page("usage.change")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a record: its next revision replaces it, the difference comes with the next bill."""
    row = find(request, pk)
    spans = row.is_span and row.end_day - row.day > timedelta(days=1)
    initial = {
        "article": row.article, "quantity": row.quantity, "seconds": row.seconds, "start": row.day,
        "last": row.end_day - timedelta(days=1) if spans else None, "cost_amount": row.cost_amount,
        "amount": row.amount,
    }  # fmt: skip
    form = CorrectForm(request.POST or None, initial=initial, row=row, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        changes = _changes(form.cleaned_data, initial)
        try:
            if not changes:
                raise Refused("invalid", "Nothing is changed.")
            outcome, issued = billing.correct_usage(
                actor_of(request), seller=seller_of(request), record=row, changes=changes
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Corrected. The difference comes with the next bill."))
            if outcome.exceptions:
                why = ", ".join(show.word("waiting", reason) for reason in dict.fromkeys(outcome.exceptions))
                messages.warning(request, _("It waits now: %(why)s.") % {"why": why})
            return redirect("usage_record", pk)
    context = {
        "form": form, "row": row, "title": _("Correct usage"), "parent": row.external_id,
        "back": reverse("usage_record", args=[pk]), "action": _("Correct"),
    }  # fmt: skip
    return render(request, "usage/correct.html", context, status=422 if form.errors else 200)


def _changes(values: dict[str, Any], initial: dict[str, Any]) -> dict[str, Any]:
    """What of a form differs from the record, in the words of the service."""
    names = ("article", "quantity", "seconds", "cost_amount", "amount")
    found = {n: values[n] for n in names if n in values and values[n] != initial[n] and (n != "article" or values[n])}
    if values["start"] != initial["start"] or values["last"] != initial["last"]:
        found["start"] = values["start"]
        found["until"] = values["last"] + timedelta(days=1) if values["last"] else None
    return found


@page("usage.change")
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a record; its history stays."""
    row = find(request, pk)
    try:
        usage.withdraw_usage(
            actor_of(request), seller=seller_of(request), external_id=row.external_id, source=row.source
        )
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("usage_record", pk)
    messages.success(request, _("Withdrawn. What was billed of it is credited with the next bill."))
    old = revisions(row.seller_id, row.source, row.external_id).first()
    return redirect("usage_revision", old.pk) if old else redirect("usage_records")


class EntryForm(forms.Form):
    """Usage that somebody writes down."""

    article = forms.ChoiceField(label=lazy("Article"))
    quantity = ExactNumberField(label=lazy("Quantity"), required=False)
    minutes = ExactNumberField(
        label=lazy("Duration in minutes"), required=False, at_least=Decimal(0),
        help_text=lazy("For articles that are billed by the minute, instead of a quantity."),
    )  # fmt: skip
    start = DayField(label=lazy("Day, or the first of several"))
    last = DayField(label=lazy("Last day"), required=False, help_text=lazy("Left empty: only the one day."))
    cost = ExactNumberField(label=lazy("Cost of one"), required=False)
    note = forms.CharField(label=lazy("Note"), max_length=500, required=False)

    def __init__(self, *args: Any, articles: list[tuple[str, str]], today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["article"].choices = [("", _("Choose")), *articles]  # type: ignore[attr-defined]
        for name in ("start", "last"):
            self.fields[name].today = today  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Either a quantity or a duration of whole seconds, and days in their order."""
        values: dict[str, Any] = super().clean() or {}
        if (values.get("quantity") is None) == (values.get("minutes") is None):
            self.add_error("quantity", _("Give either a quantity or a duration."))
        minutes = values.get("minutes")
        if minutes is not None and minutes * 60 != int(minutes * 60):
            self.add_error("minutes", _("A duration is of whole seconds."))
        if values.get("start") and values.get("last") and values["last"] < values["start"]:
            self.add_error("last", _("The last day comes before the first."))
        return values

    def entry(self, contract: Contract) -> dict[str, Any]:
        """What is entered, in the words of the service."""
        values = self.cleaned_data
        found: dict[str, Any] = {"contract": contract.key, "article": values["article"], "from": values["start"]}
        found |= {name: values[name] for name in ("quantity", "cost") if values[name] is not None}
        if values["minutes"] is not None:
            found["duration"] = values["minutes"] * 60
        if values["last"]:
            found["until"] = values["last"] + timedelta(days=1)
        if values["note"]:
            found["attributes"] = {"note": values["note"]}
        return found


@page("usage.change")
def new(request: HttpRequest) -> HttpResponse:
    """Enter usage by hand; without a contract it is chosen first."""
    seller, given = seller_of(request), request.GET.get("contract", "")
    if not given.isdecimal() or len(given) > 18:
        text = request.GET.get("q", "").replace("\0", "").strip()[:100]
        context: dict[str, Any] = {"q": text, "found": search_contracts(seller.pk, text, FOUND) if text else []}
        return render(request, "usage/new_contract.html", {**context, "usage_tabs": tabs("usage_records")})
    rows = Contract.objects.select_related("customer").filter(seller=seller)
    contract = get_object_or_404(rows, pk=int(given))
    lines = list(usage_lines(seller.pk).filter(contract=contract).order_by("pk"))
    titles = titles_of(lines)
    articles = list({x.article.key: titles[x.pk] for x in lines}.items())
    initial = {"start": today_of(request), "article": request.GET.get("article", "")}
    form = EntryForm(request.POST or None, initial=initial, articles=articles, today=today_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            outcome, issued = billing.record_usage(actor_of(request), seller=seller, entries=[form.entry(contract)])
        except Refused as refused:
            add_refusal(form, refused, {"duration": "minutes"})
        else:
            if outcome.exceptions:
                why = ", ".join(show.word("waiting", reason) for reason in dict.fromkeys(outcome.exceptions))
                messages.warning(request, _("It is recorded, but waits: %(why)s.") % {"why": why})
            else:
                messages.success(request, _("Recorded. It is billed with the next bill."))
            return redirect(f"{reverse('usage_records')}?contract={contract.key}")
    context = {
        "form": form, "contract": contract, "title": _("Enter usage"), "parent": _("Usage records"),
        "back": reverse("usage_records"), "action": _("Record"), "any": bool(articles),
    }  # fmt: skip
    return render(request, "usage/new.html", context, status=422 if form.errors else 200)
