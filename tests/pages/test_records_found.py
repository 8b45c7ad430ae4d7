"""The list of usage records: products as the supplier writes them, and records by their supplier subscription."""

import re
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.catalog import services as catalog
from taktura.contracts.models import ContractLine
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.models import Supplier, SupplierProduct, SupplierSubscription, UsageRecord

HEAD = b"id,subscription_id,product_id,quantity,period_start\n"
ROWS = (
    b"p-1,Acc-1,PRD-L,1,2026-02-03\n"
    b"p-2,Acc-1,PRD-X,1,2026-02-03\n"
    b"p-3,Acc-2,PRD-M,1,2026-02-03\n"
    b"Acc-2,Acc-3,PRD-M,1,2026-02-03\n"
)


@pytest.fixture
def company(seller: Seller, actor: Actor) -> Seller:
    """The company with a file of three subscriptions, of which `Acc-2` is tied to a line."""
    supplier = Supplier.objects.get()
    line = ContractLine.objects.filter(article__key="calls").first()
    assert line is not None
    usage.link(actor, supplier=supplier, reference="Acc-2", line=line)
    usage.receive_file(actor, supplier=supplier, name="feb.csv", content=HEAD + ROWS)
    article = catalog.declare_article(actor, seller=seller, key="xxl")
    usage.set_product_reference(actor, supplier=supplier, product="Prd-X", article=article)
    return seller


def ids(client: Client, text: str) -> set[str]:
    """The records that a search finds."""
    page = client.get(f"/usage/records/?q={text}").content.decode()
    found = set(re.findall(r'href="/usage/records/(\d+)/"', page))
    return set(UsageRecord.objects.filter(pk__in=found).values_list("external_id", flat=True))


def test_a_product_stands_as_the_supplier_writes_it(company: Seller, client_as: Callable[..., Client]) -> None:
    """As its last file has it; what came before that was kept, as its subscription has it, else as it was said what it
    stands for."""
    SupplierSubscription.objects.filter(reference="Acc-1").update(product="PRD-L")
    text = client_as().get("/usage/records/").content.decode()
    assert "PRD-L" in text and "PRD-X" in text and "prd-l" not in text and "prd-x" not in text
    SupplierProduct.objects.all().delete()
    text = client_as().get("/usage/records/").content.decode()
    assert "PRD-L" in text and "Prd-X" in text and "prd-l" not in text and "prd-x" not in text
    for external_id, product in (("p-1", "PRD-L"), ("p-2", "Prd-X")):
        record = UsageRecord.objects.get(external_id=external_id).pk
        assert f"<dd>{product}</dd>" in client_as().get(f"/usage/records/{record}/").content.decode()


def test_costs_are_written_as_money_with_all_their_digits(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    rows = b"id,subscription_id,quantity,cost_amount,amount,period_start\nm-1,Acc-2,1,99.9,183.4417,2026-02-05\n"
    usage.receive_file(actor, supplier=Supplier.objects.get(), name="m.csv", content=rows)
    record = UsageRecord.objects.get(external_id="m-1")
    text = client_as().get(f"/usage/records/{record.pk}/").content.decode()
    assert "€99.90" in text and "€183.4417" in text
    assert "€99.90" in client_as().get("/usage/records/?q=m-1").content.decode()


def test_records_are_found_by_their_supplier_subscription(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    assert ids(client, "p-1") == {"p-1"}
    assert ids(client, "acc-1") == {"p-1", "p-2"}, "what waits"
    assert ids(client, "Acc-2") == {"p-3", "Acc-2"}, "what is on its line, and the record of this id"
    assert ids(client, "acc-") == set(), "whole"
    other = UsageRecord.objects.get(external_id="p-3")
    assert other.line is not None and other.subscription == "acc-2"


def test_a_search_by_subscription_is_answered_by_indexes(company: Seller, client_as: Callable[..., Client]) -> None:
    """No walk over all records, however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_usagerecord (seller_id, source, external_id, revision, digest, revised, article, by_key,"
            " supplier_id, subscription, product, at, day, end_day, is_span, discount, currency, priced, sent_to)"
            " SELECT seller_id, source, 'x' || n, 1, '', n, '', FALSE, supplier_id, 's' || n, '', at, day, end_day,"
            " FALSE, '', '', FALSE, '' FROM usage_usagerecord, generate_series(1, 20000) n WHERE external_id = 'p-1'"
        )
    with connections["owner"].cursor() as cursor:  # whom the tables belong to
        cursor.execute("ANALYZE usage_usagerecord")
    client = client_as()
    with CaptureQueriesContext(connection) as queries:
        client.get("/usage/records/?q=acc-2")
    asked = [q["sql"] for q in queries if "external_id" in q["sql"] and "'acc-2'" in q["sql"]]
    assert len(asked) == 2, "the rows, and how many they are"
    for one in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {one}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on usage_usagerecord" not in plan and "usage_waiting" in plan, plan
