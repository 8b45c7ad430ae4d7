"""Files that were not loaded, on the home page, in their list, and by the pages of files that are kept."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from taktura.billing import imports
from taktura.billing import services as billing
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.jobs.models import Work
from taktura.kit.jobs.worker import run_worker
from taktura.usage import services as usage
from taktura.usage.models import RefusedFile, Supplier, UsageException, UsageFile, UsageRecord
from tests.pages.test_usage import FILE, upload

LIST = "/usage/files/refused/"


@pytest.fixture
def refusals(seller: Seller, actor: Actor) -> list[RefusedFile]:
    """A file of a folder that is no usage file, and one of a mail that came before."""
    supplier = Supplier.objects.get()
    received, _ = billing.receive_file(actor, supplier=supplier, name="feb.csv", content=FILE)
    again = Refused("conflict", "This file was loaded already, as “%(name)s”: its usage is there.", name="feb.csv")
    wrong = Refused("invalid", "Files that end in %(endings)s can be loaded.", endings=".csv")
    common: dict[str, Any] = {"supplier": supplier, "size": 12}
    return [
        usage.note_refusal(actor, name="<b>.pdf", origin="folder", refused=wrong, **common),
        usage.note_refusal(actor, name="again.csv", origin="mail", refused=again, file=received.file, **common),
    ]


def test_the_home_page_counts_them_and_the_list_says_why(
    refusals: list[RefusedFile], client_as: Callable[..., Client]
) -> None:
    client = client_as(language="de")
    home = client.get("/").content.decode()
    assert f"{LIST}?state=open" in home, home[home.index("<main") :]
    assert "Nicht eingelesene Nutzungsdateien" in home
    assert f'href="{LIST}?state=open"' in client.get("/usage/").content.decode()
    text = client.get(f"{LIST}?state=open").content.decode()
    assert "wurde bereits eingelesen" in text and "Überwachter Ordner" in text and "&lt;b&gt;.pdf" in text
    assert (
        f"/usage/files/{refusals[1].file_id}/" in text
        and f"/usage/files/new/?supplier={refusals[0].supplier_id}" in text
    )
    only = client.get(f"{LIST}?origin=mail").content.decode()
    assert "again.csv" in only and ".pdf" not in only
    assert client.get(f"{LIST}?export=csv").status_code == 200


def test_what_was_looked_at_is_not_counted_any_more(
    refusals: list[RefusedFile], seller: Seller, client_as: Callable[..., Client]
) -> None:
    viewer = client_as("viewer")
    assert viewer.get(LIST).status_code == 200
    assert viewer.post(LIST, {"action": "settle", "chosen": [refusals[0].pk]}).status_code == 403
    client = client_as()
    said = client.post(f"{LIST}?state=open", {"action": "settle", "all": "1"}, follow=True).content.decode()
    assert "2 files are not counted any more" in said
    assert f"{LIST}?state=open" not in client.get("/usage/").content.decode()
    assert not RefusedFile.objects.filter(settled_at=None).exists()
    assert "Done" in client.get(f"{LIST}?state=settled").content.decode()
    assert usage.settle_refusals(Actor("x", refusals[0].at), seller=seller, refusals=[refusals[0].pk]) == 0


def test_a_large_file_is_seen_being_read_stopped_and_read_after_all(
    seller: Seller, client_as: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as()
    monkeypatch.setattr("taktura.office.usage.files.AT_ONCE", 100)
    place = upload(client, FILE).headers["Location"]
    file, work = UsageFile.objects.get(), Work.objects.get()
    assert place == f"/usage/files/{file.pk}/"
    text = client.get(place).content.decode()
    assert "It is being read" in text and f"/work/{work.pk}/stop/" in text and "Read it" not in text
    Work.objects.update(state="running", result={"step": "match", "rows": 1234}, done=70, total=100)
    text = client.get(place).content.decode()
    assert "Finding contract lines" in text and "1,234 rows" in text and text.count("not begun") == 1
    assert "Being read" in client.get("/usage/files/").content.decode()
    said = client.post(f"/work/{work.pk}/stop/", follow=True).content.decode()
    assert "The file stays" in said
    run_worker(until_done=True)
    text = client.get(place).content.decode()
    assert "Not read" in text and "Read it" in text and not UsageRecord.objects.filter(file=file).exists()
    assert "march.csv" in client.get("/usage/files/?unread=1").content.decode()
    monkeypatch.setattr("taktura.office.usage.files.AT_ONCE", 10**9)
    client.post(f"{place}read/")
    assert UsageRecord.objects.filter(file=file).count() == 7 and "Read it" not in client.get(place).content.decode()
    assert "march.csv" not in client.get("/usage/files/?unread=1").content.decode()


def test_a_file_of_which_reading_failed_says_why(
    seller: Seller, client_as: Callable[..., Client], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = imports.start_reading(actor, supplier=Supplier.objects.get(), name="a.csv", content=FILE)

    def breaks(*args: Any, **more: Any) -> Any:
        raise ValueError("of its own making")

    monkeypatch.setattr(imports, "read_file", breaks)
    run_worker(until_done=True)
    place = f"/usage/files/{work.parameters['file']}/"
    text = client_as().get(place).content.decode()
    assert "Not taken in" in text and "of its own making" in text and "Read it" in text


def test_much_that_waits_is_matched_in_the_background(
    seller: Seller, client_as: Callable[..., Client], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, supplier = client_as(), Supplier.objects.get()
    received, _ = billing.receive_file(actor, supplier=supplier, name="feb.csv", content=FILE)
    monkeypatch.setattr("taktura.office.usage.parts.IN_BACKGROUND", 3)
    assert received.file is not None
    place = client.post(f"/usage/files/{received.file.pk}/match/").headers["Location"]
    assert client.get(place).status_code == 200
    again = client.post(f"/usage/files/{received.file.pk}/match/", follow=True).content.decode()
    assert "being done already" in again
    run_worker(until_done=True)
    assert Work.objects.get().state == "done"
    assert client.get(place).headers["Location"] == f"/usage/waiting/?supplier={supplier.pk}"
    place = client.post("/usage/waiting/again/").headers["Location"]
    assert "being done already" in client.post("/usage/waiting/again/", follow=True).content.decode()
    run_worker(until_done=True)
    reasons = Counter(UsageException.objects.filter(record__seller=seller).values_list("reason", flat=True))
    assert Work.objects.latest("pk").result["reasons"] == reasons and len(reasons) > 1, "those of no supplier, too"
    assert client.get(place).headers["Location"] == "/usage/waiting/"
