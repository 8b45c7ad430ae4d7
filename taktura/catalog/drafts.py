"""Tariffs that are being written: kept as they are typed, checked when they are published (R16.3).

A draft's `fields` are those of the scenario format, with `lines` as a list in order, each line with its `article`: an
object of JSON has no order in the database. `written` leads back to the form that the services take.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction

from taktura.audit.models import LogEntry
from taktura.audit.services import record
from taktura.catalog.keys import check_keys
from taktura.catalog.models import Tariff, TariffDraft, TariffVersion
from taktura.catalog.queries import version_in_force
from taktura.catalog.services import TARIFF_FIELDS, Offer, described, offer_of
from taktura.catalog.terms import LINE_FIELDS
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.exact import to_json

FIELDS = TARIFF_FIELDS - {"lines", "versions", "offer_number"}


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that somebody changed: of the tariff, or of the line of an `article`; None where there was or is none.

    `field` empty: the whole line was added (`before` None), taken away (`after` None), or the lines were put in order.
    """

    article: str
    field: str
    before: Any
    after: Any


def written(draft: TariffDraft) -> dict[str, Any]:
    """The fields of a draft as the services take them: `lines` by article, in order; what is empty left out."""
    fields = {
        name: value for name, value in draft.fields.items() if name != "lines" and value not in (None, "", {}, [])
    }
    fields["lines"] = {
        line["article"]: {n: v for n, v in line.items() if n != "article" and v not in (None, "", {}, [])}
        for line in draft.fields.get("lines", ())
    }
    return fields


def offer(draft: TariffDraft) -> Offer:
    """What a draft says, checked as it will be when it is published. Raises `Refused`."""
    found = offer_of(written(draft))
    check_keys(draft.seller, found.lines)
    return found


