"""The messages to be translated, and their translations: `python -m tools.messages`.

Collects every sentence that a person may read (those of `Refused`, of `_()` and `ngettext()`, of the `TABLES`, and of
templates), brings the catalogs
in `taktura/locale` up to date and compiles them. With --check it changes nothing and exits with 1 when something is
missing; with --compile it only compiles.
"""

import argparse
import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from taktura.kit.language import DOMAIN, LANGUAGES, LOCALE

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "taktura"
NAMES = {"de": "German", "sv": "Swedish"}
# Functions that take a message, and which argument it is.
MARKS = {"Refused": 1, "Sentence": 0, "_": 0, "lazy": 0, "gettext": 0, "ngettext": 0}
TEMPLATES = ("*.html", "*.txt")
# Constants that hold messages: the values of a dictionary, the members of a tuple.
TABLES = {
    "taktura/accounts/inviting.py": {"LETTER"},
    "taktura/api/problems.py": {"TEXTS", "FIELDS"},
    "taktura/billing/explain.py": {"RULES", "TEXTS"},
    "taktura/billing/incoming.py": {"FILES"},
    "taktura/billing/services/notices.py": {"KINDS", "RECEIVED", "OUTCOMES"},
    "taktura/billing/services/run.py": {"DATES", "PROBLEMS"},
    "taktura/cli/commands/billing.py": {"REASONS"},
    "taktura/cli/commands/proving.py": {"PARTS"},
    "taktura/cli/show.py": {"KINDS", "SUMS"},
    "taktura/control/mailing.py": {"LETTER"},
    "taktura/control/words.py": {"SENTENCES"},
    "taktura/customers/access.py": {"LETTERS"},
    "taktura/desk/services/given.py": {"GIVEN"},
    "taktura/desk/services/incoming.py": {"TICKETS"},
    "taktura/desk/services/mailing.py": {"LETTER"},
    "taktura/invoices/confirmations.py": {"TEXTS"},
    "taktura/invoices/services/mailing.py": {"SUBJECTS", "TEXTS"},
    "taktura/kit/language.py": {"WORDS"},
    "taktura/kit/mail/services.py": {"TEST"},
    "taktura/kit/mailbox/polling.py": {"AUTOMATIC", "SAID"},
    "taktura/office/accounts/adapter.py": {"IN_OUR_WORDS"},
    "taktura/office/billing/words.py": {"BILLING"},
    "taktura/office/contracts/words.py": {"HANDED_OVER"},
    "taktura/office/desk/words.py": {"DESK", "ACTIONS", "DESK_FIELDS"},
    "taktura/office/customer_words.py": {"CUSTOMER_FIELDS", "DELIVERIES", "EINVOICES"},
    "taktura/office/job_words.py": {"JOBS"},
    "taktura/office/portal_words.py": {"PORTAL", "ACTIONS"},
    "taktura/office/settings/words.py": {"MAILBOXES", "USERS"},
    "taktura/office/tariffs/words.py": {"WORDS"},
    "taktura/office/usage/words.py": {"USAGE", "USAGE_ACTIONS", "FILE_PROBLEMS"},
    "taktura/office/words.py": {"WORDS"},
    "taktura/usage/reader/rows.py": {"TEXTS"},
}
PLACE = re.compile(r"%\((\w+)\)[a-z]|%%|%")
_TEXT = r"""(u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(?:n?gettext|_)\(\s*{_TEXT}(?:,\s*{_TEXT},\s*count)?\s*\)")  # as templatize writes them
# Lines of a catalog's head that would change without need, or say nothing.
IDLE = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r"|Generated-By):.*\n",
    re.MULTILINE,
)


Text = str | tuple[str, str]  # a message; or one thing and several


def messages_in(path: str, source: str) -> Iterator[Text]:
    """The messages of a file (its path from the root), in the order of the text. `ValueError` if a table is missing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        argument = _marked(node)
        if argument is not None and (text := _text(argument)):
            assert isinstance(node, ast.Call)
            yield (text, _text(node.args[1])) if _called(node) == "ngettext" else text
    missing = set(TABLES.get(path, ()))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in missing:
                missing.remove(name)
                yield from _members(statement.value)
    if missing:
        raise ValueError(f"{path} has no {', '.join(sorted(missing))}: correct TABLES")


def messages_of_template(source: str) -> Iterator[Text]:
    """The messages of a template, in the order of the text; spaces and line ends count as `trimmed` has them."""
    for call in CALL.finditer(templatize(source)):
        one, several = (ast.literal_eval(text) if text else "" for text in call.groups())
        yield (one, several) if several else one


