"""What waits, in groups by reason, with what settles each in its place."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.billing.services import Tied
from taktura.catalog.models import Article
from taktura.contracts.models import Contract, ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.office import show
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, user_of
from taktura.office.usage.key_ties import add_ties, say, tie_chosen
from taktura.office.usage.parts import (
    MEANS,
    Tab,
    as_text,
    customer_names,
    from_text,
    match_in_background,
    page_number,
    pager,
    supplier_of,
    tabs,
)
from taktura.usage import services as usage
from taktura.usage.groups import REASONS, Group, Key, groups, records_of
from taktura.usage.models import SubscriptionLink, Supplier, SupplierSubscription
from taktura.usage.overview import products_as_written, waiting_by_supplier
from taktura.usage.proposals import LineProposal, propose_lines, usage_lines
from taktura.usage.queries import waiting as records_waiting
from taktura.usage.queries import waiting_by_reason
from taktura.usage.ties import Choice

PAGE = 25  # groups
SENT = ("unknown_key", "no_contract", "invalid")  # reasons for which usage can be sent elsewhere
AT_CONTRACT = ("before_start", "after_end", "paused", "currency")  # what is mended at the contract


@dataclass(slots=True)
class Shown:
    """A group as the page shows it."""

    group: Group
    text: str
    supplier: Supplier | None = None
    subscription: SupplierSubscription | None = None
    customer: str = ""
    contract: Contract | None = None
    proposals: list[LineProposal] = field(default_factory=list)
    articles: list[Article] = field(default_factory=list)
    ties: list[Choice] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    product: str = ""

    @property
    def can_be_sent(self) -> bool:
        """Whether its usage can be sent to another contract or article."""
        return self.group.key.supplier is None and self.group.key.reason in SENT


@page("usage.view")
def waiting(request: HttpRequest) -> HttpResponse:
    """The groups of one reason; POST does what was chosen for some of them."""
    seller = seller_of(request)
    if request.method == "POST":
        if not user_of(request).may("usage.change"):
            raise PermissionDenied
        return _act(request, seller)
    wanted = request.GET.get("supplier", "")
    supplier = int(wanted) if wanted.isdecimal() and len(wanted) < 18 else None
    counts = waiting_by_reason(seller.pk, supplier)
    reason = request.GET.get("reason", "")
    if reason not in REASONS:
        reason = next((r for r in REASONS if counts.get(r)), REASONS[0])
    text, number = request.GET.get("q", "").replace("\0", "")[:100], page_number(request)
    found = groups(seller.pk, reason=reason, supplier=supplier, text=text, limit=PAGE + 1, offset=(number - 1) * PAGE)
    rows = _shown(seller, found[:PAGE])
    kept = f"&supplier={supplier}" if supplier is not None else ""
    context = {
        "usage_tabs": tabs("usage_waiting"),
        "reasons": [
            Tab(show.word("waiting", r), f"?reason={r}{kept}", counts[r], r == reason) for r in REASONS if counts.get(r)
        ],
        "reason": reason, "means": MEANS[reason], "rows": rows, "q": text, "supplier": supplier or "",
        **pager(request, number, more=len(found) > PAGE),
        "any_proposal": any(r.proposals for r in rows), "any_sent": any(r.can_be_sent for r in rows),
        "any_article": any(r.articles for r in rows),
        "waits": bool(counts), "suppliers": list(seller.suppliers.order_by("name").values_list("pk", "name")),
        "records": 0 if not counts else waiting_by_supplier(seller.pk).get(supplier, 0) if kept
        else records_waiting(seller.pk),
    }  # fmt: skip
    return render(request, "usage/waiting.html", context)


def _shown(seller: Seller, found: list[Group]) -> list[Shown]:
    """The groups with what the page needs of them, in a fixed number of queries."""
    rows = [Shown(g, as_text(g.key)) for g in found]
    suppliers = {s.pk: s for s in seller.suppliers.all()}
    contracts = Contract.objects.select_related("customer").in_bulk([g.key.contract for g in found if g.key.contract])
    references = {g.key.subscription for g in found if g.key.supplier}
    known = SupplierSubscription.objects.filter(supplier__in=suppliers, folded__in=references)
    subscriptions = {(s.supplier_id, s.folded): s for s in known}
    names = customer_names(list(subscriptions.values()))
    named = [(g.key.supplier, g.key.subscription, g.key.product) for g in found if g.key.supplier and g.key.product]
    written = products_as_written(named)
    unlinked = [
        s for r in rows if r.group.key.reason == "no_subscription" and (s := subscriptions.get(_place(r.group.key)))
    ]
    proposals = propose_lines(seller.pk, unlinked) if unlinked else {}
    for row in rows:
        key = row.group.key
        row.supplier, row.contract = suppliers.get(key.supplier or 0), contracts.get(key.contract or 0)
        row.subscription = subscriptions.get(_place(key))
        row.product = written.get((key.supplier or 0, key.product), key.product)
        if row.subscription is not None:
            row.proposals = proposals.get(row.subscription.pk, [])
            row.customer = names.get(row.subscription.pk, "")
    _add_articles(rows)
    _add_contracts(rows)
    add_ties(seller, rows)
    return rows


def _place(key: Key) -> tuple[int, str]:
    return (key.supplier or 0, key.subscription)


def _add_articles(rows: list[Shown]) -> None:
    """Where several lines carry a subscription and none the product: the articles of these lines."""
    unsure = [r for r in rows if r.subscription is not None and r.group.key.reason == "unknown_key"]
    if not unsure:
        return
    ties = SubscriptionLink.objects.filter(subscription__in=[r.subscription.pk for r in unsure if r.subscription])
    articles: dict[int, dict[int, Article]] = defaultdict(dict)
    for tie in ties.select_related("line__article").order_by("pk"):
        articles[tie.subscription_id][tie.line.article_id] = tie.line.article
    for row in unsure:
        assert row.subscription is not None
        row.articles = list(articles[row.subscription.pk].values()) if row.group.key.product else []


def _add_contracts(rows: list[Shown]) -> None:
    """Where a supplier's usage found its line but not its days, or another currency: the contracts of these lines."""
    found = {r.subscription.pk: r for r in rows if r.subscription is not None and r.group.key.reason in AT_CONTRACT}
    ties = SubscriptionLink.objects.filter(subscription__in=found).select_related("line__contract").order_by("pk")
    for tie in ties if found else ():
        if tie.line.contract not in found[tie.subscription_id].contracts:
            found[tie.subscription_id].contracts.append(tie.line.contract)


