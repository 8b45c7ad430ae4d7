"""Drafts of tariffs: written step by step, checked and published; and what differs between versions."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router
from pydantic import Field

from taktura.api.call import Call, call_of
from taktura.api.endpoint import Answer, endpoint, location
from taktura.api.fields import Currency, Day, Flag, In, Key, Out, Text100
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.problems import language_of
from taktura.api.v1.offer import APPROVAL, AppliesTo, Approval, LineIn, OfferIn, TariffOut, written
from taktura.api.v1.reach import ReachOut, reach_out
from taktura.api.v1.tariffs import CODES, one
from taktura.billing.services import preview_publishing, publish_draft
from taktura.catalog import drafts, services
from taktura.catalog.editing import catch_up, problems
from taktura.catalog.models import TariffDraft
from taktura.catalog.queries import tariff_by_key, version_in_force
from taktura.core.errors import Refused
from taktura.kit.language import translate

router = Router()
Value = str | bool | int | dict[str, Any] | list[str] | list[dict[str, Any]] | None


class DraftLineIn(LineIn):
    """A line of a draft, in its place."""

    article: Key


class DraftFields(OfferIn):
    """What a draft says. In a change, what is left out stays; null takes a setting away. `lines`, where they are given,
    are all lines, in order."""

    module: Text100 | None = None
    public: Flag | None = None
    order_approval: Approval | None = APPROVAL
    currency: Currency | None = None
    lines: list[DraftLineIn] | None = Field(None, max_length=500)  # type: ignore[assignment]


class DraftBegin(In):
    """A draft: of a new tariff (`key`), perhaps as a copy of one that is there, or of a change of a `tariff`."""

    key: Key | None = Field(None, description="the name of the new tariff")
    copy_of: Key | None = Field(None, description="a tariff whose settings and lines are taken")
    tariff: Key | None = Field(None, description="the tariff to be changed: its draft goes on, or begins")


class DraftPublish(In):
    """From when on a version holds, and for whom; a tariff that nobody ordered holds from the beginning."""

    from_: Day | None = Field(None, validation_alias="from", serialization_alias="from")
    applies_to: AppliesTo = "new"
    after_billed: Flag = Field(
        False, description="where contracts are billed beyond the day, begin after that; else the day is refused"
    )


class Published(Out):
    """The tariff that a draft became; with `?preview=true` whom its version would reach."""

    tariff: TariffOut | None
    preview: ReachOut | None


class DraftCatchUp(In):
    """The day from which the draft shall hold."""

    on: Day | None = Field(None, description="null: today")


class DraftProblem(Out):
    """What keeps a draft from being published."""

    code: str
    text: str
    field: str | None
    article: str | None


class TariffDraftOut(Out):
    """A draft. `fields` are as they were written, complete or not."""

    draft: int
    key: str
    tariff: str | None
    revision: int
    changed_by: str
    changed_at: datetime
    fields: dict[str, Any]
    problems: list[DraftProblem]


class DraftSummary(Out):
    """A draft, without what it says."""

    draft: int
    key: str
    title: str
    tariff: str | None
    revision: int
    changed_by: str
    changed_at: datetime


class Drafts(Out):
    """A page of drafts."""

    items: list[DraftSummary]
    next: str | None


class ChangeOut(Out):
    """A setting that differs, of the tariff or of an article's line. `field` null: a whole line, or their order."""

    article: str | None
    field: str | None
    before: Value = Field(description="as a draft has it; null: nothing")
    after: Value = Field(description="as a draft has it; null: nothing")


class Differences(Out):
    """What differs between two versions, or between a version and a draft."""

    items: list[ChangeOut]


def found_draft(call: Call, draft: int) -> TariffDraft:
    """The seller's draft, or 404."""
    return get_object_or_404(
        TariffDraft.objects.select_related("seller", "tariff__seller").filter(seller=call.seller), pk=draft
    )


def shown(call: Call, found: TariffDraft) -> TariffDraftOut:
    """A draft as it is told."""
    return TariffDraftOut(
        draft=found.pk, key=found.key, tariff=found.tariff.key if found.tariff else None, revision=found.revision,
        changed_by=found.changed_by, changed_at=found.changed_at, fields=found.fields,
        problems=[_problem(p, language_of(call.request)) for p in problems(found)],
    )  # fmt: skip


def _problem(refused: Refused, language: str) -> DraftProblem:
    field, article = (str(refused.values.get(name) or "") or None for name in ("field", "article"))
    return DraftProblem(
        code=refused.code, text=translate(refused.text, refused.values, language), field=field, article=article
    )


def one_draft(call: Call, draft: int) -> TariffDraftOut:
    """A draft as GET shows it."""
    return shown(call, found_draft(call, draft))


