"""Single usage records in the portal: of a contract's period, and behind a line of a document; numbers of calls as they
are kept for administrators, shortened for users, and as a file."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.billing.models import Charge
from taktura.contracts.models import ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.portal.account import usage as pages
from taktura.usage import calls
from taktura.usage import services as usage
from taktura.usage.models import UsageRecord
from taktura.usage.services.numbers import mask_numbers
from tests.pages.test_call_lists import CALLED, called
from tests.pages.test_portal import let_in

SHORT = "+49 89 1234xxx"


@pytest.fixture
def acme(seller: Seller) -> Customer:
    return Customer.objects.select_related("seller").get(key="acme", seller=seller)


@pytest.fixture
def line(acme: Customer) -> ContractLine:
    return ContractLine.objects.filter(charge="usage", contract__customer=acme).earliest("pk")


def table(client: Client, path: str) -> list[list[str]]:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def page_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return unescape(answer.content.decode())


def test_calls_of_a_contract_with_each_role(acme: Customer, actor: Actor, line: ContractLine) -> None:
    day = max(line.start, line.contract.start)
    called(acme.seller, actor, line, day.isoformat())
    base = f"/portal/{acme.pk}/contracts/{line.contract_id}/usage/"
    anna, ben = let_in(acme), let_in(acme, "ben@acme.example", role="user")
    assert base in page_of(anna, f"/portal/{acme.pk}/contracts/{line.contract_id}/")
    seen = page_of(anna, f"{base}?day={day}")
    assert CALLED in seen and "4930123" in seen and "0:01:01" in seen and "last three digits" not in seen
    shortened = page_of(ben, f"{base}?day={day}")
    assert CALLED not in shortened and SHORT in shortened and "4930xxx" in shortened
    assert "without their last three digits" in shortened and "€" not in shortened and "EUR" not in shortened
    for client, number in ((anna, f"'{CALLED}"), (ben, f"'{SHORT}")):
        heads, *rows = table(client, f"{base}list.csv?day={day}")
        assert heads[-4:] == ["Caller", "Called", "Duration in seconds", "Quantity"]
        assert [row[-2] for row in rows if row[-3] == number] == ["61", "62"], "the oldest first"
    told = anna.get(f"{base}list.csv?day={day}").headers["Content-Disposition"]
    assert line.contract.key in told and ".csv" in told
    acme.seller.call_number_months = 6
    acme.seller.save()
    late = Actor(actor.name, actor.now + timedelta(days=2000))
    assert mask_numbers(late, seller=acme.seller)["records"] == 2
    seen = page_of(anna, f"{base}?day={day}")
    assert SHORT in seen and CALLED not in seen, "masked for everybody once their time is over"
    assert SHORT in page_of(ben, f"{base}?day={day}"), "and not masked twice"


def test_pages_go_on_and_lines_are_told_apart(
    acme: Customer, actor: Actor, line: ContractLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = max(line.start, line.contract.start)
    called(acme.seller, actor, line, day.isoformat())
    monkeypatch.setattr(pages, "PAGE", 1)
    base, anna = f"/portal/{acme.pk}/contracts/{line.contract_id}/usage/", let_in(acme)
    first = page_of(anna, f"{base}?day={day}&line={line.pk}")
    number = len(table(anna, f"{base}list.csv?day={day}&line={line.pk}")) - 1
    assert number == UsageRecord.objects.filter(line=line).count() >= 2
    seen, page = [], first
    while page:
        seen += re.findall(r"<tr><td>(.*?)</td>", page)
        following = re.search(r'href="(\?[^"]+)" rel="next"', page)
        page = page_of(anna, base + following[1]) if following else ""
    assert len(seen) == number and len(set(seen)) == number, "each record once"
    for made_up in ("after=x", "after=WzEsMl0=", "line=nobody", f"line={'9' * 30}", "day=soon", "day=1800-01-01"):
        assert anna.get(f"{base}?{made_up}").status_code == 200, made_up


def test_the_records_behind_a_line_of_a_document(acme: Customer, actor: Actor, line: ContractLine) -> None:
    day = max(line.start, line.contract.start)
    called(acme.seller, actor, line, day.isoformat())
    billing.bill(actor, seller=acme.seller, on=day + timedelta(days=70))
    charge = Charge.objects.filter(line=line, proof__has_key="usage").latest("pk")
    record = UsageRecord.objects.get(line=line, seconds=61)
    usage.withdraw_usage(actor, seller=acme.seller, external_id=record.external_id, source=record.source)
    base = f"/portal/{acme.pk}/documents/{charge.document_id}/"
    place = f"{base}lines/{charge.document_line.position}/usage/"
    anna, ben = let_in(acme), let_in(acme, "ben@acme.example", role="user")
    assert base in page_of(anna, f"/portal/{acme.pk}/documents/")
    paper = page_of(anna, base)
    assert place in paper and charge.document.number in paper and charge.document_line.title in paper
    seen = page_of(anna, place)
    assert CALLED in seen and "0:01:01" in seen and "0:01:02" in seen, "as it was billed then"
    _heads, *rows = table(anna, f"{place}list.csv")
    assert [row[-2] for row in rows if row[-3] == f"'{CALLED}"] == ["61", "62"]
    for path in (base, place, f"{place}list.csv"):
        assert ben.get(path).status_code == 404, "documents are for administrators"
    assert anna.get(f"{base}lines/999/usage/").status_code == 404


def test_what_the_supplier_charges_is_never_told(acme: Customer, actor: Actor, line: ContractLine) -> None:
    supplier = usage.create_supplier(actor, seller=acme.seller, key="cloud", name="Cloud")
    usage.link(actor, supplier=supplier, reference="S-1", line=line)
    day = max(line.start, line.contract.start)
    content = f"id,subscription_id,quantity,period_start,cost\nR1,S-1,3,{day},77.77".encode()
    received, _ = billing.receive_file(actor, supplier=supplier, name="a.csv", content=content)
    assert received.outcome.recorded == 1
    base, anna = f"/portal/{acme.pk}/contracts/{line.contract_id}/usage/", let_in(acme)
    for path in (f"{base}?day={day}", f"{base}list.csv?day={day}"):
        text = anna.get(path).getvalue().decode()
        assert "77.77" not in text and "233.31" not in text and "Cloud" not in text and "a.csv" not in text


def test_a_file_holds_all_however_many_and_is_read_in_parts(
    acme: Customer, actor: Actor, line: ContractLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = max(line.start, line.contract.start)
    called(acme.seller, actor, line, day.isoformat())
    path, client = f"/portal/{acme.pk}/contracts/{line.contract_id}/usage/list.csv?day={day}", let_in(acme)
    whole = table(client, path)
    assert len(whole) > 2

    def asked(size: int) -> int:
        monkeypatch.setattr(calls, "READ", size)
        answer = client.get(path)
        assert answer.streaming
        with CaptureQueriesContext(connection) as queries:
            rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))
        assert rows == whole, "each record once, in the same order"
        return len(queries)

    number = len(whole) - 1
    assert [asked(size) for size in (1, number, number + 1)] == [number + 1, 2, 1], "so many queries, and no more"
