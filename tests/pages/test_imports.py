"""Pages of imports: ready and proposed mappings, what is missing, steps, undoing, reading and matching again."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from taktura.billing import services as billing
from taktura.contracts.models import ContractLine
from taktura.core.periods import DAY
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.office.usage.files import _steps
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageFile, UsageRecord
from taktura.usage.overview import count_problems
from taktura.usage.reader import COLUMNS, READY
from tests.pages.test_usage import FILE, supplier_form, upload
from tests.rooms.test_reader_kinds import workbook
from tests.rooms.test_ready_mappings import AZURE_MCA


def test_a_ready_mapping_is_chosen_and_proposed(
    company: Seller, client_as: Callable[..., Client], samples: Path
) -> None:
    client = client_as()
    example = SimpleUploadedFile("azure.csv", (samples / "azure-ea-actual-cost-small.csv").read_bytes())
    sent: dict[str, Any] = {**supplier_form(), "action": "sample", "example": example}
    text = client.post("/usage/suppliers/new/", sent).content.decode()
    assert "ready mapping “Azure cost export”" in text and "=first(CostInBillingCurrency, Cost)" in text
    chosen = {**supplier_form(), "action": "sample", "ready": "asterisk"}
    text = client.post("/usage/suppliers/new/", chosen).content.decode()
    assert "disposition &lt;&gt; &quot;ANSWERED&quot;" in text and "accountcode, src, dst" in text
    book = SimpleUploadedFile("a.xlsx", workbook(["Konto", "Tag", "Menge"], ["S-1", "2026-06-01", 2]))
    text = client.post(
        "/usage/suppliers/new/", {**supplier_form(), "action": "sample", "example": book}
    ).content.decode()
    assert '<option value="Konto">' in text and 'value="Menge"' in text
    pdf = {**supplier_form(), "action": "sample", "example": SimpleUploadedFile("a.csv", b"%PDF-1.7")}
    assert "This is a PDF" in client.post("/usage/suppliers/new/", pdf).content.decode()


def test_a_supplier_whose_files_write_utc_counts_days_by_it(
    company: Seller, client_as: Callable[..., Client], samples: Path
) -> None:
    """Else an hour of the last evening of a month would count for the next."""
    client, ours = client_as(), company.time_zone
    focus = (samples / "focus-1.0-sample.csv").read_bytes()

    def proposed(zone: str, content: bytes, place: str = "/usage/suppliers/new/") -> str:
        sent = {**supplier_form(time_zone=zone), "action": "sample", "example": SimpleUploadedFile("e.csv", content)}
        found = re.search(r'name="time_zone" value="([^"]*)"', client.post(place, sent).content.decode())
        assert found
        return found[1]

    azure = (samples / "azure-ea-actual-cost-small.csv").read_bytes()
    assert (proposed(ours, focus), proposed("Europe/London", focus), proposed(ours, azure)) == (
        "UTC", "Europe/London", ours,
    )  # fmt: skip
    assert proposed(ours, focus, f"/usage/suppliers/{Supplier.objects.get().pk}/change/") == ours, "what is there stays"

    fields = {f"column_{name}" if name in COLUMNS else name: text for name, text in READY["focus"].items()}
    fields |= {"null_texts": "NULL, null", "number_repeats": "on", "sample": base64.b64encode(focus[:20_000]).decode()}
    tried = {
        zone: client.post("/usage/suppliers/sample/", {**supplier_form(time_zone=zone), **fields}).content.decode()
        for zone in (ours, "UTC")
    }
    assert "Such files write times in UTC" in tried[ours] and "can be read" in tried["UTC"]
    assert "Such files write times in UTC" not in tried["UTC"]


@pytest.mark.parametrize("ready", ["", "azure"], ids=["proposed", "chosen"])
def test_a_ready_mapping_takes_the_decimal_comma_and_the_order_of_days_from_the_example(
    company: Seller, client_as: Callable[..., Client], ready: str
) -> None:
    """However it came: proposed by the headings, or chosen by hand."""
    rows = f'{AZURE_MCA}\nI,B,R,T,A,S-1,P,21.09.2023,M-1,/r,Usage,"0,5",1 Hour,"1,25",EUR,VM\n'
    example = SimpleUploadedFile("azure.csv", rows.encode())
    sent: dict[str, Any] = {**supplier_form(), "action": "sample", "example": example, "ready": ready}
    text = client_as().post("/usage/suppliers/new/", sent).content.decode()
    assert 'value="%d.%m.%Y|ISO"' in text
    assert '<option value="," selected>' in text
    assert "ready mapping “Azure cost export”" in text


def test_conditions_and_attributes_are_kept_and_what_is_missing_is_told(
    company: Seller, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    rules = {"skip_rows": "Qty = 0\r\nNote = \"x\"", "attributes": "note: Note", "number_repeats": "on",
             "column_subscription_id": "Sub", "column_period_start": "Day"}  # fmt: skip
    example = base64.b64encode(b"Sub,Day,Qty,Note\nS,2026-06-01,0,a\nS,2026-06-01,5,b\n").decode()
    tried = client.post("/usage/suppliers/sample/", {**supplier_form(), **rules, "sample": example}).content.decode()
    assert "Left out by a condition: 1" in tried and "No column says how much" in tried
    assert client.post("/usage/suppliers/new/", {**supplier_form(), **rules}).status_code == 302
    made = Supplier.objects.get(key="cloudco")
    assert made.mapping["skip_rows"] == ["Qty = 0", 'Note = "x"'] and made.mapping["attributes"] == {"note": "Note"}
    wrong = client.post(f"/usage/suppliers/{made.pk}/change/", supplier_form(column_quantity="=Qty *"))
    assert wrong.status_code == 422 and "cannot be read at" in wrong.content.decode()
    client.post(f"/usage/suppliers/{made.pk}/change/", supplier_form(column_quantity="Qty"))
    assert "Version 1" in client.get(f"/usage/suppliers/{made.pk}/").content.decode()
    client.post(f"/usage/suppliers/{made.pk}/mapping/", {"number": "1"})
    made.refresh_from_db()
    assert made.mapping["number_repeats"] is True
    assert client.post(f"/usage/suppliers/{made.pk}/mapping/", {"number": "77"}).status_code == 404


def test_an_import_is_undone_read_and_matched_again(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    response = upload(client, FILE.replace(b"2026", b"2027"))
    file = UsageFile.objects.order_by("-pk").first()
    assert response.status_code == 302 and file is not None
    place = f"/usage/files/{file.pk}/"
    text = client.get(place).content.decode()
    assert "Undo the import" in text and "Match again" in text and "Read it again" not in text
    assert client.post(f"{place}match/").status_code == 302
    records = UsageRecord.objects.filter(file=file).count()
    said = client.post(f"{place}undo/", follow=True).content.decode()
    assert f"{records} record" in said and "Undone" in said and "Read it again" in said
    assert "undone already" in client.post(f"{place}undo/", follow=True).content.decode()
    text = client.get(place).content.decode()
    assert "none of its rows is there any more" in text and "every row is where it belongs" not in text
    client.post(f"{place}read/")
    assert UsageRecord.objects.filter(file=file).count() == records


def test_who_undoes_what_others_repeated_is_told_of_these(company: Seller, client_as: Callable[..., Client]) -> None:
    client, head = client_as(), FILE.splitlines()[0] + b"\n"
    rows = [b"z%d,A1,ACME,acc-1,CALL,Calls,1,1,2027-02-03\n" % number for number in range(3)]
    upload(client, head + rows[0] + rows[1])
    first = UsageFile.objects.latest("pk")
    upload(client, head + rows[1] + rows[2], name="more.csv")
    more = UsageFile.objects.latest("pk")
    assert more.duplicates == 1
    assert "more.csv" in client.post(f"/usage/files/{first.pk}/undo/", follow=True).content.decode()
    assert "counted duplicates" not in client.post(f"/usage/files/{more.pk}/undo/", follow=True).content.decode()
    client.post(f"/usage/files/{more.pk}/read/")
    assert UsageRecord.objects.filter(file=more).count() == 2, "now it brings both"


def test_the_steps_add_up_where_a_row_waits_in_part(
    company: Seller, actor: Actor, client_as: Callable[..., Client]
) -> None:
    client = client_as()
    supplier, line = Supplier.objects.get(), ContractLine.objects.filter(charge="usage").earliest("pk")
    first = line.contract.start
    usage.link(actor, supplier=supplier, reference="PART", line=line)
    usage.change_supplier(actor, supplier=supplier, mapping={})
    rows = f"id,subscription_id,quantity,period_start,period_end\np,PART,6,{first - 3 * DAY},{first + 2 * DAY}\n"
    received, _ = billing.receive_file(actor, supplier=supplier, name="p.csv", content=rows.encode())
    file = received.file
    assert file is not None and (file.rows, file.recorded, file.waiting) == (1, 1, 1), "half of it waits"
    count_problems([file])
    _kept, read, processed, *_rest = _steps(file)
    assert sum(number for _label, number in processed.numbers) == read.numbers[0][1] == 1
    assert client.get(f"/usage/files/{file.pk}/").status_code == 200


def test_an_emptied_file_says_so(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    upload(client, FILE.replace(b"2026", b"2027"))
    file = UsageFile.objects.order_by("-pk").first()
    assert file is not None
    place = f"/usage/files/{file.pk}/"
    client.post(f"{place}undo/")
    assert "Read it again" in client.get(place).content.decode()
    UsageFile.objects.filter(pk=file.pk).update(content=b"", emptied_at=file.received_at)
    text = client.get(place).content.decode()
    assert "telephone numbers are kept only as long" in text and file.sha256 in text
    assert "Save the file" not in text and "Read it again" not in text
    for path, post in (("content/", False), ("read/", True)):
        said = (client.post if post else client.get)(f"{place}{path}", follow=True).content.decode()
        assert "content of this file is not kept any more" in said
    assert UsageRecord.objects.filter(file=file).count() == 0


def test_numbers_are_named_in_the_form_of_a_supplier(company: Seller, client_as: Callable[..., Client]) -> None:
    client = client_as()
    sent = {**supplier_form(), "attributes": "to: Dst\r\nfrom: Src", "numbers": "to, from"}
    assert client.post("/usage/suppliers/new/", sent).status_code == 302
    made = Supplier.objects.get(key="cloudco")
    assert made.mapping["numbers"] == ["to", "from"]
    assert 'value="to, from"' in client.get(f"/usage/suppliers/{made.pk}/change/").content.decode()
    wrong = client.post(f"/usage/suppliers/{made.pk}/change/", {**sent, "numbers": "other"})
    assert wrong.status_code == 422 and "is no attribute of the mapping" in wrong.content.decode()
