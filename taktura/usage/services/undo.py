"""Undoing an import: all records of a file are taken out again, as if it had not been loaded."""

from taktura.audit.acts import act
from taktura.audit.services import record
from taktura.contracts.services import read_again
from taktura.core.errors import Refused
from taktura.kit.actor import Actor
from taktura.usage.models import UsageFile, UsageRecord
from taktura.usage.store.undo import replaced_others, take_out


@act
def undo_file(actor: Actor, *, file: UsageFile) -> int:
    """Take a file's records out; gives how many. The file stays, and may be loaded again. Whether something of it is
    billed is for the caller to see (`billing.services.undo_file`).

    Raises `Refused`: `conflict` (it is undone already, or it replaced records of before), `closed_period`.
    """
    seller = file.supplier.seller
    read_again(seller)
    file.refresh_from_db(fields=["undone_at"])  # without its content
    if file.undone_at is not None:
        raise Refused("conflict", "This import is undone already.")
    if seller.closed_until is not None and UsageRecord.objects.filter(file=file, day__lt=seller.closed_until).exists():
        raise Refused("closed_period", "The import holds usage of a closed period: it stays as it is.")
    if replaced_others(file.pk):
        raise Refused(
            "conflict", "This import corrected records of before: correct them again by a file with higher revisions."
        )
    count = take_out(actor, file.pk)
    file.problems.all().delete()
    file.undone_at = actor.now
    names = ["rows", "recorded", "duplicates", "conflicts", "waiting", "skipped", "merged"]
    for name in names:
        setattr(file, name, 0)
    file.save(update_fields=["undone_at", *names])
    record(actor, "undo_file", f"supplier:{file.supplier_id}", {"file": file.name, "records": count})
    return count
