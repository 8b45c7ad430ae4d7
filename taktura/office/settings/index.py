"""The page on which all settings are found."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from taktura.office.page import STAFF, page, user_of

# Part, and its pages: name, label, what is done there, icon, permission.
PARTS = [
    (
        _("The company"),
        [
            ("company", _("Company"), _("Address, bank, VAT, rules of billing, closed periods"), "building",
             "settings.view"),
            ("numbering", _("Numbers"), _("Formats of the numbers of documents, and which comes next"), "list-details",
             "settings.view"),
            ("time_settings", _("Time"), _("What is done in time, and who may approve it"), "clock", "settings.view"),
        ],
    ),
    (
        _("Mail"),
        [
            ("mail", _("Mail server"), _("Over which server mails go, and from whom they are"), "mailbox",
             "settings.view"),
            ("mail_texts", _("Texts of mails"), _("What is written to customers and users, in three languages"), "mail",
             "settings.view"),
            ("mailboxes", _("Mailboxes"), _("Usage files and tickets that come by e-mail"), "inbox",
             "settings.view"),
            ("outbox", _("Outbox"), _("What was sent to whom, what waits, what failed"), "send", "jobs.view"),
        ],
    ),
    (
        _("Service desk"),
        [
            ("queues", _("Queues"), _("Where tickets wait for somebody"), "inbox", "settings.view"),
            ("desk_mail", _("Mails about tickets"), _("Where customers answer to, and whether they are told that a"
             " ticket arrived"), "mail", "settings.change"),
            ("service_levels", _("Service levels"), _("Business hours, holidays, targets by priority"),
             "clock", "settings.view"),
        ],
    ),
    (
        _("Who comes in"),
        [
            ("users", _("Users"), _("Who works here, in which role; invitations"), "users", "settings.view"),
        ],
    ),
    (
        _("Other systems"),
        [
            ("keys", _("API keys"), _("Other systems, what each may, until when"), "key", "settings.view"),
            ("webhooks", _("Webhooks"), _("Who is told what happens, and whether it arrives"), "webhook",
             "settings.view"),
        ],
    ),
    (
        _("What happens"),
        [
            ("jobs", _("Jobs"), _("What runs in the background, what failed and why"), "activity", "jobs.view"),
            ("log", _("Log"), _("Who changed what, chained and proven"), "history", "log.view"),
        ],
    ),
]  # fmt: skip


@page(STAFF)
def settings_index(request: HttpRequest) -> HttpResponse:
    """The settings that the user may see."""
    user = user_of(request)
    parts = []
    for title, pages in PARTS:
        shown = [
            {"url": reverse(name), "label": label, "text": text, "icon": icon}
            for name, label, text, icon, permission in pages
            if user.may(permission)
        ]
        if shown:
            parts.append({"title": title, "pages": shown})
    if not parts:
        raise PermissionDenied
    return render(request, "settings/index.html", {"parts": parts})
