"""Pages of contracts: the list, the parts of one contract, and what can be done with it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from taktura.accounts.permissions import ROLES
from taktura.audit.models import LogEntry
from taktura.billing import services as billing
from taktura.catalog import services as catalog
from taktura.catalog.coupons import define_coupon
from taktura.contracts import services as contracts
from taktura.contracts.models import Contract, ContractLine
from taktura.contracts.queries import line_for
from taktura.customers import services as customers
from taktura.customers.models import Seller
from taktura.desk import services as desk
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.office import page
from taktura.usage.models import UsageRecord

TODAY = datetime(2026, 2, 16, 10, tzinfo=UTC)
TABS = ("contract", "contract_lines", "contract_usage", "contract_documents", "contract_history")
CHANGES = (
    "change_quantity", "book_article", "end_line", "give_notice", "pause_contract", "resume_contract", "change_tariff",
    "redeem_coupon", "withdraw_notice",
)  # fmt: skip
MOST_QUERIES = 30

ClientAs = Callable[..., Client]
PageOk = Callable[..., dict[str, str]]


@pytest.fixture(autouse=True)
def february(monkeypatch: pytest.MonkeyPatch) -> Actor:
    """It is a day in the middle of what was billed last."""
    monkeypatch.setattr(page, "utc_now", lambda: TODAY)
    return Actor("test", TODAY)


@pytest.fixture
def contract(seller: Seller) -> Contract:
    """The contract of Acme: two numbers, calls, searches; billed to the end of February."""
    return Contract.objects.select_related("customer__seller", "customer__billing_information").get(key="V-acme")


@pytest.fixture
def larger(seller: Seller, february: Actor) -> None:
    """A second tariff, and a coupon."""
    lines: dict[str, Any] = {
        "base": {"title": "Base fee plus", "charge": "recurring", "price": "39.90"},
        "number": {"title": "Number", "charge": "recurring", "booking": "add_on", "price": "4.00"},
        "calls": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.99", "included": "60"},
        "fax": {"title": "Fax", "charge": "recurring", "booking": "on_off", "price": "2.00"},
    }
    catalog.define_tariff(february, seller=seller, key="plus", title="Telefon Plus", notice="yearly", lines=lines)
    define_coupon(february, seller=seller, key="TEN", percent="10", periods=2)


def text_of(response: HttpResponse | str) -> str:
    """What a page shows, in one line."""
    html = response if isinstance(response, str) else response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").split())


def amounts(response: HttpResponse) -> list[str]:
    """The amounts that a page shows in its documents, in order."""
    html = response.content.decode()
    slips = re.findall(r'<section class="slip">.*?</section>', html, re.DOTALL)
    cells = [c for slip in slips for c in re.findall(r'<td class="number">(.*?)</td>', slip, re.DOTALL)]
    return [text_of(cell).removeprefix("credited ") for cell in cells]


def preview(client: Client, name: str, contract: Contract, **fields: Any) -> HttpResponse:
    """What the page shows beside a form."""
    response: HttpResponse = client.post(reverse(f"{name}_preview", args=[contract.pk]), fields)
    assert response.status_code == 200
    return response


def save(client: Client, name: str, contract: Contract, **fields: Any) -> HttpResponse:
    """Send a form, and open the page to which it leads."""
    response: HttpResponse = client.post(reverse(name, args=[contract.pk]), fields, follow=True)
    assert response.status_code == 200, text_of(response)
    return response


# The list


def test_the_list_names_customer_tariff_state_and_open_amount(contract: Contract, page_ok: PageOk) -> None:
    shown = page_ok("/contracts/", "viewer")
    assert "V-acme Acme GmbH Telefonservice Active 1 Jan 2026" in text_of(shown["en"])
    balance = sum(Document.objects.filter(contract=contract).values_list("gross", flat=True))
    assert f"€{balance // 100}.{balance % 100:02}" in text_of(shown["en"])
    assert "Aktiv" in text_of(shown["de"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=acme", ["V-acme"]),
        ("q=ozturk", ["V-oztuerk"]),
        ("q=v- ohne", ["V-bare"]),
        ("q=nobody", []),
        ("state=active", ["V-acme", "V-bare"]),
        ("state=paused", ["V-oztuerk"]),
        ("state=ended", []),
        ("module=telephone", ["V-acme", "V-bare", "V-oztuerk"]),
        ("due=1.3.", ["V-acme", "V-bare", "V-oztuerk"]),
        ("due=1.1.", ["V-bare"]),
    ],
)
def test_filters(query: str, found: list[str], contract: Contract, client_as: ClientAs, february: Actor) -> None:
    other = Contract.objects.select_related("customer__seller", "customer__billing_information").get(key="V-oztuerk")
    billing.pause(february, contract=other, start=date(2026, 2, 10))
    html = client_as("viewer").get(f"/contracts/?{query}").content.decode()
    assert re.findall(r'class="row-link">(V-\w+)</a>', html) == found


def test_the_list_offers_what_the_role_may_do(contract: Contract, client_as: ClientAs) -> None:
    path = reverse("give_notice", args=[contract.pk])
    assert path in client_as("sales").get("/contracts/").content.decode()
    assert path not in client_as("viewer").get("/contracts/").content.decode()
    assert reverse("interim_bill", args=[contract.pk]) not in client_as("sales").get("/contracts/").content.decode()


def test_the_list_is_exported(contract: Contract, client_as: ClientAs) -> None:
    text = client_as("viewer").get("/contracts/?export=csv").content.decode()
    assert "V-acme,Acme GmbH,Telefonservice,Active,2026-01-01" in text


def test_the_number_of_queries_does_not_depend_on_the_number_of_contracts(
    contract: Contract, client_as: ClientAs, february: Actor
) -> None:
    client = client_as("viewer")
    client.get("/contracts/")
    with CaptureQueriesContext(connection) as few:
        client.get("/contracts/")
    for number in range(20):
        contracts.sign(
            february, key=f"N-{number}", customer=contract.customer, tariff=contract.tariff, start=date(2026, 3, 1)
        )
    with CaptureQueriesContext(connection) as many:
        client.get("/contracts/")
    assert len(many) == len(few) <= MOST_QUERIES


# One contract


@pytest.mark.parametrize("name", TABS)
def test_each_part_of_a_contract_opens_in_three_languages(name: str, contract: Contract, page_ok: PageOk) -> None:
    page_ok(reverse(name, args=[contract.pk]), "viewer")


def test_the_overview_says_what_was_agreed_and_what_comes(contract: Contract, client_as: ClientAs) -> None:
    shown = text_of(client_as("viewer").get(reverse("contract", args=[contract.pk])))
    assert "Runs without a term. Notice: 1 month to the end of a month." in shown
    assert "With notice today 31 Mar 2026 For this end, notice until 28 Feb 2026" in shown
    first = billing.forecast(Actor("test", TODAY), contract=contract)[0]
    assert first.on == date(2026, 3, 1)
    gross = first.documents[0].draft.gross
    assert f"€{gross // 100}.{gross % 100:02} on 1 Mar 2026" in shown
    assert "1 record sent for this contract has found no line." in shown


def test_usage_stands_against_what_is_included(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("technician")
    path = reverse("contract_usage", args=[contract.pk])
    assert "0 min of 10 min included" in text_of(client.get(path))
    january = text_of(client.get(path + "?day=2026-01-10"))
    assert "13 min: 10 min included, 3 min beyond" in january and "0:12:34" in january
    assert "€3.00 of €10.00" in january  # searches count in the minimum


def test_records_are_shown_page_by_page(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    entries = [
        {"contract": "V-acme", "article": "search", "quantity": n, "at": datetime(2026, 2, 1 + n % 14, 9, tzinfo=UTC)}
        for n in range(1, 61)
    ]
    billing.record_usage(february, seller=contract.customer.seller, entries=entries)
    client = client_as("viewer")
    path = reverse("contract_usage", args=[contract.pk])
    first = client.get(path).content.decode()
    following = re.search(r'href="(\?after=[^"]+)"', first)
    assert following is not None
    second = client.get(path + unescape(following[1])).content.decode()
    seen = [re.findall(r'<td class="number">(\d+)</td>', html) for html in (first, second)]
    assert sorted(int(n) for n in seen[0] + seen[1]) == list(range(1, 61))
    assert client.get(path + "?after=nonsense:7").status_code == 200


def test_lines_show_their_quantities_over_time(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    line = line_for(contract, "number")
    billing.change_quantity(february, line=line, quantity=Decimal(5), start=date(2026, 2, 20), memo="two more")
    billing.book(
        february, contract=contract, article="number", start=date(2026, 3, 1), price=Decimal(4), memo="for the lab"
    )  # fmt: skip
    shown = text_of(client_as("viewer").get(reverse("contract_lines", args=[contract.pk])))
    assert "Quantities over time 1 Jan 2026 2 20 Feb 2026 5 two more" in shown
    assert "Coming" in shown and "own price €4.00" in shown and "for the lab" in shown


def test_history_tells_who_did_what_and_why(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    line = line_for(contract, "number")
    billing.change_quantity(february, line=line, quantity=Decimal(5), start=date(2026, 2, 20), memo="two more")
    numbers = list(Document.objects.filter(contract=contract).order_by("-id").values_list("number", flat=True)[:2])
    path = reverse("contract_history", args=[contract.pk])
    shown = text_of(client_as("viewer").get(path))
    assert "Quantity of “Number” is 5 from 20 Feb 2026. two more" in shown and "test" in shown
    assert all(number in shown for number in numbers)
    assert "Signed on the tariff “Telefonservice” from 1 Jan 2026. Booked at once: 2 × Number." in shown
    german = text_of(client_as("viewer", "de").get(path))
    assert "Menge von „Number“ ist 5 ab 20.02.2026." in german


# What can be done


@pytest.mark.parametrize("name", [*CHANGES, "add_usage", "interim_bill"])
def test_each_form_opens_in_three_languages(name: str, contract: Contract, larger: None, page_ok: PageOk) -> None:
    page_ok(reverse(name, args=[contract.pk]))


def test_who_may_do_what(contract: Contract, forbidden_to: Callable[[str], set[str]]) -> None:
    everybody = set(ROLES)
    may_change = {"admin", "billing", "sales"}
    for name in CHANGES:
        assert forbidden_to(reverse(name, args=[contract.pk])) == everybody - may_change
    assert forbidden_to(reverse("sign_contract")) == everybody - may_change
    assert forbidden_to(reverse("add_usage", args=[contract.pk])) == everybody - {"admin", "billing", "lead"}
    assert forbidden_to(reverse("interim_bill", args=[contract.pk])) == everybody - {"admin", "billing"}
    assert forbidden_to(reverse("contract_documents", args=[contract.pk])) == {"technician"}


def test_a_quantity_is_foreseen_and_then_changed(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales")
    fields = {"line": line_for(contract, "number").pk, "quantity": "5", "start": "16.2.", "memo": "two more"}
    before = Document.objects.count()
    foreseen = preview(client, "change_quantity", contract, **fields)
    # 2 × 4.50 for 13 of 28 days is credited, 5 × 4.50 is charged.
    assert amounts(foreseen)[:10] == [
        "€4.18", "€4.18", "€0.79", "€4.97", "€10.45", "€10.45", "€1.99", "€12.44", *amounts(foreseen)[8:10],
    ]  # fmt: skip
    assert "1 Mar 2026" in text_of(foreseen) and "before:" in text_of(foreseen)
    assert Document.objects.count() == before
    done = save(client, "change_quantity", contract, **fields)
    assert amounts(done) == amounts(foreseen)[:8]
    numbers = list(Document.objects.order_by("-id").values_list("number", flat=True)[:2])
    assert all(number in text_of(done) for number in numbers)
    assert "Quantity of “Number” is 5 from 16 Feb 2026." in text_of(done) and "two more" in text_of(done)


def test_a_usage_line_has_no_quantity_to_change(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("billing")
    fields = {"line": line_for(contract, "calls").pk, "quantity": "5", "start": "16.2."}
    foreseen = preview(client, "change_quantity", contract, **fields)
    assert "comes from its usage" in text_of(foreseen)
    assert reverse("add_usage", args=[contract.pk]) in foreseen.content.decode()
    refused = client.post(reverse("change_quantity", args=[contract.pk]), fields)
    assert refused.status_code == 422 and "comes from its usage" in text_of(refused)


def test_what_was_typed_wrong_is_said_in_the_readers_language(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales", "de")
    fields = {"line": line_for(contract, "number").pk, "quantity": "viele", "start": "irgendwann"}
    assert "keine Zahl" in text_of(preview(client, "change_quantity", contract, **fields))
    response = client.post(reverse("change_quantity", args=[contract.pk]), fields)
    assert response.status_code == 422
    assert "„irgendwann“ ist kein Tag" in text_of(response) and 'value="viele"' in response.content.decode()


def test_an_article_is_booked_at_once_or_with_the_next_billing(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales")
    fields = {"article": "number", "quantity": "1", "start": "16.2.", "price": "2,80", "memo": "lab"}
    later = preview(client, "book_article", contract, **fields)
    assert "No document." in text_of(later)
    foreseen = preview(client, "book_article", contract, **fields, now="1")
    assert amounts(foreseen)[:1] == ["€1.30"]  # 2.80 for 13 of 28 days
    done = save(client, "book_article", contract, **fields, now="1")
    assert amounts(done) == amounts(foreseen)[:4]
    assert ContractLine.objects.get(contract=contract, memo="lab").price == Decimal("2.80")


def test_a_line_ends_with_its_last_day(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales")
    fields = {"line": line_for(contract, "number").pk, "last_day": "15.2."}
    foreseen = preview(client, "end_line", contract, **fields)
    assert "The last day is 15 Feb 2026." in text_of(foreseen) and amounts(foreseen)[0] == "€4.18"
    done = save(client, "end_line", contract, **fields)
    assert amounts(done) == amounts(foreseen)[:4] and "“Number” ends" in text_of(done)
    assert ContractLine.objects.get(pk=fields["line"]).end == date(2026, 2, 16)


def test_usage_is_added_by_hand(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("lead")
    fields = {"article": "calls", "duration": "12:30", "day": "10.2.", "note": "call of the boss"}
    foreseen = text_of(preview(client, "add_usage", contract, **fields))
    assert "Calls" in foreseen and "€3.57" in foreseen  # 13 minutes, 10 included
    save(client, "add_usage", contract, **fields)
    record = UsageRecord.objects.latest("id")
    assert (record.seconds, record.line_id, record.attributes) == (
        750, line_for(contract, "calls").pk, {"note": "call of the boss"}
    )  # fmt: skip
    assert "waits" in text_of(preview(client, "add_usage", contract, **(fields | {"day": "10.12.2025"})))
    assert "Give what was used." in text_of(preview(client, "add_usage", contract, article="calls", day="10.2."))
    both = preview(client, "add_usage", contract, article="calls", day="10.2.", quantity="1", duration="1:00")
    assert "not both" in text_of(both)


def test_an_interim_bill_may_leave_usage_out(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    client = client_as("billing")
    assert "No document." in text_of(preview(client, "interim_bill", contract))
    entry = {"contract": "V-acme", "article": "search", "quantity": 4, "at": datetime(2026, 2, 3, 9, tzinfo=UTC)}
    billing.record_usage(february, seller=contract.customer.seller, entries=[entry])
    assert "No document." in text_of(preview(client, "interim_bill", contract, leave_out="usage"))
    foreseen = preview(client, "interim_bill", contract)
    done = save(client, "interim_bill", contract)
    assert amounts(done) == ["€4.00", "€4.00", "€0.76", "€4.76"] == amounts(foreseen)[:4]


def test_an_interim_bill_may_leave_time_out(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    client, customer = client_as("billing"), contract.customer
    customers.change_customer(february, customer=customer, hourly_rate=90)
    worked = desk.log_time(february, customer=customer, minutes=25, note="New extension")
    desk.approve_time(february, entries=[worked.pk])
    assert "No document." in text_of(preview(client, "interim_bill", contract, leave_out="time"))
    foreseen = preview(client, "interim_bill", contract)
    done = save(client, "interim_bill", contract)
    assert amounts(done)[:2] == ["€45.00", "€45.00"] == amounts(foreseen)[:2]  # 30 minutes
    assert "25 min logged, €90.00 per hour" in text_of(foreseen)
    assert "No document." in text_of(preview(client, "interim_bill", contract))


def test_what_keeps_a_bill_from_being_issued_is_said_before(seller: Seller, client_as: ClientAs) -> None:
    client, bare = client_as("billing"), Contract.objects.get(key="V-bare")
    assert "Complete the billing information of Ohne Angaben KG first" in text_of(preview(client, "interim_bill", bare))
    response = client.post(reverse("interim_bill", args=[bare.pk]))
    assert response.status_code == 422 and "Complete the billing information" in text_of(response)


def test_notice_ends_on_the_day_that_the_terms_permit(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales")
    fields = {"line": "0", "received": "16.2.", "wish": "5.3."}
    foreseen = text_of(preview(client, "give_notice", contract, **fields))
    assert "The last day of the contract is 31 Mar 2026." in foreseen and "It cannot end on the wished day" in foreseen
    assert "The last bill is of 1 Apr 2026" in foreseen
    assert "the last day is 31 Mar 2026" in text_of(save(client, "give_notice", contract, **fields))
    contract.refresh_from_db()
    assert contract.end == date(2026, 4, 1)
    page_of = text_of(client.get(reverse("contract", args=[contract.pk])))
    assert "End 31 Mar 2026 Notice received on 16 Feb 2026" in page_of
    assert "The contract runs on; no end is fixed." in text_of(preview(client, "withdraw_notice", contract))
    save(client, "withdraw_notice", contract)
    contract.refresh_from_db()
    assert contract.end is None


def test_pause_and_resume(contract: Contract, client_as: ClientAs) -> None:
    client = client_as("sales")
    foreseen = preview(client, "pause_contract", contract, start="16.2.")
    done = save(client, "pause_contract", contract, start="16.2.")
    assert amounts(done) == amounts(foreseen)[: len(amounts(done))] and "€9.24" in amounts(done)  # 19.90 · 13/28
    again = client.post(reverse("pause_contract", args=[contract.pk]), {"start": "20.2."})
    assert again.status_code == 422 and "paused already" in text_of(again)
    assert "Paused" in text_of(client.get(reverse("contract", args=[contract.pk])))
    later = text_of(preview(client, "resume_contract", contract, start="20.2."))
    assert "before:" in later
    save(client, "resume_contract", contract, start="20.2.")
    assert contract.pauses.get().end == date(2026, 2, 20)


def test_a_tariff_is_changed_side_by_side(contract: Contract, larger: None, client_as: ClientAs) -> None:
    client = client_as("sales")
    plus = contract.customer.seller.tariffs.get(key="plus")
    fields = {"tariff": plus.pk, "start": "16.2.", "keep_billing_dates": "on"}
    foreseen = preview(client, "change_tariff", contract, **fields)
    shown = text_of(foreseen)
    assert "Base fee plus €19.90 per month €39.90 per month" in shown
    assert "Number 2 × €4.50 per month 2 × €4.00 per month" in shown
    assert "Search €1.00 each ends" in shown and "Runs for at least 1 year." in shown
    done = save(client, "change_tariff", contract, **fields)
    assert amounts(done) == amounts(foreseen)[: len(amounts(done))] and len(amounts(done)) > 6
    contract.refresh_from_db()
    assert contract.tariff_id == plus.pk and contract.terms == "yearly"


def offered(response: HttpResponse | str) -> list[str]:
    """The articles that a change of tariff offers to keep at their old terms."""
    html = response if isinstance(response, str) else response.content.decode()
    return re.findall(r'name="keep" value="(\w+)"', html)


def test_what_another_tariff_lacks_is_decided_about(
    contract: Contract, seller: Seller, larger: None, client_as: ClientAs, february: Actor
) -> None:
    """By the tariff and the day that are chosen, not by today's lines."""
    lines = {"search": {"title": "Search", "charge": "usage", "price": "0.50"}}
    catalog.define_tariff(february, seller=seller, key="bare", title="Nur Suche", lines=lines)
    plus, bare = (str(seller.tariffs.get(key=key).pk) for key in ("plus", "bare"))
    client = client_as("sales")
    address = reverse("change_tariff", args=[contract.pk])
    fields = {"tariff": plus, "start": "16.2.", "keep_billing_dates": "on"}
    assert offered(client.get(f"{address}?tariff={plus}").content.decode()) == ["search"]
    assert offered(client.get(f"{address}?tariff={bare}").content.decode()) == ["base", "number", "calls"]
    foreseen = preview(client, "change_tariff", contract, **fields)
    assert offered(foreseen) == ["search"] and "Search: €1.00 each" in text_of(foreseen)
    assert 'id="keep" hx-swap-oob="true"' in foreseen.content.decode()
    assert offered(preview(client, "change_tariff", contract, **fields | {"tariff": bare})) == [
        "base",
        "number",
        "calls",
    ]
    billing.end_line(february, line=contract.lines.get(article__key="search"), until=date(2026, 2, 28))
    assert offered(preview(client, "change_tariff", contract, **fields)) == ["search"], "it ends after the day"
    assert offered(preview(client, "change_tariff", contract, **fields | {"start": "1.3."})) == []
    assert offered(preview(client, "change_tariff", contract, **fields | {"start": "1.1."})) == [], "it is refused"


