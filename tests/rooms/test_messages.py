"""Messages and their translations: none missing, places equal, the house's words, and what a person reads."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from taktura.cli.commands.proving import PARTS
from taktura.cli.main import main as command
from taktura.cli.show import PROBLEMS_SHOWN, show_problems, show_ready, terminal_language
from taktura.core.errors import Refused
from taktura.core.facts import TariffTerms
from taktura.core.offer import check_tariff
from taktura.kit import language as kit
from taktura.kit.language import text_of, translate
from taktura.usage.reader.rows import TEXTS, Problem

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = ("de", "sv")
# Codes of refusals that the rules do not name.
OTHER_CODES = frozenset(["tariff_retired", "module_in_use"])  # no verb of the scenarios leads to them

# Where the English sentence has the first, the translation has the others (German, Swedish).
GLOSSARY = [
    (r"\bcontract line", r"gebuchten? Komponente", r"avtalsrad"),
    (r"\bcontracts?\b(?! line)(?!, calendar)", r"Vertr[aä]g", r"[Aa]vtal"),
    (r"\btariff line", r"Tarifposition", r"tariffrad"),
    (r"\btariffs?\b", r"Tarif", r"tariff"),
    (r"\bsuppliers?\b(?! subscription)(?! customer)", r"Lieferant", r"leverantör"),
    (r"\bsupplier customer", r"Nutzungsdaten-Kunde", r"leverantörskund"),
    (r"\bsubscription", r"Nutzungsdaten-Subscription", r"leverantörsabonnemang"),
    (r"\barticle\b", r"Artikel", r"artikel"),
    (r"\bcredit note", r"Gutschrift", r"kreditfaktur"),
    (r"\binvoices?\b(?! or credit_note)", r"Rechnung", r"[Ff]aktur"),
    (r"\bcharges\b", r"Abrechnungsposten", r"debiteringspost"),
    (r"\binterim bill", r"Zwischenabrechnung", r"[Mm]ellanfakturering"),
    (r"\bbilling information", r"Abrechnungsinformationen", r"[Ff]aktureringsuppgifter"),
    (r"\bminimum sales", r"Mindestumsatz", r"minimiförsäljning"),
    (r"\bcost cap", r"Kostendeckel", r"kostnadstak"),
    (r"\bdiscount scale", r"Rabattstaffel", r"rabattskala"),
    (r"\bsales item", r"Verkaufsartikel", r"försäljningspost"),
    (r"\bnotice\b", r"[Kk]ündig", r"s[äa]g"),
    (r"\bno tick\b", r"Takt", r"takt"),
    (r"(?<!Idempotency-)\bkey\b", r"Schlüssel", r"nyckel"),
    (r"\bbooked component", r"gebuchten? Komponente", r"avtalsrad"),
    (r"\b(?:book|booked)\b(?! component)", r"einbuchen|eingebucht", r"\bbok"),
]
# Words that the house does not use alone.
NEVER = {
    "de": r"(?<!Nutzungsdaten-)Subscription|(?<![Gg]ebuchte )(?<![Gg]ebuchten )Komponente|Abonnement|\bBuchung"
    r"|\bEintrag|\bBeleg",
    "sv": r"(?<![Ll]everantörs)abonnemang|[Pp]renumeration|kreditnota|\bbokning",
}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """`tools/messages.py` as a module."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def translations(tool: ModuleType) -> dict[str, dict[str, str]]:
    """Each language's translation of each message; of one thing and several both."""
    template = tool.collect()
    found: dict[str, dict[str, str]] = {}
    for key in TRANSLATED:
        found[key] = {}
        for m in (m for m in tool.updated(key, template) if m.id):
            several = isinstance(m.id, tuple)
            found[key] |= dict(zip(m.id, m.string, strict=True)) if several else {m.id: m.string}
    return found


