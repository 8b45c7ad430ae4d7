"""Ending a contract, or one line of it, in the portal, and taking that back."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from taktura.billing import services as billing
from taktura.billing.services import Consequence
from taktura.contracts.facts import load_one
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import lines_on, state_of
from taktura.core.terms import parse_terms
from taktura.customers.models import PortalAccess
from taktura.office import show
from taktura.office.contracts.called import called
from taktura.office.forms import DayField
from taktura.office.terms import notice_of
from taktura.portal.account.contracts import may_give_notice, may_withdraw, withdrawable_lines
from taktura.portal.account.frame import find, today_of
from taktura.portal.account.lines import endable_lines
from taktura.portal.account.steps import Given, Step, take
from taktura.portal.page import ADMINISTRATORS, actor_of, portal_page

METHODS = ["GET", "HEAD", "POST"]
MOST_BILLS = 1  # the next one, before and after


class NoticeForm(forms.Form):
    """To which day."""

    wish = DayField(
        label=lazy("Wished last day"), required=False,
        help_text=lazy("Left empty: as soon as possible. A day that cannot be becomes the next one that can."),
    )  # fmt: skip


class NothingForm(forms.Form):
    """Nothing to fill in."""


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def notice(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """Give notice: the day is worked out before anything is sent (R15)."""
    contract, today = find(access, pk), today_of(access)
    state = state_of(contract, load_one(contract), today)
    if not may_give_notice(access, contract) or state.status == "ended":
        raise Http404
    intro = list(notice_of(parse_terms(contract.terms)))
    if state.earliest_end is not None and state.notice_deadline is not None:
        intro.append(
            _("Notice until %(deadline)s ends the contract with %(day)s.")
            % {"deadline": show.day(state.notice_deadline), "day": show.last_day(state.earliest_end)}
        )
    return _notice(request, access, contract, intro)


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def line_notice(request: HttpRequest, access: PortalAccess, pk: int, line: int) -> HttpResponse:
    """Give notice of one line; the rest of the contract runs on."""
    contract, today = find(access, pk), today_of(access)
    if not may_give_notice(access, contract):
        raise Http404
    if line not in endable_lines(contract, today):
        raise Http404
    found = ContractLine.objects.select_related("article").get(pk=line)
    found.contract = contract
    terms, _quantity = lines_on(load_one(contract), today)[line]
    intro = [
        _("You give notice of “%(line)s” alone; the rest of the contract runs on.")
        % {"line": called(terms.title, found.name)}
    ]
    return _notice(request, access, contract, intro, found)


def _notice(
    request: HttpRequest, access: PortalAccess, contract: Contract, intro: list[str], line: ContractLine | None = None
) -> HttpResponse:
    today, actor, user = today_of(access), actor_of(request), access.user
    form = NoticeForm(request.POST if request.method == "POST" else None)
    form.fields["wish"].today = today  # type: ignore[attr-defined]

    def run(given: Given) -> str:
        end = billing.give_notice_by_customer(
            actor, contract=contract, email=user.email, language=user.language, wish=given["wish"], line=line
        )
        return "received" if end is None else "notice" if line is None else "line_notice"

    return take(request, access, contract, Step(
        title=_("Give notice"), action=_("Give notice now"), form=form, intro=intro, danger=True, anyway=True,
        look=lambda given: billing.preview_notice(
            actor, contract=contract, received=today, wish=given["wish"], line=line, bills=MOST_BILLS
        ),
        run=run, says=_ends if line is None else _line_ends,
    ))  # fmt: skip


def _ends(given: Given, found: Consequence) -> list[str]:
    says = [_("The contract ends; its last day is %(day)s.") % {"day": show.last_day(found.ends)}]
    return says + _other_than_wished(given, found)


def _line_ends(given: Given, found: Consequence) -> list[str]:
    return [_("Its last day is %(day)s.") % {"day": show.last_day(found.ends)}, *_other_than_wished(given, found)]


def _other_than_wished(given: Given, found: Consequence) -> list[str]:
    wish = given["wish"]
    if wish is None or found.ends is None or show.last_day(found.ends) == show.day(wish):
        return []
    return [_("That is the first day after the one wished on which it can end.")]


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def withdraw(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """Take one's own notice back, as long as the contract runs."""
    contract = find(access, pk)
    if not may_withdraw(access, contract, today_of(access)):
        raise Http404
    return _withdraw(request, access, contract, [_("The contract runs on as before.")])


@portal_page(ADMINISTRATORS)
@require_http_methods(METHODS)
def line_withdraw(request: HttpRequest, access: PortalAccess, pk: int, line: int) -> HttpResponse:
    """Take one's own notice of a line back, as long as it runs."""
    contract = find(access, pk)
    if line not in withdrawable_lines(access, contract, today_of(access)):
        raise Http404
    found = ContractLine.objects.select_related("article").get(pk=line)
    found.contract = contract
    title = called(found.article.title or found.article.key, found.name)
    says = _("“%(line)s” runs on as before.") % {"line": title}
    return _withdraw(request, access, contract, [says], found)


def _withdraw(
    request: HttpRequest, access: PortalAccess, contract: Contract, says: list[str], line: ContractLine | None = None
) -> HttpResponse:
    actor = actor_of(request)

    def run(given: Given) -> str:
        billing.withdraw_notice(actor, contract=contract, line=line)
        return "withdrawn" if line is None else "line_withdrawn"

    return take(request, access, contract, Step(
        title=_("Withdraw the notice"), action=_("Withdraw the notice"),
        form=NothingForm(request.POST if request.method == "POST" else None), intro=[],
        look=lambda given: billing.preview_withdrawal(actor, contract=contract, line=line, bills=MOST_BILLS), run=run,
        says=lambda given, found: says,
    ))  # fmt: skip
