"""What can be done with a contract: a form, beside it what saving will do, computed by the previews of the services,
and after it the page of the change with the same figures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST

from taktura.billing import services as billing
from taktura.billing.services import Consequence
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.core.schedule import as_billed, conditions_hold_from
from taktura.invoices.confirmations import entry_of_notice, mail_confirmation
from taktura.kit.actor import Actor
from taktura.office import seen, show
from taktura.office.contracts import sides
from taktura.office.contracts.consequence import shown
from taktura.office.contracts.forms import (
    BookForm,
    ChangeForm,
    ConditionsForm,
    ConversionForm,
    CouponForm,
    EndForm,
    InterimForm,
    PauseForm,
    QuantityForm,
    ResumeForm,
    TakeBackForm,
    TariffForm,
    UsageForm,
    problems,
)
from taktura.office.contracts.frame import find
from taktura.office.contracts.history import entry_of
from taktura.office.contracts.notice_forms import NoticeForm, WithdrawForm
from taktura.office.contracts.own import told
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, today_of

BILLS = 1
Given = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something done to a contract. `look` gives its consequence, `run` does it; both with what the form gives.

    `issues`: whether it makes documents at once. `says`: sentences about dates. `more`: what its preview shows besides.
    """

    name: str
    path: str
    title: Any
    action: Any
    form: type[ChangeForm]
    look: Callable[[Actor, Contract, Given], Consequence]
    run: Callable[[Actor, Contract, Given], Any]
    permission: str = "contracts.change"
    issues: bool = True
    danger: bool = False
    says: Callable[[Contract, Given, Consequence], list[str]] | None = None
    more: Callable[[Contract, Given, Consequence], dict[str, Any]] | None = None
    help: Any = ""


def views(act: Act) -> list[URLPattern]:
    """The addresses of an act: its form, and the preview of its form."""

    @page(act.permission)
    @require_http_methods(["GET", "POST"])
    def form(request: HttpRequest, pk: int) -> HttpResponse:
        return _form(request, find(request, pk), act)

    @page(act.permission)
    @require_POST
    def preview(request: HttpRequest, pk: int) -> HttpResponse:
        return _preview(request, find(request, pk), act)

    return [
        path(f"<int:pk>/{act.path}/", form, name=act.name),
        path(f"<int:pk>/{act.path}/preview/", preview, name=f"{act.name}_preview"),
    ]


def _form(request: HttpRequest, contract: Contract, act: Act) -> HttpResponse:
    posted = request.method == "POST"
    initial = {k: v for k, v in request.GET.items() if k in act.form.base_fields}
    form = act.form(
        request.POST if posted else None, contract=contract, today=today_of(request), initial=initial
    )  # fmt: skip
    if posted and form.is_valid() and _looked_at(request, contract, act, form):
        actor = actor_of(request)
        try:
            act.run(actor, contract, form.arguments())
        except Refused as refused:
            add_refusal(form, refused, {"from": "start"})
        else:
            messages.success(request, _("Saved."))
            entry = entry_of(contract, actor.now)
            back = redirect("contract_usage", contract.pk) if act.name == "add_usage" else None
            return (
                redirect("contract_change", contract.pk, entry) if entry else back or redirect(contract_url(contract))
            )
    context = {
        "act": act,
        "form": form,
        "contract": contract,
        "title": act.title,
        "action": act.action,
        "help": act.help,
        "parent": contract.key,
        "back": contract_url(contract),
        "preview_url": reverse(f"{act.name}_preview", args=[contract.pk]),
        "seen": "",  # its preview writes it
    }
    return render(request, "contracts/form.html", context, status=422 if form.errors else 200)


def _looked_at(request: HttpRequest, contract: Contract, act: Act, form: ChangeForm) -> bool:
    """Whether saving issues what its preview showed: usage may have arrived since, or another have changed it."""
    if not request.POST.get(seen.NAME):
        return True
    try:
        found = act.look(actor_of(request), contract, form.arguments())
    except Refused:
        return True  # saving says why
    if seen.was_looked_at(request, found.documents):
        return True
    form.add_error(None, seen.changed_meanwhile())
    return False


def contract_url(contract: Contract) -> str:
    """The address of a contract's page."""
    return reverse("contract", args=[contract.pk])


