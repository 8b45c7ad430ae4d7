"""One contract as its customer sees it: what runs at which price, usage of the running period, the next bill, the
end."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog.queries import title_on
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import heir_of, state_of
from taktura.core.terms import parse_terms
from taktura.customers.models import PortalAccess
from taktura.office.contracts.consequence import bills_of
from taktura.office.contracts.overview import components
from taktura.office.contracts.usage import bounds_of, usage_bar
from taktura.office.terms import notice_of
from taktura.portal.account.frame import allows, answer, find, today_of
from taktura.portal.account.lines import bookable_by_customer, changeable_lines, endable_lines
from taktura.portal.page import CUSTOMER, actor_of, portal_page

PORTAL = "portal:"  # how actors of the portal begin


@portal_page(CUSTOMER)
@require_safe
def contract(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """What a contract is, what it costs, how it ends; a user sees what there is and what was used, without money."""
    found, today = find(access, pk), today_of(access)
    stands = billing.standing(actor_of(request), contract=found)
    state, period = state_of(found, stands.contract, today), stands.running
    rows = {x.pk: x for x in ContractLine.objects.filter(contract=found)}
    shown = components(found, stands, today, rows, {})
    parts = [(when, [c for c in shown if c.when == when]) for when in ("running", "coming")]
    bills = bills_of(stands.bills, found.currency, today)
    over, ending = state.status == "ended", may_give_notice(access, found)
    return answer(
        request, access, "portal_customer", "portal/contract.html",
        contract=found, title=title_on(found.tariff, today) or found.tariff.key, state=state,
        parts=[(when, lines) for when, lines in parts if lines],
        notice=notice_of(parse_terms(found.terms)), period=period, bill=bills[0] if bills else None,
        bars=[usage_bar(x, found.currency) for x in period.lines] if period and not over else [],
        bounds=bounds_of(period, found.currency) if period and not over and access.administers else [],
        may_change=changeable_lines(found, today) if allows(access, "quantity") else set(),
        may_book=allows(access, "book") and not over and bool(bookable_by_customer(found, today)),
        may_notice=ending and not over,
        may_withdraw=may_withdraw(access, found, today),
        may_end=endable_lines(found, today) if ending and not over else set(),
        may_keep=withdrawable_lines(access, found, today),
    )  # fmt: skip


def may_give_notice(access: PortalAccess, contract: Contract) -> bool:
    """Whether notice of a contract that runs, or of its lines, can be given in the portal. One that goes over to
    another customer ends by that: notice is the other's matter, whose contract this customer must not learn of."""
    return allows(access, "notice") and contract.notice_received is None and heir_of(contract) is None


def may_withdraw(access: PortalAccess, contract: Contract, today: date) -> bool:
    """Whether the notice of a contract can be taken back in the portal: it was given there, and has not ended it."""
    if not allows(access, "notice") or contract.notice_received is None:
        return False
    if contract.end is None or contract.end <= today:
        return False
    return _givers(contract).get(None, "").startswith(PORTAL)


def withdrawable_lines(access: PortalAccess, contract: Contract, today: date) -> set[int]:
    """The lines whose notice can be taken back in the portal: it was given there, and has not ended them."""
    rows = ContractLine.objects.filter(contract=contract, notice_received__isnull=False, end__gt=today)
    lines = set(rows.values_list("pk", flat=True)) if allows(access, "notice") and heir_of(contract) is None else set()
    givers = _givers(contract) if lines else {}
    return {pk for pk in lines if givers.get(pk, "").startswith(PORTAL)}


def _givers(contract: Contract) -> dict[int | None, str]:
    """Who gave the last notice of a contract (None) and of each of its lines."""
    rows = LogEntry.objects.filter(subject=f"contract:{contract.pk}", action="give_notice").order_by("id")
    return {data.get("line"): actor for data, actor in rows.values_list("data", "actor")}