@endpoint(router, "GET", "/tariff_drafts", "tariffs.view", answer=Drafts)
def list_tariff_drafts(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> Drafts:
    """Drafts of tariffs, in the order in which they were begun."""
    rows = TariffDraft.objects.select_related("tariff").filter(seller=call_of(request).seller)
    items, following = page_of(rows, limit, after)
    shown_ones = [
        DraftSummary(
            draft=d.pk, key=d.key, title=str(d.fields.get("title") or ""), tariff=d.tariff.key if d.tariff else None,
            revision=d.revision, changed_by=d.changed_by, changed_at=d.changed_at,
        )
        for d in items
    ]  # fmt: skip
    return Drafts(items=shown_ones, next=following)


@endpoint(router, "POST", "/tariff_drafts", "tariffs.change", answer=TariffDraftOut, status=201, etag=True)
def begin_tariff_draft(request: HttpRequest, body: DraftBegin) -> Answer:
    """Begin a draft, or go on with the one that a tariff has."""
    call = call_of(request)
    if (body.key is None) == (body.tariff is None) or body.tariff is not None and body.copy_of is not None:
        raise Refused(
            "invalid", "Name either the key of a new tariff, or the tariff that is to be changed.", field="key"
        )
    if body.tariff is not None:
        found = drafts.draft_of(call.actor, tariff=tariff_by_key(call.seller.pk, body.tariff))
    else:
        fields = None
        if body.copy_of is not None:
            version = version_in_force(tariff_by_key(call.seller.pk, body.copy_of), call.today)
            fields = drafts.fields_of_version(version) | {"public": False}
        found = drafts.begin_draft(call.actor, seller=call.seller, key=str(body.key), fields=fields)
    return Answer(shown(call, found), location("tariff_drafts", found.pk))


@endpoint(router, "GET", "/tariff_drafts/{int:draft}", "tariffs.view", answer=TariffDraftOut, etag=True)
def get_tariff_draft(request: HttpRequest, draft: int) -> TariffDraftOut:
    """A draft, with what keeps it from being published."""
    return one_draft(call_of(request), draft)


@endpoint(
    router, "PATCH", "/tariff_drafts/{int:draft}", "tariffs.change", answer=TariffDraftOut, etag=True, of=one_draft
)  # fmt: skip
def change_tariff_draft(request: HttpRequest, draft: int, body: DraftFields) -> TariffDraftOut:
    """Write settings of a draft. With `If-Match` only if nobody has saved it since it was read.

    What cannot be billed is kept and stands among the `problems`.
    """
    call = call_of(request)
    found = found_draft(call, draft)
    given = written(body)
    changed = drafts.change_draft(call.actor, draft=found, revision=found.revision, change=lambda old: {**old, **given})
    return shown(call, changed)


@endpoint(router, "DELETE", "/tariff_drafts/{int:draft}", "tariffs.change", answer=None, status=204, of=one_draft)
def discard_tariff_draft(request: HttpRequest, draft: int) -> Answer:
    """Throw a draft away; the tariff stays as it is."""
    call = call_of(request)
    drafts.discard_draft(call.actor, draft=found_draft(call, draft))
    return Answer(None)


@endpoint(
    router, "POST", "/tariff_drafts/{int:draft}/publish", "tariffs.change", answer=Published, of=one_draft, codes=CODES
)  # fmt: skip
def publish_tariff_draft(request: HttpRequest, draft: int, body: DraftPublish, preview: bool = False) -> Published:
    """Make a draft a tariff, or a version of one; the draft is gone then."""
    call = call_of(request)
    found = found_draft(call, draft)
    wanted: dict[str, Any] = {
        "draft": found, "valid_from": body.from_, "applies_to": body.applies_to, "after_billed": body.after_billed
    }  # fmt: skip
    if preview:
        currency = found.fields.get("currency") or found.seller.currency
        return Published(tariff=None, preview=reach_out(preview_publishing(call.actor, **wanted), currency))
    made = publish_draft(call.actor, revision=found.revision, **wanted)
    return Published(tariff=one(call, made.key), preview=None)


@endpoint(
    router, "POST", "/tariff_drafts/{int:draft}/catch_up", "tariffs.change", answer=TariffDraftOut, etag=True,
    of=one_draft,
)  # fmt: skip
def catch_up_tariff_draft(request: HttpRequest, draft: int, body: DraftCatchUp) -> TariffDraftOut:
    """Take over what the tariff says on a day that it did not say when the draft was begun.

    What was changed in the draft stays as it is. Without it, publishing is a `conflict`.
    """
    call = call_of(request)
    found = found_draft(call, draft)
    caught_up = catch_up(call.actor, draft=found, revision=found.revision, day=body.on or call.today)
    return shown(call, caught_up)


@endpoint(router, "GET", "/tariff_drafts/{int:draft}/differences", "tariffs.view", answer=Differences)
def differences_of_a_draft(request: HttpRequest, draft: int) -> Differences:
    """What a draft changes of the version that it was begun from; of a new tariff all."""
    found = found_draft(call_of(request), draft)
    return _told(drafts.differences(found.begun or {"lines": []}, found.fields))


@endpoint(router, "GET", "/tariffs/{tariff}/differences", "tariffs.view", answer=Differences)
def differences_of_versions(request: HttpRequest, tariff: Key, from_day: Day, to_day: Day) -> Differences:
    """What differs between the versions of a tariff that hold on two days."""
    found = tariff_by_key(call_of(request).seller.pk, tariff)
    fields = [drafts.typed(services.described(version_in_force(found, day))) for day in (from_day, to_day)]
    return _told(drafts.differences(*fields))


def _told(changes: list[drafts.Change]) -> Differences:
    return Differences(
        items=[
            ChangeOut(article=c.article or None, field=c.field or None, before=c.before, after=c.after) for c in changes
        ]
    )
