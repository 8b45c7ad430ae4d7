"""The page of what waits: the ways out of it, and what of it is a supplier's."""

import html
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from taktura.billing import services as billing
from taktura.contracts.models import ContractLine
from taktura.customers.models import Seller
from taktura.customers.services import close_period
from taktura.kit.actor import Actor
from taktura.office.templatetags.office import days
from taktura.office.usage.parts import from_text
from taktura.usage import services as usage
from taktura.usage.models import ProductReference, Supplier, SupplierSubscription, UsageRecord
from tests.pages.test_usage import FILE, HEAD, line_of


@pytest.fixture
def company(seller: Seller, actor: Actor) -> Seller:
    """The company with a file of seven rows of three unknown sub-accounts."""
    usage.receive_file(actor, supplier=Supplier.objects.get(), name="feb.csv", content=FILE)
    return seller


def test_a_product_is_told_apart(company: Seller, actor: Actor, client_as: Callable[..., Client]) -> None:
    supplier = Supplier.objects.get()
    for article in ("calls", "search"):
        usage.link(actor, supplier=supplier, reference="acc-1", line=line_of("V-acme", article))
    usage.reprocess(actor, supplier=supplier)
    client = client_as()
    text = client.get("/usage/waiting/?reason=unknown_key").content.decode()
    assert "what does “CALL” stand for?" in text, "as the supplier writes it"
    (value,) = [v for v in re.findall(r'name="key-\d" value="([^"]+)"', text) if from_text(v).product]  # type: ignore[union-attr]
    sent = {"action": "stands", "chosen": "0", "key-0": value, "article-0": "search"}
    assert "3 records found their line." in client.post("/usage/waiting/", sent, follow=True).content.decode()
    assert ProductReference.objects.get().article.key == "search"
    assert ProductReference.objects.get().product == "CALL", "as the supplier writes it, there too"
    bare = "n1,A1,ACME,acc-1,,,1,1,2026-02-03\n"
    billing.receive_file(actor, supplier=supplier, name="bare.csv", content=(HEAD + bare).encode())
    text = client.get("/usage/waiting/?reason=unknown_key&q=acc-1").content.decode()
    assert "the rows name no product: untie all but one" in text and "without a product" in text


