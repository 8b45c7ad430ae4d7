"""What people with bad intentions send: forms from elsewhere, script in texts, what does not fit, rows of others."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from openpyxl import load_workbook

from taktura.customers.models import Customer, Seller
from taktura.customers.services import create_customer
from taktura.invoices.models import Document
from taktura.kit.actor import Actor
from taktura.office.page import OPEN
from taktura.usage.models import Supplier, UsageFile
from tests.pages.conftest import JANUARY, make_seller, with_everything
from tests.pages.samples import OTHERS, first, path_of
from tests.pages.walk import Sent, Walk, Walked
from tools.pages import pages

SignIn = Callable[..., Client]
EVIL = "\"'><i x9>"  # what no escaping would let through; short, so that it fits almost everywhere
RAW = ("<i x9>", "&quot;&#x27;>", "'><i")
ELSEWHERE = "https://evil.example"
OWN = "/account/"  # pages of one's own sign-in: tests of the ways in
# What a field takes that does not take any text, by its name, else by what is said of it.
GOOD = {
    "email": "a@b.example", "from_address": "a@b.example", "country": "DE", "postcode": "10115", "price": "1",
    "quantity": "1", "amount": "1", "currency": "EUR", "port": "587", "host": "mail.example", "time_zone": "UTC",
}  # fmt: skip
TABLES_OF_ALL = ("accounts_", "audit_", "procrastinate_", "mail_", "jobs_")  # users and the machine are of all sellers


UNREAD = {"next", "query"}  # given back as they came: where one was, and the filter of a list


def post_forms(walked: Walked) -> list[Sent]:
    """Every form of the office that takes a text or a choice; those that differ in what nobody reads are one."""
    different = {
        (s.to, repr(sorted((name, value) for name, value in s.values.items() if name not in UNREAD))): s
        for s in walked.walk.forms.values()
        if not s.to.startswith(OWN) and (s.form.typed or s.form.choices)
    }
    return list(different.values())


# ---- from elsewhere ------------------------------------------------------------------------------------------------


def test_no_page_takes_a_form_that_another_site_sends(company: Seller, client_as: SignIn) -> None:
    """Neither without the secret of the page, nor with one that the other site has made up."""
    strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.cookies = client_as().cookies
    for page in pages():
        path = path_of(page)
        if not path or page.permission == OPEN and not page.name:
            continue
        for more in ({}, {"csrfmiddlewaretoken": "a" * 64}):
            response = strict.post(path, more, headers={"Origin": ELSEWHERE, "Referer": f"{ELSEWHERE}/"})
            assert response.status_code in (403, 404), f"{path}: {response.status_code}"


def test_nothing_changes_by_a_link(walked: Walked) -> None:
    """An address alone, as in the picture of a mail, writes nothing but what one chose on a list."""
    of_the_frame = {"usersessions_usersession", "django_session", "kit_cache", "api_bucket"}  # who asks, how often
    assert len(walked.walk.pages) > 400
    assert walked.changed - of_the_frame == set()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "x\ty"])
def test_another_name_of_the_host_is_refused(client_as: SignIn, host: str) -> None:
    client = client_as()
    assert client.get("/", headers={"Host": host}).status_code == 400
    assert client.get("/account/login/", headers={"X-Forwarded-Host": "evil.example"}).status_code in (200, 302)


# ---- script in texts -----------------------------------------------------------------------------------------------


def test_what_looks_like_script_is_shown_as_text(walked: Walked, client_as: SignIn) -> None:
    """It is stored by every form that takes a text; then every page is looked at."""
    client = client_as()
    stored, wrong = 0, []
    for sent in post_forms(walked):
        text, saved = _store(client, sent)
        stored += saved
        wrong += [f"the form of {sent.to} gives it back" for raw in RAW if raw in text]
    assert stored >= 20, "else this test sees too little"
    walk = Walk(client)
    walk.begin()
    assert sum("x9&gt;" in text for text in walk.pages.values()) >= 10
    wrong += [f"{address} shows it" for address, text in walk.pages.items() for raw in RAW if raw in text]
    assert wrong == []
    for kind in ("customers", "contracts", "tariffs", "usage/suppliers", "settings/users"):
        assert client.get(f"/{kind}/?export=csv").status_code == 200


def _store(client: Client, sent: Sent) -> tuple[str, bool]:
    """Send a form with script in all fields that take it; gives the last page, and whether it was saved."""
    typed = dict.fromkeys(sent.form.typed, EVIL)
    text = ""
    for _ in range(3):
        response = client.post(sent.to, sent.values | typed)
        text = response.content.decode(errors="replace")
        if response.status_code in (302, 303):
            return text, EVIL in typed.values()
        for name in list(typed):  # what is refused is typed as it should be
            if f'id="id_{name}_error"' in text or f'id="error_id_{name}"' in text or _is_wrong(text, name):
                typed[name] = str(GOOD.get(name) or sent.values.get(name) or "")
    return text, False


def _is_wrong(text: str, name: str) -> bool:
    """Whether a page marks a field as wrong."""
    at = text.find(f'name="{name}"')
    begin, end = text.rfind("<", 0, at), text.find(">", at)
    return at >= 0 and "is-invalid" in text[begin:end]


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "＝1+1", "=cmd|'/c calc'!A0"])
def test_a_spreadsheet_runs_nothing_that_was_exported(seller: Seller, client_as: SignIn, formula: str) -> None:
    create_customer(Actor("test", JANUARY), seller=seller, key="zz", name=formula, language="de")
    client = client_as()
    lines = client.get("/customers/?export=csv").content.decode().splitlines()
    cells = [cell.strip('"') for line in lines for cell in line.split(",")]
    assert not any(cell.startswith(("=", "+", "@", "＝", "-1+")) for cell in cells)
    assert any(formula.strip().split(",")[0] in cell for cell in cells)
    book = load_workbook(io.BytesIO(client.get("/customers/?export=xlsx").content))
    assert {cell.data_type for row in book.active.rows for cell in row} <= {"s", "n", "d"}


# ---- what does not fit ---------------------------------------------------------------------------------------------

MISFITS: dict[str, Any] = {
    "long": "x" * 100_000, "nul": "a\0b", "many": ["1", "2", "3"], "digits": "9" * 400, "nan": "NaN",
    "huge": "1e999999", "minus": "-1", "other digits": "٣", "beyond": "99999999999999999999", "empty": "",
    "path": "../../etc/passwd", "end of time": "9999-12-31", "before": "0001-01-01", "bidi": "\u202e\ud7ff\ufffe",
}  # fmt: skip


ONE_OF = 1 if os.environ.get("TAKTURA_ALL_MISFITS") else 3


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_refused_or_taken_but_no_error(walked: Walked, client_as: SignIn, misfit: str) -> None:
    """A part of the requests, another for each misfit; `TAKTURA_ALL_MISFITS=1` sends all."""
    client, turn = client_as(), list(MISFITS).index(misfit)
    client.raise_request_exception = False
    failed, done = [], set()
    for sent in post_forms(walked):
        for names in ({*sent.form.typed}, {*sent.form.choices}, {*sent.values} - {"action"}):
            values = sent.values | dict.fromkeys(names, MISFITS[misfit])
            request = sent.to, repr(sorted(values.items()))
            if not names or request in done:  # nothing would be wrong, or the same is wrong in a form of another page
                continue
            done.add(request)
            if (len(done) + turn) % ONE_OF:
                continue
            status = client.post(sent.to, values).status_code
            if status >= 500:
                failed.append(f"{sent.to} with {misfit} in {sorted(names)}: {status}")
    assert len(done) > 300
    assert failed == []


QUERIES = (
    "q=%00&sort=%00&after=%00", "q=%F0%9F%92%A9&sort=-&after=AAAA&before=zzz", "sort=nothing&export=exe&columns=no",
    "after=WyJhIiwxXQ==&sort=-name", "after=WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ==", "on=9999-99-99&customer=x&line=x",
    "on=9999-12-31&customer=99999999999999999999&line=99999999999999999999&contract=-1", "q=%25_%5C&state=x&kind=x",
    "before=WyJhIiwgdHJ1ZV0=", "on=0001-01-01&year=x&seller=0&supplier=x&file=x&reason=x&status=x",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_an_address_that_somebody_made_up_is_no_error(company: Seller, client_as: SignIn, query: str) -> None:
    client = client_as()
    client.raise_request_exception = False
    paths = [path_of(page) for page in pages() if page.permission != OPEN]
    failed = [path for path in paths if path and client.get(f"{path}?{query}").status_code >= 500]
    assert failed == []


# ---- rows of others ------------------------------------------------------------------------------------------------


def test_rows_of_another_seller_are_not_there(company: Seller, client_as: SignIn) -> None:
    """On every page with a row in its address, looked at and sent to, nothing of the seller that is not chosen."""
    with_everything(make_seller("Other AB"))
    client, seen, open_to = client_as(), 0, []
    for page in pages():
        asked: list[str] = []
        path = page.path(_foreign(asked), OTHERS | {"entry": 0})
        if not asked or not path or any(table.startswith(TABLES_OF_ALL) for table in asked):
            continue
        seen += 1
        for method, status in (("read", client.get(path).status_code), ("sent", client.post(path).status_code)):
            if status not in (404, 405):
                open_to.append(f"{path} {method}: {status}")
    assert seen > 40
    assert open_to == []


def _foreign(asked: list[str]) -> Callable[[str], int | None]:
    """The last row of a table, which is the other seller's; the tables are remembered."""

    def row(table: str) -> int | None:
        if not table:
            return None
        asked.append(table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT max(id) FROM {table}")
            found = cursor.fetchone()
        assert table.startswith(TABLES_OF_ALL) or found[0] != first(table), f"{table} has one row"
        return int(found[0])

    return row


def test_choices_of_another_seller_are_none(walked: Walked, client_as: SignIn) -> None:
    """Nor in what a form sends: every choice is a row of the other seller."""
    other = with_everything(make_seller("Other AB"))
    client, highest = client_as(), 0
    with connection.cursor() as cursor:
        for table in ("customers_customer", "contracts_contract", "usage_supplier", "catalog_tariff"):
            cursor.execute(f"SELECT max(id) FROM {table}")
            highest = max(highest, cursor.fetchone()[0])
    before = _of(other)
    for sent in post_forms(walked):
        numbers = {n for n, values in sent.form.choices.items() if any(v.isdecimal() for v in values)}
        for pk in range(1, highest + 1):
            if numbers:
                client.post(sent.to, sent.values | dict.fromkeys(numbers, str(pk)))
    assert _of(other) == before


def _of(seller: Seller) -> dict[str, int]:
    """How much there is of a seller."""
    return {
        "customers": Customer.objects.filter(seller=seller).count(),
        "documents": Document.objects.filter(seller=seller).count(),
        "files": UsageFile.objects.filter(supplier__seller=seller).count(),
    }


# ---- files ---------------------------------------------------------------------------------------------------------

HEAD = b"id,customer_id,customer_name,subscription_id,product_id,quantity,period_start,period_end\n"


def bomb(members: int = 1, inner: bytes = b"") -> bytes:
    """An archive that unpacks to far more than it is: a hundred million zeros, or archives of those."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(members):
            archive.writestr(f"../../{n}.csv", inner or bytes(10_000_000))
    return file.getvalue()


FILES: dict[str, bytes] = {
    "zip": bomb(10),
    "nested zip": bomb(5, bomb(5)),
    "empty zip": b"PK\x05\x06" + bytes(18),
    "gzip": gzip.compress(bytes(10_000_000)),
    "nested gzip": gzip.compress(gzip.compress(bytes(10_000_000))),
    "two in one": bomb(2, b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'),
    "tar": b"usage.csv".ljust(257, b"\0") + b"ustar\x0000",
    "bzip2": b"BZh91AY&SY" + bytes(50),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(50),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(50),
    "xz": b"\xfd7zXZ\x00" + bytes(50),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(50),
    "old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "pdf": b"%PDF-1.7\n",
    "parquet": b"PAR1" + bytes(50),
}


def load(client: Client, content: bytes, name: str = "usage.csv", kind: str = "text/csv") -> Any:
    """Send a file to the page that loads usage."""
    file = SimpleUploadedFile("usage.csv", content, content_type=kind)
    file._name = name  # as it was sent: Django takes the path off of a name that is set otherwise
    return client.post("/usage/files/new/", {"supplier": str(Supplier.objects.get().pk), "file": file})


@pytest.mark.parametrize("kind", FILES)
def test_bombs_archives_and_the_like_are_refused(seller: Seller, client_as: SignIn, kind: str) -> None:
    response = load(client_as(), FILES[kind])
    assert response.status_code == 422
    text = response.content.decode()
    assert any(word in text for word in ("unpack it", "as XLSX or CSV", "as CSV", "split it", "damaged", "files")), text
    assert not UsageFile.objects.exists()


def test_xml_is_no_usage_and_its_entities_are_not_read(seller: Seller, client_as: SignIn) -> None:
    xml = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>\n'
    client = client_as()
    response = load(client, xml)
    assert response.status_code == 302
    text = client.get(response.headers["Location"]).content.decode()
    assert "root:" not in text and "The file has no column" in text


@pytest.mark.parametrize("kind", ["application/x-msdownload", "text/html", "image/svg+xml", "../x", ""])
def test_what_a_browser_says_of_a_file_changes_nothing(seller: Seller, client_as: SignIn, kind: str) -> None:
    client = client_as()
    response = load(client, HEAD + b"1,a-1,Acme,s-1,p-1,2,2026-01-01,2026-01-31\n", kind=kind)
    assert response.status_code == 302
    kept = client.get(f"{response.headers['Location']}content/")
    assert kept.headers["Content-Type"] == "application/octet-stream"
    assert kept.headers["Content-Disposition"].startswith("attachment")
    assert kept.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/x.csv", "..\\..\\x.csv", "/etc/x.csv", "C:\\x.csv", "x\0y.csv", "x\r\nSet-Cookie: a=b.csv",
     '"; filename="evil.exe.csv', "x" * 5000 + ".csv", "\u202evsc.exe.csv", "<i x9>.csv", "=1+1.csv", ".csv", "😀.csv"],
)  # fmt: skip
def test_tricks_in_the_name_of_a_file(seller: Seller, client_as: SignIn, name: str) -> None:
    client = client_as()
    response = load(client, HEAD + b"1,a-1,Acme,s-1,p-1,2,2026-01-01,2026-01-31\n", name)
    if response.status_code == 302:
        kept = UsageFile.objects.get().name
        assert len(kept) <= 200 and kept.isprintable() and not set(kept) & set("/\\\0\r\n")
        given = client.get(f"{response.headers['Location']}content/").headers
        assert "\n" not in given["Content-Disposition"] and "Set-Cookie" not in given
        assert "<i x9>" not in client.get("/usage/files/").content.decode()
    else:
        assert response.status_code in (400, 422)
        assert not UsageFile.objects.exists()


def test_what_stands_in_a_file_is_shown_as_text_and_exported_without_harm(seller: Seller, client_as: SignIn) -> None:
    rows = [
        b'<i x9>,<i x9>,<i x9>,<i x9>,<i x9>,2,2026-01-01,2026-01-31\n',
        b'=1+1,=1+1,=1+1,=1+1,=1+1,2,2026-01-02,2026-01-31\n',
        b'3,"=cmd|""/c calc""!A0","<i x9>","<i x9>2",<i x9>,<i x9>,<i x9>,<i x9>\n',
        b'4,' + b'x' * 100_000 + b',x,x,x,1,2026-01-01,\n',
    ]  # fmt: skip
    client = client_as()
    assert load(client, HEAD + b"".join(rows)).status_code == 302
    walk = Walk(client)
    walk.begin()
    assert [a for a, text in walk.pages.items() if "<i x9>" in text] == []
    assert sum("&lt;i x9&gt;" in text for text in walk.pages.values()) >= 5
    file = UsageFile.objects.get()
    for path in ("records", "subscriptions", f"files/{file.pk}/problems", "customers", "files"):
        exported = client.get(f"/usage/{path}/?export=csv").content.decode()
        assert not [c for line in exported.splitlines() for c in line.split(",") if c.strip('"').startswith("=")], path
