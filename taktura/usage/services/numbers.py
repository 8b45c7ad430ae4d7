"""Telephone numbers of calls are kept in full only as long as a company says."""

from taktura.audit.services import record
from taktura.core.periods import Span, add
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.usage.store.numbers import mask


def mask_numbers(actor: Actor, *, seller: Seller) -> dict[str, int]:
    """Mask the telephone numbers of calls whose day is longer ago than the company's months (`call_number_months`; 0:
    for ever), and empty the files that they came with. Gives how many `records`, `revisions` of before and `files`.

    Amounts, matching, digests and marks stay as they are: nothing is billed otherwise by it. It goes by parts, each a
    transaction of its own; done again it does the rest.
    """
    if not seller.call_number_months:
        return {"records": 0, "revisions": 0, "files": 0}
    until = add(actor.today(seller.time_zone), Span(seller.call_number_months, "month"), -1)
    found = mask(seller.pk, until, actor.now)
    if any(found.values()):
        record(actor, "mask_numbers", f"seller:{seller.pk}", {**found, "until": until})
    return found
