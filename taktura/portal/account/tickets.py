"""A customer's tickets in the portal: asked, answered, solved. Notes of staff are never among what is said."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from taktura.contracts.models import ContractLine
from taktura.core.errors import Refused
from taktura.customers.models import PortalAccess
from taktura.desk import services
from taktura.desk.models import Ticket, TicketMessage
from taktura.desk.queries import lines_of
from taktura.kit.clock import utc_now
from taktura.kit.mailbox.queries import sentences
from taktura.office import show
from taktura.office.desk.forms import MOST_TEXT, FilesForm, name_of
from taktura.office.desk.said import to_keep
from taktura.office.forms import add_refusal
from taktura.portal.account import limits
from taktura.portal.account.documents import DIGITS
from taktura.portal.account.frame import allows, answer, today_of
from taktura.portal.ordering import stamp
from taktura.portal.page import CUSTOMER, MOST_WITH_FILES, actor_of, portal_page

METHODS = ["GET", "HEAD", "POST"]
SHOWN = 50
DONE = ("solved", "closed")
NAMES = {"files": "attached"}  # of a field of the service, in the forms


class ReplyForm(FilesForm):
    """Something more to say, with files."""

    text = forms.CharField(
        label=lazy("Your message"), max_length=MOST_TEXT, widget=forms.Textarea(attrs={"rows": 5}), strip=True
    )


class TicketForm(ReplyForm):
    """A new ticket."""

    subject = forms.CharField(label=lazy("Subject"), max_length=300)
    line = forms.ChoiceField(label=lazy("What it is about"), required=False)
    field_order = ("subject", "text", "line", "attached")

    def __init__(self, *args: Any, lines: list[ContractLine], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].widget.attrs["rows"] = 8
        choices = [("", _("Something else")), *((str(x.pk), name_of(x)) for x in lines)]
        self.fields["line"].choices = choices  # type: ignore[attr-defined]


def running_lines(customer: int, today: date) -> list[ContractLine]:
    """A customer's contract lines that have not ended."""
    goes_on = Q(end=None) | Q(end__gt=today)
    contract_goes_on = Q(contract__end=None) | Q(contract__end__gt=today)
    return list(lines_of(customer).filter(goes_on, contract_goes_on))


def tickets_for(access: PortalAccess) -> QuerySet[Ticket]:
    """The tickets that somebody with access may see: an administrator all of the customer, a user those that are asked
    under the user's own address. 404 where the company takes none in the portal."""
    if not allows(access, "tickets"):
        raise Http404
    rows = Ticket.objects.filter(customer=access.customer_id).select_related("merged_into")
    return rows if access.administers else rows.filter(requester_email__iexact=access.user.email)


@portal_page(CUSTOMER)
@require_safe
def tickets(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Tickets that are not solved yet, or those that are: the newest first."""
    rows, done = tickets_for(access).order_by("-id"), request.GET.get("state") == "done"
    rows = rows.filter(status__in=DONE) if done else rows.exclude(status__in=DONE)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) <= DIGITS:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: SHOWN + 1])
    return answer(
        request, access, "portal_tickets", "portal/tickets.html", rows=found[:SHOWN], solved=done, title=_("Tickets"),
        more=found[SHOWN - 1].pk if len(found) > SHOWN else None,
    )  # fmt: skip


@portal_page(CUSTOMER, most=MOST_WITH_FILES)
@require_http_methods(METHODS)
def new(request: HttpRequest, access: PortalAccess) -> HttpResponse:
    """Ask for something."""
    tickets_for(access)
    lines, now = running_lines(access.customer_id, today_of(access)), utc_now().timestamp()
    form = TicketForm(*_sent(request), lines=lines)
    mark = stamp.read(request, now) if request.method == "POST" else stamp.new(now)
    if request.method == "POST" and form.is_valid() and _taken(request, access, form):
        data = form.cleaned_data
        try:
            made = services.open_ticket_in_portal(
                actor_of(request), access=access, subject=data["subject"], text=data["text"], token=mark.token,
                line=next((x for x in lines if str(x.pk) == data["line"]), None), files=form.chosen(),
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, NAMES)
        else:
            return redirect(f"{reverse('portal_ticket', args=[access.customer_id, made.pk])}?done=ticket")
    return answer(
        request, access, "portal_tickets", "portal/ticket_new.html", form=form, stamp=mark.text, title=_("New ticket"),
        back=reverse("portal_tickets", args=[access.customer_id]), status=422 if form.errors else 200,
    )  # fmt: skip


@portal_page(CUSTOMER)
@require_safe
def file(request: HttpRequest, access: PortalAccess, pk: int, number: int) -> HttpResponse:
    """A file of a ticket, to be kept; those of notes are not there."""
    found = get_object_or_404(tickets_for(access), pk=pk)
    return to_keep(get_object_or_404(services.told_files(found), pk=number))


@portal_page(CUSTOMER, most=MOST_WITH_FILES)
@require_http_methods(METHODS)
def ticket(request: HttpRequest, access: PortalAccess, pk: int) -> HttpResponse:
    """One ticket: what was said, a reply, and that it is solved."""
    found, here = get_object_or_404(tickets_for(access), pk=pk), reverse("portal_ticket", args=[access.customer_id, pk])
    if request.method == "POST" and request.POST.get("action") == "solve":
        services.solve_ticket(actor_of(request), ticket=found)
        return redirect(f"{here}?done=solved")
    now = utc_now().timestamp()
    form = ReplyForm(*_sent(request))
    mark = stamp.read(request, now) if request.method == "POST" else stamp.new(now)
    if request.method == "POST" and form.is_valid() and _taken(request, access, form):
        try:
            services.answer_ticket_in_portal(
                actor_of(request), access=access, ticket=found, text=form.cleaned_data["text"], token=mark.token,
                files=form.chosen(),
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, NAMES)
        else:
            return redirect(f"{here}?done=ticket")
    return answer(
        request, access, "portal_tickets", "portal/ticket.html", ticket=found, title=found.subject, form=form,
        said=_said(found, access), stamp=mark.text,
        line=_line(found), over=found.status in DONE, closed=found.status == "closed",
        goes_on=found.merged_into_id and tickets_for(access).filter(pk=found.merged_into_id).exists(),
        status=422 if form.errors else 200,
    )  # fmt: skip


def _sent(request: HttpRequest) -> tuple[Any, ...]:
    """What was sent of a form with files."""
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _said(found: Ticket, access: PortalAccess) -> list[tuple[TicketMessage, str, list[str]]]:
    """Each message with who said it, and why files of it were left out."""
    return [
        (one, _author(one.kind, one.author, access), sentences(one.left_out, show.language()))
        for one in services.told(found)
    ]


def _taken(request: HttpRequest, access: PortalAccess, form: forms.Form) -> bool:
    """Whether this one is not too many; else the form says so."""
    if limits.take(request, limits.TICKET, access.user.email):
        return True
    form.add_error(None, _("There were too many messages. Wait an hour, then send it again, or call us."))
    return False


def _author(kind: str, author: str, access: PortalAccess) -> str:
    """Who said it. What wrote by itself (a key, an import) is the company, or the customer."""
    if ":" not in author:
        return author
    return access.customer.seller.name if kind == "staff" else access.customer.name


def _line(found: Ticket) -> str:
    if found.line_id is None:
        return ""
    return name_of(ContractLine.objects.select_related("contract", "article").get(pk=found.line_id))