def _act(request: HttpRequest, seller: Seller) -> HttpResponse:
    action, _sep, index = request.POST.get("action", "").partition(":")
    back = redirect(request.get_full_path())
    if action == "key":
        tie_chosen(request, seller, index)
        return back
    if action in ("link", "extend"):
        return _go(request, seller, action, index) or back
    chosen = [(i, key) for i in request.POST.getlist("chosen") if (key := from_text(request.POST.get(f"key-{i}", "")))]
    if not chosen:
        messages.warning(request, _("Nothing is selected: tick the rows first."))
        return back
    if action == "send":
        query = QueryDict(mutable=True)
        query.setlist("group", [as_text(key) for _i, key in chosen])
        return redirect(f"{reverse('usage_send')}?{query.urlencode()}")
    do: Callable[[], Tied | None] | None = {
        "tie": lambda: _tie(request, seller, chosen),
        "stands": lambda: _stand(request, seller, chosen),
    }.get(action)
    if do is None:
        return back
    try:
        with transaction.atomic():
            done = do()
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return back
    if done is None:
        messages.warning(request, _("Nothing is done: choose what the selected rows stand for."))
    else:
        say(request, done)
    return back


def _go(request: HttpRequest, seller: Seller, action: str, index: str) -> HttpResponse | None:
    """To the page that ties a subscription or extends a contract; noted first where no import has."""
    key = from_text(request.POST.get(f"key-{index}", ""))
    if key is None or key.supplier is None:
        return None
    supplier = supplier_of(seller, key.supplier)
    try:
        noted = usage.note_subscription(actor_of(request), supplier=supplier, reference=key.subscription)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return None
    return redirect(f"subscription_{action}", noted.pk)


