"""Mails that wait for a person: of unknown senders, of several customers, on others' tickets."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.desk import services
from taktura.desk.queries import ticket_by_number
from taktura.desk.services.incoming import place_of
from taktura.kit.mailbox import queries
from taktura.kit.mailbox.models import IncomingMail
from taktura.kit.mailbox.polling import read_kept
from taktura.office import show
from taktura.office.contracts.customer_field import CustomerField
from taktura.office.desk.forms import written
from taktura.office.forms import add_refusal
from taktura.office.lists import Column, Listing, list_page
from taktura.office.page import actor_of, page, seller_of, user_of, zone_of
from taktura.office.settings.mailboxes import owner_of

HIGHEST = 2**31 - 1  # a ticket's number


class GiveForm(forms.Form):
    """Where a mail belongs: to a customer as a new ticket, or to a ticket that is there."""

    customer = CustomerField(
        label=lazy("Open a ticket for this customer"), required=False,
        help_text=lazy("Later mails of this sender find the customer by themselves."),
    )  # fmt: skip
    ticket = forms.CharField(
        label=lazy("Or add it to this ticket"), required=False, max_length=11,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}), help_text=lazy("Its number."),
    )  # fmt: skip

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["customer"].of(seller)
        fields["customer"].widget.attrs["hx-get"] = reverse("ticket_customers")
        self.seller = seller

    def clean_ticket(self) -> Any:
        """The ticket; None where none is named."""
        text = str(self.cleaned_data["ticket"]).strip().removeprefix("#")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or int(text) > HIGHEST:
            raise forms.ValidationError(_("Type the number of a ticket, as in 1001."))
        try:
            return ticket_by_number(self.seller.pk, int(text))
        except Refused as refused:
            raise forms.ValidationError(show.refusal(refused)) from refused


def _one(request: HttpRequest, pk: int) -> IncomingMail:
    """A mail that waits; 404 for one of which somebody has decided already."""
    found = queries.waiting(owner_of(request)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@page("desk.change")
def mails(request: HttpRequest) -> HttpResponseBase:
    """The mails that wait, the newest first."""
    return list_page(
        request,
        Listing(
            slug="waiting_mails", title=_("Mails that wait"), rows=queries.waiting(owner_of(request)),
            columns=list(_columns(zone_of(request), show.language())), order="-came",
            search=lambda rows, text: rows.filter(Q(sender__icontains=text) | Q(subject__icontains=text)),
            search_label=_("Sender or subject"), link=lambda m: reverse("waiting_mail", args=[m.pk]),
            empty_title=_("No mail waits"),
            empty_text=_("Mails whose customer is not known stand here until somebody decides about them."),
        ),
    )  # fmt: skip


def _columns(zone: str, language: str) -> Iterator[Column]:
    yield Column(name="subject", label=_("Subject"), value=lambda m: m.subject or show.NONE)
    yield Column(name="sender", label=_("Sender"), value=lambda m: m.sender)
    yield Column(
        name="why", label=_("Why"), value=lambda m: " ".join(queries.sentences(m.said, language)), narrow=True
    )  # fmt: skip
    yield Column(
        name="came", label=_("Looked at"), value=lambda m: show.moment(m.looked_at, zone), raw=lambda m: m.looked_at,
        sort="id", narrow=True,
    )  # fmt: skip


@page("desk.change")
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail that waits: what it says, and where it may belong."""
    one, seller = _one(request, pk), seller_of(request)
    read = read_kept(one)
    place = place_of(seller.pk, read)
    initial = {"ticket": str(place.ticket.number) if place.ticket and not place.customers else ""}
    form = GiveForm(request.POST or None, seller=seller, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            given = services.give_mail(actor_of(request), mail=one, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The mail stands on ticket %(number)s.") % {"number": given.number})
            return redirect("ticket", given.pk)
    context = {
        "mail": one, "read": read, "form": form, "verdict": queries.sentences(one.said, show.language()),
        "left_out": [queries.sentence(one.text, one.values, show.language()) for one in read.left_out],
        "answers": place.ticket, "suggested": [(c, written(c)) for c in place.customers],
    }  # fmt: skip
    return render(request, "desk/waiting.html", context, status=422 if form.errors else 200)


@page("desk.change")
@require_POST
def throw_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Let nothing become of a mail."""
    one = _one(request, pk)
    try:
        services.throw_mail_away(actor_of(request), mail=one, name=user_of(request).name)
    except Refused as refused:
        messages.error(request, show.refusal(refused))
    else:
        messages.success(request, _("The mail is thrown away. It lies in the archive folder."))
    return redirect("waiting_mails")
