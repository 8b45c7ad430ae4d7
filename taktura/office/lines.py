"""Forms with lines: as many as are wanted, each one as complete as it has to be. A line in which nothing is typed does
not count; one in which anything is typed is checked, so that nothing is dropped without a word.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

MOST_LINES = 200
PREFIX = "lines"
ADD = "add"  # the button that adds a line


class TypedLines(forms.BaseFormSet):  # type: ignore[type-arg]  # it takes no argument when it runs
    """The lines of a form. `typed` are those that count."""

    MOST = MOST_LINES

    def initial_form_count(self) -> int:
        """None: also a line that is filled in at first may be emptied."""
        return 0

    def clean(self) -> None:
        """At least one line counts."""
        if not self.typed():
            raise forms.ValidationError(_("Fill in at least one line."))

    def typed(self) -> list[Any]:
        """The lines in which anything was typed or chosen."""
        return [line for line in self.forms if line.has_changed()]

    def is_full(self) -> bool:
        """Whether no line can be added."""
        return self.total_form_count() >= MOST_LINES

    def with_one_more(self) -> "TypedLines":
        """What was typed, with an empty line after it; nothing is checked yet."""
        typed = [{name: line[name].data for name in line.fields} for line in self.forms]
        more = type(self)(prefix=self.prefix, initial=typed)
        more.extra = min(len(typed) + 1, MOST_LINES)
        if len(typed) < MOST_LINES:
            more.forms[-1].fields[next(iter(more.forms[-1].fields))].widget.attrs["autofocus"] = True
        return more


def lines_of(request: HttpRequest, form: type[forms.Form], at_first: int) -> TypedLines:
    """The lines that were sent; else empty ones, `at_first` or as many as the address says (`?lines=5`)."""
    kind: Any = forms.formset_factory(
        form, formset=TypedLines, extra=0, max_num=MOST_LINES, validate_max=True, absolute_max=MOST_LINES + 1
    )
    if request.method == "POST":
        sent: TypedLines = kind(request.POST, prefix=PREFIX)
        return sent
    empty: TypedLines = kind(prefix=PREFIX)
    wanted = request.GET.get("lines", "")
    empty.extra = min(max(at_first, int(wanted) if wanted.isdecimal() and len(wanted) < 6 else 0), MOST_LINES)
    return empty


def adds_a_line(request: HttpRequest) -> bool:
    """Whether the form was sent to have another line."""
    return request.method == "POST" and request.POST.get("action") == ADD


def lines_alone(request: HttpRequest, context: dict[str, Any]) -> HttpResponse | None:
    """The answer where only the lines are asked for (htmx); the address keeps how many there are, so that a page
    loaded again has a place for all that was typed. None: the whole page is asked for."""
    if request.headers.get("HX-Target") != PREFIX:
        return None
    response = render(request, "office/lines.html", context)
    response.headers["HX-Replace-Url"] = f"{request.path}?lines={context['lines'].total_form_count()}"
    return response