def composed_in(source: str) -> Iterator[int]:
    """The lines where a refusal's sentence is no plain text (an f-string, a variable): it cannot be translated."""
    for node in ast.walk(ast.parse(source)):
        argument = _marked(node)
        if argument is not None and _called(node) == "Refused" and not isinstance(argument, ast.Constant):
            yield argument.lineno


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _marked(node: ast.AST) -> ast.expr | None:
    """The argument that is a message, of a call that takes one."""
    index = MARKS.get(_called(node))
    if index is None or not isinstance(node, ast.Call) or len(node.args) <= index:
        return None
    return node.args[index]


def _text(node: ast.expr) -> str:
    """A constant text; of an f-string the message that it should be, so that its translation can be ready."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            f"%({ast.unparse(v.value)})s" if isinstance(v, ast.FormattedValue) else _text(v) for v in node.values
        )
    return ""


def _members(node: ast.expr) -> Iterator[str]:
    members = node.values if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple) else []
    for member in members:
        if text := _text(member):
            yield text
        yield from _members(member)


def collect() -> Catalog:
    """All messages of the product, with the files that they stand in."""
    template = Catalog(domain=DOMAIN, fuzzy=False)
    for path in sorted((ROOT / SOURCE).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        name = path.relative_to(ROOT).as_posix()
        for text in dict.fromkeys(messages_in(name, path.read_text("utf-8"))):
            template.add(text, locations=[(name, 0)])
    for pattern in TEMPLATES:
        for path in sorted((ROOT / SOURCE).rglob(f"templates/**/{pattern}")):
            name = path.relative_to(ROOT).as_posix()
            for text in dict.fromkeys(messages_of_template(path.read_text("utf-8"))):
                template.add(text, locations=[(name, 0)])
    return template


def catalog_path(language: str) -> Path:
    """Where the translations into a language are kept."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def updated(language: str, template: Catalog) -> Catalog:
    """A language's catalog with exactly the messages of `template`. Nothing is guessed for a new one."""
    path = catalog_path(language)
    content = path.read_bytes() if path.exists() else b""
    catalog = read_po(io.BytesIO(content), locale=language, domain=DOMAIN)
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.fuzzy = False
    catalog.header_comment = f"# {NAMES[language]} translations of Taktura's messages, kept by tools/messages.py."
    return catalog


def as_text(catalog: Catalog) -> str:
    """A catalog as it is kept: sorted, without line numbers and dates."""
    file = io.BytesIO()
    write_po(file, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return IDLE.sub("", file.getvalue().decode())


def wrong_with(catalog: Catalog) -> Iterator[str]:
    """What is wrong with translations, a sentence each."""
    for message in catalog:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(strings):
            yield f"has no translation of: {message.id}"
        elif message.fuzzy:
            yield f"is not sure (fuzzy) of: {message.id}"
        elif places(message, "id") != places(message, "string"):
            yield f"has other places than: {message.id}"


def places(message: Message, side: str) -> list[str]:
    """The places of a message (`id`) or of its translation (`string`), sorted; a sign % that is no place as itself."""
    value = getattr(message, side)
    texts = value if isinstance(value, tuple) else (value,)
    return sorted({match[1] or match[0] for text in texts for match in PLACE.finditer(text)})


def write(path: Path, content: bytes) -> None:
    """Write a file whole, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)


def compile_catalogs(folder: Path) -> None:
    """Compile the translations into `folder`, for the running product."""
    for language in NAMES:
        file = io.BytesIO()
        with catalog_path(language).open("rb") as source:
            write_mo(file, read_po(source, locale=language, domain=DOMAIN))
        write(folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo", file.getvalue())


def check() -> list[str]:
    """What is wrong with the catalogs as they are kept, a sentence each."""
    template, found = collect(), []
    for language in NAMES:
        path = catalog_path(language)
        catalog = updated(language, template)
        if not path.exists() or path.read_text("utf-8") != as_text(catalog):
            found.append(f"{NAMES[language]} is not up to date: run make messages")
        found += [f"{NAMES[language]} {text}" for text in wrong_with(catalog)]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Update and compile, or what the options say. Exit code 1: a translation is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages", description="Messages and their translations.")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something is missing")
    group.add_argument("--compile", action="store_true", help="only compile the translations")
    options = parser.parse_args(arguments)
    if options.compile:
        compile_catalogs(LOCALE)
        return 0
    if not options.check:
        template = collect()
        for language in NAMES:
            write(catalog_path(language), as_text(updated(language, template)).encode())
        compile_catalogs(LOCALE)
    found = check()
    for text in found:
        print(text)
    return 1 if found else 0


assert set(NAMES) == set(LANGUAGES) - {"en"}

if __name__ == "__main__":
    sys.exit(main())
