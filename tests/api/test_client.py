"""The Python client against the API: a real story, requests that come again, refusals, nobody's change lost."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import taktura_client
from django.core.wsgi import get_wsgi_application
from taktura_client import Refused, Taktura, TakturaError, Unanswered, plain

from taktura.api import gate
from taktura.api.reference import openapi_text
from taktura.customers.services import create_seller
from taktura.kit.actor import Actor
from taktura.kit.limits import Buckets
from taktura.usage.models import UsageRecord
from tests.api.helpers import SELLER, Api, make_key
from tools.client.__main__ import PLACE, client
from tools.client.operations import operations

ADDRESS: Any = {"name": "Acme GmbH", "street": "Hauptstraße 1", "postcode": "20095", "city": "Hamburg", "country": "DE"}
LINES: Any = {
    "base": {"title": "Base fee", "charge": "recurring", "price": Decimal("19.00")},
    "call": {"title": "Calls", "charge": "usage", "unit": "minute", "price": "0.95"},
}
CALL: Any = {"contract": "C-1", "article": "call", "duration": 60, "at": date(2026, 2, 10)}
DOCUMENT = json.loads(openapi_text())


def _as_servers_call(app: Any) -> Any:
    """A program that gets its paths as a server gives them: bytes as if they were Latin-1."""
    return lambda environ, start: app(environ | {"PATH_INFO": environ["PATH_INFO"].encode().decode("latin-1")}, start)


class Wire(httpx.BaseTransport):
    """The way to the server. `before` may answer or break a request, `after` may lose its answer."""

    def __init__(self) -> None:
        self.inner = httpx.WSGITransport(_as_servers_call(get_wsgi_application()))
        self.sent: list[httpx.Request] = []
        self.before: list[httpx.Response | Exception | None] = []
        self.after: list[Exception | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        instead = self.before.pop(0) if self.before else None
        if isinstance(instead, Exception):
            raise instead
        if instead is not None:
            return instead
        answer = self.inner.handle_request(request)
        answer.read()
        lost = self.after.pop(0) if self.after else None
        if lost is not None:
            raise lost
        return answer


@pytest.fixture
def wire() -> Wire:
    """The way to the server."""
    return Wire()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the client made; nobody waits for them."""
    found: list[float] = []
    monkeypatch.setattr(taktura_client, "time", SimpleNamespace(sleep=found.append))
    return found


@pytest.fixture
def taktura(api: Api, wire: Wire, pauses: list[float]) -> Iterator[Taktura]:
    """A client with a key that may do everything."""
    with Taktura("http://localhost/", api.secret, transport=wire) as found:
        yield found


@pytest.fixture
def offered(taktura: Taktura) -> Taktura:
    """There is something to be sold."""
    for kind in ("invoice", "credit_note"):
        taktura.confirm_the_numbering(kind=kind, format=kind[0].upper() + "-{number:03}", next=1)  # type: ignore[arg-type]
    taktura.define_tariff(tariff="talk", interval="1 month", lines=LINES)
    return taktura


@pytest.fixture
def sold(offered: Taktura) -> Taktura:
    """A customer with a contract since January."""
    offered.create_customer(customer="K-1", name="Acme", billing_information=ADDRESS)
    offered.sign(contract="C-1", customer="K-1", tariff="talk", start=date(2026, 1, 1))
    return offered


def test_it_is_what_openapi_gives() -> None:
    """`python -m tools.client` writes it anew."""
    assert PLACE.read_text("utf-8") == client(DOCUMENT)


def test_every_operation_has_a_method() -> None:
    for one in operations(DOCUMENT):
        method = getattr(Taktura, one.name)
        told = re.sub(r"\s+", " ", method.__doc__)
        assert re.sub(r"\s+", " ", one.content["summary"]) in told
        assert ("idempotency_key" in method.__annotations__) == (one.method == "POST")


@pytest.mark.usefixtures("database")
def test_it_needs_nothing_of_the_product() -> None:
    """One file, httpx, the standard library: it can be put anywhere."""
    code = "import sys, taktura_client; assert not [m for m in sys.modules if m.split('.')[0] in ('taktura', 'django')]"
    subprocess.run([sys.executable, "-c", code], cwd=PLACE.parent, check=True)