def _tie(request: HttpRequest, seller: Seller, chosen: list[tuple[str, Key]]) -> Tied | None:
    """Tie the chosen groups' subscriptions to the lines selected beside them."""
    wanted = {i: request.POST.get(f"line-{i}", "") for i, _key in chosen}
    lines = lines_of(seller, wanted.values())
    ties: dict[int, list[tuple[str, ContractLine]]] = defaultdict(list)
    for i, key in chosen:
        if wanted[i] in lines and key.supplier is not None:
            ties[key.supplier].append((key.subscription, lines[wanted[i]]))
    return total(
        billing.tie(actor_of(request), supplier=supplier_of(seller, pk), ties=some) for pk, some in ties.items()
    )


def lines_of(seller: Seller, given: Any) -> dict[str, ContractLine]:
    """The seller's usage lines among ids that a form sent."""
    ids = [int(v) for v in given if str(v).isdecimal() and len(str(v)) < 18]
    return {str(line.pk): line for line in usage_lines(seller.pk).filter(pk__in=ids)}


def _stand(request: HttpRequest, seller: Seller, chosen: list[tuple[str, Key]]) -> Tied | None:
    """Say which articles the chosen groups' products stand for."""
    actor, suppliers = actor_of(request), dict[int, Supplier]()
    written = products_as_written([(key.supplier or 0, key.subscription, key.product) for _i, key in chosen])
    for i, key in chosen:
        article = Article.objects.filter(seller=seller, key=request.POST.get(f"article-{i}", "")).first()
        if article is None or key.supplier is None or not key.product:
            continue
        suppliers[key.supplier] = supplier_of(seller, key.supplier)
        product = written.get((key.supplier, key.product), key.product)
        usage.set_product_reference(actor, supplier=suppliers[key.supplier], product=product, article=article)
    return total(billing.tie(actor, supplier=s, ties=[]) for s in suppliers.values())


def total(parts: Iterable[Tied]) -> Tied | None:
    """What became of all together; None where nothing was done."""
    done = list(parts)
    if not done:
        return None
    issued = [document for d in done for document in d.issued]
    return Tied(sum(d.recorded for d in done), [reason for d in done for reason in d.waiting], issued)


@page("usage.change")
@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Process all that waits again; much of it in the background."""
    if begun := match_in_background(request, None, redirect("usage_waiting")):
        return begun
    say(request, billing.process_again(actor_of(request), seller=seller_of(request)))
    return redirect("usage_waiting")


class SendForm(forms.Form):
    """Where waiting usage is sent."""

    contract = forms.CharField(
        label=lazy("Contract"), max_length=100, required=False,
        help_text=lazy("Its number. Left empty: the contract that the usage was sent to."),
    )  # fmt: skip
    article = forms.ChoiceField(label=lazy("Article"), required=False)

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seller = seller
        known = Article.objects.filter(seller=seller).order_by("key").values_list("key", "title")
        choices = [("", _("as it was sent")), *((key, f"{title} ({key})" if title else key) for key, title in known)]
        self.fields["article"].choices = choices  # type: ignore[attr-defined]

    def clean_contract(self) -> Contract | None:
        """The contract of this number."""
        key = self.cleaned_data["contract"].strip()
        found = Contract.objects.filter(seller=self.seller, key=key).first()
        if key and found is None:
            raise forms.ValidationError(_("There is no contract “%(key)s”.") % {"key": key})
        return found


@page("usage.change")
def send(request: HttpRequest) -> HttpResponse:
    """Send the usage of chosen groups to another contract or article, each record as a correction (R12.2)."""
    seller = seller_of(request)
    keys = [key for text in request.GET.getlist("group")[:PAGE] if (key := from_text(text))]
    records = records_of(seller.pk, [k for k in keys if k.supplier is None])
    if not records:
        messages.info(request, _("None of this waits any more."))
        return redirect("usage_waiting")
    form = SendForm(request.POST or None, seller=seller)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            done = billing.send_to(
                actor_of(request), seller=seller, records=records, contract=values["contract"],
                article=values["article"],
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            say(request, done)
            return redirect(f"{reverse('usage_waiting')}?reason={keys[0].reason}")
    context = {
        "form": form, "title": _("Send waiting usage elsewhere"), "parent": _("Waiting"), "number": len(records),
        "back": f"{reverse('usage_waiting')}?reason={keys[0].reason}", "action": _("Send"), "keys": keys,
    }  # fmt: skip
    return render(request, "usage/send.html", context, status=422 if form.errors else 200)
