"""The page to end a contract without sign-in, which German law asks for (BGB § 312k): a button “end contracts here”
leads to it, its own button sends the notice, and what was sent is confirmed at once."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from taktura.billing import services as billing
from taktura.billing.services.notices import KINDS, MOST_REASON
from taktura.core.errors import Refused
from taktura.customers.models import Seller
from taktura.kit.actor import Actor
from taktura.kit.clock import utc_now
from taktura.office import show
from taktura.office.forms import DayField, add_refusal
from taktura.portal.account import limits
from taktura.portal.page import OPEN, portal_page

MOST_SELLERS = 5  # named on the pages before sign-in


class EndingForm(forms.Form):
    """What a notice must say, and nothing more."""

    name = forms.CharField(label=lazy("Your name"), max_length=200, help_text=lazy("As it stands on your invoices."))
    number = forms.CharField(
        label=lazy("Contract"), max_length=100, help_text=lazy("Its number, or what the contract is for.")
    )
    kind = forms.ChoiceField(label=lazy("Kind of notice"), widget=forms.RadioSelect, initial="ordinary")
    reason = forms.CharField(
        label=lazy("Reason"), max_length=MOST_REASON, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("Needed for an extraordinary notice alone."),
    )  # fmt: skip
    wish = DayField(label=lazy("Wished last day"), required=False, help_text=lazy("Left empty: as soon as possible."))
    email = forms.EmailField(
        label=lazy("E-mail for the confirmation"), max_length=254,
        help_text=lazy("The confirmation is sent there at once."),
    )  # fmt: skip

    def __init__(self, *args: Any, today: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [(key, _(text)) for key, text in KINDS.items()]  # type: ignore[attr-defined]
        self.fields["wish"].today = today  # type: ignore[attr-defined]


def with_ending() -> list[Seller]:
    """The sellers whose public pages must show the button: they sell to consumers in Germany."""
    return list(Seller.objects.filter(consumer_rules="DE").order_by("id")[:MOST_SELLERS])


@portal_page(OPEN)
@require_http_methods(["GET", "HEAD", "POST"])
def end_contract(request: HttpRequest, seller: int) -> HttpResponse:
    """Send a notice."""
    found = get_object_or_404(Seller, pk=seller, consumer_rules="DE")
    actor = Actor("button:notice", utc_now())
    form = EndingForm(request.POST if request.method == "POST" else None, today=actor.today(found.time_zone))
    if request.method == "POST" and form.is_valid():
        if not limits.take(request, limits.NOTICE, form.cleaned_data["email"]):
            form.add_error(None, _("There were too many tries. Wait a few minutes, then try again."))
            return render(request, "portal/ending.html", {"form": form, "seller": found}, status=429)
        try:
            kept = billing.receive_notice(
                actor, seller=found, language=(get_language() or "en")[:2], **form.cleaned_data
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, {})
        else:
            at = show.moment(kept.received_at, found.time_zone)
            return render(request, "portal/ending_received.html", {"kept": kept, "seller": found, "at": at})
    context = {"form": form, "seller": found}
    return render(request, "portal/ending.html", context, status=422 if form.errors else 200)