def typed(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as the services take them, in the form that a draft keeps."""
    found: dict[str, Any] = to_json({name: value for name, value in fields.items() if name in FIELDS})
    lines = fields.get("lines") or {}
    found["lines"] = [{"article": key, **_one_rate(to_json(line))} for key, line in lines.items()]
    return _one_rate(found)


def _one_rate(fields: dict[str, Any]) -> dict[str, Any]:
    """A single VAT rate from the beginning as a number, which is how people write it."""
    rates = fields.get("vat")
    if isinstance(rates, list) and len(rates) == 1 and not rates[0].get("from"):
        return fields | {"vat": rates[0]["rate"]}
    return fields


@transaction.atomic
def begin_draft(actor: Actor, *, seller: Seller, key: str, fields: dict[str, Any] | None = None) -> TariffDraft:
    """Begin a new tariff, empty or with `fields` (a copy). Raises `Refused` (`conflict`) when the key is taken."""
    if Tariff.objects.filter(seller=seller, key=key).exists():
        raise Refused("conflict", "There is a tariff “%(key)s” already: choose another key.", key=key, field="key")
    begun = TariffDraft(
        seller=seller, key=key, fields=typed(fields or {"currency": seller.currency}), changed_by=actor.name,
        changed_at=actor.now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            begun.save(force_insert=True)
    except IntegrityError:
        raise Refused(
            "conflict", "A tariff “%(key)s” is being written already: go on with it, or choose another key.", key=key,
            field="key",
        ) from None  # fmt: skip
    _tell(actor, "begin_tariff_draft", begun, {"fields": begun.fields})
    return begun


def fields_of_version(version: TariffVersion) -> dict[str, Any]:
    """All that a version says, with what its tariff says of all of them, as the services take it."""
    tariff = version.tariff
    return described(version) | {
        "module": tariff.module_key, "public": tariff.public, "order_approval": tariff.order_approval,
        "currency": tariff.currency,
    }  # fmt: skip


@transaction.atomic
def draft_of(actor: Actor, *, tariff: Tariff) -> TariffDraft:
    """The draft of a tariff that is there: the one that is being written, else begun from what holds today."""
    version = version_in_force(tariff, actor.today(tariff.seller.time_zone))
    fields = typed(fields_of_version(version))
    draft, made = TariffDraft.objects.get_or_create(
        tariff=tariff,
        defaults={
            "seller": tariff.seller, "key": tariff.key, "version": version, "fields": fields, "begun": fields,
            "changed_by": actor.name, "changed_at": actor.now,
        },
    )  # fmt: skip
    if made:
        _tell(actor, "begin_tariff_draft", draft, {"version": version.pk})
    return draft


@transaction.atomic
def change_draft(
    actor: Actor, *, draft: TariffDraft, revision: int, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> TariffDraft:
    """Write a draft's fields as `change` makes them of those that are there.

    Raises `Refused`: `conflict` when it is not of this `revision` any more (`changes_since` says what is new), and
    `invalid` for a setting that there is none of. What cannot be billed is not refused before it is published.
    """
    locked = lock(draft, revision)
    after = to_json(change(copied(locked.fields)))
    _check_names(after)
    return write(actor, locked, after) if differences(locked.fields, after) else locked


def write(actor: Actor, locked: TariffDraft, after: dict[str, Any]) -> TariffDraft:
    """Write a draft that is locked, as its next revision, and say in the log what it changes."""
    changes = [[c.article, c.field, c.before, c.after] for c in differences(locked.fields, after)]
    locked.fields, locked.revision = after, locked.revision + 1
    locked.changed_by, locked.changed_at = actor.name, actor.now
    locked.save(update_fields=["fields", "begun", "version", "revision", "changed_by", "changed_at"])
    _tell(actor, "change_tariff_draft", locked, {"revision": locked.revision, "changes": changes})
    return locked


def news(draft: TariffDraft, day: date) -> list[Change]:
    """What a tariff says on a day that it did not say when its draft was begun; of a new tariff nothing."""
    if draft.tariff is None or draft.begun is None:
        return []
    return differences(draft.begun, said_on(draft.tariff, day))


def said_on(tariff: Tariff, day: date) -> dict[str, Any]:
    """What a tariff says on a day, in the form that a draft keeps."""
    return typed(fields_of_version(version_in_force(tariff, day)))


def lock(draft: TariffDraft, revision: int) -> TariffDraft:
    """The draft as it is, kept still to the end of the transaction.

    Raises `Refused`: `not_found` when it is gone, `conflict` when it is not of this revision any more.
    """
    locked = TariffDraft.objects.select_for_update(of=("self",)).select_related("tariff__seller", "seller")
    found = locked.filter(pk=draft.pk).first()
    if found is None:
        raise Refused("not_found", "This draft is gone: it was published or discarded.")
    if found.revision != revision:
        raise Refused(
            "conflict", "%(name)s has changed this draft meanwhile: look at it again, then save.",
            name=found.changed_by,
        )  # fmt: skip
    return found


@transaction.atomic
def discard_draft(actor: Actor, *, draft: TariffDraft) -> None:
    """Throw a draft away; the tariff stays as it is. Its fields stay in the log."""
    details = {"fields": draft.fields}
    _tell(actor, "discard_tariff_draft", draft, details)
    draft.delete()


def changes_since(draft: TariffDraft, revision: int) -> list[Change]:
    """What was saved in a draft after a revision, oldest first."""
    rows = LogEntry.objects.filter(subject=_subject(draft), action="change_tariff_draft").order_by("id")
    return [Change(*row) for entry in rows if entry.data["revision"] > revision for row in entry.data["changes"]]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What differs between two fields of drafts."""
    found = [Change("", name, old, new) for name, old, new in _unlike(before, after) if name != "lines"]
    old_lines, new_lines = _by_article(before), _by_article(after)
    for article in dict.fromkeys([*old_lines, *new_lines]):
        old, new = old_lines.get(article), new_lines.get(article)
        if old is None or new is None:
            found.append(Change(article, "", old, new))
        else:
            found += [Change(article, *row) for row in _unlike(old, new)]
    both = [[key for key in lines if key in old_lines and key in new_lines] for lines in (old_lines, new_lines)]
    if both[0] != both[1]:
        found.append(Change("", "", list(old_lines), list(new_lines)))
    return found


def _unlike(before: dict[str, Any], after: dict[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if (old or None) != (new or None) or (old is False) != (new is False):
            yield name, old, new


def _by_article(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["article"]: line for line in fields.get("lines", ())}


def copied(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a draft, to be changed: its lines are others."""
    return {**fields, "lines": [dict(line) for line in fields.get("lines", ())]}


def _check_names(fields: dict[str, Any]) -> None:
    for name in fields:
        if name not in FIELDS and name != "lines":
            raise Refused("invalid", "A tariff has no field “%(field)s”.", field=name)
    articles = [line.get("article", "") for line in fields["lines"]]
    for line in fields["lines"]:
        if not line.get("article"):
            raise Refused("invalid", "Each line needs an article.", field="article")
        if articles.count(line["article"]) > 1:
            raise Refused(
                "invalid", "Two lines have the article “%(article)s”: give each its own.", article=line["article"],
                field="article",
            )  # fmt: skip
        for name in line:
            if name not in LINE_FIELDS and name != "article":
                raise Refused("invalid", "A tariff line has no field “%(field)s”.", field=name)


def _subject(draft: TariffDraft) -> str:
    return f"tariff_draft:{draft.pk}"


def _tell(actor: Actor, action: str, draft: TariffDraft, details: dict[str, Any]) -> None:
    record(actor, action, _subject(draft), {"key": draft.key, "tariff": draft.tariff_id, **details})