def test_a_line_is_kept_at_its_old_terms(contract: Contract, larger: None, client_as: ClientAs) -> None:
    client = client_as("sales")
    plus = contract.customer.seller.tariffs.get(key="plus")
    fields = {"tariff": plus.pk, "start": "16.2.", "keep_billing_dates": "on", "keep": ["search", "base", "nothing"]}
    foreseen = preview(client, "change_tariff", contract, **fields)
    assert "Search €1.00 each €1.00 each (at its old terms)" in text_of(foreseen)
    done = save(client, "change_tariff", contract, **fields)
    assert amounts(done) == amounts(foreseen)[: len(amounts(done))]
    kept = contract.lines.get(article__key="search")
    assert kept.end is None and kept.kept_from == date(2026, 2, 16)
    assert contract.lines.get(article__key="base").kept_from is None, "the new tariff has it: nothing to decide"


def test_a_new_period_begins_with_another_tariff(contract: Contract, larger: None, client_as: ClientAs) -> None:
    client = client_as("sales")
    fields = {"tariff": contract.customer.seller.tariffs.get(key="plus").pk, "start": "16.2."}
    foreseen = preview(client, "change_tariff", contract, **fields)
    assert "16 Feb 2026 – 15 Mar 2026" in text_of(foreseen), "the whole period is charged, not its rest"
    done = save(client, "change_tariff", contract, **fields)
    assert amounts(done) == amounts(foreseen)[: len(amounts(done))]
    assert "16 Mar 2026" in text_of(client.get(reverse("contract", args=[contract.pk]))), "the next billing"


