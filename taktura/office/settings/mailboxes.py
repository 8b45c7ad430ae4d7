"""Mailboxes that are looked into: what for, whether that works, what came last."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from taktura.billing.services import mailboxes as services
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk.models import Queue
from taktura.desk.queries import queues_of
from taktura.desk.services.incoming import queue_of
from taktura.kit.mailbox import queries
from taktura.kit.mailbox.models import STATES, STRANGERS, Mailbox
from taktura.office import seen, show
from taktura.office.customers.changes import choices
from taktura.office.forms import DayField, add_refusal
from taktura.office.lists import Column, Link, Listing, list_page
from taktura.office.page import actor_of, page, seller_of
from taktura.office.templatetags.office import state
from taktura.usage.models import Supplier

FIELDS = ("host", "port", "security", "user", "folder", "archive", "not_before", "strangers")
SHOWN = 10
USAGE, TICKETS = "usage", "tickets"


class MailboxForm(forms.Form):
    """A mailbox. The password is never shown."""

    supplier = forms.ChoiceField(
        label=lazy("Supplier"), help_text=lazy("Each attachment is loaded as a usage file of this supplier.")
    )
    senders = forms.CharField(
        label=lazy("Senders"), widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("From whom files are taken, one a line: an address, or a whole domain as in @example.com."),
    )  # fmt: skip
    host = forms.CharField(label=lazy("Server"), max_length=200, help_text=lazy("As in imap.example.com."))
    port = forms.IntegerField(label=lazy("Port"), min_value=1, max_value=65535)
    security = forms.ChoiceField(label=lazy("Security"))
    user = forms.CharField(
        label=lazy("User"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )  # fmt: skip
    password = forms.CharField(
        label=lazy("Password"), max_length=500, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    folder = forms.CharField(label=lazy("Folder"), max_length=200, help_text=lazy("It is looked into every minute."))
    archive = forms.CharField(
        label=lazy("Archive folder"), max_length=200,
        help_text=lazy("Mails are moved there once they are taken. It is made where it is not there."),
    )  # fmt: skip
    queue = forms.ChoiceField(
        label=lazy("Queue"), required=False, help_text=lazy("Where new tickets wait; they can be moved.")
    )
    strangers = forms.ChoiceField(
        label=lazy("Mails of unknown senders"),
        help_text=lazy("Of addresses that belong to no customer: of nobody's user of the portal, of nobody's bills."),
    )
    not_before = DayField(
        label=lazy("Mails from"), help_text=lazy("Mails that came before that day stay where they are.")
    )
    active = forms.BooleanField(label=lazy("Look into it"), required=False)

    def __init__(
        self, *args: Any, request: HttpRequest, mailbox: Mailbox | None, purpose: str, **options: Any
    ) -> None:  # fmt: skip
        super().__init__(*args, **options)
        seller, fields = seller_of(request), cast(dict[str, Any], self.fields)
        self.suppliers: dict[str, Supplier] = {}
        self.queues: dict[str, Queue] = {}
        if purpose == TICKETS:
            del fields["supplier"]
            self.queues = {str(q.pk): q for q in queues_of(seller.pk)}
            fields["queue"].choices = [("", _("None")), *((pk, q.name) for pk, q in self.queues.items())]
            fields["senders"].required = False
            fields["senders"].help_text = _("From whom mails are taken, one a line; left empty, from everybody.")
            fields["strangers"].choices = [(s, show.word("strangers", s)) for s in reversed(STRANGERS)]
        else:
            del fields["strangers"], fields["queue"]
            self.suppliers = {str(s.pk): s for s in Supplier.objects.filter(seller=seller).order_by("name")}
            fields["supplier"].choices = [(pk, s.name) for pk, s in self.suppliers.items()]
        fields["security"].choices = choices("security")
        self.fields["not_before"].today = actor_of(request).today(seller.time_zone)  # type: ignore[attr-defined]
        if mailbox is not None:
            self.fields["password"].help_text = _("Left empty, the one that is kept stays.")
        else:
            self.fields["password"].required = True
            del self.fields["active"]

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        fields = dict(self.cleaned_data)
        if "supplier" in fields:
            fields["supplier"] = self.suppliers[fields["supplier"]]
        if "queue" in fields:
            fields["queue"] = self.queues[fields["queue"]] if fields["queue"] else None
        return fields | {"senders": fields["senders"].replace(",", "\n").replace(";", "\n").splitlines()}


def owner_of(request: HttpRequest) -> str:
    """Whose mailboxes are shown."""
    return f"seller:{seller_of(request).pk}"


def one_of(request: HttpRequest, pk: int) -> Mailbox:
    """A mailbox of the company, or 404."""
    try:
        return queries.mailbox_by_id(owner_of(request), pk)
    except Refused as refused:
        raise Http404 from refused


def name_of(mailbox: Mailbox) -> str:
    """What a mailbox is called: its account and folder."""
    return f"{mailbox.user} · {mailbox.folder}"


def state_of(mailbox: Mailbox) -> str:
    """How a mailbox stands: `off`, `new`, `failing`, `works`."""
    if not mailbox.active:
        return "off"
    return "failing" if mailbox.failures else "works" if mailbox.succeeded_at else "new"


def supplier_names(seller: Seller) -> dict[str, str]:
    """The names of suppliers by what mailboxes keep of them."""
    return {f"supplier:{pk}": name for pk, name in Supplier.objects.filter(seller=seller).values_list("pk", "name")}


@page("settings.view")
def mailboxes(request: HttpRequest) -> HttpResponseBase:
    """All mailboxes of the company."""
    seller = seller_of(request)

    def prepare(rows: list[Any]) -> None:
        counts, names = queries.counts_of([row.pk for row in rows]), supplier_names(seller)
        for row in rows:
            row.counts, row.supplier_name = counts.get(row.pk, {}), names.get(row.target, "")

    return list_page(
        request,
        Listing(
            slug="mailboxes", title=_("Mailboxes"), rows=queries.mailboxes(owner_of(request)),
            columns=list(_columns(seller.time_zone)), order="made", prepare=prepare,
            link=lambda m: reverse("mailbox", args=[m.pk]),
            primary=Link(label=_("New mailbox"), url=reverse("mailbox_new"), permission="settings.change"),
            links=[Link(label=_("Mails that came"), url=reverse("incoming_mails"), icon="inbox",
                        permission="jobs.view")],
            empty_title=_("No mailboxes yet"),
            empty_text=_("A mailbox takes usage files that suppliers send as attachments, or tickets of customers."),
            template="settings/list.html",
        ),
    )  # fmt: skip


def _columns(zone: str) -> Iterator[Column]:
    yield Column(name="mailbox", label=_("Mailbox"), value=name_of)
    yield Column(name="purpose", label=_("For"), value=lambda m: show.word("mailbox_purpose", m.purpose))
    yield Column(name="supplier", label=_("Supplier"), value=lambda m: m.supplier_name or show.NONE, narrow=True)
    yield Column(
        name="state", label=_("State"), value=lambda m: state("mailbox", state_of(m)),
        raw=lambda m: show.word("mailbox", state_of(m)),
    )  # fmt: skip
    yield Column(name="host", label=_("Server"), value=lambda m: m.host, narrow=True)
    yield Column(
        name="looked", label=_("Last look"), value=lambda m: show.moment(m.looked_at, zone), narrow=True,
        raw=lambda m: m.looked_at,
    )  # fmt: skip
    for name, label in (("taken", _("Taken")), ("refused", _("Refused"))):
        yield Column(name=name, label=label, value=_counted(name), numeric=True, narrow=True)
    yield Column(
        name="made", label=_("Made"), value=lambda m: show.moment(m.created_at, zone), raw=lambda m: m.created_at,
        sort="created_at", shown=False,
    )  # fmt: skip


def _counted(name: str) -> Any:
    return lambda row: show.count(row.counts.get(name, 0))


@page("settings.view")
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """A mailbox: how it stands, where it is, what came last."""
    one, language = one_of(request, pk), show.language()
    counts = queries.counts_of([pk]).get(pk, {})
    last = list(queries.incoming(owner_of(request), mailbox=pk)[:SHOWN])
    context = {
        "mailbox": one, "name": name_of(one), "state": state_of(one),
        "supplier": supplier_names(seller_of(request)).get(one.target, ""), "queue": queue_of(one),
        "error": queries.sentences([one.error], language)[0] if one.error else "",
        "numbers": [(s, counts.get(s, 0)) for s in STATES],
        "last": [(m, " ".join(queries.sentences(m.said, language))) for m in last],
    }  # fmt: skip
    return render(request, "settings/mailbox.html", context)


def _form_page(request: HttpRequest, form: MailboxForm, **more: Any) -> HttpResponse:
    return render(request, "office/form.html", {"form": form, **more}, status=422 if form.errors else 200)


@page("settings.change")
def new(request: HttpRequest) -> HttpResponse:
    """Set a mailbox up."""
    purpose = TICKETS if request.GET.get("purpose") == TICKETS else USAGE
    initial = {
        "port": 993, "security": "tls", "folder": "INBOX", "archive": "Archive", "strangers": "collect",
        "not_before": actor_of(request).today(seller_of(request).time_zone),
    }  # fmt: skip
    form = MailboxForm(request.POST or None, request=request, mailbox=None, purpose=purpose, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_mailbox(
                actor_of(request), seller=seller_of(request), purpose=purpose, **form.values()
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. Test the connection to see whether it works."))
            return redirect("mailbox", made.pk)
    context = {
        "form": form, "title": _("New mailbox"), "back": reverse("mailboxes"), "parent": _("Mailboxes"),
        "action": _("Set up"), "purpose": purpose, "purposes": services.PURPOSES,
    }  # fmt: skip
    return render(request, "settings/mailbox_new.html", context, status=422 if form.errors else 200)  # fmt: skip


@page("settings.change")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a mailbox, switch it off and on."""
    one = one_of(request, pk)
    initial = {name: getattr(one, name) for name in FIELDS} | {
        one.target.partition(":")[0]: one.target.partition(":")[2], "senders": "\n".join(one.senders),
        "active": one.active,
    }  # fmt: skip
    form = MailboxForm(request.POST or None, request=request, mailbox=one, purpose=one.purpose, initial=initial)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        try:
            services.change_mailbox(
                actor_of(request), mailbox=one, **values | {"password": values["password"] or None}
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("mailbox", pk)
    return _form_page(
        request, form, title=_("Change the mailbox"), back=reverse("mailbox", args=[pk]), parent=name_of(one),
        seen=shown,
    )  # fmt: skip


@page("settings.change")
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign in and look, now, and say what is there or what is wrong."""
    refused, mails = services.try_mailbox(mailbox=one_of(request, pk))
    if refused is not None:
        messages.error(request, show.refusal(refused))
    else:
        text = ngettext(
            "It works. %(count)s mail lies there.", "It works. %(count)s mails lie there.", mails or 0
        )  # fmt: skip
        messages.success(request, text % {"count": show.count(mails or 0)})
    return redirect("mailbox", pk)


@page("jobs.retry")
@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the worker look now."""
    try:
        services.look_now(actor_of(request), mailbox=one_of(request, pk))
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("It is looked into now: what came stands here in a moment."))
    return redirect("mailbox", pk)


@page("settings.change")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a mailbox."""
    one = one_of(request, pk)
    try:
        services.remove_mailbox(actor_of(request), mailbox=one)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
        return redirect("mailbox", pk)
    messages.success(request, _("The mailbox “%(name)s” is removed.") % {"name": name_of(one)})
    return redirect("mailboxes")
