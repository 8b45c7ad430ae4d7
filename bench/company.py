"""A company of any size, fast: one contract is signed by the services and multiplied by the database.

The rows have the form in which the services write them: two more contracts are made by the services alone, with their
usage, and compared with what the multiplication makes of the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, connections, models, transaction

from taktura.catalog import services as catalog
from taktura.catalog.models import Tariff
from taktura.contracts import services as contracts
from taktura.contracts.facts import load
from taktura.contracts.models import Contract, ContractLine, ContractPhase, LineQuantity, LineStretch, PhaseVersion
from taktura.customers import services as customers
from taktura.customers.models import BillingInformation, Customer, Seller
from taktura.invoices.services import confirm_numbering
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import SubscriptionLink, Supplier, SupplierSubscription, UsageRecord

ZONE = "Europe/Berlin"
START = date(2026, 1, 1)
NOON = 12
BY_SERVICES = 2  # contracts made by the services alone
MULTIPLIED: tuple[type[models.Model], ...] = (
    Customer, BillingInformation, Contract, ContractPhase, PhaseVersion, ContractLine, LineStretch, LineQuantity,
    SupplierSubscription, SubscriptionLink,
)  # fmt: skip
NUMBER = "000000"  # the first contract's number, wherever a text holds it
RECORDS_PER_LINE = 50
MONTH_DAYS = 28

SELLER: dict[str, Any] = {
    "name": "Example GmbH",
    "street": "Lindenallee 1",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
    "vat_id": "DE136695976",
    "currency": "EUR",
    "time_zone": ZONE,
    "vat": [[None, "19"]],
}
# Four lines, all due at the end of a month.
TELEPHONE: dict[str, Any] = {
    "title": "Telephone",
    "interval": "1 month",
    "anchor": "calendar",
    "lines": {
        "base": {"title": "Base fee", "charge": "recurring", "price": "19.90", "when": "arrears"},
        "number": {"title": "Numbers", "charge": "recurring", "price": "4.50", "when": "arrears", "booking": "add_on"},
        "call": {
            "title": "Calls", "charge": "usage", "unit": "minute", "price": "1.19", "included": "10", "tick": "second",
        },
        "letter": {
            "title": "Letters", "charge": "usage", "tier_mode": "graduated",
            "tiers": [{"up_to": "20", "price": "1.00"}, {"price": "0.80"}],
        },
    },
}  # fmt: skip
CLOUD: dict[str, Any] = {
    "title": "Cloud",
    "interval": "1 month",
    "anchor": "calendar",
    "lines": {
        "cloud": {"title": "Cloud", "charge": "usage", "usage_pricing": "cost_plus", "markup": "15", "price": "0"}
    },
}
SEATS: dict[str, Any] = {
    "title": "Seats",
    "interval": "1 month",
    "anchor": "calendar",
    "lines": {"seat": {"title": "Seat", "charge": "recurring", "price": "12.50", "booking": "add_on"}},
}

# What `_entries` says, as the store has it: records of the first days, in the order of time over all contracts.
_USAGE = """
SELECT %(seller)s::bigint AS seller_id, 'usage' AS source,
    a.key || '-' || c.number || '-' || i AS external_id, 1 AS revision, md5('') AS digest,
    l.contract_id, l.id AS line_id, a.key AS article, FALSE AS by_key, '' AS subscription, '' AS product,
    (%(start)s::date + i * %(step)s %% %(days)s + time '09:00' + i * interval '1 minute')
        AT TIME ZONE %(zone)s AS at,
    %(start)s::date + i * %(step)s %% %(days)s AS day, %(start)s::date + i * %(step)s %% %(days)s + 1 AS end_day,
    FALSE AS is_span,
    CASE WHEN a.key = 'letter' THEN 1 + (i + c.number) %% 3 END::numeric AS quantity,
    CASE WHEN a.key = 'call' THEN 5 + (i * 37 + c.number * 11) %% 400 END::bigint AS seconds,
    '' AS currency, FALSE AS priced
FROM generate_series(0, %(records)s - 1) AS i
CROSS JOIN (SELECT id, right(key, 6)::int AS number FROM contracts_contract) c
JOIN contracts_contractline l ON l.contract_id = c.id AND l.charge = 'usage'
JOIN catalog_article a ON a.id = l.article_id
WHERE c.number BETWEEN %(first)s AND %(last)s ORDER BY i, l.id
"""


def on(day: date) -> Actor:
    """Who acts, at noon of a day."""
    return Actor("bench", datetime(day.year, day.month, day.day, NOON, tzinfo=ZoneInfo(ZONE)).astimezone(UTC))


@dataclass(slots=True)
class Company:
    """A seller with one tariff and so many contracts of it, all alike but for their numbers and usage."""

    seller: Seller
    tariff: Tariff
    count: int
    quantities: dict[str, Decimal]
    supplier: Supplier | None = None


def make(tariff: dict[str, Any], count: int, *, quantities: dict[str, Decimal], supplied: bool = False) -> Company:
    """Make a company of `count` contracts (at least three). `supplied`: each has a supplier's subscription."""
    actor = on(START)
    with transaction.atomic():
        seller = customers.create_seller(actor, **SELLER)
        for kind in ("invoice", "credit_note"):
            confirm_numbering(actor, seller=seller, kind=kind, format=kind[0].upper() + "-{number:07}", next=1)
        offer = catalog.define_tariff(actor, seller=seller, key="offer", **tariff)
        company = Company(seller, offer, count, quantities)
        if supplied:
            company.supplier = usage.create_supplier(
                actor, seller=seller, key="supplier", create_subscriptions=True, mapping={}
            )
        _sign(company, 0)
        _multiply(count - BY_SERVICES - 1)
        for number in range(count - BY_SERVICES, count):
            _alike(_sign(company, number), company)
    settle_statistics()
    return company


