"""The settings: what each page shows, what its form writes, what it says before."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from taktura.customers.models import Seller
from taktura.invoices.models import NumberSeries
from taktura.invoices.queries import numbering
from taktura.kit.actor import Actor
from taktura.office.settings.company import SECTIONS
from tests.pages.forms import form_of

Pages = Callable[..., dict[str, str]]
SignIn = Callable[..., Client]

# What is changed in each section: the field, its value as typed in English, and as it is stored.
CHANGES: dict[str, tuple[str, str, Any]] = {
    "address": ("city", "Potsdam", "Potsdam"),
    "tax": ("vat_id", "DE 136 695 976", "DE136695976"),
    "einvoices": ("electronic_address", "9930:DE136695976", "9930:DE136695976"),
    "bank": ("payment_days", "30", 30),
    "vat": ("rate_0", "16", [[None, "16"]]),
    "rules": ("change_documents", "netted", "netted"),
    "period": ("closed_until", "2026-02-01", "2026-02-01"),
    "runs": ("unattended_runs", "on", True),
    "usage": ("rate_days", "5", 5),
    "portal": ("portal_allows", ["notice", "data"], ["notice", "data"]),
    "order-page": ("terms_url", "https://a.example/agb", "https://a.example/agb"),
    "sign-in": ("second_factor", "on", True),
}


def test_pages_open_in_three_languages_to_those_who_may_see_them(
    seller: Seller, page_ok: Pages, forbidden_to: Callable[[str], set[str]]
) -> None:
    for path in ("/settings/company/", "/settings/numbering/"):
        assert len(set(page_ok(path).values())) == 3
        assert forbidden_to(path) == {"sales", "lead", "technician", "viewer"}
    for section in SECTIONS:
        page_ok(f"/settings/company/{section}/")
    for kind in ("invoice", "credit_note"):
        page_ok(f"/settings/numbering/{kind}/")
    assert forbidden_to("/settings/company/tax/") == {"billing", "sales", "lead", "technician", "viewer"}
    assert forbidden_to("/settings/") >= {"sales", "technician", "viewer"}


def test_who_may_not_change_sees_no_way_to_it(seller: Seller, client_as: SignIn) -> None:
    text = client_as("billing").get("/settings/company/").content.decode()
    assert "Sonnenruf GmbH" in text
    assert "/settings/company/tax/" not in text
    assert "/settings/company/tax/" in client_as("admin").get("/settings/company/").content.decode()


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_is_written(seller: Seller, client_as: SignIn, section: str) -> None:
    client, path = client_as(), f"/settings/company/{section}/"
    name, typed, stored = CHANGES[section]
    response = client.post(path, form_of(client, path) | {name: typed})
    assert (response.status_code, response.headers.get("Location")) == (302, "/settings/company/")
    seller.refresh_from_db()
    value = getattr(seller, "vat" if section == "vat" else name)
    assert (value if section != "period" else value.isoformat()) == stored


@pytest.mark.parametrize("section", SECTIONS)
def test_what_follows_is_said_before_and_nothing_is_written(seller: Seller, client_as: SignIn, section: str) -> None:
    client, path = client_as(), f"/settings/company/{section}/"
    name, typed, _stored = CHANGES[section]
    before = Seller.objects.values().get()
    typed_in = form_of(client, path)
    nothing = client.post(f"{path}consequence/", typed_in).content.decode()
    assert "Nothing changes." in nothing
    change = client.post(f"{path}consequence/", typed_in | {name: typed}).content.decode()
    assert change != nothing and "Nothing changes." not in change
    assert Seller.objects.values().get() == before


def test_a_refusal_stands_beside_its_field_and_nothing_is_lost(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(language="de"), "/settings/company/bank/"
    typed = {"bank_name": "Neue Bank", "iban": "DE00 1234", "bic": "", "payment_days": "10"}
    response = client.post(path, typed)
    assert response.status_code == 422
    text = response.content.decode()
    assert "keine IBAN" in text and "Neue Bank" in text and 'id="id_iban_error"' in text
    assert "keine IBAN" in client.post(f"{path}consequence/", typed).content.decode()
    seller.refresh_from_db()
    assert seller.bank_name == ""


def test_what_is_fixed_cannot_be_typed_and_is_refused(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/company/rules/"
    text = client.get(path).content.decode()
    assert text.count("documents are issued by it") == 5
    client.post(path, form_of(client, path) | {"currency": "SEK", "prices_are": "gross"})
    seller.refresh_from_db()
    assert (seller.currency, seller.prices_are) == ("EUR", "net")


def test_a_vat_rate_from_a_day_on(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(language="de"), "/settings/company/vat/"
    client.post(path, {"rate_0": "19", "from_1": "1.1.2027", "rate_1": "20,5"})
    seller.refresh_from_db()
    assert seller.vat == [[None, "19"], ["2027-01-01", "20.5"]]
    assert "31.12.2026" in client.get("/settings/company/").content.decode()
    for wrong in (
        {"rate_0": "19", "rate_1": "20"}, {"rate_0": "19", "from_1": "1.1.2027"}, {"rate_0": ""}, {"rate_0": "120"},
        {"rate_0": "19", "from_1": "1.1.2027", "rate_1": "7", "from_2": "1.1.2027", "rate_2": "8"},
    ):  # fmt: skip
        assert client.post(path, wrong).status_code == 422
    client.post(path, {"rate_0": "19", "from_1": "", "rate_1": ""})
    seller.refresh_from_db()
    assert seller.vat == [[None, "19"]]


def test_how_long_numbers_are_kept_may_be_left_empty(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/company/usage/"
    assert form_of(client, path)["call_number_months"] == "6"
    client.post(path, {"rate_days": "7", "call_number_months": ""})
    seller.refresh_from_db()
    assert (seller.call_number_months, form_of(client, path).get("call_number_months", "")) == (0, "")
    assert client.post(path, {"rate_days": "7", "call_number_months": "121"}).status_code == 422


def test_a_period_is_opened_again(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/company/period/"
    client.post(path, {"closed_until": "2026-02-01"})
    assert "1 Feb 2026" in client.get("/settings/company/").content.decode()
    client.post(path, {"closed_until": ""})
    seller.refresh_from_db()
    assert seller.closed_until is None


def test_the_second_factor_counts_those_who_lack_one(seller: Seller, client_as: SignIn) -> None:
    client_as("billing"), client_as("sales")
    text = client_as().post("/settings/company/sign-in/consequence/", {"second_factor": "on"}).content.decode()
    assert "2 users who may bill have no second factor" in text


def test_there_is_no_other_section(seller: Seller, client_as: SignIn) -> None:
    for path in ("/settings/company/nothing/", "/settings/numbering/letter/"):
        assert client_as().get(path).status_code == 404
        assert client_as().post(f"{path}consequence/", {}).status_code == 404


# ---- numbers -------------------------------------------------------------------------------------------------------


def test_numbers_are_shown_as_they_come(seller: Seller, client_as: SignIn, actor: Actor) -> None:
    text = client_as().get("/settings/numbering/").content.decode()
    (invoice, _note) = numbering(seller.pk, actor.today("UTC"))
    assert (invoice.next, invoice.used, invoice.confirmed) == (5, 4, True)
    assert "RE-{year}-{number:05}" in text


def test_a_format_is_tried_and_confirmed(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/numbering/credit_note/"
    typed = {"format": "K{number:04}", "next": "17"}
    assert "K0017" in client.post(f"{path}consequence/", typed).content.decode()
    assert NumberSeries.objects.get(kind="credit_note").format != "K{number:04}"
    assert client.post(path, typed).status_code == 302
    assert NumberSeries.objects.get(kind="credit_note").format == "K{number:04}"
    assert "K0017" in client.get("/settings/numbering/").content.decode()


def test_wrong_numbers_are_refused_beside_their_field(seller: Seller, client_as: SignIn) -> None:
    client, path = client_as(), "/settings/numbering/invoice/"
    NumberSeries.objects.filter(kind="invoice").update(format="RE-{number:05}")
    from taktura.invoices.models import NumberCounter

    NumberCounter.objects.filter(series__kind="invoice").update(year=0)
    used = client.post(path, {"format": "RE-{number:05}", "next": "2"})
    assert used.status_code == 422 and 'id="id_next_error"' in used.content.decode()
    for wrong in ("RE", "{number}{number}", "{other}{number}", "{number:>5}", "x" * 55 + "{number:09}"):
        response = client.post(path, {"format": wrong, "next": "9"})
        assert response.status_code == 422 and 'id="id_format_error"' in response.content.decode()
        assert "RE-" not in client.post(f"{path}consequence/", {"format": wrong, "next": "9"}).content.decode()
    gap = client.post(f"{path}consequence/", {"format": "RE-{number:05}", "next": "9"}).content.decode()
    assert "4 numbers are left out" in gap


def test_the_number_of_queries_is_constant(seller: Seller, client_as: SignIn) -> None:
    client = client_as()
    client.get("/settings/")
    for path, most in (("/settings/", 9), ("/settings/company/", 9), ("/settings/numbering/", 11)):
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        assert len(queries) <= most, (path, [q["sql"][:80] for q in queries])
