"""Notices that were sent without sign-in: what somebody must look at, and what became of the others."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from taktura.billing import services as billing
from taktura.contracts.models import Contract, NoticeRequest
from taktura.core.errors import Refused
from taktura.office import show
from taktura.office.page import actor_of, page, seller_of

SHOWN = 50


@page("contracts.view")
def notices(request: HttpRequest) -> HttpResponse:
    """Those to be looked at, the oldest first; then the latest others."""
    seller = seller_of(request)
    others = NoticeRequest.objects.filter(seller=seller).exclude(state="open").select_related("contract")
    context = {"open": billing.open_notices(seller), "others": others.order_by("-id")[:SHOWN]}
    return render(request, "contracts/notices.html", context)


@page("contracts.view")
def notice_request(request: HttpRequest, notice: int) -> HttpResponse:
    """A notice as it was sent, and the contract whose number it names."""
    found = _find(request, notice)
    likely = Contract.objects.filter(seller=found.seller, key__iexact=found.number).select_related("customer").first()
    return render(request, "contracts/notice.html", {"notice": found, "contract": found.contract or likely})


@page("contracts.change")
@require_POST
def close(request: HttpRequest, notice: int) -> HttpResponse:
    """Say that it is dealt with."""
    try:
        billing.close_notice(actor_of(request), request=_find(request, notice))
        messages.success(request, _("The notice is dealt with."))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    return redirect("notices")


def _find(request: HttpRequest, pk: int) -> NoticeRequest:
    rows = NoticeRequest.objects.select_related("seller", "contract__customer")
    return get_object_or_404(rows, pk=pk, seller=seller_of(request))
