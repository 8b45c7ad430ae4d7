"""The page of a contract over its life: what runs, what comes, and changes that are taken back."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.contracts.models import Contract, ContractLine, LineQuantity
from taktura.contracts.queries import line_for
from taktura.contracts.services import notice_end
from taktura.core.errors import Refused
from taktura.customers.models import BillingInformation, Seller
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.kit.mail.models import OutgoingMail
from taktura.office import page

TODAY = datetime(2026, 2, 16, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ClientAs = Callable[..., Client]


@pytest.fixture(autouse=True)
def february(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """It is a day in the middle of what was billed last."""
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)
    return Actor("test", TODAY - HOUR)


@pytest.fixture
def contract(seller: Seller) -> Contract:
    """The contract of Acme: two numbers, calls, searches; billed to the end of February."""
    return Contract.objects.select_related("customer__seller", "customer__billing_information").get(key="V-acme")


@pytest.fixture
def line(contract: Contract) -> ContractLine:
    """Its numbers."""
    return line_for(contract, "number")


def text_of(response: HttpResponse) -> str:
    """What a page shows, in one line."""
    html = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").split())


def amounts(response: HttpResponse) -> list[str]:
    """The amounts of the documents on a page, in order; of a preview those at once."""
    html = response.content.decode().partition('<h3 class="h4 mt-3">')[0]
    slips = re.findall(r'<section class="slip">.*?</section>', html, re.DOTALL)
    return [text for slip in slips for text in re.findall(r'<td class="number">(?:<span.*?</span>)?(.*?)</td>', slip)]


def preview(client: Client, name: str, contract: Contract, **fields: Any) -> HttpResponse:
    """What the page shows beside a form."""
    response: HttpResponse = client.post(reverse(f"{name}_preview", args=[contract.pk]), fields)
    assert response.status_code == 200
    return response


def save(client: Client, act: str, contract: Contract, /, **fields: Any) -> HttpResponse:
    """Send a form, and open the page to which it leads."""
    response: HttpResponse = client.post(reverse(act, args=[contract.pk]), fields, follow=True)
    assert response.status_code == 200, text_of(response)
    return response


def show(client: Client, name: str, contract: Contract) -> str:
    """A part of the contract's page."""
    response = client.get(reverse(name, args=[contract.pk]))
    assert response.status_code == 200
    return text_of(response)


def test_a_change_is_taken_back_with_the_figures_of_its_preview(
    contract: Contract, line: ContractLine, client_as: ClientAs, february: Actor
) -> None:
    client = client_as("billing")
    made = billing.change_quantity(february, line=line, quantity=Decimal(5), start=date(2026, 2, 20))
    change = LineQuantity.objects.get(line=line, quantity=5)
    assert len(made) == 2
    assert "Take back" in show(client, "contract_lines", contract)
    fields = {"change": change.pk, "memo": "typed twice"}
    foreseen = preview(client, "take_back_quantity", contract, **fields)
    assert amounts(foreseen)
    done = save(client, "take_back_quantity", contract, **fields)
    assert amounts(done) == amounts(foreseen)
    assert "to 5 from 20 Feb 2026 taken back" in text_of(done) and "typed twice" in text_of(done)
    # Credited is what had been charged, charged what had been credited: it settles to nothing.
    rows = list(Document.objects.order_by("-pk").values_list("kind", "gross", named=True)[:4])
    assert sum(r.gross if r.kind == "invoice" else -r.gross for r in rows) == 0
    # The change stays in the history; nothing is left to take back.
    lines = show(client, "contract_lines", contract)
    assert "5 taken back" in lines and "Take back" not in lines
    refused = client.post(reverse("take_back_quantity", args=[contract.pk]), fields)
    assert refused.status_code == 422
    change.refresh_from_db()
    assert change.taken_back_at == TODAY


