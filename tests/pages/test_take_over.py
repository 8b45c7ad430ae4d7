"""Contracts from a file, in the office: what the page says of each row before anything is written."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from taktura.contracts.models import Contract
from taktura.customers.models import Seller
from taktura.office import page

TODAY = datetime(2026, 2, 16, 10, tzinfo=UTC)
HEAD = "contract,customer,tariff,start,billed_until,article,quantity\n"
ClientAs = Callable[..., Client]
PageOk = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def february(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)


def text_of(response: HttpResponse) -> str:
    """What a page shows, in one line."""
    html = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").split())


def sent(client: Client, text: str, name: str = "contracts.csv") -> HttpResponse:
    """The page after a file was chosen."""
    return client.post(reverse("take_over"), {"file": SimpleUploadedFile(name, text.encode())})


def content_of(response: HttpResponse) -> str:
    """The file that the page keeps for saving."""
    found = re.search(r'name="content" value="([^"]*)"', response.content.decode())
    assert found is not None
    return found[1]


@pytest.fixture
def tariff(seller: Seller) -> str:
    """The tariff of the contracts that are there."""
    return Contract.objects.select_related("tariff").get(key="V-acme").tariff.key


def test_rows_are_looked_at_and_then_taken_over(seller: Seller, tariff: str, client_as: ClientAs) -> None:
    client, count = client_as("sales"), Contract.objects.count()
    row = f"acme,{tariff},2025-01-01,2026-03-01,number,3"
    looked = sent(client, f"{HEAD}M-1,{row}\nM-2,{row}\nM-3,nobody,{tariff},2025-01-01,,,\n")
    shown = text_of(looked)
    # Base 19.90 and three numbers at 4.50, twice.
    assert "2 contracts Each month €66.80" in shown
    assert "4 M-3 – There is no customer “nobody”." in shown and "2 M-1 number Is taken over." in shown
    assert "1 contract has wrong rows." in shown and Contract.objects.count() == count
    content = content_of(looked)
    refused = client.post(reverse("take_over"), {"content": content})
    assert refused.status_code == 422 and "correct them, or leave these contracts out" in text_of(refused)
    assert content_of(refused) == content and Contract.objects.count() == count
    done = client.post(reverse("take_over"), {"content": content, "leave_out": "on"}, follow=True)
    assert "2 contracts are taken over." in text_of(done) and Contract.objects.count() == count + 2
    page_of = text_of(client.get(reverse("contract", args=[Contract.objects.get(key="M-1").pk])))
    assert "Billed elsewhere until 28 Feb 2026" in page_of
    again = text_of(sent(client, f"{HEAD}M-1,{row}\n"))
    assert "There is a contract “M-1” already" in again and "Take over</button>" not in again


def test_the_example_is_a_file_with_all_columns(client_as: ClientAs, seller: Seller, page_ok: PageOk) -> None:
    page_ok(reverse("take_over"), "sales")
    client = client_as("sales")
    example = client.get(reverse("take_over_example"))
    assert example["Content-Disposition"] == 'attachment; filename="contracts.csv"'
    looked = sent(client, example.content.decode())
    assert looked.status_code == 200 and "There is no customer “K-1”." in text_of(looked)
    assert client_as("viewer").get(reverse("take_over")).status_code == 403


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column “contract”"),
        ("contract,customer,tariff,start,colour\n1,2,3,4,5\n", "“colour” that nobody knows"),
        (HEAD, "has no rows"),
    ],
)
def test_a_file_that_is_none_is_refused(client_as: ClientAs, seller: Seller, text: str, said: str) -> None:
    response = sent(client_as("sales"), text)
    assert response.status_code == 422 and said in text_of(response)


def test_lines_that_cannot_be_read_must_be_corrected(client_as: ClientAs, seller: Seller, tariff: str) -> None:
    client = client_as("sales")
    looked = sent(client, f"{HEAD}M-1,acme,{tariff},2025-01-01,,,\nM-1,acme\n")
    shown = text_of(looked)
    assert "The line cannot be read" in shown and "correct the file first" in shown
    assert 'value="save"' not in looked.content.decode()
    forced = client.post(reverse("take_over"), {"content": content_of(looked), "leave_out": "on"})
    assert forced.status_code == 422 and not Contract.objects.filter(key="M-1").exists()


@pytest.mark.parametrize("content", ["", "%%%", "AAAA"])
def test_what_is_no_file_any_more_is_asked_for_again(client_as: ClientAs, seller: Seller, content: str) -> None:
    response = client_as("sales").post(reverse("take_over"), {"content": content}, follow=True)
    assert response.status_code == 200 and "An example file" in text_of(response)
