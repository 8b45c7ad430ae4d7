"""Files by the API in the background, stopped and read again; files that were not loaded."""

from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.kit.jobs.worker import run_worker
from taktura.usage import services as usage
from taktura.usage.models import Supplier, UsageRecord
from tests.api.helpers import NOW, Api

CSV = b"id,subscription_id,quantity,period_start\n1,S-1,5,2026-02-01\n2,S-2,many,2026-02-01\n"
FILES = "/suppliers/sun/files"


def test_a_file_in_the_background_is_seen_stopped_and_read(api: Api) -> None:
    api.post("/suppliers", {"supplier": "sun", "name": "Sun"})
    sent = api.call("POST", f"{FILES}?name=feb.csv&background=true", CSV, Content_Type="text/csv")
    assert (sent.status_code, sent.data["rows"]) == (201, 0)
    place = f"{FILES}/{sent.data['file']}"
    told = api.get(place).data
    assert (told["state"], told["read_at"], told["background"]["state"]) == ("reading", None, "waiting")
    stopped = api.post(f"{place}/stop")
    assert stopped.status_code == 200 and stopped.data["background"]["stop_requested"] is True
    run_worker(until_done=True)
    assert api.get(place).data["state"] == "unread" and not UsageRecord.objects.exists()
    assert api.post(f"{place}/stop").data["background"]["state"] == "stopped", "nothing reads it: nothing happens"
    assert api.post(f"{place}/read?background=true").data["file"] == sent.data["file"]
    run_worker(until_done=True)
    told = api.get(FILES).data["items"][0]
    assert (told["state"], told["rows"], told["waiting"], told["background"]["percent"]) == ("problems", 2, 1, 100)
    again = api.post(f"{place}/read")
    assert (again.status_code, again.data["code"]) == (409, "conflict")
    api.post(f"{place}/undo")
    assert api.post(f"{place}/read").data["waiting"] == {"no_subscription": 1}


def test_files_that_were_not_loaded_are_told_and_settled(api: Api) -> None:
    for key in ("sun", "moon"):
        api.post("/suppliers", {"supplier": key, "name": key})
    why = Refused("conflict", "This file was loaded already, as “%(name)s”: its usage is there.", name="a.csv")
    actor = Actor("folder:sun", NOW)
    noted = [
        usage.note_refusal(
            actor, supplier=Supplier.objects.get(key=key), name="b.csv", size=7, origin="folder", refused=why
        )
        for key in ("sun", "moon")
    ]
    (item,) = api.get("/suppliers/sun/refused_files?settled=false", Accept_Language="de").data["items"]
    assert (item["name"], item["origin"], item["code"], item["file"]) == ("b.csv", "folder", "conflict", None)
    assert "wurde bereits eingelesen" in item["detail"]
    done = api.post("/suppliers/sun/refused_files/settle", {"ids": [row.pk for row in noted]})
    assert done.data == {"files": 1}, "not those of another supplier"
    assert api.get("/suppliers/sun/refused_files?settled=false").data["items"] == []
    assert api.get("/suppliers/sun/refused_files").data["items"][0]["settled_at"]
    assert len(api.get("/suppliers/moon/refused_files?settled=false").data["items"]) == 1


def test_problems_of_a_file_are_told_in_the_language_that_is_asked_for(api: Api) -> None:
    api.post("/suppliers", {"supplier": "sun", "name": "Sun"})
    sent = api.call("POST", f"{FILES}?name=feb.csv", CSV, Content_Type="text/csv")
    place = f"{FILES}/{sent.data['file']}/problems"
    told = {language: api.get(place, Accept_Language=language).data["items"][0] for language in ("en", "de", "sv")}
    assert {problem["code"] for problem in told.values()} == {"bad_number"}
    words = {"en": "is no number", "de": "ist keine Zahl", "sv": "är inget tal"}
    assert [words[language] in problem["detail"] for language, problem in told.items()] == [True] * 3, told
