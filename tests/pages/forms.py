"""Reading a page as a browser does: the values that stand in its form."""

from html.parser import HTMLParser

from django.test import Client


class _Form(HTMLParser):
    """The fields of the form with the id `form`."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.select, self.area = False, "", ""
        self.values: dict[str, str | list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = a.get("id") == "form"
        if not self.inside or "disabled" in a and tag != "option":
            return
        name = a.get("name", "")
        if tag == "input" and name and a.get("type") not in ("submit", "file"):
            if a.get("type") not in ("checkbox", "radio") or "checked" in a:
                self.put(name, a.get("value", "on" if a.get("type") == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in a or self.select not in self.values):
            self.values[self.select] = a.get("value", "")
        elif tag == "textarea":
            self.area = name
            self.values[name] = ""

    def put(self, name: str, value: str) -> None:
        before = self.values.get(name)
        self.values[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area] = f"{self.values[self.area]}{data}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.area = ""


def form_of(client: Client, path: str) -> dict[str, str | list[str]]:
    """The values that a browser would send back if nothing was typed."""
    parser = _Form()
    parser.feed(client.get(path).content.decode())
    return {k: v for k, v in parser.values.items() if k != "csrfmiddlewaretoken"}