def test_types_of_how_it_is_used(tmp_path: Path) -> None:
    """mypy sees what is right and what is wrong in a program that uses it."""
    program = tmp_path / "program.py"
    program.write_text(
        'from decimal import Decimal\n'
        'from taktura_client import Taktura\n'
        'with Taktura("http://x", "tk_") as t:\n'
        '    net: Decimal = t.get_document(1).net\n'
        '    keys: list[str] = [c.customer for c in t.list_customers(name="a")]\n'
        '    t.record_usage([{"contract": "C", "article": "a", "quantity": Decimal(1), "from": "2026-01-01"}])\n'
        '    t.change_customer("K", hourly_rate=1.5)\n'
        '    t.create_customer(customer="K")\n'
        '    t.record_usage([{"kontract": "C"}])\n'
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "/dev/null", str(program)],
        capture_output=True, text=True, env={"MYPYPATH": str(PLACE.parent)}, cwd=tmp_path,
    )  # fmt: skip
    wrong = sorted({int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line})
    assert wrong == [7, 8, 9], done.stdout


def test_from_a_customer_to_a_credit_note(sold: Taktura, clock: list[datetime]) -> None:
    done = sold.record_usage(({**CALL, "id": f"call-{i}"} for i in range(100)), idempotency_key="telephone, February")
    assert (done.recorded, done.refused, done.documents) == (100, 0, [])
    assert [r.verdict for r in done.results] == ["recorded"] * 100
    shown = sold.run_billing(on="2026-03-01", preview=True)
    assert shown.documents == [] and shown.preview is not None
    (draft,) = shown.preview
    run = sold.run_billing(on=date(2026, 3, 1))
    (invoice,) = [sold.get_document(i) for i in run.documents]
    assert draft.gross == invoice.gross
    # Base fee for January, February and March in advance, and a hundred minutes.
    assert invoice.net == 3 * Decimal("19.00") + 100 * Decimal("0.95") == Decimal("152.00")
    assert (invoice.gross, invoice.issued_on) == (Decimal("180.88"), date(2026, 3, 1))
    assert sold.get_pdf(invoice.id).startswith(b"%PDF-")
    calls = next(line for line in invoice.lines if line.title == "Calls")
    why = sold.explain_line(invoice.id, invoice.lines.index(calls) + 1, limit=7)
    assert (why.record_count, len(why.records), why.net) == (100, 7, Decimal("95.00"))
    assert sold.pay_document(invoice.id, amount="80.88").open == 100
    credited = sold.credit_document(invoice.id, lines=[{"line": 1, "net": Decimal("5.00")}], reason="agreed")
    assert [d.net for d in credited.documents] == [Decimal("5.00")]
    assert [d.kind for d in sold.list_documents(customer="K-1", limit=1)] == ["invoice", "credit_note"]
    assert sold.run_billing(on=date(2026, 3, 1)).documents == []
    with pytest.raises(Refused) as refused:
        sold.credit_document(invoice.id, lines=[{"line": 1, "net": "15.00"}])
    assert (refused.value.status, refused.value.code) == (422, "credit_too_high")


