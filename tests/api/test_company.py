"""Users, keys, mails, jobs, the log: what an administrator does from another program. Nobody gives what they lack."""

import re
from typing import Any, get_args

import pytest
from django.test import Client

from taktura.accounts.models import ApiKey, Invitation, User
from taktura.accounts.permissions import PERMISSIONS, ROLES
from taktura.accounts.services import create_user
from taktura.api.v1.users import Role
from taktura.audit.models import LogEntry
from taktura.kit.actor import Actor
from taktura.kit.mail.models import MailServer, OutgoingMail
from taktura.kit.mail.services import post
from tests.api.helpers import NOW, Api, make_key, refusal

ACTOR = Actor("test", NOW)
ADMINISTRATION = ["settings.view", "accounts.change", "keys.change"]


@pytest.fixture
def people(api: Api) -> dict[str, User]:
    """One user of each of some roles."""
    return {
        role: create_user(ACTOR, email=f"{role}@example.com", name=role.title(), role=role)
        for role in ("admin", "sales", "viewer")
    }


def test_roles_are_those_that_there_are() -> None:
    assert set(get_args(Role)) == set(ROLES)


def test_users_are_changed(api: Api, people: dict[str, User]) -> None:
    assert [u["role"] for u in api.get("/users").data["items"]] == ["admin", "sales", "viewer"]
    assert [u["name"] for u in api.get("/users?role=sales&active=true").data["items"]] == ["Sales"]
    path = f"/users/{people['sales'].pk}"
    before = api.get(path)
    changed = api.patch(path, {"role": "billing"}, If_Match=before.headers["ETag"])
    assert changed.data == before.data | {"role": "billing"}
    assert refusal(api.patch(path, {"name": "x"}, If_Match=before.headers["ETag"])) == (412, "precondition_failed")
    assert api.patch(path, {"active": False}).data["active"] is False
    assert refusal(api.patch(f"/users/{people['admin'].pk}", {"role": "viewer"})) == (422, "invalid"), "the last admin"
    assert refusal(api.patch("/users/999", {"name": "x"})) == (404, "not_found")
    assert api.post(f"{path}/reset_second_factor").status_code == 200
    assert LogEntry.objects.filter(action="reset_second_factor", subject=f"user:{people['sales'].pk}").exists()


def test_a_key_reaches_no_further_than_itself(api: Api, people: dict[str, User]) -> None:
    """Else a key that may invite could make itself an administrator, and one that may make keys a key for all."""
    api.secret = make_key(ADMINISTRATION)
    for path, body in {
        "/invitations": {"email": "x@example.com", "role": "admin"},
        "/keys": {"name": "more", "scopes": ["settings.view", "billing.run"]},
        f"/users/{people['admin'].pk}/reset_second_factor": None,
    }.items():
        assert refusal(api.post(path, body)) == (403, "forbidden"), path
    for user, change in (("viewer", {"role": "admin"}), ("admin", {"name": "x"}), ("admin", {"active": False})):
        assert refusal(api.patch(f"/users/{people[user].pk}", change)) == (403, "forbidden"), user
    assert Invitation.objects.count() == 0 and ApiKey.objects.count() == 2
    api.secret = make_key([*ADMINISTRATION, *ROLES["viewer"]])
    assert api.post("/invitations", {"email": "x@example.com", "role": "viewer"}).status_code == 201
    assert api.patch(f"/users/{people['viewer'].pk}", {"active": False}).status_code == 200