def test_the_page_of_a_change_offers_to_take_it_back_once(
    contract: Contract, line: ContractLine, client_as: ClientAs, february: Actor
) -> None:
    billing.change_quantity(february, line=line, quantity=Decimal(5), start=date(2026, 3, 1))
    entry = LogEntry.objects.filter(action="change_quantity").latest("pk")
    address = reverse("contract_change", args=[contract.pk, entry.pk])
    client, change = client_as("billing"), LineQuantity.objects.get(line=line, quantity=5)
    link = f"{reverse('take_back_quantity', args=[contract.pk])}?change={change.pk}"
    assert link in client.get(address).content.decode()
    assert link not in client_as("viewer").get(address).content.decode()
    billing.take_back_quantity(february, change=change)
    assert link not in client.get(address).content.decode()


def test_the_page_says_what_comes(contract: Contract, line: ContractLine, client_as: ClientAs, february: Actor) -> None:
    client = client_as("billing")
    assert "What comes" not in show(client, "contract", contract)
    billing.change_quantity(february, line=line, quantity=Decimal(7), start=date(2026, 4, 1))
    billing.book(
        february, contract=contract, article="number", start=date(2026, 3, 10), name="Reception", memo="desk 2"
    )
    billing.pause(february, contract=contract, start=date(2026, 7, 1), end=date(2026, 8, 1))
    billing.give_notice(february, contract=contract, received=date(2026, 2, 16), wish=date(2026, 10, 31))
    shown = show(client, "contract", contract).partition("What comes")[2]
    order = [
        "10 Mar 2026 1 × Number “Reception” begins", "1 Apr 2026 Number: the quantity becomes 7", "1 Jul 2026 A pause",
        "1 Aug 2026 The pause is over", "31 Oct 2026 The contract ends: its last day",
    ]  # fmt: skip
    places = [shown.find(text) for text in order]
    assert -1 not in places and places == sorted(places), shown[:600]
    change = LineQuantity.objects.get(line=line, quantity=7)
    assert f"?change={change.pk}" in client.get(reverse("contract", args=[contract.pk])).content.decode()


