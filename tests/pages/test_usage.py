"""Pages of usage: has everything arrived, what does not match, why, and what to do."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.billing import services as billing
from taktura.contracts.models import Contract, ContractLine
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.office.usage.files import file_name
from taktura.office.usage.parts import as_text, from_text
from taktura.usage import services as usage
from taktura.usage.groups import Key, groups
from taktura.usage.models import (
    ProductReference,
    SubscriptionLink,
    Supplier,
    SupplierCustomer,
    SupplierSubscription,
    UsageException,
    UsageFile,
    UsageHistory,
    UsageRecord,
)

HEAD = "id,customer_id,customer_name,subscription_id,product_id,product_name,quantity,cost,period_start\n"
ROWS = (
    "1,A1,ACME,acc-1,CALL,Calls,2.5,1,2026-02-03\n"
    "2,A1,ACME,acc-1,CALL,Calls,3,1,2026-02-04\n"
    "3,A1,ACME,acc-1,CALL,Calls,3,1,2026-02-05\n"
    "4,A2,Öztürk,acc-2,X,Things,3,1,2026-02-05\n"
    "5,A2,Öztürk,acc-2,X,Things,3,1,2026-02-06\n"
    "6,A3,<script>,acc-3,X,Things,3,1,2026-02-05\n"
    "7,A3,<script>,acc-3,X,Things,3,1,2026-02-06\n"
    "8,A3,<script>,acc-3,X,Things,three,1,2026-02-06\n"
)
FILE = (HEAD + ROWS).encode()
NEVER = "0"


@pytest.fixture
def company(seller: Seller, actor: Actor) -> Seller:
    """The company with a file of seven rows of three unknown sub-accounts, and one that cannot be read."""
    usage.receive_file(actor, supplier=Supplier.objects.get(), name="feb.csv", content=FILE)
    return seller


def row(reference: str) -> SupplierSubscription:
    """A subscription of the supplier."""
    return SupplierSubscription.objects.get(reference=reference)


def line_of(contract: str, article: str = "calls") -> ContractLine:
    """A line of a contract."""
    return ContractLine.objects.get(contract__key=contract, article__key=article)


def upload(client: Client, content: bytes, name: str = "march.csv", **more: Any) -> Any:
    """Send a file as the form does."""
    data = {"supplier": str(Supplier.objects.get().pk), "file": SimpleUploadedFile(name, content), **more}
    return client.post("/usage/files/new/", data)


def pages() -> list[str]:
    """An address of each page."""
    file, supplier, sub = UsageFile.objects.get().pk, Supplier.objects.get().pk, row("acc-1").pk
    customer = SupplierCustomer.objects.get(reference="A1").pk
    record = UsageRecord.objects.get(external_id="4").pk
    contract = Contract.objects.get(key="V-acme").pk
    return [
        "", "waiting/", "waiting/?reason=unknown_key", "files/", "files/new/", f"files/{file}/",
        f"files/{file}/problems/", "suppliers/", "suppliers/new/", f"suppliers/{supplier}/",
        f"suppliers/{supplier}/change/", "subscriptions/", "subscriptions/link/", f"subscriptions/{sub}/",
        f"subscriptions/{sub}/link/", f"subscriptions/{sub}/link/?q=acme", f"subscriptions/{sub}/extend/",
        f"subscriptions/{sub}/extend/?contract={contract}", "customers/", f"customers/{customer}/link/", "records/",
        f"records/{record}/", f"records/{record}/correct/", "records/new/", "records/new/?q=acme",
        f"records/new/?contract={contract}",
    ]  # fmt: skip


def test_all_pages_answer_in_three_languages(company: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    for path in pages():
        texts = page_ok(f"/usage/{path}")
        assert len(set(texts.values())) == 3, path
        assert "<script>," not in texts["en"] and "%(" not in texts["de"], path
        assert "”" not in texts["de"], f"{path}: quotation marks of another language"


def test_no_page_asks_many_queries(company: Seller, actor: Actor, client_as: Callable[..., Client]) -> None:
    client = client_as()
    client.get("/usage/")
    before = {}
    for path in pages():
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/usage/{path}")
        before[path] = len(asked)
        assert len(asked) <= 30, f"{path}: {len(asked)}"
    more = "".join(f"m{i},B{i},Name {i},more-{i},P{i},Product {i},1,1,2026-02-07\n" for i in range(40))
    usage.receive_file(actor, supplier=Supplier.objects.get(), name="more.csv", content=(HEAD + more).encode())
    for path in ("", "waiting/", "subscriptions/", "subscriptions/link/", "customers/", "records/"):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/usage/{path}")
        assert len(asked) <= before[path], path


def test_who_may_what(company: Seller, forbidden_to: Callable[[str], set[str]]) -> None:
    assert forbidden_to("/usage/") == forbidden_to("/usage/records/") == set()
    no_changes = {"sales", "technician", "viewer"}
    sub = row("acc-1").pk
    assert forbidden_to("/usage/files/new/") == no_changes
    assert forbidden_to(f"/usage/subscriptions/{sub}/link/") == no_changes
    assert forbidden_to(f"/usage/subscriptions/{sub}/extend/") == {"lead", "technician", "viewer"}


def test_what_a_viewer_sees_has_no_ways_to_change_it(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as("viewer")
    text = client.get("/usage/waiting/?reason=no_subscription").content.decode()
    assert "acc-1" in text and "Extend a contract" not in text and "Process all again" not in text
    key = as_text(groups(company.pk)[0].key)
    sent = {"action": "tie", "chosen": "0", "key-0": key, "line-0": str(line_of("V-acme").pk)}
    assert client.post("/usage/waiting/", sent).status_code == 403
    customer = SupplierCustomer.objects.get(reference="A1").pk
    assert client.post(f"/usage/customers/{customer}/link/", {"customer": "1"}).status_code == 403
    assert client.get("/usage/").content.decode().count("Load a usage file") == 0


def test_what_is_of_another_seller_is_not_there(company: Seller, client_as: Callable[..., Client]) -> None:
    other = Seller.objects.create(name="Other", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
    client = client_as()
    session = client.session
    session["seller"] = other.pk
    session.save()
    for path in pages():
        if re.search(r"/\d+/|contract=", path):
            assert client.get(f"/usage/{path}").status_code == 404, path
    assert "acc-1" not in client.get("/usage/subscriptions/").content.decode()
    assert "0 entries" in client.get("/usage/records/").content.decode()
    key = as_text(groups(company.pk)[0].key)
    sent = {"action": "tie", "chosen": "0", "key-0": key, "line-0": str(line_of("V-acme").pk)}
    client.post("/usage/waiting/", sent)
    assert not SubscriptionLink.objects.exists()


def test_the_overview_names_work(company: Seller, page_ok: Callable[..., dict[str, str]]) -> None:
    text = page_ok("/usage/")["en"]
    assert "Unlinked supplier subscription" in text and "feb.csv" in text and "3 unlinked" in text
    picture = page_ok_fragment(text)
    assert picture == "/usage/arrived/"


def page_ok_fragment(text: str) -> str:
    """The address from which the overview gets its picture."""
    found = re.search(r'hx-get="([^"]+)" hx-trigger="load"', text)
    assert found is not None
    return found[1]


def test_the_picture_has_a_table_of_the_same(company: Seller, client_as: Callable[..., Client], actor: Actor) -> None:
    assert "No usage lies" in client_as().get("/usage/arrived/?by=day").content.decode()
    usage.record_usage(
        actor, seller=company, entries=[{"contract": "V-acme", "article": "search", "quantity": 1, "at": _today()}]
    )
    for by in ("day", "month"):
        text = client_as().get(f"/usage/arrived/?by={by}").content.decode()
        assert 'id="arrived-data"' in text and "<canvas" in text and '<td class="number">1</td>' in text


def _today() -> date:
    from taktura.kit.clock import utc_now

    return utc_now().date()


# Files


def test_a_file_is_loaded_and_told(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    response = upload(client, FILE)
    file = UsageFile.objects.get()
    assert response.status_code == 302 and response.headers["Location"] == f"/usage/files/{file.pk}/"
    text = client.get(f"/usage/files/{file.pk}/").content.decode()
    assert "With problems" in text and "“three” in quantity is no number" in text
    assert "3 Feb 2026 – 6 Feb 2026" in text and "reason=no_subscription" in text
    kept = client.get(f"/usage/files/{file.pk}/content/")
    assert kept.content == FILE and 'filename="march.csv"' in kept.headers["Content-Disposition"]
    assert kept.headers["Content-Type"] == "application/octet-stream"
    text = client_as(language="de").get(f"/usage/files/{file.pk}/problems/").content.decode()
    assert "ist keine Zahl" in text and "Keine Zahl" in text


def test_the_same_file_again_leads_to_the_first(company: Seller, client_as: Callable[..., Client]) -> None:
    response = upload(client_as(), FILE, name="again.csv")
    text = response.content.decode()
    assert response.status_code == 422 and "feb.csv" in text
    assert f"/usage/files/{UsageFile.objects.get().pk}/" in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"PK\x03\x04rest", "damaged"),
        ("a.csv", b"\x1f\x8brest", "damaged"),
        ("a.csv", b"a.csv".ljust(257, b"\0") + b"ustar\x0000", "archive"),
        ("a.csv", b"BZh91AY&SYrest", "unpack it"),
        ("a.txt", b"%PDF-1.7", "PDF"),
        ("a.csv", b"\xd0\xcf\x11\xe0", "workbook"),
        ("a.exe", b"a,b", "end in .csv"),
        ("a.csv.rar", b"a,b", "end in .csv"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(
    seller: Seller, client_as: Callable[..., Client], name: str, content: bytes, said: str
) -> None:
    response = upload(client_as(), content, name=name)
    assert response.status_code == 422 and said in response.content.decode()
    assert not UsageFile.objects.exists()


def test_too_large_a_file_is_refused(seller: Seller, client_as: Callable[..., Client], monkeypatch: Any) -> None:
    monkeypatch.setattr("taktura.office.usage.files.MOST_BYTES", 100)
    response = upload(client_as(), FILE)
    assert response.status_code == 422 and "split it" in response.content.decode()


def test_a_large_file_is_read_in_the_background(
    seller: Seller, client_as: Callable[..., Client], monkeypatch: Any
) -> None:
    monkeypatch.setattr("taktura.office.usage.files.AT_ONCE", 100)
    response = upload(client_as(), FILE)
    assert response.status_code == 302 and "/usage/files/" in response.headers["Location"]
    assert client_as().get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\june.csv", "june.csv"),
        ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
        ("..", "file"),
        ("\u202efdp.csv", "fdp.csv"),
        ("ÖÄ ü.csv", "ÖÄ ü.csv"),
    ],
)
def test_a_name_holds_neither_paths_nor_tricks(sent: str, kept: str) -> None:
    assert file_name(sent) == kept


def test_an_empty_file_says_so(seller: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    location = upload(client, b"").headers["Location"]
    assert "Nothing read" in client.get(location).content.decode()


# What waits


def test_seven_rows_are_three_groups_with_the_action_in_place(
    company: Seller, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    text = client.get("/usage/waiting/?reason=no_subscription").content.decode()
    assert text.count('name="key-') == 3 and "7" in text and "V-acme · Acme GmbH · Calls" in text
    found = dict(re.findall(r'name="key-(\d)" value="([^"]+)"', text))
    acme, oztuerk = line_of("V-acme"), line_of("V-oztuerk")
    lines = {"acc-1": acme.pk, "acc-2": oztuerk.pk}
    sent: dict[str, Any] = {"action": "tie", "chosen": []}
    for i, value in found.items():
        key = from_text(value)
        assert key is not None
        sent[f"key-{i}"] = value
        if key.subscription in lines:
            sent["chosen"].append(i)
            sent[f"line-{i}"] = str(lines[key.subscription])
    response = client.post("/usage/waiting/?reason=no_subscription", sent, follow=True)
    text = response.content.decode()
    assert "5 records found their line." in text and text.count('name="key-') == 1
    assert UsageRecord.objects.filter(line=acme, subscription="acc-1").count() == 3


def test_nothing_is_done_without_a_choice(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    key = as_text(groups(company.pk)[0].key)
    said = {
        "tick the rows first": {"action": "tie"},
        "choose what the selected rows stand for": {"action": "tie", "chosen": "0", "key-0": key, "line-0": ""},
    }
    for text, sent in said.items():
        assert text in client.post("/usage/waiting/", sent, follow=True).content.decode()
    assert client.post("/usage/waiting/", {"action": "nonsense", "chosen": "0", "key-0": key}).status_code == 302
    assert not SubscriptionLink.objects.exists()


def test_a_line_that_takes_no_usage_ties_nothing(company: Seller, client_as: Callable[..., Client]) -> None:
    key = as_text(groups(company.pk)[0].key)
    sent = {"action": "tie", "chosen": "0", "key-0": key, "line-0": str(line_of("V-acme", "base").pk)}
    client_as().post("/usage/waiting/", sent)
    assert not SubscriptionLink.objects.exists()


def test_usage_is_sent_elsewhere(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    text = client.get("/usage/waiting/?reason=unknown_key").content.decode()
    assert "“nobody”" in text and "V-acme" in text
    (value,) = re.findall(r'name="key-0" value="([^"]+)"', text)
    response = client.post("/usage/waiting/", {"action": "send", "chosen": "0", "key-0": value})
    where = response.headers["Location"]
    assert "1 record is sent again" in client.get(where).content.decode()
    assert "Schlüssel „nobody“" in client_as("billing", "de").get(where).content.decode()
    for wrong in ({"contract": "none", "article": ""}, {"contract": "", "article": ""}):
        assert client.post(where, wrong).status_code == 422
    response = client.post(where, {"contract": "V-oztuerk", "article": "search"}, follow=True)
    assert "1 record found its line." in response.content.decode()
    record = UsageRecord.objects.get(external_id="x1")
    assert record.line == line_of("V-oztuerk", "search") and record.revision == 2
    assert client.get(where).status_code == 302, "none of it waits any more"


def test_all_is_processed_again(company: Seller, actor: Actor, client_as: Callable[..., Client]) -> None:
    usage.link(actor, supplier=Supplier.objects.get(), reference="acc-1", line=line_of("V-acme"))
    response = client_as().post("/usage/waiting/again/", follow=True)
    assert "3 records found their line." in response.content.decode()
    assert client_as().get("/usage/waiting/again/").status_code == 405


def test_a_subscription_without_a_row_is_noted_first(company: Seller, client_as: Callable[..., Client]) -> None:
    SupplierSubscription.objects.all().delete()
    text = client_as().get("/usage/waiting/?reason=no_subscription").content.decode()
    (value,) = [v for v in re.findall(r'name="key-\d" value="([^"]+)"', text) if "acc-2" in str(from_text(v))]
    response = client_as().post("/usage/waiting/", {"action": "link:0", "key-0": value})
    assert response.headers["Location"] == f"/usage/subscriptions/{row('acc-2').pk}/link/"


@pytest.mark.parametrize("text", ["", "x", "eyJhIjoxfQ==", "W10=", "bnVsbA=="])
def test_a_group_that_somebody_made_up_is_none(text: str) -> None:
    assert from_text(text) is None


def test_a_group_in_an_address_is_the_same_one() -> None:
    key = Key(reason="unknown_key", supplier=3, subscription="ö|ß", product="p", article="a", by_key=True, sent_to="C")
    assert from_text(as_text(key)) == key


# Supplier subscriptions and customers


def test_unlinked_ones_stand_out(company: Seller, actor: Actor, client_as: Callable[..., Client]) -> None:
    usage.link(actor, supplier=Supplier.objects.get(), reference="acc-1", line=line_of("V-acme"))
    client = client_as()
    text = client.get("/usage/subscriptions/").content.decode()
    assert text.count('<tr class="unlinked">') == 2 and "V-acme · Calls" in text
    text = client.get("/usage/subscriptions/?link=linked").content.decode()
    assert "acc-1" in text and "acc-2" not in text
    assert "acc-1" not in client.get("/usage/subscriptions/?link=unlinked").content.decode()
    text = client.get("/usage/customers/?link=unlinked").content.decode()
    assert text.count('<tr class="unlinked">') == 3


def test_one_is_tied_and_untied(company: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as(), row("acc-2").pk
    assert "Choose a contract line." in client.post(f"/usage/subscriptions/{pk}/link/", {}).content.decode()
    line = line_of("V-bare")
    found = client.get(f"/usage/subscriptions/{pk}/link/?q=bare", headers={"HX-Target": "found-lines"})
    assert f'value="{line.pk}"' in found.content.decode() and "<html" not in found.content.decode()
    text = client.post(f"/usage/subscriptions/{pk}/link/", {"line": line.pk}, follow=True).content.decode()
    assert "2 records found their line." in text and "V-bare" in text
    assert client.post(f"/usage/subscriptions/{pk}/unlink/", {"line": NEVER}).status_code == 404
    text = client.post(f"/usage/subscriptions/{pk}/unlink/", {"line": line.pk}, follow=True).content.decode()
    assert "Untied." in text and not SubscriptionLink.objects.exists()


def test_one_moves_to_another_line_from_the_day_after_what_was_billed(
    company: Seller, client_as: Callable[..., Client]
) -> None:
    client, pk = client_as(), row("acc-2").pk
    where = f"/usage/subscriptions/{pk}/link/"
    assert "Tied already" not in client.get(where).content.decode()
    client.post(where, {"line": line_of("V-bare").pk})
    text = client.get(where).content.decode()
    day = billing.days_after_billed([pk])[pk]
    assert "Tied already" in text and f'value="{day:%-d %b %Y}"' in text and "V-bare" in text
    wrong = client.post(where, {"line": line_of("V-acme").pk, "moves": "on", "first": "soon"})
    assert wrong.status_code == 422 and SubscriptionLink.objects.count() == 1
    same = client.post(where, {"line": line_of("V-bare").pk, "moves": "on", "first": f"{day:%-d %b %Y}"})
    assert same.status_code == 422 and "tied to this line already" in same.content.decode()
    text = client.post(where, {"line": line_of("V-acme").pk, "moves": "on", "first": ""}, follow=True).content.decode()
    assert f"From {day:%-d %b %Y} on it is billed by the new line." in text and "Usage before <time" in text
    assert [(tie.first, tie.end) for tie in SubscriptionLink.objects.order_by("pk")] == [(None, day), (day, None)]
    extend = client.get(f"/usage/subscriptions/{pk}/extend/?contract={Contract.objects.get(key='V-acme').pk}")
    assert 'name="moves"' in extend.content.decode() and "checked" in extend.content.decode()


def test_many_are_tied_at_once(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    chosen = [row("acc-1").pk, row("acc-2").pk]
    response = client.post("/usage/subscriptions/", {"action": "link", "chosen": chosen})
    where = response.headers["Location"]
    text = client.get(where).content.decode()
    assert "acc-1" in text and "acc-3" not in text
    sent: dict[str, Any] = {"chosen": chosen, f"line-{chosen[0]}": line_of("V-acme").pk, f"line-{chosen[1]}": ""}
    text = client.post(where, sent, follow=True).content.decode()
    assert "3 records found their line." in text
    assert [tie.subscription.reference for tie in SubscriptionLink.objects.all()] == ["acc-1"]


def test_a_start_before_the_contract_is_said_before_and_never_booked(
    company: Seller, client_as: Callable[..., Client]
) -> None:
    contract = Contract.objects.get(key="V-acme")
    where = f"/usage/subscriptions/{row('acc-1').pk}/extend/preview/?contract={contract.pk}"
    sent = {"article": "search", "quantity": "3", "stands_for": "on"}
    early = client_as().post(where, {**sent, "start": "3 Feb 2020"}).content.decode()
    assert "It cannot begin earlier" in early and "2020" not in early and str(contract.start.year) in early
    assert "It cannot begin earlier" not in client_as().post(where, {**sent, "start": "3 Feb 2026"}).content.decode()


def test_a_contract_is_extended(company: Seller, client_as: Callable[..., Client]) -> None:
    client, pk, contract = client_as(), row("acc-1").pk, Contract.objects.get(key="V-acme")
    where = f"/usage/subscriptions/{pk}/extend/?contract={contract.pk}"
    text = client.get(f"/usage/subscriptions/{pk}/extend/").content.decode()
    assert f"?contract={contract.pk}" in text and "V-acme" in text
    text = client.get(where).content.decode()
    assert 'value="3"' in text and "3 Feb 2026" in text
    sent = {"article": "search", "quantity": "3", "start": "3 Feb 2026", "stands_for": "on"}
    preview = client.post(f"/usage/subscriptions/{pk}/extend/preview/?contract={contract.pk}", sent).content.decode()
    assert "its line takes the usage" in preview and "3 waiting records are looked at again." in preview
    assert client.post(where, {**sent, "article": ""}).status_code == 422
    text = client.post(where, sent, follow=True).content.decode()
    assert "Contract V-acme is extended by" in text and "3 records found their line." in text
    assert ProductReference.objects.get().product == "CALL"


def test_customers_are_linked_by_name_and_by_hand(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    text = client.post("/usage/customers/", {"action": "link", "all": "1"}, follow=True).content.decode()
    assert "1 customer is linked." in text and "2 have the name of none" in text
    row = SupplierCustomer.objects.get(reference="A3")
    where = f"/usage/customers/{row.pk}/link/"
    assert "Öztürk" in client.get(f"{where}?q=ozturk").content.decode()
    assert client.post(where, {"customer": NEVER}).status_code == 422
    bare = Customer.objects.get(key="bare")
    assert "is linked to Ohne Angaben KG" in client.post(where, {"customer": bare.pk}, follow=True).content.decode()
    client.post(f"/usage/customers/{row.pk}/unlink/")
    row.refresh_from_db()
    assert row.customer is None


# Records


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("?state=waiting&supplier=sun", {"1", "2", "3", "4", "5", "6", "7"}),
        ("?state=recorded", {"c1", "s1"}),
        ("?contract=V-acme", {"c1", "s1", "x1"}),
        ("?contract=none", set()),
        ("?article=search", {"s1"}),
        ("?article=nobody", {"x1"}),
        ("?reason=unknown_key", {"x1"}),
        ("?from=2026-02-05", {"3", "4", "5", "6", "7"}),
        ("?until=2026-01-11", {"c1", "s1"}),
        ("?q=s1", {"s1"}),
        ("?q=no", set()),
        ("?file=1", {"1", "2", "3", "4", "5", "6", "7"}),
        ("?subscription=acc-1", {"1", "2", "3"}),
    ],
)
def test_records_are_found(company: Seller, client_as: Callable[..., Client], query: str, ids: set[str]) -> None:
    query = query.replace("=sun", f"={Supplier.objects.get().pk}").replace("=acc-1", f"={row('acc-1').pk}")
    query = query.replace("file=1", f"file={UsageFile.objects.get().pk}")
    text = client_as().get(f"/usage/records/{query}&columns=id").content.decode()
    assert set(re.findall(r'class="row-link">([^<]+)<', text)) == ids


def test_a_groups_records_are_found(company: Seller, client_as: Callable[..., Client]) -> None:
    key = next(g.key for g in groups(company.pk) if g.key.subscription == "acc-2")
    text = client_as().get(f"/usage/records/?group={as_text(key)}&columns=id").content.decode()
    assert set(re.findall(r'class="row-link">([^<]+)<', text)) == {"4", "5"} and f'value="{as_text(key)}"' in text


def test_a_record_shows_its_row_and_where_it_was_billed(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    text = client.get(f"/usage/records/{UsageRecord.objects.get(external_id='4').pk}/").content.decode()
    assert "Line 5 of the file" in text and "Öztürk" in text and "feb.csv" in text
    text = client.get(f"/usage/records/{UsageRecord.objects.get(external_id='c1').pk}/").content.decode()
    assert "0:12:34" in text and "RE-2026-" in text


def test_a_record_is_corrected(company: Seller, client_as: Callable[..., Client]) -> None:
    client, record = client_as(), UsageRecord.objects.get(external_id="s1")
    where = f"/usage/records/{record.pk}/correct/"
    same = {"article": "search", "quantity": "3", "start": "11 Jan 2026", "last": "", "cost_amount": "", "amount": ""}
    response = client.post(where, same)
    assert response.status_code == 422 and "Nothing is changed." in response.content.decode()
    assert client.post(where, {**same, "last": "10 Jan 2026"}).status_code == 422
    text = client.post(where, {**same, "quantity": "4.5", "last": "12 Jan 2026"}, follow=True).content.decode()
    assert "Corrected." in text and "4.5" in text and "Revision 1" in text
    old = UsageHistory.objects.get()
    text = client.get(f"/usage/revisions/{old.pk}/").content.decode()
    assert "Replaced:" in text and f"/usage/records/{record.pk}/" in text


def test_a_record_is_withdrawn(company: Seller, client_as: Callable[..., Client]) -> None:
    client, record = client_as(), UsageRecord.objects.get(external_id="s1")
    text = client.post(f"/usage/records/{record.pk}/withdraw/", follow=True).content.decode()
    assert "Withdrawn" in text and not UsageRecord.objects.filter(external_id="s1").exists()
    company.closed_until = date(2026, 2, 1)
    company.save()
    other = UsageRecord.objects.get(external_id="c1")
    text = client.post(f"/usage/records/{other.pk}/withdraw/", follow=True).content.decode()
    assert "is closed" in text and UsageRecord.objects.filter(external_id="c1").exists()


def test_usage_is_entered_by_hand(company: Seller, client_as: Callable[..., Client]) -> None:
    client, contract = client_as(language="de"), Contract.objects.get(key="V-acme")
    where = f"/usage/records/new/?contract={contract.pk}"
    sent = {
        "article": "calls",
        "quantity": "",
        "minutes": "1,5",
        "start": "3.2.2026",
        "last": "",
        "cost": "",
        "note": "x",
    }
    for wrong in ({"quantity": "1"}, {"minutes": ""}, {"minutes": "0,001"}, {"last": "2.2.2026"}, {"article": "base"}):
        assert client.post(where, {**sent, **wrong}).status_code == 422, wrong
    assert client.post(where, sent).status_code == 302
    made = UsageRecord.objects.get(attributes={"note": "x"})
    assert (made.seconds, made.day, made.line) == (90, date(2026, 2, 3), line_of("V-acme"))
    response = client.post(where, {**sent, "start": "3.2.2020"}, follow=True)
    assert "wartet aber" in response.content.decode()
    assert UsageException.objects.filter(reason="before_start").count() == 1


# Suppliers


def supplier_form(**more: str) -> dict[str, str]:
    """What the form of a supplier sends."""
    return {"name": "Cloudco", "key": "cloudco", "currency": "eur", "time_zone": "Europe/Berlin", **more}


def test_a_supplier_is_made_and_changed(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    for wrong in ({"time_zone": "Mars"}, {"currency": "eu"}, {"key": "sun"}, {"date_format": "%H"}, {"name": ""}):
        assert client.post("/usage/suppliers/new/", supplier_form(**wrong)).status_code == 422, wrong
    sent = supplier_form(
        column_quantity="Menge", decimal=",", create_customers="on", delimiter="tab", null_texts="-, x"
    )
    assert client.post("/usage/suppliers/new/", sent).status_code == 302
    made = Supplier.objects.get(key="cloudco")
    mapping = {"quantity": "Menge", "decimal": ",", "delimiter": "tab", "null_texts": ["-", "x"]}
    assert (made.currency, made.create_customers, made.create_subscriptions) == ("EUR", True, False)
    assert made.mapping == mapping
    text = client.get(f"/usage/suppliers/{made.pk}/change/").content.decode()
    assert 'value="Menge"' in text and 'value="-, x"' in text and 'name="key"' not in text
    assert client.post(f"/usage/suppliers/{made.pk}/change/", supplier_form(column_quantity="Qty")).status_code == 302
    made.refresh_from_db()
    assert made.mapping == {"quantity": "Qty"} and not made.create_customers


def test_whom_one_asks_at_a_supplier_stands_on_its_page(company: Seller, client_as: Callable[..., Client]) -> None:
    client, sun = client_as(), Supplier.objects.get(key="sun")
    place = f"/usage/suppliers/{sun.pk}/"
    contact = {"contact": "Mona Lind", "email": "mona@sun.example", "phone": "+46 8 123 45"}
    told = ("Mona Lind", 'href="mailto:mona@sun.example"', 'href="tel:+46812345"')
    assert not any(one in client.get(place).content.decode() for one in (*told, "Contact"))
    wrong = client.post(f"{place}change/", supplier_form(**contact | {"email": "mona"}))
    assert wrong.status_code == 422 and "Mona Lind" in wrong.content.decode()
    assert client.post(f"{place}change/", supplier_form(**contact)).status_code == 302
    text = client.get(place).content.decode()
    assert all(one in text for one in told)
    assert 'value="mona@sun.example"' in client.get(f"{place}change/").content.decode()


def test_a_mapping_is_proposed_and_tried(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    example = b"Kundennummer;Abonnement-ID;Menge;Von\n1;a;3,5;01.06.2026\n1;b;x;02.06.2026\n"
    data: dict[str, Any] = {
        **supplier_form(name=""),
        "action": "sample",
        "example": SimpleUploadedFile("e.csv", example),
    }
    text = client.post("/usage/suppliers/new/", data).content.decode()
    assert 'value="Abonnement-ID"' in text and 'value="%d.%m.%Y"' in text and '<option value="Menge">' in text
    assert not Supplier.objects.filter(key="cloudco").exists()
    fields = dict(re.findall(r'<input type="(?:text|hidden)" name="(\w+)" value="([^"]*)"', text))
    tried = client.post("/usage/suppliers/sample/", {**supplier_form(), **fields, "decimal": ","}).content.decode()
    assert "1 can be read, 1 cannot" in tried and "“x” in Menge is no number" in tried and "3.5" in tried
    for bad in (b"", b"\0\1\2\3", b"\n\n"):
        data["example"] = SimpleUploadedFile("e.csv", bad)
        assert client.post("/usage/suppliers/new/", data).status_code == 200


def test_products_stand_for_articles(company: Seller, client_as: Callable[..., Client]) -> None:
    client, pk = client_as(), Supplier.objects.get().pk
    client.post(f"/usage/suppliers/{pk}/products/", {"product": "CALL", "article": "calls"})
    made = ProductReference.objects.get()
    assert made.article.key == "calls" and "CALL" in client.get(f"/usage/suppliers/{pk}/").content.decode()
    client.post(f"/usage/suppliers/{pk}/products/", {"product": "", "article": "calls"})
    client.post(f"/usage/suppliers/{pk}/products/", {"remove": str(made.pk)})
    assert not ProductReference.objects.exists()