def test_the_way_out_of_waiting_leads_to_the_contract_the_rates_or_the_settings(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client, supplier, line = client_as(), Supplier.objects.get(), line_of("V-acme")
    billing.tie(actor, supplier=supplier, ties=[("acc-1", line)])
    lines = "e1,A1,ACME,acc-1,CALL,Calls,1,1,2020-02-03,EUR\nu1,A1,ACME,acc-1,CALL,Calls,1,1,2026-02-03,USD\n"
    content = (HEAD.strip() + ",currency\n" + lines).encode()
    billing.receive_file(actor, supplier=supplier, name="odd.csv", content=content)

    def ways(reason: str) -> str:
        text = client.get(f"/usage/waiting/?reason={reason}&q=acc-1").content.decode()
        return text.partition("<tbody>")[2].partition("</tbody>")[0]

    contract = f'href="/contracts/{line.contract_id}/"'
    assert contract in ways("before_start") and contract in ways("currency")
    assert f'href="/contracts/{line.contract_id}/currency/"' in ways("currency")
    others = [name for name in ("link", "extend") if f'value="{name}:0"' in ways("before_start")]
    assert others == ["link", "extend"], "to another line, or another contract"
    billing.allow_conversion(actor, contract=line.contract, rule="day")
    found = re.search(r'href="(/usage/rates/new/[^"]*)"', ways("no_rate"))
    assert found and not ways("currency")
    form = client.get(html.unescape(found[1])).content.decode()
    assert all(f'value="{text}"' in form for text in ("USD", "EUR", "3 Feb 2026")), "the rate that is lacking"
    assert 'value="USD"' not in client.get("/usage/rates/new/?group=nonsense").content.decode()
    close_period(actor, seller=company, until=date(2026, 1, 1))
    usage.reprocess(actor, supplier=supplier)
    assert 'href="/settings/company/"' in ways("closed_period")


def test_a_further_line_is_booked_for_a_product_that_none_of_the_lines_stands_for(
    company: Seller, actor: Actor, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subscription stays with the lines that carry it, unless somebody says otherwise."""
    supplier, client = Supplier.objects.get(), client_as()
    billing.tie(actor, supplier=supplier, ties=[("acc-1", line_of("V-acme", "calls"))])
    subscription = SupplierSubscription.objects.get(folded="acc-1")
    form = f"/usage/subscriptions/{subscription.pk}/extend/?contract={line_of('V-acme').contract_id}"

    def leaves() -> bool:
        field = re.search(r'<input[^>]*name="moves"[^>]*>', client.get(form).content.decode())
        assert field
        return "checked" in field[0]

    assert leaves()
    SupplierSubscription.objects.filter(pk=subscription.pk).update(start=date(2026, 2, 1))
    monkeypatch.setattr(billing, "days_after_billed", lambda pks: dict.fromkeys(pks, date(2026, 5, 1)))
    assert 'value="1 May 2026"' in client.get(form).content.decode(), "the day after what was billed"
    billing.tie(actor, supplier=supplier, ties=[("acc-1", line_of("V-acme", "search"))])
    new = "n2,A1,ACME,acc-1,VISIO,Visio,1,1,2026-02-03\n"
    billing.receive_file(actor, supplier=supplier, name="new.csv", content=(HEAD + new).encode())
    assert not leaves()
    assert 'value="1 Feb 2026"' in client.get(form).content.decode(), "from its start on, as a new line does"
    text = client.get("/usage/waiting/?reason=unknown_key&q=visio").content.decode()
    assert 'value="extend:0"' in text and "what does “VISIO” stand for?" in text


def test_usage_of_what_takes_none_is_sent_elsewhere(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client, base = client_as(), ContractLine.objects.filter(contract__key="V-acme").exclude(charge="usage").first()
    assert base is not None
    usage.record_usage(
        actor, seller=company,
        entries=[{"contract": "V-acme", "article": base.article.key, "quantity": 1, "at": "2026-02-03", "id": "odd"}],
    )  # fmt: skip
    text = client.get("/usage/waiting/?reason=invalid").content.decode()
    (value,) = re.findall(r'name="key-\d" value="([^"]+)"', text)
    assert "tick it and send it elsewhere" in text
    sent = client.post("/usage/waiting/?reason=invalid", {"action": "send", "chosen": "0", "key-0": value})
    done = client.post(sent["Location"], {"contract": "", "article": "calls"}, follow=True)
    assert "1 record found its line." in done.content.decode()


def test_what_waits_is_looked_at_by_supplier(company: Seller, actor: Actor, client_as: Callable[..., Client]) -> None:
    """The reasons, their counts and what they lead to are those of the supplier that is chosen."""
    other = usage.create_supplier(actor, seller=company, key="moon", name="Moon <b>", currency="EUR", time_zone="UTC")
    lines = "1,A1,ACME,m-1,CALL,Calls,1,1,2026-02-03\n"
    billing.receive_file(actor, supplier=other, name="m.csv", content=(HEAD + lines).encode())
    client = client_as()
    text = client.get(f"/usage/waiting/?supplier={other.pk}").content.decode()
    assert f'<option value="{other.pk}" selected>Moon &lt;b&gt;</option>' in text and "1 record waits" in text
    assert f"?reason=no_subscription&amp;supplier={other.pk}" in text and "m-1" in text and "acc-1" not in text
    assert "reason=unknown_key" not in text and "reason=unknown_key" in client.get("/usage/waiting/").content.decode()
    assert "acc-1" in client.get("/usage/waiting/?reason=no_subscription").content.decode()
    for q, found in (("M-1", True), ("acc-1", False)):
        text = client.get(f"/usage/waiting/?supplier={other.pk}&q={q}").content.decode()
        assert ('name="key-0"' in text) == found, "searched within the supplier's"


def test_reconciliation_names_the_reason_for_which_usage_waits(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    supplier = Supplier.objects.get()
    billing.tie(actor, supplier=supplier, ties=[("acc-1", line_of("V-acme"))])
    early = "e1,A1,ACME,acc-1,CALL,Calls,1,1,2025-12-30\n"
    billing.receive_file(actor, supplier=supplier, name="early.csv", content=(HEAD + early).encode())
    page = f"/usage/reconciliation/?supplier={supplier.pk}&month=2025-12"
    text = client_as().get(page).content.decode().partition('id="subscriptions"')[2].partition("<tbody>")[2]
    assert "Waiting: Before the start" in text and "Waits for another reason" not in text
    way = f"/usage/waiting/?supplier={supplier.pk}&reason=before_start&q=acc-1"
    assert html.escape(way) in text
    assert 'name="key-0"' in client_as().get(way).content.decode()


def test_a_line_that_ended_before_it_began_has_no_days() -> None:
    day = date(2026, 3, 1)
    assert (days(day, day), days(day, date(2026, 3, 2))) == ("never", "1 Mar 2026")


def test_a_refusal_names_days_as_the_reader_writes_them(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    supplier = Supplier.objects.get()
    billing.tie(actor, supplier=supplier, ties=[("acc-1", line_of("V-acme"))])
    record = UsageRecord.objects.filter(subscription="acc-1").first()
    assert record is not None
    close_period(actor, seller=company, until=date(2026, 3, 1))
    answer = client_as(language="de").post(f"/usage/records/{record.pk}/withdraw/", follow=True).content.decode()
    assert "01.03.2026" in answer and "2026-03-01" not in answer
