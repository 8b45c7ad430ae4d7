"""The confirmation of a notice, or of its withdrawal: as PDF, and sent by mail."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from taktura.audit.models import LogEntry
from taktura.contracts.models import Contract
from taktura.core.errors import Refused
from taktura.invoices.confirmations import ACTIONS, confirmation_of, confirmation_pdf, mail_confirmation
from taktura.office import show
from taktura.office.contracts.frame import find
from taktura.office.page import actor_of, page


def _entry(contract: Contract, pk: int) -> LogEntry | None:
    """The entry of a notice or its withdrawal; None where it tells of something else."""
    entry = get_object_or_404(LogEntry, pk=pk, subject=f"contract:{contract.pk}")
    return entry if entry.action in ACTIONS else None


@page("contracts.view")
@require_safe
def confirmation(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """The letter as PDF."""
    contract = find(request, pk)
    told = _entry(contract, entry)
    if told is None:
        return redirect("contract_change", contract.pk, entry)
    letter = confirmation_of(contract, told)
    head = {"Content-Disposition": f'inline; filename="{letter.file_name}"'}
    return HttpResponse(confirmation_pdf(letter), content_type="application/pdf", headers=head)


@page("contracts.change")
@require_POST
def send_confirmation(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """Send the letter to the customer's address."""
    contract = find(request, pk)
    told = _entry(contract, entry)
    if told is None:
        return redirect("contract_change", contract.pk, entry)
    try:
        mail = mail_confirmation(actor_of(request), contract=contract, entry=told)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The confirmation goes to %(to)s.") % {"to": mail.recipient})
    return redirect("contract_change", contract.pk, entry)
