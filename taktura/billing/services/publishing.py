"""Publishing what was written of a tariff (R16.3)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.billing.models import Charge
from taktura.billing.reach import Reach, reach
from taktura.billing.services.changes import publish_version
from taktura.catalog import drafts
from taktura.catalog import services as catalog
from taktura.catalog.editing import problems
from taktura.catalog.models import Tariff, TariffDraft
from taktura.contracts.models import ContractPhase
from taktura.core.errors import Refused
from taktura.core.periods import DAY
from taktura.kit.actor import Actor

NOBODY = Reach(0, (), (), 0)


def takes_versions(tariff: Tariff) -> bool:
    """Whether a change makes a version with a date: what contracts have or had, what an offer number pins, and what has
    several versions already is never edited in place."""
    ordered = ContractPhase.objects.filter(tariff=tariff).exists() or tariff.offer_numbers.exists()
    return ordered or tariff.versions.count() > 1


@dataclass(frozen=True, slots=True)
class Billed:
    """What is billed beyond a day under a tariff: of how many contracts, and to which day (exclusive)."""

    contracts: int
    until: date


def billed_beyond(tariff: Tariff, day: date) -> Billed | None:
    """What is billed beyond a day of the contracts that have a tariff; None: nothing. Two queries."""
    having = ContractPhase.objects.filter(tariff=tariff).values("contract")
    charges = Charge.objects.filter(contract__in=having, end__gt=day)
    until = charges.aggregate(last=Max("end"))["last"]
    if until is None:
        return None
    return Billed(charges.values("contract").distinct().count(), until)


@act
def publish_draft(
    actor: Actor,
    *,
    draft: TariffDraft,
    revision: int,
    valid_from: date | None = None,
    applies_to: str = "new",
    after_billed: bool = True,
) -> Tariff:
    """Make a tariff, or a version of one, of a draft, which is gone then.

    A new tariff, and one that nobody ever ordered, holds from the beginning; another gets a version from `valid_from`
    on (`takes_versions`), for new contracts or for `all` from their next period after what is billed; without
    `after_billed` a day is refused that lies before what is billed (decision 0013). Module, publicity and
    approval of orders hold at once. Raises `Refused`: `conflict` (another revision; the name is taken; the tariff says
    something new since the draft was begun, which `editing.catch_up` takes over), `not_found` (it is gone), `invalid`,
    `no_flagged_line`, `minimum_above_cap`, `overlapping_flags`.
    """
    locked = drafts.lock(draft, revision)
    if wrong := problems(locked):
        raise wrong[0]
    fields = drafts.written(locked)
    tariff = locked.tariff
    if tariff is None:
        tariff = catalog.define_tariff(actor, seller=locked.seller, key=locked.key, **fields)
    else:
        currency = fields.pop("currency", tariff.currency)
        versioned = _check_change(actor, locked, tariff, currency, valid_from, applies_to, after_billed)
        module, public = fields.pop("module", ""), bool(fields.pop("public", False))
        approval = catalog.approval_of(fields)
        fields.pop("order_approval", None)
        catalog.change_tariff_settings(actor, tariff=tariff, module=module, public=public, order_approval=approval)
        if versioned and valid_from is not None:
            publish_version(
                actor, tariff=tariff, valid_from=valid_from, applies_to=applies_to, changes=fields, whole=True
            )
        else:
            catalog.rewrite_tariff(actor, tariff=tariff, fields=fields, currency=currency)
    record(actor, "publish_tariff_draft", f"tariff:{tariff.pk}", {"key": tariff.key, "draft": locked.pk})
    locked.delete()
    return tariff


def preview_version(*, tariff: Tariff, valid_from: date, applies_to: str, changes: dict[str, Any]) -> Reach:
    """Whom `publish_version` would reach and what it would move; nobody where it is for new contracts alone.

    Refuses as `publish_version` does. Writes nothing.
    """
    offer = catalog.plan_version(tariff=tariff, valid_from=valid_from, changes=changes)
    return reach(tariff, offer, valid_from) if applies_to == "all" else NOBODY


def preview_publishing(
    actor: Actor,
    *,
    draft: TariffDraft,
    valid_from: date | None = None,
    applies_to: str = "new",
    after_billed: bool = True,
) -> Reach:
    """Whom `publish_draft` would reach and what it would move: nobody by a new tariff, by one that nobody ever ordered,
    and by a version for new contracts alone. Refuses as `publish_draft` does. Writes nothing."""
    if wrong := problems(draft):
        raise wrong[0]
    offer, tariff = drafts.offer(draft), draft.tariff
    if tariff is None:
        catalog.check_key_free(draft.seller, draft.key)
        return NOBODY
    currency = draft.fields.get("currency") or tariff.currency
    versioned = _check_change(actor, draft, tariff, currency, valid_from, applies_to, after_billed)
    if not versioned or valid_from is None or applies_to != "all":
        return NOBODY
    return reach(tariff, offer, valid_from)


def _check_change(
    actor: Actor,
    draft: TariffDraft,
    tariff: Tariff,
    currency: str,
    valid_from: date | None,
    applies_to: str,
    after_billed: bool,
) -> bool:
    """Whether a draft of a change becomes a version (else it takes the place of all). Raises as `publish_draft`."""
    versioned = takes_versions(tariff)
    if versioned and currency != tariff.currency:
        raise Refused("invalid", "This tariff keeps its currency: copy it for another.", field="currency")
    if versioned and valid_from is None:
        raise Refused("invalid", "Say from which day on the version holds.", field="valid_from")
    if drafts.news(draft, valid_from or actor.today(tariff.seller.time_zone)):
        raise Refused(
            "conflict", "The tariff says something new since this draft was begun: take it over, then publish.",
            field="valid_from",
        )  # fmt: skip
    if versioned and valid_from is not None and applies_to == "all" and not after_billed:
        _check_billed(tariff, valid_from)
    return versioned


def _check_billed(tariff: Tariff, day: date) -> None:
    billed = billed_beyond(tariff, day)
    if billed is not None:
        raise Refused(
            "invalid",
            "%(contracts)s contracts are billed beyond this day, to %(last)s: choose %(free)s or later, or let the"
            " version begin for them after what is billed.",
            contracts=billed.contracts, last=(billed.until - DAY).isoformat(), free=billed.until.isoformat(),
            field="valid_from",
        )  # fmt: skip