def test_the_page_shows_notes_usage_and_what_is_open(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    billing.book(
        february, contract=contract, article="number", start=date(2026, 2, 10), name="Reception", memo="desk 2"
    )
    shown = show(client_as("billing"), "contract", contract)
    assert "Number “Reception” since 10 Feb 2026 · desk 2" in shown
    assert "Usage 1 Feb 2026 – 28 Feb 2026" in shown and "Open amount" in shown
    bars = client_as("billing").get(reverse("contract", args=[contract.pk])).content.decode()
    assert 'class="bar"' in bars


def test_lines_of_one_article_are_told_apart_where_one_is_chosen(
    contract: Contract, client_as: ClientAs, february: Actor
) -> None:
    client = client_as("billing")
    done = save(client, "book_article", contract, article="number", name="Reception", quantity="1", start="10.3.")
    assert "booked from 10 Mar 2026" in text_of(done)
    assert "Number “Reception”: 1, from 10 Mar 2026" in show(client, "change_quantity", contract)
    assert "Number “Reception”" in show(client, "contract_lines", contract)


def test_a_notice_before_there_was_a_contract_is_a_slip_of_the_pen(contract: Contract, client_as: ClientAs) -> None:
    first = min(contract.start, contract.terms_from, contract.signed_at.date())
    client, earlier = client_as("billing", "de"), first - timedelta(days=1)
    for path in ("give_notice_preview", "give_notice"):
        answer = client.post(reverse(path, args=[contract.pk]), {"line": 0, "received": f"{earlier:%d.%m.%Y}"})
        assert f"Am {earlier:%d.%m.%Y} gab es den Vertrag noch nicht" in text_of(answer)
        assert f"frühestens am {first:%d.%m.%Y}" in text_of(answer)
    contract.refresh_from_db()
    assert contract.end is None and contract.notice_received is None
    client.post(reverse("give_notice", args=[contract.pk]), {"line": 0, "received": f"{first:%d.%m.%Y}"})
    contract.refresh_from_db()
    assert contract.notice_received == first


def test_a_notice_of_a_day_to_come_is_a_slip_of_the_pen(contract: Contract, client_as: ClientAs) -> None:
    """What was received is known: a day to come is refused in the look ahead and in the act."""
    client, later = client_as("billing", "de"), TODAY.date() + timedelta(days=1)
    for path in ("give_notice_preview", "give_notice"):
        answer = client.post(reverse(path, args=[contract.pk]), {"line": 0, "received": f"{later:%d.%m.%Y}"})
        assert f"{later:%d.%m.%Y} liegt noch vor uns" in text_of(answer)
        assert f"spätestens den {TODAY:%d.%m.%Y}" in text_of(answer)
    contract.refresh_from_db()
    assert contract.end is None and contract.notice_received is None


def test_the_first_day_of_a_notice_is_the_sellers(contract: Contract, client_as: ClientAs) -> None:
    """Signed on 10 December at half past midnight in Berlin, when it was 9 December by UTC."""
    signed = datetime(2025, 12, 9, 23, 30, tzinfo=UTC)
    Contract.objects.filter(pk=contract.pk).update(
        signed_at=signed, start=date(2026, 1, 1), terms_from=date(2026, 1, 1)
    )
    contract = Contract.objects.select_related("customer__seller").get(pk=contract.pk)
    with pytest.raises(Refused, match="There was no contract") as refused:
        notice_end(contract, date(2025, 12, 9))
    assert refused.value.values["first"] == "2025-12-10"
    assert notice_end(contract, date(2025, 12, 10)) > date(2025, 12, 10)


def test_notice_of_one_line_and_its_withdrawal(
    contract: Contract, line: ContractLine, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as("billing")
    done = save(client, "give_notice", contract, line=line.pk, received="16.2.")
    line.refresh_from_db()
    contract.refresh_from_db()
    assert line.end is not None and line.notice_received == date(2026, 2, 16) and contract.end is None
    assert "Notice of a contract line received on 16 Feb 2026" in text_of(done)
    assert "Notice received on 16 Feb 2026" in show(client, "contract_lines", contract)
    assert "runs on; no end is fixed" in text_of(preview(client, "withdraw_notice", contract, line=line.pk))
    monkeypatch.setattr(page, "utc_now", lambda: TODAY + HOUR)
    done = save(client, "withdraw_notice", contract, line=line.pk)
    assert "Notice of a contract line withdrawn" in text_of(done)
    line.refresh_from_db()
    assert (line.end, line.notice_received, line.ended_by_notice) == (None, None, False)
    assert client.post(reverse("withdraw_notice", args=[contract.pk]), {"line": line.pk}).status_code == 422


def test_a_notice_is_confirmed_by_mail_and_printed(
    contract: Contract, client_as: ClientAs, february: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, address = client_as("billing"), "buchhaltung@acme.example"
    BillingInformation.objects.filter(customer=contract.customer).update(email=address)
    form = client.get(reverse("give_notice", args=[contract.pk])).content.decode()
    assert 'name="confirm"' in form and address in form
    done = save(client, "give_notice", contract, line="0", received="16.2.", confirm="on")
    mail = OutgoingMail.objects.get(kind="notice")
    assert mail.recipient == address and contract.key in mail.subject
    assert "Print the confirmation" in text_of(done)
    entry = LogEntry.objects.filter(action="give_notice").latest("pk")
    pdf = client.get(reverse("notice_confirmation", args=[contract.pk, entry.pk]))
    assert pdf["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    again = client.post(reverse("send_confirmation", args=[contract.pk, entry.pk]), follow=True)
    assert f"The confirmation goes to {address}" in text_of(again)
    assert OutgoingMail.objects.filter(kind="notice").count() == 2
    monkeypatch.setattr(page, "utc_now", lambda: TODAY + HOUR)
    save(client, "withdraw_notice", contract)
    assert OutgoingMail.objects.filter(kind="notice").count() == 2  # not wished
    assert "Confirmation mailed to" in show(client, "contract_history", contract)


def test_a_notice_that_cannot_be_confirmed_as_wished_is_not_given(
    contract: Contract, client_as: ClientAs, february: Actor
) -> None:
    """The address is none: who sees the refusal and sends the form again gives notice once, not twice."""
    BillingInformation.objects.filter(customer=contract.customer).update(email="no address")
    client, path = client_as("billing"), reverse("give_notice", args=[contract.pk])
    typed = {"line": "0", "received": "16.2.", "wish": "", "confirm": "on"}
    assert client.post(path, typed).status_code == 422
    contract.refresh_from_db()
    assert contract.notice_received is None and not OutgoingMail.objects.exists()
    assert client.post(path, {**typed, "confirm": ""}).status_code == 302


def test_only_a_notice_has_a_confirmation(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    billing.pause(february, contract=contract, start=date(2026, 3, 1))
    entry = LogEntry.objects.filter(action="pause").latest("pk")
    address = reverse("notice_confirmation", args=[contract.pk, entry.pk])
    answer = client_as("billing").get(address)
    assert answer.status_code == 302 and answer["Location"] == reverse("contract_change", args=[contract.pk, entry.pk])


def test_own_conditions_change_with_the_figures_of_their_preview(
    contract: Contract, line: ContractLine, client_as: ClientAs, february: Actor
) -> None:
    client = client_as("billing")
    address = f"{reverse('change_conditions', args=[contract.pk])}?line={line.pk}"
    assert address.replace("&", "&amp;") in client.get(reverse("contract_lines", args=[contract.pk])).content.decode()
    fields = {"line": line.pk, "start": "10.2.", "discount": "50", "reason": "a month of trouble", "memo": "agreed"}
    foreseen = preview(client, "change_conditions", contract, **fields)
    told = text_of(foreseen)
    assert "Until then: as in the tariff. From 10 Feb 2026: 50% discount (a month of trouble)." in told
    done = save(client, "change_conditions", contract, **fields)
    assert amounts(foreseen) and amounts(done) == amounts(foreseen)
    assert "from 10 Feb 2026: 50% discount (a month of trouble)" in text_of(done) and "agreed" in text_of(done)
    lines = show(client, "contract_lines", contract)
    assert "Own conditions over time" in lines and "as in the tariff 10 Feb 2026 50% discount" in lines
    shown = client.get(address).content.decode()
    assert 'value="50"' in shown and 'value="a month of trouble"' in shown, "the form begins with what holds"
    billing.change_conditions(february, line=line, start=date(2026, 4, 1))
    assert "own conditions become as in the tariff" in show(client, "contract", contract)
    for bad in ({**fields, "discount": "101"}, {**fields, "line": 0}, {**fields, "start": "1.1.2020"}):
        assert client.post(reverse("change_conditions", args=[contract.pk]), bad).status_code == 422


def test_own_conditions_of_usage_hold_from_its_next_period(contract: Contract, client_as: ClientAs) -> None:
    used = ContractLine.objects.filter(contract=contract, charge="usage").first()
    assert used is not None
    told = text_of(
        preview(client_as("billing"), "change_conditions", contract, line=used.pk, start="10.2.", price="0.01")
    )
    assert "From 1 Mar 2026: own price" in told and "changes with the first one that begins" in told


def test_own_conditions_of_usage_are_shown_as_they_are_billed(
    contract: Contract, client_as: ClientAs, february: Actor
) -> None:
    used = ContractLine.objects.select_related("contract__customer__seller", "article").filter(
        contract=contract, charge="usage"
    )[0]
    for day, price in ((10, "0.01"), (12, "0.02")):
        billing.change_conditions(february, line=used, start=date(2026, 2, day), price=Decimal(price))
    client = client_as("billing")
    lines = show(client, "contract_lines", contract)
    assert "as in the tariff 1 Mar 2026 own price" in lines and "12 Feb 2026" not in lines
    assert lines.count("0.02") == 1, "it is not what this period is billed at"
    overview = show(client, "contract", contract)
    assert overview.count("own conditions become") == 1 and "own price €0.02" in overview
    told = text_of(preview(client, "change_conditions", contract, line=used.pk, start="11.2.", price="0.03"))
    assert "Until then: as in the tariff. From 1 Mar 2026: own price €0.02" in told, "the 12th was agreed already"
