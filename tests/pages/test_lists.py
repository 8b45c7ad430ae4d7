"""What every list page can do: filters, sorting, paging by keys, sums, actions, exports."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from taktura.accounts.models import User
from taktura.core.errors import Refused
from taktura.customers.models import Customer, Seller
from taktura.kit.actor import Actor
from taktura.kit.database import scratch_database, setup
from taktura.office import exports, lists, show
from taktura.office.lists import Action, Column, Filter, Link, Listing, list_page
from taktura.office.templatetags.office import breaking

setup(throw_away=True)
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ACTOR = Actor("test", NOW)


@pytest.fixture(scope="module")
def database() -> Iterator[None]:
    """A database with 130 customers, 60 of whom share a name, and one that plays tricks."""
    with scratch_database():
        seller = Seller.objects.create(name="S", country="DE", currency="EUR", time_zone="UTC", vat=[[None, "19"]])
        Customer.objects.bulk_create(
            Customer(
                seller=seller, key=f"K{i:03}", name="Same" if i % 2 and i < 120 else f"Name {i:03}",
                language=("de", "en")[i % 2], round_up_minutes=i + 1, created_at=NOW - timedelta(days=i % 7),
                hourly_rate=i if i % 3 else None,
            )
            for i in range(129)
        )  # fmt: skip
        Customer.objects.create(
            seller=seller,
            key="=1+1",
            name='<script>alert("x")</script>',
            language="sv",
            round_up_minutes=7,
            created_at=NOW,
        )
        User.objects.create(email="a@firm.example", name="A", role="viewer", created_at=NOW)
        User.objects.create(email="b@firm.example", name="B", role="admin", created_at=NOW)
        yield


def listing(**more: Any) -> Listing:
    """Customers as a list page shows them."""
    return Listing(
        slug="things", title="Things", rows=Customer.objects.all(), order="name", link=lambda c: f"/c/{c.pk}/",
        columns=[
            Column(name="name", label="Name", value=lambda c: c.name, sort="name"),
            Column(name="key", label="Key", value=lambda c: c.key, sort="key"),
            Column(name="rate", label="Rate", value=lambda c: c.hourly_rate, sort="hourly_rate", empty=0, numeric=True),
            Column(name="step", label="Step", value=lambda c: c.round_up_minutes, numeric=True, sums="round_up_minutes",
                   currency="seller__currency", sort="round_up_minutes"),
            Column(name="made", label="Made", value=lambda c: c.created_at.date(), sort="created_at", shown=False),
        ],
        filters=[
            Filter(name="language", label="Language", choices=[("de", "German"), ("en", "English")],
                   apply=lambda rows, value: rows.filter(language=value)),
            Filter(name="since", label="Since", is_day=True,
                   apply=lambda rows, day: rows.filter(created_at__date__gte=day)),
        ],
        search=lambda rows, text: rows.filter(name__icontains=text),
        **more,
    )  # fmt: skip


def ask(
    query: str = "", method: str = "get", data: Any = None, email: str = "a@firm.example", **head: str
) -> HttpRequest:
    """A request of a user."""
    factory = RequestFactory()
    request = getattr(factory, method)(f"/things/{query}", data, headers=head) if data else getattr(factory, method)(
        f"/things/{query}", headers=head
    )  # fmt: skip
    request.user = User.objects.get(email=email)
    return request  # type: ignore[no-any-return]


@pytest.fixture
def shown(database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """What a list page hands to its template."""

    def render(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        response = HttpResponse(template)
        response.context = context  # type: ignore[attr-defined]
        return response

    monkeypatch.setattr(lists, "render", render)

    def show(query: str = "", **options: Any) -> dict[str, Any]:
        context: dict[str, Any] = list_page(ask(query, **options), listing()).context  # type: ignore[attr-defined]
        return context

    return show


def pages(shown: Callable[..., dict[str, Any]], sort: str) -> tuple[list[list[str]], list[list[str]]]:
    """The keys of all pages, forwards and then back again."""
    there, back, query = [], [], f"?sort={sort}"
    while True:
        found = shown(query)
        there.append([row.key for row in found["shown"].rows])
        if not found["shown"].after:
            break
        query = f"?sort={sort}&after={found['shown'].after}"
    while found["shown"].before:
        found = shown(f"?sort={sort}&before={found['shown'].before}")
        back.append([row.key for row in found["shown"].rows])
    return there, back


@pytest.mark.parametrize("sort", ["name", "-name", "key", "-key", "rate", "-rate", "step", "-made", "made"])
def test_paging_shows_each_row_once_and_the_same_way_back(shown: Callable[..., dict[str, Any]], sort: str) -> None:
    there, back = pages(shown, sort)
    everything = [key for page in there for key in page]
    assert len(everything) == len(set(everything)) == 130
    assert [len(page) for page in there] == [50, 50, 30]
    assert back == there[-2::-1]


def test_a_page_stays_where_it_is_when_rows_come_before_it(shown: Callable[..., dict[str, Any]]) -> None:
    first = shown("?sort=key")
    after = first["shown"].after
    seen = [row.key for row in shown(f"?sort=key&after={after}")["shown"].rows]
    new = Customer.objects.create(seller=Seller.objects.get(), key="K0001", name="New", created_at=NOW)
    try:
        assert [row.key for row in shown(f"?sort=key&after={after}")["shown"].rows] == seen
    finally:
        new.delete()


def test_filters_narrow_rows_count_and_sums(shown: Callable[..., dict[str, Any]]) -> None:
    german = shown("?language=de")
    assert german["number"] == 65 and german["filtered"]
    total = sum(Customer.objects.filter(language="de").values_list("round_up_minutes", flat=True))
    assert german["sums"] == {"step": [f"€{total / 100:.2f}"]}
    assert shown("?language=xx")["number"] == 130, "what no choice has is no filter"
    assert (
        shown("?since=2026-03-01")["number"] == Customer.objects.filter(created_at__date__gte=date(2026, 3, 1)).count()
    )
    assert shown("?since=nonsense")["number"] == 130
    assert shown("?q=same&language=de")["number"] == 0
    assert shown("?q=%00same")["number"] == 60


@given(st.text(max_size=60))
def test_a_cursor_that_somebody_made_up_is_no_error(cursor: str) -> None:
    found = lists._read(cursor)
    assert found is None or isinstance(found, list)


MADE_UP = [
    '["x", 1]', "[null, 1]", '[{"a": 1}, 2]', '["2026-01-01", 5]', "[]", "5", '["a"]', '["\\u0000", 1]',
    '["a\\u0000b", 1]', '["\\ud800", 1]', f"[1, {10**30}]", f"[{10**30}, {-(10**30)}]", "[true, false]", "[" * 100_000,
    '["9999999999-01-01", 1]', '["1e999999999", 1]', '["NaN", 1]',
]  # fmt: skip


@pytest.mark.parametrize("value", MADE_UP, ids=lambda value: value[:20])
@pytest.mark.parametrize("sort", ["name", "rate", "made", "step"])
def test_a_cursor_of_another_order_is_no_error(shown: Callable[..., dict[str, Any]], value: str, sort: str) -> None:
    import base64

    cursor = base64.urlsafe_b64encode(value.encode()).decode()
    assert shown(f"?sort={sort}&after={cursor}")["number"] == 130
    assert shown(f"?sort={sort}&before={cursor}")["number"] == 130


def test_columns_are_chosen_and_remembered(shown: Callable[..., dict[str, Any]]) -> None:
    def names(query: str = "", email: str = "a@firm.example") -> list[str]:
        return [c.name for c in shown(query, email=email)["columns"]]

    assert names() == ["name", "key", "rate", "step"]
    assert names("?columns=made&columns=name&columns=nonsense") == ["name", "made"]
    assert names() == ["name", "made"]
    assert names(email="b@firm.example") == ["name", "key", "rate", "step"], "each user's own"
    assert names("?columns=name&columns=key&columns=rate&columns=step") == ["name", "key", "rate", "step"]


def test_filters_are_kept_under_a_name(database: None) -> None:
    user = User.objects.get(email="a@firm.example")
    lists.save_filter(user, "things", "Germans", "?language=de")
    lists.save_filter(user, "things", "Germans", "?language=de&q=x")
    user.refresh_from_db()
    assert user.preferences["things"]["saved"] == [{"name": "Germans", "query": "?language=de&q=x"}]
    lists.save_filter(user, "things", "Germans", "")
    user.refresh_from_db()
    assert user.preferences["things"]["saved"] == []


def test_an_action_is_for_those_chosen_or_for_all_found_and_only_for_some(database: None) -> None:
    done: list[int] = []

    def run(request: HttpRequest, rows: Any) -> HttpResponse:
        done.append(rows.count())
        return HttpResponse("done")

    page = listing(actions=[Action(name="go", label="Go", permission="customers.change", run=run)])
    some = list(Customer.objects.values_list("pk", flat=True)[:3])
    post = {"action": "go", "chosen": [*some, "x"]}
    with pytest.raises(PermissionDenied):
        list_page(ask(method="post", data=post), page)
    list_page(ask(method="post", data=post, email="b@firm.example"), page)
    list_page(ask("?language=de", method="post", data={"action": "go", "all": "1"}, email="b@firm.example"), page)
    assert done == [3, 65]
    with pytest.raises(PermissionDenied):
        list_page(ask(method="post", data={"action": "other"}, email="b@firm.example"), page)


def test_exports_have_all_rows_and_no_formulas(database: None) -> None:
    response = list_page(ask("?export=csv&sort=key"), listing())
    lines = response.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 131 and lines[0] == "Name,Key,Rate,Step"
    assert lines[1].endswith(",'=1+1,,7")
    book = openpyxl.load_workbook(io.BytesIO(list_page(ask("?export=xlsx&sort=key"), listing()).content))
    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == 131 and rows[1][1] == "=1+1" and book.active["B2"].data_type == "s"
    assert rows[2][:2] == ("Name 000", "K000")


def sent(response: HttpResponseBase) -> str:
    """A CSV that was sent while its rows were read."""
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response).decode("utf-8-sig")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of more than 40 rows count as long."""
    monkeypatch.setattr(lists, "PART", 40)


