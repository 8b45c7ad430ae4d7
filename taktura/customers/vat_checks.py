"""What VIES said of VAT ids, and when: asked in the background where the seller wants it. Nothing waits for it."""

from collections.abc import Iterable
from contextlib import suppress

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from taktura.customers import vat_id, vies
from taktura.customers.models import Seller, VatCheck
from taktura.kit.actor import Actor

ASKING = "ask_vies"  # the job
QUEUE = "vies"
MOST_TRIES = 6  # where there is no answer
FIRST_WAIT = 5  # minutes; each next one is four times as long: the last try is more than a day later


def ask_later(seller: Seller, wanted: str) -> bool:
    """Have VIES asked about a VAT id in the background, where the seller wants that and it is one of an EU state; gives
    whether it will be. Part of the transaction that it is called in."""
    text = vat_id.normal(wanted)
    if not seller.vies or not vat_id.is_valid(text):
        return False
    _defer(seller.pk, text, 0, 0)
    return True


def check(actor: Actor, *, seller: Seller, wanted: str, tried: int = 0) -> VatCheck:
    """Ask VIES about a VAT id now, keep what it says, and have it asked once more later where it says nothing."""
    text = vat_id.normal(wanted)
    answer = vies.ask(text, seller.vat_id)
    kept = VatCheck.objects.create(
        seller=seller, vat_id=text, state=answer.state, identifier=answer.identifier, asked_at=actor.now
    )
    if answer.state == vies.UNANSWERED and tried + 1 < MOST_TRIES:
        _defer(seller.pk, text, tried + 1, FIRST_WAIT * 4**tried)
    return kept


def latest(seller_id: int, vat_ids: Iterable[str]) -> dict[str, VatCheck]:
    """The last verdict of VIES about each of several VAT ids, as they are written plainly; where there never was one,
    that it did not answer; nothing of those that nobody asked about. One query."""
    rows = VatCheck.objects.filter(seller=seller_id, vat_id__in={vat_id.normal(one) for one in vat_ids if one})
    found: dict[str, VatCheck] = {}
    for row in rows.order_by("id"):
        if row.state != vies.UNANSWERED or row.vat_id not in found:
            found[row.vat_id] = row
    return found


def latest_of(seller_id: int, wanted: str) -> VatCheck | None:
    """What `latest` gives of one VAT id."""
    return latest(seller_id, [wanted]).get(vat_id.normal(wanted)) if wanted else None


def _defer(seller: int, text: str, tried: int, minutes: int) -> None:
    lock = f"vies {seller} {text} {tried}"
    with suppress(AlreadyEnqueued), transaction.atomic():  # it waits for its turn already
        job = app.configure_task(
            ASKING, queue=QUEUE, queueing_lock=lock, schedule_in={"minutes": minutes} if minutes else None
        )
        job.defer(seller=seller, vat_id=text, tried=tried)
