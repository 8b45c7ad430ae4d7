"""Answer templates: what answers on tickets are written from."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Id, In, Lines, Out, Text100, Text200
from taktura.api.v1.tickets import Number
from taktura.desk import services
from taktura.desk.models import AnswerTemplate
from taktura.desk.queries import template_by_id, ticket_by_number
from taktura.desk.templates import PLACES, filled

router = Router()
Language = Literal["de", "en", "sv"]
HOLDS = "with places: " + ", ".join(f"`{{{one}}}`" for one in PLACES)
Text = Annotated[Lines, Field(min_length=1, description=HOLDS)]


class AnswerTemplateIn(In):
    """A new template."""

    name: Text100 = Field(min_length=1)
    language: Language
    text: Text


class AnswerTemplateChange(In):
    """What can be changed of a template; fields left out stay as they are."""

    name: Text100 | None = Field(None, min_length=1)
    language: Language | None = None
    text: Text | None = None


class AnswerTemplateOut(Out):
    """A text from which answers are written."""

    id: int
    name: str
    language: str
    text: str


class AnswerTemplates(Out):
    """All of a seller."""

    items: list[AnswerTemplateOut]


class FilledOut(Out):
    """A template as a ticket fills it."""

    text: str


def one(call: Call, template: int) -> AnswerTemplateOut:
    """A template; raises `Refused` (`not_found`)."""
    return _told(template_by_id(call.seller.pk, template))


def _told(template: AnswerTemplate) -> AnswerTemplateOut:
    return AnswerTemplateOut(id=template.pk, name=template.name, language=template.language, text=template.text)


@endpoint(router, "GET", "/answer_templates", "desk.view", answer=AnswerTemplates)
def list_answer_templates(request: HttpRequest, language: Language | None = None) -> AnswerTemplates:
    """The templates of answers, by name."""
    rows = AnswerTemplate.objects.filter(seller=call_of(request).seller)
    found = rows.filter(language=language) if language else rows
    return AnswerTemplates(items=[_told(t) for t in found])


@endpoint(
    router, "POST", "/answer_templates", "desk.change", answer=AnswerTemplateOut, status=201, codes=("conflict",)
)  # fmt: skip
def create_answer_template(request: HttpRequest, body: AnswerTemplateIn) -> Answer:
    """Make a template of answers. Its places are filled for each ticket."""
    call = call_of(request)
    made = services.add_answer_template(call.actor, seller=call.seller, **body.model_dump())
    return Answer(_told(made), location("answer_templates", made.pk))


@endpoint(router, "GET", "/answer_templates/{int:template}", "desk.view", answer=AnswerTemplateOut, etag=True)
def get_answer_template(request: HttpRequest, template: Id) -> AnswerTemplateOut:
    """A template."""
    return one(call_of(request), template)


@endpoint(router, "PATCH", "/answer_templates/{int:template}", "desk.change", answer=AnswerTemplateOut, etag=True,
          of=one, codes=("conflict",))  # fmt: skip
def change_answer_template(request: HttpRequest, template: Id, body: AnswerTemplateChange) -> AnswerTemplateOut:
    """Change a template: the fields that are given. Answers written from it stay as they are."""
    call = call_of(request)
    found = template_by_id(call.seller.pk, template)
    fields = body.model_dump(exclude_none=True)
    return _told(services.change_answer_template(call.actor, template=found, **fields))


@endpoint(router, "DELETE", "/answer_templates/{int:template}", "desk.change", answer=None, status=204, of=one)
def delete_answer_template(request: HttpRequest, template: Id) -> Answer:
    """Remove a template. Answers written from it stay."""
    call = call_of(request)
    services.remove_answer_template(call.actor, template=template_by_id(call.seller.pk, template))
    return Answer(None)


@endpoint(router, "GET", "/tickets/{int:ticket}/answer_templates/{int:template}", "desk.view", answer=FilledOut)
def fill_answer_template(request: HttpRequest, ticket: Number, template: Id, name: Text200 = "") -> FilledOut:
    """A template as a ticket fills it; `name`: of whoever answers."""
    call = call_of(request)
    found = ticket_by_number(call.seller.pk, ticket)
    return FilledOut(text=filled(template_by_id(call.seller.pk, template), ticket=found, name=name))
