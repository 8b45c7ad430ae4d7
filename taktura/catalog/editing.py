"""Two people at one draft: what it said when one of them opened it, and what either wrote, laid together. What its
tariff says that is new. And what is still wrong with a draft before it can be published.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from taktura.catalog.drafts import Change, changes_since, copied, lock, news, said_on, write, written
from taktura.catalog.models import TariffDraft
from taktura.catalog.queries import version_in_force
from taktura.catalog.services import approval_of, offer_of
from taktura.catalog.terms import read_rates, version_fields
from taktura.core.errors import Refused
from taktura.core.periods import parse_span
from taktura.core.terms import parse_terms
from taktura.kit.actor import Actor
from taktura.kit.exact import number

# What a setting means where nothing is written of it.
UNWRITTEN: Mapping[str, Any] = {
    "interval": "1 month", "anchor": "contract", "notice": "none", "minimum_proration": "daily",
    "cap_proration": "none", "tolerance": "0", "tick": "minute", "tick_scope": "record", "public": False,
    "order_approval": "company", "credit_on_end": True,
}  # fmt: skip
NUMBERS = {"minimum_sales", "cost_cap", "tolerance", "interim_threshold"}
SPANS = {"interval", "trial"}


@dataclass(frozen=True, slots=True)
class Merged:
    """Settings of two people laid together. `both`: what both changed, each to something else; here the own stands."""

    fields: dict[str, Any]
    both: tuple[str, ...]


def meaning(name: str, value: Any) -> Any:
    """What a setting of a tariff means, to be compared: "10" and "10.00" are one number, nothing is its default."""
    found = UNWRITTEN.get(name) if value in (None, "", [], {}) else value
    if found is None:
        return None
    try:
        if name in NUMBERS:
            return number(found, name)
        if name in SPANS:
            return parse_span(found)
        if name == "vat":
            return [(start, Decimal(str(rate))) for start, rate in read_rates(found) or ()]
        return parse_terms(found) if name == "notice" else found
    except (Refused, ArithmeticError, TypeError, ValueError, KeyError):
        return found


def alike(name: str, one: Any, other: Any) -> bool:
    """Whether a setting says the same in two drafts, however it is written."""
    return bool(meaning(name, one) == meaning(name, other))


def as_of(draft: TariffDraft, revision: int) -> dict[str, Any]:
    """What a draft said in an earlier revision. A line that was taken away since then stands last."""
    fields = {**draft.fields, "lines": [dict(line) for line in draft.fields.get("lines", ())]}
    for change in reversed(changes_since(draft, revision)):
        _take_back(fields, change)
    return fields


def _take_back(fields: dict[str, Any], change: Change) -> None:
    lines: list[dict[str, Any]] = fields["lines"]
    if not change.article and not change.field:
        order = list(change.before or ())
        lines.sort(key=lambda line: order.index(line["article"]) if line["article"] in order else len(order))
    elif change.field:
        row = fields if not change.article else next((x for x in lines if x["article"] == change.article), {})
        if change.before is None:
            row.pop(change.field, None)
        else:
            row[change.field] = change.before
    elif change.before is None:
        fields["lines"] = [line for line in lines if line["article"] != change.article]
    else:
        lines.append(dict(change.before))


def merged(base: Mapping[str, Any], theirs: Mapping[str, Any], own: Mapping[str, Any]) -> Merged:
    """Settings (those that `own` names) as they are after both changed them from `base` on.

    What one alone changed stands as they wrote it; of what both changed stands the own, and it is named.
    """
    fields, both = dict(own), []
    for name, value in own.items():
        before, there = base.get(name), theirs.get(name)
        if alike(name, value, before):
            fields[name] = there
        elif not alike(name, there, before) and not alike(name, there, value):
            both.append(name)
    return Merged(fields, tuple(both))


@transaction.atomic
def catch_up(actor: Actor, *, draft: TariffDraft, revision: int, day: date) -> TariffDraft:
    """Lay into a draft what its tariff says on a day that it did not say when the draft was begun.

    What the draft leaves as it was begun follows the tariff; what was changed in it stays as it is. From then on it
    counts as begun from the version of that day. Raises `Refused` as `drafts.lock` does.
    """
    locked = lock(draft, revision)
    changes = news(locked, day)
    if locked.tariff is None or locked.begun is None or not changes:
        return locked
    fields, now = copied(locked.fields), said_on(locked.tariff, day)
    own, old, new = (_articles(of) for of in (fields, locked.begun, now))
    for change in changes:
        _follow(fields, change)
    if [a for a in own if a in old] == [a for a in old if a in own]:  # nobody has put the lines in another order
        fields["lines"].sort(key=lambda line: new.index(line["article"]) if line["article"] in new else len(new))
    locked.version, locked.begun = version_in_force(locked.tariff, day), now
    return write(actor, locked, fields)


def _articles(fields: dict[str, Any]) -> list[str]:
    return [line["article"] for line in fields["lines"]]


def _follow(fields: dict[str, Any], change: Change) -> None:
    """Take over one change of the tariff, unless the draft has changed the same."""
    lines: list[dict[str, Any]] = fields["lines"]
    own = {x["article"]: x for x in lines}
    if change.article and not change.field:
        if change.before is None and change.article not in own:
            lines.append(dict(change.after))
        elif change.after is None and same(own.get(change.article), change.before):
            fields["lines"] = [line for line in lines if line["article"] != change.article]
    elif change.field:
        row = own.get(change.article) if change.article else fields
        if row is not None and same(row.get(change.field), change.before):
            row[change.field] = change.after


def same(one: Any, other: Any) -> bool:
    """Whether two settings of a draft say the same: "2.50" and "2.5" are one number, what is empty is nothing."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(name), other.get(name)) for name in one.keys() | other.keys())
    if not one and not other and one != 0 and other != 0:
        return True
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except ArithmeticError:
        return bool(one == other)


def problems(draft: TariffDraft) -> list[Refused]:
    """What keeps a draft from being published, each with the setting (and line) that it is about; empty: nothing."""
    fields = written(draft)
    lines = fields["lines"]
    settings = {n: v for n, v in fields.items() if n not in ("lines", "minimum_sales", "cost_cap")}
    found = list(_refusals([{**settings, "lines": {}}, *({**settings, "lines": {a: x}} for a, x in lines.items())]))
    if not found:
        found = list(_refusals([fields]))
    if not str(fields.get("title") or "").strip():
        found.insert(0, Refused("invalid", "The tariff has no title yet.", field="title"))
    if not lines:
        found.append(Refused("invalid", "The tariff has no lines yet.", field=""))
    return found


def _refusals(several: Iterable[dict[str, Any]]) -> Iterable[Refused]:
    seen = set()
    for fields in several:
        try:
            version_fields(fields)
            approval_of(fields)
            offer_of(fields)
        except Refused as refused:
            about = refused.text, str(sorted(refused.values.items(), key=str))
            if about not in seen:
                seen.add(about)
                yield refused
