"""What the pages of a draft share: finding it, its head, saving what was typed, and what the slower of two is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.catalog import drafts
from taktura.catalog.models import TariffDraft
from taktura.office.page import actor_of, seller_of, today_of
from taktura.office.tariffs.drafts.words import Told, told

TAKE = "take"  # the settings that are taken as somebody else wrote them
NEWEST = 2**31 - 1  # the highest revision that the database can hold


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody saved in a draft since a page was opened: who last and when, what (oldest first), and which of the
    settings that were typed here they changed too."""

    who: str
    at: datetime
    revision: int
    changes: list[Told]
    both: tuple[str, ...] = ()


def find_draft(request: HttpRequest, pk: int) -> TariffDraft:
    """The seller's draft, or 404."""
    rows = TariffDraft.objects.select_related("seller", "tariff__seller", "version__tariff").filter(
        seller=seller_of(request)
    )
    return get_object_or_404(rows, pk=pk)


def title_of(draft: TariffDraft) -> str:
    """What a draft is called: its title, else its name."""
    return str(draft.fields.get("title") or draft.key)


def currency_of(draft: TariffDraft) -> str:
    """The currency of a draft's prices."""
    return str(draft.fields.get("currency") or draft.seller.currency)


def head(draft: TariffDraft, title: str, **more: Any) -> dict[str, Any]:
    """What a form of a draft shows around its fields: where it belongs, and the way back to the draft's overview."""
    return {
        "draft": draft, "title": title, "parent": title_of(draft), "back": reverse("tariff_draft", args=[draft.pk]),
        "draft_title": title_of(draft), "currency": currency_of(draft), **more,
    }  # fmt: skip


def sent_revision(request: HttpRequest, draft: TariffDraft) -> int:
    """The revision of the draft that stood on the page which was sent (its hidden field `revision`)."""
    text = request.POST.get("revision", "")
    return min(int(text), NEWEST) if text.isascii() and text.isdecimal() and len(text) < 12 else draft.revision


def save(request: HttpRequest, draft: TariffDraft, change: Callable[[dict[str, Any]], dict[str, Any]]) -> TariffDraft:
    """Write what was typed over the revision that the page showed. Raises `Refused` as `drafts.change_draft` does:
    on `conflict` show the form again with what was typed and with `meanwhile`."""
    return drafts.change_draft(actor_of(request), draft=draft, revision=sent_revision(request, draft), change=change)


def meanwhile(draft: TariffDraft, revision: int, both: tuple[str, ...] = ()) -> Meanwhile:
    """What was saved in a draft, read anew, since a revision."""
    draft.refresh_from_db()
    changes = [told(one, draft) for one in drafts.changes_since(draft, revision)]
    return Meanwhile(_name(draft.changed_by), draft.changed_at, draft.revision, changes, both)


def last_saved(draft: TariffDraft) -> str:
    """Who saved a draft last."""
    return _name(draft.changed_by)


def _name(actor: str) -> str:
    return actor.removeprefix("user:").removeprefix("cli:") or _("somebody")


def today(request: HttpRequest) -> Any:
    """Today where the seller is."""
    return today_of(request)
