"""Deadlines of notice of many contracts: they follow from terms and their beginning, of which there are far fewer than
contracts, so that each pair is worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, DateField, QuerySet
from django.db.models.expressions import RawSQL

from taktura.contracts.models import Contract
from taktura.core.periods import DAY
from taktura.core.terms import earliest_end, notice_deadline, parse_terms
from taktura.customers.models import Seller
from taktura.kit.exact import json_text

SOON = timedelta(days=30)
SHORT = timedelta(days=31)  # who misses a deadline and is bound for no longer has missed nothing


@dataclass(frozen=True, slots=True)
class Deadline:
    """Contracts of the same terms, begun on the same day: until when they can be ended, and to which end (exclusive);
    from the day after on the end is `later`."""

    terms: Any
    begun: date
    kind: str
    number: int
    deadline: date
    ends: date
    later: date


def deadlines(seller: Seller, today: date, within: timedelta = SOON) -> list[Deadline]:
    """The deadlines from today on within a span that bind for more than a month when they pass; in one query.

    Of contracts that run and have no end yet.
    """
    rows = Contract.objects.filter(seller=seller, end__isnull=True, start__lte=today).order_by()
    groups = rows.values_list("terms", "terms_from", "customer__kind").annotate(number=Count("pk"))
    found = []
    for agreed, begun, kind, number in groups:
        terms = parse_terms(agreed)
        if terms.notice is None and terms.initial_term is None:
            continue
        consumer = kind == "consumer" and seller.consumer_rules == "DE"
        last = notice_deadline(terms, begun, today, consumer=consumer)
        if last > today + within:
            continue
        ends = earliest_end(terms, begun, last, consumer=consumer)
        later = earliest_end(terms, begun, last + DAY, consumer=consumer)
        if later - ends > SHORT:
            found.append(Deadline(agreed, begun, kind, number, last, ends, later))
    return sorted(found, key=lambda d: (d.deadline, d.begun))


def with_deadlines(seller: Seller, found: Sequence[Deadline]) -> QuerySet[Any]:
    """The contracts of these deadlines, each with its `deadline`, `ends` and `later`."""
    places = [
        [json_text(d.terms) for d in found], [d.begun for d in found], [d.kind for d in found],
        [d.deadline for d in found], [d.ends for d in found], [d.later for d in found],
    ]  # fmt: skip
    groups = "unnest(%s::jsonb[], %s::date[], %s::text[], %s::date[], %s::date[], %s::date[])"
    same = "g.terms = c.terms AND g.begun = c.terms_from AND g.kind = k.kind"
    chosen = RawSQL(
        f"""SELECT c.id FROM contracts_contract c JOIN customers_customer k ON k.id = c.customer_id
            JOIN {groups} AS g(terms, begun, kind, deadline, ends, later) ON {same}
            WHERE k.seller_id = %s AND c."end" IS NULL""",
        [*places, seller.pk],
    )

    def one(name: str) -> RawSQL:
        return RawSQL(
            f"""(SELECT g.{name} FROM {groups} AS g(terms, begun, kind, deadline, ends, later)
                JOIN customers_customer k ON k.kind = g.kind AND k.id = contracts_contract.customer_id
                WHERE g.terms = contracts_contract.terms AND g.begun = contracts_contract.terms_from)""",
            places,
            output_field=DateField(),
        )

    rows = Contract.objects.filter(pk__in=chosen, seller=seller) if found else Contract.objects.none()
    rows = rows.select_related("customer", "tariff")
    return rows.annotate(deadline=one("deadline"), ends=one("ends"), later=one("later"))
