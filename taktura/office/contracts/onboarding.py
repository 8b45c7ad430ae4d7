"""Contracts for existing customers: who needs one, from when under which tariff, billing information, the lines that
their services are. What was chosen stands in the address, so that a step is left and found again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from taktura.billing import services as billing
from taktura.billing.services import Looked, ServiceLine, Suggestion, Wanted
from taktura.catalog.models import Tariff
from taktura.catalog.queries import Offered, offered, titles
from taktura.contracts.queries import next_keys
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.core.terms import parse_terms
from taktura.customers.models import Customer, Seller
from taktura.office import show
from taktura.office.contracts.consequence import shown
from taktura.office.customers.gate import gates_of
from taktura.office.forms import DayField, ExactNumberField, add_refusal
from taktura.office.lists import Link, remember
from taktura.office.page import actor_of, back_of, page, seller_of, today_of, user_of
from taktura.office.terms import every, notice_of
from taktura.usage.onboarding import services_of, without_contract

SHOWN = 200  # customers on the first page, and contracts at once
BILLS = 1
CLOSED = "onboarding"  # what a user's preferences call the banner


def banner(request: HttpRequest) -> dict[str, Any]:
    """What the lists of contracts and sales show: how many customers have services but no contract, and whether this
    user has closed the banner. Nothing for those who may sign none."""
    user = user_of(request)
    if not user.may("contracts.change"):
        return {}
    number = without_contract(seller_of(request).pk, today_of(request)).count()
    closed = bool(user.preferences.get(CLOSED, {}).get("closed"))
    return {"without_contract": number, "onboarding_closed": closed} if number else {}


def lasting_link(shown: Mapping[str, Any]) -> list[Link]:
    """The link that stays once the banner is closed."""
    if not shown.get("onboarding_closed"):
        return []
    return [Link(label=_("Create contracts for existing customers"), url=reverse("onboarding"), icon="users")]


@page("contracts.change")
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close the banner for this user; a link stays in its place."""
    remember(user_of(request), CLOSED, "closed", True)
    return redirect(back_of(request))


@page("contracts.change")
@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    """The first step: who gets a contract."""
    rows = without_contract(seller_of(request).pk, today_of(request))
    listed: list[Any] = list(rows[:SHOWN])
    services = services_of([c.pk for c in listed], today_of(request))
    for row in listed:
        row.services = services.get(row.pk, [])
    return render(request, "contracts/onboarding_customers.html", {
        "rows": listed, "number": rows.count(), "chosen": _chosen_pks(request), "steps": _steps("customers"),
    })  # fmt: skip


