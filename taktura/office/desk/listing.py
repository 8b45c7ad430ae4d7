"""The list of tickets: who waits for us?"""

from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from taktura.accounts.models import User
from taktura.customers.models import Seller
from taktura.desk.models import PRIORITIES, STATUSES, Queue, Ticket
from taktura.desk.queries import search
from taktura.office import show
from taktura.office.desk.levels import due_column, due_filter
from taktura.office.desk.live import list_mark
from taktura.office.desk.moving import begin_move
from taktura.office.lists import Action, Column, Filter, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, user_of
from taktura.office.templatetags.office import state

MINE, NOBODY, TO_DO = "mine", "nobody", "to_do"


@page("desk.view")
def tickets(request: HttpRequest) -> HttpResponseBase:
    """All tickets of the seller."""
    seller, user, now = seller_of(request), user_of(request), actor_of(request).now
    rows = Ticket.objects.filter(seller=seller).select_related("customer", "queue", "assignee")
    if customer := request.GET.get("customer", "").replace("\0", ""):
        rows = rows.filter(customer__key=customer)
    return list_page(
        request,
        Listing(
            slug="tickets",
            template="desk/list.html",
            more={"mark": list_mark(seller.pk)},
            title=_("Tickets"),
            rows=rows,
            columns=_columns(seller, now),
            order="-changed",
            filters=[*_filters(seller.pk, user), due_filter(now)],
            search=search,
            search_label=_("Number, subject or requester"),
            kept=["customer"],
            actions=[
                Action(
                    name="move", label=_("Move to a queue …"), permission="desk.change", run=begin_move, icon="inbox"
                )
            ],
            link=lambda t: reverse("ticket", args=[t.pk]),
            primary=Link(label=_("New ticket"), url=reverse("ticket_new"), permission="desk.change"),
            links=[
                Link(label=_("Mails that wait"), url=reverse("waiting_mails"), icon="inbox", permission="desk.change"),
                Link(
                    label=_("Answer templates"),
                    url=reverse("answer_templates"),
                    icon="file-text",
                    permission="desk.change",
                ),
            ],
            empty_title=_("No tickets yet"),
            empty_text=_("A ticket is what a customer asks for. Open the first one here, or send it by the API."),
        ),
    )


def _columns(seller: Seller, now: datetime) -> list[Column]:
    zone = seller.time_zone
    return [
        Column(name="number", label=_("Number"), value=lambda t: f"#{t.number}", sort="number"),
        Column(name="subject", label=_("Subject"), value=lambda t: t.subject),
        Column(name="customer", label=_("Customer"), value=lambda t: t.customer.name, narrow=True),
        Column(
            name="state", label=_("State"), value=lambda t: state("ticket_state", t.status),
            raw=lambda t: show.word("ticket_state", t.status),
        ),
        Column(
            name="priority", label=_("Priority"), value=lambda t: state("priority", t.priority),
            raw=lambda t: show.word("priority", t.priority), narrow=True,
        ),
        due_column(seller, now),
        Column(
            name="queue", label=_("Queue"), value=lambda t: t.queue.name if t.queue else show.NONE, shown=False,
        ),
        Column(
            name="assignee", label=_("Assignee"), value=lambda t: str(t.assignee or _("Nobody")), narrow=True,
        ),
        Column(
            name="changed", label=_("Last change"), value=lambda t: show.moment(t.changed_at, zone),
            raw=lambda t: t.changed_at, sort="changed_at", narrow=True,
        ),
        Column(
            name="opened", label=_("Opened"), value=lambda t: show.moment(t.opened_at, zone),
            raw=lambda t: t.opened_at, shown=False,
        ),
    ]  # fmt: skip


def _filters(seller: int, user: User) -> list[Filter]:
    queues = Queue.objects.filter(seller=seller).order_by("name")  # also those out of use, whose tickets stay in them
    staff = User.objects.filter(is_active=True).order_by("name", "pk")
    assignees = {MINE: Q(assignee=user.pk), NOBODY: Q(assignee=None)}
    return [
        Filter(
            name="state", label=_("State"),
            choices=[(TO_DO, _("Not solved yet")), *((s, show.word("ticket_state", s)) for s in STATUSES)],
            apply=lambda rows, value: rows.filter(status__in=("open", "waiting") if value == TO_DO else (value,)),
        ),
        Filter(
            name="priority", label=_("Priority"),
            choices=[(p, show.word("priority", p)) for p in reversed(PRIORITIES)],
            apply=lambda rows, value: rows.filter(priority=value),
        ),
        Filter(
            name="queue", label=_("Queue"),
            choices=[(NOBODY, _("None")), *((str(q.pk), q.name) for q in queues)],
            apply=lambda rows, value: rows.filter(queue=None if value == NOBODY else int(value)),
        ),
        Filter(
            name="assignee", label=_("Assignee"),
            choices=[(MINE, _("Mine")), (NOBODY, _("Nobody")), *((str(u.pk), str(u)) for u in staff)],
            apply=lambda rows, value: rows.filter(assignees[value] if value in assignees else Q(assignee=int(value))),
        ),
    ]  # fmt: skip
