"""A request that comes again has its effect once; a change of what has changed is refused."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from taktura.api.idempotency import services
from taktura.api.idempotency.models import KeptAnswer
from taktura.customers.models import Customer
from taktura.customers.services import change_customer
from taktura.kit.actor import Actor
from tests.api.helpers import NOW, Api, make_key, refusal

NEW = {"customer": "acme", "name": "Acme GmbH"}


def test_the_same_request_again(api: Api) -> None:
    first = api.post("/customers", NEW, Idempotency_Key="one")
    again = api.post("/customers", NEW, Idempotency_Key="one")
    assert first.status_code == again.status_code == 201 and first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == again.headers[name]
    assert Customer.objects.count() == 1
    assert refusal(api.post("/customers", NEW)) == (409, "conflict"), "without the key it is another request"


def test_another_request_under_the_same_key(api: Api) -> None:
    api.post("/customers", NEW, Idempotency_Key="one")
    other = NEW | {"name": "Acme AG"}
    assert refusal(api.post("/customers", other, Idempotency_Key="one")) == (422, "idempotency_key_reused")
    assert refusal(api.post("/customers", NEW, Idempotency_Key="one", Taktura_Seller=str(api.seller.pk)))[0] == 422
    assert Customer.objects.get().name == "Acme GmbH"


def test_each_caller_has_keys_of_its_own(api: Api) -> None:
    api.post("/customers", NEW, Idempotency_Key="one")
    api.secret = make_key()
    assert refusal(api.post("/customers", NEW, Idempotency_Key="one")) == (409, "conflict")


def test_what_was_refused_can_be_tried_again(api: Api) -> None:
    api.post("/customers", NEW)
    assert refusal(api.post("/customers", NEW, Idempotency_Key="one")) == (409, "conflict")
    assert KeptAnswer.objects.count() == 0
    assert api.post("/customers", {"customer": "b", "name": "B"}, Idempotency_Key="one").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_bad_keys(api: Api, key: str) -> None:
    assert refusal(api.post("/customers", NEW, Idempotency_Key=key)) == (422, "invalid")


def test_a_crash_between_effect_and_answer_leaves_neither(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer could not be kept: then the effect is taken back, too, and the next try has it."""

    def crash(*args: Any, **fields: Any) -> None:
        assert Customer.objects.count() == 1, "the effect is there"
        raise SystemError("killed")

    monkeypatch.setattr(KeptAnswer.objects, "create", crash)
    assert api.post("/customers", NEW, Idempotency_Key="one").status_code == 500
    monkeypatch.undo()
    assert (Customer.objects.count(), KeptAnswer.objects.count()) == (0, 0)
    assert api.post("/customers", NEW, Idempotency_Key="one", Authorization=f"Bearer {make_key()}").status_code == 201


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, all begun together, each on a connection of its own."""
    results: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            results[place] = work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(i, work)) for i, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_same_request_twice_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is under way the second is told so; it never waits, and never has an effect."""
    begun, told = threading.Event(), threading.Event()
    original = KeptAnswer.objects.create

    def create(**fields: Any) -> Any:
        begun.set()
        told.wait(60)
        return original(**fields)

    monkeypatch.setattr(KeptAnswer.objects, "create", create)

    def second() -> Any:
        begun.wait(60)
        try:
            return Api(api.secret, api.seller).post("/customers", NEW, Idempotency_Key="one")
        finally:
            told.set()

    first, other = at_once(lambda: Api(api.secret, api.seller).post("/customers", NEW, Idempotency_Key="one"), second)
    assert first.status_code == 201
    assert refusal(other) == (409, "idempotency_in_progress") and other.headers["Retry-After"] == "1"
    assert api.post("/customers", NEW, Idempotency_Key="one").content == first.content
    assert Customer.objects.count() == 1


def test_many_at_once_have_one_effect(api: Api) -> None:
    def send() -> Any:
        return Api(api.secret, api.seller).post("/customers", NEW, Idempotency_Key="one")

    answers = at_once(*[send] * 8)
    done = [a for a in answers if a.status_code == 201]
    assert done and len({a.content for a in done}) == 1 and Customer.objects.count() == 1
    assert {refusal(a) for a in answers if a.status_code != 201} <= {(409, "idempotency_in_progress")}
    assert sum("Idempotent-Replayed" not in a.headers for a in done) == 1


def test_answers_are_forgotten_in_time(api: Api) -> None:
    api.post("/customers", NEW, Idempotency_Key="one")
    assert timedelta(hours=24) <= services.KEPT_FOR
    assert services.forget(NOW + services.KEPT_FOR) == 0
    assert services.forget(NOW + services.KEPT_FOR + timedelta(seconds=1)) == 1
    assert KeptAnswer.objects.count() == 0


def test_if_match(api: Api) -> None:
    made = api.post("/customers", NEW)
    tag = api.get("/customers/acme").headers["ETag"]
    assert made.headers["ETag"] == tag
    changed = api.patch("/customers/acme", {"name": "Acme AG"}, If_Match=tag)
    assert changed.status_code == 200 and changed.headers["ETag"] == api.get("/customers/acme").headers["ETag"] != tag
    assert refusal(api.patch("/customers/acme", {"name": "X"}, If_Match=tag)) == (412, "precondition_failed")
    assert api.get("/customers/acme").data["name"] == "Acme AG"
    for fitting in (f'"x", {changed.headers["ETag"]}', "*", "W/" + changed.headers["ETag"]):
        assert api.patch("/customers/acme", {"kind": "business"}, If_Match=fitting).status_code == 200
    assert refusal(api.patch("/customers/nobody", {"name": "X"}, If_Match="*")) == (404, "not_found")


def test_if_none_match(api: Api) -> None:
    api.post("/customers", NEW)
    tag = api.get("/customers/acme").headers["ETag"]
    answer = api.get("/customers/acme", If_None_Match=tag)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    api.patch("/customers/acme", {"name": "Acme AG"})
    assert api.get("/customers/acme", If_None_Match=tag).status_code == 200


def test_two_changes_at_once_of_the_same_state(api: Api) -> None:
    """Both have read the same; one wins, the other is refused, however close they come."""
    api.post("/customers", NEW)
    tag = api.get("/customers/acme").headers["ETag"]

    def change(name: str) -> Callable[[], Any]:
        return lambda: Api(api.secret, api.seller).patch("/customers/acme", {"name": name}, If_Match=tag)

    answers = at_once(*[change(f"Name {i}") for i in range(6)])
    assert sorted(a.status_code for a in answers) == [200] + [412] * 5
    winner = next(a for a in answers if a.status_code == 200)
    assert api.get("/customers/acme").data == winner.data


def test_a_change_waits_for_the_one_under_way(api: Api, actor: Actor) -> None:
    """Somebody in the office is about to save: the change of a caller that has read before comes too late."""
    api.post("/customers", NEW)
    tag = api.get("/customers/acme").headers["ETag"]
    holding = threading.Event()

    def office() -> None:
        with transaction.atomic():
            change_customer(actor, customer=Customer.objects.get(), name="Office")
            holding.set()
            time.sleep(0.3)

    def caller() -> Any:
        holding.wait(60)
        return Api(api.secret, api.seller).patch("/customers/acme", {"name": "Caller"}, If_Match=tag)

    _, answer = at_once(office, caller)
    assert refusal(answer) == (412, "precondition_failed")
    assert Customer.objects.get().name == "Office"