class ContractForm(forms.Form):
    """What the contracts have in common."""

    tariff = forms.ChoiceField(label=lazy("Tariff"))
    start = DayField(label=lazy("Start"))
    end = DayField(
        label=lazy("Last day"),
        required=False,
        help_text=lazy("Where an end is agreed. Left empty: by the tariff's terms."),
    )
    billed_elsewhere = DayField(
        label=lazy("Billed elsewhere until"), required=False,
        help_text=lazy("The last day that another system has billed. Nothing up to it is billed here."),
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label=lazy("Days to pay"), min_value=0, max_value=365, required=False,
        help_text=lazy("Left empty: as each customer has it."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, seller: Seller, today: date, tariff: int | None = None) -> None:
        super().__init__(data, initial={"start": today.replace(day=1), "tariff": tariff})
        self.fields["tariff"].choices = [("", _("Choose")), *_tariffs(seller, today)]  # type: ignore[attr-defined]
        for name in ("start", "end", "billed_elsewhere"):
            self.fields[name].today = today  # type: ignore[attr-defined]


@page("contracts.change")
@require_safe
def contract(request: HttpRequest) -> HttpResponse:
    """The second step: tariff, start, payment, term."""
    chosen = _customers(request)
    if not chosen:
        messages.warning(request, _("Choose at least one customer."))
        return redirect("onboarding")
    seller, today = seller_of(request), today_of(request)
    given = request.GET if "tariff" in request.GET else None
    fitting = billing.fitting_tariff(chosen, seller, today) if given is None else None
    form = ContractForm(given, seller=seller, today=today, tariff=fitting.pk if fitting else None)
    if form.is_bound and form.is_valid() and request.GET.get("change") != "1":
        incomplete = any(not c.complete for c in chosen)
        return redirect(_at("onboarding_billing" if incomplete else "onboarding_lines", request))
    return render(request, "contracts/onboarding_contract.html", {
        "form": form, "customers": chosen, "steps": _steps("contract"), "back": _at("onboarding", request),
    }, status=422 if form.errors else 200)  # fmt: skip


@page("contracts.change")
@require_safe
def billing_information(request: HttpRequest) -> HttpResponse:
    """The third step, only where somebody lacks it: billing information."""
    chosen, following = _customers(request), _at("onboarding_lines", request)
    gates = gates_of(chosen, request.get_full_path())
    if not gates:
        return redirect(following)
    return render(request, "contracts/onboarding_billing.html", {
        "gates": gates, "steps": _steps("billing"), "following": following,
        "why": _("A contract can be signed, but nothing of it is billed."),
        "back": _at("onboarding_contract", request, change="1"),
    })  # fmt: skip


class LineForm(forms.Form):
    """A service as a line of the contract."""

    take = forms.BooleanField(label=lazy("Take it"), required=False)
    article = forms.ChoiceField(label=lazy("Article"), required=False)
    quantity = ExactNumberField(label=lazy("Quantity"), at_least=Decimal(0), required=False)
    price = ExactNumberField(label=lazy("Own price"), at_least=Decimal(0), required=False)
    free = forms.BooleanField(label=lazy("It is free"), required=False)

    def __init__(self, data: Any, *, suggested: Suggestion, articles: Mapping[str, str], currency: str) -> None:
        prefix = f"s{suggested.subscription.pk}"
        initial = {"take": bool(suggested.article), "article": suggested.article, "quantity": suggested.quantity}
        super().__init__(data, prefix=prefix, initial=initial)
        self.suggested = suggested
        self.list_price = show.price(suggested.price, currency) if suggested.price is not None else ""
        self.fields["article"].choices = [("", _("Choose")), *articles.items()]  # type: ignore[attr-defined]

    def line(self) -> ServiceLine | None:
        """The line, if it is taken."""
        given = self.cleaned_data
        if not given["take"]:
            return None
        quantity = given["quantity"] if given["quantity"] is not None else self.suggested.quantity
        return ServiceLine(
            subscription=self.suggested.subscription, article=given["article"], quantity=quantity, price=given["price"],
            free=given["free"],
        )  # fmt: skip


class KeyForm(forms.Form):
    """The number of a contract."""

    key = forms.CharField(label=lazy("Number of the contract"), max_length=100)


@dataclass(frozen=True, slots=True)
class Part:
    """A contract of the last step: the customer, its number, its lines; `looked`: what would become of it."""

    customer: Customer
    key: KeyForm
    lines: list[LineForm]


@page("contracts.change")
@require_http_methods(["GET", "POST"])
def lines(request: HttpRequest) -> HttpResponse:
    """The last step: the lines suggested, edited or left out; then all are signed, or none."""
    asked = _asked(request)
    if asked is None:
        return redirect(_at("onboarding_contract", request))
    parts = _parts(request, asked)
    head = forms.Form(request.POST or None)
    if request.method == "POST" and head.is_valid() and _are_valid(parts):
        seller = seller_of(request)
        try:
            done = billing.onboard(actor_of(request), seller=seller, wanted=_wanted(asked, parts))
        except Refused as refused:
            add_refusal(head, refused)
        else:
            number = len(done.contracts)
            messages.success(request, ngettext(
                "%(count)s contract is signed.", "%(count)s contracts are signed.", number
            ) % {"count": number})  # fmt: skip
            if done.tied.recorded:
                messages.success(request, ngettext(
                    "%(count)s waiting record found its line.", "%(count)s waiting records found their lines.",
                    done.tied.recorded,
                ) % {"count": done.tied.recorded})  # fmt: skip
            return redirect("contract", done.contracts[0].pk) if number == 1 else redirect("contracts")
    wrong = request.method == "POST" and (bool(head.errors) or not _are_valid(parts))
    incomplete = any(not c.complete for c in asked.customers)
    return render(request, "contracts/onboarding_lines.html", {
        "form": head, "parts": parts, "steps": _steps("lines", incomplete), "tariff": asked.title,
        "terms": [every(asked.interval), *notice_of(parse_terms(asked.notice))], "wrong": wrong,
        "back": _at("onboarding_contract", request, change="1"), "start": asked.given["start"],
        "preview_url": _at("onboarding_preview", request), "several": len(parts) > 1,
        "articles": billing.usage_articles(asked.offered, asked.given["start"]),
    }, status=422 if wrong else 200)  # fmt: skip


@page("contracts.change")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What signing would do: the first bill of one; of several a table with each."""
    asked = _asked(request)
    parts = _parts(request, asked) if asked else []
    if asked is None or not _are_valid(parts):
        return render(request, "contracts/onboarding_preview.html", {"quiet": True})
    wanted = _wanted(asked, parts)
    looked = billing.look_at_onboarding(actor_of(request), seller=seller_of(request), wanted=wanted, bills=BILLS)
    currency = asked.offered.tariff.currency
    return render(request, "contracts/onboarding_preview.html", {
        "rows": [_row(one, currency, today_of(request)) for one in looked], "several": len(looked) > 1,
    })  # fmt: skip


def _row(looked: Looked, currency: str, today: date) -> dict[str, Any]:
    found = shown(looked.consequence, currency, today) if looked.consequence else None
    return {
        "customer": looked.wanted.customer, "key": looked.wanted.key, "lines": len(looked.wanted.lines),
        "shown": found, "bill": found.bills[0] if found and found.bills else None,
        "refused": show.refusal(looked.refused) if looked.refused else "",
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the steps before have chosen."""

    customers: list[Customer]
    offered: Offered
    given: dict[str, Any]
    title: str
    today: date

    @property
    def interval(self) -> Any:
        """How often the tariff is billed."""
        return self.offered.in_force(max(self.given["start"], self.offered.versions[0].valid_from)).interval

    @property
    def notice(self) -> Any:
        """Its terms of notice."""
        return self.offered.in_force(max(self.given["start"], self.offered.versions[0].valid_from)).notice


def _asked(request: HttpRequest) -> Asked | None:
    seller, today = seller_of(request), today_of(request)
    chosen = _customers(request)
    form = ContractForm(request.GET, seller=seller, today=today)
    if not chosen or not form.is_valid():
        return None
    tariff = Tariff.objects.get(pk=form.cleaned_data["tariff"], seller=seller)
    title = titles(seller.pk, today).get(tariff.pk, tariff.key)
    return Asked(
        customers=chosen, offered=offered(seller.pk, [tariff.key])[tariff.key], given=form.cleaned_data, title=title,
        today=today,
    )  # fmt: skip


def _parts(request: HttpRequest, asked: Asked) -> list[Part]:
    data = request.POST if request.method == "POST" else None
    start, tariff = asked.given["start"], asked.offered.tariff
    suggested = billing.suggest(asked.customers, asked.offered, start, asked.today)
    articles = billing.usage_articles(asked.offered, start)
    keys = next_keys(tariff.seller_id, len(asked.customers))
    return [
        Part(
            customer,
            KeyForm(data, prefix=f"c{customer.pk}", initial={"key": key}),
            [
                LineForm(data, suggested=one, articles=articles, currency=tariff.currency)
                for one in suggested.get(customer.pk, [])
            ],
        )
        for customer, key in zip(asked.customers, [*keys, *([""] * len(asked.customers))], strict=False)
    ]


def _are_valid(parts: Iterable[Part]) -> bool:
    found = [form.is_valid() for part in parts for form in (part.key, *part.lines)]  # each says what is wrong with it
    return all(found)


def _wanted(asked: Asked, parts: Iterable[Part]) -> list[Wanted]:
    given = asked.given
    return [
        Wanted(
            key=part.key.cleaned_data["key"], customer=part.customer, offered=asked.offered, start=given["start"],
            end=given["end"] + DAY if given["end"] else None,
            billed_until=given["billed_elsewhere"] + DAY if given["billed_elsewhere"] else None,
            payment_days=given["payment_days"],
            lines=[line for form in part.lines if (line := form.line()) is not None],
        )
        for part in parts
    ]  # fmt: skip


def _chosen_pks(request: HttpRequest) -> list[int]:
    return [int(pk) for pk in request.GET.getlist("customer") if pk.isdecimal() and len(pk) < 18][:SHOWN]


def _customers(request: HttpRequest) -> list[Customer]:
    """The customers chosen, as far as they are this seller's."""
    rows = Customer.objects.filter(seller=seller_of(request), pk__in=_chosen_pks(request))
    return list(rows.select_related("seller", "billing_information").order_by("folded", "pk"))


def _tariffs(seller: Seller, today: date) -> list[tuple[str, str]]:
    named = titles(seller.pk, today)
    rows = Tariff.objects.filter(seller=seller, retired=False)
    return sorted(((str(t.pk), named.get(t.pk, t.key)) for t in rows), key=lambda t: t[1])


def _at(name: str, request: HttpRequest, **more: str) -> str:
    """The address of a step, with what was chosen so far."""
    kept = QueryDict(mutable=True)
    for key in ("customer", *ContractForm.base_fields):
        kept.setlist(key, request.GET.getlist(key))
    kept.update(more)
    return f"{reverse(name)}?{kept.urlencode()}"


def _steps(now: str, with_billing: bool = True) -> list[dict[str, Any]]:
    """The steps of the wizard, for its head."""
    names = {
        "customers": _("Customers"),
        "contract": _("Contract"),
        "billing": _("Billing information"),
        "lines": _("Lines"),
    }
    kept = [name for name in names if with_billing or name != "billing"]
    return [{"label": names[n], "now": n == now, "done": kept.index(n) < kept.index(now)} for n in kept]
