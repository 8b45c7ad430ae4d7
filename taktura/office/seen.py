"""Two people at one form: what one was shown is written into it, so that saving does not undo what another has saved
meanwhile, and does not do what nobody has looked at."""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from taktura.core.documents import Entry
from taktura.invoices.services import Ready

NAME = "seen"  # of the hidden field
SIGNS = 12  # of a hash; it guards against accidents alone
NOT_TYPED = {NAME, "csrfmiddlewaretoken", "action"}


def guard(request: HttpRequest, form: forms.BaseForm) -> str:
    """What a form that changes stored values shows of them, for the page. Call it before `is_valid`.

    Where another has changed some of them since this user saw them, the form gets errors that say what is stored now.
    Sent again, it is saved.
    """
    stored = {field.name: _text(field, form.get_initial_for_field(field.field, field.name)) for field in form}
    marks = {name: _hash(text) for name, text in stored.items()}
    given = str(request.POST.get(NAME, ""))
    seen = dict(mark.split("=", 1) for mark in given.split() if "=" in mark)
    moved = [name for name in marks if name in seen and seen[name] != marks[name]]
    if moved and form.is_bound:
        form.full_clean()
        changed = [name for name in moved if _text(form[name], form[name].value()) != stored[name]]
        if changed:
            form.add_error(None, _(
                "Somebody else has changed this since you opened it. What you typed stands here; saving it again"
                " replaces what is stored."
            ))  # fmt: skip
        for name in changed:
            form.add_error(name, _("Stored now: “%(text)s”.") % {"text": stored[name]})
    return " ".join(f"{name}={mark}" for name, mark in marks.items())


def guard_facts(request: HttpRequest, form: forms.BaseForm, facts: object) -> str:
    """The same for what stands beside the fields of a form and decides what it does: `facts`, with a `repr` of its own.

    Where it has changed since this user saw it, the form gets an error. Sent again, it is saved.
    """
    now, given = _hash(repr(facts)), str(request.POST.get(NAME, ""))
    if given and given != now and form.is_bound:
        form.full_clean()
        form.add_error(None, _(
            "Somebody else has changed this since you opened it. Look at it as it stands now, then send it again."
        ))  # fmt: skip
    return now


def of_preview(request: HttpRequest, documents: Iterable[Ready]) -> str:
    """What the preview of a form shows of documents that saving issues, and for which input."""
    return f"{_typed(request)}:{_hash(repr([_shape(ready) for ready in documents]))}"


def was_looked_at(request: HttpRequest, documents: Iterable[Ready]) -> bool:
    """Whether the documents are those of the preview that was shown for this input; true where none was shown."""
    given = str(request.POST.get(NAME, ""))
    return given.partition(":")[0] != _typed(request) or given == of_preview(request, documents)


def changed_meanwhile() -> str:
    """What a form says where they are not."""
    return _(
        "What saving issues is not what you looked at: meanwhile somebody has changed the contract, or usage has"
        " arrived. Look at it once more."
    )


def _typed(request: HttpRequest) -> str:
    return _hash(repr(sorted((k, v) for k, v in request.POST.lists() if k not in NOT_TYPED)))


def _shape(ready: Ready) -> tuple[Any, ...]:
    """What a reader sees of a document."""
    draft = ready.draft
    lines = [(x.entry.title, _days(x.entry), str(x.quantity), x.amount) for x in draft.lines]
    return draft.kind, ready.currency, draft.references, draft.gross, lines


def _days(entry: Entry) -> tuple[date | None, date | None]:
    return (entry.charge.first, entry.charge.end) if entry.charge else (entry.first, entry.end)


def _text(field: forms.BoundField, value: Any) -> str:
    """A value as the form shows it."""
    if value is None:
        return ""
    choices = {str(k): str(v) for k, v in getattr(field.field, "choices", [])}
    if isinstance(value, list | tuple):  # several of the choices, in their order
        chosen = {str(one) for one in value}
        return ", ".join([text for key, text in choices.items() if key in chosen] or sorted(chosen))
    return choices.get(str(value), str(field.field.prepare_value(value)))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:SIGNS]
