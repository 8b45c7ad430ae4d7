"""Files that came while nobody looked on and could not be loaded: noted until somebody has looked at them."""

from collections.abc import Iterable

from django.db import transaction

from taktura.audit.services import record
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.models import RefusedFile, Supplier, UsageFile


def nothing_read() -> Refused:
    """Why a file that is kept counts as not loaded, though nothing refused it."""
    return Refused("invalid", "None of its rows could be read: see the problems of the file.")


def note_refusal(
    actor: Actor, *, supplier: Supplier, name: str, size: int, origin: str, refused: Refused,
    file: UsageFile | None = None,
) -> RefusedFile:  # fmt: skip
    """Note that a file was not loaded, and why, for the lists of the office and the API. `size` in bytes."""
    return RefusedFile.objects.create(
        supplier=supplier, name=name[:300], size=size, origin=origin, at=actor.now, code=refused.code,
        text=refused.text, values={key: str(value) for key, value in refused.values.items()}, file=file,
    )  # fmt: skip


@transaction.atomic
def settle_refusals(actor: Actor, *, seller: Seller, refusals: Iterable[int]) -> int:
    """Somebody has looked at files that were not loaded: they are not counted any more. Gives how many were open."""
    found = RefusedFile.objects.filter(supplier__seller=seller, pk__in=list(refusals), settled_at=None)
    names = list(found.select_for_update(of=("self",)).values_list("name", flat=True))
    if names:
        found.update(settled_at=actor.now, settled_by=actor.name)
        record(actor, "settle_refused_files", f"seller:{seller.pk}", {"files": names[:100], "count": len(names)})
    return len(names)
