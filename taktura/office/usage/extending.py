"""Extending contracts from supplier subscriptions: one, or a hundred with what each brings in a month (R17.3)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from taktura.billing import services as billing
from taktura.billing.services import ExtensionForeseen
from taktura.catalog.models import Article
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.invoices.printing import views_of_ready
from taktura.office import show
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.page import actor_of, page, seller_of, today_of
from taktura.office.usage.key_ties import say
from taktura.office.usage.parts import customer_names, page_number, pager, tabs
from taktura.office.usage.subscriptions import add_lines, find
from taktura.usage.models import SupplierSubscription
from taktura.usage.overview import text_of as holding
from taktura.usage.overview import unlinked, waiting_of_subscriptions
from taktura.usage.proposals import Articles, articles_of, of_customer, propose_contracts, search_contracts
from taktura.usage.services import Extension, Wish, extensions, fold

FOUND = 20  # that a search shows
SUGGESTED = 12  # contracts, as they are typed
BETWEEN = " · "  # a contract's key and its customer, as it is typed
MANY = 100  # subscriptions that one step takes
SHARED = 2  # lines that carry a subscription: a further one takes none of them from it, unless that is ticked


class ExtendForm(forms.Form):
    """The line that a contract is extended by."""

    article = forms.ChoiceField(label=lazy("Article"))
    quantity = ExactNumberField(label=lazy("Quantity"), at_least=Decimal(0))
    start = DayField(label=lazy("Start"))
    stands_for = forms.BooleanField(label=lazy("The product stands for this article from now on"), required=False)
    moves = forms.BooleanField(
        label=lazy("The subscription leaves the line that it is tied to"), required=False,
        help_text=lazy(
            "Where the new line begins, which is the day after what was billed. A line that was booked for it alone"
            " ends there."
        ),
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        articles: list[Article],
        given: Extension,
        product: str,
        today: date,
        tied: bool = False,
        leaves: bool = True,
        **options: Any,
    ) -> None:
        known = given.article if given.article in {a.key for a in articles} else ""
        initial = {
            "article": known, "quantity": given.quantity, "start": given.start, "stands_for": bool(product),
            "moves": tied and leaves,
        }  # fmt: skip
        super().__init__(*args, **{"initial": initial, **options})
        choices = [("", _("Choose")), *((a.key, a.title or a.key) for a in articles)]
        self.fields["article"].choices = choices  # type: ignore[attr-defined]
        self.fields["start"].today = today  # type: ignore[attr-defined]
        if not product or given.article:
            del self.fields["stands_for"]
        if not tied:
            del self.fields["moves"]

    def wish(self, row: SupplierSubscription, contract: Contract) -> Wish:
        """What is wished by the form, which is valid."""
        values = self.cleaned_data
        return Wish(
            subscription=row, contract=contract, article=values["article"], quantity=values["quantity"],
            start=values["start"], stands_for=values.get("stands_for", False), moves=values.get("moves", False),
        )  # fmt: skip


@page("contracts.change")
def extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Extend a contract by a line for a subscription; without a contract it is chosen first."""
    row, seller = find(request, pk), seller_of(request)
    contract = _contract(request)
    if contract is None:
        return _choose_contract(request, row)
    form = _extend_form(request, row, contract)
    if request.method == "POST" and form.is_valid():
        try:
            done, tied = billing.extend_contracts(actor_of(request), seller=seller, wishes=[form.wish(row, contract)])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            text = _("Contract %(key)s is extended by “%(article)s”.")
            titles = dict(form.fields["article"].choices)  # type: ignore[attr-defined]
            messages.success(request, text % {"key": contract.key, "article": titles[done[0].line.article.key]})
            say(request, tied)
            return redirect("supplier_subscription", pk)
    preview = f"{reverse('subscription_extend_preview', args=[pk])}?contract={contract.pk}"
    context = {
        "form": form, "row": row, "contract": contract, "title": _("Extend a contract"), "parent": row.reference,
        "rounded": row.quantity is not None and row.quantity != row.quantity.to_integral_value(),
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
        "proposals": propose_contracts(seller.pk, [row])[row.pk],
    }  # fmt: skip
    return render(request, "usage/extend_contract.html", context)


def _extend_form(request: HttpRequest, row: SupplierSubscription, contract: Contract) -> ExtendForm:
    day = billing.days_after_billed([row.pk]).get(row.pk)  # of one that is tied already
    leaves = day is None or row.links.filter(end__isnull=True).count() < SHARED
    (given,) = extensions([Wish(subscription=row, contract=contract, start=day if leaves else None)])
    articles = articles_of([contract.pk]).on(contract.pk, given.start)
    return ExtendForm(
        request.POST or None, articles=articles, given=given, product=row.product, today=today_of(request),
        tied=day is not None, leaves=leaves,
    )  # fmt: skip