def settle_statistics() -> None:
    """Do what the server's housekeeping would have done by the time such a company has grown."""
    connections["owner"].ensure_connection()
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connections["owner"].close()


def add_usage(company: Company, records: int = RECORDS_PER_LINE, *, days: int = MONTH_DAYS, step: int = 1) -> int:
    """Usage of the first `days` for every usage line, `records` each, every `step` days; gives how many in all."""
    actor = on(START + timedelta(days=days))
    span: dict[str, Any] = {
        "seller": company.seller.pk, "start": START, "zone": ZONE, "records": records, "days": days, "step": step,
    }  # fmt: skip
    last = company.count - BY_SERVICES - 1
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({_USAGE}) x LIMIT 0", {**span, "first": 0, "last": 0})
        columns = ", ".join(f'"{column.name}"' for column in cursor.description)
        cursor.execute(f"INSERT INTO usage_usagerecord ({columns}) {_USAGE}", {**span, "first": 0, "last": last})
        for number in range(last + 1, company.count):
            usage.record_usage(actor, seller=company.seller, entries=list(_entries(number, records, days, step)))
            kept = columns.replace('"digest"', "digest <> ''")
            cursor.execute(
                f"""SELECT {kept} FROM usage_usagerecord WHERE contract_id =
                    (SELECT id FROM contracts_contract WHERE key = %s) ORDER BY substring(external_id, '\\d+$')::int,
                    line_id""",
                [f"C-{number:06}"],
            )
            stored = cursor.fetchall()
            cursor.execute(f"SELECT {kept} FROM ({_USAGE}) x", {**span, "first": number, "last": number})
            assert stored == cursor.fetchall(), "the services store usage in another form: correct _USAGE"
    count = UsageRecord.objects.count()
    settle_statistics()
    return count


def _entries(number: int, records: int, days: int, step: int) -> Iterator[dict[str, Any]]:
    """A contract's usage of the first days, in the words of the verb `usage`."""
    for i in range(records):
        day = START + timedelta(days=i * step % days)
        at = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(ZONE)) + timedelta(minutes=i)
        common = {"contract": f"C-{number:06}", "at": at}
        yield {**common, "id": f"call-{number}-{i}", "article": "call", "duration": 5 + (i * 37 + number * 11) % 400}
        yield {**common, "id": f"letter-{number}-{i}", "article": "letter", "quantity": 1 + (i + number) % 3}


def _sign(company: Company, number: int) -> Contract:
    """A customer with a contract, by the services."""
    actor, text = on(START), f"{number:06}"
    customer = customers.create_customer(actor, seller=company.seller, key=f"K-{text}", name=f"Customer {text} AG")
    customers.set_billing_information(
        actor, customer=customer, name=f"Customer {text} AG", street="Hauptstraße 1", postcode="20095", city="Hamburg",
        country="DE", email=f"customer-{text}@example.com",
    )  # fmt: skip
    contract = contracts.sign(
        actor, key=f"C-{text}", customer=customer, tariff=company.tariff, start=START, quantities=company.quantities
    )
    if company.supplier is not None:
        line = ContractLine.objects.get(contract=contract)
        usage.link(actor, supplier=company.supplier, reference=f"S-{text}", line=line)
    return contract


def _multiply(times: int) -> None:
    """Write the rows of the first contract so many times more; ids go on as if signed one after another."""
    with connection.cursor() as cursor:
        sizes: dict[type[models.Model], int] = {}
        for model in MULTIPLIED:
            cursor.execute(f"SELECT count(*), max(id) - min(id) + 1 FROM {model._meta.db_table}")
            sizes[model], span = cursor.fetchone()
            assert span in (None, sizes[model]), f"ids of {model.__name__} have gaps"
        for model in MULTIPLIED:
            table = model._meta.db_table
            columns = model._meta.concrete_fields
            names = ", ".join(f'"{c.column}"' for c in columns)
            values = ", ".join(_value(c, model, sizes) for c in columns)
            cursor.execute(
                f"""INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, generate_series(1, %s) n
                    ORDER BY n, t.id""",
                [times],
            )
            cursor.execute(
                "SELECT count(nextval(pg_get_serial_sequence(%s, 'id'))) FROM generate_series(1, %s)",
                [table, times * sizes[model]],
            )


def _value(column: Any, model: type[models.Model], sizes: dict[type[models.Model], int]) -> str:
    """A column of the n-th copy, as SQL."""
    old = f't."{column.column}"'
    if column.primary_key:
        return f"{old} + n * {sizes[model]}"
    if column.is_relation and column.related_model in sizes:
        return f"{old} + n * {sizes[column.related_model]}"
    if isinstance(column, models.CharField):
        return f"replace({old}, '{NUMBER}', lpad(n::text, 6, '0'))"
    return old


def _alike(contract: Contract, company: Company) -> None:
    """Raise unless a contract that the services signed is like the second, which the database made."""
    copy = Contract.objects.get(key="C-000001", seller=company.seller)
    found = load([contract.pk, copy.pk])
    assert _plain(found[contract.pk]) == _plain(found[copy.pk]), "the services sign in another form"
    same = ("currency", "start", "end", "next_due", "changed_from", "settled_until", "threshold", "anchor")
    assert [getattr(contract, f) for f in same] == [getattr(copy, f) for f in same]


def _plain(value: Any) -> Any:
    """A contract's facts without the ids in them."""

    def without(content: Any) -> Any:
        if isinstance(content, dict):
            return {k: without(v) for k, v in content.items() if k != "id"}
        if isinstance(content, Sequence) and not isinstance(content, str):
            return [without(v) for v in content]
        return content

    return without(asdict(value))
