"""The itemised list of a contract's calls: numbers called on the page and in the file, masked after their time."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

from django.test import Client

from taktura.billing import services as billing
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage import services as usage
from taktura.usage.reader import READY
from taktura.usage.services.numbers import mask_numbers

CALLED = "+49 89 1234567"


def called(seller: Seller, actor: Actor, line: ContractLine, day: str) -> None:
    """Load two calls of a telephone system by its ready mapping."""
    supplier = usage.create_supplier(actor, seller=seller, key="pbx", name="PBX", mapping=READY["asterisk"])
    usage.link(actor, supplier=supplier, reference="4930123", line=line)
    usual = dict.fromkeys(READY["asterisk"]["headings"], "") | {
        "accountcode": "4930123", "src": "4930123", "dst": CALLED, "disposition": "ANSWERED",
    }  # fmt: skip
    calls = [{"uniqueid": str(n), "answer": f"{day} 1{n}:00:00", "billsec": str(60 + n)} for n in (2, 1)]
    content = "\n".join(",".join((usual | call).values()) for call in calls).encode()
    received, _ = billing.receive_file(actor, supplier=supplier, name="Master.csv", content=content)
    assert received.outcome.recorded == 2, received.problems


def table(client: Client, contract: Contract, query: str = "") -> list[list[str]]:
    answer = client.get(f"/contracts/{contract.pk}/usage/list.csv{query}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline="")))


def test_calls_are_listed_with_the_numbers_called(
    seller: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    line = ContractLine.objects.filter(charge="usage", contract__seller=seller).earliest("pk")
    day = max(line.start, line.contract.start)
    called(seller, actor, line, day.isoformat())
    page = client.get(f"/contracts/{line.contract_id}/usage/?day={day}").content.decode()
    assert CALLED in page and f"usage/list.csv?day={day}" in page and "Called" in page
    heads, *rows = table(client, line.contract, f"?day={day}")
    assert heads[-4:] == ["Caller", "Called", "Duration in seconds", "Quantity"]
    mine = [row for row in rows if row[-3] == f"'{CALLED}"]
    assert [row[-2] for row in mine] == ["61", "62"], "the oldest first; a number that begins with + is no formula"
    book = client.get(f"/contracts/{line.contract_id}/usage/list.xlsx?day={day}")
    assert book.status_code == 200 and book.content[:2] == b"PK"
    assert client.get(f"/contracts/{line.contract_id}/usage/list.pdf").status_code == 404
    shown = client.get(f"/usage/records/?contract={line.contract.key}&columns=day&columns=called").content.decode()
    assert CALLED in shown
    seller.call_number_months = 6
    seller.save()
    late = Actor(actor.name, actor.now + timedelta(days=2000))
    assert mask_numbers(late, seller=seller)["records"] == 2
    assert {row[-3] for row in table(client, line.contract, f"?day={day}") if row[-2] in ("61", "62")} == {
        "'+49 89 1234xxx"
    }


def test_who_may_see_no_usage_gets_no_list(seller: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    line = ContractLine.objects.filter(charge="usage", contract__seller=seller).earliest("pk")
    place = f"/contracts/{line.contract_id}/usage/"
    assert forbidden_to(f"{place}list.csv") == forbidden_to(place)