@page("contracts.change")
@require_POST
def extend_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What extending would do: the line that is booked, the records that find it, a month, the next bill."""
    row, contract = find(request, pk), _contract(request)
    if contract is None:
        return HttpResponse(status=404)
    form = _extend_form(request, row, contract)
    context: dict[str, Any] = {"row": row, "contract": contract, "quiet": not form.is_valid()}
    if form.is_valid():
        values, actor, wish = form.cleaned_data, actor_of(request), form.wish(row, contract)
        titles = dict(form.fields["article"].choices)  # type: ignore[attr-defined]
        values = {**values, "article": titles[values["article"]]}
        context |= {"values": values, "waiting": waiting_of_subscriptions([row]).get(pk, 0)}
        (foreseen,) = billing.preview_extensions(actor, seller=seller_of(request), wishes=[wish])
        if foreseen.extending.refused is not None:
            context["refused"] = show.refusal(foreseen.extending.refused)
        else:
            first = foreseen.extending.given.start  # what is booked, whatever was typed
            context |= {"values": {**values, "start": first}, "too_early": form.cleaned_data["start"] < first}
            context["own"] = foreseen.extending.own is not None
            context["month"], context["without"] = _money(foreseen, contract), foreseen.without
            bills = billing.preview_extension(actor, wish=wish, bills=1).bills
            context["bill"] = bills[0] if bills else None
            context["papers"] = views_of_ready(actor, bills[0].documents, bills[0].on) if bills else []
    return render(request, "usage/extend_preview.html", context)


def _money(foreseen: ExtensionForeseen, contract: Contract) -> str:
    return show.NONE if foreseen.month is None else show.minor(foreseen.month, contract.currency)


@dataclass(slots=True, kw_only=True)
class Row:
    """A subscription on the page that extends many: its contract as it was typed, its form for that, and what would
    become of it. `proposed`: whether a contract is known that it may belong to."""

    subscription: SupplierSubscription
    proposed: bool
    typed: str = ""
    contract: Contract | None = None
    form: ExtendForm | None = None
    chosen: bool = False
    waiting: int = 0
    customer: str = ""
    wish: Wish | None = None
    foreseen: ExtensionForeseen | None = None

    @property
    def month(self) -> str:
        """What it brings in a month."""
        return _money(self.foreseen, self.contract) if self.foreseen and self.contract else show.NONE

    @property
    def without(self) -> tuple[str, ...]:
        """What of its contract that leaves out."""
        return self.foreseen.without if self.foreseen else ()

    @property
    def refused(self) -> str:
        """Why it cannot be done."""
        found = self.foreseen.extending.refused if self.foreseen else None
        return show.refusal(found) if found else ""

    @property
    def ready(self) -> bool:
        """Whether it can be done as it stands."""
        return self.foreseen is not None and self.foreseen.extending.refused is None


@page("contracts.change")
def many(request: HttpRequest) -> HttpResponse:
    """Extend contracts from many subscriptions at once; POST does it for those chosen."""
    seller, contract = seller_of(request), _contract(request)
    found, all_of_them = _subscriptions(request, seller, contract)
    rows = _rows(request, found, contract)
    error = ""
    if request.method == "POST":
        chosen = [r for r in rows if r.chosen]
        wishes = [r.wish for r in chosen if r.wish is not None and r.ready]
        if not chosen:
            error = _("Nothing is selected: tick the rows first.")
        elif len(wishes) < len(chosen):
            error = _("Nothing is saved yet: complete the selected rows that are marked, or untick them.")
        else:
            try:
                _done, tied = billing.extend_contracts(actor_of(request), seller=seller, wishes=wishes)
            except Refused as refused:
                error = show.refusal(refused)
            else:
                return _after(request, wishes, tied)
    number, first = page_number(request), (page_number(request) - 1) * MANY
    context = {
        "rows": rows, "number": all_of_them, "usage_tabs": tabs("supplier_subscriptions"), "error": error,
        "first": first + 1, "last": first + len(rows), **pager(request, number, more=first + MANY < all_of_them),
        "q": request.GET.get("q", ""), "contract": contract,
        "narrowed": contract is not None and not _chosen(request) and not request.GET.get("all"),
        "sums": _sums(rows), "kept": _kept(request),
        "preview_url": f"{reverse('subscriptions_extend_preview')}?{request.GET.urlencode()}",
    }  # fmt: skip
    return render(request, "usage/extend_many.html", context, status=422 if error else 200)


@page("contracts.change")
@require_POST
def many_preview(request: HttpRequest) -> HttpResponse:
    """The rows as they stand with what was typed, and what they bring in a month."""
    contract = _contract(request)
    found, _number = _subscriptions(request, seller_of(request), contract)
    rows = _rows(request, found, contract)
    return render(request, "usage/extend_rows.html", {"rows": rows, "sums": _sums(rows)})


def _after(request: HttpRequest, wishes: Sequence[Wish], tied: Any) -> HttpResponse:
    text = ngettext("%(count)s contract line is booked or tied.", "%(count)s contract lines are booked or tied.",
                    len(wishes))  # fmt: skip
    messages.success(request, text % {"count": show.count(len(wishes))})
    say(request, tied)
    query = QueryDict(mutable=True)
    query.setlist("s", [str(w.subscription.pk) for w in wishes])
    return redirect(f"{reverse('subscriptions_extended')}?{query.urlencode()}")


@page("usage.view")
def extended(request: HttpRequest) -> HttpResponse:
    """What was extended: each subscription with its line, and what it brings in a month."""
    seller = seller_of(request)
    found = SupplierSubscription.objects.filter(supplier__seller=seller, pk__in=_chosen(request))
    rows: list[Any] = list(found.select_related("supplier").order_by("supplier__name", "folded")[:MANY])
    add_lines(rows)
    months = billing.look_at_months(actor_of(request), seller=seller, subscriptions=rows)
    sums: dict[str, int] = {}
    for row in rows:
        row.month = show.NONE
        if row.pk in months:
            currency = row.lines[-1][0].contract.currency
            row.month = show.minor(months[row.pk], currency)
            sums[currency] = sums.get(currency, 0) + months[row.pk]
    context = {
        "rows": rows, "sums": _shown(sums), "usage_tabs": tabs("supplier_subscriptions"),
    }  # fmt: skip
    return render(request, "usage/extended.html", context)


def _chosen(request: HttpRequest) -> list[int]:
    return [int(v) for v in request.GET.getlist("s") if v.isdecimal() and len(v) < 18]


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """What of the address a search keeps."""
    return [(name, v) for name in ("contract", "all") for v in request.GET.getlist(name)]


def _subscriptions(
    request: HttpRequest, seller: Seller, contract: Contract | None
) -> tuple[list[SupplierSubscription], int]:
    """The unlinked subscriptions that are meant: those chosen, else those of the contract's customer, else all; and how
    many there are."""
    rows = unlinked(SupplierSubscription.objects.filter(supplier__seller=seller))
    if chosen := _chosen(request):
        rows = rows.filter(pk__in=chosen)
    elif contract is not None and not request.GET.get("all"):
        its = of_customer(rows, contract.customer_id)
        rows = its if its.exists() else rows
    if text := request.GET.get("q", "").replace("\0", "").strip()[:100]:
        rows = holding(rows, text, "reference", "name", "product", "product_name", "customer_reference")
    first = (page_number(request) - 1) * MANY
    found = list(rows.select_related("supplier").order_by("supplier__name", "folded")[first : first + MANY])
    return found, len(found) if not first and len(found) < MANY else rows.count()


def _rows(request: HttpRequest, found: list[SupplierSubscription], contract: Contract | None) -> list[Row]:
    """The rows with what was typed, and what would become of them; the queries do not grow with the rows."""
    seller, sent = seller_of(request), request.POST
    proposals, counts = propose_contracts(seller.pk, found), waiting_of_subscriptions(found)
    names = customer_names(found)
    given = {
        s.pk: sent[f"contract-{s.pk}"].replace("\0", "").strip()[:400] for s in found if f"contract-{s.pk}" in sent
    }
    known = _by_text(seller, given.values())
    rows = []
    for one in found:
        offered = proposals[one.pk]
        if contract and contract.customer_id in {c.customer_id for c in offered}:  # another's is filled in for nobody
            offered = [contract, *offered]
        mine = known.get(given[one.pk]) if one.pk in given else next(iter(offered), None)
        rows.append(Row(
            subscription=one, proposed=bool(offered), contract=mine, waiting=counts.get(one.pk, 0),
            typed=as_text(mine) if mine else given.get(one.pk, ""), chosen=str(one.pk) in sent.getlist("chosen"),
            customer=names.get(one.pk, one.customer_reference),
        ))  # fmt: skip
    _fill_in(request, rows)
    return rows


def as_text(contract: Contract) -> str:
    """A contract as it stands in the field where it is chosen, and as it is suggested there."""
    return f"{contract.key}{BETWEEN}{contract.customer.name}"


def _by_text(seller: Seller, texts: Iterable[str]) -> dict[str, Contract]:
    """The contracts that texts name, by their key alone or as they are suggested."""
    keys = {text: {text, text.partition(BETWEEN)[0].strip()} for text in texts if text}
    rows = Contract.objects.filter(seller=seller, key__in=set().union(*keys.values()) if keys else ())
    known = {contract.key: contract for contract in rows.select_related("customer__seller", "tariff")}
    return {text: known[key] for text, of in keys.items() for key in sorted(of, key=len) if key in known}


@page("contracts.change")
@require_safe
def suggested(request: HttpRequest) -> HttpResponse:
    """The contracts that what is typed for a subscription finds; without a text those that it may belong to first."""
    seller = seller_of(request)
    name = next((n for n in request.GET if n.startswith("contract-")), "")
    text, pk = request.GET.get(name, "").partition(BETWEEN)[0], name.removeprefix("contract-")
    found = [] if text.strip() or not pk.isdecimal() or len(pk) > 17 else [int(pk)]
    rows = list(SupplierSubscription.objects.filter(supplier__seller=seller, pk__in=found).select_related("supplier"))
    first = [c for some in propose_contracts(seller.pk, rows).values() for c in some] if rows else []
    more = search_contracts(seller.pk, text.replace("\0", "").strip()[:100], SUGGESTED)
    contracts = list({c.pk: c for c in (*first, *more)}.values())[:SUGGESTED]
    return render(request, "usage/contract_suggestions.html", {"contracts": [as_text(c) for c in contracts]})


def _fill_in(request: HttpRequest, rows: list[Row]) -> None:
    """Their forms, wishes, and what would become of them."""
    placed = [(r, r.contract) for r in rows if r.contract is not None]
    given = extensions([Wish(subscription=r.subscription, contract=c) for r, c in placed])
    articles: Articles = articles_of({c.pk for _r, c in placed})
    today, remembered = today_of(request), _remembered(request, rows)
    for (row, contract), known in zip(placed, given, strict=True):
        prefix = str(row.subscription.pk)
        offered = articles.on(contract.pk, known.start)
        article = remembered.get(_product(row), known.article)
        typed = _typed(request, prefix, {a.key for a in offered}, article)
        form = ExtendForm(
            typed, prefix=prefix, articles=offered, given=known, product=row.subscription.product, today=today
        )
        row.form = form
        if typed is None:
            row.wish = Wish(subscription=row.subscription, contract=contract, article=form.initial["article"] or None)
            row.chosen = row.chosen or (request.method == "GET" and bool(form.initial["article"]))
        elif form.is_valid():
            row.wish = form.wish(row.subscription, contract)
    _foresee(request, rows)


def _product(row: Row) -> tuple[int, str]:
    return row.subscription.supplier_id, fold(row.subscription.product)


def _remembered(request: HttpRequest, rows: list[Row]) -> dict[tuple[int, str], str]:
    """What products stand for from now on, as it was typed for one row: it is filled in for the others."""
    found: dict[tuple[int, str], str] = {}
    for row in rows:
        pk = row.subscription.pk
        if row.subscription.product and f"{pk}-stands_for" in request.POST and request.POST.get(f"{pk}-article"):
            found.setdefault(_product(row), request.POST[f"{pk}-article"])
    return found


def _typed(request: HttpRequest, prefix: str, offered: set[str], article: str | None) -> QueryDict | None:
    """What was typed for a row. Where no article is chosen, or one that the contract does not have because another
    contract was chosen, the one filled in counts."""
    if f"{prefix}-quantity" not in request.POST:
        return None
    typed = request.POST.copy()
    if typed.get(f"{prefix}-article") not in offered:
        typed[f"{prefix}-article"] = article if article in offered else ""
    return typed


def _foresee(request: HttpRequest, rows: list[Row]) -> None:
    """What would become of the rows; those chosen come first, for what there is only once."""
    wished = sorted((r for r in rows if r.wish and r.wish.article), key=lambda r: not r.chosen)
    wishes = [r.wish for r in wished if r.wish is not None]
    found = billing.preview_extensions(actor_of(request), seller=seller_of(request), wishes=wishes)
    for row, foreseen in zip(wished, found, strict=True):
        row.foreseen = foreseen


def _sums(rows: list[Row]) -> list[str]:
    """What the rows chosen bring in a month together, by currency."""
    sums: dict[str, int] = {}
    for row in rows:
        if row.chosen and row.ready and row.foreseen and row.contract:
            currency = row.contract.currency
            sums[currency] = sums.get(currency, 0) + (row.foreseen.month or 0)
    return _shown(sums)


def _shown(sums: Mapping[str, int]) -> list[str]:
    return [show.minor(amount, currency) for currency, amount in sorted(sums.items())]
