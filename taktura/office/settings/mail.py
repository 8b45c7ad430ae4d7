"""Mail servers: over which mails go, tried from the page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_POST

from taktura.core.errors import Refused
from taktura.customers.services import remove_mail_server, set_mail_server
from taktura.kit.mail.models import MailServer
from taktura.kit.mail.queries import own_server
from taktura.kit.mail.services import send_test, server_of
from taktura.office import seen, show
from taktura.office.customers.changes import choices
from taktura.office.forms import add_refusal
from taktura.office.page import actor_of, page, seller_of, user_of

ALL, COMPANY = "all", "company"
FIELDS = ("host", "port", "security", "user", "from_address", "from_name")


class ServerForm(forms.Form):
    """A mail server. The password is never shown."""

    host = forms.CharField(label=lazy("Server"), max_length=200, help_text=lazy("As in smtp.example.com."))
    port = forms.IntegerField(label=lazy("Port"), min_value=1, max_value=65535)
    security = forms.ChoiceField(label=lazy("Security"))
    user = forms.CharField(
        label=lazy("User"), max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=lazy("Left empty, nobody signs in to the server."),
    )  # fmt: skip
    password = forms.CharField(
        label=lazy("Password"), max_length=500, required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    from_address = forms.EmailField(label=lazy("Sender's address"))
    from_name = forms.CharField(label=lazy("Sender's name"), max_length=200, required=False)

    def __init__(self, *args: Any, has_password: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["security"].choices = choices("security")  # type: ignore[attr-defined]
        if has_password:
            self.fields["password"].help_text = _("Left empty, the one that is kept stays.")


@page("settings.view")
def mail(request: HttpRequest) -> HttpResponse:
    """The servers of this company and for all."""
    servers = [
        {"which": which, "server": own_server(_key(request, which)), "over": server_of(_key(request, which))}
        for which in (COMPANY, ALL)
    ]
    return render(request, "settings/mail.html", {"servers": servers})


@page("settings.change")
def change(request: HttpRequest, which: str) -> HttpResponse:
    """Write a mail server."""
    server = own_server(_key(request, which))
    form = _form(request, server)
    shown = seen.guard(request, form)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        password = fields.pop("password") or None
        try:
            set_mail_server(
                actor_of(request), seller=seller_of(request) if which == COMPANY else None,
                password=password if password or server else "", **fields,
            )  # fmt: skip
        except Refused as refused:
            add_refusal(form, refused, {"": "password" if "password" in refused.text else "host"})
        else:
            messages.success(request, _("Saved. Send a test mail to see whether it works."))
            return redirect("mail")
    context = {
        "form": form, "title": _title(request, which), "back": reverse("mail"), "parent": _("Mail server"),
        "seen": shown,
    }  # fmt: skip
    return render(request, "office/form.html", context, status=422 if form.errors else 200)


@page("settings.change")
@require_POST
def test(request: HttpRequest, which: str) -> HttpResponse:
    """Send a mail to oneself, now, and say what the server said."""
    server = own_server(_key(request, which))
    if server is None:
        raise Http404
    to = user_of(request).email
    outcome = send_test(server=server, to=to, language=show.language())
    if outcome.state == "sent":
        messages.success(request, _("The server has taken a mail to %(email)s.") % {"email": to})
    else:
        messages.error(request, _("The mail was not sent: %(why)s") % {"why": outcome.error})
    return redirect("mail")


@page("settings.change")
@require_POST
def remove(request: HttpRequest, which: str) -> HttpResponse:
    """Remove a mail server."""
    server = own_server(_key(request, which))
    if server is None:
        raise Http404
    remove_mail_server(actor_of(request), server=server)
    messages.success(request, _("The mail server is removed."))
    return redirect("mail")


def _key(request: HttpRequest, which: str) -> str:
    if which not in (ALL, COMPANY):
        raise Http404
    return f"seller:{seller_of(request).pk}" if which == COMPANY else ""


def _title(request: HttpRequest, which: str) -> str:
    return _("Mail server of %(name)s") % {"name": seller_of(request).name} if which == COMPANY else _(
        "Mail server for all"
    )  # fmt: skip


def _form(request: HttpRequest, server: MailServer | None) -> ServerForm:
    initial = (
        {name: getattr(server, name) for name in FIELDS}
        if server is not None
        else {"port": 587, "security": "starttls", "from_name": seller_of(request).name,
              "from_address": seller_of(request).email}
    )  # fmt: skip
    return ServerForm(request.POST or None, initial=initial, has_password=server is not None and bool(server.password))