@pytest.fixture(scope="module")
def catalogs(tool: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the translations as they are now, compiled once for all tests that read them."""
    folder = tmp_path_factory.mktemp("catalogs") / "locale"
    tool.compile_catalogs(folder)
    return folder


@pytest.fixture
def compiled(catalogs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The translations as they are now, in use."""
    monkeypatch.setattr(kit, "LOCALE", catalogs)
    kit._catalog.cache_clear()
    yield
    kit._catalog.cache_clear()


@pytest.fixture
def own(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool on a product with one file and no translations; `write_source` changes the file."""
    folder = tmp_path / "taktura"
    folder.mkdir()
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "LOCALE", folder / "locale")
    write_source(tool, 'raise Refused("invalid", "A quantity is more than %(least)s.", least=0)\n')
    return tool


def write_source(tool: ModuleType, source: str) -> None:
    """Write the one file of the tool's product."""
    (tool.ROOT / "taktura" / "a.py").write_text(source, "utf-8")


def translated(tool: ModuleType, language: str, text: str) -> None:
    """Translate the one message."""
    path = tool.catalog_path(language)
    content = path.read_text("utf-8")
    assert content.count('msgstr ""') == 2, content
    head, _, rest = content.rpartition('msgstr ""')
    path.write_text(f'{head}msgstr "{text}"{rest}', "utf-8")


@cache
def refusals() -> list[tuple[str, ast.Call]]:
    """Each `Refused(…)` in the product, with its file."""
    return [
        (path.relative_to(ROOT).as_posix(), node)
        for path in sorted((ROOT / "taktura").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused"
    ]


# The catalogs


def test_the_catalogs_are_up_to_date(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """No message without a translation, none obsolete, none unsure, the places equal."""
    code = tool.main(["--check"])
    assert (capsys.readouterr().out, code) == ("", 0)


def test_every_refusal_and_problem_is_collected(translations: dict[str, dict[str, str]]) -> None:
    texts = {n.args[1].value for _, n in refusals() if isinstance(n.args[1], ast.Constant)}
    assert len(texts) > 100
    for language in TRANSLATED:
        assert set(TEXTS.values()) | texts <= set(translations[language])


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_sentence_ends_as_its_message(language: str, translations: dict[str, dict[str, str]]) -> None:
    for message, text in translations[language].items():
        assert text == text.strip() and "  " not in text, text
        if " " in message:
            assert [message.endswith(sign) for sign in ".:"] == [text.endswith(sign) for sign in ".:"], text


@pytest.mark.parametrize("language", TRANSLATED)
def test_quotation_marks_are_the_languages_own(language: str, translations: dict[str, dict[str, str]]) -> None:
    for message, text in translations[language].items():
        assert '"' not in text and "'" not in text, text
        marks = "".join(sign for sign in text if sign in "„“”")
        pair = {"de": "„“", "sv": "””"}[language]
        assert marks == pair * (len(marks) // 2), text
        assert len(marks) >= 2 * message.count("“"), text


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize(("english", "german", "swedish"), GLOSSARY, ids=lambda pattern: None)
def test_the_houses_words(
    english: str, german: str, swedish: str, language: str, translations: dict[str, dict[str, str]]
) -> None:
    wanted = {"de": german, "sv": swedish}[language]
    found = {m: t for m, t in translations[language].items() if re.search(english, PLACES.sub("", m), re.IGNORECASE)}
    assert found
    assert {m: t for m, t in found.items() if not re.search(wanted, t, re.IGNORECASE)} == {}


PLACES = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", TRANSLATED)
def test_words_that_the_house_does_not_use(language: str, translations: dict[str, dict[str, str]]) -> None:
    assert [t for t in translations[language].values() if re.search(NEVER[language], t)] == []


# Refusals


def test_codes_are_those_of_the_rules() -> None:
    """Every code of a refusal is named in docs/scenarios.md."""
    text = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    named = re.search(r"Error codes used by the rules: `(.*?)`\.", text, re.DOTALL)
    assert named is not None
    allowed = set(re.sub(r"\([^)]*\)", "", named[1]).split()) | OTHER_CODES
    assert "not_found" in allowed and "closed_period" in allowed
    for path, node in refusals():
        code = node.args[0]
        assert isinstance(code, ast.Constant) and code.value in allowed, f"{path}:{node.lineno}"


def test_places_are_filled_by_the_values_given() -> None:
    """A sentence's places are exactly the values that the refusal gets: neither a gap nor a value in vain.

    `field`, `article` and `tier` may be there besides: they say beside which field of a form the sentence stands, of
    which line and of which of its tiers.
    """
    for path, node in refusals():
        text = node.args[1]
        if isinstance(text, ast.Constant) and all(k.arg for k in node.keywords):
            names = set(re.findall(r"%\((\w+)\)s", str(text.value)))
            given = {k.arg for k in node.keywords}
            assert names | (given & {"field", "article", "tier"}) == given, f"{path}:{node.lineno}"


def test_every_refusal_can_be_translated(tool: ModuleType) -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in sorted((ROOT / "taktura").rglob("*.py"))
        for line in tool.composed_in(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Es gibt keinen Vertrag „V-1“."),
        ("sv", "Det finns inget avtal ”V-1”."),
        ("en", "There is no contract “V-1”."),
        ("fr", "There is no contract “V-1”."),
        ("../locale/de", "There is no contract “V-1”."),
    ],
)
def test_a_refusal_in_a_language(language: str, text: str) -> None:
    assert text_of(Refused("not_found", "There is no contract “%(key)s”.", key="V-1"), language) == text


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Mindestens eine Tarifposition für den Mindestumsatz kennzeichnen, oder ihn weglassen."),
        ("sv", "Markera minst en tariffrad för minimiförsäljning, eller utelämna värdet."),
        ("en", "Flag at least one line for the minimum sales, or leave it out."),
    ],
)
def test_words_within_a_refusal(language: str, text: str) -> None:
    """The word that the core fills in is translated too."""
    with pytest.raises(Refused) as refused:
        check_tariff(TariffTerms(minimum=Decimal(1)), "contract", {})
    assert text_of(refused.value, language) == text


@pytest.mark.usefixtures("compiled")
def test_a_value_is_translated_only_where_it_is_a_word() -> None:
    """A customer named “street” keeps the name; the field “street” is a word."""
    message = "Complete the billing information of %(name)s first: %(fields)s."
    text = translate(message, {"name": "street", "fields": "street, city, other"}, "de")
    assert text == "Zuerst die Abrechnungsinformationen von street vervollständigen: Straße, Ort, other."


@pytest.mark.usefixtures("compiled")
def test_percent_signs_stay() -> None:
    message = "The date format “%(name)s” does not name a day: write it as in %%d.%%m.%%Y."
    assert translate(message, {"name": "%H"}, "sv") == "Datumformatet ”%H” anger ingen dag: skriv som i %d.%m.%Y."
    assert translate("100 % of it", {}, "de") == "100 % of it"


@pytest.mark.usefixtures("compiled")
def test_no_message_is_no_text() -> None:
    assert translate("", {}, "de") == ""


def test_english_where_nothing_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "LOCALE", tmp_path)
    kit._catalog.cache_clear()
    assert text_of(Refused("invalid", "A quantity is more than 0."), "de") == "A quantity is more than 0."
    kit._catalog.cache_clear()


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("language", ["en", *TRANSLATED])
@pytest.mark.parametrize("code", TEXTS)
def test_a_problem_of_a_file_in_a_language(code: str, language: str) -> None:
    special = {
        "wrong_delimiter": "missing_column",
        "field_number": "bad_line",
        "date_number": "bad_date",
        "too_many_rows": "broken",
        "broken_archive": "broken",
        "broken_workbook": "broken",
        "broken_parquet": "broken",
    }
    values = {
        "field_number": "3 / 12", "date_number": "45292", "too_many_rows": "rows", "broken_archive": "zip",
        "broken_workbook": "workbook", "broken_parquet": "parquet",
    }  # fmt: skip
    problem = Problem(
        line=3,
        code=special.get(code, code),
        column="Betrag",
        value=values.get(code, "1,0x"),
        delimiter=";",
        found="\t" if code == "wrong_delimiter" else "",
    )
    assert problem.message == TEXTS[code]
    text = translate(problem.message, problem.values, language)
    assert (text == problem.text()) == (language == "en")
    shown = {k: v for k, v in problem.values.items() if f"%({k})s" in problem.message}
    assert all(value in text for value in shown.values())


# The terminal


@pytest.mark.parametrize(
    ("settings", "language"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "sv_SE.UTF-8"}, "sv"),
        ({"LANG": "sv"}, "sv"),
        ({"LANG": "de@euro"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": ""}, "en"),
        ({}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "sv_FI.UTF-8", "LANG": "de_DE.UTF-8"}, "sv"),
        ({"LC_ALL": "C", "LC_MESSAGES": "sv_FI.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_terminals_language(settings: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert terminal_language() == language


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("de_AT.UTF-8", "TAKTURA_OWNER_PASSWORD, TAKTURA_APP_PASSWORD auf die Passwörter setzen"),
        ("sv_SE.UTF-8", "Sätt TAKTURA_OWNER_PASSWORD, TAKTURA_APP_PASSWORD till de lösenord"),
        ("C", "Set TAKTURA_OWNER_PASSWORD, TAKTURA_APP_PASSWORD to the passwords"),
    ],
)
def test_a_command_refuses_in_the_terminals_language(locale: str, text: str) -> None:
    environment = {"LC_ALL": locale, "TAKTURA_OWNER_PASSWORD": "", "TAKTURA_APP_PASSWORD": ""}
    result = CliRunner().invoke(command, ["setup-database", "postgresql:///none"], env=environment)
    assert result.exit_code == 1
    assert text in result.output and "(invalid)" in result.output


@pytest.mark.usefixtures("compiled")
def test_a_table_of_documents_in_german(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    shared = {"contract": None, "customer": SimpleNamespace(name="Kraus [und Söhne]"), "currency": "EUR"}
    invoice = SimpleNamespace(draft=SimpleNamespace(kind="invoice", net=1000, tax=190), **shared)
    credit = SimpleNamespace(draft=SimpleNamespace(kind="credit_note", net=100, tax=19), **shared)
    show_ready([credit, invoice], {}, "Belege [alle]")  # type: ignore[list-item]
    shown = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert shown[0] == ["Belege", "[alle]"]
    assert shown[1] == ["Nummer", "Art", "Vertrag", "Kunde", "netto", "USt", "brutto"]
    assert shown[3][:2] == ["–", "Gutschrift"]
    assert shown[4][:5] == ["–", "Rechnung", "Kraus", "[und", "Söhne]"]
    assert shown[-2][:2] == ["Gutschriften:", "1,"]
    assert shown[-1] == ["Rechnungen:", "1,", "netto", "10.00,", "brutto", "11.90", "EUR"]


@pytest.mark.usefixtures("compiled")
def test_lists_say_how_much_is_left_out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "sv_SE.UTF-8")
    show_problems(["x"] * (PROBLEMS_SHOWN + 2), "problem")
    show_ready([], {}, f"Utfärdat den {date(2026, 3, 1)}")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"problem: {PROBLEMS_SHOWN + 2}"
    assert shown[-2:] == ["  och 2 till", "Utfärdat den 2026-03-01: inga."]


def test_parts_of_the_proof_have_their_words(database: str) -> None:
    """What `verify` says that it checks is what the terminal has words for."""
    from taktura.billing.proof import verify

    told: list[str] = []
    assert verify(told.append) == []
    assert (*told, "flat prices") == PARTS, "the command proves those of the rooms above by itself"


def test_every_sentence_of_the_terminal_is_marked() -> None:
    """Nothing with letters is printed as it stands in the code: it goes through `_()`."""
    found = []
    folder = ROOT / "taktura" / "cli"
    for path in (folder / "main.py", folder / "show.py", *sorted((folder / "commands").glob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "print":
                found += [
                    f"{path.name}:{node.lineno}" for argument in node.args if re.search(r"[^\W\d]", _fixed(argument))
                ]
    assert found == []


def _fixed(node: ast.expr) -> str:
    """The text that stands in an expression as it is, without rich's marks."""
    if isinstance(node, ast.BinOp):
        return _fixed(node.left) + _fixed(node.right)
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return re.sub(r"\[/?[a-z]+\]", "", "".join(str(p.value) for p in parts if isinstance(p, ast.Constant)))


# The tool


def test_messages_are_found_in_the_code(tool: ModuleType) -> None:
    source = """
raise Refused("invalid", "One part,"
    " and another.", value=1)
print(_("A heading"), _(name), _("With %(place)s", place=2))
raise Refused("invalid", f"“{text}” is nothing.")
raise other("invalid", "Not a message")
"""
    assert sorted(tool.messages_in("taktura/a.py", source)) == [
        "A heading",
        "One part, and another.",
        "With %(place)s",
        "“%(text)s” is nothing.",
    ]
    assert list(tool.composed_in(source)) == [5]


def test_tables_are_found_or_missed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "TABLES", {"taktura/a.py": {"TEXTS", "WORDS"}})
    source = 'TEXTS = {"a": "One", "b": "Two" " parts"}\nOTHER = ("x",)\n'
    assert list(tool.messages_in("taktura/a.py", f'{source}WORDS = ("three",)\n')) == ["One", "Two parts", "three"]
    with pytest.raises(ValueError, match="has no WORDS"):
        list(tool.messages_in("taktura/a.py", source))


def test_running_twice_changes_nothing(own: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert own.main([]) == 1
    assert "Swedish has no translation of: A quantity is more than %(least)s." in capsys.readouterr().out
    translated(own, "de", "Eine Menge ist größer als %(least)s.")
    translated(own, "sv", "En mängd är större än %(least)s.")
    assert own.main([]) == 0
    kept = {path: path.read_bytes() for path in sorted(own.LOCALE.rglob("*.*"))}
    assert [path.suffix for path in kept] == [".mo", ".po", ".mo", ".po"]
    assert own.main([]) == own.main(["--check"]) == own.main(["--compile"]) == 0
    assert {path: path.read_bytes() for path in sorted(own.LOCALE.rglob("*.*"))} == kept


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Eine Menge ist größer als %(leest)s.", "has other places than"),
        ("Eine Menge ist größer als 0.", "has other places than"),
        ("Eine Menge ist 1 % größer als %(least)s.", "has other places than"),
        ("", "has no translation of"),
    ],
)
def test_check_finds_a_bad_translation(
    text: str, complaint: str, own: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    own.main([])
    translated(own, "sv", "En mängd är större än %(least)s.")
    translated(own, "de", text)
    capsys.readouterr()
    assert own.main(["--check"]) == 1
    assert f"German {complaint}: A quantity" in capsys.readouterr().out


def test_a_changed_message_is_to_be_translated_anew(own: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    own.main([])
    for language in TRANSLATED:
        translated(own, language, "… %(least)s.")
    write_source(own, 'raise Refused("invalid", "A quantity must be more than %(least)s.", least=0)\n')
    capsys.readouterr()
    assert own.main(["--check"]) == 1
    out = capsys.readouterr().out
    assert "German is not up to date" in out and "has no translation of: A quantity must be" in out
    assert own.main([]) == 1
    assert "A quantity is" not in own.catalog_path("de").read_text("utf-8")


def test_messages_of_templates_and_of_several_things(own: ModuleType) -> None:
    folder = own.ROOT / "taktura" / "templates"
    folder.mkdir()
    (folder / "a.html").write_text(
        '{% load i18n %}{% translate "Due" %} {% blocktranslate trimmed count n=n %}one\n file{% plural %}{{ n }} files'
        "{% endblocktranslate %}",
        "utf-8",
    )
    write_source(own, 'ngettext("one row", "%(count)s rows", 2)\n')
    assert {m.id for m in own.collect() if m.id} == {"Due", ("one file", "%(n)s files"), ("one row", "%(count)s rows")}


def test_obsolete_messages_are_dropped(own: ModuleType) -> None:
    own.main([])
    write_source(own, "")
    own.main([])
    assert "quantity" not in own.catalog_path("de").read_text("utf-8")
