"""Reading a page as a browser does: its forms with the values that stand in them, and the ways that lead on."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client

Values = dict[str, Any]  # a text, or a list of texts where a name comes more than once
TYPED = {"text", "search", "email", "url", "tel", "number", "password", ""}


@dataclass
class Form:
    """A form of a page. `values`: what a browser would send if nothing was typed and no button pressed.

    `buttons`: name, value and address of each way to send it. `typed`: the fields that take any text, `files`: those
    that take a file, `choices`: the values that each select or group of radio buttons offers.
    """

    id: str
    action: str
    method: str
    values: Values = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, Values]]:
        """The addresses that it is sent to, each with the values: by each of its buttons; a list's may have none."""
        return [(to or self.action, self.values | ({name: value} if name else {})) for name, value, to in self.buttons]


@dataclass
class Reading:
    """What is on a page: forms, and the addresses of links and of what the page loads by itself."""

    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.found = path, Reading()
        self.inside: Form | None = None
        self.select: tuple[Form, str] | None = None
        self.area: tuple[Form, str] | None = None
        self.later: list[tuple[str, str, dict[str, str]]] = []  # fields that name their form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        for name in ("href", "hx-get", "src"):
            if name in a and tag not in ("link", "script", "img", "use"):
                self.found.links.append(self.address(a[name]))
        if tag == "form":
            self.inside = Form(a.get("id", ""), self.address(a.get("action", "")), a.get("method", "get").lower())
            self.found.forms.append(self.inside)
        elif "form" in a and tag in ("input", "button"):
            self.later.append((tag, a["form"], a))
        elif self.inside is not None:
            self.part(self.inside, tag, a)
        if "hx-post" in a and self.inside is not None:
            self.inside.buttons.append(("", "", self.address(a["hx-post"])))

    def part(self, form: Form, tag: str, a: dict[str, str]) -> None:
        name, kind = a.get("name", ""), a.get("type", "")
        if "disabled" in a and tag != "option":
            return
        if tag == "button" and kind in ("", "submit"):
            form.buttons.append((name, a.get("value", ""), self.address(a["formaction"]) if "formaction" in a else ""))
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and name and kind != "submit":
            if kind == "radio":
                form.choices.setdefault(name, []).append(a.get("value", ""))
            if kind in TYPED:
                form.typed.append(name)
            if kind not in ("checkbox", "radio") or "checked" in a:
                _put(form.values, name, a.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = (form, name)
        elif tag == "option" and self.select:
            owner, name = self.select
            owner.choices.setdefault(name, []).append(a.get("value", ""))
            if "selected" in a or name not in owner.values:
                owner.values[name] = a.get("value", "")
        elif tag == "textarea" and name:
            self.area = (form, name)
            form.typed.append(name)
            form.values[name] = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            form, name = self.area
            form.values[name] = f"{form.values[name]}{data}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area:
            form, name = self.area  # the line that begins behind the tag is none
            form.values[name] = form.values[name].removeprefix("\r").removeprefix("\n")
            self.area = None

    def address(self, written: str) -> str:
        return urljoin(self.path, written) if written else self.path


def _put(values: Values, name: str, value: str) -> None:
    before = values.get(name)
    values[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]


def read_page(text: str, path: str = "/") -> Reading:
    """The forms and links of a page that was asked for at `path`."""
    reader = _Reader(path)
    reader.feed(text)
    for tag, owner, attributes in reader.later:
        for form in reader.found.forms:
            if form.id == owner:
                reader.part(form, tag, attributes)
    for form in reader.found.forms:
        form.values.pop("csrfmiddlewaretoken", None)
    return reader.found


def form_of(client: Client, path: str) -> Values:
    """The values that a browser would send back if nothing was typed into the form with the id `form`."""
    forms = read_page(client.get(path).content.decode(), path).forms
    return next(form.values for form in forms if form.id == "form")


def inside(address: str) -> bool:
    """Whether an address is one of the office."""
    parts = urlsplit(address)
    return parts.scheme in ("", "http") and parts.netloc in ("", "localhost", "testserver")
