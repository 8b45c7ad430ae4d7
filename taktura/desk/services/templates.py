"""Answer templates: made, changed, removed."""

from typing import Any

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import AnswerTemplate
from taktura.desk.templates import check_places
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json
from taktura.kit.language import LANGUAGES
from taktura.kit.mail.services import one_line

FIELDS = ("name", "language", "text")
MOST_TEXT = 10_000  # characters
MOST_TEMPLATES = 500  # of a seller


@transaction.atomic
def add_answer_template(actor: Actor, *, seller: Seller, name: str, language: str, text: str) -> AnswerTemplate:
    """Make a template of answers in a language. Raises `Refused`: `invalid` (also a place that no ticket fills),
    `conflict` where there is one of that name in that language."""
    if AnswerTemplate.objects.filter(seller=seller).count() >= MOST_TEMPLATES:
        raise Refused("invalid", "There are at most %(most)s templates: remove one first.", most=MOST_TEMPLATES)
    made = AnswerTemplate(seller=seller, name=name.strip(), language=language, text=text.strip())
    _check(made)
    made.save(force_insert=True)
    content = {"template": made.pk, "name": made.name, "language": language}
    record(actor, "add_answer_template", f"seller:{seller.pk}", content)
    return made


@transaction.atomic
def change_answer_template(actor: Actor, *, template: AnswerTemplate, **fields: Any) -> AnswerTemplate:
    """Write the fields named (`name language text`) of a template. Raises `Refused` as `add_answer_template`."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise Refused("invalid", "A template has no field “%(field)s”.", field=sorted(unknown)[0])
    template = _again(template)
    before = {name: getattr(template, name) for name in fields}
    for name, value in fields.items():
        setattr(template, name, str(value).strip())
    _check(template)
    template.save()
    changed = {name: [was, getattr(template, name)] for name, was in before.items() if was != getattr(template, name)}
    if changed:
        content = {"template": template.pk, "name": template.name, **to_json(changed)}
        record(actor, "change_answer_template", f"seller:{template.seller_id}", content)
    return template


@transaction.atomic
def remove_answer_template(actor: Actor, *, template: AnswerTemplate) -> None:
    """Remove a template; answers written from it stay."""
    template = _again(template)
    content = {"template": template.pk, "name": template.name, "language": template.language, "text": template.text}
    record(actor, "remove_answer_template", f"seller:{template.seller_id}", content)
    template.delete()


def _again(template: AnswerTemplate) -> AnswerTemplate:
    found = AnswerTemplate.objects.select_for_update().filter(pk=template.pk).first()
    if found is None:
        raise Refused("not_found", "There is no template %(key)s.", key=template.pk)
    return found


def _check(template: AnswerTemplate) -> None:
    if not template.name or len(template.name) > 100 or not one_line(template.name):
        raise Refused("invalid", "The name of a template is one line of at most 100 characters.", field="name")
    if template.language not in LANGUAGES:
        raise Refused("invalid", "There is no language “%(language)s”.", language=template.language, field="language")
    if not template.text or len(template.text) > MOST_TEXT:
        raise Refused("invalid", "A template needs a text of at most %(most)s characters.", most=MOST_TEXT,
                      field="text")  # fmt: skip
    check_places(template.text)
    others = AnswerTemplate.objects.filter(
        seller=template.seller_id, name=template.name, language=template.language
    ).exclude(pk=template.pk)  # fmt: skip
    if others.exists():
        raise Refused("conflict", "There is a template “%(name)s” in this language already.", name=template.name,
                      field="name")  # fmt: skip