@pytest.fixture
def same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The office has the same time as the API."""
    monkeypatch.setattr("taktura.office.accounts.views.utc_now", lambda: NOW)


@pytest.mark.usefixtures("same_time")
def test_somebody_is_invited_and_comes(api: Api) -> None:
    body = {"email": "anna@example.com", "role": "sales", "name": "Anna", "language": "sv"}
    made = api.post("/invitations", body, Idempotency_Key="1").data
    assert made["mailed"] is False and made["role"] == "sales" and made["invited_by"] is None
    mail = OutgoingMail.objects.get()
    assert (mail.recipient, mail.kind, mail.language) == ("anna@example.com", "account", "sv")
    assert made["link"] in mail.text and "test" in mail.text and "Example GmbH" in mail.text
    assert re.search(r"2026-03-08 09:00", mail.text), "until when, where the seller is"
    path = "/account/invitation/" + made["link"].split("/account/invitation/")[1]
    page = Client(SERVER_NAME="localhost").post(path, {"name": "Anna", "password": "a-fine-long-word-7"})
    assert page.status_code == 302 and User.objects.get().role == "sales"
    assert api.get("/invitations").data["items"] == []
    assert api.post("/invitations", body, Idempotency_Key="1").data == made, "the same again tells the same"
    assert refusal(api.post("/invitations", body)) == (409, "conflict")
    assert refusal(api.post("/invitations", body | {"email": "no address"})) == (422, "invalid")


@pytest.mark.usefixtures("same_time")
def test_an_invitation_is_withdrawn(api: Api) -> None:
    made = api.post("/invitations", {"email": "a@example.com", "role": "viewer"}).data
    assert [i["id"] for i in api.get("/invitations").data["items"]] == [made["id"]]
    assert "link" not in api.get("/invitations").content.decode()
    assert Client(SERVER_NAME="localhost").get(made["link"]).status_code == 200
    assert api.call("DELETE", f"/invitations/{made['id']}").status_code == 204
    assert refusal(api.call("DELETE", f"/invitations/{made['id']}")) == (404, "not_found")
    assert Client(SERVER_NAME="localhost").get(made["link"]).status_code == 404


def test_a_key_is_made_used_and_revoked(api: Api, clock: list[Any]) -> None:
    body = {"name": "Shop", "scopes": ["customers.view"], "expires_at": "2026-04-01"}
    answer = api.post("/keys", body, Idempotency_Key="k")
    made = answer.data
    assert made["expires_at"] == "2026-03-31T22:00:00Z", "the first moment of the day where the seller is"
    assert api.post("/keys", body, Idempotency_Key="k").data == made
    assert api.get(answer.headers["Location"]).data == {k: v for k, v in made.items() if k != "secret"}
    shop = Api(made["secret"], api.seller)
    assert shop.get("/customers").status_code == 200 and shop.get("/contracts").status_code == 403
    assert made["secret"] not in api.get("/keys").content.decode()
    assert api.post(f"/keys/{made['id']}/revoke").data["revoked_at"] == "2026-03-01T08:00:00Z"
    assert refusal(shop.get("/customers")) == (401, "unauthorized")
    assert refusal(api.post("/keys", body | {"scopes": ["everything"]})) == (422, "invalid")
    assert refusal(api.post("/keys", body | {"expires_at": "2026-02-01"})) == (422, "invalid")
    assert refusal(api.post("/keys", body | {"scopes": []})) == (422, "invalid")
    assert refusal(api.get("/keys/999")) == (404, "not_found")


def test_mail_servers(api: Api) -> None:
    server = {"host": "smtp.example.com", "user": "u", "password": "secret", "from_address": "a@example.com"}
    assert refusal(api.get("/mail_server")) == (404, "not_found")
    made = api.call("PUT", "/mail_server", server)
    assert made.data == {
        "host": "smtp.example.com", "port": 587, "security": "starttls", "user": "u", "has_password": True,
        "from_address": "a@example.com", "from_name": "", "for_all": False,
    }  # fmt: skip
    assert "secret" not in MailServer.objects.get().password
    again = {k: v for k, v in server.items() if k != "password"}
    assert api.call("PUT", "/mail_server", again).data["has_password"], "what is kept stays"
    assert refusal(api.call("PUT", "/mail_server", again | {"host": "elsewhere.example.com"})) == (422, "invalid")
    assert refusal(api.call("PUT", "/mail_server", server | {"from_address": "nobody"})) == (422, "invalid")
    assert api.call("PUT", "/mail_server", server | {"for_all": True}).data["for_all"] is True
    assert api.get("/mail_server?for_all=true").data["for_all"] is True
    assert api.call("DELETE", "/mail_server").status_code == 204
    assert refusal(api.call("DELETE", "/mail_server")) == (404, "not_found")
    assert api.get("/mail_server?for_all=true").status_code == 200


def test_the_outbox(api: Api) -> None:
    sender = f"seller:{api.seller.pk}"
    post(
        NOW, to="a@example.com", subject="Invoice", text="Please pay", sender=sender, attachments=[("R.pdf", "x", b"x")]
    )
    post(NOW, to="b@example.com", subject="Your code", text="123456", kind="account")
    post(NOW, to="c@example.com", subject="Of others", text="x", sender="seller:999")
    assert [m["to"] for m in api.get("/mails").data["items"]] == ["b@example.com", "a@example.com"]
    invoice, code, other = OutgoingMail.objects.order_by("id")
    assert api.get(f"/mails/{invoice.pk}").data["attachments"] == ["R.pdf"]
    assert api.get(f"/mails/{code.pk}").data["text"] == "123456", "this key may change accounts"
    assert refusal(api.get(f"/mails/{other.pk}")) == (404, "not_found")
    narrow = Api(make_key(["jobs.view"]), api.seller)
    assert narrow.get(f"/mails/{code.pk}").data["text"] is None
    assert narrow.get(f"/mails/{invoice.pk}").data["text"] == "Please pay"
    assert refusal(api.post(f"/mails/{invoice.pk}/send_again")) == (422, "invalid"), "it is on its way"
    OutgoingMail.objects.filter(pk=invoice.pk).update(state="failed")
    assert api.get("/mails?state=failed").data["items"][0]["id"] == invoice.pk
    assert api.post(f"/mails/{invoice.pk}/send_again").data["state"] == "waiting"


def test_jobs(api: Api) -> None:
    post(NOW, to="a@example.com", subject="x", text="x")
    (job,) = api.get("/jobs?state=todo").data["items"]
    assert (job["task"], job["error"], job["attempts"]) == ("send_mail", None, 0)
    assert refusal(api.post(f"/jobs/{job['id']}/retry")) == (422, "invalid")
    assert api.post(f"/jobs/{job['id']}/cancel").data["state"] == "cancelled"
    assert refusal(api.post(f"/jobs/{job['id']}/cancel")) == (422, "invalid")
    assert refusal(api.get("/jobs/999999")) == (404, "not_found")


def test_the_log_is_read_by_what_it_is_about_and_proven(api: Api) -> None:
    api.post("/customers", {"customer": "K", "name": "Acme"})
    api.post("/customers", {"customer": "L", "name": "Other"})
    api.patch("/customers/K", {"name": "Acme AG"})
    found = api.get("/log?customer=K").data["items"]
    assert [e["action"] for e in found] == ["create_customer", "change_customer"]
    assert refusal(api.get("/log?contract=none")) == (404, "not_found")
    proof = api.get("/log/proof").data
    last = LogEntry.objects.order_by("-id")[0]
    assert proof == {"entries": LogEntry.objects.count(), "last": last.pk, "hash": last.hash, "broken": []}


def test_every_scope_can_be_given(api: Api) -> None:
    assert api.post("/keys", {"name": "all", "scopes": list(PERMISSIONS)}).data["scopes"] == sorted(PERMISSIONS)