def _preview(request: HttpRequest, contract: Contract, act: Act) -> HttpResponse:
    today = today_of(request)
    form = act.form(request.POST, contract=contract, today=today)
    context: dict[str, Any] = {"contract": contract, "issues": act.issues, "act": act, "form": form}
    if not form.is_valid():
        return render(request, "contracts/consequence.html", {**context, "problems": problems(form)})
    given = form.arguments()
    try:
        found = act.look(actor_of(request), contract, given)
    except Refused as refused:
        text = show.refusal(refused)
        usage = refused.code == "quantity_not_changeable"
        return render(request, "contracts/consequence.html", {**context, "impossible": text, "offer_usage": usage})
    context |= {
        "shown": shown(found, contract.currency, today),
        "seen": seen.of_preview(request, found.documents),
        "sentences": act.says(contract, given, found) if act.says else [],
        **(act.more(contract, given, found) if act.more else {}),
    }
    return render(request, "contracts/consequence.html", context)


def _ends(contract: Contract, given: Given, found: Consequence) -> list[str]:
    if found.ends is None and given.get("line"):
        return [_("The contract line runs on; no end is fixed.")]
    if found.ends is None:
        return [_("The contract runs on; no end is fixed.")]
    return [_("The last day is %(day)s.") % {"day": show.last_day(found.ends)}]


def _notice(contract: Contract, given: Given, found: Consequence) -> list[str]:
    named = {"day": show.last_day(found.ends)}
    sentence = (
        _("The last day of this contract line is %(day)s.")
        if given["line"]
        else _("The last day of the contract is %(day)s.")
    )
    said = [sentence % named]
    wish = given.get("wish")
    if wish and found.ends and show.last_day(found.ends) != show.day(wish):
        said.append(_("It cannot end on the wished day: this is the next one on which it can."))
    if not given["line"] and found.bills:
        said.append(
            _("The last bill is of %(day)s, as things stand.") % {"day": show.day(found.bills[-1].on)}
        )  # fmt: skip
    return said


def _usage(contract: Contract, given: Given, found: Consequence) -> list[str]:
    if found.waits:
        return [_("It finds no line and waits: %(reason)s.") % {"reason": show.word("waits", found.waits)}]
    return []


def _quantity_from(contract: Contract, given: Given, found: Consequence) -> list[str]:
    named = {"day": show.day(given["start"])}
    if found.documents:
        return [_("The days from %(day)s that are billed already are credited and billed anew.") % named]
    return [_("Nothing from %(day)s on is billed yet: the new quantity is billed with the next billing.") % named]


def _preview_conditions(actor: Actor, *, memo: str, **given: Any) -> Consequence:
    return billing.preview_conditions(actor, **given)


def _conditions_from(contract: Contract, given: Given, found: Consequence) -> list[str]:
    line = next(x for x in found.contract.lines if x.id == given["line"].pk)
    start = given["start"]
    holds = conditions_hold_from(found.contract, line, start)
    before = as_billed(found.contract, line, max(holds - DAY, line.start))
    named = {"before": told(before, contract.currency), "after": told(line.on(holds), contract.currency)}
    named["day"] = show.day(holds)
    said = [_("From %(day)s: %(after)s.") % named]
    if holds > line.start:
        said.insert(0, _("Until then: %(before)s.") % named)
    if holds != start:
        said.append(_("What is billed by periods changes with the first one that begins on that day or after it."))
    if found.documents:
        said.append(_("What is billed already from %(day)s on is credited and billed anew.") % named)
    return said


