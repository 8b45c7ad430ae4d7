"""What waits, matched again in the background."""

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from taktura.api.call import call_of
from taktura.api.endpoint import endpoint
from taktura.api.fields import Id, In, Key
from taktura.api.paging import LIMIT, After, Limit, page_of
from taktura.api.v1.billing import WorkList, WorkOut, one_work, told, work_of
from taktura.api.v1.suppliers import supplier_of
from taktura.billing import imports
from taktura.kit.jobs.queries import recent_work
from taktura.kit.jobs.services import stop
from taktura.usage.reading import MATCH

router = Router()


class MatchingStart(In):
    """What of that which waits is matched again."""

    supplier: Key | None = Field(None, description="only what waits of this supplier; null: all that waits")


@endpoint(router, "POST", "/usage/matching/start", "usage.change", answer=WorkOut, status=202, codes=("conflict",))
def start_matching(request: HttpRequest, body: MatchingStart) -> WorkOut:
    """Start to match what waits again, in the background, in parts; the worker does it. One at a time: `conflict` while
    another is under way."""
    call = call_of(request)
    supplier = supplier_of(request, body.supplier) if body.supplier else None
    return told(imports.start_matching(call.actor, seller=call.seller, supplier=supplier))


@endpoint(router, "GET", "/usage/matching", "usage.view", answer=WorkList)
def list_matching(request: HttpRequest, limit: Limit = LIMIT, after: After = "") -> WorkList:
    """What is matched again in the background, and was lately, the newest first."""
    found = recent_work(f"seller:{call_of(request).seller.pk}", MATCH)
    items, following = page_of(found, limit, after, newest_first=True)
    return WorkList(items=[told(w) for w in items], next=following)


@endpoint(router, "GET", "/usage/matching/{int:work}", "usage.view", answer=WorkOut)
def get_matching(request: HttpRequest, work: Id) -> WorkOut:
    """How far it is, or how it ended."""
    return one_work(call_of(request), work, MATCH)


@endpoint(router, "POST", "/usage/matching/{int:work}/stop", "usage.change", answer=WorkOut)
def stop_matching(request: HttpRequest, work: Id) -> WorkOut:
    """Ask it to stop after the parts that it is at. What is matched stays so."""
    call = call_of(request)
    stop(work=work_of(call, work, MATCH))
    return one_work(call, work, MATCH)