def test_a_long_list_is_sent_while_it_is_read_and_is_the_same_file(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list_page(ask("?export=csv&sort=-made"), listing()).content.decode("utf-8-sig")
    monkeypatch.setattr(lists, "PART", 40)
    assert sent(list_page(ask("?export=csv&sort=-made"), listing())) == whole
    assert "\r\nName 126,K126," in whole and ",'=1+1,," in whole


def test_a_long_list_has_all_rows_by_one_query_and_is_prepared_in_parts(database: None, few: None) -> None:
    parts: list[int] = []
    long = replace(listing(), prepare=lambda rows: parts.append(len(rows)), most=100)
    with CaptureQueriesContext(connection) as asked:
        response = list_page(ask("?export=csv"), long)
        before = len(asked)
        assert len(sent(response).splitlines()) == 131, "a CSV ends at no number of rows"
    assert parts == [40, 40, 40, 10]
    assert [q["sql"].split()[0] for q in asked.captured_queries[before:]] == ["BEGIN", "DECLARE", "COMMIT"]


def test_a_long_list_speaks_the_language_of_who_asked(database: None, few: None) -> None:
    words = replace(listing(), columns=[
        Column(name="name", label="Name", value=lambda c: gettext_lazy("Yes"), sort="name")
    ])  # fmt: skip
    with translation.override("de"):
        response = list_page(ask("?export=csv"), words)
    assert set(sent(response).splitlines()[1:]) == {"Ja"}


def test_who_stops_a_long_export_leaves_nothing_open(
    database: None, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_SENT", 100)
    response = list_page(ask("?export=csv"), listing())
    assert isinstance(response, StreamingHttpResponse)
    next(iter(response))
    assert connection.in_atomic_block
    response.close()
    assert not connection.in_atomic_block


def cells(query: str, page: Listing) -> list[tuple[Any, ...]]:
    """The rows of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(list_page(ask(query), page).content))
    return list(book.active.iter_rows(values_only=True))


@pytest.mark.parametrize("part", [40, 2000])
def test_a_workbook_that_was_cut_says_so(database: None, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(lists, "PART", part)
    whole, cut = replace(listing(), most=130), replace(listing(), most=100)
    rows = cells("?export=xlsx&sort=key", cut)
    assert (len(rows), rows[100][1]) == (102, "K098")
    assert rows[101] == (
        "Only the first 100 rows are here. Save the list as CSV to have all of them.",
        None,
        None,
        None,
    )
    assert len(cells("?export=xlsx", whole)) == 131 and len(cells("?export=xlsx&language=de", cut)) == 66
    note = "A workbook has the first 100 rows; a CSV has all."
    assert note in list_page(ask(), cut).content.decode()
    assert note in list_page(ask(), replace(cut, most_counted=90)).content.decode()
    assert "A workbook has" not in list_page(ask(), whole).content.decode()
    assert "A workbook has" not in list_page(ask("?language=de"), cut).content.decode()


@pytest.mark.parametrize("part", [40, 2000])
def test_a_csv_of_rows_that_are_worked_out_says_that_it_was_cut(
    database: None, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(lists, "PART", part)
    page = replace(listing(), most=100, worked_out=True)
    response = list_page(ask("?export=csv"), page)
    text = sent(response) if response.streaming else response.content.decode("utf-8-sig")
    *rows, last = text.splitlines()
    assert len(rows) == 101
    assert last == "Only the first 100 rows are here. Narrow the list by its filters to have the others.,,,"
    assert "Files have the first 100 rows" in list_page(ask(), page).content.decode()


@given(st.text(max_size=20))
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    assert not exports.harmless(text).startswith(exports.FORMULA)


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\r=1"])
def test_texts_that_spreadsheets_would_run_are_made_harmless(value: str) -> None:
    assert exports.harmless(value) == f"'{value}"


def test_names_keep_their_signs_and_markup_is_taken_out() -> None:
    assert exports.plain("Müller <Test> & Co") == "Müller <Test> & Co"
    assert exports.plain(mark_safe("<b>Müller &amp; Co</b>")) == "Müller & Co"  # noqa: S308


def test_numbers_stay_numbers() -> None:
    assert exports.harmless(-5) == "-5"
    assert (exports.harmless(Decimal("1E+1")), exports.harmless(Decimal("0E-8"))) == ("10", "0.00000000")


def test_text_from_people_is_never_markup(database: None) -> None:
    request = ask("?q=script")
    page = listing(menu=lambda c: [Link(label=c.name, url="/")])
    content = list_page(request, page).content.decode()
    assert "<script>alert" not in content and "&lt;script&gt;" in content
    assert re.search(r"1\s+entry", content)


def test_the_number_of_queries_does_not_grow(database: None, django_assert_num_queries: Any = None) -> None:
    with CaptureQueriesContext(connection) as few:
        list_page(ask("?q=script"), listing())
    with CaptureQueriesContext(connection) as many:
        list_page(ask(), listing())
    assert len(few) == len(many) <= 4


def test_the_search_field_is_there_where_one_can_search(database: None) -> None:
    assert 'name="q"' in list_page(ask(), listing()).content.decode()
    assert 'name="q"' not in list_page(ask(), replace(listing(), search=None)).content.decode()


def test_the_empty_state_says_what_to_do(database: None) -> None:
    page = listing(primary=Link(label="New thing", url="/new/"), empty_title="No things", empty_text="Make the first.")
    page = replace(page, rows=Customer.objects.none())
    text = list_page(ask(), page).content.decode()
    assert "No things" in text and "Make the first." in text and 'href="/new/"' in text
    filtered = list_page(ask("?language=de"), page).content.decode()
    assert "No things" not in filtered and "Nothing matches the filter" in filtered


def test_more_rows_than_are_counted_are_said_to_be_more(database: None) -> None:
    few = replace(listing(), columns=listing().columns[:2], most_counted=100)
    assert "more than 100 entries" in list_page(ask(), few).content.decode()
    text = list_page(ask("?q=Name+0"), few).content.decode()
    assert "more than" not in text and "50 entries" in text


def test_a_row_may_stand_out(database: None) -> None:
    text = list_page(ask(), replace(listing(), tone=lambda c: "unlinked" if c.key == "K000" else "")).content.decode()
    assert text.count('<tr class="unlinked">') == 1


def test_a_text_may_be_typed_into_a_filter(database: None) -> None:
    typed = Filter(name="key", label="Key", is_text=True, apply=lambda rows, value: rows.filter(key=value))
    text = list_page(ask("?key=+K007+"), replace(listing(), filters=[typed])).content.decode()
    assert "1 entry" in text and 'value=" K007 "' in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hauptstraße 1", "Hauptstraße 1"),
        ("a" * 30, "a" * 30),
        ("1" * 34, f"{'1' * 16}<wbr>{'1' * 16}<wbr>11"),
        ("<b>" + "x-" * 16, f"&lt;b&gt;{'x-' * 8}<wbr>{'x-' * 8}"),
        ("Telefonanlagenkonfigurationsschnittstelle", "Telefonanla|genkonfigura|tionsschnitts|telle"),
        ("x" * 31, f"{'x' * 13}|{'x' * 13}|{'x' * 5}"),
        (mark_safe(f'<a href="/{"p" * 40}/">ok</a>'), f'<a href="/{"p" * 40}/">ok</a>'),
    ],
)
def test_long_words_break_and_nothing_else_changes(text: str, shown: str) -> None:
    assert breaking(text).replace('<span class="may-break"></span>', "|") == shown


def test_a_refusal_says_days_as_the_reader_writes_them() -> None:
    refused = Refused("invalid", "The contract is not paused on %(day)s.", day="2026-06-16")
    with translation.override("de"):
        assert "16.06.2026" in show.refusal(refused)
    assert show.refusal(Refused("invalid", "%(day)s", day="2026-99-99")) == "2026-99-99"