def _of_contract(service: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """A service that takes the contract and what the form gives; as `look` with `bills`."""
    return lambda actor, contract, given: service(actor, contract=contract, **more, **given)


def _of_line(service: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """A service that takes what the form gives: a line of the contract is among it."""
    return lambda actor, contract, given: service(actor, **more, **given)


def _unconfirmed(service: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    """A service of notice, which does not know of confirmations."""
    return lambda actor, contract, given: service(
        actor, contract=contract, **more, **{k: v for k, v in given.items() if k != "confirm"}
    )


def _confirmed(service: Callable[..., Any]) -> Callable[[Actor, Contract, Given], Any]:
    """A service of notice, and its confirmation by mail if that is wished: both, or none where one is refused."""

    @transaction.atomic
    def run(actor: Actor, contract: Contract, given: Given) -> None:
        _unconfirmed(service)(actor, contract, given)
        entry = entry_of_notice(contract, actor.now) if given.get("confirm") else None
        if entry is not None:
            mail_confirmation(actor, contract=contract, entry=entry)

    return run


ACTS = [
    Act(
        name="change_quantity",
        path="quantity",
        title=lazy("Change quantity"),
        action=lazy("Change quantity"),
        form=QuantityForm,
        look=lambda actor, contract, given: billing.preview_quantity(
            actor, line=given["line"], quantity=given["quantity"], start=given["start"], bills=BILLS
        ),
        run=_of_line(billing.change_quantity),
        says=_quantity_from,
        help=lazy("A line of usage has no quantity of its own: add usage to it instead."),
    ),
    Act(
        name="change_conditions",
        path="conditions",
        title=lazy("Change own conditions"),
        action=lazy("Save"),
        form=ConditionsForm,
        look=_of_line(_preview_conditions, bills=BILLS),
        run=_of_line(billing.change_conditions),
        says=_conditions_from,
        help=lazy(
            "What this contract pays for the line, apart from the tariff. All of it holds from the day on: what is left"
            " empty is as in the tariff."
        ),
    ),
    Act(
        name="take_back_quantity",
        path="take-back",
        title=lazy("Take back a change of quantity"),
        action=lazy("Take it back"),
        form=TakeBackForm,
        look=lambda actor, contract, given: billing.preview_take_back(actor, change=given["change"], bills=BILLS),
        run=_of_line(billing.take_back_quantity),
        help=lazy("What held before holds again. The change stays in the history."),
    ),
    Act(
        name="book_article",
        path="book",
        title=lazy("Book an article"),
        action=lazy("Book"),
        form=BookForm,
        look=_of_contract(billing.preview_book, bills=BILLS),
        run=_of_contract(billing.book),
    ),
    Act(
        name="end_line",
        path="end",
        title=lazy("End a contract line"),
        action=lazy("End it"),
        form=EndForm,
        look=_of_line(billing.preview_end, bills=BILLS),
        run=_of_line(billing.end_line),
        says=_ends,
        danger=True,
    ),
    Act(
        name="add_usage",
        path="add-usage",
        title=lazy("Add usage"),
        action=lazy("Add usage"),
        form=UsageForm,
        look=lambda actor, contract, given: billing.preview_usage(actor, contract=contract, entry=given, bills=BILLS),
        run=lambda actor, contract, given: billing.record_usage(
            actor, seller=contract.customer.seller, entries=[given]
        ),
        permission="usage.change",
        issues=False,
        says=_usage,
        more=lambda contract, given, found: {"issues": bool(found.documents)},
    ),
    Act(
        name="interim_bill",
        path="interim",
        title=lazy("Bill now"),
        action=lazy("Issue the bill"),
        form=InterimForm,
        look=_of_contract(billing.preview_interim, bills=BILLS),
        run=_of_contract(billing.interim_bill),
        permission="billing.run",
        help=lazy("An interim bill: all that is due, and the usage so far. The regular bill then bills the rest."),
    ),
    Act(
        name="give_notice",
        path="notice",
        title=lazy("Give notice"),
        action=lazy("Give notice"),
        form=NoticeForm,
        look=_unconfirmed(billing.preview_notice, bills=40),
        run=_confirmed(billing.give_notice),
        says=_notice,
        danger=True,
    ),
    Act(
        name="withdraw_notice",
        path="withdraw-notice",
        title=lazy("Withdraw the notice"),
        action=lazy("Withdraw it"),
        form=WithdrawForm,
        look=_unconfirmed(billing.preview_withdrawal, bills=BILLS),
        run=_confirmed(billing.withdraw_notice),
        issues=False,
        says=_ends,
    ),
    Act(
        name="pause_contract",
        path="pause",
        title=lazy("Pause"),
        action=lazy("Pause"),
        form=PauseForm,
        look=_of_contract(billing.preview_pause, bills=BILLS),
        run=_of_contract(billing.pause),
    ),
    Act(
        name="resume_contract",
        path="resume",
        title=lazy("Resume"),
        action=lazy("Resume"),
        form=ResumeForm,
        look=_of_contract(billing.preview_resume, bills=BILLS),
        run=_of_contract(billing.resume),
        issues=False,
    ),
    Act(
        name="change_tariff",
        path="tariff",
        title=lazy("Change tariff"),
        action=lazy("Change tariff"),
        form=TariffForm,
        look=_of_contract(billing.preview_tariff, bills=BILLS),
        run=_of_contract(billing.change_tariff),
        says=sides.of_terms,
        more=sides.of_tariffs,
    ),
    Act(
        name="allow_conversion",
        path="currency",
        title=lazy("Other currencies"),
        action=lazy("Save"),
        form=ConversionForm,
        help=lazy("Usage that waits for it is processed again at once. Rates stand under Usage, Exchange rates."),
        look=_of_contract(billing.preview_conversion, bills=BILLS),
        run=_of_contract(billing.allow_conversion),
        issues=False,
    ),
    Act(
        name="redeem_coupon",
        path="coupon",
        title=lazy("Redeem a coupon"),
        action=lazy("Redeem"),
        form=CouponForm,
        help=lazy("It counts for what falls due from today on. Its uses are counted; a code can be used once."),
        look=_of_contract(billing.preview_coupon, bills=BILLS),
        run=_of_contract(contracts.give_coupon),
        issues=False,
    ),
]  # fmt: skip
