"""What is due on a day: contract by contract, and the run as a whole, as it would be. Nothing here writes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from taktura.billing.models import SalesItem
from taktura.billing.queries import LastBill, due_list, last_bills
from taktura.billing.services.run import Outcome, preview_of
from taktura.customers.models import Seller
from taktura.desk.models import TimeEntry
from taktura.invoices.services import Ready
from taktura.kit.actor import Actor
from taktura.kit.language import translate

STRIKING = 20  # percent more or less than the last bill


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run would bill of a contract: net in minor units (below zero: more is credited than charged), and what
    strikes: `first`, `more`, `less`, `nothing`, `credit`, or `problem` with its code and sentence."""

    net: int
    strikes: str
    last: LastBill | None
    problem: str = ""
    code: str = ""


def expected(
    actor: Actor, *, seller: Seller, on: date, contracts: Iterable[tuple[int, int]], language: str
) -> dict[int, Expected]:
    """What a run on a day would bill of some contracts, (customer, contract) each; in a fixed number of queries.

    Sales items and time are left out: they are of no contract.
    """
    wanted = list(contracts)
    outcome = preview_of(actor, seller=seller, on=on, contracts=wanted, items=False)
    nets = nets_by_contract(outcome.ready)
    last = last_bills(pk for _, pk in wanted)
    of_contract = {p.contract: p for p in outcome.problems if p.contract is not None}
    of_customer = {p.customer: p for p in outcome.problems if p.customer is not None}
    found = {}
    for customer, pk in wanted:
        problem = of_contract.get(pk) or of_customer.get(customer)
        net, before = nets.get(pk, 0), last.get(pk)
        found[pk] = Expected(
            net=net,
            strikes="problem" if problem else strikes(net, before.net if before else None),
            last=before,
            problem=translate(problem.message, problem.values, language) if problem else "",
            code=problem.code if problem else "",
        )
    return found


def strikes(net: int, last: int | None) -> str:
    """What strikes about a bill beside the one before it; empty: nothing."""
    if net < 0:
        return "credit"
    if net == 0:
        return "nothing"
    if last is None:
        return "first"
    if abs(net - last) * 100 <= STRIKING * last:
        return ""
    return "more" if net > last else "less"


def nets_by_contract(ready: Iterable[Ready]) -> dict[int, int]:
    """The net of each contract's lines on documents, what is credited below zero."""
    nets: dict[int, int] = {}
    for one in ready:
        sign = -1 if one.draft.kind == "credit_note" else 1
        for line in one.draft.lines:
            if line.entry.contract is not None:
                nets[line.entry.contract] = nets.get(line.entry.contract, 0) + sign * line.net
    return nets


def preview_run(
    actor: Actor,
    *,
    seller: Seller,
    on: date,
    exclude: Collection[int] = (),
    customer: int | None = None,
    most: int,
    few: int | None = None,
) -> tuple[Outcome, int]:
    """What a run on a day would issue, and how many contracts it takes in all.

    Of more than `most` contracts, `few` (else `most`) are looked at, those of the customers who signed first
    (`Outcome.contracts` says how many); sales items and time then only of these customers.
    """
    rows = due_list(seller.pk, on).exclude(pk__in=list(exclude))
    items = SalesItem.objects.filter(document__isnull=True, sold_on__lte=on, customer__seller=seller)
    time = TimeEntry.objects.filter(status="approved", billable=True, worked_on__lte=on, customer__seller=seller)
    if customer is not None:
        rows, items = rows.filter(customer=customer), items.filter(customer=customer)
        time = time.filter(customer=customer)
    number = rows.count()
    if number > most:
        first = rows.order_by("pk").values_list("customer_id", flat=True)[: few or most]
        rows = rows.filter(customer__in=list(dict.fromkeys(first)))
    wanted = list(rows.order_by("pk").values_list("customer_id", "pk")[: 2 * most])
    others: list[int] = []
    if number <= most:
        seen = {c for c, _ in wanted}
        of_items, of_time = (of.exclude(customer__in=seen).values_list("customer_id") for of in (items, time))
        others = [pk for (pk,) in of_items.union(of_time).order_by("customer_id")[:most]]
    return preview_of(actor, seller=seller, on=on, contracts=wanted, customers=others), number
