"""Drafts of tariffs through the API: written step by step, only over what was read, checked, published."""

from datetime import date

import pytest

from taktura.catalog.models import Tariff, TariffDraft
from taktura.contracts.services import sign
from taktura.customers.services import create_customer
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, refusal

ACTOR = Actor("test", NOW)
SEARCH = {"article": "search", "title": "Search", "charge": "usage", "price": "1.00", "in_minimum": True}


def test_a_tariff_is_written_step_by_step(api: Api) -> None:
    draft = api.post("/tariff_drafts", {"key": "talk"}).data
    assert [p["text"] for p in draft["problems"]] == ["The tariff has no title yet.", "The tariff has no lines yet."]
    path = f"/tariff_drafts/{draft['draft']}"
    found = api.patch(path, {"title": "Talk", "minimum_sales": "10.00"}).data
    assert [(p["code"], p["field"]) for p in found["problems"]][0] == ("no_flagged_line", "minimum_sales")
    assert refusal(api.post(f"{path}/publish", {})) == (422, "no_flagged_line")
    found = api.patch(path, {"lines": [SEARCH]}).data
    assert found["problems"] == [] and found["revision"] == 3
    made = api.post(f"{path}/publish", {}).data["tariff"]
    assert (made["tariff"], made["versions"][0]["minimum_sales"]) == ("talk", "10.00")
    assert api.get(path).status_code == 404 and not TariffDraft.objects.exists()


def test_the_second_of_two_is_refused(api: Api) -> None:
    draft = api.post("/tariff_drafts", {"key": "talk"}).data
    path = f"/tariff_drafts/{draft['draft']}"
    tag = api.get(path).headers["ETag"]
    assert api.patch(path, {"title": "One"}, If_Match=tag).status_code == 200
    assert api.patch(path, {"title": "Two"}, If_Match=tag).status_code == 412
    assert api.get(path).data["fields"]["title"] == "One"


def test_a_change_is_told_and_published_as_a_version(api: Api) -> None:
    lines = {"search": {k: v for k, v in SEARCH.items() if k != "article"}}
    api.post("/tariffs", {"tariff": "talk", "title": "Talk", "lines": lines})
    tariff = Tariff.objects.get()
    customer = create_customer(ACTOR, seller=api.seller, key="K", name="K")
    sign(ACTOR, key="C", customer=customer, tariff=tariff, start=date(2026, 1, 1))
    draft = api.post("/tariff_drafts", {"tariff": "talk"}).data
    assert api.post("/tariff_drafts", {"tariff": "talk"}).data["draft"] == draft["draft"], "its draft goes on"
    path = f"/tariff_drafts/{draft['draft']}"
    api.patch(path, {"minimum_sales": "15.00"})
    change = {"article": None, "field": "minimum_sales", "before": None, "after": "15.00"}
    assert api.get(f"{path}/differences").data["items"] == [change]
    assert refusal(api.post(f"{path}/publish", {})) == (422, "invalid"), "it was ordered: from which day?"
    api.post(f"{path}/publish", {"from": "2026-09-01", "applies_to": "all"})
    query = "from_day=2026-08-31&to_day=2026-09-01"
    assert api.get(f"/tariffs/talk/differences?{query}").data["items"] == [change]
    assert api.get("/tariff_drafts").data["items"] == []


def test_what_is_new_is_taken_over_before_it_is_published(api: Api) -> None:
    lines = {"search": {k: v for k, v in SEARCH.items() if k != "article"}}
    api.post("/tariffs", {"tariff": "talk", "title": "Talk", "lines": lines})
    path = f"/tariff_drafts/{api.post('/tariff_drafts', {'tariff': 'talk'}).data['draft']}"
    api.patch(path, {"title": "Talks"})
    api.post("/tariffs/talk/price_update", {"from": "2026-09-01", "percent": "10"})
    assert refusal(api.post(f"{path}/publish", {"from": "2026-10-01"})) == (409, "conflict")
    found = api.post(f"{path}/catch_up", {"on": "2026-10-01"}).data
    assert (found["fields"]["title"], found["fields"]["lines"][0]["price"]) == ("Talks", "1.1")
    made = api.post(f"{path}/publish", {"from": "2026-10-01"}).data["tariff"]
    assert [v["lines"]["search"]["price"] for v in made["versions"]] == ["1.00", "1.1", "1.1"]


@pytest.mark.parametrize("body", [{}, {"key": "a", "tariff": "b"}, {"tariff": "a", "copy_of": "b"}])
def test_a_draft_is_new_or_a_change(api: Api, body: dict[str, str]) -> None:
    assert refusal(api.post("/tariff_drafts", body)) == (422, "invalid")


def test_a_copy_and_its_end(api: Api) -> None:
    lines = {"search": {k: v for k, v in SEARCH.items() if k != "article"}}
    api.post("/tariffs", {"tariff": "talk", "title": "Talk", "lines": lines, "public": True})
    draft = api.post("/tariff_drafts", {"key": "talk2", "copy_of": "talk"}).data
    assert (draft["fields"]["title"], draft["fields"]["public"]) == ("Talk", False)
    assert draft["fields"]["lines"][0]["article"] == "search"
    assert api.call("DELETE", f"/tariff_drafts/{draft['draft']}").status_code == 204
    assert refusal(api.post("/tariff_drafts", {"key": "talk"})) == (409, "conflict")


@pytest.mark.parametrize("title", [None, "", "  "])
def test_what_has_no_title_is_not_published(api: Api, title: str | None) -> None:
    """As in the office: neither a new tariff nor a version of one."""
    new = f"/tariff_drafts/{api.post('/tariff_drafts', {'key': 'talk'}).data['draft']}"
    api.patch(new, {"title": title, "lines": [SEARCH]})
    refused = api.post(f"{new}/publish", {})
    assert (refused.status_code, refused.data["detail"]) == (422, "The tariff has no title yet.")
    api.patch(new, {"title": "Talk"})
    assert api.post(f"{new}/publish", {}).status_code == 200
    change = f"/tariff_drafts/{api.post('/tariff_drafts', {'tariff': 'talk'}).data['draft']}"
    api.patch(change, {"title": title})
    refused = api.post(f"{change}/publish", {"from": "2026-05-01"})
    assert (refused.status_code, refused.data["detail"]) == (422, "The tariff has no title yet.")
    assert api.get("/tariffs/talk").data["title"] == "Talk"