def test_a_coupon_is_redeemed(contract: Contract, larger: None, client_as: ClientAs) -> None:
    client = client_as("sales")
    ten = contract.customer.seller.coupons.get(key="TEN")
    assert "before:" in text_of(preview(client, "redeem_coupon", contract, coupon=ten.pk))
    save(client, "redeem_coupon", contract, coupon=ten.pk)
    assert "TEN : 10% off" in text_of(client.get(reverse("contract", args=[contract.pk])))


# Signing


def test_a_contract_is_signed(seller: Seller, larger: None, client_as: ClientAs, page_ok: PageOk) -> None:
    page_ok(reverse("sign_contract"))
    client = client_as("sales")
    plus = seller.tariffs.get(key="plus")
    offer = client.post(reverse("sign_offer"), {"tariff": plus.pk}).content.decode()
    names = re.findall(r'name="(quantity_\d+)"', offer)
    assert len(names) == 2 and "€4.00 per month" in text_of(offer)
    fields = {
        "customer": "Acme GmbH (acme)", "tariff": plus.pk, "start": "1.3.", "key": "A-100", names[0]: "3",
        "coupon": seller.coupons.get(key="TEN").pk,
    }  # fmt: skip
    foreseen = client.post(reverse("sign_contract_preview"), fields)
    shown = text_of(foreseen)
    assert "Runs for at least 1 year." in shown and "€35.91" in shown and "€10.80" in shown  # less ten percent
    assert not Contract.objects.filter(key="A-100").exists()
    response = client.post(reverse("sign_contract"), fields, follow=True)
    made = Contract.objects.get(key="A-100")
    assert "Signed on the tariff “Telefon Plus” from 1 Mar 2026. Booked at once: 3 × Number." in text_of(response)
    assert (made.customer.key, made.start, made.lines.get(article__key="number").quantities.get().quantity) == (
        "acme", date(2026, 3, 1), 3
    )  # fmt: skip
    again = client.post(reverse("sign_contract"), fields)
    assert again.status_code == 422 and "There is a contract “A-100” already" in text_of(again)
    assert 'value="A-101"' in client.get(reverse("sign_contract")).content.decode()