def test_the_manual_is_true(
    offered: Taktura, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples of docs/client.md run one after the other."""
    monkeypatch.setattr(taktura_client, "Taktura", lambda address, key: offered)
    text = (PLACE.parents[2] / "docs" / "client.md").read_text("utf-8")
    known: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(block, known)  # noqa: S102
    assert known["done"].recorded == 500 and known["pdf"].startswith(b"%PDF-")
    assert known["credited"].documents[0].net == 5
    assert "500 recorded, 0 there before\n[]\n" in (said := capsys.readouterr().out)
    assert "409 conflict" in said


def test_usage_goes_in_batches(sold: Taktura, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taktura_client, "MOST_BYTES", 1_000_000)
    wire.sent.clear()
    done = sold.record_usage([{**CALL, "id": str(i)} for i in range(20_001)], idempotency_key="import")
    sizes = [len(json.loads(r.content)) for r in wire.sent]
    assert sum(sizes) == 20_001 and max(sizes) <= 10_000 and max(len(r.content) for r in wire.sent) <= 1_000_100
    assert [r.headers["Idempotency-Key"] for r in wire.sent] == [f"import-{n}" for n in range(len(sizes))]
    assert done.recorded == len(done.results) == UsageRecord.objects.count() == 20_001
    assert [r.id for r in done.results] == [str(i) for i in range(20_001)]
    assert sold.record_usage([]).results == []


def test_pages_are_fetched_as_they_are_needed(taktura: Taktura, wire: Wire) -> None:
    for i in range(7):
        taktura.create_customer(customer=f"K/{i}".replace("/", "-"), name=f"Name {i}")
    wire.sent.clear()
    rows = iter(taktura.list_customers(limit=3))
    assert next(rows).customer == "K-0" and len(wire.sent) == 1
    assert [c.customer for c in rows] == [f"K-{i}" for i in range(1, 7)] and len(wire.sent) == 3
    assert [len(page.items) for page in taktura.list_customers(limit=3).pages()] == [3, 3, 1]
    first = next(taktura.list_customers(limit=3).pages())
    assert [c.customer for c in taktura.list_customers(after=first.next or "")] == ["K-3", "K-4", "K-5", "K-6"]
    assert next(taktura.list_exceptions().pages()).counts == {}
    assert list(taktura.list_customers(name="nobody")) == []


@pytest.mark.parametrize("key", ["Ä ?#&=%2F+", "a..b", "😀"])
def test_any_key_can_stand_in_an_address(taktura: Taktura, key: str) -> None:
    taktura.create_customer(customer=key, name="x")
    assert taktura.get_customer(key).customer == key


def test_what_is_left_out_stays_and_null_empties(taktura: Taktura) -> None:
    made = taktura.create_customer(customer="K", name="Acme", hourly_rate="90.50")
    assert made.hourly_rate == Decimal("90.50") and made.created_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert taktura.change_customer("K", language="sv").hourly_rate == Decimal("90.50")
    assert taktura.change_customer("K", hourly_rate=None).hourly_rate is None


def lost(kind: type[Exception] = httpx.ReadTimeout) -> Exception:
    """An answer that does not come."""
    return kind("lost")


def test_a_lost_answer_has_no_second_effect(taktura: Taktura, wire: Wire, pauses: list[float]) -> None:
    wire.after = [lost(), lost(httpx.RemoteProtocolError)]
    made = taktura.create_customer(customer="K", name="Acme")
    assert made.customer == "K" and made.etag
    keys = {r.headers["Idempotency-Key"] for r in wire.sent}
    assert len(wire.sent) == 3 and len(keys) == 1
    assert len(pauses) == 2 and 0 < pauses[0] < pauses[1] * 2
    taktura.create_customer(customer="L", name="Other")
    assert wire.sent[-1].headers["Idempotency-Key"] not in keys, "each thing that is to happen has its own"


def test_a_server_that_is_away_comes_back(taktura: Taktura, wire: Wire) -> None:
    wire.before = [lost(httpx.ConnectError), httpx.Response(502), httpx.Response(503, headers={"Retry-After": "2"})]
    assert taktura.create_customer(customer="K", name="Acme").name == "Acme" and len(wire.sent) == 4


def test_too_many_requests_wait(taktura: Taktura, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    few, sleep = Buckets(1, 1), time.sleep
    monkeypatch.setattr(gate, "buckets", lambda: few)
    monkeypatch.setattr(taktura_client, "time", SimpleNamespace(sleep=lambda s: (pauses.append(s), sleep(s))))
    for _ in range(3):
        taktura.who_am_i()
    assert set(pauses) == {1.0}, "as long as the server asks for"


def test_it_gives_up(api: Api, wire: Wire, pauses: list[float]) -> None:
    taktura = Taktura("http://localhost", api.secret, transport=wire, tries=3)
    wire.before = [lost(httpx.ConnectError)] * 3
    with pytest.raises(Unanswered) as unanswered:
        taktura.who_am_i()
    assert not unanswered.value.arrived and len(wire.sent) == 3 and len(pauses) == 2
    wire.before = [httpx.Response(503, headers={"Retry-After": "3600"})]
    with pytest.raises(Refused) as refused:
        taktura.who_am_i()
    assert (refused.value.status, refused.value.retry_after, len(wire.sent)) == (503, 3600, 4), "too long to wait"
    wire.before = [httpx.Response(500, text="<html>")]
    with pytest.raises(Refused) as refused:
        taktura.who_am_i()
    assert (refused.value.status, refused.value.code, len(wire.sent)) == (500, "unknown", 5), "once is enough"


def test_refusals_tell_what_is_wrong(api: Api, wire: Wire) -> None:
    with Taktura("http://localhost", api.secret, language="de", transport=wire) as taktura:
        with pytest.raises(TakturaError) as caught:
            taktura.create_customer(customer="a/b", name="x", billing_information={"country": "Germany"})
        refused = caught.value
        assert isinstance(refused, Refused) and (refused.status, refused.code) == (422, "invalid")
        assert {f.field for f in refused.fields} == {"body.customer", "body.billing_information.country"}
        assert "Anfrage" in refused.message and "body.customer" in str(refused)
        with pytest.raises(Refused) as missing:
            taktura.get_customer("nobody")
        assert (missing.value.status, missing.value.code, missing.value.fields) == (404, "not_found", ())
    with Taktura("http://localhost", "tk_wrong", transport=wire) as stranger, pytest.raises(Refused) as unknown:
        stranger.who_am_i()
    assert unknown.value.code == "unauthorized" and len(wire.sent) == 3, "what is refused is not sent again"


def test_nobodys_change_is_lost(taktura: Taktura, wire: Wire) -> None:
    mine = taktura.create_customer(customer="K", name="Acme")
    theirs = taktura.change_customer("K", name="Acme AG", if_match=mine)
    with pytest.raises(Refused) as refused:
        taktura.change_customer("K", language="sv", if_match=mine)
    assert (refused.value.status, refused.value.code) == (412, "precondition_failed")
    assert taktura.get_customer("K", known=theirs) is theirs, "nothing new, nothing sent"
    assert taktura.get_customer("K", known=mine) == theirs != mine
    wire.sent.clear()
    wire.after = [lost()]
    with pytest.raises(Unanswered) as unanswered:
        taktura.change_customer("K", language="de", if_match=theirs)
    assert unanswered.value.arrived and len(wire.sent) == 1, "a second time would be refused, though the first was done"
    assert taktura.get_customer("K").language == "de"
    wire.after = [lost()]
    assert taktura.change_customer("K", language="sv").language == "sv", "without a mark it may be sent again"


def test_several_sellers(api: Api, actor: Actor, wire: Wire) -> None:
    other = create_seller(actor, **(SELLER | {"name": "Other AB"}))
    with Taktura("http://localhost", make_key(), seller=other.pk, transport=wire) as taktura:
        assert taktura.get_seller().name == "Other AB"
        assert [s.name for s in taktura.list_sellers().items] == ["Example GmbH", "Other AB"]


def test_numbers_are_exact() -> None:
    day, moment = date(2026, 1, 31), datetime(2026, 1, 31, 12, tzinfo=UTC)
    given = {"a": Decimal("1E+2"), "b": [Decimal("0.10"), 3], "c": day, "d": moment, "e": taktura_client.OMIT}
    told = {"a": "100", "b": ["0.10", 3], "c": "2026-01-31", "d": "2026-01-31T12:00:00+00:00"}
    assert plain(given) == told
    for wrong in (0.1, {"price": 0.1}, [0.1], datetime(2026, 1, 1), b"x", object()):  # noqa: DTZ001
        with pytest.raises(TypeError):
            plain(wrong)


def test_what_a_newer_server_tells_besides_is_left_aside() -> None:
    told = {
        "source": "usage",
        "id": "x",
        "revision": 1,
        "verdict": "recorded",
        "reasons": [],
        "code": None,
        "detail": None,
    }
    read: Any = taktura_client.reader(taktura_client.VerdictOut)
    assert read({**told, "colour": "red"}) == read(told)
