"""Mails about tickets: where customers answer to, and whether they are told that a ticket arrived."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from taktura.core.errors import Refused
from taktura.desk import services
from taktura.desk.queries import settings_of
from taktura.office import seen
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of


class DeskMailForm(forms.Form):
    """How mails about tickets go out."""

    reply_to = forms.EmailField(
        label=lazy("Answers to"), required=False,
        help_text=lazy("The address to which customers answer. Left empty: the account of the mailbox for tickets, if"
                       " there is one and it is an address, else the address from which mails are sent."),
    )  # fmt: skip
    receipts = forms.BooleanField(
        label=lazy("Tell who opens a ticket by mail that it arrived"),
        required=False,
        help_text=lazy("With the number of the ticket; at most one mail an hour to an address."),
    )


@page("settings.change")
def desk_mail(request: HttpRequest) -> HttpResponse:
    """Say how mails about tickets go out."""
    seller = seller_of(request)
    kept = settings_of(seller.pk)
    form = DeskMailForm(request.POST or None, initial={"reply_to": kept.reply_to, "receipts": kept.receipts})
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_desk_mail(actor_of(request), seller=seller, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("desk_mail")
    context = {
        "form": form, "title": _("Mails about tickets"), "back": reverse("settings"), "parent": _("Settings"),
        "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)