def test_the_customer_is_found_as_typed(seller: Seller, client_as: ClientAs) -> None:
    client = client_as("sales")
    found = client.get(reverse("sign_customers"), {"customer": "öztürk"}).content.decode()
    assert 'value="Gemeinschaftspraxis Öztürk (oztuerk)"' in found and "Acme" not in found
    tariff = seller.tariffs.get().pk
    for typed in ("acme", "Acme GmbH", "acme gmbh", "Acme GmbH (acme)"):
        fields = {"customer": typed, "tariff": tariff, "start": "1.3.", "key": "X"}
        assert "Base fee" in text_of(client.post(reverse("sign_contract_preview"), fields))
    fields["customer"] = "nobody"
    assert "Choose one of the customers suggested" in text_of(client.post(reverse("sign_contract_preview"), fields))
    pk = seller.customers.get(key="acme").pk
    assert 'value="Acme GmbH (acme)"' in client.get(reverse("sign_contract") + f"?customer={pk}").content.decode()


# What is not one's own


def test_contracts_of_other_sellers_are_not_found(contract: Contract, client_as: ClientAs, february: Actor) -> None:
    other = customers.create_seller(
        february, name="Other", country="SE", currency="SEK", time_zone="Europe/Stockholm", vat=[[None, "25"]]
    )
    tariff = catalog.define_tariff(
        february, seller=other, key="t", title="T", lines={"a": {"title": "A", "price": "1", "booking": "add_on"}}
    )  # fmt: skip
    customer = customers.create_customer(february, seller=other, key="k", name="K")
    theirs = contracts.sign(february, key="O-1", customer=customer, tariff=tariff, start=date(2026, 1, 1),
                            quantities={"a": Decimal(1)})  # fmt: skip
    client = client_as("admin")
    for name in (*TABS, *CHANGES, "add_usage", "interim_bill"):
        assert client.get(reverse(name, args=[theirs.pk])).status_code == 404
    line = theirs.lines.get().pk
    fields = {"line": line, "quantity": "5", "start": "16.2."}
    assert client.post(reverse("change_quantity", args=[contract.pk]), fields).status_code == 422
    mine = billing.pause(february, contract=contract, start=date(2026, 2, 10))
    assert mine is not None
    foreign = client.get(reverse("contract_change", args=[contract.pk, 1]))
    assert foreign.status_code == 404
    sign = {"customer": "k", "tariff": tariff.pk, "start": "1.3.", "key": "X"}
    assert client.post(reverse("sign_contract"), sign).status_code == 422
    assert "O-1" not in text_of(client.get("/contracts/"))


@pytest.mark.parametrize("name", TABS)
def test_the_number_of_queries_of_a_part_is_fixed(
    name: str, contract: Contract, client_as: ClientAs, february: Actor
) -> None:
    client, path = client_as("admin"), reverse(name, args=[contract.pk])
    billing.book(february, contract=contract, article="number", start=date(2026, 2, 1), now=True)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for step in range(1, 6):
        billing.book(
            february, contract=contract, article="number", start=date(2026, 2, step), quantity=Decimal(step), now=True
        )  # fmt: skip
    entries = [
        {"contract": "V-acme", "article": "search", "quantity": n, "at": datetime(2026, 2, n, 9, tzinfo=UTC)}
        for n in range(1, 20)
    ]
    billing.record_usage(february, seller=contract.customer.seller, entries=entries)
    change = LogEntry.objects.filter(subject=f"contract:{contract.pk}").latest("id").pk
    with CaptureQueriesContext(connection) as of_change:
        client.get(reverse("contract_change", args=[contract.pk, change]))
    assert len(of_change) <= MOST_QUERIES
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(few) <= MOST_QUERIES
